//! Endpoints and clients as nodes: whether they answer, and whether they began anew (TS 23.007 18, TS 29.274 7.1).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use pinion_protocols::gtpv2::{Element, ElementType, Message, MessageType, MessageWriter};

use crate::front::{FrontEnd, Output, port_of};
use crate::purpose::Purpose;
use crate::relay::Number;
use crate::settings::Endpoint;

/// An endpoint.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) config: Endpoint,
    /// Whether it is configured no more.
    pub(crate) gone: bool,
    /// Whether it answers; none as long as that is not known.
    pub(crate) up: Option<bool>,
    /// When it is asked next, and whether it was asked and did not answer yet.
    pub(crate) next: Duration,
    pub(crate) asked: bool,
    pub(crate) recovery: Option<u8>,
    pub(crate) sessions: u32,
}

impl Peer {
    /// One that was configured before, nobody knows where.
    pub(crate) fn gone(name: &str) -> Self {
        let (name, address) = (name.into(), Ipv4Addr::UNSPECIFIED.into());
        let config = Endpoint { name, address, weight: 0, priority: 0, drained: true };
        Self { gone: true, ..Self::new(config, Duration::ZERO) }
    }

    /// One that is asked first at a time.
    fn new(config: Endpoint, next: Duration) -> Self {
        Self { config, gone: false, up: None, next, asked: false, recovery: None, sessions: 0 }
    }

    /// Whether it can be asked for something.
    pub(crate) fn is_there(&self) -> bool {
        self.up != Some(false)
    }

    /// Whether nothing is left of it: another one may have its number.
    fn is_over(&self) -> bool {
        self.gone && self.sessions == 0 && !self.asked
    }

    /// Whether it gets new sessions.
    pub(crate) fn takes_sessions(&self) -> bool {
        self.is_there() && !self.gone && !self.config.drained && self.config.weight > 0
    }
}

/// A client.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Client {
    pub(crate) recovery: Option<u8>,
    pub(crate) sessions: u32,
    /// While it is asked whether it began anew: what the sessions that it took before are less than.
    pub(crate) doubt: Option<u64>,
}

impl FrontEnd {
    /// Makes endpoints what the settings say.
    pub(crate) fn settle(&mut self) {
        let wanted = std::mem::take(&mut self.settings.endpoints);
        for peer in &mut self.endpoints {
            peer.gone = !wanted.iter().any(|it| it.name == peer.config.name);
        }
        // Farewells name endpoints by their numbers.
        let idle = self.farewells.is_empty();
        for endpoint in &wanted {
            let known = self.endpoints.iter_mut().find(|peer| peer.config.name == endpoint.name);
            match known {
                Some(peer) if peer.config.address == endpoint.address => peer.config = endpoint.clone(),
                Some(peer) => {
                    // Where one was that was taken over is not known: it may be the same.
                    let same = peer.config.address.is_unspecified();
                    peer.recovery = peer.recovery.filter(|_| same);
                    (peer.config, peer.up, peer.next) = (endpoint.clone(), None, self.now);
                }
                None => {
                    let new = Peer::new(endpoint.clone(), self.now);
                    match self.endpoints.iter_mut().find(|peer| idle && peer.is_over()) {
                        Some(over) => *over = new,
                        None => self.endpoints.push(new),
                    }
                }
            }
        }
        self.endpoint_at = (0..)
            .zip(&self.endpoints)
            .filter(|(_, peer)| !peer.gone)
            .map(|(number, peer)| (peer.config.address, number))
            .collect();
        self.settings.endpoints = wanted;
        self.keep_peers();
    }

    pub(crate) fn endpoint(&self, number: u16) -> Option<&Peer> {
        self.endpoints.get(usize::from(number))
    }

    pub(crate) fn endpoint_mut(&mut self, number: u16) -> Option<&mut Peer> {
        self.endpoints.get_mut(usize::from(number))
    }

    /// Asks endpoints whether they are there, each in its time.
    pub(crate) fn tend_endpoints(&mut self) {
        let (now, echo) = (self.now, self.settings.timers.echo);
        let mut due = Vec::new();
        for (number, peer) in (0..).zip(&mut self.endpoints) {
            if peer.next <= now {
                peer.next = now.saturating_add(echo);
                if !peer.gone && !peer.asked {
                    peer.asked = true;
                    due.push((number, peer.config.address));
                }
            }
        }
        for (number, address) in due {
            self.ask_for_a_sign(address, Purpose::Echo(number));
        }
    }

    /// An endpoint left a request without an answer: whether it is there at all is asked at once.
    pub(crate) fn suspect(&mut self, number: u16) {
        let now = self.now;
        if let Some(peer) = self.endpoint_mut(number)
            && !peer.asked
            && peer.is_there()
        {
            peer.next = now;
        }
    }

    /// TS 29.274 7.1.1: whoever asks is answered, also a stranger.
    pub(crate) fn echo(&mut self, from: SocketAddr, message: &Message<'_>) {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, MessageType::EchoResponse, None, message.sequence());
        writer.add(&Element::Recovery(self.recovery));
        if writer.finish().is_ok() {
            self.send(from, out.freeze());
        }
        if let Some(counter) = recovery(message) {
            self.notice(from.ip(), counter);
        }
    }

    /// An answer to a question of ours.
    pub(crate) fn echoed(&mut self, purpose: &Purpose, message: &Message<'_>) {
        let counter = recovery(message);
        match *purpose {
            Purpose::Echo(number) => {
                let Some(peer) = self.endpoint_mut(number) else { return };
                peer.asked = false;
                let was = peer.up.replace(true);
                let before = peer.recovery;
                peer.recovery = counter.or(before);
                let anew = counter.filter(|now| before.is_some_and(|before| before != *now));
                let name = Arc::clone(&peer.config.name);
                if was != Some(true) {
                    self.push(Output::Endpoint { name, up: true, why: "it answers" });
                }
                if before.is_none() && counter.is_some() {
                    self.keep_peers();
                }
                if let Some(counter) = anew {
                    self.counts.endpoint_losses += 1;
                    self.keep_peers();
                    self.endpoint_began_anew(number, counter);
                }
            }
            Purpose::Doubt(address) => {
                let Some(client) = self.clients.get_mut(&address) else { return };
                let Some(before) = client.doubt.take() else { return };
                if let Some(counter) = counter
                    && client.recovery.replace(counter).is_some_and(|known| known != counter)
                {
                    self.keep_peers();
                    self.client_began_anew(address, before);
                }
            }
            Purpose::Relay(_) | Purpose::Late(_) | Purpose::Farewell => {}
        }
    }

    /// Nobody answered to a question of ours.
    pub(crate) fn silent(&mut self, purpose: &Purpose) {
        match *purpose {
            Purpose::Echo(number) => {
                let Some(peer) = self.endpoint_mut(number) else { return };
                peer.asked = false;
                let was = peer.up.replace(false);
                let name = Arc::clone(&peer.config.name);
                if was != Some(false) {
                    self.counts.endpoint_losses += 1;
                    self.push(Output::Endpoint { name, up: false, why: "it does not answer" });
                }
            }
            Purpose::Doubt(address) => {
                if let Some(client) = self.clients.get_mut(&address) {
                    client.doubt = None;
                }
            }
            Purpose::Relay(_) | Purpose::Late(_) | Purpose::Farewell => {}
        }
    }

    /// A peer says how often it began. Where that changed it is asked before anything ends: anybody can say so in its name.
    pub(crate) fn notice(&mut self, from: IpAddr, counter: u8) {
        if let Some(number) = self.endpoint_at.get(&from).copied() {
            let now = self.now;
            let Some(peer) = self.endpoint_mut(number) else { return };
            match peer.recovery {
                Some(known) if known != counter && !peer.asked => peer.next = now,
                _ => {}
            }
            return;
        }
        let Some(client) = self.client(from) else { return };
        match client.recovery {
            None => {
                client.recovery = Some(counter);
                self.keep_peers();
            }
            Some(known) if known != counter && client.doubt.is_none() => {
                let before = self.sessions.mark();
                if let Some(client) = self.clients.get_mut(&from) {
                    client.doubt = Some(before);
                }
                self.ask_for_a_sign(from, Purpose::Doubt(from));
            }
            Some(_) => {}
        }
    }

    /// A client, which is remembered from now on; none where all that there may be have sessions.
    pub(crate) fn client(&mut self, address: IpAddr) -> Option<&mut Client> {
        if !self.clients.contains_key(&address)
            && self.clients.len() >= self.settings.bounds.clients.max(1) as usize
        {
            let idle = self.clients.iter().find(|(_, it)| it.sessions == 0 && it.doubt.is_none());
            let idle = idle.map(|(address, _)| *address)?;
            self.clients.remove(&idle);
        }
        Some(self.clients.entry(address).or_default())
    }

    /// Counts a session of a client and an endpoint in.
    pub(crate) fn count_in(&mut self, client: IpAddr, endpoint: u16) {
        if let Some(client) = self.client(client) {
            client.sessions = client.sessions.saturating_add(1);
        }
        if let Some(peer) = self.endpoint_mut(endpoint) {
            peer.sessions = peer.sessions.saturating_add(1);
        }
    }

    /// Counts a session out.
    pub(crate) fn count_out(&mut self, client: IpAddr, endpoint: u16) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.sessions = client.sessions.saturating_sub(1);
        }
        if let Some(peer) = self.endpoint_mut(endpoint) {
            peer.sessions = peer.sessions.saturating_sub(1);
        }
    }

    fn ask_for_a_sign(&mut self, address: IpAddr, purpose: Purpose) {
        let counter = self.recovery;
        // An echo request is never too long.
        let _ = self.ask((port_of(address), Number::Next), MessageType::EchoRequest, None, purpose, |writer| {
            writer.add(&Element::Recovery(counter));
            Ok(())
        });
    }
}

/// How often the sender of a message began.
fn recovery(message: &Message<'_>) -> Option<u8> {
    match message.elements().find(ElementType::Recovery).ok()??.parse().ok()? {
        Element::Recovery(counter) => Some(counter),
        _ => None,
    }
}
