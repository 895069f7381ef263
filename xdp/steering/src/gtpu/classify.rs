//! Uplink classification (TS 23.501 5.6.4.2): filters over users' packets, asked in order, send some of a tunnel's
//! elsewhere.

use super::{inner, message};
use crate::checksum::Delta;
use crate::{
    Ask, FILTERS_MOST, Face, FilterKey, Outcome, Packet, Pin, PinKey, Rare, Reason, Round, Route, Step, Tables,
    Verdict, Work, hop,
};

/// Plans a packet of a tunnel that has filters: as the first that matches says, or as the tunnel's pin does.
#[inline(always)]
pub(crate) fn classify<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Step {
    if let Err(reason) = work.facts.alive() {
        return Step::drop(reason);
    }
    let (teid, kind) = (work.facts.word, work.facts.kind);
    let key = PinKey { address: work.facts.destination, teid };
    let Some(pin) = tables.pin(&key) else {
        return Step::drop(Reason::UnknownTunnel);
    };
    work.inner.matched = 0;
    if kind == message::G_PDU && inner::read(packet, tables, work).is_some() {
        work.inner.next = FilterKey::first(&key, pin.flags & Pin::SECOND != 0).at;
        packet.repeat(FILTERS_MOST, Round::Filter, tables, work);
    }
    let to = match work.inner.matched {
        0 => (pin.target.wrapping_add(pin.path as u32), pin.teid, Reason::Pinned),
        _ if work.inner.teid == 0 => (work.inner.target, 0, Reason::BrokenOut),
        _ => (work.inner.target, work.inner.teid, Reason::Branched),
    };
    let (index, new, reason) = to;
    let Some(target) = tables.target(index) else {
        return Step::drop(Reason::Inconsistent);
    };
    if reason == Reason::BrokenOut {
        // The next hop is not one that a tunnel's packets are rewritten to.
        work.plan.set((index, target), Face::Source, reason, tables.now());
        return Step::rare(Rare::BreakOut);
    }
    if target.address.is_v4() != key.address.is_v4() {
        return Step::drop(Reason::Inconsistent);
    }
    work.plan.set((index, target), Face::Destination, reason, tables.now());
    work.plan.teid = if new == teid { 0 } else { new };
    Step::planned(Ok(()))
}

/// Takes a user's packet out of its tunnel, and sends it to the plan's target as its next hop.
#[inline(always)]
pub(crate) fn break_out<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Outcome {
    let inner = &work.inner;
    // The rest of the datagram is somewhere else.
    if work.facts.fragment != 0 {
        return Outcome::drop(Reason::Fragment);
    }
    if inner.ttl <= 1 {
        return Outcome::drop(Reason::TtlExpired);
    }
    let next = work.plan.to.address;
    let ask = Ask {
        // The next hop may be of the other family.
        source: if inner.source.is_v4() == next.is_v4() { inner.source } else { next },
        destination: next,
        length: inner.length as u16,
        class: inner.class,
        protocol: inner.protocol,
        vlan: work.facts.vlan,
    };
    let out = match hop::find(tables, &work.facts, &work.plan, &ask, &mut work.hop) {
        Route::Via => strip(packet, work),
        // The kernel would send it where its destination is, and not here.
        Route::Stack => Err(Reason::Unresolved),
        Route::TooBig => Err(Reason::TooBig),
        Route::Nowhere => Err(Reason::NoRoute),
    };
    if let Err(reason) = out {
        return Outcome::drop(reason);
    }
    let out = work.hop.ifindex;
    let verdict = if out == tables.ingress() { Verdict::Transmit } else { Verdict::Redirect };
    Outcome { verdict, reason: Reason::BrokenOut, out }
}

/// Takes off all that is in front of the user's packet, and behind it; and writes a link header for the next hop.
#[inline(always)]
fn strip<P: Packet>(packet: &mut P, work: &Work) -> Result<(), Reason> {
    let (inner, hop) = (&work.inner, &work.hop);
    let link = if hop.vlan == 0 { 14 } else { 18 };
    let check =
        if inner.v6 == 1 { [0, 0] } else { packet.load(inner.at as usize + 10).ok_or(Reason::Inconsistent)? };
    let behind = packet.whole() as i32 - (inner.at + inner.length) as i32;
    if behind != 0 {
        packet.resize_tail(-behind).ok_or(Reason::NoHeadroom)?;
    }
    packet.shrink_front(inner.at as usize - link).ok_or(Reason::NoHeadroom)?;
    let [a, b, c] = hop.header.map(u32::to_ne_bytes);
    let header = [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3]];
    packet.store(0, header).ok_or(Reason::Inconsistent)?;
    if hop.vlan != 0 {
        let [a, b] = hop.vlan.to_be_bytes();
        packet.store(12, [0x81, 0x00, a, b]).ok_or(Reason::Inconsistent)?;
    }
    let kind = if inner.v6 == 1 { [0x86, 0xdd] } else { [0x08, 0x00] };
    packet.store(link - 2, kind).ok_or(Reason::Inconsistent)?;
    let ttl = inner.ttl.wrapping_sub(1);
    if inner.v6 == 1 {
        return packet.store(link + 7, [ttl]).ok_or(Reason::Inconsistent);
    }
    let words = [[inner.ttl, inner.protocol], [ttl, inner.protocol]].map(u16::from_be_bytes);
    let check = Delta::default().number(words[0], words[1]).apply(check);
    packet.store(link + 8, [ttl, inner.protocol, check[0], check[1]]).ok_or(Reason::Inconsistent)
}
