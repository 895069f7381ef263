//! Error Indications: those that steering answers with, and those of endpoints.

use std::net::IpAddr;

use pinion_steering::{ERRORS_MOST, Reason};

use super::places::{C, C1, C6, D, S, S_INDICATE, S6, S6_INDICATE, U6, V, W, X};
use super::{Act, Case, Tunnel, drops, replied, towards, transmits};
use crate::packets::gtpu::Gtpu;
use crate::packets::ip::{HOP_BY_HOP, PADN};
use crate::packets::transport::Sum;
use crate::packets::{Frame, gtpu};

pub(super) fn cases() -> Vec<Case> {
    [answered(), unanswered(), relayed(), returned()].concat()
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

/// The TEID as clients know it, and as its endpoint does.
const TAUGHT: (u32, u32) = (7, 0x0102_0304);

fn relayed() -> Vec<Case> {
    let (tunnel, tunnel6) = (Tunnel::over_v4(TAUGHT.0, TAUGHT.1), Tunnel::over_v6(TAUGHT.0, TAUGHT.1));
    let told = |teid, address| Gtpu::error_indication(teid, address);
    let from = |message: &Gtpu| gtpu((V, 2152), (C, 2152), message);
    let from6 = |message: &Gtpu| gtpu((U6, 2152), (C6, 2152), message);
    let arrives = |case: Case, sent: Frame, left: Frame| {
        let service = if sent.destination().is_some_and(|to| to.is_ipv6()) { S6 } else { S };
        case.send(&sent, transmits(Reason::Replied, &replied(&left, (service, 2152))))
    };
    let taught = |name| Case::new(name).act(Act::Pin(tunnel.clone()));
    let taught6 = |name| Case::new(name).act(Act::Pin(tunnel6.clone()));
    let (theirs, ours) = (told(TAUGHT.1, V), told(TAUGHT.0, S));
    let ported = |message: &Gtpu| Gtpu { extensions: vec![(0x40, vec![0x08, 0x68])], ..message.clone() };
    // A private extension of four octets is seven long: what follows lies the other way.
    let behind =
        |message: &Gtpu, elements: &[u8]| Gtpu { data: [elements, &message.data].concat(), ..message.clone() };
    let private = [14, 0, 255, 0, 4, 0, 9, 1, 2];
    let cut = |length| Gtpu { data: theirs.data.get(..length).unwrap_or_default().to_vec(), ..theirs.clone() };
    let bad = |name, message: Gtpu| taught(name).send(&from(&message), drops(Reason::GtpMalformed));
    vec![
        arrives(taught("indications: an endpoint's names what clients know"), from(&theirs), from(&ours)),
        arrives(
            taught("indications: an endpoint's without checksum"),
            from(&theirs).sum(Sum::Zero),
            from(&ours).sum(Sum::Zero),
        ),
        arrives(
            taught("indications: an endpoint's whose checksum is wrong stays wrong"),
            from(&theirs).sum(Sum::Off(5)),
            from(&ours).sum(Sum::Off(5)),
        ),
        arrives(
            taught("indications: an endpoint's with an extension header"),
            from(&ported(&theirs)),
            from(&ported(&ours)),
        ),
        arrives(
            taught("indications: an endpoint's behind other elements"),
            from(&behind(&theirs, &private)),
            from(&behind(&ours, &private)),
        ),
        arrives(
            taught6("indications: an endpoint's over IPv6"),
            from6(&told(TAUGHT.1, U6)),
            from6(&told(TAUGHT.0, S6)),
        ),
        arrives(
            taught6("indications: an endpoint's over IPv6 behind other elements"),
            from6(&behind(&told(TAUGHT.1, U6), &private)),
            from6(&behind(&told(TAUGHT.0, S6), &private)),
        ),
        arrives(
            taught("indications: an endpoint's of a TEID that is the same on both sides"),
            from(&told(99, V)),
            from(&told(99, S)),
        ),
        arrives(
            taught("indications: an endpoint's about somebody else stays"),
            from(&told(TAUGHT.1, X)),
            from(&told(TAUGHT.1, X)),
        ),
        arrives(
            taught("indications: an endpoint's with elements of unknown length stays"),
            from(&behind(&theirs, &[77, 0])),
            from(&behind(&theirs, &[77, 0])),
        ),
        arrives(
            taught("indications: an endpoint's about a tunnel that ended").act(Act::Unpin(S, TAUGHT.0)),
            from(&theirs),
            from(&told(TAUGHT.1, S)),
        ),
        arrives(
            taught("indications: an endpoint's about a tunnel that moved")
                .act(Act::Pin(Tunnel { owned: 55, ..tunnel.clone() })),
            from(&theirs),
            from(&told(TAUGHT.1, S)),
        ),
        bad("indications: an endpoint's whose TEID is cut", cut(3)),
        bad("indications: an endpoint's whose address is cut", cut(10)),
        bad("indications: an endpoint's whose address has no length", cut(6)),
        bad(
            "indications: an endpoint's with an extension header of no length",
            Gtpu { extensions: vec![(0x40, Vec::new())], ..theirs.clone() },
        ),
        taught("indications: an endpoint's whose hop count ends here")
            .send(&from(&theirs).ttl(1), drops(Reason::TtlExpired)),
    ]
}

/// Clients' own, of a tunnel that an endpoint sends to.
fn returned() -> Vec<Case> {
    let (tunnel, tunnel6) = (Tunnel::over_v4(TAUGHT.0, TAUGHT.1), Tunnel::over_v6(TAUGHT.0, TAUGHT.1));
    let told = |teid, address| Gtpu::error_indication(teid, address);
    let from = |message: &Gtpu| gtpu((C, 2152), (S, 2152), message);
    let from6 = |message: &Gtpu| gtpu((C6, 2152), (S6, 2152), message);
    let leads = |name, client, tunnel: &Tunnel| Case::new(name).act(Act::Lead(client, 70, Some(tunnel.clone())));
    let arrives = |case: Case, sent: &Frame, endpoint| {
        case.send(sent, transmits(Reason::Pinned, &towards(sent, (endpoint, 2152))))
    };
    let unknown = |case: Case, sent: &Frame| case.send(sent, drops(Reason::GtpSignalling));
    let ours = told(70, C);
    vec![
        arrives(
            leads("indications: a client's goes to the endpoint that sends to it", C, &tunnel),
            &from(&ours),
            V,
        ),
        arrives(leads("indications: a client's over IPv6", C6, &tunnel6), &from6(&told(70, C6)), U6),
        arrives(leads("indications: a client's without checksum", C, &tunnel), &from(&ours).sum(Sum::Zero), V),
        arrives(
            leads("indications: a client's that another of its addresses tells of", C1, &tunnel),
            &from(&told(70, C1)),
            V,
        ),
        unknown(leads("indications: a client's of another tunnel", C, &tunnel), &from(&told(71, C))),
        unknown(leads("indications: a client's of another client's address", C, &tunnel), &from(&told(70, D))),
        unknown(
            leads("indications: a client's whose tunnel leads nowhere any more", C, &tunnel)
                .act(Act::Lead(C, 70, None)),
            &from(&ours),
        ),
        unknown(
            Case::new("indications: a client's that names an endpoint's end").act(Act::Pin(tunnel.clone())),
            &from(&told(TAUGHT.1, V)),
        ),
        unknown(
            leads("indications: a client's over IPv4 of an endpoint's tunnel over IPv6", C, &tunnel6),
            &from(&ours),
        ),
        leads("indications: a client's whose TEID is cut", C, &tunnel)
            .send(&from(&Gtpu { data: vec![16, 0, 0], ..ours.clone() }), drops(Reason::GtpMalformed)),
        leads("indications: a client's at the end of its way", C, &tunnel)
            .send(&from(&ours).ttl(1), drops(Reason::TtlExpired)),
    ]
}
