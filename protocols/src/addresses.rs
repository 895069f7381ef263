//! An address of each family.

use ::bytes::{BufMut, BytesMut};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::reader::Reader;

/// An address of each family that there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Addresses {
    /// The IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// The IPv6 address.
    pub v6: Option<Ipv6Addr>,
}

impl Addresses {
    /// Both families' flags, V6 in bit 1 and V4 in bit 2, then the addresses.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let flags = reader.octet()?;
        Self::read(&mut reader, flags & 2 != 0, flags & 1 != 0)
    }

    pub(crate) fn read(reader: &mut Reader<'_>, v4: bool, v6: bool) -> Option<Self> {
        Some(Self { v4: reader.when(v4, Reader::v4)?, v6: reader.when(v6, Reader::v6)? })
    }

    pub(crate) fn flags(self, v4: u8, v6: u8) -> u8 {
        self.v4.map_or(0, |_| v4) | self.v6.map_or(0, |_| v6)
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        if let Some(v4) = self.v4 {
            out.put_slice(&v4.octets());
        }
        if let Some(v6) = self.v6 {
            out.put_slice(&v6.octets());
        }
    }

    /// The address of the family that another one is of; of the other family where there is no such.
    pub fn like(self, other: IpAddr) -> Option<IpAddr> {
        let (v4, v6) = (self.v4.map(IpAddr::V4), self.v6.map(IpAddr::V6));
        if other.is_ipv4() { v4.or(v6) } else { v6.or(v4) }
    }

    /// Whether an address is one of them.
    pub fn contains(self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.v4 == Some(v4),
            IpAddr::V6(v6) => self.v6 == Some(v6),
        }
    }
}

/// Whether an address has the first `length` bits of a prefix, of its family.
pub fn is_within(address: IpAddr, prefix: IpAddr, length: u8) -> bool {
    match (address, prefix) {
        (IpAddr::V4(address), IpAddr::V4(prefix)) => {
            (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= u32::from(length.min(32))
        }
        (IpAddr::V6(address), IpAddr::V6(prefix)) => {
            (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= u32::from(length.min(128))
        }
        _ => false,
    }
}

impl IntoIterator for Addresses {
    type Item = IpAddr;
    type IntoIter = core::iter::Flatten<core::array::IntoIter<Option<IpAddr>, 2>>;

    /// Those that there are, IPv4 first.
    fn into_iter(self) -> Self::IntoIter {
        [self.v4.map(IpAddr::V4), self.v6.map(IpAddr::V6)].into_iter().flatten()
    }
}

impl FromIterator<IpAddr> for Addresses {
    /// Of several of a family, the last.
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        let mut gathered = Self::default();
        for address in addresses {
            match address {
                IpAddr::V4(v4) => gathered.v4 = Some(v4),
                IpAddr::V6(v6) => gathered.v6 = Some(v6),
            }
        }
        gathered
    }
}

impl From<IpAddr> for Addresses {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self { v4: Some(v4), v6: None },
            IpAddr::V6(v6) => Self { v4: None, v6: Some(v6) },
        }
    }
}
