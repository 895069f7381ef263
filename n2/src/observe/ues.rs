//! Who is where, as far as it was seen.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::time::Duration;

use pinion_protocols::ngap::{FiveGSTmsi, Guami, UeIds};

use super::Counts;

/// How many UEs that have ended are remembered: what comes late of one does not bring it back.
const ENDED: usize = 4096;

/// A UE is said to be heard of anew once a second.
const GRAIN: Duration = Duration::from_secs(1);

/// What is known of a UE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ue {
    /// AMF UE NGAP ID, once the AMF has given one.
    pub amf: Option<u64>,
    /// The 5G-S-TMSI that it came with.
    pub tmsi: Option<FiveGSTmsi>,
    /// The GUAMI that it came with, or that its AMF gave it since.
    pub guami: Option<Guami>,
    /// When its first message was seen.
    pub since: Duration,
    /// When anything was heard of it, to a second.
    pub last: Duration,
}

impl Ue {
    /// One of which nothing else is known.
    pub(super) const fn new(now: Duration) -> Self {
        Self { amf: None, tmsi: None, guami: None, since: now, last: now }
    }
}

/// An association's number, and RAN UE NGAP ID.
type Place = (u64, u32);

/// All UEs.
#[derive(Debug)]
pub(super) struct Ues {
    most: usize,
    ues: BTreeMap<Place, (u64, Ue)>,
    numbers: BTreeMap<u64, Place>,
    next: u64,
    silent: BTreeSet<(Duration, Place)>,
    /// UEs that have ended, with their AMF's identifier, and in which order.
    ended: HashMap<Place, u64>,
    order: VecDeque<Place>,
}

impl Ues {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            ues: BTreeMap::new(),
            numbers: BTreeMap::new(),
            next: 0,
            silent: BTreeSet::new(),
            ended: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ues.len()
    }

    /// Those behind a number, each with its own.
    pub(super) fn after(&self, after: Option<u64>) -> impl Iterator<Item = (u64, Place, &Ue)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.numbers.range((from, Bound::Unbounded));
        behind.filter_map(|(number, place)| Some((*number, *place, &self.ues.get(place)?.1)))
    }

    /// A UE begins; whoever had its RAN UE NGAP ID has it no more.
    pub(super) fn begin(&mut self, association: u64, ran: u32, ue: Ue, counts: &mut Counts) {
        let place = (association, ran);
        self.ended.remove(&place);
        self.take(place);
        if self.ues.len() >= self.most
            && let Some((_, oldest)) = self.silent.first().copied()
        {
            self.take(oldest);
            counts.displaced = counts.displaced.saturating_add(1);
        }
        counts.met = counts.met.saturating_add(1);
        self.silent.insert((ue.last, place));
        self.numbers.insert(self.next, place);
        self.ues.insert(place, (self.next, ue));
        self.next = self.next.wrapping_add(1);
    }

    /// A message was about a UE; it may be the first that was seen of it.
    pub(super) fn met(
        &mut self,
        association: u64,
        ids: UeIds,
        guami: Option<Guami>,
        now: Duration,
        counts: &mut Counts,
    ) {
        let Some(ran) = ids.ran else { return };
        let place = (association, ran);
        match self.ues.get_mut(&place) {
            Some((_, ue)) if ids.amf.is_none() || ue.amf.is_none() || ue.amf == ids.amf => {
                (ue.amf, ue.guami) = (ue.amf.or(ids.amf), guami.or(ue.guami));
                if now.saturating_sub(ue.last) >= GRAIN {
                    self.silent.remove(&(ue.last, place));
                    ue.last = now;
                    self.silent.insert((now, place));
                }
            }
            // The AMF has given the UE another identifier, or another UE has it, of which the beginning was not seen.
            Some(_) => self.begin(association, ran, Ue { amf: ids.amf, guami, ..Ue::new(now) }, counts),
            None if ids.amf.is_some() && self.ended.get(&place).copied() == ids.amf => {}
            None => self.begin(association, ran, Ue { amf: ids.amf, guami, ..Ue::new(now) }, counts),
        }
    }

    /// A UE has ended, unless the one that is meant is another one.
    pub(super) fn end(&mut self, association: u64, ids: UeIds) {
        let place = match ids {
            UeIds { ran: Some(ran), .. } => Some((association, ran)),
            UeIds { amf: Some(amf), ran: None } => {
                self.of(association).find(|(_, ue)| ue.amf == Some(amf)).map(|(place, _)| place)
            }
            UeIds { amf: None, ran: None } => None,
        };
        let Some(place) = place else { return };
        let known = self.ues.get(&place).and_then(|(_, ue)| ue.amf);
        if let (Some(known), Some(amf)) = (known, ids.amf)
            && known != amf
        {
            return;
        }
        self.take(place);
        if let Some(amf) = known.or(ids.amf) {
            if self.ended.insert(place, amf).is_none() {
                self.order.push_back(place);
            }
            if self.order.len() > ENDED
                && let Some(oldest) = self.order.pop_front()
            {
                self.ended.remove(&oldest);
            }
        }
    }

    /// All of these have ended.
    pub(super) fn reset(&mut self, association: u64, list: &[UeIds]) {
        let by_amf: HashMap<u64, u32> = if list.iter().any(|ids| ids.ran.is_none()) {
            self.of(association).filter_map(|(place, ue)| Some((ue.amf?, place.1))).collect()
        } else {
            HashMap::new()
        };
        for ids in list {
            let ran = ids.ran.or_else(|| by_amf.get(&ids.amf?).copied());
            if ran.is_some() {
                self.end(association, UeIds { ran, amf: ids.amf });
            }
        }
    }

    /// All of an association have ended; how many.
    pub(super) fn end_all(&mut self, association: u64) -> u64 {
        let all: Vec<Place> = self.of(association).map(|(place, _)| place).collect();
        all.iter().for_each(|place| self.take(*place));
        all.len() as u64
    }

    /// Forgets those of which nothing was heard since; how many.
    pub(super) fn age(&mut self, since: Duration) -> u64 {
        let mut forgotten = 0_u64;
        while let Some((last, place)) = self.silent.first().copied()
            && last < since
        {
            self.take(place);
            forgotten = forgotten.saturating_add(1);
        }
        forgotten
    }

    fn of(&self, association: u64) -> impl Iterator<Item = (Place, &Ue)> {
        self.ues.range((association, 0)..=(association, u32::MAX)).map(|(place, (_, ue))| (*place, ue))
    }

    fn take(&mut self, place: Place) {
        if let Some((number, ue)) = self.ues.remove(&place) {
            self.numbers.remove(&number);
            self.silent.remove(&(ue.last, place));
        }
    }
}
