//! The UPFs that are one function: they come and go, and ask.

use pinion_protocols::pfcp::{Cause, Element, ElementType, MessageType, NodeId};

use super::{SHARED, ask, from_upf, members, set_up, setups, shares};
use crate::smf::Smf;
use crate::stage::{HEARTBEAT, N1, STAMP, Stage, T1, upf_address};
use crate::upf::{FEATURES, Mood, ScriptedUpf};

fn of_node(upf: &mut ScriptedUpf, kind: MessageType) -> Vec<u8> {
    let (node, features) = (upf.node(), upf.features.clone());
    let stamp = upf.stamp;
    upf.request(kind, None, |writer| {
        writer.add(&node);
        if kind == MessageType::AssociationSetupRequest {
            writer.add(&Element::RecoveryTimeStamp(stamp));
        }
        if kind != MessageType::AssociationReleaseRequest {
            writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&features));
        }
    })
}

fn node(stage: &Stage, smf: &Smf, kind: MessageType) -> usize {
    stage.inbox.iter().filter(|(to, said)| to.ip() == smf.address && said.kind() == kind).count()
}

/// TS 29.244 6.2.2: a UPF that does not answer gets no sessions; one that is back has its association still.
#[test]
fn clause_6_2_2_a_silent_upf_gets_no_sessions() {
    let (mut stage, mut smf) = set_up(2);
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(2 * HEARTBEAT + N1 * T1);
    assert_eq!(stage.events.last(), Some(&("upfs/1".into(), false)));
    for seid in 1..=2 {
        assert_eq!(ask(&mut stage, &mut smf, |smf| smf.simple(seid)).cause(), Some(Cause::ACCEPTED));
    }
    assert_eq!(shares(&stage), [0, 2]);
    stage.upfs[0].mood = Mood::Answers;
    stage.live(2 * HEARTBEAT);
    for seid in 3..=4 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!((shares(&stage), setups(&stage, 0)), (vec![1, 3], 1));
    assert_eq!(stage.events.last(), Some(&("upfs/1".into(), true)));
}

/// TS 23.527 4.3.2: a UPF that began anew is given each SMF's association again; others notice nothing.
#[test]
fn clause_4_3_2_a_upf_begins_anew() {
    let (mut stage, mut smf) = set_up(2);
    let mut other = Smf::new(2);
    ask(&mut stage, &mut other, |smf| smf.setup(3));
    let lost = ask(&mut stage, &mut smf, |smf| smf.simple(1)).f_seid().unwrap().seid;
    let kept = ask(&mut stage, &mut smf, |smf| smf.simple(2)).f_seid().unwrap().seid;
    stage.upfs[0].restart();
    stage.live(2 * HEARTBEAT);
    assert_eq!((setups(&stage, 0), setups(&stage, 1)), (4, 2));
    let nodes: Vec<_> = stage.upfs[0]
        .heard(MessageType::AssociationSetupRequest)
        .iter()
        .map(|setup| setup.message().routing().unwrap().node == Some(NodeId::Address(smf.address)))
        .collect();
    assert_eq!(nodes, [true, false, true, false]);
    stage.inbox.clear();
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(lost, |_| {})).cause(), Some(Cause::SESSION_NOT_FOUND));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(kept, |_| {})).cause(), Some(Cause::ACCEPTED));
    ask(&mut stage, &mut smf, |smf| smf.simple(3));
    ask(&mut stage, &mut smf, |smf| smf.simple(4));
    assert_eq!(shares(&stage), [1, 2]);
}

/// TS 29.244 6.2.6.2.2: an association that is set up anew ends sessions: a UPF that began anew is asked by each SMF once, also where
/// it says so with an association before it does with a heartbeat.
#[test]
fn clause_6_2_6_2_2_a_upf_that_began_anew_is_asked_once() {
    let (mut stage, mut smf) = set_up(2);
    let mut other = Smf::new(2);
    ask(&mut stage, &mut other, |smf| smf.setup(7));
    let lost = ask(&mut stage, &mut smf, |smf| smf.simple(1)).f_seid().unwrap().seid;
    ask(&mut stage, &mut smf, |smf| smf.simple(2));
    stage.upfs[0].restart();
    stage.upfs[0].mood = Mood::Says(Cause::NO_ASSOCIATION);
    ask(&mut stage, &mut smf, |smf| smf.simple(3));
    stage.upfs[0].mood = Mood::Answers;
    let made: Vec<u64> =
        (4..=5).map(|seid| ask(&mut stage, &mut other, |smf| smf.simple(seid)).f_seid().unwrap().seid).collect();
    assert_eq!((shares(&stage), setups(&stage, 0), setups(&stage, 1)), (vec![1, 3], 4, 2));
    stage.live(2 * HEARTBEAT);
    stage.inbox.clear();
    assert_eq!((setups(&stage, 0), setups(&stage, 1), stage.front_end.counts().upf_losses), (4, 2, 1));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(lost, |_| {})).cause(), Some(Cause::SESSION_NOT_FOUND));
    for seid in made {
        assert_eq!(ask(&mut stage, &mut other, |smf| smf.modify(seid, |_| {})).cause(), Some(Cause::ACCEPTED));
    }
}

/// So is one that knows of no association for several sessions that are under way.
#[test]
fn clause_6_2_6_2_2_sessions_under_way_ask_a_upf_once() {
    let (mut stage, mut smf) = set_up(1);
    let mut other = Smf::new(2);
    ask(&mut stage, &mut other, |smf| smf.setup(7));
    stage.upfs[0].restart();
    stage.upfs[0].mood = Mood::Says(Cause::NO_ASSOCIATION);
    stage.slow = true;
    for seid in 1..=3 {
        for smf in [&mut smf, &mut other] {
            smf.sequence += 1;
            stage.receive(smf.address, &smf.simple(seid));
        }
    }
    for _ in 0..6 {
        stage.deliver(0);
    }
    assert_eq!(setups(&stage, 0), 4);
    stage.deliver(0);
    stage.deliver(0);
    (stage.slow, stage.upfs[0].mood) = (false, Mood::Answers);
    stage.live(2 * HEARTBEAT);
    assert_eq!(setups(&stage, 0), 4);
    stage.inbox.clear();
    for smf in [&mut smf, &mut other] {
        assert_eq!(ask(&mut stage, smf, |smf| smf.simple(9)).cause(), Some(Cause::ACCEPTED));
    }
}

/// TS 29.244 6.2.6.1: a Node ID is a function's; a UPF with another one is none of it.
#[test]
fn clause_6_2_6_1_a_upf_of_another_node_id_is_left_out() {
    let mut stage = members(3);
    stage.upfs[1].node = upf_address(2);
    let mut smf = Smf::new(1);
    let answer = stage.ask(&smf, &smf.setup(7));
    assert_eq!(answer.message().routing().unwrap().node, Some(NodeId::Address(SHARED)));
    for seid in 1..=4 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!(shares(&stage), [2, 0, 2]);
    assert_eq!(stage.events.iter().rfind(|(upf, _)| **upf == *"upfs/2").map(|it| it.1), Some(false));
}

/// TS 29.244 6.2.7: SMFs are told what all can when another UPF comes, or one changes.
#[test]
fn clause_6_2_7_smfs_are_told_of_changes() {
    let mut stage = members(2);
    stage.upfs[1].node_cause = Cause::NO_RESOURCES;
    stage.upfs[1].features = vec![0x10, 0x00, 0x04];
    let smf = Smf::new(1);
    let answer = stage.ask(&smf, &smf.setup(7));
    assert_eq!(answer.value(ElementType::UpFunctionFeatures), Some(FEATURES.to_vec()));
    stage.upfs[1].node_cause = Cause::ACCEPTED;
    stage.live(2 * HEARTBEAT);
    let [update] = &stage.requests(smf.address, MessageType::AssociationUpdateRequest)[..] else { panic!("one") };
    assert_eq!(update.value(ElementType::UpFunctionFeatures), Some(vec![0x10, 0x00, 0x04]));
    assert_eq!(update.message().routing().unwrap().node, Some(NodeId::Address(SHARED)));
    stage.upfs[1].features = FEATURES.to_vec();
    let answer = from_upf(&mut stage, 1, |upf| of_node(upf, MessageType::AssociationUpdateRequest));
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    assert_eq!(answer.message().routing().unwrap().node, Some(NodeId::Address(smf.address)));
    let [update] = &stage.requests(smf.address, MessageType::AssociationUpdateRequest)[..] else { panic!("one") };
    assert_eq!(update.value(ElementType::UpFunctionFeatures), Some(FEATURES.to_vec()));
}

/// TS 29.244 6.2.6.3: a UPF that asks for an association joins the one that SMFs have: theirs is not set up anew, or
/// the sessions of the others would end.
#[test]
fn clause_6_2_6_3_a_upf_joins_the_others() {
    let (mut stage, mut smf) = set_up(2);
    let mut other = Smf::new(2);
    ask(&mut stage, &mut other, |smf| smf.setup(3));
    let answer = from_upf(&mut stage, 0, |upf| of_node(upf, MessageType::AssociationSetupRequest));
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    assert_eq!(answer.message().routing().unwrap().node, Some(NodeId::Address(smf.address)));
    assert_eq!(answer.value(ElementType::RecoveryTimeStamp), Some(STAMP.to_be_bytes().to_vec()));
    assert_eq!(answer.value(ElementType::CpFunctionFeatures), Some(vec![smf.features]));
    // It has the first SMF's by that, and is asked for the other's.
    assert_eq!(setups(&stage, 0), 3);
    assert_eq!(node(&stage, &smf, MessageType::AssociationSetupRequest), 0);
    for seid in 1..=2 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
        ask(&mut stage, &mut other, |smf| smf.simple(seid));
    }
    assert_eq!(shares(&stage), [2, 2]);
    // Before any SMF is there, it is for nobody.
    let mut stage = members(1);
    let answer = from_upf(&mut stage, 0, |upf| of_node(upf, MessageType::AssociationSetupRequest));
    assert_eq!(answer.cause(), Some(Cause::REJECTED));
}

/// TS 29.244 6.2.7.2: a UPF that wants to be released gets no new sessions; that the last one does is the SMF's to know.
#[test]
fn clause_6_2_7_2_a_graceful_release_drains() {
    let (mut stage, mut smf) = set_up(2);
    let leave = |upf: &mut ScriptedUpf| {
        let node = upf.node();
        upf.request(MessageType::AssociationUpdateRequest, None, |writer| {
            writer.add(&node).add(&Element::GracefulReleasePeriod(0x21));
        })
    };
    assert_eq!(from_upf(&mut stage, 0, leave).cause(), Some(Cause::ACCEPTED));
    for seid in 1..=2 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!(shares(&stage), [0, 2]);
    assert_eq!(node(&stage, &smf, MessageType::AssociationUpdateRequest), 0);
    assert_eq!(from_upf(&mut stage, 1, leave).cause(), Some(Cause::ACCEPTED));
    let [told] = &stage.requests(smf.address, MessageType::AssociationUpdateRequest)[..] else { panic!("one") };
    assert_eq!(told.value(ElementType::GracefulReleasePeriod), Some(vec![0x21]));
    // As it says to its next association.
    assert_eq!(from_upf(&mut stage, 1, leave).cause(), Some(Cause::ACCEPTED));
    assert_eq!(node(&stage, &smf, MessageType::AssociationUpdateRequest), 0);
}

/// TS 29.244 6.2.8: with the last UPF that releases its association the function's ends.
#[test]
fn clause_6_2_8_upfs_release() {
    let (mut stage, mut smf) = set_up(2);
    let release = |upf: &mut ScriptedUpf| of_node(upf, MessageType::AssociationReleaseRequest);
    assert_eq!(from_upf(&mut stage, 0, release).cause(), Some(Cause::ACCEPTED));
    assert_eq!(node(&stage, &smf, MessageType::AssociationReleaseRequest), 0);
    ask(&mut stage, &mut smf, |smf| smf.simple(1));
    assert_eq!(shares(&stage), [0, 1]);
    assert_eq!(from_upf(&mut stage, 1, release).cause(), Some(Cause::ACCEPTED));
    assert_eq!(node(&stage, &smf, MessageType::AssociationReleaseRequest), 1);
    stage.inbox.clear();
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.simple(2)).cause(), Some(Cause::NO_ASSOCIATION));
}

/// TS 29.244 6.2.10: a UPF reports to each SMF of its associations, all of which it knows at this address: each is told
/// once.
#[test]
fn clause_6_2_10_node_reports_reach_each_smf_once() {
    let (mut stage, smf) = set_up(2);
    let mut other = Smf::new(2);
    ask(&mut stage, &mut other, |smf| smf.setup(3));
    let report = |upf: &mut ScriptedUpf| {
        let node = upf.node();
        upf.request(MessageType::NodeReportRequest, None, |writer| {
            writer.add(&node).add(&Element::NodeReportType(1));
        })
    };
    for _ in 0..2 {
        assert_eq!(from_upf(&mut stage, 0, report).cause(), Some(Cause::ACCEPTED));
    }
    for smf in [&smf, &other] {
        let [told] = &stage.requests(smf.address, MessageType::NodeReportRequest)[..] else { panic!("one") };
        assert_eq!(told.message().routing().unwrap().node, Some(NodeId::Address(SHARED)));
        assert_eq!(told.value(ElementType::NodeReportType), Some(vec![1]));
    }
    stage.live(2 * T1);
    from_upf(&mut stage, 0, report);
    assert_eq!(node(&stage, &smf, MessageType::NodeReportRequest), 1, "later it is another report");
}

/// A UPF that is configured no more gets no new sessions; one that is configured is asked for associations.
#[test]
fn clause_6_2_7_upfs_are_configured_otherwise() {
    let (mut stage, mut smf) = set_up(2);
    let there = ask(&mut stage, &mut smf, |smf| smf.simple(1)).f_seid().unwrap().seid;
    let mut settings = super::redirecting(3);
    settings.upfs.remove(0);
    let mut third = ScriptedUpf::new(3);
    (third.node, third.features) = (SHARED, vec![0x10, 0x00, 0x04]);
    stage.upfs.push(third);
    stage.front_end.configure(settings);
    stage.live(2 * HEARTBEAT);
    let updates = stage.requests(smf.address, MessageType::AssociationUpdateRequest);
    let told = updates.last().unwrap().value(ElementType::UpFunctionFeatures);
    assert_eq!(told, Some(vec![0x10, 0x00, 0x04]));
    for seid in 2..=5 {
        ask(&mut stage, &mut smf, |smf| smf.simple(seid));
    }
    assert_eq!((shares(&stage), setups(&stage, 2)), (vec![1, 2, 2], 1));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(there, |_| {})).cause(), Some(Cause::ACCEPTED));
}
