//! What SMFs ask of the function that the UPFs are.

use std::time::Duration;

use pinion_protocols::pfcp::{Cause, Element, ElementType, MessageType, NodeId};

use super::{SHARED, ask, members, set_up, setups, shares};
use crate::smf::Smf;
use crate::stage::{HEARTBEAT, N1, STAMP, T1};
use crate::upf::Mood;

/// PFCPASRsp-Flags: PSREI (TS 29.244 8.2.146).
fn retains(writer: &mut pinion_protocols::pfcp::MessageWriter<'_>) {
    writer.element(ElementType::PfcpasrspFlags, |out| out.extend_from_slice(&[1]));
}

/// TS 29.244 6.2.6: each UPF has an association with the SMF itself, and the SMF has one with all of them.
#[test]
fn clause_6_2_6_an_association_is_with_each_upf() {
    let mut stage = members(3);
    stage.upfs[1].features = vec![0x11, 0x00, 0x44, 0x01];
    let smf = Smf::new(1);
    let answer = stage.ask(&smf, &smf.setup(7));
    assert_eq!(answer.message().routing().unwrap().node, Some(NodeId::Address(SHARED)));
    assert_eq!((answer.message().sequence(), answer.cause()), (smf.sequence, Some(Cause::ACCEPTED)));
    // What all can.
    assert_eq!(answer.value(ElementType::UpFunctionFeatures), Some(vec![0x10, 0x00, 0x44]));
    assert_eq!(answer.value(ElementType::RecoveryTimeStamp), Some(STAMP.to_be_bytes().to_vec()));
    for upf in &stage.upfs {
        let [setup] = upf.heard(MessageType::AssociationSetupRequest)[..] else { panic!("one setup each") };
        assert_eq!(setup.message().routing().unwrap().node, Some(NodeId::Address(smf.address)));
        assert_eq!(setup.value(ElementType::RecoveryTimeStamp), Some(STAMP.to_be_bytes().to_vec()));
        assert_eq!(setup.value(ElementType::CpFunctionFeatures), Some(vec![smf.features]));
    }
}

/// TS 29.244 6.2.6.2: where one UPF accepts there is an association; one that refuses gets no sessions until it accepts.
#[test]
fn clause_6_2_6_2_one_that_refuses_is_left_out_until_it_is_back() {
    let mut stage = members(3);
    stage.upfs[0].node_cause = Cause::NO_RESOURCES;
    let mut smf = Smf::new(1);
    assert_eq!(stage.ask(&smf, &smf.setup(7)).cause(), Some(Cause::ACCEPTED));
    for seid in 1..=4 {
        assert_eq!(ask(&mut stage, &mut smf, |smf| smf.simple(seid)).cause(), Some(Cause::ACCEPTED));
    }
    assert_eq!(shares(&stage), [0, 2, 2]);
    stage.upfs[0].node_cause = Cause::ACCEPTED;
    stage.live(2 * HEARTBEAT);
    for seid in 5..=10 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!(shares(&stage), [2, 4, 4]);
    assert_eq!(
        (setups(&stage, 1), setups(&stage, 2)),
        (1, 1),
        "others are not asked again: their sessions would end"
    );
}

/// TS 29.244 6.2.6.2: where none accepts, the SMF is told why.
#[test]
fn clause_6_2_6_2_refused_where_all_refuse() {
    let mut stage = members(2);
    stage.upfs.iter_mut().for_each(|upf| upf.node_cause = Cause::CONGESTION);
    let mut smf = Smf::new(1);
    assert_eq!(stage.ask(&smf, &smf.setup(7)).cause(), Some(Cause::CONGESTION));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.simple(1)).cause(), Some(Cause::NO_ASSOCIATION));
}

/// TS 29.244 6.4: the SMF's question is one to each UPF, however often it comes, and has one answer.
#[test]
fn clause_6_4_a_setup_is_answered_once_and_alike() {
    let (mut stage, smf) = set_up(2);
    let first = Smf { sequence: 1, ..smf };
    let again = stage.ask(&first, &first.setup(7));
    assert_eq!((setups(&stage, 0), setups(&stage, 1)), (1, 1));
    assert_eq!(again, stage.ask(&first, &first.setup(7)));
}

/// TS 29.244 6.4: a UPF that is long in answering does not let the SMF wait until it gives up.
#[test]
fn clause_6_4_a_silent_upf_is_not_waited_for() {
    let mut stage = members(2);
    stage.upfs[1].mood = Mood::IsSilent;
    let mut smf = Smf::new(1);
    stage.receive(smf.address, &smf.setup(7));
    assert!(stage.answers(smf.address).is_empty());
    stage.live(T1);
    let answers = stage.answers(smf.address);
    assert_eq!((answers.len(), answers[0].cause()), (1, Some(Cause::ACCEPTED)));
    for seid in 1..=2 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!(shares(&stage), [2, 0]);
    // It was only slow.
    stage.upfs[1].mood = Mood::Answers;
    stage.live(T1);
    for seid in 3..=4 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!(shares(&stage), [3, 1]);
}

/// TS 29.244 6.4: where no UPF answers, the SMF is not answered either.
#[test]
fn clause_6_4_nobody_answers_for_silent_upfs() {
    let mut stage = members(2);
    stage.upfs.iter_mut().for_each(|upf| upf.mood = Mood::IsSilent);
    let smf = Smf::new(1);
    stage.receive(smf.address, &smf.setup(7));
    stage.live((N1 + 1) * T1);
    assert!(stage.answers(smf.address).is_empty());
}

/// TS 29.244 6.2.2: a heartbeat is answered here, also a stranger's, with a stamp that stays when a UPF begins anew.
#[test]
fn clause_6_2_2_no_restart_of_the_function_is_seen() {
    let (mut stage, mut smf) = set_up(2);
    let stamp = Some(STAMP.to_be_bytes().to_vec());
    let stranger = Smf::new(9);
    assert_eq!(stage.ask(&stranger, &stranger.heartbeat(1)).value(ElementType::RecoveryTimeStamp), stamp);
    stage.upfs[0].restart();
    stage.live(2 * HEARTBEAT);
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.heartbeat(7)).value(ElementType::RecoveryTimeStamp), stamp);
}

/// TS 29.244 6.2.6.2.2: an SMF that sets up anew does so with each UPF; sessions are retained where all retained them.
#[test]
fn clause_6_2_6_2_2_an_smf_sets_up_anew() {
    let (mut stage, mut smf) = set_up(2);
    let there = ask(&mut stage, &mut smf, |smf| smf.simple(1)).f_seid().unwrap().seid;
    stage.upfs[0].says = Some(retains);
    let answer = ask(&mut stage, &mut smf, |smf| smf.setup_retaining(8));
    assert_eq!(answer.value(ElementType::PfcpasrspFlags), None);
    stage.upfs[1].says = Some(retains);
    let answer = ask(&mut stage, &mut smf, |smf| smf.setup_retaining(8));
    assert_eq!(answer.value(ElementType::PfcpasrspFlags), Some(vec![1]));
    let retention = ElementType::SessionRetentionInformation;
    for upf in &stage.upfs {
        let setups = upf.heard(MessageType::AssociationSetupRequest);
        assert_eq!(setups.iter().filter(|setup| setup.value(retention).is_some()).count(), 2);
    }
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(there, |_| {})).cause(), Some(Cause::ACCEPTED));
    ask(&mut stage, &mut smf, |smf| smf.setup(8));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(there, |_| {})).cause(), Some(Cause::SESSION_NOT_FOUND));
}

/// TS 23.527 4.2: an SMF that began anew has no association; what becomes of its sessions it says with the next one.
#[test]
fn clause_4_2_an_smf_begins_anew() {
    let (mut stage, mut smf) = set_up(2);
    let there = ask(&mut stage, &mut smf, |smf| smf.simple(1)).f_seid().unwrap().seid;
    stage.live(2 * HEARTBEAT);
    stage.smf_stamp = 8;
    stage.live(2 * HEARTBEAT);
    stage.inbox.clear();
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.simple(2)).cause(), Some(Cause::NO_ASSOCIATION));
    assert_eq!(stage.sessions_at_upfs(), 1);
    ask(&mut stage, &mut smf, |smf| smf.setup_retaining(8));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(there, |_| {})).cause(), Some(Cause::ACCEPTED));
}

/// TS 29.244 6.2.7: a change goes to each UPF; one that does not take it gets no sessions until it takes one.
#[test]
fn clause_6_2_7_an_smf_changes() {
    let (mut stage, mut smf) = set_up(2);
    let change = |smf: &Smf| {
        smf.request(MessageType::AssociationUpdateRequest, None, |writer| {
            writer.add(&smf.node());
            writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&[0x0f]));
        })
    };
    stage.upfs[1].node_cause = Cause::REJECTED;
    assert_eq!(ask(&mut stage, &mut smf, change).cause(), Some(Cause::ACCEPTED));
    for upf in &stage.upfs {
        let [update] = upf.heard(MessageType::AssociationUpdateRequest)[..] else { panic!("one update each") };
        assert_eq!(update.value(ElementType::CpFunctionFeatures), Some(vec![0x0f]));
        assert_eq!(update.message().routing().unwrap().node, Some(NodeId::Address(smf.address)));
    }
    for seid in 1..=2 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!(shares(&stage), [2, 0]);
    stage.upfs[1].node_cause = Cause::ACCEPTED;
    ask(&mut stage, &mut smf, change);
    for seid in 3..=4 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!(shares(&stage), [3, 1]);
    // Whoever comes later is asked with what holds by now.
    stage.upfs[0].restart();
    stage.live(2 * HEARTBEAT);
    let setups = stage.upfs[0].heard(MessageType::AssociationSetupRequest);
    assert_eq!(setups.last().unwrap().value(ElementType::CpFunctionFeatures), Some(vec![0x0f]));
}

/// TS 29.244 6.2.8: with a release each UPF's association ends.
#[test]
fn clause_6_2_8_an_smf_releases() {
    let (mut stage, mut smf) = set_up(2);
    ask(&mut stage, &mut smf, |smf| smf.simple(1));
    assert_eq!(ask(&mut stage, &mut smf, Smf::release).cause(), Some(Cause::ACCEPTED));
    assert!(stage.upfs.iter().all(|upf| upf.heard(MessageType::AssociationReleaseRequest).len() == 1));
    assert_eq!(stage.front_end.session_count(), 0);
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.simple(2)).cause(), Some(Cause::NO_ASSOCIATION));
}

/// TS 29.244 6.2.5: PFDs are for all UPFs, also those that come later.
#[test]
fn clause_6_2_5_pfds_are_for_all_upfs() {
    let mut stage = members(2);
    stage.upfs[1].mood = Mood::IsSilent;
    stage.live((N1 + 1) * T1 + HEARTBEAT);
    let mut smf = Smf::new(1);
    assert_eq!(stage.ask(&smf, &smf.setup(7)).cause(), Some(Cause::ACCEPTED));
    let pfds = |smf: &Smf| {
        smf.request(MessageType::PfdManagementRequest, None, |writer| {
            writer.element(ElementType::from(40_000), |out| out.extend_from_slice(b"\x0d\xdfpfds"));
        })
    };
    assert_eq!(ask(&mut stage, &mut smf, pfds).cause(), Some(Cause::ACCEPTED));
    stage.upfs[1].mood = Mood::Answers;
    stage.live(2 * HEARTBEAT);
    for upf in &stage.upfs {
        let [heard] = upf.heard(MessageType::PfdManagementRequest)[..] else { panic!("once each") };
        assert_eq!(heard.value(ElementType::from(40_000)), Some(b"\x0d\xdfpfds".to_vec()));
    }
}

/// TS 29.244 6.2.9: a set of sessions ends at whichever UPFs they are.
#[test]
fn clause_6_2_9_sets_of_sessions_end_at_all_upfs() {
    let (mut stage, mut smf) = set_up(2);
    let end = |smf: &Smf| {
        smf.request(MessageType::SessionSetDeletionRequest, None, |writer| {
            writer.add(&smf.node());
        })
    };
    assert_eq!(ask(&mut stage, &mut smf, end).cause(), Some(Cause::ACCEPTED));
    assert!(stage.upfs.iter().all(|upf| upf.heard(MessageType::SessionSetDeletionRequest).len() == 1));
}

/// Two SMFs: what one asks is of its own associations.
#[test]
fn clause_6_2_6_smfs_are_told_apart_by_their_node_ids() {
    let (mut stage, mut smf) = set_up(2);
    let mut other = Smf::new(2);
    ask(&mut stage, &mut other, |smf| smf.setup(3));
    let (one, two) = (
        ask(&mut stage, &mut smf, |smf| smf.simple(1)).f_seid().unwrap().seid,
        ask(&mut stage, &mut other, |smf| smf.simple(1)).f_seid().unwrap().seid,
    );
    ask(&mut stage, &mut smf, |smf| smf.setup(8));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(one, |_| {})).cause(), Some(Cause::SESSION_NOT_FOUND));
    assert_eq!(ask(&mut stage, &mut other, |smf| smf.modify(two, |_| {})).cause(), Some(Cause::ACCEPTED));
    let stranger = Smf::new(3);
    assert_eq!(stage.ask(&stranger, &stranger.modify(two, |_| {})).cause(), Some(Cause::SESSION_NOT_FOUND));
}

/// TS 29.244 6.3.2: nobody else may make sessions under an SMF's name.
#[test]
fn clause_6_3_2_sessions_are_asked_for_from_where_the_association_is() {
    let (mut stage, mut smf) = set_up(1);
    smf.sequence += 1;
    let elsewhere = Smf::new(7);
    stage.receive(elsewhere.address, &smf.simple(1));
    assert_eq!(stage.answers(elsewhere.address)[0].cause(), Some(Cause::NO_ASSOCIATION));
    assert_eq!(shares(&stage), [0]);
}

/// TS 29.244 7.4.4.1: without a Node ID, or the time at which it began, there is no association.
#[test]
fn clause_7_4_4_1_what_is_missing_is_named() {
    let mut stage = members(1);
    let smf = Smf::new(1);
    let nameless = smf.request(MessageType::AssociationSetupRequest, None, |writer| {
        writer.add(&Element::RecoveryTimeStamp(7));
    });
    let answer = stage.ask(&smf, &nameless);
    assert_eq!((answer.cause(), answer.offending()), (Some(Cause::MANDATORY_MISSING), Some(ElementType::NodeId)));
    assert_eq!(setups(&stage, 0), 0);
    // Before any UPF is there.
    let mut stage = super::Stage::new(super::redirecting(1));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.pass(Duration::ZERO);
    assert_eq!(stage.ask(&smf, &smf.setup(7)).cause(), Some(Cause::NO_RESOURCES));
}
