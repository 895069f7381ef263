//! UDP and TCP: pinned by 5-tuple, both directions at once.

use crate::choose::{Session, choose, exhausted, mix, mix_address};
use crate::next::Request;
use crate::{
    Face, Facts, Flow, FlowKey, Insert, Kind, Next, Packet, Plan, Rare, Reason, Service, ServiceKey, State, Step,
    Tables, Work, protocol,
};

const FIN: u8 = 0x01;
const RST: u8 = 0x04;

/// Plans a packet that has a pin; what has none is placed, or is not ours.
#[inline(always)]
pub(crate) fn decide<P: Packet, T: Tables, N: Next>(
    packet: &mut P,
    tables: &T,
    facts: &mut Facts,
    plan: &mut Plan,
) -> Step {
    let key = key(facts);
    let Some(flow) = tables.flow(&key) else {
        return N::no_pin(tables, facts, unpinned);
    };
    let now = tables.now();
    let state = next_state(facts, flow.state);
    // For a packet that ends here nothing changes.
    if (flow.seen != now || flow.state != state) && facts.ttl > 1 {
        if flow.reply != 0 && flow.state == State::Opening as u8 && state == State::Closed as u8 {
            return N::rare(Rare::Reset);
        }
        tables.touch_flow(&key, now, state);
    }
    if flow.reply == 0 {
        return N::request(packet, tables, facts, plan, Request { index: flow.target, teid: 0, now });
    }
    let Some(target) = tables.target(flow.target) else {
        return N::drop(Reason::Inconsistent);
    };
    plan.set((flow.target, target), Face::Source, Reason::Replied, now);
    N::reply(packet, tables, facts, plan)
}

/// A RST of an endpoint on a connection that is not established. Where it answers the SYN (RFC 9293 3.10.7.1: it
/// acknowledges, and its own number is zero), user space gets a copy; what ends a handshake later tells nothing.
#[inline(always)]
pub(crate) fn reset<P: Packet, T: Tables>(packet: &P, tables: &T, work: &mut Work) -> Step {
    const ACK: u8 = 0x10;
    let facts = &work.facts;
    let key = key(facts);
    let Some(flow) = tables.flow(&key) else {
        return Step::drop(Reason::Inconsistent);
    };
    let Some(target) = tables.target(flow.target) else {
        return Step::drop(Reason::Inconsistent);
    };
    let now = tables.now();
    let refuses = facts.kind & ACK != 0 && packet.load::<4>(facts.transport as usize + 4) == Some([0; 4]);
    if refuses && tables.may_tell(now) {
        tables.punt(packet, Reason::Replied);
    }
    tables.touch_flow(&key, now, State::Closed as u8);
    work.plan.set((flow.target, target), Face::Source, Reason::Replied, now);
    Step::planned(Ok(()))
}

/// Places the first packet of a flow: chooses an endpoint and makes both pins, or neither.
#[inline(always)]
pub(crate) fn place<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Step {
    let Some(service) = tables.service(&service_key(tables, &work.facts)) else {
        return Step::drop(Reason::Inconsistent);
    };
    if let Err(reason) = work.facts.alive() {
        return Step::drop(reason);
    }
    let facts = &work.facts;
    let ports = ((facts.source_port() as u32) << 16) | facts.destination_port() as u32;
    let client = mix_address(service.id as u32, &facts.source);
    let Some(base) = choose(packet, tables, work, &service, Session { whole: mix(client, ports), client }) else {
        return exhausted(&service);
    };
    Step::planned(pin(tables, work, &service, base))
}

#[inline(always)]
fn unpinned<T: Tables>(tables: &T, facts: &Facts) -> Step {
    match tables.service(&service_key(tables, facts)) {
        Some(service) if service.kind == Kind::Flow as u8 => Step::rare(Rare::Place),
        _ => Step::pass(Reason::NotOurs),
    }
}

#[inline(always)]
fn pin<T: Tables>(tables: &T, work: &mut Work, service: &Service, base: u32) -> Result<(), Reason> {
    let facts = &work.facts;
    let index = base.wrapping_add(service.path as u32);
    let target = tables.target(index).ok_or(Reason::Inconsistent)?;

    let now = tables.now();
    let state = next_state(facts, State::Opening as u8);
    let forward = Flow { target: index, seen: now, service: service.id, state, ..Flow::default() };
    let own = service.own.wrapping_add(service.path as u32);
    // Its state says that no reply was seen yet.
    let backward = Flow { target: own, reply: 1, state: State::Opening as u8, ..forward };
    let back = FlowKey::tuple(facts.source, facts.source_port(), target.address, target.port, facts.protocol);
    match tables.insert_flow(&back, &backward) {
        Insert::Done => {}
        Insert::Full => return Err(Reason::FlowsFull),
        Insert::Exists => {
            // Another CPU placed this very flow, or its forward pin was swept: the reply's pin says so.
            let same = tables.flow(&back).is_some_and(|flow| flow.target == own && flow.service == service.id);
            if !same {
                return Err(Reason::Collision);
            }
        }
    }
    let key = key(facts);
    match tables.insert_flow(&key, &forward) {
        Insert::Done => {
            tables.count_sessions(base, 1);
            work.plan.set((index, target), Face::Destination, Reason::Placed, now);
            Ok(())
        }
        Insert::Full => {
            tables.remove_flow(&back);
            Err(Reason::FlowsFull)
        }
        Insert::Exists => {
            // Another CPU was faster: its choice holds.
            let held = tables.flow(&key).ok_or(Reason::Collision)?;
            if held.target != index {
                tables.remove_flow(&back);
            }
            let target = tables.target(held.target).ok_or(Reason::Inconsistent)?;
            work.plan.set((held.target, target), Face::Destination, Reason::Pinned, now);
            Ok(())
        }
    }
}

#[inline(always)]
pub(crate) fn key(facts: &Facts) -> FlowKey {
    FlowKey::seen(facts.destination, facts.source, facts.ports, facts.protocol)
}

#[inline(always)]
pub(crate) fn service_key<T: Tables>(tables: &T, facts: &Facts) -> ServiceKey {
    ServiceKey {
        address: facts.destination,
        port: facts.destination_port(),
        protocol: facts.protocol,
        bank: tables.bank(),
    }
}

/// A RST ends a TCP connection, a FIN begins its end; a SYN on an ended pin begins anew.
#[inline(always)]
fn next_state(facts: &Facts, state: u8) -> u8 {
    const SYN: u8 = 0x02;
    if facts.protocol != protocol::TCP {
        return State::Established as u8;
    }
    if facts.kind & RST != 0 {
        State::Closed as u8
    } else if facts.kind & FIN != 0 {
        State::Closing as u8
    } else if facts.kind & SYN != 0 {
        State::Opening as u8
    } else if state == State::Opening as u8 {
        State::Established as u8
    } else {
        state
    }
}
