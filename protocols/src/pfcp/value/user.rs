//! What is known of a user.

use ::bytes::{BufMut, BytesMut};

use crate::addresses::Addresses;
use crate::reader::Reader;

/// The user's address, or the wish that the user plane function chooses one (TS 29.244 8.2.62).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UeAddress {
    /// The addresses that are known.
    pub addresses: Addresses,
    /// S/D: it is the destination of packets, not their source.
    pub destination: bool,
    /// Bits of a prefix that may be delegated to the user, beyond /64 (IPv6D).
    pub delegated: Option<u8>,
    /// Length of the user's prefix, where it is not /64 (IP6PL).
    pub prefix: Option<u8>,
    /// CHV4: an IPv4 address is to be chosen.
    pub choose_v4: bool,
    /// CHV6: an IPv6 address is to be chosen.
    pub choose_v6: bool,
}

impl UeAddress {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let flags = reader.octet()?;
        Some(Self {
            addresses: Addresses::read(&mut reader, flags & 2 != 0, flags & 1 != 0)?,
            destination: flags & 4 != 0,
            delegated: reader.when(flags & 8 != 0, Reader::octet)?,
            prefix: reader.when(flags & 0x40 != 0, Reader::octet)?,
            choose_v4: flags & 0x10 != 0,
            choose_v6: flags & 0x20 != 0,
        })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        let there = |there: bool, bit: u8| if there { bit } else { 0 };
        let choice = there(self.choose_v4, 0x10) | there(self.choose_v6, 0x20);
        let lengths = there(self.delegated.is_some(), 8) | there(self.prefix.is_some(), 0x40);
        out.put_u8(self.addresses.flags(2, 1) | there(self.destination, 4) | choice | lengths);
        self.addresses.write(out);
        out.extend([self.delegated, self.prefix].into_iter().flatten());
    }
}

/// A network slice (TS 29.244 8.2.175).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SNssai {
    /// Slice/service type.
    pub sst: u8,
    /// Slice differentiator; 0xffffff where there is none.
    pub sd: [u8; 3],
}

impl SNssai {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        Some(Self { sst: reader.octet()?, sd: reader.array()? })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        out.put_u8(self.sst);
        out.put_slice(&self.sd);
    }
}
