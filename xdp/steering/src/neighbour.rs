//! ARP and neighbour discovery for service addresses, answered here so that a dead daemon does not end the service.

use crate::facts::is_service_address;
use crate::{Address, Facts, Outcome, Packet, Reason, Tables, Work, checksum, protocol};

/// Answers an ARP request (RFC 826) for a service address; passes everything else.
#[inline(always)]
pub(crate) fn arp<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    let at = work.facts.network as usize;
    // Ethernet, IPv4, their sizes, request.
    const REQUEST: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 1];
    let (Some(REQUEST), Some(ends)) = (packet.load(at), packet.load::<20>(at + 8)) else {
        return Outcome::pass(Reason::NotOurs);
    };
    let [a, b, c, d, e, f, g, h, i, j, _, _, _, _, _, _, k, l, m, n] = ends;
    let (asker, sender, wanted) = ([a, b, c, d, e, f], [g, h, i, j], [k, l, m, n]);
    if !is_service_address(tables, Address::v4(wanted)) {
        return Outcome::pass(Reason::NotOurs);
    }
    let Some(link) = tables.link() else {
        return Outcome::pass(Reason::NotOurs);
    };
    let done = packet
        .store(0, asker)
        .and_then(|()| packet.store(6, link.address))
        .and_then(|()| packet.store(at + 6, [0, 2]))
        .and_then(|()| packet.store(at + 8, link.address))
        .and_then(|()| packet.store(at + 14, wanted))
        .and_then(|()| packet.store(at + 18, asker))
        .and_then(|()| packet.store(at + 24, sender));
    match done {
        Some(()) => Outcome::transmit(Reason::ArpAnswered),
        None => Outcome::drop(Reason::Inconsistent),
    }
}

/// ICMPv6 Neighbour Advertisement with one option (RFC 4861 4.4, 4.6.1).
const ADVERTISEMENT: usize = 24 + 8;

/// Answers a neighbour solicitation (RFC 4861 7.2.4) for a service address; passes everything else.
#[inline(always)]
pub(crate) fn solicitation<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    let facts = &work.facts;
    let at = facts.transport as usize;
    let room = (facts.end as usize).wrapping_sub(at);
    let (Some([_, code]), Some(wanted)) = (packet.load(at), packet.load::<16>(at + 8)) else {
        return Outcome::pass(Reason::NotOurs);
    };
    let wanted = Address::v6(wanted);
    // A hop limit of 255 proves that it comes from this link (RFC 4861 7.1.1). An unspecified source is
    // duplicate address detection: the address is in use, but the kernel's own answer is not ours to give.
    if room < 24
        || code != 0
        || facts.ttl != 255
        || !facts.source.is_unicast()
        || !is_service_address(tables, wanted)
    {
        return Outcome::pass(Reason::NotOurs);
    }
    let Some(link) = tables.link() else {
        return Outcome::pass(Reason::NotOurs);
    };
    match advertise(packet, facts, wanted, link.address) {
        Some(()) => Outcome::transmit(Reason::NeighbourAnswered),
        None => Outcome::drop(Reason::Inconsistent),
    }
}

#[inline(always)]
fn advertise<P: Packet>(packet: &mut P, facts: &Facts, wanted: Address, mac: [u8; 6]) -> Option<()> {
    let (network, at) = (facts.network as usize, facts.transport as usize);
    let [a, b, c, d, e, f] = mac;
    let asker: [u8; 6] = packet.load(6)?;
    let length = at + ADVERTISEMENT;
    packet.resize_tail(length as i32 - packet.whole() as i32)?;
    packet.store(0, asker)?;
    packet.store(6, mac)?;
    let payload = ((at - network - 40) + ADVERTISEMENT) as u16;
    packet.store(network + 4, payload.to_be_bytes())?;
    packet.store(network + 8, wanted.octets())?;
    packet.store(network + 24, facts.source.octets())?;
    // Solicited, override; the target's link-layer address.
    packet.store(at, [136, 0, 0, 0, 0x60, 0, 0, 0])?;
    packet.store(at + 8, wanted.octets())?;
    packet.store(at + 24, [2, 1, a, b, c, d, e, f])?;
    let pair = |high: u8, low: u8| u16::from_ne_bytes([high, low]) as u64;
    // The address stands twice: in the pseudo header and as the target.
    let sum = 2 * wanted.sum()
        + facts.source.sum()
        + (ADVERTISEMENT as u16).to_be() as u64
        + (protocol::ICMPV6 as u16).to_be() as u64
        + pair(136, 0)
        + pair(0x60, 0)
        + pair(2, 1)
        + pair(a, b)
        + pair(c, d)
        + pair(e, f);
    packet.store(at + 2, (!checksum::fold(sum)).to_ne_bytes())
}
