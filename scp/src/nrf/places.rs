//! Where the NRF tells of changes: places below [`NOTIFY_PATH`](super::NOTIFY_PATH) that only it was told, so that what
//! comes there is its own.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pinion_protocols::sbi::decode;

use crate::discovery::encode;

/// One place for each subscription. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// By the type of NF.
    known: Arc<Mutex<BTreeMap<String, Secrets>>>,
}

/// What nobody guesses of the places for a type of NF.
struct Secrets {
    now: u128,
    /// Whether an NRF took a subscription with it.
    taken: bool,
    /// That of the subscription before: what was on its way when it ended still arrives.
    before: Option<u128>,
}

impl Places {
    /// The place for a subscription that is to be asked for: a new one, but where it is not known whether an NRF has the last.
    pub(super) fn give(&self, nf_type: &str, draw: impl FnOnce() -> u128) -> String {
        let mut known = self.lock();
        let secrets = known.remove(nf_type);
        let secrets = match secrets {
            Some(Secrets { now, taken: true, .. }) => Secrets { now: draw(), taken: false, before: Some(now) },
            Some(secrets) => secrets,
            None => Secrets { now: draw(), taken: false, before: None },
        };
        let mut place = String::new();
        encode(nf_type, false, &mut place);
        let _ = write!(place, "/{:032x}", secrets.now);
        known.insert(nf_type.to_owned(), secrets);
        place
    }

    /// That an NRF took a subscription with it.
    pub(super) fn taken(&self, nf_type: &str) {
        if let Some(secrets) = self.lock().get_mut(nf_type) {
            secrets.taken = true;
        }
    }

    /// That there is no subscription any more, nor will be.
    pub(super) fn end(&self, nf_type: &str) {
        self.lock().remove(nf_type);
    }

    /// The type of NF that is told of at a place; none where it is none.
    pub(super) fn nf_type(&self, place: &str) -> Option<String> {
        let (nf_type, secret) = place.split_once('/')?;
        let secret = u128::from_str_radix(secret, 16).ok().filter(|_| secret.len() == 32)?;
        let known = self.lock();
        let nf_type = decode(nf_type)?;
        let Secrets { now, before, .. } = known.get(&*nf_type)?;
        (*now == secret || *before == Some(secret)).then(|| nf_type.into_owned())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Secrets>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Secrets").field("taken", &self.taken).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_each_subscription_has_a_place_and_the_one_before_keeps_its_own() {
        let places = Places::default();
        let first = places.give("UDM", || 1);
        assert_eq!(first, "UDM/00000000000000000000000000000001");
        // Whether it arrived, nobody knows.
        assert_eq!(places.give("UDM", || 2), first);
        places.taken("UDM");
        let second = places.give("UDM", || 3);
        let has = |place: &str| places.nf_type(place).is_some();
        assert_eq!((has(&first), has(&second), places.nf_type(&second).as_deref()), (true, true, Some("UDM")));
        places.taken("UDM");
        let third = places.give("UDM", || 4);
        assert_eq!((has(&first), has(&second), has(&third)), (false, true, true));
        assert!(!format!("{places:?}").contains("now: "), "{places:?}");
    }

    #[test]
    fn n1_no_other_place_is_one() {
        let places = Places::default();
        let place = places.give("UDM", || 0xabc);
        places.give("SMF", || 7);
        let (_, secret) = place.split_once('/').unwrap();
        for other in [
            "",
            "UDM",
            "UDM/",
            "UDM/abc",
            "UDM/+000000000000000000000000000007",
            &format!("SMF/{secret}"),
            &format!("{place}/"),
            &format!("/{place}"),
        ] {
            assert_eq!(places.nf_type(other), None, "{other}");
        }
    }
}
