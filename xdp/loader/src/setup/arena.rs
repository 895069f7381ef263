use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};

use pinion_steering::Placement;

use crate::maglev::Member;

/// A block of the arena: where it begins, how long it is.
pub(super) type Block = (u32, u32);

/// What a block was computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    pub(super) placement: Placement,
    pub(super) members: Vec<Member>,
}

/// Blocks that may be read by packets, or will be: what is between them is free.
#[derive(Debug, Default)]
pub(super) struct Arena {
    taken: BTreeMap<u32, u32>,
}

impl Arena {
    /// An arena where these blocks are taken.
    pub(super) fn of(blocks: impl Iterator<Item = Block>) -> Self {
        Self { taken: blocks.filter(|(_, length)| *length > 0).collect() }
    }

    /// Takes the first gap that is long enough; `None` where none is.
    pub(super) fn take(&mut self, length: u32, bound: u32) -> Option<u32> {
        if length == 0 {
            return Some(0);
        }
        let mut begin = 0;
        for (at, taken) in &self.taken {
            if at.saturating_sub(begin) >= length {
                break;
            }
            begin = begin.max(at.saturating_add(*taken));
        }
        if bound.saturating_sub(begin) < length {
            return None;
        }
        self.taken.insert(begin, length);
        Some(begin)
    }

    /// Takes what is behind `after` first: where many are taken in a row, each begins where the last one ended.
    pub(super) fn take_after(&mut self, after: u32, length: u32, bound: u32) -> Option<u32> {
        let next = self.taken.range((Excluded(after), Unbounded)).next().map_or(bound, |(at, _)| *at);
        let free =
            self.taken.range(..=after).next_back().is_none_or(|(at, taken)| at.saturating_add(*taken) <= after);
        if length > 0
            && free
            && next.min(bound).saturating_sub(after) >= length
            && !self.taken.contains_key(&after)
        {
            self.taken.insert(after, length);
            return Some(after);
        }
        self.take(length, bound)
    }
}

/// The blocks in force, by the service's number, and what they were computed from.
pub(super) type Blocks = HashMap<u16, (Recipe, Block)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_gaps_and_never_twice() {
        let mut arena = Arena::of([(10, 5), (20, 10), (40, 0)].into_iter());
        assert_eq!(arena.take(5, 100), Some(0));
        assert_eq!(arena.take(5, 100), Some(5));
        assert_eq!(arena.take(6, 100), Some(30));
        assert_eq!(arena.take(5, 100), Some(15));
        assert_eq!(arena.take(65, 100), None);
        assert_eq!(arena.take(64, 100), Some(36));
        assert_eq!(arena.take(1, 100), None);
        assert_eq!(arena.take(0, 100), Some(0));
    }

    #[test]
    fn goes_on_behind_what_was_taken_last() {
        let mut arena = Arena::of([(0, 10), (30, 10)].into_iter());
        assert_eq!(arena.take_after(10, 5, 100), Some(10));
        assert_eq!(arena.take_after(15, 15, 100), Some(15));
        assert_eq!(arena.take_after(30, 5, 100), Some(40));
        assert_eq!(arena.take_after(98, 5, 100), Some(45));
    }

    #[test]
    fn blocks_never_overlap() {
        bolero::check!().with_type::<Vec<(u8, u8)>>().for_each(|wishes| {
            let mut arena = Arena::default();
            let mut held: Vec<Block> = Vec::new();
            for (after, length) in wishes {
                let (after, length) = (u32::from(*after), u32::from(*length) + 1);
                if let Some(at) = arena.take_after(after, length, 2000) {
                    assert!(at + length <= 2000);
                    assert!(held.iter().all(|(begin, taken)| at + length <= *begin || begin + taken <= at));
                    held.push((at, length));
                }
            }
        });
    }
}
