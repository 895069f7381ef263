//! A gNB: users' packets into tunnels, and what comes back.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use pinion_protocols::gtpu::{Element, MessageType, Packet};
use pinion_protocols::ip::{Ipv4, Udp};

use super::Tunnel;
use crate::failure::Failure;
use crate::namespace::Namespace;
use crate::packets::gtpu::{CONTAINER, Gtpu};
use crate::packets::ip::Ip;
use crate::packets::transport::{self, Payload};
use crate::peers::gtpu::Session;
use crate::peers::udp::{bind, failed};
use crate::peers::{Echoes, LONGEST, TICK, message};

/// Ports of users' packets: their own, and the data network's.
const PORTS: (u16, u16) = (40_000, 7);

/// Like [`crate::peers::gtpu::Gnb`], without another's packets and as fast as a socket.
#[derive(Debug)]
pub struct Gnb {
    socket: UdpSocket,
    next: u64,
    errors: Vec<Tunnel>,
}

impl Gnb {
    /// Binds `local` in a namespace that owns its address.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn start(namespace: &Namespace, local: SocketAddr) -> Result<Self, Failure> {
        Ok(Self { socket: bind(namespace, local, TICK)?, next: 0, errors: Vec::new() })
    }

    /// Sends a user's UDP packets with `size` bytes of payload (8 at least), one after the other's echo, each waited for
    /// up to `wait`. An echo may come from anywhere, but by the session's downlink tunnel alone; what else comes
    /// in the meantime is wrong.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn send(
        &mut self,
        to: SocketAddr,
        session: &Session,
        messages: u32,
        size: usize,
        wait: Duration,
    ) -> Result<Echoes, Failure> {
        let mut echoes = Echoes::default();
        let mut buffer = vec![0; LONGEST];
        for _ in 0..messages {
            let sent = message(self.next, size);
            self.next = self.next.wrapping_add(1);
            self.socket.send_to(&uplink(session, &sent), to).map_err(failed)?;
            let came = self.wait(&mut buffer, wait);
            let back = came.map(|datagram| self.user_packet(datagram, session).unwrap_or_default());
            echoes.count(&sent, back.as_deref());
        }
        Ok(echoes)
    }

    /// Sends one user's UDP packet with `size` bytes of payload, and waits for nothing.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn tell(&mut self, to: SocketAddr, session: &Session, size: usize) -> Result<(), Failure> {
        let sent = message(self.next, size);
        self.next = self.next.wrapping_add(1);
        self.socket.send_to(&uplink(session, &sent), to).map(drop).map_err(failed)
    }

    /// The tunnels that Error Indications were about, in the order that they came.
    #[must_use]
    pub fn errors(&self) -> &[Tunnel] {
        &self.errors
    }

    fn wait<'a>(&self, buffer: &'a mut [u8], wait: Duration) -> Option<&'a [u8]> {
        let end = Instant::now() + wait;
        loop {
            if let Ok((length, _)) = self.socket.recv_from(buffer) {
                return buffer.get(..length);
            }
            if Instant::now() >= end {
                return None;
            }
        }
    }

    /// What the packet for a user has in it; none where it is none for this session's.
    fn user_packet(&mut self, datagram: &[u8], session: &Session) -> Option<Vec<u8>> {
        let packet = Packet::parse(datagram).ok()?;
        if packet.message_type() == MessageType::ErrorIndication {
            self.errors.extend(Tunnel::disowned(&packet));
        }
        if packet.message_type() != MessageType::GPdu || packet.teid() != session.downlink {
            return None;
        }
        let ip = Ipv4::parse(packet.body().ok()?).ok()?;
        let udp = Udp::parse(ip.payload).ok()?;
        let ends = [ip.source, ip.destination].map(IpAddr::V4);
        let right = ends == [session.beyond, session.terminal] && (udp.destination_port, udp.source_port) == PORTS;
        right.then(|| udp.payload.to_vec())
    }
}

fn uplink(session: &Session, data: &[u8]) -> Vec<u8> {
    let udp = transport::Udp { ports: PORTS, data: data.to_vec(), ..transport::Udp::default() };
    let inner = Ip::new(session.terminal, session.beyond, Payload::Udp(udp)).bytes();
    let mut message = Gtpu::data(session.uplink, &inner);
    let (kind, [direction, _]) = CONTAINER;
    message.extensions = session.qfi.map(|qfi| (kind, vec![direction, qfi])).into_iter().collect();
    message.bytes()
}

impl Tunnel {
    /// The tunnel that an Error Indication is about (TS 29.281 7.3.1), at an IPv4 address.
    pub(super) fn disowned(packet: &Packet<'_>) -> Option<Self> {
        let (mut teid, mut address) = (None, None);
        for element in packet.elements().ok()?.flatten() {
            match element.parse() {
                Ok(Element::TeidDataI(told)) => teid = Some(told),
                Ok(Element::PeerAddress(IpAddr::V4(told))) => address = Some(told),
                _ => {}
            }
        }
        Some(Self { teid: teid?, address: address? })
    }
}
