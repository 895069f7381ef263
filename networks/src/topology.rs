//! A balancer between clients and endpoints, on one to eight networks.
//!
//! ```text
//! client 1 ─┬─ path 1 ─┐            ┌─ path 1 ─┬─ endpoint 1
//!           └─ path 2 ─┤  balancer  ├─ path 2 ─┘
//! client 2 ─┬─ path 1 ─┤ (forwards) ├─ path 1 ─┬─ endpoint 2
//!           └─ path 2 ─┘            └─ path 2 ─┘
//! ```
//!
//! Every line is a veth pair of its own, so XDP on the balancer's end of each
//! steers what its host sends. Clients reach services, and endpoints reach
//! clients, through the balancer; what is for another path's network leaves by
//! that path. Interfaces are called `path1`, `path2` on a host and
//! `client1-p1`, `endpoint2-p1` on the balancer.

mod addresses;
mod build;

use std::net::IpAddr;

use crate::failure::Failure;
use crate::namespace::{Interface, Namespace};

pub use addresses::{Families, Place, client, endpoint, service};
pub use build::Settlement;

/// What a [`Topology`] is built of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many clients, 0 to 100.
    pub clients: usize,
    /// How many endpoints, 0 to 100.
    pub endpoints: usize,
    /// How many parallel networks, 1 to 8.
    pub paths: usize,
    /// Which families have addresses.
    pub families: Families,
    /// The largest IP packet of every link, in bytes.
    pub mtu: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self { clients: 1, endpoints: 2, paths: 1, families: Families::Both, mtu: 1500 }
    }
}

/// Namespaces joined as the module says. Dropping it removes them all once the
/// last process and socket inside has ended.
#[derive(Debug)]
pub struct Topology {
    /// The namespace in the middle. It forwards both families by itself.
    pub balancer: Namespace,
    /// The clients, first to last.
    pub clients: Vec<Host>,
    /// The endpoints, first to last.
    pub endpoints: Vec<Host>,
}

/// A client or an endpoint.
#[derive(Debug)]
pub struct Host {
    /// `client1`, `endpoint2`.
    pub name: String,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its link to the balancer on each path; item 0 is path 1.
    pub links: Vec<Link>,
}

/// One veth pair between a host and the balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The path, from 1.
    pub path: usize,
    /// The end inside the host's namespace.
    pub host: End,
    /// The end inside the balancer's namespace: XDP goes here.
    pub balancer: End,
}

/// One end of a [`Link`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Name, index and Ethernet address, valid inside its namespace.
    pub interface: Interface,
    /// Its address of each family, IPv4 first: /24 and /64.
    pub addresses: Vec<IpAddr>,
}

impl Topology {
    /// Clients, then endpoints.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.clients.iter().chain(&self.endpoints)
    }

    /// Every link, clients' first: where XDP is to be attached.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.hosts().flat_map(|host| &host.links)
    }

    /// Cuts a host from a path: nothing arrives any more, either way. The host
    /// sees its carrier go; what runs inside User-Mode Linux does not. The
    /// balancer's kernel answers packets for the host by ICMP: no route.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`] where the host has no such path.
    pub fn cut(&self, host: &Host, path: usize) -> Result<(), Failure> {
        self.switch(host, path, false)
    }

    /// Undoes [`Topology::cut`]. Attached XDP programs and addresses are as before.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`] where the host has no such path.
    pub fn restore(&self, host: &Host, path: usize) -> Result<(), Failure> {
        self.switch(host, path, true)
    }

    fn switch(&self, host: &Host, path: usize, up: bool) -> Result<(), Failure> {
        let link = host.link(path)?;
        self.balancer.set_up(&link.balancer.interface.name, up)
    }
}

impl Host {
    /// Its link on `path`, from 1.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`] where it has no such path.
    pub fn link(&self, path: usize) -> Result<&Link, Failure> {
        self.links
            .iter()
            .find(|link| link.path == path)
            .ok_or_else(|| Failure::NoInterface { name: format!("path{path}") })
    }

    /// Its addresses of one family, path by path.
    #[must_use]
    pub fn addresses(&self, v6: bool) -> Vec<IpAddr> {
        let all = self.links.iter().flat_map(|link| &link.host.addresses);
        all.copied().filter(|address| address.is_ipv6() == v6).collect()
    }

    /// Adds what the host's kernel needs to reach the rest: its own addresses
    /// and its routes through the balancer.
    ///
    /// # Errors
    ///
    /// [`Failure::Netlink`].
    pub fn settle(&self) -> Result<(), Failure> {
        for link in &self.links {
            build::settle(&self.namespace, link)?;
        }
        Ok(())
    }

    /// Takes the host's addresses, and with them its routes, from its kernel,
    /// for another network stack that answers for them.
    ///
    /// # Errors
    ///
    /// [`Failure::Netlink`].
    pub fn unsettle(&self) -> Result<(), Failure> {
        for link in &self.links {
            build::unsettle(&self.namespace, link)?;
        }
        Ok(())
    }
}
