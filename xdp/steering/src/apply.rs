use crate::checksum::Delta;
use crate::{Address, Ask, Face, Facts, NextHop, Outcome, Packet, Plan, Reason, Route, Tables, Verdict, Work};
use crate::{crc32c, fragment, gtpu, hop, protocol};

/// Carries a plan out. Everything that can fail is asked before the first store, so that a packet leaves
/// rewritten whole, or not at all.
#[inline(always)]
pub fn apply<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    let facts = &mut work.facts;
    let plan = &work.plan;
    if facts.ttl <= 1 {
        return Outcome::drop(Reason::TtlExpired);
    }
    let ask = Ask {
        source: if plan.face == Face::Destination { facts.source } else { plan.to.address },
        destination: towards(facts, plan),
        length: facts.length,
        class: facts.class,
        protocol: facts.protocol,
        vlan: facts.vlan,
    };
    match hop::find(tables, facts, plan, &ask, &mut work.hop) {
        Route::Via => send(packet, tables, facts, plan, &work.hop),
        Route::Stack => match rewrite(packet, tables, facts, plan, None) {
            Ok(()) => Outcome::pass(Reason::Unresolved),
            Err(reason) => Outcome::drop(reason),
        },
        Route::TooBig => Outcome::drop(Reason::TooBig),
        Route::Nowhere => Outcome::drop(Reason::NoRoute),
    }
}

/// Where the packet will go.
#[inline(always)]
fn towards(facts: &Facts, plan: &Plan) -> Address {
    if plan.face == Face::Destination { plan.to.address } else { facts.destination }
}

/// Rewrites the packet and sends it by a next hop.
#[inline(always)]
fn send<P: Packet, T: Tables>(
    packet: &mut P,
    tables: &T,
    facts: &mut Facts,
    plan: &Plan,
    hop: &NextHop,
) -> Outcome {
    if let Err(reason) = rewrite(packet, tables, facts, plan, Some(hop)) {
        return Outcome::drop(reason);
    }
    let verdict = if hop.ifindex == tables.ingress() { Verdict::Transmit } else { Verdict::Redirect };
    Outcome { verdict, reason: plan.reason, out: hop.ifindex }
}

#[inline(always)]
fn rewrite<P: Packet, T: Tables>(
    packet: &mut P,
    tables: &T,
    facts: &mut Facts,
    plan: &Plan,
    via: Option<&NextHop>,
) -> Result<(), Reason> {
    let crc = match facts.protocol {
        protocol::SCTP => plan.crc ^ ports_correction(tables, facts, plan.face, plan.to.port.to_be_bytes())?,
        _ => 0,
    };
    if facts.fragment != 0 && facts.later == 0 {
        fragment::lead(packet, tables, facts, plan);
    }
    if let Some(hop) = via {
        link(packet, facts, hop)?;
    }
    let old = if plan.face == Face::Destination { facts.destination } else { facts.source };
    let addresses = Delta::default().words(4, old.sum(), plan.to.address.sum());
    network(packet, facts, plan, addresses, via.is_some()).ok_or(Reason::Inconsistent)?;
    if facts.later != 0 {
        return Ok(());
    }
    transport(packet, facts, plan, addresses, crc).ok_or(Reason::Inconsistent)
}

/// Writes link addresses and the VLAN tag that the next hop wants.
#[inline(always)]
fn link<P: Packet>(packet: &mut P, facts: &mut Facts, hop: &NextHop) -> Result<(), Reason> {
    let tags = u8::from(hop.vlan != 0);
    if tags != facts.tags {
        retag(packet, facts, tags).ok_or(Reason::NoHeadroom)?;
    }
    let [a, b, c] = hop.header.map(u32::to_ne_bytes);
    let header = [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3]];
    packet.store(0, header).ok_or(Reason::Inconsistent)?;
    if tags != 0 && (hop.vlan != facts.vlan || facts.tags != tags) {
        let [a, b] = hop.vlan.to_be_bytes();
        packet.store(12, [0x81, 0x00, a, b]).ok_or(Reason::Inconsistent)?;
    }
    Ok(())
}

/// Changes how many VLAN tags there are; the offsets in `facts` follow.
#[inline(always)]
fn retag<P: Packet>(packet: &mut P, facts: &mut Facts, tags: u8) -> Option<()> {
    if tags > facts.tags {
        packet.grow_front(4)?;
        facts.network += 4;
        facts.transport += 4;
        facts.end += 4;
    } else if facts.tags - tags == 1 {
        packet.shrink_front(4)?;
        facts.network -= 4;
        facts.transport -= 4;
        facts.end -= 4;
    } else {
        packet.shrink_front(8)?;
        facts.network -= 8;
        facts.transport -= 8;
        facts.end -= 8;
    }
    let ethertype = if facts.v6 == 1 { [0x86, 0xdd] } else { [0x08, 0x00] };
    facts.tags = 0xff;
    packet.store(facts.network as usize - 2, ethertype)
}

/// Writes the address, and counts the hop where the packet is forwarded here rather than by the kernel.
#[inline(always)]
fn network<P: Packet>(
    packet: &mut P,
    facts: &Facts,
    plan: &Plan,
    addresses: Delta,
    forwarded: bool,
) -> Option<()> {
    let at = facts.network as usize;
    let to_destination = plan.face == Face::Destination;
    let ttl = if forwarded { facts.ttl.wrapping_sub(1) } else { facts.ttl };
    if facts.v6 == 1 {
        packet.store(at + if to_destination { 24 } else { 8 }, plan.to.address.octets())?;
        return packet.store(at + 7, [ttl]);
    }
    let old = u16::from_be_bytes([facts.ttl, facts.protocol]);
    let new = u16::from_be_bytes([ttl, facts.protocol]);
    let [e, f] = addresses.number(old, new).apply(facts.check);
    let (source, destination) =
        if to_destination { (facts.source, plan.to.address) } else { (plan.to.address, facts.destination) };
    let ([g, h, i, j], [k, l, m, n]) = (source.low(), destination.low());
    packet.store(at + 8, [ttl, facts.protocol, e, f, g, h, i, j, k, l, m, n])
}

/// Writes the port, the TEID and the checksum.
#[inline(always)]
fn transport<P: Packet>(packet: &mut P, facts: &Facts, plan: &Plan, addresses: Delta, crc: u32) -> Option<()> {
    let at = facts.transport as usize;
    let to_destination = plan.face == Face::Destination;
    let old = if to_destination { facts.destination_port() } else { facts.source_port() };
    let new = plan.to.port;
    let mut delta = addresses.number(old, new);
    if plan.teid != 0 {
        let teid = plan.teid.to_be_bytes();
        let before = packet.load(at + gtpu::TEID)?;
        delta = delta.words(1, u32::from_ne_bytes(before) as u64, u32::from_ne_bytes(teid) as u64);
        packet.store(at + gtpu::TEID, teid)?;
    }
    let (source, destination) =
        if to_destination { (facts.source_port(), new) } else { (new, facts.destination_port()) };
    let ([a, b], [c, d]) = (source.to_be_bytes(), destination.to_be_bytes());
    if facts.protocol == protocol::UDP {
        let [e, f, g, h] = facts.tail;
        // Zero means none: always in IPv4 (RFC 768), for tunnels in IPv6 (RFC 6935).
        let [g, h] = match [g, h] {
            [0, 0] => [0, 0],
            check => delta.apply_udp(check),
        };
        return packet.store(at, [a, b, c, d, e, f, g, h]);
    }
    if old != new {
        packet.store(at, [a, b, c, d])?;
    }
    match facts.protocol {
        protocol::TCP => {
            let check = delta.apply(packet.load(at + 16)?);
            packet.store(at + 16, check)
        }
        _ if crc != 0 => {
            let check = u32::from_le_bytes(packet.load(at + 8)?);
            // Zero means that the ends agreed on none (RFC 9653).
            if check == 0 {
                return Some(());
            }
            packet.store(at + 8, (check ^ crc).to_le_bytes())
        }
        _ => Some(()),
    }
}

/// How the CRC32c changes by the port.
#[inline(always)]
pub(crate) fn ports_correction<T: Tables>(
    tables: &T,
    facts: &Facts,
    face: Face,
    port: [u8; 2],
) -> Result<u32, Reason> {
    let before = facts.ports.to_ne_bytes();
    let after = match face {
        Face::Destination => [before[0], before[1], port[0], port[1]],
        Face::Source => [port[0], port[1], before[2], before[3]],
    };
    if before == after {
        return Ok(0);
    }
    let at = facts.transport as usize;
    let length = (facts.end as usize).wrapping_sub(at);
    if length & 3 != 0 {
        return Err(Reason::ChunkLength);
    }
    crc32c::correction(tables, u32::from_le_bytes(before), u32::from_le_bytes(after), length).ok_or(Reason::TooBig)
}
