//! Counts of responses, whole and of one service.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use crate::cause::Cause;
use crate::clock::micros;

/// Bounds of the times that are told apart, in microseconds; beyond the last is one place more.
pub const BOUNDS: [u64; 12] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// Statuses from 100 on; others are none (RFC 9110 15).
const STATUSES: usize = 500;

/// What was counted since the SCP began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Responses by status, those that there were any of.
    pub statuses: Vec<(u16, u64)>,
    /// Answers of the SCP's own by cause, those that there were any of.
    pub causes: Vec<(Cause, u64)>,
    /// Requests whose client did not wait for the response.
    pub cancelled: u64,
    /// Responses by the time from a request's headers to theirs: up to each of [`BOUNDS`], and beyond the last; each
    /// once.
    pub times: [u64; BOUNDS.len() + 1],
    /// All these times together, in microseconds.
    pub spent: u64,
    /// Requests that whoever writes them down did not take in time.
    pub untold: u64,
}

#[derive(Debug)]
pub(super) struct Atomic {
    statuses: [AtomicU64; STATUSES],
    causes: [AtomicU64; Cause::ALL.len()],
    cancelled: AtomicU64,
    times: [AtomicU64; BOUNDS.len() + 1],
    spent: AtomicU64,
}

impl Default for Atomic {
    fn default() -> Self {
        Self {
            statuses: [const { AtomicU64::new(0) }; STATUSES],
            causes: [const { AtomicU64::new(0) }; Cause::ALL.len()],
            cancelled: AtomicU64::default(),
            times: [const { AtomicU64::new(0) }; BOUNDS.len() + 1],
            spent: AtomicU64::default(),
        }
    }
}

impl Atomic {
    pub(super) fn add(&self, status: Option<StatusCode>, cause: Option<Cause>, took: Duration) {
        let Some(status) = status else {
            self.cancelled.fetch_add(1, Ordering::Relaxed);
            return;
        };
        one_more(self.statuses.get(usize::from(status.as_u16()).saturating_sub(100)));
        one_more(cause.and_then(|cause| self.causes.get(cause as usize)));
        let micros = micros(took);
        one_more(self.times.get(BOUNDS.partition_point(|bound| *bound < micros)));
        self.spent.fetch_add(micros, Ordering::Relaxed);
    }

    /// What several counted together; `untold` is none of it.
    pub(super) fn sum(of: &[&Self]) -> Counts {
        let sum = |count: &dyn Fn(&Self) -> Option<&AtomicU64>| -> u64 {
            of.iter().filter_map(|it| count(it)).map(|it| it.load(Ordering::Relaxed)).sum()
        };
        let statuses = (100..).zip((0..STATUSES).map(|at| sum(&|it| it.statuses.get(at))));
        let causes = Cause::ALL.iter().copied().map(|cause| (cause, sum(&|it| it.causes.get(cause as usize))));
        Counts {
            statuses: statuses.filter(|(_, count)| *count > 0).collect(),
            causes: causes.filter(|(_, count)| *count > 0).collect(),
            cancelled: sum(&|it| Some(&it.cancelled)),
            times: std::array::from_fn(|at| sum(&|it| it.times.get(at))),
            spent: sum(&|it| Some(&it.spent)),
            untold: 0,
        }
    }
}

fn one_more(count: Option<&AtomicU64>) {
    if let Some(count) = count {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_response_is_counted_in_one_place_of_each() {
        let atomic = Atomic::default();
        for (status, cause, micros) in [
            (200, None, 0),
            (200, None, 500),
            (504, Some(Cause::TargetNfNotReachable), 501),
            (599, Some(Cause::InvalidApi), 5_000_001),
        ] {
            atomic.add(StatusCode::from_u16(status).ok(), cause, Duration::from_micros(micros));
        }
        atomic.add(None, None, Duration::from_secs(1));
        let counts = Atomic::sum(&[&atomic]);
        assert_eq!(counts.statuses, [(200, 2), (504, 1), (599, 1)]);
        assert_eq!(counts.causes, [(Cause::InvalidApi, 1), (Cause::TargetNfNotReachable, 1)]);
        assert_eq!((counts.cancelled, counts.spent), (1, 5_001_002));
        assert_eq!((counts.times[0], counts.times[1], counts.times[12]), (2, 1, 1));
        assert_eq!(counts.times.iter().sum::<u64>(), 4);
    }
}
