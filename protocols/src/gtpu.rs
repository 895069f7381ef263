//! GTP-U, the user plane of GTP version 1 (TS 29.281), and what shares its header: GTPv1-C
//! (TS 29.060).
//!
//! ```
//! use pinion_protocols::gtpu::{MessageType, Packet};
//!
//! let bytes = [0x30, 0xff, 0, 2, 0, 0, 0x12, 0x34, 0xca, 0xfe];
//! let packet = Packet::parse(&bytes)?;
//! assert_eq!(packet.message_type(), MessageType::GPdu);
//! assert_eq!(packet.teid(), 0x1234);
//! assert_eq!(packet.body()?, [0xca, 0xfe]);
//! # Ok::<(), pinion_protocols::gtpu::Error>(())
//! ```

mod element;
mod error;
mod extension;
mod message;
pub mod old;

pub use element::{Element, ElementType, Elements, ExtensionTypes, RawElement};
pub use error::Error;
pub use extension::{Comprehension, Extension, ExtensionType, Extensions, PduSessionContainer, RawExtension};
pub use message::MessageType;

use crate::bytes;

/// UDP port of GTP-U (TS 29.281 4.4.2).
pub const PORT: u16 = 2152;

/// UDP port of GTPv1-C and GTPv2-C (TS 29.060 10.1, TS 29.274 4.2.1).
pub const CONTROL_PORT: u16 = 2123;

/// Bytes of the header without its optional fields (TS 29.281 5.1).
pub const HEADER_LENGTH: usize = 8;

/// Bytes of sequence number, N-PDU number and next extension header type: there as soon as one of
/// the E, S and PN flags is set (TS 29.281 5.1).
const OPTIONAL_LENGTH: usize = 4;

/// A message whose fixed header is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    flags: Flags,
    message_type: MessageType,
    length: u16,
    teid: u32,
    /// What follows the fixed header: what the length field counts, as far as it is there.
    rest: &'a [u8],
}

/// First octet of the header (TS 29.281 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// The octet itself.
    pub fn octet(self) -> u8 {
        self.0
    }

    /// Version of GTP: 1.
    pub fn version(self) -> u8 {
        self.0 >> 5
    }

    /// PT: GTP, not GTP'.
    pub fn is_gtp(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// E: the next extension header type means something.
    pub fn extension(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// S: the sequence number means something.
    pub fn sequence(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// PN: the N-PDU number means something.
    pub fn n_pdu(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Whether the three optional fields are there at all.
    pub fn optional_fields(self) -> bool {
        self.0 & 0x07 != 0
    }
}

impl<'a> Packet<'a> {
    /// Parses the payload of a UDP datagram. Bytes beyond the length field are left out; where some
    /// of those that it counts are not there, as in a capture with a short snap length, see
    /// [`Packet::missing`].
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`], [`Error::Version`], [`Error::ProtocolType`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        let have = datagram.len();
        let flags = Flags(bytes::u8_at(datagram, 0).ok_or(Error::HeaderCut { have })?);
        if flags.version() != 1 {
            return Err(Error::Version { version: flags.version() });
        }
        if !flags.is_gtp() {
            return Err(Error::ProtocolType);
        }
        let Some([_, kind, l0, l1, t0, t1, t2, t3]) = bytes::array_at(datagram, 0) else {
            return Err(Error::HeaderCut { have });
        };
        let length = u16::from_be_bytes([l0, l1]);
        let rest = bytes::after(datagram, HEADER_LENGTH);
        Ok(Self {
            flags,
            message_type: MessageType::from(kind),
            length,
            teid: u32::from_be_bytes([t0, t1, t2, t3]),
            rest: bytes::at_most(rest, usize::from(length)),
        })
    }

    /// First octet of the header.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// Type of the message.
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// The length field: everything after the first 8 bytes.
    pub fn length(&self) -> u16 {
        self.length
    }

    /// Tunnel endpoint identifier, chosen by the receiver; 0 in messages of a path.
    pub fn teid(&self) -> u32 {
        self.teid
    }

    /// How many of the bytes that the length field counts are not there.
    pub fn missing(&self) -> usize {
        usize::from(self.length).saturating_sub(self.rest.len())
    }

    /// The sequence number, where the S flag says that it means something.
    ///
    /// # Errors
    ///
    /// [`Error::OptionalCut`].
    pub fn sequence(&self) -> Result<Option<u16>, Error> {
        self.optional(self.flags.sequence(), |rest| bytes::u16_at(rest, 0))
    }

    /// The N-PDU number, where the PN flag says that it means something.
    ///
    /// # Errors
    ///
    /// [`Error::OptionalCut`].
    pub fn n_pdu(&self) -> Result<Option<u8>, Error> {
        self.optional(self.flags.n_pdu(), |rest| bytes::u8_at(rest, 2))
    }

    /// Type of the first extension header, where the E flag says that it means something.
    ///
    /// # Errors
    ///
    /// [`Error::OptionalCut`].
    pub fn next_extension(&self) -> Result<Option<ExtensionType>, Error> {
        let next = |rest| bytes::u8_at(rest, 3).map(ExtensionType::from);
        self.optional(self.flags.extension(), next)
    }

    /// The extension headers, in the order of the message; none where the optional fields are cut.
    pub fn extensions(&self) -> Extensions<'a> {
        let next = self.next_extension().ok().flatten().unwrap_or(ExtensionType::None);
        Extensions::new(next, self.rest)
    }

    /// What follows the last extension header: a T-PDU in a [`MessageType::GPdu`], else elements.
    /// Time is linear in the number of extension headers.
    ///
    /// # Errors
    ///
    /// Those of [`Packet::next_extension`] and of [`Extensions`].
    pub fn body(&self) -> Result<&'a [u8], Error> {
        self.next_extension()?;
        if !self.flags.optional_fields() {
            return Ok(self.rest);
        }
        if self.rest.len() < OPTIONAL_LENGTH {
            return Err(Error::OptionalCut { have: self.rest.len() });
        }
        let mut extensions = self.extensions();
        for extension in extensions.by_ref() {
            extension?;
        }
        Ok(extensions.rest())
    }

    /// The body as information elements (TS 29.281 8.1).
    ///
    /// # Errors
    ///
    /// Those of [`Packet::body`].
    pub fn elements(&self) -> Result<Elements<'a>, Error> {
        let body = self.body()?;
        let before = self.rest.len().saturating_sub(body.len());
        Ok(Elements::new(HEADER_LENGTH.saturating_add(before), body))
    }

    fn optional<T>(&self, wanted: bool, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Result<Option<T>, Error> {
        if !wanted {
            return Ok(None);
        }
        read(self.rest).map(Some).ok_or(Error::OptionalCut { have: self.rest.len() })
    }
}

#[cfg(test)]
mod tests;
