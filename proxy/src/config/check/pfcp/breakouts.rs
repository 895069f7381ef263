//! Network instances by which users' packets leave their tunnels.

use std::collections::{HashMap, HashSet};

use super::super::pools::Gathered;
use super::is_pfcp;
use crate::config::mistake::{Place, Wrong};
use crate::config::model;
use crate::config::written::{Breakout, File, Pfcp, Service};

/// Whether each is said once, and leads to an endpoint that packets of the user plane may go to.
pub(super) fn check(file: &File, pools: &[Gathered<'_>], members: &[Vec<&Service>], wrong: &mut Wrong) {
    for service in file.services.values().filter(|service| is_pfcp(service)) {
        let Some(pfcp) = &service.pfcp.value else { continue };
        let mut taken: HashMap<String, Place> = HashMap::new();
        for (at, breakout) in pfcp.breakouts.each() {
            let Some((name_at, name)) = breakout.network_instance.given() else { continue };
            if let Some(other) = taken.insert(name.0.to_ascii_lowercase(), at) {
                let what =
                    format!("network instance {} breaks out at line {} already; say it once", name.0, other.line);
                wrong.mistake(name_at, what);
            }
            leads(breakout, pfcp, file, (pools, members), wrong);
        }
    }
}

/// Whether there is such an endpoint, in a pool that a user plane has, or breaks out to.
fn leads(
    breakout: &Breakout,
    pfcp: &Pfcp,
    file: &File,
    (pools, members): (&[Gathered<'_>], &[Vec<&Service>]),
    wrong: &mut Wrong,
) {
    let (Some((pool_at, pool)), Some((endpoint_at, endpoint))) =
        (breakout.pool.given(), breakout.endpoint.given())
    else {
        return;
    };
    let planes: HashSet<&str> = pfcp.user_plane.values().map(|name| name.0.as_str()).collect();
    let is_plane =
        |service: &&Service| service.name.value.as_ref().is_some_and(|name| planes.contains(name.0.as_str()));
    let is_named = |it: &Gathered<'_>| it.name.value.as_ref().is_some_and(|name| name.0 == pool.0);
    let known = pools.iter().zip(members).find(|(it, _)| is_named(it));
    let exits = || file.services.values().filter(is_plane).filter_map(|it| it.breakout.value.as_ref());
    let reached =
        exits().any(|name| name.0 == pool.0) || known.is_some_and(|(_, users)| users.iter().any(is_plane));
    let Some((gathered, _)) = known.filter(|_| reached) else {
        let what = format!(
            "packets of the user plane do not go to pool {pool}; name it as the `breakout` of one of the gtpu services in \
             `user_plane`, or give the pool of one of them",
            pool = pool.0
        );
        return wrong.mistake(pool_at, what);
    };
    let mut names = gathered.endpoints.values().map(|it| it.name.value.as_ref());
    // An endpoint whose name is wrong may be the one that is meant.
    if !names.any(|name| name.is_none_or(|name| name.0 == endpoint.0)) {
        wrong
            .mistake(endpoint_at, format!("pool {} has no endpoint {}; give one that it has", pool.0, endpoint.0));
    }
}

/// What they mean.
pub(super) fn model(pfcp: &Pfcp) -> Vec<model::Breakout> {
    let breakout = |it: &Breakout| {
        Some(model::Breakout {
            network_instance: it.network_instance.value.as_ref()?.0.clone(),
            pool: it.pool.value.as_ref()?.0.clone(),
            endpoint: it.endpoint.value.as_ref()?.0.clone(),
        })
    };
    pfcp.breakouts.values().filter_map(breakout).collect()
}
