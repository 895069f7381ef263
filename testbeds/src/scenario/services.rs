//! Services whose endpoints are a topology's.

use std::net::{IpAddr, SocketAddr};

use pinion_loader::setup::{EndpointSpec, ServiceSpec};
use pinion_steering::{Exhausted, Kind, Placement, Unknown, protocol};

use crate::topology::{Host, Topology, service};

/// A service of one family on every path of a topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: &'static str,
    /// Its addresses' last byte, 1 to 254.
    pub number: u8,
    /// Whether it is IPv6.
    pub v6: bool,
    /// How its packets are pinned.
    pub kind: Kind,
    /// Its IP protocol.
    pub protocol: u8,
    /// The port that clients use.
    pub port: u16,
    /// The port that endpoints listen on.
    pub endpoint_port: u16,
}

impl Service {
    /// UDP on port 7000; its endpoints listen on 7100.
    #[must_use]
    pub const fn udp(v6: bool) -> Self {
        let name = if v6 { "udp6" } else { "udp4" };
        Self { name, number: 1, v6, kind: Kind::Flow, protocol: protocol::UDP, port: 7000, endpoint_port: 7100 }
    }

    /// TCP on port 7000; its endpoints listen on 7100.
    #[must_use]
    pub const fn tcp(v6: bool) -> Self {
        let name = if v6 { "tcp6" } else { "tcp4" };
        Self { name, protocol: protocol::TCP, ..Self::udp(v6) }
    }

    /// GTP-U on its port at both ends.
    #[must_use]
    pub const fn gtpu(v6: bool) -> Self {
        let name = if v6 { "gtpu6" } else { "gtpu4" };
        Self { name, number: 2, v6, kind: Kind::Gtpu, protocol: protocol::UDP, port: 2152, endpoint_port: 2152 }
    }

    /// NGAP over SCTP; over IPv6 its endpoints listen on another port.
    #[must_use]
    pub const fn ngap(v6: bool) -> Self {
        let (name, endpoint_port) = if v6 { ("ngap6", 38500) } else { ("ngap4", 38412) };
        Self { name, number: 3, v6, kind: Kind::Sctp, protocol: protocol::SCTP, port: 38412, endpoint_port }
    }

    /// Its address on each of `paths` paths.
    #[must_use]
    pub fn addresses(&self, paths: usize) -> Vec<IpAddr> {
        (1..=u8::try_from(paths).unwrap_or(u8::MAX)).map(|path| service(path, self.number, self.v6)).collect()
    }

    /// What a client on path 1 sends to.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(service(1, self.number, self.v6), self.port)
    }

    /// What one of its endpoints listens on, path by path.
    #[must_use]
    pub fn sockets(&self, host: &Host) -> Vec<SocketAddr> {
        host.addresses(self.v6).into_iter().map(|address| SocketAddr::new(address, self.endpoint_port)).collect()
    }

    /// Its configuration, with every endpoint of the topology up and of equal weight.
    #[must_use]
    pub fn spec(&self, topology: &Topology) -> ServiceSpec {
        let paths = topology.links().map(|link| link.path).max().unwrap_or_default();
        let endpoints = topology.endpoints.iter().map(|host| EndpointSpec {
            name: host.name.clone(),
            addresses: host.addresses(self.v6),
            port: self.endpoint_port,
            weight: 1,
            up: true,
        });
        ServiceSpec {
            name: self.name.to_owned(),
            kind: self.kind,
            protocol: self.protocol,
            port: self.port,
            addresses: self.addresses(paths),
            unknown: Unknown::Drop,
            placement: Placement::Maglev,
            exhausted: Exhausted::Drop,
            endpoints: endpoints.collect(),
            aware: false,
            exits: Vec::new(),
        }
    }
}
