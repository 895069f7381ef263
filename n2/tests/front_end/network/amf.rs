//! The AMFs.

use bytes::Bytes;
use pinion_n2::Leg;
use pinion_protocols::ngap::value::{AmfUeNgapId, GlobalRanNodeId, UePagingIdentity};
use pinion_protocols::ngap::{Criticality, ElementType, FiveGSTmsi, Message, Outcome, Procedure};

use super::wire::{Queue, payload};
use super::{GNBS, Network, State, ids_of, kind_of};
use crate::messages::{about, add, guami, ids, initiating};
use crate::stage::says;

const UP: usize = 0;
const DOWN: usize = 1;

impl Network {
    /// A UE's AMF pages it, at all gNBs.
    pub(super) fn page(&mut self, ue: usize) {
        let Some(owner) = self.ues[ue].owner.filter(|&owner| self.amfs[owner].alive) else { return };
        let (set, tmsi) = (1 + owner as u16 / 2, (ue as u32).to_be_bytes());
        let paging = initiating(Procedure::Paging, |it| {
            let whom = FiveGSTmsi { set, pointer: owner as u8, tmsi };
            add(it, ElementType::UePagingIdentity, &UePagingIdentity::FiveGSTmsi(whom));
        });
        let upstreams: Vec<_> = self.amfs[owner].gnbs.keys().copied().collect();
        for upstream in upstreams {
            self.wire.put(Queue::Up(Leg::Amf(upstream), 0), paging.clone());
        }
    }

    /// A message arrives at an AMF.
    pub(super) fn at_amf(&mut self, upstream: u64, stream: u16, bytes: &Bytes) {
        let amf = self.upstreams[&upstream];
        let it = Message::parse(bytes).unwrap();
        match kind_of(&it) {
            (Procedure::NgSetup, Outcome::Initiating) => {
                let Ok(GlobalRanNodeId::Gnb { id, .. }) = it.need(ElementType::GlobalRanNodeId) else {
                    panic!("no gNB");
                };
                self.amfs[amf].gnbs.insert(upstream, id as usize);
                self.wire.put(Queue::Up(Leg::Amf(upstream), 0), says(amf as u8).setup_response());
            }
            (Procedure::ErrorIndication, _) => panic!("AMF {amf} made a mistake"),
            _ => self.of_known_ue(amf, upstream, stream, &it),
        }
    }

    fn of_known_ue(&mut self, amf: usize, upstream: u64, stream: u16, it: &Message<'_>) {
        let (ue, ..) = payload(it);
        if it.procedure() != Procedure::InitialUeMessage {
            // Every message at the right AMF, on the right upstream, with the identifier that it gave.
            let known = &self.ues[ue];
            let own = (known.amf, known.upstream, Some(known.amf_id), Some(known.ran));
            let target = known.target.map(|it| (known.amf, it.3, Some(it.4), Some(it.1)));
            let named = ids_of(it);
            let is = (amf, upstream, named.amf, named.ran);
            let switching = it.procedure() == Procedure::PathSwitchRequest;
            assert!(switching || is == own || Some(is) == target, "{ue}: {} {is:?}", it.procedure());
        }
        if !self.take(ue, UP, Leg::Amf(upstream), stream, it) {
            return;
        }
        let (start, done) = (Outcome::Initiating, Outcome::Successful);
        match kind_of(it) {
            (Procedure::InitialUeMessage, _) => {
                let id = self.next_id(amf);
                let known = &mut self.ues[ue];
                (known.amf, known.upstream, known.amf_id, known.owner) = (amf, upstream, id, Some(amf));
                assert_eq!(ids_of(it).ran, Some(known.ran));
                assert_eq!(self.amfs[amf].gnbs[&upstream], known.gnb);
                self.down(ue, start, Procedure::DownlinkNasTransport);
                self.down(ue, start, Procedure::InitialContextSetup);
            }
            (Procedure::InitialContextSetup, _) => self.ues[ue].busy = false,
            (Procedure::UplinkNasTransport, _) => self.down(ue, start, Procedure::DownlinkNasTransport),
            (Procedure::UeContextReleaseRequest, _) => self.down(ue, start, Procedure::UeContextRelease),
            (Procedure::UeContextRelease, _) if self.ues[ue].target.is_some() => {
                let (gnb, ran, ..) = self.ues[ue].target.take().unwrap();
                self.by_ran[gnb].remove(&ran);
                (self.ues[ue].busy, self.ues[ue].streams) = (false, [None; 2]);
            }
            (Procedure::UeContextRelease, _) => {
                let state = if self.dice.below(3) == 0 { State::Gone } else { State::Idle };
                self.end(ue, state);
            }
            (Procedure::PathSwitchRequest, _) => {
                let id: AmfUeNgapId = it.need(ElementType::SourceAmfUeNgapId).unwrap();
                let known = &mut self.ues[ue];
                assert_eq!((amf, id.0), (known.amf, known.amf_id));
                assert_eq!(self.amfs[amf].gnbs[&upstream], known.gnb);
                known.upstream = upstream;
                self.down(ue, done, Procedure::PathSwitchRequest);
            }
            (Procedure::HandoverPreparation, _) => self.hand_over(ue),
            (Procedure::HandoverResourceAllocation, _) => self.down(ue, done, Procedure::HandoverPreparation),
            (Procedure::HandoverNotification, _) => {
                // The source lets it go.
                let (_, ran, _, upstream, id) = self.ues[ue].target.unwrap();
                let rest = self.send(ue, DOWN);
                let bytes = about(start, Procedure::UeContextRelease, ids(id, ran), &rest);
                self.wire.put(Queue::Up(Leg::Amf(upstream), 1), bytes);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Its AMF sends a UE a message.
    fn down(&mut self, ue: usize, outcome: Outcome, procedure: Procedure) {
        let rest = self.send(ue, DOWN);
        let it = &self.ues[ue];
        let bytes = about(outcome, procedure, ids(it.amf_id, it.ran), &rest);
        self.wire.put(Queue::Up(Leg::Amf(it.upstream), 1 + (it.ran % 4) as u16), bytes);
    }

    fn next_id(&mut self, amf: usize) -> u64 {
        let it = &mut self.amfs[amf];
        it.next += 1;
        it.next - 1
    }

    /// Handover Request, to a gNB that its AMF chooses.
    fn hand_over(&mut self, ue: usize) {
        let amf = self.ues[ue].amf;
        let gnb = (self.ues[ue].gnb + 1 + self.dice.below(GNBS - 1)) % GNBS;
        let id = self.next_id(amf);
        let upstream = self.amfs[amf].gnbs.iter().find(|(_, it)| **it == gnb).map(|(&id, _)| id).unwrap();
        let rest = self.send(ue, DOWN);
        self.ues[ue].target = Some((gnb, 0, 0, upstream, id));
        let bytes = initiating(Procedure::HandoverResourceAllocation, |it| {
            add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(id));
            add(it, ElementType::Guami, &guami(1 + amf as u16 / 2, amf as u8));
            it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(&rest));
        });
        self.wire.put(Queue::Up(Leg::Amf(upstream), 1), bytes);
    }
}
