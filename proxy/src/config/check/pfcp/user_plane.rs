//! The gtpu services that stand for the tunnel addresses of a pfcp service's UPFs.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::pools::Gathered;
use super::is_pfcp;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::Protocol;
use crate::config::nearest::nearest;
use crate::config::read::listed;
use crate::config::written::{Endpoint, File, Pfcp, Service};

/// Whether the services that are named are there, gtpu, and each of one pfcp service; and whether each UPF is behind
/// one of them.
pub(super) fn check(file: &File, pools: &[Gathered<'_>], members: &[Vec<&Service>], wrong: &mut Wrong) {
    let known = Known::of(file, pools, members);
    let mut users: Vec<(&Service, &Gathered<'_>)> = pools
        .iter()
        .zip(members)
        .flat_map(|(pool, users)| users.iter().map(move |service| (*service, pool)))
        .filter(|(service, _)| is_pfcp(service))
        .collect();
    users.sort_by_key(|(service, _)| service.protocol.at);
    let mut taken: HashMap<&str, Place> = HashMap::new();
    for (service, pool) in users {
        let Some(pfcp) = &service.pfcp.value else { continue };
        let mut planes = Vec::new();
        for (at, name) in pfcp.user_plane.each() {
            match (known.user_plane(&name.0), taken.get(name.0.as_str())) {
                (Err(what), _) => wrong.mistake(at, what),
                (Ok(_), Some(other)) => {
                    let what = format!(
                        "gtpu service {} is already a user plane at line {}; give each to one pfcp service, once",
                        name.0, other.line
                    );
                    wrong.mistake(at, what);
                }
                (Ok(plane), None) => {
                    taken.insert(&name.0, at);
                    planes.extend(plane);
                }
            }
        }
        // UPFs may be behind one that is written wrong.
        if !planes.is_empty() && planes.len() == pfcp.user_plane.count() {
            alike(pool, &planes, pfcp, wrong);
        }
    }
}

/// The services by name, with their pools.
struct Known<'a>(HashMap<&'a str, (&'a Service, Option<&'a Gathered<'a>>)>);

impl<'a> Known<'a> {
    fn of(file: &'a File, pools: &'a [Gathered<'a>], members: &[Vec<&'a Service>]) -> Self {
        let named = |service: &'a Service| service.name.value.as_ref().map(|name| name.0.as_str());
        let mut known = HashMap::new();
        for service in file.services.values() {
            known.extend(named(service).map(|name| (name, (service, None))));
        }
        for (pool, users) in pools.iter().zip(members) {
            known.extend(users.iter().filter_map(|service| Some((named(service)?, (*service, Some(pool))))));
        }
        Self(known)
    }

    /// The pool of a gtpu service; `None` where what it says of its pool or its protocol is a mistake already.
    fn user_plane(&self, name: &str) -> Result<Option<&'a Gathered<'a>>, String> {
        match self.0.get(name).map(|(service, pool)| (service.protocol.value, *pool)) {
            Some((None, _)) => Ok(None),
            Some((Some(Protocol::Gtpu), pool)) => Ok(pool),
            Some((Some(protocol), _)) => {
                Err(format!("service {name} is {}; name one that is gtpu{}", protocol.as_written(), self.others()))
            }
            None => Err(match nearest(name, self.tunnelled()) {
                Some(near) => format!("there is no service {name}; did you mean {near}?"),
                None => format!("there is no service {name}; add it, or name one that is gtpu{}", self.others()),
            }),
        }
    }

    fn tunnelled(&self) -> Vec<&'a str> {
        let gtpu = self.0.iter().filter(|(_, (service, _))| service.protocol.value == Some(Protocol::Gtpu));
        let mut names: Vec<&str> = gtpu.map(|(name, _)| *name).collect();
        names.sort_unstable();
        names
    }

    /// ", such as n3"; nothing where there is none.
    fn others(&self) -> String {
        let names = self.tunnelled();
        let first = names.get(..names.len().min(8)).unwrap_or_default();
        if first.is_empty() { String::new() } else { format!(", such as {}", listed(first, "or")) }
    }
}

/// Whether UPFs and the endpoints of their user planes have the same names.
fn alike(pool: &Gathered<'_>, planes: &[&Gathered<'_>], pfcp: &Pfcp, wrong: &mut Wrong) {
    let (Some(upfs), Some(behind)) =
        (names(pool), planes.iter().map(|plane| names(plane)).collect::<Option<Vec<_>>>())
    else {
        return;
    };
    let services: Vec<&str> = pfcp.user_plane.values().map(|name| name.0.as_str()).collect();
    let pools: BTreeSet<String> = planes.iter().map(|plane| plane.shown()).collect();
    let pools: Vec<&str> = pools.iter().map(String::as_str).collect();
    let (services, pools) = (listed(&services, "and"), listed(&pools, "or"));
    let reached: HashSet<&str> = behind.iter().flatten().map(|(_, name)| *name).collect();
    for (at, name) in upfs.iter().filter(|(_, name)| !reached.contains(name)) {
        let what = format!(
            "UPF {name} is not behind {services}, so that gNBs cannot reach it; add an endpoint of that name, with the \
             UPF's N3 address, to {pools}"
        );
        wrong.mistake(*at, what);
    }
    let own: HashSet<&str> = upfs.iter().map(|(_, name)| *name).collect();
    for (plane, behind) in planes.iter().zip(&behind) {
        for (at, name) in behind.iter().filter(|(_, name)| !own.contains(name)) {
            let (plane, pool) = (plane.shown(), pool.shown());
            let what = format!(
                "endpoint {name} of {plane} is no UPF of {pool}, so that it gets no sessions; add it there, or leave it \
                 out"
            );
            wrong.warning(*at, what);
        }
    }
}

/// The names of a pool's endpoints; `None` where one of them is wrong: it may be any.
fn names<'a>(pool: &Gathered<'a>) -> Option<Vec<(Place, &'a str)>> {
    let endpoints = pool.endpoints.value.as_ref()?;
    let name = |endpoint: &'a Endpoint| endpoint.name.given().map(|(at, name)| (at, name.0.as_str()));
    let names: Vec<_> = endpoints.values().filter_map(name).collect();
    (names.len() == endpoints.0.len()).then_some(names)
}
