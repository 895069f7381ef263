//! NG Setup (8.7.1), and associations that gNBs add.

use std::time::Duration;

use bytes::Bytes;
use pinion_n2::{Admission, Leg, Settings};
use pinion_protocols::ngap::value::{
    AmfName, Cause, List, PlmnSupport, RelativeAmfCapacity, ServedGuami, TimeToWait,
};
use pinion_protocols::ngap::{Criticality, ElementType, Outcome, Procedure, UeIds};

use crate::messages::{
    First, PLMN, Says, add, areas, guami, initiating, message, ng_setup, node, setup_failure, tmsi,
};
use crate::stage::{ANSWER, RECONNECT, Said, Stage, amf, name, says, settings};

pub(crate) const SETUP: (Procedure, Outcome) = (Procedure::NgSetup, Outcome::Successful);
pub(crate) const FAILURE: (Procedure, Outcome) = (Procedure::NgSetup, Outcome::Unsuccessful);

pub(crate) fn guamis(said: &Said) -> Vec<ServedGuami> {
    said.get::<List<ServedGuami, 256>>(ElementType::ServedGuamiList).unwrap().0
}

fn capacity(said: &Said) -> u8 {
    said.get::<RelativeAmfCapacity>(ElementType::RelativeAmfCapacity).unwrap().0
}

pub(crate) fn joining(number: u32, more: bool) -> Bytes {
    initiating(Procedure::RanConfigurationUpdate, |it| {
        add(it, ElementType::GlobalRanNodeId, &node(number));
        if more {
            add(it, ElementType::SupportedTaList, &areas(9));
        }
    })
}

#[test]
fn one_answer_for_all_amfs() {
    let mut stage = Stage::new(settings(3));
    let gnb = stage.accept();
    stage.say(gnb, 0, &ng_setup(1));
    assert_eq!(stage.opened.len(), 3);
    let backup = |number, backup| Says { guamis: vec![(guami(1, number), Some(backup))], ..says(number) };
    let answers = [
        backup(0, "amf-1"),
        Says { slices: vec![1, 2], ..backup(1, "another") },
        Says { capacity: 99, ..says(2) },
    ];
    for (number, says) in (0..).zip(&answers) {
        stage.silent();
        let amf = stage.connect(number);
        assert_eq!(stage.one(amf), Said { stream: 0, bytes: ng_setup(1) });
        stage.say(amf, 0, &says.setup_response());
    }
    let said = stage.one(gnb);
    assert_eq!((said.kind(), said.stream), (SETUP, 0));
    assert_eq!(said.get(ElementType::AmfName), Some(AmfName("pinion".into())));
    let served: Vec<_> = guamis(&said).into_iter().map(|it| (it.guami, it.backup.map(|it| it.0))).collect();
    let another = Some("another".to_string());
    assert_eq!(served, [(guami(1, 0), None), (guami(1, 1), another), (guami(2, 2), None)]);
    assert_eq!(capacity(&said), 255);
    let plmns = said.get::<List<PlmnSupport, 12>>(ElementType::PlmnSupportList).unwrap().0;
    assert_eq!(plmns[0].slices.0.iter().map(|it| it.slice.sst).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(stage.events, [0, 1, 2].map(|number| (name(number), true)));
}

#[test]
fn an_amf_that_does_not_answer_is_not_waited_for() {
    let mut stage = Stage::new(settings(2));
    let (gnb, amf) = stage.ask();
    stage.say(amf, 0, &says(0).setup_response());
    stage.all(amf);
    stage.silent();
    stage.pass(ANSWER);
    let said = stage.one(gnb);
    assert_eq!((said.kind(), guamis(&said).len(), capacity(&said)), (SETUP, 1, 100));
    assert_eq!(stage.closed, [stage.upstream(1)]);
    // It is tried again, and when it is there the gNB hears of it.
    stage.pass(RECONNECT);
    let late = stage.connect(1);
    assert_eq!(stage.one(late).bytes, ng_setup(1));
    stage.say(late, 0, &says(1).setup_response());
    let said = stage.one(gnb);
    assert_eq!(said.kind(), (Procedure::AmfConfigurationUpdate, Outcome::Initiating));
    assert_eq!((guamis(&said).len(), capacity(&said)), (2, 200));
}

#[test]
fn failure_only_if_no_amf_accepts() {
    let mut stage = Stage::new(settings(2));
    let gnb = stage.accept();
    stage.say(gnb, 0, &ng_setup(1));
    for (number, wait) in [(0, TimeToWait::TwentySeconds), (1, TimeToWait::FiveSeconds)] {
        let amf = stage.connect(number);
        stage.all(amf);
        stage.say(amf, 0, &setup_failure(&Cause::UNKNOWN_PLMN, Some(wait)));
    }
    let said = stage.one(gnb);
    assert_eq!((said.kind(), said.cause()), (FAILURE, Some(Cause::UNKNOWN_PLMN)));
    assert_eq!(said.get(ElementType::TimeToWait), Some(TimeToWait::FiveSeconds));

    // Only the AMF whose time is over is asked again, on its association.
    stage.pass(Duration::from_secs(5));
    stage.silent();
    stage.say(gnb, 0, &ng_setup(1));
    let amf = stage.upstream(1);
    assert_eq!(stage.one(amf).bytes, ng_setup(1));
    stage.silent();
    stage.say(amf, 0, &says(1).setup_response());
    assert_eq!(stage.one(gnb).kind(), SETUP);
    stage.pass(Duration::from_secs(14));
    stage.silent();
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.one(stage.upstream(0)).bytes, ng_setup(1));
    assert_eq!((stage.opened.len(), stage.closed.len()), (2, 0));
}

#[test]
fn time_to_wait_outlives_the_gnbs_association() {
    let mut stage = Stage::new(settings(1));
    let (gnb, amf) = stage.ask();
    stage.all(amf);
    stage.say(amf, 0, &setup_failure(&Cause::OVERLOAD, Some(TimeToWait::TenSeconds)));
    assert_eq!(stage.one(gnb).kind(), FAILURE);
    stage.close(gnb);
    assert_eq!(stage.closed, [amf]);
    // However often it comes anew.
    for _ in 0..2 {
        let gnb = stage.accept();
        stage.pass(Duration::from_secs(2));
        stage.say(gnb, 0, &ng_setup(1));
        let said = stage.one(gnb);
        assert_eq!(said.get(ElementType::TimeToWait), Some(TimeToWait::TenSeconds));
        assert_eq!(stage.opened.len(), 1);
        stage.close(gnb);
    }
    let gnb = stage.accept();
    stage.pass(Duration::from_secs(6));
    stage.say(gnb, 0, &ng_setup(1));
    assert_eq!(stage.opened.len(), 2);
}

#[test]
fn an_amf_that_answers_nonsense_refuses() {
    let mut stage = Stage::new(settings(1));
    let (gnb, amf) = stage.ask();
    stage.all(amf);
    stage.say(amf, 0, &message(Outcome::Successful, Procedure::NgSetup, |_| {}));
    assert_eq!(stage.one(amf).cause(), Some(Cause::ABSTRACT_SYNTAX_ERROR));
    assert_eq!(stage.one(gnb).kind(), FAILURE);
}

#[test]
fn ng_setup_again_begins_anew() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    let old = [stage.upstream(0), stage.upstream(1)];
    stage.say(Leg::Gnb(1), 0, &ng_setup(1));
    // Never again on a living upstream.
    assert_eq!(stage.closed, old);
    assert_eq!((stage.opened.len(), stage.front_end.ue_count()), (4, 0));
    for number in [0, 1] {
        let amf = stage.connect(number);
        assert_eq!(stage.one(amf).bytes, ng_setup(1));
        stage.say(amf, 0, &says(number).setup_response());
    }
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), SETUP);
}

#[test]
fn another_association_of_a_gnb_shares_its_upstreams() {
    let mut stage = Stage::set_up(settings(2), 2);
    let other = stage.accept();
    stage.say(other, 0, &joining(1, false));
    assert_eq!(stage.one(other).kind(), (Procedure::RanConfigurationUpdate, Outcome::Successful));
    stage.say(other, 4, &First::with(5, tmsi(1, 1)).bytes());
    assert_eq!(stage.opened.len(), 4);
    let amf = stage.between(1, 1);
    assert_eq!(stage.one(amf).bytes, First::with(5, tmsi(1, 1)).bytes());
    stage.say(amf, 1, &crate::messages::down(9, 5, b"first"));
    let said = stage.one(other);
    assert_eq!(said.stream, 4);
    // When it is gone its UEs go on on the other.
    stage.close(other);
    stage.say(amf, 1, &crate::messages::down(9, 5, b"second"));
    assert_eq!(stage.one(Leg::Gnb(1)).ids(), said.ids());
    stage.close(Leg::Gnb(1));
    assert_eq!(stage.closed, [stage.between(1, 0), stage.between(1, 1)]);
    assert_eq!(stage.front_end.ue_count(), 0);
    let stranger = stage.accept();
    stage.say(stranger, 0, &joining(7, false));
    assert_eq!(stage.one(stranger).kind(), (Procedure::RanConfigurationUpdate, Outcome::Unsuccessful));
}

#[test]
fn an_amf_that_is_added_gets_the_configuration_as_it_is() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    for number in [0, 1] {
        let leg = stage.upstream(number);
        let said = stage.one(leg);
        assert_eq!(said.get(ElementType::SupportedTaList), Some(areas(9)));
        let answer = message(
            if number == 0 { Outcome::Successful } else { Outcome::Unsuccessful },
            Procedure::RanConfigurationUpdate,
            |_| {},
        );
        stage.say(leg, 0, &answer);
    }
    assert_eq!(stage.one(Leg::Gnb(1)).kind(), (Procedure::RanConfigurationUpdate, Outcome::Successful));
    stage.front_end.configure(stage.now, settings(3));
    stage.settle();
    let leg = stage.connect(2);
    let said = stage.one(leg);
    assert_eq!(said.kind(), (Procedure::NgSetup, Outcome::Initiating));
    assert_eq!(said.get(ElementType::SupportedTaList), Some(areas(9)));
    assert_eq!(said.get(ElementType::GlobalRanNodeId), Some(node(1)));
    stage.say(leg, 0, &says(2).setup_response());
    assert_eq!(guamis(&stage.one(Leg::Gnb(1))).len(), 3);
}

#[test]
fn ran_configuration_update_that_no_amf_accepts_fails() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    let failure = message(Outcome::Unsuccessful, Procedure::RanConfigurationUpdate, |it| {
        add(it, ElementType::Cause, &Cause::UNKNOWN_PLMN);
    });
    for number in [0, 1] {
        stage.silent_but(number);
        stage.say(stage.upstream(number), 0, &failure);
    }
    let said = stage.one(Leg::Gnb(1));
    assert_eq!(said.kind(), (Procedure::RanConfigurationUpdate, Outcome::Unsuccessful));
    assert_eq!(said.cause(), Some(Cause::UNKNOWN_PLMN));
}

impl Stage {
    fn silent_but(&mut self, amf: u8) {
        let leg = self.upstream(amf);
        self.one(leg);
        assert!(!self.inbox.contains_key(&Leg::Gnb(1)));
    }
}

#[test]
fn what_comes_before_ng_setup_is_told_so() {
    let mut stage = Stage::new(settings(1));
    let gnb = stage.accept();
    stage.say(gnb, 2, &First::new(1).bytes());
    let said = stage.one(gnb);
    assert_eq!(said.kind(), (Procedure::ErrorIndication, Outcome::Initiating));
    assert_eq!((said.cause(), said.stream), (Some(Cause::NOT_COMPATIBLE), 2));
    // But nobody is told of an error that told us of one.
    stage.say(gnb, 2, &crate::messages::error(UeIds::default(), &Cause::NOT_COMPATIBLE));
    stage.silent();
    stage.front_end.receive(stage.now, gnb, 0, 66, &ng_setup(1));
    stage.settle();
    stage.silent();
    assert_eq!(stage.front_end.counts().other_protocol, 1);
}

#[test]
fn more_gnbs_than_there_may_be_are_refused() {
    let mut bounded = settings(1);
    bounded.bounds.gnbs = 1;
    let mut stage = Stage::set_up(bounded, 1);
    let gnb = stage.accept();
    stage.say(gnb, 0, &ng_setup(2));
    let said = stage.one(gnb);
    assert_eq!((said.kind(), said.cause()), (FAILURE, Some(Cause::OVERLOAD)));
}

#[test]
fn an_amf_that_is_removed_keeps_its_ues_and_goes_with_the_last() {
    let mut stage = Stage::set_up(settings(2), 1);
    let (_, here) = stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    let leg = stage.upstream(0);
    let only = Settings { amfs: vec![amf(1)], ..settings(2) };
    stage.front_end.configure(stage.now, only);
    stage.settle();
    stage.all(Leg::Gnb(1));
    stage.say(Leg::Gnb(1), 0, &First::with(6, tmsi(1, 0)).bytes());
    assert_eq!(stage.reached().0, 1);
    stage.say(leg, 1, &crate::messages::release_command(7, Some(5)));
    stage.all(Leg::Gnb(1));
    stage.say(Leg::Gnb(1), 3, &crate::messages::release_complete(here, 5));
    stage.pass(Duration::from_millis(1));
    assert_eq!(stage.closed, [leg]);
}

#[test]
fn only_gnbs_that_are_admitted_are_served() {
    let admit = |admission| Settings { admission, ..settings(1) };
    let none = Admission::default;
    let cases = [
        (Admission { nodes: vec![node(1)], ..none() }, [true, false]),
        (Admission { plmns: vec![PLMN], tacs: vec![[0, 0, 1]], ..none() }, [true, true]),
        (Admission { plmns: vec![[9, 9, 9]], ..none() }, [false, false]),
        (Admission { tacs: vec![[0, 0, 2], [0, 0, 3]], ..none() }, [false, false]),
    ];
    for (admission, served) in cases {
        let mut stage = Stage::new(admit(admission.clone()));
        for (number, served) in (1..).zip(served) {
            let gnb = stage.accept();
            stage.say(gnb, 0, &ng_setup(number));
            let refusals = stage.all(gnb);
            assert_eq!(refusals.is_empty(), served, "{admission:?} {number}");
            assert!(refusals.iter().all(|said| said.kind() == FAILURE));
        }
        assert_eq!(stage.opened.len(), served.iter().filter(|it| **it).count());
    }
}

#[test]
fn every_address_of_an_association_is_of_a_known_prefix() {
    let prefixes = vec![([192, 0, 2, 0].into(), 25), ("2001:db8:1::".parse().unwrap(), 48)];
    let mut bounded =
        Stage::new(Settings { admission: Admission { prefixes, ..Admission::default() }, ..settings(1) });
    let cases: [(&[&str], bool); 6] = [
        (&["192.0.2.127"], true),
        (&["192.0.2.128"], false),
        (&["192.0.2.1", "2001:db8:1:ffff::1"], true),
        (&["192.0.2.1", "2001:db8:2::1"], false),
        (&["198.51.100.1", "192.0.2.1"], false),
        (&[], false),
    ];
    let mut open = Stage::new(settings(1));
    for (addresses, admitted) in cases {
        let addresses: Vec<_> = addresses.iter().map(|it| it.parse().unwrap()).collect();
        assert_eq!(bounded.front_end.admits(&addresses), admitted, "{addresses:?}");
        assert!(open.front_end.admits(&addresses));
    }
    assert_eq!((bounded.front_end.counts().foreign, open.front_end.counts().foreign), (4, 0));
}

#[test]
fn a_gnb_does_not_move_to_where_it_would_not_be_admitted() {
    let admission = Admission { tacs: vec![[0, 0, 1]], ..Admission::default() };
    let mut stage = Stage::set_up(Settings { admission, ..settings(1) }, 1);
    stage.say(Leg::Gnb(1), 0, &joining(1, true));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!(said.kind(), (Procedure::RanConfigurationUpdate, Outcome::Unsuccessful));
    assert_eq!(said.cause(), Some(Cause::UNKNOWN_PLMN));
    stage.silent();
}

/// The contexts are gone with the gNB's upstreams (8.7.1.2).
#[test]
fn ue_retention_is_not_asked_for() {
    let mut stage = Stage::new(settings(1));
    let gnb = stage.accept();
    let retaining = initiating(Procedure::NgSetup, |it| {
        add(it, ElementType::GlobalRanNodeId, &node(1));
        add(it, ElementType::SupportedTaList, &areas(1));
        let kind = ElementType::UeRetentionInformation;
        it.element(kind, Criticality::Ignore, |it| it.octets(&[0]));
        it.element(ElementType::DefaultPagingDrx, Criticality::Ignore, |it| it.octets(&[0x40]));
    });
    stage.say(gnb, 0, &retaining);
    let amf = stage.connect(0);
    assert_eq!(stage.one(amf).bytes, ng_setup(1));
}

#[test]
fn more_associations_than_all_gnbs_may_have_are_closed() {
    let mut bounded = settings(1);
    (bounded.bounds.gnbs, bounded.bounds.associations) = (1, 2);
    let mut stage = Stage::new(bounded);
    let [one, two, three] = [stage.accept(), stage.accept(), stage.accept()];
    stage.settle();
    assert_eq!(stage.closed, [three]);
    stage.close(one);
    let four = stage.accept();
    stage.settle();
    assert_eq!(stage.closed, [three]);
    for leg in [two, four] {
        stage.say(leg, 0, &First::new(1).bytes());
        assert_eq!(stage.one(leg).cause(), Some(Cause::NOT_COMPATIBLE));
    }
}

/// Whoever it is that took no part in the answer.
#[test]
fn no_gnb_hears_of_a_member_of_the_pool_as_backup() {
    let mut stage = Stage::set_up(settings(2), 1);
    let gnb = stage.accept();
    stage.say(gnb, 0, &ng_setup(2));
    let backup = Says { guamis: vec![(guami(1, 0), Some("amf-1"))], ..says(0) };
    for (number, answer) in [(0, backup.setup_response()), (1, setup_failure(&Cause::UNKNOWN_PLMN, None))] {
        let amf = stage.connect(number);
        stage.say(amf, 0, &answer);
    }
    assert_eq!(guamis(&stage.one(gnb))[0].backup, None);
}
