//! A puppet that authenticates what it gives (RFC 4895), and so may ask for changes of addresses (RFC 5061).

use std::net::IpAddr;

use bytes::{BufMut, Bytes, BytesMut};
use hmac::{Hmac, KeyInit, Mac};
use pinion_protocols::sctp::endpoint::{Config, Datagram, Event};
use pinion_protocols::sctp::write::{PacketWriter, address, parameter};
use pinion_protocols::sctp::{ChunkType, Packet, Parameter, ParameterType};
use sha2::Sha256;

use crate::puppet::{PORTS, Puppet, Seen, TAG, TSN, host, packet, parameters, puppet};

/// Identifier of HMAC-SHA-256 (RFC 4895 8), and bytes of its digest.
pub(crate) const SHA256: u16 = 3;
const DIGEST: usize = 32;

pub(crate) struct Signer {
    pub(crate) peer: Puppet,
    key: Vec<u8>,
}

impl Signer {
    /// An association that the signer asked for, which wants chunks of those types authenticated.
    pub(crate) fn new(chunks: [ChunkType; 2]) -> Self {
        let (kinds, hmacs) = (chunks.map(u8::from), [SHA256, 1]);
        let extensions = [ChunkType::Auth, ChunkType::Asconf, ChunkType::AsconfAck].map(u8::from);
        let mut peer = Puppet::new(Config { heartbeat_interval: None, ..Config::default() });
        peer.init(TAG, 1, |out| {
            parameter(out, ParameterType::SupportedExtensions, |out| out.put_slice(&extensions));
            parameter(out, ParameterType::Random, |out| out.put_slice(&[0x11; 32]));
            parameter(out, ParameterType::ChunkList, |out| out.put_slice(&kinds));
            parameter(out, ParameterType::HmacAlgorithms, |out| hmacs.iter().for_each(|&hmac| out.put_u16(hmac)));
        });
        let seen = peer.look();
        (peer.tag, peer.tsn) = (seen[0].u32(0), seen[0].u32(12));
        let cookie = crate::puppet::cookie_of(&seen[0]);
        peer.give(|packet| {
            packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
        });
        peer.look();
        assert!(matches!(peer.take_events()[..], [Event::Established { .. }]));
        // Without the padding after the list of chunks; both vectors are of one length, and this one's
        // random number is either smaller or not.
        let own = vector(&[0x11; 32], &kinds, &hmacs);
        let other = vector_of(&seen[0]);
        assert_eq!(own.len(), other.len());
        let key = if own < other { [own, other] } else { [other, own] }.concat();
        Self { peer, key }
    }

    /// Gives chunks after an AUTH chunk that is right for them.
    pub(crate) fn give(&mut self, chunks: impl FnOnce(&mut PacketWriter<'_>)) {
        self.give_with(puppet(0), SHA256, chunks);
    }

    pub(crate) fn give_with(&mut self, source: IpAddr, hmac: u16, chunks: impl FnOnce(&mut PacketWriter<'_>)) {
        let mut bytes = packet(PORTS.0, PORTS.1, self.peer.tag, |packet| {
            packet.chunk(ChunkType::Auth, 0, |out| {
                out.put_u16(0);
                out.put_u16(hmac);
                out.put_bytes(0, DIGEST);
            });
            chunks(packet);
        })
        .to_vec();
        let digest = self.digest(&bytes[12..]);
        bytes[20..20 + DIGEST].copy_from_slice(&digest);
        let checksum = Packet::parse(&bytes).unwrap().computed_checksum();
        bytes[8..12].copy_from_slice(&checksum.to_be_bytes());
        let datagram = Datagram { source, destination: host(0), bytes: bytes.into() };
        self.peer.endpoint.receive(self.peer.now, &datagram);
    }

    /// Gives an ASCONF with requests, counted from the first serial number; what the endpoint sent then.
    pub(crate) fn ask(&mut self, after: u32, requests: impl FnOnce(&mut BytesMut)) -> Vec<Seen> {
        self.ask_from(puppet(0), after, requests)
    }

    pub(crate) fn ask_from(
        &mut self,
        source: IpAddr,
        after: u32,
        requests: impl FnOnce(&mut BytesMut),
    ) -> Vec<Seen> {
        self.give_with(source, SHA256, |packet| {
            packet.chunk(ChunkType::Asconf, 0, |out| {
                out.put_u32(TSN + after);
                address(out, puppet(0));
                requests(out);
            });
        });
        self.peer.look()
    }

    /// Whether the first chunk of a packet authenticates what follows it.
    pub(crate) fn is_right(&self, bytes: &Bytes) -> bool {
        let mut zeroed = bytes[12..].to_vec();
        let right = zeroed[0] == u8::from(ChunkType::Auth) && zeroed[6..8] == SHA256.to_be_bytes();
        zeroed[8..8 + DIGEST].fill(0);
        right && self.digest(&zeroed) == bytes[20..20 + DIGEST]
    }

    fn digest(&self, bytes: &[u8]) -> Vec<u8> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key).unwrap();
        mac.chain_update(bytes).finalize().into_bytes().to_vec()
    }
}

/// RANDOM, CHUNKS and HMAC-ALGO as they go into the key (RFC 4895 6.1).
fn vector(random: &[u8], chunks: &[u8], hmacs: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, value) in [
        (0x8002_u16, random.to_vec()),
        (0x8003, chunks.to_vec()),
        (0x8004, hmacs.iter().flat_map(|hmac| hmac.to_be_bytes()).collect()),
    ] {
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&(value.len() as u16 + 4).to_be_bytes());
        out.extend_from_slice(&value);
    }
    out
}

fn vector_of(init_ack: &Seen) -> Vec<u8> {
    let (mut random, mut chunks, mut hmacs) = (Vec::new(), Vec::new(), Vec::new());
    parameters(init_ack, |parameter| match parameter {
        Parameter::Random(value) => random.extend_from_slice(value),
        Parameter::ChunkList(value) => chunks.extend_from_slice(value),
        Parameter::HmacAlgorithms(list) => hmacs.extend(list),
        _ => {}
    });
    // RFC 4895 3.1, 3.3: 32 bytes, and SHA-1 among the algorithms.
    assert_eq!((random.len(), hmacs.contains(&1)), (32, true));
    vector(&random, &chunks, &hmacs)
}
