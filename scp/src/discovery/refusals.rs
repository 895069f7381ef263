//! Searches that an NRF refuses: who asks for the same again at once is told the same, so that a client that asks in vain costs
//! the NRF no more than one that finds.

use std::time::Duration;

use tokio::time::Instant;

use super::factors::Key;
use crate::aged::Aged;
use crate::nrf::NrfError;
use crate::seldom::Seldom;

/// What was refused lately.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    all: Seldom<Aged<Key, Refusal>>,
}

#[derive(Debug)]
struct Refusal {
    error: NrfError,
    /// How many changes the NRF had told of: another may be one that it refuses no more.
    changes: u64,
}

/// For how long at the most: what was put right at an NRF is not told.
const LONGEST: Duration = Duration::from_secs(10);

/// Refusals that are remembered, and octets of one.
const MOST: usize = 1_024;
const LARGEST: usize = 4_096;

impl Refusals {
    /// How a search was refused.
    pub(super) fn get(&self, key: &Key, changes: u64, now: Instant) -> Option<NrfError> {
        let all = self.all.holding(|all| all.is_over(now))?;
        all.get(key, now).filter(|(it, _)| it.changes == changes).map(|(it, _)| it.error.clone())
    }

    /// Remembers an error for so long, where it is a refusal.
    pub(super) fn put(&self, key: &Key, error: &NrfError, changes: u64, holds: Duration, now: Instant) {
        match error {
            NrfError::Refused { content, .. } if content.len() <= LARGEST => {}
            _ => return,
        }
        let refusal = Refusal { error: error.clone(), changes };
        self.all.write().put(key.clone(), refusal, now + holds.min(LONGEST), now, MOST);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;

    use super::*;
    use crate::nrf::fixture::root;

    fn refused(octets: usize) -> NrfError {
        let content = Bytes::from(vec![b'x'; octets]);
        NrfError::Refused { nrf: root("http://a"), status: StatusCode::FORBIDDEN, content }
    }

    #[test]
    fn d5_refusals_hold_for_a_time_and_until_something_changes_and_are_bounded() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let key = |number: usize| Key { nrf: None, query: number.to_string().into() };
        let (holds, until) = (Duration::from_secs(1), now + Duration::from_secs(1));
        refusals.put(&key(1), &refused(1), 5, holds, now);
        assert!(refusals.get(&key(1), 5, now).is_some());
        assert!(refusals.get(&key(2), 5, now).is_none() && refusals.get(&key(1), 6, now).is_none());
        assert!(refusals.get(&key(1), 5, until).is_none());
        refusals.put(&key(2), &refused(LARGEST + 1), 5, holds, now);
        refusals.put(&key(2), &NrfError::GivenUp, 5, holds, now);
        assert!(refusals.get(&key(2), 5, now).is_none());
        for number in 0..2 * MOST {
            refusals.put(&key(number), &refused(1), 5, holds, now);
        }
        assert_eq!(refusals.all.read().len(), MOST);
        refusals.put(&key(0), &refused(1), 5, Duration::MAX, until);
        assert_eq!(refusals.all.read().len(), 1);
        assert!(refusals.get(&key(0), 5, until + LONGEST).is_none());
    }
}
