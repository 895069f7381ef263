//! SCTP (RFC 9260): an association is followed by its verification tags, on whatever path.
//!
//! Towards the service a packet carries the server's initiate tag, towards the client the client's. Three
//! pins make an association: one by the server's tag, one by the client's tag for replies, and one by the
//! client's addresses, which places retransmitted and restarting INITs.

mod control;
mod init;
mod init_ack;
mod parameters;

pub(crate) use control::{control, out_of_the_blue};
pub(crate) use init::init;
pub(crate) use init_ack::init_ack;
pub(crate) use parameters::{mask, rewrite, scan};

use crate::choose::mix_address;
use crate::flow::service_key;
use crate::{
    Address, Face, Facts, FlowKey, Packet, Rare, Reason, Service, Source, SourceKey, Step, Tables, Work, protocol,
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

/// Plans an SCTP packet.
#[inline(always)]
pub(crate) fn decide<P: Packet, T: Tables>(_packet: &P, tables: &T, work: &mut Work) -> Result<(), Step> {
    if let Some(service) = tables.service(&service_key(tables, &work.facts)) {
        return towards_service(tables, work, &service);
    }
    match tables.source(&source_key(&work.facts)) {
        Some(source) => towards_client(tables, work, &source),
        None => Err(Step::pass(Reason::NotOurs)),
    }
}

#[inline(always)]
fn towards_service<T: Tables>(tables: &T, work: &mut Work, service: &Service) -> Result<(), Step> {
    let facts = &work.facts;
    if facts.kind == chunk::INIT {
        return Err(Step::Rare(Rare::Init));
    }
    if facts.word == 0 {
        return Err(Step::drop(Reason::TagZero));
    }
    let key = FlowKey::association(service.id, facts.source_port, facts.word);
    let Some(flow) = tables.flow(&key) else {
        return Err(Step::Rare(Rare::OutOfBlue));
    };
    if moves_state(facts.kind) {
        return Err(Step::Rare(Rare::Control));
    }
    let now = tables.now();
    if flow.seen != now {
        tables.touch_flow(&key, now, flow.state);
    }
    let target =
        tables.target(flow.target.wrapping_add(service.path as u32)).ok_or(Step::drop(Reason::Inconsistent))?;
    work.plan.set(target, Face::Destination, Reason::Pinned);
    Ok(())
}

#[inline(always)]
fn towards_client<T: Tables>(tables: &T, work: &mut Work, source: &Source) -> Result<(), Step> {
    let facts = &work.facts;
    let key = reply_key(source, facts);
    let Some(flow) = tables.flow(&key) else {
        return Err(match facts.kind {
            chunk::ABORT | chunk::SHUTDOWN_COMPLETE => Step::Rare(Rare::Control),
            _ => Step::pass(Reason::ReplyWithoutPin),
        });
    };
    match facts.kind {
        chunk::INIT_ACK => return Err(Step::Rare(Rare::InitAck)),
        chunk::ASCONF | chunk::ASCONF_ACK => return Err(Step::drop(Reason::AddressChange)),
        kind if moves_state(kind) => return Err(Step::Rare(Rare::Control)),
        _ => {}
    }
    let now = tables.now();
    if flow.seen != now {
        tables.touch_flow(&key, now, flow.state);
    }
    let target =
        tables.target(flow.target.wrapping_add(source.path as u32)).ok_or(Step::drop(Reason::Inconsistent))?;
    work.plan.set(target, Face::Source, Reason::Replied);
    Ok(())
}

/// Whether a chunk type can change an association's state; all others are steady traffic.
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
fn source_key(facts: &Facts) -> SourceKey {
    SourceKey { address: facts.source, port: facts.source_port, protocol: protocol::SCTP, reserved: 0 }
}

#[inline(always)]
fn reply_key(source: &Source, facts: &Facts) -> FlowKey {
    FlowKey::reply(source.identity, facts.source_port, facts.destination_port, facts.word)
}
