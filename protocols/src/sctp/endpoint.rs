//! An SCTP endpoint (RFC 9260) without sockets, clocks, threads or locks: packets and time go in;
//! packets, events and the next deadline come out.
//!
//! With it come failover (RFC 7829), path MTU discovery (RFC 8899), partial reliability (RFC 3758, RFC 7496), addresses that come and
//! go (RFC 5061) with authentication (RFC 4895); stream reset (RFC 6525) is refused. UDP encapsulation
//! (RFC 6951) is for the transport, which also remembers the UDP ports.
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
mod inbound;
pub mod memory;
mod message;
mod mtu;
mod offer;
mod outbound;
mod partial;
mod path;
mod random;
mod reassembly;
mod receive;
mod replies;
mod sack;
mod serial;
mod shutdown;
mod slots;
mod time;
mod timers;

pub use config::Config;
pub use export::{ImportError, Snapshot};
pub use message::{
    AssociationId, ConnectError, Datagram, Event, Message, Received, Reliability, SendError, Transmit,
};
pub use path::Reach;
pub use time::Time;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use ::bytes::BytesMut;

use asconf::Change;
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

/// What was not worth an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that are not SCTP, or have a wrong checksum or impossible ends.
    pub malformed: u64,
    /// Packets of no association (RFC 9260 8.4).
    pub out_of_the_blue: u64,
    /// Packets with a wrong verification tag (RFC 9260 8.5).
    pub wrong_tag: u64,
    /// Cookies that this endpoint did not make, or that fit nothing there is.
    pub bad_cookies: u64,
    /// Cookies that came too late.
    pub stale_cookies: u64,
}

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStatus {
    /// Own address that is used.
    pub local: IpAddr,
    /// The peer's address.
    pub remote: IpAddr,
    /// Whether it is the primary path.
    pub primary: bool,
    /// How it answers.
    pub reach: Reach,
    /// Whether the peer has shown that it is there (RFC 9260 5.4).
    pub confirmed: bool,
    /// Smoothed round-trip time, once measured.
    pub round_trip: Option<Duration>,
    /// Retransmission timeout.
    pub rto: Duration,
    /// Congestion window, bytes.
    pub window: u32,
    /// Bytes outstanding.
    pub outstanding: u32,
    /// Largest IP packet, bytes.
    pub mtu: u16,
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

    /// Takes a packet that was received.
    pub fn receive(&mut self, now: Time, datagram: &Datagram) {
        self.receive_packet(now, datagram);
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
        if let Event::Message(message) = &event
            && let Some(slot) = self.slots.get_mut(id)
        {
            slot.association.inbound.taken(&self.config, message.payload.len());
            if slot.association.inbound.sack_now {
                self.slots.wake(id);
            }
        }
        Some((id, event))
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

    /// Makes the path to that address the primary one; false where there is none.
    pub fn set_primary(&mut self, id: AssociationId, remote: IpAddr) -> bool {
        let Some(slot) = self.slots.get_mut(id) else { return false };
        let Some(index) = slot.association.path_to(remote) else { return false };
        slot.association.primary = index;
        self.slots.wake(id);
        true
    }

    /// Says how large an IP packet a path carries, bytes (at least 512), where somebody knows: an ICMP
    /// message, say. False where there is no such path.
    pub fn set_mtu(&mut self, now: Time, id: AssociationId, remote: IpAddr, mtu: u16) -> bool {
        let set = |association: &mut Association, context: &mut Context<'_>| {
            let Some(index) = association.path_to(remote) else { return false };
            let Some(path) = association.path_mut(index) else { return false };
            path.mtu = mtu.max(config::SMALLEST_MTU);
            path.search.told(context.now, path.mtu);
            true
        };
        self.with(now, id, set).unwrap_or(false)
    }

    /// Asks the peer to use an own address more (RFC 5061 4.2.1). False where the peer cannot be asked;
    /// [`Event::AddressAdded`] or [`Event::AddressRefused`] says what came of it.
    pub fn add_address(&mut self, now: Time, id: AssociationId, address: IpAddr) -> bool {
        self.with(now, id, |association, context| association.change(context, Change::Add(address)))
            .unwrap_or(false)
    }

    /// Asks the peer to use an own address no more (RFC 5061 4.2.2).
    pub fn delete_address(&mut self, now: Time, id: AssociationId, address: IpAddr) -> bool {
        self.with(now, id, |association, context| association.change(context, Change::Delete(address)))
            .unwrap_or(false)
    }

    /// Asks the peer to make the path to an own address its primary one (RFC 5061 4.2.4).
    pub fn ask_primary(&mut self, now: Time, id: AssociationId, address: IpAddr) -> bool {
        self.with(now, id, |association, context| association.change(context, Change::Primary(address)))
            .unwrap_or(false)
    }

    /// The paths of an association.
    pub fn paths(&self, id: AssociationId) -> Vec<PathStatus> {
        let Some(slot) = self.slots.get(id) else { return Vec::new() };
        let primary = usize::from(slot.association.primary);
        let paths = slot.association.paths.iter().enumerate();
        paths
            .map(|(index, path)| PathStatus {
                local: path.local,
                remote: path.remote,
                primary: index == primary,
                reach: path.reach,
                confirmed: path.confirmed,
                round_trip: path.rtt.map(|(srtt, _)| Duration::from_micros(srtt.into())),
                rto: path.rto,
                window: path.cwnd,
                outstanding: path.flight,
                mtu: path.mtu,
            })
            .collect()
    }

    /// Bytes that wait to be acknowledged, with what keeping them costs.
    pub fn buffered(&self, id: AssociationId) -> u32 {
        self.slots.get(id).map_or(0, |slot| slot.association.outbound.buffered)
    }

    /// Both ports and both verification tags: the own ones first.
    pub fn identity(&self, id: AssociationId) -> Option<((u16, u32), (u16, u32))> {
        let association = &self.slots.get(id)?.association;
        Some(((association.local_port, association.local_tag), (association.remote_port, association.peer_tag)))
    }

    /// Associations that there are.
    pub fn associations(&self) -> impl Iterator<Item = AssociationId> + '_ {
        self.slots.ids()
    }

    /// What was not worth an event.
    pub fn counters(&self) -> Counters {
        self.counters
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
