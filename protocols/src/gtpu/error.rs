//! The ways in which a GTP message can be wrong.

use core::fmt;

/// Why bytes are not a GTP message. Offsets count from the first octet of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The message ends within its header.
    HeaderCut {
        /// Bytes that are there.
        have: usize,
    },
    /// The version is another than the one that is parsed here.
    Version {
        /// The version, at offset 0.
        version: u8,
    },
    /// The protocol type bit, at offset 0, tells GTP from GTP' and says the other.
    ProtocolType,
    /// A flag says that sequence number, N-PDU number and extension type are there (TS 29.281 5.1),
    /// and the message ends before or within them, at offset 8.
    OptionalCut {
        /// Bytes that are there after the first 8.
        have: usize,
    },
    /// The length of an extension header is 0 (TS 29.281 5.2.1).
    ExtensionLength {
        /// Type of the extension header.
        kind: u8,
        /// Where it begins.
        offset: usize,
    },
    /// An extension header goes past the end of the message.
    ExtensionCut {
        /// Type of the extension header.
        kind: u8,
        /// Where it begins.
        offset: usize,
        /// Its length, in bytes.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The content of an extension header is shorter than its type needs.
    ExtensionContent {
        /// Type of the extension header.
        kind: u8,
        /// Where it begins.
        offset: usize,
    },
    /// An information element goes past the end of the message.
    ElementCut {
        /// Type of the element.
        kind: u8,
        /// Where it begins.
        offset: usize,
        /// Its length with type and length field, in bytes.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The type of an information element is not known and is below 128: it has no length field
    /// (TS 29.281 8.1), so that nothing behind it can be found.
    ElementUnknown {
        /// Type of the element.
        kind: u8,
        /// Where it begins.
        offset: usize,
    },
    /// The length of an information element is not one that its type can have.
    ElementLength {
        /// Type of the element.
        kind: u8,
        /// Where it begins.
        offset: usize,
        /// Its length field.
        length: u16,
    },
}

impl Error {
    /// Where in the message it is wrong, in bytes.
    pub fn offset(&self) -> usize {
        match *self {
            Self::HeaderCut { .. } | Self::Version { .. } | Self::ProtocolType => 0,
            Self::OptionalCut { .. } => super::HEADER_LENGTH,
            Self::ExtensionLength { offset, .. }
            | Self::ExtensionCut { offset, .. }
            | Self::ExtensionContent { offset, .. }
            | Self::ElementCut { offset, .. }
            | Self::ElementUnknown { offset, .. }
            | Self::ElementLength { offset, .. } => offset,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderCut { have } => {
                write!(f, "GTP header at offset 0: only {have} bytes")
            }
            Self::Version { version } => {
                write!(f, "GTP version at offset 0: {version} is another protocol")
            }
            Self::ProtocolType => {
                write!(f, "GTP protocol type at offset 0: GTP and GTP' are told apart by it")
            }
            Self::OptionalCut { have } => {
                write!(f, "GTP sequence and extension fields at offset 8: {have} bytes of 4")
            }
            Self::ExtensionLength { kind, offset } => {
                write!(f, "GTP extension header length at offset {offset}: 0 in type {kind}")
            }
            Self::ExtensionCut { kind, offset, need, have } => {
                write!(f, "GTP extension header at offset {offset}: {have} bytes of {need} in type {kind}")
            }
            Self::ExtensionContent { kind, offset } => {
                write!(f, "GTP extension header at offset {offset}: too short for type {kind}")
            }
            Self::ElementCut { kind, offset, need, have } => {
                write!(f, "GTP element at offset {offset}: {have} bytes of {need} in type {kind}")
            }
            Self::ElementUnknown { kind, offset } => {
                write!(f, "GTP element at offset {offset}: type {kind} is not known")
            }
            Self::ElementLength { kind, offset, length } => {
                write!(f, "GTP element at offset {offset}: length {length} in type {kind}")
            }
        }
    }
}

impl core::error::Error for Error {}
