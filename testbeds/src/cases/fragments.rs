//! Fragments: the first is steered, the others follow.

use std::net::IpAddr;

use pinion_steering::Reason;

use super::places::{A, A6, C, C6, D, S, S_DROP, S_INDICATE, S6, U, U6, V, X, X6};
use super::{Act, Case, Expect, Tunnel, drops, passes, replied, towards, transmits};
use crate::packets::fragment::pieces;
use crate::packets::gtpu::Gtpu;
use crate::packets::ip::{DESTINATION, HOP_BY_HOP, PADN};
use crate::packets::transport::{Payload, Sum};
use crate::packets::{End, Frame, gtpu, packet, sctp, tcp, udp};

const GNB: End = (C, 2152);
const PHONE: End = (C, 40_000);
/// How many ticks the others follow for.
const TICKS: u32 = 4;

pub(super) fn cases() -> Vec<Case> {
    [followed(), endings(), unseen(), refused()].concat()
}

fn teach(address: IpAddr, service: &'static str, endpoint: &'static str) -> Act {
    Act::Pin(Tunnel { address, teid: 7, service, endpoint, owned: 0x0102_0304, path: 0 })
}

fn uplink(teid: u32) -> Frame {
    gtpu(GNB, (S, 2152), &Gtpu::data(teid, &[0x5a; 2000]))
}

/// The pieces of `sent` leave as those of `left`: the first for `reason`, the others because they follow.
fn goes(case: Case, reason: Reason, identification: u32, sent: &Frame, left: &Frame) -> Case {
    let both = pieces(sent, identification, 800).into_iter().zip(pieces(left, identification, 800));
    both.enumerate().fold(case, |case, (number, (sent, left))| {
        case.send(&sent, transmits(if number == 0 { reason } else { Reason::Followed }, &left))
    })
}

/// The same is expected of each frame.
fn all(case: Case, frames: &[Frame], expect: &Expect) -> Case {
    frames.iter().fold(case, |case, frame| case.send(frame, expect.clone()))
}

fn followed() -> Vec<Case> {
    let six = |teid| gtpu((C6, 2152), (S6, 2152), &Gtpu::data(teid, &[0x5a; 2000]));
    let taught = |name| Case::new(name).act(teach(S, "n3", "b"));
    let taught6 = |name| Case::new(name).act(teach(S6, "n36", "a"));
    let out = |change: fn(Frame) -> Frame| towards(&change(uplink(0x0102_0304)), (V, 2152));
    let out6 = |change: fn(Frame) -> Frame| towards(&change(six(0x0102_0304)), (U6, 2152));
    let down = gtpu((U, 2152), GNB, &Gtpu::data(0x99, &[0xa5; 2000]));
    let down6 = gtpu((U6, 2152), (C6, 2152), &Gtpu::data(0x99, &[0xa5; 2000]));
    let call = udp(PHONE, (S, 5060), &[0x61; 2000]);
    let call6 = udp((C6, 40_000), (S6, 5060), &[0x61; 2000]);
    let back = udp((A, 5060), PHONE, &[0x62; 2000]);
    let (pinned, placed, replies) = (Reason::Pinned, Reason::Placed, Reason::Replied);
    vec![
        goes(taught("fragments: of a taught tunnel, its TEID translated"), pinned, 1, &uplink(7), &out(|it| it)),
        goes(
            taught("fragments: without checksum"),
            pinned,
            2,
            &uplink(7).sum(Sum::Zero),
            &out(|it| it.sum(Sum::Zero)),
        ),
        goes(
            taught("fragments: with tags and IPv4 options"),
            pinned,
            3,
            &uplink(7).options(&[1; 8]).vlan(5),
            &out(|it| it.options(&[1; 8])),
        ),
        goes(taught6("fragments: IPv6, of a taught tunnel"), pinned, 4, &six(7), &out6(|it| it)),
        goes(
            taught6("fragments: IPv6, behind hop-by-hop options"),
            pinned,
            5,
            &six(7).extension(HOP_BY_HOP, &PADN),
            &out6(|it| it.extension(HOP_BY_HOP, &PADN)),
        ),
        goes(
            taught6("fragments: IPv6, options are cut too"),
            pinned,
            6,
            &optional(&six(7)),
            &optional(&out6(|it| it)),
        ),
        goes(
            Case::new("fragments: of an untaught tunnel"),
            placed,
            7,
            &uplink(7),
            &towards(&uplink(7), (U, 2152)),
        )
        .flows(1),
        goes(Case::new("fragments: downlink"), replies, 8, &down, &replied(&down, (S, 2152))),
        goes(Case::new("fragments: downlink, IPv6"), replies, 9, &down6, &replied(&down6, (S6, 2152))),
        goes(
            goes(Case::new("fragments: of a UDP flow"), placed, 10, &call, &towards(&call, (A, 5060))).flows(2),
            replies,
            10,
            &back,
            &replied(&back, (S, 5060)),
        ),
        goes(Case::new("fragments: of a UDP flow, IPv6"), placed, 11, &call6, &towards(&call6, (A6, 5060))),
    ]
}

/// The same with destination options behind what every piece has.
fn optional(frame: &Frame) -> Frame {
    frame.clone().ip(|ip| {
        let udp = ip.payload.bytes(ip.from, ip.to);
        ip.payload = Payload::Raw(DESTINATION, [&[17][..], &PADN, &udp].concat());
    })
}

/// First, second and last of a taught tunnel's datagram, as they come and as they leave.
fn three(identification: u32) -> [[Frame; 2]; 3] {
    let out = towards(&uplink(0x0102_0304), (V, 2152));
    let (mut sent, mut left) =
        (pieces(&uplink(7), identification, 800).into_iter(), pieces(&out, identification, 800).into_iter());
    std::array::from_fn(|_| [sent.next().unwrap_or_else(|| uplink(7)), left.next().unwrap_or_else(|| uplink(7))])
}

fn endings() -> Vec<Case> {
    let begun = |name, identification| {
        let [[sent, left], others @ ..] = three(identification);
        (Case::new(name).act(teach(S, "n3", "b")).send(&sent, transmits(Reason::Pinned, &left)), others)
    };
    let follows = |[sent, left]: &[Frame; 2]| (sent.clone(), transmits(Reason::Followed, left));
    let (in_time, [second, _]) = begun("fragments: the others may come a little later", 20);
    let (late, [too_late, _]) = begun("fragments: not much later", 21);
    let (turned, [middle, last]) = begun("fragments: the others may come in any order, and twice", 22);
    let (other, [elsewhere, _]) = begun("fragments: each datagram by itself", 23);
    let (ends, [spent, _]) = begun("fragments: the hop count of one may end", 24);
    let (sent, expected) = follows(&second);
    let (first, then) = (follows(&last), follows(&middle));
    let another = |change: fn(Frame) -> Frame| change(elsewhere[0].clone());
    vec![
        in_time.act(Act::Wait(TICKS)).send(&sent, expected),
        late.act(Act::Wait(TICKS + 1)).send(&too_late[0], drops(Reason::FragmentUnseen)),
        turned.send(&first.0, first.1.clone()).send(&then.0, then.1).send(&first.0, first.1.clone()),
        other
            .send(&another(|frame| frame.ip(|ip| ip.id = 9)), drops(Reason::FragmentUnseen))
            .send(&another(|frame| frame.ip(|ip| ip.from = D)), drops(Reason::FragmentUnseen))
            .send(&another(|frame| frame.ip(|ip| ip.to = S_DROP)), drops(Reason::FragmentUnseen)),
        ends.send(&spent[0].clone().ttl(1), drops(Reason::TtlExpired)),
    ]
}

fn unseen() -> Vec<Case> {
    let [[first, left], [second, then], _] = three(30);
    let [[dying, _], [after, _], _] = three(31);
    let down = pieces(&gtpu((U, 2152), GNB, &Gtpu::data(0x99, &[0xa5; 2000])), 32, 800);
    let dropped = pieces(&uplink(1).to(S_DROP, 2152), 33, 800);
    let six = pieces(&gtpu((C6, 2152), (S6, 2152), &Gtpu::data(1, &[0x5a; 2000])), 34, 800);
    let strange = pieces(&udp(PHONE, (X, 5060), &[1; 2000]), 35, 800);
    let strange6 = pieces(&udp((C6, 40_000), (X6, 5060), &[1; 2000]), 36, 800);
    let taught = |name| Case::new(name).act(teach(S, "n3", "b"));
    let (first_dropped, then_dropped) = dropped.split_at(1);
    vec![
        taught("fragments: before the first they are dropped")
            .send(&second, drops(Reason::FragmentUnseen))
            .send(&first, transmits(Reason::Pinned, &left))
            .send(&second, transmits(Reason::Followed, &then)),
        taught("fragments: of a first one that went nowhere")
            .send(&dying.ttl(1), drops(Reason::TtlExpired))
            .send(&after, drops(Reason::FragmentUnseen)),
        all(
            all(Case::new("fragments: of a tunnel that is dropped"), first_dropped, &drops(Reason::UnknownTunnel)),
            then_dropped,
            &drops(Reason::FragmentUnseen),
        ),
        all(Case::new("fragments: IPv6, before the first"), six.split_at(1).1, &drops(Reason::FragmentUnseen)),
        all(Case::new("fragments: downlink, before the first"), down.split_at(1).1, &passes(Reason::NotOurs)),
        all(Case::new("fragments: to somebody else"), &strange, &passes(Reason::NotOurs)),
        all(Case::new("fragments: IPv6, to somebody else"), &strange6, &passes(Reason::NotOurs)),
    ]
}

fn refused() -> Vec<Case> {
    let each = |name, frame: &Frame, identification, size, reason| {
        all(Case::new(name), &pieces(frame, identification, size), &drops(reason)).flows(0)
    };
    let first = |frame: &Frame, identification, size| pieces(frame, identification, size).swap_remove(0);
    let lies = |length| uplink(7).udp(|udp| udp.length = Some(length));
    let echo = gtpu(GNB, (S, 2152), &Gtpu { data: vec![0; 2000], ..Gtpu::echo_request(Some(1)) });
    let told = gtpu(GNB, (S_INDICATE, 2152), &Gtpu::data(7, &[0x5a; 2000]));
    let chunks = [crate::packets::sctp::Chunk {
        kind: 0,
        flags: 3,
        length: None,
        value: vec![0; 2000],
        parameters: Vec::new(),
        bare: false,
    }];
    vec![
        each("fragments: of TCP", &tcp(PHONE, (S, 443), 2, &[0; 2000]), 40, 800, Reason::Fragment),
        each("fragments: of TCP over IPv6", &tcp((C6, 1), (S6, 443), 2, &[0; 2000]), 41, 800, Reason::Fragment),
        each("fragments: of SCTP", &sctp(PHONE, (S, 38412), 0, &chunks), 42, 800, Reason::Fragment),
        each(
            "fragments: of some other protocol",
            &packet(C, S, Payload::Raw(99, vec![0; 2000])),
            43,
            800,
            Reason::Fragment,
        ),
        Case::new("fragments: the first holds a TEID").send(&first(&uplink(7), 44, 16), {
            let out = towards(&uplink(7), (U, 2152));
            transmits(Reason::Placed, &first(&out, 44, 16))
        }),
        Case::new("fragments: or is none that any link makes")
            .send(&first(&uplink(7), 45, 8), drops(Reason::TransportTruncated))
            .send(&first(&uplink(7), 45, 8).padded(40), drops(Reason::TransportTruncated)),
        Case::new("fragments: the first is not all")
            .send(&first(&lies(800), 46, 800), drops(Reason::TransportLength))
            .send(&first(&lies(0), 46, 800), drops(Reason::TransportLength)),
        Case::new("fragments: what is in them may be malformed").send(
            &first(&gtpu(GNB, (S, 2152), &Gtpu { version: 5, ..Gtpu::data(7, &[0; 2000]) }), 47, 800),
            drops(Reason::GtpMalformed),
        ),
        Case::new("fragments: an Echo Request is not answered")
            .send(&first(&echo, 48, 800), drops(Reason::Fragment)),
        Case::new("fragments: nor a user packet of an unknown tunnel")
            .send(&first(&told, 49, 800), drops(Reason::Fragment)),
    ]
}
