//! What gNBs are sent.

use bytes::Bytes;
use pinion_protocols::ngap::value::{AmfUeNgapId, ResetType, UePagingIdentity};
use pinion_protocols::ngap::{ElementType, FiveGSTmsi, Guami, Message, Outcome, Procedure, UeIds};

use super::{Fate, Loss, Radio, State};
use crate::n2::Sent;
use crate::n2::messages::{message, reset_acknowledge};
use crate::n2::payload::{Asks, Payload};
use crate::n2::violation::Wrong;

const START: Outcome = Outcome::Initiating;
const DONE: Outcome = Outcome::Successful;

impl Radio {
    pub(super) fn take(&mut self, gnb: usize, stream: u16, it: &Message<'_>) -> Result<(), Wrong> {
        let kind = (it.procedure(), it.outcome());
        let answer = match kind {
            (Procedure::NgSetup, DONE) => {
                if let Some(gnb) = self.gnbs.get_mut(gnb) {
                    gnb.up = true;
                }
                None
            }
            (Procedure::AmfConfigurationUpdate, START) => Some(message(DONE, kind.0, |_| {})),
            (Procedure::NgReset, START) => Some(self.reset(gnb, it)?),
            (Procedure::Paging, START) => {
                self.page(gnb, it)?;
                None
            }
            (Procedure::ErrorIndication, _) => return self.error(gnb, it),
            (Procedure::HandoverResourceAllocation, START) => return self.handover_request(gnb, stream, it),
            _ => return self.of_ue(gnb, stream, it),
        };
        if let Some(bytes) = answer {
            self.outputs.push_back((gnb, Sent { stream: 0, bytes }));
        }
        if stream == 0 { Ok(()) } else { Err(Wrong::Stream(kind.0)) }
    }

    /// The reset of a list; one of the whole interface would be for UEs of other AMFs too.
    fn reset(&mut self, gnb: usize, it: &Message<'_>) -> Result<Bytes, Wrong> {
        let kind: ResetType = it.need(ElementType::ResetType)?;
        let ResetType::Part(list) = kind else { return Err(Wrong::Unexpected(START, it.procedure())) };
        for connection in &list.0 {
            let UeIds { amf, ran } = connection.0;
            // What has no RAN UE NGAP ID yet may not even have come here.
            if !self.forget(gnb, connection.0) && ran.is_some() {
                return Err(Wrong::Unknown { kind: it.procedure(), amf, ran });
            }
        }
        Ok(reset_acknowledge(Some(list.0)))
    }

    fn page(&mut self, gnb: usize, it: &Message<'_>) -> Result<(), Wrong> {
        let whom = it.need(ElementType::UePagingIdentity)?;
        let UePagingIdentity::FiveGSTmsi(whom) = whom else { return Err(Wrong::Nobodys(it.procedure())) };
        if let Some(here) = self.gnbs.get_mut(gnb) {
            let count = here.paged.entry(whom.pointer.into()).or_default();
            *count = count.saturating_add(1);
        }
        let ue = u32::from_be_bytes(whom.tmsi);
        let hears = self.ue(ue).is_some_and(|it| it.gnb == gnb && it.state == State::Idle && !it.busy);
        if hears {
            self.initial(ue, Asks::Service);
            self.count("answers paging");
        }
        Ok(())
    }

    /// What was on its way to an AMF that is lost.
    fn error(&mut self, gnb: usize, it: &Message<'_>) -> Result<(), Wrong> {
        let ids = it.ids()?;
        if self.forget(gnb, ids) {
            Ok(())
        } else {
            Err(Wrong::Unknown { kind: it.procedure(), amf: ids.amf, ran: ids.ran })
        }
    }

    /// A gNB is to forget a UE. False: there was never one.
    fn forget(&mut self, gnb: usize, ids: UeIds) -> bool {
        let Some(here) = self.gnbs.get_mut(gnb) else { return false };
        let by_id = || here.ues.iter().find(|(_, it)| it.id.is_some() && it.id == ids.amf).map(|(&ran, _)| ran);
        let Some(ran) = ids.ran.or_else(by_id) else { return false };
        let Some(context) = here.ues.get_mut(&ran) else { return false };
        let (was, amf, number, life) = (context.fate, context.amf, context.leg.ue, context.leg.life);
        if was == Fate::Here {
            context.fate = Fate::Lost;
        }
        let Some(ue) = self.ue(number) else { return false };
        let loss = Loss { ue: number, amf, of: ue.guti.map(|guti| guti.pointer) };
        if was != Fate::Here {
            self.strays.push(loss);
            return true;
        }
        if ue.life == life {
            ue.state = if ue.guti.is_some() { State::Idle } else { State::Gone };
            ue.target = None;
            self.free(number, None);
        }
        self.losses.push(loss);
        true
    }

    fn of_ue(&mut self, gnb: usize, stream: u16, it: &Message<'_>) -> Result<(), Wrong> {
        let (kind, ids, payload) = (it.procedure(), it.ids()?, payload(it)?);
        let unknown = Wrong::Unknown { kind, amf: ids.amf, ran: ids.ran };
        let Some(ran) = ids.ran else { return Err(unknown) };
        let context = self.context(gnb, ran).ok_or(unknown.clone())?;
        if context.fate != Fate::Here {
            let amf = Some(payload.mark);
            self.strays.push(Loss { ue: payload.ue, amf, of: None });
            return Ok(());
        }
        let taken = context.leg.take(&payload, kind, stream);
        if *context.amf.get_or_insert(payload.mark) != payload.mark {
            return Err(Wrong::Foreign { kind, of: payload.ue, life: payload.life });
        }
        if Some(*context.id.get_or_insert(ids.amf.unwrap_or_default())) != ids.amf {
            return Err(unknown);
        }
        let ue = context.leg.ue;
        if let Some(guami) = it.get::<Guami>(ElementType::Guami)?
            && let Some(it) = self.ue(ue)
        {
            let tmsi = ue.to_be_bytes();
            it.guti = Some(FiveGSTmsi { set: guami.set, pointer: guami.pointer, tmsi });
        }
        self.act((gnb, ran), ue, (kind, it.outcome()), payload.asks)?;
        taken
    }

    fn act(
        &mut self,
        (gnb, ran): (usize, u32),
        ue: u32,
        kind: (Procedure, Outcome),
        asks: Asks,
    ) -> Result<(), Wrong> {
        match (kind, asks) {
            ((Procedure::DownlinkNasTransport, START), Asks::Answer) => {
                self.say(gnb, ran, START, Procedure::UplinkNasTransport, Asks::Nothing);
            }
            ((Procedure::DownlinkNasTransport, START), Asks::Last) => self.free(ue, Some("is answered")),
            ((Procedure::DownlinkNasTransport, START), _) => {}
            ((Procedure::InitialContextSetup, START), _) => {
                if let Some(it) = self.ue(ue) {
                    it.state = State::Connected;
                }
                self.count("connects");
                self.say(gnb, ran, DONE, kind.0, Asks::Nothing);
            }
            ((Procedure::PathSwitchRequest, DONE), _) => self.free(ue, Some("moves by path switch")),
            ((Procedure::HandoverPreparation, DONE), _) => self.hand_over(ue),
            ((Procedure::HandoverPreparation, _), _) => self.free(ue, Some("is not handed over")),
            ((Procedure::UeContextRelease, START), _) => {
                self.say(gnb, ran, DONE, kind.0, Asks::Nothing);
                self.release(gnb, ran, ue);
            }
            ((procedure, outcome), _) => return Err(Wrong::Unexpected(outcome, procedure)),
        }
        Ok(())
    }

    /// UE Context Release Command: the UE leaves, or has moved on.
    fn release(&mut self, gnb: usize, ran: u32, ue: u32) {
        if let Some(context) = self.context(gnb, ran) {
            context.fate = Fate::Left;
        }
        let Some(it) = self.ue(ue) else { return };
        let what = if (it.gnb, it.ran) != (gnb, ran) {
            "moves by handover"
        } else if it.leaves {
            (it.state, it.guti) = (State::Gone, None);
            "deregisters"
        } else {
            it.state = State::Idle;
            "falls idle"
        };
        self.free(ue, Some(what));
    }

    /// Handover Command: it goes to the other gNB, which says that it came.
    fn hand_over(&mut self, ue: u32) {
        let Some(it) = self.ue(ue) else { return };
        let Some((gnb, ran)) = it.target.take() else { return };
        (it.gnb, it.ran) = (gnb, ran);
        self.say(gnb, ran, START, Procedure::HandoverNotification, Asks::Nothing);
    }

    /// Handover Request (TS 38.413 8.4.2).
    fn handover_request(&mut self, gnb: usize, stream: u16, it: &Message<'_>) -> Result<(), Wrong> {
        let (kind, payload) = (it.procedure(), payload(it)?);
        let id: AmfUeNgapId = it.need(ElementType::AmfUeNgapId)?;
        let wanted =
            self.ue(payload.ue).is_some_and(|ue| ue.busy && ue.life == payload.life && ue.target.is_none());
        if !wanted {
            // Its AMF was lost meanwhile.
            self.strays.push(Loss { ue: payload.ue, amf: Some(payload.mark), of: None });
            return Ok(());
        }
        let Some(ran) = self.arrive(gnb, payload.ue, payload.life) else { return Ok(()) };
        if let Some(ue) = self.ue(payload.ue) {
            ue.target = Some((gnb, ran));
        }
        let Some(context) = self.context(gnb, ran) else { return Ok(()) };
        (context.id, context.amf) = (Some(id.0), Some(payload.mark));
        let taken = context.leg.take(&payload, kind, stream);
        self.say(gnb, ran, DONE, kind, Asks::Nothing);
        taken
    }
}

/// What a downlink message carries.
fn payload(it: &Message<'_>) -> Result<Payload, Wrong> {
    Payload::of(it).filter(|payload| !payload.up).ok_or(Wrong::Nobodys(it.procedure()))
}
