use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pinion_steering::PinKey;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::backlog::{Backlog, Queue, Teller, Waiting};
use super::{Content, Key, StoreError};
use crate::control::StoreLevel;
use crate::sessions::Record;

/// How a store is written behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many changes may wait. Beyond, changes are given up, and written again from the session table later.
    pub backlog: usize,
    /// The name of this node among those that share the store: what it takes out of the store unasked is what it
    /// wrote itself.
    pub node: String,
    /// What chance is drawn from: of each node another.
    pub seed: u32,
}

/// What of a store is restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// Resources: tunnels are of the node that takes over.
    Resources,
    /// All.
    #[default]
    All,
}

/// The near end of a store: where commits leave their changes. A clone is the same.
#[derive(Clone, Debug)]
pub struct Behind {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug)]
struct State {
    backlog: Backlog,
    kind: String,
    up: bool,
    why: String,
    written: u64,
    lost: u64,
    /// The store does not have all that the table has, and not all of it waits.
    again: bool,
    /// The table is compared with what the store holds: at the start, and when it is written again.
    comparing: bool,
    /// What the store holds is to be restored once more.
    restore: Option<What>,
}

impl Behind {
    pub(super) fn new(kind: String, bound: usize) -> Self {
        let state = State {
            backlog: Backlog::new(bound),
            kind,
            up: false,
            why: "not connected yet".to_owned(),
            written: 0,
            lost: 0,
            again: false,
            comparing: true,
            restore: None,
        };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), wake: Notify::new() }) }
    }

    /// How the store is.
    #[must_use]
    pub fn level(&self) -> StoreLevel {
        let state = self.state();
        StoreLevel {
            kind: state.kind.clone(),
            up: state.up,
            why: state.why.clone(),
            waiting: state.backlog.len() as u64,
            lag: state.backlog.oldest().map_or(Duration::ZERO, |oldest| oldest.elapsed()),
            written: state.written,
            lost: state.lost,
        }
    }

    /// Whether all that the table has was written.
    #[must_use]
    pub fn settled(&self) -> bool {
        let state = self.state();
        state.up && state.backlog.len() == 0 && !state.again && !state.comparing
    }

    /// Leaves changes; whoever holds the shards of their keys does.
    pub(crate) fn push(
        &self,
        changes: impl IntoIterator<Item = (PinKey, Option<Record>)>,
        teller: Option<&Teller>,
    ) {
        let changes = changes.into_iter().map(|(key, record)| (Key::Tunnel(key), record.map(Content::Tunnel)));
        self.push_all(changes, teller);
    }

    /// Leaves the change of a resource.
    pub(crate) fn push_resource(&self, resource: Arc<str>, value: Option<Bytes>) {
        self.push_all([(Key::Resource(resource), value.map(Content::Resource))], None);
    }

    fn push_all(&self, changes: impl IntoIterator<Item = (Key, Option<Content>)>, teller: Option<&Teller>) {
        let now = Instant::now();
        let mut state = self.state();
        for (key, content) in changes {
            if !state.backlog.push(key, content, now, teller) {
                state.lost = state.lost.saturating_add(1);
                state.again = true;
            }
        }
        drop(state);
        self.shared.wake.notify_one();
    }

    /// Leaves what the table says of a key, unless a change of it waits; `false`: there is no room.
    pub(crate) fn push_again(&self, key: PinKey, record: Option<Record>) -> bool {
        self.push_missing(Key::Tunnel(key), record.map(Content::Tunnel))
    }

    /// The same of a resource.
    pub(super) fn push_resource_again(&self, resource: Arc<str>, value: Option<Bytes>) -> bool {
        self.push_missing(Key::Resource(resource), value.map(Content::Resource))
    }

    fn push_missing(&self, key: Key, content: Option<Content>) -> bool {
        let mut state = self.state();
        state.backlog.contains(&key) || state.backlog.push(key, content, Instant::now(), None)
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.state().backlog.contains(key)
    }

    pub(super) fn take(&self, most: usize) -> Vec<(Key, Waiting)> {
        self.state().backlog.take(most)
    }

    pub(super) fn written(&self, written: usize, failed: Vec<(Key, Waiting)>, queue: Queue) {
        let mut state = self.state();
        state.backlog.written(failed, queue);
        state.written = state.written.saturating_add(written as u64);
    }

    pub(super) fn give_up(&self, waiting: Waiting) {
        waiting.give_up();
        let mut state = self.state();
        state.lost = state.lost.saturating_add(1);
    }

    /// Everything is to be written again.
    pub(crate) fn ask_again(&self) {
        self.state().again = true;
    }

    /// Whether everything is to be written again; the walk that does it begins then.
    pub(super) fn begin_again(&self) -> bool {
        let mut state = self.state();
        state.comparing |= state.again;
        std::mem::take(&mut state.again)
    }

    /// What the store holds is to be restored once more: there is somebody new who wants it.
    pub(crate) fn restore_again(&self) {
        self.restore(What::All);
    }

    /// What other nodes changed is to be looked for in the store.
    pub(super) fn learn_again(&self) {
        self.restore(What::Resources);
    }

    fn restore(&self, what: What) {
        let mut state = self.state();
        state.restore = state.restore.max(Some(what));
        drop(state);
        self.shared.wake.notify_one();
    }

    /// What of it is to be restored once more, which begins then.
    pub(super) fn begin_restoring(&self) -> Option<What> {
        let mut state = self.state();
        state.comparing |= state.restore.is_some();
        state.restore.take()
    }

    /// The table and the store were compared.
    pub(super) fn compared(&self) {
        self.state().comparing = false;
    }

    pub(super) fn answers(&self, why: &str) {
        let mut state = self.state();
        state.up = true;
        why.clone_into(&mut state.why);
    }

    pub(super) fn fails(&self, error: &StoreError) {
        let mut state = self.state();
        state.up = matches!(error, StoreError::Refused(_));
        state.why = error.to_string();
    }

    pub(super) async fn changed(&self) {
        self.shared.wake.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
