//! INIT and INIT ACK that lie: tags, bundles, lengths.

use pinion_steering::{Reason, State};

use super::{CT, PORT, ST, answer, established, placed, request};
use crate::cases::places::{A, C};
use crate::cases::{Case, Key, drops, own};
use crate::packets::Frame;
use crate::packets::sctp::{Chunk, address, cookie, data, init, init_ack, parameter, shutdown_complete};

pub(super) fn cases() -> Vec<Case> {
    [asked(), answered(), tags()].concat()
}

/// An INIT that is dropped, and pins nothing.
fn refused(name: &'static str, chunks: &[Chunk], reason: Reason) -> Case {
    Case::new(name).send(&request(0, chunks), drops(reason)).flows(0)
}

fn asked() -> Vec<Case> {
    let lying = |length| init(CT, &[parameter(0xc000, &[]).length(length)]);
    let bytes = |chunk: Chunk, behind: usize| Chunk { value: [chunk.value, vec![0; behind]].concat(), ..chunk };
    vec![
        refused("INIT: initiate tag zero", &[init(0, &[])], Reason::InitiateTagZero),
        refused("INIT: bundled with DATA", &[init(CT, &[]), data(b"x")], Reason::InitBundled),
        refused("INIT: bundled with another INIT", &[init(CT, &[]), init(CT, &[])], Reason::InitBundled),
        refused("INIT: four bytes behind it", &[bytes(init(CT, &[]), 4).length(20)], Reason::InitBundled),
        refused("INIT: shorter than its fixed part", &[init(CT, &[]).length(16)], Reason::InitTruncated),
        refused("INIT: of its header alone", &[crate::packets::sctp::chunk(1, &[])], Reason::InitTruncated),
        refused("INIT: longer than the packet", &[init(CT, &[]).length(24)], Reason::ChunkLength),
        refused("INIT: a parameter of length zero", &[lying(0)], Reason::ParameterLength),
        refused("INIT: a parameter of length three", &[lying(3)], Reason::ParameterLength),
        refused("INIT: a parameter longer than the chunk", &[lying(8)], Reason::ParameterLength),
        refused("INIT: a parameter of length 65,535", &[lying(0xffff)], Reason::ParameterLength),
        refused("INIT: half a parameter's header", &[bytes(init(CT, &[]), 2)], Reason::ParameterLength),
        refused(
            "INIT: an IPv4 address of 5 bytes",
            &[init(CT, &[parameter(5, &[1; 5])])],
            Reason::ParameterLength,
        ),
        refused(
            "INIT: an IPv6 address of 4 bytes",
            &[init(CT, &[parameter(6, &[1; 4])])],
            Reason::ParameterLength,
        ),
        Case::new("INIT: with a verification tag (RFC 9260 8.5.1 A)")
            .send(&request(ST, &[init(CT, &[])]), drops(Reason::InitBundled))
            .flows(0),
    ]
}

fn answered() -> Vec<Case> {
    let refused = |name, chunks: &[Chunk], reason| {
        let first = request(0, &[init(CT, &[address(C)])]);
        Case::new(name)
            .send(&first, placed(&first))
            .send(&answer(CT, chunks), drops(reason))
            .no_flow(Key::Association("n2", PORT, ST))
            .flow(Key::Reply("n2", "a", PORT, CT), own("n2", State::Opening))
            .flows(2)
    };
    let lying = |length| init_ack(ST, &[address(A), cookie(4).length(length)]);
    vec![
        refused("INIT ACK: initiate tag zero", &[init_ack(0, &[])], Reason::InitiateTagZero),
        refused("INIT ACK: bundled", &[init_ack(ST, &[]), shutdown_complete()], Reason::InitBundled),
        refused("INIT ACK: shorter than its fixed part", &[init_ack(ST, &[]).length(19)], Reason::InitTruncated),
        refused("INIT ACK: a parameter of length zero", &[lying(0)], Reason::ParameterLength),
        refused("INIT ACK: a parameter longer than the chunk", &[lying(9)], Reason::ParameterLength),
        refused(
            "INIT ACK: an IPv4 address of length 20",
            &[init_ack(ST, &[parameter(5, &[1; 16])])],
            Reason::ParameterLength,
        ),
    ]
}

fn tags() -> Vec<Case> {
    let untouched = |name, frame: Frame, reason| {
        Case::new(name)
            .after(&established(CT, ST))
            .send(&frame, drops(reason))
            .flow(Key::Reply("n2", "a", PORT, CT), own("n2", State::Established).tag(ST))
            .flows(3)
    };
    vec![
        untouched("INIT: with the tag of its association", request(ST, &[init(CT, &[])]), Reason::InitBundled),
        untouched(
            "INIT: of the endpoint with the tag of its association",
            answer(CT, &[init(ST, &[address(A)])]),
            Reason::InitBundled,
        ),
        untouched("SCTP: DATA with tag zero", request(0, &[data(b"x")]), Reason::TagZero),
        untouched("SCTP: DATA with a wrong tag", request(ST ^ 1, &[data(b"x")]), Reason::OutOfTheBlue),
        untouched("SCTP: DATA with the client's own tag", request(CT, &[data(b"x")]), Reason::OutOfTheBlue),
        untouched("SCTP: DATA from another port", request(ST, &[data(b"x")]).from(C, 9999), Reason::OutOfTheBlue),
    ]
}
