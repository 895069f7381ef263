//! What is known of this host.

use std::io;
use std::net::IpAddr;

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::LinkAddr;
use pinion_transport::link::Route;

use super::Host;

impl Host {
    /// This host, in this network namespace, as it is now.
    ///
    /// # Errors
    ///
    /// What the system says where it does not list its interfaces.
    pub fn here() -> io::Result<Self> {
        let mut host =
            Self { files: true, sctp: Some(pinion_transport::kernel::is_available()), ..Self::default() };
        let all: Vec<_> = getifaddrs()?.collect();
        let ethernet = |name: &str| {
            let link = |it: &InterfaceAddress| it.address.as_ref()?.as_link_addr().map(LinkAddr::halen);
            all.iter().any(|it| it.interface_name == name && link(it) == Some(6))
        };
        for interface in &all {
            if !interface.flags.contains(InterfaceFlags::IFF_LOOPBACK) && ethernet(&interface.interface_name) {
                let network = network(interface).map(|route| (interface.interface_name.clone(), route));
                host.networks.extend(network);
            }
        }
        for interface in all {
            if !host.interfaces.contains(&interface.interface_name) {
                host.interfaces.push(interface.interface_name);
            }
            let Some(address) = interface.address else {
                continue;
            };
            if let Some(v4) = address.as_sockaddr_in() {
                host.addresses.push(IpAddr::V4(v4.ip()));
            } else if let Some(v6) = address.as_sockaddr_in6() {
                host.addresses.push(IpAddr::V6(v6.ip()));
            }
        }
        Ok(host)
    }

    /// The interface whose network an address is of, and that network.
    #[must_use]
    pub fn near(&self, address: IpAddr) -> Option<&(String, Route)> {
        let networks = self.networks.iter().filter(|(_, network)| network.leads_to(address));
        networks.max_by_key(|(_, network)| network.to.1)
    }
}

/// The network that an address of an interface says that it is in.
fn network(interface: &InterfaceAddress) -> Option<Route> {
    let (address, mask) = (interface.address.as_ref()?, interface.netmask.as_ref()?);
    let (address, ones) = match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(v4), _) => (IpAddr::V4(v4.ip()), mask.as_sockaddr_in()?.ip().to_bits().leading_ones()),
        (_, Some(v6)) => (IpAddr::V6(v6.ip()), mask.as_sockaddr_in6()?.ip().to_bits().leading_ones()),
        (None, None) => return None,
    };
    Some(Route { to: (address, u8::try_from(ones).ok()?), via: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_a_loopback_interface() {
        let host = Host::here().unwrap();
        assert!(host.interfaces.iter().any(|name| name == "lo"), "{host:?}");
        assert!(host.addresses.contains(&IpAddr::from([127, 0, 0, 1])), "{host:?}");
        assert_eq!(host.near([127, 0, 0, 9].into()), None, "nobody reaches it from elsewhere");
    }

    #[test]
    fn the_smallest_network_is_the_nearest() {
        let network = |name: &str, to| (name.to_owned(), Route { to, via: None });
        let networks = vec![
            network("wide", ([10, 0, 0, 1].into(), 8)),
            network("narrow", ([10, 7, 0, 1].into(), 16)),
            network("other", ("2001:db8::1".parse().unwrap(), 64)),
        ];
        let host = Host { networks, ..Host::default() };
        let near = |address: &str| host.near(address.parse().unwrap()).map(|(name, _)| name.as_str());
        assert_eq!([near("10.7.1.2"), near("10.8.1.2")], [Some("narrow"), Some("wide")]);
        assert_eq!([near("2001:db8::9"), near("192.0.2.1")], [Some("other"), None]);
    }
}
