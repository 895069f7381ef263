//! IPv4 (RFC 791), IPv6 (RFC 8200), UDP (RFC 768), of TCP (RFC 9293) the ports, and the checksum of them all (RFC
//! 1071).
//!
//! Views for reading captures and control traffic, not for the fast path: what a length field
//! counts and is not there is left out and counted by `missing`, as captures with a short snap
//! length need it.

mod checksum;
mod error;
mod v4;
mod v6;

pub use checksum::checksum;
pub use error::{Error, Field};
pub use v4::Ipv4;
pub use v6::Ipv6;

use crate::bytes;

/// Protocol numbers (IANA, assigned internet protocol numbers).
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IPv4 in IP.
    pub const IPV4: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 in IP.
    pub const IPV6: u8 = 41;
    /// Authentication header (RFC 4302).
    pub const AUTHENTICATION: u8 = 51;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// SCTP.
    pub const SCTP: u8 = 132;
}

/// Where a packet lies in the one that was fragmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Identification, 16 bits in IPv4 and 32 in IPv6.
    pub identification: u32,
    /// Where the fragment begins, in bytes; a multiple of 8.
    pub offset: u16,
    /// Whether more follow.
    pub more: bool,
}

/// A UDP datagram whose header is there (RFC 768).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    /// Port of the sender.
    pub source_port: u16,
    /// Port of the receiver.
    pub destination_port: u16,
    /// The length field: header and payload, or 0 in a jumbogram (RFC 2675 4).
    pub length: u16,
    /// The checksum; 0 where there is none.
    pub checksum: u16,
    /// The payload, as far as it is there.
    pub payload: &'a [u8],
}

impl<'a> Udp<'a> {
    /// Parses the payload of an IP packet.
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`]; [`Error::Length`] where the length is 1 to 7.
    pub fn parse(packet: &'a [u8]) -> Result<Self, Error> {
        let Some([s0, s1, d0, d1, l0, l1, c0, c1]) = bytes::array_at(packet, 0) else {
            return Err(Error::HeaderCut { field: Field::Udp, need: 8, have: packet.len() });
        };
        let length = u16::from_be_bytes([l0, l1]);
        if (1..8).contains(&length) {
            return Err(Error::Length { field: Field::Udp, length, least: 8 });
        }
        let rest = bytes::after(packet, 8);
        let payload = match length.checked_sub(8) {
            Some(most) => bytes::at_most(rest, usize::from(most)),
            None => rest,
        };
        Ok(Self {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            length,
            checksum: u16::from_be_bytes([c0, c1]),
            payload,
        })
    }
}

/// A TCP segment whose header is there (RFC 9293 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp<'a> {
    /// Port of the sender.
    pub source_port: u16,
    /// Port of the receiver.
    pub destination_port: u16,
    /// Sequence number of the first byte of the payload.
    pub sequence: u32,
    /// FIN is bit 0, SYN 1, RST 2, PSH 3, ACK 4, URG 5.
    pub flags: u8,
    /// The payload, as far as it is there.
    pub payload: &'a [u8],
}

impl<'a> Tcp<'a> {
    /// Parses the payload of an IP packet.
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`]; [`Error::Length`] where the data offset is less than 5 words.
    pub fn parse(packet: &'a [u8]) -> Result<Self, Error> {
        let cut = |need| Error::HeaderCut { field: Field::Tcp, need, have: packet.len() };
        let Some([s0, s1, d0, d1, n0, n1, n2, n3, _, _, _, _, words, flags]) = bytes::array_at(packet, 0) else {
            return Err(cut(20));
        };
        let header = u16::from(words >> 4).saturating_mul(4);
        if header < 20 {
            return Err(Error::Length { field: Field::Tcp, length: header, least: 20 });
        }
        let header = usize::from(header);
        Ok(Self {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            sequence: u32::from_be_bytes([n0, n1, n2, n3]),
            flags,
            payload: packet.get(header..).ok_or(cut(header))?,
        })
    }
}

#[cfg(test)]
mod tests;
