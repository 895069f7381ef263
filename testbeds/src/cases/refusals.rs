//! What an endpoint refuses, and who says that it cannot be reached: what user space gets a copy of, and what not.

use std::net::IpAddr;

use pinion_steering::{Reason, TOLD_MOST};

use super::places::{A, A6, B, C, C6, S, S6, U, X};
use super::rejects::{SEQUENCE, reset};
use super::{Act, Case, Expect, passes, replied, towards, transmits};
use crate::packets::gtpu::Gtpu;
use crate::packets::icmp::{port_unreachable, unreachable};
use crate::packets::sctp::{abort, cookie, init, init_ack};
use crate::packets::{End, Frame, gtpu, sctp, tcp, udp};

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

const PHONE: End = (C, 40_000);
const PHONE6: End = (C6, 40_000);
const GNB: End = (C, 9487);
const CT: u32 = 0xc11e_0001;
const ST: u32 = 0x5e5e_0001;

pub(super) fn cases() -> Vec<Case> {
    [resets(), aborts(), errors(), strangers()].concat()
}

fn placed(frame: &Frame, endpoint: End) -> Expect {
    transmits(Reason::Placed, &towards(frame, endpoint))
}

fn comes_back(frame: &Frame, service: End) -> Expect {
    transmits(Reason::Replied, &replied(frame, service))
}

fn syn() -> Case {
    let syn = tcp(PHONE, (S, 443), SYN, b"");
    Case::new("").send(&syn, placed(&syn, (A, 8443)))
}

fn resets() -> Vec<Case> {
    let rst = |sequence, flags| reset((A, 8443), PHONE, sequence, SEQUENCE + 1, flags);
    let out = |sequence, flags| comes_back(&reset((S, 443), PHONE, sequence, SEQUENCE + 1, flags), (S, 443));
    let syn6 = tcp(PHONE6, (S6, 443), SYN, b"");
    let out6 = reset((S6, 443), PHONE6, 0, SEQUENCE + 1, RST | ACK);
    let web = |flags| tcp((A, 8443), PHONE, flags, b"");
    let quiet = |name, frame: &Frame, expect| Case::new(name).after(&syn()).send(frame, expect).act(Act::Unheard);
    vec![
        Case::new("refusals: a RST for a SYN reaches the client, and user space gets a copy")
            .after(&syn())
            .send(&rst(0, RST | ACK), out(0, RST | ACK))
            .act(Act::Punted(Reason::Replied)),
        Case::new("refusals: a RST for a SYN, tagged")
            .after(&syn())
            .send(&rst(0, RST | ACK).vlan(9), out(0, RST | ACK))
            .act(Act::Punted(Reason::Replied)),
        Case::new("refusals: a RST for a SYN over IPv6")
            .send(&syn6, placed(&syn6, (A6, 8443)))
            .send(&reset((A6, 8443), PHONE6, 0, SEQUENCE + 1, RST | ACK), comes_back(&out6, (S6, 443)))
            .act(Act::Punted(Reason::Replied)),
        quiet("refusals: a RST that breaks a handshake off has a number of its own", &rst(77, RST), out(77, RST)),
        quiet("refusals: a RST without ACK answers no SYN", &rst(0, RST), out(0, RST)),
        Case::new("refusals: a RST amid a connection is none")
            .after(&syn())
            .send(&web(SYN | ACK), comes_back(&web(SYN | ACK), (S, 443)))
            .send(&web(ACK), comes_back(&web(ACK), (S, 443)))
            .send(&rst(0, RST | ACK), out(0, RST | ACK))
            .act(Act::Unheard),
    ]
}

fn first_init() -> Case {
    let first = sctp(GNB, (S, 38415), 0, &[init(CT, &[])]);
    Case::new("").send(&first, placed(&first, (A, 38415)))
}

fn aborts() -> Vec<Case> {
    let answer = |chunk| sctp((A, 38415), GNB, CT, &[chunk]);
    let out = |chunk| comes_back(&answer(chunk), (S, 38415));
    let taken = || init_ack(ST, &[cookie(20)]);
    vec![
        Case::new("refusals: an ABORT for an INIT reaches the client, and user space gets a copy")
            .after(&first_init())
            .send(&answer(abort()), out(abort()))
            .act(Act::Punted(Reason::Replied)),
        Case::new("refusals: an ABORT after an INIT ACK is none")
            .after(&first_init())
            .send(&answer(taken()), out(taken()))
            .send(&answer(abort()), out(abort()))
            .act(Act::Unheard),
    ]
}

/// The error about a frame that was sent on to an endpoint, after a case.
fn told(name: &'static str, before: &Case, error: &Frame) -> Case {
    Case::new(name).after(before).send(error, passes(Reason::NotOurs)).act(Act::Punted(Reason::NotOurs))
}

/// The same of an error that tells user space nothing.
fn unheard(name: &'static str, before: &Case, error: &Frame) -> Case {
    Case::new(name).after(before).send(error, passes(Reason::NotOurs)).act(Act::Unheard)
}

fn call() -> Case {
    let hello = udp(PHONE, (S, 5060), b"REGISTER");
    Case::new("").send(&hello, placed(&hello, (A, 5060)))
}

fn errors() -> Vec<Case> {
    let sent = udp(PHONE, (A, 5060), b"REGISTER");
    let hello6 = udp(PHONE6, (S6, 5060), b"REGISTER");
    let call6 = Case::new("").send(&hello6, placed(&hello6, (A6, 5060)));
    let sent6 = udp(PHONE6, (A6, 5060), b"REGISTER");
    let syn_out = tcp(PHONE, (A, 8443), SYN, b"");
    let first = sctp(GNB, (A, 38415), 0, &[init(CT, &[])]);
    let tunnel = gtpu((C, 2152), (U, 2152), &Gtpu::data(7, b"ip"));
    let by = |router, error: Frame| error.ip(|ip| ip.from = router);
    let error = port_unreachable(&sent);
    let heard = |case: Case| case.send(&error, passes(Reason::NotOurs)).act(Act::Punted(Reason::NotOurs));
    let limited = (0..TOLD_MOST).fold(
        Case::new("refusals: user space hears of no more than so many in a tick").act(Act::Wait(7)).after(&call()),
        |case, _| heard(case),
    );
    vec![
        heard(limited.send(&error, passes(Reason::NotOurs)).act(Act::Unheard).act(Act::Wait(1))),
        told("refusals: port unreachable for a datagram", &call(), &port_unreachable(&sent)),
        told("refusals: port unreachable, with tags", &call(), &port_unreachable(&sent).qinq(1, 2)),
        told("refusals: host unreachable comes from a router", &call(), &by(X, unreachable(&sent, (3, 1)))),
        told("refusals: what is quoted had options", &call(), &port_unreachable(&sent.clone().options(&[1; 8]))),
        told("refusals: port unreachable for a SYN", &syn(), &port_unreachable(&syn_out)),
        told("refusals: protocol unreachable for an INIT", &first_init(), &unreachable(&first, (3, 2))),
        told("refusals: port unreachable for a tunnel", &Case::new(""), &port_unreachable(&tunnel)),
        told("refusals: IPv6, port unreachable", &call6, &port_unreachable(&sent6)),
        told("refusals: IPv6, address unreachable", &call6, &unreachable(&sent6, (1, 3))),
        told("refusals: IPv6, unrecognized next header", &call6, &unreachable(&sent6, (4, 1))),
        unheard("refusals: fragmentation needed is no failure", &call(), &unreachable(&sent, (3, 4))),
        unheard("refusals: IPv6, an erroneous header is no failure", &call6, &unreachable(&sent6, (4, 0))),
    ]
}

fn strangers() -> Vec<Case> {
    let sent = |from: End, to: End| udp(from, to, b"REGISTER");
    let not_ours = |name, frame: &Frame| unheard(name, &call(), frame);
    let to_another = port_unreachable(&sent(PHONE, (A, 5060))).ip(|ip| ip.to = IpAddr::from([192, 0, 2, 99]));
    let cut = port_unreachable(&sent(PHONE, (A, 5060)));
    vec![
        not_ours("refusals: an error about no session of ours", &port_unreachable(&sent((C, 40_001), (A, 5060)))),
        not_ours("refusals: an error about another endpoint", &port_unreachable(&sent(PHONE, (B, 5060)))),
        not_ours("refusals: an error about what we never sent", &port_unreachable(&sent((A, 5060), PHONE))),
        not_ours("refusals: an error that goes to another than who sent", &to_another),
        not_ours(
            "refusals: an error about an association with a wrong tag",
            &unreachable(&sctp(GNB, (A, 38412), ST, &[abort()]), (3, 2)),
        ),
        not_ours("refusals: time exceeded", &unreachable(&sent(PHONE, (A, 5060)), (11, 0))),
        not_ours("refusals: an error that quotes too little", &short(&cut)),
    ]
}

/// The error with so little quoted that there are no ports.
fn short(error: &Frame) -> Frame {
    use crate::packets::transport::Payload;
    error.clone().ip(|ip| {
        if let Payload::Raw(_, bytes) = &mut ip.payload {
            bytes.truncate(8 + 20 + 3);
        }
    })
}
