//! Handover (8.4.2), Path Switch (8.4.4), UE TNLA Binding Release (8.13.1).

use bytes::Bytes;
use pinion_n2::{AmfIds, Leg, Settings};
use pinion_protocols::ngap::value::{AmfUeNgapId, Cause, RanUeNgapId};
use pinion_protocols::ngap::{ElementType, Outcome, Procedure};

use crate::messages::{
    First, about, add, down, ids, initiating, message, release_command, release_complete, tmsi, up,
};
use crate::stage::{Stage, says, settings};

pub(crate) fn handover_request(amf: u64) -> Bytes {
    initiating(Procedure::HandoverResourceAllocation, |it| add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(amf)))
}

pub(crate) fn path_switch(source: u64, ran: u32) -> Bytes {
    initiating(Procedure::PathSwitchRequest, |it| {
        add(it, ElementType::RanUeNgapId, &RanUeNgapId(ran));
        add(it, ElementType::SourceAmfUeNgapId, &AmfUeNgapId(source));
    })
}

fn answer(outcome: Outcome, procedure: Procedure, amf: u64, ran: u32) -> Bytes {
    about(outcome, procedure, ids(amf, ran), &[])
}

/// UE 5 of gNB 1 is AMF 1's, which knows it by 7, as AMF 0 another UE: what gNB 1 knows it by.
pub(crate) fn with_ue(settings: Settings) -> (Stage, u64) {
    let mut stage = Stage::set_up(settings, 2);
    for (amf, ran) in [(0, 4), (1, 5)] {
        let leg = stage.between(1, amf);
        stage.say(Leg::Gnb(1), 1, &First::with(ran, tmsi(1, amf)).bytes());
        stage.one(leg);
        stage.say(leg, 1, &down(7 + u64::from(1 - amf), ran, b"first"));
    }
    let here = stage.all(Leg::Gnb(1))[1].ids().amf.unwrap();
    (stage, here)
}

/// The AMF names the UE by 7 at its source, and by 8 at its target; AMF 0 has an 8 too.
#[test]
fn handover_makes_a_second_pin_and_both_live_until_release() {
    let (mut stage, here) = with_ue(settings(2));
    let (source, target) = (stage.between(1, 1), stage.between(2, 1));
    let required = answer(Outcome::Initiating, Procedure::HandoverPreparation, here, 5);
    stage.say(Leg::Gnb(1), 1, &required);
    assert_eq!(stage.one(source).bytes, answer(Outcome::Initiating, Procedure::HandoverPreparation, 7, 5));
    stage.say(target, 1, &handover_request(8));
    let said = stage.one(Leg::Gnb(2));
    let there = said.ids().amf.unwrap();
    assert_eq!(said.bytes, handover_request(there));
    assert!(there != 8 && said.stream != 0);
    // The pair is complete with the gNB's answer.
    let (allocation, ok) = (Procedure::HandoverResourceAllocation, Outcome::Successful);
    stage.say(Leg::Gnb(2), 2, &answer(ok, allocation, there, 70));
    assert_eq!(stage.one(target).bytes, answer(ok, allocation, 8, 70));
    stage.say(source, 1, &answer(ok, Procedure::HandoverPreparation, 7, 5));
    assert_eq!(stage.one(Leg::Gnb(1)).bytes, answer(ok, Procedure::HandoverPreparation, here, 5));
    let notify = |amf| answer(Outcome::Initiating, Procedure::HandoverNotification, amf, 70);
    stage.say(Leg::Gnb(2), 2, &notify(there));
    assert_eq!(stage.one(target).bytes, notify(8));
    assert_eq!(stage.front_end.ue_count(), 3);
    stage.say(source, 1, &release_command(7, Some(5)));
    assert_eq!(stage.one(Leg::Gnb(1)).bytes, release_command(here, Some(5)));
    stage.say(Leg::Gnb(1), 1, &release_complete(here, 5));
    assert_eq!(stage.one(source).bytes, release_complete(7, 5));
    assert_eq!(stage.front_end.ue_count(), 2);
    stage.say(target, 1, &down(8, 70, b"there"));
    assert_eq!(stage.one(Leg::Gnb(2)).bytes, down(there, 70, b"there"));
}

#[test]
fn handover_request_may_come_from_another_amf() {
    let (mut stage, here) = with_ue(settings(3));
    let target = stage.between(2, 2);
    stage.say(target, 1, &handover_request(1));
    let there = stage.one(Leg::Gnb(2)).ids().amf.unwrap();
    assert_ne!(there, here);
    // It did not come twice for nothing.
    stage.say(target, 1, &handover_request(1));
    assert_eq!(stage.one(Leg::Gnb(2)).ids().amf, Some(there));
    let failure = message(Outcome::Unsuccessful, Procedure::HandoverResourceAllocation, |it| {
        add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(there));
    });
    stage.say(Leg::Gnb(2), 1, &failure);
    let said = stage.one(target);
    assert_eq!((said.kind().1, said.ids().amf), (Outcome::Unsuccessful, Some(1)));
    assert_eq!(stage.front_end.ue_count(), 2);
}

#[test]
fn handover_cancel_ends_the_target_by_release() {
    let (mut stage, here) = with_ue(settings(2));
    let (source, target) = (stage.between(1, 1), stage.between(2, 1));
    stage.say(target, 1, &handover_request(8));
    let there = stage.one(Leg::Gnb(2)).ids().amf.unwrap();
    stage.say(Leg::Gnb(1), 1, &answer(Outcome::Initiating, Procedure::HandoverCancel, here, 5));
    assert_eq!(stage.one(source).ids(), ids(7, 5));
    stage.say(target, 1, &release_command(8, None));
    assert_eq!(stage.one(Leg::Gnb(2)).bytes, release_command(there, None));
    // The gNB's number is only heard of now.
    stage.say(Leg::Gnb(2), 1, &release_complete(there, 70));
    assert_eq!(stage.one(target).bytes, release_complete(8, 70));
    assert_eq!(stage.front_end.ue_count(), 2);
}

#[test]
fn handover_within_a_gnb_under_one_identifier() {
    let (mut stage, here) = with_ue(settings(2));
    let amf = stage.between(1, 1);
    stage.say(amf, 1, &handover_request(7));
    assert_eq!(stage.one(Leg::Gnb(1)).ids().amf, Some(here));
    let (allocation, ok) = (Procedure::HandoverResourceAllocation, Outcome::Successful);
    stage.say(Leg::Gnb(1), 2, &answer(ok, allocation, here, 70));
    assert_eq!(stage.one(amf).bytes, answer(ok, allocation, 7, 70));
    stage.say(amf, 1, &release_command(7, Some(5)));
    stage.one(Leg::Gnb(1));
    stage.say(Leg::Gnb(1), 1, &release_complete(here, 5));
    assert_eq!(stage.one(amf).bytes, release_complete(7, 5));
    stage.say(amf, 1, &down(7, 70, b"more"));
    assert_eq!(stage.one(Leg::Gnb(1)).bytes, down(here, 70, b"more"));
    stage.say(Leg::Gnb(1), 1, &up(here, 70, b"more"));
    assert_eq!(stage.one(amf).bytes, up(7, 70, b"more"));
}

#[test]
fn handover_without_room_fails() {
    let mut bounded = settings(2);
    bounded.bounds.ues = 2;
    let (mut stage, _) = with_ue(bounded);
    let target = stage.between(2, 1);
    stage.say(target, 1, &handover_request(8));
    let said = stage.one(target);
    assert_eq!(said.kind(), (Procedure::HandoverResourceAllocation, Outcome::Unsuccessful));
    assert_eq!((said.ids().amf, said.cause()), (Some(8), Some(Cause::OVERLOAD)));
}

/// Source AMF UE NGAP ID is the one that the other gNB knew.
#[test]
fn path_switch_makes_the_new_pair() {
    let (mut stage, here) = with_ue(settings(2));
    let target = stage.between(2, 1);
    stage.say(Leg::Gnb(2), 4, &path_switch(here, 9));
    assert_eq!(stage.one(target).bytes, path_switch(7, 9));
    let acknowledge = |amf| answer(Outcome::Successful, Procedure::PathSwitchRequest, amf, 9);
    stage.say(target, 1, &acknowledge(7));
    assert_eq!(stage.one(Leg::Gnb(2)).bytes, acknowledge(here));
    // The source gNB let it go.
    assert_eq!((stage.front_end.ue_count(), stage.front_end.resting()), (2, 0));
    stage.say(Leg::Gnb(2), 4, &up(here, 9, b"there"));
    assert_eq!(stage.one(target).bytes, up(7, 9, b"there"));
    stage.say(Leg::Gnb(1), 4, &up(here, 5, b"there"));
    assert_eq!(stage.one(Leg::Gnb(1)).kind().0, Procedure::ErrorIndication);
}

#[test]
fn path_switch_that_fails_leaves_the_source() {
    let (mut stage, here) = with_ue(settings(2));
    stage.say(Leg::Gnb(2), 4, &path_switch(here, 9));
    let target = stage.between(2, 1);
    stage.one(target);
    stage.say(target, 1, &answer(Outcome::Unsuccessful, Procedure::PathSwitchRequest, 7, 9));
    assert_eq!(stage.one(Leg::Gnb(2)).ids(), ids(here, 9));
    assert_eq!(stage.front_end.ue_count(), 2);
    stage.say(Leg::Gnb(1), 1, &up(here, 5, b"here"));
    assert_eq!(stage.one(stage.between(1, 1)).bytes, up(7, 5, b"here"));
    stage.say(Leg::Gnb(2), 4, &path_switch(here + 1_000, 9));
    let said = stage.one(Leg::Gnb(2));
    assert_eq!((said.ids(), said.cause()), (ids(here + 1_000, 9), Some(Cause::UNKNOWN_LOCAL_ID)));
}

#[test]
fn ue_tnla_binding_release_keeps_the_context() {
    let unique = Settings { amf_ids: AmfIds::SetUnique, ..settings(3) };
    let (mut stage, here) = with_ue(unique);
    assert_eq!(here, 7);
    stage.say(stage.between(1, 1), 1, &binding_release());
    stage.silent();
    // The next message goes to another AMF of the set, with the same identifier.
    stage.say(Leg::Gnb(1), 1, &up(7, 5, b"next"));
    assert_eq!(stage.one(stage.between(1, 0)).bytes, up(7, 5, b"next"));
    stage.say(stage.between(1, 0), 1, &down(7, 5, b"answer"));
    assert_eq!(stage.one(Leg::Gnb(1)).bytes, down(7, 5, b"answer"));
}

/// Another AMF knows nobody by the number.
#[test]
fn ue_tnla_binding_release_moves_no_ue_where_each_amf_has_its_own_numbers() {
    let (mut stage, here) = with_ue(settings(3));
    stage.say(stage.between(1, 1), 1, &binding_release());
    stage.silent();
    stage.say(Leg::Gnb(1), 1, &up(here, 5, b"next"));
    assert_eq!(stage.one(stage.between(1, 1)).bytes, up(7, 5, b"next"));
    stage.silent();
}

fn binding_release() -> Bytes {
    about(Outcome::Initiating, Procedure::UeTnlaBindingRelease, ids(7, 5), &[])
}

#[test]
fn a_gnb_that_is_not_set_up_gets_no_ue() {
    let mut stage = Stage::new(settings(2));
    let (_, amf) = stage.ask();
    stage.all(amf);
    stage.say(amf, 0, &says(0).setup_response());
    stage.say(amf, 1, &handover_request(8));
    let said = stage.one(amf);
    assert_eq!(said.kind(), (Procedure::HandoverResourceAllocation, Outcome::Unsuccessful));
    assert_eq!((said.ids().amf, stage.front_end.ue_count()), (Some(8), 0));
    stage.silent();
}
