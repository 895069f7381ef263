//! Pools and their endpoints.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use super::addresses::{is_local, unicast};
use super::{counted, health, pfcp, services, spoken};
use crate::config::Host;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::{self, Protocol};
use crate::config::read::{Field, List};
use crate::config::scalar::{Name, Span, shown, written};
use crate::config::written::{Endpoint, File, Health, Service};

/// The most endpoints of a pool.
const ENDPOINTS: usize = 1024;
/// The longest slow start.
const SLOW_START: Duration = Duration::from_secs(3600);
/// The longest drain.
const DRAIN: Duration = Duration::from_secs(168 * 3600);

/// A pool, declared by itself or within the one service that has it.
pub(super) struct Gathered<'a> {
    pub(super) at: Place,
    pub(super) name: &'a Field<Name>,
    pub(super) endpoints: &'a Field<List<Endpoint>>,
    pub(super) health: &'a Field<Health>,
    slow_start: &'a Field<Span>,
    drain: &'a Field<Span>,
    /// Whether it is declared within a service.
    pub(super) inline: bool,
}

impl Gathered<'_> {
    pub(super) fn shown(&self) -> String {
        shown(self.name.value.as_ref())
    }
}

/// All pools: those that are declared, and then those of services that list endpoints themselves.
pub(super) fn gather<'a>(file: &'a File, wrong: &mut Wrong) -> Vec<Gathered<'a>> {
    let mut names: HashMap<&str, Place> = HashMap::new();
    let mut pools = Vec::new();
    for (at, pool) in file.pools.each() {
        if let Some((at, name)) = pool.name.given() {
            if let Some(other) = names.get(name.0.as_str()) {
                let what =
                    format!("pool {} is already at line {}; give each pool its own name", name.0, other.line);
                wrong.mistake(at, what);
            } else {
                names.insert(&name.0, at);
            }
        }
        pools.push(Gathered {
            at: pool.name.at.unwrap_or(at),
            name: &pool.name,
            endpoints: &pool.endpoints,
            health: &pool.health,
            slow_start: &pool.slow_start,
            drain: &pool.drain,
            inline: false,
        });
    }
    for (at, service) in file.services.each() {
        if !service.endpoints.is_given() {
            continue;
        }
        if let Some((at, name)) = service.name.given()
            && let Some(other) = names.get(name.0.as_str())
        {
            let what = format!(
                "service {} lists endpoints, and a pool of that name is at line {}; give one of them another name",
                name.0, other.line
            );
            wrong.mistake(at, what);
        }
        pools.push(Gathered {
            at: service.name.at.unwrap_or(at),
            name: &service.name,
            endpoints: &service.endpoints,
            health: &service.health,
            slow_start: &service.slow_start,
            drain: &service.drain,
            inline: true,
        });
    }
    pools
}

/// What is wrong within a pool, and between its endpoints and this host, and the services' addresses.
pub(super) fn check(
    pool: &Gathered<'_>,
    users: &[&Service],
    (service_addresses, exits): (&HashMap<IpAddr, String>, &HashSet<&str>),
    host: &Host,
    wrong: &mut Wrong,
) {
    let is_exit = pool.name.value.as_ref().is_some_and(|name| exits.contains(name.0.as_str()));
    if users.is_empty() && !pool.inline && !is_exit {
        let what = format!("no service uses pool {}; name it in a service, or leave it out", pool.shown());
        wrong.warning(pool.at, what);
    }
    for (field, name, longest) in [(pool.slow_start, "slow_start", SLOW_START), (pool.drain, "drain", DRAIN)] {
        if let Some((at, span)) = field.given()
            && span.0 > longest
        {
            let (span, longest) = (written(span.0), written(longest));
            wrong.mistake(at, format!("`{name}` of {span} is too long; give {longest} at the most"));
        }
    }
    let Some((at, endpoints)) = pool.endpoints.given() else {
        return;
    };
    match endpoints.0.len() {
        // They are found by name.
        0 if !users.is_empty() && users.iter().all(|service| discovers(service)) => {}
        0 => wrong.mistake(at, "no endpoint; give one at least"),
        count if count > ENDPOINTS => {
            let what = format!("{count} endpoints; a pool has {ENDPOINTS} at the most, use several pools");
            wrong.mistake(at, what);
        }
        _ => {}
    }
    if !endpoints.0.is_empty() && endpoints.values().all(|e| e.weight.value.as_ref().is_some_and(|w| w.0 == 0)) {
        let what = format!("no endpoint of {} gets new sessions; give one a weight above 0", pool.shown());
        wrong.warning(at, what);
    }
    let ports: BTreeSet<u16> = users.iter().filter_map(|service| services::port(service)).collect();
    // The daemon reaches what it speaks to itself wherever it is.
    let spoken = !users.is_empty() && users.iter().all(|service| spoken::is_spoken(service));
    let mut names = HashSet::new();
    let mut taken = Taken::default();
    for endpoint in endpoints.values() {
        if let Some((at, name)) = endpoint.name.given()
            && !names.insert(name.0.as_str())
        {
            let of = if pool.inline { "service" } else { "pool" };
            let what = format!("endpoint {} is already there; give each endpoint of a {of} its own name", name.0);
            wrong.mistake(at, what);
        }
        for (at, address) in endpoint.addresses.each() {
            let address = address.0;
            unicast(at, address, wrong);
            if let Some(service) = service_addresses.get(&address) {
                let what = format!("{address} is an address of service {service}; give the endpoint's own");
                wrong.mistake(at, what);
            } else if !spoken && is_local(address, &host.addresses) {
                let what = format!(
                    "{address} is an address of this host, whose replies XDP never sees; \
                     give an endpoint on another host, or in a network namespace of its own"
                );
                wrong.mistake(at, what);
            }
        }
        taken.add(endpoint, &ports, wrong);
    }
}

/// Which addresses the endpoints of a pool have, and at which ports.
#[derive(Default)]
struct Taken<'a> {
    by_address: HashMap<IpAddr, Vec<(&'a Endpoint, Option<u16>)>>,
}

impl<'a> Taken<'a> {
    /// Two endpoints may share an address where their ports differ, for each service that uses them.
    fn add(&mut self, endpoint: &'a Endpoint, services: &BTreeSet<u16>, wrong: &mut Wrong) {
        if endpoint.port.is_given() && endpoint.port.value.is_none() {
            return;
        }
        let port = endpoint.port.value.as_ref().map(|port| port.0);
        for (at, address) in endpoint.addresses.each() {
            let others = self.by_address.entry(address.0).or_default();
            let same = |other: Option<u16>| match (port, other) {
                (None, None) => true,
                (Some(port), Some(other)) => port == other,
                (Some(port), None) | (None, Some(port)) => services.contains(&port),
            };
            if let Some((other, _)) = others.iter().find(|(_, other)| same(*other)) {
                let address = address.0;
                wrong.mistake(
                    at,
                    if std::ptr::eq(*other, endpoint) {
                        format!("{address} is on two paths; give one address for each path")
                    } else {
                        let other = shown(other.name.value.as_ref());
                        format!("{address} is already endpoint {other}'s; give each its own address or port")
                    },
                );
            }
            others.push((endpoint, port));
        }
    }
}

/// Endpoints that answer for two services: what they send cannot be told apart (see `SOURCES`).
pub(super) fn tunnels(pools: &[Gathered<'_>], members: &[Vec<&Service>], wrong: &mut Wrong) {
    let mut taken: HashMap<(IpAddr, Option<u16>), &Service> = HashMap::new();
    for (pool, users) in pools.iter().zip(members) {
        for service in users {
            let is_sctp = match service.protocol.value {
                Some(Protocol::Sctp) => true,
                Some(Protocol::Gtpu) => false,
                Some(Protocol::Udp | Protocol::Tcp | Protocol::Pfcp | Protocol::Gtpc | Protocol::Ngap) | None => {
                    continue;
                }
            };
            for endpoint in pool.endpoints.values() {
                let port = match &endpoint.port.value {
                    _ if !is_sctp => None,
                    Some(port) => Some(port.0),
                    None => services::port(service),
                };
                for (at, address) in endpoint.addresses.each() {
                    let other = *taken.entry((address.0, port)).or_insert(service);
                    if std::ptr::eq(other, *service) {
                        continue;
                    }
                    let at = if pool.inline { at } else { service.pool.at.unwrap_or(at) };
                    let (address, other) = (address.0, shown(other.name.value.as_ref()));
                    if is_sctp {
                        let what = format!(
                            "{address} is already behind service {other}: an ABORT without a tag of its own from \
                             there leaves as {other}'s; give the endpoints of each service ports of their own"
                        );
                        wrong.warning(at, what);
                    } else {
                        let what = format!(
                            "{address} is already behind service {other}, and its tunnels would all leave from \
                             there; give each gtpu service endpoints of its own"
                        );
                        wrong.mistake(at, what);
                    }
                }
            }
        }
    }
}

/// Whether endpoints of a service are found by name, too.
fn discovers(service: &Service) -> bool {
    let is_ngap = service.protocol.value == Some(Protocol::Ngap);
    is_ngap && service.ngap.value.as_ref().is_some_and(|ngap| ngap.discover.is_given())
}

/// What a pool means.
pub(super) fn model(pool: &Gathered<'_>, wrong: &mut Wrong) -> model::Pool {
    let endpoints = pool.endpoints.values();
    model::Pool {
        name: pool.shown(),
        endpoints: endpoints.map(|it| endpoint(it, wrong)).collect(),
        health: pool.health.value.as_ref().map(|health| health::model(health, wrong)),
        slow_start: pool.slow_start.value.as_ref().map_or(Duration::ZERO, |span| span.0),
        drain: pool.drain.value.as_ref().map(|span| span.0),
    }
}

fn endpoint(endpoint: &Endpoint, wrong: &mut Wrong) -> model::Endpoint {
    model::Endpoint {
        name: endpoint.name.value.as_ref().map(|name| name.0.clone()).unwrap_or_default(),
        addresses: services::plain(&endpoint.addresses),
        port: endpoint.port.value.as_ref().map(|port| port.0),
        weight: endpoint.weight.value.as_ref().map_or(1, |weight| u32::from(weight.0)),
        priority: endpoint.priority.value.as_ref().map_or(0, |priority| priority.0),
        serves: pfcp::serves(endpoint, wrong),
    }
}

/// "1 address where the service has 2 paths".
pub(super) fn paths(found: usize, whose: &str, needed: usize) -> String {
    let found = counted(found, "address", "addresses");
    let needed = counted(needed, "path", "paths");
    format!("{found} where {whose} has {needed}; give one for each path")
}
