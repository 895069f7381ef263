//! The ways in which an SCTP packet can be wrong.

use core::fmt;

/// A list of type-length-value items inside a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Chunks of a packet (RFC 9260 3.2).
    Chunks,
    /// Parameters of a chunk or a cause (RFC 9260 3.2.1).
    Parameters,
    /// Error causes of an ABORT, ERROR or error indication (RFC 9260 3.3.10).
    Causes,
}

impl List {
    /// What one item of the list is called.
    pub fn item(self) -> &'static str {
        match self {
            Self::Chunks => "chunk",
            Self::Parameters => "parameter",
            Self::Causes => "cause",
        }
    }
}

/// Why bytes are not an SCTP packet. Offsets count from the start of the common header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The packet ends within the 12 bytes of the common header (RFC 9260 3.1).
    HeaderCut {
        /// Bytes that are there.
        have: usize,
    },
    /// An item's 4 bytes of type and length go past the end of its list.
    ItemHeaderCut {
        /// The list it is in.
        list: List,
        /// Where the item begins.
        offset: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// An item's length field counts less than its own 4-byte header.
    ItemLength {
        /// The list it is in.
        list: List,
        /// Type of the item.
        kind: u16,
        /// Where the item begins.
        offset: usize,
        /// The length field.
        length: u16,
    },
    /// An item's length field reaches past the end of its list.
    ItemCut {
        /// The list it is in.
        list: List,
        /// Type of the item.
        kind: u16,
        /// Where the item begins.
        offset: usize,
        /// The length field.
        length: u16,
        /// Bytes that are there.
        have: usize,
    },
    /// A field goes past the end of the chunk, parameter or cause that it belongs to.
    FieldCut {
        /// Name of the field in the RFC that defines it.
        field: &'static str,
        /// Where the field begins.
        offset: usize,
        /// Bytes that the field has.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// A value is longer than its type allows.
    FieldLong {
        /// Name of the field in the RFC that defines it.
        field: &'static str,
        /// Where the bytes begin that are too many.
        offset: usize,
        /// How many they are.
        extra: usize,
    },
}

impl Error {
    /// Where in the packet it is wrong, in bytes.
    pub fn offset(&self) -> usize {
        match *self {
            Self::HeaderCut { .. } => 0,
            Self::ItemHeaderCut { offset, .. }
            | Self::ItemLength { offset, .. }
            | Self::ItemCut { offset, .. }
            | Self::FieldCut { offset, .. }
            | Self::FieldLong { offset, .. } => offset,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderCut { have } => {
                write!(f, "SCTP common header at offset 0: {have} bytes of 12")
            }
            Self::ItemHeaderCut { list, offset, have } => {
                write!(f, "SCTP {} header at offset {offset}: {have} bytes of 4", list.item())
            }
            Self::ItemLength { list, kind, offset, length } => write!(
                f,
                "SCTP {} length at offset {offset}: {length} in a {} of type {kind}, less than 4",
                list.item(),
                list.item()
            ),
            Self::ItemCut { list, kind, offset, length, have } => write!(
                f,
                "SCTP {} at offset {offset}: {have} bytes of {length} in a {} of type {kind}",
                list.item(),
                list.item()
            ),
            Self::FieldCut { field, offset, need, have } => {
                write!(f, "SCTP {field} at offset {offset}: {have} bytes of {need}")
            }
            Self::FieldLong { field, offset, extra } => {
                write!(f, "SCTP {field} at offset {offset}: {extra} bytes too many")
            }
        }
    }
}

impl core::error::Error for Error {}
