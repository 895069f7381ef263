//! Heartbeats (TS 29.244 6.2.2), and messages of other versions.

use std::net::IpAddr;

use pinion_protocols::pfcp::{ElementType, MessageType};

use crate::smf::Smf;
use crate::stage::{HEARTBEAT, N1, STAMP, Stage, T1, name, settings, upf_address};
use crate::upf::Mood;

/// TS 29.244 6.2.2.2: whoever asks is answered, also without association.
#[test]
fn clause_6_2_2_a_stranger_is_answered() {
    let mut stage = Stage::new(settings(1));
    let stranger = Smf { sequence: 0x12_3456, ..Smf::new(9) };
    let answer = stage.ask(&stranger, &stranger.heartbeat(5));
    assert_eq!(answer.kind(), MessageType::HeartbeatResponse);
    assert_eq!(answer.message().sequence(), 0x12_3456);
    assert_eq!(answer.value(ElementType::RecoveryTimeStamp), Some(STAMP.to_be_bytes().to_vec()));
}

/// TS 29.244 6.2.2, 19A: one stamp to all, whatever peers do.
#[test]
fn clause_6_2_2_the_stamp_is_constant() {
    let (mut stage, smf) = Stage::set_up(settings(2));
    stage.upfs[0].restart();
    stage.live(3 * HEARTBEAT);
    stage.ask(&smf, &smf.setup(8));
    stage.front_end.configure(settings(1));
    stage.live(3 * HEARTBEAT);
    let stamp = Some(STAMP.to_be_bytes().to_vec());
    assert_eq!(stage.ask(&smf, &smf.heartbeat(8)).value(ElementType::RecoveryTimeStamp), stamp);
    let mut told = stage.requests(smf.address, MessageType::HeartbeatRequest);
    told.extend(stage.upfs[0].heard(MessageType::AssociationSetupRequest).into_iter().cloned());
    assert!(told.len() > 4);
    assert!(told.iter().all(|said| said.value(ElementType::RecoveryTimeStamp) == stamp));
}

/// TS 29.244 6.2.2: peers with an association are asked, once in a while.
#[test]
fn clause_6_2_2_peers_are_asked() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    stage.live(10 * HEARTBEAT);
    assert_eq!(stage.requests(smf.address, MessageType::HeartbeatRequest).len(), 10);
    assert_eq!(stage.front_end.counts().repeated, 0);
}

/// TS 29.244 6.4: a UPF that answers none of N1 heartbeats is lost, and asked for an association again.
#[test]
fn clause_6_4_a_silent_upf_is_lost() {
    let (mut stage, _) = Stage::set_up(settings(1));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + T1 * N1);
    assert_eq!(stage.events, [(name(1), true), (name(1), false)]);
    assert_eq!(stage.front_end.counts().upf_losses, 1);
    stage.upfs[0].mood = Mood::Answers;
    stage.live(HEARTBEAT + T1 * N1);
    assert_eq!(stage.events.last(), Some(&(name(1), true)));
}

/// TS 29.244 7.4.4.7: a request of another version is told that, with its number and nothing else; 6.1: an answer is not.
#[test]
fn clause_7_4_4_7_another_version() {
    let mut stage = Stage::new(settings(1));
    let peer: IpAddr = [203, 0, 113, 9].into();
    // A heartbeat of version 2, sequence 0x000102, and one with a SEID.
    stage.receive(peer, &[0x40, 1, 0, 4, 0, 1, 2, 0]);
    stage.receive(peer, &[0x41, 50, 0, 12, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 3, 0]);
    let answers = stage.answers(peer);
    let bytes: Vec<&[u8]> = answers.iter().map(|it| &it.0[..]).collect();
    assert_eq!(bytes, [&[0x20, 11, 0, 4, 0, 1, 2, 0][..], &[0x20, 11, 0, 4, 0, 1, 3, 0]]);
    stage.receive(peer, &[0x40, 2, 0, 4, 0, 1, 2, 0]);
    assert!(stage.inbox.is_empty());
}

/// What is no message of PFCP is counted, and not answered.
#[test]
fn clause_7_2_2_what_is_cut_is_not_answered() {
    let mut stage = Stage::new(settings(1));
    for bytes in
        [&[][..], &[0x20], &[0x20, 1, 0, 12, 0, 0, 7, 0, 0, 96, 0, 4, 0xe4], &[0x21, 50, 0, 4, 0, 0, 0, 0]]
    {
        stage.receive(upf_address(1), bytes);
    }
    assert!(stage.inbox.is_empty());
    assert_eq!(stage.front_end.counts().sent, 0);
}
