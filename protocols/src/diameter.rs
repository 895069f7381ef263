//! Diameter (RFC 6733): a view of headers and of the attribute-value pairs that messages are routed by.
//!
//! ```
//! use pinion_protocols::diameter::{Command, Message};
//!
//! let bytes = [
//!     1, 0, 0, 32, 0x80, 0, 1, 24, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, // device watchdog request
//!     0, 0, 1, 8, 0x40, 0, 0, 11, b'h', b's', b's', 0, // Origin-Host
//! ];
//! let message = Message::parse(&bytes)?;
//! assert!(message.is_request());
//! assert_eq!(message.command(), Command::DeviceWatchdog);
//! assert_eq!(message.routing()?.origin_host, Some(&b"hss"[..]));
//! # Ok::<(), pinion_protocols::diameter::Error>(())
//! ```

mod avp;
mod error;
mod kinds;
#[cfg(test)]
mod tests;

pub use avp::{Avp, Avps, Routing};
pub use error::Error;
pub use kinds::{AvpCode, Command};

use crate::bytes;

/// TCP and SCTP port (RFC 6733 2.1).
pub const PORT: u16 = 3868;

/// Payload protocol identifier in SCTP, without DTLS (RFC 6733 2.1.1).
pub const PAYLOAD_PROTOCOL: u32 = 46;

/// Bytes of the header (RFC 6733 3).
pub const HEADER_LENGTH: usize = 20;

/// A message whose header is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    length: u32,
    flags: u8,
    command: Command,
    application: u32,
    hop_by_hop: u32,
    end_to_end: u32,
    body: &'a [u8],
    missing: usize,
}

impl<'a> Message<'a> {
    /// Parses a message. Bytes beyond its length field are left out; of those that it counts some may not be there: see
    /// [`Message::missing`].
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`], [`Error::Version`], [`Error::Length`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let have = bytes.len();
        let length = Self::length_of(bytes)?;
        let (Some([flags, ..]), Some(code)) = (bytes::array_at::<1>(bytes, 4), bytes::u24_at(bytes, 5)) else {
            return Err(Error::HeaderCut { have });
        };
        let word = |at| bytes::u32_at(bytes, at).ok_or(Error::HeaderCut { have });
        let (application, hop_by_hop, end_to_end) = (word(8)?, word(12)?, word(16)?);
        let end = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Self {
            length,
            flags,
            command: Command::from(code),
            application,
            hop_by_hop,
            end_to_end,
            body: bytes::after(bytes::at_most(bytes, end), HEADER_LENGTH),
            missing: end.saturating_sub(have),
        })
    }

    /// The length field alone, from the first four bytes of a message: how many of a stream belong to it.
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`], [`Error::Version`], [`Error::Length`].
    pub fn length_of(bytes: &[u8]) -> Result<u32, Error> {
        let have = bytes.len();
        match bytes::u8_at(bytes, 0) {
            Some(1) => {}
            Some(version) => return Err(Error::Version { version }),
            None => return Err(Error::HeaderCut { have }),
        }
        let length = bytes::u24_at(bytes, 1).ok_or(Error::HeaderCut { have })?;
        let whole = length % 4 == 0 && usize::try_from(length).is_ok_and(|length| length >= HEADER_LENGTH);
        if whole { Ok(length) } else { Err(Error::Length { length }) }
    }

    /// The length field: the whole message, a multiple of 4.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Flags: R 0x80, P 0x40, E 0x20, T 0x10.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// R: a request, not an answer.
    pub fn is_request(&self) -> bool {
        self.flags & 0x80 != 0
    }

    /// The command.
    pub fn command(&self) -> Command {
        self.command
    }

    /// Application identifier, as IANA gives them: 16777251 is S6a.
    pub fn application(&self) -> u32 {
        self.application
    }

    /// Hop-by-Hop Identifier: matches an answer to its request on one connection.
    pub fn hop_by_hop(&self) -> u32 {
        self.hop_by_hop
    }

    /// End-to-End Identifier: with Origin-Host it tells duplicates.
    pub fn end_to_end(&self) -> u32 {
        self.end_to_end
    }

    /// How many of the bytes that the length field counts are not there.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// The attribute-value pairs, groups unopened.
    pub fn avps(&self) -> Avps<'a> {
        Avps::new(self.body, HEADER_LENGTH, 0)
    }

    /// What a message is routed by: the first of each, of those that are not in a group.
    ///
    /// # Errors
    ///
    /// Those of [`Avps`]; [`Error::Value`] of a Result-Code.
    pub fn routing(&self) -> Result<Routing<'a>, Error> {
        Routing::of(self.avps())
    }
}
