//! A service whose endpoints have another port: the CRC32c follows.

use pinion_steering::{Reason, State};

use super::{CT, GNB, GNB1, PORT, ST};
use crate::cases::places::{A, A1, S, S1};
use crate::cases::{Case, Expect, Key, drops, replied, to, towards, transmits};
use crate::packets::sctp::{
    Chunk, abort, address, cookie, cookie_ack, cookie_echo, data, extensions, heartbeat, init, init_ack, sack,
};
use crate::packets::transport::Sum;
use crate::packets::{End, Frame, sctp};

const SERVICE: End = (S, 36412);
const SERVICE1: End = (S1, 36412);
const OWN: End = (A, 36422);
const OWN1: End = (A1, 36422);

fn request(tag: u32, chunks: &[Chunk]) -> Frame {
    sctp(GNB, SERVICE, tag, chunks)
}

fn answer(tag: u32, chunks: &[Chunk]) -> Frame {
    sctp(OWN, GNB, tag, chunks)
}

fn pinned(frame: &Frame) -> Expect {
    transmits(Reason::Pinned, &towards(frame, OWN))
}

fn back(frame: &Frame) -> Expect {
    transmits(Reason::Replied, &replied(frame, SERVICE))
}

pub(super) fn cases() -> Vec<Case> {
    let asked = |kinds: &[u8]| request(0, &[init(CT, &[extensions(kinds)])]);
    let acked =
        |own: End, kinds: &[u8]| answer(CT, &[init_ack(ST, &[address(own.0), extensions(kinds), cookie(40)])]);
    let half = Case::new("half")
        .send(&asked(&[0x0f, 0xc1]), transmits(Reason::Placed, &towards(&asked(&[0x0f, 0x0f]), OWN)))
        .send(&acked(OWN, &[0x80, 0xc0]), back(&acked(SERVICE, &[0xc0, 0xc0])));
    let echo = request(ST, &[cookie_echo(&[0xc0; 40])]);
    let ack = answer(CT, &[cookie_ack()]);
    let open = Case::new("open").after(&half).send(&echo, pinned(&echo)).send(&ack, back(&ack));
    let steady = |name, frame: Frame, expect| Case::new(name).after(&open).send(&frame, expect);
    let large = request(ST, &[data(&[0x5a; 1372])]);
    let jumbo = request(ST, &[data(&[0x5a; 8948])]);
    let longest = request(ST, &[data(&[1; 9184])]);
    let beyond = request(ST, &[data(&[0x5a; 9188])]);
    let wrong = request(ST, &[data(b"wrong")]).sum(Sum::Off(0x8001));
    let none = request(ST, &[data(b"none")]).sum(Sum::Zero);
    let none_back = answer(CT, &[data(b"none")]).sum(Sum::Zero);
    let bare = request(ST, &[Chunk { bare: true, ..data(b"odd") }]);
    let beat = sctp(GNB1, SERVICE1, ST, &[heartbeat(b"path 1")]);
    let beat_back = sctp(OWN1, GNB1, CT, &[heartbeat(b"path 1")]);
    vec![
        Case::new("ports: the handshake, with lists masked and addresses rewritten")
            .after(&half)
            .flow(Key::Association("ports", PORT, ST), to("ports", "a", State::Acked).tag(CT)),
        Case::new("ports: an ABORT").after(&half).send(&request(ST, &[abort()]), pinned(&request(ST, &[abort()]))),
        steady("ports: DATA of 1,400 bytes", large.clone(), pinned(&large)),
        steady("ports: a jumbo frame of 9,000 bytes", jumbo.clone(), pinned(&jumbo)),
        steady("ports: the longest that is corrected", longest.clone(), pinned(&longest)),
        steady("ports: longer than is corrected", beyond, drops(Reason::TooBig)),
        steady("ports: SACK to the client", answer(CT, &[sack()]), back(&answer(CT, &[sack()]))),
        steady("ports: a wrong checksum stays wrong", wrong.clone(), pinned(&wrong)),
        steady("ports: a checksum of zero stays zero (RFC 9653)", none.clone(), pinned(&none)),
        steady("ports: a checksum of zero stays zero to the client", none_back.clone(), back(&none_back)),
        steady("ports: a last chunk without its padding cannot be corrected", bare, drops(Reason::ChunkLength)),
        steady("ports: path 1", beat.clone(), transmits(Reason::Pinned, &towards(&beat, OWN1))),
        steady("ports: path 1 to the client", beat_back.clone(), {
            transmits(Reason::Replied, &replied(&beat_back, SERVICE1))
        }),
        steady(
            "ports: padding behind the IP packet does not count",
            request(ST, &[data(b"short")]).padded(7),
            pinned(&request(ST, &[data(b"short")]).padded(7)),
        ),
    ]
}
