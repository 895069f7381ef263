//! Octets behind a length, in one piece or in fragments (X.691 11.9).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::reader::{self, Step};
use crate::bytes;

/// Octets that a length announces. From 16,384 on they come in fragments, between which there are further lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Octets<'a> {
    /// Where in the message they begin; of fragmented ones, where their first length is.
    offset: usize,
    length: usize,
    /// The octets; of fragmented ones with the lengths.
    encoded: &'a [u8],
}

impl<'a> Octets<'a> {
    /// Octets in one piece, which begin at an offset.
    pub fn new(octets: &'a [u8], offset: usize) -> Self {
        Self { offset, length: octets.len(), encoded: octets }
    }

    /// Fragments with their lengths, which were found to fit.
    pub(super) fn fragmented(encoded: &'a [u8], offset: usize, length: usize) -> Self {
        Self { offset, length, encoded }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Where in the message they begin; of fragmented ones, where their first length is.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The octets, where they are in one piece.
    pub fn whole(&self) -> Option<&'a [u8]> {
        (self.encoded.len() == self.length).then_some(self.encoded)
    }

    /// The pieces in which they are: one, or the fragments.
    pub fn pieces(&self) -> Pieces<'a> {
        Pieces { rest: self.encoded, whole: self.whole().is_some() }
    }

    /// The octets in one piece: borrowed where they are so, else copied, which is never more than the message was.
    pub fn joined(&self) -> Cow<'a, [u8]> {
        match self.whole() {
            Some(octets) => Cow::Borrowed(octets),
            None => {
                let mut joined = Vec::with_capacity(self.length);
                self.pieces().for_each(|piece| joined.extend_from_slice(piece));
                Cow::Owned(joined)
            }
        }
    }
}

/// The pieces of octets, in their order.
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    rest: &'a [u8],
    whole: bool,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Step { octets: length, head, more } = match self.whole {
            true => Step { octets: self.rest.len(), head: 0, more: false },
            false => reader::step(self.rest)?,
        };
        let octets = bytes::at_most(bytes::after(self.rest, head), length);
        self.rest = if more { bytes::after(self.rest, head.saturating_add(length)) } else { &[] };
        Some(octets)
    }
}
