//! Plausible traffic without end, from a seed: sessions that begin, answer, go on and end.
//!
//! What comes next depends on what became of the frames before, so that tables fill with state that means something.

mod associations;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pinion_loader::Ran;
use pinion_steering::Reason;

use super::dice::Dice;
use super::mutation::mutate;
use super::places::{
    A, A6, B, C, C6, EDGE, EDGE6, S, S_DROP, S_INDICATE, S_PUNT, S_REJECT, S_TURNS, S1, S6, S6_INDICATE, U, U6,
    USER, USER6, V, W, X, X6,
};
use crate::packets::fragment::pieces;
use crate::packets::gtpu::Gtpu;
use crate::packets::ip::{FRAGMENT, HOP_BY_HOP, PADN};
use crate::packets::transport::{Payload, Sum};
use crate::packets::{End, FROM, Frame, Network, arp, gtpu, icmp, packet, tcp, udp};
use associations::Associations;

/// A generator of frames.
#[derive(Clone, Debug)]
pub struct Traffic {
    dice: Dice,
    associations: Associations,
    /// Frames that went to endpoints lately: what answers are made of.
    answers: Vec<Vec<u8>>,
    /// How many of a hundred frames are made wrong.
    wrong: usize,
}

/// How many answers are kept.
const KEPT: usize = 32;

impl Traffic {
    /// Traffic of a seed, so many of a hundred frames made wrong.
    #[must_use]
    pub fn new(seed: u64, wrong: usize) -> Self {
        Self { dice: Dice::new(seed), associations: Associations::default(), answers: Vec::new(), wrong }
    }

    /// The next frame.
    pub fn next_frame(&mut self) -> Vec<u8> {
        let dice = &mut self.dice;
        let mut bytes = match dice.weighted(&[24, 15, 39, 14, 8]) {
            0 => flow(dice).bytes(),
            1 => dice.pick(&self.answers),
            2 => {
                let frame = self.associations.next_frame(dice);
                dressed(dice, frame).bytes()
            }
            3 => tunnel(dice).bytes(),
            _ => other(dice).bytes(),
        };
        if bytes.is_empty() {
            bytes = flow(dice).bytes();
        }
        if dice.chance(self.wrong) {
            mutate(dice, &mut bytes);
        }
        bytes
    }

    /// What became of the last frame.
    pub fn learn(&mut self, ran: &Ran) {
        if !matches!(ran.reason, Reason::Placed | Reason::Pinned | Reason::Hashed) {
            return;
        }
        self.associations.learn(&ran.bytes);
        let at = self.dice.below(KEPT);
        if let Some(answer) = turned(&ran.bytes) {
            match self.answers.get_mut(at) {
                Some(place) => *place = answer,
                None => self.answers.push(answer),
            }
        }
    }
}

/// A client: one of a few, so that its sessions meet again.
fn client(dice: &mut Dice, v6: bool) -> End {
    let host = 2 + dice.below(12) as u8;
    let address = if v6 {
        IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 1, 0, 0, 0, 0, u16::from(host)))
    } else {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, host))
    };
    (address, 40_000 + dice.below(40) as u16)
}

/// Tags, options, hop counts and checksums as they come.
fn dressed(dice: &mut Dice, frame: Frame) -> Frame {
    let frame = match dice.below(30) {
        0 => frame.vlan(dice.roll() as u16),
        1 => frame.qinq(dice.roll() as u16, dice.roll() as u16),
        2 => frame.options(&[1; 8]),
        3 => (0..dice.below(11)).fold(frame, |frame, _| frame.extension(60, &crate::packets::ip::PADN)),
        4 => frame.padded(dice.below(20)),
        5 => frame.ttl(dice.below(3) as u8),
        6 => frame.ip(|ip| ip.class = dice.roll() as u8),
        _ => frame,
    };
    match dice.below(20) {
        0 => frame.sum(Sum::Zero),
        1 => frame.sum(Sum::Off(1 + dice.below(65_534) as u16)),
        _ => frame,
    }
}

fn data(dice: &mut Dice) -> Vec<u8> {
    let most = if dice.chance(3) { 8900 } else { 200 };
    let length = dice.below(most);
    dice.bytes(length)
}

/// UDP or TCP to some service.
fn flow(dice: &mut Dice) -> Frame {
    let v6 = dice.chance(30);
    let from = client(dice, v6);
    let to = match (v6, dice.below(5)) {
        (false, 0) => S1,
        (false, _) => S,
        (true, _) => S6,
    };
    let frame = if dice.chance(50) {
        let port = dice.pick(&[5060_u16, 5060, 5070, 7000, 5061, 5081, 5082, 5084, 5086, 5090, 9999]);
        udp(from, (to, port), &data(dice))
    } else {
        let flags = dice.pick(&[2_u8, 16, 16, 24, 17, 4, 20, 18]);
        tcp(from, (to, dice.pick(&[443_u16, 443, 443, 80, 5083, 5090])), flags, &data(dice))
    };
    dressed(dice, frame)
}

/// A user, and whom it speaks to.
#[must_use]
pub fn users(v6: bool) -> [IpAddr; 2] {
    if v6 { [USER6, EDGE6] } else { [USER, EDGE] }
}

/// A user's packet, as it is in its tunnel; now and then damaged.
fn user(dice: &mut Dice) -> Vec<u8> {
    let [from, to] = users(dice.chance(40));
    let (from, to) = ((from, dice.roll() as u16), (to, dice.roll() as u16));
    let length = dice.below(40);
    let frame = match dice.below(3) {
        0 => udp(from, to, &dice.bytes(length)),
        1 => tcp(from, to, dice.roll() as u8, &dice.bytes(length)),
        _ => udp(from, to, &data(dice)),
    };
    let frame = if dice.chance(10) { frame.options(&[1; 4]) } else { frame };
    let frame = if dice.chance(10) { frame.extension(HOP_BY_HOP, &PADN) } else { frame };
    let frame =
        if dice.chance(5) { frame.extension(FRAGMENT, &[0, dice.roll() as u8, 1, 0, 0, 0, 0]) } else { frame };
    let frame = if dice.chance(5) { frame.ttl(dice.below(3) as u8) } else { frame };
    let mut bytes = frame.bytes();
    if dice.chance(10) {
        mutate(dice, &mut bytes);
    }
    bytes.split_off(bytes.len().min(14))
}

/// GTP-U, uplink and downlink.
fn tunnel(dice: &mut Dice) -> Frame {
    let teid = 1 + dice.below(60) as u32;
    let mut message = match dice.below(10) {
        0 => Gtpu::echo_request(dice.chance(70).then_some(7)),
        1 => Gtpu::echo_response(1),
        2 => Gtpu::end_marker(teid),
        3 => Gtpu::error_indication(teid, dice.pick(&[V, V, U, U6, C, C, X].map(Some)).unwrap_or(V)),
        4 => Gtpu::message(dice.roll() as u8, dice.below(4) as u32, &[1, 2, 3, 4]),
        5 => Gtpu::data(teid, &data(dice)),
        _ => Gtpu::data(teid, &user(dice)),
    };
    if dice.chance(40) {
        message.extensions = vec![(0x85, vec![0x10, 9]); dice.below(4)];
    }
    if dice.chance(20) {
        message.sequence = Some(dice.roll() as u16);
    }
    let v6 = dice.chance(20);
    let peer = (client(dice, v6).0, dice.pick(&[2152_u16, 2152, 40_000]));
    let frame = if dice.chance(25) {
        let from = match dice.below(3) {
            _ if v6 => U6,
            0 => U,
            1 => V,
            _ => W,
        };
        gtpu((from, 2152), (peer.0, 2152), &message)
    } else {
        let to = match dice.below(7) {
            6 if v6 => S6_INDICATE,
            6 => S_INDICATE,
            _ if v6 => S6,
            0 => S_DROP,
            1 => S_PUNT,
            2 => {
                if dice.chance(50) {
                    S_TURNS
                } else {
                    S_REJECT
                }
            }
            _ => S,
        };
        gtpu(peer, (to, 2152), &message)
    };
    dressed(dice, frame)
}

/// A fragment of one of a few datagrams.
fn part(dice: &mut Dice) -> Frame {
    let (v6, teid) = (dice.chance(30), 1 + dice.below(8) as u32);
    let (peer, service, endpoint) = if v6 { (C6, S6, U6) } else { (client(dice, false).0, S, U) };
    let (from, to) = if dice.chance(30) { (endpoint, peer) } else { (peer, service) };
    let whole = if dice.chance(80) {
        gtpu((from, 2152), (to, 2152), &Gtpu::data(teid, &[teid as u8; 500]))
    } else {
        udp((from, 40_000), (to, 5060), &[teid as u8; 500])
    };
    let whole = dressed(dice, whole);
    let pieces = pieces(&whole, teid, 200);
    let at = dice.below(pieces.len().max(1));
    pieces.into_iter().nth(at).unwrap_or(whole)
}

/// Neighbours, fragments, strangers.
fn other(dice: &mut Dice) -> Frame {
    let v4 = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    let v6 = |address: IpAddr| match address {
        IpAddr::V6(v6) => v6,
        IpAddr::V4(_) => Ipv6Addr::UNSPECIFIED,
    };
    let (from, from6) = (client(dice, false), client(dice, true));
    match dice.below(24) {
        0 => arp::request((FROM, v4(C)), v4(if dice.chance(70) { S } else { X })),
        1 => icmp::solicitation((FROM, v6(C6)), v6(if dice.chance(70) { S6 } else { X6 })).padded(dice.below(8)),
        2 => icmp::ping(C, S),
        3 => icmp::ping6(C6, S6),
        4 => udp(from, (S, 5060), b"part").ip(|ip| ip.fragment = dice.roll() as u16),
        5 => udp(from6, (S6, 5060), b"part").extension(44, &dice.bytes(7)),
        11.. => part(dice),
        6 => udp((A, 5060), (B, 5060), b"between endpoints"),
        7 => undelivered(dice, from),
        8 => undelivered(dice, from6),
        9 => packet(C, S, Payload::Raw(dice.roll() as u8, dice.bytes(40))),
        _ => Frame::new(Network::Raw(dice.roll() as u16, dice.bytes(60))),
    }
}

/// What a client sent to an endpoint does not arrive, says the endpoint or somebody on the way.
fn undelivered(dice: &mut Dice, from: End) -> Frame {
    let (endpoint, upf) = if from.0.is_ipv4() { (A, U) } else { (A6, U6) };
    let data = data(dice);
    let sent = match dice.below(3) {
        0 => udp(from, (endpoint, 5060), &data),
        1 => tcp(from, (endpoint, 8443), 2, b""),
        _ => gtpu((from.0, 2152), (upf, 2152), &Gtpu::data(7, &data)),
    };
    let (kind, code) = (dice.pick(&[1_u8, 3, 3, 4, 11]), dice.below(5) as u8);
    let error = icmp::unreachable(&sent, (kind, code));
    dressed(dice, error)
}

/// A frame that went to an endpoint, as the endpoint might answer it: sent back. Checksums stay right, for they
/// do not mind the order; but not SCTP's.
fn turned(frame: &[u8]) -> Option<Vec<u8>> {
    let mut answer = frame.to_vec();
    let (at, size, ports) = match frame.get(12..15)? {
        [0x08, 0x00, 0x45] => (26, 4, 34),
        [0x86, 0xdd, _] => (22, 16, 54),
        _ => return None,
    };
    swap(&mut answer, 0, 6);
    swap(&mut answer, at, size);
    swap(&mut answer, ports, 2);
    Some(answer)
}

/// Swaps two neighbouring runs of `size` bytes.
fn swap(bytes: &mut [u8], at: usize, size: usize) {
    if let Some((left, right)) = bytes.get_mut(at..at + 2 * size).and_then(|run| run.split_at_mut_checked(size)) {
        left.swap_with_slice(right);
    }
}
