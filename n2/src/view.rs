//! How it goes, for those who ask.

use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;
use pinion_protocols::ngap::value::GlobalRanNodeId;
use pinion_protocols::ngap::{FiveGSTmsi, Guami, Procedure};

use crate::amfs::AmfId;
use crate::choice::{Candidate, Identity, Wish};
use crate::counts::Counts;
use crate::front::FrontEnd;
use crate::gnbs::{GnbId, Phase};
use crate::latency::Latency;
use crate::pins::{Pin, PinId, Reason};
use crate::procedures::{Answerer, Subject};

/// The most gNBs that are asked where a UE would go.
const MOST_GNBS: usize = 1_024;

/// A gNB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GnbView {
    /// Who it is.
    pub node: GlobalRanNodeId,
    /// Whether it is set up.
    pub up: bool,
    /// Its associations, as the host numbers them.
    pub associations: Vec<u64>,
    /// The AMFs that it is set up with, by name.
    pub amfs: Vec<Arc<str>>,
}

/// An AMF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmfView {
    /// Its name, `POOL/NAME`.
    pub name: Arc<str>,
    /// How many gNBs are set up with it.
    pub gnbs: u32,
    /// How many UEs it has.
    pub ues: u32,
    /// The relative capacity that it said last, 0 to 255.
    pub capacity: u8,
    /// Percent of initial messages that it asks to be spared, by the gNB that it asks most of; 0: none.
    pub overload: u8,
}

/// A UE at a gNB; one that is handed over is shown at both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UeView {
    /// Counts UEs; what [`FrontEnd::ues`] goes on behind.
    pub number: u64,
    /// Its gNB.
    pub node: GlobalRanNodeId,
    /// RAN UE NGAP ID, once the gNB has given one.
    pub ran: Option<u32>,
    /// The AMF's name, `POOL/NAME`.
    pub amf: Arc<str>,
    /// AMF UE NGAP IDs, once the AMF has given one: the AMF's, and the gNB's.
    pub ids: Option<(u64, u64)>,
    /// 5G-S-TMSI, as far as its first message showed it.
    pub tmsi: Option<FiveGSTmsi>,
    /// The GUAMI that it has, or where that is not known yet the one that it came with.
    pub guami: Option<Guami>,
    /// How long it has been at this gNB.
    pub since: Duration,
    /// Why it is at its AMF.
    pub reason: Reason,
    /// Procedures that are not answered yet, and how long they have lasted.
    pub procedures: Vec<(Procedure, Duration)>,
}

/// Where a UE would go that came now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// To one of these gNBs: one of them, and how many there are.
    pub gnbs: (GlobalRanNodeId, u32),
    /// What the rules say of each AMF.
    pub candidates: Vec<Candidate>,
}

impl FrontEnd {
    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Messages that came from gNBs and from AMFs, by procedure.
    pub fn messages(&self) -> impl Iterator<Item = (Procedure, u64, u64)> {
        self.procedures.messages()
    }

    /// How long answers took, by procedure and by who gave them.
    pub fn latencies(&self) -> impl Iterator<Item = (Procedure, Answerer, &Latency)> {
        self.procedures.latencies()
    }

    /// The AMFs.
    pub fn amfs(&self) -> impl Iterator<Item = AmfView> {
        let mut overloads = HashMap::<AmfId, u8>::default();
        for (&amf, upstream) in self.gnbs.values().flat_map(|gnb| &gnb.upstreams) {
            if let Some(overload) = &upstream.overload {
                let most = overloads.entry(amf).or_default();
                *most = overload.percent().max(*most);
            }
        }
        let known = self.amfs.iter().filter(|(_, amf)| !amf.gone || amf.pins > 0);
        known.map(move |(id, amf)| AmfView {
            name: Arc::clone(&amf.config.name),
            gnbs: amf.up,
            ues: amf.pins,
            capacity: amf.served.capacity,
            overload: overloads.get(&id).copied().unwrap_or_default(),
        })
    }

    /// The gNBs.
    pub fn gnbs(&self) -> impl Iterator<Item = GnbView> {
        self.gnbs.values().map(|gnb| GnbView {
            node: gnb.node.clone(),
            up: gnb.phase == Phase::Up,
            associations: gnb.associations.clone(),
            amfs: gnb.up().map(|(amf, _)| self.amfs.name(amf)).collect(),
        })
    }

    /// How many UEs there are.
    #[must_use]
    pub fn ue_count(&self) -> usize {
        self.pins.len()
    }

    /// How many AMF UE NGAP IDs rest until somebody may have them again.
    #[must_use]
    pub fn resting(&self) -> usize {
        self.identities.resting()
    }

    /// The UEs behind a number, in an order that stays.
    pub fn ues(&self, after: Option<u64>) -> impl Iterator<Item = UeView> {
        self.pins.after(after.map(PinId)).filter_map(|(id, pin)| self.ue(id, pin))
    }

    fn ue(&self, id: PinId, pin: &Pin) -> Option<UeView> {
        let open = self.procedures.open(Subject::Ue(id));
        Some(UeView {
            number: id.0,
            node: self.gnbs.get(&pin.gnb)?.node.clone(),
            ran: pin.ran,
            amf: self.amfs.name(pin.amf),
            ids: pin.ids.map(|ids| (ids.amf, ids.here)),
            tmsi: pin.identity.and_then(Identity::tmsi),
            guami: pin.guami.or(pin.identity.and_then(Identity::guami)),
            since: self.now.saturating_sub(pin.since),
            reason: pin.reason,
            procedures: open.map(|(it, began)| (it, self.now.saturating_sub(began))).collect(),
        })
    }

    /// What the rules say by now of every AMF for a UE, if it came anew with the identity that it has.
    #[must_use]
    pub fn judged(&self, number: u64) -> Vec<Candidate> {
        let Some(pin) = self.pins.get(PinId(number)) else { return Vec::new() };
        let known = pin.guami.map(|guami| Identity::Guami(guami, None));
        let wish = Wish { identity: known.or(pin.identity), plmn: pin.plmn, ..Wish::default() };
        self.candidates(pin.gnb, &wish)
    }

    /// Where a UE of an identity would go, if it came now; one for all gNBs of which the rules say the same. Of many gNBs the
    /// first are asked.
    #[must_use]
    pub fn placements(&self, identity: Identity) -> Vec<Placement> {
        let wish = Wish { identity: Some(identity), ..Wish::default() };
        let mut up: Vec<_> = self.gnbs.iter().filter(|(_, it)| it.phase == Phase::Up).map(|(&id, _)| id).collect();
        up.sort_unstable();
        let mut alike = HashMap::<Vec<Candidate>, (GnbId, u32)>::default();
        for gnb in up.into_iter().take(MOST_GNBS) {
            let (_, count) = alike.entry(self.candidates(gnb, &wish)).or_insert((gnb, 0));
            *count = count.saturating_add(1);
        }
        let mut placements: Vec<_> = alike.into_iter().collect();
        placements.sort_unstable_by_key(|(_, first)| *first);
        let shown = |(candidates, (gnb, count)): (_, (GnbId, u32))| {
            let node = self.gnbs.get(&gnb)?.node.clone();
            Some(Placement { gnbs: (node, count), candidates })
        };
        placements.into_iter().filter_map(shown).collect()
    }
}
