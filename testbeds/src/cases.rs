//! A table of cases: what comes in, what leaves and why, and what the tables hold afterwards.
//!
//! Every case runs on either engine. Frames come from [`crate::packets`], which knows nothing of steering; what
//! leaves is built there too, from what the RFCs and the behaviour of the front ends demand.

pub mod dice;
mod filters;
pub mod flows;
mod fragments;
pub mod full;
pub mod gtpu;
pub mod headers;
mod indications;
pub mod malformed;
pub mod mutation;
pub mod neighbours;
pub mod placement;
pub mod places;
pub mod refusals;
pub mod rejects;
pub mod reload;
pub mod sctp;
pub mod stage;
pub mod traffic;

use std::net::IpAddr;

use pinion_loader::setup::ServiceSpec;
use pinion_steering::{Filter, NextHop, Reason, State, Verdict};

use crate::packets::{End, Frame};
use places::{OURS, S, S6, mac};

/// A case: acts, in order, on tables that are empty but for the services of [`places::services`].
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: &'static str,
    /// What happens.
    pub acts: Vec<Act>,
}

/// One act of a case.
#[derive(Clone, Debug)]
pub enum Act {
    /// A frame comes in.
    Frame(Vec<u8>, Expect),
    /// A flow must be there, or must not.
    Flow(Key, Option<At>),
    /// So many flows must be there.
    Flows(usize),
    /// An endpoint of a service must have so many sessions.
    Sessions(&'static str, &'static str, u32),
    /// A flow is put there.
    PutFlow(Key, At),
    /// A flow is taken away.
    RemoveFlow(Key),
    /// A tunnel is taught.
    Pin(Tunnel),
    /// A tunnel is taken back.
    Unpin(IpAddr, u32),
    /// A taught tunnel gets filters.
    Classify(IpAddr, u32, Vec<Branch>),
    /// A client's end of a tunnel leads to the endpoint that owns the tunnel, or to none.
    Lead(IpAddr, u32, Option<Tunnel>),
    /// The services are laid out anew.
    Reload(Vec<ServiceSpec>),
    /// The clock moves on by so many ticks.
    Wait(u32),
    /// A next hop is cached: to this address, and how it differs from the usual one.
    Hop(IpAddr, fn(&mut NextHop)),
    /// User space must have got a copy of the last frame, for this reason, and nothing else since it was looked.
    Punted(Reason),
    /// User space must have got nothing since it was looked.
    Unheard,
    /// Of the frames since it was looked, user space must have got one copy, of the last; `None`: no copy.
    Copied(Option<Whose>),
}

/// What must become of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason, whose counter goes up by one; no other does.
    pub reason: Reason,
    /// What leaves; `None` where the frame leaves as it came.
    pub bytes: Option<Vec<u8>>,
}

/// The key of a flow, by names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A UDP or TCP flow as its packets show it: where they are sent, where from, protocol.
    Tuple(End, End, u8),
    /// An SCTP association: service, client's port, server's tag.
    Association(&'static str, u16, u32),
    /// An SCTP association towards its client: service, endpoint, client's port, client's tag.
    Reply(&'static str, &'static str, u16, u32),
    /// An SCTP client: service, its port, all its addresses.
    Peer(&'static str, u16, Vec<IpAddr>),
    /// A tunnel that was placed by hashing: service, TEID.
    Tunnel(&'static str, u32),
}

/// What a flow must be, or is put as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The service.
    pub service: &'static str,
    /// The endpoint that it leads to; `None` where it leads to the service's own addresses.
    pub endpoint: Option<&'static str>,
    /// The path that it leads to where it counts paths itself: UDP and TCP.
    pub path: u32,
    /// Its state.
    pub state: State,
    /// SCTP: the verification tag of the other direction.
    pub tag: u32,
}

/// A tunnel that user space teaches.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// As clients see it.
    pub address: IpAddr,
    /// As clients see it.
    pub teid: u32,
    /// The service.
    pub service: &'static str,
    /// The endpoint that owns it.
    pub endpoint: &'static str,
    /// As the endpoint knows it.
    pub owned: u32,
    /// The path of the address.
    pub path: u8,
}

impl Tunnel {
    /// Of the second UPF, by its TEID as clients and as the UPF know it.
    pub(crate) fn over_v4(teid: u32, owned: u32) -> Self {
        Self { address: S, teid, service: "n3", endpoint: "b", owned, path: 0 }
    }

    /// Of the UPF with IPv6.
    pub(crate) fn over_v6(teid: u32, owned: u32) -> Self {
        Self { address: S6, teid, service: "n36", endpoint: "a", owned, path: 0 }
    }
}

/// Whose an SCTP packet is that user space gets a copy of.
#[derive(Clone, Copy, Debug)]
pub struct Whose {
    /// The service.
    pub service: &'static str,
    /// The endpoint.
    pub endpoint: &'static str,
    /// The client.
    pub client: End,
    /// The verification tags of packets to the service and to the client.
    pub tags: (u32, u32),
    /// Whether it is the endpoint's.
    pub reply: bool,
}

/// A filter of a tunnel, and where it leads.
#[derive(Clone, Copy, Debug)]
pub struct Branch {
    /// The filter, without its target.
    pub filter: Filter,
    /// The service.
    pub service: &'static str,
    /// The endpoint; of another pool, `POOL/NAME`.
    pub endpoint: &'static str,
}

/// All cases.
#[must_use]
pub fn all() -> Vec<Case> {
    [
        filters::cases(),
        flows::cases(),
        headers::cases(),
        malformed::cases(),
        neighbours::cases(),
        placement::cases(),
        refusals::cases(),
        rejects::cases(),
        reload::cases(),
        fragments::cases(),
        gtpu::cases(),
        indications::cases(),
        sctp::cases(),
    ]
    .concat()
}

impl Case {
    /// A case without acts.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, acts: Vec::new() }
    }

    /// With another act.
    #[must_use]
    pub fn act(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }

    /// A frame comes in.
    #[must_use]
    pub fn send(self, frame: &Frame, expect: Expect) -> Self {
        self.act(Act::Frame(frame.bytes(), expect))
    }

    /// A flow must be there.
    #[must_use]
    pub fn flow(self, key: Key, at: At) -> Self {
        self.act(Act::Flow(key, Some(at)))
    }

    /// A flow must not be there.
    #[must_use]
    pub fn no_flow(self, key: Key) -> Self {
        self.act(Act::Flow(key, None))
    }

    /// So many flows must be there.
    #[must_use]
    pub fn flows(self, count: usize) -> Self {
        self.act(Act::Flows(count))
    }

    /// An endpoint of a service must have so many sessions.
    #[must_use]
    pub fn sessions(self, service: &'static str, endpoint: &'static str, count: u32) -> Self {
        self.act(Act::Sessions(service, endpoint, count))
    }

    /// Adds what another case does.
    #[must_use]
    pub fn after(self, earlier: &Self) -> Self {
        Self { name: self.name, acts: [earlier.acts.clone(), self.acts].concat() }
    }
}

/// The frame leaves by where it came from, as `frame`.
#[must_use]
pub fn transmits(reason: Reason, frame: &Frame) -> Expect {
    Expect { verdict: Verdict::Transmit, reason, bytes: Some(frame.bytes()) }
}

/// The frame leaves by another interface, as `frame`.
#[must_use]
pub fn redirects(reason: Reason, frame: &Frame) -> Expect {
    Expect { verdict: Verdict::Redirect, reason, bytes: Some(frame.bytes()) }
}

/// The frame goes nowhere.
#[must_use]
pub fn drops(reason: Reason) -> Expect {
    Expect { verdict: Verdict::Drop, reason, bytes: Some(Vec::new()) }
}

/// The frame goes to the kernel as it came.
#[must_use]
pub fn passes(reason: Reason) -> Expect {
    Expect { verdict: Verdict::Pass, reason, bytes: None }
}

/// The frame as it goes on to an endpoint: new destination, next link, one hop less.
#[must_use]
pub fn towards(frame: &Frame, endpoint: End) -> Frame {
    hopped(frame.clone().to(endpoint.0, endpoint.1))
}

/// The frame as it goes on to its client: new source, next link, one hop less.
#[must_use]
pub fn replied(frame: &Frame, service: End) -> Frame {
    hopped(frame.clone().from(service.0, service.1))
}

fn hopped(frame: Frame) -> Frame {
    let gateway = frame.destination().map_or([0; 6], mac);
    frame.ip(|ip| ip.ttl = ip.ttl.saturating_sub(1)).macs(OURS, gateway).untagged()
}

/// A flow that leads to an endpoint.
#[must_use]
pub fn to(service: &'static str, endpoint: &'static str, state: State) -> At {
    At { service, endpoint: Some(endpoint), path: 0, state, tag: 0 }
}

/// A flow that leads to the service's own addresses.
#[must_use]
pub fn own(service: &'static str, state: State) -> At {
    At { service, endpoint: None, path: 0, state, tag: 0 }
}

impl At {
    /// With the verification tag of the other direction.
    #[must_use]
    pub fn tag(self, tag: u32) -> Self {
        Self { tag, ..self }
    }
}
