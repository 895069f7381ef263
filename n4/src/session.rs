//! Procedures of sessions (TS 29.244 6.3): an SMF's wish goes to the session's UPF, and what that says goes back.

use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use pinion_protocols::pfcp::{
    Addresses, Cause, ElementType, FSeid, FTeid, Message, MessageType, MessageWriter, Patch,
};

use crate::chores::Chore;
use crate::front::{FrontEnd, needed, octets};
use crate::inbound::Origin;
use crate::placement::{self, Candidate, Wish};
use crate::purpose::{Parked, Purpose};
use crate::rules::Rules;
use crate::sessions::{Phase, Session, SessionId, UnderWay};
use crate::settings::Placement;
use crate::translate::{self, Downwards, Own, Refusal};
use crate::tunnels::{TunnelChange, Tunnels};

impl<Proof> FrontEnd<Proof> {
    /// An SMF wants a session.
    pub(crate) fn establish(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let (smf_seid, smf_address) = self.smf_end(message)?;
        let smf = self.associated_smf(message)?;
        let wish = Wish::of(message)?;
        let upf = self.place(&wish, smf_seid).ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
        let rules = if self.settings.restore && !wish.chooses_user { Some(Rules::of(message)?) } else { None };
        let Some(upf_address) = self.upfs.get(usize::from(upf)).map(|upf| upf.config.address) else {
            return Err(Refusal::plain(Cause::NO_RESOURCES));
        };
        let session = Session {
            phase: Phase::Opening,
            smf,
            smf_seid,
            smf_address,
            upf,
            upf_seid: 0,
            upf_address,
            tunnels: Tunnels::default(),
            rules,
            under_way: UnderWay { asked: true, ..UnderWay::default() },
        };
        let id = self.sessions.insert(session, self.settings.bounds.sessions);
        let id = id.ok_or(Refusal::plain(Cause::NO_RESOURCES))?;
        self.count_in(smf, upf);
        let asked = self.downwards(id, message, false).and_then(|patches| {
            let request = self.settings.smf_teids.then(|| whole(message));
            let purpose = Purpose::Establish { origin, session: id, request };
            self.ask(upf_address, MessageType::SessionEstablishmentRequest, Some(0), purpose, |writer| {
                writer.splice(message.elements(), &patches)
            })
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
        let (seid, smf, upf) = (session.smf_seid, session.smf, session.upf);
        let routing = message.routing()?;
        let accepted = routing.cause.is_some_and(Cause::is_acceptance);
        if !accepted {
            self.hear_load(upf, message)?;
            let (patches, _) = self.upwards(id, message, None)?;
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
        self.hear_load(upf, message)?;
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        if session.under_way.forsaken {
            // Its SMF has begun anew, or left, before it was there.
            self.chores.push_back(Chore::Abandon(id));
            return Ok(());
        }
        session.phase = Phase::Open;
        let (patches, mut changes) = self.upwards(id, message, None)?;
        if let Some(request) = request {
            changes.extend(self.chosen(id, request)?);
        }
        let answer = self.relayed(message, origin, (seid, Some(smf)), &patches)?;
        self.keep_session(id);
        self.commit(changes, Parked::Answer { origin, session: id, answer, made: true });
        Ok(())
    }

    /// An SMF wants a session to change.
    pub(crate) fn modify(&mut self, origin: Origin, message: &Message<'_>, bytes: &[u8]) -> Result<(), Refusal> {
        let id = self.known(origin, message)?;
        let Some(id) = id else { return Ok(()) };
        // TS 29.244 7.5.4.1: another F-SEID of the SMF, as one of its set takes the session over.
        let end = message.routing()?.session;
        let patches = self.downwards(id, message, false)?;
        let removed = translate::removed(message)?;
        let keep = self.settings.smf_teids || self.sessions.get(id).is_some_and(|it| it.rules.is_some());
        let request = keep.then(|| Bytes::copy_from_slice(bytes));
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        if let Some((FSeid { seid, addresses }, _)) = end {
            session.smf_seid = seid;
            session.smf_address = addresses.like(session.smf_address).unwrap_or(session.smf_address);
        }
        let (to, seid) = (session.upf_address, session.upf_seid);
        let purpose = Purpose::Modify { origin, session: id, removed, request };
        self.ask(to, MessageType::SessionModificationRequest, Some(seid), purpose, |writer| {
            writer.splice(message.elements(), &patches)
        })
    }

    /// A UPF answered to the wish for a change.
    pub(crate) fn modified(
        &mut self,
        message: &Message<'_>,
        origin: Origin,
        id: SessionId,
        removed: &[pinion_protocols::pfcp::Place],
        request: Option<&Bytes>,
    ) -> Result<(), Refusal> {
        let cause = message.routing()?.cause;
        let Some(session) = self.sessions.get(id) else { return Ok(()) };
        let (seid, smf, upf) = (session.smf_seid, session.smf, session.upf);
        self.hear_load(upf, message)?;
        let (patches, mut changes) = self.upwards(id, message, None)?;
        if cause.is_some_and(Cause::is_acceptance) {
            if let Some(request) = request {
                changes.extend(self.chosen(id, request)?);
                if let Some(rules) = self.sessions.get_mut(id).and_then(|session| session.rules.as_mut()) {
                    rules.modify(&Message::parse(request)?)?;
                }
            }
            let gone = self.sessions.get_mut(id).map(|session| session.tunnels.remove(removed));
            changes.extend(self.plane.end_all(&gone.unwrap_or_default()));
        }
        let lost = cause == Some(Cause::SESSION_NOT_FOUND);
        self.keep_session(id);
        let seid = if lost { 0 } else { seid };
        let answer = self.relayed(message, origin, (seid, Some(smf)), &patches)?;
        self.commit(changes, Parked::Answer { origin, session: id, answer, made: false });
        if lost {
            self.end(id);
        }
        Ok(())
    }

    /// An SMF wants a session to end.
    pub(crate) fn delete(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let Some(id) = self.known(origin, message)? else { return Ok(()) };
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        session.phase = Phase::Closing;
        let (to, seid) = (session.upf_address, session.upf_seid);
        let purpose = Purpose::Delete { origin, session: id };
        self.ask(to, MessageType::SessionDeletionRequest, Some(seid), purpose, |writer| {
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
        let (patches, _) = self.upwards(id, message, None)?;
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

    /// A UPF reports of a session.
    pub(crate) fn report(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let id = SessionId::of(message.seid().unwrap_or_default());
        let from = (origin.from.ip(), self.upf_at.get(&origin.from.ip()).copied());
        let theirs = |it: &&Session| from.0 == it.upf_address || from.1 == Some(it.upf);
        let session = self.sessions.get(id).filter(theirs);
        let session = session.filter(|it| it.phase != Phase::Opening && !it.under_way.forsaken);
        let session = session.ok_or(Refusal::plain(Cause::SESSION_NOT_FOUND))?;
        let (to, seid, upf) = (session.smf_address, session.smf_seid, session.upf);
        self.hear_load(upf, message)?;
        let (patches, _) = self.upwards(id, message, None)?;
        // PSDBU: the UPF has deleted it (TS 29.244 5.18.2).
        let flags = octets(message, ElementType::PfcpsrreqFlags)?.and_then(<[u8]>::first);
        let ends = flags.is_some_and(|flags| flags & 1 != 0);
        let purpose = Purpose::Report { origin, session: id, ends };
        self.ask(to, MessageType::SessionReportRequest, Some(seid), purpose, |writer| {
            writer.splice(message.elements(), &patches)
        })
    }

    /// An SMF answered to a report.
    pub(crate) fn reported(
        &mut self,
        message: &Message<'_>,
        origin: Origin,
        id: SessionId,
        ends: bool,
    ) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(id) else { return Ok(()) };
        let seid = session.upf_seid;
        let unknown = message.routing()?.cause == Some(Cause::SESSION_NOT_FOUND);
        let patches = self.downwards(id, message, false)?;
        let answer = self.relayed(message, origin, (if unknown { 0 } else { seid }, None), &patches)?;
        self.finish(origin, answer);
        if ends {
            self.end(id);
        } else if unknown {
            self.forget(id);
        }
        Ok(())
    }

    /// The session that a request is of; none where it is to be asked again later.
    fn known(&mut self, origin: Origin, message: &Message<'_>) -> Result<Option<SessionId>, Refusal> {
        let id = SessionId::of(message.seid().unwrap_or_default());
        let session = self.sessions.get(id).filter(|session| self.may_speak(origin.from.ip(), message, session));
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

    /// Whether a request is of the session's SMF: it comes from where the session is, from where the association is,
    /// or from where the session is to be.
    fn may_speak(&self, from: IpAddr, message: &Message<'_>, session: &Session) -> bool {
        let smf = self.smfs.get(usize::from(session.smf));
        let takes_over = || {
            let end = message.routing().ok().and_then(|routing| routing.session);
            end.is_some_and(|(end, _)| end.addresses.contains(from))
        };
        !session.under_way.forsaken
            && (from == session.smf_address || smf.is_some_and(|smf| smf.speaks_from(from)) || takes_over())
    }

    /// The SMF's end of a session.
    fn smf_end(&self, message: &Message<'_>) -> Result<(u64, IpAddr), Refusal> {
        needed(message, ElementType::NodeId)?;
        needed(message, ElementType::FSeid)?;
        let session = message.routing()?.session;
        let wrong = Refusal::about(Cause::MANDATORY_INCORRECT, ElementType::FSeid);
        let (FSeid { seid, addresses }, _) = session.ok_or(wrong)?;
        Ok((seid, addresses.like(self.settings.address).ok_or(wrong)?))
    }

    /// The UPF that gets a session.
    pub(crate) fn place(&mut self, wish: &Wish<'_>, key: u64) -> Option<u16> {
        let mut candidates: Vec<Candidate<'_>> = (0..)
            .zip(&self.upfs)
            .filter(|(_, upf)| upf.takes_sessions() && wish.fits(&upf.config.serves))
            .map(|(number, upf)| Candidate {
                number,
                name: &upf.config.name,
                weight: upf.config.weight,
                priority: upf.config.priority,
                sessions: upf.sessions,
                load: upf.load.percent(self.now),
            })
            .collect();
        // An overloaded UPF is spared as often as it asks, where another one can take its share.
        let dice = u8::try_from(self.random.word() % 100).unwrap_or_default();
        let upfs = &self.upfs;
        let spared = |it: &Candidate<'_>| {
            upfs.get(usize::from(it.number)).is_some_and(|upf| dice < upf.load.reduction(self.now))
        };
        if candidates.iter().any(|it| it.weight > 0 && !spared(it)) {
            candidates.retain(|it| !spared(it));
        }
        let key = match self.settings.placement {
            Placement::Hash => wish.user().unwrap_or(key),
            Placement::LeastSessions | Placement::RoundRobin => key,
        };
        let chosen = placement::choose(self.settings.placement, &candidates, self.placed, key)?;
        self.placed = self.placed.wrapping_add(1);
        Some(chosen)
    }

    /// What a message of an SMF is to become for its session's UPF.
    pub(crate) fn downwards(
        &self,
        id: SessionId,
        message: &Message<'_>,
        anew: bool,
    ) -> Result<Vec<Patch<'static>>, Refusal> {
        let session = self.sessions.get(id).ok_or(Refusal::plain(Cause::SESSION_NOT_FOUND))?;
        let upf = self.upfs.get(usize::from(session.upf)).map_or("", |upf| &upf.config.name);
        let downwards = Downwards {
            own: self.own(id),
            plane: &self.plane,
            tunnels: &session.tunnels,
            upf,
            anew,
            smf_teids: self.settings.smf_teids,
        };
        downwards.patches(message, |other, teid, addresses| self.end_of(other, teid, addresses))
    }

    /// The UPF's end of a tunnel of a session.
    fn end_of(&self, id: SessionId, teid: u32, addresses: Addresses) -> Option<FTeid> {
        self.plane.theirs(&self.sessions.get(id)?.tunnels, teid, addresses)
    }

    /// What a message of a UPF is to become for its session's SMF, and the tunnels that it tells of.
    pub(crate) fn upwards(
        &mut self,
        id: SessionId,
        message: &Message<'_>,
        lost: Option<&Tunnels>,
    ) -> Result<(Vec<Patch<'static>>, Vec<TunnelChange>), Refusal> {
        let own = self.own(id);
        let Some(session) = self.sessions.get_mut(id) else { return Ok(Default::default()) };
        let ends = (&mut self.plane, &mut session.tunnels);
        Ok(translate::upwards(message, own, ends, lost, &mut self.random)?)
    }

    /// The tunnels that an SMF chose itself.
    fn chosen(&mut self, id: SessionId, request: &Bytes) -> Result<Vec<TunnelChange>, Refusal> {
        if !self.settings.smf_teids {
            return Ok(Vec::new());
        }
        let own = self.own(id);
        let request = Message::parse(request)?;
        let Some(session) = self.sessions.get(id) else { return Ok(Vec::new()) };
        let upf = self.upfs.get(usize::from(session.upf)).map_or("", |upf| &*upf.config.name).to_owned();
        let Some(session) = self.sessions.get_mut(id) else { return Ok(Vec::new()) };
        let ends = (&mut self.plane, &mut session.tunnels);
        Ok(translate::chosen(&request, own, ends, &upf, &mut self.random)?)
    }

    fn own(&self, session: SessionId) -> Own {
        Own { address: self.settings.address, session }
    }

    /// An answer to an SMF or to a UPF, made from that of the other side.
    fn relayed(
        &self,
        message: &Message<'_>,
        origin: Origin,
        (seid, smf): (u64, Option<u16>),
        patches: &[Patch<'_>],
    ) -> Result<Bytes, Refusal> {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, message.message_type(), Some(seid), origin.sequence);
        writer.splice(message.elements(), patches)?;
        self.add_load(&mut writer, message.message_type(), smf);
        writer.finish().map_err(|_| Refusal::plain(Cause::INVALID_LENGTH))?;
        Ok(out.freeze())
    }

    /// Takes a session's tunnels; what ends them.
    pub(crate) fn take_tunnels(&mut self, id: SessionId) -> Vec<TunnelChange> {
        let tunnels = self.sessions.get_mut(id).map(|session| session.tunnels.take()).unwrap_or_default();
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
        if let Some(upf) = self.upfs.get_mut(usize::from(upf)) {
            upf.sessions = upf.sessions.saturating_add(1);
        }
    }

    /// Takes a session out, without its tunnels.
    fn remove(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(id) else { return };
        if session.upf_seid != 0 {
            self.keep_session(id);
        }
        if let Some(smf) = self.smfs.get_mut(usize::from(session.smf)) {
            smf.sessions = smf.sessions.saturating_sub(1);
        }
        if let Some(upf) = self.upfs.get_mut(usize::from(session.upf)) {
            upf.sessions = upf.sessions.saturating_sub(1);
        }
    }

    /// Where a session's SMF is.
    pub(crate) fn smf_of(&self, id: SessionId) -> Option<(SocketAddr, u64)> {
        let session = self.sessions.get(id)?;
        Some((SocketAddr::new(session.smf_address, pinion_protocols::pfcp::PORT), session.smf_seid))
    }
}

/// A message as bytes of its own.
fn whole(message: &Message<'_>) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, message.message_type(), message.seid(), message.sequence());
    writer.raw(message.body());
    // As long as it was.
    let _ = writer.finish();
    out.freeze()
}
