//! Messages out of fragments, and in the order of their stream (RFC 9260 6.5, 6.6, 6.9).

use alloc::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::message::{Event, Received};
use super::serial::{at_most, before16};

/// What a message or fragment costs beyond its bytes.
const OVERHEAD: usize = 32;
/// Payloads up to this are copied out of their packet where they wait, bytes.
const SMALL: usize = 512;

/// What DATA of `length` bytes counts for in the receive buffer.
pub(super) fn cost(length: usize) -> u32 {
    u32::try_from(length.saturating_add(OVERHEAD)).unwrap_or(u32::MAX)
}

/// The peer broke the protocol; what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Violation(pub(super) &'static str);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Fragment {
    pub(super) beginning: bool,
    pub(super) end: bool,
    pub(super) message: Received,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Reassembly {
    /// By TSN.
    fragments: BTreeMap<u32, Fragment>,
    /// Whole messages whose predecessors are missing, by stream and sequence number.
    waiting: BTreeMap<(u16, u16), Received>,
    /// The sequence number that comes next, where it is not 0.
    next: BTreeMap<u16, u16>,
    /// What all of it costs, and messages that the caller has not taken yet.
    pub(super) held: u32,
}

impl Reassembly {
    /// Takes what came with `tsn`, for the first time, and puts what is ready into `ready`.
    pub(super) fn insert(
        &mut self,
        tsn: u32,
        fragment: Fragment,
        largest: u32,
        ready: &mut VecDeque<Event>,
    ) -> Result<(), Violation> {
        self.held = self.held.saturating_add(cost(fragment.message.payload.len()));
        if fragment.beginning && fragment.end {
            return self.whole(fragment.message, ready);
        }
        let message = Received { payload: kept(fragment.message.payload), ..fragment.message };
        self.fragments.insert(tsn, Fragment { message, ..fragment });
        match self.run(tsn, largest)? {
            Some((first, last, length)) => {
                let message = self.join(first, last, length);
                message.map_or(Ok(()), |message| self.whole(message, ready))
            }
            None => Ok(()),
        }
    }

    /// The caller took a message with so many bytes.
    pub(super) fn taken(&mut self, length: usize) {
        self.held = self.held.saturating_sub(cost(length));
    }

    /// What was received up to `cumulative_tsn` is complete or given up, and on these streams all up
    /// to a sequence number (RFC 3758 3.6).
    pub(super) fn skip(
        &mut self,
        cumulative_tsn: u32,
        streams: impl Iterator<Item = (u16, u16)>,
        ready: &mut VecDeque<Event>,
    ) {
        let mut freed = 0_u32;
        self.fragments.retain(|&tsn, fragment| {
            let stays = !at_most(tsn, cumulative_tsn);
            if !stays {
                freed = freed.saturating_add(cost(fragment.message.payload.len()));
            }
            stays
        });
        self.held = self.held.saturating_sub(freed);
        for (stream, sequence) in streams {
            let next = self.next.get(&stream).copied().unwrap_or_default();
            if before16(sequence, next) {
                continue;
            }
            let skipped = sequence.wrapping_sub(next);
            let mut due: alloc::vec::Vec<u16> = self
                .waiting
                .range((stream, 0)..=(stream, u16::MAX))
                .map(|(&(_, waiting), _)| waiting)
                .filter(|waiting| waiting.wrapping_sub(next) <= skipped)
                .collect();
            due.sort_unstable_by_key(|waiting| waiting.wrapping_sub(next));
            for sequence in due {
                ready.extend(self.waiting.remove(&(stream, sequence)).map(Event::Message));
            }
            self.next.insert(stream, sequence.wrapping_add(1));
            self.release(stream, ready);
        }
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.fragments.is_empty() && self.waiting.is_empty()
    }

    fn whole(&mut self, message: Received, ready: &mut VecDeque<Event>) -> Result<(), Violation> {
        if message.unordered {
            ready.push_back(Event::Message(message));
            return Ok(());
        }
        let (stream, sequence) = (message.stream, message.sequence);
        let next = self.next.entry(stream).or_default();
        if *next == sequence {
            *next = next.wrapping_add(1);
            ready.push_back(Event::Message(message));
            if !self.waiting.is_empty() {
                self.release(stream, ready);
            }
            return Ok(());
        }
        let message = Received { payload: kept(message.payload), ..message };
        if before16(sequence, *next) || self.waiting.insert((stream, sequence), message).is_some() {
            return Err(Violation("stream sequence number used twice"));
        }
        Ok(())
    }

    /// Hands over what waited for the message before it.
    fn release(&mut self, stream: u16, ready: &mut VecDeque<Event>) {
        let next = self.next.entry(stream).or_default();
        while let Some(message) = self.waiting.remove(&(stream, *next)) {
            *next = next.wrapping_add(1);
            ready.push_back(Event::Message(message));
        }
    }

    /// First and last TSN and length of the message that `tsn` is part of, if all of it is there.
    fn run(&self, tsn: u32, largest: u32) -> Result<Option<(u32, u32, usize)>, Violation> {
        let Some(here) = self.fragments.get(&tsn) else { return Ok(None) };
        let mut length = here.message.payload.len();
        let (mut last, mut end) = (tsn, here.end);
        while !end {
            let next = last.wrapping_add(1);
            let Some(fragment) = self.fragments.get(&next) else { break };
            check(here, fragment, fragment.beginning)?;
            length = length.saturating_add(fragment.message.payload.len());
            (last, end) = (next, fragment.end);
        }
        let unfinished = |fragment: &Fragment| !fragment.end;
        let unbegun = |fragment: &Fragment| !fragment.beginning;
        if end && self.fragments.get(&last.wrapping_add(1)).is_some_and(unbegun)
            || here.beginning && self.fragments.get(&tsn.wrapping_sub(1)).is_some_and(unfinished)
        {
            return Err(Violation("fragment without beginning or end"));
        }
        // Without its end a message need not be walked through, unless it may be too large.
        if !end && self.held <= largest {
            return Ok(None);
        }
        let (mut first, mut beginning) = (tsn, here.beginning);
        while !beginning {
            let previous = first.wrapping_sub(1);
            let Some(fragment) = self.fragments.get(&previous) else { break };
            check(here, fragment, fragment.end)?;
            length = length.saturating_add(fragment.message.payload.len());
            (first, beginning) = (previous, fragment.beginning);
        }
        if u32::try_from(length).unwrap_or(u32::MAX) > largest {
            return Err(Violation("message too large"));
        }
        Ok((beginning && end).then_some((first, last, length)))
    }

    fn join(&mut self, first: u32, last: u32, length: usize) -> Option<Received> {
        let mut payload = BytesMut::with_capacity(length);
        let mut message: Option<Received> = None;
        let mut tsn = first;
        loop {
            let fragment = self.fragments.remove(&tsn)?;
            payload.extend_from_slice(&fragment.message.payload);
            self.held = self.held.saturating_sub(cost(fragment.message.payload.len()));
            message.get_or_insert(fragment.message);
            if tsn == last {
                break;
            }
            tsn = tsn.wrapping_add(1);
        }
        self.held = self.held.saturating_add(cost(length));
        message.map(|message| Received { payload: payload.freeze(), ..message })
    }
}

/// What may wait for long must not keep a whole packet alive for a few bytes.
fn kept(payload: Bytes) -> Bytes {
    if payload.len() < SMALL { Bytes::copy_from_slice(&payload) } else { payload }
}

/// Whether two neighbours can be of one message: `broken` says that one of them begins or ends it
/// where the other one goes on.
fn check(a: &Fragment, b: &Fragment, broken: bool) -> Result<(), Violation> {
    let (a, b) = (&a.message, &b.message);
    if broken {
        return Err(Violation("fragment without beginning or end"));
    }
    if a.stream != b.stream || a.unordered != b.unordered || (!a.unordered && a.sequence != b.sequence) {
        return Err(Violation("fragments of different messages mixed"));
    }
    Ok(())
}

/// A part of a packet, shared where that does not keep much more alive than itself.
pub(super) fn part(packet: &Bytes, payload: &[u8], offset: usize, share: bool) -> Bytes {
    let end = offset.saturating_add(payload.len());
    if share && packet.get(offset..end).is_some() {
        packet.slice(offset..end)
    } else {
        Bytes::copy_from_slice(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn fragment(flags: &str, stream: u16, sequence: u16, payload: &'static [u8]) -> Fragment {
        Fragment {
            beginning: flags.contains('B'),
            end: flags.contains('E'),
            message: Received {
                stream,
                sequence,
                protocol: 0,
                unordered: flags.contains('U'),
                payload: Bytes::from_static(payload),
            },
        }
    }

    fn run(arrivals: &[(u32, Fragment)]) -> Result<Vec<Bytes>, Violation> {
        let mut reassembly = Reassembly::default();
        let mut ready = VecDeque::new();
        for (tsn, fragment) in arrivals {
            reassembly.insert(*tsn, fragment.clone(), 1000, &mut ready)?;
        }
        let mut payloads = Vec::new();
        for event in ready {
            if let Event::Message(message) = event {
                reassembly.taken(message.payload.len());
                payloads.push(message.payload);
            }
        }
        if reassembly.is_empty() {
            assert_eq!(reassembly.held, 0);
        }
        Ok(payloads)
    }

    #[test]
    fn rfc9260_6_9_fragments_in_any_order_become_one_message() {
        let parts = [
            (u32::MAX, fragment("B", 1, 0, b"ab")),
            (0, fragment("", 1, 0, b"cd")),
            (1, fragment("E", 1, 0, b"ef")),
        ];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let arrivals = order.map(|index: usize| parts[index].clone());
            assert_eq!(run(&arrivals).unwrap(), ["abcdef"], "{order:?}");
        }
    }

    #[test]
    fn rfc9260_6_6_ordered_messages_wait_and_unordered_do_not() {
        let arrivals = [
            (3, fragment("BE", 1, 2, b"third")),
            (2, fragment("BE", 1, 1, b"second")),
            (4, fragment("BEU", 1, 0, b"unordered")),
            (5, fragment("BE", 2, 0, b"other stream")),
            (1, fragment("BE", 1, 0, b"first")),
        ];
        assert_eq!(run(&arrivals).unwrap(), ["unordered", "other stream", "first", "second", "third"]);
    }

    #[test]
    fn mixed_and_broken_messages_are_violations() {
        let mixed = [(1, fragment("B", 1, 0, b"a")), (2, fragment("E", 2, 0, b"b"))];
        assert_eq!(run(&mixed), Err(Violation("fragments of different messages mixed")));
        let broken =
            [(1, fragment("B", 1, 0, b"a")), (2, fragment("B", 1, 0, b"b")), (3, fragment("E", 1, 0, b""))];
        assert!(run(&broken).is_err());
        let twice = [(1, fragment("BE", 1, 0, b"a")), (2, fragment("BE", 1, 0, b"b"))];
        assert!(run(&twice).is_err());
    }

    #[test]
    fn a_message_larger_than_allowed_is_a_violation() {
        let arrivals: Vec<_> =
            (0..200).map(|tsn| (tsn, fragment(if tsn == 0 { "B" } else { "" }, 0, 0, b"0123456789"))).collect();
        assert_eq!(run(&arrivals), Err(Violation("message too large")));
    }

    #[test]
    fn rfc3758_3_6_skipping_releases_what_waited() {
        let mut reassembly = Reassembly::default();
        let mut ready = VecDeque::new();
        for (tsn, fragment) in [
            (5, fragment("B", 1, 2, b"never whole")),
            (3, fragment("BE", 1, 1, b"whole")),
            (7, fragment("BE", 1, 3, b"after")),
        ] {
            reassembly.insert(tsn, fragment, 1000, &mut ready).unwrap();
        }
        assert!(ready.is_empty());
        reassembly.skip(6, [(1, 2)].into_iter(), &mut ready);
        let payloads: Vec<_> = ready
            .iter()
            .map(|event| match event {
                Event::Message(message) => message.payload.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(payloads, ["whole", "after"]);
        assert!(reassembly.is_empty());
    }
}
