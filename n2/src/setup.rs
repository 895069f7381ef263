//! NG Setup (TS 38.413 8.7.1): asked of all AMFs, answered once.

use pinion_protocols::ngap::value::{AmfName, Cause, GlobalRanNodeId, SupportedTaList, TimeToWait};
use pinion_protocols::ngap::{ElementType, Error, Message, Outcome, Procedure};

use crate::amfs::{AmfId, Served};
use crate::front::{Due, FrontEnd, Leg, Output};
use crate::gnbs::{Gnb, GnbId, Phase};
use crate::merge::Merged;
use crate::procedures::{Answerer, Ended, Subject};
use crate::upstreams::{State, Upstream};
use crate::write;

impl FrontEnd {
    /// NG Setup Request: whatever the gNB had before is gone.
    pub(crate) fn ng_setup(&mut self, association: u64, message: &Message<'_>) -> Result<(), Error> {
        let node: GlobalRanNodeId = message.need(ElementType::GlobalRanNodeId)?;
        let areas: Option<SupportedTaList> = message.get(ElementType::SupportedTaList)?;
        if let Some(cause) = self.settings.admission.refusal(&node, areas.as_ref()) {
            self.counts.setup_failures += 1;
            let failure = write::failure(Procedure::NgSetup, &cause, Some(TimeToWait::OneMinute));
            self.say(Leg::Gnb(association), 0, failure);
            return Ok(());
        }
        // The contexts that a gNB would like to keep are gone with its upstreams.
        let setup = write::without(message, &[ElementType::UeRetentionInformation])?;
        let known = self.by_node.get(&node).copied();
        let before = self.associations.get(&association).and_then(|tnla| tnla.gnb);
        if before.is_some() && before != known {
            self.detach(association);
        }
        let phase = Phase::Asking { association, until: self.after(self.settings.timers.answer) };
        let gnb = match known {
            Some(gnb) => {
                self.begin_anew(gnb, association);
                gnb
            }
            None => {
                let Some(gnb) = self.new_gnb(node, association) else { return Ok(()) };
                gnb
            }
        };
        let Some(it) = self.gnbs.get_mut(&gnb) else { return Ok(()) };
        (it.setup, it.phase, it.associations) = (setup, phase, vec![association]);
        if let Some(tnla) = self.associations.get_mut(&association) {
            tnla.gnb = Some(gnb);
        }
        self.begin(Subject::Gnb(gnb), Procedure::NgSetup, Answerer::FrontEnd);
        self.remind(self.after(self.settings.timers.answer), Due::Gnb(gnb));
        let now = self.now;
        let Some(it) = self.gnbs.get(&gnb) else { return Ok(()) };
        let asked: Vec<_> = it.upstreams.iter().map(|(&amf, it)| (amf, it.state.clone())).collect();
        for (amf, state) in asked {
            match state {
                State::Refused { again, .. } if again <= now => self.ask(gnb, amf),
                State::Down { again } if again <= now => self.open(gnb, amf),
                _ => {}
            }
        }
        self.open_missing(gnb);
        self.settle_setup(gnb);
        Ok(())
    }

    /// A gNB that was not known; none where there are too many.
    fn new_gnb(&mut self, node: GlobalRanNodeId, association: u64) -> Option<GnbId> {
        if self.gnbs.len() >= usize::try_from(self.settings.bounds.gnbs).unwrap_or(usize::MAX) {
            self.counts.setup_failures += 1;
            let failure = write::failure(Procedure::NgSetup, &Cause::OVERLOAD, Some(TimeToWait::OneMinute));
            self.say(Leg::Gnb(association), 0, failure);
            return None;
        }
        let id = GnbId(self.next_gnb);
        self.next_gnb = self.next_gnb.wrapping_add(1);
        let mut gnb = Gnb::new(node.clone(), bytes::Bytes::new(), Phase::Refused);
        for (amf, _) in self.amfs.iter() {
            if let Some(again) = self.waits.remove(&(node.clone(), amf)).filter(|&again| again > self.now) {
                gnb.upstreams.insert(amf, Upstream::new(0, State::Down { again }));
                self.due.insert((again, Due::Upstream(id, amf)));
            }
        }
        self.gnbs.insert(id, gnb);
        self.by_node.insert(node, id);
        Some(id)
    }

    /// Makes associations to AMFs that a gNB has none to.
    pub(crate) fn open_missing(&mut self, gnb: GnbId) {
        let Some(it) = self.gnbs.get(&gnb).filter(|it| it.phase != Phase::Refused) else { return };
        let all = self.amfs.iter().filter(|(id, amf)| !amf.gone && !it.upstreams.contains_key(id));
        let missing: Vec<_> = all.map(|(id, _)| id).collect();
        for amf in missing {
            self.open(gnb, amf);
        }
    }

    pub(crate) fn open(&mut self, gnb: GnbId, amf: AmfId) {
        let until = self.after(self.settings.timers.answer);
        let id = self.next_upstream;
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        self.next_upstream = id.wrapping_add(1);
        let state = State::Connecting { until };
        let upstream = it.upstreams.entry(amf).or_insert_with(|| Upstream::new(id, state.clone()));
        (upstream.id, upstream.state) = (id, state);
        self.upstreams.insert(id, (gnb, amf));
        self.remind(until, Due::Upstream(gnb, amf));
        let amf = self.amfs.name(amf);
        self.push(Output::Open { upstream: id, amf });
    }

    pub(crate) fn upstream_connected(&mut self, gnb: GnbId, amf: AmfId, streams: u16) {
        let upstream = self.upstream_mut(gnb, amf);
        if let Some(upstream) = upstream.filter(|it| matches!(it.state, State::Connecting { .. })) {
            upstream.streams = streams;
            self.ask(gnb, amf);
        }
    }

    /// Sends a gNB's NG Setup Request, on an association on which none was accepted.
    pub(crate) fn ask(&mut self, gnb: GnbId, amf: AmfId) {
        let until = self.after(self.settings.timers.answer);
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        let setup = it.setup.clone();
        let Some(upstream) = it.upstreams.get_mut(&amf) else { return };
        upstream.state = State::Asked { until };
        let leg = Leg::Amf(upstream.id);
        self.remind(until, Due::Upstream(gnb, amf));
        self.begin(Subject::Upstream(gnb, amf), Procedure::NgSetup, Answerer::Amf);
        self.send(leg, 0, setup);
    }

    /// NG Setup Response or Failure.
    pub(crate) fn setup_answer(&mut self, gnb: GnbId, amf: AmfId, message: &Message<'_>) -> Result<(), Error> {
        let upstream = self.upstream(gnb, amf);
        if !upstream.is_some_and(|upstream| matches!(upstream.state, State::Asked { .. })) {
            self.counts.unexpected += 1;
            return Ok(());
        }
        let ended = message.outcome().into();
        self.finish(Subject::Upstream(gnb, amf), Procedure::NgSetup, Answerer::Amf, ended);
        if message.outcome() != Outcome::Successful {
            let cause = message.get(ElementType::Cause).ok().flatten().unwrap_or(Cause::UNSPECIFIED);
            self.refused(gnb, amf, cause, message.get(ElementType::TimeToWait).ok().flatten());
            return Ok(());
        }
        let served =
            Served::read(message).inspect_err(|_| self.refused(gnb, amf, Cause::ABSTRACT_SYNTAX_ERROR, None))?;
        self.upstream_up(gnb, amf, served);
        Ok(())
    }

    fn refused(&mut self, gnb: GnbId, amf: AmfId, cause: Cause, wait: Option<TimeToWait>) {
        let again = self.after(wait.map_or(self.settings.timers.retry, TimeToWait::duration));
        if let Some(upstream) = self.upstream_mut(gnb, amf) {
            upstream.state = State::Refused { again, cause };
        }
        self.remind(again, Due::Upstream(gnb, amf));
        self.settle_setup(gnb);
    }

    fn upstream_up(&mut self, gnb: GnbId, amf: AmfId, served: Served) {
        let served = self.amfs.shared(amf, served);
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        let Some(upstream) = it.upstreams.get_mut(&amf) else { return };
        upstream.state = State::Up;
        upstream.served = served;
        upstream.unavailable.clear();
        upstream.overload = None;
        let owed = upstream.owed.take().is_some();
        if let Some(known) = self.amfs.get_mut(amf) {
            known.up = known.up.saturating_add(1);
            if known.up == 1 {
                let name = known.config.name.clone();
                self.push(Output::Amf { name, up: true, why: "it accepted NG Setup" });
            }
        }
        self.update_too(gnb, amf);
        if owed {
            // NG Setup ended them at the AMF.
            self.reset_lost(gnb, amf);
        }
        self.settle_setup(gnb);
        self.tell(gnb);
        self.settle_overload(gnb);
    }

    /// Something of an upstream is due.
    pub(crate) fn upstream_due(&mut self, gnb: GnbId, amf: AmfId) {
        let now = self.now;
        let Some(it) = self.gnbs.get(&gnb) else { return };
        let waits = it.phase == Phase::Refused || self.amfs.is_gone(amf);
        let Some(upstream) = it.upstreams.get(&amf) else { return };
        let owed = upstream.owed.is_some_and(|at| at <= now);
        match upstream.state {
            State::Connecting { until } | State::Asked { until } if until <= now => {
                self.counts.unanswered += 1;
                self.push(Output::Close { leg: Leg::Amf(upstream.id) });
                self.finish(Subject::Upstream(gnb, amf), Procedure::NgSetup, Answerer::Amf, Ended::Unanswered);
                self.upstream_lost(gnb, amf, "it does not answer");
            }
            State::Refused { again, .. } if again <= now && !waits => self.ask(gnb, amf),
            State::Down { again } if again <= now && !waits => self.open(gnb, amf),
            _ => {}
        }
        if owed {
            if let Some(upstream) = self.upstream_mut(gnb, amf) {
                upstream.owed = None;
            }
            self.reset_lost(gnb, amf);
        }
    }

    /// Answers NG Setup once no AMF is waited for.
    pub(crate) fn settle_setup(&mut self, gnb: GnbId) {
        let Some(it) = self.gnbs.get(&gnb) else { return };
        let Phase::Asking { association, until } = it.phase else { return };
        if until > self.now && !it.upstreams.values().all(Upstream::is_settled) {
            return;
        }
        let merged = self.merged(it);
        let answer = if merged.is_empty() {
            let (cause, wait) = self.why_not(it);
            Err(write::failure(Procedure::NgSetup, &cause, Some(wait)))
        } else {
            Ok((merged.digest(), write::setup_response(&self.amf_name(), merged)))
        };
        let ended = if answer.is_ok() { Ended::Successful } else { Ended::Unsuccessful };
        self.finish(Subject::Gnb(gnb), Procedure::NgSetup, Answerer::FrontEnd, ended);
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        match answer {
            Ok((digest, answer)) => {
                (it.phase, it.told) = (Phase::Up, digest);
                self.say(Leg::Gnb(association), 0, answer);
                self.settle_overload(gnb);
            }
            Err(answer) => {
                it.phase = Phase::Refused;
                self.counts.setup_failures += 1;
                self.say(Leg::Gnb(association), 0, answer);
            }
        }
    }

    /// What all AMFs that a gNB is set up with say.
    pub(crate) fn merged(&self, gnb: &Gnb) -> Merged {
        let own = gnb.upstreams.values().filter_map(|it| it.served.name.as_ref());
        // To other gNBs an AMF may have said its name that did not to this one.
        let others = self.amfs.iter().filter(|(_, amf)| !amf.gone).filter_map(|(_, amf)| amf.served.name.as_ref());
        let names: Vec<_> = own.chain(others).collect();
        Merged::of(gnb.up().map(|(amf, it)| (&*it.served, self.amfs.is_open(amf))), &names)
    }

    pub(crate) fn amf_name(&self) -> AmfName {
        AmfName(self.settings.name.as_ref().into())
    }

    /// Why no AMF takes a gNB, and when it may ask again: as soon as the first AMF may be asked.
    fn why_not(&self, gnb: &Gnb) -> (Cause, TimeToWait) {
        let mut causes = gnb.upstreams.values().filter_map(|upstream| match &upstream.state {
            State::Refused { cause, .. } => Some(cause),
            _ => None,
        });
        let cause = causes.next_back().cloned().unwrap_or(Cause::TRANSPORT_UNAVAILABLE);
        let first = gnb.upstreams.values().map(|upstream| upstream.again().unwrap_or(self.now)).min();
        let left = first.map_or(self.settings.timers.reconnect, |first| first.saturating_sub(self.now));
        let waits = [
            TimeToWait::OneSecond,
            TimeToWait::TwoSeconds,
            TimeToWait::FiveSeconds,
            TimeToWait::TenSeconds,
            TimeToWait::TwentySeconds,
        ];
        (cause, waits.into_iter().find(|it| it.duration() >= left).unwrap_or(TimeToWait::OneMinute))
    }
}
