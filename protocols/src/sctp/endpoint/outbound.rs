//! What is to be sent, and what was sent and is not acknowledged in sequence (RFC 9260 6.1, 6.3).

use alloc::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::message::{Event, Message, Reliability};
use super::time::Time;

/// What a message or fragment costs beyond its bytes.
const OVERHEAD: usize = 64;

/// What `length` bytes count for in the send buffer.
fn cost(length: usize) -> u32 {
    u32::try_from(length.saturating_add(OVERHEAD)).unwrap_or(u32::MAX)
}

/// How a DATA chunk that was sent fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fate {
    Outstanding,
    /// To be sent again.
    Lost,
    /// Acknowledged by a gap block.
    Acknowledged,
    /// Given up (RFC 3758).
    Abandoned,
}

/// A DATA chunk that has its TSN.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) payload: Bytes,
    pub(super) expires: Time,
    pub(super) protocol: u32,
    pub(super) context: u32,
    pub(super) stream: u16,
    pub(super) sequence: u16,
    /// Retransmissions after which it is given up.
    pub(super) most: u16,
    pub(super) transmissions: u16,
    pub(super) flags: u8,
    /// Index of the path that it was sent on last.
    pub(super) path: u8,
    pub(super) fate: Fate,
    /// How many SACKs reported it missing.
    pub(super) missing: u8,
    /// It was retransmitted fast already (RFC 9260 7.2.4).
    pub(super) fast: bool,
}

impl Sent {
    pub(super) fn length(&self) -> u32 {
        u32::try_from(self.payload.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn is_beginning(&self) -> bool {
        self.flags & FIRST != 0
    }

    pub(super) fn is_end(&self) -> bool {
        self.flags & LAST != 0
    }

    pub(super) fn is_unordered(&self) -> bool {
        self.flags & UNORDERED != 0
    }

    /// Whether it would be given up rather than sent again.
    pub(super) fn is_stale(&self, now: Time) -> bool {
        self.expires <= now || self.transmissions > self.most
    }
}

/// The E bit of DATA (RFC 9260 3.3.1).
pub(super) const LAST: u8 = 1;
/// The B bit.
pub(super) const FIRST: u8 = 2;
/// The U bit.
pub(super) const UNORDERED: u8 = 4;

/// A message without TSN, or the part of it that has none yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) payload: Bytes,
    pub(super) expires: Time,
    pub(super) protocol: u32,
    pub(super) context: u32,
    pub(super) stream: u16,
    pub(super) most: u16,
    pub(super) unordered: bool,
    /// The sequence number, once a part of it was sent.
    pub(super) started: Option<u16>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outbound {
    /// TSN of the front of `sent`.
    pub(super) first: u32,
    /// In the order of TSNs, none left out.
    pub(super) sent: VecDeque<Sent>,
    pub(super) pending: VecDeque<Pending>,
    /// The sequence number that comes next, where it is not 0.
    sequences: BTreeMap<u16, u16>,
    /// Streams to send on.
    pub(super) streams: u16,
    /// What the peer's window has room for beyond what is outstanding.
    pub(super) peer_window: u32,
    /// What `sent` and `pending` cost.
    pub(super) buffered: u32,
    /// Bytes that are outstanding.
    pub(super) flight: u32,
    /// How many chunks are lost, and a TSN that none of them comes before.
    pub(super) lost: u32,
    pub(super) lost_from: u32,
    /// How many chunks gap blocks have acknowledged.
    pub(super) gapped: u32,
    /// One packet may leave whatever the congestion window says (RFC 9260 7.2.4).
    pub(super) fast: bool,
    /// Chunks were given up and the peer is to be told (RFC 3758 3.5).
    pub(super) forward: bool,
    /// Sending was refused for want of room.
    pub(super) blocked: bool,
    /// A window of zero is being probed (RFC 9260 6.1).
    pub(super) probing: bool,
}

impl Outbound {
    pub(super) fn new(first_tsn: u32, streams: u16, peer_window: u32) -> Self {
        Self {
            first: first_tsn,
            sent: VecDeque::new(),
            pending: VecDeque::new(),
            sequences: BTreeMap::new(),
            streams,
            peer_window,
            buffered: 0,
            flight: 0,
            lost: 0,
            lost_from: first_tsn,
            gapped: 0,
            fast: false,
            forward: false,
            blocked: false,
            probing: false,
        }
    }

    /// The TSN that comes next.
    pub(super) fn next_tsn(&self) -> u32 {
        self.first.wrapping_add(u32::try_from(self.sent.len()).unwrap_or(u32::MAX))
    }

    /// Whether all is acknowledged or given up.
    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.pending.is_empty()
    }

    /// Whether a message of so many bytes may wait too.
    pub(super) fn has_room(&self, length: usize, buffer: u32) -> bool {
        self.buffered == 0 || self.buffered.saturating_add(cost(length)) <= buffer
    }

    pub(super) fn push(&mut self, now: Time, message: Message) {
        self.buffered = self.buffered.saturating_add(cost(message.payload.len()));
        let (expires, most) = match message.reliability {
            Reliability::Full => (Time::NEVER, u16::MAX),
            Reliability::Lifetime(lifetime) => (now.after(lifetime), u16::MAX),
            Reliability::Retransmissions(most) => (Time::NEVER, most),
        };
        self.pending.push_back(Pending {
            payload: message.payload,
            expires,
            protocol: message.protocol,
            context: message.context,
            stream: message.stream,
            most,
            unordered: message.unordered,
            started: None,
        });
    }

    /// Gives the next TSN to at most `room` bytes of the first message that waits.
    pub(super) fn start(&mut self, path: u8, room: usize) -> Option<&Sent> {
        let pending = self.pending.front_mut()?;
        let first = pending.started.is_none();
        let sequence = match pending.started {
            Some(sequence) => sequence,
            None if pending.unordered => 0,
            None => {
                let next = self.sequences.entry(pending.stream).or_default();
                let sequence = *next;
                *next = next.wrapping_add(1);
                sequence
            }
        };
        pending.started = Some(sequence);
        let last = pending.payload.len() <= room;
        let payload = if last {
            core::mem::take(&mut pending.payload)
        } else {
            self.buffered = self.buffered.saturating_add(cost(0));
            pending.payload.split_to(room)
        };
        let mut flags = 0;
        for (is, flag) in [(first, FIRST), (last, LAST), (pending.unordered, UNORDERED)] {
            flags |= if is { flag } else { 0 };
        }
        let sent = Sent {
            payload,
            expires: pending.expires,
            protocol: pending.protocol,
            context: pending.context,
            stream: pending.stream,
            sequence,
            most: pending.most,
            transmissions: 1,
            flags,
            path,
            fate: Fate::Outstanding,
            missing: 0,
            fast: false,
        };
        if last {
            self.pending.pop_front();
        }
        let length = sent.length();
        self.flight = self.flight.saturating_add(length);
        self.peer_window = self.peer_window.saturating_sub(length);
        self.sent.push_back(sent);
        self.sent.back()
    }

    /// Index and TSN of the first lost chunk.
    pub(super) fn first_lost(&mut self) -> Option<(usize, u32)> {
        if self.lost == 0 {
            self.lost_from = self.next_tsn();
            return None;
        }
        let from = usize::try_from(self.lost_from.wrapping_sub(self.first)).unwrap_or_default();
        let from = if from > self.sent.len() { 0 } else { from };
        let found = self.sent.iter().enumerate().skip(from).find(|(_, sent)| sent.fate == Fate::Lost);
        let index = found.map(|(index, _)| index)?;
        let tsn = self.first.wrapping_add(u32::try_from(index).unwrap_or(u32::MAX));
        self.lost_from = tsn;
        Some((index, tsn))
    }

    /// A chunk left `sent` or `pending`.
    pub(super) fn freed(&mut self, length: usize) {
        self.buffered = self.buffered.saturating_sub(cost(length));
    }

    /// Says that there is room again, where that was waited for.
    pub(super) fn unblock(&mut self, buffer: u32, events: &mut VecDeque<Event>) {
        if self.blocked && self.buffered <= buffer / 2 {
            self.blocked = false;
            events.push_back(Event::Writable);
        }
    }

    /// Reports everything as not delivered, and forgets it.
    pub(super) fn fail(&mut self, events: &mut VecDeque<Event>) {
        for sent in self.sent.drain(..) {
            let whole = sent.is_end() && matches!(sent.fate, Fate::Outstanding | Fate::Lost | Fate::Acknowledged);
            if whole {
                events.push_back(Event::SendFailed { context: sent.context, stream: sent.stream, sent: true });
            }
        }
        for pending in self.pending.drain(..) {
            let sent = pending.started.is_some();
            events.push_back(Event::SendFailed { context: pending.context, stream: pending.stream, sent });
        }
        self.buffered = 0;
        self.flight = 0;
        self.lost = 0;
        self.gapped = 0;
        self.forward = false;
    }

    /// Gives back memory that a burst needed.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            self.sent = VecDeque::new();
            self.pending = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn rfc9260_1_6_tsns_wrap() {
        let mut outbound = Outbound::new(u32::MAX - 1, 1, 1000);
        for _ in 0..4 {
            outbound.push(Time::ZERO, Message::new(0, 0, Bytes::from_static(b"x")));
        }
        let next = || {
            let tsn = outbound.next_tsn();
            outbound.start(0, 10).map(|_| tsn)
        };
        let tsns: Vec<_> = core::iter::from_fn(next).collect();
        assert_eq!(tsns, [u32::MAX - 1, u32::MAX, 0, 1]);
        outbound.sent[3].fate = Fate::Lost;
        outbound.lost = 1;
        assert_eq!(outbound.first_lost(), Some((3, 1)));
    }
}
