use pinion_gtpc::{Bounds, Endpoint, Placement, Settings, Timers};

use crate::config::model::{Algorithm, Service};
use crate::pool::{self, Pools};

/// What the front end of a service is told: the configuration, and what operators asked for since. `None`: the service
/// has no such front end.
#[must_use]
pub fn settings(pools: &Pools, service: &Service) -> Option<Settings> {
    let gtpc = service.gtpc.as_ref()?;
    let placement = match service.algorithm {
        Algorithm::LeastSessions => Placement::LeastSessions,
        Algorithm::Maglev | Algorithm::SourceAffinity => Placement::Hash,
        Algorithm::RoundRobin | Algorithm::Weighted => Placement::RoundRobin,
    };
    let alike = service.algorithm == Algorithm::RoundRobin;
    let endpoint = |endpoint: &pool::Endpoint| {
        Some(Endpoint {
            name: format!("{}/{}", service.pool, endpoint.config.name).into(),
            address: *endpoint.config.addresses.first()?,
            weight: if alike { endpoint.weight.min(1) } else { endpoint.weight },
            priority: endpoint.config.priority,
            drained: endpoint.draining.is_some(),
        })
    };
    Some(Settings {
        address: *service.addresses.first()?,
        endpoints: pools.of(&service.pool).filter_map(endpoint).collect(),
        placement,
        timers: Timers { echo: gtpc.echo, t3: gtpc.t3, n3: gtpc.n3 },
        bounds: Bounds { sessions: gtpc.sessions, clients: gtpc.clients, ..Bounds::default() },
    })
}
