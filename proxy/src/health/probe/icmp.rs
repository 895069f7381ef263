//! ICMP and ICMPv6 echo (RFC 792, RFC 4443 4.1, 4.2): by a ping socket, which needs no privilege where the host's
//! `net.ipv4.ping_group_range` lets it, else by a raw socket.

use std::io;
use std::net::SocketAddr;

use pinion_protocols::ip::checksum;
use socket2::{Protocol, SockFilter, Type};
use tokio::sync::OnceCell;

use super::exchange::{Exchange, Heard, Wire};
use super::socket::Packets;
use super::{Ends, Reply, low16};
use crate::health::outcome::{Obstacle, Outcome};

/// Bytes of an echo message that this makes: header, and the token.
pub const LENGTH: usize = 16;

/// What tells an echo from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Identifier; a ping socket sets its own.
    pub id: u16,
    /// Sequence number.
    pub sequence: u16,
    /// The first eight bytes of the data.
    pub token: u64,
}

const REQUEST_V4: u8 = 8;
const REPLY_V4: u8 = 0;
const REQUEST_V6: u8 = 128;
const REPLY_V6: u8 = 129;

/// An echo request. The checksum of ICMPv6 covers the addresses, so it is left to the kernel.
pub fn request(v6: bool, echo: Echo) -> [u8; LENGTH] {
    let message = |kind, [c, d]: [u8; 2]| {
        let ([i, j], [s, t]) = (echo.id.to_be_bytes(), echo.sequence.to_be_bytes());
        let [e, f, g, h, k, l, m, n] = echo.token.to_be_bytes();
        [kind, 0, c, d, i, j, s, t, e, f, g, h, k, l, m, n]
    };
    if v6 {
        message(REQUEST_V6, [0, 0])
    } else {
        let unsummed = message(REQUEST_V4, [0, 0]);
        message(REQUEST_V4, checksum(&[&unsummed]).to_be_bytes())
    }
}

/// Reads an echo reply, from the ICMP header on; `None` where it is something else.
pub fn reply(v6: bool, message: &[u8]) -> Option<Echo> {
    echo(if v6 { REPLY_V6 } else { REPLY_V4 }, message)
}

/// Identifier and sequence number of the request that an ICMP error quotes, as far as it does.
pub fn quoted(v6: bool, message: &[u8]) -> Option<(u16, u16)> {
    let &[kind, 0, _, _, i, j, s, t] = message.first_chunk()? else { return None };
    let request = kind == if v6 { REQUEST_V6 } else { REQUEST_V4 };
    request.then(|| (u16::from_be_bytes([i, j]), u16::from_be_bytes([s, t])))
}

fn echo(wanted: u8, message: &[u8]) -> Option<Echo> {
    let &[kind, 0, _, _, i, j, s, t, ref token @ ..] = message.first_chunk::<LENGTH>()? else { return None };
    (kind == wanted).then(|| Echo {
        id: u16::from_be_bytes([i, j]),
        sequence: u16::from_be_bytes([s, t]),
        token: u64::from_be_bytes(*token),
    })
}

/// The sockets, one for each family; one more for echoes that come from an IPv6 address that is given, because the
/// kernel's ICMPv6 ping sockets take none with a packet (`ping_v6_sendmsg`).
#[derive(Debug, Default)]
pub(super) struct Echoes {
    v4: OnceCell<Exchange>,
    v6: OnceCell<Exchange>,
    v6_from: OnceCell<Exchange>,
}

impl Echoes {
    pub(super) async fn ask(&self, ends: Ends, draws: [u64; 2]) -> Reply {
        let v6 = ends.to.is_ipv6();
        let (cell, ping) = match (v6, ends.from) {
            (false, _) => (&self.v4, true),
            (true, None) => (&self.v6, true),
            (true, Some(_)) => (&self.v6_from, false),
        };
        let exchange = cell.get_or_try_init(|| async { open(v6, ping, low16(draws[1] >> 16)) }).await?;
        // ICMP has no ports.
        let to = SocketAddr::new(ends.to.ip(), 0);
        exchange.ask(Ends { to, ..ends }, draws).await
    }
}

/// Opens a ping socket where that is wanted and permitted, else a raw socket, whose echoes have this identifier.
fn open(v6: bool, ping: bool, id: u16) -> Result<Exchange, Outcome> {
    let protocol = if v6 { Protocol::ICMPV6 } else { Protocol::ICMPV4 };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => Obstacle::Privilege.into(),
        _ => Outcome::of_call("socket", &error),
    };
    if ping && let Ok(socket) = Packets::open(v6, Type::DGRAM, protocol, &[]) {
        return Ok(Exchange::start(socket, Echoing { v6, id: None }, false));
    }
    let socket = Packets::open(v6, Type::RAW, protocol, &replies(v6)).map_err(failed)?;
    Ok(Exchange::start(socket, Echoing { v6, id: Some(id) }, !v6))
}

/// Lets echo replies through.
fn replies(v6: bool) -> Vec<SockFilter> {
    use super::filter::{ACCEPT, DROP, byte, equal, ip_header};
    let reply = if v6 { REPLY_V6 } else { REPLY_V4 };
    let mut program = ip_header(v6);
    program.extend([byte(v6, 0), equal(reply, 0, 1), ACCEPT, DROP]);
    program
}

#[derive(Debug)]
struct Echoing {
    v6: bool,
    /// The identifier of a raw socket's echoes; a ping socket has its own, and gets no other's replies.
    id: Option<u16>,
}

impl Wire for Echoing {
    fn local(&self, draw: u64) -> u16 {
        low16(draw)
    }

    fn question(&self, _port: u16, local: u16, draw: u64) -> Vec<u8> {
        request(self.v6, Echo { id: self.id.unwrap_or_default(), sequence: local, token: draw }).to_vec()
    }

    fn read(&self, packet: &[u8]) -> Option<Heard> {
        let echo = reply(self.v6, packet).filter(|echo| self.id.is_none_or(|id| id == echo.id))?;
        Some(Heard { port: 0, local: echo.sequence, secret: echo.token, reply: Ok(()), then: None })
    }

    fn quoted(&self, quotation: &[u8]) -> Option<(u16, u16)> {
        let (id, sequence) = quoted(self.v6, quotation)?;
        self.id.is_none_or(|own| own == id).then_some((0, sequence))
    }

    fn secret(&self, draw: u64) -> u64 {
        draw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: Echo = Echo { id: 0x1122, sequence: 0x3344, token: 0x0102_0304_0506_0708 };

    /// scapy 2.8.0: `ICMP(type=8, id=0x1122, seq=0x3344) / data`, and type 0.
    const V4: [[u8; LENGTH]; 2] = [
        *b"\x08\0\xa3\x85\x11\x22\x33\x44\x01\x02\x03\x04\x05\x06\x07\x08",
        *b"\0\0\xab\x85\x11\x22\x33\x44\x01\x02\x03\x04\x05\x06\x07\x08",
    ];

    /// scapy 2.8.0: `ICMPv6EchoRequest(id=0x1122, seq=0x3344, data=data)`, and `ICMPv6EchoReply`, from ::1 to ::1.
    const V6: [[u8; LENGTH]; 2] = [
        *b"\x80\0\x2b\x39\x11\x22\x33\x44\x01\x02\x03\x04\x05\x06\x07\x08",
        *b"\x81\0\x2a\x39\x11\x22\x33\x44\x01\x02\x03\x04\x05\x06\x07\x08",
    ];

    #[test]
    fn the_request_is_scapys() {
        assert_eq!(request(false, ECHO), V4[0]);
        let mut unsummed = V6[0];
        unsummed[2..4].fill(0);
        assert_eq!(request(true, ECHO), unsummed);
    }

    #[test]
    fn a_reply_is_no_request() {
        for (v6, [request, answer]) in [(false, V4), (true, V6)] {
            assert_eq!(reply(v6, &answer), Some(ECHO));
            assert_eq!(reply(!v6, &answer), None);
            assert_eq!(reply(v6, &request), None);
            assert_eq!(quoted(v6, &request[..8]), Some((ECHO.id, ECHO.sequence)));
            assert_eq!(quoted(v6, &answer), None);
            for length in 0..LENGTH {
                assert_eq!(reply(v6, &answer[..length]), None);
            }
        }
    }

    #[test]
    fn any_bytes_are_read() {
        bolero::check!().with_type::<(bool, Vec<u8>)>().for_each(|(v6, message)| {
            if let Some(echo) = reply(*v6, message) {
                assert_eq!(message[8..16], echo.token.to_be_bytes());
            }
            let _ = quoted(*v6, message);
        });
    }
}
