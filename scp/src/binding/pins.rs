//! Resources that this SCP keeps on their producers for clients that know nothing of bindings (TS 29.500 6.12).

mod table;

use std::collections::BinaryHeap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use http::uri::Authority;

use crate::api_root::{ApiRoot, Transport};
use crate::discovery::Api;
use crate::producer::Producer;
use crate::seldom::Seldom;

use table::{All, Known};

/// Where a resource is, and who else has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Whom to ask.
    pub at: ApiRoot,
    /// The NF instance there, where it is known.
    pub nf_instance: Option<String>,
    /// The service instance there, where it is known.
    pub service_instance: Option<String>,
    /// Whether its NF instance's other instances of the service have it too.
    pub persistent: bool,
    /// What its producer said of others that have it: a value of 3gpp-Sbi-Binding.
    pub binding: Option<String>,
    /// Sets of services that it belongs to, where it declares them.
    pub service_sets: Vec<String>,
    /// Sets of NFs.
    pub nf_sets: Vec<String>,
}

impl Pin {
    /// One of which nothing else is known.
    #[must_use]
    pub const fn new(at: ApiRoot) -> Self {
        Self {
            at,
            nf_instance: None,
            service_instance: None,
            persistent: false,
            binding: None,
            service_sets: Vec::new(),
            nf_sets: Vec::new(),
        }
    }

    /// Who has it, as far as that is known, for a request of a path.
    pub(super) fn producer(&self, path: &str) -> Option<Producer> {
        Some(Producer {
            nf_instance: self.nf_instance.clone()?,
            service_instance: self.service_instance.clone(),
            service: Api::of(path).map(|api| api.name.to_owned()).unwrap_or_default(),
            nf_sets: self.nf_sets.clone(),
            service_sets: self.service_sets.clone(),
            persistent: self.persistent,
            ..Producer::at(self.at.clone())
        })
    }

    /// Whether it is known who else has the resource, or that nobody has.
    pub(super) const fn tells(&self) -> bool {
        self.binding.is_some() || !self.service_sets.is_empty() || !self.nf_sets.is_empty()
    }
}

/// Who is told of pins, and keeps them longer than this process. It is told while nobody else gets at the pins: in their order,
/// and it is not to take long.
pub trait Keeper: Send + Sync {
    /// A resource is pinned, or pinned anew; none: it ended. The number is its own as long as it is pinned.
    fn changed(&self, number: u64, key: &Arc<str>, pinned: Option<&Pinned>);
}

/// A pin, and since when it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The pin.
    pub pin: Pin,
    /// Since then.
    pub since: SystemTime,
}

impl Pinned {
    /// Whether it is to be in force instead of another of the same resource: the later, to the millisecond, as nodes tell each
    /// other; of the same, the same on every node.
    #[must_use]
    pub fn is_younger_than(&self, other: &Self) -> bool {
        let (ours, theirs) = (millis(self.since), millis(other.since));
        let what = |of: &Self| (of.pin.at.to_string(), of.pin.nf_instance.clone(), of.pin.binding.clone());
        ours > theirs || (ours == theirs && self.pin != other.pin && what(self) > what(other))
    }
}

/// Milliseconds of Unix time.
fn millis(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// There is no room for a pin: all that there may be are there, and none is to be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all {0} pins are taken: raise `limits.pins` of sbi, or let resources end")]
pub struct Full(pub usize);

/// All pins. Copies share them.
#[derive(Clone, Default)]
pub struct Pins {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    all: Seldom<All>,
    keeper: RwLock<Option<Arc<dyn Keeper>>>,
}

/// How many are given up for one that is new: where the bound was lowered, there come to be as many as it says.
const FOR_ONE: usize = 2;

impl Pins {
    /// From now on, who is told.
    pub fn kept_by(&self, keeper: Arc<dyn Keeper>) {
        *self.shared.keeper.write().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.read().pins.len()
    }

    /// How many there are at each place.
    #[must_use]
    pub fn places(&self) -> Vec<(ApiRoot, u64)> {
        self.read().places.iter().map(|(at, count)| (at.clone(), *count)).collect()
    }

    /// The first so many of them after a key, in the order of keys, of those that `wanted` lets through.
    #[must_use]
    pub fn after(&self, key: &str, most: usize, wanted: impl Fn(&str, &Pin) -> bool) -> Vec<(Arc<str>, Pin)> {
        let all = self.read();
        let mut first: BinaryHeap<&Arc<str>> = BinaryHeap::new();
        for (name, Known { pinned: Pinned { pin, .. }, .. }) in all.pins.iter().filter(|(name, _)| &***name > key)
        {
            let greatest = first.len() >= most && first.peek().is_none_or(|last| *last <= name);
            if greatest || !wanted(name, pin) {
                continue;
            }
            if first.len() >= most {
                first.pop();
            }
            first.push(name);
        }
        let sorted = first.into_sorted_vec().into_iter();
        sorted.filter_map(|name| Some((Arc::clone(name), all.pins.get(name)?.pinned.pin.clone()))).collect()
    }

    /// The first so many of them from a number on, in the order in which they were made.
    #[must_use]
    pub fn from(&self, number: u64, most: usize) -> Vec<(u64, Arc<str>, Pinned)> {
        let all = self.read();
        let named = all.order.range(number..).take(most);
        named
            .filter_map(|(number, key)| Some((*number, Arc::clone(key), all.pins.get(key)?.pinned.clone())))
            .collect()
    }

    /// The one of a number.
    #[must_use]
    pub fn numbered(&self, number: u64) -> Option<(Arc<str>, Pinned)> {
        let all = self.read();
        let key = all.order.get(&number)?;
        Some((Arc::clone(key), all.pins.get(key)?.pinned.clone()))
    }

    /// The pin of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Pin> {
        self.read().pins.get(key).map(|it| it.pinned.pin.clone())
    }

    /// The same, and since when it is so.
    #[must_use]
    pub fn pinned(&self, key: &str) -> Option<Pinned> {
        self.read().pins.get(key).map(|it| it.pinned.clone())
    }

    /// The pin of the resource that a path is of: its own, or that of the longest path it begins with. With its key.
    #[must_use]
    pub fn find(&self, transport: Transport, authority: &Authority, path: &str) -> Option<(Arc<str>, Pin)> {
        let all = self.shared.all.some().filter(|it| !it.pins.is_empty())?;
        let key = key(transport, authority, path);
        let mut rest = key.as_str();
        loop {
            if let Some((key, known)) = all.pins.get_key_value(rest) {
                // As a rule it is so already, and nobody else has to hear of it.
                if !known.used.load(Ordering::Relaxed) {
                    known.used.store(true, Ordering::Relaxed);
                }
                return Some((Arc::clone(key), known.pinned.pin.clone()));
            }
            let (shorter, _) = rest.rsplit_once('/')?;
            // An authority alone is no resource.
            shorter.find('/')?;
            rest = shorter;
        }
    }

    /// Pins a resource since a time, `most` being the bound. Where there is no room, others are given up for it that are little
    /// missed; how many.
    pub fn insert(&self, key: &Arc<str>, pin: Pin, since: SystemTime, most: usize) -> usize {
        let mut all = self.write();
        let known = all.pins.get(key);
        if known.is_some_and(|it| it.pinned.pin == pin) {
            return 0;
        }
        let is_new = known.is_none();
        let keeper = self.keeper();
        let mut given_up = 0;
        while is_new
            && given_up < FOR_ONE
            && all.pins.len() >= most.max(1)
            && let Some((number, key)) = all.give_up()
        {
            given_up += 1;
            if let Some(keeper) = &keeper {
                keeper.changed(number, &key, None);
            }
        }
        let pinned = Pinned { pin, since };
        let number = all.put(None, key, pinned.clone());
        if let Some(keeper) = keeper {
            keeper.changed(number, key, Some(&pinned));
        }
        given_up
    }

    /// A pin that was kept from before, with its number where it has one; the keeper is not told. Its number, or none where
    /// what there is of it is as new.
    ///
    /// # Errors
    /// [`Full`], `most` being the bound.
    pub fn restore(
        &self,
        number: Option<u64>,
        key: &Arc<str>,
        pinned: Pinned,
        most: usize,
    ) -> Result<Option<u64>, Full> {
        let mut all = self.write();
        match all.pins.get(key) {
            Some(it) if !pinned.is_younger_than(&it.pinned) => return Ok(None),
            None if all.pins.len() >= most => return Err(Full(most)),
            _ => {}
        }
        Ok(Some(all.put(number, key, pinned)))
    }

    /// Ends a pin that ended elsewhere, at a time; the keeper is not told. Its number, or none where there is none, or one that
    /// is younger than its end.
    #[must_use]
    pub fn end(&self, key: &str, at: SystemTime) -> Option<u64> {
        let mut all = self.write();
        all.pins.get(key).filter(|it| millis(it.pinned.since) <= millis(at))?;
        all.take(key).map(|(number, _)| number)
    }

    /// Ends a pin.
    pub fn remove(&self, key: &str) {
        let mut all = self.write();
        let Some((number, key)) = all.take(key) else { return };
        if let Some(keeper) = self.keeper() {
            keeper.changed(number, &key, None);
        }
    }

    fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        self.shared.keeper.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, All> {
        self.shared.all.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, All> {
        self.shared.all.write()
    }
}

/// What a resource is known by: the authority that its producer gave for it, and its path, never the path alone: two SMFs mint
/// `/sm-contexts/1`, each for itself. A port that is the scheme's is left out, as it may be (RFC 9110 4.2.3).
#[must_use]
pub fn key(transport: Transport, authority: &Authority, path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut place = authority.as_str();
    if authority.port_u16() == Some(transport.default_port()) {
        place = place.rsplit_once(':').map_or(place, |(host, _)| host);
    }
    let mut key = place.to_ascii_lowercase();
    key.push_str(path.trim_end_matches('/'));
    key
}

impl std::fmt::Debug for Pins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pins").field("count", &self.count()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    impl Pins {
        fn order_len(&self) -> usize {
            self.read().order.len()
        }
    }

    fn pin(at: &str) -> Pin {
        Pin::new(ApiRoot::parse(at).unwrap())
    }

    /// Pins one; how many are given up for it.
    fn put(pins: &Pins, key: &str, at: &str, most: usize) -> usize {
        pins.insert(&key.into(), pin(at), SystemTime::UNIX_EPOCH, most)
    }

    #[test]
    fn a_resource_is_found_by_its_own_path_and_those_below_it() {
        let pins = Pins::default();
        let authority = Authority::from_static("smf1.example");
        put(
            &pins,
            &key(Transport::Clear, &authority, "/nsmf-pdusession/v1/sm-contexts/1"),
            "http://smf1.example",
            10,
        );
        let found = |path| pins.find(Transport::Clear, &authority, path).map(|(_, pin)| pin.at.to_string());
        assert_eq!(found("/nsmf-pdusession/v1/sm-contexts/1/modify?a=b").as_deref(), Some("http://smf1.example"));
        assert_eq!(found("/nsmf-pdusession/v1/sm-contexts/11"), None);
        assert_eq!(found("/nsmf-pdusession/v1/sm-contexts"), None);
        let other = Authority::from_static("smf2.example");
        assert_eq!(pins.find(Transport::Clear, &other, "/nsmf-pdusession/v1/sm-contexts/1"), None);
    }

    /// RFC 9110 4.2.3: the port of a scheme may be left out, and letters of a host are of either case.
    #[test]
    fn b5_an_authority_is_the_same_with_its_schemes_port_and_without() {
        let of = |transport, authority: &'static str| key(transport, &Authority::from_static(authority), "/a/1/");
        assert_eq!(of(Transport::Clear, "SMF.example:80"), "smf.example/a/1");
        assert_eq!(of(Transport::Tls, "smf.example:443"), "smf.example/a/1");
        assert_eq!(of(Transport::Tls, "[2001:DB8::1]:443"), "[2001:db8::1]/a/1");
        assert_eq!(of(Transport::Clear, "[2001:db8::1]"), "[2001:db8::1]/a/1");
        assert_eq!(of(Transport::Clear, "smf.example:443"), "smf.example:443/a/1");
        assert_eq!(of(Transport::Tls, "smf.example:80"), "smf.example:80/a/1");
    }

    #[test]
    fn there_are_no_more_than_the_bound() {
        let pins = Pins::default();
        assert_eq!(put(&pins, "a/2", "http://a", 1), 0);
        assert_eq!(put(&pins, "a/1", "http://a", 1), 1);
        assert_eq!(put(&pins, "a/1", "http://b", 1), 0);
        let at = |text: &str| ApiRoot::parse(text).unwrap();
        assert_eq!(pins.places(), [(at("http://b"), 1)]);
        pins.remove("a/1");
        assert_eq!(pins.places(), []);
        assert_eq!(put(&pins, "a/2", "http://a", 1), 0);
        // Where the bound was lowered, it is come to.
        (3..9).for_each(|number| assert_eq!(put(&pins, &format!("a/{number}"), "http://a", 10), 0));
        (9..19).for_each(|number| assert!(put(&pins, &format!("a/{number}"), "http://a", 3) > 0));
        assert_eq!(pins.count(), 3);
    }

    /// Whatever there is, what is new is pinned, and what is asked for all the time stays, as does what its URI does not lead to.
    #[test]
    fn b5_where_there_is_no_room_what_nobody_asks_for_is_given_up() {
        let (pins, a) = (Pins::default(), Authority::from_static("a"));
        put(&pins, "a/x/used", "http://a", 4);
        put(&pins, "a/x/moved", "http://b", 4);
        for number in 0..100 {
            let key = format!("a/x/{number}");
            put(&pins, &key, "http://a", 4);
            assert!(pins.get(&key).is_some() && pins.count() <= 4);
            assert!(pins.find(Transport::Clear, &a, "/x/used").is_some(), "{number}");
        }
        assert!(pins.get("a/x/moved").is_some());
        assert!(pins.get("a/x/98").is_some());
        // Where all are such, one of them goes.
        let pins = Pins::default();
        (0..100).for_each(|number| {
            put(&pins, &format!("a/x/{number}"), "http://b", 40);
        });
        assert_eq!((pins.count(), pins.order_len()), (40, 40));
    }

    #[test]
    fn pages_are_in_order_and_have_all() {
        let pins = Pins::default();
        for number in [5, 3, 9, 1, 7] {
            put(&pins, &format!("a/{number}"), "http://a", 10);
        }
        put(&pins, "a/4", "http://b", 10);
        let page = |after: &str, most| -> Vec<String> {
            let found = pins.after(after, most, |_, pin| pin.at.authority == "a");
            found.into_iter().map(|(key, _)| key.to_string()).collect()
        };
        assert_eq!(page("", 2), ["a/1", "a/3"]);
        assert_eq!(page("a/3", 2), ["a/5", "a/7"]);
        assert_eq!(page("a/7", 2), ["a/9"]);
        assert_eq!((page("a/9", 2).len(), page("", 0).len()), (0, 0));
    }

    #[test]
    fn what_is_restored_keeps_its_number_and_hides_nothing_newer() {
        let pins = Pins::default();
        let restore = |number, key: &str, at: &str, seconds| {
            let pinned = Pinned { pin: pin(at), since: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) };
            pins.restore(number, &key.into(), pinned, 4)
        };
        assert_eq!(restore(Some(7), "a/7", "http://a", 1), Ok(Some(7)));
        assert_eq!(restore(Some(3), "a/3", "http://a", 5), Ok(Some(3)));
        // Another node's has no number of ours, and may be older, or newer, than what is known.
        assert_eq!(restore(None, "a/0", "http://a", 1), Ok(Some(8)));
        assert_eq!(restore(None, "a/3", "http://old", 4), Ok(None));
        assert_eq!(restore(None, "a/3", "http://new", 6), Ok(Some(3)));
        assert_eq!(put(&pins, "a/9", "http://a", 4), 0);
        assert_eq!(restore(Some(1), "a/1", "http://a", 1), Err(Full(4)));
        let from = |number| -> Vec<_> {
            pins.from(number, 2).into_iter().map(|(number, key, _)| (number, key.to_string())).collect()
        };
        assert_eq!(from(0), [(3, "a/3".to_owned()), (7, "a/7".to_owned())]);
        pins.remove("a/0");
        assert_eq!(from(8), [(9, "a/9".to_owned())]);
        assert_eq!(pins.get("a/3").unwrap().at.to_string(), "http://new");
        assert!(pins.numbered(8).is_none() && pins.numbered(9).is_some());
    }
}
