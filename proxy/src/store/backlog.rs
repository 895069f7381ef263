use std::collections::{HashMap, VecDeque};

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Content, Key};

/// Says that a change was given up; where none says so, and all are dropped, all were written.
pub(crate) type Teller = mpsc::Sender<GivenUp>;

/// A change was given up.
#[derive(Debug)]
pub(crate) struct GivenUp;

/// What waits to be written: of each key the last state, the longest waiting first.
#[derive(Debug)]
pub(super) struct Backlog {
    waiting: HashMap<Key, Waiting>,
    /// Keys of `waiting`, in the order in which they came.
    order: VecDeque<Key>,
    bound: usize,
    in_flight: usize,
    oldest_in_flight: Option<Instant>,
}

/// Where changes that could not be written wait on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// In front, as they were: the store is gone, and with it all is held up alike.
    Front,
    /// Behind all others: a full store refuses them, and takes what makes room.
    Back,
}

/// A change that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// What the key is to hold.
    pub(super) content: Option<Content>,
    /// Since when the store does not say what the table says.
    pub(super) since: Instant,
    /// When it came to be what it is.
    pub(super) at: Instant,
    tellers: Vec<Teller>,
}

impl Backlog {
    pub(super) fn new(bound: usize) -> Self {
        Self { waiting: HashMap::new(), order: VecDeque::new(), bound, in_flight: 0, oldest_in_flight: None }
    }

    /// Adds a change, which takes the place of one of the same key that waits; `false`: there is no room.
    pub(super) fn push(
        &mut self,
        key: Key,
        content: Option<Content>,
        now: Instant,
        teller: Option<&Teller>,
    ) -> bool {
        if let Some(waiting) = self.waiting.get_mut(&key) {
            waiting.content = content;
            waiting.at = now;
            waiting.tellers.extend(teller.cloned());
            return true;
        }
        if self.waiting.len().saturating_add(self.in_flight) >= self.bound {
            if let Some(teller) = teller {
                // Whoever waits for several needs to be told once.
                let _ = teller.try_send(GivenUp);
            }
            return false;
        }
        self.order.push_back(key.clone());
        self.waiting
            .insert(key, Waiting { content, since: now, at: now, tellers: teller.cloned().into_iter().collect() });
        true
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.waiting.contains_key(key)
    }

    /// Takes the longest waiting out, to be written; then comes [`Self::written`], then the next take.
    pub(super) fn take(&mut self, most: usize) -> Vec<(Key, Waiting)> {
        let mut taken = Vec::with_capacity(most.min(self.order.len()));
        while taken.len() < most
            && let Some(key) = self.order.pop_front()
        {
            taken.extend(self.waiting.remove(&key).map(|waiting| (key, waiting)));
        }
        self.in_flight = taken.len();
        self.oldest_in_flight = taken.iter().map(|(_, waiting)| waiting.since).min();
        taken
    }

    /// What was taken is written, but for `failed`, which wait on.
    pub(super) fn written(&mut self, mut failed: Vec<(Key, Waiting)>, queue: Queue) {
        (self.in_flight, self.oldest_in_flight) = (0, None);
        if queue == Queue::Front {
            failed.reverse();
        }
        for (key, old) in failed {
            match self.waiting.get_mut(&key) {
                // A later state waits already: it is written in its stead, and has waited as long.
                Some(later) => {
                    later.since = old.since;
                    later.tellers.extend(old.tellers);
                }
                None => {
                    match queue {
                        Queue::Front => self.order.push_front(key.clone()),
                        Queue::Back => self.order.push_back(key.clone()),
                    }
                    self.waiting.insert(key, old);
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len().saturating_add(self.in_flight)
    }

    /// Since when the oldest waits.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.since).chain(self.oldest_in_flight).min()
    }
}

impl Waiting {
    /// It will never be written.
    pub(super) fn give_up(self) {
        for teller in self.tellers {
            let _ = teller.try_send(GivenUp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use bolero::TypeGenerator;
    use pinion_steering::{Address, Pin, PinKey};

    use crate::sessions::{PinOrigin, Place, Record};

    #[derive(Debug, TypeGenerator)]
    enum Step {
        Push(u8, Option<u8>),
        /// So many are taken; those that the mask says fail.
        Write(u8, u8),
    }

    fn key(teid: u8) -> Key {
        PinKey { address: Address::default(), teid: u32::from(teid % 12) }.into()
    }

    fn record(target: u8) -> Content {
        let pin = Pin { target: u32::from(target), ..Pin::default() };
        Content::Tunnel(Record {
            place: Place::new("s", "p/e").into(),
            pin,
            origin: PinOrigin::Learned,
            ends: None,
        })
    }

    fn target(held: Content) -> u32 {
        match held {
            Content::Tunnel(record) => record.pin.target,
            Content::Resource(_) => u32::MAX,
        }
    }

    #[test]
    fn the_last_state_of_each_key_arrives_last() {
        bolero::check!().with_type::<Vec<Step>>().for_each(|steps| {
            let mut backlog = Backlog::new(8);
            let mut wanted: BTreeMap<String, Option<u32>> = BTreeMap::new();
            let mut stored: BTreeMap<String, Option<u32>> = BTreeMap::new();
            let now = Instant::now();
            let mut write = |backlog: &mut Backlog, most: usize, mask: u8| {
                let mut failed = Vec::new();
                for (index, (key, waiting)) in backlog.take(most).into_iter().enumerate() {
                    if mask >> (index % 8) & 1 == 1 {
                        failed.push((key, waiting));
                    } else {
                        stored.insert(key.to_string(), waiting.content.map(target));
                    }
                }
                backlog.written(failed, if mask & 1 == 1 { Queue::Front } else { Queue::Back });
                stored.clone()
            };
            for step in steps {
                match step {
                    Step::Push(teid, target) => {
                        let known = backlog.contains(&key(*teid));
                        let room = backlog.len() < 8;
                        let pushed = backlog.push(key(*teid), target.map(record), now, None);
                        assert_eq!(pushed, known || room);
                        if pushed {
                            wanted.insert(key(*teid).to_string(), target.map(u32::from));
                        }
                    }
                    Step::Write(most, mask) => {
                        write(&mut backlog, usize::from(most % 5), *mask);
                    }
                }
                assert_eq!(backlog.order.len(), backlog.waiting.len());
                assert_eq!(backlog.oldest().is_some(), backlog.len() > 0);
            }
            assert_eq!(write(&mut backlog, 100, 0), wanted);
        });
    }

    #[test]
    fn whoever_waits_is_told() {
        let mut backlog = Backlog::new(1);
        let now = Instant::now();
        let (teller, mut told) = mpsc::channel(1);
        assert!(backlog.push(key(1), None, now, Some(&teller)));
        assert!(backlog.push(key(1), Some(record(1)), now, Some(&teller)));
        drop(teller);
        let taken = backlog.take(9);
        backlog.written(taken, Queue::Front);
        assert!(told.try_recv().is_err_and(|error| error == mpsc::error::TryRecvError::Empty), "it waits on");
        drop(backlog.take(9));
        assert_eq!(told.try_recv().unwrap_err(), mpsc::error::TryRecvError::Disconnected, "it is written");
        backlog.written(Vec::new(), Queue::Front);
        let (teller, mut told) = mpsc::channel(1);
        assert!(backlog.push(key(1), None, now, None));
        assert!(!backlog.push(key(2), None, now, Some(&teller)));
        assert!(told.try_recv().is_ok(), "it was given up");
    }
}
