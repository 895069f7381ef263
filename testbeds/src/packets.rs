//! A small builder of frames: what a case sends, and what it expects to leave.
//!
//! Lengths and checksums are filled in from the definitions of the RFCs, over the whole packet; nothing here
//! knows the steering crate, so that a frame built here can be held against what steering made.
//!
//! ```
//! use testbeds::packets::udp;
//! let client = ("192.0.2.1".parse().unwrap(), 40_000);
//! let service = ("198.51.100.1".parse().unwrap(), 5060);
//! let frame = udp(client, service, b"hello").vlan(100).ttl(63).bytes();
//! assert_eq!(frame.len(), 18 + 20 + 8 + 5);
//! ```

pub mod arp;
pub mod check;
pub mod checksum;
pub mod fragment;
pub mod gtpu;
pub mod icmp;
pub mod ip;
pub mod sctp;
pub mod transport;

use std::net::IpAddr;

use arp::Arp;
use gtpu::Gtpu;
use ip::Ip;
use sctp::Sctp;
use transport::{Payload, Sum, Tcp, Udp};

/// A link address.
pub type Mac = [u8; 6];

/// An address and a port.
pub type End = (IpAddr, u16);

/// The link address that frames are from by default.
pub const FROM: Mac = [0x02, 0xc1, 0, 0, 0, 0x10];
/// The link address that frames are sent to by default.
pub const TO: Mac = [0x02, 0xba, 0, 0, 0, 0x01];

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;
/// EtherType of a VLAN tag (IEEE 802.1Q).
pub const VLAN: u16 = 0x8100;
/// EtherType of an outer VLAN tag (IEEE 802.1ad).
pub const QINQ: u16 = 0x88a8;

/// A frame, not yet bytes.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Destination and source.
    pub macs: (Mac, Mac),
    /// VLAN tags from the outermost: EtherType and tag control information.
    pub tags: Vec<(u16, u16)>,
    /// What the frame carries.
    pub network: Network,
    /// Bytes behind the IP packet.
    pub padding: Vec<u8>,
    /// How many bytes are left of the frame, where it is cut.
    pub cut: Option<usize>,
}

/// What a frame carries.
#[derive(Clone, Debug)]
pub enum Network {
    /// An IP packet of either family.
    Ip(Ip),
    /// An ARP message.
    Arp(Arp),
    /// Anything else: its EtherType and bytes.
    Raw(u16, Vec<u8>),
}

/// A UDP datagram.
#[must_use]
pub fn udp(from: End, to: End, data: &[u8]) -> Frame {
    let udp = Udp { ports: (from.1, to.1), data: data.to_vec(), ..Udp::default() };
    packet(from.0, to.0, Payload::Udp(udp))
}

/// A TCP segment with these flags.
#[must_use]
pub fn tcp(from: End, to: End, flags: u8, data: &[u8]) -> Frame {
    let tcp = Tcp { ports: (from.1, to.1), flags, data: data.to_vec(), ..Tcp::default() };
    packet(from.0, to.0, Payload::Tcp(tcp))
}

/// A GTP-U message.
#[must_use]
pub fn gtpu(from: End, to: End, message: &Gtpu) -> Frame {
    udp(from, to, &message.bytes())
}

/// An SCTP packet of these chunks.
#[must_use]
pub fn sctp(from: End, to: End, tag: u32, chunks: &[sctp::Chunk]) -> Frame {
    let sctp = Sctp { ports: (from.1, to.1), tag, chunks: chunks.to_vec(), sum: Sum::Right };
    packet(from.0, to.0, Payload::Sctp(sctp))
}

/// An IP packet.
#[must_use]
pub fn packet(from: IpAddr, to: IpAddr, payload: Payload) -> Frame {
    Frame::new(Network::Ip(Ip::new(from, to, payload)))
}

impl Frame {
    /// An untagged frame between the default link addresses.
    #[must_use]
    pub fn new(network: Network) -> Self {
        Self { macs: (TO, FROM), tags: Vec::new(), network, padding: Vec::new(), cut: None }
    }

    /// With these link addresses.
    #[must_use]
    pub fn macs(mut self, from: Mac, to: Mac) -> Self {
        self.macs = (to, from);
        self
    }

    /// With one VLAN tag.
    #[must_use]
    pub fn vlan(mut self, tci: u16) -> Self {
        self.tags = vec![(VLAN, tci)];
        self
    }

    /// With two VLAN tags.
    #[must_use]
    pub fn qinq(mut self, outer: u16, inner: u16) -> Self {
        self.tags = vec![(QINQ, outer), (VLAN, inner)];
        self
    }

    /// Without VLAN tags.
    #[must_use]
    pub fn untagged(mut self) -> Self {
        self.tags.clear();
        self
    }

    /// Sent to another address and port.
    #[must_use]
    pub fn to(self, address: IpAddr, port: u16) -> Self {
        self.ip(|ip| {
            ip.to = address;
            ip.payload.ports(|ports| ports.1 = port);
        })
    }

    /// From another address and port.
    #[must_use]
    pub fn from(self, address: IpAddr, port: u16) -> Self {
        self.ip(|ip| {
            ip.from = address;
            ip.payload.ports(|ports| ports.0 = port);
        })
    }

    /// With another time to live or hop limit.
    #[must_use]
    pub fn ttl(self, ttl: u8) -> Self {
        self.ip(|ip| ip.ttl = ttl)
    }

    /// With IPv4 options, padded to a multiple of four bytes.
    #[must_use]
    pub fn options(self, options: &[u8]) -> Self {
        self.ip(|ip| ip.options = options.to_vec())
    }

    /// With another IPv6 extension header: its type, and its bytes behind the next-header octet.
    #[must_use]
    pub fn extension(self, kind: u8, behind: &[u8]) -> Self {
        self.ip(|ip| ip.extensions.push((kind, behind.to_vec())))
    }

    /// With another transport checksum than the right one.
    #[must_use]
    pub fn sum(self, sum: Sum) -> Self {
        self.ip(|ip| ip.payload.sum(sum))
    }

    /// With `length` bytes behind the IP packet.
    #[must_use]
    pub fn padded(mut self, length: usize) -> Self {
        self.padding = vec![0xa5; length];
        self
    }

    /// Cut to `length` bytes.
    #[must_use]
    pub fn cut(mut self, length: usize) -> Self {
        self.cut = Some(length);
        self
    }

    /// Changes the IP packet, where there is one.
    #[must_use]
    pub fn ip(mut self, change: impl FnOnce(&mut Ip)) -> Self {
        if let Network::Ip(ip) = &mut self.network {
            change(ip);
        }
        self
    }

    /// Changes the SCTP packet, where there is one.
    #[must_use]
    pub fn sctp(self, change: impl FnOnce(&mut Sctp)) -> Self {
        self.ip(|ip| {
            if let Payload::Sctp(sctp) = &mut ip.payload {
                change(sctp);
            }
        })
    }

    /// Changes the UDP datagram, where there is one.
    #[must_use]
    pub fn udp(self, change: impl FnOnce(&mut Udp)) -> Self {
        self.ip(|ip| {
            if let Payload::Udp(udp) = &mut ip.payload {
                change(udp);
            }
        })
    }

    /// Changes the TCP segment, where there is one.
    #[must_use]
    pub fn tcp(self, change: impl FnOnce(&mut Tcp)) -> Self {
        self.ip(|ip| {
            if let Payload::Tcp(tcp) = &mut ip.payload {
                change(tcp);
            }
        })
    }

    /// The address that it is sent to.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        match &self.network {
            Network::Ip(ip) => Some(ip.to),
            Network::Arp(_) | Network::Raw(..) => None,
        }
    }

    /// The bytes on the wire, without the frame check sequence.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let (ethertype, body) = match &self.network {
            Network::Ip(ip) => (if ip.to.is_ipv4() { IPV4 } else { IPV6 }, ip.bytes()),
            Network::Arp(arp) => (arp::ARP, arp.bytes()),
            Network::Raw(ethertype, bytes) => (*ethertype, bytes.clone()),
        };
        let mut bytes = [self.macs.0, self.macs.1].concat();
        for (ethertype, tci) in &self.tags {
            bytes.extend(ethertype.to_be_bytes());
            bytes.extend(tci.to_be_bytes());
        }
        bytes.extend(ethertype.to_be_bytes());
        bytes.extend(body);
        bytes.extend(&self.padding);
        bytes.truncate(self.cut.unwrap_or(bytes.len()));
        bytes
    }
}
