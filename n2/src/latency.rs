//! How long something took, in classes.

use std::time::Duration;

/// How long answers took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many there were.
    pub count: u64,
    /// How long all took together.
    pub sum: Duration,
    /// How many took as long as each of [`Latency::BOUNDS`] at the most, and longer than the one before.
    pub classes: [u64; 13],
}

impl Latency {
    /// The longest times of the classes; what took longer is in none.
    pub const BOUNDS: [Duration; 13] = {
        let micros = Duration::from_micros;
        [
            micros(1_000),
            micros(2_500),
            micros(5_000),
            micros(10_000),
            micros(25_000),
            micros(50_000),
            micros(100_000),
            micros(250_000),
            micros(500_000),
            micros(1_000_000),
            micros(2_500_000),
            micros(5_000_000),
            micros(10_000_000),
        ]
    };

    /// How long one took on average.
    #[must_use]
    pub fn mean(&self) -> Duration {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        self.sum.checked_div(count).unwrap_or_default()
    }

    /// Within what time so many of a hundred were, by their classes; `None`: there were none, or it took longer than any class.
    #[must_use]
    pub fn within(&self, percent: u8) -> Option<Duration> {
        let wanted = u128::from(self.count).saturating_mul(percent.into()).div_ceil(100);
        let mut fast = 0_u128;
        let mut classes = Self::BOUNDS.iter().zip(&self.classes);
        let class = classes.find(|(_, count)| {
            fast = fast.saturating_add(u128::from(**count));
            self.count > 0 && fast >= wanted
        });
        class.map(|it| *it.0)
    }

    pub(crate) fn add(&mut self, took: Duration) {
        self.count = self.count.wrapping_add(1);
        self.sum = self.sum.saturating_add(took);
        let class = Self::BOUNDS.partition_point(|bound| *bound < took);
        if let Some(class) = self.classes.get_mut(class) {
            *class = class.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_first_class_that_it_fits() {
        let mut latency = Latency::default();
        for micros in [0, 1_000, 1_001, 10_000_000, 10_000_001] {
            latency.add(Duration::from_micros(micros));
        }
        assert_eq!(latency.classes, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((latency.count, latency.sum), (5, Duration::from_micros(20_002_002)));
        assert_eq!(latency.mean(), Duration::from_nanos(4_000_400_400));
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(
            [40, 41, 61, 81].map(|it| latency.within(it)),
            [millis(1), Some(Duration::from_micros(2_500)), millis(10_000), None]
        );
        assert_eq!(Latency::default().within(99), None);
    }
}
