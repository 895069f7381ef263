//! Several networks between two nodes: they lose, delay, reorder, double and change packets, and go
//! down for a while. Everything follows from a seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{Bytes, BytesMut};
use pinion_protocols::sctp::endpoint::{Datagram, Transmit};

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True so many times in 1,000.
    pub(crate) fn permille(&mut self, chance: u64) -> bool {
        self.below(1000) < chance
    }

    pub(crate) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        for part in seed.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_be_bytes());
        }
        seed
    }
}

/// What a network does to packets; chances in permille, times in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    pub(crate) corruption: u64,
    pub(crate) delay: u64,
    pub(crate) jitter: u64,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) faults: Faults,
    pub(crate) down_until: u64,
    /// Largest IP packet that goes through whole, bytes.
    pub(crate) mtu: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flying {
    at: u64,
    order: u64,
    to: usize,
    source: IpAddr,
    destination: IpAddr,
    bytes: Bytes,
}

#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) links: Vec<Link>,
    flying: BinaryHeap<Reverse<Flying>>,
    order: u64,
    pub(crate) packets: u64,
}

/// The address of a node in a network; every third network is IPv6.
pub(crate) fn address(network: usize, node: usize) -> IpAddr {
    let (network, node) = (network as u8, node as u8 + 1);
    if network % 3 == 2 {
        Ipv6Addr::new(0x2001, 0xdb8, u16::from(network), 0, 0, 0, 0, u16::from(node)).into()
    } else {
        Ipv4Addr::new(10, network, 0, node).into()
    }
}

impl Network {
    pub(crate) fn new(links: Vec<Link>) -> Self {
        Self { links, flying: BinaryHeap::new(), order: 0, packets: 0 }
    }

    /// Takes a packet from a node.
    pub(crate) fn send(&mut self, dice: &mut Dice, now: u64, from: usize, transmit: &Transmit) {
        self.packets += 1;
        let to = 1 - from;
        let Some(index) = (0..self.links.len()).find(|&index| address(index, to) == transmit.destination) else {
            return;
        };
        // The networks are apart: an address of another one gets nowhere.
        if address(index, from) != transmit.source {
            return;
        }
        let link = &self.links[index];
        if now < link.down_until || dice.permille(link.faults.loss) {
            return;
        }
        let header = if transmit.destination.is_ipv4() { 20 } else { 40 };
        if transmit.bytes.len() + header > link.mtu && !transmit.fragment {
            return;
        }
        let copies = 1 + u64::from(dice.permille(link.faults.duplication));
        for _ in 0..copies {
            let mut bytes = transmit.bytes.clone();
            if dice.permille(link.faults.corruption) {
                let mut changed = BytesMut::from(bytes.as_ref());
                let at = dice.below(changed.len() as u64) as usize;
                changed[at] ^= 1 << dice.below(8);
                bytes = changed.freeze();
            }
            self.order += 1;
            self.flying.push(Reverse(Flying {
                at: now + link.faults.delay + dice.below(link.faults.jitter + 1),
                order: self.order,
                to,
                source: transmit.source,
                destination: transmit.destination,
                bytes,
            }));
        }
    }

    /// When the next packet arrives.
    pub(crate) fn next(&self) -> Option<u64> {
        self.flying.peek().map(|Reverse(flying)| flying.at)
    }

    /// A packet that has arrived, and at which node.
    pub(crate) fn arrived(&mut self, now: u64) -> Option<(usize, Datagram)> {
        if self.next()? > now {
            return None;
        }
        let Reverse(flying) = self.flying.pop()?;
        let Flying { to, source, destination, bytes, .. } = flying;
        Some((to, Datagram { source, destination, bytes }))
    }
}
