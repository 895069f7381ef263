//! The ways in which a PFCP message can be wrong.

use core::fmt;

use super::ElementType;

/// Why bytes are not a PFCP message. Offsets count from the first octet of the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The datagram ends within a message's header.
    HeaderCut {
        /// Where the message begins.
        offset: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The version is not 1: to be answered with Version Not Supported Response (TS 29.244 6.2.5).
    Version {
        /// Where the message begins.
        offset: usize,
        /// The version.
        version: u8,
    },
    /// The length field is less than the rest of the header needs.
    Length {
        /// Where the message begins.
        offset: usize,
        /// The length field.
        length: u16,
    },
    /// An element goes past the end of the message, or of the group that it is in.
    ElementCut {
        /// Type of the element; none where the end is within it.
        kind: Option<ElementType>,
        /// Where it begins.
        offset: usize,
        /// Its length with type and length field, in bytes.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The type says that an enterprise number is there (TS 29.244 8.1.1), and the element is too short for it.
    EnterpriseCut {
        /// Type of the element.
        kind: ElementType,
        /// Where it begins.
        offset: usize,
    },
    /// The value of an element is shorter than its type and its flags need.
    Value {
        /// Type of the element.
        kind: ElementType,
        /// Where it begins.
        offset: usize,
        /// Its length field.
        length: u16,
    },
    /// Groups within groups, more than any message has.
    Depth {
        /// Type of the innermost group.
        kind: ElementType,
        /// Where it begins.
        offset: usize,
    },
}

impl Error {
    /// Where in the datagram it is wrong, in bytes.
    pub fn offset(&self) -> usize {
        match *self {
            Self::HeaderCut { offset, .. }
            | Self::Version { offset, .. }
            | Self::Length { offset, .. }
            | Self::ElementCut { offset, .. }
            | Self::EnterpriseCut { offset, .. }
            | Self::Value { offset, .. }
            | Self::Depth { offset, .. } => offset,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderCut { offset, have } => write!(f, "PFCP header at offset {offset}: only {have} bytes"),
            Self::Version { offset, version } => {
                write!(f, "PFCP version at offset {offset}: {version} is not supported")
            }
            Self::Length { offset, length } => {
                write!(f, "PFCP length at offset {}: {length} is less than the header", offset.saturating_add(2))
            }
            Self::ElementCut { kind: None, offset, need, have } => {
                write!(f, "PFCP element at offset {offset}: {have} bytes of {need}")
            }
            Self::ElementCut { kind: Some(kind), offset, need, have } => {
                write!(f, "PFCP element at offset {offset}: {have} bytes of {need} in {kind}")
            }
            Self::EnterpriseCut { kind, offset } => {
                write!(f, "PFCP element at offset {offset}: no room for an enterprise number in {kind}")
            }
            Self::Value { kind, offset, length } => {
                write!(f, "PFCP element at offset {offset}: length {length} is too short for {kind}")
            }
            Self::Depth { kind, offset } => {
                write!(f, "PFCP element at offset {offset}: {kind} is nested too deep")
            }
        }
    }
}

impl core::error::Error for Error {}
