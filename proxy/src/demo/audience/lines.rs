//! What happens, a line each, where there is no terminal.

use std::io::Write;

use super::{Audience, Event, Picture};
use crate::demo::error::DemoError;

/// Writes lines.
pub(crate) struct Lines<W>(pub(crate) W);

impl<W: Write> Audience for Lines<W> {
    fn hear(&mut self, event: &Event) -> Result<(), DemoError> {
        line(&mut self.0, event).map_err(DemoError::system("write"))
    }

    fn see(&mut self, _picture: &Picture) -> Result<(), DemoError> {
        Ok(())
    }
}

/// One line: when, what kind of thing, what.
pub(crate) fn line(out: &mut impl Write, event: &Event) -> std::io::Result<()> {
    let Event { at, kind, text } = event;
    let tenths = at.as_micros() / 100_000;
    writeln!(out, "{:>4}.{} s  {:<5}  {text}", tenths / 10, tenths % 10, kind.word())?;
    out.flush()
}
