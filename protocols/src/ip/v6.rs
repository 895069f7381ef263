//! IPv6 and its extension headers (RFC 8200).

use core::net::Ipv6Addr;

use super::{Error, Field, Fragment, protocol};
use crate::bytes;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Bytes of the header without extension headers.
const HEADER_LENGTH: usize = 40;

/// A packet whose header and extension headers are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6<'a> {
    /// Sender.
    pub source: Ipv6Addr,
    /// Receiver.
    pub destination: Ipv6Addr,
    /// Hop limit.
    pub hop_limit: u8,
    /// Differentiated services and congestion notification.
    pub traffic_class: u8,
    /// Protocol of the payload: the next header of the last extension header.
    pub protocol: u8,
    /// The fragment header, where there is one; nothing behind it is looked at then.
    pub fragment: Option<Fragment>,
    /// What follows the last extension header, as far as it is there.
    pub payload: &'a [u8],
    /// How many bytes of the payload are not there.
    pub missing: usize,
}

impl<'a> Ipv6<'a> {
    /// Parses a packet. A payload length of 0 (RFC 2675) means everything. Time is linear in the
    /// number of extension headers.
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`], [`Error::Version`], [`Error::ExtensionCut`].
    pub fn parse(packet: &'a [u8]) -> Result<Self, Error> {
        let have = packet.len();
        let (Some(fixed), Some(source), Some(destination)) =
            (bytes::array_at::<8>(packet, 0), bytes::array_at::<16>(packet, 8), bytes::array_at::<16>(packet, 24))
        else {
            return Err(Error::HeaderCut { field: Field::Ipv6, need: HEADER_LENGTH, have });
        };
        let [v0, v1, _, _, l0, l1, next, hop_limit] = fixed;
        if v0 >> 4 != 6 {
            return Err(Error::Version { field: Field::Ipv6, version: v0 >> 4 });
        }
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let rest = bytes::after(packet, HEADER_LENGTH);
        let (rest, missing) = match length {
            0 => (rest, 0),
            _ => (bytes::at_most(rest, length), length.saturating_sub(rest.len())),
        };
        let (protocol, fragment, payload) = upper(next, rest)?;
        Ok(Self {
            source: source.into(),
            destination: destination.into(),
            hop_limit,
            traffic_class: (v0 << 4) | (v1 >> 4),
            protocol,
            fragment,
            payload,
            missing,
        })
    }

    /// Whether this is a fragment, not a whole packet; an atomic fragment (RFC 6946) is whole.
    pub fn is_fragment(&self) -> bool {
        self.fragment.is_some_and(|fragment| fragment.more || fragment.offset != 0)
    }
}

/// Walks the extension headers behind `next` to the protocol that they carry.
pub(super) fn upper(mut next: u8, payload: &[u8]) -> Result<(u8, Option<Fragment>, &[u8]), Error> {
    let mut rest = payload;
    let mut fragment = None;
    loop {
        let offset = HEADER_LENGTH.saturating_add(payload.len().saturating_sub(rest.len()));
        let cut = Error::ExtensionCut { offset };
        let length = match next {
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HIP | SHIM6 => {
                let units = bytes::u8_at(rest, 1).ok_or(cut)?;
                usize::from(units).saturating_add(1).saturating_mul(8)
            }
            protocol::AUTHENTICATION => {
                let words = bytes::u8_at(rest, 1).ok_or(cut)?;
                usize::from(words).saturating_add(2).saturating_mul(4)
            }
            FRAGMENT => {
                let [_, _, f0, f1, i0, i1, i2, i3] = bytes::array_at(rest, 0).ok_or(cut)?;
                let field = u16::from_be_bytes([f0, f1]);
                let this = Fragment {
                    identification: u32::from_be_bytes([i0, i1, i2, i3]),
                    offset: field & !7,
                    more: field & 1 == 1,
                };
                fragment = Some(this);
                if this.more || this.offset != 0 {
                    let protocol = bytes::u8_at(rest, 0).ok_or(cut)?;
                    return Ok((protocol, fragment, bytes::after(rest, 8)));
                }
                8
            }
            _ => return Ok((next, fragment, rest)),
        };
        next = bytes::u8_at(rest, 0).ok_or(cut)?;
        rest = rest.get(length..).ok_or(cut)?;
    }
}
