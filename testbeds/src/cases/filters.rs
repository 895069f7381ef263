//! Filters of tunnels (TS 23.501 5.6.4.2): users' packets that leave their tunnel, or go to another UPF.

use std::net::{IpAddr, Ipv6Addr};

use pinion_steering::{Address, FILTERS_MOST, Filter, Reason};

use super::places::{C, C6, EDGE, EDGE6, M, M6, OURS, S, S6, U, U6, USER, USER6, V, mac};
use super::{Act, Branch, Case, Tunnel, drops, redirects, towards, transmits};
use crate::packets::fragment::pieces;
use crate::packets::gtpu::{CONTAINER, Gtpu};
use crate::packets::ip::{DESTINATION, HOP_BY_HOP, PADN};
use crate::packets::transport::Sum;
use crate::packets::{End, Frame, gtpu, sctp, tcp, udp};

/// The TEID as clients know it, as its owner does, and as the other UPF knows the user.
const TEIDS: (u32, u32, u32) = (7, 0x0102_0304, 0x0a0b_0c0d);

pub(super) fn cases() -> Vec<Case> {
    [broken_out(), branched(), matched(), unmatched(), changed(), refused()].concat()
}

/// All packets.
fn any() -> Filter {
    Filter { source_ports: Filter::ANY_PORT, destination_ports: Filter::ANY_PORT, ..Filter::default() }
}

fn towards_prefix(destination: IpAddr, bits: u8) -> Filter {
    Filter { destination: Address::from(destination), destination_bits: bits, ..any() }
}

/// To the edge's own address, of either family.
fn edge() -> [Filter; 2] {
    [towards_prefix(EDGE, 128), towards_prefix(EDGE6, 128)]
}

/// Out of the tunnel.
fn out(filter: Filter) -> Branch {
    Branch { filter, service: "n3", endpoint: "mec/m" }
}

/// To another UPF.
fn on(filter: Filter) -> Branch {
    Branch { filter: Filter { teid: TEIDS.2, ..filter }, service: "n3", endpoint: "a" }
}

/// A taught tunnel of the second UPF, with filters.
fn taught(name: &'static str, branches: &[Branch]) -> Case {
    classified(name, Tunnel::over_v4(TEIDS.0, TEIDS.1), branches)
}

/// As [`taught`], over IPv6.
fn taught6(name: &'static str, branches: &[Branch]) -> Case {
    classified(name, Tunnel::over_v6(TEIDS.0, TEIDS.1), branches)
}

fn classified(name: &'static str, tunnel: Tunnel, branches: &[Branch]) -> Case {
    let classify = Act::Classify(tunnel.address, tunnel.teid, branches.to_vec());
    Case::new(name).act(Act::Pin(tunnel)).act(classify)
}

/// A user's packet, as it is in its tunnel.
fn within(user: &Frame) -> Vec<u8> {
    user.bytes().get(14..).unwrap_or_default().to_vec()
}

fn message(teid: u32, data: &[u8]) -> Gtpu {
    Gtpu { extensions: vec![(CONTAINER.0, CONTAINER.1.to_vec())], ..Gtpu::data(teid, data) }
}

const GNB: End = (C, 2152);
const GNB6: End = (C6, 2152);

fn uplink(teid: u32, user: &Frame) -> Frame {
    gtpu(GNB, (S, 2152), &message(teid, &within(user)))
}

fn uplink6(teid: u32, user: &Frame) -> Frame {
    gtpu(GNB6, (S6, 2152), &message(teid, &within(user)))
}

/// A user's packet as it goes on out of its tunnel.
fn freed(user: &Frame, next: IpAddr) -> Frame {
    user.clone().ip(|ip| ip.ttl = ip.ttl.saturating_sub(1)).macs(OURS, mac(next)).untagged()
}

fn call() -> Frame {
    udp((USER, 5000), (EDGE, 53), b"a question")
}

fn call6() -> Frame {
    udp((USER6, 5000), (EDGE6, 53), b"a question")
}

/// The packet stays in its tunnel.
fn stays(case: Case, user: &Frame) -> Case {
    owned(case, &uplink(TEIDS.0, user), &uplink(TEIDS.1, user))
}

fn owned(case: Case, sent: &Frame, left: &Frame) -> Case {
    case.send(sent, transmits(Reason::Pinned, &towards(left, (V, 2152))))
}

/// The packet leaves its tunnel.
fn leaves(case: Case, user: &Frame) -> Case {
    case.send(&uplink(TEIDS.0, user), transmits(Reason::BrokenOut, &freed(user, M)))
}

/// The packet goes to the other UPF.
fn goes(case: Case, user: &Frame) -> Case {
    let left = towards(&uplink(TEIDS.2, user), (U, 2152));
    case.send(&uplink(TEIDS.0, user), transmits(Reason::Branched, &left))
}

fn broken_out() -> Vec<Case> {
    let filters = edge().map(out);
    let there = |name| taught(name, &filters);
    let bare = |name, message: &Gtpu| {
        there(name).send(&gtpu(GNB, (S, 2152), message), transmits(Reason::BrokenOut, &freed(&call(), M)))
    };
    let plain = Gtpu::data(TEIDS.0, &within(&call()));
    let full = Gtpu {
        sequence: Some(9),
        npdu: Some(3),
        extensions: vec![(0xc0, vec![0x12, 0x34]), (CONTAINER.0, CONTAINER.1.to_vec()), (0x20, vec![5; 6])],
        ..plain.clone()
    };
    let behind = Gtpu { data: [within(&call()), vec![0; 9]].concat(), ..plain.clone() };
    let six = |user: &Frame| transmits(Reason::BrokenOut, &freed(user, M6));
    let exit6 = |filter| Branch { filter, service: "n36", endpoint: "mec/m6" };
    vec![
        leaves(there("filters: a packet is broken out"), &call()),
        leaves(there("filters: an IPv6 packet is broken out"), &call6()),
        bare("filters: broken out behind the shortest header", &plain),
        bare("filters: broken out behind sequence, N-PDU number and three extension headers", &full),
        bare("filters: what is behind a user's packet is not sent on", &behind),
        taught6("filters: IPv4 broken out of IPv6", &edge().map(exit6))
            .send(&uplink6(TEIDS.0, &call()), six(&call())),
        taught6("filters: IPv6 broken out of IPv6", &edge().map(exit6))
            .send(&uplink6(TEIDS.0, &call6()), six(&call6())),
        leaves(there("filters: broken out with IPv4 options"), &call().options(&[1; 8])),
        leaves(there("filters: a wrong checksum stays wrong"), &call().sum(Sum::Off(5))),
        leaves(there("filters: of 1,400 bytes"), &udp((USER, 1), (EDGE, 2), &[7; 1372])),
        there("filters: out of a tagged tunnel")
            .send(&uplink(TEIDS.0, &call()).vlan(5), transmits(Reason::BrokenOut, &freed(&call(), M))),
        there("filters: broken out onto a tag")
            .act(Act::Hop(M, |hop| hop.vlan = 100))
            .send(&uplink(TEIDS.0, &call()), transmits(Reason::BrokenOut, &freed(&call(), M).vlan(100))),
        there("filters: broken out by another interface")
            .act(Act::Hop(M, |hop| hop.ifindex = 7))
            .send(&uplink(TEIDS.0, &call()), redirects(Reason::BrokenOut, &freed(&call(), M))),
        there("filters: without the outer checksum")
            .send(&uplink(TEIDS.0, &call()).sum(Sum::Zero), transmits(Reason::BrokenOut, &freed(&call(), M))),
    ]
}

fn branched() -> Vec<Case> {
    let filters = edge().map(on);
    let same = Branch { filter: Filter { teid: TEIDS.0, ..edge()[0] }, service: "n3", endpoint: "a" };
    let other = Branch { filter: Filter { teid: TEIDS.2, ..edge()[1] }, service: "n36", endpoint: "a" };
    let sent = |teid| uplink(teid, &call()).sum(Sum::Zero);
    let large = udp((USER, 1), (EDGE, 2), &[0x5a; 2000]);
    let whole = |teid| gtpu(GNB, (S, 2152), &message(teid, &within(&large)));
    let both =
        pieces(&whole(TEIDS.0), 3, 800).into_iter().zip(pieces(&towards(&whole(TEIDS.2), (U, 2152)), 3, 800));
    let cut =
        both.enumerate().fold(taught("filters: fragments go to another UPF", &filters), |case, (at, pair)| {
            let reason = if at == 0 { Reason::Branched } else { Reason::Followed };
            case.send(&pair.0, transmits(reason, &pair.1))
        });
    vec![
        goes(taught("filters: a packet goes to another UPF, its container kept", &filters), &call()),
        goes(taught("filters: an IPv6 packet goes to another UPF", &filters), &call6()),
        taught("filters: to another UPF without checksum", &filters)
            .send(&sent(TEIDS.0), transmits(Reason::Branched, &towards(&sent(TEIDS.2), (U, 2152)))),
        taught("filters: to another UPF by the same TEID", &[same]).send(
            &uplink(TEIDS.0, &call()),
            transmits(Reason::Branched, &towards(&uplink(TEIDS.0, &call()), (U, 2152))),
        ),
        taught6("filters: to another UPF over IPv6", &[other]).send(
            &uplink6(TEIDS.0, &call6()),
            transmits(Reason::Branched, &towards(&uplink6(TEIDS.2, &call6()), (U6, 2152))),
        ),
        cut,
    ]
}

fn matched() -> Vec<Case> {
    let (prefix, prefix6) = (towards_prefix([203, 0, 113, 0].into(), 96 + 24), towards_prefix(EDGE6, 48));
    let from = Filter { source: Address::from(USER), source_bits: 96 + 16, ..any() };
    let ports = Filter { destination_ports: [50, 60], protocol: 17, ..any() };
    let source_port = Filter { source_ports: [5000, 5000], ..any() };
    let to = |port| udp((USER, 5000), (EDGE, port), b"a question");
    let of = |address: [u8; 4]| udp((USER, 1), (address.into(), 2), b"");
    let shim = call6().extension(HOP_BY_HOP, &PADN).extension(DESTINATION, &PADN);
    let last: Vec<Branch> = (1..FILTERS_MOST)
        .map(|at| out(towards_prefix([10, 0, 0, at as u8].into(), 128)))
        .chain([out(any())])
        .collect();
    let stream = sctp((USER, 5000), (EDGE, 55), 9, &[]);
    vec![
        leaves(
            stays(
                leaves(taught("filters: by prefix", &[out(prefix)]), &of([203, 0, 113, 0])),
                &of([203, 0, 112, 255]),
            ),
            &of([203, 0, 113, 255]),
        ),
        stays(
            leaves(taught("filters: by IPv6 prefix", &[out(prefix6)]), &call6()),
            &udp((USER6, 1), (Ipv6Addr::new(0x2001, 0xdb8, 0xee, 0, 0, 0, 0, 0x80).into(), 2), b""),
        ),
        stays(
            leaves(taught("filters: by where packets are from", &[out(from)]), &call()),
            &udp(([10, 46, 0, 7].into(), 5000), (EDGE, 53), b""),
        ),
        leaves(
            leaves(stays(stays(taught("filters: by a range of ports", &[out(ports)]), &to(49)), &to(61)), &to(50)),
            &to(60),
        ),
        stays(taught("filters: by protocol", &[out(ports)]), &tcp((USER, 5000), (EDGE, 53), 2, b"")),
        leaves(taught("filters: by SCTP's ports", &[out(source_port)]), &stream),
        leaves(leaves(taught("filters: any protocol, either family", &[out(any())]), &call()), &call6()),
        leaves(taught("filters: behind IPv6 extension headers", &[out(ports)]), &shim),
        goes(taught("filters: the first that matches", &[on(prefix), out(prefix)]), &call()),
        leaves(taught("filters: the first that matches, out", &[out(prefix), on(prefix)]), &call()),
        leaves(taught("filters: the last of as many as there may be", &last), &call()),
    ]
}

fn unmatched() -> Vec<Case> {
    let all = |name| taught(name, &[out(any())]);
    let as_is = |name, kind: u8, data: &[u8]| {
        let sent = |teid| gtpu(GNB, (S, 2152), &Gtpu { kind, ..message(teid, data) });
        owned(all(name), &sent(TEIDS.0), &sent(TEIDS.1))
    };
    let whole = within(&call());
    let cut = |length| whole.get(..length).unwrap_or_default().to_vec();
    let [later, ..] = pieces(&udp((USER, 5000), (EDGE, 53), &[7; 900]), 5, 400)
        .split_off(1)
        .try_into()
        .unwrap_or([call(), call()]);
    let ports = Filter { destination_ports: [53, 53], ..any() };
    let six = within(&call6());
    vec![
        as_is("filters: an End Marker is its tunnel's", 254, &[]),
        as_is("filters: what is no IP packet", 255, b"user packet"),
        as_is("filters: an empty message", 255, &[]),
        as_is("filters: a user's packet that is cut", 255, &cut(27)),
        as_is("filters: a user's header that is cut", 255, &cut(19)),
        as_is("filters: a user's IPv6 header that is cut", 255, six.get(..39).unwrap_or_default()),
        as_is("filters: a user's IPv6 packet that is cut", 255, six.get(..44).unwrap_or_default()),
        as_is(
            "filters: a user's header of no length",
            255,
            &[&[0x44], whole.get(1..).unwrap_or_default()].concat(),
        ),
        stays(taught("filters: a fragment has no ports", &[out(ports)]), &later),
        leaves(taught("filters: a fragment goes where ports do not count", &[out(any())]), &later),
        stays(
            taught("filters: none matches", &edge().map(out)),
            &udp((USER, 1), ([203, 0, 113, 81].into(), 2), b""),
        ),
    ]
}

fn changed() -> Vec<Case> {
    let classify = |branches: &[Branch]| Act::Classify(S, TEIDS.0, branches.to_vec());
    let again = Tunnel::over_v4(TEIDS.0, TEIDS.1);
    let begin = |name| leaves(taught(name, &[out(any())]), &call());
    vec![
        goes(begin("filters: others take their place").act(classify(&[on(any())])), &call()),
        leaves(
            goes(begin("filters: and others again").act(classify(&[on(any())])), &call())
                .act(classify(&[out(any())])),
            &call6(),
        ),
        stays(begin("filters: none any more").act(classify(&[])), &call()),
        stays(begin("filters: they go with their pin").act(Act::Unpin(S, TEIDS.0)).act(Act::Pin(again)), &call()),
    ]
}

fn refused() -> Vec<Case> {
    let all = |name| taught(name, &[out(any())]);
    let sent = uplink(TEIDS.0, &call());
    let [first, ..] = pieces(&uplink(TEIDS.0, &udp((USER, 1), (EDGE, 2), &[7; 900])), 5, 400)
        .try_into()
        .unwrap_or([call(), call(), call()]);
    vec![
        all("filters: a tunnel's packet at the end of its way")
            .send(&sent.clone().ttl(1), drops(Reason::TtlExpired)),
        all("filters: a user's packet at the end of its way")
            .send(&uplink(TEIDS.0, &call().ttl(1)), drops(Reason::TtlExpired)),
        all("filters: a user's packet that is too big for where it goes")
            .act(Act::Hop(M, |hop| hop.mtu = 37))
            .send(&sent, drops(Reason::TooBig)),
        leaves(all("filters: a user's packet as big as can be").act(Act::Hop(M, |hop| hop.mtu = 38)), &call()),
        all("filters: a fragment is not broken out").send(&first, drops(Reason::Fragment)),
    ]
}
