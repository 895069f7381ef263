//! Puts fragments of IP together (RFC 791 3.2, RFC 8200 4.5).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

use pinion_protocols::ip::Fragment;

use super::network::Ends;

/// The longest that the payload of a packet can be.
const LONGEST: usize = 65_535;

/// What is held of packets that are not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most packets. The one begun first gives way.
    pub packets: usize,
    /// Most bytes of all of them. The packet begun first gives way.
    pub bytes: usize,
}

impl Default for Limits {
    /// 1,024 packets, 16 MiB.
    fn default() -> Self {
        Self { packets: 1024, bytes: 16 << 20 }
    }
}

/// Which packet a fragment is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

impl Key {
    pub(super) fn new(ends: Ends, protocol: u8, identification: u32) -> Self {
        Self { source: ends.source, destination: ends.destination, protocol, identification }
    }
}

/// A fragment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) key: Key,
    pub(super) fragment: Fragment,
    pub(super) payload: &'a [u8],
}

/// Packets that wait for their other fragments.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    limits: Limits,
    waiting: HashMap<Key, Waiting>,
    /// Keys in the order in which their packets began; some may be complete already.
    order: VecDeque<(Key, u64)>,
    begun: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    /// Tells this packet from earlier ones with the same key.
    number: u64,
    /// By offset; a repeated offset keeps what came first.
    pieces: BTreeMap<u16, Vec<u8>>,
    bytes: usize,
    /// Length of the payload, once the last fragment was seen.
    length: Option<usize>,
}

impl Fragments {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a fragment; gives the payload of the packet that it completes.
    pub(super) fn add(&mut self, piece: &Piece<'_>) -> Option<Vec<u8>> {
        let begin = usize::from(piece.fragment.offset);
        let end = begin.saturating_add(piece.payload.len());
        if end > LONGEST {
            return None;
        }
        let begun = &mut self.begun;
        let order = &mut self.order;
        let waiting = self.waiting.entry(piece.key).or_insert_with(|| {
            *begun = begun.wrapping_add(1);
            order.push_back((piece.key, *begun));
            Waiting { number: *begun, pieces: BTreeMap::new(), bytes: 0, length: None }
        });
        if !piece.fragment.more {
            waiting.length.get_or_insert(end);
        }
        let pieces = &mut waiting.pieces;
        if let std::collections::btree_map::Entry::Vacant(free) = pieces.entry(piece.fragment.offset) {
            free.insert(piece.payload.to_vec());
            waiting.bytes = waiting.bytes.saturating_add(piece.payload.len());
            self.bytes = self.bytes.saturating_add(piece.payload.len());
        }
        let whole = waiting.whole();
        if whole.is_some() {
            self.forget(piece.key);
        }
        self.give_way();
        whole
    }

    fn give_way(&mut self) {
        while self.waiting.len() > self.limits.packets || self.bytes > self.limits.bytes {
            let Some((key, number)) = self.order.pop_front() else {
                return;
            };
            if self.waiting.get(&key).is_some_and(|waiting| waiting.number == number) {
                self.forget(key);
            }
        }
        // Complete packets leave their keys behind: drop them before they are more than the others.
        if self.order.len() > self.limits.packets.saturating_mul(2) {
            let waiting = &self.waiting;
            self.order.retain(|(key, number)| waiting.get(key).is_some_and(|waiting| waiting.number == *number));
        }
    }

    fn forget(&mut self, key: Key) {
        if let Some(waiting) = self.waiting.remove(&key) {
            self.bytes = self.bytes.saturating_sub(waiting.bytes);
        }
    }
}

impl Waiting {
    /// The payload, where there is no gap in it. Where fragments overlap, the earlier offset wins.
    fn whole(&self) -> Option<Vec<u8>> {
        let length = self.length?;
        if self.bytes < length {
            return None;
        }
        let mut payload = Vec::with_capacity(length);
        for (&offset, piece) in &self.pieces {
            let known = payload.len().checked_sub(offset.into())?;
            payload.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
        payload.truncate(length);
        (payload.len() == length).then_some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(identification: u32) -> Key {
        let ends = Ends { source: "192.0.2.1".parse().unwrap(), destination: "192.0.2.2".parse().unwrap() };
        Key::new(ends, 17, identification)
    }

    fn piece(id: u32, offset: u16, more: bool, payload: &[u8]) -> Piece<'_> {
        let fragment = Fragment { identification: id, offset, more };
        Piece { key: key(id), fragment, payload }
    }

    #[test]
    fn any_order_completes() {
        let mut fragments = Fragments::default();
        assert_eq!(fragments.add(&piece(1, 16, false, b"end")), None);
        assert_eq!(fragments.add(&piece(1, 0, true, b"01234567")), None);
        assert_eq!(fragments.add(&piece(2, 8, true, b"othersid")), None);
        assert_eq!(fragments.add(&piece(1, 0, true, b"repeated")), None);
        let whole = fragments.add(&piece(1, 8, true, b"89abcdef"));
        assert_eq!(whole.unwrap(), b"0123456789abcdefend");
        assert_eq!((fragments.waiting.len(), fragments.bytes), (1, 8));
    }

    #[test]
    fn the_oldest_gives_way() {
        let limits = Limits { packets: 2, bytes: 20 };
        let mut fragments = Fragments::new(limits);
        for id in 0..100 {
            assert_eq!(fragments.add(&piece(id, 0, true, b"01234567")), None);
            assert!(fragments.waiting.len() <= 2 && fragments.bytes <= 20);
            assert!(fragments.order.len() <= 4);
        }
        assert_eq!(fragments.add(&piece(97, 8, false, b"x")), None);
        assert!(fragments.add(&piece(99, 8, false, b"x")).is_some());
    }

    /// Whatever comes, the bounds hold, and a payload that is given out has the length that the last fragment said.
    #[test]
    fn bounds_hold() {
        bolero::check!().with_type::<Vec<(u8, u16, bool, Vec<u8>)>>().for_each(|input| {
            let limits = Limits { packets: 3, bytes: 64 };
            let mut fragments = Fragments::new(limits);
            for (id, offset, more, payload) in input {
                let id = u32::from(id % 8);
                let whole = fragments.add(&piece(id, offset & 0xf8, *more, payload));
                assert!(whole.is_none_or(|whole| whole.len() <= LONGEST));
                let held: usize = fragments.waiting.values().map(|one| one.bytes).sum();
                assert_eq!(held, fragments.bytes);
                assert!(fragments.waiting.len() <= 3 && held <= 64);
                assert!(fragments.order.len() <= 6);
            }
        });
    }
}
