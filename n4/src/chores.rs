//! Procedures that no peer asked for: sessions that end with their SMF, and sessions that outlive their UPF.

use std::net::SocketAddr;

use pinion_protocols::pfcp::{Cause, Element, ElementType, FSeid, Message, MessageType};

use crate::features;
use crate::front::FrontEnd;
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
        let (to, seid, phase) = (session.upf_address, session.upf_seid, session.phase);
        session.phase = Phase::Closing;
        match phase {
            // It ends as its UPF answers.
            Phase::Opening if seid == 0 => return,
            Phase::Restoring => {}
            Phase::Opening | Phase::Open | Phase::Closing => {
                let purpose = Purpose::Abandon;
                if self.ask(to, MessageType::SessionDeletionRequest, Some(seid), purpose, |_| Ok(())).is_ok() {
                    self.busy = self.busy.saturating_add(1);
                }
            }
        }
        self.counts.forsaken += 1;
        self.end(id);
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
            let upf = self.place(&wish, seid, None).ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
            self.remake(id, &message, upf)
        });
        match begun {
            Ok(()) => self.busy = self.busy.saturating_add(1),
            Err(_) => self.give_up(id),
        }
    }

    fn remake(&mut self, id: SessionId, message: &Message<'_>, upf: u16) -> Result<(), Refusal> {
        let patches = self.downwards(id, message, true)?;
        let Some(to) = self.upfs.get(usize::from(upf)).map(|upf| upf.config.address) else { return Ok(()) };
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let before = std::mem::replace(&mut session.upf, upf);
        session.upf_address = to;
        session.upf_seid = 0;
        let lost = std::mem::take(&mut session.tunnels);
        if let Some(upf) = self.upfs.get_mut(usize::from(before)) {
            upf.sessions = upf.sessions.saturating_sub(1);
        }
        if let Some(upf) = self.upfs.get_mut(usize::from(upf)) {
            upf.sessions = upf.sessions.saturating_add(1);
        }
        let purpose = Purpose::Remake { session: id, lost };
        self.ask(to, MessageType::SessionEstablishmentRequest, Some(0), purpose, |writer| {
            writer.splice(message.elements(), &patches)
        })
    }

    /// A UPF answered to the wish to make a session again.
    pub(crate) fn remade(
        &mut self,
        message: &Message<'_>,
        id: SessionId,
        mut lost: Tunnels,
    ) -> Result<(), Refusal> {
        self.busy = self.busy.saturating_sub(1);
        let routing = message.routing()?;
        let accepted = routing.cause.is_some_and(Cause::is_acceptance);
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let Some((FSeid { seid, .. }, _)) = routing.session.filter(|_| accepted) else {
            session.tunnels = lost;
            self.give_up(id);
            return Ok(());
        };
        session.upf_seid = seid;
        if session.phase == Phase::Closing {
            session.tunnels = lost;
            self.abandon(id);
            return Ok(());
        }
        session.phase = Phase::Open;
        let (_, mut changes) = self.upwards(id, message, Some(&lost))?;
        // What the new UPF has no tunnel for ends; what it has is where it was.
        if let Some(session) = self.sessions.get(id) {
            let stale = lost.without(&session.tunnels);
            changes.extend(self.plane.end_all(&stale));
        }
        lost.take();
        self.keep_session(id);
        self.commit(changes, Parked::Remade { session: id });
        Ok(())
    }

    /// A session is lost with its UPF: its SMF is told where it understands that, and otherwise with its next request.
    pub(crate) fn give_up(&mut self, id: SessionId) {
        let smf = self.sessions.get(id).map(|session| session.smf);
        let Some(((to, seid), smf)) = self.smf_of(id).zip(smf) else { return };
        self.counts.lost += 1;
        self.end(id);
        let tells = features::has(&self.up_features(), features::up::EPFAR)
            && self.smfs.get(usize::from(smf)).is_some_and(|smf| features::has(&smf.features, EPFAR));
        if tells {
            // PSDBU: the session was deleted by the user plane function (TS 29.244 5.18, 8.2.111).
            let _ = self.ask(to.ip(), MessageType::SessionReportRequest, Some(seid), Purpose::Notice, |writer| {
                writer.add(&Element::ReportType(0));
                writer.element(ElementType::PfcpsrreqFlags, |out| out.extend_from_slice(&[1]));
                Ok(())
            });
        }
    }

    /// A peer answered to a request of ours.
    pub(crate) fn answered(&mut self, from: SocketAddr, message: &Message<'_>, purpose: Purpose) {
        let (origin, done) = match purpose {
            Purpose::UpfHeartbeat(_) | Purpose::SmfHeartbeat => return self.heard(from.ip(), message),
            Purpose::Setup(number) => return self.set_up(number, message),
            Purpose::Notice => return,
            Purpose::Establish { origin, session, request } => {
                (Some((origin, session)), self.established(message, origin, session, request.as_ref()))
            }
            Purpose::Modify { origin, session, removed, request } => {
                (Some((origin, session)), self.modified(message, origin, session, &removed, request.as_ref()))
            }
            Purpose::Delete { origin, session } => {
                (Some((origin, session)), self.deleted(message, origin, session))
            }
            Purpose::Report { origin, session } => {
                (Some((origin, session)), self.reported(message, origin, session))
            }
            Purpose::Remake { session, lost } => {
                if self.remade(message, session, lost).is_err() {
                    self.give_up(session);
                }
                return;
            }
            Purpose::Abandon => {
                self.busy = self.busy.saturating_sub(1);
                return;
            }
        };
        if let (Some((origin, session)), Err(refusal)) = (origin, done) {
            self.misunderstood(origin, session, message, refusal);
        }
    }

    /// An answer that makes no sense: whoever waits for it is told, and a session that it was to make is none.
    fn misunderstood(
        &mut self,
        origin: crate::inbound::Origin,
        session: SessionId,
        message: &Message<'_>,
        refusal: Refusal,
    ) {
        self.counts.malformed += 1;
        tracing::warn!(answer = %message.message_type(), cause = u8::from(refusal.cause), "an answer makes no sense");
        let kind = message.message_type();
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
        if kind == MessageType::SessionEstablishmentResponse {
            self.abandon(session);
        }
    }

    /// Nobody answered to a request of ours.
    pub(crate) fn lost(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::UpfHeartbeat(number) => self.lose_upf(number, "it does not answer"),
            Purpose::Setup(number) => self.not_set_up(number),
            // Its sessions stay: it may be the network, and an SMF that began anew says so.
            Purpose::SmfHeartbeat | Purpose::Notice => {}
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
                if let Some(it) = self.sessions.get_mut(session) {
                    it.phase = Phase::Open;
                }
                self.stranded(session);
            }
            Purpose::Report { origin, .. } => self.inbound.forget(&origin),
            Purpose::Remake { session, lost } => {
                self.busy = self.busy.saturating_sub(1);
                if let Some(it) = self.sessions.get_mut(session) {
                    it.tunnels = lost;
                    // Perhaps yet another UPF.
                    self.chores.push_back(Chore::Restore(session));
                }
            }
            Purpose::Abandon => self.busy = self.busy.saturating_sub(1),
        }
    }

    /// A session whose UPF was lost while it was asked something.
    fn stranded(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let up = self.upfs.get(usize::from(session.upf)).is_some_and(crate::upf::Upf::is_up);
        if !up && session.phase == Phase::Open {
            session.phase = Phase::Restoring;
            self.chores.push_back(Chore::Restore(id));
        }
    }
}

/// CP Function Features: enhanced release of associations (TS 29.244 8.2.58).
const EPFAR: usize = 2;
