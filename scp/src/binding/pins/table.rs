//! The table of pins, and which is given up where there is no room.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foldhash::quality::RandomState;

use super::{Pinned, key};
use crate::api_root::ApiRoot;

/// Pins by their keys, by the order in which they were made, and how many are where: what is of one is of all three.
#[derive(Default)]
pub(super) struct All {
    pub(super) pins: HashMap<Arc<str>, Known, RandomState>,
    /// Their keys, in the order in which they were made.
    pub(super) order: BTreeMap<u64, Arc<str>>,
    /// How many are where.
    pub(super) places: HashMap<ApiRoot, u64, RandomState>,
    /// The number from which on one is looked for that can be given up.
    hand: u64,
}

/// A pin, and what it is known by.
pub(super) struct Known {
    number: u64,
    pub(super) pinned: Pinned,
    /// Whether it was asked for since it was last looked at whether to give it up.
    pub(super) used: AtomicBool,
}

/// How many pins are looked at to give one up.
const LOOK: usize = 16;

impl All {
    /// Puts a pin where it was, or beside the others; its number.
    pub(super) fn put(&mut self, number: Option<u64>, key: &Arc<str>, pinned: Pinned) -> u64 {
        if let Some(known) = self.pins.get_mut(key) {
            let (number, at) = (known.number, pinned.pin.at.clone());
            let before = std::mem::replace(&mut known.pinned, pinned).pin.at;
            if before != at {
                self.leave(&before);
                self.come(at);
            }
            return number;
        }
        let next = || self.order.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        let number = number.filter(|it| !self.order.contains_key(it)).unwrap_or_else(next);
        self.order.insert(number, Arc::clone(key));
        self.come(pinned.pin.at.clone());
        self.pins.insert(Arc::clone(key), Known { number, pinned, used: AtomicBool::new(false) });
        number
    }

    /// Takes one out; its number and its key.
    pub(super) fn take(&mut self, key: &str) -> Option<(u64, Arc<str>)> {
        let (key, Known { number, pinned, .. }) = self.pins.remove_entry(key)?;
        self.order.remove(&number);
        self.leave(&pinned.pin.at);
        Some((number, key))
    }

    /// Takes one out that is little missed. What was asked for since the last time gets a second chance, and what moved away from
    /// where its URI says is last: of the others who is asked for them is told by the URI.
    pub(super) fn give_up(&mut self) -> Option<(u64, Arc<str>)> {
        let mut least: Option<((bool, bool), Arc<str>)> = None;
        let mut hand = self.hand;
        for (number, name) in self.order.range(self.hand..).chain(self.order.range(..self.hand)).take(LOOK) {
            hand = number.saturating_add(1);
            let Some(Known { pinned, used, .. }) = self.pins.get(name) else { continue };
            let at = &pinned.pin.at;
            let moved = !name.starts_with(key(at.transport, &at.authority, "").as_str());
            let missed = (moved, used.swap(false, Ordering::Relaxed));
            if least.as_ref().is_none_or(|(least, _)| missed < *least) {
                least = Some((missed, Arc::clone(name)));
            }
            if missed == (false, false) {
                break;
            }
        }
        self.hand = hand;
        self.take(&least?.1)
    }

    /// One more is at a place.
    fn come(&mut self, at: ApiRoot) {
        let count = self.places.entry(at).or_default();
        *count = count.saturating_add(1);
    }

    /// One less is.
    fn leave(&mut self, at: &ApiRoot) {
        if let Some(count) = self.places.get_mut(at) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.places.remove(at);
            }
        }
    }
}
