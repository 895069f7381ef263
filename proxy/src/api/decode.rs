//! What came over the wire, as what it means.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use super::{gtpc, heard, n2, n4, sbi, v1};
use pinion_protocols::ngap::TextError;

use crate::config::model::{Algorithm, Protocol};
use crate::control::{
    EndpointState, EndpointView, Explained, Explanation, InterfaceView, Origin, PacketCount, PathView, Reloaded,
    ServiceView, SessionKey, SessionPage, SessionState, SessionView, Stats, StoreLevel, TableLevel, TrafficView,
    TunnelFilters,
};

/// A value that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeaningError {
    /// Text that is no IP address.
    #[error("{field}: {text:?} is no IP address")]
    Address {
        /// Where it was.
        field: &'static str,
        /// What was there.
        text: String,
    },
    /// A number that does not fit.
    #[error("{field}: {number} is above {most}")]
    Number {
        /// Where it was.
        field: &'static str,
        /// What was there.
        number: u32,
        /// What fits.
        most: u32,
    },
    /// Text that is no identity.
    #[error("{field}: {text:?} is none: {why}")]
    Identity {
        /// Where it was.
        field: &'static str,
        /// What was there.
        text: String,
        /// What is wrong.
        why: TextError,
    },
    /// A value of an enum that this version does not know.
    #[error("{field}: no value {value} is known")]
    Enum {
        /// Where it was.
        field: &'static str,
        /// What was there.
        value: i32,
    },
    /// Something that must be there is not, or is of a kind that this version does not know.
    #[error("{field}: missing")]
    Missing {
        /// What.
        field: &'static str,
    },
}

pub(super) fn service(wire: v1::Service) -> Result<ServiceView, MeaningError> {
    Ok(ServiceView {
        protocol: match wire.protocol() {
            v1::Protocol::Udp => Protocol::Udp,
            v1::Protocol::Tcp => Protocol::Tcp,
            v1::Protocol::Sctp => Protocol::Sctp,
            v1::Protocol::Gtpu => Protocol::Gtpu,
            v1::Protocol::Pfcp => Protocol::Pfcp,
            v1::Protocol::Gtpc => Protocol::Gtpc,
            v1::Protocol::Ngap => Protocol::Ngap,
            v1::Protocol::Unspecified => return Err(unknown("protocol", wire.protocol)),
        },
        algorithm: match wire.algorithm() {
            v1::Algorithm::Maglev => Algorithm::Maglev,
            v1::Algorithm::RoundRobin => Algorithm::RoundRobin,
            v1::Algorithm::Weighted => Algorithm::Weighted,
            v1::Algorithm::LeastSessions => Algorithm::LeastSessions,
            v1::Algorithm::SourceAffinity => Algorithm::SourceAffinity,
            v1::Algorithm::Unspecified => return Err(unknown("algorithm", wire.algorithm)),
        },
        name: wire.name,
        port: port("port", wire.port)?,
        addresses: wire.addresses.iter().map(|text| address("addresses", text)).collect::<Result<Vec<_>, _>>()?,
        pool: wire.pool,
        serving: wire.serving,
        endpoints: wire.endpoints,
        sessions: wire.sessions,
    })
}

pub(super) fn endpoint(wire: v1::Endpoint) -> Result<EndpointView, MeaningError> {
    Ok(EndpointView {
        state: match wire.state() {
            v1::EndpointState::Unknown => EndpointState::Unknown,
            v1::EndpointState::Up => EndpointState::Up,
            v1::EndpointState::Down => EndpointState::Down,
            v1::EndpointState::Draining => EndpointState::Draining,
            v1::EndpointState::Drained => EndpointState::Drained,
            v1::EndpointState::Unspecified => return Err(unknown("state", wire.state)),
        },
        pool: wire.pool,
        name: wire.name,
        port: wire.port.map(|number| port("port", number)).transpose()?,
        weight: wire.weight,
        effective: wire.effective_weight,
        priority: u8::try_from(wire.priority).map_err(|_| MeaningError::Number {
            field: "priority",
            number: wire.priority,
            most: u8::MAX.into(),
        })?,
        why: wire.why,
        since: Duration::from_millis(wire.since_ms),
        paths: wire.paths.into_iter().map(path).collect::<Result<_, _>>()?,
        sessions: wire.sessions,
        deadline: wire.deadline_ms.map(Duration::from_millis),
        traffic: wire.traffic.map(traffic).unwrap_or_default(),
        load: wire.load_percent.map(|it| percent("load_percent", it)).transpose()?,
    })
}

fn traffic(wire: v1::Traffic) -> TrafficView {
    let v1::Traffic { resets, aborts, unreachables, unanswered, notice } = wire;
    TrafficView { resets, aborts, unreachables, unanswered, notice }
}

fn path(wire: v1::Path) -> Result<PathView, MeaningError> {
    Ok(PathView {
        address: address("paths.address", &wire.address)?,
        up: wire.up,
        why: wire.why,
        since: Duration::from_millis(wire.since_ms),
        round_trip: wire.round_trip_us.map(Duration::from_micros),
    })
}

pub(super) fn page(wire: v1::ListSessionsResponse) -> Result<SessionPage, MeaningError> {
    Ok(SessionPage {
        sessions: wire.sessions.into_iter().map(session).collect::<Result<_, _>>()?,
        next: wire.next,
    })
}

pub(super) fn session(wire: v1::Session) -> Result<SessionView, MeaningError> {
    Ok(SessionView {
        state: session_state(wire.state)?.ok_or(unknown("state", wire.state))?,
        origin: match wire.origin() {
            v1::Origin::Placed => Origin::Placed,
            v1::Origin::Learned => Origin::Learned,
            v1::Origin::Configured => Origin::Configured,
            v1::Origin::Restored => Origin::Restored,
            v1::Origin::Unspecified => return Err(unknown("origin", wire.origin)),
        },
        service: wire.service,
        endpoint: wire.endpoint,
        key: key(wire.key.ok_or(MeaningError::Missing { field: "key" })?)?,
        idle: wire.idle_ms.map(Duration::from_millis),
    })
}

fn key(wire: v1::session::Key) -> Result<SessionKey, MeaningError> {
    Ok(match wire {
        v1::session::Key::Flow(flow) => SessionKey::Flow {
            client: SocketAddr::new(
                address("client_address", &flow.client_address)?,
                port("client_port", flow.client_port)?,
            ),
            service: SocketAddr::new(
                address("service_address", &flow.service_address)?,
                port("service_port", flow.service_port)?,
            ),
        },
        v1::session::Key::Association(association) => SessionKey::Association {
            client_port: port("client_port", association.client_port)?,
            service_port: port("service_port", association.service_port)?,
            tag: association.tag,
            client_tag: association.client_tag,
        },
        v1::session::Key::Tunnel(tunnel) => SessionKey::Tunnel {
            address: tunnel.service_address.map(|text| address("service_address", &text)).transpose()?,
            teid: tunnel.teid,
            endpoint_teid: tunnel.endpoint_teid,
        },
    })
}

pub(super) fn stats(wire: v1::Stats) -> Result<Stats, MeaningError> {
    let store = wire.store.ok_or(MeaningError::Missing { field: "store" })?;
    let packets = wire.packets.into_iter();
    let tables = wire.tables.into_iter();
    let interfaces = wire.interfaces.into_iter();
    Ok(Stats {
        version: wire.version,
        uptime: Duration::from_millis(wire.uptime_ms),
        packets: packets
            .map(|count| PacketCount { reason: count.reason, verdict: count.verdict, packets: count.packets })
            .collect(),
        tables: tables
            .map(|level| TableLevel { name: level.name, used: level.used, bound: level.bound })
            .collect(),
        sessions: wire.sessions,
        placed: wire.placed,
        ended: wire.ended,
        store: StoreLevel {
            kind: store.kind,
            up: store.up,
            why: store.why,
            waiting: store.waiting,
            lag: Duration::from_millis(store.lag_ms),
            written: store.written,
            lost: store.lost,
        },
        interfaces: interfaces
            .map(|interface| InterfaceView { name: interface.name, attached: interface.attached })
            .collect(),
        front_ends: wire.n4_front_ends.into_iter().map(n4::decode_front_end).collect::<Result<_, _>>()?,
        gtpc: wire.gtpc_front_ends.into_iter().map(gtpc::decode_front_end).collect::<Result<_, _>>()?,
        n2: wire.n2_front_ends.into_iter().map(n2::decode_front_end).collect::<Result<_, _>>()?,
        heard: wire.heard.map(heard::decode).transpose()?.unwrap_or_default(),
        sbi: wire.sbi.map(sbi::decode_stats).transpose()?,
    })
}

pub(super) fn reloaded(wire: v1::ReloadResponse) -> Reloaded {
    Reloaded { services: wire.services, changes: wire.changes }
}

pub(super) fn filters(wire: v1::TunnelFilters) -> Result<TunnelFilters, MeaningError> {
    let v1::TunnelFilters { service, endpoint, addresses, teid, filters } = wire;
    let addresses: Result<_, _> = addresses.iter().map(|text| address("addresses", text)).collect();
    Ok(TunnelFilters { service, endpoint, addresses: addresses?, teid, filters })
}

pub(super) fn explanation(mut wire: v1::Explanation) -> Result<Explanation, MeaningError> {
    let steps = std::mem::take(&mut wire.steps);
    let session = match wire {
        v1::Explanation { session: Some(of), .. } => Explained::Session(session(of)?),
        v1::Explanation { n4_session: Some(of), .. } => Explained::N4(n4::decode_session(of)?),
        v1::Explanation { gtpc_session: Some(of), .. } => Explained::Gtpc(gtpc::decode_session(of)?),
        v1::Explanation { n2: Some(of), .. } => Explained::N2(n2::decode_explained(of)?),
        v1::Explanation { sbi_resource: Some(of), .. } => Explained::Sbi(sbi::decode_resource(of)),
        _ => return Err(MeaningError::Missing { field: "session" }),
    };
    Ok(Explanation { session, steps })
}

/// A session's state; `None` where none is said.
pub(super) fn session_state(value: i32) -> Result<Option<SessionState>, MeaningError> {
    Ok(match v1::SessionState::try_from(value).map_err(|_| unknown("state", value))? {
        v1::SessionState::Unspecified => None,
        v1::SessionState::Opening => Some(SessionState::Opening),
        v1::SessionState::Established => Some(SessionState::Established),
        v1::SessionState::Closing => Some(SessionState::Closing),
        v1::SessionState::Closed => Some(SessionState::Closed),
    })
}

pub(super) fn address(field: &'static str, text: &str) -> Result<IpAddr, MeaningError> {
    text.parse().map_err(|_| MeaningError::Address { field, text: text.to_owned() })
}

fn port(field: &'static str, port: u32) -> Result<u16, MeaningError> {
    number(field, port, u16::MAX.into())
}

/// A number that must fit.
pub(super) fn number<T: TryFrom<u32>>(field: &'static str, number: u32, most: u32) -> Result<T, MeaningError> {
    T::try_from(number).map_err(|_| MeaningError::Number { field, number, most })
}

/// An identity that is written as text.
pub(super) fn text<T: FromStr<Err = TextError>>(field: &'static str, text: String) -> Result<T, MeaningError> {
    text.parse().map_err(|why| MeaningError::Identity { field, text, why })
}

/// A part of something, in percent.
pub(super) fn percent(field: &'static str, number: u32) -> Result<u8, MeaningError> {
    let fits = u8::try_from(number).ok().filter(|percent| *percent <= 100);
    fits.ok_or(MeaningError::Number { field, number, most: 100 })
}

pub(super) fn unknown(field: &'static str, value: i32) -> MeaningError {
    MeaningError::Enum { field, value }
}
