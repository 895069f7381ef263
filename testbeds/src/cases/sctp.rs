//! SCTP: associations from INIT to their end.

mod addresses;
mod aware;
mod blue;
mod extensions;
mod handshake;
mod malformed;
mod ports;
mod restart;
mod teardown;

use pinion_steering::Reason;

use super::places::{A, A1, C, C1, S, S1};
use super::{Case, Expect, replied, towards, transmits};
use crate::packets::sctp::{
    Chunk, address, address_types, cookie, cookie_ack, cookie_echo, init as init_chunk, init_ack as init_ack_chunk,
};
use crate::packets::{End, Frame, sctp};

pub(super) fn cases() -> Vec<Case> {
    [
        handshake::cases(),
        addresses::cases(),
        aware::cases(),
        extensions::cases(),
        malformed::cases(),
        restart::cases(),
        teardown::cases(),
        blue::cases(),
        ports::cases(),
    ]
    .concat()
}

/// The client's port.
const PORT: u16 = 9487;
/// A client, on path 0 and 1.
const GNB: End = (C, PORT);
const GNB1: End = (C1, PORT);
/// Service `n2`.
const AMF: End = (S, 38412);
const AMF1: End = (S1, 38412);
/// Its endpoint a.
const OWN: End = (A, 38412);
const OWN1: End = (A1, 38412);
/// The client's tag.
const CT: u32 = 0xc11e_0001;
/// The server's tag.
const ST: u32 = 0x5e5e_0001;

/// From the client to service `n2` on path 0.
fn request(tag: u32, chunks: &[Chunk]) -> Frame {
    sctp(GNB, AMF, tag, chunks)
}

/// From endpoint a to the client on path 0.
fn answer(tag: u32, chunks: &[Chunk]) -> Frame {
    sctp(OWN, GNB, tag, chunks)
}

/// The INIT of a client with two addresses.
fn init(tag: u32) -> Chunk {
    init_chunk(tag, &[address(C), address(C1), address_types()])
}

/// The INIT ACK of an endpoint that lists its addresses.
fn init_ack(tag: u32) -> Chunk {
    init_ack_chunk(tag, &[address(A), address(A1), cookie(180)])
}

/// What becomes of it on its way.
fn init_ack_out(tag: u32) -> Chunk {
    init_ack_chunk(tag, &[address(S), address(S1), cookie(180)])
}

/// A first INIT goes to endpoint a.
fn placed(frame: &Frame) -> Expect {
    transmits(Reason::Placed, &towards(frame, OWN))
}

/// A packet of the association goes to endpoint a.
fn pinned(frame: &Frame) -> Expect {
    transmits(Reason::Pinned, &towards(frame, OWN))
}

/// An answer goes to its client.
fn back(frame: &Frame) -> Expect {
    transmits(Reason::Replied, &replied(frame, AMF))
}

/// An INIT ACK goes to its client, with the service's addresses.
fn acked(client: u32, server: u32) -> (Frame, Expect) {
    let frame = answer(client, &[init_ack(server)]);
    let out = replied(&answer(client, &[init_ack_out(server)]), AMF);
    (frame, transmits(Reason::Replied, &out))
}

/// INIT and INIT ACK have passed.
fn half(client: u32, server: u32) -> Case {
    let (frame, expect) = acked(client, server);
    let init = request(0, &[init(client)]);
    Case::new("half").send(&init, placed(&init)).send(&frame, expect)
}

/// The handshake has passed.
fn established(client: u32, server: u32) -> Case {
    let echo = request(server, &[cookie_echo(&[0xc0; 180])]);
    let ack = answer(client, &[cookie_ack()]);
    Case::new("established").after(&half(client, server)).send(&echo, pinned(&echo)).send(&ack, back(&ack))
}
