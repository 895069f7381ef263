//! The ways in which a header's value can be wrong.

use core::fmt;

use super::Header;

/// Why bytes are not a header's value. Offsets count from the first byte of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A control character, or bytes that are not UTF-8.
    Character {
        /// The header.
        header: Header,
        /// Where it is.
        offset: usize,
    },
    /// The grammar asks for something else there.
    Expected {
        /// The header.
        header: Header,
        /// What should have been there.
        what: &'static str,
        /// Where.
        offset: usize,
    },
    /// A parameter's value is out of its range, or none of its type.
    Parameter {
        /// The header.
        header: Header,
        /// The parameter.
        name: &'static str,
        /// Where its value begins.
        offset: usize,
    },
    /// A parameter that must be there is not.
    Missing {
        /// The header.
        header: Header,
        /// The parameter.
        name: &'static str,
        /// Where the element without it ends.
        offset: usize,
    },
    /// A parameter that may be there once is there again.
    Repeated {
        /// The header.
        header: Header,
        /// The parameter.
        name: &'static str,
        /// Where it is again.
        offset: usize,
    },
    /// A value that should be JSON is not.
    Json {
        /// The header.
        header: Header,
        /// Where it is wrong.
        offset: usize,
    },
    /// The value is whole, and more follows.
    Trailing {
        /// The header.
        header: Header,
        /// Where it goes on.
        offset: usize,
    },
}

impl Error {
    /// The header that is wrong.
    pub fn header(&self) -> Header {
        self.place().0
    }

    /// Where in its value it is wrong, in bytes.
    pub fn offset(&self) -> usize {
        self.place().1
    }

    fn place(&self) -> (Header, usize) {
        match *self {
            Self::Character { header, offset }
            | Self::Expected { header, offset, .. }
            | Self::Parameter { header, offset, .. }
            | Self::Missing { header, offset, .. }
            | Self::Repeated { header, offset, .. }
            | Self::Json { header, offset }
            | Self::Trailing { header, offset } => (header, offset),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (header, offset) = self.place();
        write!(f, "{header} at offset {offset}: ")?;
        match *self {
            Self::Character { .. } => f.write_str("a character that no header may have"),
            Self::Expected { what, .. } => write!(f, "{what} should be there"),
            Self::Parameter { name, .. } => write!(f, "no value of {name}"),
            Self::Missing { name, .. } => write!(f, "{name} is missing"),
            Self::Repeated { name, .. } => write!(f, "{name} is there again"),
            Self::Json { .. } => f.write_str("no JSON"),
            Self::Trailing { .. } => f.write_str("more than one value"),
        }
    }
}

impl core::error::Error for Error {}
