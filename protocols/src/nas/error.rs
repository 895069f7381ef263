//! The ways in which a NAS message can be wrong.

use core::fmt;

/// Part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Discriminator, security header type, authentication code and sequence number.
    SecurityHeader,
    /// Type of the message.
    MessageType,
    /// 5GS mobile identity (TS 24.501 9.11.3.4).
    MobileIdentity,
}

/// Why bytes are not a message of mobility management. Offsets count from the first octet of the NAS PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It ends within a field.
    Cut {
        /// The field.
        field: Field,
        /// Where it ends.
        offset: usize,
    },
    /// It is of another protocol.
    Discriminator {
        /// The discriminator.
        discriminator: u8,
        /// Where it is.
        offset: usize,
    },
    /// A mobile identity is shorter than its type needs.
    Length {
        /// Where it begins.
        offset: usize,
        /// How many octets it has.
        length: usize,
    },
}

impl Error {
    /// Where in the message it is wrong, in bytes.
    pub fn offset(&self) -> usize {
        match *self {
            Self::Cut { offset, .. } | Self::Discriminator { offset, .. } | Self::Length { offset, .. } => offset,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Cut { field, offset } => {
                let field = match field {
                    Field::SecurityHeader => "security header",
                    Field::MessageType => "message type",
                    Field::MobileIdentity => "mobile identity",
                };
                write!(f, "NAS {field} at offset {offset}: the message ends there")
            }
            Self::Discriminator { discriminator, offset } => {
                write!(f, "NAS discriminator at offset {offset}: {discriminator:#04x} is not mobility management")
            }
            Self::Length { offset, length } => {
                write!(f, "NAS mobile identity at offset {offset}: {length} octets are too few for its type")
            }
        }
    }
}

impl core::error::Error for Error {}
