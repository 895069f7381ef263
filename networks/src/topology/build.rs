//! From a plan to namespaces.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::addresses::{BALANCER, ENDPOINTS, HOST, address, families, lengths, mac, network};
use super::{End, Host, Link, Plan, Topology};
use crate::failure::Failure;
use crate::namespace::{Interface, Namespace, Veth};

impl Topology {
    /// Builds it.
    ///
    /// # Errors
    ///
    /// [`Failure::Plan`] for a plan beyond its bounds; else what the kernel
    /// refused, after which nothing is left behind.
    pub fn build(plan: &Plan) -> Result<Self, Failure> {
        within("paths", plan.paths, 1, 8)?;
        within("clients", plan.clients, 0, 100)?;
        within("endpoints", plan.endpoints, 0, 100)?;
        let balancer = Namespace::new()?;
        balancer.forward()?;
        let group = |kind: &str, first: u8, many: usize| {
            let numbers = (1..=many).map(|number| (number, first.saturating_add(byte(number))));
            numbers
                .map(|(number, host)| build_host(&balancer, plan, format!("{kind}{number}"), host))
                .collect::<Result<Vec<_>, _>>()
        };
        let clients = group("client", 0, plan.clients)?;
        let endpoints = group("endpoint", ENDPOINTS, plan.endpoints)?;
        Ok(Self { balancer, clients, endpoints })
    }
}

fn build_host(balancer: &Namespace, plan: &Plan, name: String, number: u8) -> Result<Host, Failure> {
    let namespace = Namespace::new()?;
    let links = (1..=plan.paths)
        .map(|path| build_link(balancer, &namespace, plan, &name, number, path))
        .collect::<Result<Vec<_>, _>>()?;
    let host = Host { name, namespace, links };
    host.settle()?;
    Ok(host)
}

fn build_link(
    balancer: &Namespace,
    namespace: &Namespace,
    plan: &Plan,
    host_name: &str,
    host: u8,
    path: usize,
) -> Result<Link, Failure> {
    let number = byte(path);
    let veth = Veth {
        names: [format!("{host_name}-p{path}"), format!("path{path}")],
        macs: Some([mac(number, host, BALANCER), mac(number, host, HOST)]),
        mtu: plan.mtu,
    };
    let end = |interface: Interface, last: u8| {
        let addresses = families(plan.families).iter().map(|v6| address(number, host, last, *v6));
        End { interface, addresses: addresses.collect() }
    };
    let [near, far] = balancer.link_to(namespace, &veth)?;
    let link = Link { path, host: end(far, HOST), balancer: end(near, BALANCER) };
    for address in &link.balancer.addresses {
        let (length, _) = lengths(address.is_ipv6());
        balancer.add_address(&link.balancer.interface.name, *address, length)?;
    }
    Ok(link)
}

/// What a host's network stack has to have on one of its links.
pub struct Settlement {
    /// Its addresses and the length of the link's prefix.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Networks, their prefix lengths, and the gateway to them.
    pub routes: Vec<(IpAddr, u8, IpAddr)>,
}

impl Settlement {
    /// Routes to the link's whole path; by the first path also to everything else.
    #[must_use]
    pub fn of(link: &Link) -> Self {
        let mut settlement = Self { addresses: Vec::new(), routes: Vec::new() };
        for (address, gateway) in link.host.addresses.iter().zip(&link.balancer.addresses) {
            let v6 = address.is_ipv6();
            let (on_link, path) = lengths(v6);
            settlement.addresses.push((*address, on_link));
            settlement.routes.push((network(byte(link.path), v6), path, *gateway));
            if link.path == 1 {
                let anywhere = if v6 { IpAddr::from(Ipv6Addr::UNSPECIFIED) } else { Ipv4Addr::UNSPECIFIED.into() };
                settlement.routes.push((anywhere, 0, *gateway));
            }
        }
        settlement
    }
}

pub(super) fn settle(namespace: &Namespace, link: &Link) -> Result<(), Failure> {
    let name = &link.host.interface.name;
    namespace.sysctls(&[(&ipv6_switch(name), "0")])?;
    let settlement = Settlement::of(link);
    for (address, length) in settlement.addresses {
        namespace.add_address(name, address, length)?;
    }
    for (network, length, gateway) in settlement.routes {
        namespace.add_route(network, length, name, Some(gateway))?;
    }
    Ok(())
}

/// The opposite of [`settle`]: the routes go with the addresses.
pub(super) fn unsettle(namespace: &Namespace, link: &Link) -> Result<(), Failure> {
    let name = &link.host.interface.name;
    for address in &link.host.addresses {
        let removed = namespace.remove_address(name, *address, lengths(address.is_ipv6()).0);
        match removed {
            // It was taken before, for another peer on this host.
            Err(Failure::Netlink { source, .. }) if source.kind() == ErrorKind::AddrNotAvailable => {}
            other => other?,
        }
    }
    // Not even a link-local address answers.
    namespace.sysctls(&[(&ipv6_switch(name), "1")])
}

fn ipv6_switch(interface: &str) -> String {
    format!("net/ipv6/conf/{interface}/disable_ipv6")
}

fn within(what: &'static str, value: usize, least: usize, most: usize) -> Result<(), Failure> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Failure::Plan { what, least, most, value })
}

/// Bounded by [`within`] before.
fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
