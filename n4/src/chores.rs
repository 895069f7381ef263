//! Procedures that no peer asked for: sessions that end with their SMF, and sessions that outlive their UPF.

use std::net::IpAddr;

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
    /// That a session is to end is to be kept, before it does.
    Mark(SessionId),
    /// A session ends on its UPF: its SMF knows nothing of it any more.
    Abandon(SessionId),
    /// A session is made again on another UPF.
    Restore(SessionId),
}

impl<Proof> FrontEnd<Proof> {
    /// Begins chores, as many as may be under way; some ask nobody, and of those no more are done before others get their turn.
    pub(crate) fn work(&mut self) {
        for _ in 0..self.settings.bounds.chores {
            if !self.has_work() {
                return;
            }
            let Some(chore) = self.chores.pop_front() else { return };
            match chore {
                Chore::Mark(id) => {
                    self.keep_session(id);
                    self.chores.push_back(Chore::Abandon(id));
                }
                Chore::Abandon(id) => self.abandon(id),
                Chore::Restore(id) => self.restore(id),
            }
        }
    }

    /// Whether there is a chore that can begin now.
    pub(crate) fn has_work(&self) -> bool {
        self.busy < self.settings.bounds.chores && !self.chores.is_empty()
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
        if self.upf_is_there(session.upf) && seid != 0 {
            self.delete_at(to, seid);
        }
    }

    /// Has a session end that is nobody's.
    pub(crate) fn delete_at(&mut self, upf: IpAddr, seid: u64) {
        if self.ask(upf, MessageType::SessionDeletionRequest, Some(seid), Purpose::Abandon, |_| Ok(())).is_ok() {
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
        let rules = session.rules.clone().filter(|_| self.settings.restore);
        let Some(rules) = rules else { return self.give_up(id) };
        let seid = session.smf_seid;
        let begun = rules.establishment().map_err(Refusal::from).and_then(|message| {
            let wish = Wish::of(&message)?;
            if wish.chooses_user {
                // Another UPF would choose another address.
                return Err(Refusal::plain(Cause::NO_RESOURCES));
            }
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
        self.lead(id);
        self.commit(changes, Parked::Remade { session: id });
        self.tell_followers(id);
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
}

/// Report Type: the user plane function begins it itself (TS 29.244 8.2.21).
const UISR: u8 = 0x40;
