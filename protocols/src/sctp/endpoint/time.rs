//! Points in time, as the caller counts them.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// Microseconds since a moment of the caller's choice; it never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(u64);

impl Time {
    /// The moment from which the caller counts.
    pub const ZERO: Self = Self(0);
    /// Later than any other: a timer that does not run.
    pub(super) const NEVER: Self = Self(u64::MAX);

    /// The moment `micros` microseconds after [`Time::ZERO`].
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since [`Time::ZERO`].
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The moment `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }

    /// How long after `earlier` this is; zero where it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// Whether a timer set to this moment runs.
    pub(super) fn is_set(self) -> bool {
        self != Self::NEVER
    }
}

/// A duration in microseconds; those of half a million years are all alike.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Where an association's own time begins on the endpoint's clock. Everything in an association
/// counts from there, so that it can go on under another clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch(u64);

impl Epoch {
    /// Such that `now` is `age` after it.
    pub(super) fn new(now: Time, age: Time) -> Self {
        Self(now.0.wrapping_sub(age.0))
    }

    pub(super) fn local(self, now: Time) -> Time {
        Time(now.0.wrapping_sub(self.0))
    }

    pub(super) fn global(self, local: Time) -> Time {
        if local.is_set() { Time(self.0.wrapping_add(local.0)) } else { local }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_association_keeps_its_age_under_another_clock() {
        let here = Epoch::new(Time(1_000), Time::ZERO);
        let age = here.local(Time(1_500));
        let there = Epoch::new(Time(7), age);
        assert_eq!(there.local(Time(8)), Time(501));
        assert_eq!(there.global(Time(501)), Time(8));
        assert_eq!(there.global(Time::NEVER), Time::NEVER);
    }
}
