//! What the front end is told by its host.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use pinion_exchange::placement::Placement;
use serde::{Deserialize, Serialize};

/// What the front end is told by its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where SMFs and UPFs reach it: the address of its Node ID and of its F-SEIDs.
    pub address: IpAddr,
    /// What becomes of messages; it stays as it was at the start.
    pub mode: Mode,
    /// The UPFs, at most 65,535.
    pub upfs: Vec<Upf>,
    /// GTP-U services that stand for the UPFs' own tunnel addresses.
    pub user_plane: Vec<UserPlane>,
    /// Network instances by which users' packets leave their tunnels on the way to their UPFs.
    pub breakouts: Vec<Breakout>,
    /// Which UPF a new session gets; hashing goes by the user's address, or by the SMF's F-SEID where there is none.
    pub placement: Placement,
    /// Whether sessions of a UPF that is lost are made again on another.
    pub restore: bool,
    /// Whether an SMF may choose TEIDs itself, as those of Release 14 do; else it is told not to (TS 29.244 5.5.1).
    pub smf_teids: bool,
    /// How often and how long something is tried.
    pub timers: Timers,
    /// How much there may be.
    pub bounds: Bounds,
}

/// What becomes of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// They end here: one UPF to each SMF, one SMF to each UPF.
    #[default]
    Terminate,
    /// Those of nodes and establishments are relayed, and what follows goes between SMF and UPF directly: the UPFs are one
    /// to each SMF, by a Node ID that they share.
    Redirect,
}

/// A UPF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upf {
    /// Its name, `POOL/NAME`: who it is over reloads.
    pub name: Arc<str>,
    /// Where it speaks PFCP.
    pub address: IpAddr,
    /// Its share relative to others of its group; 0 gets no new sessions.
    pub weight: u32,
    /// Its group: the lowest number with a UPF that takes sessions gets them.
    pub priority: u8,
    /// Whether it gets no new sessions.
    pub drained: bool,
    /// Which sessions it takes.
    pub serves: Serves,
}

/// Which sessions a UPF takes; an empty list takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serves {
    /// Data network names, as text.
    pub dnns: Vec<Box<str>>,
    /// Slices: type, and differentiator where there is one.
    pub slices: Vec<(u8, Option<[u8; 3]>)>,
    /// Network instances of either side, as text.
    pub network_instances: Vec<Box<str>>,
    /// Prefixes whose addresses its users have: address and length.
    pub ue_addresses: Vec<(IpAddr, u8)>,
}

/// A GTP-U service: the tunnel addresses that gNBs and other UPFs see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPlane {
    /// The service's name.
    pub service: Arc<str>,
    /// Its address on each path.
    pub addresses: Vec<IpAddr>,
    /// The UPFs behind it: their names, `POOL/NAME` of the service's own pool, and their addresses on each path.
    pub endpoints: Vec<(Arc<str>, Vec<IpAddr>)>,
}

/// Where packets go that FARs forward to the core by a network instance (TS 29.244 8.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakout {
    /// The network instance, as text.
    pub network_instance: Box<str>,
    /// The endpoint, `POOL/NAME`: one where packets leave their tunnels, or a UPF behind the same GTP-U service, whose
    /// address FARs then name with a TEID of its own.
    pub via: Arc<str>,
}

/// How often and how long something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// From one heartbeat to a peer to the next.
    pub heartbeat: Duration,
    /// T1: until a request is sent again (TS 29.244 6.4).
    pub t1: Duration,
    /// N1: how often a request is sent in all.
    pub n1: u8,
}

impl Timers {
    /// Whether a peer whose next heartbeat is due at `next` was asked less than a T1 ago.
    pub(crate) fn just_asked(&self, next: Duration, now: Duration) -> bool {
        next.saturating_add(self.t1) > now.saturating_add(self.heartbeat)
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(10), t1: Duration::from_secs(3), n1: 3 }
    }
}

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Sessions; beyond, establishment is answered with No resources available.
    pub sessions: u32,
    /// SMFs with an association; beyond, setup is answered likewise.
    pub smfs: u16,
    /// Requests whose answers are remembered; beyond, the oldest answer is forgotten.
    pub answers: u32,
    /// Procedures of its own that are under way at once, such as sessions made again; no more begin in one turn either.
    pub chores: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { sessions: 1_000_000, smfs: 1_024, answers: 65_536, chores: 256 }
    }
}
