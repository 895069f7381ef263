//! The end of the common path: [`crate::apply`] for untagged IPv4 without options, to a next hop that is cached.
//!
//! What it rewrites it reads again: a word of the packet is as near as one of the stack, where the compiler would
//! keep it over each look-up.

use crate::apply::sctp_correction;
use crate::checksum::Delta;
use crate::{Address, Face, Facts, NextHop, Outcome, Packet, Plan, Rare, Reason, Step, Tables, Verdict};
use crate::{gtpu, hop, protocol};

const NETWORK: usize = 14;
const TRANSPORT: usize = NETWORK + 20;
const GENERAL: Step = Step::rare(Rare::General);

/// Carries a plan out where the next hop is cached and wants no VLAN tag; else nothing was stored yet, and the general
/// path does it all again: that the flow was seen is said twice, and is the same.
#[inline(always)]
pub(crate) fn apply_cached<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &Facts, plan: &Plan) -> Step {
    let crc = match facts.protocol {
        protocol::SCTP => match sctp_correction(packet, tables, facts, plan) {
            Ok(crc) => crc,
            Err(_) => return GENERAL,
        },
        _ => 0,
    };
    let towards = match plan.face {
        Face::Destination => plan.to.address.low(),
        Face::Source => match packet.load(NETWORK + 16) {
            Some(destination) => destination,
            None => return GENERAL,
        },
    };
    let towards = Address::v4(towards);
    let Some(hop) = hop::cached(tables, plan.now, plan.slot(&towards), &towards) else {
        return GENERAL;
    };
    let Some(length) = packet.be16(NETWORK + 2) else {
        return GENERAL;
    };
    if hop.vlan != 0 || length > hop.mtu {
        return GENERAL;
    }
    if rewrite(packet, facts.protocol, plan, crc, &hop).is_none() {
        return Step::drop(Reason::Inconsistent);
    }
    let verdict = if hop.ifindex == tables.ingress() { Verdict::Transmit } else { Verdict::Redirect };
    Step::done(Outcome { verdict, reason: plan.reason, out: hop.ifindex })
}

#[inline(always)]
fn rewrite<P: Packet>(packet: &mut P, protocol: u8, plan: &Plan, crc: u32, hop: &NextHop) -> Option<()> {
    let [a, b, c] = hop.header.map(u32::to_ne_bytes);
    packet.store(0, [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3]])?;

    let ends = match plan.face {
        Face::Destination => NETWORK + 16,
        Face::Source => NETWORK + 12,
    };
    let [ttl] = packet.load(NETWORK + 8)?;
    packet.store(NETWORK + 8, [ttl.wrapping_sub(1)])?;
    let old = u32::from_ne_bytes(packet.load(ends)?);
    packet.store(ends, plan.to.address.low())?;
    let delta = Delta::default().words(1, old as u64, plan.to.address.0[3] as u64);
    let check = delta.one_hop().apply(packet.load(NETWORK + 10)?);
    packet.store(NETWORK + 10, check)?;
    transport(packet, protocol, plan, delta, crc)
}

/// Writes the port, the TEID and the checksum.
#[inline(always)]
fn transport<P: Packet>(packet: &mut P, protocol: u8, plan: &Plan, addresses: Delta, crc: u32) -> Option<()> {
    let at = match plan.face {
        Face::Destination => TRANSPORT + 2,
        Face::Source => TRANSPORT,
    };
    let new = plan.to.port.to_be_bytes();
    if protocol == protocol::SCTP {
        // What changes is the port alone.
        if crc == 0 {
            return Some(());
        }
        packet.store(at, new)?;
        // Zero means that the ends agreed on none (RFC 9653).
        return match u32::from_le_bytes(packet.load(TRANSPORT + 8)?) {
            0 => Some(()),
            check => packet.store(TRANSPORT + 8, (check ^ crc).to_le_bytes()),
        };
    }
    let old = packet.load(at)?;
    let mut delta = addresses;
    if old != new {
        packet.store(at, new)?;
        delta = delta.lane(old, new);
    }
    if protocol == protocol::TCP {
        let check = delta.apply(packet.load(TRANSPORT + 16)?);
        return packet.store(TRANSPORT + 16, check);
    }
    if plan.teid != 0 {
        let (before, teid) = (packet.load(TRANSPORT + gtpu::TEID)?, plan.teid.to_be_bytes());
        delta = delta.words(1, u32::from_ne_bytes(before) as u64, u32::from_ne_bytes(teid) as u64);
        packet.store(TRANSPORT + gtpu::TEID, teid)?;
    }
    // Zero means none (RFC 768).
    match packet.load(TRANSPORT + 6)? {
        [0, 0] => Some(()),
        check => packet.store(
            TRANSPORT + 6,
            match delta.apply(check) {
                [0, 0] => [0xff, 0xff],
                check => check,
            },
        ),
    }
}
