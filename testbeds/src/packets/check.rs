//! Judges the checksums of a frame, and prints frames.

use super::checksum::{crc32c, internet};
use super::{IPV4, IPV6, QINQ, VLAN};

/// Which checksums of a frame are right; `None` where there is none, or not enough of the frame to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The IPv4 header's.
    pub network: Option<bool>,
    /// That of UDP, TCP, SCTP or ICMPv6; a UDP or SCTP checksum of zero is none.
    pub transport: Option<bool>,
}

/// Judges an Ethernet frame.
#[must_use]
pub fn sums(frame: &[u8]) -> Sums {
    network(frame).unwrap_or_default()
}

fn network(frame: &[u8]) -> Option<Sums> {
    let mut at = 12;
    let mut ethertype = be16(frame, at)?;
    for _ in 0..2 {
        if ethertype == VLAN || ethertype == QINQ {
            at += 4;
            ethertype = be16(frame, at)?;
        }
    }
    let packet = frame.get(at + 2..)?;
    match ethertype {
        IPV4 => v4(packet),
        IPV6 => Some(Sums { network: None, transport: v6(packet) }),
        _ => None,
    }
}

fn v4(packet: &[u8]) -> Option<Sums> {
    let header = usize::from(packet.first()? & 15) * 4;
    let header = packet.get(..header.max(20))?;
    let network = Some(internet(&[header]) == 0);
    let fragment = be16(packet, 6)? & 0x3fff != 0;
    let payload = packet.get(header.len()..usize::from(be16(packet, 2)?));
    let transport = match payload {
        Some(payload) if !fragment => transport(packet.get(12..20)?, *packet.get(9)?, payload),
        _ => None,
    };
    Some(Sums { network, transport })
}

fn v6(packet: &[u8]) -> Option<bool> {
    let mut next = *packet.get(6)?;
    let mut payload = packet.get(40..40 + usize::from(be16(packet, 4)?))?;
    for _ in 0..8 {
        let size = match next {
            0 | 43 | 60 | 135 | 139 | 140 => (usize::from(*payload.get(1)?) + 1) * 8,
            51 => (usize::from(*payload.get(1)?) + 2) * 4,
            44 if be16(payload, 2)? & 0xfff9 == 0 => 8,
            _ => break,
        };
        next = *payload.first()?;
        payload = payload.get(size..)?;
    }
    transport(packet.get(8..40)?, next, payload)
}

fn transport(addresses: &[u8], protocol: u8, payload: &[u8]) -> Option<bool> {
    let covered = |payload: &[u8]| {
        let length = (payload.len() as u32).to_be_bytes();
        internet(&[addresses, &length, &[0, 0, 0, protocol], payload]) == 0
    };
    match protocol {
        6 | 58 => (payload.len() >= 4).then(|| covered(payload)),
        17 if be16(payload, 6)? == 0 => None,
        17 => payload.get(..usize::from(be16(payload, 4)?)).filter(|p| p.len() >= 8).map(covered),
        132 => {
            let (head, tail) = (payload.get(..8)?, payload.get(12..)?);
            let sum = u32::from_le_bytes(*payload.get(8..)?.first_chunk()?);
            (sum != 0).then(|| crc32c(&[head, &[0; 4], tail]) == sum)
        }
        _ => None,
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`hex`] printed; `None` where it is something else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}
