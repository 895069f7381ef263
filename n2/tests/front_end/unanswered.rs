//! UEs of which only one side ever speaks.

use std::time::Duration;

use pinion_n2::Leg;

use crate::messages::{First, tmsi, up};
use crate::mobility::{handover_request, path_switch, with_ue};
use crate::stage::{Stage, settings};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_ue_that_its_amf_never_names_ends() {
    let mut stage = Stage::set_up(settings(2), 1);
    let (_, here) = stage.come(1, &First::with(4, tmsi(1, 0)), 7);
    stage.pass(Duration::from_secs(1));
    stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 0)).bytes());
    stage.reached();
    stage.pass(PATIENCE - Duration::from_secs(1));
    assert_eq!(stage.front_end.ue_count(), 2);
    stage.pass(Duration::from_secs(1));
    assert_eq!((stage.front_end.ue_count(), stage.front_end.counts().unanswered), (1, 1));
    // One that it named stays, however long it is silent.
    stage.pass(PATIENCE);
    stage.say(Leg::Gnb(1), 3, &up(here, 4, b"more"));
    assert_eq!(stage.reached().1.bytes, up(7, 4, b"more"));
}

#[test]
fn a_ue_whose_gnb_never_answers_its_handover_ends_there() {
    let (mut stage, here) = with_ue(settings(2));
    stage.say(stage.between(2, 1), 1, &handover_request(8));
    stage.one(Leg::Gnb(2));
    stage.pass(PATIENCE);
    assert_eq!((stage.front_end.ue_count(), stage.front_end.resting()), (2, 1));
    stage.say(Leg::Gnb(1), 1, &up(here, 5, b"still"));
    assert_eq!(stage.one(stage.between(1, 1)).bytes, up(7, 5, b"still"));
}

#[test]
fn a_path_switch_without_an_answer_leaves_the_source() {
    let (mut stage, here) = with_ue(settings(2));
    stage.say(Leg::Gnb(2), 4, &path_switch(here, 9));
    stage.one(stage.between(2, 1));
    stage.pass(PATIENCE);
    assert_eq!((stage.front_end.ue_count(), stage.front_end.resting()), (2, 0));
    stage.say(Leg::Gnb(1), 1, &up(here, 5, b"still"));
    assert_eq!(stage.one(stage.between(1, 1)).bytes, up(7, 5, b"still"));
}
