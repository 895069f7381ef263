//! Pools whose endpoints users' packets leave their tunnels to.

use std::collections::{HashMap, HashSet};

use super::pools::Gathered;
use super::services::unknown_pool;
use crate::config::mistake::Wrong;
use crate::config::model::Protocol;
use crate::config::written::{File, Service};

/// The name of a service's pool.
pub(super) fn model(service: &Service, wrong: &mut Wrong) -> Option<String> {
    let (at, name) = service.breakout.given()?;
    if let Some(protocol) = service.protocol.value
        && protocol != Protocol::Gtpu
    {
        let what = format!("no {} service has users' packets; leave `breakout` out", protocol.as_written());
        wrong.mistake(at, what);
    }
    Some(name.0.clone())
}

/// Whether pools are fit for it; their names.
pub(super) fn check<'a>(file: &'a File, pools: &[Gathered<'_>], wrong: &mut Wrong) -> HashSet<&'a str> {
    let declared = pools.iter().filter(|pool| !pool.inline);
    let declared: HashMap<&str, &Gathered<'_>> =
        declared.filter_map(|pool| Some((pool.name.value.as_ref()?.0.as_str(), pool))).collect();
    let mut exits = HashSet::new();
    for service in file.services.values() {
        let Some((at, name)) = service.breakout.given() else { continue };
        if service.protocol.value.is_some_and(|protocol| protocol != Protocol::Gtpu) {
            continue;
        }
        let name = name.0.as_str();
        let Some(pool) = declared.get(name) else {
            wrong.mistake(at, unknown_pool(name, &declared));
            continue;
        };
        if service.pool.value.as_ref().is_some_and(|own| own.0 == name) {
            wrong
                .mistake(at, format!("pool {name} has the service's tunnels; name one whose endpoints have none"));
            continue;
        }
        if !exits.insert(name) {
            continue;
        }
        if !pool.health.is_given() {
            let what = format!(
                "nobody probes pool {name}, and its endpoints' link addresses would not be known; give it `health`"
            );
            wrong.mistake(at, what);
        }
        for endpoint in pool.endpoints.values() {
            if let Some((at, addresses)) = endpoint.addresses.given()
                && addresses.0.len() > 1
            {
                let what = "several addresses, where users' packets leave their tunnels to a next hop; give one";
                wrong.mistake(at, what);
            }
        }
    }
    exits
}
