use std::io;
use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::{LinkAddr, SockaddrStorage};

/// An interface that frames are sent from.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Its link address.
    pub address: [u8; 6],
    /// Whether it is up and has a carrier.
    pub up: bool,
    /// Its own addresses, and the masks of their networks.
    networks: Vec<(IpAddr, IpAddr)>,
    /// Where frames are sent to leave by it.
    pub(super) to: LinkAddr,
}

impl Link {
    /// Whether an address belongs to a network that the interface is in.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|(own, mask)| match (own, mask, address) {
            (IpAddr::V4(own), IpAddr::V4(mask), IpAddr::V4(address)) => own & mask == address & mask,
            (IpAddr::V6(own), IpAddr::V6(mask), IpAddr::V6(address)) => own & mask == address & mask,
            _ => false,
        })
    }
}

/// The interfaces of this network namespace that have a link address.
pub(super) fn links() -> io::Result<Vec<Link>> {
    let all: Vec<_> = getifaddrs()?.collect();
    let mut links: Vec<Link> = Vec::new();
    for interface in &all {
        let Some(to) = interface.address.as_ref().and_then(SockaddrStorage::as_link_addr) else { continue };
        let Some(address) = to.addr().filter(|_| to.halen() == 6) else { continue };
        let flags = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING;
        let networks = all.iter().filter(|it| it.interface_name == interface.interface_name);
        let networks = networks.filter_map(|it| Some((ip(it.address.as_ref()?)?, ip(it.netmask.as_ref()?)?)));
        links.push(Link {
            name: interface.interface_name.clone(),
            address,
            up: interface.flags.contains(flags) && !interface.flags.contains(InterfaceFlags::IFF_LOOPBACK),
            networks: networks.collect(),
            to: *to,
        });
    }
    Ok(links)
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|it| IpAddr::V4(it.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|it| IpAddr::V6(it.ip())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_there_and_announces_nothing() {
        let links = links().unwrap();
        let lo = links.iter().find(|link| link.name == "lo").unwrap();
        assert!(!lo.up && lo.holds([127, 1, 2, 3].into()) && !lo.holds([192, 0, 2, 1].into()), "{lo:?}");
        assert!(!lo.holds("2001:db8::1".parse().unwrap()));
    }
}
