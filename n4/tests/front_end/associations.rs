//! Associations (TS 29.244 6.2.6 to 6.2.8).

use std::net::IpAddr;
use std::time::Duration;

use pinion_protocols::pfcp::{Cause, Element, ElementType, MessageType, NodeId};

use crate::smf::{CHOOSE, Smf, create_pdr};
use crate::stage::{HEARTBEAT, HERE, STAMP, Stage, settings, upf_address};
use crate::upf::Mood;

/// TS 29.244 6.2.6.2: Node ID, Recovery Time Stamp and features are the front end's own.
#[test]
fn clause_6_2_6_each_upf_is_asked_once() {
    let mut stage = Stage::new(settings(2));
    stage.pass(Duration::ZERO);
    for upf in &stage.upfs {
        let setups = upf.heard(MessageType::AssociationSetupRequest);
        assert_eq!(setups.len(), 1);
        assert_eq!(setups[0].message().routing().unwrap().node, Some(NodeId::Address(HERE)));
        assert_eq!(setups[0].value(ElementType::RecoveryTimeStamp), Some(STAMP.to_be_bytes().to_vec()));
    }
    assert!(stage.front_end.upfs().all(|upf| upf.up));
}

/// TS 29.244 6.3.2: a session needs an association.
#[test]
fn clause_6_2_6_without_association_no_session() {
    let (mut stage, _) = Stage::set_up(settings(1));
    let stranger = Smf::new(9);
    let answer = stage.ask(&stranger, &stranger.simple(5));
    assert_eq!(answer.kind(), MessageType::SessionEstablishmentResponse);
    assert_eq!(answer.cause(), Some(Cause::NO_ASSOCIATION));
    assert_eq!(answer.message().seid(), Some(5));
    assert!(stage.upfs[0].heard(MessageType::SessionEstablishmentRequest).is_empty());
}

/// TS 29.244 6.3.2.3: nor is another SMF's association a stranger's, who knows its Node ID; those that it named may use it, wherever
/// their sessions are.
#[test]
fn clause_6_3_2_3_an_association_is_not_a_strangers() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let at = |smf: &Smf, last: u8| {
        let request = smf.establish(last.into(), |writer| create_pdr(writer, 1, Some(CHOOSE)));
        (IpAddr::from([192, 0, 2, last]), request)
    };
    let asked = |stage: &mut Stage, (from, request): (IpAddr, Vec<u8>)| {
        stage.receive(from, &request);
        let answer = stage.answers(from).remove(0);
        (answer.kind(), answer.cause(), answer.message().seid())
    };
    let kind = MessageType::SessionEstablishmentResponse;
    smf.sequence += 1;
    assert_eq!(asked(&mut stage, at(&smf, 150)), (kind, Some(Cause::NO_ASSOCIATION), Some(150)));
    assert!(stage.upfs[0].heard(MessageType::SessionEstablishmentRequest).is_empty());
    let update = smf.request(MessageType::AssociationUpdateRequest, None, |writer| {
        writer.add(&smf.node()).add(&Element::AlternativeSmfAddress(IpAddr::from([192, 0, 2, 150]).into()));
    });
    assert_eq!(stage.ask(&smf, &update).cause(), Some(Cause::ACCEPTED));
    smf.sequence += 1;
    assert_eq!(asked(&mut stage, at(&smf, 150)), (kind, Some(Cause::ACCEPTED), Some(150)));
    assert_eq!(asked(&mut stage, at(&smf, 151)), (kind, Some(Cause::NO_ASSOCIATION), Some(151)));
    // One that set up from elsewhere is also where its Node ID says.
    let mut other = Smf::new(2);
    stage.receive([192, 0, 2, 160].into(), &other.setup(7));
    other.sequence += 1;
    assert_eq!(asked(&mut stage, at(&other, 102)), (kind, Some(Cause::ACCEPTED), Some(102)));
}

/// TS 29.244 6.2.6.2: an SMF cannot be served before a UPF that chooses TEIDs (FTUP) is there.
#[test]
fn clause_6_2_6_before_any_upf() {
    let mut stage = Stage::new(settings(1));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.pass(Duration::ZERO);
    let smf = Smf::new(1);
    let answer = stage.ask(&smf, &smf.setup(7));
    assert_eq!(
        (answer.kind(), answer.cause()),
        (MessageType::AssociationSetupResponse, Some(Cause::NO_RESOURCES))
    );
    stage.upfs[0].mood = Mood::Answers;
    stage.live(2 * HEARTBEAT);
    let again = Smf { sequence: 2, ..smf };
    assert_eq!(stage.ask(&again, &again.setup(7)).cause(), Some(Cause::ACCEPTED));
}

/// TS 29.244 8.2.25: a UPF that does not choose TEIDs takes no sessions.
#[test]
fn clause_8_2_25_ftup_is_required() {
    let mut stage = Stage::new(settings(2));
    stage.upfs[0].features = vec![0xef, 0xff, 0xff];
    stage.pass(Duration::ZERO);
    let mut smf = Smf::new(1);
    stage.ask(&smf, &smf.setup(7));
    for seid in 1..5 {
        smf.sequence += 1;
        assert_eq!(stage.ask(&smf, &smf.simple(seid)).cause(), Some(Cause::ACCEPTED));
    }
    assert_eq!((stage.upfs[0].sessions.len(), stage.upfs[1].sessions.len()), (0, 4));
}

/// TS 29.244 6.2.6.2.2: an SMF that sets up anew has no sessions any more.
#[test]
fn clause_6_2_6_2_2_without_retention_sessions_end() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let mut other = Smf::new(2);
    stage.ask(&other, &other.setup(3));
    for seid in 1..=4 {
        (smf.sequence, other.sequence) = (smf.sequence + 1, other.sequence + 1);
        stage.ask(&smf, &smf.simple(seid));
        stage.ask(&other, &other.simple(seid));
    }
    assert_eq!(stage.sessions_at_upfs(), 8);
    smf.sequence += 1;
    // The stamp is the same: that it sets up says enough.
    let answer = stage.ask(&smf, &smf.setup(7));
    assert_eq!(answer.value(ElementType::PfcpasrspFlags), None);
    assert_eq!(stage.sessions_at_upfs(), 4);
    let left = stage.sessions();
    assert!(left.len() == 4 && left.iter().all(|session| session.smf.0 == other.address));
    assert_eq!(stage.pins.len(), 4);
}

/// TS 29.244 6.2.6.2.2, 8.2.146: with retention all of them stay, and that is said (PSREI).
#[test]
fn clause_6_2_6_2_2_with_retention_sessions_stay() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let here = stage.ask(&smf, &smf.simple(1)).f_seid().unwrap().seid;
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.setup_retaining(8));
    assert_eq!(answer.value(ElementType::PfcpasrspFlags), Some(vec![1]));
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.modify(here, |_| {})).cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.sessions_at_upfs(), 1);
}

/// TS 29.244 8.2.146: where not all of them are there any more, it is not.
#[test]
fn clause_8_2_146_psrei_only_where_all_sessions_are_kept() {
    let (mut stage, smf) = Stage::set_up(settings(2));
    let mut smf = Smf { features: 0, ..smf };
    stage.ask(&smf, &Smf { sequence: 50, ..smf.clone() }.setup(7));
    for seid in 1..=2 {
        smf.sequence += 1;
        stage.ask(&smf, &smf.simple(seid));
    }
    stage.upfs[0].restart();
    stage.live(2 * HEARTBEAT);
    assert_eq!(stage.front_end.session_count(), 1);
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.setup_retaining(7));
    assert_eq!((answer.cause(), answer.value(ElementType::PfcpasrspFlags)), (Some(Cause::ACCEPTED), None));
    assert_eq!(stage.front_end.session_count(), 1);
    // An SMF that nothing is known of has no sessions either.
    let other = Smf::new(2);
    let answer = stage.ask(&other, &other.setup_retaining(7));
    assert_eq!((answer.cause(), answer.value(ElementType::PfcpasrspFlags)), (Some(Cause::ACCEPTED), None));
}

/// TS 29.244 7.4.4.1: sessions are kept that are at the addresses that are named.
#[test]
fn clause_7_4_4_1_sessions_are_kept_by_address() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let elsewhere = Smf { address: [203, 0, 113, 7].into(), ..smf.clone() };
    stage.ask(&smf, &smf.simple(1));
    smf.sequence += 1;
    let there = smf.request(MessageType::SessionEstablishmentRequest, Some(0), |writer| {
        writer.add(&smf.node()).add(&elsewhere.f_seid(2));
        create_pdr(writer, 1, Some(CHOOSE));
    });
    stage.ask(&smf, &there);
    smf.sequence += 1;
    let setup = smf.setup_with(8, |writer| {
        writer.nested(ElementType::SessionRetentionInformation, |writer| {
            writer.add(&Element::CpEntityAddress(elsewhere.address.into()));
        });
    });
    assert_eq!(stage.ask(&smf, &setup).value(ElementType::PfcpasrspFlags), Some(vec![1]));
    let left: Vec<_> = stage.sessions().iter().map(|session| session.smf).collect();
    assert_eq!(left, [(elsewhere.address, 2)]);
}

/// TS 29.244 6.2.8: with a release the SMF's sessions end, and the association does.
#[test]
fn clause_6_2_8_an_smf_releases() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    stage.ask(&smf, &smf.simple(1));
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.release()).cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.sessions_at_upfs(), 0);
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.simple(2)).cause(), Some(Cause::NO_ASSOCIATION));
}

/// TS 29.244 6.2.6.3: a UPF may set up itself; who does so anew has no sessions any more.
#[test]
fn clause_6_2_6_3_a_upf_sets_up() {
    let mut stage = Stage::new(settings(1));
    let setup = |stage: &mut Stage| {
        let (node, stamp) = (stage.upfs[0].node(), stage.upfs[0].stamp);
        let features = stage.upfs[0].features.clone();
        stage.upfs[0].request(MessageType::AssociationSetupRequest, None, |writer| {
            writer.add(&node).add(&Element::RecoveryTimeStamp(stamp));
            writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&features));
        })
    };
    let request = setup(&mut stage);
    stage.receive(upf_address(1), &request);
    let answer = stage.upfs[0].heard(MessageType::AssociationSetupResponse)[0].clone();
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    assert_eq!(answer.message().routing().unwrap().node, Some(NodeId::Address(HERE)));
    assert_eq!(answer.value(ElementType::RecoveryTimeStamp), Some(STAMP.to_be_bytes().to_vec()));
    let smf = Smf::new(1);
    assert_eq!(stage.ask(&smf, &smf.setup(7)).cause(), Some(Cause::ACCEPTED));
    let smf = Smf { sequence: 2, ..smf };
    assert_eq!(stage.ask(&smf, &smf.simple(1)).cause(), Some(Cause::ACCEPTED));
    let request = setup(&mut stage);
    stage.receive(upf_address(1), &request);
    assert_eq!(stage.front_end.session_count(), 0);
    assert!(stage.front_end.upfs().all(|upf| upf.up && upf.sessions == 0));
}

/// TS 29.244 6.2.6.1: whatever either side is told, it is told by one and the same node.
#[test]
fn clause_6_2_6_1_the_node_id_stays() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let mut answers = Vec::new();
    for seid in 1..=2 {
        smf.sequence += 1;
        answers.push(stage.ask(&smf, &smf.simple(seid)));
    }
    smf.sequence += 1;
    answers.push(stage.ask(&smf, &smf.setup_retaining(7)));
    // Those on another UPF are told by the same.
    stage.upfs[0].restart();
    stage.live(2 * HEARTBEAT);
    smf.sequence += 1;
    answers.push(stage.ask(&smf, &smf.simple(3)));
    let heard = stage.upfs.iter().flat_map(|upf| &upf.heard);
    let named = answers.iter().chain(heard).filter_map(|said| said.message().routing().unwrap().node);
    let named: Vec<NodeId<'_>> = named.collect();
    assert!(named.len() >= 9 && named.iter().all(|node| *node == NodeId::Address(HERE)), "{named:?}");
}
