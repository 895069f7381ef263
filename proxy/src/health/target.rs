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
