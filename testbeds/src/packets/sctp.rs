//! SCTP (RFC 9260): packets, chunks and parameters.

use std::net::IpAddr;

use super::checksum::crc32c;
use super::transport::Sum;

/// An SCTP packet.
#[derive(Clone, Debug)]
pub struct Sctp {
    /// Source and destination.
    pub ports: (u16, u16),
    /// Verification tag.
    pub tag: u32,
    /// Its chunks.
    pub chunks: Vec<Chunk>,
    /// Its checksum.
    pub sum: Sum,
}

/// A chunk.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// The length field, where it is not the right one.
    pub length: Option<u16>,
    /// Its fixed part.
    pub value: Vec<u8>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Whether the padding behind it is left away.
    pub bare: bool,
}

/// A parameter of a chunk.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its type.
    pub kind: u16,
    /// The length field, where it is not the right one.
    pub length: Option<u16>,
    /// Its value.
    pub value: Vec<u8>,
}

impl Sctp {
    /// Its bytes. No pseudo header is covered; the checksum is sent least octet first (RFC 9260 appendix A).
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = Vec::new();
        head.extend(self.ports.0.to_be_bytes());
        head.extend(self.ports.1.to_be_bytes());
        head.extend(self.tag.to_be_bytes());
        let chunks: Vec<u8> = self.chunks.iter().flat_map(Chunk::bytes).collect();
        let right = crc32c(&[&head, &[0; 4], &chunks]);
        let check = match self.sum {
            Sum::Right => right,
            Sum::Zero => 0,
            Sum::Off(by) => right ^ u32::from(by),
        };
        [&head[..], &check.to_le_bytes(), &chunks].concat()
    }
}

impl Chunk {
    /// Its bytes with padding (RFC 9260 3.2). The padding of the last parameter does not count to the length.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = self.value.clone();
        let mut length = 4 + body.len();
        for parameter in &self.parameters {
            length = 4 + body.len() + 4 + parameter.value.len();
            body.extend(parameter.bytes());
        }
        let length = self.length.unwrap_or(length as u16);
        let mut bytes = vec![self.kind, self.flags];
        bytes.extend(length.to_be_bytes());
        bytes.extend(body);
        if !self.bare {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    /// With these flags.
    #[must_use]
    pub fn flags(self, flags: u8) -> Self {
        Self { flags, ..self }
    }

    /// With another length field than the right one.
    #[must_use]
    pub fn length(self, length: u16) -> Self {
        Self { length: Some(length), ..self }
    }
}

impl Parameter {
    /// Its bytes with padding (RFC 9260 3.2.1).
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let length = self.length.unwrap_or(self.value.len() as u16 + 4);
        let mut bytes = Vec::new();
        bytes.extend(self.kind.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(&self.value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// With another length field than the right one.
    #[must_use]
    pub fn length(self, length: u16) -> Self {
        Self { length: Some(length), ..self }
    }
}

/// Any chunk.
#[must_use]
pub fn chunk(kind: u8, value: &[u8]) -> Chunk {
    Chunk { kind, value: value.to_vec(), ..Chunk::default() }
}

/// INIT (RFC 9260 3.3.2).
#[must_use]
pub fn init(tag: u32, parameters: &[Parameter]) -> Chunk {
    opening(1, tag, parameters)
}

/// INIT ACK (RFC 9260 3.3.3).
#[must_use]
pub fn init_ack(tag: u32, parameters: &[Parameter]) -> Chunk {
    opening(2, tag, parameters)
}

fn opening(kind: u8, tag: u32, parameters: &[Parameter]) -> Chunk {
    let mut value = tag.to_be_bytes().to_vec();
    // A window of 100 KiB, 10 streams each way, first TSN.
    value.extend([0, 1, 0x90, 0, 0, 10, 0, 10, 0, 0, 0x30, 0x39]);
    Chunk { parameters: parameters.to_vec(), ..chunk(kind, &value) }
}

/// DATA (RFC 9260 3.3.1) on stream 0 with NGAP's PPID.
#[must_use]
pub fn data(bytes: &[u8]) -> Chunk {
    data_of(60, bytes)
}

/// DATA of another payload protocol.
#[must_use]
pub fn data_of(protocol: u8, bytes: &[u8]) -> Chunk {
    let head = [0, 0, 0x30, 0x39, 0, 0, 0, 0, 0, 0, 0, protocol];
    chunk(0, &[&head, bytes].concat()).flags(3)
}

/// SACK (RFC 9260 3.3.4) without gaps.
#[must_use]
pub fn sack() -> Chunk {
    chunk(3, &[0, 0, 0x30, 0x39, 0, 1, 0x90, 0, 0, 0, 0, 0])
}

/// HEARTBEAT (RFC 9260 3.3.5).
#[must_use]
pub fn heartbeat(information: &[u8]) -> Chunk {
    Chunk { parameters: vec![parameter(1, information)], ..chunk(4, &[]) }
}

/// HEARTBEAT ACK (RFC 9260 3.3.6).
#[must_use]
pub fn heartbeat_ack(information: &[u8]) -> Chunk {
    Chunk { kind: 5, ..heartbeat(information) }
}

/// ABORT (RFC 9260 3.3.7) without causes.
#[must_use]
pub fn abort() -> Chunk {
    chunk(6, &[])
}

/// SHUTDOWN (RFC 9260 3.3.8).
#[must_use]
pub fn shutdown() -> Chunk {
    chunk(7, &[0, 0, 0x30, 0x39])
}

/// SHUTDOWN ACK (RFC 9260 3.3.9).
#[must_use]
pub fn shutdown_ack() -> Chunk {
    chunk(8, &[])
}

/// ERROR (RFC 9260 3.3.10): stale cookie.
#[must_use]
pub fn error() -> Chunk {
    chunk(9, &[0, 3, 0, 8, 0, 0, 0, 1])
}

/// COOKIE ECHO (RFC 9260 3.3.11).
#[must_use]
pub fn cookie_echo(cookie: &[u8]) -> Chunk {
    chunk(10, cookie)
}

/// COOKIE ACK (RFC 9260 3.3.12).
#[must_use]
pub fn cookie_ack() -> Chunk {
    chunk(11, &[])
}

/// SHUTDOWN COMPLETE (RFC 9260 3.3.13).
#[must_use]
pub fn shutdown_complete() -> Chunk {
    chunk(14, &[])
}

/// ASCONF (RFC 5061 4.1.1) with one address to add.
#[must_use]
pub fn asconf(lookup: IpAddr, add: IpAddr) -> Chunk {
    let inner = address(add).bytes();
    let add = parameter(0xc001, &[&[0, 0, 0, 1][..], &inner].concat());
    Chunk { parameters: vec![address(lookup), add], ..chunk(0xc1, &[0, 0, 0, 7]) }
}

/// ASCONF ACK (RFC 5061 4.1.2).
#[must_use]
pub fn asconf_ack() -> Chunk {
    chunk(0x80, &[0, 0, 0, 7])
}

/// Any parameter.
#[must_use]
pub fn parameter(kind: u16, value: &[u8]) -> Parameter {
    Parameter { kind, length: None, value: value.to_vec() }
}

/// An address parameter (RFC 9260 3.3.2.1.1, 3.3.2.1.2).
#[must_use]
pub fn address(address: IpAddr) -> Parameter {
    match address {
        IpAddr::V4(v4) => parameter(5, &v4.octets()),
        IpAddr::V6(v6) => parameter(6, &v6.octets()),
    }
}

/// A State Cookie of this length (RFC 9260 3.3.3.1).
#[must_use]
pub fn cookie(length: usize) -> Parameter {
    parameter(7, &vec![0xc0; length])
}

/// A host name (RFC 9260 3.3.2.1.4).
#[must_use]
pub fn host_name() -> Parameter {
    parameter(11, b"amf.example\0")
}

/// Supported Address Types: IPv4, IPv6 (RFC 9260 3.3.2.1.5).
#[must_use]
pub fn address_types() -> Parameter {
    parameter(12, &[0, 5, 0, 6])
}

/// Supported Extensions (RFC 5061 4.2.7).
#[must_use]
pub fn extensions(kinds: &[u8]) -> Parameter {
    parameter(0x8008, kinds)
}

/// Forward TSN supported (RFC 3758 3.1).
#[must_use]
pub fn forward_tsn() -> Parameter {
    parameter(0xc000, &[])
}

/// Padding (RFC 4820 4).
#[must_use]
pub fn padding(zeros: usize) -> Parameter {
    parameter(0x8005, &vec![0; zeros])
}
