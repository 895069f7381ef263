//! A gNB: it keeps an association with whatever AMF answers, asks it without end, and its users send through tunnels.

use std::collections::VecDeque;
use std::time::Duration;

use pinion_protocols::gtpu;
use pinion_protocols::ip::{Udp, protocol};
use pinion_protocols::sctp::endpoint::{AssociationId, Endpoint, Event, Message, Reach, Time};
use pinion_transport::link::Packet;

use super::pfcp::TunnelEnd;
use super::sctp;
use super::signalling::Signalling;
use crate::demo::cast::{self, Member, Network, Role, Tunnel};
use crate::demo::ledger::Ledger;
use crate::demo::ngap::Said;
use crate::demo::user_plane::{Came, UserPacket, datagram};
use crate::demo::{NGAP, NGAP_PORT};

/// Time from one request of a session to the next.
pub(crate) const PACE: Duration = Duration::from_millis(50);

/// A gNB.
#[derive(Debug)]
pub(crate) struct Gnb {
    member: Member,
    endpoint: Endpoint,
    /// What it says of UEs.
    pub(crate) signalling: Signalling,
    association: Option<AssociationId>,
    established: bool,
    /// What became of its messages.
    pub(crate) messages: Ledger,
    /// Its users' sessions.
    pub(crate) users: Vec<User>,
    /// How often its association was made; it is made again when it is lost.
    pub(crate) made: u32,
    out: VecDeque<Packet>,
    next: Option<Time>,
}

/// A user's session.
#[derive(Debug)]
pub(crate) struct User {
    tunnel: Tunnel,
    /// The TEID to send to; `None` until it is told.
    teid: Option<u32>,
    /// What became of the packets.
    pub(crate) ledger: Ledger,
}

impl Gnb {
    /// One that asks nothing yet.
    pub(crate) fn new(number: u8) -> Self {
        let tunnels = cast::tunnels().filter(|tunnel| tunnel.gnb == number);
        let user = |tunnel| User { tunnel, teid: None, ledger: Ledger::default() };
        let member = Member { role: Role::Gnb, number };
        Self {
            member,
            signalling: Signalling::new(member),
            endpoint: sctp::endpoint(1, number),
            association: None,
            established: false,
            messages: Ledger::default(),
            users: tunnels.map(user).collect(),
            made: 0,
            out: VecDeque::new(),
            next: None,
        }
    }

    /// Begins to ask. They do not all ask at once.
    pub(crate) fn begin(&mut self, now: Time) {
        self.next = Some(now.after(Duration::from_millis(7).saturating_mul(self.member.number.into())));
    }

    /// Has Pinion as AMF of its UEs from now on.
    pub(crate) fn join(&mut self, now: Time) {
        self.signalling.connect(now);
    }

    /// Asks nothing more.
    pub(crate) fn quiet(&mut self) {
        self.next = None;
    }

    /// Is told where a tunnel of its leads: users send from now on. What is not at the service is not believed.
    pub(crate) fn learn(&mut self, tunnel: Tunnel, end: TunnelEnd) {
        let user = self.users.iter_mut().find(|user| user.tunnel == tunnel);
        if let Some(user) = user.filter(|_| end.address == cast::upf_service()) {
            user.teid = Some(end.teid);
        }
    }

    /// Whether its association is there.
    pub(crate) const fn established(&self) -> bool {
        self.established
    }

    /// How its paths to the AMF are.
    pub(crate) fn paths(&self) -> Vec<Reach> {
        let paths = self.association.map(|association| self.endpoint.paths(association)).unwrap_or_default();
        cast::amf_service()
            .iter()
            .filter_map(|to| paths.iter().find(|path| path.remote == *to).map(|path| path.reach))
            .collect()
    }

    pub(super) fn receive(&mut self, now: Time, packet: Packet) {
        match packet.protocol {
            protocol::SCTP if Signalling::is_of(&packet) => self.signalling.receive(now, packet),
            protocol::SCTP => {
                sctp::receive(&mut self.endpoint, now, packet);
                self.attend(now);
            }
            protocol::UDP => self.user_packet(&packet),
            _ => {}
        }
    }

    pub(super) fn poll(&mut self, now: Time) -> Option<Packet> {
        let sent = self.out.pop_front().or_else(|| sctp::poll(&mut self.endpoint, now));
        sent.or_else(|| self.signalling.poll(now))
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        [self.endpoint.deadline(), self.signalling.deadline(), self.next].into_iter().flatten().min()
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.endpoint.expire(now);
        self.signalling.expire(now);
        self.attend(now);
        if let Some(next) = self.next.filter(|next| *next <= now) {
            // A pause of the program is not made up for.
            self.next = Some(next.after(PACE).max(now));
            self.ask(now);
        }
    }

    fn ask(&mut self, now: Time) {
        match self.association {
            None => self.connect(now),
            Some(association) if self.established => {
                let number = self.messages.ask(now);
                let said = Said { up: true, amf: 1, gnb: self.member.number, number };
                // Refused only in the moment that it ends: then it is given up like the others.
                let _ = self.endpoint.send(now, association, Message::new(1, NGAP, said.encode()));
            }
            Some(_) => {}
        }
        let from = self.member.address(Network::User);
        for User { tunnel, teid, ledger } in &mut self.users {
            let Some(teid) = *teid else { continue };
            let user = UserPacket { tunnel: tunnel.number, number: ledger.ask(now), upf: 0 };
            let payload = datagram((gtpu::PORT, gtpu::PORT), &user.in_tunnel(teid));
            self.out.push_back(Packet::new(from, cast::upf_service(), protocol::UDP, payload));
        }
    }

    fn connect(&mut self, now: Time) {
        let service = (&cast::amf_service()[..], NGAP_PORT);
        // Refused where the one before is not quite gone: then it is tried again.
        self.association = self.endpoint.connect(now, (&self.member.on_n2(), NGAP_PORT), service).ok();
    }

    fn attend(&mut self, now: Time) {
        while let Some((association, event)) = self.endpoint.poll_event() {
            match event {
                Event::Established { .. } => {
                    self.established = true;
                    self.made = self.made.saturating_add(1);
                }
                Event::Message(message) => {
                    let said = Said::read(&message.payload);
                    if let Some(said) = said.filter(|said| !said.up && said.gnb == self.member.number) {
                        self.messages.answer(said.number, said.amf);
                    }
                }
                event if event.is_last() && self.association == Some(association) => {
                    self.messages.give_up(now, Duration::ZERO);
                    self.association = None;
                    self.established = false;
                }
                _ => {}
            }
        }
    }

    /// An answer counts in its own tunnel alone.
    fn user_packet(&mut self, packet: &Packet) {
        let Some(udp) = Udp::parse(&packet.payload).ok().filter(|udp| udp.destination_port == gtpu::PORT) else {
            return;
        };
        // It has to come from whom it was asked of: the service.
        if packet.source != cast::upf_service() {
            return;
        }
        let Came::User(teid, user) = Came::read(udp.payload) else { return };
        let is = |tunnel: Tunnel| tunnel.gnb_teid() == teid && tunnel.number == user.tunnel && user.upf != 0;
        if let Some(found) = self.users.iter_mut().find(|user| is(user.tunnel)) {
            found.ledger.answer(user.number, user.upf);
        }
    }
}
