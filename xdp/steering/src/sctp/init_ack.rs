use super::init::Opening;
use super::parameters::scan_all;
use super::{key, pinned, unpinned};
use crate::{Face, Flow, FlowKey, Insert, Packet, Rare, Reason, State, Step, Tables, Work};

/// Carries an INIT ACK to its client: pins the server's tag before it leaves, and puts the service's
/// addresses where the endpoint's were.
#[inline(always)]
pub(crate) fn init_ack<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Step {
    let key = key(&work.facts);
    let Some((back, path)) = pinned(tables, &work.facts, &key) else {
        return unpinned(tables, &work.facts);
    };
    match answer(packet, tables, work, &key, &back, path) {
        Ok(()) => Step::rare(Rare::Parameters),
        Err(reason) => Step::drop(reason),
    }
}

#[inline(always)]
fn answer<P: Packet, T: Tables>(
    packet: &mut P,
    tables: &T,
    work: &mut Work,
    key: &FlowKey,
    back: &Flow,
    path: u32,
) -> Result<(), Reason> {
    if back.reply == 0 {
        // A client answers nobody's INIT: to the endpoint it is out of the blue (RFC 9260 5.2.3).
        return Err(Reason::OutOfTheBlue);
    }
    work.facts.alive()?;
    let opening = Opening::read(packet, &work.facts)?;
    scan_all(packet, tables, work, &opening, 0)?;
    let index = back.target.wrapping_add(path);
    let own = tables.target(index).ok_or(Reason::Inconsistent)?;

    let facts = &work.facts;
    let forward = FlowKey::association(opening.tag, own.port, facts.destination_port());
    let pin = Flow {
        target: back.from,
        from: back.target,
        seen: tables.now(),
        tag: facts.word,
        state: State::Acked as u8,
        reply: 0,
        ..*back
    };
    match tables.insert_flow(&forward, &pin) {
        Insert::Done => {}
        Insert::Full => return Err(Reason::FlowsFull),
        Insert::Exists => {
            let held = tables.flow(&forward).ok_or(Reason::Collision)?;
            let same = held.target == pin.target && held.tag == pin.tag && held.reply == 0;
            if held.state == State::Closed as u8 {
                tables.replace_flow(&forward, &pin);
            } else if !same {
                // Two endpoints chose one tag for clients on one port: the INIT's retransmission gets another.
                return Err(Reason::Collision);
            }
        }
    }
    // A retransmitted INIT of an association that is further on must not set it back.
    if back.state < State::Echoed as u8 {
        tables.tag_flow(key, pin.seen, pin.state, opening.tag);
    }
    work.walk.at = opening.parameters;
    work.walk.endpoint = back.from;
    work.walk.own = back.target;
    work.plan.set((index, own), Face::Source, Reason::Replied, pin.seen);
    Ok(())
}
