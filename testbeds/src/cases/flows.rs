//! UDP and TCP: placed, pinned, replied.

use std::net::IpAddr;

use pinion_steering::{Reason, State};

use super::places::{A, A1, A6, B, C, C1, C6, D, OURS, S, S1, S6, X, mac};
use super::{Act, At, Case, Key, drops, own, passes, redirects, replied, to, towards, transmits};
use crate::packets::transport::Sum;
use crate::packets::{End, Frame, tcp, udp};

const UDP: u8 = 17;
const TCP: u8 = 6;
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

const PHONE: End = (C, 40_000);
const PHONE6: End = (C6, 40_000);

pub(super) fn cases() -> Vec<Case> {
    [placing(), udp_checksums(), tcp_states(), replies(), refusals(), hops()].concat()
}

fn hello() -> Frame {
    udp(PHONE, (S, 5060), b"REGISTER sip:example")
}

/// The flows of one UDP session of service `sip`.
fn placed() -> Case {
    Case::new("placed").send(&hello(), transmits(Reason::Placed, &towards(&hello(), (A, 5060))))
}

fn forward(near: End, far: End, protocol: u8) -> Key {
    Key::Tuple(near, far, protocol)
}

fn placing() -> Vec<Case> {
    let alt = udp(PHONE, (S, 5070), b"odd");
    let hello6 = udp(PHONE6, (S6, 5060), b"REGISTER");
    let two = udp((C1, 40_000), (S1, 7000), b"on path 1");
    let on_path_1 = At { path: 1, ..to("two", "a", State::Established) };
    let empty = udp(PHONE, (S, 5060), b"");
    let there = to("sip", "a", State::Established);
    let back = own("sip", State::Opening);
    vec![
        Case::new("UDP: a first packet is placed, and both directions pinned")
            .after(&placed())
            .flow(forward((S, 5060), PHONE, UDP), there.clone())
            .flow(forward(PHONE, (A, 5060), UDP), back.clone())
            .flows(2),
        Case::new("UDP: the first reply is seen in its pin")
            .after(&placed())
            .send(&udp((A, 5060), PHONE, b"200 OK"), {
                transmits(Reason::Replied, &replied(&udp((A, 5060), PHONE, b"200 OK"), (S, 5060)))
            })
            .flow(forward(PHONE, (A, 5060), UDP), own("sip", State::Established)),
        Case::new("UDP: the second packet is pinned")
            .after(&placed())
            .send(&hello(), transmits(Reason::Pinned, &towards(&hello(), (A, 5060))))
            .flows(2),
        Case::new("UDP: a pinned packet goes to its endpoint whatever the algorithm says")
            .act(Act::PutFlow(forward((S, 5060), PHONE, UDP), to("sip", "b", State::Established)))
            .send(&hello(), transmits(Reason::Pinned, &towards(&hello(), (B, 5060))))
            .flows(1),
        Case::new("UDP: an empty datagram is placed")
            .send(&empty, transmits(Reason::Placed, &towards(&empty, (A, 5060)))),
        Case::new("UDP: the port is rewritten too, and the reply's back")
            .send(&alt, transmits(Reason::Placed, &towards(&alt, (A, 15070))))
            .send(&udp((A, 15070), PHONE, b"even"), {
                transmits(Reason::Replied, &replied(&udp((A, 15070), PHONE, b"even"), (S, 5070)))
            }),
        Case::new("UDP: IPv6 is placed and replied")
            .send(&hello6, transmits(Reason::Placed, &towards(&hello6, (A6, 5060))))
            .flow(forward((S6, 5060), PHONE6, UDP), to("sip6", "a", State::Established))
            .send(&udp((A6, 5060), PHONE6, b"200 OK"), {
                transmits(Reason::Replied, &replied(&udp((A6, 5060), PHONE6, b"200 OK"), (S6, 5060)))
            }),
        Case::new("UDP: path 1 of a service leads to path 1 of its endpoint")
            .send(&two, transmits(Reason::Placed, &towards(&two, (A1, 7000))))
            .flow(forward((S1, 7000), (C1, 40_000), UDP), on_path_1)
            .send(&udp((A1, 7000), (C1, 40_000), b"y"), {
                transmits(Reason::Replied, &replied(&udp((A1, 7000), (C1, 40_000), b"y"), (S1, 7000)))
            }),
        Case::new("UDP: a client's two ports are two sessions")
            .after(&placed())
            .send(
                &hello().from(C, 40_001),
                transmits(Reason::Placed, &towards(&hello().from(C, 40_001), (A, 5060))),
            )
            .flows(4),
        Case::new("UDP: two clients on one port are two sessions")
            .after(&placed())
            .send(
                &hello().from(D, 40_000),
                transmits(Reason::Placed, &towards(&hello().from(D, 40_000), (A, 5060))),
            )
            .flows(4),
        Case::new("UDP: when it was last seen moves with the clock")
            .after(&placed())
            .act(Act::Wait(5))
            .send(&hello(), transmits(Reason::Pinned, &towards(&hello(), (A, 5060))))
            .flow(forward((S, 5060), PHONE, UDP), there.clone()),
        Case::new("UDP: a forward pin that was swept is made anew beside the reply's")
            .after(&placed())
            .act(Act::RemoveFlow(forward((S, 5060), PHONE, UDP)))
            .send(&hello(), transmits(Reason::Placed, &towards(&hello(), (A, 5060))))
            .flow(forward((S, 5060), PHONE, UDP), there)
            .flow(forward(PHONE, (A, 5060), UDP), back)
            .flows(2),
        Case::new("UDP: another service's reply pin is a collision, and nothing is pinned")
            .act(Act::PutFlow(forward(PHONE, (A, 5060), UDP), own("alt", State::Established)))
            .send(&hello(), drops(Reason::Collision))
            .flow(forward(PHONE, (A, 5060), UDP), own("alt", State::Established))
            .flows(1),
    ]
}

/// A datagram whose checksum becomes zero once it is sent to `to`, found by its last two bytes.
fn sums_to_zero(from: End, service: End, to: End) -> Frame {
    let with = |last: u16| udp(from, service, &[&b"0123456789"[..], &last.to_be_bytes()].concat());
    let check = |last: u16| {
        let sent = with(last).to(to.0, to.1).bytes();
        let at = if to.0.is_ipv4() { 14 + 20 + 6 } else { 14 + 40 + 6 };
        sent.get(at..at + 2).map(<[u8]>::to_vec)
    };
    let last = (0..=u16::MAX).find(|last| check(*last) == Some(vec![0xff, 0xff])).unwrap_or_default();
    with(last)
}

fn udp_checksums() -> Vec<Case> {
    let none = hello().sum(Sum::Zero);
    let none6 = udp(PHONE6, (S6, 5060), b"no checksum").sum(Sum::Zero);
    let odd = udp(PHONE, (S, 5070), b"xyz");
    let wrong = hello().sum(Sum::Off(0x0101));
    let zero = sums_to_zero(PHONE, (S, 5070), (A, 15070));
    let zero6 = sums_to_zero(PHONE6, (S6, 5060), (A6, 5060));
    vec![
        Case::new("UDP: checksum zero stays zero in IPv4 (RFC 768)")
            .send(&none, transmits(Reason::Placed, &towards(&none, (A, 5060)))),
        Case::new("UDP: checksum zero stays zero in IPv6 (RFC 6935)")
            .send(&none6, transmits(Reason::Placed, &towards(&none6, (A6, 5060)))),
        Case::new("UDP: a checksum that becomes zero is sent as ones (RFC 768)")
            .send(&zero, transmits(Reason::Placed, &towards(&zero, (A, 15070)))),
        Case::new("UDP: a checksum that becomes zero is sent as ones in IPv6")
            .send(&zero6, transmits(Reason::Placed, &towards(&zero6, (A6, 5060)))),
        Case::new("UDP: a wrong checksum stays wrong")
            .send(&wrong, transmits(Reason::Placed, &towards(&wrong, (A, 5060)))),
        Case::new("UDP: an odd length has a right checksum")
            .send(&odd, transmits(Reason::Placed, &towards(&odd, (A, 15070)))),
    ]
}

fn tcp_states() -> Vec<Case> {
    let web = |flags: u8| tcp(PHONE, (S, 443), flags, b"");
    let answer = |flags: u8| tcp((A, 8443), PHONE, flags, b"");
    let there = forward((S, 443), PHONE, TCP);
    let back = forward(PHONE, (A, 8443), TCP);
    let pinned = |frame: &Frame| transmits(Reason::Pinned, &towards(frame, (A, 8443)));
    let replies = |frame: &Frame| transmits(Reason::Replied, &replied(frame, (S, 443)));
    let syn = Case::new("syn").send(&web(SYN), transmits(Reason::Placed, &towards(&web(SYN), (A, 8443))));
    let open =
        syn.clone().send(&answer(SYN | ACK), replies(&answer(SYN | ACK))).send(&web(ACK), pinned(&web(ACK)));
    let web6 = tcp(PHONE6, (S6, 443), SYN, b"");
    let options = web(SYN).tcp(|tcp| tcp.options = vec![2, 4, 5, 0xb4, 4, 2, 1, 1, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0]);
    let wrong = web(SYN).sum(Sum::Off(0x4000));
    let data = tcp(PHONE, (S, 443), ACK, b"GET / HTTP/1.1\r\n\r");
    vec![
        Case::new("TCP: a SYN is placed with its port rewritten")
            .after(&syn)
            .flow(there.clone(), to("web", "a", State::Opening))
            .flow(back.clone(), own("web", State::Opening))
            .flows(2),
        Case::new("TCP: the handshake makes it established")
            .after(&open)
            .flow(there.clone(), to("web", "a", State::Established)),
        Case::new("TCP: data of odd length").after(&open).send(&data, pinned(&data)),
        Case::new("TCP: a FIN begins its end")
            .after(&open)
            .send(&web(FIN | ACK), pinned(&web(FIN | ACK)))
            .flow(there.clone(), to("web", "a", State::Closing)),
        Case::new("TCP: a RST of the endpoint ends it")
            .after(&open)
            .send(&answer(RST), replies(&answer(RST)))
            .flow(back.clone(), own("web", State::Closed)),
        Case::new("TCP: a RST ends it, a late packet still finds its way, a SYN begins anew")
            .after(&open)
            .send(&web(RST), pinned(&web(RST)))
            .flow(there.clone(), to("web", "a", State::Closed))
            .send(&web(ACK), pinned(&web(ACK)))
            .flow(there.clone(), to("web", "a", State::Closed))
            .send(&web(SYN), pinned(&web(SYN)))
            .flow(there.clone(), to("web", "a", State::Opening)),
        Case::new("TCP: a segment in the middle of a connection is placed too")
            .send(&web(ACK), transmits(Reason::Placed, &towards(&web(ACK), (A, 8443))))
            .flow(there, to("web", "a", State::Established)),
        Case::new("TCP: IPv6").send(&web6, transmits(Reason::Placed, &towards(&web6, (A6, 8443)))),
        Case::new("TCP: options are not touched")
            .send(&options, transmits(Reason::Placed, &towards(&options, (A, 8443)))),
        Case::new("TCP: a wrong checksum stays wrong")
            .send(&wrong, transmits(Reason::Placed, &towards(&wrong, (A, 8443)))),
    ]
}

fn replies() -> Vec<Case> {
    let ok = udp((A, 5060), PHONE, b"200 OK");
    let none = ok.clone().sum(Sum::Zero);
    let stranger = udp((A, 5060), (X, 40_000), b"?");
    vec![
        Case::new("UDP: a reply leaves from the service's address")
            .after(&placed())
            .send(&ok, transmits(Reason::Replied, &replied(&ok, (S, 5060)))),
        Case::new("UDP: a reply without checksum stays without")
            .after(&placed())
            .send(&none, transmits(Reason::Replied, &replied(&none, (S, 5060)))),
        Case::new("UDP: a reply from another port of the endpoint is nobody's")
            .after(&placed())
            .send(&ok.clone().from(A, 5999), passes(Reason::NotOurs)),
        Case::new("UDP: an endpoint's packet to somebody without pin passes")
            .send(&stranger, passes(Reason::NotOurs))
            .flows(0),
        Case::new("UDP: a TCP reply does not match a UDP pin")
            .after(&placed())
            .send(&tcp((A, 5060), PHONE, ACK, b""), passes(Reason::NotOurs)),
    ]
}

fn refusals() -> Vec<Case> {
    let other = |to: IpAddr, port| udp(PHONE, (to, port), b"x");
    vec![
        Case::new("UDP: another port of a service address is not ours")
            .send(&other(S, 5999), passes(Reason::NotOurs))
            .flows(0),
        Case::new("UDP: another address is not ours").send(&other(X, 5060), passes(Reason::NotOurs)),
        Case::new("TCP: to a UDP service's port is not ours")
            .send(&tcp(PHONE, (S, 5060), SYN, b""), passes(Reason::NotOurs)),
        Case::new("UDP: a service without an endpoint that is up drops")
            .send(&other(S, 5061), drops(Reason::NoEndpoint))
            .flows(0),
        Case::new("UDP: the hop count ends here, and nothing is pinned")
            .send(&hello().ttl(1), drops(Reason::TtlExpired))
            .send(&hello().ttl(0), drops(Reason::TtlExpired))
            .flows(0),
        Case::new("UDP: a hop count of 2 is enough")
            .send(&hello().ttl(2), transmits(Reason::Placed, &towards(&hello().ttl(2), (A, 5060)))),
        Case::new("TCP: a RST whose hop count ends here ends no connection")
            .send(&tcp(PHONE, (S, 443), ACK, b""), {
                transmits(Reason::Placed, &towards(&tcp(PHONE, (S, 443), ACK, b""), (A, 8443)))
            })
            .send(&tcp(PHONE, (S, 443), RST, b"").ttl(1), drops(Reason::TtlExpired))
            .flow(forward((S, 443), PHONE, TCP), to("web", "a", State::Established)),
        Case::new("IPv6: the hop limit ends here")
            .send(&udp(PHONE6, (S6, 5060), b"x").ttl(1), drops(Reason::TtlExpired))
            .flows(0),
        Case::new("UDP: a hop count of 1 is no matter to what is not ours")
            .send(&other(X, 5060).ttl(1), passes(Reason::NotOurs)),
    ]
}

fn hops() -> Vec<Case> {
    let out = towards(&hello(), (A, 5060));
    let big = udp(PHONE, (S, 5060), &[7; 8950]);
    vec![
        Case::new("the next hop is by another interface")
            .act(Act::Hop(A, |hop| hop.ifindex = 7))
            .send(&hello(), redirects(Reason::Placed, &out)),
        Case::new("the next hop has a VLAN tag")
            .act(Act::Hop(A, |hop| hop.vlan = 0x6064))
            .send(&hello(), transmits(Reason::Placed, &out.clone().vlan(0x6064))),
        Case::new("a packet is longer than the next hop's link carries")
            .act(Act::Hop(A, |hop| hop.mtu = 47))
            .send(&hello(), drops(Reason::TooBig)),
        Case::new("a packet is as long as the next hop's link carries")
            .act(Act::Hop(A, |hop| hop.mtu = 48))
            .send(&hello(), transmits(Reason::Placed, &out)),
        Case::new("an old next hop is asked anew: a replay imagines it")
            .act(Act::Hop(A, |hop| {
                hop.asked -= 1;
                hop.ifindex = 7;
            }))
            .send(&hello(), transmits(Reason::Placed, &imagined(&out, A))),
        Case::new("a jumbo frame of 9,000 bytes is placed")
            .send(&big, transmits(Reason::Placed, &towards(&big, (A, 5060))))
            .send(&big, transmits(Reason::Pinned, &towards(&big, (A, 5060)).macs(OURS, mac(A)))),
    ]
}

/// The link addresses that a replay imagines for a host.
fn imagined(frame: &Frame, host: IpAddr) -> Frame {
    let ask = pinion_steering::Ask {
        source: pinion_steering::Address::from(C),
        destination: pinion_steering::Address::from(host),
        length: 0,
        class: 0,
        protocol: UDP,
        vlan: 0,
    };
    let next = pinion_steering::hop::imagined(&ask, 1);
    let header: Vec<u8> = next.header.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut frame = frame.clone();
    if let Some((to, from)) = header.split_first_chunk() {
        frame.macs = (*to, from.first_chunk().copied().unwrap_or_default());
    }
    frame
}
