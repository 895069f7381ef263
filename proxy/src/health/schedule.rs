//! When a path is probed.

use std::time::Duration;

/// At start, paths are probed this far apart, unless that takes longer than the interval.
const APART: Duration = Duration::from_millis(10);

/// A probe that a signal asks for starts no sooner after the one before than this part of the interval.
const SOONEST: u32 = 10;

/// How often a path is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Time from one probe to the next, in the mean.
    pub interval: Duration,
    /// The part of the interval that is left to chance, in percent, 0 to 50.
    pub jitter: u8,
}

impl Pace {
    /// How long the first probe waits, where `count` paths start together and this one is number `index`: each has a
    /// slot of its own, and `draw` says where in it.
    pub fn first(&self, index: usize, count: usize, draw: u64) -> Duration {
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let index = u32::try_from(index).unwrap_or(u32::MAX).min(count.saturating_sub(1));
        let slot = self.interval.min(APART.saturating_mul(count)) / count;
        slot.saturating_mul(index).saturating_add(part(slot, draw))
    }

    /// How long after its start a probe is followed by the next: the interval, more or less by half of the jitter.
    pub fn next(&self, draw: u64) -> Duration {
        let jitter = u32::from(self.jitter.min(100));
        let free = self.interval / 100 * jitter;
        self.interval.saturating_sub(free / 2).saturating_add(part(free, draw))
    }

    /// How long after its start a probe may be followed by one that a signal asks for.
    pub fn soonest(&self) -> Duration {
        self.interval / SOONEST
    }
}

/// The part of `whole` that `draw` is of all numbers.
fn part(whole: Duration, draw: u64) -> Duration {
    let nanos = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
    let part = u128::from(nanos).saturating_mul(u128::from(draw)) >> 64;
    Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Chance;

    const PACE: Pace = Pace { interval: Duration::from_secs(5), jitter: 20 };

    #[test]
    fn jitter_is_centred_on_the_interval() {
        assert_eq!(PACE.next(0), Duration::from_millis(4500));
        assert_eq!(PACE.next(1 << 63), Duration::from_secs(5));
        assert!(PACE.next(u64::MAX) <= Duration::from_millis(5500));
        assert!(PACE.next(u64::MAX) > Duration::from_millis(5499));
        assert_eq!(Pace { jitter: 0, ..PACE }.next(u64::MAX), Duration::from_secs(5));
    }

    #[test]
    fn few_start_soon_and_many_do_not_burst() {
        assert!(PACE.first(1, 2, u64::MAX) <= Duration::from_millis(20));
        let mut chance = Chance::keyed([7, 7]);
        let count = 4096 * 4;
        let mut tenths = [0; 50];
        for index in 0..count {
            let tenth = PACE.first(index, count, chance.draw()).as_millis() / 100;
            tenths[usize::try_from(tenth).unwrap()] += 1;
        }
        let fair = count / tenths.len();
        assert!(tenths.iter().all(|&probes: &usize| probes.abs_diff(fair) <= 2), "{tenths:?}");
    }

    #[test]
    fn no_number_breaks_it() {
        bolero::check!().with_type::<(u64, u8, usize, usize, u64)>().for_each(
            |&(nanos, jitter, index, count, draw)| {
                let pace = Pace { interval: Duration::from_nanos(nanos), jitter: jitter % 51 };
                assert!(pace.first(index, count, draw) <= pace.interval);
                let next = pace.next(draw);
                assert!(next >= pace.interval / 2 && next <= pace.interval * 3 / 2);
            },
        );
    }
}
