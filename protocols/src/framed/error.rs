//! The ways in which such a message can be wrong.

use core::fmt;

use super::Protocol;

/// Why bytes are not a message. Offsets count from the first octet of the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error<P: Protocol> {
    /// The datagram ends within a message's header.
    HeaderCut {
        /// Where the message begins.
        offset: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The version is another. In PFCP it is to be answered with Version Not Supported Response (TS 29.244 6.2.5).
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
        kind: Option<P::ElementType>,
        /// Where it begins.
        offset: usize,
        /// Its length with its four octets of header, in bytes.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The type says that an enterprise number is there (TS 29.244 8.1.1), and the element is too short for it.
    EnterpriseCut {
        /// Type of the element.
        kind: P::ElementType,
        /// Where it begins.
        offset: usize,
    },
    /// The value of an element is shorter than its type and its flags need.
    Value {
        /// Type of the element.
        kind: P::ElementType,
        /// Where it begins.
        offset: usize,
        /// Its length field.
        length: u16,
    },
    /// Groups within groups, more than any message has.
    Depth {
        /// Type of the innermost group.
        kind: P::ElementType,
        /// Where it begins.
        offset: usize,
    },
}

impl<P: Protocol> Error<P> {
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

impl<P: Protocol> fmt::Display for Error<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = P::NAME;
        match *self {
            Self::HeaderCut { offset, have } => {
                write!(f, "{protocol} header at offset {offset}: only {have} bytes")
            }
            Self::Version { offset, version } => {
                write!(f, "{protocol} version at offset {offset}: {version} is not supported")
            }
            Self::Length { offset, length } => {
                let offset = offset.saturating_add(2);
                write!(f, "{protocol} length at offset {offset}: {length} is less than the header")
            }
            Self::ElementCut { kind: None, offset, need, have } => {
                write!(f, "{protocol} element at offset {offset}: {have} bytes of {need}")
            }
            Self::ElementCut { kind: Some(kind), offset, need, have } => {
                write!(f, "{protocol} element at offset {offset}: {have} bytes of {need} in {kind}")
            }
            Self::EnterpriseCut { kind, offset } => {
                write!(f, "{protocol} element at offset {offset}: no room for an enterprise number in {kind}")
            }
            Self::Value { kind, offset, length } => {
                write!(f, "{protocol} element at offset {offset}: length {length} is too short for {kind}")
            }
            Self::Depth { kind, offset } => {
                write!(f, "{protocol} element at offset {offset}: {kind} is nested too deep")
            }
        }
    }
}

impl<P: Protocol + fmt::Debug> core::error::Error for Error<P> {}
