//! Makes packets: which chunks leave, on which path, bundled with what (RFC 9260 6.1, 6.4, 6.10).

mod control;

use core::net::IpAddr;

use bytes::BytesMut;

use super::association::{Association, Context, Control, State};
use super::outbound::{Fate, Sent};
use super::path::Path;
use super::replies::{begin_auth, finish_auth};
use super::time::Time;
use crate::sctp::ChunkType;
use crate::sctp::write::{DataHeader, PacketWriter};

/// Where a packet goes that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) fragment: bool,
}

/// A DATA chunk is not cut to fill the rest of a packet where that is less than this, bytes.
const SMALLEST_FRAGMENT: usize = 256;
/// Header of a DATA chunk.
const DATA_HEADER: usize = 16;

/// A packet in the making.
struct Packet<'a> {
    writer: PacketWriter<'a>,
    /// The path it goes to, once a chunk said so.
    path: Option<u8>,
    /// Bytes that it may have.
    room: usize,
    /// Where its AUTH chunk begins.
    auth: Option<usize>,
    /// Whether DATA is in it.
    has_data: bool,
    /// Whether it is there to be too large.
    probes: bool,
}

impl Packet<'_> {
    /// Bytes that are left.
    fn left(&self) -> usize {
        self.room.saturating_sub(self.writer.len())
    }
}

impl Association {
    /// Appends the next packet to `out`.
    pub(super) fn build(&mut self, context: &mut Context<'_>, out: &mut BytesMut) -> Option<Built> {
        if self.state == State::Closed {
            return None;
        }
        let start = out.len();
        let tag = if matches!(self.control.front(), Some((Control::Init, _))) { 0 } else { self.peer_tag };
        let writer = PacketWriter::new(out, self.local_port, self.remote_port, tag);
        let mut packet =
            Packet { writer, path: None, room: usize::MAX, auth: None, has_data: false, probes: false };
        let alone = self.add_control(context, &mut packet);
        if !alone {
            let data = self.data_path(context);
            self.add_sack(context, &mut packet, data);
            if let Some(data) = data
                && packet.path.is_none_or(|path| path == data)
            {
                self.add_forward(&mut packet, data, context);
                self.add_lost(context, &mut packet, data);
                self.add_new(context, &mut packet, data);
                if packet.has_data
                    && let Some(path) = self.path_mut(data)
                {
                    path.burst = path.burst.saturating_sub(1);
                }
            }
        }
        let (index, false) = (packet.path.unwrap_or_default(), packet.writer.is_empty()) else {
            out.truncate(start);
            return None;
        };
        let Some(path) = self.path(index) else {
            out.truncate(start);
            return None;
        };
        let fragment = !packet.probes && packet.writer.len() > path.room(context.config);
        let built = Built { source: path.local, destination: path.remote, fragment };
        if let (Some(at), Some(auth)) = (packet.auth, self.auth.as_deref()) {
            finish_auth(&mut packet.writer, auth, at);
        }
        packet.writer.finish();
        Some(built)
    }

    /// Sets the path of the packet and, where the peer wants this chunk authenticated, adds AUTH.
    fn begin(&self, context: &Context<'_>, packet: &mut Packet<'_>, path: u8, kind: ChunkType) {
        if packet.path.is_none() {
            packet.path = Some(path);
            packet.room = self.path(path).map_or(0, |path| path.room(context.config));
        }
        if packet.auth.is_none()
            && let Some(auth) = self.auth.as_deref()
            && auth.covers(kind)
        {
            packet.auth = Some(packet.writer.len());
            begin_auth(&mut packet.writer, auth);
        }
    }

    /// Adds control chunks that go the same way; true where nothing may be bundled with them.
    fn add_control(&mut self, context: &mut Context<'_>, packet: &mut Packet<'_>) -> bool {
        while let Some((control, path)) = self.control.front() {
            let (control, path) = (control.clone(), *path);
            if packet.path.is_some_and(|there| there != path) {
                break;
            }
            let length = packet.writer.len();
            let fresh = packet.writer.is_empty();
            let probes = matches!(control, Control::Probe(..));
            if probes && !fresh {
                break;
            }
            packet.probes = probes;
            let kind = control.kind();
            let had_auth = packet.auth;
            self.begin(context, packet, path, kind);
            self.write_control(context, &mut packet.writer, &control, path);
            if !fresh && packet.writer.len() > packet.room {
                packet.writer.truncate(length);
                packet.auth = had_auth;
                break;
            }
            self.control.pop_front();
            // RFC 9260 6.10: INIT stands alone. DATA after COOKIE ECHO is not tried, nor after ASCONF: where the
            // peer does not believe its AUTH, it takes nothing behind it.
            if matches!(control, Control::Init | Control::CookieEcho | Control::Probe(..) | Control::Asconf) {
                return true;
            }
        }
        false
    }

    /// Adds a SACK where one is due, or where DATA leaves and there is something to say.
    fn add_sack(&mut self, context: &Context<'_>, packet: &mut Packet<'_>, data: Option<u8>) {
        let now = context.now;
        let due = self.inbound.sack_due(now);
        let with_data = data.is_some() && self.inbound.sack_useful();
        if !self.is_up() || !(due || with_data) {
            return;
        }
        let path = packet.path.or(data).unwrap_or_else(|| self.reply_path());
        let length = packet.writer.len();
        self.begin(context, packet, path, ChunkType::Sack);
        if packet.left() < 16 {
            packet.writer.truncate(length);
            return;
        }
        let most = packet.left().saturating_sub(16) / 4;
        let (cumulative, window, gaps, duplicates) = self.inbound.sack(context.config, most);
        packet.writer.sack(cumulative, window, &gaps, &duplicates);
    }

    /// RFC 9260 6.4: where the DATA came from; after duplicates perhaps another way.
    fn reply_path(&self) -> u8 {
        let reply = self.inbound.reply;
        if self.inbound.has_duplicates() {
            self.best_path_but(Some(reply))
        } else if self.path(reply).is_some() {
            reply
        } else {
            self.best_path()
        }
    }

    /// The path that DATA would leave on now, if any may.
    fn data_path(&mut self, context: &mut Context<'_>) -> Option<u8> {
        if !self.may_send_data()
            || (self.outbound.lost == 0 && self.outbound.pending.is_empty() && !self.outbound.forward)
        {
            return None;
        }
        self.drop_stale(context);
        let forward = self.outbound.forward.then(|| self.best_path());
        if self.outbound.lost > 0
            && let Some(path) = self.lost_path()
        {
            return self.may_send_lost(path).then_some(path).or(forward);
        }
        if self.outbound.pending.is_empty() {
            return forward;
        }
        let path = self.best_path();
        let config = context.config;
        let now = context.now;
        let nagle = config.nagle && self.outbound.flight > 0;
        let found = self.path_mut(path)?;
        found.decay(config, now);
        let room = found.room(config);
        if !found.may_send() || !found.confirmed {
            return forward;
        }
        let next = self.outbound.pending.front().map_or(0, |pending| pending.payload.len());
        // RFC 9260 6.1 A: beyond the peer's window only one chunk may be outstanding.
        let fits = u32::try_from(next.min(room)).unwrap_or(u32::MAX) <= self.outbound.peer_window;
        if !fits && self.outbound.flight > 0 {
            return forward;
        }
        if nagle && !self.fills_a_packet(room) {
            return forward;
        }
        Some(path)
    }

    /// Whether what waits is enough for a packet (RFC 9260 6.1, Nagle).
    fn fills_a_packet(&self, room: usize) -> bool {
        let mut length = 0_usize;
        self.outbound.pending.iter().any(|pending| {
            length = length.saturating_add(pending.payload.len()).saturating_add(DATA_HEADER);
            length >= room
        })
    }

    /// The path that the first lost chunk goes to: where it was lost, while that path answers.
    fn lost_path(&mut self) -> Option<u8> {
        let (index, _) = self.outbound.first_lost()?;
        let sent = self.outbound.sent.get(index)?;
        let stays = sent.fast && self.path(sent.path).is_some_and(Path::is_usable);
        Some(if stays { sent.path } else { self.best_path_but(Some(sent.path)) })
    }

    /// Whether the first lost chunk may leave on that path now.
    fn may_send_lost(&mut self, path: u8) -> bool {
        let Some((index, _)) = self.outbound.first_lost() else { return false };
        let length = self.outbound.sent.get(index).map_or(0, Sent::length);
        self.outbound.fast || self.path(path).is_some_and(|path| path.may_send_again(length))
    }

    /// Adds chunks that are sent again.
    fn add_lost(&mut self, context: &mut Context<'_>, packet: &mut Packet<'_>, target: u8) {
        loop {
            self.drop_stale(context);
            let Some(path) = self.lost_path() else { break };
            let Some((index, tsn)) = self.outbound.first_lost() else { return };
            if path != target || !self.may_send_lost(path) {
                break;
            }
            let had_auth = packet.auth;
            let length = packet.writer.len();
            self.begin(context, packet, path, ChunkType::Data);
            let Some(sent) = self.outbound.sent.get_mut(index) else { return };
            let needed = sent.payload.len().next_multiple_of(4).saturating_add(DATA_HEADER);
            if needed > packet.left() && length > crate::sctp::HEADER_LENGTH {
                packet.writer.truncate(length);
                packet.auth = had_auth;
                break;
            }
            sent.fate = Fate::Outstanding;
            sent.transmissions = sent.transmissions.saturating_add(1);
            sent.path = path;
            let header = DataHeader {
                flags: sent.flags,
                tsn,
                stream: sent.stream,
                sequence: sent.sequence,
                protocol: sent.protocol,
            };
            packet.writer.data(&header, &sent.payload);
            packet.has_data = true;
            let sent_length = sent.length();
            self.outbound.lost = self.outbound.lost.saturating_sub(1);
            self.outbound.flight = self.outbound.flight.saturating_add(sent_length);
            self.outbound.peer_window = self.outbound.peer_window.saturating_sub(sent_length);
            // The earliest outstanding DATA is sent again: T3 begins anew (RFC 9260 7.2.4 4).
            self.left_on(context.now, path, sent_length, index == 0);
        }
        if packet.has_data {
            self.outbound.fast = false;
        }
    }

    /// Adds chunks of messages that wait.
    fn add_new(&mut self, context: &mut Context<'_>, packet: &mut Packet<'_>, target: u8) {
        // What is lost goes first (RFC 9260 6.1 C).
        if self.outbound.lost > 0 {
            return;
        }
        let most = self.largest_fragment(context);
        loop {
            self.drop_stale(context);
            let Some(pending) = self.outbound.pending.front() else { break };
            let Some(path) = self.path(target) else { break };
            if !path.confirmed || path.flight >= path.cwnd {
                break;
            }
            let length = packet.writer.len();
            let had_auth = packet.auth;
            let remaining = pending.payload.len();
            self.begin(context, packet, target, ChunkType::Data);
            let fresh = length <= crate::sctp::HEADER_LENGTH;
            let room = (packet.left().saturating_sub(DATA_HEADER) & !3).min(most);
            let take = remaining.min(room);
            let cut = take < remaining;
            let fits = u32::try_from(take).unwrap_or(u32::MAX) <= self.outbound.peer_window;
            let useless = cut && !fresh && (remaining <= most || take < SMALLEST_FRAGMENT);
            if useless || take == 0 || (!fits && self.outbound.flight > 0) {
                packet.writer.truncate(length);
                packet.auth = had_auth;
                break;
            }
            let tsn = self.outbound.next_tsn();
            let Some(sent) = self.outbound.start(target, take) else { break };
            let header = DataHeader {
                flags: sent.flags,
                tsn,
                stream: sent.stream,
                sequence: sent.sequence,
                protocol: sent.protocol,
            };
            packet.writer.data(&header, &sent.payload);
            packet.has_data = true;
            let sent_length = sent.length();
            self.left_on(context.now, target, sent_length, false);
            if let Some(path) = self.path_mut(target)
                && path.timed.is_none()
            {
                path.timed = Some((tsn, context.now));
            }
        }
    }

    /// The largest payload of a DATA chunk that every path has room for (RFC 9260 7.3).
    fn largest_fragment(&self, context: &Context<'_>) -> usize {
        let room = self.paths.iter().map(|path| path.largest_chunk(context.config)).min().unwrap_or_default();
        let auth = self.auth.as_deref().filter(|auth| auth.covers(ChunkType::Data)).map_or(0, |_| 40);
        usize::try_from(room).unwrap_or_default().saturating_sub(DATA_HEADER + auth) & !3
    }

    /// DATA left on a path: its window is used up, and T3 runs (RFC 9260 6.3.2 R1).
    fn left_on(&mut self, now: Time, path: u8, length: u32, restart: bool) {
        self.busy = true;
        let Some(path) = self.path_mut(path) else { return };
        path.flight = path.flight.saturating_add(length);
        path.used = now;
        if restart || !path.t3.is_set() {
            path.t3 = now.after(path.rto);
        }
    }

    /// Adds FORWARD-TSN where DATA was given up that the peer waits for.
    fn add_forward(&mut self, packet: &mut Packet<'_>, path: u8, context: &Context<'_>) {
        if !self.outbound.forward {
            return;
        }
        self.begin(context, packet, path, ChunkType::ForwardTsn);
        self.write_forward(&mut packet.writer, packet.room);
        // It is repeated by T3 until it is acknowledged (RFC 3758 3.5 F).
        self.left_on(context.now, path, 0, false);
    }
}
