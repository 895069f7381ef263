//! A UPF, and behind it the server that its users talk to.

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;
use pinion_protocols::gtpu;
use pinion_protocols::ip::{Udp, protocol};
use pinion_transport::link::Packet;

use crate::demo::cast::{self, Member, Network, Role};
use crate::demo::user_plane::{Came, UserPacket, datagram, echo_response};

/// A UPF.
#[derive(Debug)]
pub(crate) struct Upf {
    number: u8,
    out: VecDeque<Packet>,
    /// How many user packets it has answered.
    pub(crate) answered: u64,
}

impl Upf {
    /// One that answers.
    pub(crate) fn new(number: u8) -> Self {
        Self { number, out: VecDeque::new(), answered: 0 }
    }

    pub(super) fn receive(&mut self, packet: &Packet) {
        let udp = Udp::parse(&packet.payload).ok().filter(|_| packet.protocol == protocol::UDP);
        let Some(udp) = udp.filter(|udp| udp.destination_port == gtpu::PORT) else { return };
        match Came::read(udp.payload) {
            Came::Echo(sequence) => self.send(packet.source, udp.source_port, &echo_response(sequence)),
            Came::User(teid, user) => self.answer(teid, user),
            Came::Other => {}
        }
    }

    /// An answer goes by the tunnel to the gNB, whoever the request seemed to come from.
    fn answer(&mut self, teid: u32, user: UserPacket) {
        let Some(tunnel) = cast::tunnels().into_iter().find(|tunnel| tunnel.upf_teid() == teid) else { return };
        let gnb = Member { role: Role::Gnb, number: tunnel.gnb };
        let answer = UserPacket { upf: self.number, ..user };
        self.answered = self.answered.saturating_add(1);
        self.send(gnb.address(Network::User), gtpu::PORT, &answer.in_tunnel(tunnel.gnb_teid()));
    }

    fn send(&mut self, to: IpAddr, port: u16, message: &Bytes) {
        let from = Member { role: Role::Upf, number: self.number }.address(Network::User);
        self.out.push_back(Packet::new(from, to, protocol::UDP, datagram((gtpu::PORT, port), message)));
    }

    pub(super) fn poll(&mut self) -> Option<Packet> {
        self.out.pop_front()
    }
}
