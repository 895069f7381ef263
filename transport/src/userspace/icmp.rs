//! What ICMP (RFC 792) and ICMPv6 (RFC 4443) say of SCTP packets that were sent.

use std::net::IpAddr;

use bytes::Bytes;
use pinion_protocols::ip::{Ipv4, Ipv6, protocol};
use pinion_protocols::sctp::endpoint::Reason;

use crate::link::{Packet, icmp_is_intact};
use crate::wire::Complaint;

/// RFC 792 and RFC 1191.
const UNREACHABLE: u8 = 3;
const NO_PROTOCOL: u8 = 2;
const NO_PORT: u8 = 3;
const TOO_LARGE: u8 = 4;
/// RFC 4443.
const UNREACHABLE6: u8 = 1;
const NO_PORT6: u8 = 4;
const TOO_LARGE6: u8 = 2;
const PARAMETER_PROBLEM: u8 = 4;
const NEXT_HEADER: u8 = 1;

/// What a packet complains of; none where it is about something else, or damaged.
pub(super) fn complaint(packet: &Packet) -> Option<Complaint> {
    match packet.protocol {
        protocol::ICMP if icmp_is_intact(packet) => of_v4(packet),
        protocol::ICMPV6 if icmp_is_intact(packet) => of_v6(packet),
        _ => None,
    }
}

fn of_v4(packet: &Packet) -> Option<Complaint> {
    let ([kind, code, _, _, _, _, m0, m1], quoted) = packet.payload.split_first_chunk()?;
    let reason = match (*kind, *code) {
        (UNREACHABLE, TOO_LARGE) => Reason::TooLarge(u16::from_be_bytes([*m0, *m1])),
        (UNREACHABLE, NO_PROTOCOL) => Reason::NoProtocol,
        (UNREACHABLE, NO_PORT) => return None,
        (UNREACHABLE, _) => Reason::Unreachable,
        _ => return None,
    };
    let inner = Ipv4::parse(quoted).ok()?;
    about(packet, (inner.source.into(), inner.destination.into()), inner.protocol, inner.payload, reason)
}

fn of_v6(packet: &Packet) -> Option<Complaint> {
    let ([kind, code, _, _, mtu @ ..], quoted) = packet.payload.split_first_chunk::<8>()?;
    let reason = match (*kind, *code) {
        (TOO_LARGE6, _) => Reason::TooLarge(u16::try_from(u32::from_be_bytes(*mtu)).unwrap_or(u16::MAX)),
        (PARAMETER_PROBLEM, NEXT_HEADER) => Reason::NoProtocol,
        (UNREACHABLE6, NO_PORT6) => return None,
        (UNREACHABLE6, _) => Reason::Unreachable,
        _ => return None,
    };
    let inner = Ipv6::parse(quoted).ok()?;
    about(packet, (inner.source.into(), inner.destination.into()), inner.protocol, inner.payload, reason)
}

fn about(
    packet: &Packet,
    (source, destination): (IpAddr, IpAddr),
    inner: u8,
    quoted: &[u8],
    reason: Reason,
) -> Option<Complaint> {
    let quoted = Bytes::copy_from_slice(quoted);
    // It comes to whoever sent the packet that it quotes.
    (inner == protocol::SCTP && source == packet.destination).then_some(Complaint {
        source,
        destination,
        reason,
        quoted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scapy 2.6: SCTP(sport=9000,dport=38412,tag=7) from 192.0.2.1 to 198.51.100.2, or from 2001:db8::1 to
    /// 2001:db8:1::2, quoted by ICMP(type=3,code=4,nexthopmtu=1280), by codes 2 and 1, by
    /// ICMPv6PacketTooBig(mtu=1400), ICMPv6DestUnreach(code=3) and ICMPv6ParamProblem(code=1).
    const V4: [(&str, Reason); 3] = [
        ("030479d900000500", Reason::TooLarge(1280)),
        ("03027edb00000000", Reason::NoProtocol),
        ("03017edc00000000", Reason::Unreachable),
    ];
    const QUOTED: &str = "450000200001000040848e22c0000201c63364022328960c00000007d111f3d4";
    const V6: [(&str, Reason); 3] = [
        ("0200ddba00000578", Reason::TooLarge(1400)),
        ("0103e42f00000000", Reason::Unreachable),
        ("0401e12b00000006", Reason::NoProtocol),
    ];
    const QUOTED6: &str = "60000000000c844020010db800000000000000000000000120010db80001000000000000000000022328960c00000007\
        d111f3d4";

    fn packets() -> impl Iterator<Item = (Packet, Reason)> {
        let v4 = V4.into_iter().map(|(head, reason)| {
            let ends = ([192, 0, 2, 254].into(), [192, 0, 2, 1].into());
            (ends, protocol::ICMP, [head, QUOTED].concat(), reason)
        });
        let v6 = V6.into_iter().map(|(head, reason)| {
            let ends = ("2001:db8::fe".parse().unwrap(), "2001:db8::1".parse().unwrap());
            (ends, protocol::ICMPV6, [head, QUOTED6].concat(), reason)
        });
        v4.chain(v6).map(|((source, destination), protocol, hex, reason)| {
            let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
            let bytes = digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap());
            (Packet::new(source, destination, protocol, bytes.collect()), reason)
        })
    }

    #[test]
    fn it_says_what_is_wrong_with_which_packet() {
        for (packet, reason) in packets() {
            let complaint = complaint(&packet).unwrap();
            assert_eq!((complaint.reason, complaint.source), (reason, packet.destination));
            assert_eq!(complaint.quoted[..8], [0x23, 0x28, 0x96, 0x0c, 0, 0, 0, 7]);
        }
    }

    #[test]
    fn a_damaged_message_says_nothing() {
        for (packet, _) in packets() {
            for at in 0..packet.payload.len() {
                let mut bytes = packet.payload.to_vec();
                bytes[at] ^= 1;
                assert_eq!(complaint(&Packet { payload: bytes.into(), ..packet.clone() }), None);
            }
        }
    }
}
