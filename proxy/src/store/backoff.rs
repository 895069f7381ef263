use std::time::Duration;

use pinion_steering::mix;

/// How long to wait before it is tried again: twice as long each time, up to a bound, and of that by chance between
/// half and all, so that nodes which lost a store together do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    failures: u32,
    random: u32,
}

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

impl Backoff {
    /// One that draws from `seed`.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self { failures: 0, random: seed }
    }

    /// It failed: how long to wait.
    pub fn wait(&mut self) -> Duration {
        let most = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.random = mix(self.random, self.failures);
        let part = f64::from(self.random) / f64::from(u32::MAX);
        most.mul_f64(0.5 + part / 2.0)
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_a_bound_and_differs_by_seed() {
        let waits = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..40).map(|_| backoff.wait()).collect::<Vec<_>>()
        };
        for (failure, wait) in waits(7).into_iter().enumerate() {
            let most = FIRST.saturating_mul(1 << failure.min(10)).min(LONGEST);
            assert!(wait >= most / 2 && wait <= most, "{failure}: {wait:?}");
        }
        assert_ne!(waits(7), waits(8));
        let mut backoff = Backoff::new(1);
        backoff.wait();
        backoff.wait();
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }
}
