//! A user plane function: N4's other end, and the tunnels behind it.

mod inbound;
mod pools;
mod reports;
mod rules;
mod session;
mod traffic;

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use pinion_protocols::pfcp::{FSeid, PORT};

use super::exchanges::Exchanges;
use super::{Counts, Datagram, Machine, Timing, Tunnel, Violation};
use crate::cases::dice::Dice;
use pools::Pools;
pub use rules::{Far, Pdr};
pub use session::Bearer;
pub use traffic::Uplink;

/// What an UPF is.
#[derive(Clone, Debug)]
pub struct UpfConfig {
    /// The address of its F-SEIDs.
    pub address: Ipv4Addr,
    /// Its Node ID, where that is not its address: that of a function that it is one of.
    pub node: Option<Ipv4Addr>,
    /// Its UDP port on N4.
    pub port: u16,
    /// Where its tunnels end.
    pub n3: Ipv4Addr,
    /// When it started: seconds since 1900.
    pub started: u32,
    /// Its first SEID; others follow, also after a restart.
    pub first_seid: u64,
    /// Its first TEID, and how far the next is from it. Several UPFs that agree in both give the same TEIDs.
    pub teids: (u32, u32),
    /// First of the user addresses that it chooses from, and how many (UEIP); none where it chooses none.
    pub pool: Option<(Ipv4Addr, u32)>,
    /// Whether it takes TEIDs that an SMF chose (TS 29.244 5.5.1).
    pub takes_teids: bool,
    /// Whether it says that it tells of sessions that it deletes by itself (EPFAR).
    pub epfar: bool,
    /// What is random comes from here.
    pub seed: u64,
    /// Its retransmission.
    pub timing: Timing,
    /// Longest datagram that it bundles messages of sessions in; none where it bundles none.
    pub bundle: Option<usize>,
}

impl UpfConfig {
    /// An UPF at an address of N4 and one of N3, that chooses TEIDs and takes others', and chooses no user addresses.
    #[must_use]
    pub fn at(address: Ipv4Addr, n3: Ipv4Addr) -> Self {
        Self {
            address,
            node: None,
            port: PORT,
            n3,
            started: 0xe800_0000,
            first_seid: 1,
            teids: (1, 1),
            pool: None,
            takes_teids: true,
            epfar: false,
            seed: u32::from(address).into(),
            timing: Timing::default(),
            bundle: None,
        }
    }
}

/// An SMF that is associated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Peer {
    socket: SocketAddr,
    started: u32,
}

/// The machine.
#[derive(Debug)]
pub struct Upf {
    config: UpfConfig,
    exchanges: Exchanges,
    alive: bool,
    /// By Node ID.
    peers: BTreeMap<Ipv4Addr, Peer>,
    sessions: BTreeMap<u64, Bearer>,
    by_cp: HashMap<FSeid, u64>,
    pools: Pools,
    next_seid: u64,
    dice: Dice,
    restarts_seen: u32,
    reports_refused: u32,
    unknown: BTreeMap<u32, u64>,
    foreign: BTreeMap<u32, u64>,
}

impl Upf {
    /// An UPF without associations.
    #[must_use]
    pub fn new(config: UpfConfig) -> Self {
        let mut dice = Dice::new(config.seed);
        let local = SocketAddr::new(config.address.into(), config.port);
        let mut exchanges = Exchanges::new(local, config.timing, dice.roll() as u32);
        exchanges.bundle = config.bundle;
        Self {
            exchanges,
            alive: true,
            peers: BTreeMap::new(),
            sessions: BTreeMap::new(),
            by_cp: HashMap::new(),
            pools: Pools::new(config.n3, config.teids, config.pool),
            next_seid: config.first_seid,
            dice,
            restarts_seen: 0,
            reports_refused: 0,
            unknown: BTreeMap::new(),
            foreign: BTreeMap::new(),
            config,
        }
    }

    /// Dies: nothing is answered or forwarded any more, nobody is told.
    pub fn kill(&mut self) {
        self.alive = false;
    }

    /// Is there again, started at `started`, without associations and sessions.
    pub fn restart(&mut self, started: u32) {
        self.alive = true;
        self.config.started = started;
        self.exchanges.restart(self.dice.roll() as u32);
        self.peers.clear();
        self.sessions.clear();
        self.by_cp.clear();
        self.pools.clear();
    }

    /// Whether it is there.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.alive
    }

    /// Where its tunnels end.
    #[must_use]
    pub fn n3_address(&self) -> Ipv4Addr {
        self.config.n3
    }

    /// Its sessions by its own SEID.
    #[must_use]
    pub fn sessions(&self) -> &BTreeMap<u64, Bearer> {
        &self.sessions
    }

    /// The session of a user.
    #[must_use]
    pub fn session_of(&self, ue: Ipv4Addr) -> Option<(u64, &Bearer)> {
        let seid = self.pools.of_ue(ue)?;
        Some((seid, self.sessions.get(&seid)?))
    }

    /// Node IDs of the SMFs that are associated.
    pub fn peers(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.peers.keys().copied()
    }

    /// Packets that came by each TEID that is none of its.
    #[must_use]
    pub fn unknown(&self) -> &BTreeMap<u32, u64> {
        &self.unknown
    }

    /// Packets that came by each TEID of its from another user than the tunnel's.
    #[must_use]
    pub fn foreign(&self) -> &BTreeMap<u32, u64> {
        &self.foreign
    }

    /// How often a peer's heartbeat or association told of another start.
    #[must_use]
    pub fn restarts_seen(&self) -> u32 {
        self.restarts_seen
    }

    /// Session reports that were not accepted.
    #[must_use]
    pub fn reports_refused(&self) -> u32 {
        self.reports_refused
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

    fn node_id(&self) -> Ipv4Addr {
        self.config.node.unwrap_or(self.config.address)
    }

    fn remove(&mut self, seid: u64) -> Option<Bearer> {
        let bearer = self.sessions.remove(&seid)?;
        self.by_cp.remove(&bearer.cp);
        self.pools.release(&bearer);
        Some(bearer)
    }

    fn remove_all_of(&mut self, node: Ipv4Addr) {
        let of_node = self.sessions.iter().filter(|(_, bearer)| bearer.node == node);
        for seid in of_node.map(|(seid, _)| *seid).collect::<Vec<_>>() {
            self.remove(seid);
        }
    }
}

impl Machine for Upf {
    fn socket(&self) -> SocketAddr {
        self.exchanges.local()
    }

    fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        if self.alive {
            self.inbound(from, datagram, now);
        }
    }

    fn tick(&mut self, now: Duration) {
        if self.alive {
            self.exchanges.tick(now);
        }
    }

    fn take(&mut self) -> Vec<Datagram> {
        let out = self.exchanges.take();
        if self.alive { out } else { Vec::new() }
    }
}
