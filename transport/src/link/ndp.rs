//! Neighbour solicitations and advertisements (RFC 4861 4.3, 4.4).

use std::net::{IpAddr, Ipv6Addr};

use bytes::{BufMut, Bytes, BytesMut};
use pinion_protocols::ip::protocol;

use super::ethernet::{IPV6, Mac};
use super::frame::Frame;
use super::ip;

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Option with the sender's address, in solicitations.
const SOURCE_LINK_LAYER: u8 = 1;
/// Option with the target's address, in advertisements.
const TARGET_LINK_LAYER: u8 = 2;
/// Flags of an advertisement: it answers a solicitation.
const SOLICITED: u8 = 0x40;
/// It is newer than what is known.
const OVERRIDE: u8 = 0x20;
pub(super) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// What shows that no router passed it on.
const HOP_LIMIT: u8 = 255;

/// A message about a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ndp {
    /// Who has the target?
    Solicitation { target: Ipv6Addr, source: Option<Mac> },
    /// The target is here.
    Advertisement { target: Ipv6Addr, mac: Option<Mac>, solicited: bool, newer: bool },
}

impl Ndp {
    /// None for any other message, and for one that was forwarded or damaged.
    pub(super) fn parse(source: Ipv6Addr, destination: Ipv6Addr, hop_limit: u8, bytes: &[u8]) -> Option<Self> {
        let ([kind, code, _, _, flags, ..], rest) = bytes.split_first_chunk::<8>()?;
        if hop_limit != HOP_LIMIT || *code != 0 || ip::checksum6(source, destination, bytes) != 0 {
            return None;
        }
        let (target, options) = rest.split_first_chunk::<16>()?;
        let target = Ipv6Addr::from(*target);
        if target.is_multicast() {
            return None;
        }
        match *kind {
            SOLICITATION => Some(Self::Solicitation { target, source: option(options, SOURCE_LINK_LAYER) }),
            // RFC 4861 7.1.2: an answer goes to who asked.
            ADVERTISEMENT if flags & SOLICITED != 0 && destination.is_multicast() => None,
            ADVERTISEMENT => Some(Self::Advertisement {
                target,
                mac: option(options, TARGET_LINK_LAYER),
                solicited: flags & SOLICITED != 0,
                newer: flags & OVERRIDE != 0,
            }),
            _ => None,
        }
    }

    /// Who has `wanted`? To its group, or to the one who had it.
    pub(super) fn solicitation(own: (Mac, Ipv6Addr), wanted: Ipv6Addr, to: Option<Mac>) -> Frame {
        let group = solicited_node(wanted);
        let (mac, address) = to.map_or_else(|| (Mac::of_group(group), group), |mac| (mac, wanted));
        message(own, (mac, address), [SOLICITATION, 0], wanted, SOURCE_LINK_LAYER)
    }

    /// The answer to one who asked; to all where it has no address yet (RFC 4861 7.2.4).
    pub(super) fn advertisement(own: (Mac, Ipv6Addr), asker: (Mac, Ipv6Addr)) -> Frame {
        if asker.1.is_unspecified() {
            return Self::announcement(own);
        }
        message(own, asker, [ADVERTISEMENT, SOLICITED | OVERRIDE], own.1, TARGET_LINK_LAYER)
    }

    /// Tells everybody (RFC 4861 7.2.6).
    pub(super) fn announcement(own: (Mac, Ipv6Addr)) -> Frame {
        let all = (Mac::of_group(ALL_NODES), ALL_NODES);
        message(own, all, [ADVERTISEMENT, OVERRIDE], own.1, TARGET_LINK_LAYER)
    }
}

/// The group that solicitations for an address go to (RFC 4291 2.7.1).
pub(super) fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., high, low] = address.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (high & 0xff), low)
}

fn message(
    own: (Mac, Ipv6Addr),
    to: (Mac, Ipv6Addr),
    [kind, flags]: [u8; 2],
    target: Ipv6Addr,
    option: u8,
) -> Frame {
    let mut bytes = BytesMut::with_capacity(32);
    bytes.put_slice(&[kind, 0, 0, 0, flags, 0, 0, 0]);
    bytes.put_slice(&target.octets());
    // Its length counts in eight bytes.
    bytes.put_slice(&[option, 1]);
    bytes.put_slice(&own.0.0);
    let sum = ip::checksum6(own.1, to.1, &bytes);
    if let Some(field) = bytes.get_mut(2..4) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    let mut frame = Frame::new(to.0, own.0, IPV6, Bytes::from(bytes));
    let ends = (IpAddr::V6(own.1), IpAddr::V6(to.1));
    frame.put(&ip::header6(ends, protocol::ICMPV6, HOP_LIMIT, 32));
    frame
}

/// The Ethernet address in the first option of that type.
fn option(mut options: &[u8], wanted: u8) -> Option<Mac> {
    while let [kind, units, rest @ ..] = options {
        if *kind == wanted && *units == 1 {
            return rest.first_chunk().map(|mac| Mac(*mac));
        }
        if *units == 0 {
            return None;
        }
        options = options.get(usize::from(*units).saturating_mul(8)..)?;
    }
    None
}
