//! Overload Start and Stop (8.7.7, 8.7.8).

use bytes::Bytes;
use pinion_n2::{Amf, Leg, Settings};
use pinion_protocols::ngap::value::{
    List, OverloadAction, OverloadResponse, RrcEstablishmentCause, Slice, SliceOverload, SliceOverloadList,
    TrafficLoadReduction,
};
use pinion_protocols::ngap::{ElementType, Outcome, Procedure};

use crate::messages::{First, add, initiating, tmsi};
use crate::stage::{Stage, amf, settings};

fn start(action: Option<OverloadAction>, percent: Option<u8>, slices: &[u8]) -> Bytes {
    initiating(Procedure::OverloadStart, |it| {
        if let Some(action) = action {
            add(it, ElementType::AmfOverloadResponse, &OverloadResponse::Action(action));
        }
        if let Some(percent) = percent {
            add(it, ElementType::TrafficLoadReduction, &TrafficLoadReduction(percent));
        }
        let item = SliceOverload {
            slices: List(slices.iter().map(|&sst| Slice { sst, sd: None }.into()).collect()),
            response: None,
            reduction: None,
            extensions: Default::default(),
        };
        if !slices.is_empty() {
            let list: SliceOverloadList = List(vec![item]);
            add(it, ElementType::OverloadStartNssaiList, &list);
        }
    })
}

fn stop() -> Bytes {
    initiating(Procedure::OverloadStop, |_| {})
}

/// How many of 400 UEs of AMF 0 it gets, that come for a cause.
fn stay(stage: &mut Stage, cause: RrcEstablishmentCause) -> u32 {
    let mut own = 0;
    for _ in 0..400 {
        let ran = u32::try_from(stage.front_end.counts().pinned).unwrap();
        stage.say(Leg::Gnb(1), 1, &First { cause, ..First::with(ran, tmsi(1, 0)) }.bytes());
        own += u32::from(stage.reached().0 == 0);
    }
    own
}

#[test]
fn initial_messages_are_steered_away_by_cause_and_percentage() {
    use OverloadAction::{EmergencyAndMobileTerminated, RejectMobileOriginatedData, RejectSignalling};
    use RrcEstablishmentCause::{Emergency, MoData, MoSignalling, MtAccess};
    let mut stage = Stage::set_up(settings(2), 1);
    let amf = stage.upstream(0);
    stage.say(amf, 0, &start(Some(RejectMobileOriginatedData), None, &[]));
    stage.silent();
    assert_eq!((stay(&mut stage, MoData), stay(&mut stage, MoSignalling)), (0, 400));
    assert_eq!(stage.front_end.counts().steered, 400);
    // A later one replaces it.
    stage.say(amf, 0, &start(Some(RejectSignalling), Some(25), &[]));
    let left = stay(&mut stage, MoSignalling);
    assert!((260..=340).contains(&left), "{left}");
    stage.say(amf, 0, &start(Some(EmergencyAndMobileTerminated), None, &[]));
    let causes = [(MoSignalling, 0), (Emergency, 400), (MtAccess, 400)];
    for (cause, count) in causes {
        assert_eq!(stay(&mut stage, cause), count, "{cause}");
    }
    stage.say(amf, 0, &stop());
    stage.silent();
    assert_eq!(stay(&mut stage, MoData), 400);
}

#[test]
fn the_gnb_is_told_only_when_no_amf_can_take_it() {
    let mut stage = Stage::set_up(settings(2), 1);
    let amfs = [stage.upstream(0), stage.upstream(1)];
    stage.say(amfs[0], 0, &start(Some(OverloadAction::RejectSignalling), Some(80), &[1, 2]));
    stage.silent();
    stage.say(amfs[1], 0, &start(Some(OverloadAction::RejectMobileOriginatedData), Some(40), &[2, 3]));
    let said = stage.one(Leg::Gnb(1));
    assert_eq!(said.kind(), (Procedure::OverloadStart, Outcome::Initiating));
    let milder = OverloadResponse::Action(OverloadAction::RejectMobileOriginatedData);
    assert_eq!(said.get(ElementType::AmfOverloadResponse), Some(milder));
    assert_eq!(said.get(ElementType::TrafficLoadReduction), Some(TrafficLoadReduction(40)));
    // A slice only when every AMF reports it.
    let list: SliceOverloadList = said.get(ElementType::OverloadStartNssaiList).unwrap();
    let slices: Vec<_> = list.0.iter().flat_map(|it| &it.slices.0).map(|it| it.slice.sst).collect();
    assert_eq!(slices, [2]);
    // It still gets what comes all the same.
    assert_eq!(stay(&mut stage, RrcEstablishmentCause::Emergency), 400);
    stage.say(amfs[1], 0, &stop());
    assert_eq!(stage.one(Leg::Gnb(1)).kind().0, Procedure::OverloadStop);
}

#[test]
fn the_gnb_is_told_when_no_other_amf_takes_any_more() {
    let mut stage = Stage::set_up(settings(2), 1);
    stage.say(stage.upstream(0), 0, &start(Some(OverloadAction::RejectSignalling), None, &[]));
    stage.silent();
    let drained = vec![amf(0), Amf { drained: true, ..amf(1) }];
    stage.front_end.configure(stage.now, Settings { amfs: drained, ..settings(2) });
    stage.settle();
    let told = stage.all(Leg::Gnb(1)).iter().any(|said| said.kind().0 == Procedure::OverloadStart);
    assert!(told);
}
