//! Reads aligned PER (X.691).

use super::{Octets, Wrong};
use crate::bytes;

/// What is left of an encoding, from a bit on.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// Where in the message the bytes begin.
    start: usize,
    /// Bits that were read.
    read: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, which begin at an offset of the message.
    pub fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, start: offset, read: 0 }
    }

    /// Where in the message the next bit is.
    pub fn offset(&self) -> usize {
        self.start.saturating_add(self.read / 8)
    }

    /// At most 64 bits, the first of them the highest.
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`].
    pub fn bits(&mut self, count: usize) -> Result<u64, Wrong> {
        let (mut value, mut left) = (0_u64, count);
        while left > 0 {
            let octet = bytes::u8_at(self.bytes, self.read / 8).ok_or(Wrong::Cut { offset: self.offset() })?;
            let have = 8_usize.saturating_sub(self.read % 8);
            let take = left.min(have);
            let part = octet >> have.saturating_sub(take) & 0xff >> 8_usize.saturating_sub(take);
            value = value << take | u64::from(part);
            left = left.saturating_sub(take);
            self.read = self.read.saturating_add(take);
        }
        Ok(value)
    }

    /// At most 8 bits.
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`].
    pub fn small(&mut self, count: usize) -> Result<u8, Wrong> {
        self.bits(count).map(|bits| u8::try_from(bits & 0xff).unwrap_or(u8::MAX))
    }

    /// One bit.
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`].
    pub fn bit(&mut self) -> Result<bool, Wrong> {
        self.bits(1).map(|bit| bit != 0)
    }

    /// Octets at the next octet's beginning.
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`].
    pub fn octets(&mut self, count: usize) -> Result<&'a [u8], Wrong> {
        let at = self.read.div_ceil(8);
        let octets = bytes::after(self.bytes, at).get(..count);
        let octets = octets.ok_or(Wrong::Cut { offset: self.start.saturating_add(self.bytes.len()) })?;
        self.read = at.saturating_add(count).saturating_mul(8);
        Ok(octets)
    }

    /// So many octets, at the next octet's beginning.
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let offset = self.offset();
        self.octets(N)?.first_chunk().copied().ok_or(Wrong::Cut { offset })
    }

    /// One octet.
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`].
    pub fn octet(&mut self) -> Result<u8, Wrong> {
        self.array().map(u8::from_be_bytes)
    }

    /// A number of a range from 257 to 65,536: two octets (X.691 11.5.7.3).
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`].
    pub fn u16(&mut self) -> Result<u16, Wrong> {
        self.array().map(u16::from_be_bytes)
    }

    /// A number whose range needs a length: `bits` of it, counting octets from 1 (X.691 11.5.7.4). `most` is the largest that its type has.
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`], [`Wrong::Range`].
    pub fn number(&mut self, bits: usize, most: u64) -> Result<u64, Wrong> {
        let length = usize::from(self.small(bits)?).saturating_add(1);
        let octets = self.octets(length)?;
        let offset = self.offset().saturating_sub(length);
        let number = octets.iter().fold(0, |number, &octet| number << 8 | u64::from(octet));
        if number > most { Err(Wrong::Range { offset }) } else { Ok(number) }
    }

    /// Goes to the next octet's beginning.
    pub fn align(&mut self) {
        self.read = self.read.div_ceil(8).saturating_mul(8);
    }

    /// How many there are, of 1 to `most`, less than 65,536: in as few bits as hold it, of 256 and more in octets of their own (X.691 11.5.7).
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`], [`Wrong::Range`].
    pub fn count(&mut self, most: usize) -> Result<usize, Wrong> {
        let (bits, aligned) = count_bits(most);
        if aligned {
            self.align();
        }
        let offset = self.offset();
        let count = usize::try_from(self.bits(bits)?).unwrap_or(usize::MAX).saturating_add(1);
        if count > most { Err(Wrong::Range { offset }) } else { Ok(count) }
    }

    /// How many follow of what is counted without a bound, and whether there are more behind those (X.691 11.9.3.5 to 11.9.3.8).
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`], [`Wrong::Fragment`].
    pub fn portion(&mut self) -> Result<(usize, bool), Wrong> {
        let (offset, rest) = self.rest();
        let Some(Step { octets, head, more }) = step(rest) else {
            return Err(self.no_step(offset, rest));
        };
        self.octets(head)?;
        Ok((octets, more))
    }

    fn no_step(&self, offset: usize, here: &[u8]) -> Wrong {
        match here.first() {
            Some(0xc0..) => Wrong::Fragment { offset },
            _ => Wrong::Cut { offset: self.start.saturating_add(self.bytes.len()) },
        }
    }

    /// Octets behind a length, as open types and strings of octets have it (X.691 11.2, 11.9).
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`], [`Wrong::Fragment`].
    pub fn counted(&mut self) -> Result<Octets<'a>, Wrong> {
        let (start, rest) = self.rest();
        let cut = Wrong::Cut { offset: self.start.saturating_add(self.bytes.len()) };
        let mut at = 0_usize;
        let mut length = 0_usize;
        loop {
            let here = bytes::after(rest, at);
            let Some(Step { octets, head, more }) = step(here) else {
                return Err(self.no_step(start.saturating_add(at), here));
            };
            let alone = at == 0 && !more;
            at = at.saturating_add(head).saturating_add(octets);
            length = length.saturating_add(octets);
            if more && at <= rest.len() {
                continue;
            }
            let encoded = rest.get(..at).ok_or(cut)?;
            self.read = self.read.div_ceil(8).saturating_add(at).saturating_mul(8);
            return Ok(match alone {
                true => Octets::new(bytes::after(encoded, head), start.saturating_add(head)),
                false => Octets::fragmented(encoded, start, length),
            });
        }
    }

    /// An enumeration that may be extended: a number of `bits`, or of those from `root` on a small number (X.691 14, 11.6).
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`], and [`Wrong::Range`] of more than 255 and of a number that the root does not have.
    pub fn enumerated(&mut self, bits: usize, root: u8) -> Result<u8, Wrong> {
        let offset = self.offset();
        let range = Wrong::Range { offset };
        if !self.bit()? {
            let number = self.small(bits)?;
            return if number < root { Ok(number) } else { Err(range) };
        }
        let number = match self.bit()? {
            false => self.bits(6)?,
            true => {
                let length = self.octet()?;
                if length != 1 {
                    return Err(range);
                }
                self.octet()?.into()
            }
        };
        u8::try_from(number).ok().and_then(|number| number.checked_add(root)).ok_or(range)
    }

    /// The bits before a sequence: whether additions come behind it, and which of `count` optional fields are there, the last of them in
    /// the lowest bit (X.691 19).
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`].
    pub fn sequence(&mut self, count: usize) -> Result<(bool, u8), Wrong> {
        Ok((self.bit()?, self.small(count)?))
    }

    /// Passes over what newer releases have added behind a sequence (X.691 19.7 to 19.9).
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`], [`Wrong::Fragment`].
    pub fn additions(&mut self, there: bool) -> Result<(), Wrong> {
        if !there {
            return Ok(());
        }
        let count = match self.bit()? {
            false => self.bits(6)?.saturating_add(1),
            true => self.octet()?.into(),
        };
        let mut present = 0_u32;
        for _ in 0..count {
            present = present.saturating_add(self.bit()?.into());
        }
        for _ in 0..present {
            self.counted()?;
        }
        Ok(())
    }

    /// Where the next octet is, and what there is from it on.
    pub fn rest(&self) -> (usize, &'a [u8]) {
        let at = self.read.div_ceil(8);
        (self.start.saturating_add(at), bytes::after(self.bytes, at))
    }
}

/// Bits that hold a count of 1 to `most`, and whether they begin an octet.
pub(super) fn count_bits(most: usize) -> (usize, bool) {
    match most {
        257.. => (16, true),
        256 => (8, true),
        _ => {
            let zeros = most.saturating_sub(1).leading_zeros();
            (usize::try_from(usize::BITS.saturating_sub(zeros)).unwrap_or(0), false)
        }
    }
}

/// A length and so many octets behind it.
pub(super) struct Step {
    pub(super) octets: usize,
    /// Octets of the length itself.
    pub(super) head: usize,
    /// Whether another length follows.
    pub(super) more: bool,
}

/// The length that `encoded` begins with; none where it is cut, or counts fragments of 16 K that are not 1 to 4 (X.691 11.9.3.8).
pub(super) fn step(encoded: &[u8]) -> Option<Step> {
    Some(match *encoded {
        [short @ 0..=0x7f, ..] => Step { octets: short.into(), head: 1, more: false },
        [high @ 0x80..=0xbf, low, ..] => {
            Step { octets: usize::from(high & 0x3f) << 8 | usize::from(low), head: 2, more: false }
        }
        [fragments @ 0xc1..=0xc4, ..] => Step { octets: usize::from(fragments & 7) << 14, head: 1, more: true },
        _ => return None,
    })
}
