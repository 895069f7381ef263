//! Messages of AMFs.

use bytes::Bytes;
use pinion_protocols::ngap::value::{AmfUeNgapId, Cause};
use pinion_protocols::ngap::{ElementType, Error, Guami, Message, NewIds, Outcome, Procedure, UeIds};

use crate::amfs::AmfId;
use crate::common;
use crate::front::{AmfOrigin, FrontEnd};
use crate::gnbs::GnbId;
use crate::pins::{Ids, PinId, Reason};
use crate::procedures::{Answerer, Ended, Subject};
use crate::settings::AmfIds;
use crate::write;

impl FrontEnd {
    /// A message of an AMF, on the upstream of a gNB.
    pub(crate) fn downlink(&mut self, from: AmfOrigin, message: &Message<'_>, bytes: &Bytes) -> Result<(), Error> {
        use Outcome::{Initiating, Successful, Unsuccessful};
        let AmfOrigin { gnb, amf, .. } = from;
        let kind = (message.procedure(), message.outcome());
        if let (Procedure::NgSetup, Successful | Unsuccessful) = kind {
            return self.setup_answer(gnb, amf, message);
        }
        if !self.is_up(gnb, amf) {
            self.counts.unexpected += 1;
            return Ok(());
        }
        match kind {
            (Procedure::AmfConfigurationUpdate, Initiating) => self.amf_update(gnb, amf, message),
            (Procedure::RanConfigurationUpdate, Successful | Unsuccessful) => {
                self.update_answer(gnb, amf, message);
                Ok(())
            }
            (Procedure::NgReset, Initiating) => self.amf_reset(gnb, amf, message),
            (Procedure::NgReset, Successful) => {
                self.reset_answer(gnb, amf);
                Ok(())
            }
            (Procedure::AmfStatusIndication, Initiating) => self.amf_status(gnb, amf, message),
            (Procedure::OverloadStart, Initiating) => self.overload_start(gnb, amf, message),
            (Procedure::OverloadStop, Initiating) => {
                self.overload_stop(gnb, amf);
                Ok(())
            }
            (Procedure::ErrorIndication, _) => self.amf_error(from, message, bytes),
            (Procedure::RerouteNasRequest, Initiating) => self.reroute(from, message),
            (Procedure::HandoverResourceAllocation, Initiating) => self.handover_request(from, message, bytes),
            _ => match common::about(message)? {
                None => self.amf_common(from, message, bytes),
                Some(ids) => self.for_known_ue(from, ids, message, bytes),
            },
        }
    }

    pub(crate) fn is_up(&self, gnb: GnbId, amf: AmfId) -> bool {
        let upstream = self.upstream(gnb, amf);
        upstream.is_some_and(crate::upstreams::Upstream::is_up)
    }

    fn for_known_ue(
        &mut self,
        from: AmfOrigin,
        ids: UeIds,
        message: &Message<'_>,
        bytes: &Bytes,
    ) -> Result<(), Error> {
        let kind = (message.procedure(), message.outcome());
        let pin = match self.named_by_amf(from.gnb, from.amf, ids) {
            Ok(pin) => pin,
            Err(cause) => {
                self.amf_mismatch(from, ids, kind, &cause);
                return Ok(());
            }
        };
        if !self.learn(pin, from.amf, ids) {
            self.counts.undeliverable += 1;
            return Ok(());
        }
        self.follow_procedure(pin, kind, Answerer::Amf);
        let mut new = NewIds { amf: self.towards_gnb(pin, ids), ..NewIds::default() };
        match kind {
            (Procedure::UeTnlaBindingRelease, _) => {
                if let Some(pin) = self.pins.get_mut(pin) {
                    pin.unbound = true;
                }
                return Ok(());
            }
            (Procedure::InitialContextSetup, Outcome::Initiating) => {
                let guami = message.get::<Guami>(ElementType::Guami)?;
                if let Some(pin) = self.pins.get_mut(pin) {
                    pin.guami = guami.or(pin.guami);
                }
            }
            (Procedure::UeContextModification, Outcome::Initiating) => {
                if let Some(id) = message.get::<AmfUeNgapId>(ElementType::NewAmfUeNgapId)? {
                    new.new_amf = self.renamed(pin, id.0);
                }
                let guami = message.get::<Guami>(ElementType::NewGuami)?;
                if let Some(pin) = self.pins.get_mut(pin) {
                    pin.guami = guami.or(pin.guami);
                }
            }
            _ => {}
        }
        self.send_down(pin, write::with_ids(message, bytes, &new)?);
        match kind {
            (Procedure::PathSwitchRequest, Outcome::Successful) => self.switched(pin),
            (Procedure::PathSwitchRequest, Outcome::Unsuccessful) => drop(self.end(pin)),
            _ => {}
        }
        Ok(())
    }

    /// Which UE an AMF means. The first message may be another AMF's of the set than the one that was asked (8.6.2).
    pub(crate) fn named_by_amf(&self, gnb: GnbId, amf: AmfId, ids: UeIds) -> Result<PinId, Cause> {
        let by_amf = || ids.amf.and_then(|id| self.pins.by_amf(gnb, amf, id));
        let Some(ran) = ids.ran else { return by_amf().ok_or(Cause::UNKNOWN_LOCAL_ID) };
        let by_ran = self.pins.by_ran(gnb, ran);
        let (id, pin) = by_ran.and_then(|id| Some((id, self.pins.get(id)?))).ok_or(Cause::UNKNOWN_LOCAL_ID)?;
        let known = ids.amf.is_none_or(|it| pin.known().any(|known| known.amf == it));
        let first = pin.ids.is_none() && ids.amf.is_some();
        let unique = self.settings.amf_ids == AmfIds::SetUnique;
        match pin.amf == amf {
            true if known || first && by_amf().is_none() => Ok(id),
            // Another AMF's number is that of the same UE only where numbers are unique.
            false if (first || unique && ids.amf.is_some() && known) && self.same_set(gnb, pin.amf, amf) => Ok(id),
            true => Err(Cause::INCONSISTENT_REMOTE_ID),
            false => Err(Cause::UNKNOWN_LOCAL_ID),
        }
    }

    /// Takes down the pair that an AMF's message shows, and which AMF it was. False: there is no identifier for it.
    fn learn(&mut self, pin: PinId, amf: AmfId, ids: UeIds) -> bool {
        let (Some(it), Some(id)) = (self.pins.get(pin), ids.amf) else { return true };
        let (gnb, old, known) = (it.gnb, it.amf, it.ids);
        match known {
            Some(known) if old != amf => {
                if !self.identities.rebind(known.here, amf, known.amf) {
                    return false;
                }
                self.move_pin(pin, amf, Reason::Answered);
            }
            Some(_) => {}
            None => {
                let Some(here) = self.hold(gnb, amf, id) else { return false };
                if old != amf {
                    self.move_pin(pin, amf, Reason::Answered);
                }
                self.pins.change(pin, |it| it.ids = Some(Ids { amf: id, here }));
                self.finish(Subject::Ue(pin), Procedure::InitialUeMessage, Answerer::Amf, Ended::Successful);
                self.completed(pin);
            }
        }
        true
    }

    /// The identifier that gNBs know for an AMF's.
    pub(crate) fn hold(&mut self, gnb: GnbId, amf: AmfId, id: u64) -> Option<u64> {
        let unique = self.settings.amf_ids == AmfIds::SetUnique;
        let it = self.gnbs.get(&gnb);
        let same = |other| it.is_some_and(|it| it.same_set(amf, other));
        let here = self.identities.hold(amf, id, if unique { Some(&same) } else { None });
        if here.is_none() {
            tracing::warn!(amf = &*self.amfs.name(amf), id, "no AMF UE NGAP ID is left");
        }
        here
    }

    pub(crate) fn same_set(&self, gnb: GnbId, one: AmfId, other: AmfId) -> bool {
        self.gnbs.get(&gnb).is_some_and(|gnb| gnb.same_set(one, other))
    }

    /// A UE is another AMF's.
    pub(crate) fn move_pin(&mut self, pin: PinId, amf: AmfId, reason: Reason) {
        let Some(it) = self.pins.get(pin) else { return };
        let (gnb, old) = (it.gnb, it.amf);
        let streams = self.streams_up(gnb, amf);
        self.pins.change(pin, |it| {
            it.amf = amf;
            it.reason = reason;
            it.unbound = false;
            it.streams.1 = crate::upstreams::stream(streams, it.ran.map_or(pin.0, u64::from));
        });
        self.count_pin(gnb, old, false);
        self.count_pin(gnb, amf, true);
        self.counts.moved += 1;
    }

    /// The identifier that the gNB knows for the one that an AMF named, where it is another.
    pub(crate) fn towards_gnb(&self, pin: PinId, ids: UeIds) -> Option<u64> {
        let pin = self.pins.get(pin)?;
        let known = pin.known().find(|known| Some(known.amf) == ids.amf)?;
        (known.amf != known.here).then_some(known.here)
    }

    /// The AMF gives a UE a new identifier (8.3.4.2): the old one is good until the gNB uses the new one.
    fn renamed(&mut self, pin: PinId, id: u64) -> Option<u64> {
        let it = self.pins.get(pin)?;
        let (gnb, amf, known, before) = (it.gnb, it.amf, it.ids, it.before);
        if known.is_some_and(|known| known.amf == id) {
            return known.map(|known| known.here).filter(|&here| here != id);
        }
        let here = self.hold(gnb, amf, id)?;
        self.pins.change(pin, |it| {
            it.before = known;
            it.ids = Some(Ids { amf: id, here });
        });
        if let Some(before) = before {
            self.release(before);
        }
        (here != id).then_some(here)
    }
}
