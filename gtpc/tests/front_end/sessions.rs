//! Sessions on their endpoints.

use std::collections::BTreeSet;

use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType};

use crate::mme::Mme;
use crate::sgw::S1U;
use crate::stage::{HERE, N3, RECOVERY, Stage, T3, sgw_address};

const USERS: u32 = 1_000;

#[test]
fn a_thousand_sessions_are_each_on_their_endpoint() {
    let mut stage = Stage::new(3);
    let mut teids = BTreeSet::new();
    for user in 0..USERS {
        let answer = stage.attach(user as usize % 2, user);
        assert!(teids.insert(answer.tunnel(0).unwrap().teid));
    }
    let shares: Vec<usize> = stage.sgws.iter().map(|it| it.users.len()).collect();
    assert!(shares.iter().sum::<usize>() == USERS as usize && shares.iter().all(|it| *it > 250), "{shares:?}");
    for user in 0..USERS {
        let (mme, sgw) = (user as usize % 2, stage.sgw_of(user));
        let theirs = stage.sgws[sgw].teid_of(user);
        // From the client.
        let from = stage.mmes[mme].address;
        stage.sgws[sgw].heard.clear();
        let request = stage.mmes[mme].modify(user, |_| {});
        let answer = stage.ask(from, &request);
        assert_eq!((answer.cause(), answer.teid()), (Some(Cause::Accepted), Some(Mme::teid(user))));
        let heard = stage.sgws[sgw].heard.remove(0);
        assert_eq!((heard.kind(), heard.teid()), (MessageType::ModifyBearerRequest, theirs));
        // From the endpoint.
        let request = stage.sgws[sgw].create_bearer(user);
        stage.mmes[mme].heard.clear();
        let answer = stage.ask(sgw_address(u8::try_from(sgw).unwrap() + 1), &request);
        assert_eq!((answer.cause(), answer.teid()), (Some(Cause::Accepted), theirs));
        let heard = stage.mmes[mme].heard.remove(0);
        assert_eq!((heard.kind(), heard.teid()), (MessageType::CreateBearerRequest, Some(Mme::teid(user))));
    }
    // One that does not answer any more takes no other with it.
    let dead = 1;
    stage.sgws[dead].silent = true;
    stage.live(2 * crate::stage::ECHO + T3 * (N3 + 1));
    assert_eq!(stage.events.last(), Some(&("sgws/2".into(), false)));
    for user in 0..USERS {
        let (mme, sgw) = (user as usize % 2, stage.sgw_of(user));
        let from = stage.mmes[mme].address;
        let request = stage.mmes[mme].modify(user, |_| {});
        let wanted = if sgw == dead { Cause::PeerNotResponding } else { Cause::Accepted };
        assert_eq!(stage.ask(from, &request).cause(), Some(wanted));
    }
    for user in USERS..USERS + 100 {
        stage.attach(0, user);
        assert_ne!(stage.sgw_of(user), dead);
    }
    for user in 0..USERS + 100 {
        let mme = if user < USERS { user as usize % 2 } else { 0 };
        let from = stage.mmes[mme].address;
        let request = stage.mmes[mme].delete(user, 5);
        assert_eq!(stage.ask(from, &request).cause(), Some(Cause::Accepted));
    }
    assert_eq!(stage.front_end.session_count(), 0);
    assert!(stage.sgws[0].users.is_empty() && stage.sgws[2].users.is_empty());
    stage.live(T3 * (N3 + 2));
    let backlog = stage.front_end.backlog();
    assert_eq!((backlog.asked, backlog.remembered, backlog.chores), (0, 0, 0));
    assert_eq!(stage.kept.len(), 2, "the front end and its peers");
}

#[test]
fn what_is_of_the_control_tunnel_alone_is_changed() {
    let mut stage = Stage::new(1);
    let answer = stage.attach(0, 7);
    let heard = stage.sgws[0].heard.remove(0);
    assert_eq!((heard.teid(), heard.tunnel(0).unwrap().interface), (Some(0), 10));
    // The PGW's end is not the SGW's.
    assert_eq!(heard.tunnel(1).unwrap().addresses, std::net::IpAddr::from([203, 0, 113, 9]).into());
    assert_eq!(answer.tunnel(1).unwrap().teid, 0x00c0_ffee);
    assert_eq!(heard.value(ElementType::Recovery, 0), Some(vec![RECOVERY]));
    assert_eq!(answer.value(ElementType::Recovery, 0), Some(vec![RECOVERY]));
    assert_eq!(heard.value(ElementType::FqCsid, 0), None);
    let context = answer.value(ElementType::BearerContext, 0).unwrap();
    let std::net::IpAddr::V4(s1u) = S1U else { panic!() };
    assert!(context.windows(4).any(|it| it == s1u.octets()));
    let ours = heard.tunnel(0).unwrap();
    assert_eq!(ours.addresses, HERE.into());
    let view = stage.sessions().remove(0);
    assert_eq!((view.endpoint_teid, view.client_teid), (ours.teid, answer.tunnel(0).unwrap().teid));
    assert_eq!((view.subscriber.as_deref(), &*view.endpoint), (Some("001010000000007"), "sgws/1"));
}

/// TS 29.274 7.2.1: more connections of a user are in the same control tunnel on S11.
#[test]
fn a_session_ends_with_its_last_connection() {
    let mut stage = Stage::new(3);
    stage.attach(0, 1);
    let from = stage.mmes[0].address;
    let second = stage.mmes[0].create(1, 6);
    assert_eq!(stage.ask(from, &second).cause(), Some(Cause::Accepted));
    assert_eq!(stage.sessions()[0].bearers, [5, 6]);
    let delete = stage.mmes[0].delete(1, 5);
    stage.ask(from, &delete);
    assert_eq!(stage.sessions()[0].bearers, [6]);
    // The endpoint ends the other one.
    let sgw = stage.sgw_of(1);
    let request = stage.sgws[sgw].request(MessageType::DeleteBearerRequest, 1, |writer| {
        writer.add(&Element::EpsBearerId(6));
    });
    assert_eq!(stage.ask(stage.sgws[sgw].address, &request).cause(), Some(Cause::Accepted));
    assert!(stage.sessions().is_empty());
    let modify = stage.mmes[0].modify(1, |_| {});
    let answer = stage.ask(from, &modify);
    assert_eq!((answer.cause(), answer.teid()), (Some(Cause::ContextNotFound), Some(0)));
}

#[test]
fn deletions_that_cross_are_both_answered() {
    for first in [0, 1] {
        let mut stage = Stage::new(1);
        stage.attach(0, 1);
        let (mme, sgw) = (stage.mmes[0].address, stage.sgws[0].address);
        (stage.mmes[0].silent, stage.sgws[0].silent) = (true, true);
        let theirs = stage.sgws[0].teid_of(1);
        let deletes = [
            stage.mmes[0].delete(1, 5),
            stage.sgws[0].request(MessageType::DeleteBearerRequest, 1, |writer| {
                writer.add(&Element::EpsBearerId(5));
            }),
        ];
        stage.inbox.clear();
        stage.receive(mme, &deletes[0]);
        stage.receive(sgw, &deletes[1]);
        let (to_mme, to_sgw) = (stage.sent_to(mme).remove(0), stage.sent_to(sgw).remove(0));
        (stage.mmes[0].silent, stage.sgws[0].silent) = (false, false);
        let answers = [(mme, stage.mmes[0].hear(&to_mme).unwrap()), (sgw, stage.sgws[0].hear(&to_sgw).unwrap())];
        for (from, answer) in [&answers[first], &answers[1 - first]] {
            stage.receive(*from, answer);
        }
        assert_eq!(stage.front_end.session_count(), 0);
        let accepted = Some(Cause::Accepted);
        let told = |stage: &mut Stage, at| {
            stage.sent_to(at).iter().map(|it| (it.kind(), it.cause(), it.teid())).collect::<Vec<_>>()
        };
        let ours = Some(Mme::teid(1));
        assert_eq!(told(&mut stage, mme), [(MessageType::DeleteSessionResponse, accepted, ours)]);
        assert_eq!(told(&mut stage, sgw), [(MessageType::DeleteBearerResponse, accepted, theirs)]);
    }
}

#[test]
fn a_user_that_comes_again_stays_where_it_was() {
    let mut stage = Stage::new(3);
    for user in 0..50 {
        stage.attach(0, user);
        let before = stage.sgw_of(user);
        stage.attach(1, user);
        assert_eq!(stage.sgw_of(user), before);
    }
    assert_eq!(stage.front_end.session_count(), 50);
    // The MME of before knows a TEID that is none any more.
    let modify = stage.mmes[0].modify(3, |_| {});
    let from = stage.mmes[0].address;
    assert_eq!(stage.ask(from, &modify).cause(), Some(Cause::ContextNotFound));
}
