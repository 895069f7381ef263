//! Procedures of sessions (TS 29.244 6.3): an SMF's wish goes to the session's UPF, and what that says goes back.

use std::net::IpAddr;

use bytes::Bytes;
use pinion_protocols::pfcp::{Cause, ElementType, FSeid, Message, MessageType};

use crate::chores::Chore;
use crate::front::{FrontEnd, needed};
use crate::inbound::Origin;
use crate::peers;
use crate::placement::Wish;
use crate::purpose::{Parked, Purpose};
use crate::rules::Rules;
use crate::sessions::{self, Phase, Session, SessionId, UnderWay};
use crate::sets;
use crate::speak::prioritize;
use crate::translate::{self, Refusal};
use crate::tunnels::TunnelChange;

mod change;
mod direct;
mod relay;
mod report;

pub(crate) use report::tells_of_end;

impl<Proof> FrontEnd<Proof> {
    /// An SMF wants a session.
    pub(crate) fn establish(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        let (smf_seid, smf_address) = self.smf_end(message)?;
        let smf = self.associated_smf(message)?;
        self.needs_origin(smf, origin)?;
        if let Some(unheard) = self.before.remove(&(smf_address, smf_seid))
            && self
                .sessions
                .get(unheard)
                .is_some_and(|it| (it.smf_address, it.smf_seid) == (smf_address, smf_seid))
        {
            self.abandon(unheard);
        }
        let wish = Wish::of(message)?;
        let upf = self.place(&wish, smf_seid).ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
        let follows = self.settings.restore && !wish.chooses_user || !self.settings.breakouts.is_empty();
        let rules = if follows { Some(Rules::of(message)?) } else { None };
        let upf_address = self.upf_address(upf).ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
        let end = (smf, smf_seid, smf_address);
        let session = Session {
            rules,
            marks: sets::marks(message.elements())?,
            under_way: UnderWay { asked: true, ..UnderWay::default() },
            ..Session::new(Phase::Opening, end, self.smf_life(smf), (upf, upf_address))
        };
        let id = self.sessions.insert(session, self.settings.bounds.sessions);
        let id = id.ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
        self.count_in(smf, upf);
        let asked = self.downwards(id, message, false).and_then(|patches| {
            let keep = self.settings.smf_teids || translate::restores(message)? || peers::tells(message)?;
            let request = keep.then(|| Bytes::copy_from_slice(bytes));
            let kind = MessageType::SessionEstablishmentRequest;
            let (number, asked) = self.compose(upf_address, kind, Some(0), |writer| {
                prioritize(writer, message);
                writer.splice(message.elements(), &patches)
            })?;
            if let Some(session) = self.sessions.get_mut(id) {
                let request = request.as_ref().map(|request| request.to_vec());
                session.under_way.wish = Some(sessions::Wish { origin, asked: asked.to_vec(), request });
            }
            // Before the UPF knows of it: the next front end has to find it there.
            self.keep_session(id);
            self.post((upf_address, number), kind, asked, Purpose::Establish { origin, session: id, request });
            Ok(())
        });
        if asked.is_err() {
            self.remove(id);
        }
        asked
    }

    /// A UPF answered to the wish for a session.
    pub(crate) fn established(
        &mut self,
        message: &Message<'_>,
        origin: Origin,
        id: SessionId,
        request: Option<&Bytes>,
    ) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        session.under_way.asked = false;
        session.under_way.wish = None;
        let (seid, smf, upf) = (session.smf_seid, session.smf, session.upf);
        let routing = message.routing()?;
        let accepted = routing.cause.is_some_and(Cause::is_acceptance);
        if !accepted {
            self.hear_load(upf, message)?;
            let patches = self.upwards(id, message)?;
            self.remove(id);
            let answer = self.relayed(message, origin, (seid, Some(smf)), &patches)?;
            self.finish(origin, answer);
            return Ok(());
        }
        let Some((FSeid { seid: upf_seid, addresses }, _)) = routing.session else {
            return Err(Refusal::about(Cause::MANDATORY_MISSING, ElementType::FSeid));
        };
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        session.made_at(upf_seid, addresses);
        session.marks.extend(sets::marks(message.elements())?);
        self.hear_load(upf, message)?;
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        if session.under_way.forsaken {
            // Its SMF has begun anew, or left, before it was there.
            self.chores.push_back(Chore::Abandon(id));
            return Ok(());
        }
        session.phase = Phase::Open;
        let (mut patches, mut changes) = (self.upwards(id, message)?, Vec::new());
        let known = match request.map(|request| Message::parse(request)).transpose()? {
            Some(request) if translate::restores(&request)? => Some(translate::known(&request, &self.plane)?),
            _ => None,
        };
        self.learn(id, message, known.as_ref(), (&mut patches, &mut changes))?;
        if let Some(request) = request {
            changes.extend(self.chosen(id, request)?);
            self.follow(id, request)?;
        }
        let answer = self.relayed(message, origin, (seid, Some(smf)), &patches)?;
        self.keep_session(id);
        self.commit(changes, Parked::Answer { origin, session: id, answer, made: true });
        Ok(())
    }

    /// The SMF's end of a session.
    pub(crate) fn smf_end(&self, message: &Message<'_>) -> Result<(u64, IpAddr), Refusal> {
        needed(message, ElementType::NodeId)?;
        needed(message, ElementType::FSeid)?;
        let session = message.routing()?.session;
        let wrong = Refusal::about(Cause::MANDATORY_INCORRECT, ElementType::FSeid);
        let (FSeid { seid, addresses }, _) = session.ok_or(wrong)?;
        Ok((seid, addresses.like(self.settings.address).ok_or(wrong)?))
    }

    /// Takes a session's tunnels; what ends them.
    pub(crate) fn take_tunnels(&mut self, id: SessionId) -> Vec<TunnelChange> {
        let Some(session) = self.sessions.get_mut(id) else { return Vec::new() };
        let (tunnels, peers) = (session.tunnels.take(), std::mem::take(&mut session.tunnels.peers));
        self.lead_from(peers.ends());
        self.plane.end_all(&tunnels)
    }

    /// Ends a session here.
    pub(crate) fn end(&mut self, id: SessionId) {
        let changes = self.take_tunnels(id);
        self.remove(id);
        self.end_tunnels(changes);
    }

    pub(crate) fn count_in(&mut self, smf: u16, upf: u16) {
        if let Some(smf) = self.smfs.get_mut(usize::from(smf)) {
            smf.sessions = smf.sessions.saturating_add(1);
        }
        self.count_at_upf(upf, 1);
    }

    /// A UPF has so many sessions more, or less.
    pub(crate) fn count_at_upf(&mut self, upf: u16, more: i32) {
        if let Some(upf) = self.upfs.get_mut(usize::from(upf)) {
            upf.sessions = upf.sessions.saturating_add_signed(more);
        }
    }

    /// Takes a session out, without its tunnels.
    pub(crate) fn remove(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(id) else { return };
        self.redirect.pins.forget(id, &session);
        self.keep_session(id);
        if let Some(smf) = self.smfs.get_mut(usize::from(session.smf)) {
            smf.sessions = smf.sessions.saturating_sub(1);
        }
        self.count_at_upf(session.upf, -1);
    }
}
