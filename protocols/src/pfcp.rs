//! PFCP, the control of user plane functions (TS 29.244): N4, Sxa, Sxb, Sxc.
//!
//! Two faces: views that borrow ([`Message`], [`Elements`], [`Routing`]) read and find what has to be
//! rewritten; [`MessageWriter`] and [`Element::write`] make messages.
//!
//! ```
//! use pinion_protocols::pfcp::{Element, Message, MessageType};
//!
//! let bytes = [0x20, 1, 0, 12, 0, 0, 7, 0, 0, 96, 0, 4, 0xe4, 0x80, 0, 0];
//! let message = Message::parse(&bytes)?;
//! assert_eq!(message.message_type(), MessageType::HeartbeatRequest);
//! assert_eq!(message.sequence(), 7);
//! let first = message.elements().next().ok_or("no element")??;
//! assert_eq!(first.parse()?, Element::RecoveryTimeStamp(0xe480_0000));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod element;
mod element_type;
mod error;
mod message_type;
mod messages;
mod routing;
mod value;
mod write;

pub use element::{Element, Elements, RawElement};
pub use element_type::ElementType;
pub use error::Error;
pub use message_type::MessageType;
pub use messages::Messages;
pub use routing::{LocalTunnel, LocalTunnels, Place, Routing};
pub use value::{
    Cause, FSeid, FTeid, Flags, NodeId, OuterHeaderCreation, OuterHeaderRemoval, RemotePeer, Rule, SNssai,
    SdfFilter, UeAddress, UserPlaneResource,
};
pub use write::{MessageWriter, TooLong};

pub use crate::addresses::Addresses;
use crate::bytes;

/// UDP port of PFCP requests (TS 29.244 6.3).
pub const PORT: u16 = 8805;

/// Bytes of the header of a node message (TS 29.244 7.2.2.2).
pub const NODE_HEADER_LENGTH: usize = 8;

/// Bytes of the header of a session message, which carries a SEID (TS 29.244 7.2.2.3).
pub const SESSION_HEADER_LENGTH: usize = 16;

/// Bytes that the length field does not count (TS 29.244 7.2.2.1).
const UNCOUNTED: usize = 4;

/// A message whose header is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    flags: u8,
    message_type: MessageType,
    length: u16,
    seid: Option<u64>,
    sequence: u32,
    last: u8,
    /// Where in the datagram the message begins.
    start: usize,
    /// The elements, as far as they are there.
    body: &'a [u8],
    missing: usize,
}

impl<'a> Message<'a> {
    /// Parses the first message of a datagram; where others may follow see [`Messages`]. Bytes beyond
    /// the length field are left out; of those that it counts some may not be there, as in a capture
    /// with a short snap length: see [`Message::missing`].
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
        if flags >> 5 != 1 {
            return Err(Error::Version { offset: start, version: flags >> 5 });
        }
        let Some([_, kind, l0, l1]) = bytes::array_at(bytes, 0) else {
            return Err(cut);
        };
        let length = u16::from_be_bytes([l0, l1]);
        let header = if flags & 1 == 0 { NODE_HEADER_LENGTH } else { SESSION_HEADER_LENGTH };
        let end = usize::from(length).saturating_add(UNCOUNTED);
        if end < header {
            return Err(Error::Length { offset: start, length });
        }
        let (seid, sequence) = match flags & 1 {
            0 => (None, bytes::u32_at(bytes, UNCOUNTED)),
            _ => (bytes::u64_at(bytes, UNCOUNTED), bytes::u32_at(bytes, 12)),
        };
        let [s0, s1, s2, last] = sequence.ok_or(cut)?.to_be_bytes();
        Ok(Self {
            flags,
            message_type: MessageType::from(kind),
            length,
            seid,
            sequence: u32::from_be_bytes([0, s0, s1, s2]),
            last,
            start,
            body: bytes::after(bytes::at_most(bytes, end), header),
            missing: end.saturating_sub(have),
        })
    }

    /// First octet of the header: version, FO, MP, S.
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

    /// Session endpoint identifier, chosen by the receiver; none in a node message. 0 where the sender does not
    /// know it (TS 29.244 7.2.2.4.2).
    pub fn seid(&self) -> Option<u64> {
        self.seid
    }

    /// Sequence number, 24 bits: a response has that of its request (TS 29.244 6.4).
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Message priority, 0 (highest) to 15, where the MP flag says that it means something (TS 29.244 7.2.2.3).
    pub fn priority(&self) -> Option<u8> {
        (self.flags & 0x03 == 0x03).then_some(self.last >> 4)
    }

    /// FO: another message follows in the same datagram (TS 29.244 7.2.2.2).
    pub fn follow_on(&self) -> bool {
        self.flags & 0x04 != 0
    }

    /// How many of the bytes that the length field counts are not there.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Where in the datagram the message begins.
    pub fn offset(&self) -> usize {
        self.start
    }

    /// Where in the datagram its elements begin.
    pub fn body_offset(&self) -> usize {
        let header = if self.seid.is_some() { SESSION_HEADER_LENGTH } else { NODE_HEADER_LENGTH };
        self.start.saturating_add(header)
    }

    /// The bytes of the elements.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The elements of the message, groups unopened.
    pub fn elements(&self) -> Elements<'a> {
        Elements::new(self.body_offset(), self.body, 0)
    }

    /// What a message is routed by: those of Node ID, F-SEID and Cause that it has.
    ///
    /// # Errors
    ///
    /// Those of [`Elements`] and of [`RawElement::parse`].
    pub fn routing(&self) -> Result<Routing<'a>, Error> {
        Routing::of(self)
    }

    /// Every F-TEID of the user plane function's own, in the groups that tell of one.
    pub fn local_tunnels(&self) -> LocalTunnels<'a> {
        LocalTunnels::of(self)
    }
}

#[cfg(test)]
mod tests;
