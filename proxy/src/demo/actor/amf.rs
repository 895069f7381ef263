//! An AMF: it answers what gNBs ask.

use pinion_protocols::ip::protocol;
use pinion_protocols::sctp::endpoint::{Endpoint, Event, Message, Time};
use pinion_transport::link::Packet;

use super::sctp;
use super::signalling::Signalling;
use crate::demo::cast::{Member, Role};
use crate::demo::ngap::Said;
use crate::demo::{NGAP, NGAP_PORT};

/// An AMF.
#[derive(Debug)]
pub(crate) struct Amf {
    number: u8,
    endpoint: Endpoint,
    /// What it says of UEs.
    pub(crate) signalling: Signalling,
    /// How many messages it has answered.
    pub(crate) answered: u64,
}

impl Amf {
    /// One that listens on both networks.
    pub(crate) fn new(number: u8) -> Self {
        let member = Member { role: Role::Amf, number };
        let mut endpoint = sctp::endpoint(2, number);
        endpoint.listen(NGAP_PORT, &member.on_n2());
        Self { number, endpoint, signalling: Signalling::new(member), answered: 0 }
    }

    pub(super) fn receive(&mut self, now: Time, packet: Packet) {
        if packet.protocol != protocol::SCTP {
            return;
        }
        if Signalling::is_of(&packet) {
            self.signalling.receive(now, packet);
        } else {
            sctp::receive(&mut self.endpoint, now, packet);
            self.attend(now);
        }
    }

    pub(super) fn poll(&mut self, now: Time) -> Option<Packet> {
        sctp::poll(&mut self.endpoint, now).or_else(|| self.signalling.poll(now))
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        [self.endpoint.deadline(), self.signalling.deadline()].into_iter().flatten().min()
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.endpoint.expire(now);
        self.signalling.expire(now);
        self.attend(now);
    }

    fn attend(&mut self, now: Time) {
        while let Some((association, event)) = self.endpoint.poll_event() {
            let Event::Message(message) = event else { continue };
            let Some(asked) = Said::read(&message.payload).filter(|said| said.up) else { continue };
            let answer = Said { up: false, amf: self.number, ..asked };
            // A gNB that is gone asks again when it is back.
            if self.endpoint.send(now, association, Message::new(message.stream, NGAP, answer.encode())).is_ok() {
                self.answered = self.answered.saturating_add(1);
            }
        }
    }
}
