//! What the front end is told by its host.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use pinion_exchange::placement::Placement;

/// What the front end is told by its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where clients and endpoints reach it: the address of the F-TEIDs that it gives them.
    pub address: IpAddr,
    /// The endpoints (SGWs or PGWs), at most 65,535.
    pub endpoints: Vec<Endpoint>,
    /// Which endpoint a new session gets; hashing goes by IMSI, else by MEI, else by APN.
    pub placement: Placement,
    /// How often and how long something is tried.
    pub timers: Timers,
    /// How much there may be.
    pub bounds: Bounds,
}

/// An endpoint: an SGW's or PGW's control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name, `POOL/NAME`: who it is over reloads.
    pub name: Arc<str>,
    /// Where it takes the first request of a session.
    pub address: IpAddr,
    /// Its share relative to others of its group; 0 gets no new sessions.
    pub weight: u32,
    /// Its group: the lowest number with an endpoint that takes sessions gets them.
    pub priority: u8,
    /// Whether it gets no new sessions.
    pub drained: bool,
}

/// How often and how long something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// From one Echo Request to an endpoint to the next (TS 29.274 7.1.1).
    pub echo: Duration,
    /// T3-RESPONSE: until a request is sent again (TS 29.274 7.6).
    pub t3: Duration,
    /// N3-REQUESTS: how often a request is sent in all.
    pub n3: u8,
}

impl Default for Timers {
    fn default() -> Self {
        Self { echo: Duration::from_secs(60), t3: Duration::from_secs(3), n3: 3 }
    }
}

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Sessions; beyond, a new one is answered with No resources available.
    pub sessions: u32,
    /// Clients whose restart counters are remembered; beyond, one without sessions is forgotten.
    pub clients: u32,
    /// Requests of its own that are under way at once; beyond, one is answered with No resources available.
    pub requests: u32,
    /// Requests whose answers are remembered; beyond, the oldest answer is forgotten.
    pub answers: u32,
    /// Sessions whose end a peer is told of at once.
    pub chores: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { sessions: 1_000_000, clients: 1_024, requests: 65_536, answers: 65_536, chores: 256 }
    }
}
