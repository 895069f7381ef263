//! Resources that this SCP keeps on their producers for clients that know nothing of bindings (TS 29.500 6.12).

use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::FixedState;
use http::uri::Authority;

use crate::api_root::ApiRoot;

/// Where a resource is, and who else has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Whom to ask.
    pub at: ApiRoot,
    /// The NF instance there, where it is known.
    pub nf_instance: Option<String>,
    /// What its producer said of others that have it: a value of 3gpp-Sbi-Binding.
    pub binding: Option<String>,
    /// Sets of services that it belongs to, where it declares them.
    pub service_sets: Vec<String>,
    /// Sets of NFs.
    pub nf_sets: Vec<String>,
}

impl Pin {
    /// Whether it is known who else has the resource, or that nobody has.
    pub(super) const fn tells(&self) -> bool {
        self.binding.is_some() || !self.service_sets.is_empty() || !self.nf_sets.is_empty()
    }
}

/// Who is told of pins, and keeps them longer than this process.
pub trait Keeper: Send + Sync {
    /// A resource is pinned, or pinned anew.
    fn pinned(&self, key: &str, pin: &Pin);
    /// A resource ended.
    fn ended(&self, key: &str);
}

/// All pins. Copies share them.
#[derive(Clone, Default)]
pub struct Pins {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    pins: RwLock<HashMap<String, Pin, FixedState>>,
    keeper: RwLock<Option<Arc<dyn Keeper>>>,
}

impl Pins {
    /// From now on, who is told.
    pub fn kept_by(&self, keeper: Arc<dyn Keeper>) {
        *self.shared.keeper.write().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.read().len()
    }

    /// At most so many of them, in no order.
    #[must_use]
    pub fn list(&self, most: usize) -> Vec<(String, Pin)> {
        self.read().iter().take(most).map(|(key, pin)| (key.clone(), pin.clone())).collect()
    }

    /// The first so many of them after a key, in the order of keys, of those that `wanted` lets through.
    #[must_use]
    pub fn after(&self, key: &str, most: usize, wanted: impl Fn(&str, &Pin) -> bool) -> Vec<(String, Pin)> {
        let pins = self.read();
        let mut first: BinaryHeap<&str> = BinaryHeap::new();
        for (name, pin) in pins.iter().filter(|(name, _)| name.as_str() > key) {
            let greatest = first.len() >= most && first.peek().is_none_or(|last| *last <= name.as_str());
            if greatest || !wanted(name, pin) {
                continue;
            }
            if first.len() >= most {
                first.pop();
            }
            first.push(name);
        }
        let sorted = first.into_sorted_vec().into_iter();
        sorted.filter_map(|name| Some((name.to_owned(), pins.get(name)?.clone()))).collect()
    }

    /// The pin of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Pin> {
        self.read().get(key).cloned()
    }

    /// The pin of the resource that a path is of: its own, or that of the longest path it begins with. With its key.
    #[must_use]
    pub fn find(&self, authority: &Authority, path: &str) -> Option<(String, Pin)> {
        let pins = self.read();
        if pins.is_empty() {
            return None;
        }
        let key = key(authority, path);
        let mut rest = key.as_str();
        loop {
            if let Some(pin) = pins.get(rest) {
                return Some((rest.to_owned(), pin.clone()));
            }
            let (shorter, _) = rest.rsplit_once('/')?;
            // An authority alone is no resource.
            shorter.find('/')?;
            rest = shorter;
        }
    }

    /// Pins a resource; says whether there was room, `most` being the bound.
    pub fn insert(&self, key: String, pin: Pin, most: usize) -> bool {
        let mut pins = self.shared.pins.write().unwrap_or_else(PoisonError::into_inner);
        if pins.len() >= most && !pins.contains_key(&key) {
            return false;
        }
        if pins.get(&key) == Some(&pin) {
            return true;
        }
        if let Some(keeper) = self.keeper() {
            keeper.pinned(&key, &pin);
        }
        pins.insert(key, pin);
        true
    }

    /// A pin that was kept from before; the keeper is not told.
    pub fn restore(&self, key: String, pin: Pin) {
        self.shared.pins.write().unwrap_or_else(PoisonError::into_inner).insert(key, pin);
    }

    /// Ends a pin.
    pub fn remove(&self, key: &str) {
        let removed = self.shared.pins.write().unwrap_or_else(PoisonError::into_inner).remove(key);
        if let (Some(_), Some(keeper)) = (removed, self.keeper()) {
            keeper.ended(key);
        }
    }

    fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        self.shared.keeper.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, Pin, FixedState>> {
        self.shared.pins.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a resource is known by: the authority that its producer gave for it, and its path, never the path alone: two SMFs mint
/// `/sm-contexts/1`, each for itself.
#[must_use]
pub fn key(authority: &Authority, path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut key = authority.as_str().to_ascii_lowercase();
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
    use super::*;

    fn pin(at: &str) -> Pin {
        let at = ApiRoot::parse(at).unwrap();
        Pin { at, nf_instance: None, binding: None, service_sets: Vec::new(), nf_sets: Vec::new() }
    }

    #[test]
    fn a_resource_is_found_by_its_own_path_and_those_below_it() {
        let pins = Pins::default();
        let authority = Authority::from_static("smf1.example");
        pins.insert(key(&authority, "/nsmf-pdusession/v1/sm-contexts/1"), pin("http://smf1.example"), 10);
        let found = |path| pins.find(&authority, path).map(|(_, pin)| pin.at.to_string());
        assert_eq!(found("/nsmf-pdusession/v1/sm-contexts/1/modify?a=b").as_deref(), Some("http://smf1.example"));
        assert_eq!(found("/nsmf-pdusession/v1/sm-contexts/11"), None);
        assert_eq!(found("/nsmf-pdusession/v1/sm-contexts"), None);
        assert_eq!(pins.find(&Authority::from_static("smf2.example"), "/nsmf-pdusession/v1/sm-contexts/1"), None);
    }

    #[test]
    fn there_are_no_more_than_the_bound() {
        let pins = Pins::default();
        assert!(pins.insert("a/1".to_owned(), pin("http://a"), 1));
        assert!(!pins.insert("a/2".to_owned(), pin("http://a"), 1));
        assert!(pins.insert("a/1".to_owned(), pin("http://b"), 1));
        pins.remove("a/1");
        assert!(pins.insert("a/2".to_owned(), pin("http://a"), 1));
    }

    #[test]
    fn pages_are_in_order_and_have_all() {
        let pins = Pins::default();
        for number in [5, 3, 9, 1, 7] {
            pins.insert(format!("a/{number}"), pin("http://a"), 10);
        }
        pins.insert("a/4".to_owned(), pin("http://b"), 10);
        let page = |after: &str, most| -> Vec<String> {
            pins.after(after, most, |_, pin| pin.at.authority == "a").into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(page("", 2), ["a/1", "a/3"]);
        assert_eq!(page("a/3", 2), ["a/5", "a/7"]);
        assert_eq!(page("a/7", 2), ["a/9"]);
        assert_eq!((page("a/9", 2).len(), page("", 0).len()), (0, 0));
    }
}
