//! From a configuration as it is written to one that can be laid out.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use pinion_loader::setup::{EndpointSpec, ServiceSpec};
use pinion_steering::{self as steering, Address, Kind, MAX_PATHS, gtpu, protocol};
use serde_saphyr::Spanned;

use super::scalar::Ip;
use super::{Endpoint, File, Mistake, Protocol, Service, Unknown};

/// The services, or every mistake.
pub(super) fn services(file: &File) -> Result<Vec<ServiceSpec>, Vec<Mistake>> {
    let mut checked = Checked::default();
    if file.services.value.is_empty() {
        checked.mistake(&file.services, "no service; give one at least");
    }
    let mut names = HashSet::new();
    let mut taken = HashMap::new();
    let mut specs = Vec::new();
    for service in &file.services.value {
        if !names.insert(service.name.value.as_str()) {
            let what = format!("service {} is already there; give each service its own name", service.name.value);
            checked.mistake(&service.name, what);
        }
        let spec = checked.service(service);
        for address in &service.addresses.value {
            let (ip, port) = (address.value.0, spec.port);
            if let Some(other) = taken.insert((ip, spec.protocol, port), &service.name.value) {
                let what = format!(
                    "{ip} port {port} is already service {other}'s; give each service its own address or port"
                );
                checked.mistake(address, what);
            }
        }
        specs.push(spec);
    }
    if checked.mistakes.is_empty() {
        return Ok(specs);
    }
    checked.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    Err(checked.mistakes)
}

#[derive(Default)]
struct Checked {
    mistakes: Vec<Mistake>,
}

impl Checked {
    fn mistake<T>(&mut self, at: &Spanned<T>, what: impl Into<String>) {
        self.mistakes.push(Mistake::new(&at.referenced, what));
    }

    fn service(&mut self, service: &Service) -> ServiceSpec {
        let (kind, protocol) = match service.protocol.value {
            Protocol::Udp => (Kind::Flow, protocol::UDP),
            Protocol::Tcp => (Kind::Flow, protocol::TCP),
            Protocol::Sctp => (Kind::Sctp, protocol::SCTP),
            Protocol::Gtpu => (Kind::Gtpu, protocol::UDP),
        };
        self.named(&service.name);
        let paths = service.addresses.value.len();
        if paths == 0 || paths > MAX_PATHS {
            let what = format!("{paths} addresses; give one for each path, at the most {MAX_PATHS}");
            self.mistake(&service.addresses, what);
        }
        self.unicast(&service.addresses.value);
        let port = self.port(service, kind);
        if service.endpoints.value.is_empty() {
            self.mistake(&service.endpoints, "no endpoint; give one at least");
        }
        let mut names = HashSet::new();
        let mut endpoints = Vec::new();
        for endpoint in &service.endpoints.value {
            if !names.insert(endpoint.name.value.as_str()) {
                let name = &endpoint.name.value;
                let what =
                    format!("endpoint {name} is already there; give each endpoint of a service its own name");
                self.mistake(&endpoint.name, what);
            }
            endpoints.push(self.endpoint(endpoint, service, kind, port));
        }
        ServiceSpec {
            name: service.name.value.clone(),
            kind,
            protocol,
            port,
            addresses: plain(&service.addresses.value),
            unknown: self.unknown(service, kind),
            placement: steering::Placement::Maglev,
            exhausted: steering::Exhausted::Drop,
            endpoints,
        }
    }

    fn endpoint(&mut self, endpoint: &Endpoint, service: &Service, kind: Kind, port: u16) -> EndpointSpec {
        self.named(&endpoint.name);
        self.unicast(&endpoint.addresses.value);
        let (own, theirs) = (&service.addresses.value, &endpoint.addresses.value);
        if own.len() != theirs.len() {
            let addresses = if theirs.len() == 1 { "address" } else { "addresses" };
            let paths = if own.len() == 1 { "path" } else { "paths" };
            let what = format!(
                "{} {addresses} where the service has {} {paths}; give one for each path",
                theirs.len(),
                own.len()
            );
            self.mistake(&endpoint.addresses, what);
        }
        for (path, (own, theirs)) in own.iter().zip(theirs).enumerate() {
            let (own, address) = (own.value.0, theirs.value.0);
            if own.is_ipv4() != address.is_ipv4() {
                let what = format!(
                    "{address} on path {path}, where the service has {own}; give an address of the same family"
                );
                self.mistake(theirs, what);
            }
        }
        if let Some(given) = &endpoint.port {
            self.tunnel_port(given.value.0, given, kind);
        }
        EndpointSpec {
            name: endpoint.name.value.clone(),
            addresses: plain(theirs),
            port: endpoint.port.as_ref().map_or(port, |port| port.value.0),
            weight: endpoint.weight.as_ref().map_or(1, |weight| u32::from(weight.value.0)),
            up: true,
        }
    }

    fn named(&mut self, name: &Spanned<String>) {
        if name.value.is_empty() {
            self.mistake(name, "no name; give one");
        }
    }

    fn unicast(&mut self, addresses: &[Spanned<Ip>]) {
        for address in addresses {
            let ip = address.value.0;
            if !Address::from(ip).is_unicast() {
                self.mistake(address, format!("{ip} is no unicast address; give one that one host answers to"));
            }
        }
    }

    fn port(&mut self, service: &Service, kind: Kind) -> u16 {
        match &service.port {
            Some(port) => {
                self.tunnel_port(port.value.0, port, kind);
                port.value.0
            }
            None if kind == Kind::Gtpu => gtpu::PORT,
            None => {
                self.mistake(&service.protocol, "no port; give the one that clients address");
                0
            }
        }
    }

    fn tunnel_port<T>(&mut self, port: u16, at: &Spanned<T>, kind: Kind) {
        if kind == Kind::Gtpu && port != gtpu::PORT {
            self.mistake(at, "GTP-U is received at port 2152 (TS 29.281 4.4.2.3); leave the port out");
        }
    }

    fn unknown(&mut self, service: &Service, kind: Kind) -> steering::Unknown {
        let Some(unknown) = &service.unknown else {
            return steering::Unknown::Drop;
        };
        if kind == Kind::Flow {
            let protocol = if service.protocol.value == Protocol::Tcp { "tcp" } else { "udp" };
            let what = format!("every {protocol} packet belongs to a session; leave `unknown` out");
            self.mistake(unknown, what);
        }
        match unknown.value {
            Unknown::Drop => steering::Unknown::Drop,
            Unknown::Hash => steering::Unknown::Hash,
            Unknown::Punt => steering::Unknown::Punt,
        }
    }
}

fn plain(addresses: &[Spanned<Ip>]) -> Vec<IpAddr> {
    addresses.iter().map(|address| address.value.0).collect()
}
