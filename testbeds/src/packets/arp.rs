//! ARP (RFC 826) for IPv4 over Ethernet.

use std::net::Ipv4Addr;

use super::{Frame, Mac, Network};

/// EtherType of ARP.
pub const ARP: u16 = 0x0806;

/// An ARP message.
#[derive(Clone, Debug)]
pub struct Arp {
    /// 1 for a request, 2 for a reply.
    pub operation: u16,
    /// Who sends it.
    pub sender: (Mac, Ipv4Addr),
    /// Who is meant.
    pub target: (Mac, Ipv4Addr),
}

impl Arp {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0, 1, 8, 0, 6, 4];
        bytes.extend(self.operation.to_be_bytes());
        for (mac, address) in [self.sender, self.target] {
            bytes.extend(mac);
            bytes.extend(address.octets());
        }
        bytes
    }
}

/// A broadcast question for the owner of `wanted`.
#[must_use]
pub fn request(asker: (Mac, Ipv4Addr), wanted: Ipv4Addr) -> Frame {
    let arp = Arp { operation: 1, sender: asker, target: ([0; 6], wanted) };
    Frame::new(Network::Arp(arp)).macs(asker.0, [0xff; 6])
}

/// The answer.
#[must_use]
pub fn reply(owner: (Mac, Ipv4Addr), asker: (Mac, Ipv4Addr)) -> Frame {
    let arp = Arp { operation: 2, sender: owner, target: asker };
    Frame::new(Network::Arp(arp)).macs(owner.0, asker.0)
}
