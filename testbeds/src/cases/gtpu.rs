//! GTP-U: taught tunnels, hashed tunnels, signalling, downlink.

use std::net::IpAddr;

use pinion_steering::{Reason, State};

use super::places::{A, C, C6, D, S, S_DROP, S_PUNT, S6, U, U6, V, W, X};
use super::{Act, Case, Key, Tunnel, drops, passes, replied, to, towards, transmits};
use crate::packets::gtpu::{CONTAINER, Gtpu};
use crate::packets::ip::{HOP_BY_HOP, PADN};
use crate::packets::transport::Sum;
use crate::packets::{End, Frame, gtpu, udp};

const GNB: End = (C, 2152);
const UPF: End = (S, 2152);

pub(super) fn cases() -> Vec<Case> {
    [taught(), hashed(), policies(), malformed(), echoes(), signalling(), downlink()].concat()
}

fn uplink(message: &Gtpu) -> Frame {
    gtpu(GNB, UPF, message)
}

fn teach(teid: u32, owned: u32, endpoint: &'static str) -> Act {
    Act::Pin(Tunnel { address: S, teid, service: "n3", endpoint, owned, path: 0 })
}

fn extended(teid: u32) -> Gtpu {
    Gtpu { extensions: vec![(CONTAINER.0, CONTAINER.1.to_vec())], ..Gtpu::data(teid, b"user packet") }
}

fn taught() -> Vec<Case> {
    let user = |teid| uplink(&Gtpu::data(teid, b"user packet"));
    let pinned = |frame: &Frame, endpoint: IpAddr| transmits(Reason::Pinned, &towards(frame, (endpoint, 2152)));
    let translated = |name, sent: Frame, left: Frame| {
        Case::new(name).act(teach(7, 0x0102_0304, "b")).send(&sent, pinned(&left, V)).flows(0)
    };
    let marker = |teid| uplink(&Gtpu::end_marker(teid));
    let full = |teid| Gtpu {
        sequence: Some(9),
        npdu: Some(3),
        extensions: vec![(0xc0, vec![0x12, 0x34]), (CONTAINER.0, CONTAINER.1.to_vec()), (0x20, vec![5; 6])],
        ..Gtpu::data(teid, b"user packet")
    };
    let six = |teid| gtpu((C6, 2152), (S6, 2152), &Gtpu::data(teid, b"user packet"));
    let pin6 = Act::Pin(Tunnel::over_v6(7, 0x0102_0304));
    let pinned6 = |frame: &Frame| transmits(Reason::Pinned, &towards(frame, (U6, 2152)));
    vec![
        Case::new("GTP-U: a taught tunnel goes to its owner, its TEID kept")
            .act(teach(7, 7, "b"))
            .send(&user(7), pinned(&user(7), V))
            .flows(0),
        translated("GTP-U: the TEID is translated, with checksum", user(7), user(0x0102_0304)),
        translated(
            "GTP-U: the TEID is translated, without checksum",
            user(7).sum(Sum::Zero),
            user(0x0102_0304).sum(Sum::Zero),
        ),
        translated(
            "GTP-U: the TEID is translated, a wrong checksum stays wrong",
            user(7).sum(Sum::Off(3)),
            user(0x0102_0304).sum(Sum::Off(3)),
        ),
        translated("GTP-U: an extension header", uplink(&extended(7)), uplink(&extended(0x0102_0304))),
        translated(
            "GTP-U: sequence, N-PDU number, three extension headers",
            uplink(&full(7)),
            uplink(&full(0x0102_0304)),
        ),
        translated("GTP-U: an End Marker follows its tunnel", marker(7), marker(0x0102_0304)),
        translated(
            "GTP-U: Tunnel Status follows its tunnel",
            uplink(&Gtpu::message(253, 7, &[230, 0, 1, 1])),
            uplink(&Gtpu::message(253, 0x0102_0304, &[230, 0, 1, 1])),
        ),
        Case::new("GTP-U: the highest TEID")
            .act(teach(0xffff_ffff, 0xffff_fffe, "b"))
            .send(&user(0xffff_ffff), pinned(&user(0xffff_fffe), V)),
        Case::new("GTP-U: the key is not the source: another peer uses the tunnel")
            .act(teach(7, 7, "b"))
            .send(&user(7).from(D, 9999), pinned(&user(7).from(D, 9999), V)),
        Case::new("GTP-U: IPv6, the TEID is translated")
            .act(pin6.clone())
            .send(&six(7), pinned6(&six(0x0102_0304))),
        Case::new("GTP-U: IPv6 without checksum (RFC 6935)")
            .act(pin6)
            .send(&six(7).sum(Sum::Zero), pinned6(&six(0x0102_0304).sum(Sum::Zero))),
        Case::new("GTP-U: of 1,400 bytes")
            .act(teach(7, 8, "a"))
            .send(&uplink(&Gtpu::data(7, &[9; 1364])), pinned(&uplink(&Gtpu::data(8, &[9; 1364])), U)),
        Case::new("GTP-U: a taught tunnel beats a hashed one")
            .send(&user(7), transmits(Reason::Placed, &towards(&user(7), (U, 2152))))
            .act(teach(7, 8, "b"))
            .send(&user(7), pinned(&user(8), V))
            .act(Act::Unpin(S, 7))
            .send(&user(7), pinned(&user(7), U)),
        Case::new("GTP-U: a tunnel taught for another address is another")
            .act(Act::Pin(Tunnel {
                address: S_DROP,
                teid: 7,
                service: "n3drop",
                endpoint: "w",
                owned: 8,
                path: 0,
            }))
            .send(&user(7), transmits(Reason::Placed, &towards(&user(7), (U, 2152)))),
        Case::new("GTP-U: the hop count of a taught tunnel's packet ends here")
            .act(teach(7, 7, "b"))
            .send(&user(7).ttl(1), drops(Reason::TtlExpired)),
    ]
}

fn hashed() -> Vec<Case> {
    let user = |teid| uplink(&Gtpu::data(teid, b"user packet"));
    let placed = |frame: &Frame| transmits(Reason::Placed, &towards(frame, (U, 2152)));
    let pinned = |frame: &Frame| transmits(Reason::Pinned, &towards(frame, (U, 2152)));
    let six = gtpu((C6, 2152), (S6, 2152), &Gtpu::data(1, b"user packet"));
    let marker = uplink(&Gtpu::end_marker(1));
    let empty = uplink(&Gtpu::data(1, b""));
    vec![
        Case::new("GTP-U: an untaught tunnel is placed by its TEID, and pinned")
            .send(&user(1), placed(&user(1)))
            .flow(Key::Tunnel("n3", 1), to("n3", "a", State::Established))
            .send(&user(1), pinned(&user(1)))
            .flows(1),
        Case::new("GTP-U: an untaught tunnel is one for all its peers")
            .send(&user(1), placed(&user(1)))
            .send(&user(1).from(D, 40_000), pinned(&user(1).from(D, 40_000)))
            .flows(1),
        Case::new("GTP-U: an untaught tunnel, IPv6")
            .send(&six, transmits(Reason::Placed, &towards(&six, (U6, 2152))))
            .flow(Key::Tunnel("n36", 1), to("n36", "a", State::Established)),
        Case::new("GTP-U: an End Marker of an untaught tunnel")
            .send(&user(1), placed(&user(1)))
            .send(&marker, pinned(&marker)),
        Case::new("GTP-U: when an untaught tunnel was last seen moves with the clock")
            .send(&user(1), placed(&user(1)))
            .act(Act::Wait(2))
            .send(&user(1), pinned(&user(1)))
            .flow(Key::Tunnel("n3", 1), to("n3", "a", State::Established)),
        Case::new("GTP-U: the hop count of an untaught tunnel's packet ends here, and nothing is pinned")
            .send(&user(1).ttl(1), drops(Reason::TtlExpired))
            .flows(0),
        Case::new("GTP-U: an empty user packet").send(&empty, placed(&empty)),
    ]
}

fn policies() -> Vec<Case> {
    let at = |address| gtpu(GNB, (address, 2152), &Gtpu::data(1, b"user packet"));
    let long = gtpu(GNB, (S_PUNT, 2152), &Gtpu::data(1, &[3; 3000]));
    let taught =
        Act::Pin(Tunnel { address: S_DROP, teid: 1, service: "n3drop", endpoint: "w", owned: 2, path: 0 });
    let out = gtpu(GNB, (S_DROP, 2152), &Gtpu::data(2, b"user packet"));
    vec![
        Case::new("GTP-U, policy drop: an untaught tunnel is dropped")
            .send(&at(S_DROP), drops(Reason::UnknownTunnel))
            .flows(0),
        Case::new("GTP-U, policy drop: a taught one is not")
            .act(taught)
            .send(&at(S_DROP), transmits(Reason::Pinned, &towards(&out, (W, 2152)))),
        Case::new("GTP-U, policy punt: dropped, and user space gets a copy")
            .send(&at(S_PUNT), drops(Reason::UnknownTunnel))
            .act(Act::Punted(Reason::UnknownTunnel))
            .flows(0),
        Case::new("GTP-U, policy punt: of a long packet the first 2,048 bytes")
            .send(&long, drops(Reason::UnknownTunnel))
            .act(Act::Punted(Reason::UnknownTunnel)),
    ]
}

fn malformed() -> Vec<Case> {
    let sent = |message: Gtpu| uplink(&message);
    let user = || Gtpu::data(7, b"user packet");
    let refused =
        |name, frame: Frame, reason| Case::new(name).act(teach(7, 8, "b")).send(&frame, drops(reason)).flows(0);
    let unknown = |name, frame: Frame, reason| Case::new(name).send(&frame, drops(reason)).flows(0);
    let short = |length: usize| udp(GNB, UPF, uplink(&user()).bytes().get(42..42 + length).unwrap_or_default());
    let (bad, length) = (Reason::GtpMalformed, Reason::GtpLength);
    vec![
        refused("GTP-U: version 2", sent(Gtpu { version: 5, ..user() }), bad),
        refused("GTP-U: version 0", sent(Gtpu { version: 1, ..user() }), bad),
        refused("GTP-U: GTP prime", sent(Gtpu { version: 2, ..user() }), bad),
        unknown("GTP-U: version 2 of an untaught tunnel", sent(Gtpu { version: 5, ..user() }), bad),
        unknown("GTP-U: GTP prime of an untaught tunnel", sent(Gtpu { version: 2, ..user() }), bad),
        refused("GTP-U: length beyond the datagram", sent(Gtpu { length: Some(12), ..user() }), length),
        refused("GTP-U: length 65,535", sent(Gtpu { length: Some(0xffff), ..user() }), length),
        unknown("GTP-U: length beyond the datagram, untaught", sent(Gtpu { length: Some(12), ..user() }), length),
        refused(
            "GTP-U: length beyond the datagram, but not beyond the packet",
            sent(user()).udp(|udp| udp.length = Some(8 + 8 + 10)),
            length,
        ),
        refused(
            "GTP-U: length that reaches into the frame's padding",
            sent(Gtpu { length: Some(12), ..user() }).padded(9),
            length,
        ),
        unknown("GTP-U: an empty datagram", short(0), bad),
        unknown("GTP-U: a header of 7 bytes", short(7), bad),
        refused("GTP-U: a header that goes on in the frame's padding", short(4).padded(40), bad),
        Case::new("GTP-U: length shorter than the datagram goes on").act(teach(7, 8, "b")).send(
            &sent(Gtpu { length: Some(2), ..user() }),
            {
                let out = sent(Gtpu { length: Some(2), ..Gtpu::data(8, b"user packet") });
                transmits(Reason::Pinned, &towards(&out, (V, 2152)))
            },
        ),
    ]
}

/// The answer to an Echo Request: back to where it came from, with a full hop count.
fn echoed(request: &Frame, sequence: u16) -> Frame {
    let (to, from) = request.macs;
    let mut answer = request.clone().macs(to, from).ttl(64);
    answer = answer.ip(|ip| std::mem::swap(&mut ip.from, &mut ip.to)).udp(|udp| {
        udp.ports = (2152, udp.ports.0);
        udp.data = Gtpu::echo_response(sequence).bytes();
        udp.length = None;
    });
    answer.padding.clear();
    answer
}

fn echoes() -> Vec<Case> {
    let v4 = |request: Gtpu| uplink(&request);
    let v6 = |request: Gtpu| gtpu((C6, 40_000), (S6, 2152), &request);
    let plain = || Gtpu::echo_request(None);
    let numbered = || Gtpu::echo_request(Some(0xbeef));
    let extended = Gtpu { data: vec![255, 0, 4, 0, 9, 1, 2], ..numbered() };
    let answered = |name, request: Frame, sequence, sum| {
        let answer = echoed(&request, sequence).sum(sum);
        Case::new(name).send(&request, transmits(Reason::EchoAnswered, &answer)).flows(0)
    };
    let (none, right) = (Sum::Zero, Sum::Right);
    vec![
        answered("echo: with a sequence number", v4(numbered()), 0xbeef, none),
        answered("echo: without a sequence number it is answered with 0", v4(plain()), 0, none),
        answered("echo: from another port goes back to it", v4(numbered()).from(C, 40_000), 0xbeef, none),
        answered("echo: with a private extension IE", v4(extended.clone()), 0xbeef, none),
        answered("echo: of 9,000 bytes", v4(Gtpu { data: vec![1; 8960], ..numbered() }), 0xbeef, none),
        answered("echo: padding goes", v4(plain()).padded(10), 0, none),
        answered("echo: the hop count does not matter here", v4(numbered()).ttl(1), 0xbeef, none),
        answered("echo: IPv4 options stay", v4(numbered()).options(&[1; 4]), 0xbeef, none),
        answered("echo: VLAN tag stays", v4(numbered()).vlan(100), 0xbeef, none),
        answered("echo: IPv6, its checksum computed", v6(numbered()), 0xbeef, right),
        answered("echo: IPv6 without a sequence number", v6(plain()), 0, right),
        answered("echo: IPv6 with hop-by-hop options", v6(numbered()).extension(HOP_BY_HOP, &PADN), 0xbeef, right),
        answered("echo: IPv6 with a private extension IE", v6(extended), 0xbeef, right),
        answered(
            "echo: a service that drops untaught tunnels answers",
            v4(numbered()).to(S_DROP, 2152),
            0xbeef,
            none,
        ),
        Case::new("echo: a sequence number that is not there")
            .send(&udp(GNB, UPF, &[0x32, 1, 0, 0, 0, 0, 0, 0, 0, 0]), drops(Reason::GtpLength)),
        Case::new("echo: to an address that is not ours passes")
            .send(&v4(numbered()).to(X, 2152), passes(Reason::NotOurs)),
    ]
}

fn signalling() -> Vec<Case> {
    let dropped =
        |name, message: Gtpu| Case::new(name).send(&uplink(&message), drops(Reason::GtpSignalling)).flows(0);
    vec![
        dropped("GTP-U: an Echo Response ends here", Gtpu::echo_response(1)),
        dropped("GTP-U: an Error Indication ends here", Gtpu::error_indication(7, [192, 0, 2, 10])),
        dropped(
            "GTP-U: Supported Extension Headers Notification ends here",
            Gtpu::message(31, 0, &[141, 1, 0x85]),
        ),
        dropped("GTP-U: a user packet with TEID 0", Gtpu::data(0, b"user packet")),
        dropped("GTP-U: an unknown message type", Gtpu::message(77, 7, b"?")),
    ]
}

fn downlink() -> Vec<Case> {
    let down = gtpu((U, 2152), GNB, &Gtpu::data(0x99, b"to the gNB"));
    let six = gtpu((U6, 2152), (C6, 2152), &Gtpu::data(0x99, b"to the gNB"));
    let odd = down.clone().from(U, 50_000);
    let none = down.clone().sum(Sum::Zero);
    let left = |frame: &Frame, service: End| transmits(Reason::Replied, &replied(frame, service));
    vec![
        Case::new("GTP-U: downlink leaves from the service's address")
            .send(&down, left(&down, (S, 2152)))
            .flows(0),
        Case::new("GTP-U: downlink keeps the source port that the UPF chose").send(&odd, left(&odd, (S, 50_000))),
        Case::new("GTP-U: downlink without checksum").send(&none, left(&none, (S, 2152))),
        Case::new("GTP-U: downlink, IPv6").send(&six, left(&six, (S6, 2152))),
        Case::new("GTP-U: downlink of an endpoint of another kind passes")
            .send(&down.clone().from(A, 2152), passes(Reason::NotOurs)),
        Case::new("GTP-U: downlink whose hop count ends here").send(&down.ttl(1), drops(Reason::TtlExpired)),
    ]
}
