//! Reads a capture for its conversations: who is served where, and what was under way when it began.

mod associations;
mod gtp;
mod roles;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::RandomState;
use pinion_steering::{Address, Kind, MAX_PATHS, gtpu, protocol};

use super::carry::carry;
use super::headers::{End, Headers};
use super::sample;
use crate::capture::Frame;
pub(super) use associations::Association;
use associations::Associations;
use gtp::{Gtp, Way};
use roles::{Role, role};

/// Most services that are made of one capture's conversations.
pub const MOST_SERVICES: usize = 4096;
/// Most flows, and most associations, that are taken as under way when the capture began.
pub(super) const MOST_RESTORED: usize = 16_384;
/// Most flows that are kept in mind, to tell an answer from a beginning.
const MOST_FLOWS: usize = 200_000;

/// The conversations of one capture, from which `--config auto` makes services.
///
/// What it holds is bounded, whatever the capture's size.
#[derive(Debug, Default)]
pub struct Survey {
    services: Vec<Served>,
    by_end: HashMap<End, usize, RandomState>,
    flows: HashSet<(End, End), RandomState>,
    begun: Vec<Begun>,
    associations: Associations,
    taken: HashSet<Address>,
    first: Option<Duration>,
    left_out: u64,
    frame: Vec<u8>,
}

/// The server's side of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) kind: Kind,
    pub(super) protocol: u8,
    pub(super) port: u16,
    /// One for each path; none where another service took it in.
    pub(super) addresses: Vec<Address>,
}

/// A UDP or TCP flow whose first captured packet is the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begun {
    pub(super) service: End,
    pub(super) client: End,
}

/// What a survey came to.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) services: Vec<Served>,
    pub(super) begun: Vec<Begun>,
    pub(super) associations: Vec<Association>,
    /// Addresses of the capture that lie in the range of sample addresses.
    pub(super) taken: HashSet<Address>,
    /// When the first frame was captured.
    pub(super) first: Duration,
    /// Conversations that found no room among the services.
    pub(super) left_out: u64,
}

impl Survey {
    /// Takes note of one frame. Give it every frame of the capture, in order.
    pub fn frame(&mut self, frame: &Frame<'_>) {
        self.first.get_or_insert(frame.time);
        let mut bytes = std::mem::take(&mut self.frame);
        if carry(frame, &mut bytes).is_some()
            && let Some(headers) = Headers::of(&bytes)
        {
            self.headers(&headers, &bytes);
        }
        self.frame = bytes;
    }

    pub(super) fn finish(self) -> Surveyed {
        let services = &self.services;
        let settle = |service| settle(&self.by_end, services, service);
        Surveyed {
            associations: self.associations.finish(settle),
            services: self.services,
            begun: self.begun,
            taken: self.taken,
            first: self.first.unwrap_or_default(),
            left_out: self.left_out,
        }
    }

    fn headers(&mut self, headers: &Headers, frame: &[u8]) {
        for address in [headers.source, headers.destination] {
            if sample::is_sample(&address) {
                self.taken.insert(address);
            }
            if !is_host(address) {
                return;
            }
        }
        match headers.protocol {
            protocol::SCTP => self.association(headers, frame),
            protocol::UDP if headers.destination_port == gtpu::PORT => {
                match Gtp::read(headers.payload(frame, 8)) {
                    Some(gtp) => self.tunnel(headers, gtp),
                    None => self.flow(headers),
                }
            }
            _ => self.flow(headers),
        }
    }

    /// UDP or TCP.
    fn flow(&mut self, headers: &Headers) {
        let (from, to) = (headers.from(), headers.to());
        let from_known = self.by_end.contains_key(&from);
        if from_known && self.flows.contains(&(from, to)) {
            return;
        }
        let judged = role(headers);
        let to_server = match (from_known, self.by_end.contains_key(&to)) {
            (_, true) => true,
            (true, false) if judged != Role::Opens => false,
            _ => judged.to_server(),
        };
        let (server, client) = if to_server { (to, from) } else { (from, to) };
        if self.service(server, Kind::Flow).is_none() {
            return;
        }
        let new = self.flows.len() < MOST_FLOWS && self.flows.insert((server, client));
        if new && !to_server && self.begun.len() < MOST_RESTORED {
            self.begun.push(Begun { service: server, client });
        }
    }

    /// A GTP-U message to port 2152. Its sender chose its source port (TS 29.281 4.4.2), and is known by 2152 all the same.
    fn tunnel(&mut self, headers: &Headers, gtp: Gtp) {
        let to = headers.to();
        let from = End { port: gtpu::PORT, ..headers.from() };
        let known = [to, from].map(|end| self.by_end.get(&end).copied());
        let server = match (known, gtp.way) {
            ([Some(_), _], _) => to,
            ([None, Some(_)], _) | ([None, None], Way::Down) => from,
            ([None, None], Way::Up | Way::Unknown) => to,
        };
        if let Some(service) = self.service(server, Kind::Gtpu)
            && let Some(served) = self.services.get_mut(service)
        {
            served.kind = Kind::Gtpu;
        }
    }

    fn association(&mut self, headers: &Headers, frame: &[u8]) {
        let (from, to) = (headers.from(), headers.to());
        let to_server = match (self.by_end.contains_key(&from), self.by_end.contains_key(&to)) {
            (_, true) => true,
            // A service whose peer is one already would take the replies for requests: SCTP looks for services first.
            (true, false) => false,
            (false, false) => role(headers).to_server(),
        };
        let (server, client) = if to_server { (to, from) } else { (from, to) };
        let Some(service) = self.service(server, Kind::Sctp) else {
            return;
        };
        let news = self.associations.packet((service, server), to_server, client.address, headers, frame);
        let service = match news.same {
            Some(same) => {
                self.join(same, server);
                same
            }
            None => service,
        };
        for address in news.named {
            self.join(service, End { address, ..server });
        }
    }

    /// The service at an end; made where there is none yet and there is room.
    fn service(&mut self, end: End, kind: Kind) -> Option<usize> {
        if let Some(&known) = self.by_end.get(&end) {
            return Some(known);
        }
        if self.services.len() >= MOST_SERVICES {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        let index = self.services.len();
        self.services.push(Served { kind, protocol: end.protocol, port: end.port, addresses: vec![end.address] });
        self.by_end.insert(end, index);
        Some(index)
    }

    /// Makes an end another path of a service. A service that was seen there before is taken in, where that leaves few enough paths.
    fn join(&mut self, service: usize, end: End) {
        let other = self.by_end.get(&end).copied();
        if other == Some(service) || !is_host(end.address) {
            return;
        }
        let more = match other.and_then(|other| self.services.get(other)) {
            Some(other) => other.addresses.clone(),
            None => vec![end.address],
        };
        let Some(served) = self.services.get_mut(service) else {
            return;
        };
        if served.addresses.len().saturating_add(more.len()) > MAX_PATHS {
            return;
        }
        served.addresses.extend(&more);
        for address in more {
            self.by_end.insert(End { address, ..end }, service);
            if sample::is_sample(&address) {
                self.taken.insert(address);
            }
        }
        if let Some(other) = other.and_then(|other| self.services.get_mut(other)) {
            other.addresses.clear();
        }
    }
}

/// Whether one host answers to an address. Those of the reserved class E are taken for hosts: captures are made anonymous with them.
fn is_host(address: Address) -> bool {
    match IpAddr::from(address) {
        IpAddr::V4(v4) => !(v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified()),
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unspecified()),
    }
}

/// The service that took in `service`, or itself: where its port and one of its addresses lead to.
fn settle(by_end: &HashMap<End, usize, RandomState>, services: &[Served], service: (usize, End)) -> usize {
    let (index, end) = service;
    match services.get(index) {
        Some(served) if !served.addresses.is_empty() => index,
        _ => by_end.get(&end).copied().unwrap_or(index),
    }
}
