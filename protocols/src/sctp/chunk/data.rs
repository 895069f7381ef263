//! DATA and what moves past it: I-DATA, FORWARD-TSN, I-FORWARD-TSN.

use crate::bytes;
use crate::sctp::Error;
use crate::sctp::tlv::Value;

/// Flags of DATA and I-DATA (RFC 9260 3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFlags(u8);

impl DataFlags {
    /// E: last fragment of a message.
    pub fn end(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// B: first fragment of a message.
    pub fn beginning(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// U: not ordered; the stream sequence number means nothing.
    pub fn unordered(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// I: the sender would like its SACK at once.
    pub fn immediate(self) -> bool {
        self.0 & 0x08 != 0
    }
}

/// A DATA chunk (RFC 9260 3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// U, B, E and I bits.
    pub flags: DataFlags,
    /// Transmission sequence number.
    pub tsn: u32,
    /// Stream identifier.
    pub stream: u16,
    /// Stream sequence number.
    pub sequence: u16,
    /// Payload protocol identifier: 60 is NGAP, 18 S1AP, 46 Diameter.
    pub protocol: u32,
    /// A user message, or a fragment of one.
    pub payload: &'a [u8],
}

impl<'a> Data<'a> {
    pub(super) fn parse(flags: u8, value: Value<'a>) -> Result<Self, Error> {
        Ok(Self {
            flags: DataFlags(flags),
            tsn: value.u32("TSN", 0)?,
            stream: value.u16("Stream Identifier", 4)?,
            sequence: value.u16("Stream Sequence Number", 6)?,
            protocol: value.u32("Payload Protocol Identifier", 8)?,
            payload: value.after(12).bytes,
        })
    }
}

/// An I-DATA chunk (RFC 8260 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IData<'a> {
    /// U, B, E and I bits.
    pub flags: DataFlags,
    /// Transmission sequence number.
    pub tsn: u32,
    /// Stream identifier.
    pub stream: u16,
    /// Reserved; 0.
    pub reserved: u16,
    /// Message identifier.
    pub message: u32,
    /// In a first fragment the payload protocol identifier, else the fragment sequence number.
    pub protocol_or_fragment: u32,
    /// A user message, or a fragment of one.
    pub payload: &'a [u8],
}

impl<'a> IData<'a> {
    pub(super) fn parse(flags: u8, value: Value<'a>) -> Result<Self, Error> {
        Ok(Self {
            flags: DataFlags(flags),
            tsn: value.u32("TSN", 0)?,
            stream: value.u16("Stream Identifier", 4)?,
            reserved: value.u16("Reserved", 6)?,
            message: value.u32("Message Identifier", 8)?,
            protocol_or_fragment: value.u32("Payload Protocol Identifier / Fragment Sequence Number", 12)?,
            payload: value.after(16).bytes,
        })
    }
}

/// A FORWARD-TSN chunk (RFC 3758 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardTsn<'a> {
    /// The cumulative TSN that the receiver moves to.
    pub cumulative_tsn: u32,
    /// For each stream that lost messages, the last that is skipped.
    pub streams: Forwarded<'a>,
}

impl<'a> ForwardTsn<'a> {
    pub(super) fn parse(value: Value<'a>) -> Result<Self, Error> {
        Ok(Self { cumulative_tsn: value.u32("New Cumulative TSN", 0)?, streams: Forwarded(value.after(4).bytes) })
    }
}

/// (stream, stream sequence number) of messages that are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forwarded<'a>(&'a [u8]);

impl Iterator for Forwarded<'_> {
    type Item = (u16, u16);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[s0, s1, n0, n1], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([n0, n1])))
    }
}

/// An I-FORWARD-TSN chunk (RFC 8260 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IForwardTsn<'a> {
    /// The cumulative TSN that the receiver moves to.
    pub cumulative_tsn: u32,
    /// For each stream that lost messages, the last that is skipped.
    pub streams: IForwardedList<'a>,
}

impl<'a> IForwardTsn<'a> {
    pub(super) fn parse(value: Value<'a>) -> Result<Self, Error> {
        Ok(Self {
            cumulative_tsn: value.u32("New Cumulative TSN", 0)?,
            streams: IForwardedList(value.after(4).bytes),
        })
    }
}

/// A message that I-FORWARD-TSN skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IForwarded {
    /// Stream identifier.
    pub stream: u16,
    /// Reserved bits and, lowest, the U bit: the message was not ordered.
    pub flags: u16,
    /// Message identifier.
    pub message: u32,
}

/// Messages that I-FORWARD-TSN skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IForwardedList<'a>(&'a [u8]);

impl Iterator for IForwardedList<'_> {
    type Item = IForwarded;

    fn next(&mut self) -> Option<IForwarded> {
        let skipped = IForwarded {
            stream: bytes::u16_at(self.0, 0)?,
            flags: bytes::u16_at(self.0, 2)?,
            message: bytes::u32_at(self.0, 4)?,
        };
        self.0 = bytes::after(self.0, 8);
        Some(skipped)
    }
}
