//! What is printed and written of each packet.

use std::io::{self, Write};
use std::time::Duration;

use pinion_pcaps::capture::Frame;
use pinion_pcaps::replay::{Record, ReplayError, Step, Summary};
use pinion_steering::Verdict;

use super::table::{self, Row};
use super::{Args, Format};

/// Prints packets, then a summary.
pub(super) struct Output<W> {
    out: W,
    format: Format,
    coloured: bool,
    /// How many packets of each capture a table lists.
    most: u64,
    /// The capture's name, where there are several.
    file: Option<String>,
    several: bool,
    /// When the capture's first packet was captured.
    first: Option<Duration>,
    unlisted: u64,
}

/// Why a packet was not printed.
pub(super) enum Failed {
    Output(io::Error),
    Replay(ReplayError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<ReplayError> for Failed {
    fn from(error: ReplayError) -> Self {
        Self::Replay(error)
    }
}

impl<W: Write> Output<W> {
    pub(super) fn new(args: &Args, out: W, coloured: bool) -> Self {
        Self {
            out,
            format: args.format,
            coloured,
            most: args.packets,
            file: None,
            several: args.captures.len() > 1,
            first: None,
            unlisted: 0,
        }
    }

    /// Begins a capture.
    pub(super) fn begin(&mut self, name: &str) -> io::Result<()> {
        self.file = self.several.then(|| name.to_owned());
        self.first = None;
        self.unlisted = 0;
        match self.format {
            Format::Table if self.several => writeln!(self.out, "{name}:"),
            Format::Table | Format::Json => Ok(()),
        }
    }

    pub(super) fn step(&mut self, frame: &Frame<'_>, step: &Step<'_>) -> Result<(), Failed> {
        let first = *self.first.get_or_insert(frame.time);
        match self.format {
            Format::Json => {
                let record = Record::new(self.file.as_deref(), frame, step)?;
                serde_json::to_writer(&mut self.out, &record).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
            Format::Table if frame.number > self.most => {
                self.unlisted = self.unlisted.saturating_add(1);
            }
            Format::Table => {
                let row = Row {
                    frame: frame.number,
                    since: frame.time.saturating_sub(first),
                    verdict: step.verdict,
                    reason: step.reason.name(),
                    service: step.service(),
                    endpoint: step.endpoint(),
                    pin: step.pin()?.map(|pin| pin.to_string()),
                };
                table::row(&mut self.out, &row, self.coloured)?;
            }
        }
        Ok(())
    }

    /// Ends a capture.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match (self.format, self.unlisted) {
            (Format::Table, 0) => writeln!(self.out),
            (Format::Table, more) => {
                writeln!(self.out, "and {more} more; --packets all lists every one\n")
            }
            (Format::Json, _) => Ok(()),
        }
    }

    /// Ends the output.
    pub(super) fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        match self.format {
            Format::Table => table::summary(&mut self.out, summary, self.coloured),
            Format::Json => {
                let object = serde_json::json!({ "summary": summary });
                serde_json::to_writer(&mut self.out, &object).map_err(io::Error::from)?;
                self.out.write_all(b"\n")
            }
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The comment on a packet in the capture of what left; `None` where nothing left.
pub(super) fn remark(step: &Step<'_>) -> Result<Option<String>, ReplayError> {
    if step.verdict == Verdict::Drop {
        return Ok(None);
    }
    let mut remark = format!("{}: {}", step.verdict.name(), step.reason.name());
    let pin = step.pin()?.map(|pin| pin.to_string());
    for (name, value) in [("service", step.service()), ("endpoint", step.endpoint()), ("pin", pin.as_deref())] {
        if let Some(value) = value {
            remark.push_str(&format!("; {name} {value}"));
        }
    }
    Ok(Some(remark))
}
