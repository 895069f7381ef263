//! Which AMF an initial message goes to (8.6.1).

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use pinion_n2::{Amf, Leg, Settings};
use pinion_protocols::ngap::value::{AmfSetId, Cause, NgapMessage, RanUeNgapId};
use pinion_protocols::ngap::{ElementType, Outcome, Procedure};

use crate::messages::{First, Says, add, down, guami, ids, initiating, registration, tmsi, up};
use crate::stage::{Stage, amf, says, settings};

/// Where so many initial messages go.
fn spread(stage: &mut Stage, first: &First, count: u32) -> BTreeMap<u8, u32> {
    let mut reached = BTreeMap::new();
    for _ in 0..count {
        let ran = 1_000 + u32::try_from(stage.front_end.counts().pinned).unwrap();
        let first = First { ran, ..first.clone() };
        stage.say(Leg::Gnb(1), 1, &first.bytes());
        *reached.entry(stage.reached().0).or_default() += 1;
    }
    reached
}

fn only(amf: u8, count: u32) -> BTreeMap<u8, u32> {
    BTreeMap::from([(amf, count)])
}

#[test]
fn the_owner_of_the_identity_gets_it() {
    let mut stage = Stage::set_up(settings(4), 1);
    for number in 0..4 {
        let first = First::with(0, tmsi(1 + u16::from(number) / 2, number));
        assert_eq!(spread(&mut stage, &first, 20), only(number, 20));
        // Without 5G-S-TMSI it is in the registration request, in the clear.
        let nas = registration(guami(1 + u16::from(number) / 2, number));
        assert_eq!(spread(&mut stage, &First { nas, ..First::new(0) }, 20), only(number, 20));
    }
    // Or in a service request (TS 24.501 8.2.16), which has it as 5G-S-TMSI: AMF Set ID 2, AMF Pointer 2.
    let nas = b"\x7e\x00\x4c\x02\x00\x07\xf4\x00\x82\xc0\xff\xee\x01".to_vec();
    assert_eq!(spread(&mut stage, &First { nas, ..First::new(0) }, 20), only(2, 20));
}

#[test]
fn without_its_owner_another_of_the_set_does() {
    let mut stage = Stage::set_up(settings(4), 1);
    stage.close(stage.upstream(2));
    stage.all(Leg::Gnb(1));
    assert_eq!(spread(&mut stage, &First::with(0, tmsi(2, 2)), 20), only(3, 20));
    // One of an AMF that nobody knows, but of a set that is known.
    let unknown = spread(&mut stage, &First::with(0, tmsi(1, 60)), 200);
    assert_eq!(unknown.keys().collect::<Vec<_>>(), [&0, &1]);
}

#[test]
fn others_are_shared_out_by_capacity() {
    let amfs: Vec<_> = [(0, 30), (1, 60), (2, 0)].map(|(n, capacity)| Says { capacity, ..says(n) }).into();
    let mut stage = Stage::set_up_with(settings(3), 1, &amfs);
    let reached = spread(&mut stage, &First::new(0), 3_000);
    assert!((900..=1_100).contains(&reached[&0]), "{reached:?}");
    // Weight 0 takes no initial message, of nobody.
    assert_eq!(reached.get(&2), None);
    let reached = spread(&mut stage, &First::with(0, tmsi(2, 2)), 100);
    assert_eq!(reached.get(&2), None);
}

#[test]
fn a_drained_amf_keeps_its_ues_and_gets_no_more() {
    let mut stage = Stage::set_up(settings(2), 1);
    let (_, here) = stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    let drained = vec![Amf { drained: true, ..amf(0) }, amf(1)];
    stage.front_end.configure(stage.now, Settings { amfs: drained, ..settings(2) });
    stage.settle();
    stage.all(Leg::Gnb(1));
    assert_eq!(spread(&mut stage, &First::with(0, tmsi(1, 0)), 20), only(1, 20));
    stage.say(Leg::Gnb(1), 3, &up(here, 5, b"more"));
    assert_eq!(stage.reached().0, 0);
}

#[test]
fn without_any_amf_the_gnb_is_told() {
    let mut stage = Stage::set_up(settings(1), 1);
    stage.close(stage.upstream(0));
    stage.say(Leg::Gnb(1), 6, &First::new(3).bytes());
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind().0, said.stream), (Procedure::ErrorIndication, 6));
    assert_eq!((said.ids().amf, said.ids().ran), (None, Some(3)));
    assert_eq!(stage.front_end.ue_count(), 0);
}

#[test]
fn more_ues_than_there_may_be_are_refused() {
    let mut bounded = settings(1);
    bounded.bounds.ues = 2;
    let mut stage = Stage::set_up(bounded, 1);
    spread(&mut stage, &First::new(0), 2);
    stage.say(Leg::Gnb(1), 6, &First::new(3).bytes());
    assert_eq!(stage.one(Leg::Gnb(1)).kind().0, Procedure::ErrorIndication);
    assert_eq!((stage.front_end.ue_count(), stage.front_end.counts().refused), (2, 1));
}

/// New UEs of a gNB that sends too much are turned away, UEs that are there and other gNBs feel nothing.
#[test]
fn a_gnb_that_sends_too_much_gets_no_new_ues() {
    let mut bounded = settings(1);
    bounded.bounds.messages = NonZeroU32::new(4);
    let mut stage = Stage::set_up(bounded, 2);
    let (_, here) = stage.come(1, &First::new(5), 7);
    for _ in 0..9 {
        stage.say(Leg::Gnb(1), 3, &up(here, 5, b"more"));
        stage.reached();
    }
    stage.say(Leg::Gnb(1), 6, &First::new(6).bytes());
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind().0, said.stream, said.cause()), (Procedure::ErrorIndication, 6, Some(Cause::OVERLOAD)));
    assert_eq!((said.ids().amf, said.ids().ran), (None, Some(6)));
    stage.silent();
    stage.say(Leg::Gnb(2), 6, &First::new(6).bytes());
    stage.reached();
    assert_eq!((stage.front_end.ue_count(), stage.front_end.counts().throttled), (2, 1));
    stage.pass(Duration::from_millis(250));
    stage.say(Leg::Gnb(1), 6, &First::new(6).bytes());
    stage.reached();
    assert_eq!(stage.front_end.ue_count(), 3);
}

#[test]
fn a_number_that_a_gnb_gives_again_is_another_ue() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.come(1, &First::with(5, tmsi(1, 0)), 7);
    stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 1)).bytes());
    // The AMF that had it hears of it.
    let said = stage.one(stage.upstream(0));
    assert_eq!((said.kind().0, said.ids()), (Procedure::ErrorIndication, ids(7, 5)));
    assert_eq!(stage.reached().0, 1);
    assert_eq!(stage.front_end.ue_count(), 1);
}

#[test]
fn first_downlink_of_another_amf_of_the_set_moves_the_ue() {
    let mut stage = Stage::set_up(settings(4), 1);
    stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 0)).bytes());
    assert_eq!(stage.reached().0, 0);
    stage.say(stage.upstream(1), 2, &down(7, 5, b"first"));
    let said = stage.one(Leg::Gnb(1));
    stage.say(Leg::Gnb(1), 3, &up(said.ids().amf.unwrap(), 5, b"answer"));
    let (amf, said) = stage.reached();
    assert_eq!((amf, said.ids()), (1, ids(7, 5)));
    // Of another set it is a mistake, and harms nobody.
    stage.say(Leg::Gnb(1), 3, &First::with(6, tmsi(1, 0)).bytes());
    stage.all(stage.upstream(0));
    let stranger = stage.upstream(2);
    stage.say(stranger, 2, &down(7, 6, b"first"));
    assert_eq!(stage.one(stranger).cause(), Some(Cause::UNKNOWN_LOCAL_ID));
    stage.silent();
    assert_eq!(stage.front_end.ue_count(), 2);
}

#[test]
fn reroute_nas_request_goes_to_the_set_that_it_names() {
    let mut stage = Stage::set_up(settings(4), 1);
    let first = First::with(5, tmsi(1, 0));
    stage.say(Leg::Gnb(1), 3, &first.bytes());
    let initial = stage.reached().1.bytes;
    let reroute = reroute(&initial, 2);
    stage.say(stage.upstream(0), 1, &reroute);
    let (amf, said) = stage.reached();
    assert!([2, 3].contains(&amf));
    assert_eq!(said.kind(), (Procedure::InitialUeMessage, Outcome::Initiating));
    assert_eq!((said.ids().ran, said.get(ElementType::AmfSetId)), (Some(5), Some(AmfSetId(2))));
    assert_eq!(said.get(ElementType::FiveGSTmsi), first.tmsi);
    stage.say(stage.upstream(amf), 1, &down(7, 5, b"first"));
    let here = stage.one(Leg::Gnb(1)).ids().amf.unwrap();
    stage.say(Leg::Gnb(1), 3, &up(here, 5, b"answer"));
    assert_eq!(stage.reached().0, amf);
    // Who sent it on has nothing more to say about it.
    stage.say(stage.upstream(0), 1, &reroute);
    let said = stage.one(stage.upstream(0));
    assert_eq!((said.kind().0, said.cause()), (Procedure::ErrorIndication, Some(Cause::UNKNOWN_LOCAL_ID)));
}

/// To whom it did not ask for it would be sent back, and so on.
#[test]
fn reroute_nas_request_goes_to_no_other_set() {
    let mut stage = Stage::set_up(settings(4), 1);
    stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 0)).bytes());
    let initial = stage.reached().1.bytes;
    stage.say(stage.upstream(0), 1, &reroute(&initial, 9));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind().0, said.ids().ran), (Procedure::ErrorIndication, Some(5)));
    stage.silent();
    assert_eq!((stage.front_end.ue_count(), stage.front_end.counts().refused), (0, 1));
}

/// Each of two AMFs says that the other one's set is right.
#[test]
fn amfs_that_reroute_to_each_other_are_stopped() {
    let mut stage = Stage::set_up(settings(4), 1);
    stage.say(Leg::Gnb(1), 3, &First::with(5, tmsi(1, 0)).bytes());
    let (mut amf, mut said) = stage.reached();
    for sent_on in 0.. {
        let set = if amf < 2 { 2 } else { 1 };
        stage.say(stage.upstream(amf), 1, &reroute(&said.bytes, set));
        if stage.inbox.contains_key(&Leg::Gnb(1)) {
            assert_eq!(sent_on, 4);
            break;
        }
        (amf, said) = stage.reached();
        assert_eq!(said.get(ElementType::AmfSetId), Some(AmfSetId(set)));
    }
    let said = stage.one(Leg::Gnb(1));
    assert_eq!((said.kind().0, said.ids().ran), (Procedure::ErrorIndication, Some(5)));
    stage.silent();
    let counts = stage.front_end.counts();
    assert_eq!((stage.front_end.ue_count(), counts.rerouted, counts.refused), (0, 4, 1));
}

fn reroute(initial: &[u8], set: u16) -> bytes::Bytes {
    initiating(Procedure::RerouteNasRequest, |it| {
        add(it, ElementType::RanUeNgapId, &RanUeNgapId(5));
        add(it, ElementType::NgapMessage, &NgapMessage(initial.into()));
        add(it, ElementType::AmfSetId, &AmfSetId(set));
    })
}
