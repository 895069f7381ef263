//! IP packets as values.

use std::net::IpAddr;

use bytes::Bytes;

/// A whole IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Address that it comes from.
    pub source: IpAddr,
    /// Address that it goes to; of the source's family.
    pub destination: IpAddr,
    /// Number of the payload's protocol (IANA).
    pub protocol: u8,
    /// What is behind the IP header and its extensions.
    pub payload: Bytes,
    /// Whether it may leave in fragments. Otherwise routers may not fragment it either.
    pub fragment: bool,
}

impl Packet {
    /// A packet that is sent whole or not at all.
    pub fn new(source: IpAddr, destination: IpAddr, protocol: u8, payload: Bytes) -> Self {
        Self { source, destination, protocol, payload, fragment: false }
    }
}
