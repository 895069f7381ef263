//! Telling a client that no endpoint takes its session: a TCP RST, an SCTP ABORT, or ICMP's port unreachable.

use crate::answer::{is_answerable, swapped, turn};
use crate::sctp::chunk;
use crate::{Facts, Outcome, Packet, Reason, Round, Tables, Work, checksum, crc32c, protocol};

/// Rejects a packet whose session no endpoint takes.
#[inline(always)]
pub(crate) fn reject<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    if !is_answerable(packet, &work.facts) {
        return Outcome::drop(Reason::NoEndpoint);
    }
    let (done, reason) = match work.facts.protocol {
        protocol::TCP => (reset(packet, &work.facts), Reason::ResetAnswered),
        protocol::SCTP => (abort(packet, tables, &work.facts), Reason::AbortAnswered),
        _ => (unreachable(packet, tables, work), Reason::UnreachableAnswered),
    };
    match done {
        Ok(()) => Outcome::transmit(reason),
        Err(reason) => Outcome::drop(reason),
    }
}

/// RFC 9293 3.10.7.1
#[inline(always)]
fn reset<P: Packet>(packet: &mut P, facts: &Facts) -> Result<(), Reason> {
    const FIN: u8 = 0x01;
    const SYN: u8 = 0x02;
    const RST: u8 = 0x04;
    const ACK: u8 = 0x10;
    const HEADER: usize = 20;
    if facts.kind & RST != 0 {
        return Err(Reason::NoEndpoint);
    }
    let at = facts.transport as usize;
    let [a, b, c, d, acknowledged @ ..] = packet.load::<8>(at + 4).ok_or(Reason::Inconsistent)?;
    let header = (packet.byte(at + 12).ok_or(Reason::Inconsistent)? >> 4) as u32 * 4;
    let length = facts.end.wrapping_sub(facts.transport).wrapping_sub(header)
        + u32::from(facts.kind & SYN != 0)
        + u32::from(facts.kind & FIN != 0);
    let (sequence, acknowledges, flags) = if facts.kind & ACK != 0 {
        (acknowledged, [0; 4], RST)
    } else {
        ([0; 4], u32::from_be_bytes([a, b, c, d]).wrapping_add(length).to_be_bytes(), RST | ACK)
    };
    turn(packet, facts, HEADER)?;
    let (from, to) = (facts.destination_port(), facts.source_port());
    let sum = facts.source.sum()
        + facts.destination.sum()
        + number(HEADER as u16)
        + number(protocol::TCP as u16)
        + number(from)
        + number(to)
        + u32::from_ne_bytes(sequence) as u64
        + u32::from_ne_bytes(acknowledges) as u64
        + number(u16::from_be_bytes([0x50, flags]));
    let ([a, b], [c, d], [e, f]) = (from.to_be_bytes(), to.to_be_bytes(), (!checksum::fold(sum)).to_ne_bytes());
    let ([g, h, i, j], [k, l, m, n]) = (sequence, acknowledges);
    packet
        .store(at, [a, b, c, d, g, h, i, j, k, l, m, n, 0x50, flags, 0, 0, e, f, 0, 0])
        .ok_or(Reason::Inconsistent)
}

/// An ABORT for an INIT carries the INIT's tag; for anything else it reflects the packet's own, and says so by the
/// T bit (RFC 9260 8.4, 8.5.1 B).
#[inline(always)]
fn abort<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &Facts) -> Result<(), Reason> {
    const LENGTH: usize = 12 + 4;
    /// CRC32c of so many zeros.
    const ZEROS: u32 = 0x4270_9aea;
    let at = facts.transport as usize;
    let (tag, flags) = if facts.kind == chunk::INIT {
        (packet.load::<4>(at + 12 + 4).ok_or(Reason::InitTruncated)?, 0)
    } else {
        (facts.word.to_be_bytes(), 1)
    };
    turn(packet, facts, LENGTH)?;
    let ([a, b], [c, d]) = (facts.destination_port().to_be_bytes(), facts.source_port().to_be_bytes());
    let (ports, last) = ([a, b, c, d], [chunk::ABORT, flags, 0, 4]);
    // The checksum of zeros, corrected by each word.
    let mut crc = ZEROS;
    for (word, behind) in [(ports, 16), (tag, 12), (last, 4)] {
        crc ^= crc32c::correction(tables, 0, u32::from_le_bytes(word), behind).ok_or(Reason::Inconsistent)?;
    }
    let ([e, f, g, h], [i, j, k, l], [m, n, o, p]) = (tag, crc.to_le_bytes(), last);
    packet.store(at, [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]).ok_or(Reason::Inconsistent)
}

/// Port unreachable, which quotes as much as it may: up to 576 bytes in all (RFC 1812 4.3.2.3), in IPv6 1,280
/// (RFC 4443 2.4 c). The packet stays where it is, and new headers grow in front of it.
#[inline(always)]
fn unreachable<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Reason> {
    const ICMP: usize = 8;
    let facts = &work.facts;
    if !tables.may_err(tables.now()) {
        return Err(Reason::ErrorLimited);
    }
    let (v6, network) = (facts.v6 == 1, facts.network as usize);
    let (header, most) = if v6 { (40 + ICMP, 1280) } else { (20 + ICMP, 576) };
    let quoted = (facts.length as usize).min(most - header);
    ethernet(packet, facts, header)?;
    let length = network + header + quoted;
    packet.resize_tail(length as i32 - packet.whole() as i32).ok_or(Reason::NoHeadroom)?;

    let kind: [u8; 2] = if v6 { [1, 4] } else { [3, 3] };
    let mut sum = number(u16::from_be_bytes(kind));
    if v6 {
        sum += facts.source.sum() + facts.destination.sum();
        sum += number((quoted + ICMP) as u16) + number(protocol::ICMPV6 as u16);
    }
    ip(packet, facts, (header + quoted) as u16).ok_or(Reason::Inconsistent)?;
    let walk = &mut work.walk;
    walk.failed = 0;
    walk.at = (network + header) as u32;
    walk.end = length as u32;
    walk.crc = checksum::fold(sum) as u32;
    packet.repeat(SUMS, Round::Sum, tables, work);
    work.walk.result()?;
    let ([a, b], [c, d]) = (kind, (!checksum::fold(work.walk.crc as u64)).to_ne_bytes());
    packet.store(network + header - ICMP, [a, b, c, d, 0, 0, 0, 0]).ok_or(Reason::Inconsistent)
}

/// Grows a packet by `header` bytes in front, behind a link header that is turned around and has the same tags.
#[inline(always)]
fn ethernet<P: Packet>(packet: &mut P, facts: &Facts, header: usize) -> Result<(), Reason> {
    const WRONG: Reason = Reason::Inconsistent;
    let macs = packet.load(0).ok_or(WRONG)?;
    let first: [u8; 2] = packet.load(12).ok_or(WRONG)?;
    let outer: [u8; 4] = packet.load(14).ok_or(WRONG)?;
    let inner: [u8; 4] = packet.load(18).ok_or(WRONG)?;
    packet.grow_front(header).ok_or(Reason::NoHeadroom)?;
    packet.store(0, swapped(macs)).ok_or(WRONG)?;
    packet.store(12, first).ok_or(WRONG)?;
    if facts.tags > 0 {
        packet.store(14, outer).ok_or(WRONG)?;
    }
    if facts.tags > 1 {
        packet.store(18, inner).ok_or(WRONG)?;
    }
    Ok(())
}

/// The IP header of an ICMP error of `length` bytes in all: of precedence 6 (RFC 1812 4.3.2.5), atomic.
#[inline(always)]
fn ip<P: Packet>(packet: &mut P, facts: &Facts, length: u16) -> Option<()> {
    let at = facts.network as usize;
    if facts.v6 == 1 {
        let [a, b] = (length - 40).to_be_bytes();
        packet.store(at, [0x6c, 0, 0, 0, a, b, protocol::ICMPV6, 64])?;
        packet.store(at + 8, facts.destination.octets())?;
        return packet.store(at + 24, facts.source.octets());
    }
    let sum = number(0x45c0)
        + number(length)
        + number(0x4000)
        + number(0x4001)
        + u32::from_ne_bytes(facts.source.low()) as u64
        + u32::from_ne_bytes(facts.destination.low()) as u64;
    let ([a, b], [c, d]) = (length.to_be_bytes(), (!checksum::fold(sum)).to_ne_bytes());
    let ([e, f, g, h], [i, j, k, l]) = (facts.destination.low(), facts.source.low());
    packet.store(at, [0x45, 0xc0, a, b, 0, 0, 0x40, 0, 64, 1, c, d, e, f, g, h, i, j, k, l])
}

/// A number in network order, as a lane of a sum.
#[inline(always)]
const fn number(value: u16) -> u64 {
    value.to_be() as u64
}

/// Rounds that sum what an error quotes: 32 bytes each, and then what is left in smaller steps.
const SUMS: u32 = 1280 / 32 + 10;

/// Adds up some bytes.
#[inline(always)]
pub(crate) fn sum<P: Packet>(packet: &P, work: &mut Work) -> bool {
    let walk = &mut work.walk;
    let (at, left) = (walk.at as usize, walk.end.wrapping_sub(walk.at));
    let (sum, size) = match left {
        0 => return false,
        1 => (packet.byte(at).map(|byte| u16::from_ne_bytes([byte, 0]) as u64), 1),
        2..4 => (packet.load(at).map(|bytes| u16::from_ne_bytes(bytes) as u64), 2),
        4..32 => (packet.load(at).map(|bytes| u32::from_ne_bytes(bytes) as u64), 4),
        _ => (packet.load::<32>(at).map(words), 32),
    };
    let Some(sum) = sum else {
        return walk.fail(Reason::Inconsistent);
    };
    walk.crc += checksum::fold(sum) as u32;
    walk.at += size;
    true
}

/// The sum of eight words.
#[inline(always)]
fn words(bytes: [u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, rest @ ..] = bytes;
    let [q, r, s, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1] = rest;
    let word = |bytes| u32::from_ne_bytes(bytes) as u64;
    word([a, b, c, d])
        + word([e, f, g, h])
        + word([i, j, k, l])
        + word([m, n, o, p])
        + word([q, r, s, t])
        + word([u, v, w, x])
        + word([y, z, a1, b1])
        + word([c1, d1, e1, f1])
}
