//! What was received, and what of it is to be acknowledged (RFC 9260 6.2).

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::message::{Event, Received};
use super::reassembly::{Fragment, Reassembly, Violation};
use super::serial::{at_most, before};
use super::time::Time;
use crate::sctp::{Data, GapBlock};

/// Duplicates that one SACK reports at most.
const MOST_DUPLICATES: usize = 16;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Inbound {
    /// The last TSN in sequence.
    pub(super) cumulative: u32,
    /// Ranges of TSNs beyond it, both ends included.
    ranges: Vec<(u32, u32)>,
    duplicates: Vec<u32>,
    /// Streams that the peer may send on.
    pub(super) streams: u16,
    /// Packets with DATA since the last SACK.
    unacknowledged: u16,
    /// A SACK is due.
    pub(super) sack_now: bool,
    /// When a SACK will be due.
    pub(super) sack_at: Time,
    /// Where the last DATA came from: the index of its path.
    pub(super) reply: u8,
    /// The window that was advertised last.
    advertised: u32,
    pub(super) reassembly: Reassembly,
}

/// What became of a DATA chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    New,
    Duplicate,
    /// There was no room, or it is not within reach.
    Dropped,
    /// It came on a stream that there is not (RFC 9260 6.5).
    NoStream,
}

impl Inbound {
    pub(super) fn new(config: &Config, first_tsn: u32, streams: u16) -> Self {
        Self {
            cumulative: first_tsn.wrapping_sub(1),
            ranges: Vec::new(),
            duplicates: Vec::new(),
            streams,
            unacknowledged: 0,
            sack_now: false,
            sack_at: Time::NEVER,
            reply: 0,
            advertised: config.receive_buffer,
            reassembly: Reassembly::default(),
        }
    }

    /// Takes a DATA chunk and puts the messages that it completes into `ready`.
    pub(super) fn data(
        &mut self,
        config: &Config,
        data: &Data<'_>,
        payload: Bytes,
        ready: &mut VecDeque<Event>,
    ) -> Result<Taken, Violation> {
        if data.flags.immediate() {
            self.sack_now = true;
        }
        if self.has(data.tsn) {
            self.sack_now = true;
            if self.duplicates.len() < MOST_DUPLICATES {
                self.duplicates.push(data.tsn);
            }
            return Ok(Taken::Duplicate);
        }
        if !self.has_room(config, data.tsn) || !self.note(config, data.tsn) {
            self.sack_now = true;
            return Ok(Taken::Dropped);
        }
        if data.stream >= self.streams {
            return Ok(Taken::NoStream);
        }
        let fragment = Fragment {
            beginning: data.flags.beginning(),
            end: data.flags.end(),
            message: Received {
                stream: data.stream,
                sequence: data.sequence,
                protocol: data.protocol,
                unordered: data.flags.unordered(),
                payload,
            },
        };
        self.reassembly.insert(data.tsn, fragment, config.max_message, ready)?;
        Ok(Taken::New)
    }

    /// A packet with DATA was looked at: decides when it is acknowledged (RFC 9260 6.2).
    pub(super) fn packet_done(&mut self, config: &Config, now: Time, path: u8) {
        self.reply = path;
        self.unacknowledged = self.unacknowledged.saturating_add(1);
        if self.unacknowledged >= config.sack_frequency || !self.ranges.is_empty() {
            self.sack_now = true;
        }
        if !self.sack_at.is_set() {
            self.sack_at = now.after(config.sack_delay);
        }
    }

    /// Whether a SACK must leave now.
    pub(super) fn sack_due(&self, now: Time) -> bool {
        self.sack_now || self.sack_at <= now
    }

    /// Whether there is something that no SACK has told the peer yet.
    pub(super) fn sack_useful(&self) -> bool {
        self.sack_now || self.unacknowledged > 0
    }

    /// The peer gave up what it sent up to `cumulative` (RFC 3758 3.6).
    pub(super) fn forward(
        &mut self,
        cumulative: u32,
        streams: impl Iterator<Item = (u16, u16)>,
        ready: &mut VecDeque<Event>,
    ) {
        self.sack_now = true;
        if at_most(cumulative, self.cumulative) {
            return;
        }
        self.cumulative = cumulative;
        self.ranges.retain_mut(|(start, end)| {
            if at_most(*start, cumulative) && before(cumulative, *end) {
                *start = cumulative.wrapping_add(1);
            }
            before(cumulative, *end)
        });
        self.advance();
        let known = self.streams;
        let streams = streams.filter(|&(stream, _)| stream < known);
        self.reassembly.skip(cumulative, streams, ready);
    }

    /// The caller took a message: the peer is told where the window opened enough (RFC 9260 6.2).
    pub(super) fn taken(&mut self, config: &Config, length: usize) {
        self.reassembly.taken(length);
        let grown = self.window(config).saturating_sub(self.advertised);
        if grown >= config.receive_buffer / 2 || (self.advertised < 3000 && grown >= 3000) {
            self.sack_now = true;
        }
    }

    /// The window that is advertised.
    pub(super) fn window(&self, config: &Config) -> u32 {
        config.receive_buffer.saturating_sub(self.reassembly.held)
    }

    /// What a SACK says; it counts as sent.
    pub(super) fn sack(&mut self, config: &Config, most_items: usize) -> (u32, u32, Vec<GapBlock>, Vec<u32>) {
        let window = self.window(config);
        let distance = |tsn: u32| u16::try_from(tsn.wrapping_sub(self.cumulative)).unwrap_or(u16::MAX);
        let gaps: Vec<_> = self
            .ranges
            .iter()
            .take(most_items)
            .map(|&(start, end)| GapBlock { start: distance(start), end: distance(end) })
            .collect();
        let mut duplicates = core::mem::take(&mut self.duplicates);
        duplicates.truncate(most_items.saturating_sub(gaps.len()));
        self.advertised = window;
        self.unacknowledged = 0;
        self.sack_now = false;
        self.sack_at = Time::NEVER;
        (self.cumulative, window, gaps, duplicates)
    }

    /// Whether DATA came twice since the last SACK: perhaps SACKs get lost.
    pub(super) fn has_duplicates(&self) -> bool {
        !self.duplicates.is_empty()
    }

    fn has(&self, tsn: u32) -> bool {
        at_most(tsn, self.cumulative) || {
            let after = self.ranges.partition_point(|&(start, _)| at_most(start, tsn));
            let range = after.checked_sub(1).and_then(|index| self.ranges.get(index));
            range.is_some_and(|&(_, end)| at_most(tsn, end))
        }
    }

    /// New DATA needs room in the buffer; what fills a gap may overdraw it, lest nothing moves.
    fn has_room(&self, config: &Config, tsn: u32) -> bool {
        let highest = self.ranges.last().map_or(self.cumulative, |&(_, end)| end);
        let most = config.receive_buffer;
        let most = if before(tsn, highest) { most.saturating_mul(2) } else { most };
        self.reassembly.held < most
    }

    /// Notes that `tsn` was received; false where it cannot be.
    fn note(&mut self, config: &Config, tsn: u32) -> bool {
        if tsn == self.cumulative.wrapping_add(1) {
            self.cumulative = tsn;
            self.advance();
            return true;
        }
        if tsn.wrapping_sub(self.cumulative) > u32::from(u16::MAX) {
            return false;
        }
        let at = self.ranges.partition_point(|&(start, _)| at_most(start, tsn));
        let joins_next = self.ranges.get(at).is_some_and(|&(start, _)| start == tsn.wrapping_add(1));
        let previous = at.checked_sub(1).and_then(|index| self.ranges.get_mut(index));
        match previous {
            Some((_, end)) if end.wrapping_add(1) == tsn => {
                *end = tsn;
                if joins_next {
                    let (_, next_end) = self.ranges.remove(at);
                    if let Some((_, end)) = at.checked_sub(1).and_then(|index| self.ranges.get_mut(index)) {
                        *end = next_end;
                    }
                }
            }
            _ if joins_next => {
                if let Some((start, _)) = self.ranges.get_mut(at) {
                    *start = tsn;
                }
            }
            _ => {
                if self.ranges.len() >= usize::from(config.max_gaps) {
                    return false;
                }
                self.ranges.insert(at, (tsn, tsn));
            }
        }
        true
    }

    /// Moves the cumulative TSN over the range that begins right after it.
    fn advance(&mut self) {
        if let Some(&(start, end)) = self.ranges.first()
            && at_most(start, self.cumulative.wrapping_add(1))
        {
            self.cumulative = end;
            self.ranges.remove(0);
        }
        if self.ranges.is_empty() && self.ranges.capacity() > 64 {
            self.ranges = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn inbound(first: u32) -> (Config, Inbound) {
        let config = Config::default();
        let inbound = Inbound::new(&config, first, 1);
        (config, inbound)
    }

    /// A set of numbers says the same as the ranges, whatever comes in whatever order.
    #[test]
    fn ranges_are_the_set_of_what_was_received() {
        bolero::check!().with_type::<std::vec::Vec<u8>>().for_each(|arrivals| {
            let first = u32::MAX - 100;
            let (config, mut inbound) = inbound(first);
            let mut set = BTreeSet::new();
            for &distance in arrivals {
                let tsn = first.wrapping_add(u32::from(distance));
                assert_eq!(inbound.has(tsn), set.contains(&distance));
                if set.insert(distance) {
                    assert!(inbound.note(&config, tsn));
                }
            }
            let in_sequence = (0..=u8::MAX).take_while(|distance| set.contains(distance)).count();
            assert_eq!(inbound.cumulative.wrapping_sub(first.wrapping_sub(1)) as usize, in_sequence);
            let beyond: usize = inbound.ranges.iter().map(|(s, e)| e.wrapping_sub(*s) as usize + 1).sum();
            assert_eq!(beyond, set.len() - in_sequence);
            for pair in inbound.ranges.windows(2) {
                assert!(before(pair[0].1.wrapping_add(1), pair[1].0));
            }
        });
    }

    #[test]
    fn rfc9260_6_2_every_second_packet_is_acknowledged_or_after_the_delay() {
        let (config, mut inbound) = inbound(1);
        inbound.note(&config, 1);
        inbound.packet_done(&config, Time::ZERO, 0);
        assert!(!inbound.sack_due(Time::ZERO));
        assert!(inbound.sack_due(Time::ZERO.after(config.sack_delay)));
        inbound.note(&config, 2);
        inbound.packet_done(&config, Time::ZERO, 0);
        assert!(inbound.sack_due(Time::ZERO));
        inbound.sack(&config, 10);
        assert!(!inbound.sack_useful());
    }

    #[test]
    fn rfc9260_6_7_a_gap_is_acknowledged_at_once() {
        let (config, mut inbound) = inbound(1);
        inbound.note(&config, 3);
        inbound.packet_done(&config, Time::ZERO, 0);
        assert!(inbound.sack_due(Time::ZERO));
        let (cumulative, _, gaps, _) = inbound.sack(&config, 10);
        assert_eq!((cumulative, gaps.as_slice()), (0, [GapBlock { start: 3, end: 3 }].as_slice()));
    }

    #[test]
    fn what_is_far_beyond_the_cumulative_tsn_is_dropped() {
        let (config, mut inbound) = inbound(1);
        assert!(!inbound.note(&config, 65_536 + 1));
        assert!(inbound.note(&config, 65_535));
    }
}
