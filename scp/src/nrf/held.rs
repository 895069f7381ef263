//! NRFs that ask to be let alone for a while: Retry-After (RFC 9110 10.2.3, TS 29.500 6.4.2.2, 6.4.2.3).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Response, StatusCode};
use tokio::time::Instant;

use super::own_token::Use;
use crate::retry_after::wait;

/// Which services of NRFs are not to be asked, and until when. Copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    until: Arc<Mutex<HashMap<Use, Instant>>>,
}

/// Services that are known: NRFs, some named by clients, have a few each.
const MOST: usize = 256;

/// Whoever asks for more is asked again after this all the same: without heartbeats and discovery there is no SCP.
const LONGEST: Duration = Duration::from_mins(10);

impl Held {
    /// Until when it is not to be asked; none where it may be.
    pub(super) fn until(&self, of: &Use) -> Option<Instant> {
        self.lock().get(of).copied().filter(|it| Instant::now() < *it)
    }

    /// Heeds what an answer says.
    pub(super) fn heed<T>(&self, of: &Use, reply: &Response<T>) {
        if ![StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&reply.status()) {
            return;
        }
        let Some(wait) = wait(reply.headers()).filter(|it| !it.is_zero()) else { return };
        let (wait, now) = (wait.min(LONGEST), Instant::now());
        tracing::warn!(nrf = %of.0, service = of.1, ?wait, "the NRF asks to be let alone");
        let mut until = self.lock();
        if until.len() >= MOST {
            until.retain(|_, it| now < *it);
        }
        if until.len() < MOST {
            until.insert(of.clone(), now.checked_add(wait).unwrap_or(now));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Use, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrf::fixture::root;

    #[test]
    fn n2_what_is_known_of_is_bounded() {
        let held = Held::default();
        let refusal = Response::builder().status(503).header("retry-after", u64::MAX).body(()).unwrap();
        for number in 0..2 * MOST {
            held.heed(&(root("http://a"), number.to_string()), &refusal);
        }
        assert_eq!(held.lock().len(), MOST);
        let until = held.until(&(root("http://a"), "0".to_owned())).unwrap();
        assert!(until <= Instant::now() + LONGEST);
    }
}
