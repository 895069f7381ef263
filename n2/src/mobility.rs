//! UEs that come from another gNB: Handover Request (TS 38.413 8.4.2) and Path Switch Request (8.4.4).

use bytes::Bytes;
use pinion_protocols::ngap::value::{AmfUeNgapId, Cause, RanUeNgapId};
use pinion_protocols::ngap::{ElementType, Error, Guami, Message, NewIds, UeIds};

use crate::amfs::AmfId;
use crate::front::{AmfOrigin, FrontEnd, Leg, Origin};
use crate::gnbs::{GnbId, Phase};
use crate::pins::{Ids, Pin, PinId, Reason};
use crate::procedures::{Answerer, Subject};
use crate::settings::AmfIds;
use crate::{upstreams, write};

impl FrontEnd {
    /// Handover Request: a second pin of the UE, which the gNB's answer completes. Both live until they are released.
    pub(crate) fn handover_request(
        &mut self,
        from: AmfOrigin,
        message: &Message<'_>,
        bytes: &Bytes,
    ) -> Result<(), Error> {
        let AmfOrigin { gnb, amf, .. } = from;
        let id = message.need::<AmfUeNgapId>(ElementType::AmfUeNgapId)?.0;
        if self.gnbs.get(&gnb).is_none_or(|it| it.phase != Phase::Up) {
            self.counts.unexpected += 1;
            self.send_amf(gnb, amf, write::handover_failure(id, &Cause::NOT_COMPATIBLE));
            return Ok(());
        }
        // One that came twice is not for a second one.
        let again = self.pins.by_amf(gnb, amf, id);
        let again = again.filter(|&pin| self.pins.get(pin).is_some_and(|pin| pin.ran.is_none()));
        let pin = match again {
            Some(pin) => Some(pin),
            None if self.has_room() => {
                let guami = message.get(ElementType::Guami)?;
                self.target(gnb, amf, id, guami)
            }
            None => None,
        };
        let Some(pin) = pin else {
            self.counts.refused += 1;
            self.send_amf(gnb, amf, write::handover_failure(id, &Cause::OVERLOAD));
            return Ok(());
        };
        self.begin(Subject::Ue(pin), message.procedure(), Answerer::Gnb);
        let ids = UeIds { amf: Some(id), ran: None };
        let new = NewIds { amf: self.towards_gnb(pin, ids), ..NewIds::default() };
        self.send_down(pin, write::with_ids(message, bytes, &new)?);
        Ok(())
    }

    /// A pin at the gNB that a UE is handed over to.
    fn target(&mut self, gnb: GnbId, amf: AmfId, id: u64, guami: Option<Guami>) -> Option<PinId> {
        let here = self.hold(gnb, amf, id)?;
        let it = self.gnbs.get_mut(&gnb)?;
        it.turn = it.turn.wrapping_add(1);
        let (turn, association) = (it.turn, it.associations.first().copied().unwrap_or_default());
        let (down, up) = (self.streams_down(association), self.streams_up(gnb, amf));
        Some(self.admit(Pin {
            gnb,
            ran: None,
            amf,
            ids: Some(Ids { amf: id, here }),
            before: None,
            association,
            streams: (upstreams::stream(down, turn), upstreams::stream(up, turn)),
            unbound: false,
            identity: None,
            plmn: None,
            guami,
            reason: Reason::HandedOver,
            reroutes: 0,
            source: None,
            since: self.now,
            until: self.now,
        }))
    }

    /// Path Switch Request: the UE is at this gNB now, and is named by the identifier that it had at the other.
    pub(crate) fn path_switch(&mut self, from: Origin, message: &Message<'_>, bytes: &Bytes) -> Result<(), Error> {
        let ran = message.need::<RanUeNgapId>(ElementType::RanUeNgapId)?.0;
        let source = message.need::<AmfUeNgapId>(ElementType::SourceAmfUeNgapId)?.0;
        let known = self.identities.of(source);
        let target = known.and_then(|(amf, _)| self.able(from.gnb, amf));
        let ids = UeIds { amf: Some(source), ran: Some(ran) };
        let (Some((_, id)), Some(amf)) = (known, target) else {
            self.indicate(Leg::Gnb(from.association), from.stream, ids, &Cause::UNKNOWN_LOCAL_ID);
            return Ok(());
        };
        if !self.make_room(from, ran) {
            self.counts.refused += 1;
            self.indicate(Leg::Gnb(from.association), from.stream, ids, &Cause::OVERLOAD);
            return Ok(());
        }
        let old = self.pins.everywhere(source).next();
        let pin = self.pin(from, ran, amf, Reason::PathSwitched, old);
        self.begin(Subject::Ue(pin), message.procedure(), Answerer::Amf);
        let new = NewIds { source_amf: (id != source).then_some(id), ..NewIds::default() };
        self.send_up(pin, write::with_ids(message, bytes, &new)?);
        Ok(())
    }

    /// The AMF that has a UE, as far as a gNB is set up with it; else one that knows the UE by the same identifier.
    fn able(&mut self, gnb: GnbId, amf: AmfId) -> Option<AmfId> {
        if self.is_up(gnb, amf) {
            return Some(amf);
        }
        let unique = self.settings.amf_ids == AmfIds::SetUnique;
        if unique { self.choose_akin(gnb, amf, &crate::choice::Wish::default()) } else { None }
    }

    /// The path is switched: the source gNB let the UE go without a word on N2.
    pub(crate) fn switched(&mut self, pin: PinId) {
        let source = self.pins.get_mut(pin).and_then(|pin| pin.source.take());
        if let Some(source) = source {
            self.end(source);
        }
    }
}
