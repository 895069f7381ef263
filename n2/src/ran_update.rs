//! RAN Configuration Update (TS 38.413 8.7.2): asked of all AMFs, answered once.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use pinion_protocols::ngap::value::{Cause, GlobalRanNodeId, SupportedTaList};
use pinion_protocols::ngap::{Change, ElementType, Error, Message, MessageWriter, Outcome, Procedure};

use crate::amfs::AmfId;
use crate::front::{Due, FrontEnd, Leg, Output};
use crate::gnbs::{Gathering, GnbId, Phase};
use crate::procedures::{Answerer, Ended, Subject};
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
        let waiting: BTreeSet<_> = it.up().map(|(amf, _)| amf).collect();
        self.begin(Subject::Gnb(gnb), Procedure::RanConfigurationUpdate, Answerer::FrontEnd);
        for &amf in &waiting {
            self.ask_update(gnb, amf, update.clone());
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
            self.ask_update(gnb, amf, update);
        }
    }

    fn ask_update(&mut self, gnb: GnbId, amf: AmfId, update: Bytes) {
        self.begin(Subject::Upstream(gnb, amf), Procedure::RanConfigurationUpdate, Answerer::Amf);
        self.send_amf(gnb, amf, Ok(update));
    }

    /// An AMF's answer to RAN Configuration Update.
    pub(crate) fn update_answer(&mut self, gnb: GnbId, amf: AmfId, message: &Message<'_>) {
        if self.is_late(gnb, Some(amf), Procedure::RanConfigurationUpdate) {
            return;
        }
        let ended = message.outcome().into();
        self.finish(Subject::Upstream(gnb, amf), Procedure::RanConfigurationUpdate, Answerer::Amf, ended);
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
        while let Some(it) = self.gnbs.get_mut(&gnb)
            && let Some((gathering, update)) = it.update.take_if(|(it, _)| it.is_over(now))
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
        self.give_up(gnb, &gathering.waiting, Procedure::RanConfigurationUpdate);
        let ended = if gathering.accepted { Ended::Successful } else { Ended::Unsuccessful };
        self.finish(Subject::Gnb(gnb), Procedure::RanConfigurationUpdate, Answerer::FrontEnd, ended);
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
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
    let mut writer = MessageWriter::like(&mut out, setup);
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
