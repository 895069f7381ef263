//! An SCTP endpoint (RFC 9260) without sockets, clocks, threads or locks: packets and time go in;
//! packets, events and the next deadline come out.
//!
//! With it come failover (RFC 7829), path MTU discovery (RFC 8899), partial reliability (RFC 3758, RFC 7496), addresses that come and
//! go (RFC 5061) with authentication (RFC 4895); stream reset (RFC 6525) is refused. UDP encapsulation
//! (RFC 6951) is for the transport, which also remembers the UDP ports. Congestion marks (ECN) are not
//! made use of: RFC 9260 reserves the numbers for them and gives no procedure. Which test holds it to which
//! rule of which RFC, `docs/sctp-rules.md` says.
//!
//! # How to drive it
//!
//! An [`Endpoint`] stands for one set of own addresses. After anything is asked of it or given to it,
//!
//! 1. send what [`Endpoint::poll_transmit`] yields until it yields none,
//! 2. take what [`Endpoint::poll_event`] yields until it yields none (messages that are not taken fill
//!    the receive buffer, and the peer stops), and
//! 3. call [`Endpoint::expire`] at [`Endpoint::deadline`], if nothing else happens before.
//!
//! What ICMP says of packets goes to [`Endpoint::network_error`].
//!
//! It is deterministic: the same seed and the same calls give the same packets and events. The seed is
//! a secret too: it makes tags, TSNs and cookies that nobody can guess. Take it from a good source, and
//! never give two endpoints the same.
//!
//! # Taking an association over
//!
//! [`Endpoint::export`] takes an association out as one value that serialises, whatever state it is in;
//! [`Endpoint::import`] lets it go on in another endpoint, under another clock. What was received and
//! not polled travels along. Packets must be sent to the new place from then on.
//!
//! ```
//! use std::net::IpAddr;
//! use bytes::Bytes;
//! use pinion_protocols::sctp::endpoint::{Config, Endpoint, Event, Message, Time, memory};
//!
//! let (here, there): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
//! let mut client = Endpoint::new(Config::default(), [1; 32]);
//! let mut server = Endpoint::new(Config::default(), [2; 32]);
//! server.listen(38412, &[there]);
//! let now = Time::ZERO;
//! let id = client.connect(now, (&[here], 9000), (&[there], 38412))?;
//! client.send(now, id, Message::new(0, 60, Bytes::from_static(b"hello")))?;
//! memory::exchange(&mut client, &mut server, now);
//! let mut messages = 0;
//! while let Some((_, event)) = server.poll_event() {
//!     messages += usize::from(matches!(event, Event::Message(_)));
//! }
//! assert_eq!(messages, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asconf;
mod association;
mod auth;
mod blue;
mod build;
mod config;
mod congestion;
mod cookie;
mod export;
mod handshake;
mod heartbeat;
mod icmp;
mod inbound;
pub mod memory;
mod message;
mod mtu;
mod offer;
mod outbound;
mod partial;
mod path;
mod paths;
mod random;
mod reassembly;
mod receive;
mod replies;
mod sack;
mod serial;
mod shutdown;
mod slots;
mod status;
mod time;
mod timers;

pub use config::Config;
pub use export::{ImportError, Snapshot};
pub use icmp::{NetworkError, Reason};
pub use message::{
    AssociationId, ConnectError, Datagram, Event, Message, Received, Reliability, SendError, Transmit,
};
pub use path::Reach;
pub use status::{Counters, PathStatus};
pub use time::Time;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use ::bytes::BytesMut;

use association::{Association, Context, State};
use cookie::Secret;
use handshake::Beginning;
use random::Random;
use replies::Replies;
use slots::Slots;

use super::CauseCode;

/// Bytes of packets that are allocated at a time.
const BLOCK: usize = 64 << 10;

/// Associations of one set of own addresses, and what makes new ones.
#[derive(Debug)]
pub struct Endpoint {
    config: Config,
    secret: Secret,
    random: Random,
    listeners: BTreeMap<u16, Vec<IpAddr>>,
    slots: Slots,
    replies: Replies,
    scratch: BytesMut,
    counters: Counters,
}

impl Endpoint {
    /// An endpoint without associations. The seed decides every number that it will make up.
    /// What contradicts itself in the configuration is moved to the next value that does not.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let config = config.bounded();
        Self {
            replies: Replies::new(config.max_replies),
            slots: Slots::new(config.max_associations),
            config,
            secret: Secret::new(seed),
            random: Random::new(seed),
            listeners: BTreeMap::new(),
            scratch: BytesMut::new(),
            counters: Counters::default(),
        }
    }

    /// Accepts associations on a port, at these addresses.
    pub fn listen(&mut self, port: u16, addresses: &[IpAddr]) {
        self.listeners.insert(port, addresses.to_vec());
    }

    /// Accepts no more associations on a port; those that there are go on.
    pub fn unlisten(&mut self, port: u16) {
        self.listeners.remove(&port);
    }

    /// Asks a peer for an association: own addresses and port, then the peer's. The first address of the
    /// peer becomes the primary path. Messages may be sent at once; they wait.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says why there can be none.
    pub fn connect(
        &mut self,
        now: Time,
        local: (&[IpAddr], u16),
        remote: (&[IpAddr], u16),
    ) -> Result<AssociationId, ConnectError> {
        let ((locals, local_port), (remotes, remote_port)) = (local, remote);
        if local_port == 0 || remote_port == 0 {
            return Err(ConnectError::Port);
        }
        if locals.is_empty() {
            return Err(ConnectError::NoLocalAddress);
        }
        let reachable = |remote: &IpAddr| locals.iter().any(|local| local.is_ipv4() == remote.is_ipv4());
        let remotes: Vec<IpAddr> = remotes.iter().copied().filter(reachable).collect();
        if remotes.is_empty() {
            return Err(ConnectError::NoRemoteAddress);
        }
        let taken = |remote: &IpAddr| self.slots.at(local_port, remote_port, *remote).is_some();
        if self.slots.is_full() || remotes.iter().any(taken) {
            return Err(ConnectError::Taken);
        }
        let local_tag = self.fresh_tag();
        let beginning = Beginning {
            local_port,
            remote_port,
            local_tag,
            local_tsn: self.random.u32(),
            locals,
            random: self.secret.vector(local_tag),
        };
        let mut context = Context {
            now: Time::ZERO,
            config: &self.config,
            random: &mut self.random,
            replies: &mut self.replies,
        };
        let association = Association::connecting(&mut context, &beginning, &remotes);
        Ok(self.slots.insert(now, Time::ZERO, association))
    }

    /// Takes a packet that was received. True where it can only be the peer's, as its verification tag or
    /// its cookie tells: where it came from is where the peer is now (RFC 6951 5.4).
    pub fn receive(&mut self, now: Time, datagram: &Datagram) -> bool {
        self.receive_packet(now, datagram)
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// [`SendError`] says why it was not taken; nothing of it was sent then.
    pub fn send(&mut self, now: Time, id: AssociationId, message: Message) -> Result<(), SendError> {
        let config = &self.config;
        let slot = self.slots.get_mut(id).ok_or(SendError::Unknown)?;
        let local_now = slot.epoch.local(now);
        let association = &mut slot.association;
        match association.state {
            State::CookieWait | State::CookieEchoed | State::Established => {}
            State::Closed => return Err(SendError::Unknown),
            _ => return Err(SendError::ShuttingDown),
        }
        let outbound = &mut association.outbound;
        if message.stream >= outbound.streams {
            return Err(SendError::Stream { streams: outbound.streams });
        }
        if message.payload.is_empty() {
            return Err(SendError::Empty);
        }
        if message.payload.len() > usize::try_from(config.max_message).unwrap_or(usize::MAX) {
            return Err(SendError::TooLarge);
        }
        if !outbound.has_room(message.payload.len(), config.send_buffer) {
            outbound.blocked = true;
            return Err(SendError::BufferFull);
        }
        outbound.push(local_now, message);
        association.busy = true;
        self.slots.wake(id);
        Ok(())
    }

    /// The next packet to be sent.
    pub fn poll_transmit(&mut self, now: Time) -> Option<Transmit> {
        if let Some(transmit) = self.replies.pop() {
            return Some(transmit);
        }
        while let Some(id) = self.slots.next_awake() {
            if let Some(slot) = self.slots.get_mut(id) {
                if self.scratch.capacity() < usize::from(u16::MAX) {
                    self.scratch.reserve(BLOCK + usize::from(u16::MAX));
                }
                let mut context = Context {
                    now: slot.epoch.local(now),
                    config: &self.config,
                    random: &mut self.random,
                    replies: &mut self.replies,
                };
                if let Some(built) = slot.association.build(&mut context, &mut self.scratch) {
                    self.slots.settle(id);
                    return Some(Transmit {
                        source: built.source,
                        destination: built.destination,
                        bytes: self.scratch.split().freeze(),
                        fragment: built.fragment,
                    });
                }
            }
            self.slots.asleep(id);
            self.slots.settle(id);
        }
        self.replies.pop()
    }

    /// The next event, and of which association. After the last event of an association its name means
    /// nothing any more.
    pub fn poll_event(&mut self) -> Option<(AssociationId, Event)> {
        let (id, event) = self.slots.next_event()?;
        self.took(id, &event);
        Some((id, event))
    }

    /// The next association that has events, for who takes them one association at a time by
    /// [`Endpoint::poll_event_of`], and leaves what has no room yet. It is named again once all its
    /// events were taken and there are new ones.
    pub fn poll_eventful(&mut self) -> Option<AssociationId> {
        self.slots.next_eventful()
    }

    /// The next event of one association that [`Endpoint::poll_eventful`] named.
    pub fn poll_event_of(&mut self, id: AssociationId) -> Option<Event> {
        let event = self.slots.next_event_of(id)?;
        self.took(id, &event);
        Some(event)
    }

    /// Whether [`SendError::BufferFull`] refused a message, and it is too early to try again.
    pub fn is_blocked(&self, id: AssociationId) -> bool {
        let blocked =
            |association: &Association| association.state != State::Closed && association.outbound.blocked;
        self.slots.get(id).is_some_and(|slot| blocked(&slot.association))
    }

    /// When [`Endpoint::expire`] is to be called, at the latest.
    pub fn deadline(&self) -> Option<Time> {
        self.slots.deadline()
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Time) {
        for id in self.slots.due(now) {
            self.with(now, id, Association::expire);
        }
    }

    /// Ends an association once everything sent is acknowledged (RFC 9260 9.2).
    pub fn shutdown(&mut self, now: Time, id: AssociationId) {
        self.with(now, id, Association::shutdown);
    }

    /// Ends an association at once, and tells the peer why (RFC 9260 9.1).
    pub fn abort(&mut self, now: Time, id: AssociationId, reason: &[u8]) {
        let reason = crate::bytes::at_most(reason, 256);
        self.with(now, id, |association, context| {
            if association.state != State::Closed {
                association.abort(context, CauseCode::UserInitiatedAbort, reason);
            }
        });
    }

    /// The caller has an event: a message leaves room.
    fn took(&mut self, id: AssociationId, event: &Event) {
        if let Event::Message(message) = event
            && let Some(slot) = self.slots.get_mut(id)
        {
            slot.association.inbound.taken(&self.config, message.payload.len());
            if slot.association.inbound.sack_now {
                self.slots.wake(id);
            }
        }
    }

    /// A tag that no association has.
    fn fresh_tag(&mut self) -> u32 {
        loop {
            let tag = self.random.tag();
            if self.slots.tagged(tag).is_none() {
                return tag;
            }
        }
    }

    /// Does something with an association, and takes note of what it wants then.
    fn with<R>(
        &mut self,
        now: Time,
        id: AssociationId,
        step: impl FnOnce(&mut Association, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let slot = self.slots.get_mut(id)?;
        let mut context = Context {
            now: slot.epoch.local(now),
            config: &self.config,
            random: &mut self.random,
            replies: &mut self.replies,
        };
        let result = step(&mut slot.association, &mut context);
        self.slots.changed(id);
        Some(result)
    }
}
