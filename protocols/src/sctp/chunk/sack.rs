//! SACK (RFC 9260 3.3.4) and NR-SACK.

use crate::sctp::Error;
use crate::sctp::tlv::Value;

/// A SACK chunk (RFC 9260 3.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sack<'a> {
    /// The last TSN received in sequence.
    pub cumulative_tsn: u32,
    /// Advertised receiver window, bytes.
    pub a_rwnd: u32,
    /// What was received beyond the cumulative TSN.
    pub gaps: GapBlocks<'a>,
    /// TSNs received more than once.
    pub duplicates: TsnList<'a>,
}

impl<'a> Sack<'a> {
    pub(super) fn parse(value: Value<'a>) -> Result<Self, Error> {
        let cumulative_tsn = value.u32("Cumulative TSN Ack", 0)?;
        let a_rwnd = value.u32("Advertised Receiver Window Credit", 4)?;
        let gaps = value.u16("Number of Gap Ack Blocks", 8)?;
        let duplicates = value.u16("Number of Duplicate TSNs", 10)?;
        let (gaps, value) = gap_blocks("Gap Ack Blocks", gaps, value.after(12))?;
        let duplicates = tsn_list(duplicates, value)?;
        Ok(Self { cumulative_tsn, a_rwnd, gaps, duplicates })
    }
}

/// An NR-SACK chunk: its second list of gaps holds what the receiver will not drop again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NrSack<'a> {
    /// The last TSN received in sequence.
    pub cumulative_tsn: u32,
    /// Advertised receiver window, bytes.
    pub a_rwnd: u32,
    /// What was received and may still be dropped.
    pub gaps: GapBlocks<'a>,
    /// What was received and will not be dropped.
    pub kept_gaps: GapBlocks<'a>,
    /// TSNs received more than once.
    pub duplicates: TsnList<'a>,
}

impl<'a> NrSack<'a> {
    pub(super) fn parse(value: Value<'a>) -> Result<Self, Error> {
        let cumulative_tsn = value.u32("Cumulative TSN Ack", 0)?;
        let a_rwnd = value.u32("Advertised Receiver Window Credit", 4)?;
        let gaps = value.u16("Number of R Gap Ack Blocks", 8)?;
        let kept = value.u16("Number of NR Gap Ack Blocks", 10)?;
        let duplicates = value.u16("Number of Duplicate TSNs", 12)?;
        value.u16("Reserved", 14)?;
        let (gaps, value) = gap_blocks("R Gap Ack Blocks", gaps, value.after(16))?;
        let (kept_gaps, value) = gap_blocks("NR Gap Ack Blocks", kept, value)?;
        let duplicates = tsn_list(duplicates, value)?;
        Ok(Self { cumulative_tsn, a_rwnd, gaps, kept_gaps, duplicates })
    }
}

fn gap_blocks<'a>(field: &'static str, count: u16, value: Value<'a>) -> Result<(GapBlocks<'a>, Value<'a>), Error> {
    let length = usize::from(count).saturating_mul(4);
    Ok((GapBlocks(value.slice(field, 0, length)?), value.after(length)))
}

fn tsn_list<'a>(count: u16, value: Value<'a>) -> Result<TsnList<'a>, Error> {
    let length = usize::from(count).saturating_mul(4);
    Ok(TsnList(value.slice("Duplicate TSNs", 0, length)?))
}

/// Received TSNs, as distances from the cumulative TSN: `start..=end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapBlock {
    /// Distance of the first.
    pub start: u16,
    /// Distance of the last.
    pub end: u16,
}

/// The gap blocks of a SACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapBlocks<'a>(&'a [u8]);

impl Iterator for GapBlocks<'_> {
    type Item = GapBlock;

    fn next(&mut self) -> Option<GapBlock> {
        let (&[s0, s1, e0, e1], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(GapBlock { start: u16::from_be_bytes([s0, s1]), end: u16::from_be_bytes([e0, e1]) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len() / 4, Some(self.0.len() / 4))
    }
}

impl ExactSizeIterator for GapBlocks<'_> {}

/// TSNs one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TsnList<'a>(&'a [u8]);

impl Iterator for TsnList<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (tsn, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*tsn))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len() / 4, Some(self.0.len() / 4))
    }
}

impl ExactSizeIterator for TsnList<'_> {}
