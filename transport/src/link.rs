//! IP packets of addresses that the host's kernel does not have.
//!
//! [`Host`] turns IP packets into Ethernet frames and back, and finds and answers neighbours on the way
//! (ARP, RFC 826; neighbour discovery, RFC 4861). It has neither socket nor clock: the same code runs over a
//! packet socket, in a simulation, and in tests. [`Link`] is a host on one interface, by a
//! [`PacketSocket`] of its own.
//!
//! Where the interface's namespace forwards, give the host an Ethernet address of its own: the kernel
//! would take frames to the interface's address for packets to be forwarded. A network card must be
//! promiscuous then; a veth takes any frame.
//!
//! ```
//! use bytes::Bytes;
//! use pinion_transport::Time;
//! use pinion_transport::link::{Config, Host, Mac, Packet};
//!
//! let host = |last: u8| {
//!     let address = ([192, 0, 2, last].into(), 24);
//!     Host::new(Config::new(Mac([2, 0, 0, 0, 0, last]), vec![address]))
//! };
//! let (mut one, mut two) = (host(1), host(2));
//! let packet = Packet::new([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), 132, Bytes::from_static(b"sctp"));
//! one.send(Time::ZERO, packet.clone());
//! let mut received = Vec::new();
//! loop {
//!     let mut still = true;
//!     while let Some(frame) = one.poll_frame() {
//!         received.extend(two.receive(Time::ZERO, &frame.to_bytes()));
//!         still = false;
//!     }
//!     while let Some(frame) = two.poll_frame() {
//!         one.receive(Time::ZERO, &frame.to_bytes());
//!         still = false;
//!     }
//!     if still {
//!         break;
//!     }
//! }
//! assert_eq!(received, [packet]);
//! ```

mod arp;
mod ethernet;
mod filter;
mod frame;
mod host;
mod interface;
mod ip;
mod ndp;
mod neighbours;
mod packet;
mod reassembly;
mod routes;
mod socket;

pub use ethernet::Mac;
pub use frame::Frame;
pub use host::{Config, Counters, Host};
pub use interface::Interface;
pub(crate) use ip::icmp_is_intact;
pub use neighbours::{Ask, Neighbours, Timing};
pub use packet::Packet;
pub use routes::Route;
pub use socket::PacketSocket;

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::task::{Context, Poll};

use crate::Time;
use arp::Arp;
use ndp::Ndp;

/// A host on one interface of the namespace of the thread that opened it.
#[derive(Debug)]
pub struct Link {
    host: Host,
    socket: PacketSocket,
}

impl Link {
    /// Answers for the configuration's addresses on an interface from now on, and tells the neighbours.
    /// To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The system's, such as `PermissionDenied` without CAP_NET_RAW.
    pub fn open(interface: &Interface, config: Config) -> io::Result<Self> {
        let own = config.addresses.iter().map(|(address, _)| *address).chain(config.guests.iter().copied());
        let groups = config.addresses.iter().filter_map(|(address, _)| match address {
            IpAddr::V6(address) => Some(ndp::solicited_node(*address)),
            IpAddr::V4(_) => None,
        });
        let groups: Vec<Ipv6Addr> = groups.collect();
        let heard = own.chain(groups.iter().copied().chain([ndp::ALL_NODES]).map(IpAddr::V6));
        let socket = PacketSocket::open(interface)?.only_to(&heard.collect::<Vec<_>>())?.joined(&groups);
        let mut host = Host::new(config);
        host.announce();
        Ok(Self { host, socket })
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Sends a packet, as soon as [`Link::flush`] is called and its next hop is known.
    pub fn send(&mut self, now: Time, packet: Packet) {
        self.host.send(now, packet);
    }

    /// Takes frames that have come, as many as one call of the system yields; packets for this host are
    /// added to `packets`. Pending where there are none.
    ///
    /// # Errors
    ///
    /// The system's, such as `NetworkDown`: the link may come back.
    pub fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        now: Time,
        packets: &mut Vec<Packet>,
    ) -> Poll<io::Result<()>> {
        let Self { host, socket } = self;
        socket.poll_receive(context, |frame| packets.extend(host.receive(now, frame)))
    }

    /// Gives waiting frames to the interface; pending where it has no room for all.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let host = &mut self.host;
        self.socket.poll_send(context, || host.poll_frame())
    }

    /// When [`Link::expire`] is to be called, at the latest.
    pub fn deadline(&self) -> Option<Time> {
        self.host.deadline()
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Time) {
        self.host.expire(now);
    }
}

/// The frames that tell everybody where an address is: for IPv4 an ARP request and a reply (RFC 5227 3), as some
/// neighbours mind the one and some the other; for IPv6 an advertisement (RFC 4861 7.2.6).
pub fn announcements(mac: Mac, address: IpAddr) -> Vec<Frame> {
    match address {
        IpAddr::V4(address) => {
            let own = (mac, address);
            vec![Arp::announcement(own), Arp::reply(own, (Mac::BROADCAST, address))]
        }
        IpAddr::V6(address) => vec![Ndp::announcement((mac, address))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([2, 0xba, 0, 0, 0, 1]);

    fn hex(frames: &[Frame]) -> Vec<String> {
        let hex = |frame: &Frame| frame.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        frames.iter().map(hex).collect()
    }

    /// As scapy writes them: `ARP(op=1, hwsrc=m, psrc=a, pdst=a)`, `ARP(op=2, hwsrc=m, psrc=a, hwdst=broadcast, pdst=a)`.
    #[test]
    fn arp_is_announced_by_request_and_reply() {
        let frames = announcements(MAC, [192, 0, 2, 1].into());
        let wanted = [
            "\
                ffffffffffff02ba000000010806000108000604000102ba00000001c0000201000000000000c000\
                0201",
            "\
                ffffffffffff02ba000000010806000108000604000202ba00000001c0000201ffffffffffffc000\
                0201",
        ];
        assert_eq!(hex(&frames), wanted);
    }

    /// `IPv6(dst='ff02::1', hlim=255)/ICMPv6ND_NA(R=0, S=0, O=1, tgt=a)/ICMPv6NDOptDstLLAddr(lladdr=m)`.
    #[test]
    fn ipv6_is_announced_by_an_advertisement() {
        let frames = announcements(MAC, "2001:db8::1".parse().unwrap());
        let wanted = "\
            33330000000102ba0000000186dd6000000000203aff20010db8000000000000000000000001ff02\
            00000000000000000000000000018800f8702000000020010db80000000000000000000000010201\
            02ba00000001";
        assert_eq!(hex(&frames), [wanted]);
    }
}
