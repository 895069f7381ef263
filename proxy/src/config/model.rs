//! What a configuration says, once it was found right.
//!
//! These values are made by [`super::read`] alone: names are unique, every service's pool exists, paths and
//! families match, and every number is in its range.

mod gtpc;
mod ngap;
mod pfcp;
mod sbi;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use pinion_loader::Bounds;

pub use gtpc::Gtpc;
pub use ngap::{AmfIds, Discover, Ngap, Spread, Transport};
pub use pfcp::{Breakout, Pfcp, PfcpMode, Serves, UeAddresses};
pub use sbi::{Sbi, SbiListener, SbiMatching, SbiRedirects, SbiTls, SbiTokens, SbiWhen};

/// A whole configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The interfaces that XDP is attached to: client side and endpoint side. Empty: none is touched.
    pub interfaces: Vec<Interface>,
    /// How others ask the daemon.
    pub api: Api,
    /// Where Prometheus reads `/metrics`; `None` where it does not.
    pub metrics: Option<SocketAddr>,
    /// Where pins are written behind.
    pub store: Store,
    /// How many entries the tables hold.
    pub bounds: Bounds,
    /// What happens when the daemon is told to end.
    pub exit: Exit,
    /// Endpoints, by pool.
    pub pools: Vec<Pool>,
    /// What clients see.
    pub services: Vec<Service>,
    /// The SCP of the service-based interface, where there is one.
    pub sbi: Option<Sbi>,
}

impl Config {
    /// The services that have a place in the packet path: all but those that the daemon itself speaks for.
    pub fn steered(&self) -> impl Iterator<Item = &Service> {
        self.services.iter().filter(|service| service.is_steered())
    }

    /// Whether packets are steered in the kernel: whether any service has a place in the packet path.
    #[must_use]
    pub fn steers(&self) -> bool {
        self.steered().next().is_some()
    }
}

/// An interface of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// How XDP is attached.
    pub attach: Attach,
}

/// How XDP is attached to an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attach {
    /// In the driver where it can, otherwise in the stack.
    #[default]
    Auto,
    /// In the driver, or not at all.
    Native,
    /// In the kernel's stack: slower, works everywhere.
    Generic,
}

/// How others ask the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Api {
    /// A unix socket.
    Unix {
        /// Its path.
        path: PathBuf,
        /// Its permissions, such as `0o660`.
        mode: u32,
    },
    /// TCP with mutual TLS.
    Tls {
        /// Where it listens.
        listen: SocketAddr,
        /// The daemon's certificate chain, PEM.
        certificate: PathBuf,
        /// Its private key, PEM.
        key: PathBuf,
        /// The authorities whose certificates a client may show, PEM.
        clients: PathBuf,
    },
}

/// Where pins are written behind.
#[derive(Clone, PartialEq, Eq)]
pub struct Store {
    /// `redis://...`, `valkey://...` or a unix socket; `None`: in memory.
    pub redis: Option<String>,
    /// Whether a binding message waits until its pin is stored.
    pub wait: bool,
    /// How many changes may wait for the store; beyond, the oldest state of a key is written once.
    pub backlog: u32,
    /// What keys in the store begin with, so that several clusters can share one.
    pub prefix: String,
}

/// Without the address: it may hold a password.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { redis, wait, backlog, prefix } = self;
        f.debug_struct("Store")
            .field("redis", &redis.is_some())
            .field("wait", wait)
            .field("backlog", backlog)
            .field("prefix", prefix)
            .finish()
    }
}

/// What happens when the daemon is told to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    /// The programs stay attached and go on forwarding.
    #[default]
    Keep,
    /// The programs are detached, and what is pinned in `/run/pinion/bpf` is taken away.
    Detach,
}

/// The endpoints that services share.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its endpoints, at least one, at the most 1,024.
    pub endpoints: Vec<Endpoint>,
    /// How endpoints are probed; `None`: they count as up.
    pub health: Option<Health>,
    /// How long an endpoint that comes up takes to its full weight; zero: at once.
    pub slow_start: Duration,
    /// How long the sessions of an endpoint that is drained may stay; `None`: until they end.
    pub drain: Option<Duration>,
}

/// A backend instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name, unique in its pool.
    pub name: String,
    /// Its address on each path.
    pub addresses: Vec<IpAddr>,
    /// Its port; `None`: the service's.
    pub port: Option<u16>,
    /// Its share relative to the others of its group, 0 to 65,535; 0 gets no new sessions.
    pub weight: u32,
    /// Its group: the lowest number with an endpoint that is up gets the new sessions.
    pub priority: u8,
    /// Which sessions it takes, of a pfcp service alone.
    pub serves: Serves,
}

/// How endpoints are probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What is sent, and what counts as an answer.
    pub probe: Probe,
    /// The port that is probed; `None`: the endpoint's. ICMP has none.
    pub port: Option<u16>,
    /// Time from one probe of a path to the next.
    pub interval: Duration,
    /// How long an answer may take, at the most the interval.
    pub timeout: Duration,
    /// How many answers in a row make a path up, 1 to 255.
    pub rise: u8,
    /// How many missing in a row make it down, 1 to 255.
    pub fall: u8,
    /// The part of the interval that is left to chance, in percent, 0 to 50.
    pub jitter: u8,
}

/// A kind of probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// ICMP or ICMPv6 echo (RFC 792, RFC 4443).
    Icmp,
    /// A TCP connection.
    Tcp,
    /// A UDP datagram; any answer counts, and so does silence without an ICMP unreachable where none is asked for.
    Udp {
        /// What is sent.
        payload: Vec<u8>,
        /// Whether an answer is needed.
        answer: bool,
    },
    /// GTP-U Echo Request (TS 29.281 7.2.1).
    Gtpu,
    /// SCTP INIT, answered by INIT ACK and then aborted (RFC 9260 5.1).
    Sctp,
    /// PFCP Heartbeat Request (TS 29.244 7.4.2.1).
    Pfcp,
    /// An HTTP/2 GET with prior knowledge; a status of 200 to 399 counts.
    Http2 {
        /// What is asked for.
        path: String,
        /// Its `:authority`; `None`: the endpoint's address and port.
        authority: Option<String>,
    },
}

/// What clients see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// How its packets are pinned.
    pub protocol: Protocol,
    /// Its port.
    pub port: u16,
    /// Its address on each path, one to four.
    pub addresses: Vec<IpAddr>,
    /// The name of its pool.
    pub pool: String,
    /// Which endpoint a new session gets.
    pub algorithm: Algorithm,
    /// What becomes of packets of no session, for SCTP and GTP-U.
    pub unknown: Unknown,
    /// What is read of its packets, to show sessions by; of SCTP alone.
    pub aware: Option<Aware>,
    /// What a new session gets when no endpoint is up.
    pub all_down: AllDown,
    /// How long sessions live without packets.
    pub timeouts: Timeouts,
    /// Tunnels that are pinned from the start; of GTP-U alone.
    pub tunnels: Vec<Tunnel>,
    /// The name of the pool whose endpoints users' packets may leave their tunnels to; of GTP-U alone.
    pub breakout: Option<String>,
    /// How PFCP is spoken: there for [`Protocol::Pfcp`], and for it alone.
    pub pfcp: Option<Pfcp>,
    /// How GTPv2-C is spoken: there for [`Protocol::Gtpc`], and for it alone.
    pub gtpc: Option<Gtpc>,
    /// How NGAP is spoken: there for [`Protocol::Ngap`], and for it alone.
    pub ngap: Option<Ngap>,
}

impl Service {
    /// Whether it has a place in the packet path; the daemon itself speaks for the others.
    #[must_use]
    pub fn is_steered(&self) -> bool {
        super::kind(self.protocol).is_some()
    }
}

/// A tunnel that is pinned at every address of its service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// The TEID that clients send to, not 0, unique in its service.
    pub teid: u32,
    /// The name of the endpoint, in the service's pool.
    pub endpoint: String,
    /// The TEID as the endpoint knows it, not 0.
    pub endpoint_teid: u32,
}

/// What is balanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// UDP, by 5-tuple.
    Udp,
    /// TCP, by 5-tuple.
    Tcp,
    /// SCTP, by verification tag.
    Sctp,
    /// GTP-U, by TEID.
    Gtpu,
    /// PFCP, which the daemon itself speaks: it has no place in the packet path.
    Pfcp,
    /// GTPv2-C, which the daemon itself speaks too.
    Gtpc,
    /// NGAP, which the daemon itself speaks too.
    Ngap,
}

/// Which endpoint a new session gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Consistent hashing of the whole flow, by weight.
    #[default]
    Maglev,
    /// One after the other, whatever their weight.
    RoundRobin,
    /// One after the other, by weight.
    Weighted,
    /// The one with the fewest sessions for its weight, over all endpoints.
    LeastSessions,
    /// Consistent hashing of the client's address: all its sessions go to one endpoint.
    SourceAffinity,
}

/// What becomes of packets of no session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// They are dropped.
    #[default]
    Drop,
    /// They go where consistent hashing says.
    Hash,
    /// They are dropped, and user space gets a copy.
    Punt,
    /// They are dropped, and the sender of a user packet gets an Error Indication; of GTP-U alone.
    Indicate,
}

/// What is read of packets that are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aware {
    /// NGAP (TS 38.413): UEs, in mode `association`.
    Ngap,
}

/// What a new session gets when no endpoint is up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllDown {
    /// An endpoint as if all were up: health may be wrong.
    FailOpen,
    /// Nothing: its packets are dropped.
    #[default]
    Drop,
    /// A refusal: TCP RST, SCTP ABORT, ICMP port unreachable.
    Reject,
}

/// How long sessions live without packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// While they are made.
    pub opening: Duration,
    /// Under way.
    pub established: Duration,
    /// After a FIN or a SHUTDOWN.
    pub closing: Duration,
    /// After a RST, an ABORT or a SHUTDOWN COMPLETE.
    pub closed: Duration,
}

impl Timeouts {
    /// The timeouts of a service that names none: for UDP as RFC 4787 REQ-5 asks of a translator, for TCP as
    /// RFC 5382 REQ-5 does, for SCTP and GTP-U long enough for a lost path's retransmissions and heartbeats.
    #[must_use]
    pub const fn of(protocol: Protocol) -> Self {
        let (established, closing) = match protocol {
            // Sessions of PFCP and GTPv2-C end when their peers say so; their datagrams are as those of UDP.
            Protocol::Udp | Protocol::Pfcp | Protocol::Gtpc => (120, 30),
            Protocol::Tcp => (7440, 240),
            Protocol::Sctp | Protocol::Gtpu | Protocol::Ngap => (900, 30),
        };
        Self {
            opening: Duration::from_secs(30),
            established: Duration::from_secs(established),
            closing: Duration::from_secs(closing),
            closed: Duration::from_secs(10),
        }
    }
}

impl Probe {
    /// The word that a configuration has for its kind.
    #[must_use]
    pub const fn as_written(&self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Tcp => "tcp",
            Self::Udp { .. } => "udp",
            Self::Gtpu => "gtpu",
            Self::Sctp => "sctp",
            Self::Pfcp => "pfcp",
            Self::Http2 { .. } => "http2",
        }
    }
}
