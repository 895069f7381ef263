//! Messages of a living exchange, damaged: nothing panics, nothing grows, and UEs that are not their sender's stay as they were.

use bytes::Bytes;
use pinion_exchange::damage::Dice;
use pinion_n2::{Bounds, Leg, Settings, UeView};
use pinion_protocols::ngap::value::{
    AmfSetId, AmfUeNgapId, Cause, List, NgapMessage, OverloadAction, OverloadResponse, RanUeNgapId, ResetType,
    RoutingId,
};
use pinion_protocols::ngap::{ElementType, Outcome, Procedure};

use crate::messages::{
    First, about, add, areas, connections, down, error, ids, initiating, message, ng_setup, node, release_command,
    release_complete, reset, reset_acknowledge, tmsi, up,
};
use crate::stage::{Stage, says, settings};

/// How many UEs there may be.
const UES: u32 = 20;

/// The gNB whose UEs are to stay as they are: no damage makes its Global RAN Node ID of another.
const BYSTANDER: u32 = 0x5a_5a5a;

/// What gNB 1 might say next of a UE that it knows as `here`.
fn of_gnb(which: u8, here: u64, ran: u32) -> Bytes {
    let done = Outcome::Successful;
    match which % 16 {
        0..=2 => First::with(ran, tmsi(1, which % 2)).bytes(),
        3..=5 => up(here, ran, b"some"),
        6 => release_complete(here, ran),
        7 => error(ids(here, ran), &Cause::UNSPECIFIED),
        8 => reset(&ResetType::Part(List(connections(&[ids(here, ran), ids(99, 99)])))),
        9 => reset(&ResetType::All),
        10 => initiating(Procedure::PathSwitchRequest, |it| {
            add(it, ElementType::RanUeNgapId, &RanUeNgapId(ran + 1));
            add(it, ElementType::SourceAmfUeNgapId, &AmfUeNgapId(here));
        }),
        11 => about(done, Procedure::HandoverResourceAllocation, ids(here, ran), &[]),
        12 => initiating(Procedure::RanConfigurationUpdate, |it| {
            add(it, ElementType::GlobalRanNodeId, &node(1));
            add(it, ElementType::SupportedTaList, &areas(which));
        }),
        13 if which > 128 => ng_setup(1),
        13 => message(done, Procedure::AmfConfigurationUpdate, |_| {}),
        14 => reset_acknowledge(Some(connections(&[ids(here, ran)]))),
        _ => initiating(Procedure::UplinkNonUeAssociatedNrppaTransport, |it| {
            add(it, ElementType::RoutingId, &RoutingId(vec![1, 2].into()));
        }),
    }
}

/// What AMF 0 might say next of a UE that it knows as `id`.
fn of_amf(which: u8, id: u64, ran: u32) -> Bytes {
    match which % 16 {
        0..=4 => down(id, ran, b"some"),
        5 => release_command(id, Some(ran)),
        6 => release_command(id, None),
        7 => error(ids(id, ran), &Cause::UNSPECIFIED),
        8 => reset(&ResetType::Part(List(connections(&[ids(id, ran), ids(99, 99)])))),
        9 => reset(&ResetType::All),
        10 => initiating(Procedure::HandoverResourceAllocation, |it| {
            add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(id + 1));
        }),
        11 => initiating(Procedure::RerouteNasRequest, |it| {
            add(it, ElementType::RanUeNgapId, &RanUeNgapId(ran));
            add(it, ElementType::NgapMessage, &NgapMessage(First::new(ran).bytes().as_ref().into()));
            add(it, ElementType::AmfSetId, &AmfSetId(1));
        }),
        12 => initiating(Procedure::AmfConfigurationUpdate, |it| says(0).elements(it)),
        13 => initiating(Procedure::OverloadStart, |it| {
            let response = OverloadResponse::Action(OverloadAction::RejectSignalling);
            add(it, ElementType::AmfOverloadResponse, &response);
        }),
        14 if which > 128 => says(0).setup_response(),
        14 => reset_acknowledge(None),
        _ => about(Outcome::Successful, Procedure::PathSwitchRequest, ids(id, ran), &[]),
    }
}

/// Damages a message as five numbers say.
fn damage(bytes: &mut Vec<u8>, [how, at, value, length, _]: [u8; 5]) {
    let at = usize::from(at) % bytes.len().max(1);
    let end = (at + 1 + usize::from(length % 12)).min(bytes.len());
    match how % 8 {
        0 => {}
        1 | 2 if !bytes.is_empty() => bytes[at] ^= 1 << (value % 8),
        3 if !bytes.is_empty() => bytes[at] = value,
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at.min(end)..end)),
        6 => {
            let again = bytes[at.min(end)..end].to_vec();
            bytes.splice(at..at, again);
        }
        _ => bytes.insert(at.min(bytes.len()), value),
    }
}

/// gNB 1 and another, with AMFs 0 and 1 of a set; each AMF has a UE at each gNB.
fn begun() -> (Stage, Leg) {
    let bounds = Bounds { gnbs: 3, associations: 2, ues: UES, messages: None, remembered: 4 };
    let mut stage = Stage::set_up(Settings { bounds, ..settings(2) }, 1);
    let other = stage.accept();
    stage.say(other, 0, &ng_setup(BYSTANDER));
    for amf in [0, 1] {
        let leg = stage.connect(amf);
        stage.say(leg, 0, &says(amf).setup_response());
    }
    stage.inbox.clear();
    for gnb in [1, 2] {
        stage.come(gnb, &First::with(5, tmsi(1, 0)), gnb);
        stage.come(gnb, &First::with(6, tmsi(1, 1)), gnb + 10);
    }
    (stage, other)
}

/// The UEs that are none of the sender's: those of the other gNB, and those of another AMF where an AMF sends.
fn others(stage: &Stage, by_amf: bool) -> Vec<UeView> {
    let is = |ue: &UeView| ue.node == node(BYSTANDER) || by_amf && ue.amf == crate::stage::name(1);
    stage.front_end.ues(None).filter(is).collect()
}

fn exchange(numbers: &[u8]) {
    for by_amf in [false, true] {
        let (mut stage, other) = begun();
        let before = others(&stage, by_amf);
        assert_eq!(before.len(), if by_amf { 3 } else { 2 });
        for step in numbers.chunks_exact(7) {
            let [which, whose, damages @ ..] = *<&[u8; 7]>::try_from(step).unwrap();
            let known = |ue: &UeView| (ue.ran, ue.ids);
            let all: Vec<_> =
                stage.front_end.ues(None).filter(|ue| ue.node == node(1)).map(|ue| known(&ue)).collect();
            let (ran, it) = all.get(usize::from(whose) % (all.len() + 1)).copied().unwrap_or((None, None));
            let (ran, (id, here)) = (ran.unwrap_or(u32::from(whose)), it.unwrap_or((7, 7)));
            let (leg, bytes) = match by_amf {
                true => (stage.between(1, 0), of_amf(which, id, ran)),
                false => (Leg::Gnb(1), of_gnb(which, here, ran)),
            };
            let mut bytes = bytes.to_vec();
            damage(&mut bytes, damages);
            stage.say(leg, u16::from(damages[4] % 5), &bytes.into());
            assert_eq!(stage.all(other), [], "the other gNB is told nothing");
            stage.inbox.clear();
        }
        assert!(stage.front_end.ue_count() <= UES as usize);
        let after = others(&stage, by_amf);
        // An AMF may send UEs on to another one, and a gNB's own may come and go.
        let kept = |ue: &UeView| after.contains(ue);
        assert!(before.iter().all(kept), "{before:?} {after:?}");
        for ue in before {
            let (id, here) = ue.ids.unwrap();
            let amf = u8::from(ue.amf == crate::stage::name(1));
            let gnb = if ue.node == node(1) { 1 } else { 2 };
            stage.say(stage.between(gnb, amf), 1, &down(id, ue.ran.unwrap(), b"still"));
            assert_eq!(stage.one(Leg::Gnb(gnb as u64)).bytes, down(here, ue.ran.unwrap(), b"still"));
            stage.say(Leg::Gnb(gnb as u64), 1, &up(here, ue.ran.unwrap(), b"still"));
            assert_eq!(stage.one(stage.between(gnb, amf)).bytes, up(id, ue.ran.unwrap(), b"still"));
        }
    }
}

#[test]
fn damaged_messages_harm_nobody_else() {
    bolero::check!().for_each(exchange);
}

/// `PINION_N2_MUTATIONS`: how many; 40,000 where it is not said.
#[test]
fn many_damaged_messages_harm_nobody_else() {
    let count = std::env::var("PINION_N2_MUTATIONS").ok().and_then(|it| it.parse().ok()).unwrap_or(40_000_u64);
    for seed in 0..count.div_ceil(200) {
        let mut dice = Dice::new(seed);
        let numbers: Vec<u8> = (0..100 * 7).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
        exchange(&numbers);
    }
}

#[test]
fn any_bytes_of_a_stranger_end() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let mut stage = Stage::new(settings(2));
        let gnb = stage.accept();
        stage.say(gnb, 0, &Bytes::copy_from_slice(bytes));
        stage.say(gnb, 0, &ng_setup(1));
        let amf = stage.connect(0);
        stage.say(amf, 0, &Bytes::copy_from_slice(bytes));
        stage.pass(crate::stage::ANSWER);
    });
}
