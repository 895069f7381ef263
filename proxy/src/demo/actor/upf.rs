//! A UPF, and behind it the server that its users talk to.

mod sessions;

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;
use pinion_protocols::gtpu;
use pinion_protocols::ip::{Udp, protocol};
use pinion_protocols::pfcp::PORT;
use pinion_transport::link::Packet;

use super::pfcp;
use crate::demo::cast::{Member, Network, Role};
use crate::demo::user_plane::{Came, UserPacket, datagram, echo_response};
use sessions::Sessions;

/// A UPF.
#[derive(Debug)]
pub(crate) struct Upf {
    member: Member,
    out: VecDeque<Packet>,
    /// The sessions that it was told to have.
    pub(crate) sessions: Sessions,
    /// How many user packets it has answered.
    pub(crate) answered: u64,
}

impl Upf {
    /// One that answers.
    pub(crate) fn new(number: u8) -> Self {
        let member = Member { role: Role::Upf, number };
        Self { member, out: VecDeque::new(), sessions: Sessions::new(member), answered: 0 }
    }

    pub(super) fn receive(&mut self, packet: &Packet) {
        let udp = Udp::parse(&packet.payload).ok().filter(|_| packet.protocol == protocol::UDP);
        match udp.map(|udp| (udp.destination_port, udp)) {
            Some((gtpu::PORT, udp)) => match Came::read(udp.payload) {
                Came::Echo(sequence) => self.send(packet.source, udp.source_port, &echo_response(sequence)),
                Came::User(teid, user) => self.answer(teid, user),
                Came::Other => {}
            },
            Some((PORT, _)) => self.control(packet),
            _ => {}
        }
    }

    /// An answer goes by the session's tunnel to the gNB, whoever the request seemed to come from.
    fn answer(&mut self, teid: u32, user: UserPacket) {
        let Some(gnb) = self.sessions.gnb(teid) else { return };
        let answer = UserPacket { upf: self.member.number, ..user };
        self.answered = self.answered.saturating_add(1);
        self.send(gnb.address, gtpu::PORT, &answer.in_tunnel(gnb.teid));
    }

    fn control(&mut self, packet: &Packet) {
        let Some((message, port)) = pfcp::read(packet) else { return };
        if let Some(answer) = self.sessions.answer(&message) {
            let from = self.member.address(Network::Control);
            self.out.push_back(pfcp::packet(from, (packet.source, port), &answer));
        }
    }

    fn send(&mut self, to: IpAddr, port: u16, message: &Bytes) {
        let from = self.member.address(Network::User);
        self.out.push_back(Packet::new(from, to, protocol::UDP, datagram((gtpu::PORT, port), message)));
    }

    pub(super) fn poll(&mut self) -> Option<Packet> {
        self.out.pop_front()
    }
}
