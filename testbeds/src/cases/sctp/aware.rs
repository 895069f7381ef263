//! Services whose user space listens.

use pinion_loader::setup::ServiceSpec;
use pinion_steering::Reason;

use super::{AMF1, CT, GNB, GNB1, OWN1, ST, answer, back, established, half, pinned, request};
use crate::cases::places::services;
use crate::cases::{Act, Case, Expect, Whose, drops, replied, towards, transmits};
use crate::packets::sctp::{Chunk, cookie_ack, cookie_echo, data, data_of, heartbeat, sack};
use crate::packets::{End, Frame, sctp};

/// The usual services, one of which is listened to.
fn aware(name: &str) -> Vec<ServiceSpec> {
    let aware = |service: ServiceSpec| ServiceSpec { aware: service.name == name, ..service };
    services().into_iter().map(aware).collect()
}

fn reload(services: Vec<ServiceSpec>) -> Case {
    Case::new("reload").act(Act::Reload(services))
}

/// A packet of the association.
const fn whose(client: End, reply: bool) -> Whose {
    Whose { service: "n2", endpoint: "a", client, tags: (ST, CT), reply }
}

pub(super) fn cases() -> Vec<Case> {
    let on = |then: &Case| Case::new("listened to").after(then).after(&reload(aware("n2")));
    let listened = on(&established(CT, ST));
    let one = |name, frame: &Frame, expect: Expect, whose| {
        Case::new(name).after(&listened).send(frame, expect).act(Act::Copied(whose))
    };
    let (hello, welcome) = (request(ST, &[data(b"hello")]), answer(CT, &[data(b"welcome")]));
    let (up, down) = (Some(whose(GNB, false)), Some(whose(GNB, true)));
    let bundled = request(ST, &[sack(), data(b"bundled")]);
    let third = request(ST, &[sack(), heartbeat(b"b"), data(b"third")]);
    let other = request(ST, &[data_of(46, b"Diameter")]);
    let acknowledged = answer(CT, &[sack()]);
    let beat = request(ST, &[heartbeat(b"beat")]);
    let large = request(ST, &[data(&[0x5a; 4000])]);
    let path1 = sctp(GNB1, AMF1, ST, &[data(b"path 1")]);
    let path1_back = sctp(OWN1, GNB1, CT, &[data(b"path 1")]);
    let last = request(ST, &[data(b"no hop left")]).ttl(1);
    let wrong = request(ST + 1, &[data(b"of nobody")]);
    let cut = request(ST, &[sack(), Chunk { value: vec![0; 8], ..data(b"") }]);
    let early = request(ST, &[cookie_echo(&[0xc0; 40]), data(b"early")]);
    let early_back = answer(CT, &[cookie_ack(), data(b"early too")]);
    vec![
        Case::new("aware: nobody listens")
            .after(&established(CT, ST))
            .send(&hello, pinned(&hello))
            .send(&welcome, back(&welcome))
            .act(Act::Copied(None)),
        one("aware: DATA of the client", &hello, pinned(&hello), up),
        one("aware: DATA of the endpoint", &welcome, back(&welcome), down),
        one("aware: DATA behind a SACK", &bundled, pinned(&bundled), up),
        one("aware: DATA behind two others is not looked for", &third, pinned(&third), None),
        one("aware: DATA of another protocol", &other, pinned(&other), None),
        one("aware: a SACK alone", &acknowledged, back(&acknowledged), None),
        one("aware: a HEARTBEAT", &beat, pinned(&beat), None),
        one("aware: a jumbo frame is copied as far as is looked at", &large, pinned(&large), up),
        one("aware: path 1", &path1, transmits(Reason::Pinned, &towards(&path1, OWN1)), Some(whose(GNB1, false))),
        one(
            "aware: path 1 to the client",
            &path1_back,
            transmits(Reason::Replied, &replied(&path1_back, AMF1)),
            Some(whose(GNB1, true)),
        ),
        one("aware: what goes no further is not copied", &last, drops(Reason::TtlExpired), None),
        one("aware: a wrong tag is not copied", &wrong, drops(Reason::OutOfTheBlue), None),
        one("aware: DATA that is cut", &cut, pinned(&cut), None),
        one("aware: each is copied, not one in a tick", &hello, pinned(&hello), up)
            .send(&hello, pinned(&hello))
            .act(Act::Copied(up))
            .send(&welcome, back(&welcome))
            .act(Act::Copied(down)),
        Case::new("aware: DATA that comes with the handshake")
            .after(&on(&half(CT, ST)))
            .send(&early, pinned(&early))
            .act(Act::Copied(up))
            .send(&early_back, back(&early_back))
            .act(Act::Copied(down)),
        Case::new("aware: an association that was there before, from the next tick on")
            .after(&established(CT, ST))
            .act(Act::Reload(aware("n2")))
            .act(Act::Wait(1))
            .send(&hello, pinned(&hello))
            .act(Act::Copied(up))
            .act(Act::Reload(services()))
            .send(&hello, pinned(&hello))
            .send(&welcome, back(&welcome))
            .act(Act::Copied(None)),
    ]
}
