//! What UEs begin, and what gNBs send of it.

use bytes::Bytes;
use pinion_protocols::ngap::value::{AmfUeNgapId, RanUeNgapId};
use pinion_protocols::ngap::{Criticality, ElementType, Outcome, Procedure};

use super::{Fate, Radio, State};
use crate::n2::messages::{First, about, add, ids, initiating};
use crate::n2::payload::{Asks, Payload};
use crate::n2::{Sent, below, stream};

impl Radio {
    /// A UE begins something, by chance, unless something is under way. The number of its AMF, where that is to page it.
    pub(in crate::n2) fn begin(&mut self, ue: u32) -> Option<u8> {
        let it = self.ue(ue).filter(|ue| !ue.busy)?;
        let (state, guti) = (it.state, it.guti);
        match (state, below(&mut self.random, 12), guti) {
            (State::Gone, ..) => self.initial(ue, Asks::Registration),
            (State::Idle, 0..=3, Some(guti)) => return Some(guti.pointer),
            (State::Idle, dice, _) => {
                if dice > 9 {
                    // It moved meanwhile.
                    let gnb = self.ue(ue)?.gnb;
                    let other = self.other_gnb(gnb);
                    self.ue(ue)?.gnb = other;
                }
                self.initial(ue, Asks::Service);
            }
            (State::Connected, 0..=4, _) => self.talk(ue),
            (State::Connected, 5..=6, _) => self.path_switch(ue),
            (State::Connected, 7..=8, _) => self.ask(ue, Procedure::HandoverPreparation, Asks::Nothing),
            (State::Connected, 9, _) => self.leave(ue),
            (State::Connected, ..) => self.ask(ue, Procedure::UeContextReleaseRequest, Asks::Nothing),
        }
        None
    }

    /// A UE that is connected falls idle.
    pub(in crate::n2) fn rest(&mut self, ue: u32) {
        if self.ue(ue).is_some_and(|ue| ue.state == State::Connected && !ue.busy) {
            self.ask(ue, Procedure::UeContextReleaseRequest, Asks::Nothing);
        }
    }

    /// A UE connects that waits for nothing and is switched off, or has its identity of an AMF that is dead.
    pub(in crate::n2) fn come_back(&mut self, ue: u32, is_dead: impl Fn(u8) -> bool) {
        let Some(it) = self.ue(ue).filter(|ue| !ue.busy) else { return };
        match (it.state, it.guti) {
            (State::Gone, _) => self.initial(ue, Asks::Registration),
            (State::Idle, Some(guti)) if is_dead(guti.pointer) => self.initial(ue, Asks::Service),
            _ => {}
        }
    }

    /// A UE connects: Initial UE Message.
    pub(super) fn initial(&mut self, ue: u32, asks: Asks) {
        let Some(it) = self.ue(ue) else { return };
        it.life = it.life.saturating_add(1);
        (it.target, it.leaves) = (None, false);
        let (life, gnb, tmsi) = (it.life, it.gnb, it.guti);
        let Some(ran) = self.arrive(gnb, ue, life) else { return };
        if let Some(it) = self.ue(ue) {
            it.ran = ran;
        }
        self.occupy(ue);
        let Some(nas) = self.next(gnb, ran, asks) else { return };
        self.put(gnb, ran, First { nas, tmsi, ..First::new(ran) }.bytes());
    }

    /// Some messages, one right behind the other.
    fn talk(&mut self, ue: u32) {
        let more = below(&mut self.random, 3);
        let nas = Procedure::UplinkNasTransport;
        for _ in 0..more {
            self.ask(ue, nas, Asks::Answer);
        }
        self.ask(ue, nas, Asks::Last);
    }

    fn leave(&mut self, ue: u32) {
        if let Some(it) = self.ue(ue) {
            it.leaves = true;
        }
        self.ask(ue, Procedure::UplinkNasTransport, Asks::Leave);
    }

    /// It moves to another gNB over Xn (TS 38.413 8.4.4).
    fn path_switch(&mut self, ue: u32) {
        let Some((before, ran, life)) = self.ue(ue).map(|it| (it.gnb, it.ran, it.life)) else { return };
        let gnb = self.other_gnb(before);
        let Some(context) = self.context(before, ran) else { return };
        let Some(source) = context.id.filter(|_| gnb != before) else { return };
        context.fate = Fate::Left;
        let amf = context.amf;
        let Some(ran) = self.arrive(gnb, ue, life) else { return };
        if let Some(it) = self.ue(ue) {
            (it.gnb, it.ran) = (gnb, ran);
        }
        if let Some(context) = self.context(gnb, ran) {
            context.amf = amf;
        }
        self.occupy(ue);
        let Some(nas) = self.next(gnb, ran, Asks::Nothing) else { return };
        let request = initiating(Procedure::PathSwitchRequest, |it| {
            add(it, ElementType::RanUeNgapId, &RanUeNgapId(ran));
            add(it, ElementType::SourceAmfUeNgapId, &AmfUeNgapId(source));
            it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(&nas));
        });
        self.put(gnb, ran, request);
    }

    /// A UE's gNB begins a procedure.
    fn ask(&mut self, ue: u32, procedure: Procedure, asks: Asks) {
        let Some((gnb, ran)) = self.ue(ue).map(|it| (it.gnb, it.ran)) else { return };
        self.occupy(ue);
        self.say(gnb, ran, Outcome::Initiating, procedure, asks);
    }

    /// A gNB sends what is about a UE.
    pub(super) fn say(&mut self, gnb: usize, ran: u32, outcome: Outcome, procedure: Procedure, asks: Asks) {
        let Some(id) = self.context(gnb, ran).and_then(|context| context.id) else { return };
        let Some(nas) = self.next(gnb, ran, asks) else { return };
        self.put(gnb, ran, about(outcome, procedure, ids(id, ran), &nas));
    }

    /// What the next message about a UE carries.
    fn next(&mut self, gnb: usize, ran: u32, asks: Asks) -> Option<Vec<u8>> {
        let mark = self.mark;
        let leg = &mut self.context(gnb, ran)?.leg;
        let (ue, life, number) = (leg.ue, leg.life, leg.next());
        Some(Payload { ue, life, number, up: true, asks, mark }.encode())
    }

    fn put(&mut self, gnb: usize, ran: u32, bytes: Bytes) {
        let streams = self.gnbs.get(gnb).and_then(|gnb| gnb.streams).unwrap_or(1);
        self.outputs.push_back((gnb, Sent { stream: stream(streams, ran.into()), bytes }));
    }
}
