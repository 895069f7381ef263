//! UEs: who is where.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use foldhash::HashMap;
use pinion_protocols::ngap::value::Plmn;
use pinion_protocols::ngap::{Guami, UeIds};

use crate::amfs::AmfId;
use crate::choice::{Identity, Points};
use crate::gnbs::GnbId;

/// Which pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PinId(pub(crate) u64);

/// Why a UE is at its AMF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its points were the most.
    Chosen(Points),
    /// Another AMF sent the initial message on to its set (TS 38.413 8.6.5), and its points were the most.
    Rerouted(Points),
    /// It answered instead of another of its set, which was asked (8.6.2).
    Answered,
    /// It hands the UE over to this gNB (8.4.2).
    HandedOver,
    /// It had the UE at another gNB (8.4.4).
    PathSwitched,
    /// The one before it is gone, or let the UE go; it is of the same set.
    Rebound,
}

/// A UE at a gNB; while it is handed over it is at two.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    pub(crate) gnb: GnbId,
    /// RAN UE NGAP ID; none before a gNB answers Handover Request.
    pub(crate) ran: Option<u32>,
    pub(crate) amf: AmfId,
    /// The AMF's identifier, and the one that the gNB knows; none before the AMF says it.
    pub(crate) ids: Option<Ids>,
    /// Identifiers that the gNB may use until it uses new ones (8.3.4.2).
    pub(crate) before: Option<Ids>,
    /// The gNB's association.
    pub(crate) association: u64,
    /// Stream to the gNB, and to the AMF.
    pub(crate) streams: (u16, u16),
    /// Whether the next message of the gNB is for whatever AMF of the set.
    pub(crate) unbound: bool,
    /// Who the UE was to its AMF when it came.
    pub(crate) identity: Option<Identity>,
    /// The PLMN that it came to, where its first message said so.
    pub(crate) plmn: Option<Plmn>,
    /// The AMF's GUAMI that the UE has.
    pub(crate) guami: Option<Guami>,
    /// Why it is at its AMF.
    pub(crate) reason: Reason,
    /// How often AMFs sent its initial message on.
    pub(crate) reroutes: u8,
    /// The pin that ends when the path is switched to this one.
    pub(crate) source: Option<PinId>,
    /// When it came.
    pub(crate) since: Duration,
    /// Until when it lasts unless both sides have named it.
    pub(crate) until: Duration,
}

impl Pin {
    /// The identifiers that are good.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Ids> {
        self.ids.iter().chain(&self.before)
    }

    /// What its gNB names it by.
    pub(crate) fn at_gnb(&self) -> UeIds {
        UeIds { amf: self.ids.map(|ids| ids.here), ran: self.ran }
    }

    /// What its AMF names it by.
    pub(crate) fn at_amf(&self) -> UeIds {
        UeIds { amf: self.ids.map(|ids| ids.amf), ran: self.ran }
    }

    /// Whether both sides have named it.
    pub(crate) fn is_complete(&self) -> bool {
        self.ids.is_some() && self.ran.is_some()
    }
}

/// An AMF UE NGAP ID on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    /// The AMF's.
    pub(crate) amf: u64,
    /// The gNB's.
    pub(crate) here: u64,
}

/// All pins, by whatever messages name them.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    pins: HashMap<PinId, Pin>,
    by_ran: HashMap<(GnbId, u32), PinId>,
    by_here: BTreeMap<(u64, GnbId), PinId>,
    by_amf: HashMap<(GnbId, AmfId, u64), PinId>,
    of_gnb: BTreeSet<(GnbId, PinId)>,
    in_order: BTreeSet<PinId>,
    next: u64,
}

impl Pins {
    pub(crate) fn len(&self) -> usize {
        self.pins.len()
    }

    pub(crate) fn get(&self, id: PinId) -> Option<&Pin> {
        self.pins.get(&id)
    }

    /// For what no message names a pin by.
    pub(crate) fn get_mut(&mut self, id: PinId) -> Option<&mut Pin> {
        self.pins.get_mut(&id)
    }

    pub(crate) fn by_ran(&self, gnb: GnbId, ran: u32) -> Option<PinId> {
        self.by_ran.get(&(gnb, ran)).copied()
    }

    pub(crate) fn by_here(&self, gnb: GnbId, here: u64) -> Option<PinId> {
        self.by_here.get(&(here, gnb)).copied()
    }

    pub(crate) fn by_amf(&self, gnb: GnbId, amf: AmfId, id: u64) -> Option<PinId> {
        self.by_amf.get(&(gnb, amf, id)).copied()
    }

    /// The pins that gNBs know by an identifier.
    pub(crate) fn everywhere(&self, here: u64) -> impl Iterator<Item = PinId> {
        self.by_here.range((here, GnbId(0))..=(here, GnbId(u32::MAX))).map(|(_, &id)| id)
    }

    pub(crate) fn of_gnb(&self, gnb: GnbId) -> impl Iterator<Item = (PinId, &Pin)> {
        let all = self.of_gnb.range((gnb, PinId(0))..=(gnb, PinId(u64::MAX)));
        all.filter_map(|&(_, id)| Some((id, self.pins.get(&id)?)))
    }

    /// Pins behind one, the oldest first.
    pub(crate) fn after(&self, after: Option<PinId>) -> impl Iterator<Item = (PinId, &Pin)> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let all = self.in_order.range((from, std::ops::Bound::Unbounded));
        all.filter_map(|&id| Some((id, self.pins.get(&id)?)))
    }

    /// Takes a pin; whatever its identifiers named before has lost them.
    pub(crate) fn insert(&mut self, pin: Pin) -> PinId {
        let id = PinId(self.next);
        self.next = self.next.wrapping_add(1);
        self.of_gnb.insert((pin.gnb, id));
        self.in_order.insert(id);
        self.index(id, &pin);
        self.pins.insert(id, pin);
        id
    }

    pub(crate) fn remove(&mut self, id: PinId) -> Option<Pin> {
        let pin = self.pins.remove(&id)?;
        self.of_gnb.remove(&(pin.gnb, id));
        self.in_order.remove(&id);
        self.unindex(id, &pin);
        Some(pin)
    }

    /// Changes what messages name a pin by.
    pub(crate) fn change(&mut self, id: PinId, change: impl FnOnce(&mut Pin)) {
        let Some(mut pin) = self.pins.remove(&id) else { return };
        self.unindex(id, &pin);
        change(&mut pin);
        self.index(id, &pin);
        self.pins.insert(id, pin);
    }

    fn index(&mut self, id: PinId, pin: &Pin) {
        if let Some(ran) = pin.ran {
            self.by_ran.insert((pin.gnb, ran), id);
        }
        for ids in pin.known() {
            self.by_here.insert((ids.here, pin.gnb), id);
            self.by_amf.insert((pin.gnb, pin.amf, ids.amf), id);
        }
    }

    fn unindex(&mut self, id: PinId, pin: &Pin) {
        if let Some(ran) = pin.ran
            && self.by_ran(pin.gnb, ran) == Some(id)
        {
            self.by_ran.remove(&(pin.gnb, ran));
        }
        for ids in pin.known() {
            if self.by_here(pin.gnb, ids.here) == Some(id) {
                self.by_here.remove(&(ids.here, pin.gnb));
            }
            if self.by_amf(pin.gnb, pin.amf, ids.amf) == Some(id) {
                self.by_amf.remove(&(pin.gnb, pin.amf, ids.amf));
            }
        }
    }
}
