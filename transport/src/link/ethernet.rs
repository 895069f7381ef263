//! Ethernet II (IEEE 802.3 3.2.6).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::num::ParseIntError;
use std::str::FromStr;

/// An Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// EtherType of IPv4.
pub(super) const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub(super) const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub(super) const IPV6: u16 = 0x86dd;

impl Mac {
    /// Everybody.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The group that packets to a multicast address go to (RFC 2464 7).
    pub(super) fn of_group(group: Ipv6Addr) -> Self {
        let [.., a, b, c, d] = group.octets();
        Self([0x33, 0x33, a, b, c, d])
    }

    /// Whether it names a group.
    pub fn is_group(self) -> bool {
        let Self([first, ..]) = self;
        first & 1 == 1
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([a, b, c, d, e, g]) = self;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why text is not an Ethernet address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// It has not six parts with colons between.
    #[error("{parts} parts in an Ethernet address, which has 6")]
    Parts {
        /// How many there are.
        parts: usize,
    },
    /// A part is not two hexadecimal digits.
    #[error("part {part} of an Ethernet address is no hexadecimal byte")]
    Digits {
        /// Which, from 1.
        part: usize,
        /// What is wrong with it.
        source: ParseIntError,
    },
}

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let parts = text.split(':').count();
        let mut bytes = [0; 6];
        if parts != bytes.len() {
            return Err(MacError::Parts { parts });
        }
        for ((byte, digits), part) in bytes.iter_mut().zip(text.split(':')).zip(1..) {
            *byte = u8::from_str_radix(digits, 16).map_err(|source| MacError::Digits { part, source })?;
        }
        Ok(Self(bytes))
    }
}

/// A frame's addresses, EtherType and content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ethernet<'a> {
    pub(super) destination: Mac,
    pub(super) source: Mac,
    pub(super) kind: u16,
    pub(super) payload: &'a [u8],
}

impl<'a> Ethernet<'a> {
    pub(super) fn parse(frame: &'a [u8]) -> Option<Self> {
        let (destination, rest) = frame.split_first_chunk()?;
        let (source, rest) = rest.split_first_chunk()?;
        let (kind, payload) = rest.split_first_chunk()?;
        Some(Self {
            destination: Mac(*destination),
            source: Mac(*source),
            kind: u16::from_be_bytes(*kind),
            payload,
        })
    }
}

/// EtherType of packets between these addresses.
pub(super) fn kind_of(address: IpAddr) -> u16 {
    if address.is_ipv4() { IPV4 } else { IPV6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_is_written() {
        let mac = Mac([2, 0, 0xab, 0, 1, 0xff]);
        assert_eq!(mac.to_string(), "02:00:ab:00:01:ff");
        assert_eq!("02:00:ab:00:01:ff".parse(), Ok(mac));
        assert_eq!("02:00:ab".parse::<Mac>(), Err(MacError::Parts { parts: 3 }));
        assert!(matches!("02:00:ab:00:zz:ff".parse::<Mac>(), Err(MacError::Digits { part: 5, .. })));
    }

    // RFC 2464 7: the last four octets behind 33-33.
    #[test]
    fn multicast_goes_to_a_group() {
        let group: Ipv6Addr = "ff02::1:ff00:1234".parse().unwrap();
        assert_eq!(Mac::of_group(group).to_string(), "33:33:ff:00:12:34");
        assert!(Mac::of_group(group).is_group() && Mac::BROADCAST.is_group());
        assert!(!Mac([2, 0, 0, 0, 0, 1]).is_group());
    }
}
