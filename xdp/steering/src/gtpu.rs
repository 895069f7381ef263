//! GTP-U (TS 29.281): pinned by TEID.
//!
//! The key is the service's address and the TEID, never the source: one tunnel may be used by several
//! peers (TS 29.281 4.3.0). Tunnels that user space taught (`PINS`) come first and may be translated.

mod classify;
mod indication;
mod inner;
mod relay;

use crate::answer::turn;
use crate::choose::{Session, choose, exhausted, mix, mix_address};
use crate::flow::service_key;
use crate::next::Request;
use crate::{
    Face, Facts, Flow, FlowKey, Insert, Kind, Next, Outcome, Packet, Pin, PinKey, Plan, Rare, Reason, Service,
    Source, SourceKey, State, Step, Tables, Unknown, Work, checksum, protocol,
};

pub(crate) use classify::{break_out, classify};
pub(crate) use indication::indicate;
pub use inner::Inner;
pub(crate) use inner::{extension, filter};
pub(crate) use relay::{element, relay};

/// The registered port of GTP-U (TS 29.281 4.4.2.3).
pub const PORT: u16 = 2152;

/// Offset of the TEID from the UDP header.
pub(crate) const TEID: usize = 8 + 4;

/// Message types (TS 29.281 6.1).
mod message {
    pub(super) const ECHO_REQUEST: u8 = 1;
    pub(super) const ERROR_INDICATION: u8 = 26;
    pub(super) const TUNNEL_STATUS: u8 = 253;
    pub(super) const END_MARKER: u8 = 254;
    pub(super) const G_PDU: u8 = 255;
}

/// Plans a packet to port 2152.
#[inline(always)]
pub(crate) fn decide<P: Packet, T: Tables, N: Next>(
    packet: &mut P,
    tables: &T,
    facts: &mut Facts,
    plan: &mut Plan,
) -> Step {
    let at = facts.transport as usize;
    let header = packet.load::<8>(at + 8);
    // Said before the look-up, so that the header need not be kept over it.
    let wrong = malformed(packet.be16(at + 4), header);
    if wrong.is_some() && N::COMMON {
        return N::rare(Rare::General);
    }
    if let Some([_, kind, _, _, a, b, c, d]) = header {
        let teid = u32::from_be_bytes([a, b, c, d]);
        facts.word = teid;
        facts.kind = kind;
        if teid != 0
            && kind >= message::TUNNEL_STATUS
            && let Some(pin) = tables.pin(&PinKey { address: facts.destination, teid })
        {
            if let Some(reason) = wrong {
                return N::drop(reason);
            }
            if pin.flags & Pin::CLASSIFIED != 0 {
                return N::rare(Rare::Classify);
            }
            let index = pin.target.wrapping_add(pin.path as u32);
            let teid = if pin.teid == teid { 0 } else { pin.teid };
            return N::request(packet, tables, facts, plan, Request { index, teid, now: tables.now() });
        }
    }
    match tables.service(&service_key(tables, facts)) {
        Some(service) if service.kind == Kind::Gtpu as u8 => {
            if let Some(reason) = wrong {
                return N::drop(reason);
            }
            hashed::<P, T, N>(packet, tables, facts, plan, &service)
        }
        Some(_) => N::no_tunnel(packet, tables, facts, plan),
        None => reply::<P, T, N>(packet, tables, facts, plan),
    }
}

/// A well-formed message of a tunnel that nobody taught us, or signalling.
#[inline(always)]
fn hashed<P: Packet, T: Tables, N: Next>(
    packet: &mut P,
    tables: &T,
    facts: &mut Facts,
    plan: &mut Plan,
    service: &Service,
) -> Step {
    match facts.kind {
        message::ECHO_REQUEST => return N::rare(Rare::Echo),
        message::ERROR_INDICATION => return N::rare(Rare::Indication),
        message::TUNNEL_STATUS | message::END_MARKER | message::G_PDU if facts.word != 0 => {}
        _ => return N::drop(Reason::GtpSignalling),
    }
    let key = FlowKey::tunnel(service.id, facts.word);
    let Some(flow) = tables.flow(&key) else {
        return N::rare(Rare::Tunnel);
    };
    let now = tables.now();
    if flow.seen != now && facts.ttl > 1 {
        tables.touch_flow(&key, now, flow.state);
    }
    let index = flow.target.wrapping_add(service.path as u32);
    N::request(packet, tables, facts, plan, Request { index, teid: 0, now })
}

/// An endpoint of tunnels, by its address alone: it may send from any port.
#[inline(always)]
pub(crate) const fn source_key(facts: &Facts) -> SourceKey {
    SourceKey { address: facts.source, port: 0, protocol: protocol::UDP, reserved: 0 }
}

/// From an endpoint to a client: it leaves from the service's address, and keeps its source port.
#[inline(always)]
fn reply<P: Packet, T: Tables, N: Next>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step {
    let Some(source) = tables.source(&source_key(facts)) else {
        return N::no_tunnel(packet, tables, facts, plan);
    };
    if facts.kind == message::ERROR_INDICATION {
        return N::rare(Rare::Indication);
    }
    let index = own(&source);
    let Some(mut target) = tables.target(index) else {
        return N::drop(Reason::Inconsistent);
    };
    target.port = facts.source_port();
    plan.set((index, target), Face::Source, Reason::Replied, tables.now());
    N::reply(packet, tables, facts, plan)
}

/// Index in `TARGETS` of the service's address that an endpoint's packets leave from.
#[inline(always)]
const fn own(source: &Source) -> u32 {
    let path = if source.path < source.paths { source.path } else { 0 };
    source.own.wrapping_add(path as u32)
}

/// Places the first packet of an untaught tunnel, by the service's policy.
#[inline(always)]
pub(crate) fn place<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Step {
    let Some(service) = tables.service(&service_key(tables, &work.facts)) else {
        return Step::drop(Reason::Inconsistent);
    };
    if service.unknown == Unknown::Indicate as u8 && work.facts.kind == message::G_PDU {
        return Step::rare(Rare::Indicate);
    }
    if service.unknown != Unknown::Hash as u8 {
        if service.unknown == Unknown::Punt as u8 {
            tables.punt(packet, Reason::UnknownTunnel);
        }
        return Step::drop(Reason::UnknownTunnel);
    }
    if let Err(reason) = work.facts.alive() {
        return Step::drop(reason);
    }
    let whole = mix(mix(0x6774_7075, service.id as u32), work.facts.word);
    let client = mix_address(service.id as u32, &work.facts.source);
    let Some(index) = choose(packet, tables, work, &service, Session { whole, client }) else {
        return exhausted(&service);
    };
    Step::planned(pin(tables, work, &service, index))
}

#[inline(always)]
fn pin<T: Tables>(tables: &T, work: &mut Work, service: &Service, index: u32) -> Result<(), Reason> {
    let now = tables.now();
    let flow =
        Flow { target: index, seen: now, service: service.id, state: State::Established as u8, ..Flow::default() };
    let key = FlowKey::tunnel(service.id, work.facts.word);
    let mut index = index;
    match tables.insert_flow(&key, &flow) {
        Insert::Done => tables.count_sessions(index, 1),
        Insert::Full => return Err(Reason::FlowsFull),
        // Another CPU was faster: its choice holds.
        Insert::Exists => index = tables.flow(&key).map_or(index, |held| held.target),
    }
    let index = index.wrapping_add(service.path as u32);
    let target = tables.target(index).ok_or(Reason::Inconsistent)?;
    work.plan.set((index, target), Face::Destination, Reason::Placed, now);
    Ok(())
}

/// Answers an Echo Request (TS 29.281 7.2.1) with an Echo Response that carries the request's sequence
/// number and a Recovery IE, whose restart counter is always 0 (7.2.2, 8.2).
#[inline(always)]
pub(crate) fn echo<P: Packet>(packet: &mut P, work: &mut Work) -> Outcome {
    match answer(packet, &work.facts) {
        Ok(()) => Outcome::transmit(Reason::EchoAnswered),
        Err(reason) => Outcome::drop(reason),
    }
}

/// UDP header, GTP-U header with its optional fields, Recovery IE.
const RESPONSE: usize = 8 + 12 + 2;

#[inline(always)]
fn answer<P: Packet>(packet: &mut P, facts: &Facts) -> Result<(), Reason> {
    let transport = facts.transport as usize;
    let [flags, _, a, b] = packet.load(transport + 8).ok_or(Reason::GtpMalformed)?;
    // S: Echo messages carry a sequence number (TS 29.281 5.1); one without is answered with 0.
    let sequence = if flags & 2 != 0 {
        if u16::from_be_bytes([a, b]) < 4 {
            return Err(Reason::GtpLength);
        }
        packet.load::<2>(transport + 8 + 8).ok_or(Reason::GtpMalformed)?
    } else {
        [0, 0]
    };
    turn(packet, facts, RESPONSE)?;
    let ([a, b], [c, d]) = (facts.source_port().to_be_bytes(), PORT.to_be_bytes());
    let done = packet
        .store(transport, [c, d, a, b, 0, RESPONSE as u8, 0, 0])
        .and_then(|()| packet.store(transport + 8, [0x32, 2, 0, 6, 0, 0, 0, 0]))
        .and_then(|()| packet.store(transport + 16, [sequence[0], sequence[1], 0, 0, 14, 0]));
    done.ok_or(Reason::Inconsistent)?;
    if facts.v6 == 1 {
        let check = response_checksum(facts, sequence);
        packet.store(transport + 6, check).ok_or(Reason::Inconsistent)?;
    }
    Ok(())
}

/// The UDP checksum that IPv6 demands (RFC 8200 8.1), over the few fields that are not constant.
#[inline(always)]
fn response_checksum(facts: &Facts, sequence: [u8; 2]) -> [u8; 2] {
    let number = |value: u16| value.to_be() as u64;
    let sum = facts.source.sum()
        + facts.destination.sum()
        + 2 * number(RESPONSE as u16)
        + number(protocol::UDP as u16)
        + number(PORT)
        + number(facts.source_port())
        + number(0x3202)
        + number(6)
        + u16::from_ne_bytes(sequence) as u64
        + number(14 << 8);
    let check = !checksum::fold(sum);
    if check == 0 { [0xff, 0xff] } else { check.to_ne_bytes() }
}

/// What is wrong with version, protocol type or length, in a datagram of UDP's length.
#[inline(always)]
fn malformed(length: Option<u16>, header: Option<[u8; 8]>) -> Option<Reason> {
    let (Some(length), Some([flags, _, c, d, ..])) = (length, header) else {
        return Some(Reason::GtpMalformed);
    };
    let datagram = length as u32;
    if datagram < 8 + 8 || flags >> 4 != 3 {
        return Some(Reason::GtpMalformed);
    }
    // The length does not count the eight fixed octets (TS 29.281 5.1).
    if u16::from_be_bytes([c, d]) as u32 + 8 + 8 > datagram {
        return Some(Reason::GtpLength);
    }
    None
}
