//! The stretch of a source that is in memory.

use std::fmt;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::ops::Range;

use flate2::bufread::MultiGzDecoder;

use super::CaptureError;

const FIRST_BYTES: usize = 256 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A buffer that slides over a source, unpacked where it is gzipped. Grows only as bytes arrive, whatever length a header claims.
pub(super) struct Window {
    source: Source,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the source, unpacked, that were read so far.
    read: u64,
    ended: bool,
    gzip_cut: bool,
}

enum Source {
    Plain(Box<dyn Read + Send>),
    Gzip(Box<MultiGzDecoder<BufReader<Packed>>>),
}

type Packed = io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>;

impl Window {
    pub(super) fn new(source: impl Read + Send + 'static) -> Result<Self, CaptureError> {
        let mut plain = Self::over(Source::Plain(Box::new(source)));
        plain.want(GZIP.len())?;
        if !plain.rest().starts_with(&GZIP) {
            return Ok(plain);
        }
        let head = Cursor::new(plain.rest().to_vec());
        Ok(match plain.source {
            Source::Plain(rest) => {
                Self::over(Source::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(head.chain(rest))))))
            }
            gzip @ Source::Gzip(_) => Self::over(gzip),
        })
    }

    fn over(source: Source) -> Self {
        Self { source, bytes: vec![0; FIRST_BYTES], start: 0, end: 0, read: 0, ended: false, gzip_cut: false }
    }

    /// Makes at least `len` bytes the [`rest`](Self::rest), or all there are: false where the source ends before.
    pub(super) fn want(&mut self, len: usize) -> Result<bool, CaptureError> {
        if self.rest().len() >= len { Ok(true) } else { self.refill(len) }
    }

    #[cold]
    fn refill(&mut self, len: usize) -> Result<bool, CaptureError> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
        while self.end < len && !self.ended {
            if self.end == self.bytes.len() {
                self.bytes.resize(self.bytes.len().saturating_mul(2).min(len.max(FIRST_BYTES)), 0);
            }
            let room = self.bytes.get_mut(self.end..).unwrap_or_default();
            match self.source.read(room) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.end = self.end.saturating_add(count).min(self.bytes.len());
                    self.read = self.read.saturating_add(count as u64);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.failed(error)?,
            }
        }
        Ok(self.end >= len)
    }

    fn failed(&mut self, source: io::Error) -> Result<(), CaptureError> {
        let offset = self.read;
        match (&self.source, source.kind()) {
            (Source::Gzip(_), ErrorKind::UnexpectedEof) => {
                self.ended = true;
                self.gzip_cut = true;
                Ok(())
            }
            (Source::Gzip(_), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
                Err(CaptureError::Gzip { offset, source })
            }
            _ => Err(CaptureError::Io { offset, source }),
        }
    }

    /// What is in memory and not yet taken.
    pub(super) fn rest(&self) -> &[u8] {
        self.get(self.start..self.end)
    }

    /// Bytes that [`take`](Self::take) returned the place of. They stay until the next call to [`want`](Self::want).
    pub(super) fn get(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Moves past `len` bytes of the rest, and says where they are.
    pub(super) fn take(&mut self, len: usize) -> Range<usize> {
        let from = self.start;
        self.start = self.start.saturating_add(len).min(self.end);
        from..self.start
    }

    /// Moves past `len` bytes without holding them: false where the source ends before.
    pub(super) fn skip(&mut self, mut len: u64) -> Result<bool, CaptureError> {
        while len > 0 {
            if !self.want(1)? {
                return Ok(false);
            }
            let some = self.rest().len().min(usize::try_from(len).unwrap_or(usize::MAX));
            self.take(some);
            len = len.saturating_sub(some as u64);
        }
        Ok(true)
    }

    /// Where the rest begins in the source, unpacked.
    pub(super) fn offset(&self) -> u64 {
        self.read.saturating_sub(self.rest().len() as u64)
    }

    /// How far the source was read, unpacked.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// Whether the source ended inside a gzip member.
    pub(super) fn gzip_cut(&self) -> bool {
        self.gzip_cut
    }

    /// Bytes of memory held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }
}

impl Source {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(room),
            Self::Gzip(source) => source.read(room),
        }
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("gzip", &matches!(self.source, Source::Gzip(_)))
            .field("offset", &self.offset())
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}
