use super::init::Opening;
use super::parameters::{mask_all, rewrite_all, scan_all};
use super::{key, path};
use crate::{Face, Flow, FlowKey, Insert, Outcome, Packet, Reason, State, Tables, Work, apply};

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
    let key = key(&facts);
    let back = tables.flow(&key).ok_or(Reason::Inconsistent)?;
    let path = path(tables, &facts, &back).ok_or(Reason::Inconsistent)?;
    if back.reply == 0 {
        // A client answers nobody's INIT: to the endpoint it is out of the blue (RFC 9260 5.2.3).
        return Err(Reason::OutOfTheBlue);
    }
    facts.alive()?;
    let opening = Opening::read(packet, &facts)?;
    scan_all(packet, tables, work, &opening, 0)?;
    let own = tables.target(back.target.wrapping_add(path)).ok_or(Reason::Inconsistent)?;

    let forward = FlowKey::association(opening.tag, own.port, facts.destination_port);
    let pin = Flow {
        target: back.from,
        from: back.target,
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
        tables.replace_flow(&key, &Flow { tag: opening.tag, seen: pin.seen, state: pin.state, ..back });
    }
    rewrite_all(packet, tables, work, &opening, back.from, back.target)?;
    mask_all(packet, tables, work)?;
    work.plan.set(own, Face::Source, Reason::Replied, pin.seen);
    work.plan.crc = work.walk.crc;
    Ok(())
}
