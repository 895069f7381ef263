use std::collections::{BTreeMap, BTreeSet};

use super::key::Key;
use super::record::{Moment, Record};

/// One part of the table.
#[derive(Debug, Default)]
pub(super) struct Shard {
    records: BTreeMap<Key, Record>,
    /// Those that end by themselves, the next first.
    ends: BTreeSet<(Moment, Key)>,
    /// Keys of which it is not known what the kernel's map holds: it refused to take a write back.
    pub(super) unsure: BTreeSet<Key>,
}

impl Shard {
    pub(super) fn get(&self, key: Key) -> Option<&Record> {
        self.records.get(&key)
    }

    /// Sets what is kept of a key; what was before.
    pub(super) fn set(&mut self, key: Key, record: Option<Record>) -> Option<Record> {
        if let Some(new) = &record {
            new.place.enter();
            if let Some(end) = new.ends {
                self.ends.insert((end, key));
            }
        }
        let new_end = record.as_ref().and_then(|new| new.ends);
        let before = match record {
            Some(record) => self.records.insert(key, record),
            None => self.records.remove(&key),
        };
        if let Some(old) = &before {
            old.place.leave();
            if let Some(end) = old.ends
                && new_end != Some(end)
            {
                self.ends.remove(&(end, key));
            }
        }
        before
    }

    /// Which end next, at the most so many, up to a moment.
    pub(super) fn due(&self, now: Moment, most: usize) -> Vec<Key> {
        self.ends.iter().take_while(|(end, _)| *end <= now).take(most).map(|(_, key)| *key).collect()
    }

    /// Which ends next of all.
    pub(super) fn soonest(&self) -> Option<Key> {
        self.ends.first().map(|(_, key)| *key)
    }

    /// Those after a key, in their order.
    pub(super) fn after(&self, key: Option<Key>) -> impl Iterator<Item = (Key, &Record)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = key.map_or(Unbounded, Excluded);
        self.records.range((from, Unbounded)).map(|(key, record)| (*key, record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use pinion_steering::{Address, Pin, PinKey};

    use crate::sessions::record::{PinOrigin, Place};

    #[test]
    fn keeps_ends_and_counts_with_records() {
        bolero::check!().with_type::<Vec<(u8, Option<Option<u8>>)>>().for_each(|changes| {
            let place = Arc::new(Place::new("s", "p/e"));
            let mut shard = Shard::default();
            for (teid, change) in changes {
                let key = Key::from(PinKey { address: Address::default(), teid: u32::from(teid % 8) });
                let record = change.map(|end| Record {
                    place: Arc::clone(&place),
                    pin: Pin::default(),
                    origin: PinOrigin::Learned,
                    ends: end.map(|end| Moment(u32::from(end))),
                });
                shard.set(key, record);
                let ends: BTreeSet<_> =
                    shard.records.iter().filter_map(|(key, record)| record.ends.map(|end| (end, *key))).collect();
                assert_eq!(ends, shard.ends);
                assert_eq!(place.sessions(), shard.records.len() as u64);
            }
        });
    }
}
