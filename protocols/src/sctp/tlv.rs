//! Lists of items with a type and a length, padded to four bytes (RFC 9260 3.2 and 3.2.1).

use super::{Error, List};
use crate::bytes;

/// What a receiver does with an item whose type it does not know: the two highest bits of the type
/// say it (RFC 9260 3.2, 3.2.1; RFC 5061 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrecognized {
    /// 00: stop, and do not report it.
    Stop,
    /// 01: stop, and report it.
    StopAndReport,
    /// 10: skip it and go on.
    Skip,
    /// 11: skip it, go on, and report it.
    SkipAndReport,
}

impl Unrecognized {
    pub(super) fn from_high_bits(bits: u16) -> Self {
        match bits & 0b11 {
            0b00 => Self::Stop,
            0b01 => Self::StopAndReport,
            0b10 => Self::Skip,
            _ => Self::SkipAndReport,
        }
    }

    /// Whether the rest of the packet or chunk is still processed.
    pub fn goes_on(self) -> bool {
        matches!(self, Self::Skip | Self::SkipAndReport)
    }

    /// Whether the sender is told.
    pub fn reports(self) -> bool {
        matches!(self, Self::StopAndReport | Self::SkipAndReport)
    }
}

/// One item: its 4-byte header and value, padding left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) kind: u16,
    pub(super) offset: usize,
    pub(super) length: u16,
    pub(super) bytes: &'a [u8],
}

impl<'a> Item<'a> {
    pub(super) fn value(&self) -> Value<'a> {
        Value { offset: self.offset.saturating_add(4), bytes: bytes::after(self.bytes, 4) }
    }
}

/// Items one after another. Ends after the first error.
#[derive(Clone, Debug)]
pub(super) struct Items<'a> {
    list: List,
    offset: usize,
    rest: &'a [u8],
    failed: bool,
}

impl<'a> Items<'a> {
    pub(super) fn new(list: List, value: Value<'a>) -> Self {
        Self { list, offset: value.offset, rest: value.bytes, failed: false }
    }

    /// The item that the list ended in, where its header is there but its value is not whole.
    pub(super) fn cut(&self) -> Option<Item<'a>> {
        let (kind, length) = self.header()?;
        (self.failed && length >= 4).then_some(Item { kind, offset: self.offset, length, bytes: self.rest })
    }

    /// What is left of the list: where it begins, and its bytes.
    pub(super) fn rest(&self) -> Value<'a> {
        Value { offset: self.offset, bytes: self.rest }
    }

    fn header(&self) -> Option<(u16, u16)> {
        let kind = match self.list {
            List::Chunks => u16::from(bytes::u8_at(self.rest, 0)?),
            List::Parameters | List::Causes => bytes::u16_at(self.rest, 0)?,
        };
        Some((kind, bytes::u16_at(self.rest, 2)?))
    }

    fn split(&self) -> Result<(Item<'a>, &'a [u8]), Error> {
        let (list, offset, have) = (self.list, self.offset, self.rest.len());
        let (kind, length) = self.header().ok_or(Error::ItemHeaderCut { list, offset, have })?;
        if length < 4 {
            return Err(Error::ItemLength { list, kind, offset, length });
        }
        let bytes =
            self.rest.get(..usize::from(length)).ok_or(Error::ItemCut { list, kind, offset, length, have })?;
        // The padding of the last item may be missing: it is not part of an enclosing length.
        let padded = usize::from(length).next_multiple_of(4);
        Ok((Item { kind, offset, length, bytes }, bytes::after(self.rest, padded)))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.rest.is_empty() {
            return None;
        }
        let split = self.split();
        match split {
            Ok((item, rest)) => {
                let padded = usize::from(item.length).next_multiple_of(4);
                self.offset = self.offset.saturating_add(padded);
                self.rest = rest;
                Some(Ok(item))
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

/// Bytes and where in the packet they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) offset: usize,
    pub(super) bytes: &'a [u8],
}

impl<'a> Value<'a> {
    pub(super) fn u16(self, field: &'static str, at: usize) -> Result<u16, Error> {
        bytes::u16_at(self.bytes, at).ok_or_else(|| self.cut(field, at, 2))
    }

    pub(super) fn u32(self, field: &'static str, at: usize) -> Result<u32, Error> {
        bytes::u32_at(self.bytes, at).ok_or_else(|| self.cut(field, at, 4))
    }

    pub(super) fn array<const N: usize>(self, field: &'static str, at: usize) -> Result<[u8; N], Error> {
        bytes::array_at(self.bytes, at).ok_or_else(|| self.cut(field, at, N))
    }

    pub(super) fn slice(self, field: &'static str, at: usize, len: usize) -> Result<&'a [u8], Error> {
        let rest = bytes::after(self.bytes, at);
        rest.get(..len).ok_or_else(|| self.cut(field, at, len))
    }

    /// The bytes from `at` on.
    pub(super) fn after(self, at: usize) -> Self {
        Self { offset: self.offset.saturating_add(at), bytes: bytes::after(self.bytes, at) }
    }

    /// An error unless the value is at most `most` bytes long.
    pub(super) fn at_most(self, field: &'static str, most: usize) -> Result<(), Error> {
        match self.bytes.len().checked_sub(most) {
            None | Some(0) => Ok(()),
            Some(extra) => Err(Error::FieldLong { field, offset: self.offset.saturating_add(most), extra }),
        }
    }

    fn cut(self, field: &'static str, at: usize, need: usize) -> Error {
        Error::FieldCut {
            field,
            offset: self.offset.saturating_add(at),
            need,
            have: self.bytes.len().saturating_sub(at),
        }
    }
}

/// 16-bit numbers one after another; an odd byte at the end is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers16<'a>(pub(super) &'a [u8]);

impl Iterator for Numbers16<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*number))
    }
}
