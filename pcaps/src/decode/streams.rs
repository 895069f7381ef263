//! Messages of protocols over TCP, put together from segments.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// One direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) source: (IpAddr, u16),
    pub(super) destination: (IpAddr, u16),
}

/// Beginnings of messages whose ends are still to come. The one that waits longest makes room for another.
#[derive(Debug, Default)]
pub(super) struct Streams {
    waiting: HashMap<Key, Stream>,
    /// Since when each waits; what is out of date is passed over.
    order: VecDeque<(Key, u64)>,
    count: u64,
}

#[derive(Debug)]
struct Stream {
    since: u64,
    /// Sequence number behind what waits.
    next: u32,
    bytes: Vec<u8>,
}

/// Directions that wait at a time.
const MOST: usize = 1024;

/// Bytes that one of them holds: a message that is longer is given up.
const LONGEST: usize = 256 << 10;

impl Streams {
    /// What can be read now that a segment came: what waited and the segment, or the segment alone where something between them is
    /// missing. None where all of it was there before.
    pub(super) fn add(&mut self, key: Key, sequence: u32, segment: &[u8]) -> Option<Vec<u8>> {
        let Some(mut stream) = self.waiting.remove(&key) else {
            return Some(segment.to_vec());
        };
        let known = stream.next.wrapping_sub(sequence);
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let mut bytes = std::mem::take(&mut stream.bytes);
        match segment.get(known..) {
            Some([]) => {
                self.waiting.insert(key, Stream { bytes, ..stream });
                None
            }
            Some(new) => {
                bytes.extend_from_slice(new);
                Some(bytes)
            }
            // Sent again and older than what is known, if the number is behind by less than half of all.
            None if known < 1 << 31 => {
                self.waiting.insert(key, Stream { bytes, ..stream });
                None
            }
            None => Some(segment.to_vec()),
        }
    }

    /// Keeps what could not be read yet, until what follows `next` comes.
    pub(super) fn keep(&mut self, key: Key, next: u32, bytes: &[u8]) {
        if bytes.is_empty() || bytes.len() > LONGEST {
            return;
        }
        self.count = self.count.saturating_add(1);
        let since = self.count;
        self.waiting.insert(key, Stream { since, next, bytes: bytes.to_vec() });
        self.order.push_back((key, since));
        while self.waiting.len() > MOST || self.order.len() > MOST.saturating_mul(2) {
            let Some((oldest, since)) = self.order.pop_front() else {
                return;
            };
            if self.waiting.get(&oldest).is_some_and(|stream| stream.since == since) {
                self.waiting.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(port: u16) -> Key {
        Key { source: ([192, 0, 2, 1].into(), port), destination: ([192, 0, 2, 2].into(), 3868) }
    }

    #[test]
    fn what_waits_goes_before_what_comes() {
        let mut streams = Streams::default();
        assert_eq!(streams.add(key(1), 100, b"abc"), Some(b"abc".to_vec()));
        streams.keep(key(1), 103, b"bc");
        assert_eq!(streams.add(key(2), 103, b"x"), Some(b"x".to_vec()));
        assert_eq!(streams.add(key(1), 103, b"def"), Some(b"bcdef".to_vec()));
        assert_eq!(streams.add(key(1), 106, b"g"), Some(b"g".to_vec()));
    }

    #[test]
    fn what_is_sent_again_is_read_once() {
        let mut streams = Streams::default();
        streams.keep(key(1), 2, b"ab");
        assert_eq!(streams.add(key(1), 0, b"ab"), None);
        assert_eq!(streams.add(key(1), u32::MAX, b"zab"), None);
        assert_eq!(streams.add(key(1), u32::MAX - 9, b"old"), None);
        assert_eq!(streams.add(key(1), 1, b"bc"), Some(b"abc".to_vec()));
    }

    #[test]
    fn after_a_gap_it_begins_anew() {
        let mut streams = Streams::default();
        streams.keep(key(1), 2, b"ab");
        assert_eq!(streams.add(key(1), 5, b"fg"), Some(b"fg".to_vec()));
    }

    #[test]
    fn it_is_bounded() {
        let mut streams = Streams::default();
        for port in 0..5000 {
            streams.keep(key(port), 1, b"a");
        }
        assert_eq!(streams.waiting.len(), MOST);
        assert_eq!(streams.add(key(4999), 1, b"b"), Some(b"ab".to_vec()));
        assert_eq!(streams.add(key(0), 1, b"b"), Some(b"b".to_vec()));
        streams.keep(key(1), 1, &vec![0; LONGEST + 1]);
        assert!(!streams.waiting.contains_key(&key(1)));
    }
}
