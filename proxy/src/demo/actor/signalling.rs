//! The associations of a gNB or an AMF with Pinion, which is the one AMF of every gNB and each gNB to every AMF. What goes
//! over them is for who knows of UEs.

use pinion_protocols::sctp::endpoint::{AssociationId, Endpoint, Event, Message, Time};
use pinion_simulators::n2::Sent;
use pinion_transport::link::Packet;

use super::sctp;
use crate::demo::cast::{self, Member, Role};
use crate::demo::{NGAP, NGAP_PORT};

/// The associations, by numbers from 0.
#[derive(Debug)]
pub(crate) struct Signalling {
    member: Member,
    endpoint: Endpoint,
    associations: Vec<AssociationId>,
}

impl Signalling {
    /// Without any. Those of an AMF are Pinion's to make.
    pub(super) fn new(member: Member) -> Self {
        let role = if member.role == Role::Gnb { 3 } else { 4 };
        let mut endpoint = sctp::patient(role, member.number);
        if member.role == Role::Amf {
            endpoint.listen(NGAP_PORT, &member.on_n2());
        }
        Self { member, endpoint, associations: Vec::new() }
    }

    /// Whether a packet of SCTP is of these associations.
    pub(super) fn is_of(packet: &Packet) -> bool {
        cast::ue_service().contains(&packet.source)
    }

    /// Asks for an association.
    pub(super) fn connect(&mut self, now: Time) {
        let service = (&cast::ue_service()[..], NGAP_PORT);
        // Refused only where there is one.
        let association = self.endpoint.connect(now, (&self.member.on_n2(), NGAP_PORT), service);
        self.associations.extend(association);
    }

    pub(super) fn receive(&mut self, now: Time, packet: Packet) {
        sctp::receive(&mut self.endpoint, now, packet);
    }

    pub(super) fn poll(&mut self, now: Time) -> Option<Packet> {
        sctp::poll(&mut self.endpoint, now)
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.endpoint.deadline()
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.endpoint.expire(now);
    }

    /// What happened next, and on which association.
    pub(crate) fn heard(&mut self) -> Option<(u64, Event)> {
        let (association, event) = self.endpoint.poll_event()?;
        let known = self.associations.iter().position(|known| *known == association);
        let number = known.unwrap_or_else(|| {
            self.associations.push(association);
            self.associations.len().saturating_sub(1)
        });
        Some((u64::try_from(number).unwrap_or(u64::MAX), event))
    }

    /// Sends a message on an association.
    pub(crate) fn say(&mut self, now: Time, number: u64, sent: Sent) {
        let association = usize::try_from(number).ok().and_then(|number| self.associations.get(number));
        if let Some(association) = association {
            // Refused only in the moment that it ends, which is heard.
            let _ = self.endpoint.send(now, *association, Message::new(sent.stream, NGAP, sent.bytes));
        }
    }
}
