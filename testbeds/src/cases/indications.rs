//! Error Indications: those that steering answers with.

use std::net::IpAddr;

use pinion_steering::{ERRORS_MOST, Reason};

use super::places::{C, C6, S_INDICATE, S6_INDICATE, W};
use super::{Act, Case, Tunnel, drops, towards, transmits};
use crate::packets::gtpu::Gtpu;
use crate::packets::ip::{HOP_BY_HOP, PADN};
use crate::packets::transport::Sum;
use crate::packets::{Frame, gtpu};

pub(super) fn cases() -> Vec<Case> {
    [answered(), unanswered()].concat()
}

fn user(teid: u32) -> Gtpu {
    Gtpu::data(teid, b"user packet")
}

fn v4(message: &Gtpu) -> Frame {
    gtpu((C, 2152), (S_INDICATE, 2152), message)
}

fn v6(message: &Gtpu) -> Frame {
    gtpu((C6, 2152), (S6_INDICATE, 2152), message)
}

/// What tells the sender of a packet that nobody knows the tunnel: between the registered ports.
fn indication(sent: &Frame, teid: u32, service: IpAddr) -> Frame {
    let (to, from) = sent.macs;
    let mut answer =
        sent.clone().macs(to, from).ttl(64).sum(if service.is_ipv6() { Sum::Right } else { Sum::Zero });
    answer = answer.ip(|ip| std::mem::swap(&mut ip.from, &mut ip.to)).udp(|udp| {
        udp.ports = (2152, 2152);
        udp.data = Gtpu::error_indication(teid, service).bytes();
        udp.length = None;
    });
    answer.padding.clear();
    answer
}

fn answered() -> Vec<Case> {
    let told = |name, sent: Frame, teid| {
        let answer = indication(&sent, teid, S_INDICATE);
        Case::new(name).send(&sent, transmits(Reason::IndicationAnswered, &answer)).flows(0)
    };
    let told6 = |name, sent: Frame, teid| {
        let answer = indication(&sent, teid, S6_INDICATE);
        Case::new(name).send(&sent, transmits(Reason::IndicationAnswered, &answer)).flows(0)
    };
    let extended = || Gtpu { sequence: Some(9), extensions: vec![(0x85, vec![0x10, 9])], ..user(0x0102_0304) };
    let sent = v4(&user(7));
    let limited = (0..ERRORS_MOST)
        .fold(Case::new("indications: no more than so many in a tick").act(Act::Wait(9)), |case, _| {
            case.send(&sent, transmits(Reason::IndicationAnswered, &indication(&sent, 7, S_INDICATE)))
        });
    vec![
        told("indications: for a user packet of an unknown tunnel", v4(&user(7)), 7),
        told("indications: for an empty user packet the answer is longer", v4(&Gtpu::data(7, b"")), 7),
        told("indications: for a packet of 9,000 bytes", v4(&Gtpu::data(7, &[1; 8960])), 7),
        told("indications: for a packet with an extension header", v4(&extended()), 0x0102_0304),
        told("indications: the highest TEID", v4(&user(u32::MAX)), u32::MAX),
        told("indications: from another port it goes to the registered one", v4(&user(7)).from(C, 40_000), 7),
        told("indications: the packet's checksum does not matter", v4(&user(7)).sum(Sum::Zero), 7),
        told("indications: the hop count does not matter here", v4(&user(7)).ttl(1), 7),
        told("indications: IPv4 options and tags stay", v4(&user(7)).options(&[1; 4]).qinq(1, 2), 7),
        told("indications: padding goes", v4(&user(7)).padded(11), 7),
        told6("indications: IPv6, its checksum computed", v6(&user(0xfedc_ba98)), 0xfedc_ba98),
        told6("indications: IPv6, an empty user packet", v6(&Gtpu::data(7, b"")), 7),
        told6("indications: IPv6 with hop-by-hop options", v6(&user(7)).extension(HOP_BY_HOP, &PADN), 7),
        limited
            .send(&sent, drops(Reason::ErrorLimited))
            .act(Act::Wait(1))
            .send(&sent, transmits(Reason::IndicationAnswered, &indication(&sent, 7, S_INDICATE))),
    ]
}

fn unanswered() -> Vec<Case> {
    let not = |name, sent: Frame, reason| Case::new(name).send(&sent, drops(reason)).flows(0);
    let (unknown, taught) = (Reason::UnknownTunnel, 7);
    let tunnel = Tunnel { address: S_INDICATE, teid: taught, service: "n3told", endpoint: "w", owned: 8, path: 0 };
    let group = [0x01, 0, 0x5e, 0, 0, 1];
    let many = v4(&user(7));
    let from = many.macs.1;
    vec![
        not("indications: none for an End Marker", v4(&Gtpu::end_marker(7)), unknown),
        not("indications: none for Tunnel Status", v4(&Gtpu::message(253, 7, &[230, 0, 1, 1])), unknown),
        not(
            "indications: none for an Error Indication",
            v4(&Gtpu::error_indication(7, [192, 0, 2, 10])),
            Reason::GtpSignalling,
        ),
        not(
            "indications: none for a message that names a tunnel in its header too",
            v4(&Gtpu { teid: 7, ..Gtpu::error_indication(7, [192, 0, 2, 10]) }),
            Reason::GtpSignalling,
        ),
        not("indications: none for TEID 0", v4(&user(0)), Reason::GtpSignalling),
        not(
            "indications: none for what is malformed",
            v4(&Gtpu { length: Some(12), ..user(7) }),
            Reason::GtpLength,
        ),
        not("indications: none for what came to many", many.macs(from, group), unknown),
        not("indications: none for who is nobody", v4(&user(7)).from(IpAddr::from([0, 0, 0, 0]), 2152), unknown),
        Case::new("indications: a taught tunnel goes to its endpoint")
            .act(Act::Pin(tunnel))
            .send(&v4(&user(taught)), transmits(Reason::Pinned, &towards(&v4(&user(8)), (W, 2152)))),
    ]
}
