//! RAN Configuration Update (TS 38.413 8.7.2), AMF Configuration Update (8.7.3) and AMF Status Indication (8.7.6).

use bytes::{Bytes, BytesMut};
use pinion_protocols::ngap::value::{
    Cause, GlobalRanNodeId, List, SupportedTaList, TnlFailure, TnlToAdd, UnavailableGuamiList,
};
use pinion_protocols::ngap::{Change, ElementType, Error, Message, Outcome, Procedure};

use crate::amfs::AmfId;
use crate::front::{Due, FrontEnd, Leg, Output};
use crate::gnbs::{Gathering, GnbId, Phase, Telling};
use crate::settings::AmfIds;
use crate::upstreams::State;
use crate::write;

/// What names a gNB or its associations, which is no AMF's business.
const ITS_OWN: [ElementType; 2] = [ElementType::GlobalRanNodeId, ElementType::RanTnlToRemoveList];

/// Default Paging DRX for NB-IoT.
const NB_IOT_PAGING_DRX: ElementType = ElementType::Other(204);

impl FrontEnd {
    /// The first procedure of another association of a gNB (8.7.2.2).
    pub(crate) fn join(&mut self, association: u64, message: &Message<'_>) -> Result<(), Error> {
        let node: GlobalRanNodeId = message.need(ElementType::GlobalRanNodeId)?;
        let most = usize::from(self.settings.bounds.associations);
        let known = self.by_node.get(&node).copied();
        let found = known.and_then(|id| self.gnbs.get_mut(&id)).filter(|gnb| gnb.phase == Phase::Up);
        let (Some(id), Some(gnb)) = (known, found) else {
            self.counts.unexpected += 1;
            let failure = write::failure(Procedure::RanConfigurationUpdate, &Cause::NOT_COMPATIBLE, None);
            self.say(Leg::Gnb(association), 0, failure);
            return Ok(());
        };
        if gnb.associations.len() >= most {
            self.associations.remove(&association);
            self.push(Output::Close { leg: Leg::Gnb(association) });
            return Ok(());
        }
        gnb.associations.push(association);
        if let Some(tnla) = self.associations.get_mut(&association) {
            tnla.gnb = Some(id);
        }
        self.ran_update(id, association, message)
    }

    /// RAN Configuration Update: asked of all AMFs, where it says anything to them.
    pub(crate) fn ran_update(&mut self, gnb: GnbId, association: u64, message: &Message<'_>) -> Result<(), Error> {
        let mut says = false;
        for raw in message.elements() {
            says |= !ITS_OWN.contains(&raw?.kind());
        }
        if !says {
            self.say(Leg::Gnb(association), 0, write::ran_update_acknowledge());
            return Ok(());
        }
        let areas: Option<SupportedTaList> = message.get(ElementType::SupportedTaList)?;
        let node = self.gnbs.get(&gnb).map(|gnb| &gnb.node);
        let refusal = areas.and_then(|areas| self.settings.admission.refusal(node?, Some(&areas)));
        if let Some(cause) = refusal {
            let failure = write::failure(Procedure::RanConfigurationUpdate, &cause, None);
            self.say(Leg::Gnb(association), 0, failure);
            return Ok(());
        }
        let update = write::without(message, &ITS_OWN)?;
        let Some(it) = self.gnbs.get_mut(&gnb) else { return Ok(()) };
        if it.update.is_none() {
            self.begin_update(gnb, association, update);
        } else if it.updates.len() < self.settings.bounds.remembered.into() {
            // AMFs' answers do not say which one they are to.
            it.updates.push_back((association, update));
        } else {
            let failure = write::failure(Procedure::RanConfigurationUpdate, &Cause::OVERLOAD, None);
            self.say(Leg::Gnb(association), 0, failure);
        }
        self.settle_update(gnb);
        Ok(())
    }

    fn begin_update(&mut self, gnb: GnbId, association: u64, update: Bytes) {
        let until = self.after(self.settings.timers.answer);
        let Some(it) = self.gnbs.get(&gnb) else { return };
        let waiting: std::collections::BTreeSet<_> = it.up().map(|(amf, _)| amf).collect();
        for &amf in &waiting {
            self.send_amf(gnb, amf, Ok(update.clone()));
        }
        self.remind(until, Due::Gnb(gnb));
        let gathering = Gathering { association, waiting, accepted: false, cause: None, until };
        if let Some(it) = self.gnbs.get_mut(&gnb) {
            it.update = Some((gathering, update));
        }
    }

    /// An AMF accepted a gNB as it was before an update that others are answering.
    pub(crate) fn update_too(&mut self, gnb: GnbId, amf: AmfId) {
        let pending = self.gnbs.get_mut(&gnb).and_then(|gnb| gnb.update.as_mut());
        let update = pending.map(|(gathering, update)| {
            gathering.waiting.insert(amf);
            update.clone()
        });
        if let Some(update) = update {
            self.send_amf(gnb, amf, Ok(update));
        }
    }

    /// An AMF's answer to RAN Configuration Update.
    pub(crate) fn update_answer(&mut self, gnb: GnbId, amf: AmfId, message: &Message<'_>) {
        let gathering = self.gnbs.get_mut(&gnb).and_then(|gnb| gnb.update.as_mut());
        match gathering {
            Some((gathering, _)) if gathering.waiting.contains(&amf) => {
                gathering.waiting.remove(&amf);
                match message.outcome() {
                    Outcome::Successful => gathering.accepted = true,
                    _ => gathering.cause = message.get(ElementType::Cause).ok().flatten(),
                }
            }
            _ => self.counts.unexpected += 1,
        }
        self.settle_update(gnb);
    }

    /// Answers RAN Configuration Update once no AMF is waited for, and begins with the next.
    pub(crate) fn settle_update(&mut self, gnb: GnbId) {
        let now = self.now;
        let over = |(it, _): &mut (Gathering, Bytes)| it.waiting.is_empty() || it.until <= now;
        while let Some(it) = self.gnbs.get_mut(&gnb)
            && let Some((gathering, update)) = it.update.take_if(over)
        {
            let next = it.updates.pop_front();
            self.answer_update(gnb, gathering, &update);
            if let Some((association, update)) = next {
                self.begin_update(gnb, association, update);
            }
        }
    }

    /// Answers RAN Configuration Update: with success where an AMF accepted it.
    fn answer_update(&mut self, gnb: GnbId, gathering: Gathering, update: &[u8]) {
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        self.counts.unanswered += gathering.waiting.len() as u64;
        let leg = Leg::Gnb(gathering.association);
        if !gathering.accepted {
            let cause = gathering.cause.unwrap_or(Cause::TRANSPORT_UNAVAILABLE);
            return self.say(leg, 0, write::failure(Procedure::RanConfigurationUpdate, &cause, None));
        }
        match Message::parse(&it.setup).and_then(|setup| applied(&setup, update)) {
            Ok(setup) => it.setup = setup,
            Err(error) => tracing::warn!(%error, "a gNB's configuration could not be kept"),
        }
        let stale = it.upstreams.iter().filter(|(_, upstream)| matches!(upstream.state, State::Asked { .. }));
        let stale: Vec<_> = stale.map(|(&amf, upstream)| (amf, upstream.id)).collect();
        for (amf, upstream) in stale {
            // It was asked with what is no longer so, and may accept only one NG Setup.
            self.upstreams.remove(&upstream);
            self.push(Output::Close { leg: Leg::Amf(upstream) });
            self.open(gnb, amf);
        }
        self.say(leg, 0, write::ran_update_acknowledge());
    }

    /// AMF Configuration Update of an AMF: the gNB is told what changes for it, and the AMF then is answered.
    pub(crate) fn amf_update(&mut self, gnb: GnbId, amf: AmfId, message: &Message<'_>) -> Result<(), Error> {
        let to_add: Option<List<TnlToAdd, 32>> = message.get(ElementType::TnlToAddList)?;
        let to_add = to_add.map_or_else(Vec::new, |list| list.0);
        // A gNB with an association past the front end would have UEs there that nobody here knows of.
        let failed = to_add.into_iter().map(|it| TnlFailure {
            address: it.address,
            cause: Cause::TRANSPORT_UNAVAILABLE,
            extensions: Default::default(),
        });
        let failed: Vec<_> = failed.collect();
        let upstream = self.gnbs.get_mut(&gnb).and_then(|gnb| gnb.upstreams.get_mut(&amf));
        let Some(upstream) = upstream else { return Ok(()) };
        let served = upstream.served.updated(message)?;
        if message.elements().find(ElementType::ServedGuamiList)?.is_some() {
            upstream.unavailable.retain(|it| !served.has(&it.guami));
        }
        upstream.served = self.amfs.shared(amf, served);
        let until = self.after(self.settings.timers.answer);
        if self.tell(gnb)
            && let Some(gnb) = self.gnbs.get_mut(&gnb)
        {
            let telling = gnb.telling.get_or_insert_with(|| Telling { waiting: Vec::new(), until });
            telling.waiting.push((amf, failed));
        } else {
            self.send_amf(gnb, amf, write::amf_update_acknowledge(failed));
        }
        Ok(())
    }

    /// Tells a gNB what its AMFs are together, where that changed. True: it is to acknowledge it.
    pub(crate) fn tell(&mut self, gnb: GnbId) -> bool {
        let Some(it) = self.gnbs.get(&gnb).filter(|it| it.phase == Phase::Up) else { return false };
        let merged = self.merged(it);
        let digest = merged.digest();
        if merged.is_empty() || digest == it.told && it.telling.is_none() {
            return false;
        }
        let until = self.after(self.settings.timers.answer);
        let Some(it) = self.gnbs.get_mut(&gnb) else { return false };
        if it.telling.is_some() {
            it.stale |= digest != it.told;
            return true;
        }
        it.told = digest;
        it.telling = Some(Telling { waiting: Vec::new(), until });
        let update = write::amf_update(&self.amf_name(), merged);
        self.send_gnb(gnb, update);
        self.remind(until, Due::Gnb(gnb));
        true
    }

    /// A gNB's answer to AMF Configuration Update.
    pub(crate) fn told(&mut self, gnb: GnbId, message: &Message<'_>) {
        let cause = match message.outcome() {
            Outcome::Successful => None,
            _ => Some(message.get(ElementType::Cause).ok().flatten().unwrap_or(Cause::UNSPECIFIED)),
        };
        self.telling_over(gnb, cause.as_ref());
    }

    pub(crate) fn overdue_telling(&mut self, gnb: GnbId) {
        let telling = self.gnbs.get(&gnb).and_then(|gnb| gnb.telling.as_ref());
        if telling.is_some_and(|telling| telling.until <= self.now) {
            self.counts.unanswered += 1;
            self.telling_over(gnb, Some(&Cause::UNSPECIFIED));
        }
    }

    fn telling_over(&mut self, gnb: GnbId, cause: Option<&Cause>) {
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        let stale = std::mem::take(&mut it.stale);
        let Some(telling) = it.telling.take() else {
            self.counts.unexpected += 1;
            return;
        };
        for (amf, failed) in telling.waiting {
            let answer = match cause {
                None => write::amf_update_acknowledge(failed),
                Some(cause) => write::failure(Procedure::AmfConfigurationUpdate, cause, None),
            };
            self.send_amf(gnb, amf, answer);
        }
        if stale {
            self.tell(gnb);
        }
    }

    /// AMF Status Indication: UEs of the GUAMIs go to other AMFs, those of which the AMF keeps time only when they come anew.
    pub(crate) fn amf_status(&mut self, gnb: GnbId, amf: AmfId, message: &Message<'_>) -> Result<(), Error> {
        let list: UnavailableGuamiList = message.need(ElementType::UnavailableGuamiList)?;
        let at_once: Vec<_> = list.0.iter().filter(|it| !it.timer).map(|it| it.guami).collect();
        let upstream = self.gnbs.get_mut(&gnb).and_then(|gnb| gnb.upstreams.get_mut(&amf));
        let Some(upstream) = upstream else { return Ok(()) };
        for it in list.0 {
            upstream.unavailable.retain(|other| other.guami != it.guami);
            if upstream.served.has(&it.guami) {
                upstream.unavailable.push(it);
            }
        }
        if self.settings.amf_ids == AmfIds::SetUnique {
            for id in self.pins_of(gnb, amf) {
                if let Some(pin) = self.pins.get_mut(id) {
                    pin.unbound |= pin.guami.is_some_and(|guami| at_once.contains(&guami));
                }
            }
        }
        Ok(())
    }

    /// An AMF answers nothing any more.
    pub(crate) fn unanswered_by(&mut self, gnb: GnbId, amf: AmfId) {
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        if let Some((gathering, _)) = &mut it.update {
            gathering.waiting.remove(&amf);
        }
        if let Some((gathering, _)) = &mut it.reset {
            gathering.waiting.remove(&amf);
        }
        for reset in it.resets.iter_mut().filter(|reset| reset.amf == Some(amf)) {
            reset.amf = None;
        }
        it.asked.retain(|asked| asked.amf != amf);
        it.routing.retain(|(_, other)| *other != amf);
        if let Some(telling) = &mut it.telling {
            telling.waiting.retain(|(other, _)| *other != amf);
        }
        self.settle_update(gnb);
        self.settle_reset(gnb);
    }
}

/// A gNB's NG Setup Request as it is after a RAN Configuration Update.
fn applied(setup: &Message<'_>, update: &[u8]) -> Result<Bytes, Error> {
    let update = Message::parse(update)?;
    let mut new = Vec::new();
    for raw in update.elements() {
        new.push(raw?);
    }
    let known = |kind| {
        matches!(
            kind,
            ElementType::RanNodeName
                | ElementType::SupportedTaList
                | ElementType::DefaultPagingDrx
                | ElementType::ExtendedRanNodeName
                | NB_IOT_PAGING_DRX
        )
    };
    new.retain(|raw| known(raw.kind()));
    let mut out = BytesMut::new();
    let mut writer = pinion_protocols::ngap::MessageWriter::like(&mut out, setup);
    writer.splice(setup, |old, writer| {
        let Some(at) = new.iter().position(|raw| raw.kind() == old.kind()) else { return Ok(Change::Keep) };
        writer.copy(&new.remove(at));
        Ok(Change::Done)
    })?;
    for raw in &new {
        writer.copy(raw);
    }
    writer.finish()?;
    Ok(out.freeze())
}
