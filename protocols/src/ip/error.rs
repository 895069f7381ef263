//! The ways in which an IP packet can be wrong.

use core::fmt;

/// The header that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// IPv4 header.
    Ipv4,
    /// IPv6 header.
    Ipv6,
    /// An extension header of IPv6, or an authentication header.
    Extension,
    /// UDP header.
    Udp,
    /// TCP header.
    Tcp,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4 header",
            Self::Ipv6 => "IPv6 header",
            Self::Extension => "IPv6 extension header",
            Self::Udp => "UDP header",
            Self::Tcp => "TCP header",
        })
    }
}

/// Why bytes are not a packet. Each is about the header that the slice begins with, at offset 0,
/// except where an offset is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The bytes end within the header.
    HeaderCut {
        /// Which header.
        field: Field,
        /// Bytes that it has.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The version is not the header's.
    Version {
        /// Which header.
        field: Field,
        /// The version.
        version: u8,
    },
    /// A length field is smaller than the header that it counts.
    Length {
        /// Which header.
        field: Field,
        /// The length, in bytes.
        length: u16,
        /// The least that it can be.
        least: u16,
    },
    /// An extension header of IPv6 goes past the end of the packet.
    ExtensionCut {
        /// Where it begins.
        offset: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderCut { field, need, have } => {
                write!(f, "{field} at offset 0: {have} bytes of {need}")
            }
            Self::Version { field, version } => {
                write!(f, "{field} version at offset 0: {version}")
            }
            Self::Length { field, length, least } => {
                write!(f, "{field} length: {length}, less than {least}")
            }
            Self::ExtensionCut { offset } => {
                write!(f, "IPv6 extension header at offset {offset}: past the end of the packet")
            }
        }
    }
}

impl core::error::Error for Error {}
