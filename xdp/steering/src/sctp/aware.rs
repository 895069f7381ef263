//! Services whose user space listens: it gets copies of what carries NGAP.

use super::chunk;
use crate::{Facts, Flow, Heard, Packet, REACH, Tables, Target};

/// The payload protocol identifier of NGAP (TS 38.412 7).
const NGAP: u32 = 60;

/// The tick that an association is said to be seen in, which is `now` but where user space listens: there it is the one
/// before. The common path sends only what was seen in this tick, and so leaves these to the general one, which makes
/// copies; that somebody may listen costs nobody else an instruction.
#[inline(always)]
pub(super) const fn seen(target: &Target, now: u32) -> u32 {
    now.wrapping_sub(target.is_aware() as u32)
}

/// Gives user space a copy of an association's packet that carries NGAP, where it listens. `target` is what the packet is
/// rewritten to.
#[inline(always)]
pub(super) fn overhear<P: Packet, T: Tables>(packet: &P, tables: &T, facts: &Facts, flow: &Flow, target: &Target) {
    if !target.is_aware() || facts.ttl <= 1 || carries(packet, facts).is_none() {
        return;
    }
    let length = facts.end.wrapping_sub(facts.transport) as u16;
    let whose = Heard { length, service: flow.service, ..Heard::default() };
    let heard = if flow.reply == 0 {
        Heard {
            client: facts.source,
            endpoint: flow.target,
            server_tag: facts.word,
            client_tag: flow.tag,
            service_port: facts.destination_port(),
            client_port: facts.source_port(),
            ..whose
        }
    } else {
        Heard {
            client: facts.destination,
            endpoint: flow.from,
            server_tag: flow.tag,
            client_tag: facts.word,
            service_port: target.port,
            client_port: facts.destination_port(),
            reply: 1,
            ..whose
        }
    };
    let (length, reach) = (length as u32, (REACH as u32 + 1).wrapping_sub(facts.transport));
    tables.overhear(packet, facts.transport, if length < reach { length } else { reach }, &heard);
}

/// Something where the first chunk, or the second, is DATA of NGAP (RFC 9260 3.3.1): what comes before DATA in a packet is
/// nearly always nothing, or one SACK, COOKIE ECHO or COOKIE ACK.
#[inline(always)]
fn carries<P: Packet>(packet: &P, facts: &Facts) -> Option<()> {
    let first = facts.transport + 12;
    let at = if facts.kind == chunk::DATA {
        first
    } else {
        let length = packet.be16(first as usize + 2)? as u32;
        first + ((length + 3) & !3)
    };
    if at.wrapping_add(16) > facts.end || packet.byte(at as usize)? != chunk::DATA {
        return None;
    }
    (packet.be32(at as usize + 12)? == NGAP).then_some(())
}
