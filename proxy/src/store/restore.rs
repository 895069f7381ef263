use std::fmt;

use pinion_steering::PinKey;

use super::behind::Behind;
use super::{DecodeError, Store, StoreError, Stored};
use crate::sessions::{Moment, Names, NewPin, Table};

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
    pub key: PinKey,
    /// Why, in words.
    pub why: String,
}

const EXAMPLES: usize = 8;

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pins, known, ended, unusable, examples } = self;
        write!(f, "{pins} pins restored, {known} known already, {ended} had ended, {unusable} cannot be used")?;
        for Unusable { key, why } in examples {
            write!(f, "; TEID {:#010x} at {}: {why}", key.teid, std::net::IpAddr::from(key.address))?;
        }
        Ok(())
    }
}

/// Pins what a store holds, page by page; what the table has already stays as it is.
pub(super) async fn restore(
    store: &mut dyn Store,
    behind: &Behind,
    table: &Table,
    names: &Names,
    now: Moment,
) -> Result<Restored, StoreError> {
    let mut restored = Restored::default();
    let mut cursor = None;
    loop {
        let page = store.page(cursor).await?;
        let mut pins = Vec::with_capacity(page.entries.len());
        for (key, value) in page.entries {
            match usable(&value, names) {
                Ok(new) if new.ends.is_some_and(|end| end <= now) => restored.ended += 1,
                // What waits to be written is newer than what is stored: a pin that ended is not to come back.
                Ok(_) if behind.contains(&key) => restored.known += 1,
                Ok(record) => pins.push(NewPin { key, record }),
                Err(why) => restored.refuse(key, why),
            }
        }
        restored.commit(table, pins).await;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(restored);
        }
    }
}

fn usable(value: &[u8], names: &Names) -> Result<crate::sessions::Record, String> {
    let stored = Stored::decode(value).map_err(|error: DecodeError| error.to_string())?;
    let record = names.record(&stored.service, &stored.endpoint, stored.path, stored.teid);
    let mut record =
        record.ok_or_else(|| format!("service {} has no endpoint {} here", stored.service, stored.endpoint))?;
    record.origin = crate::sessions::PinOrigin::Restored;
    record.ends = stored.ends;
    Ok(record)
}

impl Restored {
    fn refuse(&mut self, key: PinKey, why: String) {
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
            let key = pin.key;
            match table.restore(vec![pin]).await {
                Ok(installed) if installed.changed() == 0 => self.known += 1,
                Ok(_) => self.pins += 1,
                Err(error) => self.refuse(key, error.to_string()),
            }
        }
    }
}
