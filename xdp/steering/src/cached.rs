//! The end of the common path: [`crate::apply`] for untagged IPv4 without options, to a next hop that is cached.
//!
//! What it rewrites it reads again: a word of the packet is as near as one of the stack, where the compiler would
//! keep it over each look-up.

use crate::apply::ports_correction;
use crate::checksum::Delta;
use crate::next::Request;
use crate::{Address, Face, Facts, NextHop, Outcome, Packet, Plan, Rare, Reason, Step, Tables, Verdict};
use crate::{gtpu, hop, protocol};

const NETWORK: usize = 14;
const TRANSPORT: usize = NETWORK + 20;
/// Offset of the source address.
pub(crate) const SOURCE: usize = NETWORK + 12;

/// Nothing was stored yet, and the general path does it all again: that the flow was seen is said twice, and is the
/// same.
pub(crate) const GENERAL: Step = Step::rare(Rare::General);

/// What is written into a packet.
struct Change {
    face: Face,
    /// As it lies there.
    address: u32,
    /// As it lies there.
    port: [u8; 2],
    /// Zero where it stays.
    teid: u32,
    /// SCTP: XORed into the checksum where the port changes; else zero.
    crc: u32,
}

impl Change {
    #[inline(always)]
    const fn to(hop: &NextHop) -> Self {
        let port = hop.port.to_ne_bytes();
        Self { face: Face::Destination, address: hop.destination.0[3], port, teid: 0, crc: 0 }
    }

    #[inline(always)]
    const fn reason(&self) -> Reason {
        match self.face {
            Face::Destination => Reason::Pinned,
            Face::Source => Reason::Replied,
        }
    }
}

/// Sends a request, where its target's next hop is cached.
#[inline(always)]
pub(crate) fn to_target<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &Facts, to: Request) -> Step {
    match hop::of_target(tables, to.now, to.index) {
        Some(hop) => send(packet, tables, facts, &Change { teid: to.teid, ..Change::to(&hop) }, &hop),
        None => GENERAL,
    }
}

/// Sends a request of an association by the next hop of its target.
#[inline(always)]
pub(crate) fn associated<P: Packet, T: Tables>(
    packet: &mut P,
    tables: &T,
    facts: &Facts,
    crc: u32,
    hop: &NextHop,
) -> Step {
    send(packet, tables, facts, &Change { crc, ..Change::to(hop) }, hop)
}

/// Sends a reply as it was planned, where its client's next hop is cached.
#[inline(always)]
pub(crate) fn reply<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &Facts, plan: &Plan) -> Step {
    let port = plan.to.port.to_be_bytes();
    // Before the next hop is looked up: it would be kept on the stack meanwhile.
    let crc = match facts.protocol {
        protocol::SCTP => match ports_correction(tables, facts, Face::Source, port) {
            Ok(crc) => crc,
            Err(_) => return GENERAL,
        },
        _ => 0,
    };
    let Some(client) = packet.load(NETWORK + 16) else {
        return GENERAL;
    };
    let client = Address::v4(client);
    let Some(hop) = hop::cached(tables, plan.now, hop::slot(&client), &client) else {
        return GENERAL;
    };
    let change = Change { face: Face::Source, address: plan.to.address.0[3], port, teid: 0, crc };
    send(packet, tables, facts, &change, &hop)
}

/// Rewrites and sends, where the next hop wants no VLAN tag.
#[inline(always)]
fn send<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &Facts, change: &Change, hop: &NextHop) -> Step {
    let Some(length) = packet.be16(NETWORK + 2) else {
        return GENERAL;
    };
    if hop.vlan != 0 || length > hop.mtu {
        return GENERAL;
    }
    let (reason, verdict) = match rewrite(packet, facts.protocol, change, hop) {
        None => (Reason::Inconsistent, Verdict::Drop),
        Some(()) if hop.ifindex == tables.ingress() => (change.reason(), Verdict::Transmit),
        Some(()) => (change.reason(), Verdict::Redirect),
    };
    tables.count(reason);
    Step::done(Outcome { verdict, reason, out: hop.ifindex })
}

#[inline(always)]
fn rewrite<P: Packet>(packet: &mut P, protocol: u8, change: &Change, hop: &NextHop) -> Option<()> {
    let [a, b, c] = hop.header.map(u32::to_ne_bytes);
    packet.store(0, [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3]])?;

    let end = match change.face {
        Face::Destination => NETWORK + 16,
        Face::Source => SOURCE,
    };
    let [ttl] = packet.load(NETWORK + 8)?;
    packet.store(NETWORK + 8, [ttl.wrapping_sub(1)])?;
    let old = u32::from_ne_bytes(packet.load(end)?);
    packet.store(end, change.address.to_ne_bytes())?;
    let delta = Delta::default().word(old, change.address);
    let check = delta.one_hop().apply(packet.load(NETWORK + 10)?);
    packet.store(NETWORK + 10, check)?;
    transport(packet, protocol, change, delta)
}

/// Writes the port, the TEID and the checksum.
#[inline(always)]
fn transport<P: Packet>(packet: &mut P, protocol: u8, change: &Change, addresses: Delta) -> Option<()> {
    let at = match change.face {
        Face::Destination => TRANSPORT + 2,
        Face::Source => TRANSPORT,
    };
    let new = change.port;
    if protocol == protocol::SCTP {
        // What changes is the port alone.
        if change.crc == 0 {
            return Some(());
        }
        packet.store(at, new)?;
        // Zero means that the ends agreed on none (RFC 9653).
        return match u32::from_le_bytes(packet.load(TRANSPORT + 8)?) {
            0 => Some(()),
            check => packet.store(TRANSPORT + 8, (check ^ change.crc).to_le_bytes()),
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
    if change.teid != 0 {
        let (before, teid) = (packet.load(TRANSPORT + gtpu::TEID)?, change.teid.to_be_bytes());
        delta = delta.word(u32::from_ne_bytes(before), u32::from_ne_bytes(teid));
        packet.store(TRANSPORT + gtpu::TEID, teid)?;
    }
    // Zero means none (RFC 768).
    match packet.load(TRANSPORT + 6)? {
        [0, 0] => Some(()),
        check => packet.store(TRANSPORT + 6, delta.apply_udp(check)),
    }
}
