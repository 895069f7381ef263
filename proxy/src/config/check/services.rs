//! Services: what clients see, and whether their pools fit them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use pinion_protocols::{gtpv2, ngap as n2, pfcp as n4};
use pinion_steering::{MAX_PATHS, gtpu};

use super::addresses::{families, family};
use super::pools::{Gathered, paths};
use super::{breakout, gtpc, ngap, pfcp, span, spoken, tunnels};
use crate::config::Host;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::{self, Protocol, Timeouts};
use crate::config::nearest::nearest;
use crate::config::read::{Field, List};
use crate::config::scalar::{Ip, Port, Span, shown};
use crate::config::written::{File, Service};

/// The most services.
const SERVICES: usize = 4096;
/// Sessions are seen to be idle in whole seconds.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(168 * 3600);

/// Which services use which pool, in the order of `pools`, and what is wrong with how they name them.
pub(super) fn members<'a>(file: &'a File, pools: &[Gathered<'a>], wrong: &mut Wrong) -> Vec<Vec<&'a Service>> {
    let mut members = vec![Vec::new(); pools.len()];
    let mut add = |index: usize, service: &'a Service| {
        if let Some(users) = members.get_mut(index) {
            users.push(service);
        }
    };
    let mut declared: HashMap<&str, usize> = HashMap::new();
    for (index, pool) in pools.iter().enumerate().filter(|(_, pool)| !pool.inline) {
        if let Some(name) = &pool.name.value {
            declared.entry(&name.0).or_insert(index);
        }
    }
    let mut inline = (0..pools.len()).filter(|index| pools.get(*index).is_some_and(|pool| pool.inline));
    for (at, service) in file.services.each() {
        match (service.pool.at, service.endpoints.at) {
            (None, None) => {
                wrong.mistake(at, "a service without endpoints; name a `pool`, or list `endpoints`");
            }
            (at, Some(_)) => {
                if let Some(at) = at {
                    wrong.mistake(at, "a `pool` beside `endpoints`; leave one of them out");
                }
                if let Some(index) = inline.next() {
                    add(index, service);
                }
            }
            (Some(at), None) => {
                outside(service, wrong);
                let Some(name) = &service.pool.value else {
                    continue;
                };
                if let Some(index) = declared.get(name.0.as_str()) {
                    add(*index, service);
                } else {
                    wrong.mistake(at, unknown_pool(&name.0, &declared));
                }
            }
        }
    }
    members
}

/// There is no pool of a name, but those that are declared.
pub(super) fn unknown_pool<T>(name: &str, declared: &HashMap<&str, T>) -> String {
    let mut known: Vec<&str> = declared.keys().copied().collect();
    known.sort_unstable();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no pool {name}; did you mean {near}?"),
        None if known.is_empty() => format!("there is no pool {name}; add it to `pools`"),
        None => {
            let listed = known.get(..known.len().min(8)).unwrap_or_default();
            format!("there is no pool {name}; add it to `pools`, or name one of {}", listed.join(", "))
        }
    }
}

/// What belongs into the pool, where a pool is named.
fn outside(service: &Service, wrong: &mut Wrong) {
    let fields =
        [("health", service.health.at), ("slow_start", service.slow_start.at), ("drain", service.drain.at)];
    for (name, at) in fields {
        if let Some(at) = at {
            wrong.mistake(at, format!("`{name}` beside `pool`; write it into the pool"));
        }
    }
}

/// The port that clients address; `None` where it is wrong, or missing.
pub(super) fn port(service: &Service) -> Option<u16> {
    match service.port.at {
        Some(_) => service.port.value.as_ref().map(|port| port.0),
        None => service.protocol.value.and_then(own_port).map(|(port, _)| port),
    }
}

/// The port that a protocol is received at wherever it is spoken, and who says so.
fn own_port(protocol: Protocol) -> Option<(u16, &'static str)> {
    match protocol {
        Protocol::Gtpu => Some((gtpu::PORT, "GTP-U is received at port 2152 (TS 29.281 4.4.2.3)")),
        Protocol::Gtpc => Some((gtpv2::PORT, "GTPv2-C is received at port 2123 (TS 29.274 4.2.1.1)")),
        Protocol::Pfcp => Some((n4::PORT, "PFCP is received at port 8805 (TS 29.244 4.2.2)")),
        Protocol::Ngap => Some((n2::PORT, "NGAP is received at port 38412 (TS 38.412 7)")),
        Protocol::Udp | Protocol::Tcp | Protocol::Sctp => None,
    }
}

/// Whether a pool's endpoints fit the services that use it: paths, families and ports.
pub(super) fn meet(pool: &Gathered<'_>, users: &[&Service], wrong: &mut Wrong) {
    let Some(endpoints) = &pool.endpoints.value else {
        return;
    };
    if pool.inline {
        if let Some(service) = users.first() {
            let own = own(service);
            for endpoint in endpoints.values() {
                if let (Some(own), Some((at, theirs))) = (own, endpoint.addresses.given()) {
                    alike(at, theirs, own, "the service", wrong);
                }
            }
        }
    } else {
        // A pool is of one shape, and each of its services is of the same.
        let mut shape: Option<(&List<Ip>, String)> = None;
        for endpoint in endpoints.values() {
            let Some((at, theirs)) = endpoint.addresses.given() else {
                continue;
            };
            if let Some((first, whose)) = &shape {
                alike(at, theirs, first, whose, wrong);
            } else {
                if theirs.0.is_empty() || theirs.0.len() > MAX_PATHS {
                    wrong.mistake(at, too_many(theirs.0.len()));
                    continue;
                }
                shape = Some((theirs, format!("endpoint {}", shown(endpoint.name.value.as_ref()))));
            }
        }
        for service in users {
            if let (Some((first, _)), Some(own), Some(at)) = (&shape, own(service), service.pool.at) {
                same_shape(at, &pool.shown(), first, own, wrong);
            }
        }
    }
    for protocol in [Protocol::Gtpu, Protocol::Pfcp, Protocol::Gtpc, Protocol::Ngap] {
        if users.iter().any(|service| service.protocol.value == Some(protocol)) {
            endpoints.values().for_each(|endpoint| elsewhere(protocol, &endpoint.port, wrong));
        }
    }
}

/// A service's addresses, where there are as many as it can have.
fn own(service: &Service) -> Option<&List<Ip>> {
    let most =
        if spoken::is_spoken(service) && service.protocol.value != Some(Protocol::Ngap) { 1 } else { MAX_PATHS };
    service.addresses.value.as_ref().filter(|own| (1..=most).contains(&own.0.len()))
}

/// Whether an endpoint has an address of the right family on each path.
fn alike(at: Place, theirs: &List<Ip>, own: &List<Ip>, whose: &str, wrong: &mut Wrong) {
    if theirs.0.len() != own.0.len() {
        wrong.mistake(at, paths(theirs.0.len(), whose, own.0.len()));
    }
    for (path, (theirs, own)) in theirs.0.iter().zip(&own.0).enumerate() {
        let (Some((at, theirs)), Some(own)) = (theirs.given(), &own.value) else {
            continue;
        };
        let (theirs, own) = (theirs.0, own.0);
        if theirs.is_ipv4() != own.is_ipv4() {
            let family = family(own);
            let what = format!("{theirs} on path {path}, where {whose} has {own}; give an {family} address");
            wrong.mistake(at, what);
        }
    }
}

/// Whether a service is of the same shape as its pool.
fn same_shape(at: Place, pool: &str, first: &List<Ip>, own: &List<Ip>, wrong: &mut Wrong) {
    if first.0.len() != own.0.len() {
        let theirs = super::counted(first.0.len(), "path", "paths");
        let own = super::counted(own.0.len(), "address", "addresses");
        let what = format!("pool {pool} has {theirs} and the service has {own}; give one for each path");
        wrong.mistake(at, what);
        return;
    }
    let differ = |(theirs, own): (&Field<Ip>, &Field<Ip>)| {
        theirs
            .value
            .as_ref()
            .zip(own.value.as_ref())
            .is_some_and(|(theirs, own)| theirs.0.is_ipv4() != own.0.is_ipv4())
    };
    if first.0.iter().zip(&own.0).any(differ) {
        let flat = |list: &List<Ip>| families(&list.values().map(|ip| ip.0).collect::<Vec<IpAddr>>());
        let (theirs, own) = (flat(first), flat(own));
        let what = format!("pool {pool} is {theirs} and the service is {own}; give the same family on each path");
        wrong.mistake(at, what);
    }
}

fn too_many(count: usize) -> String {
    let count = super::counted(count, "address", "addresses");
    format!("{count}; give one for each path, at the most {MAX_PATHS}")
}

/// Refuses another port than a protocol's own.
fn elsewhere(protocol: Protocol, port: &Field<Port>, wrong: &mut Wrong) {
    if let (Some((at, port)), Some((own, clause))) = (port.given(), own_port(protocol))
        && port.0 != own
    {
        wrong.mistake(at, format!("{clause}; leave the port out"));
    }
}

/// What the services mean, and what is wrong with each by itself.
pub(super) fn model(file: &File, host: &Host, wrong: &mut Wrong) -> Vec<model::Service> {
    let Some((at, services)) = file.services.given() else {
        if !file.services.is_given() && !file.sbi.is_given() {
            wrong.mistake(Place::START, "neither `services` nor `sbi`; give one of them, or both");
        }
        return Vec::new();
    };
    match services.0.len() {
        0 => wrong.mistake(at, "no service; give one at least"),
        count if count > SERVICES => {
            wrong.mistake(at, format!("{count} services; {SERVICES} are the most, use several hosts"));
        }
        _ => {}
    }
    let mut names: HashMap<&str, Place> = HashMap::new();
    for (at, name) in services.values().filter_map(|service| service.name.given()) {
        if let Some(other) = names.get(name.0.as_str()) {
            let what =
                format!("service {} is already at line {}; give each service its own name", name.0, other.line);
            wrong.mistake(at, what);
        } else {
            names.insert(&name.0, at);
        }
    }
    services.values().map(|service| one(service, host, wrong)).collect()
}

fn one(service: &Service, host: &Host, wrong: &mut Wrong) -> model::Service {
    if let Some((at, addresses)) = service.addresses.given()
        && !spoken::is_spoken(service)
        && (addresses.0.is_empty() || addresses.0.len() > MAX_PATHS)
    {
        wrong.mistake(at, too_many(addresses.0.len()));
    }
    if let Some((at, protocol)) = service.protocol.given() {
        elsewhere(*protocol, &service.port, wrong);
        if !service.port.is_given() && own_port(*protocol).is_none() {
            wrong.mistake(at, "no port; give the one that clients address");
        }
        if let (Protocol::Udp | Protocol::Tcp, Some(at)) = (protocol, service.unknown.at) {
            let word = if *protocol == Protocol::Udp { "udp" } else { "tcp" };
            wrong.mistake(at, format!("every {word} packet belongs to a session; leave `unknown` out"));
        }
        if let (Protocol::Sctp, Some((at, model::Unknown::Indicate))) = (protocol, service.unknown.given()) {
            wrong.mistake(at, "Error Indications are GTP-U's; give drop, hash or punt");
        }
    }
    spoken::is_of(service, Protocol::Sctp, ("aware", service.aware.at), wrong);
    let protocol = service.protocol.or(Protocol::Udp);
    let pool = if service.endpoints.is_given() { &service.name } else { &service.pool };
    model::Service {
        name: service.name.value.as_ref().map(|name| name.0.clone()).unwrap_or_default(),
        protocol,
        port: port(service).unwrap_or_default(),
        addresses: plain(&service.addresses),
        pool: pool.value.as_ref().map(|name| name.0.clone()).unwrap_or_default(),
        algorithm: service.algorithm.or(model::Algorithm::default()),
        unknown: service.unknown.or(model::Unknown::default()),
        aware: service.aware.value,
        all_down: service.all_down.or(model::AllDown::default()),
        timeouts: timeouts(service, protocol, wrong),
        tunnels: tunnels::model(service, wrong),
        breakout: breakout::model(service, wrong),
        pfcp: pfcp::model(service, host, wrong),
        gtpc: gtpc::model(service, host, wrong),
        ngap: ngap::model(service, host, wrong),
    }
}

fn timeouts(service: &Service, protocol: Protocol, wrong: &mut Wrong) -> Timeouts {
    let default = Timeouts::of(protocol);
    let Some(timeouts) = &service.timeouts.value else {
        return default;
    };
    let mut span =
        |name: &str, field: &Field<Span>, default: Duration| span(name, field, default, TIMEOUTS, wrong);
    Timeouts {
        opening: span("opening", &timeouts.opening, default.opening),
        established: span("established", &timeouts.established, default.established),
        closing: span("closing", &timeouts.closing, default.closing),
        closed: span("closed", &timeouts.closed, default.closed),
    }
}

/// The addresses that are right.
pub(super) fn plain(addresses: &Field<List<Ip>>) -> Vec<IpAddr> {
    addresses.values().map(|ip| ip.0).collect()
}
