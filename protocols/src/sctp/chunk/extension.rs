//! Chunks of extensions: AUTH, ASCONF, packet drop reports.

use crate::sctp::tlv::Value;
use crate::sctp::{Error, Parameters};

/// An AUTH chunk (RFC 4895 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth<'a> {
    /// Which endpoint pair shared key.
    pub shared_key: u16,
    /// HMAC identifier: 1 is SHA-1, 3 SHA-256.
    pub hmac_id: u16,
    /// The HMAC over this chunk, its HMAC zeroed, and the chunks after it.
    pub hmac: &'a [u8],
}

impl<'a> Auth<'a> {
    pub(super) fn parse(value: Value<'a>) -> Result<Self, Error> {
        Ok(Self {
            shared_key: value.u16("Shared Key Identifier", 0)?,
            hmac_id: value.u16("HMAC Identifier", 2)?,
            hmac: value.after(4).bytes,
        })
    }
}

/// An ASCONF or ASCONF ACK chunk (RFC 5061 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serial<'a> {
    /// The request's serial number.
    pub number: u32,
    /// What is asked for; in an ASCONF the first is the sender's address.
    pub parameters: Parameters<'a>,
}

impl<'a> Serial<'a> {
    pub(super) fn parse(value: Value<'a>) -> Result<Self, Error> {
        Ok(Self { number: value.u32("Sequence Number", 0)?, parameters: Parameters::new(value.after(4)) })
    }
}

/// A packet drop report (draft-stewart-sctp-pktdrprep).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketDrop<'a> {
    /// M: a middlebox reports.
    pub middlebox: bool,
    /// B: the dropped packet's checksum was wrong.
    pub bad_checksum: bool,
    /// T: the report holds only a part of the packet.
    pub truncated: bool,
    /// Bandwidth, bytes a second.
    pub bandwidth: u32,
    /// Queue size, bytes.
    pub queue: u32,
    /// Length of the packet before it was truncated.
    pub full_length: u16,
    /// Reserved; 0.
    pub reserved: u16,
    /// The dropped packet, from its common header on.
    pub packet: &'a [u8],
}

impl<'a> PacketDrop<'a> {
    pub(super) fn parse(flags: u8, value: Value<'a>) -> Result<Self, Error> {
        Ok(Self {
            middlebox: flags & 0x01 != 0,
            bad_checksum: flags & 0x02 != 0,
            truncated: flags & 0x04 != 0,
            bandwidth: value.u32("Link Bandwidth", 0)?,
            queue: value.u32("Size of Queue", 4)?,
            full_length: value.u16("Truncated Length", 8)?,
            reserved: value.u16("Reserved", 10)?,
            packet: value.after(12).bytes,
        })
    }
}
