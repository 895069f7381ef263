use super::chunk;
use super::digest;
use super::parameters::scan_all;
use crate::choose::{Session, choose, exhausted, mix};
use crate::flow::service_key;
use crate::{
    Face, Facts, Flow, FlowKey, Insert, Packet, Rare, Reason, Service, State, Step, Tables, Target, Work,
};

/// Places an INIT: to the endpoint that has the client's association, else by consistent hashing.
#[inline(always)]
pub(crate) fn init<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Step {
    let Some(service) = tables.service(&service_key(tables, &work.facts)) else {
        return Step::drop(Reason::Inconsistent);
    };
    let opening = match read(packet, tables, work) {
        Ok(opening) => opening,
        Err(reason) => return Step::drop(reason),
    };
    let digest = work.walk.digest;
    let (base, reason) = match known(tables, &service, &work.facts, digest) {
        Some(base) => (base, Reason::Pinned),
        None => {
            let client = mix(service.id as u32, digest);
            let whole = mix(client, work.facts.source_port() as u32);
            match choose(packet, tables, work, &service, Session { whole, client }) {
                Some(base) => (base, Reason::Placed),
                None => return exhausted(&service),
            }
        }
    };
    match place(tables, work, &service, &opening, (base, reason)) {
        Ok(()) => Step::rare(Rare::Parameters),
        Err(reason) => Step::drop(reason),
    }
}

/// Checks the whole chunk before anything is changed for it.
#[inline(always)]
fn read<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<Opening, Reason> {
    // RFC 9260 8.5.1 A, 6.10
    if work.facts.word != 0 {
        return Err(Reason::InitBundled);
    }
    work.facts.alive()?;
    let opening = Opening::read(packet, &work.facts)?;
    let source = digest(&work.facts.source);
    scan_all(packet, tables, work, &opening, source)?;
    Ok(opening)
}

#[inline(always)]
fn place<T: Tables>(
    tables: &T,
    work: &mut Work,
    service: &Service,
    opening: &Opening,
    (base, reason): (u32, Reason),
) -> Result<(), Reason> {
    let digest = work.walk.digest;
    let index = base.wrapping_add(service.path as u32);
    let target = tables.target(index).ok_or(Reason::Inconsistent)?;
    pin(tables, service, &work.facts, opening, digest, (base, reason), &target)?;
    work.plan.set((index, target), Face::Destination, reason, tables.now());
    Ok(())
}

/// The fixed part that INIT and INIT ACK share (RFC 9260 3.3.2, 3.3.3).
pub(super) struct Opening {
    /// The initiate tag.
    pub(super) tag: u32,
    /// Offset of the first parameter.
    pub(super) parameters: u32,
    /// Offset of the first byte behind the chunk.
    pub(super) end: u32,
    /// Offset of the first byte behind the packet.
    pub(super) tail: u32,
}

impl Opening {
    #[inline(always)]
    pub(super) fn read<P: Packet>(packet: &P, facts: &Facts) -> Result<Self, Reason> {
        let at = facts.transport + 12;
        let tail = facts.end;
        let length = packet.be16(at as usize + 2).ok_or(Reason::InitTruncated)? as u32;
        if length < 20 || at + length > tail {
            return Err(Reason::InitTruncated);
        }
        // Alone in its packet, which ends where its padding does.
        let padded = (length + 3) & !3;
        if tail - at != padded {
            return Err(Reason::InitBundled);
        }
        let tag = packet.be32(at as usize + 4).ok_or(Reason::InitTruncated)?;
        if tag == 0 {
            return Err(Reason::InitiateTagZero);
        }
        Ok(Self { tag, parameters: at + 20, end: at + length, tail })
    }
}

/// The endpoint whose association this client has, whatever the algorithm says now: only that one can detect a
/// restart (RFC 9260 5.2.2).
#[inline(always)]
fn known<T: Tables>(tables: &T, service: &Service, facts: &Facts, digest: u32) -> Option<u32> {
    let peer = FlowKey::peer(service.id, facts.source_port(), digest);
    if let Some(known) = tables.flow(&peer)
        && let Some(target) = tables.target(known.target)
        && target.up != 0
    {
        let reply = FlowKey::association(known.tag, facts.source_port(), target.port);
        if tables.flow(&reply).is_some_and(|flow| flow.state != State::Closed as u8) {
            return Some(known.target);
        }
    }
    None
}

/// Makes the reply's pin, which the INIT ACK is looked up by, and the client's.
#[inline(always)]
fn pin<T: Tables>(
    tables: &T,
    service: &Service,
    facts: &Facts,
    opening: &Opening,
    digest: u32,
    (base, reason): (u32, Reason),
    target: &Target,
) -> Result<(), Reason> {
    let seen = tables.now();
    let reply = FlowKey::association(opening.tag, facts.source_port(), target.port);
    let back = Flow {
        target: service.own,
        from: base,
        seen,
        peer: digest,
        service: service.id,
        state: State::Opening as u8,
        reply: 1,
        tag: 0,
    };
    let before = match tables.insert_flow(&reply, &back) {
        Insert::Done => None,
        Insert::Full => return Err(Reason::FlowsFull),
        Insert::Exists => {
            let held = tables.flow(&reply).ok_or(Reason::Collision)?;
            let closed = held.state == State::Closed as u8;
            // The same client comes again, be it that its endpoint went down meanwhile.
            let same = held.service == service.id && held.peer == digest && held.reply != 0;
            if !closed && !same {
                return Err(Reason::Collision);
            }
            if closed || held.from != base {
                tables.replace_flow(&reply, &back);
            }
            Some(held)
        }
    };
    let key = FlowKey::peer(service.id, facts.source_port(), digest);
    let client = Flow { target: base, from: service.own, tag: opening.tag, reply: 0, ..back };
    // What was established holds until its restart is acknowledged, unless it has ended.
    let holds =
        reason == Reason::Pinned && tables.flow(&key).is_some_and(|known| known.state == State::Established as u8);
    if !holds && !pin_client(tables, &key, &client) {
        match before {
            None => tables.remove_flow(&reply),
            Some(held) => {
                tables.replace_flow(&reply, &held);
            }
        }
        return Err(Reason::FlowsFull);
    }
    Ok(())
}

/// Makes the client's pin, which is what its endpoint's sessions are counted by; `false` where the table is full.
#[inline(always)]
fn pin_client<T: Tables>(tables: &T, key: &FlowKey, client: &Flow) -> bool {
    match tables.insert_flow(key, client) {
        Insert::Done => {
            tables.count_sessions(client.target, 1);
            true
        }
        Insert::Full => false,
        Insert::Exists => {
            let before = tables.flow(key).map_or(client.target, |known| known.target);
            let done = tables.replace_flow(key, client);
            if done && before != client.target {
                tables.count_sessions(client.target, 1);
                tables.count_sessions(before, -1);
            }
            done
        }
    }
}

/// Whether a packet is the kind of ABORT or SHUTDOWN COMPLETE that reflects the sender's tag (RFC 9260 8.5.1 B, C).
#[inline(always)]
pub(super) const fn reflects(facts: &Facts) -> bool {
    matches!(facts.kind, chunk::ABORT | chunk::SHUTDOWN_COMPLETE) && facts.flags & 1 != 0
}
