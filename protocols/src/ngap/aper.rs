//! Aligned PER (X.691), as far as views need it.

use super::Error;
use crate::bytes;

/// What is left of an encoding, from a bit on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aper<'a> {
    bytes: &'a [u8],
    /// Where in the message the bytes begin.
    start: usize,
    /// Bits that were read.
    read: usize,
}

impl<'a> Aper<'a> {
    pub(super) fn new(bytes: &'a [u8], start: usize) -> Self {
        Self { bytes, start, read: 0 }
    }

    /// Where in the message the next bit is.
    pub(super) fn offset(&self) -> usize {
        self.start.saturating_add(self.read / 8)
    }

    /// At most 16 bits, the first of them the highest.
    pub(super) fn bits(&mut self, count: usize) -> Result<u16, Error> {
        let mut value = 0_u16;
        for _ in 0..count {
            let octet = bytes::u8_at(self.bytes, self.read / 8).ok_or(Error::Cut { offset: self.offset() })?;
            let bit = octet >> 7_usize.saturating_sub(self.read % 8) & 1;
            value = value << 1 | u16::from(bit);
            self.read = self.read.saturating_add(1);
        }
        Ok(value)
    }

    /// Octets at the next octet's beginning (X.691 11.2, aligned).
    pub(super) fn octets(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let at = self.read.div_ceil(8);
        let octets = bytes::after(self.bytes, at).get(..count);
        let octets = octets.ok_or(Error::Cut { offset: self.start.saturating_add(self.bytes.len()) })?;
        self.read = at.saturating_add(count).saturating_mul(8);
        Ok(octets)
    }

    pub(super) fn octet(&mut self) -> Result<u8, Error> {
        self.octets(1).map(|octets| octets.iter().fold(0, |_, &octet| octet))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Error> {
        self.octets(2).map(|octets| octets.iter().fold(0, |number, &octet| number << 8 | u16::from(octet)))
    }

    /// A number whose range needs a length: `bits` of it, counting octets from 1 (X.691 11.5.7.4).
    pub(super) fn number(&mut self, bits: usize) -> Result<u64, Error> {
        let length = usize::from(self.bits(bits)?).saturating_add(1);
        let octets = self.octets(length)?;
        Ok(octets.iter().fold(0, |number, &octet| number << 8 | u64::from(octet)))
    }

    /// A length, and so many octets as a reader of their own (X.691 11.2, 11.9).
    pub(super) fn open(&mut self) -> Result<Self, Error> {
        let offset = self.start.saturating_add(self.read.div_ceil(8));
        let length = match self.octet()? {
            short @ 0..=0x7f => usize::from(short),
            high @ 0x80..=0xbf => usize::from(high & 0x3f) << 8 | usize::from(self.octet()?),
            _ => return Err(Error::Fragmented { offset }),
        };
        let start = self.offset();
        Ok(Self::new(self.octets(length)?, start))
    }

    /// Where the next octet is, and what there is from it on.
    pub(super) fn rest(&self) -> (usize, &'a [u8]) {
        let at = self.read.div_ceil(8);
        (self.start.saturating_add(at), bytes::after(self.bytes, at))
    }
}
