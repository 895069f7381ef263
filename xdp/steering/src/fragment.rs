//! Fragments (RFC 791 3.2, RFC 8200 4.5) of UDP: those behind the first go where it went.

use crate::facts::refused;
use crate::{Face, Facts, Fragment, FragmentKey, Packet, Plan, Reason, Step, Tables, Work};

/// How many ticks the others may come after the first. A sender takes less than a millisecond for all of them, a
/// detour more; identifications of 16 bits come again soon.
const TICKS: u32 = 4;

/// Plans a fragment that is not the first.
#[inline(always)]
pub(crate) fn follow<P: Packet, T: Tables>(packet: &P, tables: &T, work: &mut Work) -> Step {
    let now = tables.now();
    let first = key(packet, &work.facts).and_then(|key| tables.fragment(&key));
    let Some(first) = first.filter(|first| now.wrapping_sub(first.seen) <= TICKS) else {
        work.walk.reason = Reason::FragmentUnseen;
        return Step::done(refused(tables, work));
    };
    let Some(target) = tables.target(first.target) else {
        return Step::drop(Reason::Inconsistent);
    };
    let face = if first.reply == 0 { Face::Destination } else { Face::Source };
    work.plan.set((first.target, target), face, Reason::Followed, now);
    Step::planned(Ok(()))
}

/// Has those behind the first fragment follow it; before anything is stored.
#[inline(always)]
pub(crate) fn lead<P: Packet, T: Tables>(packet: &P, tables: &T, facts: &Facts, plan: &Plan) {
    if let Some(key) = key(packet, facts) {
        let reply = plan.face as u8;
        tables.keep_fragment(&key, &Fragment { target: plan.index, seen: plan.now, reply, reserved: [0; 3] });
    }
}

#[inline(always)]
fn key<P: Packet>(packet: &P, facts: &Facts) -> Option<FragmentKey> {
    let at = facts.network as usize + facts.fragment as usize;
    let identification = if facts.v6 == 1 {
        u32::from_ne_bytes(packet.load(at)?)
    } else {
        u16::from_ne_bytes(packet.load(at)?) as u32
    };
    Some(FragmentKey { source: facts.source, destination: facts.destination, identification })
}
