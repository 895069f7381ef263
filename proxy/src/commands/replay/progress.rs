//! A line on the terminal while a long capture is read.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many packets there are between two looks at the clock.
const STRIDE: u64 = 1 << 14;
const PERIOD: Duration = Duration::from_millis(250);

/// Tells how far a capture was read, on standard error, where that is a terminal.
pub(super) struct Progress {
    enabled: bool,
    /// When the line was last written, or the work began.
    last: Instant,
    shown: bool,
}

impl Progress {
    pub(super) fn new(enabled: bool) -> Self {
        Self { enabled, last: Instant::now(), shown: false }
    }

    pub(super) fn tell(&mut self, action: &str, path: &Path, packets: u64) {
        if !self.enabled || !packets.is_multiple_of(STRIDE) || self.last.elapsed() < PERIOD {
            return;
        }
        // Whoever closed standard error does not miss it.
        let _ = write!(std::io::stderr(), "\r\x1b[K{action} {}: {packets} packets", path.display());
        self.last = Instant::now();
        self.shown = true;
    }

    /// Takes the line away, before something else is written.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
