//! What a capture lacks without being unreadable.

use super::Frame;
use crate::link::LinkType;

/// What a capture lacks, as far as it has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings {
    /// The record that the file ends in the middle of.
    pub cut: Option<Cut>,
    /// The file ends inside its gzip wrapping.
    pub gzip_cut: bool,
    /// Frames that are shorter than they were on the wire.
    pub truncated: u64,
    /// Frames of a link type that is not known: [`LinkType::Other`].
    pub unknown_link: u64,
    /// The first such link type.
    pub first_unknown_link: Option<u32>,
    /// Frames without a time of their own.
    pub untimed: u64,
}

/// The record, or pcapng block, that the file ends in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The number that its frame would have had.
    pub number: u64,
    /// Where it begins, in bytes from the beginning of the file (unpacked).
    pub offset: u64,
    /// The bytes it has; of its header alone, where not even that is there.
    pub need: u64,
    /// The bytes that are there.
    pub found: u64,
}

impl Warnings {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is missing, one sentence each, for people.
    pub fn messages(&self) -> impl Iterator<Item = String> {
        let cut = self.cut.map(|Cut { number, offset, need, found }| {
            format!("the file ends inside the record of frame {number}: it begins at byte {offset} and has {found} of {need} bytes")
        });
        let gzip = self.gzip_cut.then(|| "the file ends inside its gzip data".to_owned());
        let truncated = count(self.truncated, "cut by the capture's snap length");
        let link = self
            .first_unknown_link
            .and_then(|first| count(self.unknown_link, &format!("of an unknown link type (the first: {first})")));
        let untimed = count(self.untimed, "without a time; given that of the frame before");
        [cut, gzip, truncated, link, untimed].into_iter().flatten()
    }

    pub(super) fn note(&mut self, frame: &Frame<'_>, timed: bool) {
        if (frame.bytes.len() as u64) < u64::from(frame.wire_len) {
            self.truncated = self.truncated.saturating_add(1);
        }
        if let LinkType::Other(number) = frame.link {
            self.unknown_link = self.unknown_link.saturating_add(1);
            self.first_unknown_link.get_or_insert(number);
        }
        if !timed {
            self.untimed = self.untimed.saturating_add(1);
        }
    }
}

fn count(frames: u64, what: &str) -> Option<String> {
    match frames {
        0 => None,
        1 => Some(format!("1 frame {what}")),
        more => Some(format!("{more} frames {what}")),
    }
}
