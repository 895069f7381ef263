//! What the daemon shows, as it goes over the wire.

use std::net::IpAddr;
use std::time::Duration;

use super::{gtpc, heard, n2, n4, sbi, v1};
use crate::config::model::{Algorithm, Protocol};
use crate::control::{
    EndpointState, EndpointView, Explained, Explanation, Origin, PathView, Reloaded, ServiceView, SessionFilter,
    SessionKey, SessionPage, SessionState, SessionView, Stats, TrafficView, TunnelFilters,
};

pub(super) fn service(view: ServiceView) -> v1::Service {
    v1::Service {
        name: view.name,
        protocol: protocol(view.protocol).into(),
        port: view.port.into(),
        addresses: view.addresses.iter().map(IpAddr::to_string).collect(),
        pool: view.pool,
        algorithm: algorithm(view.algorithm).into(),
        serving: view.serving,
        endpoints: view.endpoints,
        sessions: view.sessions,
    }
}

pub(super) fn endpoint(view: EndpointView) -> v1::Endpoint {
    v1::Endpoint {
        pool: view.pool,
        name: view.name,
        port: view.port.map(u32::from),
        weight: view.weight,
        effective_weight: view.effective,
        priority: view.priority.into(),
        state: endpoint_state(view.state).into(),
        why: view.why,
        since_ms: milliseconds(view.since),
        paths: view.paths.into_iter().map(path).collect(),
        sessions: view.sessions,
        deadline_ms: view.deadline.map(milliseconds),
        traffic: Some(traffic(view.traffic)),
        load_percent: view.load.map(u32::from),
    }
}

fn traffic(view: TrafficView) -> v1::Traffic {
    let TrafficView { resets, aborts, unreachables, unanswered, notice } = view;
    v1::Traffic { resets, aborts, unreachables, unanswered, notice }
}

fn path(view: PathView) -> v1::Path {
    v1::Path {
        address: view.address.to_string(),
        up: view.up,
        why: view.why,
        since_ms: milliseconds(view.since),
        round_trip_us: view.round_trip.map(micros),
    }
}

pub(super) fn page(page: SessionPage) -> v1::ListSessionsResponse {
    v1::ListSessionsResponse { sessions: page.sessions.into_iter().map(session).collect(), next: page.next }
}

pub(super) fn session(view: SessionView) -> v1::Session {
    v1::Session {
        service: view.service,
        endpoint: view.endpoint,
        key: Some(key(view.key)),
        state: session_state(view.state).into(),
        origin: origin(view.origin).into(),
        idle_ms: view.idle.map(milliseconds),
    }
}

fn key(key: SessionKey) -> v1::session::Key {
    match key {
        SessionKey::Flow { client, service } => v1::session::Key::Flow(v1::Flow {
            client_address: client.ip().to_string(),
            client_port: client.port().into(),
            service_address: service.ip().to_string(),
            service_port: service.port().into(),
        }),
        SessionKey::Association { client_port, service_port, tag, client_tag } => {
            v1::session::Key::Association(v1::Association {
                client_port: client_port.into(),
                service_port: service_port.into(),
                tag,
                client_tag,
            })
        }
        SessionKey::Tunnel { address, teid, endpoint_teid } => v1::session::Key::Tunnel(v1::Tunnel {
            service_address: address.map(|address| address.to_string()),
            teid,
            endpoint_teid,
        }),
    }
}

pub(super) fn filter(filter: SessionFilter, limit: u32, cursor: Option<String>) -> v1::ListSessionsRequest {
    v1::ListSessionsRequest {
        service: filter.service,
        endpoint: filter.endpoint,
        client: filter.client.map(|client| client.to_string()),
        state: filter.state.map_or(v1::SessionState::Unspecified, session_state).into(),
        limit,
        cursor,
    }
}

pub(super) fn stats(stats: Stats) -> v1::Stats {
    let packets = stats.packets.into_iter();
    let tables = stats.tables.into_iter();
    let interfaces = stats.interfaces.into_iter();
    v1::Stats {
        version: stats.version,
        uptime_ms: milliseconds(stats.uptime),
        packets: packets
            .map(|count| v1::PacketCount { reason: count.reason, verdict: count.verdict, packets: count.packets })
            .collect(),
        tables: tables
            .map(|level| v1::TableLevel { name: level.name, used: level.used, bound: level.bound })
            .collect(),
        sessions: stats.sessions,
        placed: stats.placed,
        ended: stats.ended,
        store: Some(v1::Store {
            kind: stats.store.kind,
            up: stats.store.up,
            why: stats.store.why,
            waiting: stats.store.waiting,
            lag_ms: milliseconds(stats.store.lag),
            written: stats.store.written,
            lost: stats.store.lost,
        }),
        interfaces: interfaces
            .map(|interface| v1::Interface { name: interface.name, attached: interface.attached })
            .collect(),
        n4_front_ends: stats.front_ends.into_iter().map(n4::encode_front_end).collect(),
        gtpc_front_ends: stats.gtpc.into_iter().map(gtpc::encode_front_end).collect(),
        n2_front_ends: stats.n2.into_iter().map(n2::encode_front_end).collect(),
        heard: Some(heard::encode(stats.heard)),
        sbi: stats.sbi.map(sbi::encode_stats),
    }
}

pub(super) fn reloaded(reloaded: Reloaded) -> v1::ReloadResponse {
    v1::ReloadResponse { services: reloaded.services, changes: reloaded.changes }
}

pub(super) fn filters(shown: TunnelFilters) -> v1::TunnelFilters {
    let TunnelFilters { service, endpoint, addresses, teid, filters } = shown;
    let addresses = addresses.iter().map(ToString::to_string).collect();
    v1::TunnelFilters { service, endpoint, addresses, teid, filters }
}

pub(super) fn explanation(explanation: Explanation) -> v1::Explanation {
    let steps = explanation.steps;
    let none = v1::Explanation { steps, ..v1::Explanation::default() };
    match explanation.session {
        Explained::Session(of) => v1::Explanation { session: Some(session(of)), ..none },
        Explained::N4(of) => v1::Explanation { n4_session: Some(n4::encode_session(of)), ..none },
        Explained::Gtpc(of) => v1::Explanation { gtpc_session: Some(gtpc::encode_session(of)), ..none },
        Explained::N2(of) => v1::Explanation { n2: Some(n2::encode_explained(of)), ..none },
        Explained::Sbi(of) => v1::Explanation { sbi_resource: Some(sbi::encode_resource(of)), ..none },
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn protocol(protocol: Protocol) -> v1::Protocol {
    match protocol {
        Protocol::Udp => v1::Protocol::Udp,
        Protocol::Tcp => v1::Protocol::Tcp,
        Protocol::Sctp => v1::Protocol::Sctp,
        Protocol::Gtpu => v1::Protocol::Gtpu,
        Protocol::Pfcp => v1::Protocol::Pfcp,
        Protocol::Gtpc => v1::Protocol::Gtpc,
        Protocol::Ngap => v1::Protocol::Ngap,
    }
}

fn algorithm(algorithm: Algorithm) -> v1::Algorithm {
    match algorithm {
        Algorithm::Maglev => v1::Algorithm::Maglev,
        Algorithm::RoundRobin => v1::Algorithm::RoundRobin,
        Algorithm::Weighted => v1::Algorithm::Weighted,
        Algorithm::LeastSessions => v1::Algorithm::LeastSessions,
        Algorithm::SourceAffinity => v1::Algorithm::SourceAffinity,
    }
}

fn endpoint_state(state: EndpointState) -> v1::EndpointState {
    match state {
        EndpointState::Unknown => v1::EndpointState::Unknown,
        EndpointState::Up => v1::EndpointState::Up,
        EndpointState::Down => v1::EndpointState::Down,
        EndpointState::Draining => v1::EndpointState::Draining,
        EndpointState::Drained => v1::EndpointState::Drained,
    }
}

fn session_state(state: SessionState) -> v1::SessionState {
    match state {
        SessionState::Opening => v1::SessionState::Opening,
        SessionState::Established => v1::SessionState::Established,
        SessionState::Closing => v1::SessionState::Closing,
        SessionState::Closed => v1::SessionState::Closed,
    }
}

fn origin(origin: Origin) -> v1::Origin {
    match origin {
        Origin::Placed => v1::Origin::Placed,
        Origin::Learned => v1::Origin::Learned,
        Origin::Configured => v1::Origin::Configured,
        Origin::Restored => v1::Origin::Restored,
    }
}
