//! Requests of our own come to their end: answered, misunderstood, or lost.

use std::net::{IpAddr, SocketAddr};

use pinion_protocols::pfcp::{Cause, Element, FSeid, Message, MessageType};

use crate::chores::Chore;
use crate::front::FrontEnd;
use crate::inbound::Origin;
use crate::outbound::Key;
use crate::purpose::Purpose;
use crate::sessions::{Phase, SessionId};
use crate::translate::Refusal;
use crate::tunnels::Tunnels;

/// For how many T1 a session that a UPF was given up for is looked out for.
const LATE: u8 = 20;

impl<Proof> FrontEnd<Proof> {
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
            Purpose::Redirect(task) => return self.task_answered(message, task),
            Purpose::Remake { session, lost } => return self.remake_answered(message, session, lost),
            Purpose::Late(upf) => return self.too_late(from.ip(), message, upf),
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

    /// A UPF has made a session that it was given up for: nobody knows of it.
    fn too_late(&mut self, from: IpAddr, message: &Message<'_>, upf: u16) {
        let routing = message.routing().ok();
        let accepted = routing.filter(|routing| routing.cause.is_some_and(Cause::is_acceptance));
        if let Some((FSeid { seid, addresses }, _)) = accepted.and_then(|routing| routing.session)
            && self.upf_is_there(upf)
        {
            self.delete_at(addresses.like(from).unwrap_or(from), seid);
        }
    }

    /// A request of ours was sent often enough.
    pub(crate) fn unanswered(&mut self, asked: Key, purpose: Purpose) {
        if matches!(purpose, Purpose::Late(_)) {
            return;
        }
        self.counts.unanswered += 1;
        let of = Some(&purpose).filter(|purpose| purpose.makes()).and_then(Purpose::of_upf);
        if let Some(upf) = of.and_then(|id| self.sessions.get(id)).map(|session| session.upf) {
            let t1 = self.now.saturating_add(self.settings.timers.t1);
            let answer = MessageType::SessionEstablishmentResponse;
            self.outbound.wait_on(asked, answer, Purpose::Late(upf), (t1, LATE));
        }
        self.lost(purpose);
    }

    /// Nobody answered to a request of ours.
    pub(crate) fn lost(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::UpfHeartbeat(number) if self.redirects() => self.upf_is_silent(number),
            Purpose::UpfHeartbeat(number) => self.lose_upf(number, "it does not answer"),
            Purpose::Setup(number) => self.not_set_up(number, "it does not answer to the wish for an association"),
            // Its sessions stay: it may be the network, and an SMF that began anew says so.
            Purpose::SmfHeartbeat(address) => self.smf_answers(address, false),
            Purpose::Notice | Purpose::Late(_) => {}
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
            Purpose::Redirect(task) => self.task_lost(&task),
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
