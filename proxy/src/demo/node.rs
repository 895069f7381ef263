//! A player on its links: frames and time in, frames out.

use pinion_protocols::sctp::endpoint::{Event, Time};
use pinion_simulators::n2::Sent;
use pinion_transport::link::{Config, Frame, Host, Mac};

use super::actor::Actor;
use super::actor::amf::Amf;
use super::actor::gnb::Gnb;
use super::actor::smf::Smf;
use super::actor::upf::Upf;
use super::cast::{self, Member, Network, Role};

/// Prefix length of a link.
const PREFIX: u8 = 24;

/// A player and its links.
#[derive(Debug)]
pub(crate) struct Node {
    /// Who it is.
    pub(crate) member: Member,
    /// What it does.
    pub(crate) actor: Actor,
    /// Whether it lives.
    pub(crate) alive: bool,
    links: Vec<(Network, Host)>,
}

/// Everybody, alive.
pub(crate) fn everybody() -> Vec<Node> {
    cast::members().map(Node::new).collect()
}

impl Node {
    fn new(member: Member) -> Self {
        let Member { role, number } = member;
        let actor = match role {
            Role::Gnb => Actor::Gnb(Box::new(Gnb::new(number))),
            Role::Amf => Actor::Amf(Box::new(Amf::new(number))),
            Role::Upf => Actor::Upf(Upf::new(number)),
            Role::Smf => Actor::Smf(Smf::default()),
        };
        let link = |network: &Network| {
            let place = member.place(*network);
            let ((address, mac), (gateway, _)) = (place.host, place.balancer);
            let config = Config::new(Mac(mac.0), vec![(address, PREFIX)]);
            (*network, Host::new(Config { gateways: vec![gateway], ..config }))
        };
        Self { member, actor, alive: true, links: member.networks().iter().map(link).collect() }
    }

    /// Takes a frame that came over a link.
    pub(crate) fn receive(&mut self, now: Time, network: Network, frame: &[u8]) {
        if !self.alive {
            return;
        }
        let link = self.links.iter_mut().find(|(link, _)| *link == network);
        if let Some(packet) = link.and_then(|(_, host)| host.receive(now, frame)) {
            self.actor.receive(now, packet);
        }
        self.flush(now);
    }

    /// The next frame that it sends, and over which link.
    pub(crate) fn poll(&mut self) -> Option<(Network, Frame)> {
        self.links.iter_mut().find_map(|(network, host)| Some((*network, host.poll_frame()?)))
    }

    /// When [`Node::expire`] is to be called, at the latest.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let links = self.links.iter().filter_map(|(_, host)| host.deadline());
        links.chain(self.actor.deadline()).min().filter(|_| self.alive)
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, now: Time) {
        if !self.alive {
            return;
        }
        for (_, host) in &mut self.links {
            host.expire(now);
        }
        self.actor.expire(now);
        self.flush(now);
    }

    /// What happened next on its associations for UEs, and on which.
    pub(crate) fn heard(&mut self) -> Option<(u64, Event)> {
        self.actor.signalling()?.heard()
    }

    /// Sends what is about UEs on an association.
    pub(crate) fn say(&mut self, now: Time, association: u64, sent: Sent) {
        if let Some(signalling) = self.actor.signalling().filter(|_| self.alive) {
            signalling.say(now, association, sent);
            self.flush(now);
        }
    }

    fn flush(&mut self, now: Time) {
        while let Some(packet) = self.actor.poll(now) {
            // No network leads to another: with another network's address it goes nowhere.
            let to = Network::of(packet.destination);
            let own = self.links.iter_mut().find(|(network, _)| Some(*network) == to);
            if let Some((_, host)) = own {
                host.send(now, packet);
            }
        }
    }
}
