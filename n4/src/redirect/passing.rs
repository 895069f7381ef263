//! Messages of sessions, which pass by as they are.

use bytes::Bytes;
use pinion_protocols::pfcp::{Addresses, Cause, Element, FSeid, Message, MessageType};

use super::{Standing, Task, copy};
use crate::front::FrontEnd;
use crate::inbound::Origin;
use crate::placement::Wish;
use crate::session::tells_of_end;
use crate::sessions::{Phase, Session, SessionId};
use crate::speak::built;
use crate::translate::Refusal;

impl<Proof> FrontEnd<Proof> {
    /// An SMF wants a session: one of the UPFs is asked to make it.
    pub(super) fn pass_establishment(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        self.smf_end(message)?;
        let smf = self.associated_smf(message)?;
        self.needs_origin(smf, origin)?;
        self.place_with(origin, message, smf, Vec::new())
    }

    fn place_with(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        smf: u16,
        tried: Vec<u16>,
    ) -> Result<(), Refusal> {
        let (seid, _) = self.smf_end(message)?;
        let wish = Wish::of(message)?;
        let able: Vec<bool> = (0..)
            .zip(&self.upfs)
            .map(|(number, upf)| {
                let stands = self.redirect.standing.get(&(smf, number)) == Some(&Standing::Up);
                stands && upf.may_be_placed_on() && !tried.contains(&number)
            })
            .collect();
        let upf = self.place_among(&wish, seid, &able).ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
        let to = self.upf_address(upf).ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
        let request = whole(message, message.sequence())?;
        self.pass(to, message, Task::Place { origin, smf, upf, request, tried })
    }

    /// A UPF answered to the wish for a session.
    pub(super) fn placed(
        &mut self,
        message: &Message<'_>,
        origin: Origin,
        (smf, upf): (u16, u16),
        (request, mut tried): (&Bytes, Vec<u16>),
    ) {
        let Ok(request) = Message::parse(request) else { return };
        if message.message_type() == MessageType::VersionNotSupportedResponse {
            return self.refuse(origin, &request, Refusal::plain(Cause::SYSTEM_FAILURE));
        }
        let routing = message.routing().unwrap_or_default();
        if routing.cause == Some(Cause::NO_ASSOCIATION) {
            // It began anew, and has not said so yet: another one is asked, and it for an association, by the first that finds out.
            if self.redirect.standing.get(&(smf, upf)) != Some(&Standing::Asked) {
                self.redirect.standing.remove(&(smf, upf));
                self.join(smf, upf);
            }
            tried.push(upf);
            if let Err(refusal) = self.place_with(origin, &request, smf, tried) {
                self.refuse(origin, &request, refusal);
            }
            return;
        }
        // Where that makes no sense, so it does to the SMF.
        let _ = self.hear_load(upf, message);
        if let (Some((end, _)), Ok((smf_seid, smf_address))) = (routing.session, self.smf_end(&request))
            && routing.cause.is_some_and(Cause::is_acceptance)
            && let Some(upf_address) = self.upf_address(upf)
        {
            let of = (smf, smf_seid, smf_address);
            let mut session = Session::new(Phase::Open, of, self.smf_life(smf), (upf, upf_address));
            session.made_at(end.seid, end.addresses);
            self.pin(session);
            self.counts.established += 1;
        }
        self.pass_answer(origin, message);
    }

    /// Takes down where a session is. Where there is no room, in the place of the one that is known for longest.
    fn pin(&mut self, session: Session) {
        let (smf, upf) = (session.smf, session.upf);
        let before = self.redirect.pins.of_upf(upf, session.upf_seid);
        // Its SEID is another session's now.
        before.into_iter().for_each(|before| self.remove(before));
        let most = self.settings.bounds.sessions;
        if self.sessions.len() >= most as usize
            && let Some(oldest) = self.redirect.pins.oldest(&self.sessions)
        {
            self.remove(oldest);
        }
        let Some(id) = self.sessions.insert(session, most) else { return };
        self.learn_ends(id);
        self.redirect.pins.tidy(&self.sessions);
        self.count_in(smf, upf);
        self.keep_session(id);
    }

    /// Takes down what a session is known by. Another one with the SMF's end of it has ended: an F-SEID is one
    /// session's (TS 29.244 5.6.2).
    fn learn_ends(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let ends_there = |of: &SessionId| {
            *of != id && self.sessions.get(*of).is_some_and(|of| of.smf_address == session.smf_address)
        };
        let known = self.redirect.pins.of_smfs(session.upf, session.smf_seid).iter();
        let before: Vec<SessionId> = known.copied().filter(ends_there).collect();
        self.redirect.pins.learn(id, session);
        before.into_iter().for_each(|before| self.remove(before));
    }

    /// An SMF speaks of a session as if it were here.
    pub(super) fn pass_down(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let seid = message.seid().unwrap_or_default();
        let upfs = (0..).zip(&self.upfs).filter_map(|(upf, _)| self.redirect.pins.of_upf(upf, seid));
        let theirs = |id: &SessionId| {
            self.sessions.get(*id).is_some_and(|session| self.may_speak(origin.from.ip(), session))
        };
        let mut known = upfs.filter(theirs);
        // Several UPFs may have chosen the same SEID: which of them is meant is not said.
        let (Some(id), None) = (known.next(), known.next()) else {
            return Err(Refusal::plain(Cause::SESSION_NOT_FOUND));
        };
        let end = message.routing()?.session.map(|(end, _)| end);
        let to = self.sessions.get(id).map(|session| session.upf_address);
        let to = to.ok_or(Refusal::plain(Cause::SESSION_NOT_FOUND))?;
        let kind = message.message_type();
        let ends = kind == MessageType::SessionDeletionRequest;
        self.pass(to, message, Task::Pass { origin, session: id, kind, ends, end })
    }

    /// A UPF reports of a session as if its SMF were here.
    pub(super) fn pass_up(&mut self, origin: Origin, message: &Message<'_>, upf: u16) -> Result<(), Refusal> {
        let id = match *self.redirect.pins.of_smfs(upf, message.seid().unwrap_or_default()) {
            [] => return Err(Refusal::plain(Cause::SESSION_NOT_FOUND)),
            [id] => id,
            // Whose is meant is not said, and that there is none would end it.
            _ => return Err(Refusal::plain(Cause::REJECTED)),
        };
        let to = self.sessions.get(id).map(|session| session.smf_address);
        let to = to.ok_or(Refusal::plain(Cause::SESSION_NOT_FOUND))?;
        let ends = tells_of_end(message)?;
        let kind = message.message_type();
        self.pass(to, message, Task::Pass { origin, session: id, kind, ends, end: None })
    }

    /// A peer answered to what was passed on of a session.
    pub(super) fn passed(
        &mut self,
        message: &Message<'_>,
        (origin, id, kind): (Origin, SessionId, MessageType),
        ends: bool,
        end: Option<FSeid>,
    ) {
        if message.message_type() == MessageType::VersionNotSupportedResponse {
            if let Some(answer) = kind.response() {
                self.answer(origin, answer, Some(0), |_, writer| {
                    writer.add(&Element::Cause(Cause::SYSTEM_FAILURE));
                });
            }
            return;
        }
        let cause = message.routing().unwrap_or_default().cause;
        let accepted = cause.is_some_and(Cause::is_acceptance);
        if (ends && accepted) || cause == Some(Cause::SESSION_NOT_FOUND) {
            self.counts.deleted += u64::from(kind == MessageType::SessionDeletionRequest);
            self.remove(id);
        } else if accepted && let Some(FSeid { seid, addresses }) = end {
            self.moved(id, seid, addresses);
        }
        self.pass_answer(origin, message);
    }

    /// TS 29.244 7.5.4.1: an SMF gives a session another end.
    fn moved(&mut self, id: SessionId, seid: u64, addresses: Addresses) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        self.redirect.pins.forget(id, session);
        session.taken_over(seid, addresses);
        self.learn_ends(id);
        self.keep_session(id);
    }
}

/// A message as it is, with a number.
pub(super) fn whole(message: &Message<'_>, number: u32) -> Result<Bytes, Refusal> {
    built(message.message_type(), message.seid(), number, |writer| {
        copy(writer, message);
        Ok(())
    })
}
