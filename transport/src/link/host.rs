//! A host on a link: its addresses, its next hops, and its neighbours.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};

use bytes::Bytes;
use pinion_protocols::ip::{Fragment, Ipv4, Ipv6, protocol};

use super::arp::Arp;
use super::ethernet::{self, Ethernet, Mac};
use super::frame::Frame;
use super::ip;
use super::ndp::Ndp;
use super::neighbours::{Neighbours, Timing};
use super::packet::Packet;
use super::reassembly::Reassembly;
use super::routes::Route;
use crate::Time;

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its Ethernet address.
    pub mac: Mac,
    /// Its addresses, and the length of the prefix that each shares with its link: 24, say.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Addresses that it has on other links: packets to them are taken here too, and neighbours are not told.
    pub guests: Vec<IpAddr>,
    /// What else is reached by the link.
    pub routes: Vec<Route>,
    /// Routers to everything else, one a family at most.
    pub gateways: Vec<IpAddr>,
    /// Largest IP packet of the link, bytes.
    pub mtu: u16,
    /// How neighbours are found.
    pub timing: Timing,
}

impl Config {
    /// A host without gateways on an ordinary Ethernet.
    pub fn new(mac: Mac, addresses: Vec<(IpAddr, u8)>) -> Self {
        Self {
            mac,
            addresses,
            guests: Vec::new(),
            routes: Vec::new(),
            gateways: Vec::new(),
            mtu: 1500,
            timing: Timing::default(),
        }
    }
}

/// What was not sent or not received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames and packets for others.
    pub others: u64,
    /// Packets of ours with a wrong header.
    pub malformed: u64,
    /// Packets to be sent that the link does not carry.
    pub too_large: u64,
    /// Packets to be sent with no way to go: no gateway, not one of our addresses.
    pub no_route: u64,
}

/// A host without socket or clock: packets in, frames out, and back.
#[derive(Debug)]
pub struct Host {
    config: Config,
    neighbours: Neighbours,
    frames: VecDeque<Frame>,
    identification: u32,
    reassembly: Reassembly,
    counters: Counters,
}

impl Host {
    /// A host that knows no neighbours yet.
    pub fn new(config: Config) -> Self {
        Self {
            neighbours: Neighbours::new(config.timing),
            config,
            frames: VecDeque::new(),
            identification: 0,
            reassembly: Reassembly::default(),
            counters: Counters::default(),
        }
    }

    /// Sends a packet from one of its addresses: [`Host::poll_frame`] has it, once its next hop is known.
    pub fn send(&mut self, now: Time, packet: Packet) {
        let Some((_, next_hop)) = self.way(packet.source, packet.destination) else {
            self.counters.no_route = self.counters.no_route.saturating_add(1);
            return;
        };
        if let Some((mac, packet)) = self.neighbours.resolve(now, next_hop, packet) {
            self.emit(mac, packet);
        } else {
            self.ask();
        }
    }

    /// Takes a frame that came over the link; the packet that it carried, if that is for this host.
    pub fn receive(&mut self, now: Time, frame: &[u8]) -> Option<Packet> {
        let frame = Ethernet::parse(frame)?;
        if frame.destination != self.config.mac && !frame.destination.is_group() {
            self.counters.others = self.counters.others.saturating_add(1);
            return None;
        }
        match frame.kind {
            ethernet::ARP => {
                self.receive_arp(now, frame.payload);
                None
            }
            ethernet::IPV4 => self.receive_v4(now, frame.payload),
            ethernet::IPV6 => self.receive_v6(now, &frame),
            _ => None,
        }
    }

    /// The next frame to be put on the link.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Tells everybody on the link where its addresses are: where it begins, or takes them over.
    pub fn announce(&mut self) {
        let mac = self.config.mac;
        let announcements = self.config.addresses.iter().map(|(address, _)| match address {
            IpAddr::V4(address) => Arp::announcement((mac, *address)),
            IpAddr::V6(address) => Ndp::announcement((mac, *address)),
        });
        self.frames.extend(announcements);
    }

    /// When [`Host::expire`] is to be called, at the latest.
    pub fn deadline(&self) -> Option<Time> {
        self.neighbours.deadline()
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Time) {
        self.neighbours.expire(now);
        self.ask();
    }

    /// What it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whom it knows.
    pub fn neighbours(&self) -> &Neighbours {
        &self.neighbours
    }

    /// What was not sent or not received.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether an address is one that it has on this link.
    pub fn has(&self, address: IpAddr) -> bool {
        self.config.addresses.iter().any(|(own, _)| *own == address)
    }

    /// The next hop from one of its addresses, on this link or on another one, to somebody; and how much of the
    /// destination the route names, in bits: of several links, the one whose route names most is right. None where the
    /// link does not lead there.
    pub fn way(&self, source: IpAddr, destination: IpAddr) -> Option<(u8, IpAddr)> {
        let Config { addresses, guests, routes, gateways, .. } = &self.config;
        if source.is_ipv4() != destination.is_ipv4() || !(self.has(source) || guests.contains(&source)) {
            return None;
        }
        let near = addresses.iter().map(|(own, length)| Route { to: (*own, *length), via: None });
        // No router passes on what is to such an address.
        let local = matches!(destination, IpAddr::V6(to) if to.is_unicast_link_local());
        let local = local.then_some(Route { to: (destination, 64), via: None });
        let last = gateways.iter().map(|gateway| Route::default_by(*gateway));
        let all = near.chain(local).chain(routes.iter().copied()).chain(last);
        let fits = all.filter(|route| route.leads_to(destination));
        // Of several of a length, the first.
        let best = fits.reduce(|best, route| if route.to.1 > best.to.1 { route } else { best });
        best.map(|route| (route.to.1, route.via.unwrap_or(destination)))
    }

    fn emit(&mut self, mac: Mac, packet: Packet) {
        let Self { config, frames, identification, counters, .. } = self;
        *identification = identification.wrapping_add(1);
        let macs = (config.mac, mac);
        let sent = ip::frames(packet, macs, config.mtu, *identification, |frame| frames.push_back(frame));
        if sent.is_err() {
            counters.too_large = counters.too_large.saturating_add(1);
        }
    }

    fn release(&mut self, mac: Mac, packets: VecDeque<Packet>) {
        for packet in packets {
            self.emit(mac, packet);
        }
    }

    /// Puts the questions that are due on the link.
    fn ask(&mut self) {
        let mac = self.config.mac;
        while let Some(ask) = self.neighbours.poll_ask() {
            let frame = match (ask.source, ask.address) {
                (IpAddr::V4(source), IpAddr::V4(wanted)) => Arp::request((mac, source), wanted, ask.to),
                (IpAddr::V6(source), IpAddr::V6(wanted)) => Ndp::solicitation((mac, source), wanted, ask.to),
                _ => continue,
            };
            self.frames.push_back(frame);
        }
    }

    fn receive_arp(&mut self, now: Time, bytes: &[u8]) {
        let Some(arp) = Arp::parse(bytes) else { return };
        let (mac, sender) = arp.sender;
        let target = arp.target.1;
        if mac == self.config.mac || mac.is_group() {
            return;
        }
        let waiting = if arp.asks && self.has(target.into()) {
            self.frames.push_back(Arp::reply((self.config.mac, target), (mac, sender)));
            if sender.is_unspecified() {
                // It asks whether the address is free (RFC 5227 1.1).
                return;
            }
            self.neighbours.asked_by(now, sender.into(), target.into(), mac)
        } else if arp.asks {
            // An announcement (RFC 5227 3), or a question to somebody else.
            self.neighbours.announced(now, sender.into(), mac)
        } else {
            self.neighbours.answered(now, sender.into(), mac)
        };
        self.release(mac, waiting);
    }

    fn receive_v4(&mut self, now: Time, bytes: &[u8]) -> Option<Packet> {
        let header = bytes.first().map_or(0, |first| usize::from(first & 0xf).saturating_mul(4));
        let intact = bytes.get(..header).is_some_and(|header| ip::checksum(&[header]) == 0);
        let packet = Ipv4::parse(bytes).ok().filter(|packet| intact && packet.missing == 0);
        let packet = self.well_formed(packet)?;
        let ends = (packet.source.into(), packet.destination.into(), packet.protocol);
        let fragment = packet.is_fragment().then_some(packet.fragment);
        self.accept(now, ends, fragment, packet.payload)
    }

    fn receive_v6(&mut self, now: Time, frame: &Ethernet<'_>) -> Option<Packet> {
        let packet = Ipv6::parse(frame.payload).ok().filter(|packet| packet.missing == 0);
        let packet = self.well_formed(packet)?;
        if packet.protocol == protocol::ICMPV6 && packet.fragment.is_none() {
            let ndp = Ndp::parse(packet.source, packet.destination, packet.hop_limit, packet.payload);
            if let Some(ndp) = ndp {
                self.receive_ndp(now, packet.source, frame.source, ndp);
                return None;
            }
        }
        let ends = (packet.source.into(), packet.destination.into(), packet.protocol);
        let fragment = packet.fragment.filter(|_| packet.is_fragment());
        self.accept(now, ends, fragment, packet.payload)
    }

    fn receive_ndp(&mut self, now: Time, sender: Ipv6Addr, from: Mac, ndp: Ndp) {
        match ndp {
            Ndp::Solicitation { target, source } if self.has(target.into()) => {
                self.frames.push_back(Ndp::advertisement((self.config.mac, target), (from, sender)));
                if let Some(mac) = source
                    && !sender.is_unspecified()
                {
                    let waiting = self.neighbours.asked_by(now, sender.into(), target.into(), mac);
                    self.release(mac, waiting);
                }
            }
            Ndp::Advertisement { target, mac, solicited, newer } => {
                let known = self.neighbours.get(target.into());
                // Without an address it confirms the one that is known (RFC 4861 7.2.5).
                let Some(mac) = mac.or(known) else { return };
                if !newer && known.is_some_and(|known| known != mac) {
                    return;
                }
                let waiting = if solicited {
                    self.neighbours.answered(now, target.into(), mac)
                } else {
                    self.neighbours.announced(now, target.into(), mac)
                };
                self.release(mac, waiting);
            }
            Ndp::Solicitation { .. } => {}
        }
    }

    /// A packet for this host, once it is whole.
    fn accept(
        &mut self,
        now: Time,
        ends: (IpAddr, IpAddr, u8),
        fragment: Option<Fragment>,
        payload: &[u8],
    ) -> Option<Packet> {
        let (source, destination, protocol) = ends;
        if !self.has(destination) && !self.config.guests.contains(&destination) {
            self.counters.others = self.counters.others.saturating_add(1);
            return None;
        }
        let payload = match fragment {
            None => Bytes::copy_from_slice(payload),
            Some(fragment) => self.reassembly.take(now, ends, &fragment, payload)?,
        };
        Some(Packet::new(source, destination, protocol, payload))
    }

    fn well_formed<T>(&mut self, packet: Option<T>) -> Option<T> {
        if packet.is_none() {
            self.counters.malformed = self.counters.malformed.saturating_add(1);
        }
        packet
    }
}

#[cfg(test)]
mod tests;
