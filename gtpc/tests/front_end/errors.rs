//! What is wrong, and what is said of it (TS 29.274 7.7).

use pinion_gtpc::{Bounds, Settings};
use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType};

use crate::mme::{Mme, imsi};
use crate::stage::{Stage, message, settings, tunnel};

#[test]
fn a_teid_that_is_none_is_not_found() {
    let mut stage = Stage::new(1);
    for kind in [34, 36, 64, 68, 95, 99, 170, 176].map(MessageType::from) {
        let from = stage.mmes[0].address;
        let request = message(kind, Some(0x1234), 7, |_| {});
        let answer = stage.ask(from, &request);
        assert_eq!(Some(answer.kind()), kind.response());
        assert_eq!((answer.cause(), answer.teid(), answer.sequence()), (Some(Cause::ContextNotFound), Some(0), 7));
        stage.mmes[0].sequence += 1;
    }
    assert_eq!(stage.front_end.counts().not_found, 8);
}

#[test]
fn an_endpoints_teid_is_of_no_use_to_others() {
    let mut stage = Stage::new(2);
    stage.attach(0, 1);
    let (sgw, teid) = (stage.sgw_of(1), stage.sessions()[0].endpoint_teid);
    let request = message(MessageType::DeleteBearerRequest, Some(teid), 9, |writer| {
        writer.add(&Element::EpsBearerId(5));
    });
    stage.inbox.clear();
    stage.receive(stage.sgws[1 - sgw].address, &request);
    stage.receive([203, 0, 113, 77].into(), &request);
    // Nor is it for what clients ask.
    let delete = message(MessageType::DeleteSessionRequest, Some(teid), 10, |writer| {
        writer.add(&Element::EpsBearerId(5));
    });
    stage.receive(stage.sgws[sgw].address, &delete);
    assert!(stage.inbox.is_empty());
    assert_eq!((stage.front_end.counts().unexpected, stage.front_end.session_count()), (3, 1));
}

#[test]
fn what_a_new_session_needs_is_asked_for() {
    let mut stage = Stage::new(1);
    let from = stage.mmes[0].address;
    let mut number = 0;
    let mut ask = |body: &dyn Fn(&mut pinion_protocols::gtpv2::MessageWriter<'_>)| {
        number += 1;
        let request = message(MessageType::CreateSessionRequest, Some(0), number, |writer| body(writer));
        let answer = stage.ask(from, &request);
        (answer.cause().unwrap(), answer.value(ElementType::Cause, 0).unwrap()[2..].to_vec(), answer.teid())
    };
    let mandatory = (Cause::MandatoryMissing, vec![87, 0, 0, 0], Some(0));
    assert_eq!(
        ask(&|writer| {
            writer.add(&Element::Apn(b"\x01a"));
        }),
        mandatory
    );
    let no_bearer = ask(&|writer| {
        writer.add(&tunnel(10, 0x55, from));
    });
    assert_eq!(no_bearer, (Cause::MandatoryMissing, vec![93, 0, 0, 0], Some(0x55)));
    let no_client = ask(&|writer| {
        writer.add(&tunnel(1, 0x55, from));
    });
    assert_eq!(no_client, (Cause::MandatoryIncorrect, vec![87, 0, 0, 0], Some(0)));
    let cut = ask(&|writer| {
        writer.raw(&[87, 0, 9, 0, 0x8a]);
    });
    assert_eq!(cut, (Cause::InvalidLength, vec![87, 0, 0, 0], Some(0)));
    let short = ask(&|writer| {
        writer.raw(&[87, 0, 1, 1, 0x8a]);
    });
    assert_eq!(short, (Cause::InvalidLength, vec![87, 0, 0, 1], Some(0)));
    assert_eq!(stage.front_end.session_count(), 0);
}

/// Where the sender's F-TEID is to be, another one would lead past the front end.
#[test]
fn an_end_of_somebody_else_is_not_passed_on() {
    let mut stage = Stage::new(1);
    stage.attach(0, 1);
    let (from, heard) = (stage.mmes[0].address, stage.sgws[0].heard.len());
    let request = stage.mmes[0].modify(1, |writer| {
        writer.add(&tunnel(7, 0x99, [203, 0, 113, 9].into()));
    });
    let answer = stage.ask(from, &request);
    assert_eq!((answer.cause(), answer.teid()), (Some(Cause::MandatoryIncorrect), Some(Mme::teid(1))));
    assert_eq!(stage.sgws[0].heard.len(), heard);
    // TS 29.274 7.2.5: its own is the second in a bearer resource command.
    let here = stage.mmes[0].users[&1];
    let command = message(MessageType::BearerResourceCommand, Some(here), 0x80_0001, |writer| {
        writer.add(&tunnel(15, 0x77, [203, 0, 113, 9].into()));
        writer.add_instance(&tunnel(10, Mme::teid(1), from), 1);
    });
    stage.receive(from, &command);
    let heard = stage.sgws[0].heard.pop().unwrap();
    assert_eq!(heard.tunnel(0).unwrap().teid, 0x77);
    assert_eq!(heard.tunnel(1).unwrap().teid, stage.sessions()[0].endpoint_teid);
}

#[test]
fn another_version_is_told_of_this_one() {
    let mut stage = Stage::new(1);
    let from = stage.mmes[0].address;
    // A version 3 echo request of the same header.
    let answer = stage.ask(from, &[0x60, 1, 0, 4, 1, 2, 3, 0]);
    assert_eq!(*answer.0, [0x40, 3, 0, 4, 1, 2, 3, 0]);
    stage.receive(from, &[0x60, 3, 0, 4, 1, 2, 3, 0]);
    // GTPv1 is none that is answered (TS 29.274 7.7.2).
    stage.receive(from, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0]);
    stage.receive(from, &[0x60]);
    stage.receive(from, &[]);
    assert!(stage.inbox.is_empty());
}

#[test]
fn what_cannot_be_read_is_dropped_and_counted() {
    let mut stage = Stage::new(1);
    let from = stage.mmes[0].address;
    let request = stage.mmes[0].create(1, 5);
    stage.receive(from, &request[..7]);
    let answer = message(MessageType::CreateBearerResponse, Some(1), 1, |_| {});
    stage.receive(from, &[&answer, [0].as_slice()].concat());
    // A type that there is not; an answer that nobody asked for; a message of S10.
    stage.receive(from, &message(MessageType::from(250), Some(1), 1, |_| {}));
    stage.receive(from, &message(MessageType::CreateSessionResponse, Some(1), 1, |_| {}));
    stage.receive(from, &message(MessageType::CsPagingIndication, Some(1), 1, |_| {}));
    assert!(stage.inbox.iter().all(|(to, _)| to.ip() != from));
    let counts = stage.front_end.counts();
    assert_eq!((counts.malformed, counts.unknown, counts.unasked, counts.unexpected), (2, 1, 1, 1));
}

/// TS 29.274 7.7.3.
#[test]
fn a_request_of_another_length_than_its_datagram_is_answered() {
    let mut stage = Stage::new(1);
    stage.attach(0, 1);
    let from = stage.mmes[0].address;
    let request = stage.mmes[0].modify(1, |_| {});
    let longer = [&request, [0].as_slice()].concat();
    for bytes in [&request[..request.len() - 1], &longer] {
        let answer = stage.ask(from, bytes);
        assert_eq!((answer.kind(), answer.cause()), (MessageType::ModifyBearerResponse, Some(Cause::from(67))));
    }
    // Behind another message it has a cause of its own; the other one is taken.
    let mut both = message(MessageType::CreateBearerResponse, Some(1), 1, |writer| {
        writer.follow_on();
    });
    both.extend(&longer);
    let answer = stage.ask(from, &both);
    assert_eq!((answer.kind(), answer.cause()), (MessageType::ModifyBearerResponse, Some(Cause::from(105))));
    assert_eq!((stage.front_end.counts().unasked, stage.front_end.counts().malformed), (1, 3));
}

#[test]
fn what_is_about_all_sessions_of_a_node_is_not_done() {
    let mut stage = Stage::new(1);
    let from = stage.mmes[0].address;
    let request = message(MessageType::DeletePdnConnectionSetRequest, Some(0), 3, |writer| {
        writer.element(ElementType::FqCsid, |out| out.extend_from_slice(&[1, 198, 51, 100, 1, 0, 3]));
    });
    assert_eq!(stage.ask(from, &request).cause(), Some(Cause::Rejected));
    let request = message(MessageType::ContextRequest, Some(0), 4, |_| {});
    assert_eq!(stage.ask(from, &request).cause(), Some(Cause::ServiceNotSupported));
}

#[test]
fn there_are_no_more_sessions_than_may_be() {
    let bounds = Bounds { sessions: 2, requests: 8, ..Bounds::default() };
    let mut stage = Stage::with(Settings { bounds, ..settings(1) });
    stage.attach(0, 1);
    stage.attach(0, 2);
    let request = stage.mmes[0].create(3, 5);
    let from = stage.mmes[0].address;
    let answer = stage.ask(from, &request);
    assert_eq!((answer.cause(), answer.teid()), (Some(Cause::NoResources), Some(Mme::teid(3))));
    // Nor more requests under way.
    stage.sgws[0].silent = true;
    for _ in 0..10 {
        let modify = stage.mmes[0].modify(1, |_| {});
        stage.receive(from, &modify);
    }
    assert_eq!(stage.front_end.backlog().asked, 8);
}

/// A user without an IMSI is known by its equipment; one without either by nothing.
#[test]
fn emergency_calls_have_no_imsi() {
    let mut stage = Stage::new(3);
    for (number, kind) in [(1, ElementType::Mei), (2, ElementType::Mei), (3, ElementType::Msisdn)] {
        let from = stage.mmes[0].address;
        let request = message(MessageType::CreateSessionRequest, Some(0), number, |writer| {
            writer.element(kind, |out| out.extend_from_slice(&imsi(8)));
            writer.element(ElementType::Imsi, |_| {});
            writer.add(&tunnel(10, 0x55 + number, from));
            writer.nested(ElementType::BearerContext, |writer| {
                writer.add(&Element::EpsBearerId(5));
            });
        });
        let asked = |stage: &Stage| stage.sgws.iter().map(|it| it.heard.len()).collect::<Vec<_>>();
        let before = asked(&stage);
        stage.receive(from, &request);
        assert_eq!(asked(&stage).iter().sum::<usize>(), before.iter().sum::<usize>() + 1);
    }
}
