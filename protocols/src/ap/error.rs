//! The ways in which a message can be wrong.

use core::fmt;

use super::Protocol;

/// Why octets are not the value that they should be. Offsets count from the first octet of the message; of a value that is read from fragments
/// put together, as if the lengths between them were not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// They end before what is wanted.
    Cut {
        /// Where the octet would be that is not there.
        offset: usize,
    },
    /// A criticality is none of the three that there are.
    Criticality {
        /// Where it is.
        offset: usize,
    },
    /// A length counts units of 16 K, and neither one nor up to four of them (X.691 11.9.3.8).
    Fragment {
        /// Where the length is.
        offset: usize,
    },
    /// The value is in fragments, and is read in one piece.
    Fragmented {
        /// Where its first length is.
        offset: usize,
    },
    /// A number, or that of an alternative, is not one that its type has.
    Range {
        /// Where it is.
        offset: usize,
    },
    /// An alternative of a newer release.
    Newer {
        /// Where the value begins.
        offset: usize,
    },
    /// Characters that a text cannot have.
    Text {
        /// Where the text is.
        offset: usize,
    },
}

impl Wrong {
    /// Where in the message it is, in bytes.
    pub fn offset(&self) -> usize {
        match *self {
            Self::Cut { offset }
            | Self::Criticality { offset }
            | Self::Fragment { offset }
            | Self::Fragmented { offset }
            | Self::Range { offset }
            | Self::Newer { offset }
            | Self::Text { offset } => offset,
        }
    }
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error<P: Protocol> {
    /// The message is none of the three kinds that there are.
    Choice {
        /// Where it says so.
        offset: usize,
        /// Extension bit and index.
        choice: u8,
    },
    /// The message itself, around its elements.
    Frame(Wrong),
    /// The value of an element.
    Element {
        /// The element.
        kind: P::ElementType,
        /// What is wrong in it.
        wrong: Wrong,
    },
    /// An element that the message must have is not there.
    Missing {
        /// The element.
        kind: P::ElementType,
    },
    /// What was to be written does not fit.
    Unfit(Unfit),
}

impl<P: Protocol> Error<P> {
    /// Where in the message it is wrong, in bytes; 0 of what is not there.
    pub fn offset(&self) -> usize {
        match self {
            Self::Choice { offset, .. } => *offset,
            Self::Frame(wrong) | Self::Element { wrong, .. } => wrong.offset(),
            Self::Missing { .. } | Self::Unfit(_) => 0,
        }
    }
}

impl<P: Protocol> From<Wrong> for Error<P> {
    fn from(wrong: Wrong) -> Self {
        Self::Frame(wrong)
    }
}

impl<P: Protocol> From<Unfit> for Error<P> {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

impl<P: Protocol> fmt::Display for Error<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = P::NAME;
        match self {
            Self::Choice { offset, choice } => {
                write!(f, "{protocol} PDU at offset {offset}: there is no kind {choice}")
            }
            Self::Frame(wrong) => write!(f, "{protocol} message {wrong}"),
            Self::Element { kind, wrong } => write!(f, "{protocol} {kind} {wrong}"),
            Self::Missing { kind } => write!(f, "{protocol} message: {kind} is missing"),
            Self::Unfit(unfit) => write!(f, "{protocol} message: {unfit}"),
        }
    }
}

impl<P: Protocol> core::error::Error for Error<P> {}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Cut { .. } => "it ends there",
            Self::Criticality { .. } => "there is no fourth criticality",
            Self::Fragment { .. } => "a fragment is not 16 K to 64 K",
            Self::Fragmented { .. } => "it is in fragments",
            Self::Range { .. } => "a number is out of range",
            Self::Newer { .. } => "an alternative of a newer release",
            Self::Text { .. } => "no such text",
        };
        write!(f, "at offset {}: {what}", self.offset())
    }
}

/// Why a value cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A number is larger than its type has.
    Number {
        /// The number.
        number: u64,
        /// The largest that there is.
        most: u64,
    },
    /// A list or a text is empty, or longer than its type has.
    Count {
        /// How long it is.
        count: usize,
        /// The longest that there is.
        most: usize,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { number, most } => write!(f, "{number} is more than {most}"),
            Self::Count { count, most } => write!(f, "{count} of a list of 1 to {most}"),
        }
    }
}

impl core::error::Error for Unfit {}
