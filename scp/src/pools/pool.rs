//! The connections to one next hop, and who waits for a stream on them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::oneshot;

use super::connection::{Connection, Held};
use super::health::Health;
use super::{Holder, Pools, Shared};
use crate::api_root::ApiRoot;

/// Connections to one next hop.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) api_root: ApiRoot,
    pub(super) holder: Holder,
    /// All that it is one of.
    home: Weak<Shared>,
    pub(super) health: Health,
    /// Streams that its connections allowed last: what a new one is thought to, before it says so itself.
    pub(super) streams: AtomicUsize,
    /// Whether somebody waits, or is about to: whoever gives a stream back then looks.
    waits: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connections: Vec<Arc<Connection>>,
    dialing: usize,
    waiting: BTreeMap<(u8, u64), oneshot::Sender<Result<Held, Refusal>>>,
    turn: u64,
    asked: bool,
}

/// Why nobody in line gets a stream: what connecting came to.
pub(super) type Refusal = Arc<crate::failure::Fault>;

/// What came of asking for a stream.
pub(super) enum Asked {
    /// Here it is.
    Held(Held),
    /// It comes; where its sender is dropped, it is to be asked for again.
    Wait(oneshot::Receiver<Result<Held, Refusal>>),
    /// It comes, and who asked is to make a connection for it.
    Dial(oneshot::Receiver<Result<Held, Refusal>>),
}

impl Pool {
    pub(super) fn new(api_root: ApiRoot, holder: Holder, home: Weak<Shared>) -> Self {
        let streams = AtomicUsize::new(EACH);
        Self {
            api_root,
            holder,
            home,
            health: Health::default(),
            streams,
            waits: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Whether it is one of these.
    pub(super) fn is_of(&self, all: &Arc<Shared>) -> bool {
        Weak::as_ptr(&self.home) == Arc::as_ptr(all)
    }

    /// All that it is one of; none where they are no more.
    pub(super) fn home(&self) -> Option<Pools> {
        self.home.upgrade().map(|shared| Pools { shared })
    }

    /// A stream, now or later. At most `most` connections are opened; each is thought to take about `each` streams.
    pub(super) fn ask(self: &Arc<Self>, priority: u8, most: usize) -> Asked {
        let mut state = self.lock();
        state.asked = true;
        if let Some(held) = state.connections.iter().find_map(Connection::take) {
            return Asked::Held(held);
        }
        state.connections.retain(|it| it.open());
        // Whoever gives a stream back from here on sees that somebody waits; whoever did before is seen here.
        self.waits.store(true, Ordering::SeqCst);
        if let Some(held) = state.connections.iter().find_map(Connection::take) {
            self.waits.store(!state.waiting.is_empty(), Ordering::SeqCst);
            return Asked::Held(held);
        }
        let (sender, receiver) = oneshot::channel();
        let turn = state.turn;
        state.turn = state.turn.wrapping_add(1);
        state.waiting.insert((priority, turn), sender);
        let wanted = state.waiting.len() > state.dialing.saturating_mul(EACH);
        if wanted && state.connections.len() + state.dialing < most.max(1) {
            state.dialing += 1;
            return Asked::Dial(receiver);
        }
        Asked::Wait(receiver)
    }

    /// A connection came about.
    pub(super) fn dialed(self: &Arc<Self>, connection: &Arc<Connection>) {
        let mut state = self.lock();
        state.dialing = state.dialing.saturating_sub(1);
        state.connections.push(Arc::clone(connection));
        self.serve(state, connection);
    }

    /// A connection did not come about: who waits for nothing else is told.
    pub(super) fn refused(&self, fault: crate::failure::Fault) {
        let mut state = self.lock();
        state.dialing = state.dialing.saturating_sub(1);
        if state.dialing > 0 || state.connections.iter().any(|it| it.open()) {
            return;
        }
        let waiting = self.nobody_waits(&mut state);
        drop(state);
        let fault = Arc::new(fault);
        for sender in waiting.into_values() {
            let _ = sender.send(Err(Arc::clone(&fault)));
        }
    }

    /// A stream of a connection ended, or it allows more.
    pub(super) fn released(self: &Arc<Self>, connection: &Arc<Connection>) {
        if self.waits.load(Ordering::SeqCst) {
            self.serve(self.lock(), connection);
        }
    }

    /// A connection takes no more streams. Where it was the last, who waits is to ask again.
    pub(super) fn forget(&self, connection: &Arc<Connection>) {
        let mut state = self.lock();
        state.connections.retain(|it| !Arc::ptr_eq(it, connection));
        if state.dialing == 0 && !state.connections.iter().any(|it| it.open()) {
            let waiting = self.nobody_waits(&mut state);
            drop(state);
            drop(waiting);
        }
    }

    /// Whether nobody asked for a stream since this was asked last.
    pub(super) fn quiet(&self) -> bool {
        !std::mem::take(&mut self.lock().asked)
    }

    pub(super) fn connections(&self) -> usize {
        self.lock().connections.len()
    }

    pub(super) fn in_use(&self) -> bool {
        let state = self.lock();
        !state.connections.is_empty() || state.dialing > 0 || !state.waiting.is_empty()
    }

    /// Gives streams of a connection to those in line, the most urgent first. Whoever went away in the meantime gives
    /// theirs back, which must not find the lock taken.
    fn serve(self: &Arc<Self>, mut state: MutexGuard<'_, State>, connection: &Arc<Connection>) {
        let mut given = Vec::new();
        while let Some(entry) = state.waiting.first_entry() {
            if entry.get().is_closed() {
                entry.remove();
                continue;
            }
            let Some(held) = connection.take() else { break };
            given.push((entry.remove(), held));
        }
        self.waits.store(!state.waiting.is_empty(), Ordering::SeqCst);
        drop(state);
        for (sender, held) in given {
            // Who is gone drops what was sent.
            let _ = sender.send(Ok(held));
        }
    }

    /// Takes all who wait out of the line.
    fn nobody_waits(&self, state: &mut State) -> BTreeMap<(u8, u64), oneshot::Sender<Result<Held, Refusal>>> {
        self.waits.store(false, Ordering::SeqCst);
        std::mem::take(&mut state.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Streams that a connection takes at least, as a rule (RFC 9113 6.5.2): so many who wait have one made for them.
const EACH: usize = 100;
