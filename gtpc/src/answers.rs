//! The end of what was asked: answers of the other side, or none; and what is answered here.

use std::net::SocketAddr;

use bytes::BytesMut;
use pinion_exchange::inbound::Origin;
use pinion_exchange::outbound::Key;
use pinion_protocols::gtpv2::{Cause, Element, ElementType, Message, MessageType, MessageWriter};

use crate::chores::Farewell;
use crate::front::{FrontEnd, port_of};
use crate::interface::{End, Reference, Side};
use crate::purpose::{Change, Ends, Purpose, Relay};
use crate::relay::{compose, rewrite};
use crate::sessions::Session;
use crate::told::{Instead, Refusal, Told};

impl FrontEnd {
    /// An answer: by its sender's address, its number and its type that of a question of ours (TS 29.274 7.6).
    pub(crate) fn take_answer(&mut self, from: SocketAddr, message: &Message<'_>) {
        let (asked, number) = (port_of(from.ip()), message.sequence());
        let kind = message.message_type();
        let version = kind == MessageType::VersionNotSupportedIndication;
        // Whoever answers says which session it is, where it knows it.
        let fits = match self.outbound.purpose(asked, number) {
            Some(Purpose::Relay(relay)) if !version => {
                let ours = self.sessions.get(relay.session).map(|session| session.teid(relay.side.other()));
                message.teid().is_some_and(|teid| teid == 0 || ours.is_none_or(|ours| ours == teid))
            }
            Some(_) => true,
            None => false,
        };
        let purpose = if fits { self.outbound.answered(asked, number, |it| *it == kind || version) } else { None };
        let Some(purpose) = purpose else {
            self.counts.unasked += 1;
            return;
        };
        self.counts.answers += 1;
        match purpose {
            Purpose::Relay(relay) if version => {
                self.fail(&relay, Cause::VersionNotSupported);
            }
            Purpose::Relay(relay) => {
                if self.pass_back(&relay, from, message).is_err() {
                    // TS 29.274 7.7.6.
                    self.counts.malformed += 1;
                    self.fail(&relay, Cause::InvalidReply);
                }
            }
            Purpose::Late(_) if version => {}
            Purpose::Late(relay) => self.too_late(&relay, message),
            Purpose::Farewell => self.busy = self.busy.saturating_sub(1),
            Purpose::Echo(_) | Purpose::Doubt(_) => self.echoed(&purpose, message),
        }
    }

    /// Tells whoever asked what the other side answered.
    fn pass_back(&mut self, relay: &Relay, from: SocketAddr, message: &Message<'_>) -> Result<(), Refusal> {
        let kind = message.message_type();
        let side = relay.side.other();
        let Some(session) = self.sessions.get(relay.session) else {
            self.without_session(relay, message);
            return Ok(());
        };
        let (interface, opening) = (session.reference.interface(), session.end.is_none());
        let told = Told::of(message, side, Some(interface))?;
        if let Some(counter) = told.recovery {
            self.notice(from.ip(), counter);
        }
        let Some(session) = self.sessions.get(relay.session) else { return Ok(()) };
        let cause = told.cause.ok_or(Refusal::missing(ElementType::Cause))?;
        let instead = Instead {
            side,
            interface,
            address: self.settings.address,
            teid: session.teid(relay.side),
            recovery: self.recovery,
        };
        let end = told.end_like(self.settings.address).filter(|end| end.teid != 0);
        if cause.is_accepted() && opening && end.is_none() {
            return Err(Refusal::missing(ElementType::FTeid));
        }
        let patches = instead.patches(message)?;
        // TS 29.274 5.5.2: a peer that knows no such session says so by a TEID of 0.
        let unknown = message.teid() == Some(0);
        let teid = if unknown && !opening { 0 } else { relay.teid };
        let fill = |writer: &mut MessageWriter<'_>| rewrite(writer, message, &patches);
        let answer = compose(kind, Some(teid), relay.origin.sequence, fill)?;
        if cause.is_accepted() {
            self.accepted(relay, end.filter(|_| side == Side::Endpoint), told.recovery);
        } else if opening {
            self.end(relay.session);
        } else if cause == Cause::ContextNotFound {
            self.not_there(relay, unknown);
        }
        self.finish(relay.origin, answer);
        Ok(())
    }

    /// The session ended meanwhile. Who asked for just that is told so; who asked for something else may ask again, and learns
    /// that there is none.
    fn without_session(&mut self, relay: &Relay, message: &Message<'_>) {
        if relay.change.ends == Ends::None {
            self.inbound.forget(&relay.origin);
        } else {
            let cause = Told::of(message, relay.side.other(), None).ok().and_then(|told| told.cause);
            let teid = if message.teid() == Some(0) { 0 } else { relay.teid };
            self.answer(relay.origin, relay.kind, teid, cause.unwrap_or(Cause::ContextNotFound), None);
        }
        self.too_late(relay, message);
    }

    /// What was asked is done, by who may have said how often it began.
    fn accepted(&mut self, relay: &Relay, end: Option<End>, recovery: Option<u8>) {
        let Change { client, adds, ends } = &relay.change;
        let next = self.sessions.next();
        let Some(session) = self.sessions.get_mut(relay.session) else { return };
        // Connections only come here.
        let facts = |it: &Session| (it.client, it.peer, it.since, it.end, it.made, it.connections.len());
        let (before, was) = (facts(session), session.client.address);
        if session.end.is_none() {
            self.counts.created += 1;
            let known = || self.endpoints.get(usize::from(session.endpoint))?.recovery;
            session.made = recovery.or_else(known);
        }
        session.end = end.or(session.end);
        if let Some(client) = client {
            (session.client, session.peer, session.since) = (*client, relay.origin.from.ip(), next);
        }
        session.connections.extend(*adds);
        let changed = facts(session) != before;
        let (is, endpoint) = (session.client.address, session.endpoint);
        if is != was {
            self.counts.moved += 1;
            self.count_out(was, endpoint);
            self.count_in(is, endpoint);
        }
        if changed {
            self.keep_session(relay.session);
        }
        if let Some(made) = *adds {
            self.replaced(relay.session, made);
        }
        self.end_connections(relay.session, *ends);
    }

    /// A user's connection was made anew: the one before, of the same bearer, is none any more (TS 29.274 7.2.1).
    fn replaced(&mut self, by: u64, made: u8) {
        let Some(new) = self.sessions.get(by) else { return };
        let Some(subscriber) = &new.subscriber else { return };
        let same = self.sessions.of(subscriber).filter(|(id, session)| {
            *id != by && session.reference == new.reference && session.connections.contains(&made)
        });
        let same: Vec<u64> = same.map(|(id, _)| id).collect();
        for id in same {
            self.end_connections(id, Ends::One(made));
        }
    }

    /// A peer knows nothing of what it was asked about.
    fn not_there(&mut self, relay: &Relay, of_session: bool) {
        let ends = match relay.change.ends {
            // A client that lost the session is to have it again by other means.
            Ends::None if of_session && relay.side == Side::Client => Ends::All,
            ends => ends,
        };
        self.end_connections(relay.session, ends);
    }

    /// PDN connections end, and the session with the last of them.
    pub(crate) fn end_connections(&mut self, id: u64, ends: Ends) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let changed = match ends {
            Ends::None => return,
            Ends::One(bearer) => session.connections.remove(&bearer),
            Ends::All => {
                session.connections.clear();
                true
            }
        };
        if session.connections.is_empty() && session.end.is_some() {
            self.counts.deleted += 1;
            self.end(id);
        } else if changed {
            self.keep_session(id);
        }
    }

    /// A session is no more.
    pub(crate) fn end(&mut self, id: u64) {
        let Some(session) = self.sessions.remove(id) else { return };
        self.count_out(session.client.address, session.endpoint);
        if session.end.is_some() {
            self.keep_session(id);
        }
    }

    /// A session ended while the other side was asked. One that it made all the same is to end there too.
    fn too_late(&mut self, relay: &Relay, message: &Message<'_>) {
        let Some(bearer) = relay.change.adds else { return };
        for reference in [Reference::S11, Reference::S5] {
            let Ok(told) = Told::of(message, Side::Endpoint, Some(reference.interface())) else { return };
            if told.cause.is_some_and(Cause::is_accepted)
                && let Some(to) = told.end_like(self.settings.address)
            {
                return self.farewells.push_back(Farewell {
                    to,
                    side: Side::Endpoint,
                    reference,
                    bearer,
                    of: None,
                });
            }
        }
    }

    /// Nobody answered to a request of ours.
    pub(crate) fn lost(&mut self, asked: Key, purpose: Purpose) {
        self.counts.unanswered += u64::from(!matches!(purpose, Purpose::Late(_)));
        match purpose {
            Purpose::Relay(relay) => {
                if relay.side == Side::Client
                    && let Some(session) = self.sessions.get(relay.session)
                {
                    self.suspect(session.endpoint);
                }
                self.fail(&relay, Cause::PeerNotResponding);
                if self.sessions.get(relay.session).is_none()
                    && let (Some(_), Some(answer)) = (relay.change.adds, relay.kind.response())
                {
                    let timers = self.settings.timers;
                    let due = self.now.saturating_add(timers.t3);
                    self.outbound.wait_on(asked, answer, Purpose::Late(relay), (due, timers.n3));
                }
            }
            Purpose::Late(_) => {}
            Purpose::Farewell => self.busy = self.busy.saturating_sub(1),
            Purpose::Echo(_) | Purpose::Doubt(_) => self.silent(&purpose),
        }
    }

    /// Tells whoever asked that it came to nothing; what it was to make is none.
    fn fail(&mut self, relay: &Relay, cause: Cause) {
        self.answer(relay.origin, relay.kind, relay.teid, cause, None);
        if self.sessions.get(relay.session).is_some_and(|session| session.end.is_none()) {
            self.end(relay.session);
        }
    }

    /// Answers a request with a cause that is not acceptance; what is not answered is forgotten.
    pub(crate) fn refuse(&mut self, origin: Origin, message: &Message<'_>, refusal: Refusal) {
        self.counts.refusals += 1;
        let Refusal { cause, about } = refusal;
        if cause == Cause::ContextNotFound {
            self.counts.not_found += 1;
        }
        let kind = message.message_type();
        // Who asks for a session to be made says where the answer goes (TS 29.274 5.5.2).
        let teid = match cause {
            Cause::ContextNotFound => None,
            _ if sends_end(kind) => Told::of(message, Side::Client, None)
                .ok()
                .and_then(|told| told.end)
                .filter(|end| Reference::of_client(end.interface).is_some()),
            _ => None,
        };
        let teid = teid.map_or_else(|| self.known_teid(message, cause), |end| end.teid);
        tracing::debug!(peer = %origin.from, request = %kind, %cause, "refused");
        self.answer(origin, kind, teid, cause, about);
    }

    /// The TEID of whoever asks about a session that is known.
    fn known_teid(&self, message: &Message<'_>, cause: Cause) -> u32 {
        let known = message.teid().and_then(|teid| self.sessions.by_teid(teid));
        let known = known.filter(|_| cause != Cause::ContextNotFound);
        let end = known.and_then(|(id, side)| {
            let session = self.sessions.get(id)?;
            match side {
                Side::Client => Some(session.client),
                Side::Endpoint => session.end,
            }
        });
        end.map_or(0, |end| end.teid)
    }

    /// Answers a request, once: the answer is remembered.
    pub(crate) fn answer(
        &mut self,
        origin: Origin,
        request: MessageType,
        teid: u32,
        cause: Cause,
        about: Option<(ElementType, u8)>,
    ) {
        let Some(kind) = request.response() else { return };
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, kind, Some(teid), origin.sequence);
        match about {
            Some((kind, instance)) => writer.cause_about(cause, kind, instance),
            None => writer.add(&Element::Cause(cause, 0)),
        };
        if writer.finish().is_ok() {
            self.finish(origin, out.freeze());
        }
    }
}

/// Whether a request's sender says in it where answers go.
fn sends_end(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::CreateSessionRequest
            | MessageType::CreateIndirectDataForwardingTunnelRequest
            | MessageType::ModifyBearerRequest
    )
}
