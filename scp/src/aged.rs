//! What holds for a time: so many entries, each until its end. Where there is no room for one more, what would end first gives way.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::RwLockReadGuard;

use foldhash::quality::RandomState;
use tokio::time::Instant;

use crate::seldom::Seldom;

/// Values by whom they are of.
#[derive(Debug)]
pub(crate) struct Aged<K, V> {
    entries: HashMap<K, Entry<V>, RandomState>,
    /// Keys by when they end, and then by turn.
    ends: BTreeMap<(Instant, u64), K>,
    turn: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    ends: (Instant, u64),
}

impl<K, V> Default for Aged<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::default(), ends: BTreeMap::new(), turn: 0 }
    }
}

impl<K: Clone + Eq + Hash, V> Aged<K, V> {
    /// Whether there is nothing that still holds.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.ends.last_key_value().is_none_or(|((until, _), _)| *until <= now)
    }

    /// What holds, and until when.
    pub(crate) fn get(&self, key: &K, now: Instant) -> Option<(&V, Instant)> {
        self.entries.get(key).filter(|it| it.ends.0 > now).map(|it| (&it.value, it.ends.0))
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: &K, now: Instant) -> Option<(&mut V, Instant)> {
        self.entries.get_mut(key).filter(|it| it.ends.0 > now).map(|it| (&mut it.value, it.ends.0))
    }

    /// How many there are, ended or not.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts one in, or in the place of what is of the same, among at most so many.
    pub(crate) fn put(&mut self, key: K, value: V, until: Instant, now: Instant, most: usize) {
        while let Some(first) = self.ends.first_entry().filter(|it| it.key().0 <= now) {
            let over = first.remove();
            self.entries.remove(&over);
        }
        if let Some(before) = self.entries.remove(&key) {
            self.ends.remove(&before.ends);
        } else if self.entries.len() >= most
            && let Some((_, first)) = self.ends.pop_first()
        {
            self.entries.remove(&first);
        }
        let ends = (until, self.turn);
        self.turn = self.turn.wrapping_add(1);
        self.ends.insert(ends, key.clone());
        self.entries.insert(key, Entry { value, ends });
    }
}

/// What still holds of something, and the time by which that is so; as a rule there is nothing, and no clock is read.
pub(crate) fn holding<K, V>(of: &Seldom<Aged<K, V>>) -> Option<(RwLockReadGuard<'_, Aged<K, V>>, Instant)>
where
    K: Clone + Eq + Hash,
{
    let now = LazyCell::new(Instant::now);
    Some((of.holding(|it| it.is_over(*now))?, *now))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn there_are_so_many_and_each_until_its_end() {
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        let mut aged = Aged::default();
        for (key, until) in [("a", 10), ("b", 5), ("c", 20), ("c", 30)] {
            aged.put(key, until, at(until), at(0), 3);
        }
        let known = |aged: &Aged<_, _>, now| ["a", "b", "c", "d"].map(|it| aged.get(&it, at(now)).map(|it| *it.0));
        assert_eq!(known(&aged, 4), [Some(10), Some(5), Some(30), None]);
        assert_eq!(known(&aged, 5), [Some(10), None, Some(30), None]);
        // The one that ends first is least missed.
        aged.put("d", 7, at(7), at(4), 3);
        assert_eq!(known(&aged, 4), [Some(10), None, Some(30), Some(7)]);
        assert!(!aged.is_over(at(29)) && aged.is_over(at(30)));
        aged.put("a", 40, at(40), at(35), 3);
        assert_eq!((aged.len(), aged.ends.len()), (1, 1));
    }
}
