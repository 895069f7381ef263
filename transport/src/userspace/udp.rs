//! SCTP packets in UDP datagrams (RFC 6951), by the kernel's own UDP.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use bytes::Bytes;
use pinion_protocols::sctp::endpoint::{Datagram, Transmit};
use pinion_protocols::sctp::{ChunkType, HEADER_LENGTH};
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

/// Packets that are received at a time, on all sockets together.
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
    /// Where peers are, as their own packets said.
    ports: HashMap<IpAddr, u16>,
    /// The packets of the last batch.
    origins: Vec<Origin>,
    /// Each with the port that it goes to.
    waiting: VecDeque<(u16, Transmit)>,
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
            waiting: VecDeque::new(),
            room: vec![0; LARGEST],
        })
    }
}

impl Datagrams {
    fn port_for(&self, transmit: &Transmit) -> u16 {
        let to = transmit.destination;
        let asker = |tag| {
            let asker = |origin: &&Origin| origin.tag == tag && origin.is_answered_by(transmit);
            self.origins.iter().find(asker).map(|origin| origin.from.port())
        };
        let known = || self.ports.get(&to).copied();
        // Whoever only sends a cookie gets nothing that may be for a peer that is known.
        let other = || asker(None);
        asker(field(&transmit.bytes, TAG)).or_else(known).or_else(other).unwrap_or(self.remote_port)
    }
}

/// Where a packet came from. Unless it is known to be the peer's, its answer goes back there, wherever
/// others go (RFC 6951 5.3).
struct Origin {
    from: SocketAddr,
    /// The verification tag that an answer has; none where only the cookie tells.
    tag: Option<[u8; 4]>,
    is_the_peers: bool,
}

impl Origin {
    fn new(from: SocketAddr, packet: &[u8]) -> Self {
        let tag = match first_chunk(packet) {
            // RFC 9260 3.3.2: its first field.
            Some(ChunkType::Init) => field(packet, 16),
            Some(ChunkType::CookieEcho) => None,
            // RFC 9260 8.4: its own tag is reflected.
            _ => field(packet, TAG),
        };
        Self { from, tag, is_the_peers: false }
    }

    /// Whether a packet may be the answer, by all but its tag.
    fn is_answered_by(&self, transmit: &Transmit) -> bool {
        use ChunkType::{Abort, Error, InitAck, ShutdownComplete};
        let kind = first_chunk(&transmit.bytes);
        !self.is_the_peers
            && self.from.ip() == transmit.destination
            && matches!(kind, Some(InitAck | Abort | ShutdownComplete | Error))
    }
}

/// Place of the verification tag in the common header (RFC 9260 3.1).
const TAG: usize = 4;

fn field(packet: &[u8], at: usize) -> Option<[u8; 4]> {
    packet.get(at..)?.first_chunk().copied()
}

/// Type of the first chunk, behind the common header.
fn first_chunk(packet: &[u8]) -> Option<ChunkType> {
    packet.get(HEADER_LENGTH).copied().map(ChunkType::from)
}

impl Wire for Datagrams {
    fn poll_receive(&mut self, context: &mut Context<'_>, _now: Time, into: &mut Vec<Datagram>) -> Poll<()> {
        let Self { sockets, origins, room, .. } = self;
        origins.clear();
        // Whoever floods one address leaves the others theirs.
        let share = BATCH.checked_div(sockets.len()).unwrap_or_default().max(1);
        let mut any = Poll::Pending;
        for (address, socket) in sockets {
            let mut taken = 0_usize;
            while taken < share && socket.poll_recv_ready(context).is_ready() {
                match socket.try_recv_from(room) {
                    Ok((length, from)) => {
                        let bytes = Bytes::copy_from_slice(room.get(..length).unwrap_or_default());
                        origins.push(Origin::new(from, &bytes));
                        into.push(Datagram { source: from.ip(), destination: *address, bytes });
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                    // What ICMP said of a packet before: whoever sent it will notice. More may wait behind it.
                    Err(_) => {}
                }
                taken = taken.saturating_add(1);
                any = Poll::Ready(());
            }
        }
        any
    }

    fn valid(&mut self, number: usize) {
        // RFC 6951 5.4: a packet that only the peer can have sent says where it is now.
        let Some(origin) = self.origins.get_mut(number) else { return };
        origin.is_the_peers = true;
        let (address, port) = (origin.from.ip(), origin.from.port());
        if self.ports.len() < PEERS || self.ports.contains_key(&address) {
            self.ports.insert(address, port);
        }
    }

    fn send(&mut self, _now: Time, transmit: Transmit) {
        self.waiting.push_back((self.port_for(&transmit), transmit));
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some((port, transmit)) = self.waiting.front() {
            let to = SocketAddr::new(transmit.destination, *port);
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    const NEAR: [IpAddr; 2] =
        [IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 11)), IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 12))];
    const FAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 13));
    const PATIENCE: Duration = Duration::from_secs(10);

    fn open(local_port: u16) -> Datagrams {
        Datagrams::open(&NEAR, Encapsulation { local_port, remote_port: 1 }).unwrap()
    }

    fn far() -> std::net::UdpSocket {
        std::net::UdpSocket::bind((FAR, 0)).unwrap()
    }

    /// What one poll yields, once there is something for the first socket.
    async fn batch(datagrams: &mut Datagrams) -> Vec<Datagram> {
        tokio::time::timeout(PATIENCE, datagrams.sockets[0].1.readable()).await.unwrap().unwrap();
        let mut batch = Vec::new();
        let received = poll_fn(|context| Poll::Ready(datagrams.poll_receive(context, Time::ZERO, &mut batch)));
        assert!(received.await.is_ready());
        batch
    }

    #[tokio::test]
    async fn a_flood_on_one_address_leaves_the_others_theirs() {
        let mut datagrams = open(19_911);
        for _ in 0..2 * BATCH {
            far().send_to(&[0; 16], (NEAR[0], 19_911)).unwrap();
        }
        far().send_to(&[1; 16], (NEAR[1], 19_911)).unwrap();
        let batch = batch(&mut datagrams).await;
        assert!(batch.len() < BATCH);
        assert!(batch.iter().any(|datagram| datagram.destination == NEAR[1] && datagram.bytes[..] == [1; 16]));
    }

    #[tokio::test]
    async fn what_icmp_says_does_not_stop_it() {
        let mut datagrams = open(19_912);
        let nobody = far().local_addr().unwrap();
        let socket = &datagrams.sockets[0].1;
        socket.connect(nobody).await.unwrap();
        socket.send(b"who is there?").await.unwrap();
        // Its error is what is received first.
        let somebody = std::net::UdpSocket::bind(nobody).unwrap();
        somebody.send_to(&[3; 16], (NEAR[0], 19_912)).unwrap();
        let batch = batch(&mut datagrams).await;
        assert_eq!(batch.iter().map(|datagram| &datagram.bytes[..]).collect::<Vec<_>>(), [[3; 16]]);
    }

    #[tokio::test]
    async fn only_a_peer_is_remembered() {
        let (mut datagrams, far) = (open(19_913), far());
        let port = far.local_addr().unwrap().port();
        far.send_to(&[2; 16], (NEAR[0], 19_913)).unwrap();
        assert_eq!(batch(&mut datagrams).await.len(), 1);
        assert!(datagrams.ports.is_empty());
        datagrams.valid(0);
        assert_eq!(datagrams.ports, HashMap::from([(FAR, port)]));
    }
}
