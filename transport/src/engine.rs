//! Associations of one sans-I/O endpoint, shared by the tasks that use them and the one that drives it.

mod carried;
mod driver;
mod ports;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use pinion_protocols::sctp::endpoint::{AssociationId, ConnectError, Endpoint};
use tokio::time::Instant;

use crate::listener::Source;
use crate::wire::Wire;
use crate::{Association, Config, Connect, Listen, Listener, RequestError, Time};
use carried::Carried;
use driver::Driver;
use ports::Ports;

/// One endpoint and its driver. The driver ends once this, and every listener and association of it, are
/// dropped.
pub(crate) struct Engine {
    user: Arc<User>,
    addresses: Vec<IpAddr>,
}

impl Engine {
    /// Begins to drive an endpoint with these own addresses. The seed is secret, and nobody else's.
    pub(crate) fn start(addresses: Vec<IpAddr>, config: Config, seed: [u8; 32], wire: impl Wire + Unpin) -> Self {
        let state = State {
            endpoint: Endpoint::new(config, seed),
            users: HashMap::new(),
            listening: BTreeMap::new(),
            blocked: Vec::new(),
            departed: Vec::new(),
            ports: Ports::new(seed),
            driver: None,
            leaving: false,
            ended: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), start: Instant::now() });
        tokio::spawn(Driver::new(Arc::clone(&shared), wire));
        Self { user: Arc::new(User { shared }), addresses }
    }

    pub(crate) fn listen(&self, listen: Listen) -> Result<Listener, RequestError> {
        let addresses = self.own(listen.addresses)?;
        if listen.port == 0 {
            return Err(RequestError::Port);
        }
        let mut state = self.user.shared.lock();
        if state.ended {
            return Err(RequestError::Ended);
        }
        if state.listening.contains_key(&listen.port) {
            return Err(RequestError::Listening { port: listen.port });
        }
        state.endpoint.listen(listen.port, &addresses);
        let listening = Listening { waiting: VecDeque::new(), most: listen.backlog, waker: None };
        state.listening.insert(listen.port, listening);
        drop(state);
        let source = Accepting { port: listen.port, user: Arc::clone(&self.user) };
        Ok(Listener::new(listen.port, source))
    }

    pub(crate) fn connect(&self, connect: &Connect) -> Result<Association, RequestError> {
        let addresses = self.own(connect.addresses.clone())?;
        let remote = (connect.remote.as_slice(), connect.remote_port);
        let shared = &self.user.shared;
        let now = shared.now();
        let mut state = shared.lock();
        if state.ended {
            return Err(RequestError::Ended);
        }
        let State { endpoint, ports, listening, .. } = &mut *state;
        let id = ports.first(connect.port, |port| {
            // What is listened on is not free for others.
            if connect.port == 0 && listening.contains_key(&port) {
                return Err(ConnectError::Taken);
            }
            endpoint.connect(now, (&addresses, port), remote)
        });
        let id = id.map_err(|error| match error {
            ConnectError::NoLocalAddress => RequestError::NoOwnAddress,
            ConnectError::NoRemoteAddress => RequestError::NoRemoteAddress,
            ConnectError::Port => RequestError::Port,
            ConnectError::Taken => RequestError::Taken,
        })?;
        state.users.insert(id, Waiting::default());
        Ok(self.user.associate(id, state))
    }

    /// These own addresses, or all.
    fn own(&self, some: Vec<IpAddr>) -> Result<Vec<IpAddr>, RequestError> {
        if some.is_empty() {
            return Ok(self.addresses.clone());
        }
        match some.iter().find(|address| !self.addresses.contains(address)) {
            Some(address) => Err(RequestError::NotOwn { address: *address }),
            None => Ok(some),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// What tasks and driver share.
struct Shared {
    state: Mutex<State>,
    /// From when the endpoint's time counts.
    start: Instant,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

struct State {
    endpoint: Endpoint,
    /// The associations that somebody has.
    users: HashMap<AssociationId, Waiting>,
    listening: BTreeMap<u16, Listening>,
    /// Associations with senders that wait for room.
    blocked: Vec<AssociationId>,
    /// Senders of associations that have ended.
    departed: Vec<Waker>,
    ports: Ports,
    /// Wakes the driver, while it sleeps.
    driver: Option<Waker>,
    /// Nobody uses it any more.
    leaving: bool,
    /// Nobody drives it any more.
    ended: bool,
}

impl State {
    /// Nobody wants the association: it is aborted, and what it still has to say goes unheard.
    fn abandon(&mut self, now: Time, id: AssociationId) {
        self.endpoint.abort(now, id, b"nobody wants it");
        self.users.remove(&id);
        while self.endpoint.poll_event_of(id).is_some() {}
    }

    /// Takes what an association without user says, and forgets it once it has ended.
    fn forget_orphan(&mut self, id: AssociationId) {
        while let Some(event) = self.endpoint.poll_event_of(id) {
            if event.is_last() {
                self.users.remove(&id);
            }
        }
    }
}

/// Tasks that wait for an association.
#[derive(Default)]
struct Waiting {
    reader: Option<Waker>,
    writers: Vec<Waker>,
    /// Its user has gone, after shutting it down.
    orphan: bool,
}

/// A port that is listened on.
struct Listening {
    waiting: VecDeque<AssociationId>,
    most: usize,
    waker: Option<Waker>,
}

/// Lives as long as somebody uses the endpoint.
struct User {
    shared: Arc<Shared>,
}

impl User {
    /// The association as its user has it.
    fn associate(self: &Arc<Self>, id: AssociationId, state: MutexGuard<'_, State>) -> Association {
        let carried = Carried::new(Arc::clone(self), id, state.endpoint.identity(id));
        rouse(state);
        Association::new(carried)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.leaving = true;
        rouse(state);
    }
}

/// Lets the driver look what there is to do.
fn rouse(mut state: MutexGuard<'_, State>) {
    let driver = state.driver.take();
    drop(state);
    if let Some(driver) = driver {
        driver.wake();
    }
}

/// Where a listener's associations come from.
struct Accepting {
    port: u16,
    user: Arc<User>,
}

impl Source for Accepting {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<Option<Association>> {
        let mut state = self.user.shared.lock();
        if state.ended {
            return Poll::Ready(None);
        }
        let Some(listening) = state.listening.get_mut(&self.port) else { return Poll::Ready(None) };
        match listening.waiting.pop_front() {
            Some(id) => Poll::Ready(Some(self.user.associate(id, state))),
            None => {
                listening.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        let now = self.user.shared.now();
        let mut state = self.user.shared.lock();
        state.endpoint.unlisten(self.port);
        let waiting = state.listening.remove(&self.port).map(|listening| listening.waiting);
        for id in waiting.into_iter().flatten() {
            state.abandon(now, id);
        }
        rouse(state);
    }
}
