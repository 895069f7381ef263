use std::time::Duration;

use pinion_loader::setup::{EndpointSpec, ServiceSpec};

use super::Endpoint;
use crate::config;
use crate::config::model::{Algorithm, AllDown, Pool, Service};

/// What the packet path is given for a service; `None`: it has no place there.
pub(super) fn spec(
    service: &Service,
    (pool, endpoints): (&Pool, &[Endpoint]),
    exits: Option<(&Pool, &[Endpoint])>,
    now: Duration,
) -> Option<ServiceSpec> {
    let (kind, protocol) = config::kind(service.protocol)?;
    let weights = weights(service, pool, endpoints, now);
    let endpoint = |(endpoint, weight): (&Endpoint, u32)| EndpointSpec {
        name: endpoint.config.name.clone(),
        addresses: endpoint.config.addresses.clone(),
        port: endpoint.config.port.unwrap_or(service.port),
        weight,
        up: weight > 0 || endpoint.up() != Some(false),
    };
    let exit = |pool: &str, endpoint: &Endpoint| {
        config::exit(pool, &endpoint.config, service, endpoint.up() != Some(false))
    };
    Some(ServiceSpec {
        name: service.name.clone(),
        kind,
        protocol,
        port: service.port,
        addresses: service.addresses.clone(),
        unknown: config::unknown(service.unknown),
        placement: config::placement(service.algorithm),
        exhausted: config::exhausted(service.all_down),
        endpoints: endpoints.iter().zip(weights).map(endpoint).collect(),
        aware: service.aware.is_some(),
        exits: exits
            .iter()
            .flat_map(|(pool, endpoints)| endpoints.iter().map(|endpoint| exit(&pool.name, endpoint)))
            .collect(),
    })
}

/// The weight that each endpoint has now for new sessions of a service.
///
/// While one is in slow start all weights are ten times theirs, so that a tenth of the smallest is a number.
pub(super) fn weights(service: &Service, pool: &Pool, endpoints: &[Endpoint], now: Duration) -> Vec<u32> {
    let serving = serving(endpoints, service.all_down);
    let alike = service.algorithm == Algorithm::RoundRobin;
    let weight = |endpoint: &Endpoint| if alike { 1 } else { endpoint.weight };
    let tenths = |endpoint: &Endpoint| endpoint.tenths(pool.slow_start, now);
    let chosen = || endpoints.iter().zip(&serving).filter(|(_, serving)| **serving).map(|(endpoint, _)| endpoint);
    // All in slow start alike is none in slow start.
    let most = chosen().map(tenths).max().unwrap_or_default();
    let slow = chosen().any(|endpoint| tenths(endpoint) < most);
    let part = |endpoint: &Endpoint| if slow { tenths(endpoint) } else { 1 };
    endpoints
        .iter()
        .zip(serving)
        .map(|(endpoint, serving)| if serving { weight(endpoint).saturating_mul(part(endpoint)) } else { 0 })
        .collect()
}

/// Which endpoints get new sessions: the eligible ones of the first group that has any.
pub(super) fn serving(endpoints: &[Endpoint], all_down: AllDown) -> Vec<bool> {
    let first = |fit: &dyn Fn(&Endpoint) -> bool| {
        endpoints.iter().filter(|endpoint| fit(endpoint)).map(|endpoint| endpoint.config.priority).min()
    };
    let of = |group: u8, fit: &dyn Fn(&Endpoint) -> bool| {
        endpoints.iter().map(|endpoint| endpoint.config.priority == group && fit(endpoint)).collect()
    };
    if let Some(group) = first(&Endpoint::eligible) {
        return of(group, &Endpoint::eligible);
    }
    let asked = |endpoint: &Endpoint| endpoint.draining.is_none() && endpoint.weight > 0;
    match first(&asked).filter(|_| all_down == AllDown::FailOpen) {
        Some(group) => of(group, &asked),
        None => vec![false; endpoints.len()],
    }
}
