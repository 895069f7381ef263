//! Messages of gNBs.

use bytes::Bytes;
use pinion_protocols::ngap::value::{Cause, RanUeNgapId};
use pinion_protocols::ngap::{ElementType, Error, Message, NewIds, Outcome, Procedure, UeIds};

use crate::common;
use crate::front::{FrontEnd, Leg, Origin};
use crate::gnbs::{GnbId, Phase};
use crate::pins::PinId;
use crate::procedures::Answerer;
use crate::upstreams;
use crate::write;

impl FrontEnd {
    /// A message of a gNB that is known.
    pub(crate) fn uplink(&mut self, from: Origin, message: &Message<'_>, bytes: &Bytes) -> Result<(), Error> {
        use Outcome::{Initiating, Successful};
        let kind = (message.procedure(), message.outcome());
        if kind == (Procedure::NgSetup, Initiating) {
            return self.ng_setup(from.association, message);
        }
        if self.gnbs.get(&from.gnb).is_none_or(|gnb| gnb.phase != Phase::Up) {
            self.counts.unexpected += 1;
            if kind.0 != Procedure::ErrorIndication {
                let leg = Leg::Gnb(from.association);
                self.indicate(leg, from.stream, UeIds::default(), &Cause::NOT_COMPATIBLE);
            }
            return Ok(());
        }
        let within = self.allow(from.gnb);
        match kind {
            (Procedure::InitialUeMessage, Initiating) if !within => self.turn_away(from, message),
            (Procedure::RanConfigurationUpdate, Initiating) => {
                self.ran_update(from.gnb, from.association, message)
            }
            (Procedure::AmfConfigurationUpdate, Successful | Outcome::Unsuccessful) => {
                self.told(from.gnb, message);
                Ok(())
            }
            (Procedure::NgReset, Initiating) => self.gnb_reset(from, message),
            (Procedure::NgReset, Successful) => {
                self.reset_done(from.gnb);
                Ok(())
            }
            (Procedure::ErrorIndication, _) => self.gnb_error(from, message, bytes),
            (Procedure::InitialUeMessage | Procedure::RanCpRelocationIndication, Initiating) => {
                self.initial(from, message, bytes)
            }
            (Procedure::PathSwitchRequest, Initiating) => self.path_switch(from, message, bytes),
            _ => match common::about(message)? {
                None => self.gnb_common(from, message, bytes),
                Some(ids) => self.of_ue(from, ids, message, bytes),
            },
        }
    }

    /// Takes a message of a gNB down; false where that is more than it may send.
    fn allow(&mut self, gnb: GnbId) -> bool {
        let Some((most, it)) = self.settings.bounds.messages.zip(self.gnbs.get_mut(&gnb)) else { return true };
        it.allowance.take(self.now, most)
    }

    /// The gNB of a new UE sends more than it may.
    fn turn_away(&mut self, from: Origin, message: &Message<'_>) -> Result<(), Error> {
        let ran = message.need::<RanUeNgapId>(ElementType::RanUeNgapId)?.0;
        self.counts.throttled += 1;
        let ids = UeIds { amf: None, ran: Some(ran) };
        self.indicate(Leg::Gnb(from.association), from.stream, ids, &Cause::OVERLOAD);
        Ok(())
    }

    /// A message about a UE that is known.
    fn of_ue(&mut self, from: Origin, ids: UeIds, message: &Message<'_>, bytes: &Bytes) -> Result<(), Error> {
        let kind = (message.procedure(), message.outcome());
        let pin = match self.named_by_gnb(from.gnb, ids, kind) {
            Ok(pin) => pin,
            Err(cause) => {
                self.gnb_mismatch(from, ids, kind, &cause);
                return Ok(());
            }
        };
        self.follow(pin, from, ids);
        self.follow_procedure(pin, kind, Answerer::Gnb);
        if self.pins.get(pin).is_some_and(|it| it.unbound) && !self.rebind(pin) {
            self.counts.undeliverable += 1;
            self.ended_by(pin, kind);
            return Ok(());
        }
        let new = NewIds { amf: self.towards_amf(pin, ids), ..NewIds::default() };
        self.send_up(pin, write::with_ids(message, bytes, &new)?);
        self.ended_by(pin, kind);
        Ok(())
    }

    /// Ends a UE whose gNB said the last about it, whether or not an AMF heard that.
    fn ended_by(&mut self, pin: PinId, kind: (Procedure, Outcome)) {
        match kind {
            (Procedure::UeContextRelease, Outcome::Successful) => {
                self.end(pin);
                self.counts.released += 1;
            }
            (Procedure::HandoverResourceAllocation, Outcome::Unsuccessful) => drop(self.end(pin)),
            _ => {}
        }
    }

    /// Which UE a gNB means.
    pub(crate) fn named_by_gnb(&self, gnb: GnbId, ids: UeIds, kind: (Procedure, Outcome)) -> Result<PinId, Cause> {
        let by_here = || {
            let found = ids.amf.and_then(|here| self.pins.by_here(gnb, here));
            found.ok_or(Cause::UNKNOWN_LOCAL_ID)
        };
        let Some(ran) = ids.ran else { return by_here() };
        let by_ran = self.pins.by_ran(gnb, ran);
        if let Some((id, pin)) = by_ran.and_then(|id| Some((id, self.pins.get(id)?)))
            && ids.amf.is_none_or(|here| pin.known().any(|known| known.here == here))
        {
            return Ok(id);
        }
        let id = by_here()?;
        // The answer to Handover Request is the first with this number, which is nobody else's.
        let completes = matches!(
            kind,
            (Procedure::HandoverResourceAllocation | Procedure::UeContextRelease, Outcome::Successful)
        );
        let fits = completes && by_ran.is_none() && self.pins.get(id).is_some_and(|pin| pin.ran.is_none());
        if fits { Ok(id) } else { Err(Cause::INCONSISTENT_REMOTE_ID) }
    }

    /// Takes down what a message of a gNB shows: its RAN UE NGAP ID, its association, and that it uses a new identifier.
    fn follow(&mut self, pin: PinId, from: Origin, ids: UeIds) {
        let Some(it) = self.pins.get_mut(pin) else { return };
        if it.association != from.association {
            let streams = self.associations.get(&from.association).map_or(1, |tnla| tnla.streams);
            it.association = from.association;
            it.streams.0 = own_stream(streams, from.stream, it.ran.map_or(pin.0, u64::from));
        }
        let (completes, switched) = (
            it.ran.is_none() && ids.ran.is_some(),
            it.before.is_some() && ids.amf.is_some() && ids.amf == it.ids.map(|ids| ids.here),
        );
        if completes {
            self.pins.change(pin, |it| it.ran = ids.ran);
            self.completed(pin);
        }
        if switched {
            let mut before = None;
            self.pins.change(pin, |it| before = it.before.take());
            if let Some(before) = before {
                self.release(before);
            }
        }
    }

    /// The AMF's identifier for the one that a gNB named, where it is another.
    pub(crate) fn towards_amf(&self, pin: PinId, ids: UeIds) -> Option<u64> {
        let pin = self.pins.get(pin)?;
        let known = pin.known().find(|known| Some(known.here) == ids.amf)?;
        (known.amf != known.here).then_some(known.amf)
    }
}

/// The stream to a UE: the other half of the pair that its gNB uses.
pub(crate) fn own_stream(streams: u16, used: u16, number: u64) -> u16 {
    if (1..streams).contains(&used) { used } else { upstreams::stream(streams, number) }
}
