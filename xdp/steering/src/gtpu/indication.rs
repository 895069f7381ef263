//! Error Indications (TS 29.281 7.3.1) that are answers of our own.

use super::{PORT, message};
use crate::answer::{is_answerable, turn};
use crate::{Facts, Outcome, Packet, Reason, Tables, Work, checksum, protocol};

/// Information elements (TS 29.281 8.1).
pub(super) mod ie {
    /// Recovery (8.2): its type and an octet.
    pub(in super::super) const RECOVERY: u8 = 14;
    /// Tunnel Endpoint Identifier Data I (8.3): its type and four octets.
    pub(in super::super) const TEID: u8 = 16;
    /// GTP-U Peer Address (8.4): its type, two octets of length, an address.
    pub(in super::super) const PEER: u8 = 133;
}

/// UDP header, GTP-U header with its optional fields, TEID, what is in front of the address.
const BEFORE: usize = 8 + 12 + 5 + 3;

/// Tells the sender of a user packet that nobody knows its tunnel.
#[inline(always)]
pub(crate) fn indicate<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    let facts = &work.facts;
    if !is_answerable(packet, facts) {
        return Outcome::drop(Reason::UnknownTunnel);
    }
    if !tables.may_err(tables.now()) {
        return Outcome::drop(Reason::ErrorLimited);
    }
    match answer(packet, facts) {
        Ok(()) => Outcome::transmit(Reason::IndicationAnswered),
        Err(reason) => Outcome::drop(reason),
    }
}

/// From the service to whom sent the packet, between the registered ports (4.4.2.3), with sequence number 0 (5.1).
#[inline(always)]
fn answer<P: Packet>(packet: &mut P, facts: &Facts) -> Result<(), Reason> {
    let at = facts.transport as usize;
    let size: u8 = if facts.v6 == 1 { 16 } else { 4 };
    let room = BEFORE + size as usize;
    turn(packet, facts, room)?;

    let ([a, b], length) = (PORT.to_be_bytes(), room as u8);
    let udp = [a, b, a, b, 0, length, 0, 0];
    let header = [0x32, message::ERROR_INDICATION, 0, length - 8 - 8, 0, 0, 0, 0, 0, 0, 0, 0];
    let [c, d, e, f] = facts.word.to_be_bytes();
    let elements = [ie::TEID, c, d, e, f, ie::PEER, 0, size];
    let done = packet
        .store(at, udp)
        .and_then(|()| packet.store(at + 8, header))
        .and_then(|()| packet.store(at + 20, elements))
        .and_then(|()| match facts.v6 {
            1 => packet.store(at + BEFORE, facts.destination.octets()),
            _ => packet.store(at + BEFORE, facts.destination.low()),
        });
    done.ok_or(Reason::Inconsistent)?;
    if facts.v6 != 1 {
        return Ok(());
    }
    // RFC 8200 8.1. The service's address is in it twice, and the length.
    let number = |bytes: [u8; 2]| u16::from_ne_bytes(bytes) as u64;
    let sum = facts.source.sum()
        + 2 * facts.destination.sum()
        + 2 * number([a, b])
        + 2 * number([0, length])
        + number([0, protocol::UDP])
        + number([0x32, message::ERROR_INDICATION])
        + number([0, length - 8 - 8])
        + number([ie::TEID, c])
        + number([d, e])
        + number([f, ie::PEER])
        + number([0, size]);
    let check = match (!checksum::fold(sum)).to_ne_bytes() {
        [0, 0] => [0xff, 0xff],
        check => check,
    };
    packet.store(at + 6, check).ok_or(Reason::Inconsistent)
}
