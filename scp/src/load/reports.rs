//! What producers say of their load (TS 29.500 6.3.3) and overload (6.4.3), until it is no longer so.

use std::hash::BuildHasher as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{HeaderMap, Uri};
use pinion_protocols::sbi::{Lci, Oci, Scope, ScopeEntity, Timestamp, Value as _};
use tokio::time::Instant;

use super::aged::Aged;
use crate::api_root::ApiRoot;
use crate::names;
use crate::producer::{Hop, Producer};

/// What was said. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    overloads: RwLock<Aged<Whose, Overload>>,
    loads: RwLock<Aged<Whose, Load>>,
}

/// As what an NF is overloaded: one that gets too many notifications may serve requests as before (6.4.3.4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Who is asked.
    Producer,
    /// Who is notified.
    Consumer,
}

impl Role {
    /// Of whom a request goes to, by whether it is a notification or callback.
    pub(crate) const fn of(callback: bool) -> Self {
        if callback { Self::Consumer } else { Self::Producer }
    }
}

/// Whose load it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    Instance(String, Role),
    Set(String, Role),
    ServiceInstance(String, Option<String>, Role),
    ServiceSet(String, Role),
    /// Who said it, so that requests for whom it was known only by its address are spared it too.
    Place(ApiRoot, Role),
    /// Where notifications go.
    Callback(String),
    /// An SCP or a SEPP that requests go by.
    Between(ApiRoot),
}

/// Whose response it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct From<'a> {
    /// The producer, or the consumer that was notified, where it is known for certain.
    pub(super) place: Option<&'a ApiRoot>,
    /// The SCP or SEPP that it came by.
    pub(super) between: Option<(Hop, &'a ApiRoot)>,
}

#[derive(Debug)]
struct Overload {
    said: Timestamp,
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
    /// Hears what a response says. What is older than what was heard before, or no such header, is passed over.
    pub(super) fn hear<'a>(&self, headers: &HeaderMap, from: impl Fn() -> From<'a>) {
        let said = |name| names::has(headers, &name).then(|| headers.get_all(name)).into_iter().flatten();
        for value in said(names::OCI) {
            let Ok(Oci(elements)) = Oci::parse(value.as_bytes()) else { continue };
            for element in elements {
                for whose in whose(&element.scope, from()) {
                    self.overloaded(whose, element.timestamp, element.validity, element.reduction);
                }
            }
        }
        for value in said(names::LCI) {
            let Ok(Lci(elements)) = Lci::parse(value.as_bytes()) else { continue };
            for element in elements {
                for whose in whose(&element.scope, NOWHERE) {
                    self.loaded(whose, element.timestamp, element.load);
                }
            }
        }
    }

    /// Whether a request is one of those of a hundred that are not to be sent to an NF, by its own chance. What is not for
    /// one is for nobody of the same scope (6.4.3.5.1).
    #[must_use]
    pub fn spares(&self, of: &Producer, role: Role, chance: &dyn Fn() -> u64) -> bool {
        let overloads = self.shared.overloads.read().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if overloads.is_over(now) {
            return false;
        }
        let names = names_of(of, role);
        let said = names.iter().filter_map(|whose| Some((whose, overloads.get(whose, now)?.0)));
        said.max_by_key(|(_, it)| it.reduction).is_some_and(|(whose, it)| {
            foldhash::quality::FixedState::with_seed(chance()).hash_one(whose) % 100 < u64::from(it.reduction)
        })
    }

    /// Percent of its capacity that a producer says is in use; that of the narrowest scope.
    #[must_use]
    pub fn load(&self, of: &Producer) -> Option<u8> {
        let loads = self.shared.loads.read().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if loads.is_over(now) {
            return None;
        }
        names_of(of, Role::Producer).iter().find_map(|it| loads.get(it, now)).map(|(it, _)| it.percent)
    }

    /// Whether nobody is overloaded, as far as is known.
    pub(super) fn is_quiet(&self) -> bool {
        self.shared.overloads.read().unwrap_or_else(PoisonError::into_inner).is_over(Instant::now())
    }

    /// Whether one more request to somebody is among those that are not to be sent: evenly, so many of every hundred. Then,
    /// for how many seconds that is so yet.
    pub(super) fn turned_away(&self, whose: &Whose) -> Option<u32> {
        let mut overloads = self.shared.overloads.write().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (overload, until) = overloads.get_mut(whose, now)?;
        overload.due += u32::from(overload.reduction);
        overload.due = overload.due.checked_sub(100)?;
        Some(seconds(until, now))
    }

    /// For how long somebody is overloaded yet.
    pub(super) fn seconds_left(&self, whose: &Whose) -> u32 {
        let overloads = self.shared.overloads.read().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        overloads.get(whose, now).map_or(0, |(_, until)| seconds(until, now))
    }

    fn overloaded(&self, whose: Whose, said: Timestamp, validity: u32, reduction: u8) {
        let mut overloads = self.shared.overloads.write().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let before = overloads.get(&whose, now).map(|(it, _)| (it.said, it.due));
        if before.is_some_and(|(before, _)| before >= said) {
            return;
        }
        let overload = Overload { said, reduction, due: before.map_or(0, |(_, due)| due) };
        let until = now + Duration::from_secs(validity.into()).min(LONGEST);
        overloads.put(whose, overload, until, now, MOST);
    }

    fn loaded(&self, whose: Whose, said: Timestamp, percent: u8) {
        let mut loads = self.shared.loads.write().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if loads.get(&whose, now).is_none_or(|(before, _)| before.said < said) {
            loads.put(whose, Load { said, percent }, now + LOAD, now, MOST);
        }
    }
}

fn seconds(until: Instant, now: Instant) -> u32 {
    u32::try_from(until.saturating_duration_since(now).as_secs()).unwrap_or(u32::MAX)
}

/// Scopes of which something is remembered.
const MOST: usize = 16_384;

/// How long an overload holds at the most, whatever was said: who is still overloaded then says so again.
const LONGEST: Duration = Duration::from_hours(1);

/// How long a load holds that was not told anew. Load has no validity of its own (6.3.3.4), and a producer that gets no requests
/// because it was full once has no response to say in that it is so no more.
const LOAD: Duration = Duration::from_mins(5);

/// Of load only the names count.
const NOWHERE: From<'static> = From { place: None, between: None };

/// Whom a scope names, and who said it. What is of single slices or data networks says nothing of all requests.
fn whose(scope: &Scope<'_>, from: From<'_>) -> Vec<Whose> {
    if !scope.snssais.is_empty() || !scope.dnns.is_empty() {
        return Vec::new();
    }
    let instance = |it: Option<&str>| it.map(str::to_ascii_lowercase);
    let (producer, consumer) = (Role::Producer, Role::Consumer);
    let (named, role) = match &scope.entity {
        ScopeEntity::NfInstance(id) => (Whose::Instance(id.to_ascii_lowercase(), producer), producer),
        ScopeEntity::ConsumerInstance(id) => (Whose::Instance(id.to_ascii_lowercase(), consumer), consumer),
        ScopeEntity::NfSet(set) => (Whose::Set(set.to_ascii_lowercase(), producer), producer),
        ScopeEntity::ConsumerSet(set) => (Whose::Set(set.to_ascii_lowercase(), consumer), consumer),
        ScopeEntity::ServiceInstance(id) => {
            (Whose::ServiceInstance((*id).to_owned(), instance(scope.nf_instance), producer), producer)
        }
        ScopeEntity::ConsumerServiceInstance(id) => {
            (Whose::ServiceInstance((*id).to_owned(), instance(scope.nf_instance), consumer), consumer)
        }
        ScopeEntity::ServiceSet(set) => (Whose::ServiceSet(set.to_ascii_lowercase(), producer), producer),
        ScopeEntity::ConsumerServiceSet(set) => (Whose::ServiceSet(set.to_ascii_lowercase(), consumer), consumer),
        ScopeEntity::CallbackUri(uris) => {
            return uris.iter().filter_map(|it| Uri::try_from(*it).ok()).filter_map(|it| callback(&it)).collect();
        }
        // Only of who is next on the way: what lies behind it is for it to spare.
        ScopeEntity::Scp(_) => return from.by(Hop::Scp).into_iter().collect(),
        ScopeEntity::Sepp(_) => return from.by(Hop::Sepp).into_iter().collect(),
    };
    let place = from.place.map(|it| Whose::Place(it.clone(), role));
    [Some(named), place].into_iter().flatten().collect()
}

impl From<'_> {
    fn by(&self, hop: Hop) -> Option<Whose> {
        self.between.filter(|(it, _)| *it == hop).map(|(_, root)| Whose::Between(root.clone()))
    }
}

/// Where notifications to a URI go.
fn callback(uri: &Uri) -> Option<Whose> {
    ApiRoot::of(uri).map(|root| Whose::callback(&root, uri.path()))
}

impl Whose {
    /// Notifications to a path below an API root, whatever the letters of its host and whether its port is named or not.
    pub(super) fn callback(root: &ApiRoot, path: &str) -> Self {
        let (host, port, prefix) = (root.host().to_ascii_lowercase(), root.port(), root.prefix());
        Self::Callback(format!("{} {host} {port} {prefix}{path}", root.transport.scheme()))
    }
}

/// By what an NF is known, the narrowest first.
fn names_of(producer: &Producer, role: Role) -> Vec<Whose> {
    let instance = producer.nf_instance.to_ascii_lowercase();
    let mut all = Vec::with_capacity(4);
    if let Some(service) = &producer.service_instance {
        all.push(Whose::ServiceInstance(service.clone(), Some(instance.clone()), role));
        all.push(Whose::ServiceInstance(service.clone(), None, role));
    }
    all.push(Whose::Instance(instance, role));
    all.extend(producer.service_sets.iter().map(|it| Whose::ServiceSet(it.to_ascii_lowercase(), role)));
    all.extend(producer.nf_sets.iter().map(|it| Whose::Set(it.to_ascii_lowercase(), role)));
    all
}

#[cfg(test)]
mod tests {
    use crate::nrf::fixture::root;
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::try_from(value).unwrap())])
    }

    /// Examples of TS 29.500 5.2.3.2.9.
    #[tokio::test(start_paused = true)]
    async fn f7_an_overload_holds_while_it_is_valid_and_is_replaced_by_what_is_newer() {
        let reported = Reported::default();
        let root = root("http://udm.example");
        let place = Whose::Place(root.clone(), Role::Producer);
        let oci = |second: u32, percent: u32| {
            let text = format!(
                "Timestamp: \"Tue, 04 Feb 2020 08:49:{second} GMT\"; Period-of-Validity: 75s; \
                 Overload-Reduction-Metric: {percent}%; NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8"
            );
            reported.hear(&headers(&names::OCI, &text), || From { place: Some(&root), between: None });
        };
        let away = || (0..100).filter(|_| reported.turned_away(&place).is_some()).count();
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

    /// RFC 9110 4.2.3: the port of a scheme may be left out, and letters of a host are of either case.
    #[tokio::test(start_paused = true)]
    async fn f7_a_callback_that_is_overloaded_is_known_however_its_host_is_written() {
        let reported = Reported::default();
        let oci = "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Period-of-Validity: 75s; \
                   Overload-Reduction-Metric: 100%; Callback-Uri: \"http://SMF.example:80/a/b\"";
        reported.hear(&headers(&names::OCI, oci), || NOWHERE);
        let away = |at: &str, path| reported.turned_away(&Whose::callback(&root(at), path)).is_some();
        assert!(away("http://smf.example", "/a/b") && away("http://smf.example:80/a", "/b"));
        assert!(!away("http://smf.example", "/a/B") && !away("http://smf.example:443", "/a/b"));
        assert!(!away("https://smf.example:80", "/a/b"));
    }

    #[tokio::test(start_paused = true)]
    async fn f7_an_overload_holds_no_longer_than_an_hour_and_a_load_five_minutes() {
        let reported = Reported::default();
        let scope =
            "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8";
        let oci = format!("{scope}; Period-of-Validity: 4294967295s; Overload-Reduction-Metric: 100%");
        reported.hear(&headers(&names::OCI, &oci), || NOWHERE);
        reported.hear(&headers(&names::LCI, &format!("{scope}; Load-Metric: 90%")), || NOWHERE);
        let nf_instance = "54804518-4191-46b3-955C-ac631f953ed8".to_owned();
        let producer = Producer { nf_instance, ..Producer::at(root("http://a")) };
        let said = || (reported.load(&producer), reported.spares(&producer, Role::Producer, &|| 7));
        assert_eq!(said(), (Some(90), true));
        assert!(!reported.spares(&producer, Role::Consumer, &|| 7));
        tokio::time::advance(LOAD).await;
        assert_eq!(said(), (None, true));
        tokio::time::advance(LONGEST - LOAD).await;
        assert_eq!(said(), (None, false));
        assert!(reported.is_quiet());
    }
}
