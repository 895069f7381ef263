//! Waiting for what happens in its own time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time from one look to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until something has happened.
///
/// # Panics
///
/// Where it has not within `patience`.
#[track_caller]
pub fn wait_for(patience: Duration, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + patience;
    while !done() {
        assert!(Instant::now() < end, "it did not happen within {patience:?}");
        sleep(PAUSE);
    }
}
