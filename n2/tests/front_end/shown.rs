//! What is shown: UEs, procedures and how long they take, and why a UE gets its AMF.

use std::time::Duration;

use pinion_n2::{Amf, Answerer, Barred, Candidate, Identity, Latency, Leg, Placement, Reason, Rule, Settings};
use pinion_protocols::ngap::value::{OverloadAction, OverloadResponse, TrafficLoadReduction};
use pinion_protocols::ngap::{ElementType, Outcome, Procedure};

use crate::messages::{
    First, Says, about, add, down, guami, ids, initiating, node, registration, release_command, release_complete,
    tmsi, up,
};
use crate::stage::{ANSWER, Stage, amf, name, says, settings};

const MS: Duration = Duration::from_millis(1);

fn setup(amf: u64, outcome: Outcome) -> bytes::Bytes {
    about(outcome, Procedure::InitialContextSetup, ids(amf, 5), &[])
}

/// How often a procedure was answered, and how long that took.
fn took(stage: &Stage, procedure: Procedure, by: Answerer) -> (u64, Duration) {
    let mut all = stage.front_end.latencies();
    let found = all.find(|(it, whose, _)| (*it, *whose) == (procedure, by));
    found.map_or((0, Duration::ZERO), |(_, _, latency)| (latency.count, latency.sum))
}

#[test]
fn a_ue_and_its_open_procedures_are_shown() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 1)).bytes());
    let amf = stage.upstream(1);
    stage.pass(7 * MS);
    let ue = stage.front_end.ues(None).next().unwrap();
    assert_eq!((ue.node, ue.ran, ue.amf, ue.ids), (node(1), Some(5), name(1), None));
    assert_eq!((ue.tmsi, ue.guami, ue.since), (Some(tmsi(1, 1)), None, 7 * MS));
    assert_eq!(ue.procedures, [(Procedure::InitialUeMessage, 7 * MS)]);

    stage.say(amf, 1, &down(70, 5, b"first"));
    stage.say(amf, 1, &setup(70, Outcome::Initiating));
    stage.pass(2 * MS);
    let ue = stage.front_end.ues(None).next().unwrap();
    assert_eq!((ue.ids, ue.procedures), (Some((70, 70)), vec![(Procedure::InitialContextSetup, 2 * MS)]));
    assert_eq!(stage.front_end.ues(Some(ue.number)).count(), 0);
}

#[test]
fn a_ue_is_known_by_the_identity_in_its_request() {
    let mut stage = Stage::set_up(settings(2), 1);
    let nas = registration(guami(1, 1));
    stage.say(Leg::Gnb(1), 3, &First { nas, ..First::new(5) }.bytes());
    let ue = stage.front_end.ues(None).next().unwrap();
    assert_eq!((ue.tmsi, ue.guami), (Some(tmsi(1, 1)), Some(guami(1, 1))));
}

#[test]
fn messages_are_counted_by_procedure_and_side() {
    let mut stage = Stage::set_up(settings(2), 1);
    let (_, here) = stage.come(1, &First::with(5, tmsi(1, 1)), 7);
    for text in [b"1", b"2"] {
        stage.say(Leg::Gnb(1), 3, &up(here, 5, text));
    }
    let counted: Vec<_> = stage.front_end.messages().collect();
    assert_eq!(
        counted,
        [
            (Procedure::DownlinkNasTransport, 0, 1),
            (Procedure::InitialUeMessage, 1, 0),
            (Procedure::NgSetup, 1, 2),
            (Procedure::UplinkNasTransport, 2, 0),
        ]
    );
}

#[test]
fn answers_are_timed_by_who_gives_them() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 1)).bytes());
    let amf = stage.upstream(1);
    stage.pass(20 * MS);
    stage.say(amf, 1, &down(7, 5, b"first"));
    stage.say(amf, 1, &setup(7, Outcome::Initiating));
    stage.pass(3 * MS);
    stage.say(Leg::Gnb(1), 3, &setup(7, Outcome::Unsuccessful));
    stage.say(amf, 1, &release_command(7, Some(5)));
    stage.pass(4 * MS);
    stage.say(Leg::Gnb(1), 3, &release_complete(7, 5));
    assert_eq!(took(&stage, Procedure::InitialUeMessage, Answerer::Amf), (1, 20 * MS));
    assert_eq!(took(&stage, Procedure::InitialContextSetup, Answerer::Gnb), (1, 3 * MS));
    assert_eq!(took(&stage, Procedure::UeContextRelease, Answerer::Gnb), (1, 4 * MS));
    assert_eq!(took(&stage, Procedure::NgSetup, Answerer::Amf).0, 2);
    assert_eq!(took(&stage, Procedure::NgSetup, Answerer::FrontEnd).0, 1);
    let mut all = stage.front_end.latencies();
    let (.., latency) = all.find(|it| it.0 == Procedure::InitialUeMessage).unwrap();
    let place = Latency::BOUNDS.iter().position(|bound| *bound == 25 * MS).unwrap();
    assert_eq!(latency.classes[place], 1);
}

#[test]
fn what_nobody_answers_is_not_timed() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.say(Leg::Gnb(1), 0, &crate::setup::joining(1, true));
    stage.pass(ANSWER);
    stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 1)).bytes());
    stage.close(Leg::Gnb(1));
    assert_eq!(took(&stage, Procedure::RanConfigurationUpdate, Answerer::Amf).0, 0);
    assert_eq!(took(&stage, Procedure::RanConfigurationUpdate, Answerer::FrontEnd).0, 1);
    assert_eq!(took(&stage, Procedure::InitialUeMessage, Answerer::Amf).0, 0);
}

/// An AMF asks to be spared so many percent.
fn overload(percent: u8) -> bytes::Bytes {
    initiating(Procedure::OverloadStart, |it| {
        let response = OverloadResponse::Action(OverloadAction::RejectSignalling);
        add(it, ElementType::AmfOverloadResponse, &response);
        add(it, ElementType::TrafficLoadReduction, &TrafficLoadReduction(percent));
    })
}

#[test]
fn amfs_say_how_loaded_they_are() {
    let mut stage = Stage::set_up_with(settings(2), 2, &[Says { capacity: 30, ..says(0) }, says(1)]);
    stage.say(stage.between(1, 0), 0, &overload(20));
    stage.say(stage.between(2, 0), 0, &overload(40));
    let amfs: Vec<_> = stage.front_end.amfs().map(|it| (it.name, it.gnbs, it.capacity, it.overload)).collect();
    assert_eq!(amfs, [(name(0), 2, 30, 40), (name(1), 2, 100, 0)]);
}

/// The rules that give an AMF points, or why it has none, and its share.
fn said(candidates: &[Candidate]) -> Vec<(Result<Vec<Rule>, Barred>, u8)> {
    let rules = |it: &Candidate| {
        let given = it.verdict.map(|points| points.rules().collect());
        (given, it.share)
    };
    candidates.iter().map(rules).collect()
}

#[test]
fn where_a_ue_would_go_is_said_by_rules() {
    use Rule::{Load, Owner, SameSet};
    let amfs = [says(0), Says { capacity: 50, ..says(1) }, says(2), Says { capacity: 0, ..says(3) }];
    let mut stage = Stage::set_up_with(settings(4), 2, &amfs);
    let there = stage.front_end.placements(Identity::Tmsi(tmsi(1, 1)));
    let [Placement { gnbs, candidates }] = there.as_slice() else { panic!("{there:?}") };
    assert_eq!(*gnbs, (node(1), 2));
    assert_eq!(
        said(candidates),
        [
            (Ok(vec![Load, SameSet]), 0),
            (Ok(vec![Load, Owner, SameSet]), 100),
            (Ok(vec![Load]), 0),
            (Err(Barred::NoCapacity), 0),
        ]
    );
    // Of a set of which nobody is left, it is shared out by capacity.
    let there = stage.front_end.placements(Identity::Guami(guami(7, 1), None));
    assert_eq!(said(&there[0].candidates).iter().map(|it| it.1).collect::<Vec<_>>(), [40, 20, 40, 0]);
    // Where gNBs differ, each is shown.
    stage.close(stage.between(2, 1));
    stage.front_end.configure(stage.now, Settings { amfs: drained(2), ..settings(4) });
    stage.settle();
    let there = stage.front_end.placements(Identity::Tmsi(tmsi(1, 1)));
    assert_eq!(there.iter().map(|it| it.gnbs.clone()).collect::<Vec<_>>(), [(node(1), 1), (node(2), 1)]);
    let expected = [
        (Ok(vec![Load, SameSet]), 100),
        (Err(Barred::NotSetUp), 0),
        (Err(Barred::Drained), 0),
        (Err(Barred::NoCapacity), 0),
    ];
    assert_eq!(said(&there[1].candidates), expected);
}

/// An AMF says to each gNB how many UEs it would be spared (TS 38.413 8.7.7).
#[test]
fn gnbs_to_which_an_amf_says_another_load_are_shown_apart() {
    let mut stage = Stage::set_up_with(settings(2), 4, &[says(0), says(1)]);
    for (gnb, percent) in [(2, 20), (3, 40)] {
        stage.say(stage.between(gnb, 0), 0, &overload(percent));
    }
    let there = stage.front_end.placements(Identity::Tmsi(tmsi(9, 9)));
    assert_eq!(
        there.iter().map(|it| it.gnbs.clone()).collect::<Vec<_>>(),
        [(node(1), 2), (node(2), 1), (node(3), 1)]
    );
    let (equal, spared) =
        ([(Ok(vec![Rule::Load]), 50), (Ok(vec![Rule::Load]), 50)], [(Ok(vec![]), 0), (Ok(vec![Rule::Load]), 100)]);
    assert_eq!(
        [0, 1, 2].map(|at| said(&there[at].candidates)),
        [equal.to_vec(), spared.to_vec(), spared.to_vec()]
    );
    assert_eq!([0, 1, 2].map(|at| there[at].candidates[0].overload), [0, 20, 40]);
}

fn drained(which: u8) -> Vec<Amf> {
    (0..4).map(|number| Amf { drained: number == which, ..amf(number) }).collect()
}

/// What is explained is what is done.
#[test]
fn ues_go_where_it_is_said_that_they_would() {
    let amfs = [says(0), says(1), says(2), Says { capacity: 0, ..says(3) }];
    let mut stage = Stage::set_up_with(Settings { amfs: drained(1), ..settings(4) }, 1, &amfs);
    let mut ran = 0;
    for identity in [tmsi(1, 0), tmsi(1, 1), tmsi(2, 2), tmsi(2, 3), tmsi(9, 9)] {
        let there = stage.front_end.placements(Identity::Tmsi(identity));
        for _ in 0..20 {
            ran += 1;
            stage.say(Leg::Gnb(1), 1, &First::with(ran, identity).bytes());
            let (reached, _) = stage.reached();
            let candidate = there[0].candidates.iter().find(|it| it.amf == name(reached)).unwrap();
            assert!(candidate.share > 0, "{identity:?}: {there:?}");
        }
    }
}

#[test]
fn why_a_ue_is_where_it_is_stays_known() {
    let mut stage = Stage::set_up(settings(4), 1);
    stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    let ue = stage.front_end.ues(None).next().unwrap();
    let Reason::Chosen(points) = ue.reason else { panic!("{ue:?}") };
    assert!(points.has(Rule::Plmn) && points.has(Rule::Owner) && !points.has(Rule::NamedSet));
    let judged = stage.front_end.judged(ue.number);
    assert_eq!(judged.iter().map(|it| it.share).collect::<Vec<_>>(), [100, 0, 0, 0]);
    // The first answer is another AMF's of the set.
    stage.say(Leg::Gnb(1), 3, &First::with(6, tmsi(1, 0)).bytes());
    stage.say(stage.upstream(1), 1, &down(8, 6, b"first"));
    let ue = stage.front_end.ues(None).nth(1).unwrap();
    assert_eq!((ue.amf, ue.reason), (name(1), Reason::Answered));
}
