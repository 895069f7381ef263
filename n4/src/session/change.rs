//! Sessions that change, and that end (TS 29.244 6.3.3, 6.3.4).

use std::net::IpAddr;

use bytes::Bytes;
use pinion_protocols::pfcp::{Cause, FSeid, Message, MessageType, Place};

use crate::front::FrontEnd;
use crate::inbound::Origin;
use crate::peers;
use crate::purpose::{Parked, Purpose};
use crate::sessions::{Phase, Session, SessionId};
use crate::speak::prioritize;
use crate::translate::{self, Refusal};
use crate::tunnels::TunnelChange;

impl<Proof> FrontEnd<Proof> {
    /// An SMF wants a session to change.
    pub(crate) fn modify(&mut self, origin: Origin, message: &Message<'_>, bytes: &[u8]) -> Result<(), Refusal> {
        let id = self.known(origin, message)?;
        let Some(id) = id else { return Ok(()) };
        // TS 29.244 7.5.4.1: another F-SEID of the SMF, as one of its set takes the session over.
        let end = message.routing()?.session;
        let patches = self.downwards(id, message, false)?;
        let removed = translate::removed(message)?;
        let keep = self.settings.smf_teids
            || self.sessions.get(id).is_some_and(|it| it.rules.is_some())
            || peers::tells(message)?;
        let request = keep.then(|| Bytes::copy_from_slice(bytes));
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        if let Some((FSeid { seid, addresses }, _)) = end {
            session.taken_over(seid, addresses);
        }
        let (to, seid) = (session.upf_address, session.upf_seid);
        let purpose = Purpose::Modify { origin, session: id, removed, request };
        self.ask(to, MessageType::SessionModificationRequest, Some(seid), purpose, |writer| {
            prioritize(writer, message);
            writer.splice(message.elements(), &patches)
        })
    }

    /// A UPF answered to the wish for a change.
    pub(crate) fn modified(
        &mut self,
        message: &Message<'_>,
        origin: Origin,
        id: SessionId,
        removed: &[Place],
        request: Option<&Bytes>,
    ) -> Result<(), Refusal> {
        let mut changes = Vec::new();
        match self.changed(message, origin, id, (removed, request), &mut changes) {
            Ok(Some(answer)) => {
                let lost = message.routing()?.cause == Some(Cause::SESSION_NOT_FOUND);
                self.keep_session(id);
                let moves = !changes.is_empty();
                self.commit(changes, Parked::Answer { origin, session: id, answer, made: false });
                if moves {
                    self.tell_followers(id);
                }
                if lost {
                    self.end(id);
                }
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(refusal) => {
                // Nobody is told of what was learnt.
                self.undo(id, &changes);
                Err(refusal)
            }
        }
    }

    /// What a UPF's answer to the wish for a change is to become, and what is to be in force then.
    fn changed(
        &mut self,
        message: &Message<'_>,
        origin: Origin,
        id: SessionId,
        (removed, request): (&[Place], Option<&Bytes>),
        changes: &mut Vec<TunnelChange>,
    ) -> Result<Option<Bytes>, Refusal> {
        let cause = message.routing()?.cause;
        let Some(session) = self.sessions.get(id) else { return Ok(None) };
        let (seid, smf, upf) = (session.smf_seid, session.smf, session.upf);
        self.hear_load(upf, message)?;
        let mut patches = self.upwards(id, message)?;
        if cause.is_some_and(Cause::is_acceptance) {
            self.learn(id, message, None, (&mut patches, changes))?;
            if let Some(request) = request {
                changes.extend(self.chosen(id, request)?);
                self.follow(id, request)?;
                if let Some(rules) = self.sessions.get_mut(id).and_then(|session| session.rules.as_mut()) {
                    rules.modify(&Message::parse(request)?)?;
                }
            }
            let gone = self.sessions.get_mut(id).map(|session| session.tunnels.remove(removed));
            changes.extend(self.plane.end_all(&gone.unwrap_or_default()));
        }
        let seid = if cause == Some(Cause::SESSION_NOT_FOUND) { 0 } else { seid };
        self.relayed(message, origin, (seid, Some(smf)), &patches).map(Some)
    }

    /// An SMF wants a session to end.
    pub(crate) fn delete(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let Some(id) = self.known(origin, message)? else { return Ok(()) };
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        session.phase = Phase::Closing;
        let (to, seid) = (session.upf_address, session.upf_seid);
        let purpose = Purpose::Delete { origin, session: id };
        self.ask(to, MessageType::SessionDeletionRequest, Some(seid), purpose, |writer| {
            prioritize(writer, message);
            writer.splice(message.elements(), &[])
        })
    }

    /// A UPF answered to the wish for an end.
    pub(crate) fn deleted(&mut self, message: &Message<'_>, origin: Origin, id: SessionId) -> Result<(), Refusal> {
        let cause = message.routing()?.cause;
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let (seid, smf, upf) = (session.smf_seid, session.smf, session.upf);
        let lost = cause == Some(Cause::SESSION_NOT_FOUND);
        let ended = lost || cause.is_some_and(Cause::is_acceptance);
        if !ended {
            session.phase = Phase::Open;
        }
        self.hear_load(upf, message)?;
        let patches = self.upwards(id, message)?;
        let answer = self.relayed(message, origin, (if lost { 0 } else { seid }, Some(smf)), &patches)?;
        if !ended {
            self.finish(origin, answer);
            return Ok(());
        }
        self.counts.deleted += 1;
        let changes = self.take_tunnels(id);
        self.remove(id);
        let changes = self.plane.hold(changes);
        self.commit(changes, Parked::Answer { origin, session: id, answer, made: false });
        Ok(())
    }

    /// The session that a request is of; none where it is to be asked again later.
    pub(super) fn known(&mut self, origin: Origin, message: &Message<'_>) -> Result<Option<SessionId>, Refusal> {
        let id = SessionId::of(message.seid().unwrap_or_default());
        let session = self.sessions.get(id).filter(|session| self.may_speak(origin.from.ip(), session));
        match session.map(|session| session.phase) {
            Some(Phase::Open) => Ok(Some(id)),
            // Its sender asks again, and by then it is there, or is not.
            Some(Phase::Restoring) => {
                self.inbound.forget(&origin);
                Ok(None)
            }
            Some(Phase::Opening | Phase::Closing) | None => Err(Refusal::plain(Cause::SESSION_NOT_FOUND)),
        }
    }

    /// Whether a request is of the session's SMF: it comes from where the session is, or from where the SMF is or says
    /// that it may be.
    pub(crate) fn may_speak(&self, from: IpAddr, session: &Session) -> bool {
        let smf = self.smfs.get(usize::from(session.smf));
        !session.under_way.forsaken
            && (from == session.smf_address
                || Some(from) == session.under_way.stand_in
                || smf.is_some_and(|smf| smf.may_speak_from(from)))
    }
}
