//! SCTP (RFC 9260): an association is followed by its verification tags, on whatever path.
//!
//! Towards the service a packet carries the server's initiate tag, towards the client the client's. Three
//! pins make an association: one by each tag and the ports, and one by the client's addresses, which places
//! retransmitted and restarting INITs. A packet's path is the one that its address is on: its pin says whose
//! addresses those are, and a packet with another address has no pin.

mod control;
mod init;
mod init_ack;
mod parameters;

pub(crate) use control::{control, out_of_the_blue};
pub(crate) use init::init;
pub(crate) use init_ack::init_ack;
pub(crate) use parameters::{mask, parameters, rewrite, scan};

use crate::choose::mix_address;
use crate::flow::service_key;
use crate::{
    Address, Face, Facts, Flow, FlowKey, MAX_PATHS, Next, Packet, Plan, Rare, Reason, Source, SourceKey, Step,
    Tables, Target, protocol,
};

/// Chunk types that steering knows (RFC 9260 3.2, RFC 5061 4.1).
pub(crate) mod chunk {
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
    path(tables, facts, &flow).map(|path| (flow, path))
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
    let forward = FlowKey::association(facts.word, own.port, facts.destination_port);
    let flow = tables.flow(&forward).filter(|flow| flow.reply == 0 && flow.from == source.own)?;
    Some(Reflected { source, own: (index, own), forward, flow })
}

/// Plans an SCTP packet.
#[inline(always)]
pub(crate) fn decide<P: Packet, T: Tables, N: Next>(
    packet: &mut P,
    tables: &T,
    facts: &mut Facts,
    plan: &mut Plan,
) -> Step {
    let key = key(facts);
    let Some((flow, path)) = pinned(tables, facts, &key) else {
        return N::no_pin(tables, facts, unpinned);
    };
    // RFC 9260 8.5.1 A
    if !N::STEADY && facts.kind == chunk::INIT {
        return Step::drop(Reason::InitBundled);
    }
    if !N::STEADY && moves_state(facts.kind) {
        return Step::rare(Rare::Control);
    }
    if flow.reply != 0 && matches!(facts.kind, chunk::ASCONF | chunk::ASCONF_ACK) {
        return Step::drop(Reason::AddressChange);
    }
    let now = tables.now();
    if flow.seen != now && facts.ttl > 1 {
        tables.touch_flow(&key, now, flow.state);
    }
    let index = flow.target.wrapping_add(path);
    let Some(target) = tables.target(index) else {
        return Step::drop(Reason::Inconsistent);
    };
    if flow.reply == 0 {
        plan.set((index, target), Face::Destination, Reason::Pinned, now);
        N::go_on(packet, tables, facts, plan)
    } else {
        plan.set((index, target), Face::Source, Reason::Replied, now);
        N::go_on(packet, tables, facts, plan)
    }
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
    FlowKey::association(facts.word, facts.destination_port, facts.source_port)
}

/// The path that the packet is on; `None` where its address is not one that the pin is for.
#[inline(always)]
fn path<T: Tables>(tables: &T, facts: &Facts, flow: &Flow) -> Option<u32> {
    let address = if flow.reply == 0 { &facts.destination } else { &facts.source };
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
    SourceKey { address: facts.source, port: facts.source_port, protocol: protocol::SCTP, reserved: 0 }
}
