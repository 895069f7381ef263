//! What comes to an SMF.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BufMut as _;
use pinion_protocols::pfcp::{Cause, Element, ElementType, Message, MessageType};

use super::super::exchanges::Turn;
use super::super::message::{cause, f_seid, find, groups, node, own_node, recovery, rule};
use super::super::{Tunnel, Violation};
use super::{Association, Session, Smf, State};

/// PFCPASRsp-Flags: PSREI (TS 29.244 8.2.146).
const RETAINED: u8 = 0x01;
/// PFCPSRReq-Flags: PSDBU, the UPF has deleted the session (TS 29.244 8.2.123).
const ENDED: u8 = 0x01;
/// Report Type: DLDR, USAR, ERIR (TS 29.244 8.2.21).
const DOWNLINK: u8 = 0x01;
const USAGE: u8 = 0x02;
const ERROR: u8 = 0x04;

impl Smf {
    pub(super) fn inbound(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        for (message, turn) in self.exchanges.accept(from, datagram, now) {
            self.turn(from, &message, turn, now);
        }
    }

    fn turn(&mut self, from: SocketAddr, message: &Message<'_>, turn: Turn, now: Duration) {
        match turn {
            Turn::Request => self.asked(from, message, now),
            Turn::Response(about) => {
                if let Some(association) = self.associations.get_mut(&from) {
                    association.silent = 0;
                }
                match about {
                    Some(seid) => self.session_answered(from, message, seid),
                    None => self.node_answered(from, message, now),
                }
            }
        }
    }

    fn asked(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let (own, started, features) = (own_node(self.config.address), self.config.started, self.features());
        let kind = message.message_type();
        match kind {
            MessageType::HeartbeatRequest => {
                self.started(from, message);
                self.exchanges.respond(from, message, None, now, |writer| {
                    writer.add(&Element::RecoveryTimeStamp(started));
                });
            }
            MessageType::AssociationSetupRequest => {
                self.associated(from, message, Cause::ACCEPTED, now);
                self.exchanges.respond(from, message, None, now, |writer| {
                    writer
                        .add(&own)
                        .add(&Element::Cause(Cause::ACCEPTED))
                        .add(&Element::RecoveryTimeStamp(started));
                    writer.element(ElementType::CpFunctionFeatures, |out| out.put_slice(&features));
                });
            }
            MessageType::AssociationUpdateRequest => {
                self.updated(from, message);
                self.accept(from, message, now);
            }
            MessageType::NodeReportRequest => {
                let association = self.associations.entry(from).or_default();
                association.node_reports = association.node_reports.saturating_add(1);
                self.accept(from, message, now);
            }
            MessageType::SessionSetDeletionRequest => self.accept(from, message, now),
            MessageType::SessionReportRequest => self.reported(from, message, now),
            _ => self.exchanges.violations.push(Violation::Unexpected { from, kind }),
        }
    }

    fn accept(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let own = own_node(self.config.address);
        self.exchanges.respond(from, message, None, now, |writer| {
            writer.add(&own).add(&Element::Cause(Cause::ACCEPTED));
        });
    }

    fn updated(&mut self, from: SocketAddr, message: &Message<'_>) {
        let association = self.associations.entry(from).or_default();
        association.learn_features(message);
        if find(message.elements(), ElementType::AssociationReleaseReq).is_some() {
            association.asked_release = true;
        }
        if node(message) != association.node {
            self.lacks(from, message, ElementType::NodeId);
        }
    }

    fn reported(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        let seid = message.seid().unwrap_or(0);
        let session = self.sessions.get_mut(&seid);
        if session.is_none() {
            let kind = message.message_type();
            self.exchanges.violations.push(Violation::WrongSeid { from, kind, seid });
        }
        let Some(session) = session.filter(|session| session.is_alive()) else {
            self.exchanges.counts.not_found += 1;
            self.exchanges.respond(from, message, Some(0), now, |writer| {
                writer.add(&Element::Cause(Cause::SESSION_NOT_FOUND));
            });
            return;
        };
        let theirs = session.up.map_or(0, |up| up.seid);
        let Some(Element::ReportType(about)) = find(message.elements(), ElementType::ReportType) else {
            self.lacks(from, message, ElementType::ReportType);
            return;
        };
        let reports = &mut session.reports;
        let mut lacking = Vec::new();
        for (bit, count, group) in [
            (DOWNLINK, &mut reports.downlink, ElementType::DownlinkDataReport),
            (USAGE, &mut reports.usage, ElementType::UsageReportSessionReportRequest),
            (ERROR, &mut reports.error, ElementType::ErrorIndicationReport),
        ] {
            let there = groups(message.elements(), group).count() as u32;
            *count = count.saturating_add(there);
            if about & bit != 0 && there == 0 {
                lacking.push(group);
            }
        }
        if has_flag(message, ElementType::PfcpsrreqFlags, ENDED) {
            session.state = State::Lost;
        }
        for group in lacking {
            self.lacks(from, message, group);
        }
        self.exchanges.respond(from, message, Some(theirs), now, |writer| {
            writer.add(&Element::Cause(Cause::ACCEPTED));
        });
    }

    fn node_answered(&mut self, from: SocketAddr, message: &Message<'_>, now: Duration) {
        if message.message_type() == MessageType::HeartbeatResponse {
            self.started(from, message);
            return;
        }
        let Some(cause) = cause(message) else {
            self.lacks(from, message, ElementType::Cause);
            return;
        };
        match message.message_type() {
            MessageType::AssociationSetupResponse => self.associated(from, message, cause, now),
            MessageType::AssociationReleaseResponse => {
                self.associations.remove(&from);
                self.end_all(|session| session.upf == from, State::Lost);
            }
            _ => {}
        }
    }

    /// Notes what a peer says about itself when it associates.
    fn associated(&mut self, from: SocketAddr, message: &Message<'_>, cause: Cause, now: Duration) {
        let heartbeat = self.config.heartbeat.map(|every| now.saturating_add(every));
        let association = self.associations.entry(from).or_default();
        association.cause = Some(cause);
        association.next_heartbeat = heartbeat;
        association.node = node(message);
        association.learn_features(message);
        association.retained = has_flag(message, ElementType::PfcpasrspFlags, RETAINED);
        let nameless = association.node.is_none();
        self.started(from, message);
        if nameless {
            self.lacks(from, message, ElementType::NodeId);
        }
    }

    /// Compares when a peer started; another start has lost the sessions (TS 23.527 4.2).
    fn started(&mut self, from: SocketAddr, message: &Message<'_>) {
        let Some(stamp) = recovery(message) else {
            self.lacks(from, message, ElementType::RecoveryTimeStamp);
            return;
        };
        let Some(association) = self.associations.get_mut(&from) else {
            return;
        };
        if association.started.replace(stamp).is_some_and(|before| before != stamp) {
            association.restarts = association.restarts.saturating_add(1);
            self.end_all(|session| session.upf == from, State::Lost);
        }
    }

    fn session_answered(&mut self, from: SocketAddr, message: &Message<'_>, seid: u64) {
        let kind = message.message_type();
        let Some(cause) = cause(message) else {
            self.lacks(from, message, ElementType::Cause);
            return;
        };
        let accepted = cause.is_acceptance();
        let told = message.seid();
        if told != Some(seid) && (accepted || told != Some(0)) {
            let seid = told.unwrap_or(0);
            self.exchanges.violations.push(Violation::WrongSeid { from, kind, seid });
        }
        let associated = self.associations.get(&from).and_then(|association| association.node);
        let Some(session) = self.sessions.get_mut(&seid) else {
            return;
        };
        session.causes.push((kind, cause));
        let lacking = match kind {
            MessageType::SessionEstablishmentResponse => {
                session.state = if accepted { State::Established } else { State::Refused };
                let stranger = node(message) != associated || associated.is_none();
                let lacking = if accepted { session.established(message) } else { None };
                lacking.or(stranger.then_some(ElementType::NodeId))
            }
            MessageType::SessionDeletionResponse => {
                session.state = if accepted { State::Deleted } else { State::Lost };
                let group = ElementType::UsageReportSessionDeletionResponse;
                let reports = groups(message.elements(), group).count() as u32;
                session.usage = session.usage.saturating_add(reports);
                (accepted && session.wish.urr && reports == 0).then_some(group)
            }
            _ => {
                if cause == Cause::SESSION_NOT_FOUND {
                    session.state = State::Lost;
                }
                let reports =
                    groups(message.elements(), ElementType::UsageReportSessionModificationResponse).count();
                session.usage = session.usage.saturating_add(reports as u32);
                None
            }
        };
        if let Some(element) = lacking {
            self.lacks(from, message, element);
        }
    }

    fn lacks(&mut self, from: SocketAddr, message: &Message<'_>, element: ElementType) {
        let kind = message.message_type();
        self.exchanges.violations.push(Violation::Missing { from, kind, element });
    }
}

/// Whether a bit is set in the first octet of an element.
fn has_flag(message: &Message<'_>, kind: ElementType, bit: u8) -> bool {
    let element = message.elements().find(kind).ok().flatten();
    element.and_then(|flags| flags.value().first().copied()).is_some_and(|flags| flags & bit != 0)
}

impl Association {
    /// Learns the UPF's features where it tells them.
    fn learn_features(&mut self, message: &Message<'_>) {
        if let Some(Element::UpFunctionFeatures(features)) =
            find(message.elements(), ElementType::UpFunctionFeatures)
        {
            self.features = features.octets().to_vec();
        }
    }
}

impl Session {
    /// Learns what the UPF chose, and says what it did not tell.
    fn established(&mut self, message: &Message<'_>) -> Option<ElementType> {
        self.up = f_seid(message);
        let rules = groups(message.elements(), ElementType::CreatedPdr).map(|group| (ElementType::PdrId, group));
        let endpoints = groups(message.elements(), ElementType::CreatedTrafficEndpoint);
        let endpoints = endpoints.map(|group| (ElementType::TrafficEndpointId, group));
        for (whose, created) in rules.chain(endpoints) {
            if rule(&created, whose).is_none() {
                return Some(whose);
            }
            if self.wish.uplink.is_none()
                && let Some(tunnel) = Tunnel::of(find(created.clone(), ElementType::FTeid))
            {
                self.uplink = Some(tunnel);
            }
            if self.wish.ue.is_none()
                && let Some(Element::UeIpAddress(ue)) = find(created, ElementType::UeIpAddress)
            {
                self.ue = ue.addresses.v4;
            }
        }
        match (self.up, self.uplink, self.ue) {
            (None, _, _) => Some(ElementType::FSeid),
            (_, None, _) => Some(ElementType::FTeid),
            (_, _, None) => Some(ElementType::UeIpAddress),
            _ => None,
        }
    }
}
