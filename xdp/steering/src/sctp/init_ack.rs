use super::init::Opening;
use super::parameters::{mask_all, rewrite_all, scan_all};
use super::{reply_key, source_key};
use crate::{
    Face, Flow, FlowKey, Insert, Outcome, Packet, Reason, State, Tables, Work, apply,
};

/// Carries an INIT ACK to its client: pins the server's tag before it leaves, and puts the service's
/// addresses where the endpoint's were.
#[inline(always)]
pub(crate) fn init_ack<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    match answer(packet, tables, work) {
        Ok(()) => apply(packet, tables, work),
        Err(reason) => Outcome::drop(reason),
    }
}

#[inline(always)]
fn answer<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Reason> {
    let facts = work.facts;
    let source = tables.source(&source_key(&facts)).ok_or(Reason::Inconsistent)?;
    let key = reply_key(&source, &facts);
    let back = tables.flow(&key).ok_or(Reason::Inconsistent)?;
    let opening = Opening::read(packet, &facts)?;
    scan_all(packet, tables, work, &opening, 0)?;
    let peer = FlowKey::peer(back.service, facts.destination_port, back.peer);
    let client = tables.flow(&peer).ok_or(Reason::Inconsistent)?;
    let own = tables.target(back.target.wrapping_add(source.path as u32)).ok_or(Reason::Inconsistent)?;

    let forward = FlowKey::association(back.service, facts.destination_port, opening.tag);
    let pin = Flow {
        target: client.target,
        seen: tables.now(),
        tag: facts.word,
        state: State::Acked as u8,
        reply: 0,
        ..back
    };
    match tables.insert_flow(&forward, &pin) {
        Insert::Done => {}
        Insert::Full => return Err(Reason::FlowsFull),
        Insert::Exists => {
            let held = tables.flow(&forward).ok_or(Reason::Collision)?;
            let same = held.target == pin.target && held.tag == pin.tag && held.peer == pin.peer;
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
        tables.replace_flow(&key, &Flow { tag: opening.tag, seen: pin.seen, state: pin.state, ..back });
    }
    rewrite_all(packet, tables, work, &opening, client.target, back.target)?;
    mask_all(packet, tables, work)?;
    work.plan.set(own, Face::Source, Reason::Replied);
    work.plan.crc = work.walk.crc;
    Ok(())
}
