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
        LinkType::Ipv4 => Some(Network { ethertype: IPV4, offset: 0 }),
        LinkType::Ipv6 => Some(Network { ethertype: IPV6, offset: 0 }),
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
    let Some(Network { ethertype: ethertype @ (IPV4 | IPV6 | ARP), offset }) = network(link, bytes) else {
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
    let family = bytes.first_chunk().map(|&family| u32::from_be_bytes(family))?;
    let ethertype = match family.min(family.swap_bytes()) {
        2 => IPV4,
        10 | 24 | 28 | 30 => IPV6,
        _ => return None,
    };
    Some(Network { ethertype, offset: 4 })
}

fn version(bytes: &[u8]) -> Option<Network> {
    let ethertype = match bytes.first()? >> 4 {
        4 => IPV4,
        6 => IPV6,
        _ => return None,
    };
    Some(Network { ethertype, offset: 0 })
}

fn be16(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().map(|&field| u16::from_be_bytes(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    // What scapy makes of a UDP datagram, of ARP, and of each link layer.
    const V4: &str = "4500001c000100004011f6ccc0000201c00002020001000200087bd7";
    const V6: &str =
        "600000000008114020010db800000000000000000000000120010db8000000000000000000000002000100020008a466";
    const REQUEST: &str = "000108000604000102000000000ac0000201000000000000c0000202";
    const MACS: &str = "02000000000b02000000000a";
    const SLL: &str = "00000200000002000000000a0000";
    const SLL2: &str = "0000000000000200000002000000000a0000";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn cases() -> Vec<(LinkType, String, u16, usize, &'static str)> {
        use LinkType::{Cooked1, Cooked2, Ethernet, Ipv4, Ipv6, Loop, Null, Raw};
        vec![
            (Ethernet, format!("{MACS}0800{V4}"), 0x0800, 14, V4),
            (Ethernet, format!("{MACS}8100000586dd{V6}"), 0x86dd, 18, V6),
            (Ethernet, format!("{MACS}88a80007810000050800{V4}"), 0x0800, 22, V4),
            (Ethernet, format!("{MACS}9100000791000006810000050806{REQUEST}"), 0x0806, 26, REQUEST),
            (Cooked1, format!("{SLL}0800{V4}"), 0x0800, 16, V4),
            (Cooked1, format!("{SLL}8100000586dd{V6}"), 0x86dd, 20, V6),
            (Cooked1, format!("{SLL}0806{REQUEST}"), 0x0806, 16, REQUEST),
            (Cooked2, format!("86dd{SLL2}{V6}"), 0x86dd, 20, V6),
            (Cooked2, format!("88a8{SLL2}00050800{V4}"), 0x0800, 24, V4),
            (Null, format!("02000000{V4}"), 0x0800, 4, V4),
            (Null, format!("00000002{V4}"), 0x0800, 4, V4),
            (Null, format!("18000000{V6}"), 0x86dd, 4, V6),
            (Null, format!("0000001c{V6}"), 0x86dd, 4, V6),
            (Loop, format!("0000001e{V6}"), 0x86dd, 4, V6),
            (Loop, format!("0a000000{V6}"), 0x86dd, 4, V6),
            (Raw, V4.to_owned(), 0x0800, 0, V4),
            (Raw, V6.to_owned(), 0x86dd, 0, V6),
            (Ipv4, V4.to_owned(), 0x0800, 0, V4),
            (Ipv6, V6.to_owned(), 0x86dd, 0, V6),
        ]
    }

    #[test]
    fn the_network_layer_is_found_behind_every_link_layer() {
        for (link, frame, ethertype, offset, _) in cases() {
            assert_eq!(network(link, &bytes(&frame)), Some(Network { ethertype, offset }), "{frame}");
        }
    }

    #[test]
    fn a_link_layer_cut_short_has_no_network_layer() {
        for (link, frame, _, offset, _) in cases() {
            for len in 0..offset {
                assert_eq!(network(link, &bytes(&frame)[..len]), None, "{frame} of {len}");
            }
        }
        assert_eq!(network(LinkType::Raw, &[]), None);
    }

    #[test]
    fn what_carries_no_ethertype_has_no_network_layer() {
        let frames = [
            (LinkType::Ethernet, format!("{MACS}0003000000")),
            (LinkType::Cooked1, format!("{SLL}0004{V4}")),
            (LinkType::Null, format!("07000000{V4}")),
            (LinkType::Raw, "5500001c".to_owned()),
            (LinkType::Other(127), format!("{MACS}0800{V4}")),
        ];
        for (link, frame) in frames {
            assert_eq!(network(link, &bytes(&frame)), None, "{frame}");
        }
    }

    #[test]
    fn every_frame_becomes_ethernet() {
        for (link, frame, ethertype, _, payload) in cases() {
            let mut out = vec![1, 2, 3];
            assert!(to_ethernet(link, &bytes(&frame), &mut out));
            let expected = match link {
                LinkType::Ethernet => frame,
                _ => format!("020000000002020000000001{ethertype:04x}{payload}"),
            };
            assert_eq!(out, bytes(&expected));
        }
    }

    #[test]
    fn what_is_no_ip_and_no_arp_does_not_become_ethernet() {
        let mut out = vec![1, 2, 3];
        assert!(!to_ethernet(LinkType::Cooked1, &bytes(&format!("{SLL}88cc{V4}")), &mut out));
        assert!(out.is_empty());
        assert!(!to_ethernet(LinkType::Other(127), &bytes(V4), &mut out));
        assert!(to_ethernet(LinkType::Ethernet, &[9; 3], &mut out));
        assert_eq!(out, [9; 3]);
    }

    #[test]
    fn any_bytes_have_their_network_layer_inside_or_none() {
        bolero::check!().with_type::<(u16, Vec<u8>)>().for_each(|(link, bytes)| {
            if let Some(found) = network(LinkType::from(u32::from(link % 300)), bytes) {
                assert!(found.offset <= bytes.len() && found.ethertype >= 0x0600);
            }
        });
    }
}
