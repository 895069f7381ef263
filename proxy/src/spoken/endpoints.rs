//! What front ends are told of endpoints, whatever they speak.

use std::sync::Arc;

use pinion_n4::Placement;

use crate::config::model::{Algorithm, Service};
use crate::pool::Endpoint;

/// How endpoints are chosen for the sessions of a service.
pub(crate) fn placement(service: &Service) -> Placement {
    match service.algorithm {
        Algorithm::LeastSessions => Placement::LeastSessions,
        Algorithm::Maglev | Algorithm::SourceAffinity => Placement::Hash,
        Algorithm::RoundRobin | Algorithm::Weighted => Placement::RoundRobin,
    }
}

/// The weight of an endpoint for the sessions of a service; 0: none.
pub(crate) fn weight(service: &Service, endpoint: &Endpoint) -> u32 {
    match service.algorithm {
        Algorithm::RoundRobin => endpoint.weight.min(1),
        _ => endpoint.weight,
    }
}

/// What an endpoint is called: `POOL/NAME`.
pub(crate) fn name(pool: &str, endpoint: &str) -> Arc<str> {
    format!("{pool}/{endpoint}").into()
}
