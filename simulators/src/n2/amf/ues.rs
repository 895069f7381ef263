//! What an AMF does with UEs.

use pinion_protocols::ngap::value::{AmfUeNgapId, Cause, RanUeNgapId};
use pinion_protocols::ngap::{Criticality, ElementType, FiveGSTmsi, Message, Outcome, Procedure, UeIds};

use super::{Amf, Stranger, Ue};
use crate::n2::leg::Leg;
use crate::n2::messages::{about, add, initiating};
use crate::n2::payload::{Asks, Payload};
use crate::n2::violation::Wrong;

const START: Outcome = Outcome::Initiating;
const DONE: Outcome = Outcome::Successful;

impl Amf {
    /// Initial UE Message (TS 38.413 8.6.1).
    pub(super) fn initial(&mut self, association: u64, stream: u16, it: &Message<'_>) -> Result<(), Wrong> {
        let (gnb, payload) = (self.gnb(association, it)?, payload(it)?);
        let ran: RanUeNgapId = it.need(ElementType::RanUeNgapId)?;
        let tmsi: Option<FiveGSTmsi> = it.get(ElementType::FiveGSTmsi)?;
        let mut leg = Leg::new(payload.ue, payload.life);
        let taken = leg.take(&payload, it.procedure(), stream);
        if let Some(of) = tmsi.map(|tmsi| tmsi.pointer).filter(|&of| of != self.config.number) {
            self.strangers.push(Stranger { ue: payload.ue, of, mark: payload.mark });
        }
        let count = self.initials.entry(payload.mark).or_default();
        *count = count.saturating_add(1);
        let id = self.give_id();
        self.ues.insert(id, Ue { leg, association, gnb, ran: Some(ran.0), step: 0, other: None });
        match payload.asks {
            Asks::Registration => self.say(id, START, Procedure::DownlinkNasTransport, Asks::Answer),
            _ => self.set_up(id),
        }
        taken
    }

    /// Path Switch Request (8.4.4): the UE is at another gNB.
    pub(super) fn path_switch(&mut self, association: u64, stream: u16, it: &Message<'_>) -> Result<(), Wrong> {
        let (gnb, payload) = (self.gnb(association, it)?, payload(it)?);
        let id = it.need::<AmfUeNgapId>(ElementType::SourceAmfUeNgapId)?.0;
        let ran: RanUeNgapId = it.need(ElementType::RanUeNgapId)?;
        let kind = it.procedure();
        let before = self.ues.remove(&id).ok_or(Wrong::Unknown { kind, amf: Some(id), ran: Some(ran.0) })?;
        let mut leg = Leg::new(before.leg.ue, before.leg.life);
        let taken = leg.take(&payload, kind, stream);
        self.past.push(before);
        self.ues.insert(id, Ue { leg, association, gnb, ran: Some(ran.0), step: 0, other: None });
        self.say(id, DONE, kind, Asks::Last);
        taken
    }

    /// What is about a UE that it knows.
    pub(super) fn of_ue(&mut self, association: u64, stream: u16, it: &Message<'_>) -> Result<(), Wrong> {
        let (kind, outcome) = (it.procedure(), it.outcome());
        let ids = it.ids()?;
        let unknown = Wrong::Unknown { kind, amf: ids.amf, ran: ids.ran };
        let payload = match payload(it) {
            Ok(payload) => payload,
            Err(_) if ids == UeIds::default() => return Err(Wrong::Unexpected(outcome, kind)),
            Err(nobodys) => return Err(nobodys),
        };
        let Some((id, ue)) = ids.amf.and_then(|id| Some((id, self.ues.get_mut(&id)?))) else {
            return Err(unknown);
        };
        if kind == Procedure::HandoverResourceAllocation && ue.ran.is_none() {
            ue.ran = ids.ran;
        }
        if ue.association != association {
            return Err(Wrong::Association(kind));
        }
        if ue.ran != ids.ran {
            return Err(unknown);
        }
        let taken = ue.leg.take(&payload, kind, stream);
        self.act(id, (kind, outcome), payload.asks)?;
        taken
    }

    fn act(&mut self, id: u64, kind: (Procedure, Outcome), asks: Asks) -> Result<(), Wrong> {
        let nas = Procedure::DownlinkNasTransport;
        match (kind, asks) {
            ((Procedure::UplinkNasTransport, _), Asks::Answer) => self.say(id, START, nas, Asks::Nothing),
            ((Procedure::UplinkNasTransport, _), Asks::Last) => self.say(id, START, nas, Asks::Last),
            ((Procedure::UplinkNasTransport, _), Asks::Leave) => {
                self.say(id, START, nas, Asks::Nothing);
                self.release(id);
            }
            ((Procedure::UplinkNasTransport, _), _) => {
                let Some(ue) = self.ues.get_mut(&id) else { return Ok(()) };
                ue.step = ue.step.saturating_add(1);
                match ue.step {
                    1 => self.say(id, START, nas, Asks::Answer),
                    _ => self.set_up(id),
                }
            }
            ((Procedure::InitialContextSetup, DONE), _) => self.say(id, START, nas, Asks::Last),
            ((Procedure::UeContextReleaseRequest, START), _) => self.release(id),
            ((Procedure::UeContextRelease, DONE), _) => {
                self.past.extend(self.ues.remove(&id));
            }
            ((Procedure::HandoverPreparation, START), _) => self.hand_over(id),
            ((Procedure::HandoverResourceAllocation, DONE), _) => {
                if let Some(source) = self.ues.get(&id).and_then(|ue| ue.other) {
                    self.say(source, DONE, Procedure::HandoverPreparation, Asks::Nothing);
                }
            }
            ((Procedure::HandoverNotification, START), _) => {
                // The source lets it go.
                if let Some(source) = self.ues.get_mut(&id).and_then(|ue| ue.other.take()) {
                    self.release(source);
                }
            }
            ((procedure, outcome), _) => return Err(Wrong::Unexpected(outcome, procedure)),
        }
        Ok(())
    }

    /// Handover Request (8.4.2), to a gNB that is chosen here.
    fn hand_over(&mut self, source: u64) {
        let Some((gnb, leg)) = self.ues.get(&source).map(|ue| (ue.gnb, Leg::new(ue.leg.ue, ue.leg.life))) else {
            return;
        };
        let Some((association, gnb)) = self.other_gnb(gnb) else {
            return self.say(source, Outcome::Unsuccessful, Procedure::HandoverPreparation, Asks::Last);
        };
        let id = self.give_id();
        self.ues.insert(id, Ue { leg, association, gnb, ran: None, step: 0, other: Some(source) });
        let (guami, nas) = (self.config.guami(), self.next(id, Asks::Nothing));
        let request = initiating(Procedure::HandoverResourceAllocation, |it| {
            add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(id));
            it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(&nas));
            add(it, ElementType::Guami, &guami);
        });
        self.push(id, request);
    }

    /// Initial Context Setup Request (8.3.1).
    fn set_up(&mut self, id: u64) {
        let (ids, guami, nas) = (self.ids(id), self.config.guami(), self.next(id, Asks::Nothing));
        let request = initiating(Procedure::InitialContextSetup, |it| {
            add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(id));
            add(it, ElementType::RanUeNgapId, &RanUeNgapId(ids.ran.unwrap_or_default()));
            add(it, ElementType::Guami, &guami);
            it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(&nas));
        });
        self.push(id, request);
    }

    /// UE Context Release Command (8.3.3), with what it carries besides.
    fn release(&mut self, id: u64) {
        let (ids, nas) = (self.ids(id), self.next(id, Asks::Nothing));
        let command = initiating(Procedure::UeContextRelease, |it| {
            add(it, ElementType::UeNgapIds, &ids);
            add(it, ElementType::Cause, &Cause::NORMAL_RELEASE);
            it.element(ElementType::NasPdu, Criticality::Ignore, |it| it.counted(&nas));
        });
        self.push(id, command);
    }

    /// Sends a UE's gNB something.
    fn say(&mut self, id: u64, outcome: Outcome, procedure: Procedure, asks: Asks) {
        let (ids, nas) = (self.ids(id), self.next(id, asks));
        self.push(id, about(outcome, procedure, ids, &nas));
    }

    fn ids(&self, id: u64) -> UeIds {
        UeIds { amf: Some(id), ran: self.ues.get(&id).and_then(|ue| ue.ran) }
    }

    /// What the next message about a UE carries.
    fn next(&mut self, id: u64, asks: Asks) -> Vec<u8> {
        let mark = self.config.number.into();
        let Some(leg) = self.ues.get_mut(&id).map(|ue| &mut ue.leg) else { return Vec::new() };
        let (ue, life, number) = (leg.ue, leg.life, leg.next());
        Payload { ue, life, number, up: false, asks, mark }.encode()
    }

    fn gnb(&self, association: u64, it: &Message<'_>) -> Result<u32, Wrong> {
        let gnb = self.upstreams.get(&association).and_then(|upstream| upstream.gnb);
        gnb.ok_or(Wrong::Unexpected(it.outcome(), it.procedure()))
    }
}

/// What an uplink message carries.
fn payload(it: &Message<'_>) -> Result<Payload, Wrong> {
    Payload::of(it).filter(|payload| payload.up).ok_or(Wrong::Nobodys(it.procedure()))
}
