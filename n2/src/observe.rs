//! Looks on where the fast path carries associations between gNBs and AMFs (mode `association`): from copies of their
//! packets it learns which UEs there are, and on which AMF.
//!
//! Copies promise nothing. One may be lost, come twice or late; what was sent before the first is never seen. So what is
//! shown here is likely, and steers nothing: an [`Observer`] answers nobody, and a UE of which nothing was heard for long is
//! forgotten.
//!
//! `join` makes messages of the chunks of one direction, `meaning` says what one is about, `ues` is who is where.

mod join;
mod meaning;
mod ues;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use pinion_protocols::ngap::value::GlobalRanNodeId;
use pinion_protocols::ngap::{Envelope, PAYLOAD_PROTOCOL};
use pinion_protocols::sctp::{Chunk, Packet};

use join::Joiner;
use meaning::{Meaning, meaning};
pub use ues::Ue;
use ues::Ues;

/// How much an [`Observer`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Associations; beyond, the one that was silent for longest makes room, with its UEs.
    pub associations: usize,
    /// UEs; beyond, the one that was silent for longest makes room.
    pub ues: usize,
    /// Bytes of fragments whose messages are not whole, of all associations; beyond, those of the direction that one more is
    /// of make room.
    pub fragments: usize,
    /// How long a UE is kept that no message is about.
    pub silence: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { associations: 4096, ues: 1 << 20, fragments: 16 << 20, silence: Duration::from_secs(3600) }
    }
}

/// Who sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The gNB.
    Gnb,
    /// The AMF.
    Amf,
}

/// What an [`Observer`] met with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Copies of packets.
    pub packets: u64,
    /// Whole messages.
    pub messages: u64,
    /// DATA chunks that had come before.
    pub repeated: u64,
    /// DATA chunks that never came, by their numbers.
    pub missing: u64,
    /// Fragments whose message never became whole.
    pub unjoined: u64,
    /// Packets and messages that cannot be decoded.
    pub malformed: u64,
    /// UEs that were met.
    pub met: u64,
    /// UEs that made room for others.
    pub displaced: u64,
    /// UEs that were forgotten because nothing was heard of them.
    pub silent: u64,
}

/// A UE of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<'a, K, T> {
    /// Counts the UEs; [`Observer::ues`] goes on behind it.
    pub number: u64,
    /// The association.
    pub association: &'a K,
    /// What its host knows of it.
    pub about: &'a T,
    /// Its gNB, where its NG Setup was seen.
    pub node: Option<&'a GlobalRanNodeId>,
    /// RAN UE NGAP ID.
    pub ran: u32,
    /// What else is known of it.
    pub ue: &'a Ue,
}

/// What is known of associations, by the key `K` that its host gives each, and of their UEs. Of each it keeps a `T` for its
/// host.
#[derive(Debug)]
pub struct Observer<K, T> {
    bounds: Bounds,
    numbers: HashMap<K, u64>,
    associations: BTreeMap<u64, Association<K, T>>,
    next: u64,
    ues: Ues,
    /// Bytes of fragments.
    held: usize,
    counts: Counts,
}

#[derive(Debug)]
struct Association<K, T> {
    key: K,
    about: T,
    node: Option<GlobalRanNodeId>,
    last: Duration,
    gnb: Joiner,
    amf: Joiner,
}

impl<K: Clone + Eq + Hash, T> Observer<K, T> {
    /// One that has seen nothing.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            numbers: HashMap::new(),
            associations: BTreeMap::new(),
            next: 0,
            ues: Ues::new(bounds.ues),
            held: 0,
            counts: Counts::default(),
        }
    }

    /// Takes the copy of an SCTP packet, from its common header on. What a copy that was cut lacks is as if it were lost.
    pub fn packet(&mut self, key: &K, about: T, from: Side, packet: &[u8], now: Duration) {
        self.counts.packets = self.counts.packets.saturating_add(1);
        let Ok(packet) = Packet::parse(packet) else {
            self.counts.malformed = self.counts.malformed.saturating_add(1);
            return;
        };
        let number = self.number(key, about, now);
        for chunk in packet.chunks() {
            let Ok(Ok(chunk)) = chunk.map(|chunk| chunk.parse()) else {
                self.counts.malformed = self.counts.malformed.saturating_add(1);
                return;
            };
            let Chunk::Data(data) = chunk else { continue };
            let Some(association) = self.associations.get_mut(&number) else { return };
            let joiner = match from {
                Side::Gnb => &mut association.gnb,
                Side::Amf => &mut association.amf,
            };
            let before = joiner.held();
            let room = self.bounds.fragments.saturating_sub(self.held.saturating_sub(before));
            let whole = joiner.take(&data, room, &mut self.counts);
            self.held = self.held.saturating_sub(before).saturating_add(joiner.held());
            if let Some(message) = whole
                && data.protocol == PAYLOAD_PROTOCOL
            {
                self.message(number, from, &message, now);
            }
        }
    }

    /// An association has ended, and its UEs with it.
    pub fn end(&mut self, key: &K) {
        if let Some(number) = self.numbers.get(key).copied() {
            self.forget(number);
        }
    }

    /// Forgets UEs of which nothing was heard for long.
    pub fn age(&mut self, now: Duration) {
        let silent = self.ues.age(now.saturating_sub(self.bounds.silence));
        self.counts.silent = self.counts.silent.saturating_add(silent);
    }

    /// The associations that anything was heard of.
    pub fn associations(&self) -> impl Iterator<Item = (&K, &T)> {
        self.associations.values().map(|association| (&association.key, &association.about))
    }

    /// How many UEs there are.
    #[must_use]
    pub fn ue_count(&self) -> usize {
        self.ues.len()
    }

    /// What it met with.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The UEs behind a number, in the order of their numbers.
    pub fn ues(&self, after: Option<u64>) -> impl Iterator<Item = Seen<'_, K, T>> {
        self.ues.after(after).filter_map(|(number, (association, ran), ue)| {
            let association = self.associations.get(&association)?;
            let (association, about, node) = (&association.key, &association.about, association.node.as_ref());
            Some(Seen { number, association, about, node, ran, ue })
        })
    }

    /// The number of an association, which is new where nothing was heard of it.
    fn number(&mut self, key: &K, about: T, now: Duration) -> u64 {
        if let Some(number) = self.numbers.get(key)
            && let Some(association) = self.associations.get_mut(number)
        {
            (association.about, association.last) = (about, now);
            return *number;
        }
        if self.associations.len() >= self.bounds.associations.max(1)
            && let Some(oldest) = self.associations.iter().min_by_key(|(_, it)| it.last).map(|(number, _)| *number)
        {
            let ues = self.forget(oldest);
            self.counts.displaced = self.counts.displaced.saturating_add(ues);
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        let (gnb, amf) = (Joiner::default(), Joiner::default());
        let association = Association { key: key.clone(), about, node: None, last: now, gnb, amf };
        self.associations.insert(number, association);
        self.numbers.insert(key.clone(), number);
        number
    }

    /// Forgets an association; how many UEs it had.
    fn forget(&mut self, number: u64) -> u64 {
        let Some(association) = self.associations.remove(&number) else { return 0 };
        self.numbers.remove(&association.key);
        self.held = self.held.saturating_sub(association.gnb.held()).saturating_sub(association.amf.held());
        self.ues.end_all(number)
    }

    /// Learns from a message.
    fn message(&mut self, number: u64, from: Side, bytes: &[u8], now: Duration) {
        self.counts.messages = self.counts.messages.saturating_add(1);
        let read = Envelope::parse(bytes).and_then(|envelope| {
            let joined = envelope.value().joined();
            meaning(&envelope.open(&joined)?, from)
        });
        let counts = &mut self.counts;
        match read {
            Err(_) => counts.malformed = counts.malformed.saturating_add(1),
            Ok(Meaning::Nothing) => {}
            Ok(Meaning::SetUp(node)) => {
                self.ues.end_all(number);
                self.named(number, node);
            }
            Ok(Meaning::Node(node)) => self.named(number, node),
            Ok(Meaning::First { ran, tmsi, guami }) => {
                self.ues.begin(number, ran, Ue { tmsi, guami, ..Ue::new(now) }, counts);
            }
            Ok(Meaning::About { ids, guami }) => self.ues.met(number, ids, guami, now, counts),
            Ok(Meaning::Ended(ids)) => self.ues.end(number, ids),
            Ok(Meaning::Reset(list)) => self.ues.reset(number, &list),
            Ok(Meaning::ResetAll) => drop(self.ues.end_all(number)),
        }
    }

    fn named(&mut self, number: u64, node: GlobalRanNodeId) {
        if let Some(association) = self.associations.get_mut(&number) {
            association.node = Some(node);
        }
    }
}
