//! How a next hop has done lately: failures in a row, then probation.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::settings::Retries;

/// What is known of one next hop.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Whether there is anything in the state: as a rule there is not, and nobody needs the lock.
    troubled: AtomicBool,
    state: Mutex<State>,
    answered: AtomicU64,
    failed: AtomicU64,
}

/// What a next hop did since it was met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Attempts that it answered, whatever it said.
    pub answered: u64,
    /// Attempts that it did not answer.
    pub failed: u64,
    /// Whether it did not answer the last.
    pub failing: bool,
    /// Whether it is on probation.
    pub bad: bool,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
}

/// Whether a next hop is to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As any other.
    Good,
    /// Only where there is nobody else.
    Bad,
}

impl Health {
    /// It answered, whatever it said.
    pub(super) fn succeeded(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if self.troubled.load(Ordering::Relaxed) {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            *state = State::default();
            self.troubled.store(false, Ordering::Relaxed);
        }
    }

    /// Attempts that it answered.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// It did not answer.
    pub(super) fn failed(&self, now: Instant, retries: &Retries) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.troubled.store(true, Ordering::Relaxed);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= retries.failures {
            state.until = now.checked_add(retries.probation);
        }
    }

    /// What it did; to be told, and nothing changes by it.
    #[must_use]
    pub(super) fn done(&self, now: Instant) -> Done {
        let (failures, until) = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            (state.failures, state.until)
        };
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (failing, bad) = (failures > 0, until.is_some_and(|until| now < until));
        Done { answered: count(&self.answered), failed: count(&self.failed), failing, bad }
    }

    /// Whether it is to be chosen. When its probation is over, one caller of those that may try it is told that it is good, and by
    /// what becomes of that call it stays or does not.
    #[must_use]
    pub(super) fn standing(&self, now: Instant, tries: bool, retries: &Retries) -> Standing {
        if !self.troubled.load(Ordering::Relaxed) {
            return Standing::Good;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.until {
            None => Standing::Good,
            Some(until) if now < until || !tries => Standing::Bad,
            Some(_) => {
                state.until = now.checked_add(retries.probation);
                Standing::Good
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn failures_in_a_row_are_followed_by_probation() {
        let retries = Retries { failures: 2, probation: Duration::from_secs(10), ..Retries::default() };
        let health = Health::default();
        let now = Instant::now();
        health.failed(now, &retries);
        health.succeeded();
        health.failed(now, &retries);
        let standing = |now, tries| health.standing(now, tries, &retries);
        assert_eq!(standing(now, true), Standing::Good);
        health.failed(now, &retries);
        assert_eq!(standing(now, true), Standing::Bad);
        let after = now + Duration::from_secs(10);
        let asked = [false, true, true].map(|tries| standing(after, tries));
        assert_eq!(asked, [Standing::Bad, Standing::Good, Standing::Bad], "one tries it");
        assert_eq!(health.done(after), Done { answered: 1, failed: 3, failing: true, bad: true });
        health.succeeded();
        assert_eq!(standing(after, false), Standing::Good);
        assert_eq!(health.done(after), Done { answered: 2, failed: 3, failing: false, bad: false });
    }
}
