//! UDP (RFC 768), TCP (RFC 9293), and what else an IP packet carries.

use std::net::IpAddr;

use super::checksum;
use super::ip::pseudo;
use super::sctp::Sctp;

/// Which checksum a transport header carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sum {
    /// The right one.
    #[default]
    Right,
    /// Zero: none.
    Zero,
    /// A wrong one, by this much: added in one's complement to the sum, XORed to a CRC.
    Off(u16),
}

/// What an IP packet carries.
#[derive(Clone, Debug)]
pub enum Payload {
    /// UDP.
    Udp(Udp),
    /// TCP.
    Tcp(Tcp),
    /// SCTP.
    Sctp(Sctp),
    /// ICMPv6: type, code, and what follows the checksum.
    Icmpv6(u8, u8, Vec<u8>),
    /// Anything else: protocol number and bytes.
    Raw(u8, Vec<u8>),
}

/// A UDP datagram.
#[derive(Clone, Debug, Default)]
pub struct Udp {
    /// Source and destination.
    pub ports: (u16, u16),
    /// The length field, where it is not the right one.
    pub length: Option<u16>,
    /// Its checksum.
    pub sum: Sum,
    /// What it carries.
    pub data: Vec<u8>,
}

/// A TCP segment.
#[derive(Clone, Debug, Default)]
pub struct Tcp {
    /// Source and destination.
    pub ports: (u16, u16),
    /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
    pub flags: u8,
    /// Options, padded to a multiple of four bytes.
    pub options: Vec<u8>,
    /// The header's length in 32-bit words, where it is not the right one.
    pub offset: Option<u8>,
    /// Its checksum.
    pub sum: Sum,
    /// What it carries.
    pub data: Vec<u8>,
}

impl Payload {
    /// Its protocol number.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        match self {
            Self::Udp(_) => 17,
            Self::Tcp(_) => 6,
            Self::Sctp(_) => 132,
            Self::Icmpv6(..) => 58,
            Self::Raw(protocol, _) => *protocol,
        }
    }

    /// Changes its ports, where it has any.
    pub fn ports(&mut self, change: impl FnOnce(&mut (u16, u16))) {
        match self {
            Self::Udp(udp) => change(&mut udp.ports),
            Self::Tcp(tcp) => change(&mut tcp.ports),
            Self::Sctp(sctp) => change(&mut sctp.ports),
            Self::Icmpv6(..) | Self::Raw(..) => {}
        }
    }

    /// Chooses its checksum, where it has one.
    pub fn sum(&mut self, sum: Sum) {
        match self {
            Self::Udp(udp) => udp.sum = sum,
            Self::Tcp(tcp) => tcp.sum = sum,
            Self::Sctp(sctp) => sctp.sum = sum,
            Self::Icmpv6(..) | Self::Raw(..) => {}
        }
    }

    /// Its bytes between these addresses.
    #[must_use]
    pub fn bytes(&self, from: IpAddr, to: IpAddr) -> Vec<u8> {
        match self {
            Self::Udp(udp) => udp.bytes(from, to),
            Self::Tcp(tcp) => tcp.bytes(from, to),
            Self::Sctp(sctp) => sctp.bytes(),
            Self::Icmpv6(kind, code, behind) => {
                let pseudo = pseudo(from, to, 58, behind.len() + 4);
                let check = checksum::internet(&[&pseudo, &[*kind, *code], behind]);
                let [a, b] = check.to_be_bytes();
                [&[*kind, *code, a, b][..], behind].concat()
            }
            Self::Raw(_, bytes) => bytes.clone(),
        }
    }
}

impl Udp {
    fn bytes(&self, from: IpAddr, to: IpAddr) -> Vec<u8> {
        let length = self.length.unwrap_or(self.data.len() as u16 + 8);
        let mut bytes = Vec::with_capacity(self.data.len() + 8);
        bytes.extend(self.ports.0.to_be_bytes());
        bytes.extend(self.ports.1.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        let pseudo = pseudo(from, to, 17, usize::from(length));
        let covered = usize::from(length).saturating_sub(8).min(self.data.len());
        let data = self.data.get(..covered).unwrap_or_default();
        // A computed zero is sent as all ones.
        let check = match finish(self.sum, &[&pseudo, &bytes, data]) {
            0 if self.sum != Sum::Zero => 0xffff,
            check => check,
        };
        bytes.extend(check.to_be_bytes());
        bytes.extend(&self.data);
        bytes
    }
}

impl Tcp {
    fn bytes(&self, from: IpAddr, to: IpAddr) -> Vec<u8> {
        let mut options = self.options.clone();
        options.resize(options.len().next_multiple_of(4), 0);
        let offset = self.offset.unwrap_or((5 + options.len() / 4) as u8);
        let mut head = Vec::new();
        head.extend(self.ports.0.to_be_bytes());
        head.extend(self.ports.1.to_be_bytes());
        head.extend([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, offset << 4, self.flags, 0x20, 0x00]);
        let tail = [&[0, 0][..], &options, &self.data].concat();
        let pseudo = pseudo(from, to, 6, head.len() + 2 + tail.len());
        let check = finish(self.sum, &[&pseudo, &head, &tail]);
        head.extend(check.to_be_bytes());
        head.extend(tail);
        head
    }
}

fn finish(sum: Sum, parts: &[&[u8]]) -> u16 {
    match sum {
        Sum::Right => checksum::internet(parts),
        Sum::Zero => 0,
        Sum::Off(by) => checksum::internet(&[&checksum::sum(parts).to_be_bytes(), &by.to_be_bytes()]),
    }
}
