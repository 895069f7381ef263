//! The ways in which a GTPv2-C message can be wrong.

use core::fmt;

use super::ElementType;

/// Why bytes are not a GTPv2-C message. Offsets count from the first octet of the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The datagram ends within a message's header.
    HeaderCut {
        /// Where the message begins.
        offset: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The version is not 2.
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
        /// Type of the element; none where not even that is there.
        kind: Option<ElementType>,
        /// Where it begins.
        offset: usize,
        /// Its length with its 4 octets of header, in bytes.
        need: usize,
        /// Bytes that are there.
        have: usize,
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
            | Self::Value { offset, .. }
            | Self::Depth { offset, .. } => offset,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderCut { offset, have } => write!(f, "GTPv2 header at offset {offset}: only {have} bytes"),
            Self::Version { offset, version } => {
                write!(f, "GTPv2 version at offset {offset}: {version} is another protocol")
            }
            Self::Length { offset, length } => {
                write!(f, "GTPv2 length at offset {}: {length} is less than the header", offset.saturating_add(2))
            }
            Self::ElementCut { kind: None, offset, need, have } => {
                write!(f, "GTPv2 element at offset {offset}: {have} bytes of {need}")
            }
            Self::ElementCut { kind: Some(kind), offset, need, have } => {
                write!(f, "GTPv2 element at offset {offset}: {have} bytes of {need} in {kind}")
            }
            Self::Value { kind, offset, length } => {
                write!(f, "GTPv2 element at offset {offset}: length {length} is too short for {kind}")
            }
            Self::Depth { kind, offset } => {
                write!(f, "GTPv2 element at offset {offset}: {kind} is nested too deep")
            }
        }
    }
}

impl core::error::Error for Error {}
