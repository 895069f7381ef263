use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pinion_steering::PinKey;
use tokio::time::{Instant, timeout};

use super::backlog::{Queue, Waiting};
use super::behind::{Behind, Settings};
use super::feed::listen;
use super::restore::{Restored, Restoring, To};
use super::{Backoff, Content, Key, Memories, Resources, Store, StoreError, Stored, Write};
use crate::sessions::{Moment, Names, Position, Table};

/// The far end of a store: the one task that uses it.
pub struct Writer {
    store: Box<dyn Store>,
    behind: Behind,
    settings: Settings,
    resources: Option<Arc<dyn Resources>>,
    backoff: Backoff,
    /// How far what the store holds was restored; `None`: all of it.
    restoring: Option<Restoring>,
    /// How far what the store missed has been written again; `None`: it missed nothing.
    walk: Option<Walk>,
}

/// Writing again is walks: over the table and over resources, for what the store should have, then over the store, for
/// what it should not.
enum Walk {
    Table(Position),
    Resources(u64),
    Store(Option<u64>),
}

/// How many changes are written at once.
const BATCH: usize = 512;

/// How long a store may take to accept a connection, where somebody waits for what it holds.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often it is said how far it was restored.
const SAY: Duration = Duration::from_secs(2);

/// How often a store that has nothing to do is asked whether it is there.
const IDLE: Duration = Duration::from_secs(2);

impl Writer {
    /// Both ends of a store. Nothing happens before [`Writer::restore`] or [`Writer::run`].
    #[must_use]
    pub fn new(store: impl Store, settings: Settings) -> (Self, Behind) {
        let behind = Behind::new(store.kind(), settings.backlog);
        let backoff = Backoff::new(settings.seed);
        let store = Box::new(store);
        let restoring = Some(Restoring::default());
        let writer =
            Self { store, behind: behind.clone(), settings, resources: None, backoff, restoring, walk: None };
        (writer, behind)
    }

    /// Has pins of resources go to the store, and come from it, too.
    #[must_use]
    pub fn with(self, resources: Arc<dyn Resources>) -> Self {
        Self { resources: Some(resources), ..self }
    }

    /// Pins what the store holds, before the service addresses are announced. What ended meanwhile, is of
    /// endpoints that are not configured, or cannot be read is left out and told.
    ///
    /// However much there is: a store is given up that does not answer for seconds, or breaks off again before the
    /// next page.
    ///
    /// # Errors
    /// [`StoreError`]: [`Writer::run`] goes on where this stopped, as soon as the store answers.
    pub async fn restore(
        &mut self,
        table: &Table,
        names: &Arc<Names>,
        now: Moment,
    ) -> Result<Restored, StoreError> {
        let pages = |writer: &Self| writer.restoring.as_ref().map_or(0, Restoring::pages);
        loop {
            let before = pages(self);
            let late = |_| Err(StoreError::Down(format!("no connection within {} s", PATIENCE.as_secs())));
            let connected = timeout(PATIENCE, self.connect()).await.unwrap_or_else(late);
            let error = match connected {
                Ok(()) => match self.restore_rest(table, &|| Arc::clone(names), &|| now).await {
                    Ok(restored) => return Ok(restored.unwrap_or_default()),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            self.behind.fails(&error);
            if pages(self) <= before {
                return Err(error);
            }
        }
    }

    /// Writes what commits leave, and hears what other nodes wrote of resources, for as long as it is polled.
    pub async fn run(self, table: Table, names: impl Fn() -> Arc<Names> + Send, now: impl Fn() -> Moment + Send) {
        let (feed, resources) = (self.store.feed(), self.resources.clone());
        let listening = listen(feed, resources, self.behind.clone(), self.settings.seed);
        tokio::join!(self.write_on(table, names, now), listening);
    }

    async fn write_on(
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
            if let Some(restoring) = &mut self.restoring {
                restoring.begin_again();
            }
        }
        self.behind.answers("");
        Ok(())
    }

    /// Restores what was not restored yet; `None`: there was nothing to restore any more.
    async fn restore_rest(
        &mut self,
        table: &Table,
        names: &(impl Fn() -> Arc<Names> + Send),
        now: &(impl Fn() -> Moment + Send),
    ) -> Result<Option<Restored>, StoreError> {
        let Some(restoring) = &mut self.restoring else { return Ok(None) };
        let mut said = Instant::now();
        let resources = self.resources.as_deref();
        loop {
            let names = names();
            let to = To { table, names: &names, resources };
            if !restoring.step(&mut *self.store, &self.behind, to, now()).await? {
                break;
            }
            if said.elapsed() >= SAY {
                said = Instant::now();
                tracing::info!(pins = restoring.restored().pins, "restoring goes on");
            }
        }
        let restored = restoring.restored().clone();
        if let Some(resources) = resources {
            resources.restored();
        }
        self.restoring = None;
        self.behind.compared();
        Ok(Some(restored))
    }

    /// Uses a connection until it fails.
    async fn attend(
        &mut self,
        table: &Table,
        names: &(impl Fn() -> Arc<Names> + Send),
        now: &(impl Fn() -> Moment + Send),
    ) -> StoreError {
        match self.restore_rest(table, names, now).await {
            Ok(None) => {}
            Ok(Some(restored)) => tracing::info!("{restored}"),
            Err(error) => return error,
        }
        loop {
            if let Some(what) = self.behind.begin_restoring() {
                self.restoring = Some(Restoring::of(what));
                match self.restore_rest(table, names, now).await {
                    Ok(restored) => tracing::info!("{}", restored.unwrap_or_default()),
                    Err(error) => return error,
                }
            }
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
        let mut batch: Vec<(Key, Waiting)> = Vec::with_capacity(taken.len());
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

    fn value(&self, key: &Key, waiting: &Waiting) -> Option<Write> {
        let value = match &waiting.content {
            None => None,
            Some(Content::Tunnel(record)) => {
                Some((Stored::new(record, &self.settings.node).encode()?, record.ends))
            }
            Some(Content::Resource(value)) => Some((value.to_vec(), None)),
        };
        let at = SystemTime::now().checked_sub(waiting.at.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH);
        Some(Write { key: key.clone(), value, at })
    }

    /// Nothing waits: writes again what the store missed, or waits until something does.
    async fn again(&mut self, table: &Table) -> Result<(), StoreError> {
        if self.behind.begin_again() {
            self.walk = Some(Walk::Table(Position::FIRST));
        }
        self.walk = match self.walk.take() {
            Some(Walk::Table(from)) => {
                let next = table.write_again(&self.behind, from, BATCH).await;
                Some(next.map_or(Walk::Resources(0), Walk::Table))
            }
            Some(Walk::Resources(from)) => {
                let next = self.resources.as_deref().and_then(|it| write_again(it, &self.behind, from));
                Some(next.map_or(Walk::Store(None), Walk::Resources))
            }
            Some(Walk::Store(cursor)) => {
                let page = self.store.page(cursor).await.inspect_err(|_| self.behind.ask_again())?;
                let tunnels = self.strangers(page.entries);
                table.forget_strangers(&self.behind, tunnels).await;
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

    /// Leaves resources that this node wrote, and that are not pinned, to be taken out; what tunnels it wrote.
    fn strangers(&self, entries: Vec<(Key, Vec<u8>)>) -> Vec<PinKey> {
        let mut tunnels = Vec::new();
        for (key, value) in entries {
            match (&key, self.resources.as_deref()) {
                (Key::Tunnel(tunnel), _) => {
                    let stored = Stored::decode(&value);
                    tunnels.extend(stored.is_ok_and(|it| it.node == self.settings.node).then_some(*tunnel));
                }
                (Key::Resource(resource), Some(resources))
                    if resources.is_ours(&value)
                        && !resources.has(resource)
                        && !self.behind.push_resource_again(Arc::clone(resource), None) =>
                {
                    // It is found again at the next walk.
                    self.behind.ask_again();
                }
                (Key::Resource(_), _) => {}
            }
        }
        tunnels
    }
}

/// Leaves some of the resources from a number on to be written again; where the rest begins.
fn write_again(resources: &dyn Resources, behind: &Behind, from: u64) -> Option<u64> {
    let mut next = None;
    for (number, resource, value) in resources.from(from, BATCH) {
        if !behind.push_resource_again(resource, Some(value)) {
            return Some(number);
        }
        next = number.checked_add(1);
    }
    next
}
