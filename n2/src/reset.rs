//! NG Reset (TS 38.413 8.7.4), whose lists are parted by AMF and answered in their own order.

use std::collections::BTreeMap;

use bytes::BytesMut;
use pinion_protocols::ngap::value::{Cause, List, ResetType, UeConnection};
use pinion_protocols::ngap::{ElementType, Error, Message, Procedure, UeIds};

use crate::amfs::AmfId;
use crate::front::{Due, FrontEnd, Leg, Origin};
use crate::gnbs::{AmfReset, Gathering, Gnb, GnbId};
use crate::pins::PinId;
use crate::procedures::{Answerer, Ended, Subject};
use crate::write;

/// The most UEs of a list (9.2.6.11).
const MOST: usize = 65_536;

impl FrontEnd {
    /// NG Reset of a gNB: of all, or of a list.
    pub(crate) fn gnb_reset(&mut self, from: Origin, message: &Message<'_>) -> Result<(), Error> {
        let kind: ResetType = message.need(ElementType::ResetType)?;
        let mut lists = BTreeMap::<AmfId, Vec<UeConnection>>::new();
        let (pins, list) = match kind {
            ResetType::Other(_) => {
                self.counts.unexpected += 1;
                let leg = Leg::Gnb(from.association);
                self.indicate(leg, from.stream, UeIds::default(), &Cause::ABSTRACT_SYNTAX_ERROR);
                return Ok(());
            }
            ResetType::All => {
                let all = self.gnbs.get(&from.gnb).into_iter().flat_map(Gnb::up);
                lists.extend(all.map(|(amf, _)| (amf, Vec::new())));
                (self.pins.of_gnb(from.gnb).map(|(id, _)| id).collect(), Vec::new())
            }
            ResetType::Part(List(list)) => {
                let mut pins = Vec::with_capacity(list.len());
                for UeConnection(ids) in &list {
                    let Some(id) = self.meant_by_gnb(from.gnb, *ids) else { continue };
                    let Some(pin) = self.pins.get(id) else { continue };
                    pins.push(id);
                    let amf = ids.amf.and(pin.ids).map(|ids| ids.amf);
                    lists.entry(pin.amf).or_default().push(UeConnection(UeIds { amf, ran: ids.ran }));
                }
                (pins, list)
            }
        };
        // One that nobody answered is over.
        if let Some((gathering, list)) = self.gnbs.get_mut(&from.gnb).and_then(|gnb| gnb.reset.take()) {
            self.give_up(from.gnb, &gathering.waiting, Procedure::NgReset);
            self.say(Leg::Gnb(gathering.association), 0, write::reset_acknowledge(list));
        }
        self.begin(Subject::Gnb(from.gnb), Procedure::NgReset, Answerer::FrontEnd);
        let mut waiting = std::collections::BTreeSet::new();
        for (amf, list) in lists {
            if !self.is_up(from.gnb, amf) {
                continue;
            }
            let mut out = BytesMut::new();
            let kind = if list.is_empty() { ResetType::All } else { ResetType::Part(List(list)) };
            message.with_reset(&kind, &mut out)?;
            self.begin(Subject::Upstream(from.gnb, amf), Procedure::NgReset, Answerer::Amf);
            self.send_amf(from.gnb, amf, Ok(out.freeze()));
            waiting.insert(amf);
        }
        for pin in pins {
            self.counts.reset += u64::from(self.end(pin).is_some());
        }
        let until = self.after(self.settings.timers.answer);
        let association = from.association;
        let gathering = Gathering { association, waiting, accepted: true, cause: None, until };
        if let Some(gnb) = self.gnbs.get_mut(&from.gnb) {
            gnb.reset = Some((gathering, list));
        }
        self.remind(until, Due::Gnb(from.gnb));
        self.settle_reset(from.gnb);
        Ok(())
    }

    /// A UE as a gNB's list names it: by either identifier, or both.
    fn meant_by_gnb(&self, gnb: GnbId, ids: UeIds) -> Option<PinId> {
        match (ids.amf, ids.ran) {
            (Some(here), None) => self.pins.by_here(gnb, here),
            (here, Some(ran)) => {
                let id = self.pins.by_ran(gnb, ran)?;
                let pin = self.pins.get(id)?;
                here.is_none_or(|here| pin.known().any(|known| known.here == here)).then_some(id)
            }
            (None, None) => None,
        }
    }

    /// A UE as an AMF's list names it.
    fn meant_by_amf(&self, gnb: GnbId, amf: AmfId, ids: UeIds) -> Option<PinId> {
        let id = match (ids.amf, ids.ran) {
            (Some(id), None) => self.pins.by_amf(gnb, amf, id),
            (_, Some(ran)) => self.pins.by_ran(gnb, ran),
            (None, None) => None,
        }?;
        let pin = self.pins.get(id).filter(|pin| pin.amf == amf)?;
        ids.amf.is_none_or(|it| pin.known().any(|known| known.amf == it)).then_some(id)
    }

    /// NG Reset Acknowledge of an AMF.
    pub(crate) fn reset_answer(&mut self, gnb: GnbId, amf: AmfId) {
        if self.is_late(gnb, Some(amf), Procedure::NgReset) {
            return;
        }
        self.finish(Subject::Upstream(gnb, amf), Procedure::NgReset, Answerer::Amf, Ended::Successful);
        let gathering = self.gnbs.get_mut(&gnb).and_then(|gnb| gnb.reset.as_mut());
        match gathering {
            Some((gathering, _)) => drop(gathering.waiting.remove(&amf)),
            None => self.counts.unexpected += 1,
        }
        self.settle_reset(gnb);
    }

    /// Acknowledges a gNB's NG Reset once no AMF is waited for.
    pub(crate) fn settle_reset(&mut self, gnb: GnbId) {
        let now = self.now;
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        let Some((gathering, list)) = it.reset.take_if(|(it, _)| it.is_over(now)) else { return };
        self.give_up(gnb, &gathering.waiting, Procedure::NgReset);
        self.finish(Subject::Gnb(gnb), Procedure::NgReset, Answerer::FrontEnd, Ended::Successful);
        self.say(Leg::Gnb(gathering.association), 0, write::reset_acknowledge(list));
    }

    /// NG Reset of an AMF. Its whole interface is only a part of the gNB's: exactly its own UEs.
    pub(crate) fn amf_reset(&mut self, gnb: GnbId, amf: AmfId, message: &Message<'_>) -> Result<(), Error> {
        let kind: ResetType = message.need(ElementType::ResetType)?;
        let cause = message.get(ElementType::Cause)?.unwrap_or(Cause::UNSPECIFIED);
        let mut connections = Vec::new();
        let (pins, answer) = match kind {
            ResetType::Other(_) => {
                self.counts.unexpected += 1;
                let upstream = self.upstream(gnb, amf);
                if let Some(leg) = upstream.map(|it| Leg::Amf(it.id)) {
                    self.indicate(leg, 0, UeIds::default(), &Cause::ABSTRACT_SYNTAX_ERROR);
                }
                return Ok(());
            }
            ResetType::All => {
                let pins = self.pins_of(gnb, amf);
                let known = pins.iter().filter_map(|&pin| self.pins.get(pin));
                connections.extend(known.map(|pin| UeConnection(pin.at_gnb())));
                (pins, None)
            }
            ResetType::Part(List(list)) => {
                let mut pins = Vec::with_capacity(list.len());
                for UeConnection(ids) in &list {
                    let Some(id) = self.meant_by_amf(gnb, amf, *ids) else { continue };
                    let Some(pin) = self.pins.get(id) else { continue };
                    pins.push(id);
                    let here = ids.amf.and(pin.ids).map(|ids| ids.here);
                    connections.push(UeConnection(UeIds { amf: here, ran: ids.ran }));
                }
                (pins, Some(list))
            }
        };
        for pin in pins {
            self.counts.reset += u64::from(self.end(pin).is_some());
        }
        self.begin(Subject::Upstream(gnb, amf), Procedure::NgReset, Answerer::FrontEnd);
        self.reset_at_gnb(gnb, AmfReset { amf: Some(amf), answer, connections, cause, until: None });
        Ok(())
    }

    /// Has a gNB reset UEs, after what it is resetting now: its acknowledgements do not say of which.
    pub(crate) fn reset_at_gnb(&mut self, gnb: GnbId, mut reset: AmfReset) {
        if reset.connections.is_empty() {
            return self.reset_over(gnb, reset);
        }
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        while reset.connections.len() > MOST {
            let rest = reset.connections.split_off(MOST);
            let first = AmfReset { amf: None, answer: None, ..reset.clone() };
            it.resets.push_back(first);
            reset.connections = rest;
        }
        it.resets.push_back(reset);
        self.next_reset(gnb);
    }

    fn next_reset(&mut self, gnb: GnbId) {
        let until = self.after(self.settings.timers.answer);
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        let Some(reset) = it.resets.front_mut().filter(|it| it.until.is_none()) else { return };
        reset.until = Some(until);
        let message = write::reset(&reset.cause, std::mem::take(&mut reset.connections));
        self.begin(Subject::Gnb(gnb), Procedure::NgReset, Answerer::Gnb);
        self.send_gnb(gnb, message);
        self.remind(until, Due::Gnb(gnb));
    }

    /// NG Reset Acknowledge of a gNB.
    pub(crate) fn reset_done(&mut self, gnb: GnbId) {
        if self.is_late(gnb, None, Procedure::NgReset) {
            return;
        }
        self.finish(Subject::Gnb(gnb), Procedure::NgReset, Answerer::Gnb, Ended::Successful);
        self.first_reset_over(gnb);
    }

    /// Goes on with the next NG Reset.
    fn first_reset_over(&mut self, gnb: GnbId) {
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        match it.resets.pop_front() {
            Some(reset) => self.reset_over(gnb, reset),
            None => self.counts.unexpected += 1,
        }
        self.next_reset(gnb);
    }

    /// A gNB that does not acknowledge has nothing more to say.
    pub(crate) fn overdue_reset(&mut self, gnb: GnbId) {
        let now = self.now;
        let Some(it) = self.gnbs.get(&gnb) else { return };
        if it.resets.front().and_then(|it| it.until).is_some_and(|until| until <= now) {
            self.give_up_gnb(gnb, Procedure::NgReset);
            self.first_reset_over(gnb);
        }
    }

    /// Acknowledges an AMF's NG Reset: a list in its own order, with what is unknown.
    fn reset_over(&mut self, gnb: GnbId, reset: AmfReset) {
        if let Some(amf) = reset.amf {
            self.finish(Subject::Upstream(gnb, amf), Procedure::NgReset, Answerer::FrontEnd, Ended::Successful);
            self.send_amf(gnb, amf, write::reset_acknowledge(reset.answer.unwrap_or_default()));
        }
    }
}
