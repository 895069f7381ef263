//! Requests of peers: each is done once and answered alike, however often it comes (TS 29.244 6.4, TS 29.274 7.6).

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use foldhash::HashMap;
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

/// A request: who sent it, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Who, and where the answer goes.
    pub from: SocketAddr,
    /// Its number.
    pub sequence: u32,
    /// A peer that restarts counts anew: what it asked is told from what it asks by its bytes.
    pub digest: u64,
}

impl Origin {
    /// That of a message of these bytes.
    #[must_use]
    pub fn of(from: SocketAddr, sequence: u32, message: &[u8]) -> Self {
        Self { from, sequence, digest: FixedState::with_seed(0).hash_one(message) }
    }
}

/// What is known of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    New,
    /// It is being worked on.
    Pending,
    /// It was answered so.
    Answered(Bytes),
}

type Key = (SocketAddr, u32);

#[derive(Debug)]
struct Entry {
    digest: u64,
    /// Which turn to be forgotten is its own: one that was forgotten before leaves an earlier one behind.
    until: Duration,
    answer: Option<Bytes>,
}

/// Requests and their answers.
#[derive(Debug, Default)]
pub struct Inbound {
    known: HashMap<Key, Entry>,
    /// In the order in which they came, with the time until which they are remembered.
    order: VecDeque<(Duration, Key, u64)>,
}

impl Inbound {
    /// Looks a request up, and takes it down where it is new. `until`: when its sender has given up.
    pub fn see(&mut self, origin: Origin, until: Duration, most: u32) -> Seen {
        let key = (origin.from, origin.sequence);
        if let Some(entry) = self.known.get(&key)
            && entry.digest == origin.digest
        {
            return entry.answer.clone().map_or(Seen::Pending, Seen::Answered);
        }
        while self.order.len() >= most.max(1) as usize {
            self.forget_oldest();
        }
        self.known.insert(key, Entry { digest: origin.digest, until, answer: None });
        self.order.push_back((until, key, origin.digest));
        Seen::New
    }

    /// Remembers an answer; not where its request was forgotten meanwhile.
    pub fn answer(&mut self, origin: &Origin, answer: &Bytes) {
        if let Some(entry) = self.entry(origin) {
            entry.answer = Some(answer.clone());
        }
    }

    /// Forgets a request that will not be answered: the next like it is done anew.
    pub fn forget(&mut self, origin: &Origin) {
        if self.entry(origin).is_some() {
            self.known.remove(&(origin.from, origin.sequence));
        }
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Forgets what nobody sends again.
    pub fn expire(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(until, ..)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn entry(&mut self, origin: &Origin) -> Option<&mut Entry> {
        self.known.get_mut(&(origin.from, origin.sequence)).filter(|entry| entry.digest == origin.digest)
    }

    fn forget_oldest(&mut self) {
        if let Some((until, key, digest)) = self.order.pop_front()
            && self.known.get(&key).is_some_and(|entry| (entry.digest, entry.until) == (digest, until))
        {
            self.known.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(sequence: u32, digest: u64) -> Origin {
        Origin { from: ([192, 0, 2, 1], 8805).into(), sequence, digest }
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// TS 29.244 6.4: a retransmission is answered as the request was.
    #[test]
    fn a_request_is_new_once() {
        let mut inbound = Inbound::default();
        assert_eq!(inbound.see(origin(1, 7), SECOND, 9), Seen::New);
        assert_eq!(inbound.see(origin(1, 7), SECOND, 9), Seen::Pending);
        let answer = Bytes::from_static(b"yes");
        inbound.answer(&origin(1, 7), &answer);
        assert_eq!(inbound.see(origin(1, 7), SECOND, 9), Seen::Answered(answer));
        inbound.expire(SECOND);
        assert_eq!(inbound.see(origin(1, 7), 2 * SECOND, 9), Seen::New);
    }

    #[test]
    fn a_peer_that_counts_anew_is_not_given_an_old_answer() {
        let mut inbound = Inbound::default();
        inbound.see(origin(1, 7), SECOND, 9);
        inbound.answer(&origin(1, 7), &Bytes::from_static(b"old"));
        assert_eq!(inbound.see(origin(1, 8), SECOND, 9), Seen::New);
        inbound.answer(&origin(1, 7), &Bytes::from_static(b"late"));
        assert_eq!(inbound.see(origin(1, 8), SECOND, 9), Seen::Pending);
    }

    /// TS 29.244 6.4: what is asked again after nobody answered is done once too.
    #[test]
    fn what_was_forgotten_and_came_again_is_remembered_as_long_as_any() {
        let mut inbound = Inbound::default();
        inbound.see(origin(1, 7), SECOND, 9);
        inbound.forget(&origin(1, 7));
        assert_eq!(inbound.see(origin(1, 7), 3 * SECOND, 9), Seen::New);
        inbound.expire(2 * SECOND);
        assert_eq!(inbound.see(origin(1, 7), 4 * SECOND, 9), Seen::Pending);
        inbound.expire(3 * SECOND);
        assert_eq!(inbound.see(origin(1, 7), 4 * SECOND, 9), Seen::New);
    }

    #[test]
    fn the_oldest_is_forgotten_where_there_is_no_room() {
        let mut inbound = Inbound::default();
        for sequence in 0..5 {
            inbound.see(origin(sequence, 0), SECOND, 2);
        }
        assert_eq!(inbound.known.len(), 2);
        assert_eq!(inbound.see(origin(4, 0), SECOND, 2), Seen::Pending);
        assert_eq!(inbound.see(origin(0, 0), SECOND, 2), Seen::New);
    }
}
