//! What an SCP is told: its name, its routes, its bounds. A value; what is told later replaces it whole.

use std::time::Duration;

use http::uri::Authority;
use http::{HeaderValue, StatusCode};

use crate::api_root::ApiRoot;
use crate::authorization::AuthorizationSettings;
use crate::discovery::DiscoverySettings;
use crate::nrf::NrfSettings;

/// All that an SCP goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Who it is.
    pub identity: Identity,
    /// Public land mobile networks that are at home: MCC and MNC. Authorities of others are reached through the SEPP.
    pub plmns: Vec<Plmn>,
    /// The way to other networks (TS 29.500 6.1.4.3.3).
    pub sepp: Option<ApiRoot>,
    /// Which targets another SCP is asked for. The first that matches counts.
    pub next_hops: Vec<NextHop>,
    /// Bounds of what one client, one producer and all together may take.
    pub limits: Limits,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// When another producer is tried.
    pub retries: Retries,
    /// What overload is, and whom it spares.
    pub overload: Overload,
    /// Statuses that vendors differ in.
    pub statuses: Statuses,
    /// SCPs that a request may pass after this one where its client sets no 3gpp-Sbi-Max-Forward-Hops: 0 to 99. None: as
    /// many as there are.
    pub forward_hops: Option<u8>,
    /// What to do with 307 and 308 of producers.
    pub redirects: Redirects,
    /// Which targets clients are to reach through another SCP instead. The first that matches counts.
    pub redirections: Vec<Redirection>,
    /// The NRF; none: only what clients name is found.
    pub nrf: Option<NrfSettings>,
    /// What is remembered of discovery.
    pub discovery: DiscoverySettings,
    /// When clients get access tokens.
    pub authorization: AuthorizationSettings,
    /// Whether certificates must name NF instances.
    pub identities: Identities,
}

/// Who an SCP is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its FQDN: `Server` and `Via` are `SCP-` and this.
    pub fqdn: String,
    /// The authorities that clients know it by, as in `:authority`. A request for any other is from a client that does not
    /// know of the SCP, and is routed by that authority (6.10.2A).
    pub authorities: Vec<Authority>,
    /// What comes before paths, `/1/2/3`, or empty.
    pub prefix: String,
    /// Its NF instance, where it has one.
    pub instance: Option<String>,
}

/// A public land mobile network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plmn {
    /// Mobile country code: 3 digits.
    pub mcc: String,
    /// Mobile network code: 3 digits, a code of 2 digits with a 0 before it, as FQDNs have it (TS 23.003 28.2).
    pub mnc: String,
}

/// A way through another SCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// For which targets.
    pub targets: Targets,
    /// The other SCP.
    pub api_root: ApiRoot,
    /// Whether it discovers and selects, so that it is given 3gpp-Sbi-Discovery-* and no target (6.10.3.2).
    pub delegate: bool,
}

/// Targets of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// All.
    All,
    /// Authorities whose host is this or ends with it after a dot.
    Domain(String),
    /// Services by name, as `nudm-sdm`.
    Services(Vec<String>),
    /// Networks.
    Plmns(Vec<Plmn>),
}

/// Targets that clients are to reach through another SCP (6.10.9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// Which.
    pub targets: Targets,
    /// The other SCP.
    pub api_root: ApiRoot,
    /// When they are.
    pub when: When,
    /// Whether clients are to remember it: 308 instead of 307.
    pub permanent: bool,
}

/// When clients are told to go to another SCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Always.
    #[default]
    Always,
    /// While this SCP is hot ([`Overload::hot`]).
    Hot,
    /// While it ends: what still comes on connections that are being closed.
    Draining,
}

/// Bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of clients.
    pub connections: usize,
    /// Streams of one client's connection at a time.
    pub streams: u32,
    /// Octets of a request's or response's headers, as RFC 9113 6.5.2 counts them.
    pub headers: u32,
    /// Octets that may come on one stream before they are sent on.
    pub stream_window: u32,
    /// Octets that may come on one connection before they are sent on.
    pub connection_window: u32,
    /// Octets that may come on all connections together before they are sent on, beside 65535 for each; beyond, windows stay as
    /// small as that.
    pub buffered: usize,
    /// Streams that a client may reset before they were looked at (rapid reset, CVE-2023-44487).
    pub resets: usize,
    /// Requests that are worked on at a time.
    pub requests: usize,
    /// Requests that wait for that, the most important first; beyond, the least important are refused.
    pub waiting: usize,
    /// Connections to one producer.
    pub producer_connections: usize,
    /// Octets of a request's content that are kept for another attempt; of longer content there is none.
    pub kept: usize,
    /// Resources that are pinned; of more, those that are asked for least stay where their URI says.
    pub pins: usize,
}

/// How long is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For TLS and HTTP/2 to begin on a client's connection.
    pub handshake: Duration,
    /// For a connection to a producer.
    pub connect: Duration,
    /// For a response, where the client sets no 3gpp-Sbi-Max-Rsp-Time.
    pub response: Duration,
    /// For a response of one producer, before another is asked beside it; at most half of the time that is left.
    pub attempt: Duration,
    /// For content to move, either way.
    pub stall: Duration,
    /// Before a client's connection without requests is closed.
    pub client_idle: Duration,
    /// Before a producer's connection without requests is closed.
    pub producer_idle: Duration,
    /// Between PINGs on a producer's connection with requests; one that is not answered by the next ends it.
    pub ping: Duration,
    /// For requests under way when connections are closed.
    pub drain: Duration,
    /// Before the second address of a name is tried beside the first (RFC 8305 5).
    pub attempt_delay: Duration,
    /// How long the addresses of a name are remembered, where who knows them does not say.
    pub names: Duration,
}

/// When another producer is tried (TS 29.500 5.2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Attempts of one request, the first among them, but for those at producers that cannot be reached.
    pub attempts: usize,
    /// Retries in percent of requests, so that they never multiply load.
    pub budget: u32,
    /// Retries that are free whatever the budget, a second.
    pub spare: u32,
    /// Failures in a row after which a producer is chosen last.
    pub failures: u32,
    /// How long it is, before one request tries it again.
    pub probation: Duration,
    /// Whether clients are told to try nobody else, where this SCP itself answers 429, 503 or 504: no-retry in
    /// 3gpp-Sbi-Response-Info.
    pub final_answers: bool,
}

/// What overload is, and whom it spares (TS 29.500 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overload {
    /// Priorities up to this are sent to producers that are overloaded, too: 0 to 31.
    pub exempt: u8,
    /// Percent of `limits.requests` from which clients are told to send less.
    pub hot: u8,
}

/// Statuses that vendors differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// Of MSG_LOOP_DETECTED.
    pub looped: StatusCode,
    /// Of MAX_SCP_HOPS_REACHED.
    pub hops: StatusCode,
}

/// What to do with 307 and 308 of producers, and of SCPs and SEPPs that send to others of their kind (6.10.9.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirects {
    /// The client gets them.
    #[default]
    Relay,
    /// Whom they name is asked instead.
    Follow,
}

/// Whether certificates must name the NF instances that are met (TS 33.310 6.1.3c).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    /// Those of clients: the NF instance that a request says it comes from.
    pub clients: Matching,
    /// Those of producers: the NF instance that was looked up.
    pub producers: Matching,
    /// DNS names in certificates of SCPs and SEPPs, who speak for other clients.
    pub relays: Vec<String>,
}

/// When a certificate must name an NF instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// Never: that its authority knows it is enough.
    #[default]
    Off,
    /// Where there is a certificate, and it is told which NF instance it should be.
    Told,
    /// Always: there must be a certificate, and it must name an NF instance, that which is told where one is.
    Required,
}

impl Settings {
    /// An SCP of this name that clients know by these authorities, with what is usual for the rest.
    #[must_use]
    pub fn new(fqdn: &str, authorities: Vec<Authority>) -> Self {
        Self {
            identity: Identity { fqdn: fqdn.to_owned(), authorities, prefix: String::new(), instance: None },
            plmns: Vec::new(),
            sepp: None,
            next_hops: Vec::new(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            overload: Overload::default(),
            statuses: Statuses::default(),
            forward_hops: None,
            redirects: Redirects::default(),
            redirections: Vec::new(),
            nrf: None,
            discovery: DiscoverySettings::default(),
            authorization: AuthorizationSettings::default(),
            identities: Identities::default(),
        }
    }
}

impl Identity {
    /// `SCP-` and its FQDN.
    #[must_use]
    pub(crate) fn tag(&self) -> HeaderValue {
        HeaderValue::try_from(format!("SCP-{}", self.fqdn)).unwrap_or(HeaderValue::from_static("SCP"))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            streams: 256,
            headers: 65_536,
            stream_window: 262_144,
            connection_window: 4_194_304,
            buffered: 2_147_483_648,
            resets: 32,
            requests: 10_000,
            waiting: 10_000,
            producer_connections: 8,
            kept: 65_536,
            pins: 1_000_000,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            connect: Duration::from_secs(2),
            response: Duration::from_secs(15),
            attempt: Duration::from_secs(4),
            stall: Duration::from_secs(15),
            client_idle: Duration::from_mins(5),
            producer_idle: Duration::from_mins(2),
            ping: Duration::from_mins(1),
            drain: Duration::from_secs(30),
            attempt_delay: Duration::from_millis(250),
            names: Duration::from_secs(30),
        }
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 3,
            budget: 20,
            spare: 10,
            failures: 5,
            probation: Duration::from_secs(10),
            final_answers: false,
        }
    }
}

impl Default for Overload {
    fn default() -> Self {
        Self { exempt: 7, hot: 80 }
    }
}

impl Default for Statuses {
    fn default() -> Self {
        Self { looped: StatusCode::BAD_REQUEST, hops: StatusCode::BAD_GATEWAY }
    }
}
