//! What producers say of their load (TS 29.500 6.3.3) and overload (6.4.3), until it is no longer so.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use foldhash::fast::FixedState;
use http::HeaderMap;
use pinion_protocols::sbi::{Lci, Oci, Scope, ScopeEntity, Timestamp, Value as _};
use tokio::time::Instant;

use crate::api_root::ApiRoot;
use crate::names;
use crate::producer::Producer;

/// What was said. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    overloads: RwLock<HashMap<Whose, Overload, FixedState>>,
    loads: RwLock<HashMap<Whose, Load, FixedState>>,
}

/// Whose load it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Whose {
    Instance(String),
    Set(String),
    ServiceInstance(String, Option<String>),
    ServiceSet(String),
    /// Who said it, so that requests for whom it was known only by its address are spared it too.
    Place(ApiRoot),
}

#[derive(Debug)]
struct Overload {
    said: Timestamp,
    until: Instant,
    reduction: u8,
    /// Of a hundred, how many have been let through and are still to be made up for.
    due: u32,
}

#[derive(Debug)]
struct Load {
    said: Timestamp,
    percent: u8,
}

impl Reported {
    /// Hears what a response of a next hop says. What is older than what was heard before, or no such header, is passed over.
    pub fn hear(&self, headers: &HeaderMap, from: &ApiRoot) {
        for value in headers.get_all(names::OCI) {
            let Ok(Oci(elements)) = Oci::parse(value.as_bytes()) else { continue };
            for element in elements {
                let Some(until) = Instant::now().checked_add(Duration::from_secs(element.validity.into())) else {
                    continue;
                };
                for whose in whose(&element.scope, from) {
                    self.overloaded(whose, element.timestamp, until, element.reduction);
                }
            }
        }
        for value in headers.get_all(names::LCI) {
            let Ok(Lci(elements)) = Lci::parse(value.as_bytes()) else { continue };
            for element in elements {
                for whose in whose(&element.scope, from) {
                    self.loaded(whose, element.timestamp, element.load);
                }
            }
        }
    }

    /// Whether a request is one of those of a hundred that are not to be sent to a producer, by its own chance. What is not for
    /// one is for nobody of the same scope (6.4.3.5.1).
    #[must_use]
    pub fn spares(&self, of: &Producer, chance: &dyn Fn() -> u64) -> bool {
        let overloads = self.shared.overloads.read().unwrap_or_else(PoisonError::into_inner);
        if overloads.is_empty() {
            return false;
        }
        let now = Instant::now();
        let names = names_of(of);
        let said = names.iter().filter_map(|whose| Some((whose, overloads.get(whose)?)));
        let most = said.filter(|(_, it)| it.until > now).max_by_key(|(_, it)| it.reduction);
        most.is_some_and(|(whose, it)| {
            foldhash::quality::FixedState::with_seed(chance()).hash_one(whose) % 100 < u64::from(it.reduction)
        })
    }

    /// Percent of its capacity that a producer says is in use; that of the narrowest scope.
    #[must_use]
    pub fn load(&self, of: &Producer) -> Option<u8> {
        let loads = self.shared.loads.read().unwrap_or_else(PoisonError::into_inner);
        if loads.is_empty() {
            return None;
        }
        names_of(of).iter().find_map(|it| loads.get(it)).map(|it| it.percent)
    }

    /// Whether one more request to a place is among those that are not to be sent: evenly, so many of every hundred.
    pub(super) fn turned_away(&self, place: &ApiRoot) -> bool {
        {
            let overloads = self.shared.overloads.read().unwrap_or_else(PoisonError::into_inner);
            if overloads.is_empty() {
                return false;
            }
        }
        let mut overloads = self.shared.overloads.write().unwrap_or_else(PoisonError::into_inner);
        let key = Whose::Place(place.clone());
        let Some(overload) = overloads.get_mut(&key) else { return false };
        if overload.until <= Instant::now() {
            overloads.remove(&key);
            return false;
        }
        overload.due += u32::from(overload.reduction);
        let away = overload.due >= 100;
        if away {
            overload.due -= 100;
        }
        away
    }

    /// For how long a place is overloaded yet.
    pub(super) fn seconds_left(&self, place: &ApiRoot) -> u32 {
        let overloads = self.shared.overloads.read().unwrap_or_else(PoisonError::into_inner);
        let until = overloads.get(&Whose::Place(place.clone())).map(|it| it.until);
        let left = until.map_or(Duration::ZERO, |it| it.saturating_duration_since(Instant::now()));
        u32::try_from(left.as_secs()).unwrap_or(u32::MAX)
    }

    fn overloaded(&self, whose: Whose, said: Timestamp, until: Instant, reduction: u8) {
        let mut overloads = self.shared.overloads.write().unwrap_or_else(PoisonError::into_inner);
        if overloads.len() >= MOST {
            let now = Instant::now();
            overloads.retain(|_, it| it.until > now);
        }
        let full = overloads.len() >= MOST;
        match overloads.get_mut(&whose) {
            Some(before) if before.said >= said => {}
            Some(before) => {
                before.said = said;
                before.until = until;
                before.reduction = reduction;
            }
            None if !full => {
                overloads.insert(whose, Overload { said, until, reduction, due: 0 });
            }
            None => {}
        }
    }

    fn loaded(&self, whose: Whose, said: Timestamp, percent: u8) {
        let mut loads = self.shared.loads.write().unwrap_or_else(PoisonError::into_inner);
        let full = loads.len() >= MOST;
        match loads.get_mut(&whose) {
            Some(before) if before.said >= said => {}
            Some(before) => *before = Load { said, percent },
            None if !full => {
                loads.insert(whose, Load { said, percent });
            }
            None => {}
        }
    }
}

/// Scopes of which something is remembered.
const MOST: usize = 16_384;

/// Whom a scope names, and who said it. What is of single slices or data networks says nothing of all requests; what is of
/// consumers is for whom they notify.
fn whose(scope: &Scope<'_>, from: &ApiRoot) -> Vec<Whose> {
    if !scope.snssais.is_empty() || !scope.dnns.is_empty() {
        return Vec::new();
    }
    let instance = |it: Option<&str>| it.map(str::to_ascii_lowercase);
    let named = match &scope.entity {
        ScopeEntity::NfInstance(id) | ScopeEntity::ConsumerInstance(id) => {
            Some(Whose::Instance(id.to_ascii_lowercase()))
        }
        ScopeEntity::NfSet(set) | ScopeEntity::ConsumerSet(set) => Some(Whose::Set(set.to_ascii_lowercase())),
        ScopeEntity::ServiceInstance(id) | ScopeEntity::ConsumerServiceInstance(id) => {
            Some(Whose::ServiceInstance((*id).to_owned(), instance(scope.nf_instance)))
        }
        ScopeEntity::ServiceSet(set) | ScopeEntity::ConsumerServiceSet(set) => {
            Some(Whose::ServiceSet(set.to_ascii_lowercase()))
        }
        ScopeEntity::CallbackUri(_) | ScopeEntity::Scp(_) | ScopeEntity::Sepp(_) => None,
    };
    named.into_iter().chain([Whose::Place(from.clone())]).collect()
}

/// By what a producer is known, the narrowest first.
fn names_of(producer: &Producer) -> Vec<Whose> {
    let instance = producer.nf_instance.to_ascii_lowercase();
    let mut all = Vec::with_capacity(4);
    if let Some(service) = &producer.service_instance {
        all.push(Whose::ServiceInstance(service.clone(), Some(instance.clone())));
        all.push(Whose::ServiceInstance(service.clone(), None));
    }
    all.push(Whose::Instance(instance));
    all.extend(producer.service_sets.iter().map(|it| Whose::ServiceSet(it.to_ascii_lowercase())));
    all.extend(producer.nf_sets.iter().map(|it| Whose::Set(it.to_ascii_lowercase())));
    all
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::try_from(value).unwrap())])
    }

    /// Examples of TS 29.500 5.2.3.2.9.
    #[tokio::test(start_paused = true)]
    async fn f7_an_overload_holds_while_it_is_valid_and_is_replaced_by_what_is_newer() {
        let reported = Reported::default();
        let root = ApiRoot::parse("http://udm.example").unwrap();
        let oci = |second: u32, percent: u32| {
            let text = format!(
                "Timestamp: \"Tue, 04 Feb 2020 08:49:{second} GMT\"; Period-of-Validity: 75s; \
                 Overload-Reduction-Metric: {percent}%; NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8"
            );
            reported.hear(&headers(&names::OCI, &text), &root);
        };
        let away = || (0..100).filter(|_| reported.turned_away(&root)).count();
        assert_eq!(away(), 0);
        oci(37, 50);
        assert_eq!(away(), 50);
        oci(36, 10);
        assert_eq!(away(), 50);
        oci(38, 10);
        assert_eq!(away(), 10);
        tokio::time::advance(Duration::from_secs(76)).await;
        assert_eq!(away(), 0);
    }
}
