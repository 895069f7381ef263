//! Retransmission, numbers and piggybacking (TS 29.274 5.5.1, 7.6).

use std::net::SocketAddr;

use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType};

use crate::mme::Mme;
use crate::stage::{N3, Said, Stage, T3};

#[test]
fn a_request_that_comes_again_is_answered_alike_and_done_once() {
    let mut stage = Stage::new(2);
    let request = stage.mmes[0].create(1, 5);
    // Whoever asks from another port is answered there.
    let from: SocketAddr = (stage.mmes[0].address, 40_000).into();
    stage.receive_from(from, &request);
    stage.receive_from(from, &request);
    let answers: Vec<_> = stage.inbox.iter().filter(|(to, _)| *to == from).map(|(_, it)| it.clone()).collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(stage.sgws.iter().map(|it| it.heard.len()).sum::<usize>(), 1);
    // The same number with other bytes is another request.
    let mut other = request.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    stage.receive_from(from, &other);
    assert_eq!(stage.sgws.iter().map(|it| it.heard.len()).sum::<usize>(), 2);
}

#[test]
fn what_is_not_answered_is_sent_again_and_given_up() {
    let mut stage = Stage::new(1);
    stage.attach(0, 1);
    stage.sgws[0].silent = true;
    stage.inbox.clear();
    let modify = stage.mmes[0].modify(1, |_| {});
    let from = stage.mmes[0].address;
    stage.receive(from, &modify);
    // While it is under way a retransmission leads to nothing.
    stage.receive(from, &modify);
    stage.live(T3 * N3 + T3 / 2);
    let asked = stage.sent_to(stage.sgws[0].address);
    let asked: Vec<_> = asked.iter().filter(|it| it.kind() == MessageType::ModifyBearerRequest).collect();
    assert_eq!(asked.len(), N3 as usize);
    assert!(asked.iter().all(|it| *it == asked[0]));
    let answers = stage.sent_to(from);
    assert_eq!(answers.iter().map(Said::cause).collect::<Vec<_>>(), [Some(Cause::PeerNotResponding)]);
    // The session is there all the same.
    stage.sgws[0].silent = false;
    stage.live(2 * crate::stage::ECHO);
    let modify = stage.mmes[0].modify(1, |_| {});
    assert_eq!(stage.ask(from, &modify).cause(), Some(Cause::Accepted));
}

#[test]
fn a_session_that_is_made_too_late_is_ended() {
    let mut stage = Stage::new(1);
    stage.sgws[0].silent = true;
    let (request, from) = (stage.mmes[0].create(1, 5), stage.mmes[0].address);
    stage.receive(from, &request);
    let asked = stage.sent_to(stage.sgws[0].address).remove(0);
    stage.live(T3 * N3);
    assert_eq!(stage.sent_to(from).remove(0).cause(), Some(Cause::PeerNotResponding));
    assert_eq!(stage.front_end.session_count(), 0);
    stage.sgws[0].silent = false;
    let late = stage.sgws[0].hear(&asked).unwrap();
    assert_eq!(stage.sgws[0].users.len(), 1);
    stage.receive(stage.sgws[0].address, &late);
    assert!(stage.sgws[0].users.is_empty() && stage.sent_to(from).is_empty());
}

#[test]
fn an_answer_is_that_of_its_sender_number_type_and_session() {
    let mut stage = Stage::new(2);
    stage.attach(0, 1);
    let sgw = stage.sgw_of(1);
    stage.sgws.iter_mut().for_each(|it| it.silent = true);
    stage.inbox.clear();
    let (from, at) = (stage.mmes[0].address, stage.sgws[sgw].address);
    let modify = stage.mmes[0].modify(1, |_| {});
    stage.receive(from, &modify);
    let asked = stage.sent_to(at).remove(0);
    let ours = stage.sessions()[0].endpoint_teid;
    let mut answer = |kind, teid, number, from| {
        let bytes = crate::stage::message(kind, Some(teid), number, |writer| {
            writer.add(&Element::Cause(Cause::Accepted, 0));
        });
        stage.receive(from, &bytes);
        stage.sent_to(stage.mmes[0].address).len()
    };
    let (kind, number) = (MessageType::ModifyBearerResponse, asked.sequence());
    assert_eq!(answer(kind, ours, number, from), 0);
    assert_eq!(answer(kind, ours, number ^ 1, at), 0);
    assert_eq!(answer(kind, ours ^ 1, number, at), 0);
    assert_eq!(answer(MessageType::ReleaseAccessBearersResponse, ours, number, at), 0);
    assert_eq!(answer(kind, ours, number, at), 1);
    assert_eq!(answer(kind, ours, number, at), 0);
    assert_eq!(stage.front_end.counts().unasked, 5);
}

#[test]
fn what_is_piggybacked_stays_so() {
    let mut stage = Stage::new(1);
    stage.sgws[0].piggybacks = true;
    stage.mmes[0].silent = true;
    let request = stage.mmes[0].create(1, 5);
    let from = stage.mmes[0].address;
    stage.receive(from, &request);
    let mut sent = stage.sent_to(from);
    assert_eq!(sent.len(), 1);
    let parts = sent[0].split();
    let kinds: Vec<_> = parts.iter().map(|it| (it.kind(), it.teid())).collect();
    let teid = Some(Mme::teid(1));
    assert_eq!(kinds, [(MessageType::CreateSessionResponse, teid), (MessageType::CreateBearerRequest, teid)]);
    stage.mmes[0].attached(1, &parts[0]);
    // A retransmission is answered by both again; and both are sent again where the one behind is not answered.
    stage.receive(from, &request);
    assert_eq!(stage.sent_to(from), [sent[0].clone()]);
    stage.pass(T3);
    assert_eq!(stage.sent_to(from), [sent.remove(0)]);
    // And the MME's answer, with its request behind it.
    let here = stage.mmes[0].users[&1];
    let modify = stage.mmes[0].modify(1, |_| {});
    let mut both =
        crate::stage::message(MessageType::CreateBearerResponse, Some(here), parts[1].sequence(), |writer| {
            writer.add(&Element::Cause(Cause::Accepted, 0));
            writer.follow_on();
        });
    both.extend(modify);
    stage.inbox.clear();
    stage.receive(from, &both);
    let sent = stage.sent_to(stage.sgws[0].address);
    assert_eq!(sent.len(), 1);
    let kinds: Vec<_> = sent[0].split().iter().map(|it| (it.kind(), it.teid())).collect();
    let teid = stage.sgws[0].teid_of(1);
    assert_eq!(kinds, [(MessageType::CreateBearerResponse, teid), (MessageType::ModifyBearerRequest, teid)]);
    assert_eq!(sent[0].split()[0].sequence(), stage.sgws[0].sequence);
}

/// TS 29.274 7.6: what a command leads to has the command's number, with the highest bit set.
#[test]
fn a_command_is_answered_by_a_request_of_its_number() {
    let mut stage = Stage::new(1);
    stage.attach(0, 1);
    let (from, here) = (stage.mmes[0].address, stage.mmes[0].users[&1]);
    let number = 0x80_0000;
    let command = crate::stage::message(MessageType::DeleteBearerCommand, Some(here), number, |writer| {
        writer.nested(ElementType::BearerContext, |writer| {
            writer.add(&Element::EpsBearerId(6));
        });
    });
    stage.mmes[0].heard.clear();
    stage.inbox.clear();
    stage.receive(from, &command);
    let heard = stage.mmes[0].heard.remove(0);
    assert_eq!((heard.kind(), heard.sequence()), (MessageType::DeleteBearerRequest, number));
    let theirs = stage.sgws[0].heard.pop().unwrap();
    assert!(theirs.kind() == MessageType::DeleteBearerCommand && theirs.sequence() & number != 0);
    // The MME's answer is that of the SGW's request, and nothing is left to be asked.
    let answer = stage.sent_to(stage.sgws[0].address).pop().unwrap();
    assert_eq!((answer.kind(), answer.sequence()), (MessageType::DeleteBearerResponse, theirs.sequence()));
    assert_eq!(stage.front_end.backlog().asked, 0);
    stage.inbox.clear();
    stage.receive(from, &command);
    assert!(stage.inbox.is_empty());
}
