//! Chunks that move an association's state, and packets that belong to none.

use super::aware::{overhear, seen};
use super::init::reflects;
use super::{Reflected, chunk, digest, key, pinned, reflected};
use crate::choose::{Session, exhausted, likely, mix};
use crate::flow::service_key;
use crate::{Face, Facts, Flow, FlowKey, Outcome, Packet, Reason, State, Step, Tables, Unknown, Work};

/// Carries a control chunk of a known association, and moves its state.
#[inline(always)]
pub(crate) fn control<P: Packet, T: Tables>(packet: &P, tables: &T, work: &mut Work) -> Step {
    if let Err(reason) = work.facts.alive() {
        return Step::drop(reason);
    }
    let key = key(&work.facts);
    let decided = match pinned(tables, &work.facts, &key) {
        Some((flow, path)) => {
            let decided = known(tables, work, &key, &flow, path);
            if decided.is_ok() && refuses(&work.facts, &flow) && tables.may_tell(work.plan.now) {
                tables.punt(packet, Reason::Replied);
            }
            if decided.is_ok() {
                overhear(packet, tables, &work.facts, &flow, &work.plan.to);
            }
            decided
        }
        None => from_nowhere(tables, work),
    };
    match decided {
        Ok(()) => Step::planned(Ok(())),
        Err(outcome) => Step::done(outcome),
    }
}

/// Whether an endpoint answers an INIT by an ABORT. One that comes later ends what it had taken.
#[inline(always)]
const fn refuses(facts: &Facts, flow: &Flow) -> bool {
    facts.kind == chunk::ABORT && flow.reply != 0 && flow.state == State::Opening as u8
}

#[inline(always)]
fn known<T: Tables>(tables: &T, work: &mut Work, key: &FlowKey, flow: &Flow, path: u32) -> Result<(), Outcome> {
    let facts = &work.facts;
    // The T bit says that the tag is the peer's, and this one is not (RFC 9260 8.5.1 B).
    if reflects(facts) {
        return Err(Outcome::drop(Reason::OutOfTheBlue));
    }
    let index = flow.target.wrapping_add(path);
    let target = tables.target(index).ok_or(Outcome::drop(Reason::Inconsistent))?;
    let now = tables.now();
    // The other direction's pin: its packets go back to where these came to, from where these go.
    let other = if flow.reply == 0 {
        FlowKey::association(flow.tag, facts.source_port(), target.port)
    } else {
        FlowKey::association(flow.tag, target.port, facts.destination_port())
    };
    if facts.kind == chunk::COOKIE_ECHO && flow.reply == 0 {
        // Only now is it known which of several INIT ACKs the client took up.
        if let Some(back) = tables.flow(&other)
            && back.tag != facts.word
        {
            tables.replace_flow(&other, &Flow { tag: facts.word, ..back });
        }
    }
    let seen = seen(&target, now);
    match next(facts.kind, flow.state) {
        Some(state) => {
            tables.touch_flow(key, seen, state);
            tables.touch_flow(&other, seen, state);
            if facts.kind == chunk::COOKIE_ACK && flow.reply != 0 {
                take_over(tables, facts, flow, target.port);
            }
        }
        None => tables.touch_flow(key, seen, flow.state),
    }
    if flow.reply == 0 {
        work.plan.set((index, target), Face::Destination, Reason::Pinned, now);
    } else {
        work.plan.set((index, target), Face::Source, Reason::Replied, now);
    }
    Ok(())
}

/// From an endpoint, with no pin: an ABORT or SHUTDOWN COMPLETE with the T bit reflects the tag of what the
/// endpoint was sent, the server's (RFC 9260 8.5.1 B, C). With the right one it ends the association.
#[inline(always)]
fn from_nowhere<T: Tables>(tables: &T, work: &mut Work) -> Result<(), Outcome> {
    const NONE: Outcome = Outcome::pass(Reason::ReplyWithoutPin);
    let facts = &work.facts;
    if !reflects(facts) {
        return Err(NONE);
    }
    let Reflected { source, own, forward, flow } = reflected(tables, facts).ok_or(NONE)?;
    let theirs = tables.target(flow.target.wrapping_add(source.path as u32)).ok_or(NONE)?;
    if theirs.address != facts.source {
        return Err(NONE);
    }
    let now = tables.now();
    tables.touch_flow(&forward, now, State::Closed as u8);
    let back = FlowKey::association(flow.tag, facts.destination_port(), facts.source_port());
    tables.touch_flow(&back, now, State::Closed as u8);
    work.plan.set(own, Face::Source, Reason::Replied, now);
    Ok(())
}

/// COOKIE ACK: the client's pin names this association from now on, and what it named before has ended.
#[inline(always)]
fn take_over<T: Tables>(tables: &T, facts: &Facts, flow: &Flow, own_port: u16) {
    let key = FlowKey::peer(flow.service, facts.destination_port(), flow.peer);
    let Some(client) = tables.flow(&key) else { return };
    let now = tables.now();
    if client.tag != facts.word && client.state == State::Established as u8 {
        let old = FlowKey::association(client.tag, facts.destination_port(), facts.source_port());
        if let Some(before) = tables.flow(&old) {
            tables.touch_flow(&old, now, State::Closed as u8);
            let forward = FlowKey::association(before.tag, own_port, facts.destination_port());
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
pub(crate) fn out_of_the_blue<P: Packet, T: Tables>(packet: &P, tables: &T, work: &mut Work) -> Step {
    let facts = &work.facts;
    let Some(service) = tables.service(&service_key(tables, facts)) else {
        return Step::drop(Reason::Inconsistent);
    };
    if let Err(reason) = facts.alive() {
        return Step::drop(reason);
    }
    let digest = digest(&facts.source);
    let known = tables.flow(&FlowKey::peer(service.id, facts.source_port(), digest));
    let client = mix(service.id as u32, digest);
    let session = Session { whole: mix(client, facts.source_port() as u32), client };
    let likely = known.map(|known| known.target).or_else(|| likely(tables, &service, session));
    if likely.is_none() && facts.kind == chunk::COOKIE_ECHO {
        return exhausted(&service);
    }
    let base = if reflects(facts) {
        likely.and_then(|likely| client_reflects(tables, facts, service.id, likely))
    } else if facts.kind == chunk::COOKIE_ECHO || service.unknown == Unknown::Hash as u8 {
        // The endpoint's cookie is the state: it goes where its INIT went.
        likely
    } else {
        None
    };
    let Some(base) = base else {
        if service.unknown == Unknown::Punt as u8 {
            tables.punt(packet, Reason::OutOfTheBlue);
        }
        return Step::drop(Reason::OutOfTheBlue);
    };
    let index = base.wrapping_add(service.path as u32);
    let Some(target) = tables.target(index) else {
        return Step::drop(Reason::Inconsistent);
    };
    let reason = if reflects(facts) { Reason::Pinned } else { Reason::Hashed };
    work.plan.set((index, target), Face::Destination, reason, tables.now());
    Step::planned(Ok(()))
}

/// The client reflects its own tag, on whatever path: right only if a reply's pin has it. Ends the association.
///
/// `likely` is an endpoint of the service: the port of one is that of all.
#[inline(always)]
fn client_reflects<T: Tables>(tables: &T, facts: &Facts, service: u16, likely: u32) -> Option<u32> {
    let target = tables.target(likely)?;
    let reply = FlowKey::association(facts.word, facts.source_port(), target.port);
    let back = tables.flow(&reply).filter(|flow| flow.reply != 0 && flow.service == service)?;
    let now = tables.now();
    tables.touch_flow(&reply, now, State::Closed as u8);
    let forward = FlowKey::association(back.tag, facts.destination_port(), facts.source_port());
    tables.touch_flow(&forward, now, State::Closed as u8);
    Some(back.from)
}
