//! The JSON of the commands that ask a daemon. Its keys are a promise: they are added to, never renamed.
//! Durations are in seconds with fractions, all numbers decimal but SEIDs, and what is not there is `null`.

mod gtpc;
mod heard;
mod n2;
mod n4;
mod sbi;

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use super::words;
use crate::control::{
    EndpointView, Explained as Of, Explanation, PathView, Reloaded, ServiceView, SessionKey, SessionView, Stats,
    TunnelFilters,
};

pub(crate) use gtpc::GtpcSession;
use n2::N2Choice;
pub(crate) use n2::N2Ue;
pub(crate) use n4::N4Session;
pub(crate) use sbi::SbiResource;

#[derive(Debug, Serialize)]
pub(crate) struct Service<'a> {
    name: &'a str,
    protocol: &'static str,
    port: u16,
    addresses: &'a [IpAddr],
    pool: &'a str,
    algorithm: &'static str,
    serving: u32,
    endpoints: u32,
    sessions: u64,
}

impl<'a> From<&'a ServiceView> for Service<'a> {
    fn from(view: &'a ServiceView) -> Self {
        Self {
            name: &view.name,
            protocol: view.protocol.as_written(),
            port: view.port,
            addresses: &view.addresses,
            pool: &view.pool,
            algorithm: view.choice(),
            serving: view.serving,
            endpoints: view.endpoints,
            sessions: view.sessions,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Endpoint<'a> {
    pool: &'a str,
    name: &'a str,
    port: Option<u16>,
    state: &'static str,
    why: &'a str,
    since_seconds: f64,
    weight: u32,
    effective_weight: u32,
    priority: u8,
    sessions: u64,
    load_percent: Option<u8>,
    deadline_seconds: Option<f64>,
    refused: Refused,
    unanswered: u64,
    notice: &'a str,
    paths: Vec<Path<'a>>,
}

#[derive(Debug, Serialize)]
struct Refused {
    rst: u64,
    abort: u64,
    unreachable: u64,
}

#[derive(Debug, Serialize)]
struct Path<'a> {
    address: IpAddr,
    up: Option<bool>,
    why: &'a str,
    since_seconds: f64,
    round_trip_seconds: Option<f64>,
}

impl<'a> From<&'a EndpointView> for Endpoint<'a> {
    fn from(view: &'a EndpointView) -> Self {
        Self {
            pool: &view.pool,
            name: &view.name,
            port: view.port,
            state: words::endpoint_state(view.state).0,
            why: &view.why,
            since_seconds: seconds(view.since),
            weight: view.weight,
            effective_weight: view.effective,
            priority: view.priority,
            sessions: view.sessions,
            load_percent: view.load,
            deadline_seconds: view.deadline.map(seconds),
            refused: Refused {
                rst: view.traffic.resets,
                abort: view.traffic.aborts,
                unreachable: view.traffic.unreachables,
            },
            unanswered: view.traffic.unanswered,
            notice: &view.traffic.notice,
            paths: view.paths.iter().map(Path::from).collect(),
        }
    }
}

impl<'a> From<&'a PathView> for Path<'a> {
    fn from(view: &'a PathView) -> Self {
        Self {
            address: view.address,
            up: view.up,
            why: &view.why,
            since_seconds: seconds(view.since),
            round_trip_seconds: view.round_trip.map(seconds),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Session<'a> {
    service: &'a str,
    endpoint: &'a str,
    key: String,
    state: &'static str,
    origin: &'static str,
    idle_seconds: Option<f64>,
    #[serde(flatten)]
    parts: Parts,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Parts {
    Flow { client_address: IpAddr, client_port: u16, service_address: IpAddr, service_port: u16 },
    Association { client_port: u16, service_port: u16, tag: u32, client_tag: u32 },
    Tunnel { service_address: Option<IpAddr>, teid: u32, endpoint_teid: u32 },
}

impl<'a> From<&'a SessionView> for Session<'a> {
    fn from(view: &'a SessionView) -> Self {
        Self {
            service: &view.service,
            endpoint: &view.endpoint,
            key: words::key(&view.key),
            state: words::session_state(view.state).0,
            origin: words::origin(view.origin),
            idle_seconds: view.idle.map(seconds),
            parts: match view.key {
                SessionKey::Flow { client, service } => Parts::Flow {
                    client_address: client.ip(),
                    client_port: client.port(),
                    service_address: service.ip(),
                    service_port: service.port(),
                },
                SessionKey::Association { client_port, service_port, tag, client_tag } => {
                    Parts::Association { client_port, service_port, tag, client_tag }
                }
                SessionKey::Tunnel { address, teid, endpoint_teid } => {
                    Parts::Tunnel { service_address: address, teid, endpoint_teid }
                }
            },
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct All<'a> {
    version: &'a str,
    uptime_seconds: f64,
    sessions: u64,
    placed: u64,
    ended: u64,
    packets: Vec<Packets<'a>>,
    tables: Vec<Table<'a>>,
    store: Store<'a>,
    interfaces: Vec<Interface<'a>>,
    n4: Vec<n4::FrontEnd<'a>>,
    gtpc: Vec<gtpc::FrontEnd<'a>>,
    n2: Vec<n2::FrontEnd<'a>>,
    heard: heard::Heard<'a>,
    sbi: Option<sbi::Scp<'a>>,
}

#[derive(Debug, Serialize)]
struct Packets<'a> {
    verdict: &'a str,
    reason: &'a str,
    packets: u64,
}

#[derive(Debug, Serialize)]
struct Table<'a> {
    name: &'a str,
    used: u64,
    bound: u64,
}

#[derive(Debug, Serialize)]
struct Store<'a> {
    kind: &'a str,
    up: bool,
    why: &'a str,
    waiting: u64,
    lag_seconds: f64,
    written: u64,
    lost: u64,
}

#[derive(Debug, Serialize)]
struct Interface<'a> {
    name: &'a str,
    attached: &'a str,
}

impl<'a> From<&'a Stats> for All<'a> {
    fn from(stats: &'a Stats) -> Self {
        let packets = stats.packets.iter();
        let tables = stats.tables.iter();
        let interfaces = stats.interfaces.iter();
        Self {
            version: &stats.version,
            uptime_seconds: seconds(stats.uptime),
            sessions: stats.sessions,
            placed: stats.placed,
            ended: stats.ended,
            packets: packets
                .map(|count| Packets { verdict: &count.verdict, reason: &count.reason, packets: count.packets })
                .collect(),
            tables: tables
                .map(|level| Table { name: &level.name, used: level.used, bound: level.bound })
                .collect(),
            store: Store {
                kind: &stats.store.kind,
                up: stats.store.up,
                why: &stats.store.why,
                waiting: stats.store.waiting,
                lag_seconds: seconds(stats.store.lag),
                written: stats.store.written,
                lost: stats.store.lost,
            },
            interfaces: interfaces
                .map(|interface| Interface { name: &interface.name, attached: &interface.attached })
                .collect(),
            n4: stats.front_ends.iter().map(n4::FrontEnd::from).collect(),
            gtpc: stats.gtpc.iter().map(gtpc::FrontEnd::from).collect(),
            n2: stats.n2.iter().map(n2::FrontEnd::from).collect(),
            heard: (&stats.heard).into(),
            sbi: stats.sbi.as_ref().map(sbi::Scp::from),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Reload<'a> {
    services: u32,
    changes: &'a [String],
}

impl<'a> From<&'a Reloaded> for Reload<'a> {
    fn from(reloaded: &'a Reloaded) -> Self {
        Self { services: reloaded.services, changes: &reloaded.changes }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Explained<'a> {
    session: Option<Session<'a>>,
    n4_session: Option<N4Session<'a>>,
    gtpc_session: Option<GtpcSession<'a>>,
    n2: Option<N2Choice<'a>>,
    sbi_resource: Option<SbiResource<'a>>,
    steps: &'a [String],
}

impl<'a> From<&'a Explanation> for Explained<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let steps = &explanation.steps;
        let none =
            Self { session: None, n4_session: None, gtpc_session: None, n2: None, sbi_resource: None, steps };
        match &explanation.session {
            Of::Session(it) => Self { session: Some(it.into()), ..none },
            Of::N4(it) => Self { n4_session: Some(it.into()), ..none },
            Of::Gtpc(it) => Self { gtpc_session: Some(it.into()), ..none },
            Of::N2(it) => Self { n2: Some(it.into()), ..none },
            Of::Sbi(it) => Self { sbi_resource: Some(it.into()), ..none },
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Filters<'a> {
    service: &'a str,
    endpoint: &'a str,
    addresses: &'a [IpAddr],
    teid: u32,
    filters: &'a [String],
}

impl<'a> From<&'a TunnelFilters> for Filters<'a> {
    fn from(shown: &'a TunnelFilters) -> Self {
        let TunnelFilters { service, endpoint, addresses, teid, filters } = shown;
        Self { service, endpoint, addresses, teid: *teid, filters }
    }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
