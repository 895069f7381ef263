//! What a client is told where no endpoint takes its session, and the service rejects.

use std::net::IpAddr;

use pinion_steering::Reason;

use super::places::{C, C6, S, S_REJECT, S6};
use super::{Case, drops, transmits};
use crate::packets::checksum::internet;
use crate::packets::gtpu::Gtpu;
use crate::packets::icmp::port_unreachable;
use crate::packets::ip::pseudo;
use crate::packets::sctp::{abort, cookie_echo, data, init};
use crate::packets::transport::{Payload, Sum};
use crate::packets::{End, FROM, Frame, TO, gtpu, packet, sctp, tcp, udp};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

const PORT: u16 = 5090;
const PHONE: End = (C, 40_000);
const PHONE6: End = (C6, 40_000);

/// What the builder's segments have as sequence and acknowledgment number.
pub(super) const SEQUENCE: u32 = 0x1122_3344;
const ACKNOWLEDGED: u32 = 0x5566_7788;

pub(super) fn cases() -> Vec<Case> {
    [resets(), aborts(), unreachables()].concat()
}

/// A RST without options or data (RFC 9293 3.1).
pub(super) fn reset(from: End, to: End, sequence: u32, acknowledged: u32, flags: u8) -> Frame {
    let head = [
        &from.1.to_be_bytes()[..],
        &to.1.to_be_bytes(),
        &sequence.to_be_bytes(),
        &acknowledged.to_be_bytes(),
        &[0x50, flags, 0, 0],
    ]
    .concat();
    let check = internet(&[&pseudo(from.0, to.0, 6, 20), &head, &[0; 4]]);
    let segment = [&head[..], &check.to_be_bytes(), &[0, 0]].concat();
    packet(from.0, to.0, Payload::Raw(6, segment)).macs(TO, FROM)
}

fn resets() -> Vec<Case> {
    let web = |flags, data: &[u8]| tcp(PHONE, (S, PORT), flags, data);
    let answered = |frame: &Frame| transmits(Reason::ResetAnswered, frame);
    let back = |sequence, acknowledged, flags| reset((S, PORT), PHONE, sequence, acknowledged, flags);
    let web6 = tcp(PHONE6, (S6, PORT), SYN, b"");
    let options = web(SYN, b"").tcp(|tcp| tcp.options = vec![2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0]);
    vec![
        Case::new("rejects: a SYN gets a RST that acknowledges it")
            .send(&web(SYN, b""), answered(&back(0, SEQUENCE + 1, RST | ACK)))
            .flows(0),
        Case::new("rejects: a SYN with options, tagged, gets a RST with the tag")
            .send(&options.clone().vlan(7), answered(&back(0, SEQUENCE + 1, RST | ACK).vlan(7))),
        Case::new("rejects: a segment with ACK gets a RST with its number")
            .send(&web(ACK, b"GET / HTTP/1.1"), answered(&back(ACKNOWLEDGED, 0, RST))),
        Case::new("rejects: data and FIN without ACK are acknowledged")
            .send(&web(FIN, b"12345"), answered(&back(0, SEQUENCE + 6, RST | ACK))),
        Case::new("rejects: a RST is not answered").send(&web(RST, b""), drops(Reason::NoEndpoint)),
        Case::new("rejects: a SYN over IPv6")
            .send(&web6, answered(&reset((S6, PORT), PHONE6, 0, SEQUENCE + 1, RST | ACK))),
        Case::new("rejects: what came to many is not answered")
            .send(&web(SYN, b"").macs(FROM, [0xff; 6]), drops(Reason::NoEndpoint)),
        Case::new("rejects: a source that is nobody is not answered")
            .send(&web(SYN, b"").from(IpAddr::from([0, 0, 0, 0]), 9), drops(Reason::NoEndpoint))
            .send(&web(SYN, b"").from(IpAddr::from([224, 0, 0, 1]), 9), drops(Reason::NoEndpoint)),
    ]
}

fn aborts() -> Vec<Case> {
    let gnb = |tag, chunk| sctp((C, 9487), (S, PORT), tag, &[chunk]);
    let back = |tag, chunk| sctp((S, PORT), (C, 9487), tag, &[chunk]).macs(TO, FROM);
    let answered = |frame: &Frame| transmits(Reason::AbortAnswered, frame);
    let first = sctp((C6, 9487), (S6, PORT), 0, &[init(0xc11e_0001, &[])]);
    let back6 = sctp((S6, PORT), (C6, 9487), 0xc11e_0001, &[abort()]).macs(TO, FROM);
    vec![
        Case::new("rejects: an INIT gets an ABORT with the client's tag, without T")
            .send(&gnb(0, init(0xc11e_0001, &[])), answered(&back(0xc11e_0001, abort())))
            .flows(0),
        Case::new("rejects: a COOKIE ECHO gets an ABORT that reflects its tag, with T")
            .send(&gnb(7, cookie_echo(b"cook")), answered(&back(7, abort().flags(1)))),
        Case::new("rejects: DATA out of the blue is not a new session")
            .send(&gnb(7, data(b"x")), drops(Reason::OutOfTheBlue)),
        Case::new("rejects: an ABORT is not answered").send(&gnb(7, abort()), drops(Reason::OutOfTheBlue)),
        Case::new("rejects: a malformed INIT is not answered")
            .send(&gnb(0, init(0, &[])), drops(Reason::InitiateTagZero)),
        Case::new("rejects: an INIT over IPv6").send(&first, answered(&back6)),
        Case::new("rejects: an INIT that lists addresses, tagged twice")
            .send(&gnb(0, init(9, &[crate::packets::sctp::address(C)])).qinq(3, 4), {
                answered(&back(9, abort()).qinq(3, 4))
            }),
    ]
}

fn unreachables() -> Vec<Case> {
    let phone = |length: usize| udp(PHONE, (S, PORT), &vec![0xa7; length]);
    let phone6 = |length: usize| udp(PHONE6, (S6, PORT), &vec![0xa7; length]);
    let answered = |frame: &Frame| transmits(Reason::UnreachableAnswered, &port_unreachable(frame));
    let told = |name, frame: Frame| {
        let expect = answered(&frame);
        Case::new(name).send(&frame, expect).flows(0)
    };
    let tunnel = gtpu((C, 2152), (S_REJECT, 2152), &Gtpu::data(1, b"ip"));
    let limited = phone(4);
    let many = (0..1000).fold(
        Case::new("rejects: no more than 1,000 ICMP errors in a tick").act(super::Act::Wait(1)),
        |case, _| case.send(&limited, answered(&limited)),
    );
    vec![
        told("rejects: an empty datagram gets port unreachable", phone(0)),
        told("rejects: what an error quotes may have an odd length", phone(3)),
        told("rejects: an error quotes up to 576 bytes in all", phone(520)),
        told("rejects: an error quotes no more than 576 bytes in all", phone(521)),
        told("rejects: an error quotes the beginning of a jumbo frame", phone(8900)),
        told("rejects: an error quotes options", phone(5).options(&[1; 8])),
        told("rejects: an error leaves with the tags", phone(6).qinq(100, 200)),
        told("rejects: padding is not quoted", phone(2).padded(16)),
        told("rejects: a wrong checksum is quoted as it is", phone(6).sum(Sum::Off(77))),
        told("rejects: IPv6, an empty datagram", phone6(0)),
        told("rejects: IPv6, an odd length", phone6(37)),
        told("rejects: IPv6, an error quotes up to 1,280 bytes in all", phone6(1184)),
        told("rejects: IPv6, an error quotes no more than 1,280 bytes in all", phone6(1185)),
        told(
            "rejects: IPv6, an error quotes extension headers",
            phone6(9).extension(60, &crate::packets::ip::PADN),
        ),
        told("rejects: a tunnel gets port unreachable", tunnel),
        many.send(&limited, drops(Reason::ErrorLimited))
            .act(super::Act::Wait(1))
            .send(&limited, answered(&limited))
            .act(super::Act::Wait(1)),
    ]
}
