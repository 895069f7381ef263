//! What retries there may be, so that they never multiply load (TS 29.500 5.2.8).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::settings::Retries;

/// How many retries there may be for the requests there are. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    state: Arc<Mutex<Tokens>>,
    attempts: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Tokens {
    /// What is left of what requests earned, in hundredths of a retry: in these seconds, and in those before.
    earned: u64,
    before: u64,
    /// When these seconds began.
    since: Option<Instant>,
    spare: u64,
    filled: Option<Instant>,
}

impl Budget {
    /// A request earns part of a retry, for as long as what comes of a producer that fails may take.
    pub(super) fn earn(&self, now: Instant, retries: &Retries) {
        let mut tokens = self.lock();
        tokens.turn(now);
        tokens.earned = tokens.earned.saturating_add(u64::from(retries.budget));
    }

    /// Takes a retry, where there is one.
    pub(super) fn spend(&self, now: Instant, retries: &Retries) -> bool {
        let mut tokens = self.lock();
        tokens.turn(now);
        let full = tokens.filled.is_none_or(|it| now.saturating_duration_since(it) >= Duration::from_secs(1));
        if full {
            tokens.spare = u64::from(retries.spare);
            tokens.filled = Some(now);
        }
        let tokens = &mut *tokens;
        for (left, price) in [(&mut tokens.before, 100), (&mut tokens.earned, 100), (&mut tokens.spare, 1)] {
            if let Some(rest) = left.checked_sub(price) {
                *left = rest;
                return true;
            }
        }
        false
    }

    /// So many attempts more were made beside the first of a request.
    pub(super) fn tried(&self, more: u64) {
        self.attempts.fetch_add(more, Ordering::Relaxed);
    }

    /// How many attempts there were beside the first of each request.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Gives a retry back that nobody was asked by.
    pub(super) fn refund(&self) {
        let mut tokens = self.lock();
        tokens.spare = tokens.spare.saturating_add(1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    /// What was earned is kept for these seconds and the next.
    fn turn(&mut self, now: Instant) {
        let passed = self.since.map_or(KEPT, |since| now.saturating_duration_since(since));
        if passed < KEPT {
            return;
        }
        let earned = std::mem::take(&mut self.earned);
        self.before = if passed < KEPT * 2 { earned } else { 0 };
        self.since = Some(now);
    }
}

/// How long what was earned is kept at least.
const KEPT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_of_requests_and_a_few_a_second() {
        let budget = Budget::default();
        let retries = Retries { budget: 20, spare: 2, ..Retries::default() };
        let now = Instant::now();
        for _ in 0..10 {
            budget.earn(now, &retries);
        }
        let spent = |at| (0..10).filter(|_| budget.spend(at, &retries)).count();
        assert_eq!(spent(now), 2 + 2);
        assert_eq!(spent(now + Duration::from_millis(500)), 0);
        assert_eq!(spent(now + Duration::from_secs(1)), 2);
    }

    /// All that were under way at one that dies come for theirs at once.
    #[test]
    fn what_requests_earned_is_there_for_some_seconds() {
        let retries = Retries { budget: 20, spare: 0, ..Retries::default() };
        for (later, left) in [(0, 200), (4, 200), (9, 200), (10, 0)] {
            let (budget, now) = (Budget::default(), Instant::now());
            for _ in 0..1_000 {
                budget.earn(now, &retries);
            }
            let then = now + Duration::from_secs(later);
            assert_eq!((0..1_000).filter(|_| budget.spend(then, &retries)).count(), left, "{later}");
        }
    }
}
