//! SCTP (RFC 9260): an association is followed by its verification tags, on whatever path.
//!
//! Towards the service a packet carries the server's initiate tag, towards the client the client's. Three
//! pins make an association: one by each tag and the ports, and one by the client's addresses, which places
//! retransmitted and restarting INITs. A packet's path is the one that its address is on: its pin says whose
//! addresses those are, and a packet with another address has no pin.

mod aware;
mod control;
mod init;
mod init_ack;
mod parameters;

pub(crate) use control::{control, out_of_the_blue};
pub(crate) use init::init;
pub(crate) use init_ack::init_ack;
pub(crate) use parameters::{mask, parameters, rewrite, scan};

use crate::apply::ports_correction;
use crate::cached::{self, GENERAL, SOURCE};
use crate::choose::mix_address;
use crate::flow::service_key;
use crate::{
    Address, Face, Facts, Flow, FlowKey, MAX_PATHS, Packet, Plan, Rare, Reason, Source, SourceKey, Step, Tables,
    Target, hop, protocol,
};

/// Chunk types that steering knows (RFC 9260 3.2, RFC 5061 4.1).
pub(crate) mod chunk {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const INIT: u8 = 1;
    pub(crate) const INIT_ACK: u8 = 2;
    pub(crate) const ABORT: u8 = 6;
    pub(crate) const SHUTDOWN: u8 = 7;
    pub(crate) const SHUTDOWN_ACK: u8 = 8;
    pub(crate) const COOKIE_ECHO: u8 = 10;
    pub(crate) const COOKIE_ACK: u8 = 11;
    pub(crate) const SHUTDOWN_COMPLETE: u8 = 14;
    pub(crate) const ASCONF_ACK: u8 = 0x80;
    pub(crate) const ASCONF: u8 = 0xc1;
}

/// A number for a client, the same for each of its addresses' order: the lowest over its addresses.
///
/// Two clients that share it and a port are placed alike, which harms neither.
#[inline(always)]
#[must_use]
pub const fn digest(address: &Address) -> u32 {
    mix_address(0x7363_7470, address)
}

/// The pin of a packet's association, and the path that the packet is on.
#[inline(always)]
fn pinned<T: Tables>(tables: &T, facts: &Facts, key: &FlowKey) -> Option<(Flow, u32)> {
    let flow = tables.flow(key)?;
    let address = if flow.reply == 0 { &facts.destination } else { &facts.source };
    path(tables, address, &flow).map(|path| (flow, path))
}

/// The association that an endpoint means which has only the tag that it was sent, the server's.
pub(crate) struct Reflected {
    pub(crate) source: Source,
    /// The service's address on the path, and its index.
    pub(crate) own: (u32, Target),
    pub(crate) forward: FlowKey,
    pub(crate) flow: Flow,
}

/// Finds the association of a packet from an endpoint by the server's tag in it.
#[inline(always)]
pub(crate) fn reflected<T: Tables>(tables: &T, facts: &Facts) -> Option<Reflected> {
    let source = tables.source(&source_key(facts))?;
    let index = source.own.wrapping_add(source.path as u32);
    let own = tables.target(index)?;
    let forward = FlowKey::association(facts.word, own.port, facts.destination_port());
    let flow = tables.flow(&forward).filter(|flow| flow.reply == 0 && flow.from == source.own)?;
    Some(Reflected { source, own: (index, own), forward, flow })
}

/// Sends an SCTP packet that does not move its association's state, where all that it needs is cached.
#[inline(always)]
pub(crate) fn steady<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &Facts, plan: &mut Plan) -> Step {
    let Some(flow) = tables.flow(&key(facts)) else {
        return GENERAL;
    };
    let now = tables.now();
    // Once a tick the general path says that it was seen.
    if flow.seen != now {
        GENERAL
    } else if flow.reply == 0 {
        request(packet, tables, facts, &flow)
    } else {
        reply(packet, tables, facts, plan, &flow)
    }
}

/// Sends a request. The address on the path is cached with the target: no look-up of its own tells which path it is.
#[inline(always)]
fn request<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &Facts, flow: &Flow) -> Step {
    let on = |path: u32| {
        let (index, from) = (flow.target.wrapping_add(path), hop::came_to(flow.from, path));
        hop::of_target(tables, flow.seen, index)
            .filter(|hop| hop.own == facts.destination.0[3] && hop.from == from)
    };
    let first = on(0);
    let unchanged = facts.destination_port().to_be();
    if let Some(hop) = &first
        && hop.port == unchanged
    {
        return cached::associated(packet, tables, facts, 0, hop);
    }
    let Some(hop) = first.or_else(|| (1..MAX_PATHS as u32).find_map(on)) else {
        return GENERAL;
    };
    let crc = ports_correction(tables, facts, Face::Destination, hop.port.to_ne_bytes());
    // Looked up again, for keeping all of it meanwhile costs more.
    match (crc, hop::of_target(tables, flow.seen, hop.target.wrapping_sub(1))) {
        (Ok(crc), Some(hop)) => cached::associated(packet, tables, facts, crc, &hop),
        _ => GENERAL,
    }
}

/// Sends a reply.
#[inline(always)]
fn reply<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &Facts, plan: &mut Plan, flow: &Flow) -> Step {
    if is_address_change(facts.kind) {
        return GENERAL;
    }
    // Read again: kept from where the facts are read, it would cost every packet.
    let source = packet.load(SOURCE).map(Address::v4);
    let Some(path) = source.and_then(|source| path(tables, &source, flow)) else {
        return GENERAL;
    };
    let index = flow.target.wrapping_add(path);
    let Some(own) = tables.target(index) else {
        return GENERAL;
    };
    plan.set((index, own), Face::Source, Reason::Replied, flow.seen);
    cached::reply(packet, tables, facts, plan)
}

/// Plans an SCTP packet.
#[inline(always)]
pub(crate) fn decide<P: Packet, T: Tables>(packet: &P, tables: &T, facts: &Facts, plan: &mut Plan) -> Step {
    let key = key(facts);
    let Some((flow, path)) = pinned(tables, facts, &key) else {
        return unpinned(tables, facts);
    };
    // RFC 9260 8.5.1 A
    if facts.kind == chunk::INIT {
        return Step::drop(Reason::InitBundled);
    }
    if moves_state(facts.kind) {
        return Step::rare(Rare::Control);
    }
    if flow.reply != 0 && is_address_change(facts.kind) {
        return Step::drop(Reason::AddressChange);
    }
    let now = tables.now();
    let index = flow.target.wrapping_add(path);
    let Some(target) = tables.target(index) else {
        return Step::drop(Reason::Inconsistent);
    };
    let seen = aware::seen(&target, now);
    if flow.seen != seen && facts.ttl > 1 {
        tables.touch_flow(&key, seen, flow.state);
    }
    aware::overhear(packet, tables, facts, &flow, &target);
    if flow.reply == 0 {
        plan.set((index, target), Face::Destination, Reason::Pinned, now);
        // The common path compares IPv4 addresses alone.
        if facts.v6 == 0 {
            plan.from = hop::came_to(flow.from, path);
        }
    } else {
        plan.set((index, target), Face::Source, Reason::Replied, now);
    }
    Step::rare(Rare::Apply)
}

/// What becomes of a packet that no pin is for.
#[inline(always)]
fn unpinned<T: Tables>(tables: &T, facts: &Facts) -> Step {
    if tables.service(&service_key(tables, facts)).is_some() {
        return match facts.kind {
            chunk::INIT => Step::rare(Rare::Init),
            _ if facts.word == 0 => Step::drop(Reason::TagZero),
            _ => Step::rare(Rare::OutOfBlue),
        };
    }
    if tables.source(&source_key(facts)).is_none() {
        return Step::pass(Reason::NotOurs);
    }
    match facts.kind {
        chunk::ABORT | chunk::SHUTDOWN_COMPLETE => Step::rare(Rare::Control),
        _ => Step::pass(Reason::ReplyWithoutPin),
    }
}

/// The key that a packet's pin is looked up by.
#[inline(always)]
pub(crate) fn key(facts: &Facts) -> FlowKey {
    FlowKey::followed(facts.word, facts.ports)
}

/// The path that the packet is on; `None` where its address is not one that the pin is for.
#[inline(always)]
fn path<T: Tables>(tables: &T, address: &Address, flow: &Flow) -> Option<u32> {
    let first = tables.target(flow.from)?;
    if first.address == *address {
        return Some(0);
    }
    let mut path = 1;
    while path < MAX_PATHS as u32 {
        if path < first.paths as u32 && tables.target(flow.from.wrapping_add(path))?.address == *address {
            return Some(path);
        }
        path += 1;
    }
    None
}

/// Whether a chunk tells of addresses, which no endpoint may.
#[inline(always)]
const fn is_address_change(kind: u8) -> bool {
    matches!(kind, chunk::ASCONF | chunk::ASCONF_ACK)
}

/// Whether a chunk opens an association or can change its state; all others are steady traffic.
#[inline(always)]
pub(crate) const fn is_control(kind: u8) -> bool {
    kind == chunk::INIT || moves_state(kind)
}

/// Whether a chunk type can change an association's state.
#[inline(always)]
const fn moves_state(kind: u8) -> bool {
    matches!(
        kind,
        chunk::INIT_ACK
            | chunk::ABORT
            | chunk::SHUTDOWN
            | chunk::SHUTDOWN_ACK
            | chunk::COOKIE_ECHO
            | chunk::COOKIE_ACK
            | chunk::SHUTDOWN_COMPLETE
    )
}

#[inline(always)]
pub(crate) fn source_key(facts: &Facts) -> SourceKey {
    SourceKey { address: facts.source, port: facts.source_port(), protocol: protocol::SCTP, reserved: 0 }
}
