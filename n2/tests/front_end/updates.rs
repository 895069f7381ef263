//! AMF Configuration Update (8.7.3), AMF Status Indication (8.7.6), RAN Configuration Update (8.7.2).

use std::net::Ipv4Addr;

use bytes::Bytes;
use pinion_n2::{AmfIds, Leg, Settings};
use pinion_protocols::ngap::value::{
    AmfName, AmfUeNgapId, Cause, List, PlmnSupport, RanUeNgapId, RelativeAmfCapacity, TnlAddress, TnlFailureList,
    TnlToAdd, TnlToAddList, TransportAddress, UnavailableGuami, UnavailableGuamiList,
};
use pinion_protocols::ngap::{ElementType, Outcome, Procedure};

use crate::messages::{First, Says, about, add, areas, down, guami, ids, initiating, message, tmsi, up};
use crate::setup::{guamis, joining};
use crate::stage::{ANSWER, Stage, says, settings};

const UPDATE: (Procedure, Outcome) = (Procedure::AmfConfigurationUpdate, Outcome::Initiating);
const DONE: (Procedure, Outcome) = (Procedure::AmfConfigurationUpdate, Outcome::Successful);
const FAILED: (Procedure, Outcome) = (Procedure::AmfConfigurationUpdate, Outcome::Unsuccessful);

fn answer(outcome: Outcome) -> Bytes {
    message(outcome, Procedure::AmfConfigurationUpdate, |it| {
        if outcome == Outcome::Unsuccessful {
            add(it, ElementType::Cause, &Cause::UNKNOWN_PLMN);
        }
    })
}

fn to_add() -> TnlAddress {
    TnlAddress::Endpoint(TransportAddress { v4: Some(Ipv4Addr::new(192, 0, 2, 99)), v6: None })
}

fn unavailable(set: u16, pointer: u8, timer: bool, backup: Option<&str>) -> Bytes {
    let item = UnavailableGuami {
        guami: guami(set, pointer),
        timer,
        backup: backup.map(|name| AmfName(name.into())),
        extensions: Default::default(),
    };
    let list: UnavailableGuamiList = List(vec![item]);
    initiating(Procedure::AmfStatusIndication, |it| add(it, ElementType::UnavailableGuamiList, &list))
}

#[test]
fn what_an_amf_changes_changes_the_merged_view() {
    let mut stage = Stage::set_up(settings(2), 1);
    let amf = stage.upstream(1);
    let changed = Says { slices: vec![7], ..says(1) };
    stage.say(amf, 0, &initiating(Procedure::AmfConfigurationUpdate, |it| changed.elements(it)));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind(), guamis(&said).len()), (UPDATE, 2));
    let plmns = said.get::<List<PlmnSupport, 12>>(ElementType::PlmnSupportList).unwrap().0;
    assert_eq!(plmns[0].slices.0.iter().map(|it| it.slice.sst).collect::<Vec<_>>(), [1, 7]);
    assert_eq!(said.get(ElementType::AmfName), Some(AmfName("pinion".into())));
    // The AMF is answered as the gNB answers.
    stage.silent();
    stage.say(Leg::Gnb(1), 0, &answer(Outcome::Successful));
    assert_eq!(stage.one(amf).kind(), DONE);

    // What is absent stays.
    let capacity = initiating(Procedure::AmfConfigurationUpdate, |it| {
        add(it, ElementType::RelativeAmfCapacity, &RelativeAmfCapacity(50));
    });
    stage.say(amf, 0, &capacity);
    let said = stage.one(Leg::Gnb(1));
    assert_eq!(guamis(&said).len(), 2);
    assert_eq!(said.get(ElementType::RelativeAmfCapacity), Some(RelativeAmfCapacity(150)));
    stage.say(Leg::Gnb(1), 0, &answer(Outcome::Unsuccessful));
    let said = stage.one(amf);
    assert_eq!((said.kind(), said.cause()), (FAILED, Some(Cause::UNKNOWN_PLMN)));
    // What changes nothing is nobody's business.
    stage.say(amf, 0, &capacity);
    assert_eq!(stage.one(amf).kind(), DONE);
    stage.silent();
}

#[test]
fn one_update_at_a_time() {
    let mut stage = Stage::set_up(settings(2), 1);
    let amfs = [stage.upstream(0), stage.upstream(1)];
    for (amf, capacity) in amfs.into_iter().zip([10, 20]) {
        let update = initiating(Procedure::AmfConfigurationUpdate, |it| {
            add(it, ElementType::RelativeAmfCapacity, &RelativeAmfCapacity(capacity));
        });
        stage.say(amf, 0, &update);
    }
    let said = stage.one(Leg::Gnb(1));
    assert_eq!(said.get(ElementType::RelativeAmfCapacity), Some(RelativeAmfCapacity(110)));
    stage.say(Leg::Gnb(1), 0, &answer(Outcome::Successful));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!(said.get(ElementType::RelativeAmfCapacity), Some(RelativeAmfCapacity(30)));
    stage.pass(ANSWER);
    assert_eq!(stage.one(amfs[0]).kind(), DONE);
}

#[test]
fn no_gnb_gets_an_association_past_the_proxy() {
    let mut stage = Stage::set_up(settings(2), 1);
    let item = TnlToAdd { address: to_add(), usage: None, weight: 1, extensions: Default::default() };
    let list: TnlToAddList = List(vec![item]);
    let update = initiating(Procedure::AmfConfigurationUpdate, |it| add(it, ElementType::TnlToAddList, &list));
    stage.say(stage.upstream(0), 0, &update);
    let said = stage.one(stage.upstream(0));
    let failed: TnlFailureList = said.get(ElementType::TnlFailedToSetupList).unwrap();
    assert_eq!(said.kind(), DONE);
    assert_eq!(failed.0.iter().map(|it| it.address.clone()).collect::<Vec<_>>(), [to_add()]);
    stage.silent();
}

#[test]
fn a_guami_that_leaves_goes_to_its_backup_amf() {
    let mut stage = Stage::set_up(settings(6), 1);
    stage.say(stage.upstream(0), 0, &unavailable(1, 0, false, Some("amf-4")));
    stage.silent();
    // Until the AMF says which GUAMIs it has.
    stage.say(stage.upstream(0), 0, &initiating(Procedure::AmfConfigurationUpdate, |_| {}));
    assert_eq!(stage.one(stage.upstream(0)).kind(), DONE);
    for ran in 0..20 {
        stage.say(Leg::Gnb(1), 1, &First::with(ran, tmsi(1, 0)).bytes());
        assert_eq!(stage.reached().0, 4);
    }
    // Without one it goes to another of the set.
    stage.say(stage.upstream(2), 0, &unavailable(2, 2, true, None));
    for ran in 20..40 {
        stage.say(Leg::Gnb(1), 1, &First::with(ran, tmsi(2, 2)).bytes());
        assert_eq!(stage.reached().0, 3);
    }
}

#[test]
fn timer_approach_moves_no_ue_at_once() {
    for (timer, expected) in [(false, 1), (true, 0)] {
        let mut stage = Stage::set_up(Settings { amf_ids: AmfIds::SetUnique, ..settings(2) }, 1);
        stage.come(1, &First::with(5, tmsi(1, 0)), 7);
        stage.say(stage.upstream(0), 1, &context_setup());
        stage.one(Leg::Gnb(1));
        stage.say(stage.upstream(0), 0, &unavailable(1, 0, timer, None));
        stage.say(Leg::Gnb(1), 1, &up(7, 5, b"next"));
        assert_eq!(stage.reached().0, expected);
    }
}

fn context_setup() -> Bytes {
    initiating(Procedure::InitialContextSetup, |it| {
        add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(7));
        add(it, ElementType::RanUeNgapId, &RanUeNgapId(5));
        add(it, ElementType::Guami, &guami(1, 0));
    })
}

/// UE 5 of gNB 1 comes to gNB 2, which calls it 9, by handover or by path switch.
#[test]
fn a_guami_that_leaves_moves_ues_that_came_from_another_gnb() {
    for handed_over in [true, false] {
        let mut stage = Stage::set_up(Settings { amf_ids: AmfIds::SetUnique, ..settings(2) }, 2);
        let (source, target) = (stage.between(1, 0), stage.between(2, 0));
        stage.say(Leg::Gnb(1), 1, &First::with(5, tmsi(1, 0)).bytes());
        stage.say(source, 1, &down(7, 5, b"first"));
        stage.say(source, 1, &context_setup());
        if handed_over {
            let request = initiating(Procedure::HandoverResourceAllocation, |it| {
                add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(8));
                add(it, ElementType::Guami, &guami(1, 0));
            });
            stage.say(target, 1, &request);
            stage.say(Leg::Gnb(2), 1, &answered(Procedure::HandoverResourceAllocation, 8));
        } else {
            stage.say(Leg::Gnb(2), 1, &crate::mobility::path_switch(7, 9));
            stage.say(target, 1, &answered(Procedure::PathSwitchRequest, 7));
        }
        stage.say(target, 0, &unavailable(1, 0, false, None));
        stage.inbox.clear();
        stage.say(Leg::Gnb(2), 1, &up(if handed_over { 8 } else { 7 }, 9, b"next"));
        assert_eq!(stage.reached().0, 1, "handed over: {handed_over}");
    }
}

fn answered(procedure: Procedure, amf: u64) -> Bytes {
    about(Outcome::Successful, procedure, ids(amf, 9), &[])
}

const RAN_UPDATE: (Procedure, Outcome) = (Procedure::RanConfigurationUpdate, Outcome::Initiating);
const RAN_DONE: (Procedure, Outcome) = (Procedure::RanConfigurationUpdate, Outcome::Successful);

fn ran_done() -> Bytes {
    message(Outcome::Successful, Procedure::RanConfigurationUpdate, |_| {})
}

/// It was asked with the configuration before.
#[test]
fn an_amf_that_accepts_a_gnb_meanwhile_gets_its_update_too() {
    let mut stage = Stage::set_up(settings(1), 1);
    stage.front_end.configure(stage.now, settings(2));
    stage.settle();
    let late = stage.connect(1);
    stage.all(late);
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    assert_eq!(stage.one(stage.upstream(0)).kind(), RAN_UPDATE);
    stage.silent();
    stage.say(late, 0, &says(1).setup_response());
    let said = stage.one(late);
    assert_eq!((said.kind(), said.get(ElementType::SupportedTaList)), (RAN_UPDATE, Some(areas(9))));
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), UPDATE);
    stage.say(stage.upstream(0), 0, &ran_done());
    stage.silent();
    stage.say(late, 0, &ran_done());
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), RAN_DONE);
}

#[test]
fn each_update_of_a_gnb_is_answered() {
    let mut stage = Stage::set_up(settings(1), 1);
    let amf = stage.upstream(0);
    let other = stage.accept();
    stage.say(other, 0, &joining(1, true));
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    // AMFs' answers do not say to which.
    for gnb in [other, Leg::Gnb(1)] {
        assert_eq!(stage.one(amf).kind(), RAN_UPDATE);
        stage.silent();
        stage.say(amf, 0, &ran_done());
        assert_eq!(stage.one(gnb).kind(), RAN_DONE);
    }
    stage.silent();
}

fn ran_failed() -> Bytes {
    message(Outcome::Unsuccessful, Procedure::RanConfigurationUpdate, |it| {
        add(it, ElementType::Cause, &Cause::UNKNOWN_PLMN);
    })
}

/// The first update is refused after its time, and the second accepted.
#[test]
fn an_answer_that_comes_too_late_is_none_to_the_next_update() {
    let mut stage = Stage::set_up(settings(1), 1);
    let amf = stage.upstream(0);
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    stage.one(amf);
    stage.pass(ANSWER);
    assert_ne!(stage.one(Leg::Gnb(1)).kind(), RAN_DONE);
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    stage.one(amf);
    stage.say(amf, 0, &ran_failed());
    stage.silent();
    stage.say(amf, 0, &ran_done());
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), RAN_DONE);
    assert_eq!((stage.front_end.counts().unanswered, stage.front_end.counts().unexpected), (1, 1));
}

/// An AMF that never answered one is not taken for late for ever.
#[test]
fn what_was_given_up_is_forgotten() {
    let mut stage = Stage::set_up(settings(1), 1);
    let amf = stage.upstream(0);
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    stage.pass(ANSWER);
    stage.pass(settings(1).timers.quarantine);
    stage.inbox.clear();
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    stage.one(amf);
    stage.say(amf, 0, &ran_done());
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), RAN_DONE);
}

#[test]
fn a_gnbs_answer_that_comes_too_late_is_none_to_the_next_update() {
    let mut stage = Stage::set_up(settings(2), 1);
    let amf = stage.upstream(0);
    for capacity in [10, 20] {
        let update = initiating(Procedure::AmfConfigurationUpdate, |it| {
            add(it, ElementType::RelativeAmfCapacity, &RelativeAmfCapacity(capacity));
        });
        stage.say(amf, 0, &update);
        assert_eq!(stage.one(Leg::Gnb(1)).kind(), UPDATE);
        if capacity == 10 {
            stage.pass(ANSWER);
            assert_eq!(stage.one(amf).kind(), FAILED);
        }
    }
    stage.say(Leg::Gnb(1), 0, &answer(Outcome::Unsuccessful));
    stage.silent();
    stage.say(Leg::Gnb(1), 0, &answer(Outcome::Successful));
    assert_eq!(stage.one(amf).kind(), DONE);
}
