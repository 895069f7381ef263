//! What the SCP does a second, and how long it took lately.

use std::collections::BTreeMap;
use std::time::Duration;

use pinion_scp::account::BOUNDS;

use super::Series;
use crate::control::SbiStats;

/// What the SCP does a second.
#[derive(Debug, Default)]
pub(in crate::commands::top) struct Sbi {
    requests: Series,
    errors: Series,
    retries: Series,
    producers: BTreeMap<String, (Series, Series)>,
    times: Vec<u64>,
    /// Responses since the reading before, by the time that they took.
    lately: Vec<u64>,
}

impl Sbi {
    pub(super) fn observe(&mut self, stats: Option<&SbiStats>, elapsed: Option<Duration>) {
        let Some(stats) = stats else { return *self = Self::default() };
        let all = |wanted: fn(u16) -> bool| stats.statuses.iter().filter(|it| wanted(it.0)).map(|it| it.1).sum();
        self.requests.observe(all(|_| true), elapsed);
        self.errors.observe(all(|status| status >= 500), elapsed);
        self.retries.observe(stats.retries, elapsed);
        let mut before = std::mem::take(&mut self.producers);
        for it in &stats.producers {
            let (mut answered, mut failed) = before.remove(&it.api_root).unwrap_or_default();
            answered.observe(it.answered, elapsed);
            failed.observe(it.failed, elapsed);
            self.producers.insert(it.api_root.clone(), (answered, failed));
        }
        let since = |(now, before): (&u64, &u64)| now.saturating_sub(*before);
        self.lately = stats.times.iter().zip(&self.times).map(since).collect();
        self.times.clone_from(&stats.times);
    }

    /// Responses, those of them with 5xx, and retries; none before two readings.
    pub(in crate::commands::top) fn all(&self) -> Option<[f64; 3]> {
        Some([self.requests.now()?, self.errors.now()?, self.retries.now()?])
    }

    /// What a producer answered and did not answer.
    pub(in crate::commands::top) fn producer(&self, api_root: &str) -> Option<[f64; 2]> {
        let (answered, failed) = self.producers.get(api_root)?;
        Some([answered.now()?, failed.now()?])
    }

    /// The time that so many percent of the responses since the reading before did not exceed: the bound of its class. None
    /// where there was no response; the longest bound at most.
    pub(in crate::commands::top) fn within(&self, percent: u64) -> Option<Duration> {
        let all: u64 = self.lately.iter().sum();
        let wanted = all.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0_u64;
        let class = self.lately.iter().position(|count| {
            seen = seen.saturating_add(*count);
            seen >= wanted
        })?;
        BOUNDS.get(class).or(BOUNDS.last()).map(|micros| Duration::from_micros(*micros))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    #[test]
    fn what_happened_since_the_reading_before() {
        let (mut sbi, mut stats) = (Sbi::default(), sample::sbi());
        sbi.observe(Some(&stats), None);
        assert_eq!((sbi.all(), sbi.within(50), sbi.producer("http://192.0.2.61:8000")), (None, None, None));
        stats.statuses = stats.statuses.iter().map(|(status, count)| (*status, count + 98)).collect();
        stats.retries += 6;
        stats.producers[0].answered += 196;
        stats.producers[0].failed += 1;
        // Half of them below 0.5 ms, all but one below 5 ms.
        for (class, more) in [(0, 98), (3, 97), (9, 1)] {
            stats.times[class] += more;
        }
        sbi.observe(Some(&stats), Some(Duration::from_secs(2)));
        assert_eq!(sbi.all(), Some([98.0, 49.0, 3.0]));
        assert_eq!(sbi.producer("http://192.0.2.61:8000"), Some([98.0, 0.5]));
        assert_eq!(
            [50, 99, 100].map(|percent| sbi.within(percent).map(|it| it.as_micros())),
            [Some(500), Some(5_000), Some(500_000)]
        );
        sbi.observe(None, Some(Duration::from_secs(1)));
        assert_eq!(sbi.all(), None);
    }
}
