//! A batch on the shards that it touches: all of it, or nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use pinion_loader::LoadError;
use pinion_steering::{Filter, Pin, PinKey};
use tokio::sync::OwnedMutexGuard;

use super::change::{Change, CommitError};
use super::key::Key;
use super::record::{Moment, NewPin, Record, leads_as};
use super::shard::Shard;
use super::table::{Full, PinTable};

/// The shards that a batch touches, held until it is done.
pub(super) struct Held {
    shards: BTreeMap<usize, OwnedMutexGuard<Shard>>,
}

/// How many pins there may be, over all shards.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) used: AtomicU32,
    pub(super) bound: u32,
}

impl Room {
    fn take(&self) -> bool {
        let one_more = |used: u32| (used < self.bound).then_some(used.saturating_add(1));
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }

    fn give(&self, by: u32) {
        self.used.fetch_sub(by, Ordering::Relaxed);
    }
}

/// What a batch did.
pub(super) struct Done {
    /// The keys that it changed.
    pub(super) changed: Vec<Key>,
    /// How many pins were ended to make room.
    pub(super) evicted: u64,
}

/// What there was of each key before a batch, and how much room the batch holds.
#[derive(Default)]
struct Undo {
    before: BTreeMap<Key, Option<Record>>,
    /// Room of pins that the batch ended: others get it only once the batch is in force.
    spare: u32,
    taken: u32,
    evicted: u64,
}

impl Held {
    pub(super) fn new(shards: BTreeMap<usize, OwnedMutexGuard<Shard>>) -> Self {
        Self { shards }
    }

    pub(super) fn get(&self, key: Key) -> Option<&Record> {
        self.shards.get(&key.shard())?.get(key)
    }

    pub(super) fn after(&self, shard: usize, key: Option<Key>) -> impl Iterator<Item = (Key, &Record)> {
        self.shards.get(&shard).into_iter().flat_map(move |shard| shard.after(key))
    }

    pub(super) fn due(&self, now: Moment, most: usize) -> Vec<Key> {
        self.shards.values().flat_map(|shard| shard.due(now, most)).take(most).collect()
    }

    pub(super) fn is_sure(&self) -> bool {
        self.shards.values().all(|shard| shard.unsure.is_empty())
    }

    /// Puts a batch into force: first in the table, which can refuse it without a write, then in the kernel's map.
    pub(super) fn apply(
        &mut self,
        batch: Vec<Change>,
        maps: &mut dyn PinTable,
        room: &Room,
        full: Full,
    ) -> Result<Done, CommitError> {
        let mut undo = Undo::default();
        let changed = batch.into_iter().try_for_each(|change| self.change(change, room, full, &mut undo));
        let written = changed.and_then(|()| self.write(&undo.before, maps));
        if let Err(error) = written {
            for (key, record) in undo.before {
                self.set(key, record);
            }
            room.give(undo.taken);
            return Err(error);
        }
        room.give(undo.spare);
        Ok(Done { changed: undo.before.into_keys().collect(), evicted: undo.evicted })
    }

    fn change(&mut self, change: Change, room: &Room, full: Full, undo: &mut Undo) -> Result<(), CommitError> {
        match change {
            Change::Forget(key) if self.get(key.into()).is_some_and(Record::is_configured) => Ok(()),
            Change::Remove(key) | Change::Forget(key) => {
                self.end(Key::from(key), undo);
                Ok(())
            }
            Change::Insert(pin) => {
                self.free(&pin.key, |known| known.steers_as(&pin.record))?;
                self.put(pin, room, full, undo)
            }
            Change::Learn(pin) => {
                self.free(&pin.key, |known| !known.is_configured())?;
                self.put(pin, room, full, undo)
            }
            Change::Replace(pin) => self.put(pin, room, full, undo),
            Change::InsertMissing(pin) if self.get(pin.key.into()).is_some() => Ok(()),
            Change::InsertMissing(pin) => self.put(pin, room, full, undo),
        }
    }

    /// Refuses a key of a pin that is not to be replaced.
    fn free(&self, key: &PinKey, replaced: impl FnOnce(&Record) -> bool) -> Result<(), CommitError> {
        match self.get(Key::from(*key)) {
            Some(known) if !replaced(known) => Err(CommitError::Taken {
                address: key.address.into(),
                teid: key.teid,
                endpoint: known.place.endpoint.to_string(),
            }),
            _ => Ok(()),
        }
    }

    fn put(&mut self, mut pin: NewPin, room: &Room, full: Full, undo: &mut Undo) -> Result<(), CommitError> {
        let key = Key::from(pin.key);
        if let Some(known) = self.get(key) {
            // A tunnel that stays where it is keeps its filters.
            if leads_as(&known.pin, &pin.record.pin) {
                pin.record.pin.flags = known.pin.flags;
            }
        } else {
            if undo.spare == 0 && !room.take() {
                let soonest = match full {
                    Full::Refuse => None,
                    Full::EndSoonest => self.shards.get(&key.shard()).and_then(|shard| shard.soonest()),
                };
                let soonest = soonest.filter(|soonest| !undo.before.contains_key(soonest));
                self.end(soonest.ok_or(CommitError::Full { bound: room.bound })?, undo);
                undo.evicted += 1;
                undo.spare = undo.spare.saturating_sub(1);
            } else if undo.spare > 0 {
                undo.spare -= 1;
            } else {
                undo.taken += 1;
            }
        }
        let before = self.set(key, Some(pin.record));
        undo.before.entry(key).or_insert(before);
        Ok(())
    }

    fn end(&mut self, key: Key, undo: &mut Undo) {
        if let Some(before) = self.set(key, None) {
            undo.before.entry(key).or_insert(Some(before));
            undo.spare += 1;
        }
    }

    fn set(&mut self, key: Key, record: Option<Record>) -> Option<Record> {
        self.shards.get_mut(&key.shard())?.set(key, record)
    }

    /// Writes what is different from before; takes it back where the kernel refuses a part of it.
    fn write(
        &mut self,
        before: &BTreeMap<Key, Option<Record>>,
        maps: &mut dyn PinTable,
    ) -> Result<(), CommitError> {
        let mut ending = Vec::new();
        let mut staying = Vec::with_capacity(before.len());
        let mut leaving = Vec::new();
        for (key, old) in before {
            let new = self.get(*key).map(|new| new.pin);
            if self.same(*key, old.as_ref().map(|old| old.pin), new) {
                continue;
            }
            match new {
                Some(pin) => {
                    staying.push((PinKey::from(*key), pin));
                    leaving.extend(old.as_ref().map(|old| (PinKey::from(*key), old.pin)));
                }
                None => ending.push(PinKey::from(*key)),
            }
        }
        // What ends goes first: a full map takes a batch that gives as much as it takes.
        let ended = withdraw_all(maps, &ending);
        let installed = ended.and_then(|()| {
            maps.install_all(&staying).map_err(|(done, error)| (ending.len().saturating_add(done), error))
        });
        let installed = installed.and_then(|()| {
            let all = ending.len().saturating_add(staying.len());
            leaving.iter().try_for_each(|(key, old)| maps.leave(key, old).map_err(|error| (all, error)))
        });
        let keys = ending.into_iter().chain(staying.into_iter().map(|(key, _)| key)).map(Key::from);
        let Err((done, source)) = installed else {
            keys.for_each(|key| self.sure(key));
            return Ok(());
        };
        let mut unsure = 0;
        let done: Vec<Key> = keys.take(done).collect();
        for key in done.into_iter().rev() {
            if write(maps, key, before.get(&key).and_then(Option::as_ref)).is_err() {
                unsure += 1;
                if let Some(shard) = self.shards.get_mut(&key.shard()) {
                    shard.unsure.insert(key);
                }
            }
        }
        Err(CommitError::Maps { source, unsure })
    }

    /// Gives pins other filters, all or none; those of which there are none are left out.
    pub(super) fn classify(
        &mut self,
        pins: &[(Key, Vec<Filter>)],
        maps: &mut dyn PinTable,
    ) -> Result<(), CommitError> {
        let mut before = Vec::with_capacity(pins.len());
        for (key, filters) in pins {
            let Some(pin) = self.get(*key).map(|known| known.pin) else { continue };
            let known = maps.filters(&(*key).into(), &pin);
            let given = known.and_then(|known| Ok((known, maps.classify(&(*key).into(), &pin, filters)?)));
            match given {
                Ok((known, pin)) => {
                    self.flag(*key, pin);
                    before.push((*key, known));
                }
                Err(source) => {
                    let unsure = before.into_iter().rev().filter(|(key, known)| {
                        let pin = self.get(*key).map(|known| known.pin).unwrap_or_default();
                        maps.classify(&(*key).into(), &pin, known).map(|pin| self.flag(*key, pin)).is_err()
                    });
                    return Err(CommitError::Maps { source, unsure: unsure.count() });
                }
            }
        }
        Ok(())
    }

    /// The pin as the kernel has it with other filters.
    fn flag(&mut self, key: Key, pin: Pin) {
        let known = self.get(key).cloned();
        if let Some(known) = known {
            self.set(key, Some(Record { pin, ..known }));
        }
    }

    /// Whether the kernel's map holds already what it should.
    fn same(&self, key: Key, old: Option<Pin>, new: Option<Pin>) -> bool {
        let unsure = self.shards.get(&key.shard()).is_some_and(|shard| shard.unsure.contains(&key));
        !unsure && old == new
    }

    fn sure(&mut self, key: Key) {
        if let Some(shard) = self.shards.get_mut(&key.shard()) {
            shard.unsure.remove(&key);
        }
    }

    /// Writes what the table says of keys of which it is not known what the kernel's map holds; how many are left.
    pub(super) fn repair(&mut self, maps: &mut dyn PinTable) -> usize {
        let mut left = 0;
        for shard in self.shards.values_mut() {
            for key in std::mem::take(&mut shard.unsure) {
                if write(maps, key, shard.get(key)).is_err() {
                    shard.unsure.insert(key);
                    left += 1;
                }
            }
        }
        left
    }
}

fn write(maps: &mut dyn PinTable, key: Key, record: Option<&Record>) -> Result<(), LoadError> {
    let key = PinKey::from(key);
    match record {
        Some(record) => maps.install(&key, &record.pin),
        None => maps.withdraw(&key),
    }
}

/// Takes entries out, in order; on failure also how many were before it.
fn withdraw_all(maps: &mut dyn PinTable, keys: &[PinKey]) -> Result<(), (usize, LoadError)> {
    let mut keys = keys.iter().enumerate();
    keys.try_for_each(|(at, key)| maps.withdraw(key).map_err(|error| (at, error)))
}
