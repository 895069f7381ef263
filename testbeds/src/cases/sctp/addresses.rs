//! Addresses inside INIT and INIT ACK: the client's stay, the endpoint's become the service's, path by path.

use std::net::IpAddr;

use pinion_steering::Reason;

use super::{AMF, CT, GNB, OWN, PORT, ST, answer, placed, request};
use crate::cases::places::{A, A1, A6, A61, B, C, C1, C6, C61, S, S1, S6, S61, X, X6};
use crate::cases::{Case, drops, replied, towards, transmits};
use crate::packets::sctp::{
    Parameter, address, address_types, cookie, forward_tsn, host_name, init, init_ack, padding, parameter,
};
use crate::packets::transport::Sum;
use crate::packets::{End, sctp};

pub(super) fn cases() -> Vec<Case> {
    [answers(), questions(), families()].concat()
}

/// An INIT ACK of service `n2` with these parameters leaves with those.
fn rewritten(name: &'static str, sent: &[Parameter], left: &[Parameter]) -> Case {
    let first = request(0, &[init(CT, &[])]);
    let out = replied(&answer(CT, &[init_ack(ST, left)]), AMF);
    Case::new(name)
        .send(&first, placed(&first))
        .send(&answer(CT, &[init_ack(ST, sent)]), transmits(Reason::Replied, &out))
}

/// The same for a service of other addresses.
fn rewritten_at(name: &'static str, ends: [End; 3], sent: &[Parameter], left: &[Parameter]) -> Case {
    let [client, service, endpoint] = ends;
    let first = sctp(client, service, 0, &[init(CT, &[])]);
    let out = replied(&sctp(endpoint, client, CT, &[init_ack(ST, left)]), service);
    Case::new(name)
        .send(&first, transmits(Reason::Placed, &towards(&first, endpoint)))
        .send(&sctp(endpoint, client, CT, &[init_ack(ST, sent)]), transmits(Reason::Replied, &out))
}

fn answers() -> Vec<Case> {
    let many = |own: IpAddr| [vec![address(own); 63], vec![cookie(16)]].concat();
    let more = [many(A), vec![forward_tsn()]].concat();
    let unknown = parameter(0x9abc, b"skip and report");
    vec![
        rewritten("INIT ACK: without addresses", &[cookie(100)], &[cookie(100)]),
        rewritten("INIT ACK: one address", &[address(A), cookie(100)], &[address(S), cookie(100)]),
        rewritten(
            "INIT ACK: two addresses, path by path",
            &[address(A), address(A1), cookie(100)],
            &[address(S), address(S1), cookie(100)],
        ),
        rewritten(
            "INIT ACK: the other way round, behind a cookie of 400 bytes",
            &[cookie(400), address(A1), address(A)],
            &[cookie(400), address(S1), address(S)],
        ),
        rewritten(
            "INIT ACK: an address without counterpart becomes the first path's",
            &[address(A), address(X), address(B), cookie(4)],
            &[address(S), address(S), address(S), cookie(4)],
        ),
        rewritten(
            "INIT ACK: an IPv6 address of an IPv4 service becomes padding (RFC 4820)",
            &[address(X6), address(A), cookie(4)],
            &[padding(16), address(S), cookie(4)],
        ),
        rewritten(
            "INIT ACK: a cookie that looks like an address is not touched",
            &[parameter(7, &[0, 5, 0, 8, 10, 0, 101, 2]), address(A)],
            &[parameter(7, &[0, 5, 0, 8, 10, 0, 101, 2]), address(S)],
        ),
        rewritten(
            "INIT ACK: unknown parameters of odd length are stepped over",
            &[unknown.clone(), address(A1), forward_tsn(), cookie(5)],
            &[unknown, address(S1), forward_tsn(), cookie(5)],
        ),
        rewritten("INIT ACK: 64 parameters", &many(A), &many(S)),
        Case::new("INIT ACK: 65 parameters are too many")
            .send(&request(0, &[init(CT, &[])]), placed(&request(0, &[init(CT, &[])])))
            .send(&answer(CT, &[init_ack(ST, &more)]), drops(Reason::ParameterCount))
            .no_flow(crate::cases::Key::Association("n2", PORT, ST)),
        Case::new("INIT ACK: a host name is refused")
            .send(&request(0, &[init(CT, &[])]), placed(&request(0, &[init(CT, &[])])))
            .send(&answer(CT, &[init_ack(ST, &[host_name(), cookie(4)])]), drops(Reason::HostName))
            .flows(2),
        Case::new("INIT ACK: a wrong checksum stays wrong")
            .send(&request(0, &[init(CT, &[])]), placed(&request(0, &[init(CT, &[])])))
            .send(&answer(CT, &[init_ack(ST, &[address(A), cookie(4)])]).sum(Sum::Off(1)), {
                let out = answer(CT, &[init_ack(ST, &[address(S), cookie(4)])]);
                transmits(Reason::Replied, &replied(&out.sum(Sum::Off(1)), AMF))
            }),
    ]
}

fn questions() -> Vec<Case> {
    let plain = |name, parameters: &[Parameter]| {
        let first = request(0, &[init(CT, parameters)]);
        Case::new(name).send(&first, placed(&first))
    };
    let many = vec![forward_tsn(); 64];
    vec![
        plain("INIT: without parameters", &[]),
        plain(
            "INIT: the client's addresses stay, IPv4 and IPv6",
            &[address(C), address(C1), address(C6), address(C61)],
        ),
        plain("INIT: supported address types stay", &[address_types(), forward_tsn()]),
        plain("INIT: an endpoint's address in the client's list is the client's affair", &[address(A)]),
        plain("INIT: padding of the client stays", &[padding(32)]),
        plain("INIT: 64 parameters", &many),
        Case::new("INIT: 65 parameters are too many")
            .send(&request(0, &[init(CT, &[many, vec![forward_tsn()]].concat())]), drops(Reason::ParameterCount))
            .flows(0),
        Case::new("INIT: a host name is refused")
            .send(&request(0, &[init(CT, &[host_name()])]), drops(Reason::HostName))
            .flows(0),
        Case::new("INIT: of 1,400 bytes, its list of addresses far behind").send(
            &sctp(GNB, AMF, 0, &[init(CT, &[padding(1300), address(C)])]),
            transmits(
                Reason::Placed,
                &towards(&sctp(GNB, AMF, 0, &[init(CT, &[padding(1300), address(C)])]), OWN),
            ),
        ),
    ]
}

fn families() -> Vec<Case> {
    let six = [(C6, PORT), (S6, 38412), (A6, 38412)];
    let mixed = [(C, PORT), (S, 38416), (A, 38416)];
    let lone = [(C, PORT), (S, 38415), (A, 38415)];
    let other_path = [(C61, PORT), (S61, 38416), (A61, 38416)];
    vec![
        rewritten_at(
            "INIT ACK: IPv6, path by path",
            six,
            &[address(A61), address(A6), cookie(4)],
            &[address(S61), address(S6), cookie(4)],
        ),
        rewritten_at(
            "INIT ACK: IPv6, an address without counterpart becomes the first path's",
            six,
            &[address(A6), address(X6)],
            &[address(S6), address(S6)],
        ),
        rewritten_at(
            "INIT ACK: an IPv4 address of an IPv6 service becomes padding",
            six,
            &[address(A6), address(X), cookie(3)],
            &[address(S6), padding(4), cookie(3)],
        ),
        rewritten_at(
            "INIT ACK: a path of each family",
            mixed,
            &[address(A), address(A61), cookie(4)],
            &[address(S), address(S61), cookie(4)],
        ),
        rewritten_at(
            "INIT ACK: a path of each family, strangers of each family",
            mixed,
            &[address(X), address(X6), address(A), cookie(4)],
            &[address(S), padding(16), address(S), cookie(4)],
        ),
        rewritten_at(
            "INIT ACK: on the IPv6 path of a service of both families",
            other_path,
            &[address(A), address(A61)],
            &[address(S), address(S61)],
        ),
        rewritten_at(
            "INIT ACK: an endpoint of one path has another address",
            lone,
            &[address(A), address(A1)],
            &[address(S), address(S)],
        ),
    ]
}
