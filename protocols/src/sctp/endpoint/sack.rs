//! What the peer acknowledges (RFC 9260 6.2.1, 6.3.2, 7.2).

use super::association::{Association, Context, MOST_PATHS};
use super::message::Event;
use super::outbound::{Fate, Outbound};
use super::serial::{at_most, before};
use super::time::Time;
use crate::sctp::{CauseCode, GapBlock, GapBlocks, Sack};

/// SACKs that must report DATA missing before it is sent again (RFC 9260 7.2.4).
const MISSING: u8 = 3;

impl Association {
    /// Takes a SACK.
    pub(super) fn sack(&mut self, context: &mut Context<'_>, sack: &Sack<'_>) {
        if !self.may_be_acknowledged(context, sack.cumulative_tsn) || !are_sorted(sack.gaps) {
            return;
        }
        let furthest = sack.gaps.last().map_or(0, |block| u32::from(block.end));
        if !at_most(sack.cumulative_tsn.wrapping_add(furthest), self.outbound.next_tsn().wrapping_sub(1)) {
            self.abort(context, CauseCode::ProtocolViolation, b"gap block of DATA that was never sent");
            return;
        }
        self.acknowledge(context, sack.cumulative_tsn, Some(sack.gaps), Some(sack.a_rwnd));
    }

    /// Takes a cumulative TSN alone, as SHUTDOWN has it.
    pub(super) fn cumulative_ack(&mut self, context: &mut Context<'_>, cumulative: u32) {
        if self.may_be_acknowledged(context, cumulative) {
            self.acknowledge(context, cumulative, None, None);
        }
    }

    /// Old news are let go by; news of DATA that was never sent ends it.
    fn may_be_acknowledged(&mut self, context: &mut Context<'_>, cumulative: u32) -> bool {
        let last = self.outbound.first.wrapping_sub(1);
        if before(cumulative, last) {
            return false;
        }
        if !at_most(cumulative, self.outbound.next_tsn().wrapping_sub(1)) {
            self.abort(context, CauseCode::ProtocolViolation, b"acknowledges DATA that was never sent");
            return false;
        }
        true
    }

    fn acknowledge(
        &mut self,
        context: &mut Context<'_>,
        cumulative: u32,
        gaps: Option<GapBlocks<'_>>,
        window: Option<u32>,
    ) {
        let config = context.config;
        let before = self.flights();
        let moved = cumulative != self.outbound.first.wrapping_sub(1);
        for path in &mut self.paths {
            path.acked = 0;
            path.acked_in_sequence = false;
        }
        self.in_sequence(context, cumulative);
        let furthest = gaps.and_then(GapBlocks::last).map_or(0, |block| u32::from(block.end));
        let highest = gaps.and_then(|gaps| self.beyond_gaps(context, gaps));
        for path in &mut self.paths {
            path.recover(cumulative);
        }
        // While it recovers, every gap counts (RFC 9260 7.2.4).
        let recovering = moved && furthest > 0 && self.paths.iter().any(|path| path.recovery.is_some());
        let limit = if recovering { Some(cumulative.wrapping_add(furthest)) } else { highest };
        if let Some(limit) = limit {
            self.miss(context, limit);
        }
        let mut answered = false;
        for (path, before) in self.paths.iter_mut().zip(before) {
            path.burst = config.max_burst;
            if path.acked > 0 {
                answered = true;
                path.carries();
                path.grow(config, before, moved);
            }
            if path.flight == 0 {
                path.t3 = Time::NEVER;
            } else if path.acked_in_sequence || !path.t3.is_set() {
                path.t3 = context.now.after(path.rto);
            }
        }
        if let Some(window) = window {
            self.outbound.peer_window = window.saturating_sub(self.outbound.flight);
            self.outbound.probing = window == 0;
        }
        if answered {
            self.answered();
        } else if self.outbound.probing {
            // RFC 9260 6.1 A: a peer that answers probes of its closed window is not lost.
            self.errors = 0;
        }
        self.advance_forward();
        self.outbound.unblock(config.send_buffer, &mut self.events);
        self.drained(context);
    }

    fn flights(&self) -> [u32; MOST_PATHS] {
        let mut flights = [0; MOST_PATHS];
        for (flight, path) in flights.iter_mut().zip(&self.paths) {
            *flight = path.flight;
        }
        flights
    }

    /// DATA came through where it was sent last (RFC 9260 8.1, 8.2).
    fn answered(&mut self) {
        self.errors = 0;
        for index in 0..self.paths.len() {
            let index = u8::try_from(index).unwrap_or_default();
            if self.path(index).is_some_and(|path| path.acked > 0) {
                self.path_answers(index);
            }
        }
    }

    /// Lets go of everything up to `cumulative`.
    fn in_sequence(&mut self, context: &Context<'_>, cumulative: u32) {
        while at_most(self.outbound.first, cumulative) {
            let tsn = self.outbound.first;
            let Some(sent) = self.outbound.sent.pop_front() else { return };
            self.outbound.first = tsn.wrapping_add(1);
            self.outbound.freed(sent.payload.len());
            let length = sent.length();
            let path = self.paths.get_mut(usize::from(sent.path));
            match sent.fate {
                Fate::Outstanding => self.outbound.flight = self.outbound.flight.saturating_sub(length),
                Fate::Lost => self.outbound.lost = self.outbound.lost.saturating_sub(1),
                Fate::Acknowledged => self.outbound.gapped = self.outbound.gapped.saturating_sub(1),
                Fate::Abandoned => {}
            }
            let Some(path) = path else { continue };
            path.acked_in_sequence = true;
            if matches!(sent.fate, Fate::Outstanding | Fate::Lost) {
                path.acked = path.acked.saturating_add(length);
            }
            if sent.fate == Fate::Outstanding {
                path.flight = path.flight.saturating_sub(length);
            }
            // RFC 9260 6.3.1 C5, Karn: only what was sent once is measured.
            if let Some((timed, left)) = path.timed
                && timed == tsn
            {
                path.timed = None;
                if sent.transmissions == 1 && sent.fate != Fate::Acknowledged {
                    path.measured(context.config, context.now.since(left));
                }
            }
        }
    }

    /// Marks what gap blocks acknowledge; the highest TSN that is new among it.
    fn beyond_gaps(&mut self, context: &Context<'_>, mut gaps: GapBlocks<'_>) -> Option<u32> {
        if gaps.len() == 0 && self.outbound.gapped == 0 {
            return None;
        }
        let mut highest = None;
        let mut block = gaps.next();
        let outbound = &mut self.outbound;
        for (distance, sent) in (1_u32..).zip(&mut outbound.sent) {
            while block.is_some_and(|block| u32::from(block.end) < distance) {
                block = gaps.next();
            }
            if block.is_none() && outbound.gapped == 0 {
                break;
            }
            let acknowledged = block.is_some_and(|block| u32::from(block.start) <= distance);
            let tsn = outbound.first.wrapping_sub(1).wrapping_add(distance);
            let length = sent.length();
            let path = self.paths.get_mut(usize::from(sent.path));
            match (sent.fate, acknowledged) {
                (Fate::Outstanding | Fate::Lost, true) => {
                    highest = Some(tsn);
                    outbound.gapped = outbound.gapped.saturating_add(1);
                    let was_outstanding = sent.fate == Fate::Outstanding;
                    sent.fate = Fate::Acknowledged;
                    if was_outstanding {
                        outbound.flight = outbound.flight.saturating_sub(length);
                    } else {
                        outbound.lost = outbound.lost.saturating_sub(1);
                    }
                    let Some(path) = path else { continue };
                    path.acked = path.acked.saturating_add(length);
                    if was_outstanding {
                        path.flight = path.flight.saturating_sub(length);
                    }
                    if let Some((timed, left)) = path.timed
                        && timed == tsn
                    {
                        path.timed = None;
                        if sent.transmissions == 1 {
                            path.measured(context.config, context.now.since(left));
                        }
                    }
                }
                // RFC 9260 6.2.1 D iii: the peer dropped what it had acknowledged.
                (Fate::Acknowledged, false) => {
                    sent.fate = Fate::Lost;
                    sent.missing = 0;
                    outbound.gapped = outbound.gapped.saturating_sub(1);
                    outbound.lost = outbound.lost.saturating_add(1);
                    if before(tsn, outbound.lost_from) {
                        outbound.lost_from = tsn;
                    }
                }
                _ => {}
            }
        }
        highest
    }

    /// Counts what is missing below `limit`, and sends again what is missing for the third time
    /// (RFC 9260 7.2.4, "Highest TSN Newly Acknowledged").
    fn miss(&mut self, context: &Context<'_>, limit: u32) {
        let last = self.outbound.next_tsn().wrapping_sub(1);
        let mut lost_on = [false; MOST_PATHS];
        for index in 0..self.outbound.sent.len() {
            let tsn = self.outbound.first.wrapping_add(u32::try_from(index).unwrap_or(u32::MAX));
            if !before(tsn, limit) {
                break;
            }
            let Some(sent) = self.outbound.sent.get_mut(index) else { break };
            if sent.fate != Fate::Outstanding || sent.fast {
                continue;
            }
            sent.missing = sent.missing.saturating_add(1);
            if sent.missing < MISSING {
                continue;
            }
            sent.fast = true;
            if let Some(lost) = lost_on.get_mut(usize::from(sent.path)) {
                *lost = true;
            }
            self.lose(index);
            self.outbound.fast = true;
        }
        for (path, lost) in self.paths.iter_mut().zip(lost_on) {
            if lost {
                path.lost_some(context.config, last);
            }
        }
    }

    /// Marks a chunk that is outstanding as lost.
    pub(super) fn lose(&mut self, index: usize) {
        let tsn = self.outbound.first.wrapping_add(u32::try_from(index).unwrap_or(u32::MAX));
        let Some(sent) = self.outbound.sent.get_mut(index) else { return };
        let length = sent.length();
        sent.fate = Fate::Lost;
        sent.missing = 0;
        if let Some(path) = self.paths.get_mut(usize::from(sent.path)) {
            path.flight = path.flight.saturating_sub(length);
            if path.timed.is_some_and(|(timed, _)| timed == tsn) {
                path.timed = None;
            }
        }
        let outbound: &mut Outbound = &mut self.outbound;
        outbound.flight = outbound.flight.saturating_sub(length);
        outbound.peer_window = outbound.peer_window.saturating_add(length);
        outbound.lost = outbound.lost.saturating_add(1);
        if before(tsn, outbound.lost_from) {
            outbound.lost_from = tsn;
        }
    }

    /// Says that nothing is left to be acknowledged, and goes on with a shutdown that waited for that.
    pub(super) fn drained(&mut self, context: &mut Context<'_>) {
        if !self.outbound.is_empty() {
            return;
        }
        if self.busy {
            self.busy = false;
            self.events.push_back(Event::Drained);
        }
        self.shutdown_goes_on(context);
    }
}

/// Whether the blocks are in order and do not overlap: others are not worth the time they cost.
fn are_sorted(gaps: GapBlocks<'_>) -> bool {
    let mut last = 0;
    for GapBlock { start, end } in gaps {
        if start <= last || end < start {
            return false;
        }
        last = end;
    }
    true
}
