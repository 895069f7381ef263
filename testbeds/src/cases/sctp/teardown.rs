//! How associations end: only by the right tag (RFC 9260 8.5.1).

use pinion_steering::{Reason, State};

use super::{AMF1, CT, GNB1, OWN1, PORT, ST, answer, back, established, pinned, request};
use crate::cases::{Case, Expect, Key, drops, own, passes, to, towards, transmits};
use crate::packets::sctp::{abort, data, shutdown, shutdown_ack, shutdown_complete};
use crate::packets::{Frame, sctp};

/// After the frame, both pins of the association are in this state.
fn ends(name: &'static str, frame: &Frame, expect: Expect, state: State) -> Case {
    Case::new(name)
        .after(&established(CT, ST))
        .send(frame, expect)
        .flow(Key::Association("n2", PORT, ST), to("n2", "a", state).tag(CT))
        .flow(Key::Reply("n2", "a", PORT, CT), own("n2", state).tag(ST))
        .flows(3)
}

/// T: the tag is the peer's, reflected.
const T: u8 = 1;

pub(super) fn cases() -> Vec<Case> {
    [from_client(), from_endpoint(), closing()].concat()
}

fn from_client() -> Vec<Case> {
    let unharmed = |name, frame: Frame| ends(name, &frame, drops(Reason::OutOfTheBlue), State::Established);
    let path_1 = |name, tag, chunk| {
        let frame = sctp(GNB1, AMF1, tag, &[chunk]);
        let expect = transmits(Reason::Pinned, &towards(&frame, OWN1));
        ends(name, &frame, expect, State::Closed)
    };
    let ends = |name, frame: Frame| ends(name, &frame, pinned(&frame), State::Closed);
    vec![
        ends("ABORT of the client with the server's tag", request(ST, &[abort()])),
        ends("ABORT of the client with its own tag and the T bit", request(CT, &[abort().flags(T)])),
        path_1("ABORT of the client on path 1", ST, abort()),
        path_1("ABORT of the client on path 1 with its own tag and the T bit", CT, abort().flags(T)),
        ends("SHUTDOWN COMPLETE of the client with the server's tag", request(ST, &[shutdown_complete()])),
        ends(
            "SHUTDOWN COMPLETE of the client with its own tag and the T bit",
            request(CT, &[shutdown_complete().flags(T)]),
        ),
        unharmed("ABORT of the client with the server's tag and the T bit", request(ST, &[abort().flags(T)])),
        unharmed("ABORT of the client with its own tag", request(CT, &[abort()])),
        unharmed("ABORT of the client with a wrong tag", request(ST ^ 1, &[abort()])),
        unharmed("ABORT of the client with a wrong tag and the T bit", request(CT ^ 1, &[abort().flags(T)])),
        unharmed("SHUTDOWN with a wrong tag", request(ST ^ 1, &[shutdown()])),
        unharmed("SHUTDOWN ACK with a wrong tag", request(ST ^ 1, &[shutdown_ack()])),
        unharmed("SHUTDOWN COMPLETE with a wrong tag", request(ST ^ 1, &[shutdown_complete()])),
    ]
}

fn from_endpoint() -> Vec<Case> {
    let passed = |name, frame: Frame| ends(name, &frame, passes(Reason::ReplyWithoutPin), State::Established);
    let ends_it = |name, frame: Frame| ends(name, &frame, back(&frame), State::Closed);
    vec![
        ends_it("ABORT of the endpoint with the client's tag", answer(CT, &[abort()])),
        ends_it("ABORT of the endpoint with its own tag and the T bit", answer(ST, &[abort().flags(T)])),
        ends_it("SHUTDOWN COMPLETE of the endpoint with the client's tag", answer(CT, &[shutdown_complete()])),
        ends_it(
            "SHUTDOWN COMPLETE of the endpoint with its own tag and the T bit",
            answer(ST, &[shutdown_complete().flags(T)]),
        ),
        ends(
            "ABORT of the endpoint with the client's tag and the T bit",
            &answer(CT, &[abort().flags(T)]),
            drops(Reason::OutOfTheBlue),
            State::Established,
        ),
        passed("ABORT of the endpoint with its own tag", answer(ST, &[abort()])),
        passed("ABORT of the endpoint with a wrong tag and the T bit", answer(ST ^ 1, &[abort().flags(T)])),
        passed("DATA of the endpoint with a wrong tag", answer(CT ^ 1, &[data(b"x")])),
    ]
}

fn closing() -> Vec<Case> {
    let shut = request(ST, &[shutdown()]);
    let shut_1 = sctp(GNB1, AMF1, ST, &[shutdown()]);
    let ack = answer(CT, &[shutdown_ack()]);
    let complete = request(ST, &[shutdown_complete()]);
    let late = request(ST, &[data(b"late")]);
    let closing = |name, frame: &Frame, expect| ends(name, frame, expect, State::Closing);
    vec![
        closing("SHUTDOWN of the client begins the end", &shut, pinned(&shut)),
        closing("SHUTDOWN of the client on path 1", &shut_1, transmits(Reason::Pinned, &towards(&shut_1, OWN1))),
        closing("SHUTDOWN of the endpoint", &answer(CT, &[shutdown()]), back(&answer(CT, &[shutdown()]))),
        Case::new("SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE; a late packet still finds its way")
            .after(&closing("", &shut, pinned(&shut)))
            .send(&ack, back(&ack))
            .send(&complete, pinned(&complete))
            .flow(Key::Association("n2", PORT, ST), to("n2", "a", State::Closed).tag(CT))
            .flow(Key::Reply("n2", "a", PORT, CT), own("n2", State::Closed).tag(ST))
            .send(&late, pinned(&late))
            .flow(Key::Association("n2", PORT, ST), to("n2", "a", State::Closed).tag(CT)),
    ]
}
