//! Who a peer is, what it can do, and what it answers.

use ::bytes::{BufMut, BytesMut};
use core::net::IpAddr;

use crate::addresses::Addresses;
use crate::reader::Reader;

/// Whether a request was accepted (TS 29.244 8.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cause(u8);

impl Cause {
    /// 1.
    pub const ACCEPTED: Self = Self(1);
    /// 64.
    pub const REJECTED: Self = Self(64);
    /// 65.
    pub const SESSION_NOT_FOUND: Self = Self(65);
    /// 66.
    pub const MANDATORY_MISSING: Self = Self(66);
    /// 67.
    pub const CONDITIONAL_MISSING: Self = Self(67);
    /// 68.
    pub const INVALID_LENGTH: Self = Self(68);
    /// 69.
    pub const MANDATORY_INCORRECT: Self = Self(69);
    /// 70.
    pub const INVALID_FORWARDING_POLICY: Self = Self(70);
    /// 71.
    pub const INVALID_F_TEID_ALLOCATION: Self = Self(71);
    /// 72.
    pub const NO_ASSOCIATION: Self = Self(72);
    /// 73.
    pub const RULE_FAILURE: Self = Self(73);
    /// 74.
    pub const CONGESTION: Self = Self(74);
    /// 75.
    pub const NO_RESOURCES: Self = Self(75);
    /// 76.
    pub const SERVICE_NOT_SUPPORTED: Self = Self(76);
    /// 77.
    pub const SYSTEM_FAILURE: Self = Self(77);
    /// 78.
    pub const REDIRECTION_REQUESTED: Self = Self(78);
    /// 79.
    pub const ALL_DYNAMIC_ADDRESSES_OCCUPIED: Self = Self(79);

    /// Whether the request was accepted, wholly or in part: 1 to 63.
    pub fn is_acceptance(self) -> bool {
        (1..64).contains(&self.0)
    }
}

impl From<u8> for Cause {
    fn from(number: u8) -> Self {
        Self(number)
    }
}

impl From<Cause> for u8 {
    fn from(cause: Cause) -> Self {
        cause.0
    }
}

/// Fully qualified session endpoint identifier: unique within its addresses (TS 29.244 8.2.37).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FSeid {
    /// The identifier.
    pub seid: u64,
    /// Where the session is; the packet may have come from elsewhere.
    pub addresses: Addresses,
}

impl FSeid {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let flags = reader.octet()?;
        let seid = reader.u64()?;
        Some(Self { seid, addresses: Addresses::read(&mut reader, flags & 2 != 0, flags & 1 != 0)? })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        out.put_u8(self.addresses.flags(2, 1));
        out.put_u64(self.seid);
        self.addresses.write(out);
    }
}

/// Who a function is, the same as long as an association lasts (TS 29.244 8.2.38).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeId<'a> {
    /// Type 0 or 1.
    Address(IpAddr),
    /// Type 2: a domain name, as the labels of RFC 1035 3.1 without the empty one.
    Name(&'a [u8]),
    /// A type that there is not yet, 3 to 15, and its value.
    Other(u8, &'a [u8]),
}

impl<'a> NodeId<'a> {
    /// Reads a value; none where it is too short.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        Some(match reader.octet()? & 0x0f {
            0 => Self::Address(reader.v4()?.into()),
            1 => Self::Address(reader.v6()?.into()),
            2 => Self::Name(reader.rest()),
            other => Self::Other(other, reader.rest()),
        })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        match self {
            Self::Address(IpAddr::V4(v4)) => {
                out.put_u8(0);
                out.put_slice(&v4.octets());
            }
            Self::Address(IpAddr::V6(v6)) => {
                out.put_u8(1);
                out.put_slice(&v6.octets());
            }
            Self::Name(name) => {
                out.put_u8(2);
                out.put_slice(name);
            }
            Self::Other(kind, value) => {
                out.put_u8(kind & 0x0f);
                out.put_slice(value);
            }
        }
    }
}

/// Bits of a value that grows by octets from release to release. Bit 1 of the first octet, the one that the
/// specification names octet 5, is number 0; bit 1 of the next is number 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flags<'a>(&'a [u8]);

impl<'a> Flags<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        (!value.is_empty()).then_some(Self(value))
    }

    /// Whether a bit is set; those that are not there are not.
    pub fn has(self, bit: usize) -> bool {
        let octet = self.0.get(bit / 8).copied().unwrap_or(0);
        octet >> (bit % 8) & 1 != 0
    }

    /// The octets.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }
}
