//! What searches found, for as long as it holds, and a while longer; bounded in entries and in octets.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use foldhash::quality::RandomState;
use http::HeaderValue;
use tokio::time::Instant;

use super::candidates::Found;
use super::factors::Key;
use super::settings::DiscoverySettings;
use crate::nrf::Loaded;
use crate::producer::Producer;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Cache {
    state: RwLock<State>,
    uses: AtomicU64,
    /// How often anything may have changed.
    version: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Key, Entry, RandomState>,
    octets: usize,
    /// Changes that the NRF told of: an answer that was asked for before one does not hold.
    changes: u64,
    /// Those of them by which somebody went, and did not come back yet: an answer from before may still name it.
    gone: VecDeque<(u64, String)>,
}

/// Those who went lately that are remembered.
const GONE: usize = 64;

#[derive(Debug)]
struct Entry {
    found: Arc<Found>,
    target_type: String,
    etag: Option<HeaderValue>,
    /// Of the answer.
    octets: usize,
    /// For how long it held when it was new.
    holds: Duration,
    /// Whether it serves when it holds no more.
    stale: bool,
    holds_until: Instant,
    serves_until: Instant,
    /// Until then the NRF is not asked again.
    paused_until: Option<Instant>,
    used: AtomicU64,
}

/// What is remembered of a search.
#[derive(Clone, Debug)]
pub(super) enum Remembered {
    /// It holds; or there is no use in asking again just now. Until then.
    Holds(Arc<Found>, Instant),
    /// It does not hold any more, but serves where there is nothing newer.
    Serves(Arc<Found>),
    /// Nothing.
    Nothing,
}

/// What is remembered with a validator.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) etag: HeaderValue,
    pub(super) found: Arc<Found>,
    pub(super) octets: usize,
    pub(super) holds: Duration,
    pub(super) stale: bool,
}

/// An answer, and how it may be remembered.
#[derive(Debug)]
pub(super) struct Remember {
    pub(super) found: Arc<Found>,
    pub(super) target_type: String,
    pub(super) etag: Option<HeaderValue>,
    pub(super) octets: usize,
    pub(super) holds: Duration,
    /// Whether it serves when it holds no more.
    pub(super) stale: bool,
    /// What [`Cache::changes`] was when it was asked for.
    pub(super) changes: u64,
}

impl Cache {
    /// What is remembered.
    pub(super) fn recall(&self, key: &Key, now: Instant) -> Remembered {
        let state = self.read();
        let Some(entry) = state.entries.get(key) else { return Remembered::Nothing };
        entry.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let found = Arc::clone(&entry.found);
        let paused = entry.paused_until.map(|until| until.min(entry.serves_until));
        let until = paused.map_or(entry.holds_until, |until| until.max(entry.holds_until));
        if now < until {
            Remembered::Holds(found, until)
        } else if now < entry.serves_until {
            Remembered::Serves(found)
        } else {
            Remembered::Nothing
        }
    }

    /// What is remembered with a validator.
    pub(super) fn known(&self, key: &Key) -> Option<Known> {
        let state = self.read();
        let entry = state.entries.get(key)?;
        let (found, octets) = (Arc::clone(&entry.found), entry.octets);
        let (holds, stale) = (entry.holds, entry.stale);
        Some(Known { etag: entry.etag.clone()?, found, octets, holds, stale })
    }

    /// Another one says that what was recalled before may be remembered no more.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// How many changes the NRF told of.
    pub(super) fn changes(&self) -> u64 {
        self.read().changes
    }

    /// An answer that is not to be remembered, as it is now.
    pub(super) fn pass(&self, key: &Key, answer: &Remember) -> Arc<Found> {
        let mut state = self.write();
        state.forget(key);
        state.without_gone(&answer.found, answer.changes)
    }

    /// Remembers an answer, and forgets what was not used for longest where there is no room; gives it as it is now.
    pub(super) fn remember(
        &self,
        key: &Key,
        answer: Remember,
        now: Instant,
        bounds: &DiscoverySettings,
    ) -> Arc<Found> {
        let Remember { found, target_type, etag, octets, holds, stale, changes } = answer;
        let later = |by: Duration| now.checked_add(by).unwrap_or(now);
        let mut state = self.write();
        let current = state.without_gone(&found, changes);
        let etag = etag.filter(|_| Arc::ptr_eq(&found, &current));
        let for_now = if changes == state.changes { holds } else { Duration::ZERO };
        let entry = Entry {
            found: Arc::clone(&current),
            target_type,
            etag,
            octets,
            holds,
            stale,
            holds_until: later(for_now),
            serves_until: later(for_now.saturating_add(if stale { bounds.stale } else { Duration::ZERO })),
            paused_until: None,
            used: AtomicU64::new(self.uses.fetch_add(1, Ordering::Relaxed)),
        };
        state.forget(key);
        let octets = octets.saturating_add(key.octets());
        if octets > bounds.octets || bounds.entries == 0 {
            return current;
        }
        state.make_room(octets, bounds);
        state.octets = state.octets.saturating_add(octets);
        state.entries.insert(key.clone(), entry);
        current
    }

    /// Holds back further questions for what is remembered.
    pub(super) fn pause(&self, key: &Key, until: Instant) {
        if let Some(entry) = self.write().entries.get_mut(key) {
            entry.paused_until = Some(until);
        }
    }

    /// Forgets a search.
    pub(super) fn forget(&self, key: &Key) {
        self.write().forget(key);
    }

    /// That an NF instance of a type changed: nothing that names it or might name it now holds any more. One that is gone is
    /// chosen no more at once.
    pub(super) fn changed(&self, nf_instance: &str, nf_type: &str, gone: bool, now: Instant) {
        let mut state = self.write();
        state.changes = state.changes.wrapping_add(1);
        state.gone.retain(|(_, it)| !it.eq_ignore_ascii_case(nf_instance));
        if gone {
            let change = (state.changes, nf_instance.to_owned());
            state.gone.push_back(change);
            if state.gone.len() > GONE {
                state.gone.pop_front();
            }
        }
        for entry in state.entries.values_mut() {
            let names = entry.found.names(nf_instance);
            let might = !gone && nf_type.eq_ignore_ascii_case(&entry.target_type);
            if names || might {
                entry.holds_until = entry.holds_until.min(now);
                entry.paused_until = None;
            }
            if names && gone {
                entry.found = Arc::new(entry.found.without(nf_instance));
                // What its validator validates is not what is here any more.
                entry.etag = None;
            }
        }
    }

    /// That the load of an NF instance or of one of its services is another: that is put right, and what holds goes on.
    pub(super) fn loaded(&self, nf_instance: &str, load: &Loaded) {
        for entry in self.write().entries.values_mut().filter(|entry| entry.found.names(nf_instance)) {
            entry.found = Arc::new(entry.found.loaded(nf_instance, load));
        }
    }

    /// What all searches found that are remembered.
    pub(super) fn found(&self) -> Vec<Arc<Found>> {
        self.read().entries.values().map(|entry| Arc::clone(&entry.found)).collect()
    }

    /// Searches, and octets of them, that are remembered.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.read();
        (state.entries.len(), state.octets)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        let state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.version.fetch_add(1, Ordering::AcqRel);
        state
    }
}

impl State {
    /// An answer that was asked for when there had been so many changes, without who went since.
    fn without_gone(&self, found: &Arc<Found>, changes: u64) -> Arc<Found> {
        let since = self.gone.iter().filter(|(change, it)| *change > changes && found.names(it));
        since.fold(Arc::clone(found), |found, (_, it)| Arc::new(found.without(it)))
    }

    fn forget(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.octets = self.octets.saturating_sub(entry.octets.saturating_add(key.octets()));
        }
    }

    fn make_room(&mut self, octets: usize, bounds: &DiscoverySettings) {
        let full = |state: &Self| {
            state.entries.len() >= bounds.entries || state.octets.saturating_add(octets) > bounds.octets
        };
        if !full(self) {
            return;
        }
        let mut by_use: Vec<(u64, Key)> =
            self.entries.iter().map(|(key, entry)| (entry.used.load(Ordering::Relaxed), key.clone())).collect();
        by_use.sort_unstable_by_key(|(used, _)| *used);
        // A sixteenth at a time, so that a flood of new searches does not sort each time.
        let batch = self.entries.len() / 16;
        for (index, (_, key)) in by_use.iter().enumerate() {
            if index > batch && !full(self) {
                break;
            }
            self.forget(key);
        }
    }
}

impl Found {
    fn names(&self, nf_instance: &str) -> bool {
        let candidates = self.candidates.iter().map(|it| &it.producer);
        let all = candidates.chain(self.listeners.iter().map(|it| &it.producer)).chain(&self.instances);
        all.into_iter().any(|it| it.nf_instance.eq_ignore_ascii_case(nf_instance))
    }

    fn loaded(&self, nf_instance: &str, load: &Loaded) -> Self {
        let mut found = self.clone();
        let tell = |producer: &mut Arc<Producer>| {
            let of_it =
                load.service_instance.as_ref().is_none_or(|id| producer.service_instance.as_ref() == Some(id));
            if of_it && producer.nf_instance.eq_ignore_ascii_case(nf_instance) {
                *producer = Arc::new(Producer { load: Some(load.percent), ..(**producer).clone() });
            }
        };
        for candidate in &mut found.candidates {
            tell(&mut candidate.producer);
            tell(&mut candidate.receiver);
        }
        found.listeners.iter_mut().for_each(|it| tell(&mut it.producer));
        found.instances.iter_mut().for_each(tell);
        found
    }

    fn without(&self, nf_instance: &str) -> Self {
        let stays = |of: &str| !of.eq_ignore_ascii_case(nf_instance);
        Self {
            candidates: self.candidates.iter().filter(|it| stays(&it.producer.nf_instance)).cloned().collect(),
            listeners: self.listeners.iter().filter(|it| stays(&it.producer.nf_instance)).cloned().collect(),
            instances: self.instances.iter().filter(|it| stays(&it.nf_instance)).cloned().collect(),
            nobody: self.nobody.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Four octets long.
    fn key(number: usize) -> Key {
        Key { nrf: None, query: format!("{number:04}").into() }
    }

    fn answer(octets: usize, holds: u64) -> Remember {
        let (found, target_type, holds) = (Arc::default(), "UDM".to_owned(), Duration::from_secs(holds));
        Remember { found, target_type, etag: None, octets, holds, stale: true, changes: 0 }
    }

    fn bounds(entries: usize, octets: usize) -> DiscoverySettings {
        DiscoverySettings { entries, octets, stale: Duration::from_secs(10), ..DiscoverySettings::default() }
    }

    #[test]
    fn d5_it_holds_then_serves_then_is_nothing() {
        let (cache, now) = (Cache::default(), Instant::now());
        cache.remember(&key(1), answer(1, 5), now, &bounds(10, 100));
        let after = |seconds| cache.recall(&key(1), now + Duration::from_secs(seconds));
        assert!(matches!(after(4), Remembered::Holds(_, _)));
        assert!(matches!(after(5), Remembered::Serves(_)));
        cache.pause(&key(1), now + Duration::from_secs(7));
        assert!(matches!(after(6), Remembered::Holds(_, _)));
        assert!(matches!(after(7), Remembered::Serves(_)));
        assert!(matches!(after(15), Remembered::Nothing));
    }

    #[test]
    fn d5_it_is_bounded_in_entries_and_octets() {
        let (cache, now) = (Cache::default(), Instant::now());
        for number in 0..1_000 {
            cache.remember(&key(number), answer(6, 5), now, &bounds(100, 100_000));
            cache.recall(&key(0), now);
            assert!(cache.size().0 <= 100 && cache.size().1 == cache.size().0 * 10);
        }
        assert!(matches!(cache.recall(&key(0), now), Remembered::Holds(_, _)), "what is used stays");
        assert!(matches!(cache.recall(&key(1), now), Remembered::Nothing));
        cache.remember(&key(2_000), answer(91, 5), now, &bounds(100, 100));
        assert!(cache.size().1 <= 100);
        cache.remember(&key(2_001), answer(97, 5), now, &bounds(100, 100));
        assert!(matches!(cache.recall(&key(2_001), now), Remembered::Nothing), "what is too large is not kept");
        cache.remember(&key(2_000), answer(86, 5), now, &bounds(100, 100));
        assert_eq!(cache.size(), (1, 90));
    }

    /// Clients say how long a search is.
    #[test]
    fn d5_what_was_asked_counts_as_what_was_answered() {
        let (cache, now) = (Cache::default(), Instant::now());
        let long = |octets| Key { nrf: None, query: "x".repeat(octets).into() };
        for length in 50..60 {
            cache.remember(&long(length), answer(1, 5), now, &bounds(100, 100));
            assert_eq!(cache.size(), (1, length + 1));
        }
        cache.remember(&long(100), answer(1, 5), now, &bounds(100, 100));
        assert_eq!(cache.size().0, 1, "what is too large is not kept");
        cache.forget(&long(59));
        assert_eq!(cache.size(), (0, 0));
    }

    /// Requests, callbacks to services and to NFs, and notifications by default are all shared by load.
    #[test]
    fn d6_a_load_that_is_told_is_that_of_receivers_too() {
        let answer = json!({"nfInstances": [{"nfInstanceId": "i", "nfType": "AMF", "nfStatus": "REGISTERED", "load": 9,
            "ipv4Addresses": ["192.0.2.1"],
            "defaultNotificationSubscriptions": [{"notificationType": "N1_MESSAGES", "callbackUri": "http://a/n1"}],
            "nfServices": [{"serviceInstanceId": "1", "serviceName": "namf-comm", "scheme": "http", "apiPrefix": "/x",
                "nfServiceStatus": "REGISTERED",
                "defaultNotificationSubscriptions": [{"notificationType": "N2_INFORMATION", "callbackUri": "http://a/n2"}]}]}]});
        let found = Found::new(&serde_json::from_value(answer).unwrap());
        let loads = |found: &Found| {
            let Found { candidates, listeners, instances, .. } = found;
            let all = candidates.iter().flat_map(|it| [&it.producer, &it.receiver]);
            let all = all.chain(listeners.iter().map(|it| &it.producer)).chain(instances);
            all.map(|it| it.load.unwrap()).collect::<Vec<_>>()
        };
        let told = |id: Option<&str>| Loaded { service_instance: id.map(str::to_owned), percent: 70 };
        assert_eq!(loads(&found), [9, 9, 9, 9, 9]);
        assert_eq!(loads(&found.loaded("I", &told(None))), [70, 70, 70, 70, 70]);
        // The second to last of them is of no service.
        assert_eq!(loads(&found.loaded("i", &told(Some("1")))), [70, 70, 70, 9, 9]);
        assert_eq!(loads(&found.loaded("j", &told(None))), [9, 9, 9, 9, 9]);
    }

    #[test]
    fn d5_a_change_while_it_was_asked_for() {
        let (cache, now) = (Cache::default(), Instant::now());
        let asked = Remember { changes: cache.changes(), ..answer(1, 5) };
        cache.changed("i", "UDM", false, now);
        cache.remember(&key(1), asked, now, &bounds(10, 100));
        assert!(matches!(cache.recall(&key(1), now), Remembered::Serves(_)));
    }

    #[test]
    fn d5_who_went_while_it_was_asked_for_is_not_in_it() {
        let (cache, now) = (Cache::default(), Instant::now());
        let profile =
            |id: &str| json!({"nfInstanceId": id, "nfType": "UDM", "nfStatus": "REGISTERED", "fqdn": "a"});
        let all = json!({"nfInstances": [profile("i"), profile("j"), profile("k")]});
        let found = Arc::new(Found::new(&serde_json::from_value(all).unwrap()));
        cache.changed("k", "UDM", true, now);
        let asked = |cache: &Cache| Remember {
            found: Arc::clone(&found),
            changes: cache.changes(),
            etag: Some(HeaderValue::from_static("x")),
            ..answer(1, 5)
        };
        let before = asked(&cache);
        cache.changed("I", "UDM", true, now);
        cache.changed("J", "UDM", true, now);
        cache.changed("j", "UDM", false, now);
        let seen = |found: &Found| found.instances.iter().map(|it| it.nf_instance.clone()).collect::<Vec<_>>();
        let bounds = bounds(10, 100);
        assert_eq!(seen(&cache.remember(&key(1), before, now, &bounds)), ["j", "k"]);
        let Remembered::Serves(served) = cache.recall(&key(1), now) else { panic!("it serves") };
        assert_eq!((seen(&served), cache.known(&key(1)).is_some()), (vec!["j".to_owned(), "k".to_owned()], false));
        assert_eq!(seen(&cache.remember(&key(1), asked(&cache), now, &bounds)), ["i", "j", "k"]);
        (0..2 * GONE).for_each(|number| cache.changed(&number.to_string(), "UDM", true, now));
        assert_eq!(cache.read().gone.len(), GONE);
    }
}
