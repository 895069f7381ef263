use std::fmt::Write as _;
use std::path::Path;

use pinion_steering::{Kind, protocol};

use crate::scenario::Service;
use crate::topology::Topology;

/// A configuration of services whose endpoints are a topology's, as YAML.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The interfaces that XDP is attached to.
    pub interfaces: Vec<String>,
    /// The services.
    pub services: Vec<Served>,
    /// Further lines, as they are.
    pub more: String,
}

/// A service, its pool and its endpoints.
#[derive(Debug, Clone)]
pub struct Served {
    /// What clients see.
    pub service: Service,
    /// Its address on each path.
    pub addresses: Vec<String>,
    /// Its endpoints: name, addresses, weight.
    pub endpoints: Vec<(String, Vec<String>, u32)>,
    /// Further lines of the service, without indentation.
    pub more: Vec<String>,
    /// Further lines of its pool, without indentation.
    pub pool: Vec<String>,
}

impl Configuration {
    /// Every interface of the topology's balancer.
    #[must_use]
    pub fn of(topology: &Topology, services: Vec<Served>) -> Self {
        let interfaces = topology.links().map(|link| link.balancer.interface.name.clone()).collect();
        Self { interfaces, services, more: String::new() }
    }

    pub(super) fn yaml(&self, api: &Path) -> String {
        let mut yaml = format!("api: {{ unix: {} }}\n", api.display());
        let _ = writeln!(yaml, "interfaces: [{}]", self.interfaces.join(", "));
        yaml += &self.more;
        yaml += "pools:\n";
        for served in &self.services {
            let _ = writeln!(yaml, "  - name: {}", served.service.name);
            for line in &served.pool {
                let _ = writeln!(yaml, "    {line}");
            }
            yaml += "    endpoints:\n";
            for (name, addresses, weight) in &served.endpoints {
                let (addresses, port) = (quoted(addresses), served.service.endpoint_port);
                let _ = writeln!(
                    yaml,
                    "      - {{ name: {name}, addresses: [{addresses}], port: {port}, weight: {weight} }}"
                );
            }
        }
        yaml += "services:\n";
        for served in &self.services {
            let name = served.service.name;
            let _ = writeln!(yaml, "  - name: {name}\n    pool: {name}");
            let _ = writeln!(yaml, "    protocol: {}", protocol_name(&served.service));
            if served.service.kind != Kind::Gtpu {
                let _ = writeln!(yaml, "    port: {}", served.service.port);
            }
            let _ = writeln!(yaml, "    addresses: [{}]", quoted(&served.addresses));
            for line in &served.more {
                let _ = writeln!(yaml, "    {line}");
            }
        }
        yaml
    }
}

impl Served {
    /// A service over every endpoint of a topology, all of weight 1.
    #[must_use]
    pub fn by_all(service: Service, topology: &Topology) -> Self {
        let spec = service.spec(topology);
        let text = |addresses: &[std::net::IpAddr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
        Self {
            service,
            addresses: text(&spec.addresses),
            endpoints: spec.endpoints.iter().map(|it| (it.name.clone(), text(&it.addresses), it.weight)).collect(),
            more: Vec::new(),
            pool: Vec::new(),
        }
    }
}

fn protocol_name(service: &Service) -> &'static str {
    match (service.kind, service.protocol) {
        (Kind::Sctp, _) => "sctp",
        (Kind::Gtpu, _) => "gtpu",
        (Kind::Flow, protocol::TCP) => "tcp",
        (Kind::Flow, _) => "udp",
    }
}

/// IPv6 addresses have colons, which YAML wants quoted.
fn quoted(addresses: &[String]) -> String {
    addresses.iter().map(|address| format!("'{address}'")).collect::<Vec<_>>().join(", ")
}
