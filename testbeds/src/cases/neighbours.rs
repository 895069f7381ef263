//! ARP and neighbour discovery.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pinion_steering::Reason;

use super::places::{C, C6, OURS, S, S1, S6, X, X6};
use super::{Case, passes, transmits};
use crate::packets::transport::Payload;
use crate::packets::{FROM, Frame, Mac, Network, arp, icmp, packet};

pub(super) fn cases() -> Vec<Case> {
    [address_resolution(), solicitations()].concat()
}

fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}

fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V6(v6) => v6,
        IpAddr::V4(_) => Ipv6Addr::UNSPECIFIED,
    }
}

fn address_resolution() -> Vec<Case> {
    let asker = (FROM, v4(C));
    let request = |wanted| arp::request(asker, v4(wanted));
    let reply = |owner| transmits(Reason::ArpAnswered, &arp::reply((OURS, v4(owner)), asker));
    let probe = arp::request((FROM, Ipv4Addr::UNSPECIFIED), v4(S));
    let defence = arp::reply((OURS, v4(S)), (FROM, Ipv4Addr::UNSPECIFIED));
    let changed = |change: fn(&mut Vec<u8>)| {
        let frame = request(S).bytes();
        let mut body = frame.get(14..).unwrap_or_default().to_vec();
        change(&mut body);
        Frame::new(Network::Raw(arp::ARP, body)).macs(FROM, [0xff; 6])
    };
    vec![
        Case::new("ARP: a service address is answered for").send(&request(S), reply(S)).flows(0),
        Case::new("ARP: a service address on path 1 is answered for").send(&request(S1), reply(S1)),
        Case::new("ARP: another address is not answered for").send(&request(X), passes(Reason::NotOurs)),
        Case::new("ARP: a VLAN tag stays").send(&request(S).vlan(100), {
            transmits(Reason::ArpAnswered, &arp::reply((OURS, v4(S)), asker).vlan(100))
        }),
        Case::new("ARP: padding to 60 bytes stays").send(&request(S).padded(18), {
            transmits(Reason::ArpAnswered, &arp::reply((OURS, v4(S)), asker).padded(18))
        }),
        Case::new("ARP: a probe is answered (RFC 5227 2.4)")
            .send(&probe, transmits(Reason::ArpAnswered, &defence)),
        Case::new("ARP: a reply passes").send(&arp::reply((FROM, v4(S)), (OURS, v4(S1))), passes(Reason::NotOurs)),
        Case::new("ARP: other hardware passes")
            .send(&changed(|body| body.splice(1..2, [6]).for_each(drop)), passes(Reason::NotOurs)),
        Case::new("ARP: cut short passes").send(&request(S).cut(41), passes(Reason::NotOurs)),
    ]
}

fn solicitations() -> Vec<Case> {
    let asker: (Mac, Ipv6Addr) = (FROM, v6(C6));
    let asked = |wanted| icmp::solicitation(asker, v6(wanted));
    let answer = icmp::advertisement((OURS, v6(S6)), asker);
    let unspecified = icmp::solicitation((FROM, Ipv6Addr::UNSPECIFIED), v6(S6));
    let direct = asked(S6).ip(|ip| ip.to = S6);
    let bare = {
        let mut body = vec![0; 4];
        body.extend(v6(S6).octets());
        packet(C6, S6, Payload::Icmpv6(135, 0, body)).ttl(255)
    };
    let short = packet(C6, S6, Payload::Icmpv6(135, 0, vec![0; 16])).ttl(255);
    let coded = asked(S6).ip(|ip| {
        if let Payload::Icmpv6(_, code, _) = &mut ip.payload {
            *code = 1;
        }
    });
    vec![
        Case::new("NS: a service address is advertised")
            .send(&asked(S6), transmits(Reason::NeighbourAnswered, &answer))
            .flows(0),
        Case::new("NS: sent to the address itself (RFC 4861 7.2.2, reachability)")
            .send(&direct, transmits(Reason::NeighbourAnswered, &answer)),
        Case::new("NS: without the asker's link address")
            .send(&bare, transmits(Reason::NeighbourAnswered, &answer)),
        Case::new("NS: a VLAN tag stays")
            .send(&asked(S6).vlan(100), transmits(Reason::NeighbourAnswered, &answer.clone().vlan(100))),
        Case::new("NS: padding behind it goes")
            .send(&asked(S6).padded(6), transmits(Reason::NeighbourAnswered, &answer)),
        Case::new("NS: a hop limit below 255 may come from afar (RFC 4861 7.1.1)")
            .send(&asked(S6).ttl(254), passes(Reason::NotOurs)),
        Case::new("NS: duplicate address detection passes").send(&unspecified, passes(Reason::NotOurs)),
        Case::new("NS: another address passes").send(&asked(X6), passes(Reason::NotOurs)),
        Case::new("NS: a code other than 0 passes").send(&coded, passes(Reason::NotOurs)),
        Case::new("NS: cut short passes").send(&short, passes(Reason::NotOurs)),
        Case::new("NS: an advertisement passes").send(&answer, passes(Reason::NotOurs)),
    ]
}
