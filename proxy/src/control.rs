//! What the daemon shows, and what it can be asked to do: the seam between [`crate::daemon`] and those who ask
//! it ([`crate::api`], metrics).

mod error;
mod gtpc;
mod heard;
mod n2;
mod n4;
mod sbi;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::config::model::{Algorithm, Protocol};

pub use error::ControlError;
pub use gtpc::{GtpcEndpoint, GtpcFilter, GtpcFrontEnd, GtpcPage, GtpcSessionView};
pub use heard::{Heard, HeardService};
pub use n2::{N2Amf, N2Explained, N2Filter, N2FrontEnd, N2Mode, N2Page, N2Ue, N2UeView};
pub use n4::{N4Filter, N4FrontEnd, N4Page, N4SessionView, N4Upf};
pub use sbi::{SbiEvent, SbiFilter, SbiPage, SbiProducer, SbiResource, SbiService, SbiState, SbiStats};

/// The daemon, as those who ask it see it.
#[tonic::async_trait]
pub trait Control: Send + Sync + 'static {
    /// All services, in the order of the configuration.
    async fn services(&self) -> Vec<ServiceView>;

    /// The endpoints of one pool or, with `None`, of all.
    ///
    /// # Errors
    /// [`ControlError::NoPool`].
    async fn endpoints(&self, pool: Option<&str>) -> Result<Vec<EndpointView>, ControlError>;

    /// A page of sessions that a filter lets through.
    ///
    /// # Errors
    /// [`ControlError::Cursor`], [`ControlError::NoService`], [`ControlError::NoEndpoint`], [`ControlError::Maps`].
    async fn sessions(&self, filter: &SessionFilter, page: &PageAsk) -> Result<SessionPage, ControlError>;

    /// A page of the N4 sessions that a filter lets through.
    ///
    /// # Errors
    /// [`ControlError::Cursor`], [`ControlError::NoFrontEnd`], [`ControlError::NoEndpoint`].
    async fn n4_sessions(&self, filter: &N4Filter, page: &PageAsk) -> Result<N4Page, ControlError>;

    /// A page of the GTPv2-C sessions that a filter lets through.
    ///
    /// # Errors
    /// [`ControlError::Cursor`], [`ControlError::NoGtpc`], [`ControlError::NoEndpoint`].
    async fn gtpc_sessions(&self, filter: &GtpcFilter, page: &PageAsk) -> Result<GtpcPage, ControlError>;

    /// A page of the UEs that a filter lets through.
    ///
    /// # Errors
    /// [`ControlError::Cursor`], [`ControlError::NoNgap`], [`ControlError::NoEndpoint`].
    async fn n2_ues(&self, filter: &N2Filter, page: &PageAsk) -> Result<N2Page, ControlError>;

    /// A page of the resources that the SCP keeps on their producers.
    ///
    /// # Errors
    /// [`ControlError::NoSbi`].
    async fn sbi_resources(&self, filter: &SbiFilter, page: &PageAsk) -> Result<SbiPage, ControlError>;

    /// Counters and fill levels.
    ///
    /// # Errors
    /// [`ControlError::Maps`].
    async fn stats(&self) -> Result<Stats, ControlError>;

    /// Stops giving an endpoint new sessions; after the deadline the rest are ended.
    /// `deadline` `None`: the pool's.
    ///
    /// # Errors
    /// [`ControlError::NoEndpoint`], [`ControlError::Ambiguous`].
    async fn drain(&self, endpoint: &str, deadline: Option<Duration>) -> Result<EndpointView, ControlError>;

    /// Gives a drained endpoint new sessions again.
    ///
    /// # Errors
    /// As [`Control::drain`].
    async fn undrain(&self, endpoint: &str) -> Result<EndpointView, ControlError>;

    /// Changes an endpoint's weight until the next reload.
    ///
    /// # Errors
    /// As [`Control::drain`]; [`ControlError::Weight`].
    async fn set_weight(&self, endpoint: &str, weight: u32) -> Result<EndpointView, ControlError>;

    /// Reads the configuration again and puts it in force, whole or not at all.
    ///
    /// # Errors
    /// [`ControlError::Config`] with every mistake, one a line.
    async fn reload(&self) -> Result<Reloaded, ControlError>;

    /// Gives a pinned tunnel other filters (TS 23.501 5.6.4.2), at every address of its service; with `None`, shows those
    /// that it has. It is the tunnel with this TEID, as clients know it, of a service; of the only one that has such.
    ///
    /// # Errors
    /// [`ControlError::NoService`], [`ControlError::NoTunnel`], [`ControlError::Tunnels`], [`ControlError::Filter`],
    /// [`ControlError::Maps`]: the filters are as they were before.
    async fn classify(
        &self,
        service: Option<&str>,
        teid: u32,
        filters: Option<&[String]>,
    ) -> Result<TunnelFilters, ControlError>;

    /// Why sessions with this key are where they are. A key is what a session's display shows: an address,
    /// address and port, a verification tag, a TEID, a SEID, or one of a UE's identifiers; where there is no UE of a 5G-S-TMSI or
    /// of a GUAMI, this is where one would go.
    ///
    /// # Errors
    /// [`ControlError::Key`], [`ControlError::Maps`].
    async fn explain(&self, key: &str) -> Result<Vec<Explanation>, ControlError>;
}

/// A tunnel and its filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelFilters {
    /// Its service.
    pub service: String,
    /// The endpoint that gets what no filter takes, `POOL/NAME`.
    pub endpoint: String,
    /// The addresses that clients send to.
    pub addresses: Vec<IpAddr>,
    /// The TEID that clients send to.
    pub teid: u32,
    /// The filters, in the order in which they are asked:
    /// `PROTOCOL from PREFIX [PORTS] to PREFIX [PORTS] via POOL/NAME [teid NUMBER]`.
    pub filters: Vec<String>,
}

/// A service and how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// What is balanced.
    pub protocol: Protocol,
    /// Its port.
    pub port: u16,
    /// Its address on each path.
    pub addresses: Vec<IpAddr>,
    /// Its pool.
    pub pool: String,
    /// Which endpoint a new session gets.
    pub algorithm: Algorithm,
    /// How many endpoints get new sessions.
    pub serving: u32,
    /// How many endpoints there are.
    pub endpoints: u32,
    /// How many sessions it has.
    pub sessions: u64,
}

impl ServiceView {
    /// How a new session's endpoint is chosen: the algorithm, or `rules` where a UE's AMF is.
    #[must_use]
    pub fn choice(&self) -> &'static str {
        chosen_by(self.protocol, self.algorithm)
    }
}

/// How new sessions' endpoints are chosen, as people read it. NGAP goes by what UEs and AMFs say of themselves.
pub(crate) fn chosen_by(protocol: Protocol, algorithm: Algorithm) -> &'static str {
    match protocol {
        Protocol::Ngap => "rules",
        _ => algorithm.as_written(),
    }
}

/// An endpoint and how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointView {
    /// Its pool.
    pub pool: String,
    /// Its name.
    pub name: String,
    /// Its port; `None`: the service's.
    pub port: Option<u16>,
    /// The weight that it is configured with, or was given since.
    pub weight: u32,
    /// The weight that it has now: less in slow start, 0 when it gets no new sessions.
    pub effective: u32,
    /// Its group.
    pub priority: u8,
    /// How it is.
    pub state: EndpointState,
    /// Why, in words.
    pub why: String,
    /// How long it has been so.
    pub since: Duration,
    /// Its paths.
    pub paths: Vec<PathView>,
    /// How many sessions it has.
    pub sessions: u64,
    /// While it drains: how long until the rest are ended.
    pub deadline: Option<Duration>,
    /// What its traffic shows.
    pub traffic: TrafficView,
    /// Of a UPF behind PFCP: percent of its capacity that it says is in use, 1 to 100; `None`: it says none.
    pub load: Option<u8>,
}

/// What an endpoint's traffic shows, beside what probes find. Counts are since the daemon began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficView {
    /// How many TCP connections it refused by a RST.
    pub resets: u64,
    /// How many SCTP associations it refused by an ABORT.
    pub aborts: u64,
    /// How many packets of its sessions could not be delivered, as ICMP said.
    pub unreachables: u64,
    /// How many sessions wait for a reply; 0 where a reply of any was seen.
    pub unanswered: u64,
    /// What of it is worth a look, in words; empty where nothing is.
    pub notice: String,
}

/// How an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointState {
    /// Not probed yet; it gets sessions.
    Unknown,
    /// At least one path answers.
    Up,
    /// No path answers.
    Down,
    /// It gets no new sessions; those it has stay.
    Draining,
    /// It was drained and has no session left.
    Drained,
}

/// A path of an endpoint and how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct PathView {
    /// The endpoint's address on it.
    pub address: IpAddr,
    /// Whether it answers; `None`: not probed yet, or not at all.
    pub up: Option<bool>,
    /// What was seen last, in words.
    pub why: String,
    /// How long it has been so.
    pub since: Duration,
    /// How long the last answer took.
    pub round_trip: Option<Duration>,
}

/// Which sessions are asked for; a part that is `None` lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Of this service.
    pub service: Option<String>,
    /// On this endpoint: `NAME` or `POOL/NAME`.
    pub endpoint: Option<String>,
    /// From this client.
    pub client: Option<IpAddr>,
    /// In this state.
    pub state: Option<SessionState>,
}

/// Which page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAsk {
    /// At the most so many, 1 to 10,000.
    pub limit: u32,
    /// Where the page before ended; `None`: the first.
    pub cursor: Option<String>,
}

/// A page of sessions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<SessionView>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// A session and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionView {
    /// Its service.
    pub service: String,
    /// Its endpoint, as `POOL/NAME`.
    pub endpoint: String,
    /// What its packets are found by.
    pub key: SessionKey,
    /// How far it has come.
    pub state: SessionState,
    /// Who pinned it.
    pub origin: Origin,
    /// How long ago its last packet was seen, in whole seconds; `None`: never looked.
    pub idle: Option<Duration>,
}

/// What a session's packets are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKey {
    /// A UDP or TCP flow.
    Flow {
        /// Where the client sends from.
        client: SocketAddr,
        /// Where it sends to.
        service: SocketAddr,
    },
    /// An SCTP association.
    Association {
        /// The client's port.
        client_port: u16,
        /// The service's port.
        service_port: u16,
        /// The tag that packets to the service carry.
        tag: u32,
        /// The tag that packets to the client carry.
        client_tag: u32,
    },
    /// A GTP-U tunnel.
    Tunnel {
        /// The service's address; `None` where the tunnel was placed by hashing.
        address: Option<IpAddr>,
        /// The TEID that the service's clients know.
        teid: u32,
        /// The TEID that the endpoint knows.
        endpoint_teid: u32,
    },
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Being made.
    Opening,
    /// Under way.
    Established,
    /// Being ended.
    Closing,
    /// Ended; late packets still find their way.
    Closed,
}

/// Who pinned a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The packet path, at the session's first packet.
    Placed,
    /// A decoder, from the control plane.
    Learned,
    /// The configuration or the API.
    Configured,
    /// The store, after a restart.
    Restored,
}

/// Counters and fill levels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// The daemon's version.
    pub version: String,
    /// How long the daemon has run.
    pub uptime: Duration,
    /// How many packets there were, by what became of them.
    pub packets: Vec<PacketCount>,
    /// Tables and how full they are.
    pub tables: Vec<TableLevel>,
    /// How many sessions there are.
    pub sessions: u64,
    /// How many sessions were placed since the tables were made.
    pub placed: u64,
    /// How many ended by timeout or otherwise.
    pub ended: u64,
    /// The store.
    pub store: StoreLevel,
    /// Interfaces that XDP is attached to, and how.
    pub interfaces: Vec<InterfaceView>,
    /// The N4 front ends, by the name of their service.
    pub front_ends: Vec<N4FrontEnd>,
    /// The GTPv2-C front ends, by the name of their service.
    pub gtpc: Vec<GtpcFrontEnd>,
    /// The SCP, where one runs.
    pub sbi: Option<SbiStats>,
    /// The N2 front ends, by the name of their service.
    pub n2: Vec<N2FrontEnd>,
    /// What is heard of services that are listened to.
    pub heard: Heard,
}

/// How many packets there were for a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketCount {
    /// The reason, as `pinion replay` shows it.
    pub reason: String,
    /// What becomes of such packets: `pass`, `drop`, `transmit` or `redirect`.
    pub verdict: String,
    /// How many.
    pub packets: u64,
}

/// How full a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLevel {
    /// Its name.
    pub name: String,
    /// How many entries are in it.
    pub used: u64,
    /// How many fit.
    pub bound: u64,
}

/// How the store is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreLevel {
    /// `memory` or the address, without a password.
    pub kind: String,
    /// Whether it answers.
    pub up: bool,
    /// What it said last, where it does not.
    pub why: String,
    /// How many changes wait for it.
    pub waiting: u64,
    /// How long the oldest has waited.
    pub lag: Duration,
    /// How many changes were written.
    pub written: u64,
    /// How many were given up.
    pub lost: u64,
}

/// An interface that XDP is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceView {
    /// Its name.
    pub name: String,
    /// `native` or `generic`; `missing` where it is gone.
    pub attached: String,
}

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// How many services are in force.
    pub services: u32,
    /// What was added, changed and removed, a line each.
    pub changes: Vec<String>,
}

/// Why a session is on its endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The session.
    pub session: Explained,
    /// The steps that led there, in order.
    pub steps: Vec<String>,
}

/// What is explained.
#[derive(Clone, Debug, PartialEq)]
pub enum Explained {
    /// What the packet path steers.
    Session(SessionView),
    /// What the daemon speaks PFCP for.
    N4(N4SessionView),
    /// What the daemon speaks GTPv2-C for.
    Gtpc(GtpcSessionView),
    /// A resource that the SCP keeps on its producer.
    Sbi(SbiResource),
    /// A UE, or where one would go.
    N2(N2Explained),
}
