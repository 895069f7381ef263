//! What a peer asks the other side of its session.

use std::hash::BuildHasher;
use std::net::SocketAddr;

use bytes::BytesMut;
use foldhash::fast::FixedState;
use pinion_exchange::inbound::Origin;
use pinion_exchange::placement::{Candidate, Placement, choose};
use pinion_protocols::gtpv2::{Cause, ElementType, Message, MessageType, MessageWriter, Patch};

use crate::front::{FrontEnd, port_of};
use crate::interface::{End, Interface, Reference, Side};
use crate::peers::Peer;
use crate::purpose::{Change, Ends, Purpose, Relay};
use crate::sessions::{FORWARDING, Session};
use crate::told::{Instead, Refusal, Told};

/// The bit of a number that says that a command asked for what it is of (TS 29.274 7.6).
const COMMANDED: u32 = 1 << 23;

/// Which number a request goes with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// The next.
    Next,
    /// The next, as that of a command.
    Command,
    /// This one.
    Given(u32),
}

impl FrontEnd {
    /// A request of a side about a session.
    pub(crate) fn request_of(&mut self, side: Side, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let kind = message.message_type();
        let Some(teid) = message.teid() else {
            // TS 29.274 5.5.2.
            self.counts.malformed += 1;
            self.inbound.forget(&origin);
            return Ok(());
        };
        if teid != 0 {
            let (id, knows) = self.sessions.by_teid(teid).ok_or(Refusal::plain(Cause::ContextNotFound))?;
            if knows != side || (side == Side::Endpoint && !self.is_its_endpoint(id, origin.from)) {
                self.counts.unexpected += 1;
                self.inbound.forget(&origin);
                return Ok(());
            }
            return self.pass_on(id, side, origin, message);
        }
        match kind {
            MessageType::CreateSessionRequest | MessageType::CreateIndirectDataForwardingTunnelRequest => {
                self.create(origin, message)
            }
            MessageType::DownlinkDataNotification => {
                // Its client may know nothing of the user any more, and is told by the IMSI (TS 29.274 5.5.2).
                let told = Told::of(message, side, Some(Interface::S11))?;
                let of_user = told.subscriber().and_then(|it| self.sessions.of(&it).next_back().map(|(id, _)| id));
                let id = of_user
                    .filter(|id| self.is_its_endpoint(*id, origin.from))
                    .ok_or(Refusal::plain(Cause::ContextNotFound))?;
                self.pass_on(id, side, origin, message)
            }
            _ => Err(Refusal::plain(Cause::ContextNotFound)),
        }
    }

    /// Whether a session's endpoint speaks from an address.
    fn is_its_endpoint(&self, id: u64, from: SocketAddr) -> bool {
        self.sessions.get(id).is_some_and(|session| {
            let at = self.endpoint(session.endpoint).map(|peer| peer.config.address);
            at == Some(from.ip()) || session.end.is_some_and(|end| end.address == from.ip())
        })
    }

    /// A request of a session that is known.
    fn pass_on(&mut self, id: u64, side: Side, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let kind = message.message_type();
        let Some(session) = self.sessions.get(id) else { return Err(Refusal::plain(Cause::ContextNotFound)) };
        let (interface, endpoint, client) = (session.reference.interface(), session.endpoint, session.client);
        let told = Told::of(message, side, Some(interface))?;
        if let Some(counter) = told.recovery {
            self.notice(origin.from.ip(), counter);
        }
        let Some(session) = self.sessions.get(id) else { return Err(Refusal::plain(Cause::ContextNotFound)) };
        let mut change = Change { ends: ends(kind, &told), ..Change::default() };
        let (to, teid) = match side {
            Side::Client => {
                let end = session.end.ok_or(Refusal::plain(Cause::ContextNotFound))?;
                let here = told.end_like(self.settings.address);
                change.client = here.filter(|here| *here != client);
                if kind == MessageType::CreateSessionRequest {
                    change.adds = told.connection();
                }
                (end, here.map_or(client.teid, |here| here.teid))
            }
            Side::Endpoint => (client, session.end.map_or(0, |end| end.teid)),
        };
        let relay = Relay { origin, side, kind, session: id, teid, change };
        if side == Side::Client && !self.endpoint(endpoint).is_some_and(Peer::is_there) {
            return self.without_endpoint(&relay);
        }
        // A client that is asked by the IMSI is not asked by a TEID.
        let to = if message.teid() == Some(0) { End { teid: 0, ..to } } else { to };
        self.relay(relay, to, message)
    }

    /// What a client asks of an endpoint that does not answer. What it had there is no more, which is what may be asked for.
    fn without_endpoint(&mut self, relay: &Relay) -> Result<(), Refusal> {
        if relay.kind != MessageType::DeleteSessionRequest {
            return Err(Refusal::plain(Cause::PeerNotResponding));
        }
        let ends = relay.change.ends;
        self.answer(relay.origin, relay.kind, relay.teid, Cause::Accepted, None);
        self.end_connections(relay.session, ends);
        Ok(())
    }

    /// A session that is not known: an endpoint is chosen (TS 29.274 7.2.1, 7.2.18).
    fn create(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let told = Told::of(message, Side::Client, None)?;
        let tunnel = told.end.ok_or(Refusal::missing(ElementType::FTeid))?;
        let wrong = Refusal { cause: Cause::MandatoryIncorrect, about: Some((ElementType::FTeid, 0)) };
        let reference = Reference::of_client(tunnel.interface).ok_or(wrong)?;
        let client = told.end_like(self.settings.address).filter(|end| end.teid != 0).ok_or(wrong)?;
        let adds = match message.message_type() {
            MessageType::CreateSessionRequest => {
                told.connection().ok_or(Refusal::missing(ElementType::BearerContext))?
            }
            _ => FORWARDING,
        };
        if let Some(counter) = told.recovery {
            self.notice(client.address, counter);
        }
        let bounds = self.settings.bounds;
        if self.sessions.len() >= bounds.sessions as usize {
            return Err(Refusal::plain(Cause::NoResources));
        }
        let subscriber = told.subscriber();
        let known = subscriber.as_deref().and_then(|it| self.known_endpoint(it, reference.interface()));
        let key = subscriber.as_deref().or(told.apn).unwrap_or_default();
        let key = FixedState::with_seed(0).hash_one(key);
        let endpoint = known.or_else(|| self.place(key)).ok_or(Refusal::plain(Cause::NoResources))?;
        let address = self.endpoint(endpoint).map(|peer| peer.config.address);
        let address = address.ok_or(Refusal::plain(Cause::NoResources))?;
        let to_client = self.sessions.fresh_teid();
        let mut to_endpoint = self.sessions.fresh_teid();
        while to_endpoint == to_client {
            to_endpoint = self.sessions.fresh_teid();
        }
        let session = Session {
            reference,
            subscriber,
            client,
            peer: origin.from.ip(),
            endpoint,
            end: None,
            made: None,
            since: self.sessions.next(),
            to_client,
            to_endpoint,
            connections: std::collections::BTreeSet::new(),
        };
        let id = self.sessions.insert(session);
        self.count_in(client.address, endpoint);
        let relay = Relay {
            origin,
            side: Side::Client,
            kind: message.message_type(),
            session: id,
            teid: client.teid,
            change: Change { adds: Some(adds), ..Change::default() },
        };
        let done = self.relay(relay, End { address, teid: 0 }, message);
        if done.is_err() {
            self.end(id);
        }
        done
    }

    /// Where a user's sessions are, if another can be made there: the connections to one network are to be at one gateway.
    fn known_endpoint(&self, subscriber: &[u8], interface: Interface) -> Option<u16> {
        let there = self.sessions.of(subscriber).filter(|(_, session)| session.reference.interface() == interface);
        there
            .map(|(_, session)| session.endpoint)
            .rfind(|number| self.endpoint(*number).is_some_and(Peer::takes_sessions))
    }

    /// The endpoint that gets a new user.
    fn place(&mut self, key: u64) -> Option<u16> {
        let candidates: Vec<Candidate<'_>> = (0..)
            .zip(&self.endpoints)
            .filter(|(_, peer)| peer.takes_sessions())
            .map(|(number, peer)| Candidate {
                number,
                name: &peer.config.name,
                weight: peer.config.weight,
                priority: peer.config.priority,
                sessions: peer.sessions,
                load: 0,
            })
            .collect();
        let key = match self.settings.placement {
            Placement::Hash => key,
            Placement::LeastSessions | Placement::RoundRobin => self.placed,
        };
        let chosen = choose(self.settings.placement, &candidates, self.placed, key)?;
        self.placed = self.placed.wrapping_add(1);
        Some(chosen)
    }

    /// Asks the other side what a peer asks.
    fn relay(&mut self, relay: Relay, to: End, message: &Message<'_>) -> Result<(), Refusal> {
        if self.outbound.len() >= self.settings.bounds.requests as usize {
            return Err(Refusal::plain(Cause::NoResources));
        }
        let session = self.sessions.get(relay.session).ok_or(Refusal::plain(Cause::ContextNotFound))?;
        let instead = Instead {
            side: relay.side,
            interface: session.reference.interface(),
            address: self.settings.address,
            teid: session.teid(relay.side.other()),
            recovery: self.recovery,
        };
        let patches = instead.patches(message)?;
        let number = self.number_of(&relay, message);
        let kind = relay.kind;
        let fill = |writer: &mut MessageWriter<'_>| rewrite(writer, message, &patches);
        let to_port = port_of(to.address);
        if kind.response().is_none() {
            // Sent once, and not answered.
            let number = self.number(to_port);
            let bytes = compose(kind, Some(to.teid), number, fill)?;
            self.send(to_port, bytes);
            return Ok(());
        }
        self.ask((to_port, number), kind, Some(to.teid), Purpose::Relay(relay), fill)
    }

    /// The number that a request goes on with, where it is not just the next one: a command's has a bit of its own, and what
    /// a command led to has the command's (TS 29.274 7.6).
    fn number_of(&mut self, relay: &Relay, message: &Message<'_>) -> Number {
        if is_command(relay.kind) {
            return Number::Command;
        }
        if relay.side == Side::Client || message.sequence() & COMMANDED == 0 {
            return Number::Next;
        }
        let asked = (port_of(relay.origin.from.ip()), message.sequence());
        let command = match self.outbound.purpose(asked.0, asked.1) {
            Some(Purpose::Relay(command)) if is_command(command.kind) && command.session == relay.session => {
                command.origin
            }
            _ => return Number::Next,
        };
        // It is answered by that: nobody sends it again.
        self.outbound.answered(asked.0, asked.1, |_| true);
        Number::Given(command.sequence)
    }

    /// Asks a peer, again and again until it answers.
    pub(crate) fn ask(
        &mut self,
        (to, number): (SocketAddr, Number),
        kind: MessageType,
        teid: Option<u32>,
        purpose: Purpose,
        body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let number = match number {
            Number::Next => self.number(to),
            Number::Command => self.number(to) | COMMANDED,
            Number::Given(number) => number,
        };
        let bytes = compose(kind, teid, number, body)?;
        let timers = self.settings.timers;
        let due = self.now.saturating_add(timers.t3);
        let answer = kind.response().unwrap_or(kind);
        self.outbound.ask((to, number), bytes.clone(), answer, purpose, (due, timers.n3));
        self.send(to, bytes);
        Ok(())
    }

    fn number(&mut self, to: SocketAddr) -> u32 {
        if self.outbound.reserve() {
            self.keep_front_end();
        }
        self.outbound.number(to)
    }
}

/// Whether a message is one that is answered by a request of the other side, or by that it failed.
fn is_command(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::ModifyBearerCommand | MessageType::DeleteBearerCommand | MessageType::BearerResourceCommand
    )
}

/// Which PDN connections end when a request is accepted (TS 29.274 7.2.9).
fn ends(kind: MessageType, told: &Told<'_>) -> Ends {
    match (kind, told.linked) {
        (MessageType::DeleteSessionRequest, Some(linked)) if !told.all => Ends::One(linked),
        (MessageType::DeleteSessionRequest, _) => Ends::All,
        (MessageType::DeleteBearerRequest, Some(linked)) if told.cause != Some(Cause::IsrDeactivation) => {
            Ends::One(linked)
        }
        (MessageType::DeleteIndirectDataForwardingTunnelRequest, _) => Ends::One(FORWARDING),
        _ => Ends::None,
    }
}

/// Says what a message says, with changes.
pub(crate) fn rewrite(
    writer: &mut MessageWriter<'_>,
    message: &Message<'_>,
    patches: &[Patch<'_>],
) -> Result<(), Refusal> {
    if let Some(priority) = message.priority() {
        writer.priority(priority);
    }
    writer.splice(message.elements(), patches).map_err(Refusal::from)
}

/// A message.
pub(crate) fn compose(
    kind: MessageType,
    teid: Option<u32>,
    number: u32,
    body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Refusal>,
) -> Result<bytes::Bytes, Refusal> {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, teid, number);
    body(&mut writer)?;
    writer.finish().map_err(|_| Refusal::plain(Cause::InvalidLength))?;
    Ok(out.freeze())
}
