//! Messages that are given up (RFC 3758, RFC 7496).

use alloc::collections::BTreeMap;

use bytes::BufMut;

use super::association::{Association, Context};
use super::message::Event;
use super::outbound::{Fate, Sent};
use crate::sctp::write::PacketWriter;
use crate::sctp::{ChunkType, ForwardTsn};

impl Association {
    /// Gives up what is too old to be sent, or to be sent again. Where the peer cannot be told, nothing is.
    pub(super) fn drop_stale(&mut self, context: &Context<'_>) {
        if !self.partial_reliability {
            return;
        }
        while let Some((index, _)) = self.outbound.first_lost() {
            if !self.outbound.sent.get(index).is_some_and(|sent| sent.is_stale(context.now)) {
                break;
            }
            self.abandon(index);
            self.advance_forward();
        }
        while let Some(pending) = self.outbound.pending.front()
            && pending.expires <= context.now
        {
            self.give_up_pending();
        }
    }

    /// Marks all fragments of the message that the chunk at `index` is of.
    fn abandon(&mut self, index: usize) {
        let sent = &self.outbound.sent;
        let mut first = index;
        while first > 0 && sent.get(first).is_some_and(|sent| !sent.is_beginning()) {
            first = first.saturating_sub(1);
        }
        let mut last = index;
        while sent.get(last).is_some_and(|sent| !sent.is_end()) && last.saturating_add(1) < sent.len() {
            last = last.saturating_add(1);
        }
        for index in first..=last {
            if self.outbound.sent.get(index).is_some_and(|sent| sent.fate == Fate::Outstanding) {
                self.lose(index);
            }
            let Some(sent) = self.outbound.sent.get_mut(index) else { continue };
            match sent.fate {
                Fate::Lost => self.outbound.lost = self.outbound.lost.saturating_sub(1),
                Fate::Acknowledged => self.outbound.gapped = self.outbound.gapped.saturating_sub(1),
                Fate::Outstanding | Fate::Abandoned => {}
            }
            sent.fate = Fate::Abandoned;
        }
        let Some(end) = self.outbound.sent.get(last) else { return };
        if end.is_end() {
            let (context, stream) = (end.context, end.stream);
            self.events.push_back(Event::SendFailed { context, stream, sent: true });
        } else {
            self.give_up_pending();
        }
    }

    /// Gives up the first message that waits. Where a part of it was sent, the rest gets a TSN all the
    /// same, so that there is something to tell the peer to skip.
    fn give_up_pending(&mut self) {
        let Some(pending) = self.outbound.pending.front_mut() else { return };
        if pending.started.is_none() {
            let (context, stream, length) = (pending.context, pending.stream, pending.payload.len());
            self.outbound.pending.pop_front();
            self.outbound.freed(length);
            self.events.push_back(Event::SendFailed { context, stream, sent: false });
            return;
        }
        if self.outbound.start(0, usize::MAX).is_some()
            && let Some(last) = self.outbound.sent.len().checked_sub(1)
        {
            // It never leaves, but counts as outstanding until it is given up.
            let length = self.outbound.sent.get(last).map_or(0, Sent::length);
            if let Some(path) = self.path_mut(0) {
                path.flight = path.flight.saturating_add(length);
            }
            self.abandon(last);
            self.advance_forward();
        }
    }

    /// Whether the peer is to be told that the next it waits for does not come (RFC 3758 3.5).
    pub(super) fn advance_forward(&mut self) {
        let front = self.outbound.sent.front();
        self.outbound.forward = front.is_some_and(|sent| sent.fate == Fate::Abandoned);
    }

    /// Adds FORWARD-TSN for what was given up at the front (RFC 3758 3.2).
    pub(super) fn write_forward(&mut self, writer: &mut PacketWriter<'_>, room: usize) {
        self.outbound.forward = false;
        let given_up = |sent: &&Sent| sent.fate == Fate::Abandoned;
        let most = room.saturating_sub(writer.len()).saturating_sub(8) / 4;
        let mut streams = BTreeMap::new();
        let mut cumulative = self.outbound.first.wrapping_sub(1);
        for sent in self.outbound.sent.iter().take_while(given_up) {
            if !sent.is_unordered() {
                if streams.len() >= most && !streams.contains_key(&sent.stream) {
                    break;
                }
                streams.insert(sent.stream, sent.sequence);
            }
            cumulative = cumulative.wrapping_add(1);
        }
        writer.chunk(ChunkType::ForwardTsn, 0, |out| {
            out.put_u32(cumulative);
            for (&stream, &sequence) in &streams {
                out.put_u16(stream);
                out.put_u16(sequence);
            }
        });
    }

    /// Takes FORWARD-TSN (RFC 3758 3.6).
    pub(super) fn forward_tsn(&mut self, forward: &ForwardTsn<'_>) {
        if self.may_take_data() && self.partial_reliability {
            self.inbound.forward(forward.cumulative_tsn, forward.streams, &mut self.events);
        }
    }
}
