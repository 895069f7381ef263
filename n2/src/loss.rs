//! What becomes of UEs whose AMF or gNB is gone.

use std::collections::BTreeSet;

use crate::amfs::AmfId;
use crate::front::{Due, FrontEnd, Leg, Output};
use crate::gnbs::{AmfReset, GnbId, Phase};
use crate::pins::{Ids, Pin, PinId};
use crate::procedures::{Answerer, Ended, Subject};
use crate::settings::{AmfIds, AmfLoss};
use crate::upstreams::{State, Upstream};
use pinion_protocols::ngap::Procedure;
use pinion_protocols::ngap::value::{Cause, UeConnection};

impl FrontEnd {
    /// An upstream association ended.
    pub(crate) fn upstream_lost(&mut self, gnb: GnbId, amf: AmfId, why: &'static str) {
        let upstream = self.upstream(gnb, amf);
        // An AMF that asked for time gets it, however its association ends.
        let asked_for = upstream.and_then(Upstream::again).unwrap_or_default();
        let again = self.after(self.settings.timers.reconnect).max(asked_for);
        let was_up = self.upstream_down(gnb, amf, why);
        let abandoned = self.amfs.is_gone(amf);
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        let Some(upstream) = it.upstreams.get_mut(&amf) else { return };
        upstream.state = State::Down { again };
        let pins = upstream.pins > 0;
        self.remind(again, Due::Upstream(gnb, amf));
        if was_up {
            self.unanswered_by(gnb, amf);
            if pins {
                self.lose(gnb, amf, abandoned);
            }
            self.tell(gnb);
            self.settle_overload(gnb);
        }
        self.settle_setup(gnb);
    }

    /// Takes down that an upstream is gone. True: it was set up.
    fn upstream_down(&mut self, gnb: GnbId, amf: AmfId, why: &'static str) -> bool {
        self.abandon(Subject::Upstream(gnb, amf));
        let Some(it) = self.gnbs.get_mut(&gnb) else { return false };
        let Some(upstream) = it.upstreams.get_mut(&amf) else { return false };
        let was_up = upstream.is_up();
        upstream.state = State::Down { again: self.now };
        upstream.overload = None;
        self.upstreams.remove(&upstream.id);
        if let Some(known) = self.amfs.get_mut(amf).filter(|_| was_up) {
            known.up = known.up.saturating_sub(1);
            if known.up == 0 {
                let name = known.config.name.clone();
                self.push(Output::Amf { name, up: false, why });
            }
        }
        was_up
    }

    /// The UEs of an AMF that is lost to a gNB.
    fn lose(&mut self, gnb: GnbId, amf: AmfId, abandoned: bool) {
        let shared = self.settings.amf_ids == AmfIds::SetUnique;
        let at = match self.settings.loss {
            AmfLoss::Rebind if shared => None,
            AmfLoss::Rebind => Some(self.now),
            AmfLoss::Reset { after } => Some(self.after(after)),
        };
        let at = if abandoned { Some(self.now) } else { at };
        match at {
            Some(at) if at <= self.now => self.reset_lost(gnb, amf),
            // If the AMF is back before, its NG Setup has ended them.
            at => {
                for pin in self.pins_of(gnb, amf) {
                    if let Some(pin) = self.pins.get_mut(pin) {
                        pin.unbound = shared && at.is_none();
                    }
                }
                let owed = at.unwrap_or(std::time::Duration::MAX);
                if let Some(upstream) = self.upstream_mut(gnb, amf) {
                    upstream.owed = Some(owed);
                }
                if let Some(at) = at {
                    self.remind(at, Due::Upstream(gnb, amf));
                }
            }
        }
    }

    /// Resets the UEs that wait for an AMF that is configured no more.
    pub(crate) fn reset_abandoned(&mut self, gnb: GnbId) {
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        let mut lost = Vec::new();
        for (&amf, upstream) in &mut it.upstreams {
            if self.amfs.is_gone(amf) && upstream.owed.take().is_some() {
                lost.push(amf);
            }
        }
        for amf in lost {
            self.reset_lost(gnb, amf);
        }
    }

    /// The UEs of a gNB that an AMF has.
    pub(crate) fn pins_of(&self, gnb: GnbId, amf: AmfId) -> Vec<PinId> {
        self.pins.of_gnb(gnb).filter(|(_, pin)| pin.amf == amf).map(|(id, _)| id).collect()
    }

    /// Resets, at the gNB, exactly the UEs of an AMF that does not know them any more.
    pub(crate) fn reset_lost(&mut self, gnb: GnbId, amf: AmfId) {
        let pins = self.pins_of(gnb, amf);
        let mut connections = Vec::with_capacity(pins.len());
        for pin in pins {
            if let Some(pin) = self.end(pin) {
                connections.push(UeConnection(pin.at_gnb()));
                self.counts.reset += 1;
            }
        }
        let cause = Cause::TRANSPORT_UNAVAILABLE;
        self.reset_at_gnb(gnb, AmfReset { amf: None, answer: None, connections, cause, until: None });
    }

    /// An association of a gNB ended.
    pub(crate) fn association_lost(&mut self, association: u64) {
        self.detach(association);
        self.associations.remove(&association);
    }

    /// Takes an association from its gNB; with the last of them the gNB is gone.
    pub(crate) fn detach(&mut self, association: u64) {
        let gnb = self.associations.get_mut(&association).and_then(|tnla| tnla.gnb.take());
        let Some(gnb) = gnb else { return };
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        it.associations.retain(|&other| other != association);
        let Some(&other) = it.associations.first() else { return self.gnb_lost(gnb) };
        if let Phase::Asking { association: asking, .. } = &mut it.phase
            && *asking == association
        {
            *asking = other;
        }
        for gathering in it.update.iter_mut().map(|it| &mut it.0).chain(it.reset.iter_mut().map(|it| &mut it.0)) {
            if gathering.association == association {
                gathering.association = other;
            }
        }
        for (waiting, _) in it.updates.iter_mut().filter(|it| it.0 == association) {
            *waiting = other;
        }
        // Its UEs go on on another one (TS 38.412 7).
        let streams = self.streams_down(other);
        let pins: Vec<_> = self.pins.of_gnb(gnb).map(|(id, _)| id).collect();
        for id in pins {
            if let Some(pin) = self.pins.get_mut(id).filter(|pin| pin.association == association) {
                pin.association = other;
                pin.streams.0 = crate::upstreams::stream(streams, pin.ran.map_or(id.0, u64::from));
            }
        }
    }

    /// A gNB has no association any more.
    fn gnb_lost(&mut self, gnb: GnbId) {
        self.abandon(Subject::Gnb(gnb));
        self.end_all(gnb);
        self.close_upstreams(gnb, true);
        let Some(it) = self.gnbs.remove(&gnb) else { return };
        self.by_node.remove(&it.node);
        let now = self.now;
        self.waits.retain(|_, again| *again > now);
        let most = usize::try_from(self.settings.bounds.gnbs).unwrap_or(usize::MAX);
        for (amf, upstream) in it.upstreams {
            // An AMF that asked for time gets it from the gNB's next association too.
            if let Some(again) = upstream.again()
                && again > now
                && self.waits.len() < most
            {
                self.waits.insert((it.node.clone(), amf), again);
            }
        }
    }

    /// A gNB begins anew, on an association: all else that it had is gone.
    pub(crate) fn begin_anew(&mut self, gnb: GnbId, association: u64) {
        self.abandon(Subject::Gnb(gnb));
        self.end_all(gnb);
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        it.calm();
        let others = std::mem::take(&mut it.associations);
        for other in others.into_iter().filter(|&other| other != association) {
            self.associations.remove(&other);
            self.push(Output::Close { leg: Leg::Gnb(other) });
        }
        self.close_upstreams(gnb, false);
    }

    fn end_all(&mut self, gnb: GnbId) {
        let pins: Vec<_> = self.pins.of_gnb(gnb).map(|(id, _)| id).collect();
        for pin in pins {
            self.end(pin);
        }
    }

    /// Closes a gNB's upstreams: all, or all but those on which an AMF asked for time.
    fn close_upstreams(&mut self, gnb: GnbId, all: bool) {
        let Some(it) = self.gnbs.get_mut(&gnb) else { return };
        let mut open = Vec::new();
        for (&amf, upstream) in &mut it.upstreams {
            upstream.owed = None;
            let waits = matches!(upstream.state, State::Refused { .. });
            if upstream.is_open() && (all || !waits) {
                open.push((amf, upstream.id, waits));
            }
        }
        for (amf, upstream, waits) in open {
            self.push(Output::Close { leg: Leg::Amf(upstream) });
            if waits {
                self.upstreams.remove(&upstream);
            } else {
                self.upstream_down(gnb, amf, "its gNB is gone");
            }
        }
    }

    /// Closes upstreams to AMFs that are configured no more and have no UEs left.
    pub(crate) fn close_abandoned(&mut self, gnb: GnbId) {
        let Some(it) = self.gnbs.get(&gnb) else { return };
        let ended = it.upstreams.iter().filter(|(amf, upstream)| self.amfs.is_gone(**amf) && upstream.pins == 0);
        let ended: Vec<_> = ended.map(|(&amf, upstream)| (amf, upstream.id, upstream.is_open())).collect();
        for (amf, upstream, open) in ended {
            if open {
                self.push(Output::Close { leg: Leg::Amf(upstream) });
                self.upstream_down(gnb, amf, "it is configured no more");
                self.unanswered_by(gnb, amf);
            }
            if let Some(it) = self.gnbs.get_mut(&gnb) {
                it.upstreams.remove(&amf);
            }
        }
        self.settle_setup(gnb);
    }

    /// AMFs are waited for no longer: what they answer yet is to nothing that they are asked later.
    pub(crate) fn give_up(&mut self, gnb: GnbId, waiting: &BTreeSet<AmfId>, procedure: Procedure) {
        for &amf in waiting {
            self.counts.unanswered += 1;
            self.finish(Subject::Upstream(gnb, amf), procedure, Answerer::Amf, Ended::Unanswered);
            let until = self.after(self.settings.timers.quarantine);
            if let Some(it) = self.gnbs.get_mut(&gnb) {
                it.give_up(Some(amf), procedure, until);
            }
        }
    }

    /// A gNB is waited for no longer.
    pub(crate) fn give_up_gnb(&mut self, gnb: GnbId, procedure: Procedure) {
        self.counts.unanswered += 1;
        self.finish(Subject::Gnb(gnb), procedure, Answerer::Gnb, Ended::Unanswered);
        let until = self.after(self.settings.timers.quarantine);
        if let Some(it) = self.gnbs.get_mut(&gnb) {
            it.give_up(None, procedure, until);
        }
    }

    /// Whether an answer of an AMF, or of the gNB, is one that is waited for no longer; then it is counted.
    pub(crate) fn is_late(&mut self, gnb: GnbId, whose: Option<AmfId>, procedure: Procedure) -> bool {
        let now = self.now;
        let late = self.gnbs.get_mut(&gnb).is_some_and(|it| it.was_given_up(whose, procedure, now));
        self.counts.unexpected += u64::from(late);
        late
    }

    /// Has a pin end that does not become complete.
    pub(crate) fn watch(&mut self, pin: PinId) {
        let timers = self.settings.timers;
        let until = self.after(timers.quarantine.max(timers.answer));
        let Some(it) = self.pins.get_mut(pin) else { return };
        let before = std::mem::replace(&mut it.until, until);
        self.due.remove(&(before, Due::Pin(pin)));
        self.remind(until, Due::Pin(pin));
    }

    /// Has a pin last that has become complete.
    pub(crate) fn completed(&mut self, pin: PinId) {
        if let Some(it) = self.pins.get(pin).filter(|it| it.is_complete()) {
            self.due.remove(&(it.until, Due::Pin(pin)));
        }
    }

    /// A pin that one side has waited for in vain: whoever names it now is told that there is none.
    pub(crate) fn overdue_pin(&mut self, pin: PinId) {
        if self.pins.get(pin).is_some_and(|it| !it.is_complete()) {
            self.counts.unanswered += 1;
            self.end(pin);
        }
    }

    /// Ends a pin.
    pub(crate) fn end(&mut self, pin: PinId) -> Option<Pin> {
        let id = pin;
        self.abandon(Subject::Ue(id));
        let pin = self.pins.remove(id)?;
        self.due.remove(&(pin.until, Due::Pin(id)));
        for &ids in pin.known() {
            self.release(ids);
        }
        self.count_pin(pin.gnb, pin.amf, false);
        Some(pin)
    }

    /// A pin has identifiers no more: the gNB's is given to nobody for a while.
    pub(crate) fn release(&mut self, ids: Ids) {
        let until = self.after(self.settings.timers.quarantine);
        self.identities.release(ids.here, until);
    }

    /// Counts a UE more or less of an AMF.
    pub(crate) fn count_pin(&mut self, gnb: GnbId, amf: AmfId, more: bool) {
        let count = |pins: &mut u32| *pins = if more { pins.saturating_add(1) } else { pins.saturating_sub(1) };
        let upstream = self.upstream_mut(gnb, amf);
        let left = upstream.map(|upstream| {
            count(&mut upstream.pins);
            upstream.pins
        });
        let gone = self.amfs.get_mut(amf).is_some_and(|amf| {
            count(&mut amf.pins);
            amf.gone
        });
        if gone && left == Some(0) {
            self.remind(self.now, Due::Gnb(gnb));
        }
    }
}
