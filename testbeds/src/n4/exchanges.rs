//! Requests and their responses (TS 29.244 6.4, 6.5): retransmitted, repeated, bundled, matched.

mod bundle;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use pinion_protocols::pfcp::{Message, MessageType, MessageWriter, Messages};

use super::memory::{Key, Memory};
use super::{Datagram, Violation};

/// Retransmission (TS 29.244 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a response is waited for.
    pub t1: Duration,
    /// How often a request is sent again.
    pub n1: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self { t1: Duration::from_secs(1), n1: 3 }
    }
}

/// How often something happened that is no violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages sent for the first time.
    pub sent: u64,
    /// Requests sent again.
    pub retransmitted: u64,
    /// Requests that came again and got the same response.
    pub repeated: u64,
    /// Responses that came again, the same.
    pub doubled: u64,
    /// Requests that were never answered.
    pub given_up: u64,
    /// Requests about sessions that there were, but are no more.
    pub not_found: u64,
    /// Datagrams that had more than one message.
    pub bundles: u64,
}

/// What a message that came is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A request that waits for its response.
    Request,
    /// The response to a request of the own, and the session that this was about.
    Response(Option<u64>),
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Pending {
    kind: MessageType,
    about: Option<u64>,
    datagram: Datagram,
    again: u32,
    due: Duration,
}

/// A request that came, and its response.
#[derive(Debug)]
struct Answered {
    request: (MessageType, Vec<u8>),
    response: Vec<u8>,
}

/// All exchanges of one entity.
#[derive(Debug)]
pub(super) struct Exchanges {
    local: SocketAddr,
    timing: Timing,
    sequence: u32,
    pending: BTreeMap<u32, Pending>,
    due: BTreeSet<(Duration, u32)>,
    answered: Memory<Answered>,
    taken: Memory<Vec<u8>>,
    /// Requests of a life before, whose responses may still come.
    forgotten: BTreeSet<Key>,
    out: Vec<Datagram>,
    /// Longest datagram that session messages to one peer are put together in.
    pub(super) bundle: Option<usize>,
    pub(super) violations: Vec<Violation>,
    pub(super) counts: Counts,
}

impl Exchanges {
    pub(super) fn new(local: SocketAddr, timing: Timing, sequence: u32) -> Self {
        // Longer than anybody may go on asking.
        let life = timing.t1.saturating_mul(timing.n1.saturating_add(1)).saturating_mul(2);
        Self {
            local,
            timing,
            sequence,
            pending: BTreeMap::new(),
            due: BTreeSet::new(),
            answered: Memory::new(life),
            taken: Memory::new(life),
            forgotten: BTreeSet::new(),
            out: Vec::new(),
            bundle: None,
            violations: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The socket of the entity.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Forgets what it asked and answered, as a process does that dies. What tells a violation stays.
    pub(super) fn restart(&mut self, sequence: u32) {
        self.sequence = sequence;
        let asked = std::mem::take(&mut self.pending);
        self.forgotten.extend(asked.iter().map(|(sequence, pending)| (pending.datagram.to, *sequence)));
        self.due.clear();
        self.answered.clear();
        self.out.clear();
    }

    /// Whether no request waits for a response.
    pub(super) fn is_quiet(&self) -> bool {
        self.pending.is_empty()
    }

    /// Sends a request. `about` comes back with its response.
    pub(super) fn request(
        &mut self,
        to: SocketAddr,
        kind: MessageType,
        seid: Option<u64>,
        about: Option<u64>,
        now: Duration,
        fill: impl FnOnce(&mut MessageWriter<'_>),
    ) {
        self.sequence = self.sequence.wrapping_add(1) & 0x00ff_ffff;
        let bytes = write(kind, seid, self.sequence, fill);
        let datagram = Datagram { from: self.local, to, bytes };
        let due = now.saturating_add(self.timing.t1);
        self.due.insert((due, self.sequence));
        self.out.push(datagram.clone());
        self.counts.sent += 1;
        self.pending.insert(self.sequence, Pending { kind, about, datagram, again: 0, due });
    }

    /// Sends the response to a request.
    pub(super) fn respond(
        &mut self,
        to: SocketAddr,
        request: &Message<'_>,
        seid: Option<u64>,
        now: Duration,
        fill: impl FnOnce(&mut MessageWriter<'_>),
    ) {
        let Some(kind) = request.message_type().response() else {
            return;
        };
        let bytes = write(kind, seid, request.sequence(), fill);
        let asked = (request.message_type(), request.body().to_vec());
        let answered = Answered { request: asked, response: bytes.clone() };
        self.answered.put((to, request.sequence()), answered, now);
        self.counts.sent += 1;
        self.out.push(Datagram { from: self.local, to, bytes });
    }

    /// Takes a datagram that came, and says of which of its messages there is more to do.
    pub(super) fn accept<'a>(
        &mut self,
        from: SocketAddr,
        datagram: &'a [u8],
        now: Duration,
    ) -> Vec<(Message<'a>, Turn)> {
        let mut turns = Vec::new();
        for message in Messages::new(datagram) {
            match message {
                Ok(message) => {
                    turns.extend(self.turn(from, datagram, &message, now).map(|turn| (message, turn)));
                }
                Err(error) => self.violations.push(Violation::Undecodable { from, error: error.to_string() }),
            }
        }
        turns
    }

    fn turn(&mut self, from: SocketAddr, datagram: &[u8], message: &Message<'_>, now: Duration) -> Option<Turn> {
        match message.message_type().is_request() {
            Some(true) => self.accept_request(from, message),
            Some(false) => {
                // Without the first octet: whether another message follows is the datagram's, not the message's own.
                let start = message.offset().saturating_add(1);
                let end = start.saturating_add(3).saturating_add(message.length().into());
                self.accept_response(from, message, datagram.get(start..end).unwrap_or_default(), now)
            }
            None => {
                self.violations.push(Violation::Unexpected { from, kind: message.message_type() });
                None
            }
        }
    }

    fn accept_request(&mut self, from: SocketAddr, message: &Message<'_>) -> Option<Turn> {
        let (kind, sequence) = (message.message_type(), message.sequence());
        let Some(answered) = self.answered.get(&(from, sequence)) else {
            return Some(Turn::Request);
        };
        if answered.request.0 != kind || answered.request.1 != message.body() {
            self.violations.push(Violation::SequenceReused { from, kind, sequence });
            return Some(Turn::Request);
        }
        let bytes = answered.response.clone();
        self.counts.repeated += 1;
        self.out.push(Datagram { from: self.local, to: from, bytes });
        None
    }

    fn accept_response(
        &mut self,
        from: SocketAddr,
        message: &Message<'_>,
        whole: &[u8],
        now: Duration,
    ) -> Option<Turn> {
        let (kind, sequence) = (message.message_type(), message.sequence());
        let Some(pending) = self.pending.get(&sequence) else {
            match self.taken.get(&(from, sequence)) {
                Some(before) if before == whole => self.counts.doubled += 1,
                Some(_) => self.violations.push(Violation::Differing { from, kind, sequence }),
                None if self.forgotten.contains(&(from, sequence)) => {}
                None => self.violations.push(Violation::Unasked { from, kind, sequence }),
            }
            return None;
        };
        let (asked, to) = (pending.kind, pending.datagram.to);
        if to != from {
            self.violations.push(Violation::Elsewhere { from, asked: to, kind });
            return None;
        }
        if asked.response() != Some(kind) {
            self.violations.push(Violation::Mistaken { from, asked, kind });
            return None;
        }
        let pending = self.pending.remove(&sequence)?;
        self.due.remove(&(pending.due, sequence));
        self.taken.put((from, sequence), whole.to_vec(), now);
        Some(Turn::Response(pending.about))
    }

    /// Sends again what is due; what was sent often enough is given up and returned.
    pub(super) fn tick(&mut self, now: Duration) -> Vec<(MessageType, SocketAddr, Option<u64>)> {
        let mut given_up = Vec::new();
        while let Some((due, sequence)) = self.due.first().copied()
            && due <= now
        {
            self.due.remove(&(due, sequence));
            let Some(pending) = self.pending.get_mut(&sequence) else {
                continue;
            };
            if pending.again >= self.timing.n1 {
                self.counts.given_up += 1;
                given_up.push((pending.kind, pending.datagram.to, pending.about));
                self.pending.remove(&sequence);
                continue;
            }
            pending.again += 1;
            pending.due = now.saturating_add(self.timing.t1);
            self.due.insert((pending.due, sequence));
            self.counts.retransmitted += 1;
            self.out.push(pending.datagram.clone());
        }
        given_up
    }

    /// What is to be sent, in order.
    pub(super) fn take(&mut self) -> Vec<Datagram> {
        let out = std::mem::take(&mut self.out);
        let Some(longest) = self.bundle else {
            return out;
        };
        let (bundled, bundles) = bundle::together(out, longest);
        self.counts.bundles += bundles;
        bundled
    }
}

/// A message; nothing where it is too long to be one.
fn write(
    kind: MessageType,
    seid: Option<u64>,
    sequence: u32,
    fill: impl FnOnce(&mut MessageWriter<'_>),
) -> Vec<u8> {
    let mut out = bytes::BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, seid, sequence);
    fill(&mut writer);
    // Then nothing was written, and the peer will not answer it.
    let _ = writer.finish();
    out.to_vec()
}
