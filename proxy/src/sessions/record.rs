use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pinion_steering::{Pin, PinKey};

use crate::control::Origin;

/// A point in time, in whole seconds of Unix time, so that other nodes and later runs understand it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u32);

impl Moment {
    /// So much later, rounded up to a second; at the most in the year 2106, where the count ends.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
        Self(self.0.saturating_add(u32::try_from(seconds).unwrap_or(u32::MAX)))
    }
}

/// Who owns a pin, by name, so that a reload or another node finds it again.
#[derive(Debug)]
pub struct Place {
    /// The service's name.
    pub service: Arc<str>,
    /// The endpoint, as `POOL/NAME`.
    pub endpoint: Arc<str>,
    sessions: AtomicU64,
}

impl Place {
    /// A place of these names.
    #[must_use]
    pub fn new(service: &str, endpoint: &str) -> Self {
        Self { service: service.into(), endpoint: endpoint.into(), sessions: AtomicU64::new(0) }
    }

    /// How many pins of the table are on it.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.sessions.load(Ordering::Relaxed)
    }

    pub(super) fn enter(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who made a pin of user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PinOrigin {
    /// A decoder, from the control plane.
    Learned,
    /// The configuration or the API.
    Configured,
    /// The store, after a restart or a takeover.
    Restored,
}

impl From<PinOrigin> for Origin {
    fn from(origin: PinOrigin) -> Self {
        match origin {
            PinOrigin::Learned => Self::Learned,
            PinOrigin::Configured => Self::Configured,
            PinOrigin::Restored => Self::Restored,
        }
    }
}

/// What the table keeps of a pin beside its key: 32 bytes.
#[derive(Clone, Debug)]
pub struct Record {
    /// Who owns it.
    pub place: Arc<Place>,
    /// What the kernel's map holds of it.
    pub pin: Pin,
    /// Who made it.
    pub origin: PinOrigin,
    /// When it ends by itself; `None`: never.
    pub ends: Option<Moment>,
}

impl Record {
    /// Whether packets find the same endpoint and TEID.
    pub(super) fn steers_as(&self, other: &Self) -> bool {
        leads_as(&self.pin, &other.pin) && self.place.endpoint == other.place.endpoint
    }

    /// Whether it is an operator's: nobody's to take.
    pub(super) fn is_configured(&self) -> bool {
        self.origin == PinOrigin::Configured
    }
}

/// Whether packets that no filter takes find the same endpoint and TEID.
pub(crate) fn leads_as(one: &Pin, other: &Pin) -> bool {
    (one.target, one.path, one.teid) == (other.target, other.path, other.teid)
}

/// A pin that is to be made.
#[derive(Clone, Debug)]
pub struct NewPin {
    /// The tunnel as the service's clients see it.
    pub key: PinKey,
    /// Where it goes.
    pub record: Record,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_small() {
        assert_eq!(size_of::<Record>(), 32);
    }

    #[test]
    fn moments_round_up_and_end() {
        assert_eq!(Moment(10).after(Duration::from_millis(1)), Moment(11));
        assert_eq!(Moment(10).after(Duration::from_secs(2)), Moment(12));
        assert_eq!(Moment(10).after(Duration::MAX), Moment(u32::MAX));
    }
}
