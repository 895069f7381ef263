//! Reads the fields of a value one after another.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::bytes;

/// What is left of a value. Each step is none where the value ends before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(value: &'a [u8]) -> Self {
        Self(value)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = bytes::array_at(self.0, 0)?;
        self.0 = bytes::after(self.0, N);
        Some(array)
    }

    pub(crate) fn octet(&mut self) -> Option<u8> {
        self.array().map(|[octet]| octet)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn v4(&mut self) -> Option<Ipv4Addr> {
        self.array::<4>().map(Ipv4Addr::from)
    }

    pub(crate) fn v6(&mut self) -> Option<Ipv6Addr> {
        self.array::<16>().map(Ipv6Addr::from)
    }

    /// Bytes behind a length of 16 bits.
    pub(crate) fn counted(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        let counted = self.0.get(..length)?;
        self.0 = bytes::after(self.0, length);
        Some(counted)
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// A field that a flag announces: none without the flag, and none at all where it is announced and cut.
    pub(crate) fn when<T>(&mut self, there: bool, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if there { read(self).map(Some) } else { Some(None) }
    }
}
