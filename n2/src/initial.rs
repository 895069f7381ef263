//! Initial UE Message (TS 38.413 8.6.1) and Reroute NAS Request (8.6.5): which AMF a UE gets.

use bytes::{Bytes, BytesMut};
use pinion_protocols::ngap::value::{AmfSetId, Cause, RanUeNgapId};
use pinion_protocols::ngap::{ElementType, Error, Message, Procedure, UeIds};

use crate::amfs::AmfId;
use crate::choice::{Identity, Rule, Wish};
use crate::front::{AmfOrigin, FrontEnd, Leg, Origin};
use crate::gnbs::GnbId;
use crate::pins::{Pin, PinId, Reason};
use crate::procedures::{Answerer, Subject};
use crate::settings::AmfIds;
use crate::uplink::own_stream;
use crate::upstreams;

/// How often AMFs may send an initial message on to each other.
const MOST_REROUTES: u8 = 4;

impl FrontEnd {
    /// A UE's first message.
    pub(crate) fn initial(&mut self, from: Origin, message: &Message<'_>, bytes: &Bytes) -> Result<(), Error> {
        let ran = message.need::<RanUeNgapId>(ElementType::RanUeNgapId)?.0;
        let wish = Wish::read(message)?;
        let Some((amf, points)) = self.make_room(from, ran).then(|| self.choose(from.gnb, &wish)).flatten() else {
            self.counts.refused += 1;
            let ids = UeIds { amf: None, ran: Some(ran) };
            self.indicate(Leg::Gnb(from.association), from.stream, ids, &Cause::UNSPECIFIED);
            return Ok(());
        };
        let pin = self.pin(from, ran, amf, Reason::Chosen(points), None);
        if let Some(it) = self.pins.get_mut(pin) {
            (it.identity, it.plmn) = (wish.identity, wish.plmn);
        }
        self.begin(Subject::Ue(pin), Procedure::InitialUeMessage, Answerer::Amf);
        self.send_up(pin, bytes.clone());
        Ok(())
    }

    /// Ends what a gNB's number was for before, and says whether there may be one UE more.
    pub(crate) fn make_room(&mut self, from: Origin, ran: u32) -> bool {
        if let Some(old) = self.pins.by_ran(from.gnb, ran) {
            self.release_at_amf(old, &Cause::UNKNOWN_LOCAL_ID);
        }
        self.has_room()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.pins.len() < usize::try_from(self.settings.bounds.ues).unwrap_or(usize::MAX)
    }

    /// Takes a UE of a gNB, whose identifier its AMF has not said yet. `source`: where it was before.
    pub(crate) fn pin(
        &mut self,
        from: Origin,
        ran: u32,
        amf: AmfId,
        reason: Reason,
        source: Option<PinId>,
    ) -> PinId {
        let (down, up) = (self.streams_down(from.association), self.streams_up(from.gnb, amf));
        let before = source.and_then(|source| self.pins.get(source));
        let (identity, plmn, guami) = before.map_or((None, None, None), |it| (it.identity, it.plmn, it.guami));
        self.admit(Pin {
            gnb: from.gnb,
            ran: Some(ran),
            amf,
            ids: None,
            before: None,
            association: from.association,
            streams: (own_stream(down, from.stream, ran.into()), upstreams::stream(up, ran.into())),
            unbound: false,
            identity,
            plmn,
            guami,
            reason,
            reroutes: 0,
            source,
            since: self.now,
            until: self.now,
        })
    }

    /// Takes a UE, which is to become complete.
    pub(crate) fn admit(&mut self, pin: Pin) -> PinId {
        self.counts.pinned += 1;
        self.count_pin(pin.gnb, pin.amf, true);
        let pin = self.pins.insert(pin);
        self.watch(pin);
        pin
    }

    /// Reroute NAS Request: what is within goes to an AMF of the set that it names.
    pub(crate) fn reroute(&mut self, from: AmfOrigin, message: &Message<'_>) -> Result<(), Error> {
        let AmfOrigin { gnb, amf, .. } = from;
        let ids = message.ids()?;
        let found = ids.ran.and_then(|ran| self.pins.by_ran(gnb, ran));
        let found = found.filter(|&id| self.pins.get(id).is_some_and(|pin| pin.amf == amf));
        let Some(pin) = found else {
            let kind = (message.procedure(), message.outcome());
            self.amf_mismatch(from, ids, kind, &Cause::UNKNOWN_LOCAL_ID);
            return Ok(());
        };
        let mut inner = BytesMut::new();
        message.rerouted(&mut inner)?;
        let set = message.need::<AmfSetId>(ElementType::AmfSetId)?.0;
        let wish = Wish { set: Some(set), not: Some(amf), ..Wish::default() };
        // AMFs that name each other's sets would go on for ever.
        let again = self.pins.get(pin).is_some_and(|it| it.reroutes < MOST_REROUTES);
        let chosen = if again { self.choose(gnb, &wish) } else { None };
        let Some((other, points)) = chosen.filter(|(_, points)| points.has(Rule::NamedSet)) else {
            self.counts.refused += 1;
            self.release_at_gnb(pin, &Cause::UNSPECIFIED);
            return Ok(());
        };
        self.counts.rerouted += 1;
        let mut known = None;
        self.pins.change(pin, |it| {
            known = it.ids.take();
            it.reroutes = it.reroutes.saturating_add(1);
        });
        if let Some(known) = known {
            self.release(known);
        }
        self.move_pin(pin, other, Reason::Rerouted(points));
        self.watch(pin);
        self.send_up(pin, inner.freeze());
        Ok(())
    }

    /// Has a UE whose AMF let it go go on with another AMF of the set, where that knows it by the same identifier; else with
    /// its own. False: there is none.
    pub(crate) fn rebind(&mut self, pin: PinId) -> bool {
        let Some(it) = self.pins.get(pin) else { return false };
        let (gnb, old, ids, guami) = (it.gnb, it.amf, it.ids, it.guami);
        let identity = guami.map(|guami| Identity::Guami(guami, None));
        let wish = Wish { identity, not: Some(old), ..Wish::default() };
        let able = self.settings.amf_ids == AmfIds::SetUnique || ids.is_none();
        let other = if able { self.choose_akin(gnb, old, &wish) } else { None };
        let moved = match (other, ids) {
            (Some(other), Some(ids)) => self.identities.rebind(ids.here, other, ids.amf),
            (other, None) => other.is_some(),
            (None, Some(_)) => false,
        };
        if let Some(other) = other.filter(|_| moved) {
            self.move_pin(pin, other, Reason::Rebound);
            return true;
        }
        if self.is_up(gnb, old) {
            if let Some(it) = self.pins.get_mut(pin) {
                it.unbound = false;
            }
            return true;
        }
        false
    }

    /// An AMF of the set of another one, by capacity.
    pub(crate) fn choose_akin(&mut self, gnb: GnbId, old: AmfId, wish: &Wish) -> Option<AmfId> {
        let chosen = self.choose(gnb, wish).map(|it| it.0).filter(|&amf| self.same_set(gnb, old, amf));
        chosen.or_else(|| {
            let it = self.gnbs.get(&gnb)?;
            let mut akin = it.up().map(|(amf, _)| amf).filter(|&amf| amf != old);
            akin.find(|&amf| self.same_set(gnb, old, amf) && self.amfs.is_open(amf))
        })
    }
}
