//! Sessions that another client takes over, and endpoints that come and go by configuration.

use pinion_protocols::gtpv2::{Cause, MessageType};

use crate::mme::Mme;
use crate::stage::{Stage, endpoint, settings, tunnel};

#[test]
fn another_mme_takes_a_session_over() {
    let mut stage = Stage::new(3);
    stage.attach(0, 1);
    stage.attach(0, 2);
    let sgw = stage.sgw_of(1);
    // It was told the TEID by the MME before.
    let here = stage.mmes[0].users[&1];
    stage.mmes[1].users.insert(1, here);
    let (new, address) = (stage.mmes[1].address, stage.mmes[1].address);
    let request = stage.mmes[1].modify(1, |writer| {
        writer.add(&tunnel(10, 0xbeef, address));
    });
    let answer = stage.ask(new, &request);
    assert_eq!((answer.cause(), answer.teid()), (Some(Cause::Accepted), Some(0xbeef)));
    // What the SGW knows is what it knew.
    let told = stage.sgws[sgw].heard.pop().unwrap();
    assert_eq!(told.tunnel(0).unwrap().teid, stage.sessions()[0].endpoint_teid);
    stage.inbox.clear();
    let request = stage.sgws[sgw].request(MessageType::DownlinkDataNotification, 1, |_| {});
    stage.receive(stage.sgws[sgw].address, &request);
    let heard = stage.sent_to(new).remove(0);
    assert_eq!((heard.kind(), heard.teid()), (MessageType::DownlinkDataNotification, Some(0xbeef)));
    assert_eq!(stage.front_end.counts().moved, 1);
    // The other user is where it was.
    let modify = stage.mmes[0].modify(2, |_| {});
    let old = stage.mmes[0].address;
    assert_eq!(stage.ask(old, &modify).teid(), Some(Mme::teid(2)));
}

#[test]
fn a_takeover_that_the_endpoint_refuses_is_none() {
    let mut stage = Stage::new(1);
    stage.attach(0, 1);
    let before = stage.sessions();
    let here = stage.mmes[0].users[&1];
    stage.mmes[1].users.insert(1, here);
    stage.sgws[0].silent = true;
    let (new, address) = (stage.mmes[1].address, stage.mmes[1].address);
    let request = stage.mmes[1].modify(1, |writer| {
        writer.add(&tunnel(10, 0xbeef, address));
    });
    stage.inbox.clear();
    stage.receive(new, &request);
    let asked = stage.sent_to(stage.sgws[0].address).remove(0);
    let refusal = crate::stage::message(
        MessageType::ModifyBearerResponse,
        asked.tunnel(0).map(|it| it.teid),
        asked.sequence(),
        |writer| {
            writer.add(&pinion_protocols::gtpv2::Element::Cause(Cause::Rejected, 0));
        },
    );
    stage.receive(stage.sgws[0].address, &refusal);
    let answer = stage.sent_to(new).remove(0);
    assert_eq!((answer.cause(), answer.teid()), (Some(Cause::Rejected), Some(0xbeef)));
    assert_eq!(stage.sessions(), before);
}

#[test]
fn an_endpoint_that_is_drained_or_gone_keeps_what_it_has() {
    let mut stage = Stage::new(2);
    for user in 0..20 {
        stage.attach(0, user);
    }
    let mut drained = settings(2);
    drained.endpoints[0].drained = true;
    stage.front_end.configure(drained);
    let before = stage.sgws[0].users.len();
    assert!(before > 0);
    for user in 20..60 {
        stage.attach(0, user);
    }
    assert_eq!(stage.sgws[0].users.len(), before);
    let mut gone = settings(2);
    gone.endpoints = vec![endpoint(2)];
    stage.front_end.configure(gone);
    stage.settle();
    for user in 0..20 {
        let modify = stage.mmes[0].modify(user, |_| {});
        let from = stage.mmes[0].address;
        assert_eq!(stage.ask(from, &modify).cause(), Some(Cause::Accepted));
    }
    assert_eq!(stage.front_end.endpoints().count(), 1);
}
