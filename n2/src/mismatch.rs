//! Identifiers that do not fit: the sender is told, and the UEs that they name are released on both sides (TS 38.413 10.6).

use bytes::Bytes;
use pinion_protocols::ngap::value::Cause;
use pinion_protocols::ngap::{ElementType, Error, Message, NewIds, Outcome, Procedure, UeIds};

use crate::amfs::AmfId;
use crate::front::{AmfOrigin, FrontEnd, Leg, Origin};
use crate::gnbs::GnbId;
use crate::pins::PinId;
use crate::write;

/// Whether nothing follows a message: there is no use in telling its sender.
fn is_last(kind: (Procedure, Outcome)) -> bool {
    matches!(
        kind,
        (Procedure::UeContextRelease, Outcome::Successful)
            | (Procedure::HandoverResourceAllocation | Procedure::PathSwitchRequest, Outcome::Unsuccessful)
    )
}

/// Whether a cause says that identifiers do not fit.
fn is_about_ids(cause: Option<&Cause>) -> bool {
    cause.is_some_and(|cause| [Cause::UNKNOWN_LOCAL_ID, Cause::INCONSISTENT_REMOTE_ID].contains(cause))
}

impl FrontEnd {
    /// A message of a gNB about no UE that it has.
    pub(crate) fn gnb_mismatch(&mut self, from: Origin, ids: UeIds, kind: (Procedure, Outcome), cause: &Cause) {
        tracing::debug!(?ids, ?kind, "identifiers of a gNB do not fit");
        if !is_last(kind) {
            self.indicate(Leg::Gnb(from.association), from.stream, ids, cause);
        }
        self.release_named(from.gnb, None, ids, cause);
    }

    /// A message of an AMF about no UE that it has there.
    pub(crate) fn amf_mismatch(&mut self, from: AmfOrigin, ids: UeIds, kind: (Procedure, Outcome), cause: &Cause) {
        let AmfOrigin { gnb, amf, stream } = from;
        tracing::debug!(?ids, ?kind, amf = &*self.amfs.name(amf), "identifiers of an AMF do not fit");
        let upstream = self.upstream(gnb, amf).map(|it| it.id);
        if let Some(id) = upstream.filter(|_| !is_last(kind)) {
            self.indicate(Leg::Amf(id), stream, ids, cause);
        }
        self.release_named(gnb, Some(amf), ids, cause);
    }

    /// Ends the UEs that identifiers of a gNB, or of an AMF, name, and tells the other side so.
    fn release_named(&mut self, gnb: GnbId, amf: Option<AmfId>, ids: UeIds, cause: &Cause) {
        for pin in self.named(gnb, amf, ids) {
            self.counts.mismatches += 1;
            match amf {
                Some(_) => self.release_at_gnb(pin, cause),
                None => self.release_at_amf(pin, cause),
            }
        }
    }

    /// The UEs of a gNB that either identifier names, to the gNB or to an AMF; never another AMF's.
    fn named(&self, gnb: GnbId, amf: Option<AmfId>, ids: UeIds) -> Vec<PinId> {
        let by_amf = ids.amf.and_then(|id| match amf {
            Some(amf) => self.pins.by_amf(gnb, amf, id),
            None => self.pins.by_here(gnb, id),
        });
        let mut named: Vec<_> = by_amf.into_iter().collect();
        named.extend(ids.ran.and_then(|ran| self.pins.by_ran(gnb, ran)).filter(|id| Some(*id) != by_amf));
        named.retain(|&id| amf.is_none_or(|amf| self.pins.get(id).is_some_and(|pin| pin.amf == amf)));
        named
    }

    /// Ends a UE, and tells its AMF so.
    pub(crate) fn release_at_amf(&mut self, pin: PinId, cause: &Cause) {
        if let Some(it) = self.pins.get(pin)
            && let Ok(bytes) = write::error_indication(it.at_amf(), cause)
            && self.send_up(pin, bytes)
        {
            self.counts.error_indications += 1;
        }
        self.end(pin);
    }

    /// Ends a UE, and tells its gNB so.
    pub(crate) fn release_at_gnb(&mut self, pin: PinId, cause: &Cause) {
        if let Some(it) = self.pins.get(pin)
            && let Ok(bytes) = write::error_indication(it.at_gnb(), cause)
        {
            self.counts.error_indications += 1;
            self.send_down(pin, bytes);
        }
        self.end(pin);
    }

    /// Error Indication of a gNB: never answered by another one.
    pub(crate) fn gnb_error(&mut self, from: Origin, message: &Message<'_>, bytes: &Bytes) -> Result<(), Error> {
        let ids = message.ids()?;
        let about = is_about_ids(message.get::<Cause>(ElementType::Cause)?.as_ref());
        match self.named_by_gnb(from.gnb, ids, (message.procedure(), message.outcome())) {
            Ok(pin) => {
                let new = NewIds { amf: self.towards_amf(pin, ids), ..NewIds::default() };
                self.send_up(pin, write::with_ids(message, bytes, &new)?);
                if about {
                    self.counts.mismatches += 1;
                    self.end(pin);
                }
            }
            Err(cause) => {
                self.counts.unexpected += u64::from(ids == UeIds::default());
                self.release_named(from.gnb, None, ids, &cause);
            }
        }
        Ok(())
    }

    /// Error Indication of an AMF.
    pub(crate) fn amf_error(
        &mut self,
        from: AmfOrigin,
        message: &Message<'_>,
        bytes: &Bytes,
    ) -> Result<(), Error> {
        let AmfOrigin { gnb, amf, .. } = from;
        let ids = message.ids()?;
        let about = is_about_ids(message.get::<Cause>(ElementType::Cause)?.as_ref());
        match self.named_by_amf(gnb, amf, ids) {
            Ok(pin) if self.pins.get(pin).is_some_and(|it| it.amf == amf) => {
                let new = NewIds { amf: self.towards_gnb(pin, ids), ..NewIds::default() };
                self.send_down(pin, write::with_ids(message, bytes, &new)?);
                if about {
                    self.counts.mismatches += 1;
                    self.end(pin);
                }
            }
            _ => {
                self.counts.unexpected += u64::from(ids == UeIds::default());
                self.release_named(gnb, Some(amf), ids, &Cause::INCONSISTENT_REMOTE_ID);
            }
        }
        Ok(())
    }
}
