//! How many messages somebody may send: so many a second, and as many at once.

use std::num::NonZeroU32;
use std::time::Duration;

/// Parts of a message that come back in a nanosecond where one a second may be sent.
const WHOLE: u64 = 1_000_000_000;

/// What somebody may send by now. At first that is the most there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// What was sent and has not come back, in parts of a message.
    spent: u64,
    /// Until when what comes back was counted.
    at: Duration,
}

impl Allowance {
    /// Takes a message down. False: it is one too many, and is not counted.
    pub(crate) fn take(&mut self, now: Duration, a_second: NonZeroU32) -> bool {
        let passed = u64::try_from(now.saturating_sub(self.at).as_nanos()).unwrap_or(u64::MAX);
        let most = WHOLE.saturating_mul(a_second.get().into());
        let spent = self.spent.saturating_sub(passed.saturating_mul(a_second.get().into())).saturating_add(WHOLE);
        (self.at, self.spent) = (now.max(self.at), spent.saturating_sub(WHOLE));
        if spent > most {
            return false;
        }
        self.spent = spent;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many messages may be sent.
    fn taken(allowance: &mut Allowance, milliseconds: u64, a_second: u32, messages: usize) -> usize {
        let (now, a_second) = (Duration::from_millis(milliseconds), NonZeroU32::new(a_second).unwrap());
        (0..messages).filter(|_| allowance.take(now, a_second)).count()
    }

    #[test]
    fn as_many_at_once_as_in_a_second_and_then_as_they_come_back() {
        let mut it = Allowance::default();
        assert_eq!(taken(&mut it, 0, 10, 12), 10);
        assert_eq!(taken(&mut it, 99, 10, 5), 0);
        assert_eq!(taken(&mut it, 100, 10, 5), 1);
        assert_eq!(taken(&mut it, 450, 10, 5), 3);
        // Half a message of those 350 ms was left over.
        assert_eq!(taken(&mut it, 500, 10, 5), 1);
        assert_eq!(taken(&mut it, 3_600_000, 10, 50), 10, "no more than there may be at once");
        // Time does not go back.
        assert_eq!(taken(&mut it, 0, 10, 50), 0);
        assert_eq!(taken(&mut it, 3_600_100, 10, 5), 1);
    }

    #[test]
    fn another_rate_holds_at_once() {
        let mut it = Allowance::default();
        assert_eq!(taken(&mut it, 0, 1000, 2000), 1000);
        assert_eq!(taken(&mut it, 0, 10, 5), 0);
        assert_eq!(taken(&mut it, 0, 2000, 5000), 1000);
    }

    #[test]
    fn any_times_and_rates() {
        bolero::check!().with_type::<Vec<(u64, u32)>>().for_each(|steps: &Vec<(u64, u32)>| {
            let mut it = Allowance::default();
            for (at, rate) in steps {
                let rate = NonZeroU32::new((*rate).max(1)).unwrap();
                let now = Duration::from_nanos(*at);
                it.take(now, rate);
                assert!(it.at >= now && it.spent <= WHOLE * u64::from(u32::MAX));
            }
        });
    }
}
