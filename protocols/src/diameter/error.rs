//! The ways in which a Diameter message can be wrong.

use core::fmt;

/// Why bytes are not a Diameter message. Offsets count from the first octet of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The bytes end within the header.
    HeaderCut {
        /// Bytes that are there.
        have: usize,
    },
    /// The version is not 1 (5011, RFC 6733 7.1.5).
    Version {
        /// The version, at offset 0.
        version: u8,
    },
    /// The length field is less than the header, or no multiple of 4 (5015, RFC 6733 7.1.5).
    Length {
        /// The length field, at offset 1.
        length: u32,
    },
    /// An attribute-value pair goes past the end of the message, or of the group that it is in (5014, RFC 6733 7.1.5).
    AvpCut {
        /// Code of the pair; none where the end is within its header.
        code: Option<u32>,
        /// Where it begins.
        offset: usize,
        /// Its length, in bytes.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The length of an attribute-value pair is less than its header (5014, RFC 6733 7.1.5).
    AvpLength {
        /// Code of the pair.
        code: u32,
        /// Where it begins.
        offset: usize,
        /// Its length field.
        length: u32,
    },
    /// A value has not the length of its type.
    Value {
        /// Code of the pair.
        code: u32,
        /// Where it begins.
        offset: usize,
        /// Bytes of the value.
        length: usize,
    },
    /// Groups within groups, more than are followed.
    Depth {
        /// Code of the innermost group.
        code: u32,
        /// Where it begins.
        offset: usize,
    },
}

impl Error {
    /// Where in the message it is wrong, in bytes.
    pub fn offset(&self) -> usize {
        match *self {
            Self::HeaderCut { .. } | Self::Version { .. } => 0,
            Self::Length { .. } => 1,
            Self::AvpCut { offset, .. }
            | Self::AvpLength { offset, .. }
            | Self::Value { offset, .. }
            | Self::Depth { offset, .. } => offset,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderCut { have } => write!(f, "Diameter header at offset 0: {have} bytes of 20"),
            Self::Version { version } => write!(f, "Diameter version at offset 0: {version} is not supported"),
            Self::Length { length } => {
                write!(f, "Diameter length at offset 1: {length} is less than 20, or no multiple of 4")
            }
            Self::AvpCut { code: None, offset, need, have } => {
                write!(f, "Diameter AVP at offset {offset}: {have} bytes of {need}")
            }
            Self::AvpCut { code: Some(code), offset, need, have } => {
                write!(f, "Diameter AVP at offset {offset}: {have} bytes of {need} in AVP {code}")
            }
            Self::AvpLength { code, offset, length } => {
                write!(f, "Diameter AVP at offset {offset}: length {length} is less than the header of AVP {code}")
            }
            Self::Value { code, offset, length } => {
                write!(f, "Diameter AVP at offset {offset}: {length} bytes are not the length of AVP {code}")
            }
            Self::Depth { code, offset } => {
                write!(f, "Diameter AVP at offset {offset}: AVP {code} is nested too deep")
            }
        }
    }
}

impl core::error::Error for Error {}
