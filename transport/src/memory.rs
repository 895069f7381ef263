//! SCTP over a network in this process, for tests: what is sent arrives, in order and at once, unless the
//! test cuts an address off.
//!
//! Under tokio's paused clock (`start_paused`) and on one thread the same program does the same again.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use pinion_protocols::sctp::endpoint::{Datagram, Transmit};

use crate::engine::Engine;
use crate::wire::Wire;
use crate::{Association, Config, Connect, Listen, Listener, RequestError, Time, Transport};

/// A network of endpoints in this process.
#[derive(Clone, Debug, Default)]
pub struct Network {
    hub: Arc<Mutex<Hub>>,
}

#[derive(Debug, Default)]
struct Hub {
    /// Which inbox an address has.
    owners: HashMap<IpAddr, usize>,
    inboxes: Vec<Inbox>,
    /// Addresses that nothing goes to or comes from.
    cut: BTreeSet<IpAddr>,
}

#[derive(Debug, Default)]
struct Inbox {
    packets: VecDeque<Datagram>,
    reader: Option<Waker>,
}

/// Packets that wait for an endpoint; further ones are lost.
const ROOM: usize = 4096;
/// Packets that an endpoint takes at a time.
const BATCH: usize = 64;

impl Network {
    /// An endpoint with these addresses. It begins to live within a tokio runtime. Where an address is
    /// somebody else's, it is the newcomer's from then on.
    pub fn join(&self, addresses: &[IpAddr], config: Config) -> Memory {
        let mut hub = self.lock();
        let inbox = hub.inboxes.len();
        hub.inboxes.push(Inbox::default());
        hub.owners.extend(addresses.iter().map(|address| (*address, inbox)));
        drop(hub);
        // No two endpoints have the same seed.
        let mut seed = [0x5a; 32];
        for (place, byte) in seed.iter_mut().zip(inbox.to_le_bytes()) {
            *place = byte;
        }
        let port = Port { network: self.clone(), inbox };
        Memory { engine: Engine::start(addresses.to_vec(), config, seed, port) }
    }

    /// Cuts an address off: what is sent to it and from it is lost.
    pub fn cut(&self, address: IpAddr) {
        self.lock().cut.insert(address);
    }

    /// Joins an address again that was cut off.
    pub fn restore(&self, address: IpAddr) {
        self.lock().cut.remove(&address);
    }

    fn lock(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An endpoint of a [`Network`].
#[derive(Debug)]
pub struct Memory {
    engine: Engine,
}

impl Transport for Memory {
    fn listen(&self, listen: Listen) -> Result<Listener, RequestError> {
        self.engine.listen(listen)
    }

    fn connect(&self, connect: Connect) -> Result<Association, RequestError> {
        self.engine.connect(&connect)
    }
}

/// Where an endpoint is joined to its network.
struct Port {
    network: Network,
    inbox: usize,
}

impl Wire for Port {
    fn poll_receive(&mut self, context: &mut Context<'_>, _now: Time, into: &mut Vec<Datagram>) -> Poll<()> {
        let mut hub = self.network.lock();
        let Some(inbox) = hub.inboxes.get_mut(self.inbox) else { return Poll::Pending };
        if inbox.packets.is_empty() {
            inbox.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let batch = inbox.packets.len().min(BATCH);
        into.extend(inbox.packets.drain(..batch));
        Poll::Ready(())
    }

    fn send(&mut self, _now: Time, transmit: Transmit) {
        let Transmit { source, destination, bytes, .. } = transmit;
        let mut hub = self.network.lock();
        let Hub { owners, inboxes, cut } = &mut *hub;
        if cut.contains(&source) || cut.contains(&destination) {
            return;
        }
        let Some(inbox) = owners.get(&destination).and_then(|owner| inboxes.get_mut(*owner)) else { return };
        if inbox.packets.len() < ROOM {
            inbox.packets.push_back(Datagram { source, destination, bytes });
        }
        let reader = inbox.reader.take();
        drop(hub);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn poll_flush(&mut self, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
