use pinion_gtpc::{Bounds, Endpoint, Settings, Timers};

use crate::config::model::Service;
use crate::pool::{self, Pools};
use crate::spoken::{name, placement, weight};

/// What the front end of a service is told: the configuration, and what operators asked for since. `None`: the service
/// has no such front end.
#[must_use]
pub fn settings(pools: &Pools, service: &Service) -> Option<Settings> {
    let gtpc = service.gtpc.as_ref()?;
    let endpoint = |endpoint: &pool::Endpoint| {
        Some(Endpoint {
            name: name(&service.pool, &endpoint.config.name),
            address: *endpoint.config.addresses.first()?,
            weight: weight(service, endpoint),
            priority: endpoint.config.priority,
            drained: endpoint.draining.is_some(),
        })
    };
    Some(Settings {
        address: *service.addresses.first()?,
        endpoints: pools.of(&service.pool).filter_map(endpoint).collect(),
        placement: placement(service),
        timers: Timers { echo: gtpc.echo, t3: gtpc.t3, n3: gtpc.n3 },
        bounds: Bounds { sessions: gtpc.sessions, clients: gtpc.clients, ..Bounds::default() },
    })
}
