use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::behind::{Behind, What};
use super::{DecodeError, Key, Page, Resources, Store, StoreError, Stored};
use crate::sessions::{Moment, Names, NewPin, Record, Table};

/// What became of what a store held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// How many pins are in force again.
    pub pins: u64,
    /// How many the table had already, or had changed since.
    pub known: u64,
    /// How many had ended.
    pub ended: u64,
    /// How many could not be used.
    pub unusable: u64,
    /// The first of those, and why.
    pub examples: Vec<Unusable>,
}

/// A pin of the store that is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Its key.
    pub key: Key,
    /// Why, in words.
    pub why: String,
}

const EXAMPLES: usize = 8;

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pins, known, ended, unusable, examples } = self;
        write!(f, "{pins} pins restored, {known} known already, {ended} had ended, {unusable} cannot be used")?;
        for Unusable { key, why } in examples {
            write!(f, "; {}: {why}", key.words())?;
        }
        Ok(())
    }
}

/// What pins go to.
#[derive(Clone, Copy)]
pub(super) struct To<'a> {
    /// Tunnels.
    pub(super) table: &'a Table,
    /// What endpoints are called.
    pub(super) names: &'a Names,
    /// Resources, where there is anybody who has some.
    pub(super) resources: Option<&'a dyn Resources>,
}

/// How far it was restored what a store holds.
#[derive(Debug, Default)]
pub(super) struct Restoring {
    restored: Restored,
    /// What was read, and is not in force yet.
    read: Vec<(Key, Vec<u8>)>,
    rest: Rest,
    pages: u64,
    what: What,
}

/// What is to be read yet.
#[derive(Clone, Copy, Debug)]
enum Rest {
    From(Option<u64>),
    Nothing,
}

impl Default for Rest {
    fn default() -> Self {
        Self::From(None)
    }
}

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many pins are put in force before others get their turn.
const BATCH: usize = 500;

impl Restoring {
    pub(super) fn of(what: What) -> Self {
        Self { what, ..Self::default() }
    }

    /// Puts what was read in force, where the table has nothing yet, while the next page is read; `false`: there was
    /// none. After an error, which is the store's, the same page is read again.
    pub(super) async fn step(
        &mut self,
        store: &mut dyn Store,
        behind: &Behind,
        to: To<'_>,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let read = std::mem::take(&mut self.read);
        let put = self.restored.put(read, self.what, behind, to, now);
        let Rest::From(cursor) = self.rest else {
            put.await;
            return Ok(false);
        };
        let (page, ()) = tokio::join!(timeout(PATIENCE, store.page(cursor)), put);
        let late = |_| StoreError::Down(format!("no page within {} s", PATIENCE.as_secs()));
        let Page { entries, next } = page.map_err(late)??;
        self.read = entries;
        self.rest = next.map_or(Rest::Nothing, |next| Rest::From(Some(next)));
        self.pages = self.pages.saturating_add(1);
        Ok(true)
    }

    /// Begins at the first page again: what is there may be somewhere else now. What is in force stays.
    pub(super) fn begin_again(&mut self) {
        let restored = Restored { pins: self.restored.pins, ..Restored::default() };
        *self = Self { restored, ..Self::of(self.what) };
    }

    /// How many pages were read.
    pub(super) fn pages(&self) -> u64 {
        self.pages
    }

    /// What became of them so far.
    pub(super) fn restored(&self) -> &Restored {
        &self.restored
    }
}

fn usable(value: &[u8], names: &Names) -> Result<Record, String> {
    let stored = Stored::decode(value).map_err(|error: DecodeError| error.to_string())?;
    let record = names.record(&stored.service, &stored.endpoint, stored.path, stored.teid);
    let mut record =
        record.ok_or_else(|| format!("service {} has no endpoint {} here", stored.service, stored.endpoint))?;
    record.origin = crate::sessions::PinOrigin::Restored;
    record.ends = stored.ends;
    record.pin.flags = stored.flags;
    Ok(record)
}

impl Restored {
    /// Pins what a store holds, in batches; what the table has already stays as it is.
    async fn put(&mut self, read: Vec<(Key, Vec<u8>)>, what: What, behind: &Behind, to: To<'_>, now: Moment) {
        for part in read.chunks(BATCH) {
            let mut pins = Vec::with_capacity(part.len());
            for (key, value) in part {
                let tunnel = match key {
                    Key::Tunnel(_) if what == What::Resources => continue,
                    Key::Tunnel(tunnel) => tunnel,
                    Key::Resource(resource) => {
                        self.put_resource(resource, value, behind.contains(key), to.resources);
                        continue;
                    }
                };
                match usable(value, to.names) {
                    Ok(new) if new.ends.is_some_and(|end| end <= now) => self.ended += 1,
                    // What waits to be written is newer than what is stored: a pin that ended is not to come back.
                    Ok(_) if behind.contains(key) => self.known += 1,
                    Ok(record) => pins.push(NewPin { key: *tunnel, record }),
                    Err(why) => self.refuse(key.clone(), why),
                }
            }
            self.commit(to.table, pins).await;
            tokio::task::yield_now().await;
        }
    }

    fn put_resource(
        &mut self,
        resource: &Arc<str>,
        value: &[u8],
        changed: bool,
        resources: Option<&dyn Resources>,
    ) {
        match resources.filter(|_| !changed).map(|it| it.restore(resource, value)) {
            None | Some(Ok(false)) => self.known += 1,
            Some(Ok(true)) => self.pins += 1,
            Some(Err(why)) => self.refuse(Key::Resource(Arc::clone(resource)), why),
        }
    }

    fn refuse(&mut self, key: Key, why: String) {
        self.unusable += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(Unusable { key, why });
        }
    }

    async fn commit(&mut self, table: &Table, pins: Vec<NewPin>) {
        let all = pins.len();
        if let Ok(installed) = table.restore(pins.clone()).await {
            self.pins += installed.changed() as u64;
            self.known += all.saturating_sub(installed.changed()) as u64;
            return;
        }
        // One of them is refused, and with it all: those that fit are taken one by one.
        for pin in pins {
            let key = Key::Tunnel(pin.key);
            match table.restore(vec![pin]).await {
                Ok(installed) if installed.changed() == 0 => self.known += 1,
                Ok(_) => self.pins += 1,
                Err(error) => self.refuse(key, error.to_string()),
            }
        }
    }
}
