//! Fragments, truncation, lengths that lie.

use pinion_steering::Reason;

use super::places::{C, C6, S, S6, X, X6};
use super::{Case, drops, passes};
use crate::packets::ip::{DESTINATION, FRAGMENT, HOP_BY_HOP, PADN};
use crate::packets::sctp::{data, heartbeat};
use crate::packets::{End, Frame, Network, gtpu, sctp, tcp, udp};

const PHONE: End = (C, 40_000);
const PHONE6: End = (C6, 40_000);

pub(super) fn cases() -> Vec<Case> {
    [fragments(), truncated(), lengths(), strangers()].concat()
}

fn hello() -> Frame {
    udp(PHONE, (S, 5060), b"REGISTER sip:example")
}

fn hello6() -> Frame {
    udp(PHONE6, (S6, 5060), b"REGISTER sip:example")
}

fn fragments() -> Vec<Case> {
    let v6 = |to: End, offset: u8| udp(PHONE6, to, b"part").extension(FRAGMENT, &[0, 0, offset, 0, 0, 0, 1]);
    let late = v6((S6, 5060), 1).extension(DESTINATION, &PADN);
    vec![
        Case::new("a first fragment that holds all of its datagram is dropped")
            .send(&hello().ip(|ip| ip.fragment = 0x2000), drops(Reason::TransportLength)),
        Case::new("a middle fragment to a service address is dropped")
            .send(&hello().ip(|ip| ip.fragment = 0x20b9), drops(Reason::FragmentUnseen)),
        Case::new("a last fragment to a service address is dropped")
            .send(&hello().ip(|ip| ip.fragment = 0x00b9), drops(Reason::FragmentUnseen))
            .flows(0),
        Case::new("a fragment to somebody else passes")
            .send(&udp(PHONE, (X, 5060), b"x").ip(|ip| ip.fragment = 0x2000), passes(Reason::NotOurs)),
        Case::new("IPv6: a first fragment of a few bytes is dropped")
            .send(&v6((S6, 5060), 1), drops(Reason::TransportTruncated)),
        Case::new("IPv6: a last fragment to a service address is dropped")
            .send(&v6((S6, 5060), 8), drops(Reason::FragmentUnseen)),
        Case::new("IPv6: headers behind the fragment header are walked")
            .send(&late, drops(Reason::TransportTruncated)),
        Case::new("IPv6: a fragment to somebody else passes").send(&v6((X6, 5060), 8), passes(Reason::NotOurs)),
    ]
}

/// A case for the least and the greatest length that is refused with each reason, and the whole frame's length.
fn truncated() -> Vec<Case> {
    let short = Reason::EthernetTruncated;
    let ip = |frame: Frame, header: usize| {
        let length = frame.bytes().len();
        Case::new("cut within IP")
            .send(&frame.clone().cut(14), drops(Reason::IpTruncated))
            .send(&frame.clone().cut(14 + header - 1), drops(Reason::IpTruncated))
            .send(&frame.clone().cut(14 + header), drops(Reason::IpLength))
            .send(&frame.cut(length - 1), drops(Reason::IpLength))
            .flows(0)
    };
    let named = |name: &'static str, case: Case| Case { name, ..case };
    vec![
        Case::new("shorter than an Ethernet header")
            .send(&hello().cut(13), drops(short))
            .send(&hello().cut(1), drops(short)),
        Case::new("cut within a VLAN tag")
            .send(&hello().vlan(100).cut(14), drops(short))
            .send(&hello().vlan(100).cut(17), drops(short)),
        Case::new("cut within the second VLAN tag")
            .send(&hello().qinq(100, 7).cut(18), drops(short))
            .send(&hello().qinq(100, 7).cut(21), drops(short)),
        named("cut within IPv4", ip(hello(), 20)),
        named("cut within IPv4 with options", ip(hello().options(&[1; 8]), 20)),
        named("cut within IPv6", ip(hello6(), 40)),
        named("cut within an IPv6 extension header", ip(hello6().extension(HOP_BY_HOP, &PADN), 40)),
        named("TCP: cut", ip(tcp(PHONE, (S, 443), 2, b""), 20)),
        named("SCTP: cut", ip(sctp(PHONE, (S, 38412), 9, &[data(b"x")]), 20)),
        named("GTP-U: cut", ip(gtpu(PHONE, (S, 2152), &crate::packets::gtpu::Gtpu::data(1, b"x")), 20)),
    ]
}

/// A whole IP packet to a service address whose payload is `payload`.
fn carrying(protocol: u8, payload: &[u8]) -> Frame {
    crate::packets::packet(C, S, crate::packets::transport::Payload::Raw(protocol, payload.to_vec()))
}

fn lengths() -> Vec<Case> {
    let (version, length, transport) = (Reason::IpMalformed, Reason::IpLength, Reason::TransportLength);
    let short = Reason::TransportTruncated;
    let v6 = |frame: Frame, length: u16| frame.ip(|ip| ip.length = Some(length));
    let whole =
        |frame: Frame| Frame::new(Network::Raw(0x86dd, frame.bytes().get(14..).unwrap_or_default().to_vec()));
    vec![
        Case::new("IPv4: header length below 20")
            .send(&hello().ip(|ip| ip.first = Some(0x44)), drops(version))
            .send(&hello().ip(|ip| ip.first = Some(0x40)), drops(version)),
        Case::new("IPv4: version 6 inside").send(&hello().ip(|ip| ip.first = Some(0x65)), drops(version)),
        Case::new("IPv6: version 4 inside").send(&hello6().ip(|ip| ip.first = Some(0x45)), drops(version)),
        Case::new("IPv4 under IPv6's EtherType").send(&whole(udp(PHONE, (S, 5060), &[0; 60])), drops(version)),
        Case::new("IPv4: total length below the header's")
            .send(&hello().ip(|ip| ip.length = Some(19)), drops(length))
            .send(&hello().options(&[1; 4]).ip(|ip| ip.length = Some(23)), drops(length)),
        Case::new("IPv4: total length beyond the frame")
            .send(&hello().ip(|ip| ip.length = Some(49)), drops(length)),
        Case::new("IPv4: total length 65,535").send(&hello().ip(|ip| ip.length = Some(0xffff)), drops(length)),
        Case::new("IPv6: payload length beyond the frame").send(&v6(hello6(), 29), drops(length)),
        Case::new("IPv6: payload length 65,535").send(&v6(hello6(), 0xffff), drops(length)),
        Case::new("IPv6: an extension header beyond the packet")
            .send(&hello6().extension(DESTINATION, &[9, 1, 4, 0, 0, 0, 0]), drops(length)),
        Case::new("IPv4: header length beyond the packet")
            .send(&carrying(17, &[0; 8]).ip(|ip| ip.first = Some(0x4f)), drops(length)),
        Case::new("UDP: header cut by the packet's end")
            .send(&carrying(17, &[0; 7]), drops(short))
            .send(&carrying(17, &[]), drops(short))
            .send(&carrying(17, &[0; 7]).padded(20), drops(short)),
        Case::new("UDP: length below 8").send(&hello().udp(|udp| udp.length = Some(7)), drops(transport)),
        Case::new("UDP: length 0").send(&hello().udp(|udp| udp.length = Some(0)), drops(transport)),
        Case::new("UDP: length beyond the packet")
            .send(&hello().udp(|udp| udp.length = Some(29)), drops(transport))
            .send(&hello().udp(|udp| udp.length = Some(29)).padded(10), drops(transport)),
        Case::new("TCP: header cut by the packet's end")
            .send(&carrying(6, &[0; 19]), drops(short))
            .send(&carrying(6, &[0; 19]).padded(20), drops(short)),
        Case::new("TCP: data offset below 5")
            .send(&tcp(PHONE, (S, 443), 2, b"").tcp(|tcp| tcp.offset = Some(4)), drops(transport)),
        Case::new("TCP: data offset beyond the packet")
            .send(&tcp(PHONE, (S, 443), 2, b"").tcp(|tcp| tcp.offset = Some(6)), drops(transport)),
        Case::new("SCTP: header cut by the packet's end")
            .send(&carrying(132, &[0; 15]), drops(short))
            .send(&carrying(132, &[0; 12]).padded(20), drops(short)),
        Case::new("SCTP: chunk length below 4")
            .send(&sctp(PHONE, (S, 38412), 9, &[data(b"x").length(3)]), drops(Reason::ChunkLength))
            .send(&sctp(PHONE, (S, 38412), 9, &[data(b"x").length(0)]), drops(Reason::ChunkLength)),
        Case::new("SCTP: chunk length beyond the packet")
            .send(&sctp(PHONE, (S, 38412), 9, &[heartbeat(b"four").length(20)]), drops(Reason::ChunkLength)),
    ]
}

/// What is malformed but not ours passes untouched: only what is for a service of ours is judged.
fn strangers() -> Vec<Case> {
    let other = udp(PHONE, (X, 5060), b"data");
    let other6 = udp(PHONE6, (X6, 5060), b"data");
    let nine = (0..9).fold(other6.clone(), |frame, _| frame.extension(DESTINATION, &PADN));
    vec![
        Case::new("not ours: UDP length 0 passes")
            .send(&other.clone().udp(|udp| udp.length = Some(0)), passes(Reason::NotOurs)),
        Case::new("not ours: an SCTP chunk length of 0 passes")
            .send(&sctp(PHONE, (X, 38412), 9, &[data(b"x").length(0)]), passes(Reason::NotOurs)),
        Case::new("not ours: a TCP offset below 5 passes")
            .send(&tcp(PHONE, (X, 443), 2, b"").tcp(|tcp| tcp.offset = Some(4)), passes(Reason::NotOurs)),
        Case::new("not ours: nine extension headers pass").send(&nine, passes(Reason::NotOurs)),
        Case::new("not ours: an IPv4 packet longer than its frame passes")
            .send(&other.ip(|ip| ip.length = Some(99)), passes(Reason::NotOurs)),
        Case::new("not ours: an IPv6 packet longer than its frame passes")
            .send(&other6.ip(|ip| ip.length = Some(99)), passes(Reason::NotOurs)),
    ]
}
