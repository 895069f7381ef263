//! What an SMF and a UPF have in common: PFCP messages, and where tunnels end (TS 29.244).

use std::net::IpAddr;

use bytes::{Bytes, BytesMut};
use pinion_protocols::ip::{Udp, protocol};
use pinion_protocols::pfcp::{Element, ElementType, Elements, Message, MessageType, MessageWriter, PORT};
use pinion_transport::link::Packet;

use crate::demo::user_plane::datagram;

/// Seconds since 1900 at which SMF and UPFs began: any moment does.
pub(super) const BEGAN: u32 = 0xee00_0000;

/// Where a tunnel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TunnelEnd {
    /// The address.
    pub(crate) address: IpAddr,
    /// The TEID there.
    pub(crate) teid: u32,
}

/// The message in a packet, and the port that it is from.
pub(super) fn read(packet: &Packet) -> Option<(Message<'_>, u16)> {
    let udp = Udp::parse(&packet.payload).ok().filter(|_| packet.protocol == protocol::UDP)?;
    let message = Message::parse(udp.payload).ok().filter(|_| udp.destination_port == PORT)?;
    Some((message, udp.source_port))
}

/// A message; of a session where there is a SEID.
pub(super) fn write(
    kind: MessageType,
    seid: Option<u64>,
    sequence: u32,
    fill: impl FnOnce(&mut MessageWriter<'_>),
) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, seid, sequence);
    fill(&mut writer);
    // None is longer than a message may be, and one that were would be nothing, and lost.
    let _ = writer.finish();
    out.freeze()
}

/// The packet that a message goes in.
pub(crate) fn packet(from: IpAddr, (to, port): (IpAddr, u16), message: &[u8]) -> Packet {
    Packet::new(from, to, protocol::UDP, datagram((PORT, port), message))
}

/// The first element that is found by a way through groups.
pub(super) fn find<'a>(elements: Elements<'a>, way: &[ElementType]) -> Option<Element<'a>> {
    let (kind, deeper) = way.split_first()?;
    elements.flatten().filter(|element| element.kind() == *kind).find_map(|element| match deeper {
        [] => element.parse().ok(),
        _ => find(element.group().ok()??, deeper),
    })
}

/// A session as scapy 2.8.0 makes it (`scapy.contrib.pfcp`), of the fourth user of the first gNB on the first UPF.
#[cfg(test)]
pub(super) mod scapy {
    use super::TunnelEnd;

    /// Where the UPF's end is, and the gNB's.
    pub(crate) const END: TunnelEnd = TunnelEnd { address: v4([10, 3, 104, 2]), teid: 0x1_0001 };
    pub(crate) const GNB_END: TunnelEnd = TunnelEnd { address: v4([10, 3, 1, 2]), teid: 0x9003 };

    const fn v4([a, b, c, d]: [u8; 4]) -> std::net::IpAddr {
        std::net::IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d))
    }

    pub(crate) const ESTABLISHMENT: &[u8] =
        b"\x21\x32\x00\xb3\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x3c\x00\x05\x00\x0a\x04\x6b\
        \x02\x00\x39\x00\x0d\x02\x00\x00\x00\x00\x00\x00\x00\x04\x0a\x04\x6b\x02\x00\x01\x00\x32\x00\x38\
        \x00\x02\x00\x01\x00\x1d\x00\x04\x00\x00\x00\xff\x00\x02\x00\x13\x00\x14\x00\x01\x00\x00\x15\x00\
        \x01\x05\x00\x5d\x00\x05\x02\x0a\x2d\x00\x03\x00\x5f\x00\x01\x00\x00\x6c\x00\x04\x00\x00\x00\x01\
        \x00\x01\x00\x28\x00\x38\x00\x02\x00\x02\x00\x1d\x00\x04\x00\x00\x00\xff\x00\x02\x00\x0e\x00\x14\
        \x00\x01\x01\x00\x5d\x00\x05\x06\x0a\x2d\x00\x03\x00\x6c\x00\x04\x00\x00\x00\x02\x00\x03\x00\x16\
        \x00\x6c\x00\x04\x00\x00\x00\x01\x00\x2c\x00\x01\x02\x00\x04\x00\x05\x00\x2a\x00\x01\x01\x00\x03\
        \x00\x0d\x00\x6c\x00\x04\x00\x00\x00\x02\x00\x2c\x00\x01\x04";
    pub(crate) const ANSWER: &[u8] =
        b"\x21\x33\x00\x42\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x05\x00\x00\x3c\x00\x05\x00\x0a\x04\x68\
        \x02\x00\x13\x00\x01\x01\x00\x39\x00\x0d\x02\x00\x00\x00\x00\x00\x01\x00\x01\x0a\x04\x68\x02\x00\
        \x08\x00\x13\x00\x38\x00\x02\x00\x01\x00\x15\x00\x09\x01\x00\x01\x00\x01\x0a\x03\x68\x02";
    pub(crate) const MODIFICATION: &[u8] =
        b"\x21\x34\x00\x34\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x1a\x00\x00\x0a\x00\x24\x00\x6c\x00\x04\
        \x00\x00\x00\x02\x00\x2c\x00\x01\x02\x00\x0b\x00\x13\x00\x2a\x00\x01\x00\x00\x54\x00\x0a\x01\x00\
        \x00\x00\x90\x03\x0a\x03\x01\x02";
}
