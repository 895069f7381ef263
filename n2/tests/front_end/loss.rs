//! AMFs that are lost, and gNBs.

use std::time::Duration;

use pinion_n2::{AmfIds, AmfLoss, Leg, Settings};
use pinion_protocols::ngap::value::{Cause, TimeToWait};
use pinion_protocols::ngap::{Outcome, Procedure};

use crate::messages::{First, ids, ng_setup, release_complete, reset_acknowledge, setup_failure, tmsi, up};
use crate::stage::{RECONNECT, Stage, amf, name, says, settings};

const RESET: (Procedure, Outcome) = (Procedure::NgReset, Outcome::Initiating);
const UPDATE: (Procedure, Outcome) = (Procedure::AmfConfigurationUpdate, Outcome::Initiating);

fn losing(loss: AmfLoss, amf_ids: AmfIds) -> (Stage, u64) {
    let mut stage = Stage::set_up(Settings { loss, amf_ids, ..settings(3) }, 1);
    stage.come(1, &First::with(4, tmsi(2, 2)), 8);
    let (_, here) = stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    (stage, here)
}

#[test]
fn amf_lost_resets_exactly_its_ues() {
    let (mut stage, here) = losing(AmfLoss::Reset { after: Duration::ZERO }, AmfIds::PerAmf);
    stage.close(stage.upstream(0));
    let said = stage.all(Leg::Gnb(1));
    let kinds: Vec<_> = said.iter().map(crate::stage::Said::kind).collect();
    assert_eq!(kinds, [RESET, UPDATE]);
    assert_eq!(said[0].connections(), Some(vec![ids(here, 5)]));
    stage.say(Leg::Gnb(1), 0, &reset_acknowledge(None));
    stage.silent();
    assert_eq!(stage.front_end.ue_count(), 1);
    assert_eq!(stage.events.last(), Some(&(name(0), false)));
    // It is asked for again.
    stage.pass(RECONNECT);
    let amf = stage.connect(0);
    assert_eq!(stage.one(amf).bytes, ng_setup(1));
}

#[test]
fn amf_lost_resets_after_a_while() {
    let (mut stage, here) = losing(AmfLoss::Reset { after: Duration::from_secs(30) }, AmfIds::PerAmf);
    stage.close(stage.upstream(0));
    stage.all(Leg::Gnb(1));
    stage.say(Leg::Gnb(1), 1, &up(here, 5, b"lost"));
    stage.silent();
    stage.pass(Duration::from_secs(29));
    assert_eq!(stage.all(Leg::Gnb(1)), []);
    stage.pass(Duration::from_secs(1));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind(), said.connections()), (RESET, Some(vec![ids(here, 5)])));
}

/// NG Setup ends what the AMF still knew (8.7.1).
#[test]
fn after_its_return_ng_setup_and_then_that_list() {
    let (mut stage, here) = losing(AmfLoss::Reset { after: Duration::from_secs(30) }, AmfIds::PerAmf);
    stage.close(stage.upstream(0));
    stage.all(Leg::Gnb(1));
    stage.pass(RECONNECT);
    let amf = stage.connect(0);
    assert_eq!(stage.one(amf).bytes, ng_setup(1));
    assert_eq!(stage.all(Leg::Gnb(1)), []);
    stage.say(amf, 0, &says(0).setup_response());
    let said = &stage.all(Leg::Gnb(1))[0];
    assert_eq!((said.kind(), said.connections()), (RESET, Some(vec![ids(here, 5)])));
    stage.say(Leg::Gnb(1), 0, &reset_acknowledge(None));
    stage.pass(Duration::from_secs(60));
    assert_eq!(stage.front_end.counts().reset, 1);
}

#[test]
fn amf_lost_and_its_ues_go_on_with_another_of_the_set() {
    let (mut stage, here) = losing(AmfLoss::Rebind, AmfIds::SetUnique);
    assert_eq!(here, 7);
    stage.close(stage.upstream(0));
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), UPDATE);
    stage.say(Leg::Gnb(1), 1, &up(7, 5, b"next"));
    let (amf, said) = stage.reached();
    assert_eq!((amf, said.bytes), (1, up(7, 5, b"next")));
    assert_eq!((stage.front_end.counts().moved, stage.front_end.counts().reset), (1, 0));
    // Without another one in the set they wait for its return.
    stage.close(stage.upstream(2));
    stage.all(Leg::Gnb(1));
    stage.say(Leg::Gnb(1), 1, &up(8, 4, b"next"));
    stage.silent();
    assert_eq!(stage.front_end.counts().undeliverable, 1);
}

#[test]
fn rebinding_needs_identifiers_that_are_unique() {
    let (mut stage, here) = losing(AmfLoss::Rebind, AmfIds::PerAmf);
    stage.close(stage.upstream(0));
    assert_eq!(stage.all(Leg::Gnb(1))[0].connections(), Some(vec![ids(here, 5)]));
}

#[test]
fn gnb_lost_closes_its_upstreams() {
    let mut stage = Stage::set_up(settings(2), 2);
    stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    stage.close(Leg::Gnb(1));
    assert_eq!(stage.closed, [stage.between(1, 0), stage.between(1, 1)]);
    assert_eq!(stage.front_end.ue_count(), 0);
    assert_eq!(stage.front_end.gnbs().count(), 1);
    assert!(stage.front_end.amfs().all(|amf| amf.gnbs == 1 && amf.ues == 0));
}

#[test]
fn a_ue_that_leaves_while_no_amf_has_it_is_gone() {
    let (mut stage, _) = losing(AmfLoss::Rebind, AmfIds::SetUnique);
    stage.close(stage.upstream(2));
    stage.all(Leg::Gnb(1));
    stage.say(Leg::Gnb(1), 1, &release_complete(8, 4));
    stage.silent();
    assert_eq!((stage.front_end.ue_count(), stage.front_end.counts().released), (1, 1));
}

#[test]
fn ues_that_waited_for_an_amf_are_reset_when_it_is_configured_no_more() {
    let (mut stage, _) = losing(AmfLoss::Rebind, AmfIds::SetUnique);
    stage.close(stage.upstream(2));
    stage.all(Leg::Gnb(1));
    let left = Settings { amfs: vec![amf(0), amf(1)], loss: AmfLoss::Rebind, ..settings(2) };
    stage.front_end.configure(stage.now, Settings { amf_ids: AmfIds::SetUnique, ..left });
    stage.settle();
    let said = &stage.all(Leg::Gnb(1))[0];
    assert_eq!((said.kind(), said.connections()), (RESET, Some(vec![ids(8, 4)])));
    assert_eq!(stage.front_end.ue_count(), 1);
}

#[test]
fn an_amf_that_asked_for_time_gets_it_though_it_ends_the_association() {
    let mut stage = Stage::new(settings(2));
    let gnb = stage.accept();
    stage.say(gnb, 0, &ng_setup(1));
    for (number, answer) in
        [(0, says(0).setup_response()), (1, setup_failure(&Cause::OVERLOAD, Some(TimeToWait::OneMinute)))]
    {
        let amf = stage.connect(number);
        stage.say(amf, 0, &answer);
    }
    stage.close(stage.upstream(1));
    stage.pass(Duration::from_secs(59));
    assert_eq!(stage.opened.len(), 2);
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.opened.len(), 3);
}
