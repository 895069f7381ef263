//! Writes captures: pcapng, one Ethernet interface with a clock of nanoseconds, a comment on each packet where there is one to make.

use std::io::{self, Write};
use std::time::Duration;

const SECTION: u32 = 0x0a0d_0d0a;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
const ETHERNET: u16 = 1;

const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const TIME_RESOLUTION: u16 = 9;

/// Type and total length at the beginning, total length at the end.
const FRAMING: usize = 12;

/// Why a frame is not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Writing failed.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),

    /// The time does not fit 64 bits of nanoseconds: it is after the year 2554.
    #[error("a capture cannot hold the time of {} seconds after 1970", .0.as_secs())]
    Time(Duration),

    /// The frame, with its comment, does not fit 32 bits of length.
    #[error("a capture cannot hold a frame of {0} bytes")]
    Length(usize),
}

/// Writes one capture to `W`, a block at a time; nothing is kept. Give it a buffered `W`.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    block: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a capture.
    ///
    /// # Errors
    ///
    /// [`WriteError::Io`].
    pub fn new(out: W) -> Result<Self, WriteError> {
        let mut writer = Self { out, block: Vec::new() };
        writer.begin(SECTION);
        writer.put(&BYTE_ORDER.to_le_bytes());
        writer.put(&1u16.to_le_bytes());
        writer.put(&0u16.to_le_bytes());
        // How long the section is, is not known.
        writer.put(&u64::MAX.to_le_bytes());
        writer.option(APPLICATION, b"pinion");
        writer.option(END_OF_OPTIONS, b"");
        writer.end()?;

        writer.begin(INTERFACE);
        writer.put(&ETHERNET.to_le_bytes());
        writer.put(&0u16.to_le_bytes());
        // No snap length.
        writer.put(&0u32.to_le_bytes());
        writer.option(TIME_RESOLUTION, &[9]);
        writer.option(END_OF_OPTIONS, b"");
        writer.end()?;
        Ok(writer)
    }

    /// Writes an Ethernet frame: when it was seen (since 1970-01-01 00:00 UTC), how long it was on the wire (never less than what is
    /// written), what there is of it, and a remark, of which the first 65,535 bytes are kept.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; unless it is [`WriteError::Io`], nothing of the frame was written and the next one may follow.
    pub fn frame(
        &mut self,
        time: Duration,
        wire_len: u32,
        bytes: &[u8],
        comment: Option<&str>,
    ) -> Result<(), WriteError> {
        let time = u64::try_from(time.as_nanos()).map_err(|_| WriteError::Time(time))?;
        let captured = u32::try_from(bytes.len()).map_err(|_| WriteError::Length(bytes.len()))?;
        let [high, low] = [(time >> 32) as u32, time as u32];

        self.begin(PACKET);
        for field in [0, high, low, captured, wire_len.max(captured)] {
            self.put(&field.to_le_bytes());
        }
        self.put(bytes);
        self.pad();
        if let Some(comment) = comment {
            self.option(
                COMMENT,
                comment.get(..comment.floor_char_boundary(usize::from(u16::MAX))).unwrap_or_default().as_bytes(),
            );
            self.option(END_OF_OPTIONS, b"");
        }
        self.end()
    }

    /// Ends the capture and gives back what it was written to.
    ///
    /// # Errors
    ///
    /// [`WriteError::Io`] where what is buffered cannot be written.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.put(&kind.to_le_bytes());
        // The length, known at the end.
        self.put(&[0; 4]);
    }

    fn end(&mut self) -> Result<(), WriteError> {
        let len = self.block.len().saturating_add(4);
        let field = u32::try_from(len).map_err(|_| WriteError::Length(len.saturating_sub(FRAMING)))?.to_le_bytes();
        if let Some(place) = self.block.get_mut(4..8) {
            place.copy_from_slice(&field);
        }
        self.put(&field);
        self.out.write_all(&self.block)?;
        Ok(())
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.put(&code.to_le_bytes());
        self.put(&len.to_le_bytes());
        self.put(value.get(..usize::from(len)).unwrap_or_default());
        self.pad();
    }

    fn put(&mut self, bytes: &[u8]) {
        self.block.extend_from_slice(bytes);
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// Writes three frames and returns the capture.
    fn sample() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new()).unwrap();
        let long = "x".repeat(65_534) + "é";
        writer
            .frame(Duration::new(1_700_000_000, 123_456_789), 60, &[0xff; 60], Some("drop: no such service"))
            .unwrap();
        writer.frame(Duration::ZERO, 1500, &[1; 61], None).unwrap();
        writer.frame(Duration::new(18_446_744_073, 709_551_615), 3, &[1; 15], Some(&long)).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn tshark_reads_what_is_written() {
        let Ok(mut tshark) = Command::new("tshark")
            .args(["-r", "-", "-T", "fields", "-E", "separator=|"])
            .args([
                "-e",
                "frame.time_epoch",
                "-e",
                "frame.len",
                "-e",
                "frame.cap_len",
                "-e",
                "frame.encap_type",
                "-e",
                "frame.comment",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        else {
            println!("skipped: no tshark");
            return;
        };
        tshark.stdin.take().unwrap().write_all(&sample()).unwrap();
        let output = String::from_utf8(tshark.wait_with_output().unwrap().stdout).unwrap();
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines[..2], ["1700000000.123456789|60|60|1|drop: no such service", "0.000000000|1500|61|1|"]);
        assert_eq!(lines[2], format!("18446744073.709551615|15|15|1|{}", "x".repeat(65_534)));
    }

    #[test]
    fn what_a_capture_cannot_hold_is_refused_and_writing_goes_on() {
        let mut writer = Writer::new(Vec::new()).unwrap();
        let late = Duration::new(18_446_744_073, 709_551_616);
        assert!(matches!(writer.frame(late, 60, &[0; 60], None), Err(WriteError::Time(time)) if time == late));
        let before = writer.out.len();
        writer.frame(Duration::ZERO, 4, &[0; 4], None).unwrap();
        assert_eq!(writer.out.len() - before, 36);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let header = Writer::new(Vec::new()).unwrap().finish().unwrap().len();
        let mut room = vec![0; header + 60];
        let mut writer = Writer::new(room.as_mut_slice()).unwrap();
        assert!(matches!(writer.frame(Duration::ZERO, 60, &[0; 60], None), Err(WriteError::Io(_))));
    }
}
