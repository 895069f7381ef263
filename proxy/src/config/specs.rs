//! From a configuration to what the loader lays out, with every endpoint up.

use pinion_loader::setup::{EndpointSpec, ServiceSpec};
use pinion_steering::{Exhausted, Kind, Placement, Unknown, protocol};

use super::model::{self, Algorithm, AllDown, Config, Pool, Protocol, Service};

/// The services of a configuration as they are while every endpoint is up, in its order; those that have no place in
/// the packet path are left out.
#[must_use]
pub fn specs(config: &Config) -> Vec<ServiceSpec> {
    let pool = |name: &str| config.pools.iter().find(|pool| pool.name == name);
    let exits = |service: &Service| service.breakout.as_deref().and_then(pool);
    config.services.iter().filter_map(|service| spec(service, pool(&service.pool), exits(service))).collect()
}

/// How a service's packets are pinned, and by which IP protocol they come; `None`: not in the packet path.
#[must_use]
pub fn kind(protocol: Protocol) -> Option<(Kind, u8)> {
    Some(match protocol {
        Protocol::Udp => (Kind::Flow, protocol::UDP),
        Protocol::Tcp => (Kind::Flow, protocol::TCP),
        Protocol::Sctp => (Kind::Sctp, protocol::SCTP),
        Protocol::Gtpu => (Kind::Gtpu, protocol::UDP),
        Protocol::Pfcp | Protocol::Gtpc | Protocol::Ngap => return None,
    })
}

/// How steering places new sessions. For [`Algorithm::RoundRobin`] the weights are to be made equal besides.
#[must_use]
pub fn placement(algorithm: Algorithm) -> Placement {
    match algorithm {
        Algorithm::Maglev => Placement::Maglev,
        Algorithm::RoundRobin | Algorithm::Weighted => Placement::RoundRobin,
        Algorithm::LeastSessions => Placement::LeastSessions,
        Algorithm::SourceAffinity => Placement::SourceAffinity,
    }
}

/// What steering does where no endpoint takes a new session. For [`AllDown::FailOpen`] all endpoints are to be
/// handed in as up besides.
#[must_use]
pub fn exhausted(all_down: AllDown) -> Exhausted {
    match all_down {
        AllDown::FailOpen | AllDown::Drop => Exhausted::Drop,
        AllDown::Reject => Exhausted::Reject,
    }
}

/// What steering does with packets of no session.
#[must_use]
pub fn unknown(unknown: model::Unknown) -> Unknown {
    match unknown {
        model::Unknown::Drop => Unknown::Drop,
        model::Unknown::Hash => Unknown::Hash,
        model::Unknown::Punt => Unknown::Punt,
        model::Unknown::Indicate => Unknown::Indicate,
    }
}

/// An endpoint of another pool, where a service's users' packets may leave their tunnels.
#[must_use]
pub fn exit(pool: &str, endpoint: &model::Endpoint, service: &Service, up: bool) -> EndpointSpec {
    EndpointSpec {
        name: format!("{pool}/{}", endpoint.name),
        addresses: endpoint.addresses.clone(),
        port: endpoint.port.unwrap_or(service.port),
        weight: 0,
        up,
    }
}

fn spec(service: &Service, pool: Option<&Pool>, exits: Option<&Pool>) -> Option<ServiceSpec> {
    let (kind, protocol) = kind(service.protocol)?;
    let endpoints = pool.map(|pool| pool.endpoints.as_slice()).unwrap_or_default();
    // The first group that can take sessions takes them all.
    let group = endpoints.iter().filter(|endpoint| endpoint.weight > 0).map(|endpoint| endpoint.priority).min();
    let weight = |endpoint: &model::Endpoint| match endpoint.weight {
        weight if weight == 0 || Some(endpoint.priority) != group => 0,
        _ if service.algorithm == Algorithm::RoundRobin => 1,
        weight => weight,
    };
    let endpoint = |endpoint: &model::Endpoint| EndpointSpec {
        name: endpoint.name.clone(),
        addresses: endpoint.addresses.clone(),
        port: endpoint.port.unwrap_or(service.port),
        weight: weight(endpoint),
        up: true,
    };
    Some(ServiceSpec {
        name: service.name.clone(),
        kind,
        protocol,
        port: service.port,
        addresses: service.addresses.clone(),
        unknown: unknown(service.unknown),
        placement: placement(service.algorithm),
        exhausted: exhausted(service.all_down),
        endpoints: endpoints.iter().map(endpoint).collect(),
        aware: service.aware.is_some(),
        exits: exits
            .iter()
            .flat_map(|pool| pool.endpoints.iter().map(|endpoint| exit(&pool.name, endpoint, service, true)))
            .collect(),
    })
}
