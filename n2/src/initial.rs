//! Initial UE Message (TS 38.413 8.6.1) and Reroute NAS Request (8.6.5): which AMF a UE gets.

use bytes::{Bytes, BytesMut};
use pinion_protocols::nas;
use pinion_protocols::ngap::value::{AmfSetId, Cause, Plmn, RanUeNgapId, RrcEstablishmentCause, UserLocation};
use pinion_protocols::ngap::{ElementType, Error, FiveGSTmsi, Guami, Message, UeIds};

use crate::amfs::{AmfId, gave, set_of};
use crate::front::{AmfOrigin, FrontEnd, Leg, Origin};
use crate::gnbs::GnbId;
use crate::pins::{Pin, PinId};
use crate::settings::AmfIds;
use crate::uplink::own_stream;
use crate::upstreams::{self, Upstream};

/// What says which AMF a UE gets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// The AMF set that the message was rerouted to.
    set: Option<u16>,
    /// Who the UE is to its AMF.
    tmsi: Option<FiveGSTmsi>,
    guami: Option<Guami>,
    plmn: Option<Plmn>,
    cause: Option<RrcEstablishmentCause>,
    /// An AMF that does not want it.
    not: Option<AmfId>,
}

impl Wish {
    fn read(message: &Message<'_>) -> Result<Self, Error> {
        let tmsi = message.get(ElementType::FiveGSTmsi)?;
        let location = message.get::<UserLocation>(ElementType::UserLocationInformation)?;
        let selected = message.get(ElementType::SelectedPlmn)?;
        Ok(Self {
            set: message.get::<AmfSetId>(ElementType::AmfSetId)?.map(|set| set.0),
            tmsi,
            guami: if tmsi.is_none() { identity(message)? } else { None },
            plmn: selected.or(location.and_then(|location| location.tai()).map(|tai| tai.plmn)),
            cause: message.get(ElementType::RrcEstablishmentCause)?,
            not: None,
        })
    }

    /// Whether an AMF gave the UE its identity.
    fn is_owner(&self, upstream: &Upstream) -> bool {
        match (self.tmsi, &self.guami) {
            (Some(tmsi), _) => upstream.offered().any(|it| gave(it, tmsi)),
            (None, Some(guami)) => upstream.offered().any(|it| it == guami),
            (None, None) => false,
        }
    }

    /// Whether an AMF stands in for one that gave up the GUAMI of the UE (8.7.6).
    fn is_backup<'a>(&self, upstream: &Upstream, mut others: impl Iterator<Item = &'a Upstream>) -> bool {
        others.any(|other| {
            let given_up = other.unavailable.iter().filter(|it| match (self.tmsi, &self.guami) {
                (Some(tmsi), _) => gave(&it.guami, tmsi),
                (None, guami) => *guami == Some(it.guami),
            });
            given_up.filter_map(|it| it.backup.as_ref()).any(|backup| upstream.is_named(backup))
        })
    }

    /// Whether an AMF is of the set of the one that gave the UE its identity.
    fn is_akin(&self, upstream: &Upstream) -> bool {
        match (self.tmsi, &self.guami) {
            (Some(tmsi), _) => upstream.offered().any(|it| it.set == tmsi.set),
            (None, Some(guami)) => upstream.offered().any(|it| set_of(it) == set_of(guami)),
            (None, None) => false,
        }
    }

    fn is_in_named_set(&self, upstream: &Upstream) -> bool {
        self.set.is_some_and(|set| upstream.offered().any(|it| it.set == set))
    }
}

/// The GUAMI within the 5G-GUTI of a request in the clear.
fn identity(message: &Message<'_>) -> Result<Option<Guami>, Error> {
    let Some(raw) = message.elements().find(ElementType::NasPdu)? else { return Ok(None) };
    let pdu = raw.octets()?.joined();
    let identity = nas::Message::parse(&pdu).and_then(|message| message.identity());
    Ok(match identity {
        Ok(Some(nas::Identity::Guti { guami, .. })) => Some(guami),
        _ => None,
    })
}

impl FrontEnd {
    /// A UE's first message.
    pub(crate) fn initial(&mut self, from: Origin, message: &Message<'_>, bytes: &Bytes) -> Result<(), Error> {
        let ran = message.need::<RanUeNgapId>(ElementType::RanUeNgapId)?.0;
        let wish = Wish::read(message)?;
        let Some(amf) = self.make_room(from, ran).then(|| self.choose(from.gnb, &wish)).flatten() else {
            self.counts.refused += 1;
            let ids = UeIds { amf: None, ran: Some(ran) };
            self.indicate(Leg::Gnb(from.association), from.stream, ids, &Cause::UNSPECIFIED);
            return Ok(());
        };
        let pin = self.pin(from, ran, amf, None);
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
    pub(crate) fn pin(&mut self, from: Origin, ran: u32, amf: AmfId, source: Option<PinId>) -> PinId {
        let (down, up) = (self.streams_down(from.association), self.streams_up(from.gnb, amf));
        self.admit(Pin {
            gnb: from.gnb,
            ran: Some(ran),
            amf,
            ids: None,
            before: None,
            association: from.association,
            streams: (own_stream(down, from.stream, ran.into()), upstreams::stream(up, ran.into())),
            unbound: false,
            guami: source.and_then(|source| self.pins.get(source)?.guami),
            source,
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
        let chosen = self.choose(gnb, &wish);
        let upstreams = self.gnbs.get(&gnb).map(|gnb| &gnb.upstreams);
        let in_set = |amf| upstreams.and_then(|all| all.get(&amf)).is_some_and(|it| wish.is_in_named_set(it));
        let Some(other) = chosen.filter(|&amf| in_set(amf)) else {
            self.counts.refused += 1;
            self.release_at_gnb(pin, &Cause::UNSPECIFIED);
            return Ok(());
        };
        self.counts.rerouted += 1;
        let mut known = None;
        self.pins.change(pin, |it| known = it.ids.take());
        if let Some(known) = known {
            self.release(known);
        }
        self.move_pin(pin, other);
        self.watch(pin);
        self.send_up(pin, inner.freeze());
        Ok(())
    }

    /// An AMF for a UE: whoever knows it, else one of the set, else any, by capacity; one that has too much to do only where
    /// no other is.
    pub(crate) fn choose(&mut self, gnb: GnbId, wish: &Wish) -> Option<AmfId> {
        let it = self.gnbs.get(&gnb)?;
        let mut open: Vec<(AmfId, &Upstream, u64, bool)> = Vec::with_capacity(it.upstreams.len());
        for (id, upstream) in it.up() {
            let Some(amf) = self.amfs.get(id).filter(|amf| amf.is_open() && wish.not != Some(id)) else {
                continue;
            };
            let weight = u64::from(upstream.served.capacity).saturating_mul(amf.config.weight.into());
            // One that gave up all of its GUAMIs is leaving.
            if weight > 0 && upstream.offered().next().is_some() {
                let shed = match &upstream.overload {
                    Some(overload) => overload.sheds(wish.cause, &mut self.random),
                    None => false,
                };
                open.push((id, upstream, weight, shed));
            }
        }
        if let Some(plmn) = wish.plmn
            && open.iter().any(|(_, upstream, ..)| upstream.served.serves(plmn))
        {
            open.retain(|(_, upstream, ..)| upstream.served.serves(plmn));
        }
        let others = || it.upstreams.values();
        let levels: [&dyn Fn(&Upstream) -> bool; 5] = [
            &|upstream| wish.is_in_named_set(upstream),
            &|upstream| wish.is_owner(upstream),
            &|upstream| wish.is_backup(upstream, others()),
            &|upstream| wish.is_akin(upstream),
            &|_| true,
        ];
        let roll = self.random.word();
        let mut steered = false;
        for loaded in [false, true] {
            for level in levels {
                steered |= !loaded && open.iter().any(|it| it.3 && level(it.1));
                let fit = || open.iter().filter(|it| it.3 == loaded && level(it.1));
                let total = fit().fold(0_u64, |sum, it| sum.saturating_add(it.2));
                let Some(mut left) = u64::from(roll).checked_rem(total) else { continue };
                let chosen = fit().find(|it| match left.checked_sub(it.2) {
                    Some(less) => {
                        left = less;
                        false
                    }
                    None => true,
                });
                self.counts.steered += u64::from(steered && !loaded);
                return chosen.map(|it| it.0);
            }
        }
        None
    }

    /// Has a UE whose AMF let it go go on with another AMF of the set, where that knows it by the same identifier; else with
    /// its own. False: there is none.
    pub(crate) fn rebind(&mut self, pin: PinId) -> bool {
        let Some(it) = self.pins.get(pin) else { return false };
        let (gnb, old, ids, guami) = (it.gnb, it.amf, it.ids, it.guami);
        let wish = Wish { guami, not: Some(old), ..Wish::default() };
        let able = self.settings.amf_ids == AmfIds::SetUnique || ids.is_none();
        let other = if able { self.choose_akin(gnb, old, &wish) } else { None };
        let moved = match (other, ids) {
            (Some(other), Some(ids)) => self.identities.rebind(ids.here, other, ids.amf),
            (other, None) => other.is_some(),
            (None, Some(_)) => false,
        };
        if let Some(other) = other.filter(|_| moved) {
            self.move_pin(pin, other);
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
        let chosen = self.choose(gnb, wish).filter(|&amf| self.same_set(gnb, old, amf));
        chosen.or_else(|| {
            let it = self.gnbs.get(&gnb)?;
            let mut akin = it.up().map(|(amf, _)| amf).filter(|&amf| amf != old);
            akin.find(|&amf| self.same_set(gnb, old, amf) && self.amfs.is_open(amf))
        })
    }
}
