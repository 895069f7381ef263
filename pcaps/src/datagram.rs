//! The IP packet, and the UDP datagram, that a frame carries.

use std::net::{IpAddr, SocketAddr};

use pinion_protocols::ip::{Ipv4, Ipv6, Udp, protocol};

use crate::capture::Frame;
use crate::link;

/// An IP packet: from where, to where, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpPacket<'a> {
    /// Who sent it.
    pub from: IpAddr,
    /// To whom.
    pub to: IpAddr,
    /// Number of the protocol that it carries, behind extension headers.
    pub protocol: u8,
    /// Whether it is a fragment.
    pub is_fragment: bool,
    /// What it carries, as far as the frame has it.
    pub payload: &'a [u8],
}

impl<'a> IpPacket<'a> {
    /// That of a frame; none where it carries another thing.
    #[must_use]
    pub fn of(frame: &Frame<'a>) -> Option<Self> {
        let network = link::network(frame.link, frame.bytes)?;
        let packet = frame.bytes.get(network.offset..)?;
        match network.ethertype {
            0x0800 => Ipv4::parse(packet).ok().map(|ip| Self {
                from: ip.source.into(),
                to: ip.destination.into(),
                protocol: ip.protocol,
                is_fragment: ip.is_fragment(),
                payload: ip.payload,
            }),
            0x86dd => Ipv6::parse(packet).ok().map(|ip| Self {
                from: ip.source.into(),
                to: ip.destination.into(),
                protocol: ip.protocol,
                is_fragment: ip.is_fragment(),
                payload: ip.payload,
            }),
            _ => None,
        }
    }
}

/// A UDP datagram: from where, to where, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What, as far as the frame has it.
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// That of a frame; none where it carries another thing, or not the beginning of one.
    #[must_use]
    pub fn of(frame: &Frame<'a>) -> Option<Self> {
        let ip = IpPacket::of(frame)?;
        let udp = (ip.protocol == protocol::UDP).then(|| Udp::parse(ip.payload).ok()).flatten()?;
        let (from, to) = (SocketAddr::new(ip.from, udp.source_port), SocketAddr::new(ip.to, udp.destination_port));
        Some(Self { from, to, payload: udp.payload })
    }
}
