//! Tables that are full. These cases run on an engine of their own, with room for three flows.

use pinion_loader::Bounds;
use pinion_steering::{Reason, State};

use super::places::{A, C, D, S};
use super::{Case, Key, drops, to, towards, transmits};
use crate::packets::gtpu::Gtpu;
use crate::packets::sctp::init;
use crate::packets::{End, gtpu, sctp, udp};

/// The bounds of the engine.
pub const BOUNDS: Bounds = Bounds {
    flows: 3,
    flows6: 3,
    pins: 8,
    filters: 64,
    fragments: 1024,
    services: 256,
    sources: 128,
    targets: 512,
    maglev: 1 << 14,
};

/// The cases.
#[must_use]
pub fn cases() -> Vec<Case> {
    let first = udp((C, 40_000), (S, 5060), b"x");
    let second = first.clone().from(D, 40_000);
    let third = first.clone().from(D, 40_001);
    let one = |frame| transmits(Reason::Placed, &towards(frame, (A, 5060)));
    let amf: End = (S, 38412);
    let gnb = |port| sctp((C, port), amf, 0, &[init(7, &[])]);
    let opened = |frame| transmits(Reason::Placed, &towards(frame, (A, 38412)));
    let tunnel = |teid| gtpu((C, 2152), (S, 2152), &Gtpu::data(teid, b"ip"));
    let upf = super::places::U;
    let placed = |frame| transmits(Reason::Placed, &towards(frame, (upf, 2152)));
    let aborted = sctp((A, 38412), (C, 9001), 7, &[crate::packets::sctp::abort()]);
    let base = Case::new("base").send(&first, one(&first));
    vec![
        Case::new("full: a session of which only one direction fits is not pinned at all")
            .after(&base)
            .send(&second, drops(Reason::FlowsFull))
            .flows(2),
        Case::new("full: no direction fits")
            .after(&base)
            .send(&tunnel(1), placed(&tunnel(1)))
            .flows(3)
            .send(&third, drops(Reason::FlowsFull))
            .flows(3),
        Case::new("full: what is pinned goes on")
            .after(&base)
            .send(&tunnel(1), placed(&tunnel(1)))
            .send(&first, transmits(Reason::Pinned, &towards(&first, (A, 5060))))
            .send(&tunnel(1), transmits(Reason::Pinned, &towards(&tunnel(1), (upf, 2152))))
            .flow(Key::Tunnel("n3", 1), to("n3", "a", State::Established)),
        Case::new("full: a tunnel does not fit")
            .after(&base)
            .send(&tunnel(1), placed(&tunnel(1)))
            .send(&tunnel(2), drops(Reason::FlowsFull))
            .no_flow(Key::Tunnel("n3", 2)),
        Case::new("full: an INIT of which only one pin fits is not pinned at all")
            .after(&base)
            .send(&gnb(9001), drops(Reason::FlowsFull))
            .flows(2),
        Case::new("full: an INIT that would take over what has ended, but does not fit, leaves it as it was")
            .send(&gnb(9001), opened(&gnb(9001)))
            .send(&aborted, transmits(Reason::Replied, &super::replied(&aborted, amf)))
            .send(&tunnel(1), placed(&tunnel(1)))
            .send(&gnb(9001).from(D, 9001), drops(Reason::FlowsFull))
            .flow(Key::Reply("n2", "a", 9001, 7), super::own("n2", State::Closed))
            .flows(3),
        Case::new("full: an INIT ACK whose pin does not fit is dropped; the INIT's pins stay")
            .send(&gnb(9001), opened(&gnb(9001)))
            .flows(2)
            .send(&tunnel(1), placed(&tunnel(1)))
            .send(
                &sctp((A, 38412), (C, 9001), 7, &[crate::packets::sctp::init_ack(8, &[])]),
                drops(Reason::FlowsFull),
            )
            .no_flow(Key::Association("n2", 9001, 8))
            .flow(Key::Reply("n2", "a", 9001, 7), super::own("n2", State::Opening))
            .flows(3),
    ]
}
