//! Who is where in the cases: clients, services, endpoints. Path p is 10.p/16, or fd00:p::/32.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pinion_loader::setup::{EndpointSpec, ServiceSpec};
use pinion_steering::{Exhausted, Kind, Placement, Unknown};

use crate::packets::Mac;

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(path: u16, net: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0xfd00, path, net, 0, 0, 0, 0, host))
}

/// A client on path 0.
pub const C: IpAddr = v4(192, 0, 2, 10);
/// The same client on path 1.
pub const C1: IpAddr = v4(198, 51, 100, 10);
/// Another client on path 0.
pub const D: IpAddr = v4(192, 0, 2, 11);
/// A client with IPv6 on path 0.
pub const C6: IpAddr = v6(0, 1, 2);
/// The same client on path 1.
pub const C61: IpAddr = v6(1, 1, 2);

/// The services' address on path 0.
pub const S: IpAddr = v4(10, 0, 255, 1);
/// On path 1.
pub const S1: IpAddr = v4(10, 1, 255, 1);
/// IPv6, path 0.
pub const S6: IpAddr = v6(0, 255, 1);
/// IPv6, path 1.
pub const S61: IpAddr = v6(1, 255, 1);
/// Address of the GTP-U service that drops tunnels that nobody taught.
pub const S_DROP: IpAddr = v4(10, 0, 255, 2);
/// Address of the GTP-U service that punts them.
pub const S_PUNT: IpAddr = v4(10, 0, 255, 3);
/// Address of the GTP-U service that gives tunnels in turn.
pub const S_TURNS: IpAddr = v4(10, 0, 255, 4);
/// Address of the GTP-U service that has no endpoint, and says so.
pub const S_REJECT: IpAddr = v4(10, 0, 255, 5);

/// Address of the GTP-U service that answers tunnels that nobody taught by Error Indications.
pub const S_INDICATE: IpAddr = v4(10, 0, 255, 6);
/// The same, IPv6.
pub const S6_INDICATE: IpAddr = v6(0, 255, 6);

/// Endpoint a on path 0.
pub const A: IpAddr = v4(10, 0, 101, 2);
/// On path 1.
pub const A1: IpAddr = v4(10, 1, 101, 2);
/// IPv6, path 0.
pub const A6: IpAddr = v6(0, 101, 2);
/// IPv6, path 1.
pub const A61: IpAddr = v6(1, 101, 2);
/// Endpoint b on path 0.
pub const B: IpAddr = v4(10, 0, 102, 2);
/// On path 1.
pub const B1: IpAddr = v4(10, 1, 102, 2);
/// IPv6, path 0.
pub const B6: IpAddr = v6(0, 102, 2);
/// IPv6, path 1.
pub const B61: IpAddr = v6(1, 102, 2);
/// A UPF.
pub const U: IpAddr = v4(10, 0, 111, 2);
/// Another UPF.
pub const V: IpAddr = v4(10, 0, 112, 2);
/// A UPF with IPv6.
pub const U6: IpAddr = v6(0, 111, 2);
/// A UPF behind the services that drop or punt.
pub const W: IpAddr = v4(10, 0, 113, 2);
/// A UPF behind the service that gives tunnels in turn.
pub const Y: IpAddr = v4(10, 0, 114, 2);
/// Another one.
pub const Z: IpAddr = v4(10, 0, 115, 2);
/// Where users' packets leave their tunnels.
pub const M: IpAddr = v4(10, 0, 121, 3);
/// The same, IPv6.
pub const M6: IpAddr = v6(0, 121, 2);
/// A user, whose packets are in tunnels.
pub const USER: IpAddr = v4(10, 45, 0, 7);
/// The one that it speaks to.
pub const EDGE: IpAddr = v4(203, 0, 113, 80);
/// The user, IPv6.
pub const USER6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x45, 0, 0, 0, 0, 7));
/// The one that it speaks to, IPv6.
pub const EDGE6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xed, 0, 0, 0, 0, 0x80));
/// Somebody that no service knows.
pub const X: IpAddr = v4(203, 0, 113, 77);
/// Somebody that no service knows.
pub const X6: IpAddr = v6(9, 9, 9);

/// Everybody that frames are sent on to.
pub const HOSTS: [IpAddr; 21] = [C, C1, D, C6, C61, A, A1, A6, A61, B, B1, B6, B61, U, V, U6, W, Y, Z, M, M6];

/// The balancer's own link address.
pub const OURS: Mac = [0x02, 0xba, 0, 0, 0, 0x01];

/// The link address of the next hop to a host.
#[must_use]
pub fn mac(host: IpAddr) -> Mac {
    let (a, b, c) = match host {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            (a ^ d, b, c)
        }
        IpAddr::V6(v6) => {
            let [_, path, net, .., host] = v6.segments();
            (host as u8, path as u8, net as u8)
        }
    };
    [0x02, 0x0e, u8::from(host.is_ipv6()), a, b, c]
}

/// The services that every case begins with. Endpoint a takes all new sessions: b has weight 0, but for the
/// services that show placements, and those that reject.
#[must_use]
pub fn services() -> Vec<ServiceSpec> {
    let (udp, tcp, sctp) = (17, 6, 132);
    let single = |a, b, port| vec![endpoint("a", &[a], port, 1), endpoint("b", &[b], port, 0)];
    let double = |port| vec![endpoint("a", &[A, A1], port, 1), endpoint("b", &[B, B1], port, 0)];
    let double6 = |port| vec![endpoint("a", &[A6, A61], port, 1), endpoint("b", &[B6, B61], port, 0)];
    let both = |port, weight| vec![endpoint("a", &[A], port, weight), endpoint("b", &[B], port, 1)];
    let turning = vec![endpoint("a", &[Y], 2152, 1), endpoint("b", &[Z], 2152, 1)];
    let mixed = vec![endpoint("a", &[A, A61], 38416, 1), endpoint("b", &[B, B61], 38416, 0)];
    vec![
        service("sip", Kind::Flow, udp, 5060, &[S], single(A, B, 5060)),
        service("alt", Kind::Flow, udp, 5070, &[S], single(A, B, 15070)),
        service("web", Kind::Flow, tcp, 443, &[S], single(A, B, 8443)),
        service("sip6", Kind::Flow, udp, 5060, &[S6], single(A6, B6, 5060)),
        service("web6", Kind::Flow, tcp, 443, &[S6], single(A6, B6, 8443)),
        service("two", Kind::Flow, udp, 7000, &[S, S1], double(7000)),
        service("dead", Kind::Flow, udp, 5061, &[S], vec![down(endpoint("a", &[A], 5061, 1))]),
        exiting(
            endpoint("mec/m", &[M], 2152, 0),
            unknown(Unknown::Hash, service("n3", Kind::Gtpu, udp, 2152, &[S], single(U, V, 2152))),
        ),
        exiting(
            endpoint("mec/m6", &[M6], 2152, 0),
            unknown(
                Unknown::Hash,
                service("n36", Kind::Gtpu, udp, 2152, &[S6], vec![endpoint("a", &[U6], 2152, 1)]),
            ),
        ),
        service("n3drop", Kind::Gtpu, udp, 2152, &[S_DROP], vec![endpoint("w", &[W], 2152, 1)]),
        unknown(
            Unknown::Punt,
            service("n3punt", Kind::Gtpu, udp, 2152, &[S_PUNT], vec![endpoint("w", &[W], 2152, 1)]),
        ),
        service("n2", Kind::Sctp, sctp, 38412, &[S, S1], double(38412)),
        service("n26", Kind::Sctp, sctp, 38412, &[S6, S61], double6(38412)),
        service("ports", Kind::Sctp, sctp, 36412, &[S, S1], double(36422)),
        unknown(Unknown::Hash, service("hash", Kind::Sctp, sctp, 38413, &[S, S1], double(38413))),
        unknown(Unknown::Punt, service("punt", Kind::Sctp, sctp, 38414, &[S, S1], double(38414))),
        service("lone", Kind::Sctp, sctp, 38415, &[S], single(A, B, 38415)),
        service("mix", Kind::Sctp, sctp, 38416, &[S, S61], mixed),
        service("gone", Kind::Sctp, sctp, 38417, &[S], vec![down(endpoint("a", &[A], 38417, 1))]),
        placed(Placement::RoundRobin, service("turns", Kind::Flow, udp, 5081, &[S], both(5081, 1))),
        placed(Placement::RoundRobin, service("turns3", Kind::Flow, udp, 5082, &[S], both(5082, 3))),
        placed(
            Placement::RoundRobin,
            unknown(Unknown::Hash, service("turns-n3", Kind::Gtpu, udp, 2152, &[S_TURNS], turning)),
        ),
        placed(Placement::LeastSessions, service("fewest", Kind::Flow, tcp, 5083, &[S], both(5083, 1))),
        placed(Placement::LeastSessions, service("fewest3", Kind::Flow, udp, 5084, &[S], both(5084, 3))),
        placed(Placement::LeastSessions, service("fewest-n2", Kind::Sctp, sctp, 5085, &[S], both(5085, 1))),
        placed(Placement::SourceAffinity, service("near", Kind::Flow, udp, 5086, &[S], both(5086, 1))),
        placed(Placement::SourceAffinity, service("near-n2", Kind::Sctp, sctp, 5087, &[S], both(5087, 1))),
        rejecting(service("no-udp", Kind::Flow, udp, 5090, &[S], vec![down(endpoint("a", &[A], 5090, 1))])),
        rejecting(service("no-tcp", Kind::Flow, tcp, 5090, &[S], vec![down(endpoint("a", &[A], 5090, 1))])),
        rejecting(service("no-sctp", Kind::Sctp, sctp, 5090, &[S], Vec::new())),
        rejecting(service("no-udp6", Kind::Flow, udp, 5090, &[S6], vec![down(endpoint("a", &[A6], 5090, 1))])),
        rejecting(service("no-tcp6", Kind::Flow, tcp, 5090, &[S6], vec![down(endpoint("a", &[A6], 5090, 1))])),
        rejecting(service("no-sctp6", Kind::Sctp, sctp, 5090, &[S6], Vec::new())),
        rejecting(unknown(Unknown::Hash, service("no-n3", Kind::Gtpu, udp, 2152, &[S_REJECT], Vec::new()))),
        unknown(
            Unknown::Indicate,
            service("n3told", Kind::Gtpu, udp, 2152, &[S_INDICATE], vec![endpoint("w", &[W], 2152, 1)]),
        ),
        unknown(
            Unknown::Indicate,
            service(
                "n3told6",
                Kind::Gtpu,
                udp,
                2152,
                &[S6_INDICATE],
                vec![endpoint("w", &[v6(0, 113, 2)], 2152, 1)],
            ),
        ),
    ]
}

/// A service that drops what belongs to no session.
#[must_use]
pub fn service(
    name: &str,
    kind: Kind,
    protocol: u8,
    port: u16,
    addresses: &[IpAddr],
    endpoints: Vec<EndpointSpec>,
) -> ServiceSpec {
    let (name, addresses) = (name.to_owned(), addresses.to_vec());
    let (placement, exhausted) = (Placement::Maglev, Exhausted::Drop);
    ServiceSpec {
        name,
        kind,
        protocol,
        port,
        addresses,
        unknown: Unknown::Drop,
        placement,
        exhausted,
        endpoints,
        aware: false,
        exits: Vec::new(),
    }
}

/// An endpoint that is up.
#[must_use]
pub fn endpoint(name: &str, addresses: &[IpAddr], port: u16, weight: u32) -> EndpointSpec {
    EndpointSpec { name: name.to_owned(), addresses: addresses.to_vec(), port, weight, up: true }
}

fn unknown(unknown: Unknown, service: ServiceSpec) -> ServiceSpec {
    ServiceSpec { unknown, ..service }
}

fn exiting(exit: EndpointSpec, service: ServiceSpec) -> ServiceSpec {
    ServiceSpec { exits: vec![exit], ..service }
}

fn placed(placement: Placement, service: ServiceSpec) -> ServiceSpec {
    ServiceSpec { placement, ..service }
}

fn rejecting(service: ServiceSpec) -> ServiceSpec {
    ServiceSpec { exhausted: Exhausted::Reject, ..service }
}

fn down(endpoint: EndpointSpec) -> EndpointSpec {
    EndpointSpec { up: false, ..endpoint }
}
