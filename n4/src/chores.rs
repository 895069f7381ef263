//! Procedures that no peer asked for: sessions that end with their SMF, and sessions that outlive their UPF.

use std::net::SocketAddr;

use pinion_protocols::pfcp::{Cause, Element, ElementType, FSeid, Message, MessageType};

use crate::features;
use crate::front::FrontEnd;
use crate::inbound::Origin;
use crate::placement::Wish;
use crate::purpose::{Parked, Purpose};
use crate::sessions::{Phase, SessionId};
use crate::translate::Refusal;
use crate::tunnels::Tunnels;

/// What is to be done, as soon as fewer are under way than may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chore {
    /// A session ends on its UPF: its SMF knows nothing of it any more.
    Abandon(SessionId),
    /// A session is made again on another UPF.
    Restore(SessionId),
}

impl<Proof> FrontEnd<Proof> {
    /// Begins chores, as many as may be under way.
    pub(crate) fn work(&mut self) {
        while self.busy < self.settings.bounds.chores
            && let Some(chore) = self.chores.pop_front()
        {
            match chore {
                Chore::Abandon(id) => self.abandon(id),
                Chore::Restore(id) => self.restore(id),
            }
        }
    }

    /// Ends a session on its UPF, and here.
    pub(crate) fn abandon(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.under_way.forsaken = true;
        if session.under_way.asked {
            // It ends as its UPF answers.
            session.phase = Phase::Closing;
            return self.keep_session(id);
        }
        self.dismiss(id);
        self.counts.forsaken += 1;
        self.end(id);
    }

    /// Has a session's UPF end it, where it has it.
    pub(crate) fn dismiss(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id).filter(|session| session.phase != Phase::Restoring) else {
            return;
        };
        let (to, seid) = (session.upf_address, session.upf_seid);
        if self.upf_is_there(session.upf)
            && seid != 0
            && self.ask(to, MessageType::SessionDeletionRequest, Some(seid), Purpose::Abandon, |_| Ok(())).is_ok()
        {
            self.busy = self.busy.saturating_add(1);
        }
    }

    /// Ends a session whose SMF knows nothing of it.
    pub(crate) fn forget(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.under_way.forsaken = true;
            self.chores.push_back(Chore::Abandon(id));
        }
    }

    /// Has a session of a lost UPF made again.
    pub(crate) fn await_restore(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.phase = Phase::Restoring;
            self.chores.push_back(Chore::Restore(id));
        }
    }

    /// Makes a session again on another UPF.
    fn restore(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id).filter(|session| session.phase == Phase::Restoring) else {
            return;
        };
        let Some(rules) = session.rules.clone() else { return self.give_up(id) };
        let seid = session.smf_seid;
        let begun = rules.establishment().map_err(Refusal::from).and_then(|message| {
            let wish = Wish::of(&message)?;
            match self.place(&wish, seid) {
                Some(upf) => self.remake(id, &message, upf),
                None => {
                    self.wait_for_upf(id);
                    Ok(())
                }
            }
        });
        if begun.is_err() {
            self.give_up(id);
        }
    }

    /// No UPF takes a session: perhaps one does soon, such as the one that it was on.
    fn wait_for_upf(&mut self, id: SessionId) {
        let (now, timers) = (self.now, self.settings.timers);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let last = now.saturating_add(timers.t1.saturating_mul(timers.n1.into()));
        let until = *session.under_way.until.get_or_insert(last);
        if now < until {
            self.homeless.insert((until, id));
        } else {
            self.give_up(id);
        }
    }

    /// Gives sessions up that waited long enough for a UPF.
    pub(crate) fn tend_homeless(&mut self) {
        while let Some((_, id)) = self.homeless.first().copied().filter(|(until, _)| *until <= self.now) {
            self.homeless.pop_first();
            self.chores.push_back(Chore::Restore(id));
        }
    }

    /// A UPF takes sessions: those that wait for one are tried again.
    pub(crate) fn house_homeless(&mut self) {
        let homeless = std::mem::take(&mut self.homeless);
        self.chores.extend(homeless.into_iter().map(|(_, id)| Chore::Restore(id)));
    }

    fn remake(&mut self, id: SessionId, message: &Message<'_>, upf: u16) -> Result<(), Refusal> {
        let patches = self.downwards(id, message, true)?;
        let Some(to) = self.upf_address(upf) else { return Ok(()) };
        let Some(session) = self.sessions.get(id) else { return Ok(()) };
        let (before, purpose) = (session.upf, Purpose::Remake { session: id, lost: session.tunnels.clone() });
        self.ask(to, MessageType::SessionEstablishmentRequest, Some(0), purpose, |writer| {
            writer.splice(message.elements(), &patches)
        })?;
        self.busy = self.busy.saturating_add(1);
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        session.upf = upf;
        session.upf_address = to;
        session.upf_seid = 0;
        session.under_way.asked = true;
        session.tunnels.take();
        self.count_at_upf(before, -1);
        self.count_at_upf(upf, 1);
        Ok(())
    }

    /// A UPF answered to the wish to make a session again.
    pub(crate) fn remade(&mut self, message: &Message<'_>, id: SessionId, lost: &Tunnels) -> Result<(), Refusal> {
        let routing = message.routing()?;
        let accepted = routing.cause.is_some_and(Cause::is_acceptance);
        let end = routing.session.filter(|_| accepted).ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let (FSeid { seid, addresses }, _) = end;
        session.made_at(seid, addresses);
        session.under_way.until = None;
        let upf = session.upf;
        self.hear_load(upf, message)?;
        let mut changes = Vec::new();
        self.learn(id, message, Some(lost), (&mut Vec::new(), &mut changes))?;
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        // What the new UPF has no tunnel for ends; what it has is where it was.
        changes.extend(self.plane.end_lost(lost, &session.tunnels));
        session.phase = Phase::Open;
        self.keep_session(id);
        self.commit(changes, Parked::Remade { session: id });
        Ok(())
    }

    /// A session is lost with its UPF: its SMF is told where it understands that, and otherwise with its next request.
    pub(crate) fn give_up(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let (number, to, seid) = (session.smf, session.smf_address, session.smf_seid);
        self.counts.lost += 1;
        self.end(id);
        let Some(smf) = self.smfs.get_mut(usize::from(number)) else { return };
        let tells = smf.was_told(features::up::EPFAR) && features::has(&smf.features, features::cp::EPFAR);
        smf.misses |= !tells;
        self.keep_smf(number);
        if tells {
            // PSDBU: the session was deleted by the user plane function (TS 29.244 5.18.2), a request of that (UISR, 8.2.21).
            let _ = self.ask(to, MessageType::SessionReportRequest, Some(seid), Purpose::Notice, |writer| {
                writer.add(&Element::ReportType(UISR));
                writer.element(ElementType::PfcpsrreqFlags, |out| out.extend_from_slice(&[1]));
                Ok(())
            });
        }
    }

    /// A peer answered to a request of ours.
    pub(crate) fn answered(&mut self, from: SocketAddr, message: &Message<'_>, purpose: Purpose) {
        let cause = message.routing().ok().and_then(|routing| routing.cause);
        let upf = purpose.of_upf().and_then(|id| self.sessions.get(id)).map(|session| session.upf);
        if let (Some(upf), Some(Cause::NO_ASSOCIATION)) = (upf, cause) {
            // It began anew, and has not said so yet.
            self.lost(purpose);
            return self.lose_upf(upf, "it knows of no association");
        }
        let another = message.message_type() == MessageType::VersionNotSupportedResponse;
        let kind = purpose.answers();
        let (waiting, done) = match purpose {
            Purpose::UpfHeartbeat(_) | Purpose::SmfHeartbeat(_) if another => return,
            Purpose::UpfHeartbeat(_) | Purpose::SmfHeartbeat(_) => return self.heard(from.ip(), message),
            Purpose::Setup(number) => return self.set_up(number, message),
            Purpose::Notice => return,
            Purpose::Establish { origin, session, .. }
            | Purpose::Modify { origin, session, .. }
            | Purpose::Delete { origin, session }
            | Purpose::Report { origin, session, .. }
                if another =>
            {
                ((origin, session, kind), Err(Refusal::plain(Cause::SYSTEM_FAILURE)))
            }
            Purpose::Establish { origin, session, request } => {
                ((origin, session, kind), self.established(message, origin, session, request.as_ref()))
            }
            Purpose::Modify { origin, session, removed, request } => {
                ((origin, session, kind), self.modified(message, origin, session, &removed, request.as_ref()))
            }
            Purpose::Delete { origin, session } => {
                ((origin, session, kind), self.deleted(message, origin, session))
            }
            Purpose::Report { origin, session, ends, request, redirected } => {
                ((origin, session, kind), self.reported(message, origin, session, (ends, request, redirected)))
            }
            Purpose::Remake { session, lost } => return self.remake_answered(message, session, lost),
            Purpose::Abandon => {
                self.busy = self.busy.saturating_sub(1);
                return;
            }
        };
        if let ((origin, session, Some(kind)), Err(refusal)) = (waiting, done) {
            self.misunderstood(origin, session, kind, refusal);
        }
    }

    fn remake_answered(&mut self, message: &Message<'_>, id: SessionId, lost: Tunnels) {
        self.busy = self.busy.saturating_sub(1);
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.under_way.asked = false;
        let forsaken = session.under_way.forsaken;
        if !forsaken && self.remade(message, id, &lost).is_ok() {
            return;
        }
        if let Some(session) = self.sessions.get_mut(id) {
            let made = message.routing().ok().and_then(|routing| routing.session);
            if let Some((FSeid { seid, addresses }, _)) = made {
                session.made_at(seid, addresses);
            }
            // Those of before are in force.
            let news = std::mem::replace(&mut session.tunnels, lost);
            session.phase = Phase::Closing;
            let stale = self.plane.end_lost(&news, &session.tunnels);
            self.end_tunnels(stale);
        }
        if forsaken {
            return self.forget(id);
        }
        self.dismiss(id);
        self.give_up(id);
    }

    /// An answer that makes no sense: whoever waits for it is told, and a session that it was to make is none.
    fn misunderstood(&mut self, origin: Origin, session: SessionId, kind: MessageType, refusal: Refusal) {
        self.counts.malformed += 1;
        tracing::warn!(answer = %kind, cause = u8::from(refusal.cause), "an answer makes no sense");
        let seid = match kind {
            MessageType::SessionReportResponse => self.sessions.get(session).map(|it| it.upf_seid),
            _ => self.sessions.get(session).map(|it| it.smf_seid),
        };
        self.answer(origin, kind, Some(seid.unwrap_or(0)), |own, writer| {
            if kind == MessageType::SessionEstablishmentResponse {
                writer.add(&own);
            }
            writer.add(&Element::Cause(Cause::SYSTEM_FAILURE));
        });
        match kind {
            MessageType::SessionEstablishmentResponse => {
                if let Some(it) = self.sessions.get_mut(session) {
                    it.under_way.asked = false;
                }
                self.forget(session);
            }
            // It can be asked for again.
            MessageType::SessionDeletionResponse => {
                if let Some(it) = self.sessions.get_mut(session) {
                    it.phase = Phase::Open;
                }
            }
            _ => {}
        }
    }

    /// Nobody answered to a request of ours.
    pub(crate) fn lost(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::UpfHeartbeat(number) => self.lose_upf(number, "it does not answer"),
            Purpose::Setup(number) => self.not_set_up(number, "it does not answer to the wish for an association"),
            // Its sessions stay: it may be the network, and an SMF that began anew says so.
            Purpose::SmfHeartbeat(address) => self.smf_answers(address, false),
            Purpose::Notice => {}
            // The SMF has given up by now as well.
            Purpose::Establish { origin, session, .. } => {
                self.inbound.forget(&origin);
                self.end(session);
            }
            Purpose::Modify { origin, session, .. } => {
                self.inbound.forget(&origin);
                self.stranded(session);
            }
            Purpose::Delete { origin, session } => {
                self.inbound.forget(&origin);
                let Some(it) = self.sessions.get_mut(session) else { return };
                let upf = it.upf;
                it.phase = Phase::Open;
                // With its UPF it is no more, which is what was asked for.
                if !self.upf_is_there(upf) {
                    self.end(session);
                }
            }
            Purpose::Report { origin, session, ends, .. } => {
                self.inbound.forget(&origin);
                if ends {
                    self.end(session);
                }
            }
            Purpose::Remake { session, lost } => {
                self.busy = self.busy.saturating_sub(1);
                if let Some(it) = self.sessions.get_mut(session) {
                    it.tunnels = lost;
                    it.under_way.asked = false;
                    it.phase = Phase::Restoring;
                    // Perhaps yet another UPF, where its SMF still knows it.
                    let forsaken = it.under_way.forsaken;
                    self.chores.push_back(if forsaken {
                        Chore::Abandon(session)
                    } else {
                        Chore::Restore(session)
                    });
                }
            }
            Purpose::Abandon => self.busy = self.busy.saturating_sub(1),
        }
    }

    /// A session whose UPF was lost while it was asked something.
    fn stranded(&mut self, id: SessionId) {
        let open = self.sessions.get(id).filter(|session| session.phase == Phase::Open);
        if open.is_some_and(|session| !self.upf_is_there(session.upf)) {
            self.await_restore(id);
        }
    }
}

/// Report Type: the user plane function begins it itself (TS 29.244 8.2.21).
const UISR: u8 = 0x40;
