//! Supported Extensions (RFC 5061 4.2.7): ASCONF is taken out at the handshake, the rest stays.

use pinion_steering::Reason;

use super::{AMF, CT, OWN, ST, answer, placed, request};
use crate::cases::places::{A, S};
use crate::cases::{Case, replied, towards, transmits};
use crate::packets::sctp::{Parameter, address, cookie, extensions, init, init_ack, parameter};
use crate::packets::transport::Sum;

const ASCONF: u8 = 0xc1;
const ASCONF_ACK: u8 = 0x80;
const FORWARD_TSN: u8 = 0xc0;
const AUTH: u8 = 0x0f;

/// An INIT with these parameters leaves with those.
fn asked(name: &'static str, sent: &[Parameter], left: &[Parameter]) -> Case {
    let out = towards(&request(0, &[init(CT, left)]), OWN);
    Case::new(name).send(&request(0, &[init(CT, sent)]), transmits(Reason::Placed, &out))
}

/// An INIT ACK with these parameters leaves with those.
fn answered(name: &'static str, sent: &[Parameter], left: &[Parameter]) -> Case {
    let first = request(0, &[init(CT, &[])]);
    let out = replied(&answer(CT, &[init_ack(ST, left)]), AMF);
    Case::new(name)
        .send(&first, placed(&first))
        .send(&answer(CT, &[init_ack(ST, sent)]), transmits(Reason::Replied, &out))
}

pub(super) fn cases() -> Vec<Case> {
    let list = |kinds: &[u8]| [extensions(kinds)];
    // RANDOM, CHUNKS and HMAC-ALGO enter the key of AUTH (RFC 4895 3).
    let keys = [
        parameter(0x8002, &[0x5a; 32]),
        parameter(0x8003, &[ASCONF, ASCONF_ACK]),
        parameter(0x8004, &[0, 3, 0, 1]),
    ];
    let with_keys = |kinds: &[u8]| [&keys[..], &list(kinds)].concat();
    let zero = request(0, &[init(CT, &list(&[ASCONF, AUTH]))]).sum(Sum::Zero);
    let zero_out = towards(&request(0, &[init(CT, &list(&[AUTH, AUTH]))]).sum(Sum::Zero), OWN);
    vec![
        asked(
            "INIT: ASCONF and its ACK are overwritten by the type before them",
            &list(&[FORWARD_TSN, ASCONF, ASCONF_ACK]),
            &list(&[FORWARD_TSN, FORWARD_TSN, FORWARD_TSN]),
        ),
        asked(
            "INIT: ASCONF and its ACK are overwritten by the type behind them",
            &list(&[ASCONF, ASCONF_ACK, FORWARD_TSN]),
            &list(&[FORWARD_TSN, FORWARD_TSN, FORWARD_TSN]),
        ),
        asked(
            "INIT: the only other type is five entries behind",
            &list(&[ASCONF, ASCONF_ACK, ASCONF, ASCONF_ACK, ASCONF, AUTH]),
            &list(&[AUTH, AUTH, AUTH, AUTH, AUTH, AUTH]),
        ),
        asked(
            "INIT: what pads the list is not touched",
            &[extensions(&[AUTH]), parameter(0xc000, &[])],
            &[extensions(&[AUTH]), parameter(0xc000, &[])],
        ),
        asked("INIT: a list of four", &list(&[AUTH, ASCONF, AUTH, ASCONF_ACK]), &list(&[AUTH; 4])),
        asked(
            "INIT: a list of ASCONF alone becomes padding",
            &list(&[ASCONF, ASCONF_ACK]),
            &[parameter(0x8005, &[ASCONF, ASCONF_ACK])],
        ),
        asked("INIT: a list without ASCONF stays", &list(&[AUTH, FORWARD_TSN]), &list(&[AUTH, FORWARD_TSN])),
        asked("INIT: what enters the key of AUTH stays", &with_keys(&[AUTH, ASCONF]), &with_keys(&[AUTH, AUTH])),
        answered(
            "INIT ACK: ASCONF is overwritten, and addresses are rewritten",
            &[address(A), extensions(&[AUTH, ASCONF, ASCONF_ACK]), cookie(4)],
            &[address(S), extensions(&[AUTH, AUTH, AUTH]), cookie(4)],
        ),
        answered(
            "INIT ACK: a list of ASCONF alone becomes padding",
            &[extensions(&[ASCONF]), cookie(4)],
            &[parameter(0x8005, &[ASCONF]), cookie(4)],
        ),
        Case::new("INIT: a checksum of zero stays zero (RFC 9653)")
            .send(&zero, transmits(Reason::Placed, &zero_out)),
    ]
}
