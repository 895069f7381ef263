//! Turning a packet around: what answers it goes back the way that it came.

use crate::{Facts, Packet, Reason, checksum};

/// Whether an error may answer it: not what came to many, or from nobody in particular (RFC 1122 3.2.2, RFC 4443 2.4 e).
#[inline(always)]
pub(crate) fn is_answerable<P: Packet>(packet: &P, facts: &Facts) -> bool {
    let group = packet.byte(0).is_none_or(|first| first & 1 != 0);
    !group && facts.source.is_unicast()
}

/// Turns link and IP header around, in front of a transport part of `room` bytes. Nothing was stored where it fails.
#[inline(always)]
pub(crate) fn turn<P: Packet>(packet: &mut P, facts: &Facts, room: usize) -> Result<(), Reason> {
    // The header would say that there is more to come.
    if facts.fragment != 0 {
        return Err(Reason::Fragment);
    }
    let macs = packet.load(0).ok_or(Reason::Inconsistent)?;
    let length = facts.transport as usize + room;
    packet.resize_tail(length as i32 - packet.whole() as i32).ok_or(Reason::NoHeadroom)?;
    packet
        .store(0, swapped(macs))
        .and_then(|()| swap_addresses(packet, facts, (length - facts.network as usize) as u16))
        .ok_or(Reason::Inconsistent)
}

/// Destination and source of a link header, swapped.
#[inline(always)]
pub(crate) const fn swapped([a, b, c, d, e, f, g, h, i, j, k, l]: [u8; 12]) -> [u8; 12] {
    [g, h, i, j, k, l, a, b, c, d, e, f]
}

/// Turns the IP header around, with a new length and a full time to live.
#[inline(always)]
fn swap_addresses<P: Packet>(packet: &mut P, facts: &Facts, length: u16) -> Option<()> {
    let at = facts.network as usize;
    if facts.v6 == 1 {
        let payload = length.wrapping_sub(40).to_be_bytes();
        packet.store(at + 4, payload)?;
        packet.store(at + 7, [64])?;
        packet.store(at + 8, facts.destination.octets())?;
        return packet.store(at + 24, facts.source.octets());
    }
    let check = checksum::Delta::default()
        .number(facts.length, length)
        .number(u16::from_be_bytes([facts.ttl, facts.protocol]), u16::from_be_bytes([64, facts.protocol]))
        .apply(packet.load(at + 10)?);
    packet.store(at + 2, length.to_be_bytes())?;
    packet.store(at + 8, [64])?;
    packet.store(at + 10, check)?;
    packet.store(at + 12, facts.destination.low())?;
    packet.store(at + 16, facts.source.low())
}
