//! What is wrong in a configuration, and what is odd: where, what, and what would be right.

use std::fmt;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// From 1, in characters.
    pub(super) column: u64,
}

impl Place {
    /// The beginning of a file.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// Something wrong, or odd, in a configuration: where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mistake {
    at: Place,
    what: String,
}

impl Mistake {
    pub(super) fn new(at: Place, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.at.line
    }

    /// The column, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> u64 {
        self.at.column
    }

    /// What is wrong; what would be right follows a semicolon.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.at.line, self.at.column, self.what)
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
}

impl Wrong {
    /// Something that a configuration is refused for.
    pub(super) fn mistake(&mut self, at: Place, what: impl Into<String>) {
        self.mistakes.push(Mistake::new(at, what));
    }

    /// Something odd that works.
    pub(super) fn warning(&mut self, at: Place, what: impl Into<String>) {
        self.warnings.push(Mistake::new(at, what));
    }

    /// Warnings, or every mistake, each once and in the order of the file.
    pub(super) fn end(mut self) -> Result<Vec<Mistake>, Vec<Mistake>> {
        for list in [&mut self.mistakes, &mut self.warnings] {
            list.sort();
            list.dedup();
        }
        if self.mistakes.is_empty() { Ok(self.warnings) } else { Err(self.mistakes) }
    }
}
