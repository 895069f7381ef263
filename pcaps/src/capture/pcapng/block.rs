//! Blocks: what every pcapng file is made of.

use super::super::fields::Order;
use super::super::window::Window;
use super::super::{CaptureError, MOST_BYTES};
use super::SECTION;

pub(super) const SECTION_KIND: u32 = u32::from_be_bytes(SECTION);
pub(super) const INTERFACE: u32 = 1;
pub(super) const OLD_PACKET: u32 = 2;
pub(super) const SIMPLE_PACKET: u32 = 3;
pub(super) const ENHANCED_PACKET: u32 = 6;

/// Type and total length, at the beginning of a block.
pub(super) const HEADER: u32 = 8;
/// Total length again, at its end.
pub(super) const TRAILER: u32 = 4;
/// The header of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) offset: u64,
    pub(super) kind: u32,
    /// Total length; at least what such a block needs.
    pub(super) len: u32,
}

impl Block {
    /// Has the whole block in the window: false where the source ends before.
    pub(super) fn hold(self, order: Order, window: &mut Window) -> Result<bool, CaptureError> {
        if self.len > MOST_BYTES {
            return Err(CaptureError::TooLarge {
                offset: self.offset,
                len: u64::from(self.len),
                most: MOST_BYTES,
            });
        }
        if !window.want(self.len as usize)? {
            return Ok(false);
        }
        let end = window.rest().get(..self.len as usize).and_then(<[u8]>::last_chunk);
        self.check_trailer(end.map(|&end| order.u32(end)))
    }

    /// Moves past the block: false where the source ends before.
    pub(super) fn skip(self, order: Order, window: &mut Window) -> Result<bool, CaptureError> {
        if !window.skip(u64::from(self.len.saturating_sub(TRAILER)))? || !window.want(TRAILER as usize)? {
            return Ok(false);
        }
        let end = window.rest().first_chunk().map(|&end| order.u32(end));
        window.take(TRAILER as usize);
        self.check_trailer(end)
    }

    fn check_trailer(self, trailer: Option<u32>) -> Result<bool, CaptureError> {
        let Self { offset, kind, len } = self;
        match trailer {
            Some(trailer) if trailer != len => Err(CaptureError::BlockTrailer { offset, kind, len, trailer }),
            Some(_) => Ok(true),
            None => Ok(false),
        }
    }

    pub(super) fn bad_length(self) -> CaptureError {
        CaptureError::BlockLength { offset: self.offset, kind: self.kind, len: self.len }
    }
}

/// What the shortest block of a kind measures.
pub(super) fn shortest(kind: u32) -> u32 {
    let body = match kind {
        SECTION_KIND => 16,
        INTERFACE => 8,
        OLD_PACKET | ENHANCED_PACKET => 20,
        SIMPLE_PACKET => 4,
        _ => 0,
    };
    body + HEADER + TRAILER
}
