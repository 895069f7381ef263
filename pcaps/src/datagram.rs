//! The UDP datagram that a frame carries.

use std::net::{IpAddr, SocketAddr};

use pinion_protocols::ip::{Ipv4, Ipv6, Udp, protocol};

use crate::capture::Frame;
use crate::link;

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
        let network = link::network(frame.link, frame.bytes)?;
        let packet = frame.bytes.get(network.offset..)?;
        let (from, to, upper, payload): (IpAddr, IpAddr, u8, &[u8]) = match network.ethertype {
            0x0800 => Ipv4::parse(packet)
                .ok()
                .map(|ip| (ip.source.into(), ip.destination.into(), ip.protocol, ip.payload))?,
            0x86dd => Ipv6::parse(packet)
                .ok()
                .map(|ip| (ip.source.into(), ip.destination.into(), ip.protocol, ip.payload))?,
            _ => return None,
        };
        let udp = (upper == protocol::UDP).then(|| Udp::parse(payload).ok()).flatten()?;
        let (from, to) = (SocketAddr::new(from, udp.source_port), SocketAddr::new(to, udp.destination_port));
        Some(Self { from, to, payload: udp.payload })
    }
}
