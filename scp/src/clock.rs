//! Times of day as headers and JSON have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pinion_protocols::sbi::Timestamp;

/// A time of day, to the millisecond; what is before 1970 is its beginning.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp { milliseconds: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) }
}

/// A span of time, as it is counted.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The time of day that a timestamp says; none where no clock can show it.
pub(crate) fn time(of: Timestamp) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(of.milliseconds))
}
