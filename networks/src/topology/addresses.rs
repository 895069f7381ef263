//! Who has which address.
//!
//! Path p is 10.p.0.0/16 and fd00:p::/32. Host h (clients from 1, endpoints
//! from 101) has 10.p.h.2 and fd00:p:h::2 there, the balancer .1 on the same
//! link. 10.p.255.0/24 and fd00:p:255::/48 are for services: on no link.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::namespace::Mac;

/// Which families the links have addresses of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    V4,
    /// IPv6 alone (link-local addresses apart, as ever).
    V6,
    /// Both.
    Both,
}

/// An address for a service on a path, from 1. Up to 254 services; nobody has
/// these addresses and every host's routes to them lead to the balancer.
#[must_use]
pub fn service(path: u8, number: u8, v6: bool) -> IpAddr {
    address(path, SERVICES, number, v6)
}

/// Where a host meets the balancer on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its address and Ethernet address.
    pub host: (IpAddr, Mac),
    /// The balancer's on the same link.
    pub balancer: (IpAddr, Mac),
}

/// The place of client `number`, from 1 to 100, on a path, from 1.
#[must_use]
pub fn client(path: u8, number: u8, v6: bool) -> Place {
    place(path, number, v6)
}

/// The place of endpoint `number`, from 1 to 100, on a path, from 1.
#[must_use]
pub fn endpoint(path: u8, number: u8, v6: bool) -> Place {
    place(path, ENDPOINTS.saturating_add(number), v6)
}

fn place(path: u8, host: u8, v6: bool) -> Place {
    let end = |end| (address(path, host, end, v6), mac(path, host, end));
    Place { host: end(HOST), balancer: end(BALANCER) }
}

/// The third byte of services' addresses.
const SERVICES: u8 = 255;

/// The balancer's last byte on a link.
pub(super) const BALANCER: u8 = 1;
/// The host's last byte on a link.
pub(super) const HOST: u8 = 2;
/// Endpoints count from here.
pub(super) const ENDPOINTS: u8 = 100;

/// Prefix lengths of a link and of a whole path.
pub(super) fn lengths(v6: bool) -> (u8, u8) {
    if v6 { (64, 32) } else { (24, 16) }
}

pub(super) fn address(path: u8, host: u8, end: u8, v6: bool) -> IpAddr {
    if v6 {
        // Written in decimal digits, so that both families read alike.
        let [path, host] = [path, host].map(decimal);
        Ipv6Addr::new(0xfd00, path, host, 0, 0, 0, 0, u16::from(end)).into()
    } else {
        Ipv4Addr::new(10, path, host, end).into()
    }
}

/// The network of a whole path.
pub(super) fn network(path: u8, v6: bool) -> IpAddr {
    address(path, 0, 0, v6)
}

pub(super) fn mac(path: u8, host: u8, end: u8) -> Mac {
    Mac([2, 0, 0, path, host, end])
}

pub(super) fn families(families: Families) -> &'static [bool] {
    match families {
        Families::V4 => &[false],
        Families::V6 => &[true],
        Families::Both => &[false, true],
    }
}

/// The number whose hexadecimal digits are this one's decimal digits.
fn decimal(number: u8) -> u16 {
    u16::from_str_radix(&number.to_string(), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_read_alike() {
        assert_eq!(address(2, 101, HOST, false).to_string(), "10.2.101.2");
        assert_eq!(address(2, 101, HOST, true).to_string(), "fd00:2:101::2");
        assert_eq!(endpoint(2, 1, false).host.0.to_string(), "10.2.101.2");
        assert_eq!(client(2, 1, false).balancer, ("10.2.1.1".parse().unwrap(), Mac([2, 0, 0, 2, 1, 1])));
        assert_eq!(service(1, 7, false).to_string(), "10.1.255.7");
        assert_eq!(service(1, 7, true).to_string(), "fd00:1:255::7");
    }
}
