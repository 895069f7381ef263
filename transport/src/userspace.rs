//! SCTP by this project's own endpoint, over links whose addresses the host's kernel does not have, or over
//! the kernel's UDP.
//!
//! The kernel, with SCTP of its own or without, sees packets to addresses that it does not have, and lets
//! them be. See [`crate::link`] for what that takes where it forwards.

mod icmp;
mod udp;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::task::{Context, Poll};

use pinion_protocols::ip::protocol;
use pinion_protocols::sctp::endpoint::{Datagram, Transmit};

pub use udp::Encapsulation;

use crate::engine::Engine;
use crate::link::{Link, Packet};
use crate::wire::{Complaint, Wire};
use crate::{Association, Config, Connect, Listen, Listener, RequestError, Time, Transport};

/// An endpoint with the addresses of its links.
#[derive(Debug)]
pub struct Userspace {
    engine: Engine,
}

impl Userspace {
    /// An endpoint on these links, within a tokio runtime. Its largest packets are those of the links.
    ///
    /// # Errors
    ///
    /// The system's, where it has no random numbers.
    pub fn start(links: Vec<Link>, config: &Config) -> io::Result<Self> {
        let own = links.iter().flat_map(|link| &link.host().config().addresses).map(|(address, _)| *address);
        let mut addresses: Vec<IpAddr> = own.collect();
        for guest in links.iter().flat_map(|link| &link.host().config().guests) {
            if !addresses.contains(guest) {
                addresses.push(*guest);
            }
        }
        let largest = links.iter().map(|link| link.host().config().mtu).min().unwrap_or(config.mtu);
        let config = Config {
            mtu: config.mtu.min(largest),
            largest_mtu: config.largest_mtu.min(largest),
            ..config.clone()
        };
        let wire = Links { links, packets: Vec::new(), complaints: VecDeque::new() };
        Ok(Self { engine: Engine::start(addresses, config, seed()?, wire) })
    }

    /// An endpoint on addresses that the kernel has, as anybody may open one: its packets go in UDP
    /// (RFC 6951). Its sockets belong to the namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// The system's, such as `AddrInUse`.
    pub fn over_udp(addresses: &[IpAddr], encapsulation: Encapsulation, config: &Config) -> io::Result<Self> {
        let wire = udp::Datagrams::open(addresses, encapsulation)?;
        let config = Config { encapsulation: udp::HEADER, ..config.clone() };
        Ok(Self { engine: Engine::start(addresses.to_vec(), config, seed()?, wire) })
    }
}

impl Transport for Userspace {
    fn listen(&self, listen: Listen) -> Result<Listener, RequestError> {
        self.engine.listen(listen)
    }

    fn connect(&self, connect: Connect) -> Result<Association, RequestError> {
        self.engine.connect(&connect)
    }
}

/// A secret that nobody guesses.
fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}

/// The links of an endpoint; each packet leaves by the one that knows best where its destination is, and of those that
/// know it equally by the one that has its source.
struct Links {
    links: Vec<Link>,
    packets: Vec<Packet>,
    complaints: VecDeque<Complaint>,
}

impl Wire for Links {
    fn poll_receive(&mut self, context: &mut Context<'_>, now: Time, into: &mut Vec<Datagram>) -> Poll<()> {
        let mut any = Poll::Pending;
        for link in &mut self.links {
            // A link that is down may come back; it says so once.
            if link.poll_receive(context, now, &mut self.packets).is_ready() {
                any = Poll::Ready(());
            }
        }
        for packet in self.packets.drain(..) {
            if packet.protocol == protocol::SCTP {
                let Packet { source, destination, payload: bytes, .. } = packet;
                into.push(Datagram { source, destination, bytes });
            } else {
                self.complaints.extend(icmp::complaint(&packet));
            }
        }
        any
    }

    fn complaint(&mut self) -> Option<Complaint> {
        self.complaints.pop_front()
    }

    fn send(&mut self, now: Time, transmit: Transmit) {
        let Transmit { source, destination, bytes, fragment } = transmit;
        let packet = Packet { source, destination, protocol: protocol::SCTP, payload: bytes, fragment };
        let known =
            |link: &Link| (link.host().way(source, destination).map(|(bits, _)| bits), link.host().has(source));
        if let Some(link) = self.links.iter_mut().max_by_key(|link| known(link)) {
            link.send(now, packet);
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut all = Poll::Ready(());
        for link in &mut self.links {
            if link.poll_flush(context).is_pending() {
                all = Poll::Pending;
            }
        }
        all
    }

    fn deadline(&self) -> Option<Time> {
        self.links.iter().filter_map(Link::deadline).min()
    }

    fn expire(&mut self, now: Time) {
        for link in &mut self.links {
            link.expire(now);
        }
    }
}
