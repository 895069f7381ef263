//! What is probed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use pinion_protocols::gtpu;

use super::probe::pfcp;
use crate::config::model::{Config, Endpoint, Health, Pool, Probe};

/// One path of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The endpoint's pool.
    pub pool: Arc<str>,
    /// Its name.
    pub endpoint: Arc<str>,
    /// The number of the path, from 0.
    pub path: usize,
    /// Where the probe goes: the endpoint's address on this path and the port; ICMP makes nothing of the port.
    pub to: SocketAddr,
    /// The balancer's address that it comes from; `None`: as the kernel routes it.
    pub from: Option<IpAddr>,
    /// How it is probed.
    pub health: Arc<Health>,
}

impl Target {
    /// Whether what is known of the other holds for this one: the same is asked of the same place.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        self.to == other.to && self.from == other.from && self.health.probe == other.health.probe
    }
}

/// Every path of every pool that is probed, in the order of the configuration. The port is the one of `health`, else
/// the endpoint's, else that of the first service of the pool, else the protocol's own; without any, TCP, UDP, SCTP
/// and HTTP/2 are not probed.
pub fn targets(config: &Config) -> Vec<Target> {
    let mut targets = Vec::new();
    for pool in &config.pools {
        let Some(health) = &pool.health else { continue };
        let (name, health) = (Arc::<str>::from(pool.name.as_str()), Arc::new(health.clone()));
        for endpoint in &pool.endpoints {
            let Some(port) = port(config, pool, &health, endpoint) else { continue };
            let endpoint_name = Arc::<str>::from(endpoint.name.as_str());
            targets.extend(endpoint.addresses.iter().enumerate().map(|(path, &address)| Target {
                pool: Arc::clone(&name),
                endpoint: Arc::clone(&endpoint_name),
                path,
                to: SocketAddr::new(address, port),
                from: None,
                health: Arc::clone(&health),
            }));
        }
    }
    targets
}

fn port(config: &Config, pool: &Pool, health: &Health, endpoint: &Endpoint) -> Option<u16> {
    let service = || config.services.iter().find(|service| service.pool == pool.name).map(|service| service.port);
    let protocol = || match health.probe {
        Probe::Icmp => Some(0),
        Probe::Gtpu => Some(gtpu::PORT),
        Probe::Pfcp => Some(pfcp::PORT),
        Probe::Tcp | Probe::Udp { .. } | Probe::Sctp | Probe::Http2 { .. } => None,
    };
    health.port.or(endpoint.port).or_else(service).or_else(protocol)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// What is probed, as `POOL/ENDPOINT PATH SOCKET`.
    fn probed(health: &str, services: &str) -> Vec<String> {
        let yaml = format!(
            "\
pools:
  - name: one
{health}
    endpoints:
      - {{ name: a, addresses: [10.0.0.1, 10.1.0.1] }}
      - {{ name: b, addresses: [10.0.0.2, 10.1.0.2], port: 7000 }}
  - name: unprobed
    endpoints: [{{ name: c, addresses: [10.0.0.3] }}]
services:
{services}
  - {{ name: other, pool: unprobed, protocol: udp, port: 5060, addresses: [192.0.2.3] }}
"
        );
        let config = config::parse(yaml.as_bytes(), &config::Host::default()).unwrap().config;
        let shown = |it: &Target| format!("{}/{} {} {}", it.pool, it.endpoint, it.path, it.to);
        targets(&config).iter().map(shown).collect()
    }

    const N2: &str = "  - { name: n2, pool: one, protocol: sctp, port: 38412, addresses: [192.0.2.1, 192.0.2.2] }";

    #[test]
    fn every_path_of_a_pool_with_health_is_probed() {
        let health = "    health: { kind: sctp }";
        let ports =
            ["one/a 0 10.0.0.1:38412", "one/a 1 10.1.0.1:38412", "one/b 0 10.0.0.2:7000", "one/b 1 10.1.0.2:7000"];
        assert_eq!(probed(health, N2), ports);
    }

    #[test]
    fn the_port_of_health_is_the_first_choice() {
        let health = "    health: { kind: tcp, port: 9 }";
        assert!(probed(health, N2).iter().all(|target| target.ends_with(":9")));
    }

    #[test]
    fn icmp_makes_nothing_of_the_port() {
        assert_eq!(probed("    health: { kind: icmp }", N2).len(), 4);
        assert_eq!(probed("", N2), [""; 0]);
    }
}
