//! Whom a search finds: remembered, or asked of the NRF once for all who want to know.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ETAG, IF_NONE_MATCH};
use http::{Method, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::cache::{Cache, Remember, Remembered};
use super::candidates::Found;
use super::factors::{Factors, Key};
use super::failures::Failures;
use super::former::Former;
use super::freshness::{Freshness, freshness};
use super::given::{beside, given};
use super::ignored::weigh;
use super::settings::DiscoverySettings;
use super::whole;
use crate::flight::{Flights, Joined};
use crate::nrf::{Ask, Link, Loaded, NrfError, NrfSet, Places, Preferred, SearchResult, Wanted};
use crate::prepared::Prepared;
use crate::producer::Producer;
use crate::tally::Event;

/// What is known of producers. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cache: Cache,
    former: Former,
    failures: Failures,
    flights: Flights<Key, Outcome>,
    preferred: Preferred,
    wanted: Wanted,
    places: Places,
}

/// How long what is at hand is not looked at again.
const AT_HAND: Duration = Duration::from_secs(1);

type Outcome = Result<Arc<Found>, NrfError>;

/// How a search is to be made.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// What the SCP goes by.
    pub prepared: &'a Prepared,
    /// How an NRF is reached; only called where one must be asked.
    pub link: &'a (dyn Fn() -> Link + Sync),
}

impl Directory {
    /// Whom a search finds.
    ///
    /// # Errors
    /// Nothing is remembered that could serve, and no NRF gave an answer.
    pub async fn find(&self, factors: &Factors, asking: Asking<'_>) -> Outcome {
        let Some(own) = given(&asking.prepared.settings.discovery.producers, factors) else {
            return self.search(factors, asking, false).await;
        };
        if asking.prepared.settings.nrf.is_none() && factors.key().nrf.is_none() {
            return Ok(Arc::new(own));
        }
        let found = self.search(factors, asking, true).await;
        Ok(Arc::new(match found {
            Ok(found) => beside(own, &found),
            Err(_) => own,
        }))
    }

    /// Whom a search would find now without looking any further, and until when that is so; none where there is more to it.
    pub(crate) fn at_hand(
        &self,
        factors: &Factors,
        prepared: &Prepared,
        now: Instant,
    ) -> Option<(Arc<Found>, Instant)> {
        let settings = &prepared.settings;
        if given(&settings.discovery.producers, factors).is_some()
            || factors.target_type().eq_ignore_ascii_case("NRF")
        {
            return None;
        }
        match self.shared.cache.recall(factors.key(), now) {
            // Looked at again before long, so that what is used is not taken for forgotten.
            Remembered::Holds(found, until) => {
                Some((found, now.checked_add(AT_HAND).map_or(until, |soon| soon.min(until))))
            }
            Remembered::Serves(_) | Remembered::Nothing => None,
        }
    }

    /// Another one says that what was at hand before may not be any more.
    pub(crate) fn version(&self) -> u64 {
        self.shared.cache.version()
    }

    /// What the NRF says; `besides`: there is somebody whatever that is, so that it is not waited for beyond patience.
    async fn search(&self, factors: &Factors, asking: Asking<'_>, besides: bool) -> Outcome {
        let key = factors.key();
        if let (None, true, Some(nrf)) =
            (&key.nrf, factors.target_type().eq_ignore_ascii_case("NRF"), &asking.prepared.settings.nrf)
        {
            // Whoever looks for the NRF is led to the one that this SCP would ask where it is.
            return Ok(Arc::new(Found::nrfs(self.shared.preferred.order(&nrf.roots), factors)));
        }
        let remembered = self.shared.cache.recall(key, Instant::now());
        let old = match remembered {
            Remembered::Holds(found, _) => {
                asking.prepared.tally.one(Event::SearchRemembered);
                return Ok(found);
            }
            Remembered::Serves(found) => Some(found),
            Remembered::Nothing => None,
        };
        let look = || match self.shared.cache.recall(key, Instant::now()) {
            Remembered::Holds(found, _) => Some(Ok(found)),
            Remembered::Serves(_) => None,
            Remembered::Nothing => self.shared.failed(key).filter(|it| besides || !it.is_away()).map(Err),
        };
        let set_out = || {
            let (shared, key) = (Arc::clone(&self.shared), key.clone());
            let (set, settings) = (self.set(&key, asking), asking.prepared.settings.discovery.clone());
            let (target_type, tally) = (factors.target_type().to_owned(), asking.prepared.tally.clone());
            async move {
                let begun = Instant::now();
                let outcome = shared.search(&key, &set, target_type, &settings).await;
                tally.searched(begun.elapsed());
                tally.one(match &outcome {
                    Ok(_) => Event::SearchAnswered,
                    Err(error) if error.is_away() => Event::SearchFailed,
                    Err(_) => Event::SearchRefused,
                });
                outcome
            }
        };
        let flight = match self.shared.flights.join(key.clone(), look, set_out) {
            Joined::There(outcome) => return outcome,
            Joined::Flight(flight) => flight,
        };
        let until = flight.since().checked_add(asking.prepared.settings.discovery.patience);
        let until = until.unwrap_or(flight.since());
        let Some(old) = old else {
            let landed = match besides {
                true => timeout_at(until, flight.land()).await.ok().flatten(),
                false => flight.land().await,
            };
            return landed.unwrap_or(Err(NrfError::GivenUp));
        };
        // An NRF that hangs is to hold up one, and not all who come while it does.
        let lead = flight.lead();
        if lead.is_some() || old.is_empty() {
            match timeout_at(until, flight.land()).await {
                Ok(Some(Err(error))) if !error.is_away() => return Err(error),
                Ok(Some(Ok(found))) => return Ok(found),
                Ok(Some(Err(_)) | None) | Err(_) => {}
            }
        }
        asking.prepared.tally.one(Event::SearchStale);
        Ok(old)
    }

    /// That an NF instance changed, as the NRF tells (TS 29.510 5.2.2.6).
    pub fn changed(&self, nf_instance: &str, nf_type: &str, gone: bool) {
        if gone {
            let found = self.shared.cache.found();
            let all = found.iter().flat_map(|found| found.producers());
            let went = all.filter(|it| it.nf_instance.eq_ignore_ascii_case(nf_instance));
            self.shared.former.keep(&went.cloned().collect::<Vec<_>>());
        }
        self.shared.cache.changed(nf_instance, nf_type, gone, Instant::now());
    }

    /// Those whose resources may still be asked for.
    pub(crate) fn former(&self) -> &Former {
        &self.shared.former
    }

    /// That the load of an NF instance or of one of its services changed, and nothing else of it.
    pub fn loaded(&self, nf_instance: &str, load: &Loaded) {
        self.shared.cache.loaded(nf_instance, load);
    }

    /// Whoever is known: those that are configured, and those of searches that are remembered.
    #[must_use]
    pub fn known(&self, settings: &DiscoverySettings) -> Vec<Arc<Producer>> {
        let nf_instances = settings.producers.clone();
        let given = Found::new(&SearchResult { nf_instances, ..SearchResult::default() });
        let found = self.shared.cache.found();
        let all = std::iter::once(&given).chain(found.iter().map(Arc::as_ref));
        all.flat_map(|found| found.candidates.iter().map(|it| Arc::clone(&it.producer))).collect()
    }

    /// Which NRF answered last.
    #[must_use]
    pub fn preferred(&self) -> &Preferred {
        &self.shared.preferred
    }

    /// Of which types of NF changes are to be told.
    #[must_use]
    pub fn wanted(&self) -> &Wanted {
        &self.shared.wanted
    }

    /// Where these are told.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.shared.places
    }

    /// Searches, and octets of them, that are remembered.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.shared.cache.size()
    }

    fn set(&self, key: &Key, asking: Asking<'_>) -> NrfSet {
        NrfSet::of(key.nrf.as_ref(), asking.prepared, &self.shared.preferred, (asking.link)())
    }
}

impl Shared {
    async fn search(&self, key: &Key, set: &NrfSet, target_type: String, settings: &DiscoverySettings) -> Outcome {
        let changes = self.cache.changes();
        let outcome = self.ask(key, set, target_type, settings).await;
        let now = Instant::now();
        if let Err(error) = &outcome {
            match error.is_away() {
                true => self.cache.pause(key, now.checked_add(settings.pause).unwrap_or(now)),
                false => self.cache.forget(key),
            }
            self.failures.put(key, error, changes, settings.pause, now);
        }
        outcome
    }

    /// How a search failed just now, since when nothing changed.
    fn failed(&self, key: &Key) -> Option<NrfError> {
        self.failures.get(key, self.cache.changes(), Instant::now())
    }

    async fn ask(&self, key: &Key, set: &NrfSet, target_type: String, settings: &DiscoverySettings) -> Outcome {
        let known = self.cache.known(key);
        let mut ask = Ask::new(Method::GET, format!("/nnrf-disc/v1/nf-instances?{}", key.query));
        if let Some(known) = &known {
            ask.headers.insert(IF_NONE_MATCH, known.etag.clone());
        }
        let changes = self.cache.changes();
        let (nrf, reply) = set.ask(&ask).await?;
        let (head, content) = reply.into_parts();
        let etag = head.headers.get(ETAG).cloned();
        let (answer, fresh) = match (head.status, known) {
            (StatusCode::OK, _) => {
                let mut answer: SearchResult = serde_json::from_slice(&content)
                    .map_err(|error| NrfError::Malformed { nrf: nrf.clone(), reason: error.to_string().into() })?;
                let parts = whole::complete(&mut answer, key, &nrf, set).await;
                let (octets, etag) = (content.len().saturating_add(parts.octets), etag.filter(|_| !parts.any));
                weigh(&mut answer, &key.query);
                let mut fresh = freshness(&head.headers, answer.validity_period, settings.validity);
                if parts.missing {
                    fresh.holds = fresh.holds.min(settings.pause);
                }
                let found = Arc::new(Found::new(&answer));
                let Freshness { holds, stale, .. } = fresh;
                (Remember { found, target_type, etag, octets, holds, stale, changes }, fresh)
            }
            (StatusCode::NOT_MODIFIED, Some(known)) => {
                let fresh = freshness(&head.headers, None, known.holds);
                let (etag, octets, found) = (etag.or(Some(known.etag)), known.octets, known.found);
                let (holds, stale) = (fresh.holds, fresh.stale && known.stale);
                (Remember { found, target_type, etag, octets, holds, stale, changes }, fresh)
            }
            (status, _) => return Err(NrfError::Refused { nrf, status, content }),
        };
        if key.nrf.is_none() {
            self.wanted.want(&answer.target_type);
        }
        Ok(match fresh.store {
            true => self.cache.remember(key, answer, Instant::now(), settings),
            false => self.cache.pass(key, &answer),
        })
    }
}
