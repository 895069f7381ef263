//! Neighbour discovery (RFC 4861) and echo of ICMP.

use std::net::{IpAddr, Ipv6Addr};

use super::checksum::internet;
use super::transport::Payload;
use super::{Frame, Mac, Network, packet};

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

/// The port unreachable that a frame gets from where it was sent to, quoting it up to 576 bytes in all (RFC 792,
/// RFC 1812 4.3.2.3), in IPv6 up to 1,280 (RFC 4443 2.4 c, 3.1). Linux gives it the precedence and flags that it has here.
#[must_use]
pub fn port_unreachable(of: &Frame) -> Frame {
    let port = if of.destination().is_some_and(|to| to.is_ipv4()) { (3, 3) } else { (1, 4) };
    unreachable(of, port)
}

/// Any other error of that form: its type and code.
#[must_use]
pub fn unreachable(of: &Frame, (kind, code): (u8, u8)) -> Frame {
    let Network::Ip(ip) = &of.network else {
        return of.clone();
    };
    let mut quoted = ip.bytes();
    let payload = if ip.to.is_ipv4() {
        quoted.truncate(576 - 28);
        let check = internet(&[&[kind, code], &[0; 4], &quoted]);
        Payload::Raw(1, [&[kind, code][..], &check.to_be_bytes(), &[0; 4], &quoted].concat())
    } else {
        quoted.truncate(1280 - 48);
        Payload::Icmpv6(kind, code, [&[0; 4][..], &quoted].concat())
    };
    let answer = packet(ip.to, ip.from, payload).macs(of.macs.0, of.macs.1).ip(|ip| {
        ip.id = 0;
        ip.class = 0xc0;
    });
    Frame { tags: of.tags.clone(), ..answer }
}
