//! The ways in which an NGAP message can be wrong.

use core::fmt;

use super::ElementType;

/// Why bytes are not an NGAP message. Offsets count from the first octet of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The message, or the value that is read, ends before what is wanted.
    Cut {
        /// Where the octet would be that is not there.
        offset: usize,
    },
    /// The message is none of the three kinds that there are.
    Choice {
        /// Where it says so.
        offset: usize,
        /// Extension bit and index.
        choice: u8,
    },
    /// A criticality is none of the three that there are.
    Criticality {
        /// Where it is.
        offset: usize,
    },
    /// A length of 16,384 and more: the value is in fragments (X.691 11.9.3.8).
    Fragmented {
        /// Where the length is.
        offset: usize,
    },
    /// A number is larger than its type has.
    Range {
        /// The element that it is in.
        kind: ElementType,
        /// Where it begins.
        offset: usize,
    },
    /// A value uses an alternative or an extension of a newer release.
    Newer {
        /// The element that it is in.
        kind: ElementType,
        /// Where it begins.
        offset: usize,
    },
}

impl Error {
    /// Where in the message it is wrong, in bytes.
    pub fn offset(&self) -> usize {
        match *self {
            Self::Cut { offset }
            | Self::Choice { offset, .. }
            | Self::Criticality { offset }
            | Self::Fragmented { offset }
            | Self::Range { offset, .. }
            | Self::Newer { offset, .. } => offset,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Cut { offset } => write!(f, "NGAP at offset {offset}: the message ends"),
            Self::Choice { offset, choice } => write!(f, "NGAP PDU at offset {offset}: there is no kind {choice}"),
            Self::Criticality { offset } => write!(f, "NGAP criticality at offset {offset}: there is no fourth"),
            Self::Fragmented { offset } => write!(f, "NGAP length at offset {offset}: 16384 octets and more"),
            Self::Range { kind, offset } => write!(f, "NGAP number at offset {offset}: too large for {kind}"),
            Self::Newer { kind, offset } => {
                write!(f, "NGAP value at offset {offset}: a newer alternative in {kind}")
            }
        }
    }
}

impl core::error::Error for Error {}
