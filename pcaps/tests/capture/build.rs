//! Captures built byte by byte, and what the reader makes of them.

use std::io::Cursor;

use pinion_pcaps::capture::{CaptureError, Reader, Warnings};
use pinion_pcaps::link::LinkType;

/// Appends numbers in one byte order.
pub(crate) struct Bytes {
    big: bool,
    pub(crate) bytes: Vec<u8>,
}

impl Bytes {
    pub(crate) fn new(big: bool) -> Self {
        Self { big, bytes: Vec::new() }
    }

    pub(crate) fn u16(mut self, number: u16) -> Self {
        self.bytes.extend(if self.big { number.to_be_bytes() } else { number.to_le_bytes() });
        self
    }

    pub(crate) fn u32(mut self, number: u32) -> Self {
        self.bytes.extend(if self.big { number.to_be_bytes() } else { number.to_le_bytes() });
        self
    }

    pub(crate) fn u64(mut self, number: u64) -> Self {
        self.bytes.extend(if self.big { number.to_be_bytes() } else { number.to_le_bytes() });
        self
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    pub(crate) fn padded(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// A pcap file's header. The magic is written in the file's order.
    pub(crate) fn pcap_header(self, magic: u32, link: u32) -> Self {
        self.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(link)
    }

    pub(crate) fn pcap_record(self, seconds: u32, ticks: u32, wire: u32, bytes: &[u8]) -> Self {
        self.u32(seconds).u32(ticks).u32(bytes.len() as u32).u32(wire).raw(bytes)
    }

    /// A pcapng block: its body is padded, its length written twice.
    pub(crate) fn block(self, kind: u32, body: impl FnOnce(Self) -> Self) -> Self {
        let inner = body(Self::new(self.big));
        let len = inner.bytes.len().next_multiple_of(4) as u32 + 12;
        self.u32(kind).u32(len).padded(&inner.bytes).u32(len)
    }

    pub(crate) fn section(self) -> Self {
        self.block(0x0a0d_0d0a, |body| body.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX))
    }

    pub(crate) fn interface(self, link: u16, snap: u32, options: impl FnOnce(Self) -> Self) -> Self {
        self.block(1, |body| options(body.u16(link).u16(0).u32(snap)))
    }

    pub(crate) fn option(self, code: u16, value: &[u8]) -> Self {
        self.u16(code).u16(value.len() as u16).padded(value)
    }

    pub(crate) fn enhanced(self, interface: u32, ticks: u64, wire: u32, bytes: &[u8]) -> Self {
        self.block(6, |body| {
            body.u32(interface)
                .u32((ticks >> 32) as u32)
                .u32(ticks as u32)
                .u32(bytes.len() as u32)
                .u32(wire)
                .padded(bytes)
        })
    }
}

/// A frame that owns its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) number: u64,
    pub(crate) nanoseconds: u128,
    pub(crate) link: LinkType,
    pub(crate) wire: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Everything that can be had from a capture.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) frames: Vec<Seen>,
    pub(crate) warnings: Warnings,
    pub(crate) error: Option<CaptureError>,
}

pub(crate) fn read(bytes: &[u8]) -> Read {
    let mut frames = Vec::new();
    let mut reader = match Reader::new(Cursor::new(bytes.to_vec()), "built") {
        Ok(reader) => reader,
        Err(error) => {
            return Read { frames, warnings: Warnings::default(), error: Some(error) };
        }
    };
    let error = loop {
        match reader.next() {
            Ok(Some(frame)) => frames.push(Seen {
                number: frame.number,
                nanoseconds: frame.time.as_nanos(),
                link: frame.link,
                wire: frame.wire_len,
                bytes: frame.bytes.to_vec(),
            }),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(reader.next(), Ok(None)), "nothing comes after the end");
    Read { frames, warnings: reader.warnings().clone(), error }
}

/// The frames of a capture that nothing is wrong with.
pub(crate) fn frames(bytes: &[u8]) -> Vec<Seen> {
    let Read { frames, warnings, error } = read(bytes);
    assert!(error.is_none(), "{error:?}");
    assert!(warnings.is_empty(), "{warnings:?}");
    frames
}
