//! How a next hop has done lately: failures in a row, then probation.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::settings::Retries;

/// What is known of one next hop.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
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
    pub fn succeeded(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failures != 0 {
            *state = State::default();
        }
    }

    /// It did not answer.
    pub fn failed(&self, now: Instant, retries: &Retries) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= retries.failures {
            state.until = now.checked_add(retries.probation);
        }
    }

    /// Whether it is to be chosen. When its probation is over, one caller is told that it is good, and by what becomes of that
    /// call it stays or does not.
    #[must_use]
    pub fn standing(&self, now: Instant, retries: &Retries) -> Standing {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.until {
            None => Standing::Good,
            Some(until) if now < until => Standing::Bad,
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
        assert_eq!(health.standing(now, &retries), Standing::Good);
        health.failed(now, &retries);
        assert_eq!(health.standing(now, &retries), Standing::Bad);
        let after = now + Duration::from_secs(10);
        assert_eq!(
            [health.standing(after, &retries), health.standing(after, &retries)],
            [Standing::Good, Standing::Bad]
        );
        health.succeeded();
        assert_eq!(health.standing(after, &retries), Standing::Good);
    }
}
