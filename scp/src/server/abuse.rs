//! Clients that ask only to take it back (rapid reset, CVE-2023-44487).

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A request that was taken back sooner costs its client.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// What a client has taken back, over what it let be answered.
#[derive(Debug, Default)]
pub(super) struct Resets {
    over: AtomicI64,
}

impl Resets {
    /// A request was answered.
    pub(super) fn answered(&self) {
        if self.over.load(Ordering::Relaxed) > 0 {
            self.over.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A request was taken back.
    pub(super) fn reset(&self, after: Duration) {
        if after < SOON {
            self.over.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether there were more than a client may have that gives up all it has asked, several times over.
    pub(super) fn too_many(&self, streams: u32) -> bool {
        self.over.load(Ordering::Relaxed) > i64::from(streams) * 4
    }
}
