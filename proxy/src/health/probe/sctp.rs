//! SCTP INIT over raw sockets (RFC 9260 5.1): a peer that answers INIT ACK would take an association. It keeps no
//! state for that (RFC 9260 5.1.3), and is sent an ABORT for what is on the way and does.

use std::io;

use pinion_protocols::ip::protocol;
use pinion_protocols::sctp::{Chunk, ChunkType, Packet};
use socket2::{Protocol, SockFilter, Type};
use tokio::sync::OnceCell;

use super::exchange::{Exchange, Heard, Wire};
use super::socket::Packets;
use super::{Ends, Reply, low16, low32};
use crate::health::outcome::{Failure, Obstacle, Outcome};

/// Probes come from this port or one above it: dynamic ports (RFC 6335 6).
const LOWEST_PORT: u16 = 49_152;

/// What of an INIT is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Init {
    /// Source port.
    pub from: u16,
    /// Destination port.
    pub to: u16,
    /// Initiate tag, not 0.
    pub tag: u32,
    /// Initial TSN.
    pub tsn: u32,
}

/// A packet that answers an INIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Source port: the one that was asked.
    pub from: u16,
    /// Destination port: the one that asked.
    pub to: u16,
    /// The verification tag: the INIT's initiate tag.
    pub tag: u32,
    /// What it says.
    pub says: Says,
}

/// What an answer to an INIT says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// INIT ACK, with the peer's initiate tag.
    InitAck(u32),
    /// ABORT, with the code of its first error cause, if any.
    Abort(Option<u16>),
}

/// An INIT, its checksum right: receiver window of 64 KiB, 10 streams each way, no parameters.
pub fn init(init: Init) -> Vec<u8> {
    let mut chunk = vec![u8::from(ChunkType::Init), 0, 0, 20];
    chunk.extend(init.tag.to_be_bytes());
    chunk.extend(65_536_u32.to_be_bytes());
    chunk.extend([0, 10, 0, 10]);
    chunk.extend(init.tsn.to_be_bytes());
    packet(init.from, init.to, 0, &chunk)
}

/// An ABORT without cause, its checksum right.
pub fn abort(from: u16, to: u16, tag: u32) -> Vec<u8> {
    packet(from, to, tag, &[u8::from(ChunkType::Abort), 0, 0, 4])
}

/// Reads a packet, from the common header on; `None` where it answers no INIT.
///
/// The checksum is not looked at: what comes over a virtual link from the kernel of the same machine has none yet.
/// The verification tag is what shows that it answers.
pub fn read(bytes: &[u8]) -> Option<Answer> {
    let packet = Packet::parse(bytes).ok()?;
    let says = match packet.chunks().next()?.ok()?.parse().ok()? {
        Chunk::InitAck(init) if init.initiate_tag != 0 => Says::InitAck(init.initiate_tag),
        Chunk::Abort { reflected: false, mut causes } => {
            Says::Abort(causes.next().and_then(Result::ok).map(|cause| u16::from(cause.code())))
        }
        _ => return None,
    };
    let (from, to) = (packet.source_port(), packet.destination_port());
    Some(Answer { from, to, tag: packet.verification_tag(), says })
}

/// Destination and source port of the packet that an ICMP error quotes.
pub fn quoted(bytes: &[u8]) -> Option<(u16, u16)> {
    let &[s, t, d, e] = bytes.first_chunk()?;
    Some((u16::from_be_bytes([d, e]), u16::from_be_bytes([s, t])))
}

fn packet(from: u16, to: u16, tag: u32, chunk: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(12 + chunk.len());
    bytes.extend(from.to_be_bytes());
    bytes.extend(to.to_be_bytes());
    bytes.extend(tag.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(chunk);
    let checksum = Packet::parse(&bytes).map(|packet| packet.computed_checksum()).unwrap_or_default();
    if let Some(field) = bytes.get_mut(8..12) {
        field.copy_from_slice(&checksum.to_be_bytes());
    }
    bytes
}

/// The sockets, one for each family.
#[derive(Debug, Default)]
pub(super) struct Inits {
    v4: OnceCell<Exchange>,
    v6: OnceCell<Exchange>,
}

impl Inits {
    pub(super) async fn ask(&self, ends: Ends, draws: [u64; 2]) -> Reply {
        let v6 = ends.to.is_ipv6();
        let cell = if v6 { &self.v6 } else { &self.v4 };
        cell.get_or_try_init(|| async { open(v6) }).await?.ask(ends, draws).await
    }
}

fn open(v6: bool) -> Result<Exchange, Outcome> {
    let protocol = Protocol::from(i32::from(protocol::SCTP));
    let socket = Packets::open(v6, Type::RAW, protocol, &answers(v6)).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => Obstacle::Privilege.into(),
        _ => Outcome::of_call("socket", &error),
    })?;
    Ok(Exchange::start(socket, Initiating, !v6))
}

/// Lets INIT ACK and ABORT to the probes' ports through.
fn answers(v6: bool) -> Vec<SockFilter> {
    use super::filter::{ACCEPT, DROP, at_least, byte, equal, half, ip_header};
    let (init_ack, abort) = (u8::from(ChunkType::InitAck), u8::from(ChunkType::Abort));
    let mut program = ip_header(v6);
    program.extend([half(v6, 2), at_least(LOWEST_PORT, 0, 4)]);
    program.extend([byte(v6, 12), equal(init_ack, 1, 0), equal(abort, 0, 1), ACCEPT, DROP]);
    program
}

#[derive(Debug)]
struct Initiating;

impl Wire for Initiating {
    fn local(&self, draw: u64) -> u16 {
        low16(draw) | LOWEST_PORT
    }

    fn question(&self, port: u16, local: u16, draw: u64) -> Vec<u8> {
        init(Init { from: local, to: port, tag: tag(draw), tsn: low32(draw >> 32) })
    }

    fn read(&self, packet: &[u8]) -> Option<Heard> {
        let Answer { from, to, tag, says } = read(packet)?;
        let (reply, then) = match says {
            Says::InitAck(peer) => (Ok(()), Some(abort(to, from, peer))),
            Says::Abort(cause) => (Err(Failure::Abort(cause)), None),
        };
        Some(Heard { port: from, local: to, secret: u64::from(tag), reply, then })
    }

    fn quoted(&self, quotation: &[u8]) -> Option<(u16, u16)> {
        quoted(quotation)
    }

    fn secret(&self, draw: u64) -> u64 {
        u64::from(tag(draw))
    }
}

fn tag(draw: u64) -> u32 {
    low32(draw).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scapy 2.8.0: `SCTP(sport=50000, dport=38412, tag=0) / SCTPChunkInit(init_tag=0xcafebabe, a_rwnd=65536,
    /// n_out_streams=10, n_in_streams=10, init_tsn=0x01020304)`.
    const INIT: &[u8] =
        b"\xc3\x50\x96\x0c\0\0\0\0\xc4\x2c\x83\x8e\x01\0\0\x14\xca\xfe\xba\xbe\0\x01\0\0\0\x0a\0\x0a\
        \x01\x02\x03\x04";

    /// scapy 2.8.0: `SCTP(sport=50000, dport=38412, tag=0x11223344) / SCTPChunkAbort()`.
    const ABORT: &[u8] = b"\xc3\x50\x96\x0c\x11\x22\x33\x44\xaf\x71\xad\x41\x06\0\0\x04";

    /// scapy 2.8.0: `SCTP(sport=38412, dport=50000, tag=0xcafebabe) / SCTPChunkInitAck(init_tag=0x11223344,
    /// a_rwnd=106496, n_out_streams=10, n_in_streams=5, init_tsn=7,
    /// params=[SCTPChunkParamStateCookie(cookie=b"cookie!!")])`.
    const INIT_ACK: &[u8] =
        b"\x96\x0c\xc3\x50\xca\xfe\xba\xbe\x47\xa5\x01\x32\x02\0\0\x20\x11\x22\x33\x44\0\x01\xa0\0\
        \0\x0a\0\x05\0\0\0\x07\0\x07\0\x0ccookie!!";

    /// scapy 2.8.0: the same ports and tag with `SCTPChunkAbort(error_causes=bytes.fromhex("0003000800000000"))`.
    const REFUSAL: &[u8] = b"\x96\x0c\xc3\x50\xca\xfe\xba\xbe\x81\x86\xde\x41\x06\0\0\x0c\0\x03\0\x08\0\0\0\0";

    /// scapy 2.8.0: the same with `SCTPChunkAbort(TCB=1)`: the T bit.
    const REFLECTED: &[u8] = b"\x96\x0c\xc3\x50\xca\xfe\xba\xbe\x0f\xf6\xe5\x85\x06\x01\0\x04";

    #[test]
    fn what_is_sent_is_scapys() {
        assert_eq!(init(Init { from: 50_000, to: 38_412, tag: 0xcafe_babe, tsn: 0x0102_0304 }), INIT);
        assert_eq!(abort(50_000, 38_412, 0x1122_3344), ABORT);
    }

    #[test]
    fn answers_are_told_from_the_rest() {
        let answer = |says| Some(Answer { from: 38_412, to: 50_000, tag: 0xcafe_babe, says });
        assert_eq!(read(INIT_ACK), answer(Says::InitAck(0x1122_3344)));
        assert_eq!(read(REFUSAL), answer(Says::Abort(Some(3))));
        assert_eq!(read(&REFUSAL[..12]), None);
        assert_eq!(read(REFLECTED), None);
        assert_eq!(read(INIT), None);
        assert_eq!(quoted(&INIT[..8]), Some((38_412, 50_000)));
    }

    #[test]
    fn an_init_ack_without_tag_is_none() {
        let mut bytes = INIT_ACK.to_vec();
        bytes[16..20].fill(0);
        assert_eq!(read(&bytes), None);
    }

    #[test]
    fn any_bytes_are_read() {
        bolero::check!().for_each(|bytes| {
            if let Some(answer) = read(bytes) {
                assert_eq!(bytes[2..4], answer.to.to_be_bytes());
                assert_eq!(bytes[4..8], answer.tag.to_be_bytes());
            }
            let _ = quoted(bytes);
        });
    }
}
