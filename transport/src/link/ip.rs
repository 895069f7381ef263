//! IP headers, fragments and the checksums of ICMP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) use pinion_protocols::ip::checksum;
use pinion_protocols::ip::protocol;

use super::ethernet::{Mac, kind_of};
use super::frame::Frame;
use super::packet::Packet;

/// Hops that a packet may take.
const HOPS: u8 = 64;
const V4_HEADER: usize = 20;
const V6_HEADER: usize = 40;
/// Next header of IPv6's fragment header (RFC 8200 4.5), and its bytes.
const FRAGMENT: u8 = 44;
const FRAGMENT_HEADER: usize = 8;

/// Why a packet fits no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Puts a packet into one frame, or where it is too large for one and may be, into several.
pub(super) fn frames(
    packet: Packet,
    macs: (Mac, Mac),
    mtu: u16,
    identification: u32,
    mut emit: impl FnMut(Frame),
) -> Result<(), TooLarge> {
    let v4 = packet.source.is_ipv4();
    let header = if v4 { V4_HEADER } else { V6_HEADER };
    let room = usize::from(mtu).saturating_sub(header);
    let length = packet.payload.len();
    if length > usize::from(u16::MAX).saturating_sub(header) {
        return Err(TooLarge);
    }
    let ends = (packet.source, packet.destination);
    if length <= room {
        let mut frame = Frame::new(macs.1, macs.0, kind_of(ends.0), packet.payload);
        let flags = if packet.fragment { 0 } else { DONT_FRAGMENT };
        put_header(&mut frame, ends, packet.protocol, length, identification, flags);
        emit(frame);
        return Ok(());
    }
    // Every fragment but the last carries a multiple of eight bytes.
    let room = if v4 { room } else { room.saturating_sub(FRAGMENT_HEADER) } & !7;
    if !packet.fragment || room == 0 {
        return Err(TooLarge);
    }
    let mut offset = 0_usize;
    while offset < length {
        let end = offset.saturating_add(room).min(length);
        let more = end < length;
        let at = u16::try_from(offset).unwrap_or(u16::MAX);
        let mut frame = Frame::new(macs.1, macs.0, kind_of(ends.0), packet.payload.slice(offset..end));
        let size = end.saturating_sub(offset);
        if v4 {
            let flags = (at >> 3) | if more { MORE_FRAGMENTS } else { 0 };
            put_header(&mut frame, ends, packet.protocol, size, identification, flags);
        } else {
            let size = size.saturating_add(FRAGMENT_HEADER);
            put_header(&mut frame, ends, FRAGMENT, size, identification, 0);
            frame.put(&[packet.protocol, 0]);
            frame.put(&(at | u16::from(more)).to_be_bytes());
            frame.put(&identification.to_be_bytes());
        }
        emit(frame);
        offset = end;
    }
    Ok(())
}

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;

fn put_header(
    frame: &mut Frame,
    ends: (IpAddr, IpAddr),
    protocol: u8,
    length: usize,
    identification: u32,
    flags: u16,
) {
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    match ends {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let identification = u16::try_from(identification & 0xffff).unwrap_or_default();
            frame.put(&header4((source, destination), protocol, length, identification, flags));
        }
        _ => frame.put(&header6(ends, protocol, HOPS, length)),
    }
}

/// RFC 791 3.1.
fn header4(
    (source, destination): (Ipv4Addr, Ipv4Addr),
    protocol: u8,
    payload: u16,
    identification: u16,
    flags: u16,
) -> [u8; V4_HEADER] {
    let [l0, l1] = payload.saturating_add(20).to_be_bytes();
    let [i0, i1] = identification.to_be_bytes();
    let [f0, f1] = flags.to_be_bytes();
    let [s0, s1, s2, s3] = source.octets();
    let [d0, d1, d2, d3] = destination.octets();
    let with = |c0, c1| [0x45, 0, l0, l1, i0, i1, f0, f1, HOPS, protocol, c0, c1, s0, s1, s2, s3, d0, d1, d2, d3];
    let [c0, c1] = checksum(&[&with(0, 0)]).to_be_bytes();
    with(c0, c1)
}

/// RFC 8200 3. Ends that are not of IPv6 never come here.
pub(super) fn header6(ends: (IpAddr, IpAddr), next: u8, hops: u8, payload: u16) -> [u8; V6_HEADER] {
    let mut header = [0; V6_HEADER];
    let [l0, l1] = payload.to_be_bytes();
    let addresses = [ends.0, ends.1].into_iter().flat_map(|address| match address {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
    });
    let bytes = [0x60, 0, 0, 0, l0, l1, next, hops].into_iter().chain(addresses);
    for (place, byte) in header.iter_mut().zip(bytes) {
        *place = byte;
    }
    header
}

/// The checksum of an ICMPv6 message (RFC 8200 8.1); 0 where the message has the right one already.
pub(super) fn checksum6(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> u16 {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    let next = u32::from(protocol::ICMPV6).to_be_bytes();
    checksum(&[&source.octets(), &destination.octets(), &length, &next, message])
}

/// Whether the checksum of an ICMP or ICMPv6 message is right.
pub(crate) fn icmp_is_intact(packet: &Packet) -> bool {
    match (packet.source, packet.destination) {
        (IpAddr::V6(source), IpAddr::V6(destination)) => checksum6(source, destination, &packet.payload) == 0,
        _ => checksum(&[&packet.payload]) == 0,
    }
}
