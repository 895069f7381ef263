use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pinion_loader::{Cursor, LoadError, Maps, Paged, filters, tunnels};
use pinion_steering::{Address, Filter, Pin, PinKey};
use tokio::sync::mpsc;

use super::batch::{Done, Held, Room};
use super::change::{Change, CommitError, Installed, Interrupted};
use super::key::{Key, SHARDS};
use super::names::Names;
use super::owner::Owner;
use super::record::{Moment, NewPin, PinOrigin, Record};
use super::shard::Shard;
use crate::store::{Behind, Teller};

/// `PINS` as the session table writes it, with what leads back from each pin ([`tunnels`]).
///
/// # Errors
/// All fail with [`LoadError`] where the kernel refuses, or the bound is reached; then nothing was written, but for
/// what [`PinTable::install_all`] says.
pub trait PinTable: Send {
    /// Writes an entry.
    fn install(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError>;
    /// Writes entries, in order.
    ///
    /// # Errors
    /// How many were written before the one that was refused, and why.
    fn install_all(&mut self, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)>;
    /// Takes out what led back from a pin that its key has no more.
    fn leave(&mut self, key: &PinKey, before: &Pin) -> Result<(), LoadError>;
    /// Has a client's end of a tunnel lead to an endpoint, or nowhere ([`tunnels::lead`]).
    fn lead(&mut self, end: (Address, u32), endpoint: Option<&Pin>) -> Result<(), LoadError>;
    /// Gives a pin other filters ([`pinion_loader::filters::put`]); the pin as it is written then.
    fn classify(&mut self, key: &PinKey, pin: &Pin, filters: &[Filter]) -> Result<Pin, LoadError>;
    /// The filters of a pin, in their order.
    fn filters(&self, key: &PinKey, pin: &Pin) -> Result<Vec<Filter>, LoadError>;
    /// Takes an entry out; one that is not there is as good.
    fn withdraw(&mut self, key: &PinKey) -> Result<(), LoadError>;
    /// The entries at a place, as [`Maps::pins_page`] reads them.
    fn installed(&self, from: Cursor, most: usize) -> Result<Paged<(PinKey, Pin)>, LoadError>;
}

impl<M: Maps + Send> PinTable for M {
    fn install(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError> {
        tunnels::put(self, key, pin)
    }

    fn install_all(&mut self, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)> {
        tunnels::put_all(self, pins)
    }

    fn leave(&mut self, key: &PinKey, before: &Pin) -> Result<(), LoadError> {
        tunnels::leave(self, key, before)
    }

    fn lead(&mut self, end: (Address, u32), endpoint: Option<&Pin>) -> Result<(), LoadError> {
        tunnels::lead(self, end, endpoint)
    }

    fn classify(&mut self, key: &PinKey, pin: &Pin, filters: &[Filter]) -> Result<Pin, LoadError> {
        filters::put(self, key, pin, filters)
    }

    fn filters(&self, key: &PinKey, pin: &Pin) -> Result<Vec<Filter>, LoadError> {
        filters::read(self, key, pin)
    }

    fn withdraw(&mut self, key: &PinKey) -> Result<(), LoadError> {
        tunnels::remove(self, key)
    }

    fn installed(&self, from: Cursor, most: usize) -> Result<Paged<(PinKey, Pin)>, LoadError> {
        self.pins_page(from, most)
    }
}

/// What becomes of a new pin when all are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Full {
    /// It is refused.
    #[default]
    Refuse,
    /// The pin of its shard that would end next by itself ends now; where none ends by itself, the new one is
    /// refused. (Which tunnel idles longest is not known: XDP writes nothing down of a packet that a pin steers.)
    EndSoonest,
}

/// How the table is to behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many pins there may be; at the most as many as the kernel's map holds.
    pub bound: u32,
    /// What becomes of a new pin when all are taken.
    pub full: Full,
}

/// How full the table is, and what it did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// How many pins there are.
    pub used: u32,
    /// How many there may be.
    pub bound: u32,
    /// How many batches are in force.
    pub committed: u64,
    /// How many batches were refused, for whatever reason.
    pub refused: u64,
    /// How many of those because all pins were taken.
    pub full: u64,
    /// How many pins were ended to make room.
    pub evicted: u64,
    /// How many pins ended at their time.
    pub expired: u64,
    /// How many batches were to wait for the store, and did so in vain.
    pub unstored: u64,
}

/// What became of the pins that a daemon before this one left in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// How many are in the table now, that were not.
    pub pins: usize,
    /// How many lead to an endpoint that nobody knows any more; packets go on finding it.
    pub strangers: usize,
}

/// A place in an order of all keys there can be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    shard: usize,
    after: Option<Key>,
}

impl Position {
    pub(crate) const FIRST: Self = Self { shard: 0, after: None };
}

/// The session table. A clone is the same table.
#[derive(Clone)]
pub struct Table {
    inner: Arc<Inner>,
}

struct Inner {
    shards: Vec<Arc<tokio::sync::Mutex<Shard>>>,
    maps: Owner<dyn PinTable>,
    room: Room,
    full: Full,
    counts: Counts,
    store: Option<Behind>,
    wait: Option<Duration>,
}

/// Whether a batch is left for the store to write.
enum Journal {
    Yes(Option<Teller>),
    No,
}

#[derive(Debug, Default)]
struct Counts {
    committed: AtomicU64,
    refused: AtomicU64,
    full: AtomicU64,
    evicted: AtomicU64,
    expired: AtomicU64,
    unstored: AtomicU64,
}

/// How many records of a shard are looked at before others get their turn.
const STRIDE: usize = 1024;

impl Table {
    /// An empty table that writes to `maps`.
    #[must_use]
    pub fn new<M: PinTable + 'static>(maps: &Owner<M>, settings: Settings) -> Self {
        Self::make(maps, settings, None, None)
    }

    /// An empty table that writes to `maps`, and leaves its changes for a store to be written. With `wait`, a commit
    /// waits for the store for so long; beyond, the batch is in force all the same, and counted
    /// ([`Level::unstored`]).
    #[must_use]
    pub fn stored<M: PinTable + 'static>(
        maps: &Owner<M>,
        settings: Settings,
        store: Behind,
        wait: Option<Duration>,
    ) -> Self {
        Self::make(maps, settings, Some(store), wait)
    }

    fn make<M: PinTable + 'static>(
        maps: &Owner<M>,
        settings: Settings,
        store: Option<Behind>,
        wait: Option<Duration>,
    ) -> Self {
        let maps: Arc<Mutex<dyn PinTable>> = maps.tables();
        Self {
            inner: Arc::new(Inner {
                shards: (0..SHARDS).map(|_| Arc::default()).collect(),
                maps: Owner::from(maps),
                room: Room { used: AtomicU32::new(0), bound: settings.bound },
                full: settings.full,
                counts: Counts::default(),
                store,
                wait,
            }),
        }
    }

    /// Puts a batch into force, whole or not at all.
    ///
    /// It goes on even if this future is dropped.
    ///
    /// # Errors
    /// [`CommitError`]: the table and the kernel's maps are as they were before.
    pub async fn commit(&self, batch: Vec<Change>) -> Result<Installed, CommitError> {
        let shards = batch.iter().map(shard_of).collect();
        let held = self.hold(&shards).await;
        let Some(wait) = self.inner.wait else {
            return self
                .apply(held, batch, Journal::Yes(None))
                .await
                .map(|done| Installed::new(done.changed.len()));
        };
        let (teller, mut told) = mpsc::channel(1);
        let done = self.apply(held, batch, Journal::Yes(Some(teller))).await?;
        // No answer means that nobody is left to give one: all is written.
        if !matches!(tokio::time::timeout(wait, told.recv()).await, Ok(None)) {
            self.inner.counts.unstored.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Installed::new(done.changed.len()))
    }

    /// Gives tunnels other filters (TS 23.501 5.6.4.2), all or none; those of which there are none are left out. Where a
    /// tunnel is moved, its filters end.
    ///
    /// # Errors
    /// [`CommitError::Maps`]: the filters are as they were before.
    pub async fn classify(&self, pins: Vec<(PinKey, Vec<Filter>)>) -> Result<(), CommitError> {
        let pins: Vec<_> = pins.into_iter().map(|(key, filters)| (Key::from(key), filters)).collect();
        let mut held = self.hold(&pins.iter().map(|(key, _)| key.shard()).collect()).await;
        let inner = Arc::clone(&self.inner);
        self.inner
            .maps
            .quick(move |maps| {
                held.classify(&pins, maps)?;
                if let Some(store) = &inner.store {
                    store.push(pins.iter().map(|(key, _)| (PinKey::from(*key), held.get(*key).cloned())), None);
                }
                Ok(())
            })
            .await
    }

    /// The filters of a tunnel, in their order.
    ///
    /// # Errors
    /// [`CommitError::Maps`].
    pub async fn filters(&self, key: &PinKey) -> Result<Vec<Filter>, CommitError> {
        let (key, held) = (*key, self.hold(&BTreeSet::from([Key::from(*key).shard()])).await);
        let read = move |maps: &mut (dyn PinTable + 'static)| {
            held.get(key.into()).map_or(Ok(Vec::new()), |known| maps.filters(&key, &known.pin))
        };
        self.inner.maps.quick(read).await.map_err(|source| CommitError::Maps { source, unsure: 0 })
    }

    /// Has clients' ends of tunnels lead to endpoints, or nowhere; how many do not, as where there is no room. Nothing of
    /// it is a session, or stored.
    pub(crate) async fn lead(&self, ways: Vec<((Address, u32), Option<Pin>)>) -> usize {
        if ways.is_empty() {
            return 0;
        }
        let lead = move |maps: &mut (dyn PinTable + 'static)| {
            ways.iter().filter(|(end, pin)| maps.lead(*end, pin.as_ref()).is_err()).count()
        };
        self.inner.maps.quick(lead).await
    }

    /// Pins what the store holds, where the table has nothing yet.
    pub(crate) async fn restore(&self, pins: Vec<NewPin>) -> Result<Installed, CommitError> {
        let batch: Vec<Change> = pins.into_iter().map(Change::InsertMissing).collect();
        let held = self.hold(&batch.iter().map(shard_of).collect()).await;
        self.apply(held, batch, Journal::No).await.map(|done| Installed::new(done.changed.len()))
    }

    /// Takes over what the kernel's map holds from before a restart: all of it that the table does not know yet, as
    /// [`PinOrigin::Restored`]. After the store was restored, which knows more of a pin, or did not answer; before
    /// anybody commits. It is left for the store to be written, which nobody waits for: these pins are in force.
    ///
    /// # Errors
    /// [`Interrupted`] where the kernel's map cannot be read, or holds more than fits.
    pub async fn adopt(&self, names: &Names) -> Result<Adopted, Interrupted> {
        let mut adopted = Adopted::default();
        let mut from = Some(Cursor::default());
        while let Some(place) = from {
            let page = self.inner.maps.quick(move |maps| maps.installed(place, STRIDE)).await;
            let stop = |source| Interrupted { done: adopted.pins, source };
            let page = page.map_err(|source| stop(CommitError::Maps { source, unsure: 0 }))?;
            let known = page.entries.iter().filter_map(|(key, pin)| {
                let (place, origin) = (names.place(pin.target)?, PinOrigin::Restored);
                let record = Record { place: Arc::clone(place), pin: *pin, origin, ends: None };
                Some(Change::InsertMissing(NewPin { key: *key, record }))
            });
            let batch: Vec<Change> = known.collect();
            let strangers = page.entries.len().saturating_sub(batch.len());
            let held = self.hold(&batch.iter().map(shard_of).collect()).await;
            adopted.pins += self.apply(held, batch, Journal::Yes(None)).await.map_err(stop)?.changed.len();
            adopted.strangers += strangers;
            from = page.next;
        }
        Ok(adopted)
    }

    /// Leaves about `most` records from a position on to be written again; where the next begin.
    pub(crate) async fn write_again(&self, store: &Behind, from: Position, most: usize) -> Option<Position> {
        let Position { shard, after } = from;
        let held = self.hold(&BTreeSet::from([shard])).await;
        let mut last = after;
        for (key, record) in held.after(shard, after).take(most) {
            if !store.push_again(key.into(), Some(record.clone())) {
                return Some(Position { shard, after: last });
            }
            last = Some(key);
        }
        if last != after {
            return Some(Position { shard, after: last });
        }
        (shard + 1 < SHARDS).then_some(Position { shard: shard + 1, after: None })
    }

    /// Leaves those of some keys to be taken out of the store that the table does not have.
    pub(crate) async fn forget_strangers(&self, store: &Behind, keys: Vec<PinKey>) {
        let held = self.hold(&keys.iter().map(|key| Key::from(*key).shard()).collect()).await;
        for key in keys.into_iter().filter(|key| held.get(Key::from(*key)).is_none()) {
            if !store.push_again(key, None) {
                // They are found again at the next walk.
                store.push([(key, None)], None);
            }
        }
    }

    /// Ends the pins whose time has come, at the most `most`; how many it were. Fewer than `most`: there are no more.
    ///
    /// # Errors
    /// [`Interrupted`] where the kernel refuses; they are still there, and due.
    pub async fn expire(&self, now: Moment, most: usize) -> Result<usize, Interrupted> {
        let mut ended = 0;
        for shard in 0..SHARDS {
            while ended < most {
                let held = self.hold(&BTreeSet::from([shard])).await;
                let due = held.due(now, STRIDE.min(most - ended));
                if due.is_empty() {
                    break;
                }
                ended += self.end(held, due).await.map_err(|source| Interrupted { done: ended, source })?;
            }
        }
        self.inner.counts.expired.fetch_add(ended as u64, Ordering::Relaxed);
        Ok(ended)
    }

    /// Ends all pins of an endpoint, `POOL/NAME`; how many it were. Others get their turn in between, and what is
    /// pinned to it meanwhile may stay.
    ///
    /// # Errors
    /// [`Interrupted`] where the kernel refuses: the rest are still there.
    pub async fn end_endpoint(&self, endpoint: &str) -> Result<usize, Interrupted> {
        let mut ended = 0;
        for shard in 0..SHARDS {
            let mut from = None;
            loop {
                let held = self.hold(&BTreeSet::from([shard])).await;
                let page: Vec<(Key, bool)> = held
                    .after(shard, from)
                    .take(STRIDE)
                    .map(|(key, record)| (key, &*record.place.endpoint == endpoint))
                    .collect();
                let Some((last, _)) = page.last() else { break };
                from = Some(*last);
                let theirs: Vec<Key> =
                    page.into_iter().filter(|(_, theirs)| *theirs).map(|(key, _)| key).collect();
                if !theirs.is_empty() {
                    ended += self.end(held, theirs).await.map_err(|source| Interrupted { done: ended, source })?;
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(ended)
    }

    /// Tries again to write what the kernel refused to take back ([`CommitError::Maps`]); how many are left.
    pub async fn repair(&self) -> usize {
        let mut left = 0;
        for shard in 0..SHARDS {
            let mut held = self.hold(&BTreeSet::from([shard])).await;
            if !held.is_sure() {
                left += self.inner.maps.quick(move |maps| held.repair(maps)).await;
            }
        }
        left
    }

    /// What is kept of a key.
    pub async fn get(&self, key: &PinKey) -> Option<Record> {
        let key = Key::from(*key);
        self.hold(&BTreeSet::from([key.shard()])).await.get(key).cloned()
    }

    /// How full it is.
    #[must_use]
    pub fn level(&self) -> Level {
        let Inner { room, counts, .. } = &*self.inner;
        Level {
            used: room.used.load(Ordering::Relaxed),
            bound: room.bound,
            committed: counts.committed.load(Ordering::Relaxed),
            refused: counts.refused.load(Ordering::Relaxed),
            full: counts.full.load(Ordering::Relaxed),
            evicted: counts.evicted.load(Ordering::Relaxed),
            expired: counts.expired.load(Ordering::Relaxed),
            unstored: counts.unstored.load(Ordering::Relaxed),
        }
    }

    /// Calls `look` with the records after a key in a shard, until it returns `false`.
    pub(super) async fn look(&self, shard: usize, from: Option<Key>, mut look: impl FnMut(Key, &Record) -> bool) {
        let held = self.hold(&BTreeSet::from([shard])).await;
        for (key, record) in held.after(shard, from) {
            if !look(key, record) {
                break;
            }
        }
    }

    /// Takes shards, in ascending order: two who want the same ones never wait for each other.
    async fn hold(&self, shards: &BTreeSet<usize>) -> Held {
        let mut held = BTreeMap::new();
        for index in shards {
            if let Some(shard) = self.inner.shards.get(*index) {
                held.insert(*index, Arc::clone(shard).lock_owned().await);
            }
        }
        Held::new(held)
    }

    async fn end(&self, held: Held, keys: Vec<Key>) -> Result<usize, CommitError> {
        let batch = keys.into_iter().map(|key| Change::Remove(key.into())).collect();
        self.apply(held, batch, Journal::Yes(None)).await.map(|done| done.changed.len())
    }

    async fn apply(&self, mut held: Held, batch: Vec<Change>, journal: Journal) -> Result<Done, CommitError> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .maps
            .quick(move |maps| {
                let result = held.apply(batch, maps, &inner.room, inner.full);
                inner.counts.count(&result);
                if let (Ok(done), Some(store), Journal::Yes(teller)) = (&result, &inner.store, &journal) {
                    let changes = done.changed.iter().map(|key| (PinKey::from(*key), held.get(*key).cloned()));
                    store.push(changes, teller.as_ref());
                }
                result
            })
            .await
    }
}

impl Counts {
    fn count(&self, result: &Result<Done, CommitError>) {
        match result {
            Ok(done) => {
                self.committed.fetch_add(1, Ordering::Relaxed);
                self.evicted.fetch_add(done.evicted, Ordering::Relaxed);
            }
            Err(error) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                self.full.fetch_add(u64::from(matches!(error, CommitError::Full { .. })), Ordering::Relaxed);
            }
        }
    }
}

fn shard_of(change: &Change) -> usize {
    match change {
        Change::Insert(pin) | Change::Replace(pin) | Change::InsertMissing(pin) | Change::Learn(pin) => {
            Key::from(pin.key).shard()
        }
        Change::Remove(key) | Change::Forget(key) => Key::from(*key).shard(),
    }
}
