//! SCTP packets in UDP datagrams (RFC 6951), by the kernel's own UDP.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use bytes::Bytes;
use pinion_protocols::sctp::endpoint::{Datagram, Transmit};
use tokio::net::UdpSocket;

use crate::Time;
use crate::wire::Wire;

/// UDP ports on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encapsulation {
    /// Own port.
    pub local_port: u16,
    /// Port of peers that have not been heard of; of others it is the one that they send from.
    pub remote_port: u16,
}

impl Encapsulation {
    /// The port that is registered for it (RFC 6951 4).
    pub const PORT: u16 = 9899;
}

impl Default for Encapsulation {
    fn default() -> Self {
        Self { local_port: Self::PORT, remote_port: Self::PORT }
    }
}

/// Packets that are received at a time.
const BATCH: usize = 64;
/// Peers whose ports are remembered; those of further ones are taken to be the usual one.
const PEERS: usize = 65_536;
/// The largest datagram, bytes.
const LARGEST: usize = 1 << 16;
/// Bytes of UDP's header.
pub(super) const HEADER: u16 = 8;

/// One socket for each own address.
pub(super) struct Datagrams {
    sockets: Vec<(IpAddr, UdpSocket)>,
    remote_port: u16,
    ports: HashMap<IpAddr, u16>,
    /// Where the packets of the last batch came from.
    origins: Vec<SocketAddr>,
    /// Those that were INITs: their answers go back there, wherever others go (RFC 6951 5.3).
    openings: Vec<SocketAddr>,
    waiting: VecDeque<Transmit>,
    room: Vec<u8>,
}

impl Datagrams {
    pub(super) fn open(addresses: &[IpAddr], encapsulation: Encapsulation) -> io::Result<Self> {
        let open = |address: &IpAddr| {
            let socket = std::net::UdpSocket::bind((*address, encapsulation.local_port))?;
            socket.set_nonblocking(true)?;
            Ok((*address, UdpSocket::from_std(socket)?))
        };
        Ok(Self {
            sockets: addresses.iter().map(open).collect::<io::Result<_>>()?,
            remote_port: encapsulation.remote_port,
            ports: HashMap::new(),
            origins: Vec::new(),
            openings: Vec::new(),
            waiting: VecDeque::new(),
            room: vec![0; LARGEST],
        })
    }
}

impl Datagrams {
    fn port_for(&self, transmit: &Transmit) -> u16 {
        let to = transmit.destination;
        let opening = self.openings.iter().find(|origin| origin.ip() == to);
        let opening = opening.filter(|_| matches!(first_chunk(&transmit.bytes), Some(INIT_ACK | ABORT)));
        let known = || self.ports.get(&to).copied();
        opening.map(SocketAddr::port).or_else(known).unwrap_or(self.remote_port)
    }
}

/// Types of chunks (RFC 9260 3.2).
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const ABORT: u8 = 6;

/// Type of the first chunk, behind the common header.
fn first_chunk(packet: &[u8]) -> Option<u8> {
    packet.get(12).copied()
}

impl Wire for Datagrams {
    fn poll_receive(&mut self, context: &mut Context<'_>, _now: Time, into: &mut Vec<Datagram>) -> Poll<()> {
        let Self { sockets, ports, origins, openings, room, .. } = self;
        origins.clear();
        openings.clear();
        for (address, socket) in sockets {
            while origins.len() < BATCH && socket.poll_recv_ready(context).is_ready() {
                match socket.try_recv_from(room) {
                    Ok((length, origin)) => {
                        let source = origin.ip();
                        let bytes = Bytes::copy_from_slice(room.get(..length).unwrap_or_default());
                        if first_chunk(&bytes) == Some(INIT) {
                            openings.push(origin);
                        }
                        if ports.len() < PEERS {
                            ports.entry(source).or_insert(origin.port());
                        }
                        origins.push(origin);
                        into.push(Datagram { source, destination: *address, bytes });
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    // What ICMP said of a packet before: whoever sent it will notice.
                    Err(_) => break,
                }
            }
        }
        if origins.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }

    fn valid(&mut self, number: usize) {
        // RFC 6951 5.4: a packet that only the peer can have sent says where it is now.
        if let Some(origin) = self.origins.get(number)
            && let Some(port) = self.ports.get_mut(&origin.ip())
        {
            *port = origin.port();
        }
    }

    fn send(&mut self, _now: Time, transmit: Transmit) {
        self.waiting.push_back(transmit);
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(transmit) = self.waiting.front() {
            let to = self.port_for(transmit);
            let to = SocketAddr::new(transmit.destination, to);
            if let Some((_, socket)) = self.sockets.iter().find(|(own, _)| *own == transmit.source) {
                if socket.poll_send_ready(context).is_pending() {
                    return Poll::Pending;
                }
                match socket.try_send_to(&transmit.bytes, to) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                    // A packet that the kernel refuses is lost, as on any network.
                    _ => {}
                }
            }
            self.waiting.pop_front();
        }
        Poll::Ready(())
    }
}
