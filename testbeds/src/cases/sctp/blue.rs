//! Out of the blue: no pin, and no INIT (RFC 9260 8.4).

use pinion_steering::Reason;

use super::{GNB, OWN, PORT, ST, established, request};
use crate::cases::places::{A, A1, B, C, C1, S, S1};
use crate::cases::{Act, Case, Key, drops, own, to, towards, transmits};
use crate::packets::sctp::{abort, cookie_echo, data, init, shutdown_ack, shutdown_complete};
use crate::packets::{Frame, sctp};

pub(super) fn cases() -> Vec<Case> {
    let echo = request(ST, &[cookie_echo(b"the cookie is the state")]);
    let hashed = |frame: &Frame, endpoint| transmits(Reason::Hashed, &towards(frame, endpoint));
    let hash = |chunk| sctp(GNB, (S, 38413), ST, &[chunk]);
    let hash1 = sctp((C1, PORT), (S1, 38413), ST, &[data(b"x")]);
    let punt = sctp(GNB, (S, 38414), ST, &[data(b"for user space")]);
    let dropped = |name, frame: Frame| Case::new(name).send(&frame, drops(Reason::OutOfTheBlue)).flows(0);
    let known = sctp(GNB, (S, 38413), 0, &[init(7, &[])]);
    vec![
        Case::new("out of the blue: a COOKIE ECHO is always sent on").send(&echo, hashed(&echo, OWN)).flows(0),
        Case::new("out of the blue: a COOKIE ECHO goes where its INIT went, not where the algorithm says now")
            .send(
                &request(0, &[init(9, &[])]),
                transmits(Reason::Placed, &towards(&request(0, &[init(9, &[])]), OWN)),
            )
            .act(Act::Reload(crate::cases::reload::moved()))
            .send(&echo, hashed(&echo, OWN)),
        Case::new("out of the blue: a COOKIE ECHO with no pin at all goes where the algorithm says")
            .act(Act::Reload(crate::cases::reload::moved()))
            .send(&echo, hashed(&echo, (B, 38412))),
        dropped("out of the blue: DATA is dropped", request(ST, &[data(b"x")])),
        dropped("out of the blue: SHUTDOWN ACK is dropped", request(ST, &[shutdown_ack()])),
        dropped("out of the blue: ABORT with the T bit is dropped", request(ST, &[abort().flags(1)])),
        dropped(
            "out of the blue: SHUTDOWN COMPLETE with the T bit is dropped",
            hash(shutdown_complete().flags(1)),
        ),
        Case::new("out of the blue, policy hash: DATA goes where the algorithm says")
            .send(&hash(data(b"x")), hashed(&hash(data(b"x")), (A, 38413)))
            .send(&hash1, hashed(&hash1, (A1, 38413)))
            .flows(0),
        Case::new("out of the blue, policy hash: DATA goes where the client's INIT went")
            .send(&known, transmits(Reason::Placed, &towards(&known, (A, 38413))))
            .act(Act::Reload(crate::cases::reload::moved()))
            .send(&hash(data(b"x")), hashed(&hash(data(b"x")), (A, 38413))),
        Case::new("out of the blue, policy punt: dropped, and user space gets a copy")
            .send(&punt, drops(Reason::OutOfTheBlue))
            .act(Act::Punted(Reason::OutOfTheBlue))
            .flows(0),
        Case::new("out of the blue: a wrong tag harms nothing")
            .after(&established(super::CT, ST))
            .send(&request(1, &[abort()]).from(C, PORT), drops(Reason::OutOfTheBlue))
            .flow(Key::Association("n2", PORT, ST), {
                to("n2", "a", pinion_steering::State::Established).tag(super::CT)
            })
            .flow(Key::Reply("n2", "a", PORT, super::CT), own("n2", pinion_steering::State::Established).tag(ST)),
    ]
}
