//! Peers that begin anew (TS 23.007 18): exactly their sessions end.

use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType};

use crate::mme::Mme;
use crate::stage::{ECHO, RECOVERY, Stage, T3, message, tunnel};

#[test]
fn whoever_asks_whether_it_is_there_is_answered() {
    let mut stage = Stage::new(1);
    let stranger = [203, 0, 113, 99].into();
    let echo = message(MessageType::EchoRequest, None, 0x12_3456, |writer| {
        writer.add(&Element::Recovery(1));
    });
    let answer = stage.ask(stranger, &echo);
    assert_eq!(*answer.0, [0x40, 2, 0, 9, 0x12, 0x34, 0x56, 0, 3, 0, 1, 0, RECOVERY]);
    assert_eq!(stage.ask(stranger, &echo), answer);
}

#[test]
fn a_client_that_begins_anew_loses_its_sessions_alone() {
    let mut stage = Stage::new(3);
    for user in 0..200 {
        stage.attach(user as usize % 2, user);
    }
    stage.mmes[0].recovery += 1;
    stage.mmes[0].users.clear();
    // Its first word is that of a new user, which is no session of before.
    stage.attach(0, 1_000);
    assert_eq!(stage.front_end.session_count(), 101);
    assert_eq!(stage.sgws.iter().map(|it| it.users.len()).sum::<usize>(), 101);
    for user in (1..200).step_by(2) {
        let modify = stage.mmes[1].modify(user, |_| {});
        let from = stage.mmes[1].address;
        assert_eq!(stage.ask(from, &modify).cause(), Some(Cause::Accepted));
    }
    // The SGW is to tell the PGW.
    let told: Vec<_> = stage.sgws.iter().flat_map(|it| &it.heard).collect();
    let told: Vec<_> = told.iter().filter(|it| it.kind() == MessageType::DeleteSessionRequest).collect();
    assert_eq!(told.len(), 100);
    assert!(told.iter().all(|it| it.value(ElementType::Indication, 0).is_some_and(|flags| flags[0] & 8 != 0)));
}

/// Anybody can say so in a client's name.
#[test]
fn a_client_is_asked_before_its_sessions_end() {
    let mut stage = Stage::new(2);
    stage.attach(0, 1);
    let from = stage.mmes[0].address;
    let echo = message(MessageType::EchoRequest, None, 5, |writer| {
        writer.add(&Element::Recovery(200));
    });
    stage.ask(from, &echo);
    stage.live(ECHO);
    assert_eq!(stage.front_end.session_count(), 1);
}

#[test]
fn an_endpoint_that_begins_anew_loses_its_sessions_alone() {
    let mut stage = Stage::new(3);
    for user in 0..200 {
        stage.attach(user as usize % 2, user);
    }
    let lost: Vec<u32> = (0..200).filter(|user| stage.sgw_of(*user) == 0).collect();
    stage.sgws[0].recovery += 1;
    stage.sgws[0].users.clear();
    stage.mmes.iter_mut().for_each(|it| it.heard.clear());
    stage.live(2 * ECHO);
    assert_eq!(stage.front_end.session_count(), 200 - lost.len());
    // Their MMEs are told that users are to connect again (TS 29.274 8.4, cause 8).
    let mut told = Vec::new();
    for (number, mme) in stage.mmes.iter().enumerate() {
        for said in &mme.heard {
            assert_eq!((said.kind(), said.cause()), (MessageType::DeleteBearerRequest, Some(Cause::from(8))));
            assert_eq!(said.value(ElementType::EpsBearerId, 0), Some(vec![5]));
            let user = said.teid().unwrap() - 1;
            assert_eq!(user as usize % 2, number);
            told.push(user);
        }
    }
    told.sort_unstable();
    assert_eq!(told, lost);
}

/// The first session after its restart is what it is found out by (TS 29.274 7.2.2: Recovery).
#[test]
fn an_endpoint_keeps_what_it_made_since_it_began_anew() {
    let mut stage = Stage::new(1);
    for user in 0..20 {
        stage.attach(0, user);
    }
    stage.sgws[0].recovery += 1;
    stage.sgws[0].users.clear();
    stage.attach(1, 100);
    stage.live(ECHO);
    let from = stage.mmes[1].address;
    let modify = stage.mmes[1].modify(100, |_| {});
    assert_eq!(stage.ask(from, &modify).cause(), Some(Cause::Accepted));
    assert_eq!((stage.front_end.session_count(), stage.front_end.counts().lost), (1, 20));
    // What it has now goes with its next restart.
    stage.sgws[0].recovery += 1;
    stage.sgws[0].users.clear();
    stage.live(2 * ECHO);
    assert_eq!((stage.front_end.session_count(), stage.front_end.counts().lost), (0, 21));
}

#[test]
fn a_client_keeps_what_it_took_over_since_it_began_anew() {
    let mut stage = Stage::new(1);
    stage.attach(0, 1);
    for user in [2, 3] {
        stage.attach(1, user);
        stage.mmes[1].recovery += 1;
        // It takes a session over, and answers only then whether it began anew.
        stage.mmes[1].silent = true;
        let (known, address) = (stage.mmes[0].users[&1], stage.mmes[1].address);
        stage.mmes[1].users.insert(1, known);
        let recovery = stage.mmes[1].recovery;
        let take = stage.mmes[1].modify(1, |writer| {
            writer.add(&tunnel(10, 0xbeef + user, address));
            writer.add(&Element::Recovery(recovery));
        });
        assert_eq!(stage.ask(address, &take).cause(), Some(Cause::Accepted));
        stage.mmes[1].silent = false;
        stage.pass(T3);
        let left: Vec<u32> = stage.sessions().iter().map(|it| it.client.1).collect();
        assert_eq!(left, [0xbeef + user]);
    }
    // What it took over before goes with its next restart.
    stage.mmes[1].recovery += 1;
    stage.attach(1, 4);
    stage.pass(T3);
    let left: Vec<u32> = stage.sessions().iter().map(|it| it.client.1).collect();
    assert_eq!(left, [Mme::teid(4)]);
}
