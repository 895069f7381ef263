//! Searches that failed: who asks for the same again at once is told the same. A client that asks in vain costs the NRF no more
//! than one that finds, and an NRF that is away holds up nobody who needs it not.

use std::time::Duration;

use tokio::time::Instant;

use super::factors::Key;
use crate::aged::Aged;
use crate::nrf::NrfError;
use crate::seldom::Seldom;

/// What failed lately.
#[derive(Debug, Default)]
pub(super) struct Failures {
    all: Seldom<Aged<Key, Failed>>,
}

#[derive(Debug)]
struct Failed {
    error: NrfError,
    /// How many changes the NRF had told of: whoever tells of another is there, and may refuse no more.
    changes: u64,
}

/// For how long at the most: what was put right at an NRF is not told.
const LONGEST: Duration = Duration::from_secs(10);

/// Those that are remembered, and octets of one, with what was asked.
const MOST: usize = 1_024;
const LARGEST: usize = 8_192;

impl Failures {
    /// How a search failed.
    pub(super) fn get(&self, key: &Key, changes: u64, now: Instant) -> Option<NrfError> {
        let all = self.all.holding(|all| all.is_over(now))?;
        all.get(key, now).filter(|(it, _)| it.changes == changes).map(|(it, _)| it.error.clone())
    }

    /// Remembers for so long how a search failed, where that is the NRF's doing.
    pub(super) fn put(&self, key: &Key, error: &NrfError, changes: u64, holds: Duration, now: Instant) {
        let octets = match error {
            NrfError::Refused { content, .. } => content.len(),
            NrfError::Away { why, .. } | NrfError::Malformed { reason: why, .. } => why.len(),
            NrfError::None | NrfError::GivenUp => return,
        };
        if octets.saturating_add(key.octets()) <= LARGEST {
            let failed = Failed { error: error.clone(), changes };
            self.all.write().put(key.clone(), failed, now + holds.min(LONGEST), now, MOST);
        }
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
    fn d5_failures_hold_for_a_time_and_until_something_changes_and_are_bounded() {
        let (failures, now) = (Failures::default(), Instant::now());
        let key = |number: usize| Key { nrf: None, query: number.to_string().into() };
        let (holds, until) = (Duration::from_secs(1), now + Duration::from_secs(1));
        failures.put(&key(1), &refused(1), 5, holds, now);
        assert!(failures.get(&key(1), 5, now).is_some());
        assert!(failures.get(&key(2), 5, now).is_none() && failures.get(&key(1), 6, now).is_none());
        assert!(failures.get(&key(1), 5, until).is_none());
        failures.put(&key(2), &refused(LARGEST), 5, holds, now);
        failures.put(&key(2), &NrfError::GivenUp, 5, holds, now);
        assert!(failures.get(&key(2), 5, now).is_none());
        for number in 0..2 * MOST {
            failures.put(&key(number), &refused(1), 5, holds, now);
        }
        assert_eq!(failures.all.read().len(), MOST);
        failures.put(&key(0), &refused(1), 5, Duration::MAX, until);
        assert_eq!(failures.all.read().len(), 1);
        assert!(failures.get(&key(0), 5, until + LONGEST).is_none());
    }
}
