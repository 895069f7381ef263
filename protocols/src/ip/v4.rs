//! IPv4 (RFC 791 3.1).

use core::net::Ipv4Addr;

use super::{Error, Field, Fragment};
use crate::bytes;

/// A packet whose header, options included, is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4<'a> {
    /// Sender.
    pub source: Ipv4Addr,
    /// Receiver.
    pub destination: Ipv4Addr,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Time to live.
    pub ttl: u8,
    /// Differentiated services and congestion notification.
    pub traffic_class: u8,
    /// Options, 0 to 40 bytes.
    pub options: &'a [u8],
    /// Which part of a fragmented packet this is; of a whole one the first and last.
    pub fragment: Fragment,
    /// The payload, as far as it is there.
    pub payload: &'a [u8],
    /// How many bytes of the payload are not there.
    pub missing: usize,
}

impl<'a> Ipv4<'a> {
    /// Parses a packet. Bytes beyond the total length, such as Ethernet's padding, are left out. A
    /// total length of 0, which captures before segmentation offload have, means everything.
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`], [`Error::Version`]; [`Error::Length`] where the header length is less
    /// than 20 or the total length less than that of the header.
    pub fn parse(packet: &'a [u8]) -> Result<Self, Error> {
        let have = packet.len();
        let cut = |need| Error::HeaderCut { field: Field::Ipv4, need, have };
        let Some(
            [first, traffic_class, l0, l1, i0, i1, f0, f1, ttl, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3],
        ) = bytes::array_at(packet, 0)
        else {
            return Err(cut(20));
        };
        if first >> 4 != 4 {
            return Err(Error::Version { field: Field::Ipv4, version: first >> 4 });
        }
        let header = u16::from(first & 0x0f).saturating_mul(4);
        if header < 20 {
            return Err(Error::Length { field: Field::Ipv4, length: header, least: 20 });
        }
        let total = u16::from_be_bytes([l0, l1]);
        if total != 0 && total < header {
            return Err(Error::Length { field: Field::Ipv4, length: total, least: header });
        }
        let start = usize::from(header);
        let (options, rest) = (packet.get(20..start).ok_or(cut(start))?, bytes::after(packet, start));
        let (payload, missing) = match total.checked_sub(header) {
            Some(most) => {
                let payload = bytes::at_most(rest, usize::from(most));
                (payload, usize::from(most).saturating_sub(payload.len()))
            }
            None => (rest, 0),
        };
        let fragment = u16::from_be_bytes([f0, f1]);
        Ok(Self {
            source: [s0, s1, s2, s3].into(),
            destination: [d0, d1, d2, d3].into(),
            protocol,
            ttl,
            traffic_class,
            options,
            fragment: Fragment {
                identification: u16::from_be_bytes([i0, i1]).into(),
                offset: fragment << 3,
                more: fragment & 0x2000 != 0,
            },
            payload,
            missing,
        })
    }

    /// Whether this is a fragment, not a whole packet.
    pub fn is_fragment(&self) -> bool {
        self.fragment.more || self.fragment.offset != 0
    }
}
