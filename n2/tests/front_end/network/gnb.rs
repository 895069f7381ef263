//! The gNBs, and what UEs begin.

use bytes::Bytes;
use pinion_n2::Leg;
use pinion_protocols::ngap::value::{AmfUeNgapId, ResetType, UePagingIdentity};
use pinion_protocols::ngap::{ElementType, FiveGSTmsi, Message, Outcome, Procedure};

use super::wire::Queue;
use super::{GNBS, Network, State, ids_of, kind_of};
use crate::messages::{First, about, add, ids, initiating, message, reset_acknowledge};

const UP: usize = 0;
const DOWN: usize = 1;

impl Network {
    /// A UE begins something, unless something is under way.
    pub(super) fn begin(&mut self, ue: usize) {
        let it = &self.ues[ue];
        if it.busy {
            return;
        }
        let dice = self.dice.below(8);
        match (it.state, dice) {
            (State::Gone, _) => {
                self.ues[ue].owner = None;
                self.initial(ue);
            }
            (State::Idle, 0..=4) => {
                if dice == 0 {
                    self.ues[ue].gnb = self.dice.below(GNBS);
                }
                self.initial(ue);
            }
            (State::Idle, _) => self.page(ue),
            (State::Connected, 0..=2) => self.talk(ue),
            (State::Connected, 3) => self.switch(ue),
            (State::Connected, 4) => {
                self.ues[ue].busy = true;
                self.up(ue, Outcome::Initiating, Procedure::HandoverPreparation);
            }
            (State::Connected, _) => {
                // It leaves, or falls idle: its AMF decides.
                self.ues[ue].busy = true;
                self.up(ue, Outcome::Initiating, Procedure::UeContextReleaseRequest);
            }
        }
    }

    /// The stream that a gNB uses for a UE.
    fn stream(ran: u32) -> u16 {
        1 + (ran % 11) as u16
    }

    fn initial(&mut self, ue: usize) {
        self.next_ran += 1;
        let ran = self.next_ran;
        let it = &mut self.ues[ue];
        it.epoch += 1;
        (it.busy, it.ran, it.here, it.sent, it.got) = (true, ran, None, [0; 2], [0; 2]);
        it.streams = [None; 2];
        let gnb = it.gnb;
        let tmsi = it.owner.map(|owner| FiveGSTmsi {
            set: 1 + owner as u16 / 2,
            pointer: owner as u8,
            tmsi: (ue as u32).to_be_bytes(),
        });
        self.by_ran[gnb].insert(ran, ue);
        let nas = self.send(ue, UP);
        let bytes = First { nas, tmsi, ..First::new(ran) }.bytes();
        self.put(gnb, ran, bytes);
    }

    fn put(&mut self, gnb: usize, ran: u32, bytes: Bytes) {
        self.wire.put(Queue::Up(Leg::Gnb(gnb as u64), Self::stream(ran)), bytes);
    }

    /// Its gNB sends a message about it.
    fn up(&mut self, ue: usize, outcome: Outcome, procedure: Procedure) {
        let rest = self.send(ue, UP);
        let it = &self.ues[ue];
        let (gnb, ran) = (it.gnb, it.ran);
        let bytes = about(outcome, procedure, ids(it.here.unwrap(), ran), &rest);
        self.put(gnb, ran, bytes);
    }

    /// Some messages, one right behind the other.
    fn talk(&mut self, ue: usize) {
        self.ues[ue].busy = true;
        for _ in 0..=self.dice.below(3) {
            self.up(ue, Outcome::Initiating, Procedure::UplinkNasTransport);
        }
    }

    /// It moves to another gNB over Xn.
    fn switch(&mut self, ue: usize) {
        let gnb = (self.ues[ue].gnb + 1 + self.dice.below(GNBS - 1)) % GNBS;
        self.next_ran += 1;
        let ran = self.next_ran;
        let rest = self.send(ue, UP);
        let it = &mut self.ues[ue];
        (it.busy, it.streams) = (true, [None; 2]);
        self.by_ran[it.gnb].remove(&it.ran);
        let source = it.here.take().unwrap();
        (it.gnb, it.ran) = (gnb, ran);
        self.by_ran[gnb].insert(ran, ue);
        let bytes = initiating(Procedure::PathSwitchRequest, |it| {
            add(it, ElementType::RanUeNgapId, &pinion_protocols::ngap::value::RanUeNgapId(ran));
            add(it, ElementType::SourceAmfUeNgapId, &AmfUeNgapId(source));
            it.element(ElementType::NasPdu, pinion_protocols::ngap::Criticality::Reject, |it| it.counted(&rest));
        });
        self.put(gnb, ran, bytes);
    }

    /// A message arrives at a gNB.
    pub(super) fn at_gnb(&mut self, gnb: usize, stream: u16, bytes: &Bytes) {
        let it = Message::parse(bytes).unwrap();
        let (initial, done) = (Outcome::Initiating, Outcome::Successful);
        let answer = match kind_of(&it) {
            (Procedure::NgSetup, outcome) => return assert_eq!(outcome, done),
            (Procedure::AmfConfigurationUpdate, Outcome::Initiating) => message(done, it.procedure(), |_| {}),
            (Procedure::NgReset, Outcome::Initiating) => {
                let kind: ResetType = it.need(ElementType::ResetType).unwrap();
                let ResetType::Part(list) = kind else { panic!("all of the interface is reset") };
                for connection in &list.0 {
                    if let Some(&ue) = connection.0.ran.and_then(|ran| self.by_ran[gnb].get(&ran)) {
                        self.lose(ue);
                    }
                }
                reset_acknowledge(Some(list.0))
            }
            (Procedure::Paging, Outcome::Initiating) => {
                let whom = it.need(ElementType::UePagingIdentity).unwrap();
                let UePagingIdentity::FiveGSTmsi(whom) = whom else { panic!("of a newer release") };
                let ue = u32::from_be_bytes(whom.tmsi) as usize;
                if self.ues[ue].gnb == gnb && self.ues[ue].state == State::Idle && !self.ues[ue].busy {
                    self.initial(ue);
                }
                return;
            }
            (Procedure::ErrorIndication, _) => {
                // What was on its way to an AMF that is dead.
                if let Some(&ue) = ids_of(&it).ran.and_then(|ran| self.by_ran[gnb].get(&ran)) {
                    self.lose(ue);
                }
                return;
            }
            _ => return self.of_ue(gnb, stream, &it),
        };
        assert_eq!((stream, it.outcome()), (0, initial));
        self.wire.put(Queue::Up(Leg::Gnb(gnb as u64), 0), answer);
    }

    fn of_ue(&mut self, gnb: usize, stream: u16, it: &Message<'_>) {
        let ids = ids_of(it);
        if it.procedure() == Procedure::HandoverResourceAllocation {
            return self.handed_over(gnb, ids.amf.unwrap(), it);
        }
        let Some(&ue) = self.by_ran[gnb].get(&ids.ran.unwrap()) else {
            let (ue, ..) = super::payload(it);
            assert!(!self.amfs[self.ues[ue].amf].alive, "{} for nobody", it.procedure());
            return;
        };
        let leg = Leg::Gnb(gnb as u64);
        if !self.take(ue, DOWN, leg, stream, it) {
            return;
        }
        let source = self.ues[ue].target.filter(|it| Some(it.1) == ids.ran).map(|it| it.2);
        let here = source.unwrap_or_else(|| *self.ues[ue].here.get_or_insert(ids.amf.unwrap()));
        assert_eq!(Some(here), ids.amf, "{ue} {}", it.procedure());
        let done = Outcome::Successful;
        match it.procedure() {
            Procedure::DownlinkNasTransport => self.ues[ue].busy = self.ues[ue].sent != self.ues[ue].got,
            Procedure::InitialContextSetup => {
                self.ues[ue].state = State::Connected;
                self.up(ue, done, it.procedure());
                self.ues[ue].busy = true;
            }
            Procedure::PathSwitchRequest => self.ues[ue].busy = false,
            Procedure::HandoverPreparation => {
                // It is at the other gNB now; this one is told to let it go.
                let (gnb, ran, there, upstream, amf_id) = self.ues[ue].target.take().unwrap();
                let it = &mut self.ues[ue];
                let old = (it.gnb, it.ran, here, it.upstream, it.amf_id);
                (it.gnb, it.ran, it.here, it.upstream, it.amf_id) = (gnb, ran, Some(there), upstream, amf_id);
                it.target = Some(old);
                self.up(ue, Outcome::Initiating, Procedure::HandoverNotification);
            }
            Procedure::UeContextRelease => {
                self.ues[ue].leaving = self.ues[ue].target.is_none();
                let rest = self.send(ue, UP);
                let ran = ids.ran.unwrap();
                let bytes = about(done, it.procedure(), crate::messages::ids(here, ran), &rest);
                self.put(gnb, ran, bytes);
            }
            other => panic!("{other}"),
        }
    }

    /// Handover Request.
    fn handed_over(&mut self, gnb: usize, there: u64, it: &Message<'_>) {
        let (ue, epoch, ..) = super::payload(it);
        if epoch != self.ues[ue].epoch {
            return;
        }
        self.ues[ue].got[DOWN] += 1;
        self.next_ran += 1;
        let ran = self.next_ran;
        self.by_ran[gnb].insert(ran, ue);
        let target = self.ues[ue].target.as_mut().unwrap();
        assert_eq!(target.0, gnb);
        (target.1, target.2) = (ran, there);
        let rest = self.send(ue, UP);
        self.put(gnb, ran, about(Outcome::Successful, it.procedure(), ids(there, ran), &rest));
    }
}
