//! What the front end says to peers: answers, which are remembered, and requests, which are sent until they are answered.

use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use pinion_protocols::pfcp::{
    Cause, Element, ElementType, Error, Message, MessageType, MessageWriter, NodeId, PORT,
};

use crate::front::{FrontEnd, Output};
use crate::inbound::Origin;
use crate::pools::{self, Pool};
use crate::purpose::Purpose;
use crate::translate::Refusal;

impl<Proof> FrontEnd<Proof> {
    /// Answers a request with a cause that is not acceptance.
    pub(crate) fn refuse(&mut self, origin: Origin, message: &Message<'_>, refusal: Refusal) {
        let Some(kind) = message.message_type().response() else { return };
        self.counts.refusals += 1;
        // Whoever asks for a session to be made says where the answer goes; else it was said that there is none.
        let seid = match message.message_type() {
            MessageType::SessionEstablishmentRequest => {
                message.routing().ok().and_then(|routing| routing.session).map(|(session, _)| session.seid)
            }
            _ => None,
        };
        let seid = kind.is_session().unwrap_or(false).then(|| seid.unwrap_or(0));
        tracing::debug!(peer = %origin.from, request = %message.message_type(), cause = u8::from(refusal.cause), "refused");
        self.answer(origin, kind, seid, |own, writer| {
            if !matches!(
                kind,
                MessageType::SessionModificationResponse
                    | MessageType::SessionDeletionResponse
                    | MessageType::SessionReportResponse
                    | MessageType::PfdManagementResponse
            ) {
                writer.add(&own);
            }
            writer.add(&Element::Cause(refusal.cause));
            if let Some(about) = refusal.about {
                writer.add(&Element::OffendingElement(about));
            }
        });
    }

    /// Answers a request, once: the answer is remembered. `body` is given the front end's Node ID.
    pub(crate) fn answer(
        &mut self,
        origin: Origin,
        kind: MessageType,
        seid: Option<u64>,
        body: impl FnOnce(Element<'_>, &mut MessageWriter<'_>),
    ) {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, kind, seid, origin.sequence);
        body(self.known_as(origin.from.ip()), &mut writer);
        match writer.finish() {
            Ok(()) => self.finish(origin, out.freeze()),
            Err(error) => {
                tracing::warn!(%error, "an answer cannot be sent");
                self.inbound.forget(&origin);
            }
        }
    }

    /// Accepts a request of a node: there is nothing more to say.
    pub(crate) fn accept(&mut self, origin: Origin, kind: MessageType) {
        self.answer(origin, kind, None, |own, writer| {
            writer.add(&own).add(&Element::Cause(Cause::ACCEPTED));
        });
    }

    /// Accepts an association (TS 29.244 7.4.4.2). `features` adds what the front end can do.
    pub(crate) fn accept_setup(&mut self, origin: Origin, features: impl FnOnce(&mut MessageWriter<'_>)) {
        let began = self.stamp;
        self.answer(origin, MessageType::AssociationSetupResponse, None, |own, writer| {
            writer.add(&own).add(&Element::Cause(Cause::ACCEPTED)).add(&Element::RecoveryTimeStamp(began));
            features(writer);
        });
    }

    /// Sends an answer, and remembers it.
    pub(crate) fn finish(&mut self, origin: Origin, bytes: Bytes) {
        self.inbound.answer(&origin, &bytes);
        self.send(origin.from, bytes);
    }

    /// Asks a peer whether it is there (TS 29.244 6.2.2).
    pub(crate) fn ask_for_a_sign(&mut self, peer: IpAddr, purpose: Purpose) {
        let began = self.stamp;
        // A heartbeat is never too long.
        let _ = self.ask(peer, MessageType::HeartbeatRequest, None, purpose, |writer| {
            writer.add(&Element::RecoveryTimeStamp(began));
            Ok(())
        });
    }

    /// Tells peers what those behind the balancer can do by now (TS 29.244 6.2.7). One that does not hear of it is found to
    /// be away by its heartbeats.
    pub(crate) fn tell_features(
        &mut self,
        peers: Vec<IpAddr>,
        kind: ElementType,
        features: &[u8],
        pools: &[Pool],
    ) {
        let own = self.node();
        for peer in peers {
            let _ = self.ask(peer, MessageType::AssociationUpdateRequest, None, Purpose::Notice, |writer| {
                writer.add(&own).element(kind, |out| out.extend_from_slice(features));
                pools::write(pools, writer);
                Ok(())
            });
        }
    }

    /// Asks a peer, again and again until it answers.
    pub(crate) fn ask(
        &mut self,
        to: IpAddr,
        kind: MessageType,
        seid: Option<u64>,
        purpose: Purpose,
        body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Error>,
    ) -> Result<(), Refusal> {
        let (number, bytes) = self.compose(to, kind, seid, body)?;
        self.post((to, number), kind, bytes, purpose);
        Ok(())
    }

    /// A request and its number.
    pub(crate) fn compose(
        &mut self,
        to: IpAddr,
        kind: MessageType,
        seid: Option<u64>,
        body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Error>,
    ) -> Result<(u32, Bytes), Refusal> {
        if self.outbound.reserve() {
            self.keep_front_end();
        }
        let number = self.outbound.number(SocketAddr::new(to, PORT));
        Ok((number, built(kind, seid, number, body)?))
    }

    /// Sends a request, again and again until it is answered.
    pub(crate) fn post(&mut self, (to, number): (IpAddr, u32), kind: MessageType, bytes: Bytes, purpose: Purpose) {
        let to = SocketAddr::new(to, PORT);
        let timers = self.settings.timers;
        let due = self.now.saturating_add(timers.t1);
        let answer = kind.response().unwrap_or(kind);
        self.outbound.ask((to, number), bytes.clone(), answer, purpose, (due, timers.n1));
        self.send(to, bytes);
    }

    pub(crate) fn send(&mut self, to: SocketAddr, bytes: Bytes) {
        self.counts.sent += 1;
        self.push(Output::Send { to, bytes });
    }

    /// The front end's Node ID.
    pub(crate) fn node(&self) -> Element<'static> {
        Element::NodeId(NodeId::Address(self.settings.address))
    }
}

/// A message.
pub(crate) fn built(
    kind: MessageType,
    seid: Option<u64>,
    number: u32,
    body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> Result<Bytes, Refusal> {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, seid, number);
    body(&mut writer)?;
    writer.finish().map_err(|_| Refusal::plain(Cause::INVALID_LENGTH))?;
    Ok(out.freeze())
}

/// Gives a message the priority of the one that it is made of (TS 29.244 7.2.2.3).
pub(crate) fn prioritize(writer: &mut MessageWriter<'_>, of: &Message<'_>) {
    if let Some(priority) = of.priority() {
        writer.priority(priority);
    }
}
