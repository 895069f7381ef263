//! Where new sessions go, by the service's placement. Endpoints a and b take sessions alike, or three to one.
//!
//! Whose turn it is outlives a case: each of them takes as many turns as make whole rounds.

use pinion_steering::{Reason, State};

use super::places::{A, B, C, C1, D, S, S_TURNS, Y, Z, services};
use super::{Act, Case, Key, own, replied, to, towards, transmits};
use crate::packets::gtpu::Gtpu;
use crate::packets::sctp::{address, init};
use crate::packets::{End, Frame, gtpu, sctp, tcp, udp};

const SYN: u8 = 2;

fn placed(frame: &Frame, endpoint: End) -> super::Expect {
    transmits(Reason::Placed, &towards(frame, endpoint))
}

/// Sessions of one client, one by one to these endpoints.
fn each(name: &'static str, frame: impl Fn(u16) -> Frame, port: u16, endpoints: &[std::net::IpAddr]) -> Case {
    (0..).zip(endpoints).fold(Case::new(name), |case, (number, endpoint)| {
        let frame = frame(40_000 + number);
        case.send(&frame, placed(&frame, (*endpoint, port)))
    })
}

pub(super) fn cases() -> Vec<Case> {
    [in_turn(), fewest(), near()].concat()
}

fn in_turn() -> Vec<Case> {
    let to_turns = |port| udp((C, port), (S, 5081), b"x");
    let to_turns3 = |port| udp((C, port), (S, 5082), b"x");
    let tunnel = |teid| gtpu((C, 2152), (S_TURNS, 2152), &Gtpu::data(teid, b"ip"));
    let again = to_turns(40_001);
    vec![
        each("in turn: a, b, a, b", to_turns, 5081, &[A, B, A, B])
            .sessions("turns", "a", 2)
            .sessions("turns", "b", 2),
        each("in turn, three to one: interleaved", to_turns3, 5082, &[A, A, B, A, A, A, B, A])
            .sessions("turns3", "a", 6)
            .sessions("turns3", "b", 2),
        each("in turn: a session stays where it is, and takes no turn", to_turns, 5081, &[A, B])
            .send(&again, transmits(Reason::Pinned, &towards(&again, (B, 5081))))
            .send(&to_turns(40_009), placed(&to_turns(40_009), (A, 5081)))
            .send(&to_turns(40_010), placed(&to_turns(40_010), (B, 5081))),
        Case::new("in turn: tunnels")
            .send(&tunnel(1), placed(&tunnel(1), (Y, 2152)))
            .send(&tunnel(2), placed(&tunnel(2), (Z, 2152)))
            .send(&tunnel(1), transmits(Reason::Pinned, &towards(&tunnel(1), (Y, 2152))))
            .sessions("turns-n3", "a", 1)
            .sessions("turns-n3", "b", 1),
    ]
}

fn fewest() -> Vec<Case> {
    let to_fewest = |port| tcp((C, port), (S, 5083), SYN, b"");
    let to_fewest3 = |port| udp((C, port), (S, 5084), b"x");
    let gnb = |port| sctp((C, port), (S, 5085), 0, &[init(u32::from(port), &[])]);
    let ended = |port| Key::Tuple((S, 5083), (C, port), 6);
    let held = Case::new("held")
        .act(Act::PutFlow(ended(1), to("fewest", "a", State::Established)))
        .act(Act::PutFlow(ended(2), to("fewest", "a", State::Established)));
    vec![
        each("fewest sessions: of equals the first, then the other", to_fewest, 5083, &[A, B, A, B])
            .sessions("fewest", "a", 2)
            .sessions("fewest", "b", 2),
        each("fewest sessions: three to one by weight", to_fewest3, 5084, &[A, A, A, B, A, A, A, B])
            .sessions("fewest3", "a", 6)
            .sessions("fewest3", "b", 2),
        each("fewest sessions: what was restored counts", to_fewest, 5083, &[B, B, A, B])
            .after(&held)
            .sessions("fewest", "a", 3)
            .sessions("fewest", "b", 3),
        each("fewest sessions: what has ended counts no more", to_fewest, 5083, &[A, B, A, B])
            .act(Act::RemoveFlow(ended(40_001)))
            .act(Act::RemoveFlow(ended(40_003)))
            .sessions("fewest", "b", 0)
            .send(&to_fewest(50_000), placed(&to_fewest(50_000), (B, 5083)))
            .send(&to_fewest(50_001), placed(&to_fewest(50_001), (B, 5083))),
        each("fewest sessions: associations", gnb, 5085, &[A, B, A]).sessions("fewest-n2", "a", 2).sessions(
            "fewest-n2",
            "b",
            1,
        ),
        Case::new("fewest sessions: an INIT that comes again counts once")
            .send(&gnb(7), placed(&gnb(7), (A, 5085)))
            .send(&gnb(7), transmits(Reason::Pinned, &towards(&gnb(7), (A, 5085))))
            .sessions("fewest-n2", "a", 1),
        Case::new("fewest sessions: an association that must move takes its count along")
            .send(&gnb(7), placed(&gnb(7), (A, 5085)))
            .act(Act::Reload(super::reload::failed()))
            .send(&gnb(7), placed(&gnb(7), (B, 5085)))
            .sessions("fewest-n2", "a", 0)
            .sessions("fewest-n2", "b", 1),
        Case::new("fewest sessions: a reply's pin is no session")
            .send(&to_fewest(40_000), placed(&to_fewest(40_000), (A, 5083)))
            .flow(Key::Tuple((C, 40_000), (A, 5083), 6), own("fewest", State::Opening))
            .send(&tcp((A, 5083), (C, 40_000), 18, b""), {
                transmits(Reason::Replied, &replied(&tcp((A, 5083), (C, 40_000), 18, b""), (S, 5083)))
            })
            .act(Act::RemoveFlow(Key::Tuple((C, 40_000), (A, 5083), 6)))
            .sessions("fewest", "a", 1),
        Case::new("fewest sessions: counts outlive a reload")
            .send(&to_fewest(40_000), placed(&to_fewest(40_000), (A, 5083)))
            .act(Act::Reload(services()))
            .sessions("fewest", "a", 1)
            .send(&to_fewest(40_001), placed(&to_fewest(40_001), (B, 5083))),
    ]
}

fn near() -> Vec<Case> {
    let from = |address, port| udp((address, port), (S, 5086), b"x");
    let gnb = |port, addresses: &[_]| {
        let listed: Vec<_> = addresses.iter().map(|listed| address(*listed)).collect();
        sctp((C, port), (S, 5087), 0, &[init(u32::from(port), &listed)])
    };
    // Which of the two a client gets is the hash's affair; that all its sessions get the same is the promise.
    let (to_c, to_d) = (NEAR_C, NEAR_D);
    let client =
        (0..12).fold(Case::new("source affinity: all sessions of a client go to one endpoint"), |case, n| {
            let (c, d) = (from(C, 40_000 + n), from(D, 40_000 + 7 * n));
            case.send(&c, placed(&c, (to_c, 5086))).send(&d, placed(&d, (to_d, 5086)))
        });
    let associations = [9000, 9001, 9002, 9003];
    let listed = associations
        .iter()
        .fold(Case::new("source affinity: associations of a client, by all its addresses"), |case, port| {
            case.send(&gnb(*port, &[C, C1]), placed(&gnb(*port, &[C, C1]), (NEAR_GNB, 5087)))
        });
    vec![client, listed]
}

const NEAR_C: std::net::IpAddr = B;
const NEAR_D: std::net::IpAddr = A;
const NEAR_GNB: std::net::IpAddr = B;
