//! Error Indications (TS 29.281 7.3.1) on their way through: what endpoints name, clients know by other names; and what
//! clients name says which endpoint they are for.

use super::indication::ie;
use super::{malformed, message, own, source_key};
use crate::checksum::Delta;
use crate::flow::service_key;
use crate::{Address, Face, Facts, Packet, PinKey, Reason, Round, SourceKey, Step, Tables, Work, protocol};

/// How many extension headers and information elements are looked at.
const MOST: u32 = 32;

/// From an endpoint to a client, as a user packet goes, or from a client to the endpoint that sends to its tunnel.
#[inline(always)]
pub(crate) fn relay<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Step {
    let result = work.facts.alive().and_then(|()| open(packet, tables, work));
    let planned = match tables.service(&service_key(tables, &work.facts)) {
        Some(_) => result.and_then(|()| to_endpoint(packet, tables, work)),
        None => result.and_then(|()| to_client(packet, tables, work)),
    };
    Step::planned(planned)
}

/// The tunnel that it names is the endpoint's: the client is told the service's address and, where the TEID is
/// translated, the TEID that it sends to. What is not known stays.
#[inline(always)]
fn to_client<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Reason> {
    let source = tables.source(&source_key(&work.facts)).ok_or(Reason::Inconsistent)?;
    let index = own(&source);
    let mut target = tables.target(index).ok_or(Reason::Inconsistent)?;
    rename(packet, tables, work).ok_or(Reason::Inconsistent)?;
    target.port = work.facts.source_port();
    work.plan.set((index, target), Face::Source, Reason::Replied, tables.now());
    Ok(())
}

/// The tunnel that it names is the client's, by the names that the endpoint knows too.
#[inline(always)]
fn to_endpoint<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Reason> {
    if work.walk.teid == 0 {
        return Err(Reason::GtpSignalling);
    }
    let teid = packet.be32(work.walk.teid as usize).ok_or(Reason::Inconsistent)?;
    let peer = peer(packet, work).ok_or(Reason::Inconsistent)?;
    // Under an endpoint's end there is a TEID.
    let pin = tables.pin(&PinKey::back(peer, teid)).filter(|pin| pin.teid == 0).ok_or(Reason::GtpSignalling)?;
    let index = pin.target.wrapping_add(pin.path as u32);
    let target = tables.target(index).ok_or(Reason::Inconsistent)?;
    if target.address.is_v4() != work.facts.destination.is_v4() {
        return Err(Reason::GtpSignalling);
    }
    work.plan.set((index, target), Face::Destination, Reason::Pinned, tables.now());
    Ok(())
}

/// Whose end of the tunnel is named; of none, its sender's.
#[inline(always)]
fn peer<P: Packet>(packet: &P, work: &Work) -> Option<Address> {
    let at = work.walk.peer as usize;
    match (at, work.facts.v6) {
        (0, _) => Some(work.facts.source),
        (_, 1) => packet.load(at).map(Address::v6),
        _ => packet.load(at).map(Address::v4),
    }
}

/// Goes over extension headers to what is in a message; of an Error Indication, looks for the elements that name the
/// tunnel.
#[inline(always)]
pub(super) fn open<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Reason> {
    let (facts, walk) = (&work.facts, &mut work.walk);
    let at = facts.transport as usize + 8;
    let header = packet.load::<8>(at);
    if let Some(reason) = malformed(packet.be16(at - 4), header) {
        return Err(reason);
    }
    let [flags, _, a, b, ..] = header.ok_or(Reason::GtpMalformed)?;
    walk.failed = 0;
    walk.teid = 0;
    walk.peer = 0;
    walk.extension = 0;
    walk.at = at as u32 + 8;
    walk.end = (walk.at + u16::from_be_bytes([a, b]) as u32).min(facts.end);
    // Any of E, S and PN: four octets more; E: the last of them is a type (TS 29.281 5.1).
    if flags & 7 != 0 {
        walk.at += 4;
        if flags & 4 != 0 {
            walk.extension = packet.byte(at + 11).ok_or(Reason::GtpMalformed)?;
        }
    }
    packet.repeat(MOST, Round::Element, tables, work);
    work.walk.result()
}

/// One extension header, or behind them one element.
#[inline(always)]
pub(crate) fn element<P: Packet>(packet: &P, work: &mut Work) -> bool {
    let address = if work.facts.v6 == 1 { 16 } else { 4 };
    let walk = &mut work.walk;
    let at = walk.at as usize;
    let left = walk.end.wrapping_sub(walk.at);
    if walk.extension == 0 && (left == 0 || work.facts.kind != message::ERROR_INDICATION) {
        return false;
    }
    let Some(first) = packet.byte(at) else {
        return walk.fail(Reason::GtpMalformed);
    };
    let size = match (walk.extension, first) {
        (0, ie::RECOVERY) => 2,
        (0, ie::TEID) => 5,
        // Of other types below 128 nobody knows how long they are (TS 29.281 8.1).
        (0, 0..128) => return false,
        (0, _) => packet.be16(at + 1).unwrap_or(u16::MAX) as u32 + 3,
        // In units of four octets (5.2.1).
        _ => first as u32 * 4,
    };
    if walk.at > walk.end || size == 0 || size > left {
        return walk.fail(Reason::GtpMalformed);
    }
    if walk.extension != 0 {
        // The last octet is the next one's type.
        let Some(next) = packet.byte(at + size as usize - 1) else {
            return walk.fail(Reason::GtpMalformed);
        };
        walk.extension = next;
    } else if first == ie::TEID && walk.teid == 0 {
        walk.teid = walk.at + 1;
    } else if first == ie::PEER && walk.peer == 0 && size == 3 + address {
        walk.peer = walk.at + 3;
    }
    walk.at += size;
    true
}

/// Puts the names that clients know in place of the endpoint's own.
#[inline(always)]
fn rename<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Option<()> {
    if work.walk.teid == 0 {
        return Some(());
    }
    let peer = peer(packet, work)?;
    let (facts, walk) = (&mut work.facts, &work.walk);
    let (at, peer_at) = (walk.teid as usize, walk.peer as usize);
    let before = packet.load::<4>(at)?;
    let teid = u32::from_be_bytes(before);
    let key = SourceKey { address: peer, port: 0, protocol: protocol::UDP, reserved: 0 };
    let Some(service) = tables.source(&key).and_then(|source| tables.target(own(&source))) else {
        return Some(());
    };
    let service = service.address;
    if service.is_v4() != peer.is_v4() {
        return Some(());
    }
    let mut delta = Delta::default();
    if let Some(known) = tables.pin(&PinKey::back(peer, teid)).map(|pin| pin.teid)
        // Not of a pin that led here before.
        && tables.pin(&PinKey { address: service, teid: known }).is_some_and(|pin| pin.teid == teid)
    {
        let after = known.to_be_bytes();
        packet.store(at, after)?;
        let change = Delta::default().word(u32::from_ne_bytes(before), u32::from_ne_bytes(after));
        delta = delta.and(placed(change, walk.teid, facts));
    }
    if walk.peer != 0 {
        match facts.v6 {
            1 => packet.store(peer_at, service.octets())?,
            _ => packet.store(peer_at, service.low())?,
        }
        delta = delta.and(placed(Delta::default().words(4, peer.sum(), service.sum()), walk.peer, facts));
    }
    let [a, b, check @ ..] = facts.tail;
    if check != [0, 0] {
        let [c, d] = delta.apply_udp(check);
        facts.tail = [a, b, c, d];
    }
    Some(())
}

/// A change where it lies: elements begin at any octet.
#[inline(always)]
const fn placed(delta: Delta, at: u32, facts: &Facts) -> Delta {
    if at.wrapping_sub(facts.transport) & 1 == 1 { delta.moved() } else { delta }
}
