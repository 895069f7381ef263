use std::sync::Arc;
use std::time::Duration;

use pinion_steering::PinKey;

use super::backlog::{Queue, Waiting};
use super::behind::{Behind, Settings};
use super::{Backoff, Memories, Store, StoreError, Stored, Write, restore};
use crate::sessions::{Moment, Names, Position, Table};
use crate::store::Restored;

/// The far end of a store: the one task that uses it.
pub struct Writer {
    store: Box<dyn Store>,
    behind: Behind,
    settings: Settings,
    backoff: Backoff,
    restored: bool,
    /// How far what the store missed has been written again; `None`: it missed nothing.
    walk: Option<Walk>,
}

/// Writing again is two walks: over the table, for what the store should have, then over the store, for what it
/// should not.
enum Walk {
    Table(Position),
    Store(Option<u64>),
}

/// How many changes are written at once.
const BATCH: usize = 512;

/// How often a store that has nothing to do is asked whether it is there.
const IDLE: Duration = Duration::from_secs(2);

impl Writer {
    /// Both ends of a store. Nothing happens before [`Writer::restore`] or [`Writer::run`].
    #[must_use]
    pub fn new(store: impl Store, settings: Settings) -> (Self, Behind) {
        let behind = Behind::new(store.kind(), settings.backlog);
        let backoff = Backoff::new(settings.seed);
        let store = Box::new(store);
        (Self { store, behind: behind.clone(), settings, backoff, restored: false, walk: None }, behind)
    }

    /// Pins what the store holds, before the service addresses are announced. What ended meanwhile, is of
    /// endpoints that are not configured, or cannot be read is left out and told.
    ///
    /// # Errors
    /// [`StoreError`]: [`Writer::run`] restores as soon as the store answers.
    pub async fn restore(&mut self, table: &Table, names: &Names, now: Moment) -> Result<Restored, StoreError> {
        self.connect().await?;
        let restored = restore::restore(&mut *self.store, &self.behind, table, names, now).await?;
        self.restored = true;
        self.behind.compared();
        Ok(restored)
    }

    /// Writes what commits leave, for as long as it is polled.
    pub async fn run(
        mut self,
        table: Table,
        names: impl Fn() -> Arc<Names> + Send,
        now: impl Fn() -> Moment + Send,
    ) {
        loop {
            let error = match self.connect().await {
                Ok(()) => self.attend(&table, &names, &now).await,
                Err(error) => error,
            };
            self.behind.fails(&error);
            tokio::time::sleep(self.backoff.wait()).await;
        }
    }

    async fn connect(&mut self) -> Result<(), StoreError> {
        if self.store.connect().await? == Memories::Doubtful {
            self.behind.ask_again();
        }
        self.behind.answers("");
        Ok(())
    }

    /// Uses a connection until it fails.
    async fn attend(
        &mut self,
        table: &Table,
        names: &(impl Fn() -> Arc<Names> + Send),
        now: &(impl Fn() -> Moment + Send),
    ) -> StoreError {
        if !self.restored {
            let names = names();
            match restore::restore(&mut *self.store, &self.behind, table, &names, now()).await {
                Ok(restored) => tracing::info!("{restored}"),
                Err(error) => return error,
            }
            self.restored = true;
            self.behind.compared();
        }
        loop {
            let done = match self.write().await {
                Ok(true) => Ok(()),
                Ok(false) => self.again(table).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    /// Writes what waits; `false`: nothing did.
    async fn write(&mut self) -> Result<bool, StoreError> {
        let taken = self.behind.take(BATCH);
        if taken.is_empty() {
            return Ok(false);
        }
        let mut batch: Vec<(PinKey, Waiting)> = Vec::with_capacity(taken.len());
        let mut writes = Vec::with_capacity(taken.len());
        for (key, waiting) in taken {
            match self.value(&key, &waiting) {
                Some(write) => {
                    writes.push(write);
                    batch.push((key, waiting));
                }
                None => self.behind.give_up(waiting),
            }
        }
        let results = match self.store.write(&writes).await {
            Ok(results) => results,
            Err(error) => {
                self.behind.written(0, batch, Queue::Front);
                return Err(error);
            }
        };
        let mut refusal = None;
        let mut failed = Vec::new();
        let all = batch.len();
        for (change, result) in batch.into_iter().zip(results) {
            if let Err(error) = result {
                failed.push(change);
                refusal = Some(error);
            }
        }
        let written = all.saturating_sub(failed.len());
        self.behind.written(written, failed, Queue::Back);
        match refusal {
            None => {
                self.behind.answers("");
                self.backoff.reset();
            }
            Some(error) => {
                self.behind.fails(&error);
                if written == 0 {
                    tokio::time::sleep(self.backoff.wait()).await;
                }
            }
        }
        Ok(true)
    }

    fn value(&self, key: &PinKey, waiting: &Waiting) -> Option<Write> {
        let Some(record) = &waiting.record else { return Some(Write { key: *key, value: None }) };
        let value = Stored::new(record, &self.settings.node).encode()?;
        Some(Write { key: *key, value: Some((value, record.ends)) })
    }

    /// Nothing waits: writes again what the store missed, or waits until something does.
    async fn again(&mut self, table: &Table) -> Result<(), StoreError> {
        if self.behind.begin_again() {
            self.walk = Some(Walk::Table(Position::FIRST));
        }
        self.walk = match self.walk.take() {
            Some(Walk::Table(from)) => {
                let next = table.write_again(&self.behind, from, BATCH).await;
                Some(next.map_or(Walk::Store(None), Walk::Table))
            }
            Some(Walk::Store(cursor)) => {
                let page = self.store.page(cursor).await.inspect_err(|_| self.behind.ask_again())?;
                let ours =
                    |value: &[u8]| Stored::decode(value).is_ok_and(|stored| stored.node == self.settings.node);
                let keys = page.entries.iter().filter(|(_, value)| ours(value)).map(|(key, _)| *key).collect();
                table.forget_strangers(&self.behind, keys).await;
                if page.next.is_none() {
                    self.behind.compared();
                }
                page.next.map(|next| Walk::Store(Some(next)))
            }
            None => {
                if tokio::time::timeout(IDLE, self.behind.changed()).await.is_err() {
                    self.store.write(&[]).await?;
                    self.behind.answers("");
                }
                None
            }
        };
        Ok(())
    }
}
