//! IPv4 (RFC 791) and IPv6 (RFC 8200).

use std::net::IpAddr;

use super::checksum::internet;
use super::transport::Payload;

/// IPv6 hop-by-hop options.
pub const HOP_BY_HOP: u8 = 0;
/// IPv6 routing header.
pub const ROUTING: u8 = 43;
/// IPv6 fragment header.
pub const FRAGMENT: u8 = 44;
/// IPv6 and IPv4 authentication header.
pub const AUTHENTICATION: u8 = 51;
/// IPv6 destination options.
pub const DESTINATION: u8 = 60;

/// The bytes of an options header of 8 bytes behind its next-header octet: one PadN option (RFC 8200 4.2).
pub const PADN: [u8; 7] = [0, 1, 4, 0, 0, 0, 0];

/// An IP packet of the family of its addresses.
#[derive(Clone, Debug)]
pub struct Ip {
    /// Source.
    pub from: IpAddr,
    /// Destination.
    pub to: IpAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Type of service, or traffic class.
    pub class: u8,
    /// IPv4: identification. IPv6: flow label.
    pub id: u16,
    /// IPv4: flags and fragment offset.
    pub fragment: u16,
    /// IPv4: options.
    pub options: Vec<u8>,
    /// IPv6: extension headers, type and bytes behind the next-header octet.
    pub extensions: Vec<(u8, Vec<u8>)>,
    /// The first octet, where it is not the right one.
    pub first: Option<u8>,
    /// IPv4: total length; IPv6: payload length; where it is not the right one.
    pub length: Option<u16>,
    /// What it carries.
    pub payload: Payload,
}

impl Ip {
    /// A plain packet.
    #[must_use]
    pub fn new(from: IpAddr, to: IpAddr, payload: Payload) -> Self {
        Self {
            from,
            to,
            ttl: 64,
            class: 0,
            id: 0x1d0f,
            fragment: 0x4000,
            options: Vec::new(),
            extensions: Vec::new(),
            first: None,
            length: None,
            payload,
        }
    }

    /// The bytes, from the IP header on.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let payload = self.payload.bytes(self.from, self.to);
        match (self.from, self.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => self.v4(from.octets(), to.octets(), &payload),
            (from, to) => self.v6(octets(from), octets(to), &payload),
        }
    }

    fn v4(&self, from: [u8; 4], to: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut options = self.options.clone();
        options.resize(options.len().next_multiple_of(4), 0);
        let header = 20 + options.len();
        let length = self.length.unwrap_or((header + payload.len()) as u16);
        let mut bytes = vec![self.first.unwrap_or(0x40 | (header / 4) as u8), self.class];
        bytes.extend(length.to_be_bytes());
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(self.fragment.to_be_bytes());
        bytes.extend([self.ttl, self.payload.protocol()]);
        let end = [&from[..], &to, &options].concat();
        let check = internet(&[&bytes, &end]);
        bytes.extend(check.to_be_bytes());
        bytes.extend(end);
        bytes.extend(payload);
        bytes
    }

    fn v6(&self, from: [u8; 16], to: [u8; 16], payload: &[u8]) -> Vec<u8> {
        let mut kinds = self.extensions.iter().map(|(kind, _)| *kind).chain([self.payload.protocol()]);
        let first = kinds.next().unwrap_or_default();
        let mut body = Vec::new();
        for ((_, behind), next) in self.extensions.iter().zip(kinds) {
            body.push(next);
            body.extend(behind);
        }
        body.extend(payload);
        let length = self.length.unwrap_or(body.len() as u16);
        let mut bytes = vec![self.first.unwrap_or(0x60) | self.class >> 4, self.class << 4, 0, 0];
        bytes.extend(length.to_be_bytes());
        bytes.extend([first, self.ttl]);
        bytes.extend(from);
        bytes.extend(to);
        bytes.extend(body);
        bytes
    }
}

/// The pseudo header that transport checksums cover (RFC 9293 3.1, RFC 8200 8.1).
#[must_use]
pub fn pseudo(from: IpAddr, to: IpAddr, protocol: u8, length: usize) -> Vec<u8> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let [a, b] = (length as u16).to_be_bytes();
            [&from.octets()[..], &to.octets(), &[0, protocol, a, b]].concat()
        }
        (from, to) => {
            let length = (length as u32).to_be_bytes();
            [&octets(from)[..], &octets(to), &length, &[0, 0, 0, protocol]].concat()
        }
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}
