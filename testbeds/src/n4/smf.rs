//! A session management function: the control plane's end of N4.

mod inbound;
mod requests;
mod session;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use pinion_protocols::pfcp::{Cause, MessageType, PORT};

use super::exchanges::Exchanges;
use super::{Counts, Datagram, Machine, Timing, Tunnel, Violation};
use crate::cases::dice::Dice;
pub use session::{Breakout, Reports, Session, State, Wish};

/// What an SMF is.
#[derive(Clone, Debug)]
pub struct SmfConfig {
    /// Its Node ID, and the address of its F-SEIDs.
    pub address: Ipv4Addr,
    /// Its UDP port.
    pub port: u16,
    /// When it started: seconds since 1900.
    pub started: u32,
    /// Its first SEID; others follow.
    pub first_seid: u64,
    /// What is random comes from here.
    pub seed: u64,
    /// Its retransmission.
    pub timing: Timing,
    /// Time between two heartbeats of its own on an association; none where it sends none.
    pub heartbeat: Option<Duration>,
    /// Longest datagram that it bundles messages of sessions in; none where it bundles none.
    pub bundle: Option<usize>,
}

impl SmfConfig {
    /// An SMF at an address that bundles nothing and sends no heartbeats.
    #[must_use]
    pub fn at(address: Ipv4Addr) -> Self {
        Self {
            address,
            port: PORT,
            started: 0xe800_0000,
            first_seid: 1,
            seed: u32::from(address).into(),
            timing: Timing::default(),
            heartbeat: None,
            bundle: None,
        }
    }
}

/// An association, as the SMF sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Association {
    /// The UPF's Node ID.
    pub node: Option<Ipv4Addr>,
    /// When the UPF says that it started.
    pub started: Option<u32>,
    /// What the UPF said to the last Association Setup Request.
    pub cause: Option<Cause>,
    /// Octets of its UP Function Features.
    pub features: Vec<u8>,
    /// Whether it said that it kept the sessions (PSREI, TS 29.244 8.2.146).
    pub retained: bool,
    /// How often another start was told.
    pub restarts: u32,
    /// Whether the UPF asked to be released.
    pub asked_release: bool,
    /// Node reports that came.
    pub node_reports: u32,
    /// Requests in a row that were not answered at all.
    pub silent: u32,
    next_heartbeat: Option<Duration>,
}

impl Association {
    /// Whether sessions may be established.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.cause == Some(Cause::ACCEPTED)
    }
}

/// The machine.
#[derive(Debug)]
pub struct Smf {
    config: SmfConfig,
    exchanges: Exchanges,
    associations: BTreeMap<SocketAddr, Association>,
    sessions: BTreeMap<u64, Session>,
    next_seid: u64,
    dice: Dice,
}

impl Smf {
    /// An SMF without associations.
    #[must_use]
    pub fn new(config: SmfConfig) -> Self {
        let mut dice = Dice::new(config.seed);
        let local = SocketAddr::new(config.address.into(), config.port);
        let mut exchanges = Exchanges::new(local, config.timing, dice.roll() as u32);
        exchanges.bundle = config.bundle;
        let next_seid = config.first_seid;
        Self { config, exchanges, associations: BTreeMap::new(), sessions: BTreeMap::new(), next_seid, dice }
    }

    /// Dies and is there again, started at `started`: nothing that was asked is known. With `keep`, it has its
    /// sessions from a store, and says so when it associates again (TS 29.244 6.2.6.2.2).
    pub fn restart(&mut self, started: u32, keep: bool, now: Duration) {
        self.config.started = started;
        self.exchanges.restart(self.dice.roll() as u32);
        let peers: Vec<SocketAddr> = self.associations.keys().copied().collect();
        self.associations.clear();
        if !keep {
            self.end_all(|_| true, State::Lost);
        }
        for peer in peers {
            self.set_up(peer, keep, now);
        }
    }

    /// Its associations by the UPF's socket.
    #[must_use]
    pub fn associations(&self) -> &BTreeMap<SocketAddr, Association> {
        &self.associations
    }

    /// Its sessions by its own SEID, those that ended too.
    #[must_use]
    pub fn sessions(&self) -> &BTreeMap<u64, Session> {
        &self.sessions
    }

    /// One of its sessions.
    #[must_use]
    pub fn session(&self, seid: u64) -> Option<&Session> {
        self.sessions.get(&seid)
    }

    /// Every violation that it saw.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.exchanges.violations
    }

    /// How often things happened that are none.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.exchanges.counts
    }

    /// Whether it waits for no response.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.exchanges.is_quiet()
    }

    fn end_all(&mut self, which: impl Fn(&Session) -> bool, state: State) {
        for session in self.sessions.values_mut().filter(|session| session.is_alive() && which(session)) {
            session.state = state;
        }
    }

    fn given_up(&mut self, kind: MessageType, to: SocketAddr, about: Option<u64>) {
        if let Some(session) = about.and_then(|seid| self.sessions.get_mut(&seid))
            && kind == MessageType::SessionEstablishmentRequest
        {
            session.state = State::Lost;
        }
        if let Some(association) = self.associations.get_mut(&to) {
            association.silent = association.silent.saturating_add(1);
        }
    }
}

impl Machine for Smf {
    fn socket(&self) -> SocketAddr {
        self.exchanges.local()
    }

    fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        self.inbound(from, datagram, now);
    }

    fn tick(&mut self, now: Duration) {
        for (kind, to, about) in self.exchanges.tick(now) {
            self.given_up(kind, to, about);
        }
        let Some(every) = self.config.heartbeat else {
            return;
        };
        let mut beats = Vec::new();
        for (peer, association) in &mut self.associations {
            if association.next_heartbeat.is_some_and(|due| due <= now) {
                association.next_heartbeat = Some(now.saturating_add(every));
                beats.push(*peer);
            }
        }
        for peer in beats {
            self.heartbeat(peer, now);
        }
    }

    fn take(&mut self) -> Vec<Datagram> {
        self.exchanges.take()
    }
}
