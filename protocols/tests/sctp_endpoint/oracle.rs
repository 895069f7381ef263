//! Knows what was sent, and so what may arrive.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::{BufMut, Bytes, BytesMut};

/// Bytes that say which message it is.
pub(crate) const HEADER: usize = 15;

/// A message as its payload names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    /// Which of the sender's associations, one after another.
    pub(crate) epoch: u32,
    /// Number among all messages of the sender.
    pub(crate) context: u32,
    pub(crate) stream: u16,
    pub(crate) unordered: bool,
    /// Number on its stream, of its kind, in its epoch.
    pub(crate) sequence: u32,
}

impl Name {
    /// A payload that says it, `length` bytes in all.
    pub(crate) fn payload(self, length: usize) -> Bytes {
        let mut payload = BytesMut::new();
        payload.put_u32(self.epoch);
        payload.put_u32(self.context);
        payload.put_u16(self.stream);
        payload.put_u8(u8::from(self.unordered));
        payload.put_u32(self.sequence);
        while payload.len() < length {
            let next = (payload.len() as u32).wrapping_mul(self.context.wrapping_add(1)) as u8;
            payload.put_u8(next);
        }
        payload.freeze()
    }

    pub(crate) fn read(payload: &[u8]) -> Self {
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        Self {
            epoch: number(0),
            context: number(4),
            stream: u16::from_be_bytes(payload[8..10].try_into().unwrap()),
            unordered: payload[10] == 1,
            sequence: number(11),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Fate {
    name: Name,
    length: usize,
    reliable: bool,
    delivered: bool,
    failed: bool,
    /// A crash may have swallowed it without anybody knowing.
    excused: bool,
}

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    fates: HashMap<u32, Fate>,
    /// Messages in flight or unaccounted for, so that crashes need not look at all.
    open: BTreeSet<u32>,
    sequences: BTreeMap<(u32, u16, bool), u32>,
    /// What ordered message arrived last, by epoch and stream.
    last: BTreeMap<(u32, u16), u32>,
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
}

impl Oracle {
    /// Names the next message of `epoch` on a stream.
    pub(crate) fn name(&mut self, epoch: u32, stream: u16, unordered: bool) -> Name {
        let sequence = *self.sequences.entry((epoch, stream, unordered)).or_default();
        Name { epoch, context: self.fates.len() as u32, stream, unordered, sequence }
    }

    /// It was taken by the endpoint.
    pub(crate) fn sent(&mut self, name: Name, length: usize, reliable: bool) {
        *self.sequences.entry((name.epoch, name.stream, name.unordered)).or_default() += 1;
        let fate = Fate { name, length, reliable, delivered: false, failed: false, excused: false };
        assert!(self.fates.insert(name.context, fate).is_none());
        self.open.insert(name.context);
    }

    /// It arrived.
    pub(crate) fn received(&mut self, stream: u16, unordered: bool, payload: &[u8]) {
        let name = Name::read(payload);
        let fate = self.fates.get_mut(&name.context).expect("a message that was sent");
        assert_eq!(name, fate.name);
        assert_eq!((stream, unordered), (name.stream, name.unordered));
        assert!(!fate.delivered, "delivered twice: {fate:?}");
        fate.delivered = true;
        assert_eq!(payload, name.payload(fate.length), "changed: {fate:?}");
        self.delivered += 1;
        self.open.remove(&name.context);
        if unordered {
            return;
        }
        let before = self.last.insert((name.epoch, stream), name.sequence);
        let expected = before.map_or(0, |last| last + 1);
        assert!(name.sequence >= expected, "out of order: {name:?} after {before:?}");
        // What is left out was given up, and the sender may not know yet.
        for fate in self.fates.values() {
            let left_out = (expected..name.sequence).contains(&fate.name.sequence);
            if left_out && fate.name.epoch == name.epoch && fate.name.stream == stream && !fate.name.unordered {
                assert!(!fate.reliable, "left out: {fate:?} before {name:?}");
            }
        }
    }

    /// The sender was told that it may not have arrived.
    pub(crate) fn failed(&mut self, context: u32, sent: bool) {
        let fate = self.fates.get_mut(&context).expect("a message that was sent");
        assert!(!fate.failed, "failed twice: {fate:?}");
        assert!(sent || !fate.delivered, "delivered, and never sent: {fate:?}");
        fate.failed = true;
        self.failed += 1;
        self.open.remove(&context);
    }

    /// One of the two sides crashed: what is open may stay so.
    pub(crate) fn crashed(&mut self) {
        for context in &self.open {
            if let Some(fate) = self.fates.get_mut(context) {
                fate.excused = true;
            }
        }
    }

    /// What neither arrived nor failed, though nobody crashed.
    pub(crate) fn silent(&self) -> Vec<String> {
        let open = self.open.iter().filter_map(|context| self.fates.get(context));
        open.filter(|fate| !fate.excused).map(|fate| format!("{fate:?}")).collect()
    }
}
