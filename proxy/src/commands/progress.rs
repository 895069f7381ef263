//! A line on the terminal while something takes long.

use std::fmt;
use std::io::{self, IsTerminal as _, Stderr, Write};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_millis(250);

/// Tells how far something is.
pub(super) struct Progress<W = Stderr> {
    out: Option<W>,
    /// When the line may be written next.
    next: Instant,
    shown: bool,
}

impl Progress {
    /// On standard error, where that is a terminal; what is done within `patience` needs no word.
    pub(super) fn on_terminal(now: Instant, patience: Duration) -> Self {
        let out = io::stderr();
        Self::new(out.is_terminal().then_some(out), now, patience)
    }
}

impl<W: Write> Progress<W> {
    /// Where there is nobody to be told, `out` is `None`.
    pub(super) fn new(out: Option<W>, now: Instant, patience: Duration) -> Self {
        Self { out, next: now + patience, shown: false }
    }

    pub(super) fn tell(&mut self, now: Instant, what: impl fmt::Display) {
        let Some(out) = &mut self.out else { return };
        if now < self.next {
            return;
        }
        // Whoever closed standard error does not miss it.
        let _ = write!(out, "\r\x1b[K{what}").and_then(|()| out.flush());
        self.next = now + PERIOD;
        self.shown = true;
    }

    /// Takes the line away, before something else is written.
    pub(super) fn clear(&mut self) {
        if let Some(out) = &mut self.out
            && std::mem::take(&mut self.shown)
        {
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_nothing_at_first_then_not_too_often_and_leaves_no_line() {
        let begin = Instant::now();
        let after = |millis| begin + Duration::from_millis(millis);
        let mut progress = Progress::new(Some(Vec::new()), begin, Duration::from_secs(1));
        progress.tell(after(999), "early");
        progress.clear();
        assert_eq!(progress.out.as_deref(), Some(&b""[..]));
        progress.tell(after(1000), "one");
        progress.tell(after(1249), "hasty");
        progress.tell(after(1250), "two");
        progress.clear();
        progress.clear();
        assert_eq!(progress.out.as_deref(), Some(&b"\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K"[..]));
    }
}
