//! What may be buffered of content over all connections together (RFC 9113 5.2).
//!
//! A window is a promise that cannot be taken back, and how much of it lies in a connection unread is nobody's to see: so it is
//! promises that are bounded. Each connection begins with the least that HTTP/2 allows, and gets the windows of the settings
//! while those of all are within the limit. Where they are not, its peers send as much as fits into small ones, and no request
//! fails. Beside that there is what waits until a peer's system takes it, so much of each stream, and what HTTP/1.1 brings.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::settings::Limits;

/// The window of a connection that nobody can make smaller, and that of its streams before they are told (RFC 9113 6.9.2): who
/// sends at once, and learns then that it sent too much, may not know what to do.
const LEAST: u32 = 65_535;

/// Octets that wait on one stream until its peer's system takes them.
pub(crate) const SENT: usize = 65_536;

/// What is promised over all connections, beyond the least. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    promised: Arc<AtomicUsize>,
}

/// What one connection may promise, until it ends.
#[derive(Debug)]
pub(crate) struct Share {
    of: Windows,
    octets: usize,
}

impl Windows {
    /// Octets that are promised.
    #[must_use]
    pub fn promised(&self) -> usize {
        self.promised.load(Ordering::Relaxed)
    }

    /// What a connection needs for the windows of the settings; none where that is beyond the limit.
    pub(crate) fn share(&self, limits: &Limits) -> Option<Share> {
        let octets = limits.connection_window.saturating_sub(LEAST) as usize;
        let more = |promised: usize| promised.checked_add(octets).filter(|it| *it <= limits.buffered);
        self.promised.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Share { of: self.clone(), octets })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.promised.fetch_sub(self.octets, Ordering::Relaxed);
    }
}

/// The windows of a stream and of its connection, by whether it has its share.
pub(crate) fn sizes(limits: &Limits, share: Option<&Share>) -> (u32, u32) {
    match share {
        Some(_) => (limits.stream_window, limits.connection_window.max(LEAST)),
        None => (limits.stream_window.min(LEAST), LEAST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_is_promised_and_no_more() {
        let limits = Limits { connection_window: LEAST + 100, buffered: 250, ..Limits::default() };
        let windows = Windows::default();
        let mut shares: Vec<_> = (0..3).map(|_| windows.share(&limits)).collect();
        assert_eq!(shares.iter().filter(|it| it.is_some()).count(), 2);
        assert_eq!(sizes(&limits, shares[2].as_ref()), (limits.stream_window.min(LEAST), LEAST));
        assert_eq!(sizes(&limits, shares[0].as_ref()), (limits.stream_window, LEAST + 100));
        shares.remove(0);
        assert_eq!(windows.promised(), 100);
        assert!(windows.share(&limits).is_some());
    }
}
