//! What goes through the tunnels: user packets, and the GTP-U header around them (TS 29.281 5.1).

use std::net::Ipv4Addr;

use bytes::Bytes;
use pinion_protocols::gtpu::{self, MessageType};
use pinion_protocols::ip::{Ipv4, Udp, checksum, protocol};

use super::cast;

/// The server that users talk to, and their port and its.
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
const PORTS: [u16; 2] = [40_000, 7];

/// A user's packet: which tunnel, which request, and who answered it; 0 in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UserPacket {
    /// The tunnel's number.
    pub(crate) tunnel: u8,
    /// The request's number.
    pub(crate) number: u32,
    /// The UPF that answers.
    pub(crate) upf: u8,
}

impl UserPacket {
    /// The packet as IPv4 and UDP, from the user to the server or, as an answer, back.
    fn encode(self) -> Vec<u8> {
        let user = cast::user(self.tunnel);
        let ends = if self.upf == 0 { (user, SERVER) } else { (SERVER, user) };
        let [client, server] = PORTS;
        let (from, to) = if self.upf == 0 { (client, server) } else { (server, client) };
        let [n0, n1, n2, n3] = self.number.to_be_bytes();
        udp(ends, (from, to), &[self.tunnel, self.upf, n0, n1, n2, n3])
    }

    fn read(packet: &[u8]) -> Option<Self> {
        let ip = Ipv4::parse(packet).ok().filter(|ip| ip.protocol == protocol::UDP)?;
        let udp = Udp::parse(ip.payload).ok()?;
        let [tunnel, upf, n0, n1, n2, n3] = *udp.payload else { return None };
        Some(Self { tunnel, number: u32::from_be_bytes([n0, n1, n2, n3]), upf })
    }

    /// The packet in a tunnel: what a UDP datagram of GTP-U carries.
    pub(crate) fn in_tunnel(self, teid: u32) -> Bytes {
        let packet = self.encode();
        let [l0, l1] = u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes();
        let [t0, t1, t2, t3] = teid.to_be_bytes();
        let header = [0x30, u8::from(MessageType::GPdu), l0, l1, t0, t1, t2, t3];
        [&header[..], &packet].concat().into()
    }
}

/// What came in a UDP datagram to GTP-U's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// A user's packet in the tunnel of this TEID.
    User(u32, UserPacket),
    /// An Echo Request with this sequence number.
    Echo(u16),
    /// Something else.
    Other,
}

impl Came {
    /// Reads a datagram.
    pub(crate) fn read(datagram: &[u8]) -> Self {
        let Ok(packet) = gtpu::Packet::parse(datagram) else { return Self::Other };
        match packet.message_type() {
            MessageType::GPdu => packet
                .body()
                .ok()
                .and_then(UserPacket::read)
                .map_or(Self::Other, |user| Self::User(packet.teid(), user)),
            MessageType::EchoRequest => packet.sequence().ok().flatten().map_or(Self::Other, Self::Echo),
            _ => Self::Other,
        }
    }
}

/// An Echo Response with the recovery counter that it has to have (TS 29.281 7.2.2).
pub(crate) fn echo_response(sequence: u16) -> Bytes {
    let [high, low] = sequence.to_be_bytes();
    Bytes::copy_from_slice(&[0x32, u8::from(MessageType::EchoResponse), 0, 6, 0, 0, 0, 0, high, low, 0, 0, 14, 0])
}

/// A UDP header and its payload, without checksum (RFC 768): IPv4 allows that.
pub(crate) fn datagram((from, to): (u16, u16), payload: &[u8]) -> Bytes {
    let [f0, f1] = from.to_be_bytes();
    let [t0, t1] = to.to_be_bytes();
    let [l0, l1] = u16::try_from(payload.len().saturating_add(8)).unwrap_or(u16::MAX).to_be_bytes();
    [&[f0, f1, t0, t1, l0, l1, 0, 0][..], payload].concat().into()
}

/// An IPv4 packet with a UDP datagram.
fn udp((source, destination): (Ipv4Addr, Ipv4Addr), ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let datagram = datagram(ports, payload);
    let [l0, l1] = u16::try_from(datagram.len().saturating_add(20)).unwrap_or(u16::MAX).to_be_bytes();
    let ([s0, s1, s2, s3], [d0, d1, d2, d3]) = (source.octets(), destination.octets());
    let with =
        |c0, c1| [0x45, 0, l0, l1, 0, 0, 0x40, 0, 64, protocol::UDP, c0, c1, s0, s1, s2, s3, d0, d1, d2, d3];
    let [c0, c1] = checksum(&[&with(0, 0)]).to_be_bytes();
    [&with(c0, c1)[..], &datagram].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: UserPacket = UserPacket { tunnel: 3, number: 0x0102_0304, upf: 0 };

    /// scapy 2.8.0: `GTP_U_Header(teid=0x1003) / IP(src="10.45.0.3", dst="203.0.113.7", id=0, flags="DF") / UDP(sport=40000,
    /// dport=7, chksum=0) / bytes.fromhex("030001020304")`.
    const IN_TUNNEL: &[u8] =
        b"\x30\xff\x00\x22\x00\x00\x10\x03\x45\x00\x00\x22\x00\x00\x40\x00\x40\x11\xf4\x93\x0a\x2d\x00\x03\
        \xcb\x00\x71\x07\x9c\x40\x00\x07\x00\x0e\x00\x00\x03\x00\x01\x02\x03\x04";

    #[test]
    fn the_tunnel_is_scapys() {
        assert_eq!(PACKET.in_tunnel(0x1003), IN_TUNNEL);
    }

    #[test]
    fn what_came_is_read() {
        assert_eq!(Came::read(IN_TUNNEL), Came::User(0x1003, PACKET));
        let answer = UserPacket { upf: 2, ..PACKET };
        assert_eq!(Came::read(&answer.in_tunnel(0x9003)), Came::User(0x9003, answer));
        let request = crate::health::probe::gtpu::echo_request(7);
        assert_eq!(Came::read(&request), Came::Echo(7));
        let reading = crate::health::probe::gtpu::read(&echo_response(7), 7);
        assert_eq!(reading, crate::health::probe::udp::Reading::Answer);
        bolero::check!().for_each(|bytes| {
            Came::read(bytes);
        });
    }
}
