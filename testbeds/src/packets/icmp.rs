//! Neighbour discovery (RFC 4861) and echo of ICMP.

use std::net::{IpAddr, Ipv6Addr};

use super::transport::Payload;
use super::{Frame, Mac, packet};

/// A neighbour solicitation for `wanted` (RFC 4861 4.3), with the asker's link address.
#[must_use]
pub fn solicitation(asker: (Mac, Ipv6Addr), wanted: Ipv6Addr) -> Frame {
    let mut body = vec![0; 4];
    body.extend(wanted.octets());
    if !asker.1.is_unspecified() {
        body.extend([1, 1]);
        body.extend(asker.0);
    }
    let [.., a, b, c] = wanted.octets();
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
    let payload = Payload::Icmpv6(135, 0, body);
    packet(IpAddr::V6(asker.1), IpAddr::V6(group), payload).macs(asker.0, [0x33, 0x33, 0xff, a, b, c]).ttl(255)
}

/// The advertisement that answers it: solicited, override, with the owner's link address (RFC 4861 4.4).
#[must_use]
pub fn advertisement(owner: (Mac, Ipv6Addr), asker: (Mac, Ipv6Addr)) -> Frame {
    let mut body = vec![0x60, 0, 0, 0];
    body.extend(owner.1.octets());
    body.extend([2, 1]);
    body.extend(owner.0);
    let payload = Payload::Icmpv6(136, 0, body);
    packet(IpAddr::V6(owner.1), IpAddr::V6(asker.1), payload).macs(owner.0, asker.0).ttl(255)
}

/// An ICMPv6 Echo Request.
#[must_use]
pub fn ping6(from: IpAddr, to: IpAddr) -> Frame {
    packet(from, to, Payload::Icmpv6(128, 0, vec![0, 1, 0, 1, 9, 9, 9, 9]))
}

/// An ICMP Echo Request.
#[must_use]
pub fn ping(from: IpAddr, to: IpAddr) -> Frame {
    packet(from, to, Payload::Raw(1, vec![8, 0, 0xf7, 0xfd, 0, 1, 0, 1]))
}
