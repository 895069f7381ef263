use super::chunk;
use super::digest;
use super::parameters::{mask_all, scan_all};
use crate::choose::{choose, mix};
use crate::flow::service_key;
use crate::{
    Face, Facts, Flow, FlowKey, Insert, Outcome, Packet, Reason, Service, State, Tables, Target, Work, apply,
};

/// Places an INIT: to the endpoint that has the client's association, else by consistent hashing.
#[inline(always)]
pub(crate) fn init<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    match place(packet, tables, work) {
        Ok(()) => apply(packet, tables, work),
        Err(reason) => Outcome::drop(reason),
    }
}

#[inline(always)]
fn place<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Reason> {
    let service = tables.service(&service_key(tables, &work.facts)).ok_or(Reason::Inconsistent)?;
    // RFC 9260 8.5.1 A, 6.10
    if work.facts.word != 0 {
        return Err(Reason::InitBundled);
    }
    work.facts.alive()?;
    let opening = Opening::read(packet, &work.facts)?;
    let source = digest(&work.facts.source);
    scan_all(packet, tables, work, &opening, source)?;
    let digest = work.walk.digest;
    let (base, reason) = endpoint(tables, &service, &work.facts, digest)?;
    let target = tables.target(base.wrapping_add(service.path as u32)).ok_or(Reason::Inconsistent)?;
    pin(tables, &service, &work.facts, &opening, digest, (base, reason), &target)?;
    mask_all(packet, tables, work)?;
    work.plan.set(target, Face::Destination, reason, tables.now());
    work.plan.crc = work.walk.crc;
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

/// Which endpoint: the one whose association this client has, whatever the algorithm says now (only that
/// endpoint can detect a restart, RFC 9260 5.2.2); else the one that hashing gives.
#[inline(always)]
fn endpoint<T: Tables>(
    tables: &T,
    service: &Service,
    facts: &Facts,
    digest: u32,
) -> Result<(u32, Reason), Reason> {
    let peer = FlowKey::peer(service.id, facts.source_port, digest);
    if let Some(known) = tables.flow(&peer)
        && let Some(target) = tables.target(known.target)
        && target.up != 0
    {
        let reply = FlowKey::association(known.tag, facts.source_port, target.port);
        if tables.flow(&reply).is_some_and(|flow| flow.state != State::Closed as u8) {
            return Ok((known.target, Reason::Pinned));
        }
    }
    let hash = mix(mix(service.id as u32, digest), facts.source_port as u32);
    choose(tables, service, hash).map(|base| (base, Reason::Placed)).ok_or(Reason::NoEndpoint)
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
    let reply = FlowKey::association(opening.tag, facts.source_port, target.port);
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
    let key = FlowKey::peer(service.id, facts.source_port, digest);
    let client = Flow { target: base, from: service.own, tag: opening.tag, reply: 0, ..back };
    // What was established holds until its restart is acknowledged, unless it has ended.
    let holds =
        reason == Reason::Pinned && tables.flow(&key).is_some_and(|known| known.state == State::Established as u8);
    if !holds && !tables.replace_flow(&key, &client) {
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

/// Whether a packet is the kind of ABORT or SHUTDOWN COMPLETE that reflects the sender's tag (RFC 9260 8.5.1 B, C).
#[inline(always)]
pub(super) const fn reflects(facts: &Facts) -> bool {
    matches!(facts.kind, chunk::ABORT | chunk::SHUTDOWN_COMPLETE) && facts.flags & 1 != 0
}
