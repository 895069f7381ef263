//! NG Reset, both ways (8.7.4).

use pinion_n2::Leg;
use pinion_protocols::ap::Alternative;
use pinion_protocols::ngap::value::{Cause, List, ResetType};
use pinion_protocols::ngap::{Criticality, Outcome, Procedure, UeIds};

use crate::messages::{First, connections, ids, reset, reset_acknowledge, tmsi, up};
use crate::stage::{ANSWER, Stage, settings};

const RESET: (Procedure, Outcome) = (Procedure::NgReset, Outcome::Initiating);
const ACKNOWLEDGE: (Procedure, Outcome) = (Procedure::NgReset, Outcome::Successful);

/// gNB 1 has UEs 10 and 11 at AMF 0, 20 and 21 at AMF 1, with the AMFs' identifiers 1 and 2; gNB 2 has UE 10 at AMF 0. What gNB 1
/// knows them by.
fn with_ues() -> (Stage, [u64; 4]) {
    let mut stage = Stage::set_up(settings(2), 2);
    let mut here = [0; 4];
    let ues = [(10, 0, 1), (11, 0, 2), (20, 1, 1), (21, 1, 2)];
    for (place, (ran, amf, id)) in here.iter_mut().zip(ues) {
        *place = come(&mut stage, 1, ran, amf, id);
    }
    come(&mut stage, 2, 10, 0, 3);
    (stage, here)
}

fn come(stage: &mut Stage, gnb: u64, ran: u32, amf: u8, id: u64) -> u64 {
    let leg = stage.between(usize::try_from(gnb).unwrap(), amf);
    stage.say(Leg::Gnb(gnb), 1, &First::with(ran, tmsi(1, amf)).bytes());
    assert_eq!(stage.one(leg).ids().ran, Some(ran));
    stage.say(leg, 1, &crate::messages::down(id, ran, b"first"));
    stage.one(Leg::Gnb(gnb)).ids().amf.unwrap()
}

#[test]
fn an_amfs_reset_of_the_interface_is_a_list_of_its_ues() {
    let (mut stage, here) = with_ues();
    let amf = stage.between(1, 0);
    stage.say(amf, 0, &reset(&ResetType::All));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind(), said.stream), (RESET, 0));
    assert_eq!(said.connections(), Some(vec![ids(here[0], 10), ids(here[1], 11)]));
    stage.silent();
    stage.say(Leg::Gnb(1), 0, &reset_acknowledge(Some(connections(&[ids(here[0], 10), ids(here[1], 11)]))));
    let said = stage.one(amf);
    assert_eq!((said.kind(), said.connections()), (ACKNOWLEDGE, None));
    assert_eq!(stage.front_end.ue_count(), 3);
    stage.say(Leg::Gnb(1), 1, &up(here[2], 20, b"more"));
    assert_eq!(stage.one(stage.between(1, 1)).bytes, up(1, 20, b"more"));
}

#[test]
fn an_amf_without_ues_is_answered_at_once() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.say(stage.upstream(1), 0, &reset(&ResetType::All));
    assert_eq!(stage.one(stage.upstream(1)).kind(), ACKNOWLEDGE);
    stage.silent();
}

#[test]
fn an_amfs_list_is_translated_and_answered_in_its_own_order() {
    let (mut stage, here) = with_ues();
    let amf = stage.between(1, 1);
    let only = |amf, ran| UeIds { amf, ran };
    let list = [ids(99, 99), only(None, Some(21)), only(Some(1), None), ids(1, 10), only(None, None)];
    stage.say(amf, 0, &reset(&ResetType::Part(List(connections(&list)))));
    // UE 10 is another AMF's.
    let said = stage.one(Leg::Gnb(1));
    assert_eq!(said.connections(), Some(vec![only(None, Some(21)), only(Some(here[2]), None)]));
    stage.say(Leg::Gnb(1), 0, &reset_acknowledge(None));
    assert_eq!(stage.one(amf).connections(), Some(list.to_vec()));
    assert_eq!(stage.front_end.ue_count(), 3);
}

#[test]
fn resets_of_several_amfs_do_not_mix() {
    let (mut stage, here) = with_ues();
    let amfs = [stage.between(1, 0), stage.between(1, 1)];
    for amf in amfs {
        stage.say(amf, 0, &reset(&ResetType::All));
    }
    assert_eq!(stage.one(Leg::Gnb(1)).connections().unwrap()[0], ids(here[0], 10));
    stage.say(Leg::Gnb(1), 0, &reset_acknowledge(None));
    assert_eq!(stage.one(amfs[0]).kind(), ACKNOWLEDGE);
    assert_eq!(stage.one(Leg::Gnb(1)).connections().unwrap()[0], ids(here[2], 20));
    // A gNB that does not answer does not hold the AMF up.
    stage.pass(ANSWER);
    assert_eq!(stage.one(amfs[1]).kind(), ACKNOWLEDGE);
    stage.silent();
}

#[test]
fn a_gnbs_reset_of_the_interface_goes_to_all_amfs_and_is_answered_once() {
    let (mut stage, _) = with_ues();
    let amfs = [stage.between(1, 0), stage.between(1, 1)];
    stage.say(Leg::Gnb(1), 0, &reset(&ResetType::All));
    for amf in amfs {
        assert_eq!(stage.one(amf).bytes, reset(&ResetType::All));
        stage.silent_to_gnb();
        stage.say(amf, 0, &reset_acknowledge(None));
    }
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind(), said.connections()), (ACKNOWLEDGE, None));
    assert_eq!(stage.front_end.ue_count(), 1);
}

impl Stage {
    fn silent_to_gnb(&self) {
        assert!(!self.inbox.contains_key(&Leg::Gnb(1)));
    }
}

#[test]
fn a_gnbs_list_is_split_by_amf_and_its_order_kept() {
    let (mut stage, here) = with_ues();
    let amfs = [stage.between(1, 0), stage.between(1, 1)];
    let only = |amf, ran| UeIds { amf, ran };
    let list = [
        ids(here[3], 21),
        ids(77, 77),
        only(Some(here[1]), None),
        only(None, Some(20)),
        ids(here[0], 20),
        only(None, None),
    ];
    stage.say(Leg::Gnb(1), 0, &reset(&ResetType::Part(List(connections(&list)))));
    assert_eq!(stage.one(amfs[0]).connections(), Some(vec![only(Some(2), None)]));
    assert_eq!(stage.one(amfs[1]).connections(), Some(vec![ids(2, 21), only(None, Some(20))]));
    stage.say(amfs[1], 0, &reset_acknowledge(None));
    stage.silent();
    // The other one never answers.
    stage.pass(ANSWER);
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind(), said.connections()), (ACKNOWLEDGE, Some(list.to_vec())));
    assert_eq!((stage.front_end.ue_count(), stage.front_end.counts().unanswered), (2, 1));
}

/// What may be meant by it is not all.
#[test]
fn a_reset_of_a_newer_release_resets_nobody() {
    let (mut stage, _) = with_ues();
    let newer = Alternative { id: 999, criticality: Criticality::Reject, value: [0].into() };
    let amf = stage.between(1, 0);
    for leg in [Leg::Gnb(1), amf] {
        stage.say(leg, 0, &reset(&ResetType::Other(newer.clone())));
        let said = stage.one(leg);
        assert_eq!(
            (said.kind().0, said.cause()),
            (Procedure::ErrorIndication, Some(Cause::ABSTRACT_SYNTAX_ERROR))
        );
        stage.silent();
    }
    assert_eq!((stage.front_end.ue_count(), stage.front_end.counts().unexpected), (5, 2));
}

/// More than a list may have (9.2.6.11).
const MANY: u32 = 65_536 + 4_000;

/// A gNB whose UEs, more than fit into a list, are all at AMF 0.
fn with_many_ues() -> Stage {
    let mut stage = Stage::set_up(settings(2), 1);
    let amf = stage.upstream(0);
    for ran in 0..MANY {
        stage.front_end.receive(stage.now, Leg::Gnb(1), 1, 60, &First::with(ran, tmsi(1, 0)).bytes());
        let first = crate::messages::down(u64::from(ran) + 7, ran, b"first");
        stage.front_end.receive(stage.now, amf, 1, 60, &first);
    }
    while stage.front_end.output().is_some() {}
    assert_eq!(stage.front_end.ue_count(), MANY as usize);
    stage
}

/// The gNB acknowledges one list after another: all RAN UE NGAP IDs that it was told of, and how many lists there were.
fn acknowledged(stage: &mut Stage, until: impl Fn(&Stage) -> bool) -> (Vec<u32>, usize) {
    let (mut told, mut lists) = (Vec::new(), 0);
    while !until(stage) {
        let said = stage.one(Leg::Gnb(1));
        let list = said.connections().unwrap();
        assert!(said.kind() == RESET && list.len() <= 65_536, "{}", list.len());
        told.extend(list.iter().map(|it| it.ran.unwrap()));
        lists += 1;
        stage.say(Leg::Gnb(1), 0, &reset_acknowledge(None));
    }
    told.sort_unstable();
    (told, lists)
}

#[test]
fn a_reset_of_more_ues_than_a_list_may_have_is_several() {
    let mut stage = with_many_ues();
    let amf = stage.upstream(0);
    stage.say(amf, 0, &reset(&ResetType::All));
    let told = acknowledged(&mut stage, |stage| stage.inbox.contains_key(&amf));
    assert_eq!(told, ((0..MANY).collect(), 2));
    // The AMF is answered once, when the last list is acknowledged.
    let said = stage.one(amf);
    assert_eq!((said.kind(), said.connections()), (ACKNOWLEDGE, None));
    stage.silent();
    assert_eq!(stage.front_end.ue_count(), 0);
}

#[test]
fn a_lost_amf_with_more_ues_than_a_list_may_have_is_several_resets() {
    let mut stage = with_many_ues();
    stage.close(stage.upstream(0));
    // The gNB is told that the AMF is gone, too.
    let mut said = stage.all(Leg::Gnb(1));
    let update = said.iter().position(|it| it.kind().0 == Procedure::AmfConfigurationUpdate).unwrap();
    said.remove(update);
    stage.inbox.insert(Leg::Gnb(1), said);
    let told = acknowledged(&mut stage, |stage| !stage.inbox.contains_key(&Leg::Gnb(1)));
    assert_eq!(told, ((0..MANY).collect(), 2));
}

#[test]
fn a_gnbs_reset_of_all_its_ues_needs_no_list() {
    let mut stage = with_many_ues();
    let amf = stage.upstream(0);
    stage.say(Leg::Gnb(1), 0, &reset(&ResetType::All));
    assert_eq!(stage.one(amf).bytes, reset(&ResetType::All));
    stage.say(amf, 0, &reset_acknowledge(None));
    stage.one(stage.upstream(1));
    stage.say(stage.upstream(1), 0, &reset_acknowledge(None));
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), ACKNOWLEDGE);
    assert_eq!(stage.front_end.ue_count(), 0);
}

/// An acknowledgement does not say of which reset it is.
#[test]
fn an_acknowledgement_that_comes_too_late_is_none_of_the_next_reset() {
    let (mut stage, here) = with_ues();
    let amfs = [stage.between(1, 0), stage.between(1, 1)];
    for amf in amfs {
        stage.say(amf, 0, &reset(&ResetType::All));
    }
    stage.one(Leg::Gnb(1));
    stage.pass(ANSWER);
    assert_eq!(stage.one(amfs[0]).kind(), ACKNOWLEDGE);
    assert_eq!(stage.one(Leg::Gnb(1)).connections().unwrap()[0], ids(here[2], 20));
    stage.say(Leg::Gnb(1), 0, &reset_acknowledge(None));
    stage.silent();
    stage.say(Leg::Gnb(1), 0, &reset_acknowledge(None));
    assert_eq!(stage.one(amfs[1]).kind(), ACKNOWLEDGE);
}

#[test]
fn an_amfs_acknowledgement_that_comes_too_late_is_none_of_the_next_reset() {
    let mut stage = Stage::set_up(settings(1), 1);
    let amf = stage.upstream(0);
    for _ in 0..2 {
        stage.say(Leg::Gnb(1), 0, &reset(&ResetType::All));
        stage.one(amf);
    }
    // The first was answered when the second came.
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), ACKNOWLEDGE);
    stage.say(amf, 0, &reset_acknowledge(None));
    stage.silent();
    stage.say(amf, 0, &reset_acknowledge(None));
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), ACKNOWLEDGE);
}
