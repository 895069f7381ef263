//! Writes aligned PER (X.691).

use ::bytes::{BufMut, BytesMut};

use super::Unfit;
use super::reader::count_bits;

/// Octets of the unit that fragments count (X.691 11.9.3.8).
const UNIT: usize = 16_384;

/// Appends to a buffer, bit by bit. The first that does not fit is remembered.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut BytesMut,
    /// Bits of the last octet that are not used.
    free: usize,
    unfit: Option<Unfit>,
}

impl<'a> Writer<'a> {
    /// Appends at the end of `out`, from an octet's beginning.
    pub fn new(out: &'a mut BytesMut) -> Self {
        Self { out, free: 0, unfit: None }
    }

    /// Octets of the buffer that there are.
    pub(super) fn position(&self) -> usize {
        self.out.len()
    }

    /// Goes back to where the buffer had so many octets.
    pub(super) fn truncate(&mut self, position: usize) {
        self.out.truncate(position);
        self.free = 0;
    }

    /// Whether something did not fit.
    pub(super) fn is_unfit(&self) -> bool {
        self.unfit.is_some()
    }

    /// Puts two octets in the place of those at a position.
    pub(super) fn put_back(&mut self, position: usize, octets: [u8; 2]) {
        if let Some(place) = self.out.get_mut(position..position.saturating_add(2)) {
            place.copy_from_slice(&octets);
        }
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// The first that did not fit.
    pub fn finish(self) -> Result<(), Unfit> {
        self.unfit.map_or(Ok(()), Err)
    }

    /// Remembers what does not fit.
    pub fn fail(&mut self, unfit: Unfit) {
        self.unfit.get_or_insert(unfit);
    }

    /// The lowest `count` bits of a number, at most 64.
    pub fn bits(&mut self, count: usize, value: u64) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                self.out.put_u8(0);
                self.free = 8;
            }
            let take = left.min(self.free);
            let part = value >> left.saturating_sub(take) & 0xff >> 8_usize.saturating_sub(take);
            self.free = self.free.saturating_sub(take);
            if let Some(last) = self.out.last_mut() {
                *last |= u8::try_from(part << self.free & 0xff).unwrap_or(0);
            }
            left = left.saturating_sub(take);
        }
    }

    /// One bit.
    pub fn bit(&mut self, bit: bool) {
        self.bits(1, bit.into());
    }

    /// Octets from the next octet's beginning on.
    pub fn octets(&mut self, octets: &[u8]) {
        self.free = 0;
        self.out.put_slice(octets);
    }

    /// A number of a range from 257 to 65,536.
    pub fn u16(&mut self, number: u16) {
        self.octets(&number.to_be_bytes());
    }

    /// A number whose range needs a length: `bits` of it, counting octets from 1 (X.691 11.5.7.4). `most` is the largest that its type has.
    pub fn number(&mut self, bits: usize, most: u64, number: u64) {
        if number > most {
            self.fail(Unfit::Number { number, most });
        }
        let octets = number.to_be_bytes();
        let zeros = octets.iter().take_while(|&&octet| octet == 0).count().min(7);
        self.bits(bits, u64::try_from(7_usize.saturating_sub(zeros)).unwrap_or(0));
        self.octets(octets.get(zeros..).unwrap_or_default());
    }

    /// How many there are, of 1 to `most`, less than 65,536 (X.691 11.5.7); see [`super::Reader::count`].
    pub fn count(&mut self, count: usize, most: usize) {
        if !(1..=most).contains(&count) {
            self.fail(Unfit::Count { count, most });
        }
        let (bits, aligned) = count_bits(most);
        if aligned {
            self.align();
        }
        self.bits(bits, u64::try_from(count.saturating_sub(1)).unwrap_or(u64::MAX));
    }

    /// How many of what is left come next, and whether there are more behind those; see [`super::Reader::portion`].
    pub fn portion(&mut self, left: usize) -> (usize, bool) {
        self.align();
        let units = (left / UNIT).min(4);
        let count = if units > 0 { units.saturating_mul(UNIT) } else { left };
        if units > 0 {
            self.out.put_u8(0xc0 | u8::try_from(units).unwrap_or(4));
        } else {
            match u8::try_from(left) {
                Ok(short @ ..=0x7f) => self.out.put_u8(short),
                _ => self.out.put_u16(u16::try_from(left).unwrap_or(0) | 0x8000),
            }
        }
        (count, units > 0)
    }

    /// Goes to the next octet's beginning.
    pub fn align(&mut self) {
        self.free = 0;
    }

    /// Octets behind a length.
    pub fn counted(&mut self, octets: &[u8]) {
        self.open(|writer| writer.octets(octets));
    }

    /// What `value` writes, from an octet's beginning and behind its length: an open type.
    pub fn open(&mut self, value: impl FnOnce(&mut Self)) {
        self.octets(&[0]);
        let from = self.out.len();
        value(self);
        self.free = 0;
        self.close(from);
    }

    /// An enumeration that may be extended; see [`super::Reader::enumerated`].
    pub fn enumerated(&mut self, bits: usize, root: u8, number: u8) {
        let Some(added) = number.checked_sub(root) else {
            self.bit(false);
            return self.bits(bits, number.into());
        };
        self.bit(true);
        if added < 64 {
            self.bits(7, added.into());
        } else {
            self.bit(true);
            self.octets(&[1, added]);
        }
    }

    /// The bits before a sequence without additions, of which the `count` optional fields are there that `present` says.
    pub fn sequence(&mut self, count: usize, present: u8) {
        self.bit(false);
        self.bits(count, present.into());
    }

    /// Puts the length of what was written since `from` in front of it, where one octet is kept free.
    pub(super) fn close(&mut self, from: usize) {
        let length = self.out.len().saturating_sub(from);
        let head = from.saturating_sub(1);
        if let (Ok(short @ ..=0x7f), Some(place)) = (u8::try_from(length), self.out.get_mut(head)) {
            *place = short;
        } else if let (Ok(long), true) = (u16::try_from(length), length < UNIT) {
            self.out.put_u8(0);
            let end = self.out.len();
            self.out.copy_within(from..end.saturating_sub(1), from.saturating_add(1));
            if let Some(place) = self.out.get_mut(head..from.saturating_add(1)) {
                place.copy_from_slice(&(long | 0x8000).to_be_bytes());
            }
        } else {
            let value = self.out.split_off(from);
            self.out.truncate(head);
            self.fragments(&value);
        }
    }

    /// As few fragments as can be, and a length of what is left, which may be 0 (X.691 11.9.3.8).
    fn fragments(&mut self, mut value: &[u8]) {
        let mut more = true;
        while more {
            let count;
            (count, more) = self.portion(value.len());
            let (fragment, rest) = value.split_at_checked(count).unwrap_or((value, &[]));
            self.out.put_slice(fragment);
            value = rest;
        }
    }
}
