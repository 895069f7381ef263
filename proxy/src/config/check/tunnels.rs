//! Tunnels that a service is configured with.

use std::collections::{HashMap, HashSet};

use super::pools::Gathered;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::{self, Protocol};
use crate::config::nearest::nearest;
use crate::config::written::Service;

/// What a service's tunnels mean, and what is wrong with them by themselves.
pub(super) fn model(service: &Service, wrong: &mut Wrong) -> Vec<model::Tunnel> {
    if let (Some(at), Some(protocol)) = (service.tunnels.at, service.protocol.value)
        && protocol != Protocol::Gtpu
    {
        let what = format!("no {} service has tunnels; leave `tunnels` out", protocol.as_written());
        wrong.mistake(at, what);
    }
    let mut taken: HashMap<u32, Place> = HashMap::new();
    let mut tunnels = Vec::new();
    for tunnel in service.tunnels.values() {
        let (Some((at, teid)), Some(endpoint)) = (tunnel.teid.given(), &tunnel.endpoint.value) else { continue };
        if let Some(other) = taken.get(&teid.0) {
            let what = format!(
                "TEID {:#x} is already at line {}; give each tunnel of a service its own",
                teid.0, other.line
            );
            wrong.mistake(at, what);
        } else {
            taken.insert(teid.0, at);
        }
        tunnels.push(model::Tunnel {
            teid: teid.0,
            endpoint: endpoint.0.clone(),
            endpoint_teid: tunnel.endpoint_teid.value.as_ref().map_or(teid.0, |teid| teid.0),
        });
    }
    tunnels
}

/// Whether the endpoints that tunnels lead to are in the pool.
pub(super) fn meet(pool: &Gathered<'_>, users: &[&Service], wrong: &mut Wrong) {
    let Some(endpoints) = &pool.endpoints.value else { return };
    let known: Vec<&str> = endpoints.values().filter_map(|it| it.name.value.as_ref()).map(|it| &*it.0).collect();
    // An endpoint whose name is wrong may be the one that is meant.
    if known.len() < endpoints.0.len() {
        return;
    }
    let among: HashSet<&str> = known.iter().copied().collect();
    for tunnel in users.iter().flat_map(|service| service.tunnels.values()) {
        let Some((at, name)) = tunnel.endpoint.given() else { continue };
        if among.contains(name.0.as_str()) {
            continue;
        }
        let (pool, name) = (pool.shown(), &name.0);
        wrong.mistake(
            at,
            match nearest(name, known.iter().copied()) {
                Some(near) => format!("{pool} has no endpoint {name}; did you mean {near}?"),
                None => format!(
                    "{pool} has no endpoint {name}; add it, or name one of {}",
                    known.get(..known.len().min(8)).unwrap_or_default().join(", ")
                ),
            },
        );
    }
}
