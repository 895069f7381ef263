//! What one side says of itself in INIT or INIT ACK (RFC 9260 3.3.2, 3.3.3).

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};

use super::association::MOST_PATHS;
use super::auth;
use super::config::Config;
use crate::sctp::write::{address, parameter};
use crate::sctp::{CauseCode, ChunkType, Init, Numbers16, Parameter, ParameterType, RawParameter};

/// The smallest window that a peer may offer, bytes (RFC 9260 3.3.2).
const SMALLEST_WINDOW: u32 = 1500;
/// Bytes of unrecognized parameters that are reported at most.
const MOST_UNRECOGNIZED: usize = 512;

/// What the peer said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    pub(super) tag: u32,
    pub(super) window: u32,
    pub(super) outbound: u16,
    pub(super) inbound: u16,
    pub(super) tsn: u32,
    /// Where it can be reached; the address that the packet came from is the first.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) partial_reliability: bool,
    pub(super) asconf: bool,
    pub(super) auth: Option<AuthOffer>,
}

/// The peer's part of authentication (RFC 4895 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuthOffer {
    /// RANDOM, CHUNKS and HMAC-ALGO, headers included, without padding between them.
    pub(super) vector: Vec<u8>,
    /// The first of its algorithms that is known here.
    pub(super) hmac: u16,
    /// Chunk types that it wants authenticated.
    pub(super) chunks: Vec<u8>,
}

/// An offer as it was read, with what goes beside it.
pub(super) struct Read<'a> {
    pub(super) offer: Offer,
    pub(super) cookie: Option<&'a [u8]>,
    /// Parameters to be reported, with padding between them.
    pub(super) unrecognized: Vec<u8>,
}

/// Why an INIT or INIT ACK cannot be answered with an association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not even answered.
    Discard,
    /// Answered with ABORT and this cause; the value of the cause.
    Abort(CauseCode, Vec<u8>),
}

impl<'a> Read<'a> {
    /// Reads what came from `source`.
    pub(super) fn new(init: &Init<'a>, source: IpAddr, config: &Config) -> Result<Self, Refusal> {
        if init.initiate_tag == 0 {
            return Err(Refusal::Discard);
        }
        // RFC 9260 3.3.2: without streams either way there is no association.
        if init.outbound_streams == 0 || init.inbound_streams == 0 || init.a_rwnd < SMALLEST_WINDOW {
            return Err(Refusal::Abort(CauseCode::InvalidMandatoryParameter, Vec::new()));
        }
        let mut read = Self {
            offer: Offer {
                tag: init.initiate_tag,
                window: init.a_rwnd,
                outbound: init.outbound_streams,
                inbound: init.inbound_streams,
                tsn: init.initial_tsn,
                addresses: alloc::vec![source],
                partial_reliability: false,
                asconf: false,
                auth: None,
            },
            cookie: None,
            unrecognized: Vec::new(),
        };
        let mut parts = AuthParts::default();
        for raw in init.parameters.clone() {
            let raw = raw.map_err(|_| protocol_violation("parameters"))?;
            if !read.parameter(&raw, config, &mut parts)? {
                break;
            }
        }
        read.offer.auth = parts.offer().filter(|_| config.dynamic_addresses);
        // RFC 5061 4.2.7: ASCONF without AUTH is no offer.
        read.offer.asconf &= read.offer.auth.is_some();
        Ok(read)
    }

    /// Whether the parameters after it are looked at too.
    fn parameter(
        &mut self,
        raw: &RawParameter<'a>,
        config: &Config,
        auth: &mut AuthParts<'a>,
    ) -> Result<bool, Refusal> {
        let parsed = raw.parse().map_err(|_| protocol_violation("parameter"))?;
        match parsed {
            Parameter::Ipv4(address) => self.address(address.into(), config),
            Parameter::Ipv6(address) => self.address(address.into(), config),
            Parameter::StateCookie(cookie) => self.cookie = Some(cookie),
            Parameter::HostName(_) => {
                return Err(Refusal::Abort(CauseCode::UnresolvableAddress, raw_bytes(raw)));
            }
            Parameter::ForwardTsnSupported => self.offer.partial_reliability = config.partial_reliability,
            Parameter::SupportedExtensions(kinds) => {
                let asconf = kinds.contains(&ChunkType::Asconf.into());
                self.offer.asconf |= asconf && kinds.contains(&ChunkType::AsconfAck.into());
                let partial = kinds.contains(&ChunkType::ForwardTsn.into());
                self.offer.partial_reliability |= partial && config.partial_reliability;
            }
            Parameter::Random(_) => auth.random = Some(raw_bytes(raw)),
            Parameter::ChunkList(chunks) => auth.chunks = Some((raw_bytes(raw), chunks)),
            Parameter::HmacAlgorithms(algorithms) => auth.algorithms = Some((raw_bytes(raw), algorithms)),
            Parameter::CookiePreservative(_)
            | Parameter::SupportedAddressTypes(_)
            | Parameter::Unrecognized(_)
            | Parameter::Padding(_)
            | Parameter::Ecn
            | Parameter::AdaptationLayer(_)
            | Parameter::ZeroChecksumAcceptable(_) => {}
            _ => {
                let action = raw.kind().unrecognized();
                let bytes = raw_bytes(raw);
                let start = self.unrecognized.len().next_multiple_of(4);
                if action.reports() && start.saturating_add(bytes.len()) <= MOST_UNRECOGNIZED {
                    self.unrecognized.resize(start, 0);
                    self.unrecognized.extend_from_slice(&bytes);
                }
                return Ok(action.goes_on());
            }
        }
        Ok(true)
    }

    fn address(&mut self, address: IpAddr, config: &Config) {
        let addresses = &mut self.offer.addresses;
        let most = usize::from(config.max_addresses).min(MOST_PATHS);
        if is_unicast(address) && !addresses.contains(&address) && addresses.len() < most {
            addresses.push(address);
        }
    }
}

#[derive(Default)]
struct AuthParts<'a> {
    random: Option<Vec<u8>>,
    chunks: Option<(Vec<u8>, &'a [u8])>,
    algorithms: Option<(Vec<u8>, Numbers16<'a>)>,
}

impl AuthParts<'_> {
    fn offer(self) -> Option<AuthOffer> {
        let (random, (algorithms, mut list)) = (self.random?, self.algorithms?);
        let (chunks, kinds) = self.chunks.unwrap_or_default();
        let hmac = list.find(|&hmac| hmac == auth::SHA256 || hmac == auth::SHA1)?;
        // RFC 4895 3.2: these four are never authenticated.
        let never = [ChunkType::Init, ChunkType::InitAck, ChunkType::ShutdownComplete, ChunkType::Auth];
        let chunks_wanted =
            kinds.iter().copied().filter(|&kind| !never.contains(&ChunkType::from(kind))).collect();
        Some(AuthOffer { vector: [random, chunks, algorithms].concat(), hmac, chunks: chunks_wanted })
    }
}

/// What this side says.
pub(super) struct Own<'a> {
    pub(super) tag: u32,
    pub(super) outbound: u16,
    pub(super) inbound: u16,
    pub(super) tsn: u32,
    pub(super) addresses: &'a [IpAddr],
    pub(super) random: [u8; 32],
}

impl Own<'_> {
    /// The value of an INIT or INIT ACK.
    pub(super) fn write(&self, config: &Config, out: &mut BytesMut) {
        out.put_u32(self.tag);
        out.put_u32(config.receive_buffer.max(SMALLEST_WINDOW));
        out.put_u16(self.outbound);
        out.put_u16(self.inbound);
        out.put_u32(self.tsn);
        // RFC 9260 3.3.2: the only address is the one that the packet comes from.
        if self.addresses.len() > 1 {
            for &own in self.addresses {
                address(out, own);
            }
        }
        parameter(out, ParameterType::SupportedAddressTypes, |out| {
            if self.addresses.iter().any(IpAddr::is_ipv4) {
                out.put_u16(ParameterType::Ipv4.into());
            }
            if self.addresses.iter().any(IpAddr::is_ipv6) {
                out.put_u16(ParameterType::Ipv6.into());
            }
        });
        if config.partial_reliability {
            parameter(out, ParameterType::ForwardTsnSupported, |_| {});
        }
        let mut extensions = Vec::new();
        if config.partial_reliability {
            extensions.push(ChunkType::ForwardTsn.into());
        }
        if config.dynamic_addresses {
            let kinds = [ChunkType::Auth, ChunkType::Asconf, ChunkType::AsconfAck];
            extensions.extend(kinds.map(u8::from));
        }
        parameter(out, ParameterType::SupportedExtensions, |out| out.put_slice(&extensions));
        if config.dynamic_addresses {
            for (kind, value) in self.auth() {
                parameter(out, kind, |out| out.put_slice(&value));
            }
        }
    }

    /// This side's part of the key (RFC 4895 6.1): its parameters without padding between them.
    pub(super) fn vector(&self) -> Vec<u8> {
        let mut out = BytesMut::new();
        let alone = |(kind, value): (_, Vec<u8>)| {
            parameter(&mut out, kind, |out| out.put_slice(&value));
            out.split()
        };
        self.auth().into_iter().flat_map(alone).collect()
    }

    fn auth(&self) -> [(ParameterType, Vec<u8>); 3] {
        let chunks = [ChunkType::Asconf, ChunkType::AsconfAck].map(u8::from);
        let algorithms = [auth::SHA256, auth::SHA1].map(u16::to_be_bytes);
        [
            (ParameterType::Random, self.random.to_vec()),
            (ParameterType::ChunkList, chunks.to_vec()),
            (ParameterType::HmacAlgorithms, algorithms.concat()),
        ]
    }
}

/// Whether an endpoint can be at this address (RFC 9260 8.4 1).
pub(super) fn is_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address != Ipv4Addr::UNSPECIFIED && address != Ipv4Addr::BROADCAST && !address.is_multicast()
        }
        IpAddr::V6(address) => address != Ipv6Addr::UNSPECIFIED && !address.is_multicast(),
    }
}

fn protocol_violation(what: &str) -> Refusal {
    Refusal::Abort(CauseCode::ProtocolViolation, what.as_bytes().to_vec())
}

/// A parameter as it came, without its padding.
pub(super) fn raw_bytes(raw: &RawParameter<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.value().len().saturating_add(4));
    bytes.extend_from_slice(&u16::from(raw.kind()).to_be_bytes());
    bytes.extend_from_slice(&raw.length().to_be_bytes());
    bytes.extend_from_slice(raw.value());
    bytes
}
