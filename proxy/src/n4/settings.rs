use pinion_n4::{Bounds, Breakout, Mode, Serves, Settings, Timers, Upf, UserPlane};

use crate::config::model::{self, Config, PfcpMode, Service};
use crate::pool::{Endpoint, Pools};
use crate::spoken::{name, placement, weight};

/// What the front end of a service is told: the configuration, and what operators asked for since. `None`: the service
/// has no front end.
#[must_use]
pub fn settings(config: &Config, pools: &Pools, service: &Service) -> Option<Settings> {
    let pfcp = service.pfcp.as_ref()?;
    let upf = |endpoint: &Endpoint| {
        let serves = &endpoint.config.serves;
        let text = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect::<Vec<Box<str>>>();
        Some(Upf {
            name: name(&service.pool, &endpoint.config.name),
            address: *endpoint.config.addresses.first()?,
            weight: weight(service, endpoint),
            priority: endpoint.config.priority,
            drained: endpoint.draining.is_some(),
            serves: Serves {
                dnns: text(&serves.dnns),
                slices: serves.slices.clone(),
                network_instances: text(&serves.network_instances),
                ue_addresses: serves.ue_addresses.clone(),
            },
        })
    };
    let user_plane = |service: &Service| UserPlane {
        service: service.name.as_str().into(),
        addresses: service.addresses.clone(),
        endpoints: pools
            .of(&service.pool)
            .map(|endpoint| (name(&service.pool, &endpoint.config.name), endpoint.config.addresses.clone()))
            .collect(),
    };
    let breakout = |it: &model::Breakout| Breakout {
        network_instance: it.network_instance.as_str().into(),
        via: name(&it.pool, &it.endpoint),
    };
    let named = |wanted: &String| config.services.iter().find(|service| service.name == *wanted);
    Some(Settings {
        address: *service.addresses.first()?,
        upfs: pools.of(&service.pool).filter_map(upf).collect(),
        user_plane: pfcp.user_plane.iter().filter_map(named).map(user_plane).collect(),
        breakouts: pfcp.breakouts.iter().map(breakout).collect(),
        placement: placement(service),
        restore: pfcp.restore,
        smf_teids: pfcp.smf_teids,
        mode: match pfcp.mode {
            PfcpMode::Terminate => Mode::Terminate,
            PfcpMode::Redirect => Mode::Redirect,
        },
        timers: Timers { heartbeat: pfcp.heartbeat, t1: pfcp.t1, n1: pfcp.n1 },
        bounds: Bounds { sessions: pfcp.sessions, smfs: pfcp.smfs, ..Bounds::default() },
    })
}
