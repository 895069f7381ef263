//! What stands in front of the transport header: VLAN tags, IPv4 options, IPv6 extension headers, padding.

use pinion_steering::Reason;

use super::places::{A, A6, C, C6, S, S6, X};
use super::{Act, Case, drops, passes, replied, towards, transmits};
use crate::packets::ip::{AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, PADN, ROUTING};
use crate::packets::transport::Payload;
use crate::packets::{End, Frame, Network, icmp, packet, sctp, tcp, udp};

const PHONE: End = (C, 40_000);
const PHONE6: End = (C6, 40_000);

pub(super) fn cases() -> Vec<Case> {
    [tags(), v4(), v6(), others()].concat()
}

fn hello() -> Frame {
    udp(PHONE, (S, 5060), b"REGISTER sip:example")
}

fn hello6() -> Frame {
    udp(PHONE6, (S6, 5060), b"REGISTER sip:example")
}

fn placed(frame: &Frame) -> super::Expect {
    let endpoint = if frame.destination().is_some_and(|to| to.is_ipv4()) { (A, 5060) } else { (A6, 5060) };
    transmits(Reason::Placed, &towards(frame, endpoint))
}

fn tags() -> Vec<Case> {
    let out = towards(&hello(), (A, 5060));
    let out6 = towards(&hello6(), (A6, 5060));
    let ok = udp((A, 5060), PHONE, b"200 OK");
    let web = tcp(PHONE6, (S6, 443), 2, b"").qinq(100, 7);
    vec![
        Case::new("VLAN: a tag is taken off where the next hop has none")
            .send(&hello().vlan(100), transmits(Reason::Placed, &out)),
        Case::new("VLAN: a tag stays where the next hop has the same")
            .act(Act::Hop(A, |hop| hop.vlan = 100))
            .send(&hello().vlan(100), transmits(Reason::Placed, &out.clone().vlan(100))),
        Case::new("VLAN: a tag becomes the next hop's")
            .act(Act::Hop(A, |hop| hop.vlan = 200))
            .send(&hello().vlan(100), transmits(Reason::Placed, &out.clone().vlan(200))),
        Case::new("VLAN: a reply gets the client's tag")
            .act(Act::Hop(C, |hop| hop.vlan = 100))
            .send(&hello().vlan(100), transmits(Reason::Placed, &out))
            .send(&ok, transmits(Reason::Replied, &replied(&ok, (S, 5060)).vlan(100))),
        Case::new("VLAN: a priority tag is taken off").send(&hello().vlan(0), transmits(Reason::Placed, &out)),
        Case::new("QinQ: both tags are taken off where the next hop has none")
            .send(&hello().qinq(100, 7), transmits(Reason::Placed, &out)),
        Case::new("QinQ: one tag is left where the next hop has one")
            .act(Act::Hop(A, |hop| hop.vlan = 0x2007))
            .send(&hello().qinq(100, 7), transmits(Reason::Placed, &out.vlan(0x2007))),
        Case::new("QinQ: IPv6, TCP").send(&web, transmits(Reason::Placed, &towards(&web, (A6, 8443)))),
        Case::new("VLAN: IPv6 gets a tag")
            .act(Act::Hop(A6, |hop| hop.vlan = 9))
            .send(&hello6(), transmits(Reason::Placed, &out6.vlan(9))),
        Case::new("VLAN: what is not ours keeps its tags")
            .send(&udp(PHONE, (X, 5060), b"x").qinq(100, 7), passes(Reason::NotOurs)),
    ]
}

fn v4() -> Vec<Case> {
    let alert = hello().options(&[0x94, 4, 0, 0]);
    let most = hello().options(&[1; 40]);
    let class = hello().ip(|ip| ip.class = 0xb8);
    let last = tcp(PHONE, (S, 443), 2, b"").options(&[1; 40]);
    vec![
        Case::new("IPv4: options (router alert) are stepped over").send(&alert, placed(&alert)),
        Case::new("IPv4: 40 bytes of options").send(&most, placed(&most)),
        Case::new("IPv4: 40 bytes of options, TCP with its port rewritten")
            .send(&last, transmits(Reason::Placed, &towards(&last, (A, 8443)))),
        Case::new("IPv4: type of service is kept").send(&class, placed(&class)),
        Case::new("IPv4: the do-not-fragment bit may be clear")
            .send(&hello().ip(|ip| ip.fragment = 0), placed(&hello().ip(|ip| ip.fragment = 0))),
        Case::new("IPv4: bytes behind the packet stay, and do not count")
            .send(&hello().padded(5), placed(&hello().padded(5))),
        Case::new("IPv4: a short packet padded to 60 bytes")
            .send(&udp(PHONE, (S, 5060), b"x").padded(17), placed(&udp(PHONE, (S, 5060), b"x").padded(17))),
        Case::new("IPv4: a header checksum that is wrong stays wrong").send(&raw_sum(&hello(), 0x0100), {
            let out = raw_sum(&towards(&hello(), (A, 5060)), 0x0100);
            transmits(Reason::Placed, &out)
        }),
        Case::new("IPv4: the evil bit is no fragment")
            .send(&hello().ip(|ip| ip.fragment = 0x8000), placed(&hello().ip(|ip| ip.fragment = 0x8000))),
    ]
}

/// The frame with its IPv4 header checksum off by `by`, as bytes.
fn raw_sum(frame: &Frame, by: u16) -> Frame {
    let bytes = frame.bytes();
    let (mac, rest) = bytes.split_at_checked(14).unwrap_or_default();
    let mut rest = rest.to_vec();
    if let Some([high, low]) = rest.get_mut(10..12) {
        let check = !u16::from_be_bytes([*high, *low]);
        let (sum, carry) = check.overflowing_add(by);
        let [a, b] = (!(sum + u16::from(carry))).to_be_bytes();
        (*high, *low) = (a, b);
    }
    let mut out = Frame::new(Network::Raw(0x0800, rest));
    if let (Some(to), Some(from)) = (mac.first_chunk(), mac.get(6..).and_then(|mac| mac.first_chunk())) {
        out = out.macs(*from, *to);
    }
    out
}

fn v6() -> Vec<Case> {
    let hop_by_hop = hello6().extension(HOP_BY_HOP, &PADN);
    let long = hello6().extension(DESTINATION, &[&[2, 1, 20][..], &[0; 20]].concat());
    let all = hop_by_hop.clone().extension(ROUTING, &[0, 4, 0, 0, 0, 0, 0]).extension(DESTINATION, &PADN);
    let atomic = hello6().extension(FRAGMENT, &[0, 0, 0, 0, 0, 0, 1]);
    let authenticated = hello6().extension(AUTHENTICATION, &[&[4, 0, 0][..], &[0; 20]].concat());
    let eight = (0..8).fold(hello6(), |frame, _| frame.extension(DESTINATION, &PADN));
    let nine = (0..9).fold(hello6(), |frame, _| frame.extension(DESTINATION, &PADN));
    let class = hello6().ip(|ip| ip.class = 0xb8);
    let init =
        sctp((C6, 38412), (S6, 38412), 0, &[crate::packets::sctp::init(7, &[])]).extension(HOP_BY_HOP, &PADN);
    vec![
        Case::new("IPv6: hop-by-hop options are stepped over").send(&hop_by_hop, placed(&hop_by_hop)),
        Case::new("IPv6: destination options of 24 bytes").send(&long, placed(&long)),
        Case::new("IPv6: hop-by-hop, routing, destination options").send(&all, placed(&all)),
        Case::new("IPv6: an atomic fragment is none (RFC 6946)").send(&atomic, placed(&atomic)),
        Case::new("IPv6: an authentication header counts in 4-octet units (RFC 4302)")
            .send(&authenticated, placed(&authenticated)),
        Case::new("IPv6: eight extension headers").send(&eight, placed(&eight)),
        Case::new("IPv6: nine extension headers are too many")
            .send(&nine, drops(Reason::ExtensionHeaders))
            .flows(0),
        Case::new("IPv6: traffic class is kept").send(&class, placed(&class)),
        Case::new("IPv6: an INIT behind hop-by-hop options")
            .send(&init, transmits(Reason::Placed, &towards(&init, (A6, 38412)))),
        Case::new("IPv6: bytes behind the packet stay").send(&hello6().padded(3), placed(&hello6().padded(3))),
    ]
}

fn others() -> Vec<Case> {
    let raw = |ethertype: u16| Frame::new(Network::Raw(ethertype, vec![1; 46]));
    vec![
        Case::new("neither IP nor ARP passes").send(&raw(0x88cc), passes(Reason::NotIp)),
        Case::new("a length in place of an EtherType passes").send(&raw(46), passes(Reason::NotIp)),
        Case::new("ICMP to a service address passes").send(&icmp::ping(C, S), passes(Reason::NotOurs)),
        Case::new("ICMPv6 to a service address passes").send(&icmp::ping6(C6, S6), passes(Reason::NotOurs)),
        Case::new("ESP to a service address passes")
            .send(&packet(C, S, Payload::Raw(50, vec![0; 24])), passes(Reason::NotOurs)),
        Case::new("IPv6 without a next header passes")
            .send(&packet(C6, S6, Payload::Raw(59, Vec::new())), passes(Reason::NotOurs)),
    ]
}
