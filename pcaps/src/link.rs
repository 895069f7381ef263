//! Link layers: where the network layer begins in a captured frame, and the frame as Ethernet would have carried it.

use std::fmt;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
/// 802.1Q, 802.1ad (QinQ), and what QinQ used before there was a standard.
const VLAN_TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Below, the field of an Ethernet frame is a length (802.3), and one of a cooked frame a pseudo protocol.
const FIRST_ETHERTYPE: u16 = 0x0600;

/// Locally administered, as of no card.
const FROM: [u8; 6] = [2, 0, 0, 0, 0, 1];
const TO: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// What the first bytes of a captured frame are; the numbers of the registry of pcap link types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// BSD loopback (0): the address family in the byte order of the host that captured.
    Null,
    /// Ethernet (1).
    Ethernet,
    /// IPv4 or IPv6 without a link layer (101; 12 and 14 in captures of some systems).
    Raw,
    /// OpenBSD loopback (108): the address family, most significant byte first.
    Loop,
    /// Linux cooked capture (113), as of the device `any`.
    Cooked1,
    /// IPv4 without a link layer (228).
    Ipv4,
    /// IPv6 without a link layer (229).
    Ipv6,
    /// Linux cooked capture, version 2 (276).
    Cooked2,
    /// Any other: nothing is known of its frames.
    Other(u32),
}

impl From<u32> for LinkType {
    fn from(number: u32) -> Self {
        match number {
            0 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 => Self::Raw,
            108 => Self::Loop,
            113 => Self::Cooked1,
            228 => Self::Ipv4,
            229 => Self::Ipv6,
            276 => Self::Cooked2,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "BSD loopback",
            Self::Ethernet => "Ethernet",
            Self::Raw => "raw IP",
            Self::Loop => "OpenBSD loopback",
            Self::Cooked1 => "Linux cooked",
            Self::Ipv4 => "raw IPv4",
            Self::Ipv6 => "raw IPv6",
            Self::Cooked2 => "Linux cooked v2",
            Self::Other(number) => return write!(f, "link type {number}"),
        })
    }
}

/// Where the network layer of a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// What it is: 0x0800 for IPv4, 0x86dd for IPv6, 0x0806 for ARP... At least 0x0600.
    pub ethertype: u16,
    /// Bytes before it in the frame; at most the frame's length.
    pub offset: usize,
}

/// Finds the network layer of a frame, past every VLAN tag. `None` where the frame is too short for its link layer, carries no
/// ethertype (802.3 lengths, pseudo protocols, other address families), or has a link type that is not known.
#[must_use]
pub fn network(link: LinkType, bytes: &[u8]) -> Option<Network> {
    match link {
        LinkType::Ethernet => untag(bytes, 12, 14),
        LinkType::Cooked1 => untag(bytes, 14, 16),
        LinkType::Cooked2 => untag(bytes, 0, 20),
        LinkType::Null | LinkType::Loop => family(bytes),
        LinkType::Raw => version(bytes),
        LinkType::Ipv4 => Some(Network {
            ethertype: IPV4,
            offset: 0,
        }),
        LinkType::Ipv6 => Some(Network {
            ethertype: IPV6,
            offset: 0,
        }),
        LinkType::Other(_) => None,
    }
}

/// Puts the frame into `out`, in place of what was there, as Ethernet would carry it. An Ethernet frame is copied as it is. Any other
/// is put behind a header from 02:00:00:00:00:01 to 02:00:00:00:00:02, its VLAN tags left out.
///
/// False, and `out` empty, where the frame is not Ethernet and carries no IP or ARP.
#[must_use]
pub fn to_ethernet(link: LinkType, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    if link == LinkType::Ethernet {
        out.extend_from_slice(bytes);
        return true;
    }
    let Some(Network {
        ethertype: ethertype @ (IPV4 | IPV6 | ARP),
        offset,
    }) = network(link, bytes)
    else {
        return false;
    };
    out.extend_from_slice(&TO);
    out.extend_from_slice(&FROM);
    out.extend_from_slice(&ethertype.to_be_bytes());
    out.extend_from_slice(bytes.get(offset..).unwrap_or_default());
    true
}

/// Follows VLAN tags from the ethertype at `field`, whose payload begins at `offset`.
fn untag(bytes: &[u8], field: usize, mut offset: usize) -> Option<Network> {
    let mut ethertype = be16(bytes, field)?;
    while VLAN_TAGS.contains(&ethertype) {
        ethertype = be16(bytes, offset.checked_add(2)?)?;
        offset = offset.checked_add(4)?;
    }
    (ethertype >= FIRST_ETHERTYPE && offset <= bytes.len()).then_some(Network { ethertype, offset })
}

/// The address family of loopback captures: IPv6 has another number on each system.
fn family(bytes: &[u8]) -> Option<Network> {
    let family = bytes
        .first_chunk()
        .map(|&family| u32::from_be_bytes(family))?;
    let ethertype = match family.min(family.swap_bytes()) {
        2 => IPV4,
        10 | 24 | 28 | 30 => IPV6,
        _ => return None,
    };
    Some(Network {
        ethertype,
        offset: 4,
    })
}

fn version(bytes: &[u8]) -> Option<Network> {
    let ethertype = match bytes.first()? >> 4 {
        4 => IPV4,
        6 => IPV6,
        _ => return None,
    };
    Some(Network {
        ethertype,
        offset: 0,
    })
}

fn be16(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|&field| u16::from_be_bytes(field))
}
