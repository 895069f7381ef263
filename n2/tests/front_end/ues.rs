//! UEs, both ways: identifiers, streams, mistakes (10.6).

use std::collections::BTreeSet;

use pinion_n2::{AmfIds, Leg, Settings};
use pinion_protocols::ngap::value::{AmfUeNgapId, Cause, RanUeNgapId};
use pinion_protocols::ngap::{ElementType, Outcome, Procedure, UeIds};

use crate::messages::{
    First, about, add, down, error, ids, initiating, release_command, release_complete, tmsi, up,
};
use crate::stage::{Stage, settings};

const ERROR: (Procedure, Outcome) = (Procedure::ErrorIndication, Outcome::Initiating);

fn unique(amfs: u8) -> Settings {
    Settings { amf_ids: AmfIds::SetUnique, ..settings(amfs) }
}

#[test]
fn amfs_that_count_from_one() {
    let mut stage = Stage::set_up(settings(3), 2);
    let mut seen = BTreeSet::new();
    for gnb in [1, 2] {
        for (amf, owner) in [(0, tmsi(1, 0)), (1, tmsi(1, 1)), (2, tmsi(2, 2))] {
            let ran = 10 + u32::from(amf);
            let leg = stage.between(gnb, amf);
            let id = gnb as u64;
            stage.say(Leg::Gnb(gnb as u64), 3, &First::with(ran, owner).bytes());
            assert_eq!(stage.one(leg).ids().ran, Some(ran));
            stage.say(leg, 1, &down(id, ran, b"first"));
            let here = stage.one(Leg::Gnb(gnb as u64)).ids().amf.unwrap();
            assert!(here < 256, "as many octets");
            assert!(seen.insert(here));
            stage.say(Leg::Gnb(gnb as u64), 3, &up(here, ran, b"answer"));
            assert_eq!(stage.one(leg).bytes, up(id, ran, b"answer"));
        }
    }
}

/// The lengths of elements and of the message move, over 127 and 16,383 too.
#[test]
fn longer_identifiers_move_lengths() {
    let mut stage = Stage::set_up(settings(2), 1);
    for id in 0..256 {
        stage.come(1, &First::with(id, tmsi(1, 0)), id.into());
    }
    let (_, here) = stage.come(1, &First::with(300, tmsi(1, 1)), 7);
    assert!(here > 255);
    for length in (90..140).chain(16_340..16_400) {
        let rest = vec![0xab; length];
        stage.say(stage.upstream(1), 1, &down(7, 300, &rest));
        assert_eq!(stage.one(Leg::Gnb(1)).bytes, down(here, 300, &rest));
        stage.say(Leg::Gnb(1), 1, &up(here, 300, &rest));
        assert_eq!(stage.one(stage.upstream(1)).bytes, up(7, 300, &rest));
    }
}

#[test]
fn set_unique_identifiers_stay_within_a_set() {
    let mut stage = Stage::set_up(unique(3), 1);
    let (_, here) = stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    assert_eq!(here, 7);
    let (_, other) = stage.come(1, &First::with(6, tmsi(2, 2)), 7);
    assert_ne!(other, 7);
}

#[test]
fn each_ue_has_one_stream_on_each_side() {
    let mut stage = Stage::set_up(settings(1), 1);
    let amf = stage.upstream(0);
    let mut streams = BTreeSet::new();
    for ran in 0..40 {
        let stream = 1 + u16::try_from(ran).unwrap() % 11;
        stage.say(Leg::Gnb(1), stream, &First::new(ran).bytes());
        let first = stage.one(amf).stream;
        stage.say(amf, first, &down(u64::from(ran), ran, b"first"));
        let said = stage.one(Leg::Gnb(1));
        assert_eq!(said.stream, stream);
        for _ in 0..3 {
            stage.say(Leg::Gnb(1), stream, &up(said.ids().amf.unwrap(), ran, b"more"));
            assert_eq!(stage.one(amf).stream, first);
        }
        streams.insert(first);
    }
    assert_eq!(streams, (1..5).collect());
}

#[test]
fn release_ends_the_pin_and_its_identifier_rests() {
    let mut stage = Stage::set_up(settings(1), 1);
    let (_, here) = stage.come(1, &First::new(5), 7);
    stage.say(stage.upstream(0), 1, &release_command(7, Some(5)));
    assert_eq!(stage.one(Leg::Gnb(1)).bytes, release_command(here, Some(5)));
    assert_eq!(stage.front_end.ue_count(), 1);
    stage.say(Leg::Gnb(1), 3, &release_complete(here, 5));
    assert_eq!(stage.one(stage.upstream(0)).bytes, release_complete(7, 5));
    assert_eq!((stage.front_end.ue_count(), stage.front_end.resting()), (0, 1));
    let (_, other) = stage.come(1, &First::new(5), 7);
    assert_ne!(other, here);
    // A command with the AMF's identifier alone.
    stage.say(stage.upstream(0), 1, &release_command(7, None));
    assert_eq!(stage.one(Leg::Gnb(1)).bytes, release_command(other, None));
}

#[test]
fn unknown_identifiers_are_told_to_the_sender() {
    let mut stage = Stage::set_up(settings(1), 1);
    stage.say(Leg::Gnb(1), 3, &up(99, 5, b"?"));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind(), said.ids(), said.stream), (ERROR, ids(99, 5), 3));
    assert_eq!(said.cause(), Some(Cause::UNKNOWN_LOCAL_ID));
    stage.say(stage.upstream(0), 2, &down(98, 6, b"?"));
    let said = stage.one(stage.upstream(0));
    assert_eq!((said.kind(), said.ids(), said.stream), (ERROR, ids(98, 6), 2));
    // Both have more streams than they may be sent on: the answer is on one that there is.
    stage.say(Leg::Gnb(1), 47, &up(99, 5, b"?"));
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), ERROR);
    stage.say(stage.upstream(0), 47, &down(98, 6, b"?"));
    assert_eq!(stage.one(stage.upstream(0)).kind(), ERROR);
    // The last message of a connection is only the end of it.
    stage.say(Leg::Gnb(1), 3, &release_complete(99, 5));
    stage.silent();
}

#[test]
fn an_identifier_error_releases_the_ue_on_both_sides() {
    let mut stage = Stage::set_up(settings(2), 1);
    let (_, first) = stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    let (_, second) = stage.come(1, &First::with(6, tmsi(1, 1)), 7);
    stage.come(1, &First::with(8, tmsi(1, 1)), 8);
    stage.say(Leg::Gnb(1), 3, &up(first, 6, b"?"));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.ids(), said.cause()), (ids(first, 6), Some(Cause::INCONSISTENT_REMOTE_ID)));
    assert_eq!(stage.one(stage.upstream(0)).bytes, error(ids(7, 5), &Cause::INCONSISTENT_REMOTE_ID));
    assert_eq!(stage.one(stage.upstream(1)).bytes, error(ids(7, 6), &Cause::INCONSISTENT_REMOTE_ID));
    assert_eq!(stage.front_end.ue_count(), 1);
    stage.say(Leg::Gnb(1), 3, &release_complete(second, 6));
    stage.silent();
    // An AMF's mistake: the gNB hears of its own.
    stage.say(stage.upstream(1), 1, &down(77, 8, b"?"));
    assert_eq!(stage.one(stage.upstream(1)).cause(), Some(Cause::INCONSISTENT_REMOTE_ID));
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), ERROR);
    assert_eq!(stage.front_end.ue_count(), 0);
}

#[test]
fn an_amf_harms_no_ue_of_another() {
    let mut stage = Stage::set_up(settings(3), 1);
    let (_, here) = stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    // Nor one of its set, whose numbers are its own.
    for amf in [1, 2] {
        stage.say(stage.upstream(amf), 1, &down(7, 5, b"?"));
        assert_eq!(stage.one(stage.upstream(amf)).cause(), Some(Cause::UNKNOWN_LOCAL_ID));
        stage.silent();
    }
    stage.say(Leg::Gnb(1), 3, &up(here, 5, b"more"));
    assert_eq!(stage.reached().0, 0);
}

#[test]
fn error_indication_goes_to_the_other_side_and_ends_what_it_doubts() {
    let mut stage = Stage::set_up(settings(2), 1);
    let (_, here) = stage.come(1, &First::with(5, tmsi(1, 1)), 300);
    stage.say(Leg::Gnb(1), 3, &error(ids(here, 5), &Cause::TRANSFER_SYNTAX_ERROR));
    assert_eq!(stage.one(stage.upstream(1)).bytes, error(ids(300, 5), &Cause::TRANSFER_SYNTAX_ERROR));
    assert_eq!(stage.front_end.ue_count(), 1);
    stage.say(stage.upstream(1), 3, &error(ids(300, 5), &Cause::UNKNOWN_LOCAL_ID));
    assert_eq!(stage.one(Leg::Gnb(1)).bytes, error(ids(here, 5), &Cause::UNKNOWN_LOCAL_ID));
    assert_eq!(stage.front_end.ue_count(), 0);
    // Whom nobody knows nobody hears of, and none is answered by another.
    for leg in [Leg::Gnb(1), stage.upstream(0)] {
        stage.say(leg, 3, &error(ids(here, 5), &Cause::UNKNOWN_LOCAL_ID));
        stage.say(leg, 3, &error(UeIds::default(), &Cause::UNSPECIFIED));
    }
    stage.silent();
}

#[test]
fn new_amf_ue_ngap_id_replaces_the_old() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.come(1, &First::with(4, tmsi(1, 0)), 9);
    let (_, here) = stage.come(1, &First::with(5, tmsi(1, 1)), 7);
    let request = |old, new| {
        initiating(Procedure::UeContextModification, |it| {
            add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(old));
            add(it, ElementType::RanUeNgapId, &RanUeNgapId(5));
            add(it, ElementType::NewAmfUeNgapId, &AmfUeNgapId(new));
        })
    };
    let amf = stage.upstream(1);
    stage.say(amf, 1, &request(7, 9));
    let said = stage.one(Leg::Gnb(1));
    let new: AmfUeNgapId = said.get(ElementType::NewAmfUeNgapId).unwrap();
    assert_eq!(said.bytes, request(here, new.0));
    assert_ne!(new.0, 9, "a UE of the other AMF has it");
    let answer = |id| about(Outcome::Successful, Procedure::UeContextModification, ids(id, 5), &[]);
    stage.say(Leg::Gnb(1), 3, &answer(here));
    assert_eq!(stage.one(amf).bytes, answer(7));
    stage.say(Leg::Gnb(1), 3, &up(new.0, 5, b"more"));
    assert_eq!(stage.one(amf).bytes, up(9, 5, b"more"));
    stage.say(Leg::Gnb(1), 3, &up(here, 5, b"more"));
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), ERROR);
}

#[test]
fn what_cannot_be_read_is_told_and_counted() {
    let mut stage = Stage::set_up(settings(1), 1);
    stage.say(Leg::Gnb(1), 2, &bytes::Bytes::from_static(&[0, 46, 0x40, 9, 1]));
    assert_eq!(stage.one(Leg::Gnb(1)).cause(), Some(Cause::TRANSFER_SYNTAX_ERROR));
    stage.say(Leg::Gnb(1), 2, &initiating(Procedure::InitialUeMessage, |_| {}));
    assert_eq!(stage.one(Leg::Gnb(1)).cause(), Some(Cause::ABSTRACT_SYNTAX_ERROR));
    assert_eq!(stage.front_end.counts().malformed, 2);
}
