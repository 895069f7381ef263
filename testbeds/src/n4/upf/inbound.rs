//! What comes to an UPF on N4.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BufMut as _;
use pinion_protocols::pfcp::{Cause, Element, ElementType, Message, MessageType, MessageWriter, Place};

use super::super::Violation;
use super::super::exchanges::Turn;
use super::super::message::{cause, f_seid, groups, node, own, own_node, recovery, rule, session_socket, user};
use super::reports::{ASKED, ENDED, usage};
use super::rules::{Created, Refusal, apply};
use super::{Bearer, Peer, Upf};

impl Upf {
    pub(super) fn inbound(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        for (message, turn) in self.exchanges.accept(from, datagram, now) {
            match (turn, message.message_type()) {
                (Turn::Response(about), _) => self.answered(from, &message, about),
                (Turn::Request, MessageType::SessionEstablishmentRequest) => self.establish(from, &message, now),
                (Turn::Request, MessageType::SessionModificationRequest) => self.modify(from, &message, now),
                (Turn::Request, MessageType::SessionDeletionRequest) => self.delete(from, &message, now),
                (Turn::Request, _) => self.node_asked(from, &message, now),
            }
        }
    }

    fn answered(&mut self, from: SocketAddr, message: &Message<'_>, about: Option<u64>) {
        let kind = message.message_type();
        match kind {
            MessageType::HeartbeatResponse => self.started(from, message),
            MessageType::AssociationSetupResponse => self.associated(from, message),
            _ => {}
        }
        if kind != MessageType::HeartbeatResponse && cause(message).is_none() {
            self.lacks(from, kind, ElementType::Cause);
        }
        let Some(seid) = about else {
            return;
        };
        let accepted = cause(message).is_some_and(Cause::is_acceptance);
        self.reports_refused += u32::from(!accepted);
        let told = message.seid().unwrap_or(0);
        if told != seid && (accepted || told != 0) {
            self.exchanges.violations.push(Violation::WrongSeid { from, kind, seid: told });
        }
    }

    fn node_asked(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let kind = message.message_type();
        let started = self.config.started;
        match kind {
            MessageType::HeartbeatRequest => {
                self.started(from, message);
                self.exchanges.respond(from, message, None, now, |writer| {
                    writer.add(&Element::RecoveryTimeStamp(started));
                });
            }
            MessageType::AssociationSetupRequest => self.set_up(from, message, now),
            MessageType::AssociationUpdateRequest | MessageType::PfdManagementRequest => {
                self.accept(from, message, now);
            }
            MessageType::AssociationReleaseRequest | MessageType::SessionSetDeletionRequest => {
                let Some(peer) = node(message) else {
                    self.lacks(from, kind, ElementType::NodeId);
                    return;
                };
                // FQ-CSIDs are not kept: a set is all that the SMF has here.
                self.remove_all_of(peer);
                if kind == MessageType::AssociationReleaseRequest {
                    self.peers.remove(&peer);
                }
                self.accept(from, message, now);
            }
            _ => self.exchanges.violations.push(Violation::Unexpected { from, kind }),
        }
    }

    fn accept(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let node = own_node(self.node_id());
        self.exchanges.respond(from, message, None, now, |writer| {
            writer.add(&node).add(&Element::Cause(Cause::ACCEPTED));
        });
    }

    /// TS 29.244 6.2.6.2.2.
    fn set_up(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let retain = message.elements().find(ElementType::SessionRetentionInformation).ok().flatten().is_some();
        let retained = retain && node(message).is_some_and(|node| self.peers.contains_key(&node));
        if let Some(node) = node(message).filter(|_| !retain) {
            self.remove_all_of(node);
        }
        self.associated(from, message);
        let (node, started, features) = (self.node_id(), self.config.started, self.features());
        self.exchanges.respond(from, message, None, now, |writer| {
            writer.add(&own_node(node)).add(&Element::Cause(Cause::ACCEPTED));
            writer.add(&Element::RecoveryTimeStamp(started));
            writer.element(ElementType::UpFunctionFeatures, |out| out.put_slice(&features));
            if retained {
                writer.element(ElementType::PfcpasrspFlags, |out| out.put_u8(1));
            }
        });
    }

    /// Notes what an SMF says about itself when it associates.
    fn associated(&mut self, from: SocketAddr, message: &Message<'_>) {
        let kind = message.message_type();
        match (node(message), recovery(message)) {
            (None, _) => self.lacks(from, kind, ElementType::NodeId),
            (_, None) => self.lacks(from, kind, ElementType::RecoveryTimeStamp),
            (Some(node), Some(started)) => {
                let before = self.peers.insert(node, Peer { socket: from, started });
                self.restarts_seen += u32::from(before.is_some_and(|before| before.started != started));
            }
        }
    }

    fn started(&mut self, from: SocketAddr, message: &Message<'_>) {
        let Some(started) = recovery(message) else {
            self.lacks(from, message.message_type(), ElementType::RecoveryTimeStamp);
            return;
        };
        for peer in self.peers.values_mut().filter(|peer| peer.socket == from && peer.started != started) {
            peer.started = started;
            self.restarts_seen += 1;
        }
    }

    fn establish(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let kind = message.message_type();
        if message.seid() != Some(0) {
            let seid = message.seid().unwrap_or(0);
            self.exchanges.violations.push(Violation::WrongSeid { from, kind, seid });
        }
        let (Some(node), Some(cp)) = (node(message), f_seid(message)) else {
            let missing = if node(message).is_none() { ElementType::NodeId } else { ElementType::FSeid };
            self.refuse(from, message, 0, Refusal::lacks(missing), now);
            return;
        };
        if !self.peers.contains_key(&node) {
            let refusal = Refusal { cause: Cause::NO_ASSOCIATION, element: ElementType::NodeId, rule: None };
            self.refuse(from, message, cp.seid, refusal, now);
            return;
        }
        if let Some(before) = self.by_cp.get(&cp).copied() {
            self.exchanges.violations.push(Violation::SeidReused { from, seid: cp.seid });
            self.remove(before);
        }
        let seid = self.next_seid;
        self.next_seid = seid.wrapping_add(1);
        let mut bearer = Bearer::new(seid, node, cp, session_socket(&cp, from));
        let applied = apply(&mut bearer, message, &mut self.pools, self.config.takes_teids);
        let created = match applied {
            Ok(created) => created,
            Err(refusal) => {
                self.pools.forget(seid);
                self.refuse(from, message, cp.seid, refusal, now);
                return;
            }
        };
        self.by_cp.insert(cp, seid);
        self.sessions.insert(seid, bearer);
        let (node, address) = (self.node_id(), self.config.address);
        self.exchanges.respond(from, message, Some(cp.seid), now, |writer| {
            writer.add(&own_node(node)).add(&Element::Cause(Cause::ACCEPTED)).add(&own(seid, address));
            tell(writer, &created);
        });
    }

    fn modify(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let Some(old) = self.known(from, message, now) else {
            return;
        };
        let mut bearer = old.clone();
        if let Some(cp) = f_seid(message) {
            (bearer.cp, bearer.smf) = (cp, session_socket(&cp, from));
        }
        let created = match apply(&mut bearer, message, &mut self.pools, self.config.takes_teids) {
            Ok(created) => created,
            Err(refusal) => {
                self.pools.forget(old.seid);
                self.pools.keep(&old);
                self.refuse(from, message, old.cp.seid, refusal, now);
                return;
            }
        };
        let started = self.config.started;
        let theirs = bearer.cp.seid;
        self.exchanges.respond(from, message, Some(theirs), now, |writer| {
            writer.add(&Element::Cause(Cause::ACCEPTED));
            tell(writer, &created);
            for query in groups(message.elements(), ElementType::QueryUrr) {
                let only = rule(&query, ElementType::UrrId);
                let kind = ElementType::UsageReportSessionModificationResponse;
                usage(writer, kind, &mut bearer, only, ASKED, (started, now));
            }
        });
        self.by_cp.remove(&old.cp);
        self.by_cp.insert(bearer.cp, bearer.seid);
        self.sessions.insert(bearer.seid, bearer);
    }

    fn delete(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let Some(mut bearer) = self.known(from, message, now) else {
            return;
        };
        self.remove(bearer.seid);
        let (started, theirs) = (self.config.started, bearer.cp.seid);
        self.exchanges.respond(from, message, Some(theirs), now, |writer| {
            writer.add(&Element::Cause(Cause::ACCEPTED));
            let kind = ElementType::UsageReportSessionDeletionResponse;
            usage(writer, kind, &mut bearer, None, ENDED, (started, now));
        });
    }

    /// The session that a request is about; where there is none, that is said.
    fn known(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) -> Option<Bearer> {
        let (kind, seid) = (message.message_type(), message.seid().unwrap_or(0));
        if let Some(bearer) = self.sessions.get(&seid) {
            return Some(bearer.clone());
        }
        if (self.config.first_seid..self.next_seid).contains(&seid) {
            self.exchanges.counts.not_found += 1;
        } else {
            self.exchanges.violations.push(Violation::WrongSeid { from, kind, seid });
        }
        self.exchanges.respond(from, message, Some(0), now, |writer| {
            writer.add(&Element::Cause(Cause::SESSION_NOT_FOUND));
        });
        None
    }

    fn refuse(&mut self, from: SocketAddr, message: &Message<'_>, seid: u64, refusal: Refusal, now: Duration) {
        let kind = message.message_type();
        if refusal.cause == Cause::MANDATORY_MISSING {
            self.lacks(from, kind, refusal.element);
        } else if let Some(number) = refusal.number() {
            let element = refusal.element;
            self.exchanges.violations.push(Violation::WrongRule { from, kind, element, rule: number });
        }
        let node = own_node(self.node_id());
        self.exchanges.respond(from, message, Some(seid), now, |writer| {
            if kind == MessageType::SessionEstablishmentRequest {
                writer.add(&node);
            }
            writer.add(&Element::Cause(refusal.cause));
            match refusal.rule {
                Some(rule) => writer.add(&Element::FailedRule(rule)),
                None => writer.add(&Element::OffendingElement(refusal.element)),
            };
        });
    }

    fn lacks(&mut self, from: SocketAddr, kind: MessageType, element: ElementType) {
        self.exchanges.violations.push(Violation::Missing { from, kind, element });
    }
}

/// Tells what was chosen for rules and traffic endpoints (TS 29.244 7.5.3.2, 7.5.3.5).
fn tell(writer: &mut MessageWriter<'_>, created: &[Created]) {
    for created in created.iter().filter(|created| created.tunnel.is_some() || created.ue.is_some()) {
        let (kind, whose) = match created.place {
            Place::Rule(number) => (ElementType::CreatedPdr, Element::PdrId(number)),
            Place::Endpoint(number) => (ElementType::CreatedTrafficEndpoint, Element::TrafficEndpointId(number)),
        };
        writer.nested(kind, |writer| {
            writer.add(&whose);
            if let Some(tunnel) = created.tunnel {
                writer.add(&Element::FTeid(tunnel.f_teid()));
            }
            if let Some(ue) = created.ue {
                writer.add(&user(Some(ue), false));
            }
        });
    }
}
