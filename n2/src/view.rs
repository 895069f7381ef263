//! How it goes, for those who ask.

use std::sync::Arc;

use pinion_protocols::ngap::value::GlobalRanNodeId;

use crate::counts::Counts;
use crate::front::FrontEnd;
use crate::gnbs::{GnbId, Phase};
use crate::pins::PinId;

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
}

/// A UE at a gNB; one that is handed over is shown at both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UeView {
    /// What [`FrontEnd::ues`] goes on behind.
    pub place: (u32, u64),
    /// Its gNB.
    pub node: GlobalRanNodeId,
    /// RAN UE NGAP ID, once the gNB has given one.
    pub ran: Option<u32>,
    /// The AMF's name, `POOL/NAME`.
    pub amf: Arc<str>,
    /// AMF UE NGAP IDs, once the AMF has given one: the AMF's, and the gNB's.
    pub ids: Option<(u64, u64)>,
}

impl FrontEnd {
    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The AMFs.
    pub fn amfs(&self) -> impl Iterator<Item = AmfView> {
        let known = self.amfs.iter().filter(|(_, amf)| !amf.gone || amf.pins > 0);
        known.map(|(_, amf)| AmfView { name: Arc::clone(&amf.config.name), gnbs: amf.up, ues: amf.pins })
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

    /// The UEs behind a place, in an order that stays.
    pub fn ues(&self, after: Option<(u32, u64)>) -> impl Iterator<Item = UeView> {
        let after = after.map(|(gnb, pin)| (GnbId(gnb), PinId(pin)));
        self.pins.after(after).filter_map(|(id, pin)| {
            Some(UeView {
                place: (pin.gnb.0, id.0),
                node: self.gnbs.get(&pin.gnb)?.node.clone(),
                ran: pin.ran,
                amf: self.amfs.name(pin.amf),
                ids: pin.ids.map(|ids| (ids.amf, ids.here)),
            })
        })
    }
}
