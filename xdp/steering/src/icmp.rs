//! Errors that ICMP brings for packets of our sessions (RFC 792, RFC 4443 3.1, 3.4).

use crate::{Address, Facts, FlowKey, Outcome, Packet, Reason, Tables, Work, flow, gtpu, protocol, sctp};

/// Length of ICMP's header, and of ICMPv6's.
const HEADER: usize = 8;

/// Something could not be delivered. Where what it quotes went to an endpoint of ours, of a session that is known,
/// user space gets a copy.
#[inline(always)]
pub(crate) fn unreachable<P: Packet, T: Tables>(packet: &P, tables: &T, work: &mut Work) -> Outcome {
    let client = work.facts.destination;
    if says_so(packet, &work.facts) && quoted(packet, &mut work.facts).is_some() {
        let facts = &work.facts;
        // The error goes to who sent what it quotes.
        if facts.destination == client && is_pinned(packet, tables, facts) && tables.may_tell(tables.now()) {
            tables.punt(packet, Reason::NotOurs);
        }
    }
    Outcome::pass(Reason::NotOurs)
}

/// Whether it is the host or the protocol that does not take it: too big is no failure, and of ICMPv6's parameter
/// problems it is the unknown next header alone.
#[inline(always)]
fn says_so<P: Packet>(packet: &P, facts: &Facts) -> bool {
    let [kind, code] = packet.load::<2>(facts.transport as usize).unwrap_or_default();
    match kind {
        3 => code != 4,
        4 => code == 1,
        _ => true,
    }
}

/// Turns the facts to those of a reply to the quoted packet.
#[inline(always)]
fn quoted<P: Packet>(packet: &P, facts: &mut Facts) -> Option<()> {
    let at = facts.transport as usize + HEADER;
    if facts.v6 == 1 {
        let [version, _, _, _, _, _, next, _] = packet.load::<8>(at)?;
        if version >> 4 != 6 {
            return None;
        }
        facts.destination = Address::v6(packet.load(at + 8)?);
        facts.source = Address::v6(packet.load(at + 24)?);
        facts.protocol = next;
        facts.transport = (at + 40) as u32;
    } else {
        let header = packet.load::<20>(at)?;
        let length = ((header[0] & 0x0f) as usize) << 2;
        // Of what was cut in pieces only the first has ports.
        if header[0] >> 4 != 4 || length < 20 || u16::from_be_bytes([header[6], header[7]]) & 0x1fff != 0 {
            return None;
        }
        facts.destination = Address::v4([header[12], header[13], header[14], header[15]]);
        facts.source = Address::v4([header[16], header[17], header[18], header[19]]);
        facts.protocol = header[9];
        facts.transport = (at + length) as u32;
    }
    // At least so much is quoted (RFC 792).
    let [a, b, c, d, e, f, g, h] = packet.load::<8>(facts.transport as usize)?;
    facts.ports = u32::from_ne_bytes([c, d, a, b]);
    facts.word = u32::from_be_bytes([e, f, g, h]);
    Some(())
}

/// Whether the session is known: who was not on the packet's way cannot tell.
#[inline(always)]
fn is_pinned<P: Packet, T: Tables>(packet: &P, tables: &T, facts: &Facts) -> bool {
    match facts.protocol {
        protocol::UDP if facts.source_port() == gtpu::PORT => {
            tables.source(&gtpu::source_key(facts)).is_some() || replies(tables, &flow::key(facts))
        }
        protocol::UDP | protocol::TCP => replies(tables, &flow::key(facts)),
        protocol::SCTP if facts.word == 0 => {
            // An INIT: its own tag is that of the replies.
            let tag = packet.load::<4>(facts.transport as usize + 16).map_or(0, u32::from_be_bytes);
            replies(tables, &FlowKey::association(tag, facts.destination_port(), facts.source_port()))
        }
        protocol::SCTP => sctp::reflected(tables, facts).is_some(),
        _ => false,
    }
}

#[inline(always)]
fn replies<T: Tables>(tables: &T, key: &FlowKey) -> bool {
    tables.flow(key).is_some_and(|flow| flow.reply != 0)
}
