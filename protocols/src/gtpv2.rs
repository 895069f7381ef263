//! GTPv2-C, the control of GTP tunnels in the evolved packet core (TS 29.274): S11, S5/S8, S10 and others.
//!
//! ```
//! use pinion_protocols::gtpv2::{Element, Message, MessageType};
//!
//! let bytes = [0x40, 1, 0, 9, 0, 0, 7, 0, 3, 0, 1, 0, 12];
//! let message = Message::parse(&bytes)?;
//! assert_eq!(message.message_type(), MessageType::EchoRequest);
//! let first = message.elements().next().ok_or("no element")??;
//! assert_eq!(first.parse()?, Element::Recovery(12));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod element;
mod error;
mod kinds;
#[cfg(test)]
mod tests;

pub use element::{Element, Elements, FTeid, Imsi, PdnAddress, RawElement};
pub use error::Error;
pub use kinds::{ElementType, MessageType};

pub use crate::addresses::Addresses;
use crate::bytes;

/// Bytes of the header without a TEID (TS 29.274 5.1).
const SHORT: usize = 8;

/// Bytes of the header with a TEID (TS 29.274 5.1).
const LONG: usize = 12;

/// Bytes that the length field does not count (TS 29.274 5.5.1).
const UNCOUNTED: usize = 4;

/// A message whose header is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    flags: u8,
    message_type: MessageType,
    length: u16,
    teid: Option<u32>,
    sequence: u32,
    last: u8,
    start: usize,
    body: &'a [u8],
    missing: usize,
}

impl<'a> Message<'a> {
    /// Parses the first message of a datagram; where another is piggybacked see [`Messages`]. Bytes beyond the length field
    /// are left out; of those that it counts some may not be there: see [`Message::missing`].
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`], [`Error::Version`], [`Error::Length`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        Self::parse_at(datagram, 0)
    }

    fn parse_at(bytes: &'a [u8], start: usize) -> Result<Self, Error> {
        let have = bytes.len();
        let cut = Error::HeaderCut { offset: start, have };
        let flags = bytes::u8_at(bytes, 0).ok_or(cut)?;
        if flags >> 5 != 2 {
            return Err(Error::Version { offset: start, version: flags >> 5 });
        }
        let Some([_, kind, l0, l1]) = bytes::array_at(bytes, 0) else {
            return Err(cut);
        };
        let length = u16::from_be_bytes([l0, l1]);
        let long = flags & 8 != 0;
        let header = if long { LONG } else { SHORT };
        let end = usize::from(length).saturating_add(UNCOUNTED);
        if end < header {
            return Err(Error::Length { offset: start, length });
        }
        let teid = if long { Some(bytes::u32_at(bytes, UNCOUNTED).ok_or(cut)?) } else { None };
        let [s0, s1, s2, last] = bytes::array_at(bytes, header.saturating_sub(4)).ok_or(cut)?;
        Ok(Self {
            flags,
            message_type: MessageType::from(kind),
            length,
            teid,
            sequence: u32::from_be_bytes([0, s0, s1, s2]),
            last,
            start,
            body: bytes::after(bytes::at_most(bytes, end), header),
            missing: end.saturating_sub(have),
        })
    }

    /// First octet of the header: version, P, T, MP.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Type of the message.
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// The length field: everything after the first 4 bytes.
    pub fn length(&self) -> u16 {
        self.length
    }

    /// Tunnel endpoint identifier for the control plane, chosen by the receiver; none in messages of a path, 0 where the
    /// sender does not know it (TS 29.274 5.5.2).
    pub fn teid(&self) -> Option<u32> {
        self.teid
    }

    /// Sequence number, 24 bits.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Message priority, 0 (highest) to 15, where the MP flag says that it means something (TS 29.274 5.4).
    pub fn priority(&self) -> Option<u8> {
        (self.flags & 4 != 0).then_some(self.last >> 4)
    }

    /// P: another message follows in the same datagram (TS 29.274 5.5.1).
    pub fn piggybacked(&self) -> bool {
        self.flags & 16 != 0
    }

    /// How many of the bytes that the length field counts are not there.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Where in the datagram the message begins.
    pub fn offset(&self) -> usize {
        self.start
    }

    /// The elements of the message, groups unopened.
    pub fn elements(&self) -> Elements<'a> {
        let header = if self.teid.is_some() { LONG } else { SHORT };
        Elements::new(self.start.saturating_add(header), self.body, 0)
    }
}

/// The messages of a datagram: one, and the one that is piggybacked on it. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: Option<&'a [u8]>,
    offset: usize,
}

impl<'a> Messages<'a> {
    /// The messages of the payload of a UDP datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: Some(datagram), offset: 0 }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let message = Message::parse_at(rest, self.offset);
        if let Ok(message) = &message
            && message.piggybacked()
            && message.missing() == 0
        {
            let length = usize::from(message.length()).saturating_add(UNCOUNTED);
            self.rest = Some(bytes::after(rest, length));
            self.offset = self.offset.saturating_add(length);
        }
        Some(message)
    }
}
