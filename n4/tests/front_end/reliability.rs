//! Reliable delivery (TS 29.244 6.4) and messages that share a datagram (6.5).

use std::time::Duration;

use pinion_n4::Settings;
use pinion_protocols::pfcp::{Cause, MessageType};

use crate::loss::many;
use crate::smf::Smf;
use crate::stage::{HEARTBEAT, Host, N1, Stage, T1, settings, upf_address};
use crate::upf::Mood;

/// TS 29.244 6.4: a retransmission is answered with the same bytes, and asks the UPF nothing.
#[test]
fn clause_6_4_a_retransmission_is_answered_alike() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let request = smf.simple(0x77);
    let answer = stage.ask(&smf, &request);
    assert_eq!(stage.ask(&smf, &request), answer);
    smf.sequence += 1;
    let here = answer.f_seid().unwrap().seid;
    let request = smf.delete(here);
    let answer = stage.ask(&smf, &request);
    assert_eq!(stage.ask(&smf, &request), answer);
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    let heard = |kind| stage.upfs.iter().map(|upf| upf.heard(kind).len()).sum::<usize>();
    assert_eq!(heard(MessageType::SessionEstablishmentRequest), 1);
    assert_eq!(heard(MessageType::SessionDeletionRequest), 1);
    assert_eq!(stage.front_end.counts().retransmitted, 2);
}

/// TS 29.244 6.4: while a request is under way its retransmissions are not answered, and the UPF is asked once.
#[test]
fn clause_6_4_a_request_under_way_is_not_begun_again() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    stage.host = Host::Waits;
    for _ in 0..3 {
        stage.receive(smf.address, &smf.simple(0x77));
    }
    assert!(stage.answers(smf.address).is_empty());
    assert_eq!(stage.upfs[0].heard(MessageType::SessionEstablishmentRequest).len(), 1);
    stage.install();
    assert_eq!(stage.answers(smf.address).len(), 1);
}

/// TS 29.244 6.4: peers' numbers are their own.
#[test]
fn clause_6_4_two_peers_may_use_one_number() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let mut other = Smf::new(2);
    stage.ask(&other, &other.setup(3));
    (smf.sequence, other.sequence) = (40, 40);
    let one = stage.ask(&smf, &smf.simple(0x77));
    let two = stage.ask(&other, &other.simple(0x88));
    assert_eq!((one.message().seid(), two.message().seid()), (Some(0x77), Some(0x88)));
    assert_eq!(stage.front_end.session_count(), 2);
}

/// TS 29.244 6.4: a request is sent N1 times, with T1 between, as the same bytes.
#[test]
fn clause_6_4_requests_are_repeated() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.receive(smf.address, &smf.simple(0x77));
    for round in 1..N1 as usize {
        stage.pass(T1 - Duration::from_millis(1));
        assert_eq!(stage.upfs[0].heard(MessageType::SessionEstablishmentRequest).len(), round);
        stage.pass(Duration::from_millis(1));
    }
    stage.live(5 * T1);
    let heard = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest);
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|said| *said == heard[0]));
    // What was asked for is not there, and the SMF may ask anew.
    assert_eq!(stage.front_end.session_count(), 0);
    stage.upfs[0].mood = Mood::Answers;
    stage.live(20 * T1);
    assert_eq!(stage.ask(&smf, &smf.simple(0x77)).cause(), Some(Cause::ACCEPTED));
}

/// A UPF that answers after it was given up, and has a session by then: nobody knows of it, and it ends there. So it does where it
/// was to be made again, and is on another UPF by then.
#[test]
fn a_session_that_is_there_too_late_ends() {
    let kind = MessageType::SessionEstablishmentRequest;
    for restore in [false, true] {
        let (mut stage, mut smf) = Stage::set_up(Settings { restore, ..settings(3) });
        if restore {
            many(&mut stage, &mut smf, 1);
            stage.upfs[0].mood = Mood::IsSilent;
        }
        for upf in &mut stage.upfs {
            upf.heard.clear();
            upf.is_deaf_to = Some(kind);
        }
        if restore {
            stage.live(HEARTBEAT + T1 * N1);
        } else {
            smf.sequence += 1;
            stage.receive(smf.address, &smf.simple(0x77));
        }
        let late = stage.upfs.iter().position(|upf| !upf.heard(kind).is_empty()).unwrap();
        for upf in stage.upfs.iter_mut().filter(|upf| usize::from(upf.number) != late + 1) {
            upf.is_deaf_to = None;
        }
        stage.live(T1 * (N1 + 2));
        stage.upfs[late].is_deaf_to = None;
        let asked = stage.upfs[late].heard(kind)[0].clone();
        let before = stage.sessions();
        assert_eq!(before.len(), usize::from(restore));
        let answer = stage.upfs[late].hear(&asked).unwrap();
        // It answers as often as it was asked.
        for _ in 0..2 {
            stage.receive(upf_address(stage.upfs[late].number), &answer);
            assert_eq!((stage.sessions(), stage.upfs[late].sessions.len()), (before.clone(), 0));
        }
        assert_eq!(stage.upfs[late].heard(MessageType::SessionDeletionRequest).len(), 1);
    }
}

/// TS 29.244 6.4: only who was asked answers, once, with the request's number.
#[test]
fn clause_6_4_an_answer_that_nobody_asked_for() {
    let (mut stage, smf) = Stage::set_up(settings(2));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.receive(smf.address, &smf.simple(0x77));
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0].clone();
    stage.upfs[0].mood = Mood::Answers;
    let answer = stage.upfs[0].hear(&asked).unwrap();
    stage.receive(upf_address(2), &answer);
    assert!(stage.answers(smf.address).is_empty());
    stage.receive(upf_address(1), &answer);
    stage.receive(upf_address(1), &answer);
    assert_eq!(stage.answers(smf.address).len(), 1);
    assert_eq!(stage.front_end.counts().unasked, 2);
}

/// TS 29.244 6.5: messages of several sessions in a datagram go each its own way.
#[test]
fn clause_6_5_a_bundle_is_taken_apart() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let mut bundle = smf.simple(0x71);
    bundle[0] |= 4;
    smf.sequence += 1;
    bundle.extend(smf.simple(0x72));
    stage.receive(smf.address, &bundle);
    let answers = stage.answers(smf.address);
    let seids: Vec<_> = answers.iter().map(|it| (it.cause(), it.message().seid())).collect();
    assert_eq!(seids, [(Some(Cause::ACCEPTED), Some(0x71)), (Some(Cause::ACCEPTED), Some(0x72))]);
    for upf in &stage.upfs {
        assert_eq!(upf.heard(MessageType::SessionEstablishmentRequest).len(), 1);
    }
    // The same bundle again is answered alike.
    stage.receive(smf.address, &bundle);
    assert_eq!(stage.answers(smf.address), answers);
}

/// TS 29.244 6.5, 7.2.2.2: what is behind a message without the flag is not looked at.
#[test]
fn clause_6_5_what_follows_without_the_flag_is_none() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let mut bundle = smf.simple(0x71);
    smf.sequence += 1;
    bundle.extend(smf.simple(0x72));
    stage.receive(smf.address, &bundle);
    assert_eq!(stage.answers(smf.address).len(), 1);
}

/// TS 29.244 6.5: each message of a bundle is passed on in a datagram of its own, and says so.
#[test]
fn clause_6_5_what_is_passed_on_is_alone() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let mut bundle = smf.simple(0x71);
    bundle[0] |= 4;
    smf.sequence += 1;
    bundle.extend(smf.simple(0x72));
    stage.receive(smf.address, &bundle);
    let heard = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest);
    assert_eq!(heard.len(), 2);
    for said in heard {
        let message = said.message();
        let end = message.body_offset() + message.body().len();
        assert!(!message.is_followed() && end == said.0.len());
    }
}
