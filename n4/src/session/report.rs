//! What UPFs report of sessions (TS 29.244 6.3.5).

use std::net::IpAddr;

use bytes::Bytes;
use pinion_protocols::pfcp::{Cause, Element, ElementType, Error, FSeid, Message, MessageType};

use crate::front::{FrontEnd, flag};
use crate::inbound::Origin;
use crate::purpose::Purpose;
use crate::sessions::{Phase, Session, SessionId};
use crate::smf::alternatives;
use crate::speak::prioritize;
use crate::translate::Refusal;

impl<Proof> FrontEnd<Proof> {
    /// A UPF reports of a session.
    pub(crate) fn report(&mut self, origin: Origin, message: &Message<'_>, bytes: &[u8]) -> Result<(), Refusal> {
        let id = SessionId::of(message.seid().unwrap_or_default());
        let from = (origin.from.ip(), self.upf_at.get(&origin.from.ip()).copied());
        let theirs = |it: &&Session| from.0 == it.upf_address || from.1 == Some(it.upf);
        let session = self.sessions.get(id).filter(theirs);
        let session = session.filter(|it| it.phase != Phase::Opening && !it.under_way.forsaken);
        let session = session.ok_or(Refusal::plain(Cause::SESSION_NOT_FOUND))?;
        let (smf, upf, wished) = (session.smf, session.upf, session.under_way.stand_in);
        self.hear_load(upf, message)?;
        let other = self.stand_in(smf, wished);
        let request = Bytes::copy_from_slice(bytes);
        self.pass_report(origin, id, &request, other, 0)
    }

    /// Asks the session's SMF, or another one in its stead: that one is told whose session it was, and answers with an
    /// end of its own where it takes the session over (TS 29.244 5.22.3, 7.5.8.1).
    fn pass_report(
        &mut self,
        origin: Origin,
        id: SessionId,
        request: &Bytes,
        other: Option<IpAddr>,
        redirected: u8,
    ) -> Result<(), Refusal> {
        let message = Message::parse(request)?;
        let ends = tells_of_end(&message)?;
        let patches = self.upwards(id, &message)?;
        let Some(session) = self.sessions.get(id) else { return Ok(()) };
        let old = FSeid { seid: session.smf_seid, addresses: session.smf_address.into() };
        let (to, seid) = other.map_or((session.smf_address, session.smf_seid), |other| (other, 0));
        let purpose = Purpose::Report { origin, session: id, ends, request: request.clone(), redirected };
        self.ask(to, MessageType::SessionReportRequest, Some(seid), purpose, |writer| {
            prioritize(writer, &message);
            writer.splice(message.elements(), &patches)?;
            if other.is_some() {
                writer.add(&Element::FSeid(old));
            }
            Ok(())
        })
    }

    /// An SMF answered to a report.
    pub(crate) fn reported(
        &mut self,
        message: &Message<'_>,
        origin: Origin,
        id: SessionId,
        (ends, request, redirected): (bool, Bytes, u8),
    ) -> Result<(), Refusal> {
        /// How often a report is sent on to yet another SMF.
        const MOST: u8 = 3;
        let routing = message.routing()?;
        if routing.cause == Some(Cause::REDIRECTION_REQUESTED)
            && redirected < MOST
            && let Some(other) = alternatives(message.elements())?.first().copied()
        {
            return self.pass_report(origin, id, &request, Some(other), redirected.saturating_add(1));
        }
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        if let Some((FSeid { seid, addresses }, _)) = routing.session {
            session.taken_over(seid, addresses);
        }
        let seid = session.upf_seid;
        let unknown = routing.cause == Some(Cause::SESSION_NOT_FOUND);
        let patches = self.downwards(id, message, false)?;
        let answer = self.relayed(message, origin, (if unknown { 0 } else { seid }, None), &patches)?;
        self.keep_session(id);
        self.finish(origin, answer);
        if ends {
            self.end(id);
        } else if unknown {
            self.forget(id);
        }
        Ok(())
    }
}

/// Whether a UPF reports that it has deleted the session (PSDBU, TS 29.244 5.18.2).
pub(crate) fn tells_of_end(report: &Message<'_>) -> Result<bool, Error> {
    flag(report, ElementType::PfcpsrreqFlags, 1)
}
