//! The SCP: what is wrong with it.

mod bounds;
mod nrf;
mod producers;

use std::collections::HashMap;
use std::net::SocketAddr;

use http::uri::Authority;
use pinion_scp::api_root::{ApiRoot, Transport};
use pinion_scp::settings::{Identities, Identity, NextHop, Plmn, Redirection, Settings, Targets};

use super::addresses::{is_local, unicast};
use super::surroundings::pem;
use crate::config::Host;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::{Protocol, Sbi, SbiListener, SbiMatching, SbiRedirects, SbiTls, SbiWhen};
use crate::config::read::{Either, Field, List};
use crate::config::scalar::Path;
use crate::config::scalar::sbi::{Network, Root};
use crate::config::written::{self, Everything, File};

/// What the section means; `None` where there is none.
pub(super) fn model(file: &File, host: &Host, wrong: &mut Wrong) -> Option<Sbi> {
    let sbi = file.sbi.value.as_ref()?;
    let listeners = listeners(file, sbi, host, wrong);
    let fqdn = sbi.fqdn.value.as_ref().map(|fqdn| fqdn.0.as_str()).unwrap_or_default();
    let mut settings = Settings::new(fqdn, authorities(sbi, fqdn, &listeners));
    settings.identity.prefix = sbi.prefix.value.as_ref().map(|it| it.0.clone()).unwrap_or_default();
    settings.identity.instance = sbi.nf_instance_id.value.as_ref().map(|it| it.0.clone());
    settings.plmns = plmns(&sbi.plmns);
    settings.sepp = sbi.sepp.value.as_ref().map(|it| it.0.clone());
    settings.next_hops = sbi.next_hops.values().filter_map(|hop| next_hop(hop, wrong)).collect();
    settings.forward_hops = sbi.forward_hops.value.as_ref().map(|it| it.0);
    settings.redirects = sbi.redirects.or(SbiRedirects::default()).into();
    let redirections = sbi.redirections.values();
    settings.redirections = redirections.filter_map(|it| redirection(it, &settings.identity, wrong)).collect();
    bounds::into(sbi, &mut settings, wrong);
    nrf::into(sbi, &listeners, &mut settings, wrong);
    settings.discovery.producers = producers::model(sbi, wrong);
    roots(sbi, wrong);
    if let Some(tls) = &sbi.tls.value {
        settings.identities = identities(tls, &listeners, wrong);
    }
    Some(Sbi {
        settings,
        listeners,
        tls: sbi.tls.value.as_ref().map(|tls| certificates(tls, host, wrong)),
        dns_servers: sbi.dns_servers.values().map(|server| server.0).collect(),
        access_log: sbi.access_log.value.as_ref().map(|path| path.0.clone()),
    })
}

/// Where clients connect: each address and port once, and no steered service's.
fn listeners(file: &File, sbi: &written::Sbi, host: &Host, wrong: &mut Wrong) -> Vec<SbiListener> {
    if let Some((at, list)) = sbi.listeners.given()
        && list.0.is_empty()
    {
        wrong.mistake(at, "no listener; give one at least, such as {address: 192.0.2.14, port: 7777}");
    }
    let mut seen: HashMap<SocketAddr, Place> = HashMap::new();
    let mut listeners = Vec::new();
    for listener in sbi.listeners.values() {
        let Some((at, address)) = listener.address.given() else { continue };
        let address = address.0;
        unicast(at, address, wrong);
        if !host.addresses.is_empty() && !is_local(address, &host.addresses) {
            let what = format!(
                "{address} is no address of this host, which clients connect to there; add it before the daemon starts, \
                 or give one that `ip address` shows"
            );
            wrong.warning(at, what);
        }
        let tls = listener.tls.value.as_ref().is_some_and(|tls| tls.0);
        let port = listener.port.value.as_ref().map_or(transport(tls).default_port(), |port| port.0);
        let socket = SocketAddr::new(address, port);
        if let Some(other) = seen.insert(socket, at) {
            wrong.mistake(at, format!("{socket} is already at line {}; leave one of them out", other.line));
        }
        let taken = file.services.values().find(|service| {
            let at_it = service.addresses.values().any(|theirs| theirs.0 == address);
            at_it && service.protocol.value == Some(Protocol::Tcp) && super::services::port(service) == Some(port)
        });
        if let Some(service) = taken {
            let name = crate::config::scalar::shown(service.name.value.as_ref());
            let what =
                format!("{socket} is service {name}'s, whose packets are steered; give another address or port");
            wrong.mistake(at, what);
        }
        if tls && !sbi.tls.value.as_ref().is_some_and(|tls| tls.certificate.is_given()) {
            wrong.mistake(
                at,
                format!(
                    "TLS is spoken at {socket}, and there is no certificate; give `tls: {{certificate, key}}`"
                ),
            );
        }
        listeners.push(SbiListener { socket, tls });
    }
    listeners
}

/// What clients call it: by its FQDN and its addresses, with the ports that it listens at, and as is given.
fn authorities(sbi: &written::Sbi, fqdn: &str, listeners: &[SbiListener]) -> Vec<Authority> {
    let mut authorities: Vec<Authority> = Vec::new();
    let mut add = |text: String| {
        let authority = text.parse().ok();
        authorities.extend(authority.filter(|it| !authorities.contains(it)));
    };
    for SbiListener { socket, tls } in listeners {
        add(format!("{fqdn}:{}", socket.port()));
        add(socket.to_string());
        if socket.port() == transport(*tls).default_port() {
            add(fqdn.to_owned());
            add(if socket.is_ipv6() { format!("[{}]", socket.ip()) } else { socket.ip().to_string() });
        }
    }
    sbi.authorities.values().for_each(|authority| add(authority.0.clone()));
    authorities
}

fn transport(tls: bool) -> Transport {
    if tls { Transport::Tls } else { Transport::Clear }
}

fn certificates(tls: &written::SbiTls, host: &Host, wrong: &mut Wrong) -> SbiTls {
    let beside = |there: &Field<Path>, missing: &Field<Path>| there.at.filter(|_| !missing.is_given());
    if let Some(at) = beside(&tls.certificate, &tls.key) {
        wrong.mistake(at, "`certificate` without its `key`; give both or none");
    }
    if let Some(at) = beside(&tls.key, &tls.certificate) {
        wrong.mistake(at, "`key` without its `certificate`; give both or none");
    }
    let mut file = |what: &str, field: &Field<Path>| field.is_given().then(|| pem(what, field, host, wrong));
    SbiTls {
        pair: file("certificate", &tls.certificate).zip(file("key", &tls.key)),
        authorities: file("producers' authorities", &tls.authorities),
        clients: file("clients' authorities", &tls.clients),
    }
}

/// What certificates must name; there must be some.
fn identities(tls: &written::SbiTls, listeners: &[SbiListener], wrong: &mut Wrong) -> Identities {
    let mut matching = |name: &str, field: &Field<SbiMatching>, authorities: &str, there: bool| {
        let matching = field.or(SbiMatching::default());
        if let Some(at) = field.at.filter(|_| matching != SbiMatching::Off && !there) {
            wrong.mistake(at, format!("`{name}` of certificates that nobody shows; give `{authorities}`"));
        }
        matching
    };
    let clients = matching("client_instances", &tls.client_instances, "clients", tls.clients.is_given());
    let producers =
        matching("producer_instances", &tls.producer_instances, "authorities", tls.authorities.is_given());
    if let (SbiMatching::Required, Some(at), Some(clear)) =
        (clients, tls.client_instances.at, listeners.iter().find(|it| !it.tls))
    {
        let what = format!("nobody shows a certificate at {}; give it `tls: true`, or leave it out", clear.socket);
        wrong.mistake(at, what);
    }
    let relays = tls.relays.values().map(|name| name.0.clone()).collect();
    Identities { clients: clients.into(), producers: producers.into(), relays }
}

/// Whoever is met by TLS is met with authorities.
fn roots(sbi: &written::Sbi, wrong: &mut Wrong) {
    if sbi.tls.value.as_ref().is_some_and(|tls| tls.authorities.is_given()) {
        return;
    }
    let hops = sbi.next_hops.values().filter_map(|hop| hop.api_root.given());
    let nrfs = sbi.nrf.value.iter().flat_map(|nrf| nrf.api_roots.each());
    let services = sbi.producers.values().flat_map(|producer| producer.nf_services.values());
    let producers = services.filter_map(|service| service.api_root.given());
    for (at, Root(root)) in hops.chain(sbi.sepp.given()).chain(nrfs).chain(producers) {
        if root.transport == Transport::Tls {
            let what = format!(
                "{root} is met by TLS, and nothing says whose certificates count; give `tls: {{authorities}}`"
            );
            wrong.mistake(at, what);
        }
    }
}

fn next_hop(hop: &written::NextHop, wrong: &mut Wrong) -> Option<NextHop> {
    let targets = targets(&hop.targets, wrong)?;
    let delegate = hop.delegate.value.is_some_and(|it| it.0);
    Some(NextHop { targets, api_root: root(&hop.api_root)?, delegate })
}

fn redirection(given: &written::Redirection, identity: &Identity, wrong: &mut Wrong) -> Option<Redirection> {
    let targets = targets(&given.targets, wrong)?;
    let (at, Root(api_root)) = given.api_root.given()?;
    let known = |it: &Authority| api_root.transport.leads_alike(it, &api_root.authority);
    if identity.authorities.iter().any(known) && api_root.prefix() == identity.prefix {
        wrong.mistake(at, format!("{api_root} is this SCP itself; give another"));
    }
    let when = given.when.or(SbiWhen::default()).into();
    let permanent = given.permanent.value.is_some_and(|it| it.0);
    Some(Redirection { targets, api_root: api_root.clone(), when, permanent })
}

fn targets(field: &Field<Either<Everything, written::Targets>>, wrong: &mut Wrong) -> Option<Targets> {
    let (at, targets) = field.given()?;
    let Either::Whole(targets) = targets else { return Some(Targets::All) };
    match (&targets.domain.value, targets.services.count(), targets.plmns.count()) {
        (Some(domain), 0, 0) => Some(Targets::Domain(domain.0.clone())),
        (None, 1.., 0) => Some(Targets::Services(targets.services.values().map(|name| name.0.clone()).collect())),
        (None, 0, 1..) => Some(Targets::Plmns(plmns(&targets.plmns))),
        _ => {
            let all = Everything::All.as_written();
            let what = format!("targets are {all}, or told by `domain`, `services` or `plmns`; give one of them");
            wrong.mistake(at, what);
            None
        }
    }
}

fn root(field: &Field<Root>) -> Option<ApiRoot> {
    field.value.as_ref().map(|root| root.0.clone())
}

/// A code of two digits is as one of three with a 0 before it, as FQDNs have it (TS 23.003 28.2).
fn plmns(field: &Field<List<Network>>) -> Vec<Plmn> {
    let plmn = |Network(it): &Network| Plmn { mcc: it.mcc.clone(), mnc: format!("{:0>3}", it.mnc) };
    field.values().map(plmn).collect()
}
