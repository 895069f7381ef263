//! Reads captures: pcap and pcapng, plain or gzipped, frame by frame.
//!
//! Memory does not grow with the file: one buffer holds the record at hand and what was read ahead of it, and grows to at most the
//! largest record that is accepted, [`MOST_BYTES`].
//!
//! A file that ends in mid-record, and frames that were cut by a snap length, are not errors: what is there is read, and
//! [`Reader::warnings`] says what was missing.
//!
//! ```no_run
//! # fn main() -> Result<(), pinion_pcaps::capture::CaptureError> {
//! let mut capture = pinion_pcaps::capture::open("n2.pcap".as_ref())?;
//! while let Some(frame) = capture.next()? {
//!     println!("{}: {} bytes", frame.number, frame.bytes.len());
//! }
//! for warning in capture.warnings().messages() {
//!     eprintln!("n2.pcap: {warning}");
//! }
//! # Ok(())
//! # }
//! ```

mod error;
mod fields;
mod folder;
mod pcap;
mod pcapng;
mod warnings;
mod window;

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

pub use error::CaptureError;
pub use folder::below;
pub use warnings::{Cut, Warnings};

use crate::link::LinkType;
use pcap::Pcap;
use pcapng::PcapNg;
use window::Window;

/// The longest record or block that is read into memory, in bytes, its headers counted: 16 MiB.
pub const MOST_BYTES: u32 = 16 << 20;

/// Opens the capture in a file.
///
/// # Errors
///
/// [`CaptureError::Open`] where the file cannot be opened, and what [`Reader::new`] finds.
pub fn open(path: &Path) -> Result<Reader, CaptureError> {
    let file = File::open(path).map_err(CaptureError::Open)?;
    Reader::new(file, path.display().to_string())
}

/// One captured frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Position in the capture, from 1; Wireshark's `frame.number`.
    pub number: u64,
    /// When it was captured, since 1970-01-01 00:00 UTC. A time before that reads as zero; a frame without a time (pcapng's simple
    /// packet block) has that of the frame before it.
    pub time: Duration,
    /// What its first bytes are.
    pub link: LinkType,
    /// Its length on the wire, in bytes. More than `bytes` has where a snap length cut it.
    pub wire_len: u32,
    /// What was captured, from the link layer's header on.
    pub bytes: &'a [u8],
}

/// Reads the frames of one capture, in the order of the file.
#[derive(Debug)]
pub struct Reader {
    name: String,
    window: Window,
    format: Format,
    frames: u64,
    last_time: Duration,
    warnings: Warnings,
    ended: bool,
}

impl Reader {
    /// Starts to read a capture. `name` is what [`Reader::name`] gives back, for messages.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Empty`], [`CaptureError::NotACapture`], [`CaptureError::HeaderCut`] and [`CaptureError::UnknownVersion`] where
    /// the source does not begin as a capture does; [`CaptureError::Io`] and [`CaptureError::Gzip`] where it cannot be read.
    pub fn new(source: impl Read + Send + 'static, name: impl Into<String>) -> Result<Self, CaptureError> {
        let mut window = Window::new(source)?;
        window.want(4)?;
        let format = match window.rest().first_chunk() {
            Some(&pcapng::SECTION) => Format::PcapNg(PcapNg::open(&mut window)?),
            Some(&magic) => Format::Pcap(Pcap::open(magic, &mut window)?),
            None if window.rest().is_empty() => return Err(CaptureError::Empty),
            None => {
                return Err(CaptureError::NotACapture { begins: window.rest().to_vec() });
            }
        };
        Ok(Self {
            name: name.into(),
            window,
            format,
            frames: 0,
            last_time: Duration::ZERO,
            warnings: Warnings::default(),
            ended: false,
        })
    }

    /// The next frame, or `None` after the last one. Its bytes are valid until the next call.
    ///
    /// # Errors
    ///
    /// Where the file is damaged or cannot be read, see [`CaptureError`]. Nothing can be read after an error: every later call
    /// returns `None`.
    #[expect(
        clippy::should_implement_trait,
        reason = "a frame borrows from its reader, which an Iterator's items cannot"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        if self.ended {
            return Ok(None);
        }
        let step = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.window),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.window),
        };
        let record = match step {
            Ok(Step::Record(record)) => record,
            Ok(Step::Cut { offset, need }) => {
                self.ended = true;
                self.warnings.cut = Some(Cut {
                    number: self.frames.saturating_add(1),
                    offset,
                    need,
                    found: self.window.read().saturating_sub(offset),
                });
                self.warnings.gzip_cut = self.window.gzip_cut();
                return Ok(None);
            }
            Ok(Step::End) => {
                self.ended = true;
                self.warnings.gzip_cut = self.window.gzip_cut();
                return Ok(None);
            }
            Err(error) => {
                self.ended = true;
                return Err(error);
            }
        };
        self.frames = self.frames.saturating_add(1);
        self.last_time = record.time.unwrap_or(self.last_time);
        let frame = Frame {
            number: self.frames,
            time: self.last_time,
            link: record.link,
            wire_len: record.wire_len,
            bytes: self.window.get(record.bytes),
        };
        self.warnings.note(&frame, record.time.is_some());
        Ok(Some(frame))
    }

    /// What is missing from the capture, as far as it has been read.
    #[must_use]
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// The name that [`Reader::new`] was given; the path, for [`open`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// What a format finds where the window stands.
enum Step {
    Record(Record),
    /// The file ended inside the record that began at `offset` and has `need` bytes.
    Cut {
        offset: u64,
        need: u64,
    },
    End,
}

struct Record {
    time: Option<Duration>,
    link: LinkType,
    wire_len: u32,
    /// Where the frame lies in the window.
    bytes: Range<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A capture of `left` more bytes, all of it records of 1,000 bytes, that is nowhere in memory.
    struct Endless {
        record: Vec<u8>,
        at: usize,
        left: usize,
    }

    fn endless(claimed: u32, left: usize) -> impl Read {
        let mut header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        header.resize(20, 0);
        header.extend([1, 0, 0, 0]);
        let mut record = vec![0; 8];
        record.extend(claimed.to_le_bytes());
        record.extend(claimed.to_le_bytes());
        record.resize(1016, 0xab);
        std::io::Cursor::new(header).chain(Endless { record, at: 0, left })
    }

    impl Read for Endless {
        fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
            let some = &self.record[self.at..];
            let count = some.len().min(room.len()).min(self.left);
            room[..count].copy_from_slice(&some[..count]);
            self.at = (self.at + count) % self.record.len();
            self.left -= count;
            Ok(count)
        }
    }

    #[test]
    fn memory_is_flat_in_the_files_size() {
        let mut reader = Reader::new(endless(1000, 64 << 20), "endless").unwrap();
        let before = reader.window.held();
        while reader.next().unwrap().is_some() {}
        assert_eq!(reader.frames, (64 << 20) / 1016);
        assert_eq!(reader.window.held(), before);
    }

    #[test]
    fn memory_grows_with_what_is_there_not_with_what_is_claimed() {
        let mut reader = Reader::new(endless(MOST_BYTES - 16, 10_160), "short").unwrap();
        let before = reader.window.held();
        assert_eq!(reader.next().unwrap(), None);
        assert_eq!(reader.warnings().cut, Some(Cut { number: 1, offset: 24, need: 16 << 20, found: 10_160 }));
        assert_eq!(reader.window.held(), before);

        let mut reader = Reader::new(endless(MOST_BYTES - 16, 64 << 20), "long").unwrap();
        while reader.next().is_ok_and(|frame| frame.is_some()) {}
        assert!(reader.window.held() <= MOST_BYTES as usize);
    }

    #[test]
    fn the_name_is_kept_for_messages() {
        assert_eq!(Reader::new(endless(1000, 0), "n2.pcap").unwrap().name(), "n2.pcap");
    }

    #[test]
    fn reading_on_after_a_failure_gives_nothing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("broken"))
            }
        }
        let mut reader = Reader::new(endless(1000, 1016).chain(Broken), "broken").unwrap();
        assert!(reader.next().unwrap().is_some());
        assert!(matches!(reader.next(), Err(CaptureError::Io { offset: 1040, .. })));
        assert!(matches!(reader.next(), Ok(None)));
    }
}
