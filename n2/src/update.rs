//! AMF Configuration Update (TS 38.413 8.7.3) and AMF Status Indication (8.7.6).

use pinion_protocols::ngap::value::{Cause, List, TnlFailure, TnlToAdd, UnavailableGuamiList};
use pinion_protocols::ngap::{ElementType, Error, Message, Outcome, Procedure};

use crate::amfs::AmfId;
use crate::front::{Due, FrontEnd};
use crate::gnbs::{GnbId, Phase, Telling};
use crate::procedures::{Answerer, Ended, Subject};
use crate::settings::AmfIds;
use crate::write;

impl FrontEnd {
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
        self.begin(Subject::Upstream(gnb, amf), Procedure::AmfConfigurationUpdate, Answerer::FrontEnd);
        if self.tell(gnb)
            && let Some(gnb) = self.gnbs.get_mut(&gnb)
        {
            let telling = gnb.telling.get_or_insert_with(|| Telling { waiting: Vec::new(), until });
            telling.waiting.push((amf, failed));
        } else {
            self.answer_amf(gnb, amf, failed, None);
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
        self.begin(Subject::Gnb(gnb), Procedure::AmfConfigurationUpdate, Answerer::Gnb);
        self.send_gnb(gnb, update);
        self.remind(until, Due::Gnb(gnb));
        true
    }

    /// A gNB's answer to AMF Configuration Update.
    pub(crate) fn told(&mut self, gnb: GnbId, message: &Message<'_>) {
        if self.is_late(gnb, None, Procedure::AmfConfigurationUpdate) {
            return;
        }
        let ended = message.outcome().into();
        self.finish(Subject::Gnb(gnb), Procedure::AmfConfigurationUpdate, Answerer::Gnb, ended);
        let cause = match message.outcome() {
            Outcome::Successful => None,
            _ => Some(message.get(ElementType::Cause).ok().flatten().unwrap_or(Cause::UNSPECIFIED)),
        };
        self.telling_over(gnb, cause.as_ref());
    }

    pub(crate) fn overdue_telling(&mut self, gnb: GnbId) {
        let telling = self.gnbs.get(&gnb).and_then(|gnb| gnb.telling.as_ref());
        if telling.is_some_and(|telling| telling.until <= self.now) {
            self.give_up_gnb(gnb, Procedure::AmfConfigurationUpdate);
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
            self.answer_amf(gnb, amf, failed, cause);
        }
        if stale {
            self.tell(gnb);
        }
    }

    /// Answers an AMF's update.
    fn answer_amf(&mut self, gnb: GnbId, amf: AmfId, failed: Vec<TnlFailure>, cause: Option<&Cause>) {
        let (answer, ended) = match cause {
            None => (write::amf_update_acknowledge(failed), Ended::Successful),
            Some(cause) => (write::failure(Procedure::AmfConfigurationUpdate, cause, None), Ended::Unsuccessful),
        };
        self.finish(Subject::Upstream(gnb, amf), Procedure::AmfConfigurationUpdate, Answerer::FrontEnd, ended);
        self.send_amf(gnb, amf, answer);
    }

    /// AMF Status Indication: UEs of the GUAMIs go to other AMFs, those of which the AMF keeps time only when they come anew.
    pub(crate) fn amf_status(&mut self, gnb: GnbId, amf: AmfId, message: &Message<'_>) -> Result<(), Error> {
        let list: UnavailableGuamiList = message.need(ElementType::UnavailableGuamiList)?;
        let at_once: Vec<_> = list.0.iter().filter(|it| !it.timer).map(|it| it.guami).collect();
        let Some(upstream) = self.upstream_mut(gnb, amf) else { return Ok(()) };
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
        it.late.retain(|(whose, ..)| *whose != Some(amf));
        it.routing.retain(|(_, other)| *other != amf);
        if let Some(telling) = &mut it.telling {
            telling.waiting.retain(|(other, _)| *other != amf);
        }
        self.settle_update(gnb);
        self.settle_reset(gnb);
    }
}
