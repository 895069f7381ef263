//! ARP for IPv4 over Ethernet (RFC 826).

use std::net::Ipv4Addr;

use bytes::{BufMut, Bytes, BytesMut};

use super::ethernet::{ARP, Mac};
use super::frame::Frame;

/// Hardware Ethernet, protocol IPv4, their address lengths.
const BEGINNING: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: u16 = 1;
const REPLY: u16 = 2;
/// Bytes of a message.
const LENGTH: usize = 28;

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arp {
    /// Whether it is a request; otherwise it is a reply.
    pub(super) asks: bool,
    pub(super) sender: (Mac, Ipv4Addr),
    pub(super) target: (Mac, Ipv4Addr),
}

impl Arp {
    /// None for anything but requests and replies about IPv4 and Ethernet.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&BEGINNING)?;
        let (operation, rest) = rest.split_first_chunk()?;
        let (sender, rest) = end(rest)?;
        let (target, _) = end(rest)?;
        let asks = match u16::from_be_bytes(*operation) {
            REQUEST => true,
            REPLY => false,
            _ => return None,
        };
        Some(Self { asks, sender, target })
    }

    /// Who has `wanted`? To everybody, or to the one who had it.
    pub(super) fn request(own: (Mac, Ipv4Addr), wanted: Ipv4Addr, to: Option<Mac>) -> Frame {
        let message = Self { asks: true, sender: own, target: (Mac([0; 6]), wanted) };
        message.frame(to.unwrap_or(Mac::BROADCAST))
    }

    /// The answer to one who asked.
    pub(super) fn reply(own: (Mac, Ipv4Addr), asker: (Mac, Ipv4Addr)) -> Frame {
        Self { asks: false, sender: own, target: asker }.frame(asker.0)
    }

    /// Tells everybody (RFC 5227 3).
    pub(super) fn announcement(own: (Mac, Ipv4Addr)) -> Frame {
        Self { asks: true, sender: own, target: (Mac([0; 6]), own.1) }.frame(Mac::BROADCAST)
    }

    fn frame(&self, to: Mac) -> Frame {
        let mut bytes = BytesMut::with_capacity(LENGTH);
        bytes.put_slice(&BEGINNING);
        bytes.put_u16(if self.asks { REQUEST } else { REPLY });
        for (mac, address) in [self.sender, self.target] {
            bytes.put_slice(&mac.0);
            bytes.put_slice(&address.octets());
        }
        Frame::new(to, self.sender.0, ARP, Bytes::from(bytes))
    }
}

fn end(bytes: &[u8]) -> Option<((Mac, Ipv4Addr), &[u8])> {
    let (mac, rest) = bytes.split_first_chunk()?;
    let (address, rest) = rest.split_first_chunk::<4>()?;
    Some(((Mac(*mac), Ipv4Addr::from(*address)), rest))
}
