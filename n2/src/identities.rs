//! AMF UE NGAP IDs as gNBs know them: one table for all AMFs and gNBs, as Path Switch Request names a UE by the identifier
//! that it has at another gNB (TS 38.413 9.2.3.8).

use std::collections::VecDeque;
use std::time::Duration;

use foldhash::HashMap;

use crate::amfs::AmfId;

/// The first number that an identifier of so many octets more than it can have (9.3.3.1): 1 to 5 octets.
const ENDS: [u64; 5] = [1 << 8, 1 << 16, 1 << 24, 1 << 32, 1 << 40];

/// How many numbers of a length are tried before longer ones are.
const TRIES: u32 = 512;

/// How many rest at once; beyond, the one that rests longest may be had again.
const MOST_RESTING: usize = 1 << 20;

/// Who has an identifier.
#[derive(Clone, Copy, Debug)]
struct Use {
    amf: AmfId,
    id: u64,
    /// How many pins name it: two while a UE is handed over, of an AMF that does not give another identifier then.
    pins: u32,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    here: HashMap<u64, Use>,
    of_amf: HashMap<(AmfId, u64), u64>,
    /// Those that nobody has: whose they were last, and until when they rest.
    resting: HashMap<u64, (AmfId, Duration)>,
    ends: VecDeque<(Duration, u64)>,
    cursors: [u64; ENDS.len()],
}

impl Identities {
    /// The identifier that stands for an AMF's, for one pin more. `same` says whether a UE of another AMF with the AMF's own
    /// identifier is the same UE: then it stays as it is, quarantine of that one's or not.
    pub(crate) fn hold(&mut self, amf: AmfId, id: u64, same: Option<&dyn Fn(AmfId) -> bool>) -> Option<u64> {
        if let Some(&here) = self.of_amf.get(&(amf, id)) {
            if let Some(it) = self.here.get_mut(&here) {
                it.pins = it.pins.saturating_add(1);
            }
            return Some(here);
        }
        if let (Some(same), Some(it)) = (same, self.here.get_mut(&id))
            && it.id == id
            && same(it.amf)
        {
            it.pins = it.pins.saturating_add(1);
            return Some(id);
        }
        let rests =
            self.resting.get(&id).is_some_and(|&(last, _)| !same.is_some_and(|same| last == amf || same(last)));
        let own = !self.here.contains_key(&id) && !rests;
        let here = if own { id } else { self.free(id)? };
        self.resting.remove(&here);
        self.here.insert(here, Use { amf, id, pins: 1 });
        self.of_amf.insert((amf, id), here);
        Some(here)
    }

    /// One pin less has it. When it was the last, nobody gets it before `until`.
    pub(crate) fn release(&mut self, here: u64, until: Duration) {
        let Some(it) = self.here.get_mut(&here) else { return };
        it.pins = it.pins.saturating_sub(1);
        if it.pins > 0 {
            return;
        }
        let key = (it.amf, it.id);
        self.here.remove(&here);
        self.of_amf.remove(&key);
        self.resting.insert(here, (key.0, until));
        self.ends.push_back((until, here));
        if self.ends.len() > MOST_RESTING
            && let Some((until, oldest)) = self.ends.pop_front()
        {
            self.rested(oldest, until);
        }
    }

    /// The AMF's identifier that one stands for.
    pub(crate) fn of(&self, here: u64) -> Option<(AmfId, u64)> {
        self.here.get(&here).map(|it| (it.amf, it.id))
    }

    /// Has an identifier stand for another AMF's; not where that stands for a UE already.
    pub(crate) fn rebind(&mut self, here: u64, amf: AmfId, id: u64) -> bool {
        if self.of_amf.get(&(amf, id)).is_some_and(|&other| other != here) {
            return false;
        }
        let Some(it) = self.here.get_mut(&here) else { return false };
        self.of_amf.remove(&(it.amf, it.id));
        (it.amf, it.id) = (amf, id);
        self.of_amf.insert((amf, id), here);
        true
    }

    /// Ends quarantine.
    pub(crate) fn expire(&mut self, now: Duration) {
        while let Some(&(until, here)) = self.ends.front()
            && until <= now
        {
            self.ends.pop_front();
            self.rested(here, until);
        }
    }

    /// An identifier may be had again, unless somebody has had it meanwhile: then it rests longer.
    fn rested(&mut self, here: u64, until: Duration) {
        if self.resting.get(&here).is_some_and(|it| it.1 == until) {
            self.resting.remove(&here);
        }
    }

    /// How many rest.
    pub(crate) fn resting(&self) -> usize {
        self.resting.len()
    }

    /// An identifier that nobody has, if possible with as many octets as another.
    fn free(&mut self, like: u64) -> Option<u64> {
        let mut from = 0;
        for (end, cursor) in ENDS.into_iter().zip(&mut self.cursors) {
            let first = std::mem::replace(&mut from, end);
            if like >= end {
                continue;
            }
            for _ in 0..TRIES {
                *cursor = if (first..end - 1).contains(cursor) { *cursor + 1 } else { first };
                if !self.here.contains_key(cursor) && !self.resting.contains_key(cursor) {
                    return Some(*cursor);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const A: AmfId = AmfId(0);
    const B: AmfId = AmfId(1);

    fn per_amf(table: &mut Identities, amf: AmfId, id: u64) -> u64 {
        table.hold(amf, id, None).unwrap()
    }

    #[test]
    fn amfs_that_count_from_one_share_no_identifier_and_keep_its_length() {
        let mut table = Identities::default();
        let mut seen = HashSet::new();
        for id in [1, 2, 255, 256, 65_535, 65_536, (1 << 40) - 1] {
            for amf in [A, B] {
                let here = per_amf(&mut table, amf, id);
                assert!(seen.insert(here));
                assert_eq!(table.of(here), Some((amf, id)));
                let octets = |id: u64| (64 - id.max(1).leading_zeros()).div_ceil(8);
                assert_eq!(octets(here), octets(id), "{here} for {id}");
            }
        }
    }

    #[test]
    fn more_than_a_length_has_get_longer_ones() {
        let mut table = Identities::default();
        let mut seen = HashSet::new();
        for id in 0..256 {
            assert!(seen.insert(per_amf(&mut table, A, id)));
            assert!(seen.insert(per_amf(&mut table, B, id)));
        }
        assert_eq!(seen.iter().filter(|&&here| here < 256).count(), 256);
        assert!(seen.iter().all(|&here| here < 65_536));
    }

    #[test]
    fn what_was_released_rests() {
        let mut table = Identities::default();
        let here = per_amf(&mut table, A, 7);
        per_amf(&mut table, A, 7);
        table.release(here, Duration::from_secs(5));
        assert_eq!(table.of(here), Some((A, 7)));
        table.release(here, Duration::from_secs(5));
        assert_eq!(table.of(here), None);
        let next = per_amf(&mut table, A, 7);
        assert_ne!(next, here);
        table.release(next, Duration::from_secs(9));
        table.expire(Duration::from_secs(5));
        assert_eq!(per_amf(&mut table, A, 7), here);
    }

    #[test]
    fn within_a_set_identifiers_stay() {
        let mut table = Identities::default();
        let same: Option<&dyn Fn(AmfId) -> bool> = Some(&|_| true);
        assert_eq!(table.hold(A, 7, same), Some(7));
        assert_eq!(table.hold(B, 7, same), Some(7));
        table.release(7, Duration::from_secs(5));
        table.release(7, Duration::from_secs(5));
        assert_eq!(table.hold(B, 7, same), Some(7));
        assert_ne!(table.hold(A, 7, Some(&|_| false)), Some(7));
    }

    #[test]
    fn what_a_set_released_rests_for_other_sets() {
        let mut table = Identities::default();
        assert_eq!(table.hold(A, 7, Some(&|_| true)), Some(7));
        table.release(7, Duration::from_secs(5));
        let other = table.hold(B, 7, Some(&|_| false)).unwrap();
        assert_ne!(other, 7);
        table.release(other, Duration::from_secs(5));
        // As long as whoever had it last asks for.
        assert_eq!(table.hold(A, 7, Some(&|_| true)), Some(7));
        table.release(7, Duration::from_secs(9));
        table.expire(Duration::from_secs(5));
        assert_ne!(table.hold(B, 7, Some(&|_| false)), Some(7));
        table.release(table.of_amf[&(B, 7)], Duration::from_secs(9));
        table.expire(Duration::from_secs(9));
        assert_eq!(table.hold(B, 7, Some(&|_| false)), Some(7));
    }

    #[test]
    fn an_identifier_outlives_its_amf() {
        let mut table = Identities::default();
        let here = per_amf(&mut table, A, 7);
        assert!(table.rebind(here, B, 9));
        assert_eq!(table.of(here), Some((B, 9)));
        let other = per_amf(&mut table, A, 7);
        assert_ne!(other, here);
        assert!(!table.rebind(other, B, 9));
        assert_eq!(table.of(other), Some((A, 7)));
    }
}
