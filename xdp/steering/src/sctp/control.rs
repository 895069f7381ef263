//! Chunks that move an association's state, and packets that belong to none.

use super::init::reflects;
use super::{chunk, digest, reply_key, source_key};
use crate::choose::{choose, mix};
use crate::flow::service_key;
use crate::{
    Face, Facts, Flow, FlowKey, Outcome, Packet, Reason, Service, Source, State, Tables, Unknown, Work, apply,
};

/// Carries a control chunk of a known association, and moves its state.
#[inline(always)]
pub(crate) fn control<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    let decided = match tables.service(&service_key(tables, &work.facts)) {
        Some(service) => from_client(tables, work, &service),
        None => match tables.source(&source_key(&work.facts)) {
            Some(source) => from_endpoint(tables, work, &source),
            None => Err(Outcome::drop(Reason::Inconsistent)),
        },
    };
    match decided {
        Ok(()) => apply(packet, tables, work),
        Err(outcome) => outcome,
    }
}

#[inline(always)]
fn from_client<T: Tables>(tables: &T, work: &mut Work, service: &Service) -> Result<(), Outcome> {
    let facts = &work.facts;
    // The T bit says that the tag is the peer's, and this one is not (RFC 9260 8.5.1 B).
    if reflects(facts) {
        return Err(Outcome::drop(Reason::OutOfTheBlue));
    }
    let key = FlowKey::association(service.id, facts.source_port, facts.word);
    let flow = tables.flow(&key).ok_or(Outcome::drop(Reason::Inconsistent))?;
    let base = tables.target(flow.target).ok_or(Outcome::drop(Reason::Inconsistent))?;
    let target = tables
        .target(flow.target.wrapping_add(service.path as u32))
        .ok_or(Outcome::drop(Reason::Inconsistent))?;
    let reply = FlowKey::reply(base.identity, base.port, facts.source_port, flow.tag);
    let now = tables.now();
    if facts.kind == chunk::COOKIE_ECHO {
        // Only now is it known which of several INIT ACKs the client took up.
        if let Some(back) = tables.flow(&reply)
            && back.tag != facts.word
        {
            tables.replace_flow(&reply, &Flow { tag: facts.word, ..back });
        }
    }
    if let Some(state) = next(facts.kind, flow.state) {
        tables.touch_flow(&key, now, state);
        tables.touch_flow(&reply, now, state);
    } else {
        tables.touch_flow(&key, now, flow.state);
    }
    work.plan.set(target, Face::Destination, Reason::Pinned);
    Ok(())
}

#[inline(always)]
fn from_endpoint<T: Tables>(tables: &T, work: &mut Work, source: &Source) -> Result<(), Outcome> {
    let facts = &work.facts;
    let key = reply_key(source, facts);
    let (service, own, server_tag, state) = match tables.flow(&key) {
        Some(_) if reflects(facts) => return Err(Outcome::drop(Reason::OutOfTheBlue)),
        Some(flow) => {
            let state = next(facts.kind, flow.state);
            if state == Some(State::Established as u8) && facts.kind == chunk::COOKIE_ACK {
                take_over(tables, source, facts, &flow);
            }
            (flow.service, flow.target, flow.tag, state.unwrap_or(flow.state))
        }
        None if reflects(facts) => {
            reflected(tables, source, facts)?;
            (source.service, source.own, facts.word, State::Closed as u8)
        }
        None => return Err(Outcome::pass(Reason::ReplyWithoutPin)),
    };
    let now = tables.now();
    tables.touch_flow(&key, now, state);
    tables.touch_flow(&FlowKey::association(service, facts.destination_port, server_tag), now, state);
    let target =
        tables.target(own.wrapping_add(source.path as u32)).ok_or(Outcome::drop(Reason::Inconsistent))?;
    work.plan.set(target, Face::Source, Reason::Replied);
    Ok(())
}

/// An ABORT or SHUTDOWN COMPLETE with the T bit reflects the tag of what the endpoint was sent: the server's.
#[inline(always)]
fn reflected<T: Tables>(tables: &T, source: &Source, facts: &Facts) -> Result<(), Outcome> {
    let key = FlowKey::association(source.service, facts.destination_port, facts.word);
    let owner = tables.flow(&key).and_then(|flow| {
        let target = tables.target(flow.target)?;
        let reply = FlowKey::reply(target.identity, target.port, facts.destination_port, flow.tag);
        (target.identity == source.identity).then_some(reply)
    });
    let reply = owner.ok_or(Outcome::pass(Reason::ReplyWithoutPin))?;
    tables.touch_flow(&reply, tables.now(), State::Closed as u8);
    Ok(())
}

/// COOKIE ACK: the client's pin names this association from now on, and what it named before has ended.
#[inline(always)]
fn take_over<T: Tables>(tables: &T, source: &Source, facts: &Facts, flow: &Flow) {
    let key = FlowKey::peer(flow.service, facts.destination_port, flow.peer);
    let Some(client) = tables.flow(&key) else { return };
    let now = tables.now();
    if client.tag != facts.word && client.state == State::Established as u8 {
        let old = FlowKey::reply(source.identity, facts.source_port, facts.destination_port, client.tag);
        if let Some(before) = tables.flow(&old) {
            tables.touch_flow(&old, now, State::Closed as u8);
            let forward = FlowKey::association(flow.service, facts.destination_port, before.tag);
            tables.touch_flow(&forward, now, State::Closed as u8);
        }
    }
    tables.replace_flow(&key, &Flow { tag: facts.word, seen: now, state: State::Established as u8, ..client });
}

/// The state after a chunk; `None` where it stays.
#[inline(always)]
const fn next(kind: u8, state: u8) -> Option<u8> {
    match kind {
        chunk::COOKIE_ECHO if state < State::Echoed as u8 => Some(State::Echoed as u8),
        chunk::COOKIE_ACK if state < State::Established as u8 => Some(State::Established as u8),
        chunk::SHUTDOWN | chunk::SHUTDOWN_ACK if state < State::Closing as u8 => Some(State::Closing as u8),
        chunk::ABORT | chunk::SHUTDOWN_COMPLETE => Some(State::Closed as u8),
        _ => None,
    }
}

/// A packet to a service that matches no association (RFC 9260 8.4).
#[inline(always)]
pub(crate) fn out_of_the_blue<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    let facts = &work.facts;
    let Some(service) = tables.service(&service_key(tables, facts)) else {
        return Outcome::drop(Reason::Inconsistent);
    };
    let digest = digest(&facts.source);
    let known = tables.flow(&FlowKey::peer(service.id, facts.source_port, digest));
    let base = if reflects(facts) {
        client_reflects(tables, facts, known.as_ref())
    } else if facts.kind == chunk::COOKIE_ECHO || service.unknown == Unknown::Hash as u8 {
        // The endpoint's cookie is the state: it goes where its INIT went.
        let hash = mix(mix(service.id as u32, digest), facts.source_port as u32);
        known.map(|known| known.target).or_else(|| choose(tables, &service, hash))
    } else {
        None
    };
    let Some(base) = base else {
        if service.unknown == Unknown::Punt as u8 {
            tables.punt(packet, Reason::OutOfTheBlue);
        }
        return Outcome::drop(Reason::OutOfTheBlue);
    };
    let Some(target) = tables.target(base.wrapping_add(service.path as u32)) else {
        return Outcome::drop(Reason::Inconsistent);
    };
    let reason = if reflects(facts) { Reason::Pinned } else { Reason::Hashed };
    work.plan.set(target, Face::Destination, reason);
    apply(packet, tables, work)
}

/// The client reflects its own tag: right only if a reply's pin has it. Ends the association.
#[inline(always)]
fn client_reflects<T: Tables>(tables: &T, facts: &Facts, known: Option<&Flow>) -> Option<u32> {
    let known = known?;
    let target = tables.target(known.target)?;
    let reply = FlowKey::reply(target.identity, target.port, facts.source_port, facts.word);
    let back = tables.flow(&reply)?;
    let now = tables.now();
    tables.touch_flow(&reply, now, State::Closed as u8);
    tables.touch_flow(
        &FlowKey::association(back.service, facts.source_port, back.tag),
        now,
        State::Closed as u8,
    );
    Some(known.target)
}
