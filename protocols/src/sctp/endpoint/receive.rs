//! What an association makes of a packet (RFC 9260 6, 8.5; RFC 4895 6.3).

use ::bytes::Bytes;

use super::association::{Association, Context, Control, State};
use super::inbound::Taken;
use super::message::{Datagram, Event};
use super::path::Reach;
use super::reassembly::part;
use crate::bytes;
use crate::sctp::{
    Cause, CauseCode, Causes, Chunk, ChunkType, Data, HEADER_LENGTH, Packet, RawChunk, Unrecognized,
};

/// Header of a chunk or of an error cause.
const ITEM_HEADER: usize = 4;

impl Association {
    /// Whether the tag is right for a packet that begins with such a chunk (RFC 9260 8.5, 8.5.1).
    pub(super) fn tag_is_right(&self, tag: u32, first: &RawChunk<'_>) -> bool {
        let reflected = first.flags() & 1 == 1;
        match first.kind() {
            ChunkType::Abort | ChunkType::ShutdownComplete if reflected => {
                self.peer_tag != 0 && tag == self.peer_tag
            }
            _ => tag == self.local_tag,
        }
    }

    /// Takes a packet whose tag is right and which came on that path.
    pub(super) fn packet(
        &mut self,
        context: &mut Context<'_>,
        packet: &Packet<'_>,
        datagram: &Datagram,
        path: u8,
        skip: usize,
    ) {
        self.learn_source(path, datagram);
        let mut authenticated = false;
        let mut has_data = false;
        let share = shares(packet);
        for raw in packet.chunks().skip(skip) {
            // What follows a chunk whose length is wrong cannot be told.
            let Ok(raw) = raw else { break };
            let Ok(chunk) = raw.parse() else { break };
            if self.state == State::Closed {
                return;
            }
            match chunk {
                Chunk::Auth(auth) => match self.authenticate(&auth, &raw, datagram, path) {
                    true => authenticated = true,
                    false => break,
                },
                Chunk::Data(data) => {
                    if self.may_take_data() {
                        has_data = true;
                        self.data(context, &data, &raw, datagram, share, path);
                    }
                }
                // Who does not offer it does not know it (RFC 5061 4.2.7).
                Chunk::Asconf(_) | Chunk::AsconfAck(_) if !context.config.dynamic_addresses => {
                    if !self.unrecognized(context, &raw, path) {
                        break;
                    }
                }
                // RFC 5061 4.1: only what is authenticated.
                Chunk::Asconf(asconf) if authenticated => {
                    self.asconf(context, &asconf, datagram.source, datagram.destination);
                }
                Chunk::AsconfAck(ack) if authenticated => self.asconf_ack(context, &ack),
                Chunk::Asconf(_) | Chunk::AsconfAck(_) => {}
                Chunk::InitAck(init) => {
                    self.init_ack(context, &init, datagram.source);
                    return;
                }
                // RFC 9260 3.3.7: one with a format error is discarded.
                Chunk::Abort { causes, .. } if causes.clone().any(|cause| cause.is_err()) => {}
                // The peer has ended it already, as agreed, and something of ours overtook that.
                Chunk::Abort { reflected: true, .. } if self.state == State::ShutdownAckSent => {
                    self.close(Event::Closed);
                }
                Chunk::Abort { causes, .. } => {
                    self.close(Event::aborted(first_cause(&causes), true));
                }
                Chunk::ShutdownComplete { .. } => {
                    if self.state == State::ShutdownAckSent {
                        self.close(Event::Closed);
                    }
                    return;
                }
                chunk => {
                    if !self.chunk(context, chunk, &raw, path) {
                        break;
                    }
                }
            }
        }
        if has_data && self.state != State::Closed {
            self.inbound.packet_done(context.config, context.now, path);
            self.shutdown_after_data(context);
        }
    }

    /// The peer reached this side at an address of ours: where nothing better is known, it is reached
    /// from there too.
    fn learn_source(&mut self, path: u8, datagram: &Datagram) {
        let known = self.local_addresses.contains(&datagram.destination);
        if let Some(path) = self.path_mut(path)
            && known
            && path.remote == datagram.source
            && (path.reach == Reach::Inactive || !path.confirmed)
        {
            path.local = datagram.destination;
            path.learned = true;
        }
    }

    /// Takes a chunk that needs no look at its packet; false where the rest is not looked at.
    fn chunk(&mut self, context: &mut Context<'_>, chunk: Chunk<'_>, raw: &RawChunk<'_>, path: u8) -> bool {
        match chunk {
            Chunk::CookieAck => self.cookie_ack(context, path),
            Chunk::Error(causes) => self.error(context, &causes),
            // RFC 9260 8.3: from COOKIE-ECHOED on.
            Chunk::Heartbeat(_) if self.is_up() || self.state == State::CookieEchoed => {
                if raw.value().len() <= self.fits_alone(context, path) {
                    self.queue(Control::HeartbeatAck(Bytes::copy_from_slice(raw.value())), path);
                }
            }
            // RFC 9260 8.4: nothing else is expected before the handshake is over.
            _ if !self.is_up() => {}
            // RFC 9260 6: in no other state.
            Chunk::Sack(sack) if self.may_send_data() => self.sack(context, &sack),
            Chunk::HeartbeatAck(parameters) => self.heartbeat_ack(context, parameters),
            Chunk::Shutdown { cumulative_tsn } => self.shutdown_chunk(context, cumulative_tsn),
            Chunk::ShutdownAck => self.shutdown_ack(context, path),
            Chunk::ForwardTsn(forward) if context.config.partial_reliability => self.forward_tsn(&forward),
            Chunk::ReConfig(parameters) => self.reconfig(path, &parameters),
            Chunk::Pad(_) | Chunk::Ecne { .. } | Chunk::Cwr { .. } | Chunk::CookieEcho(_) => {}
            // RFC 9260 6.10: INIT and INIT ACK stand alone.
            Chunk::Init(_) => return false,
            Chunk::ForwardTsn(_)
            | Chunk::NrSack(_)
            | Chunk::IData(_)
            | Chunk::IForwardTsn(_)
            | Chunk::PacketDrop(_)
            | Chunk::Unknown(_) => {
                return self.unrecognized(context, raw, path);
            }
            Chunk::Sack(_)
            | Chunk::Heartbeat(_)
            | Chunk::Data(_)
            | Chunk::InitAck(_)
            | Chunk::Abort { .. }
            | Chunk::ShutdownComplete { .. }
            | Chunk::Auth(_)
            | Chunk::Asconf(_)
            | Chunk::AsconfAck(_) => {}
        }
        self.state != State::Closed
    }

    /// Does with a chunk that is not known what its type says (RFC 9260 3.2).
    fn unrecognized(&mut self, context: &Context<'_>, raw: &RawChunk<'_>, path: u8) -> bool {
        let action: Unrecognized = raw.kind().unrecognized();
        if action.reports() {
            let most = self.fits_alone(context, path).saturating_sub(ITEM_HEADER);
            let chunk = bytes::at_most(raw.bytes(), most);
            self.report(path, CauseCode::UnrecognizedChunk, chunk);
        }
        action.goes_on()
    }

    /// Bytes of the value of a chunk that has a packet on that path for itself.
    fn fits_alone(&self, context: &Context<'_>, path: u8) -> usize {
        let room = self.path(path).map_or(0, |path| path.room(context.config));
        room.saturating_sub(HEADER_LENGTH).saturating_sub(ITEM_HEADER)
    }

    fn data(
        &mut self,
        context: &mut Context<'_>,
        data: &Data<'_>,
        raw: &RawChunk<'_>,
        datagram: &Datagram,
        share: bool,
        path: u8,
    ) {
        if data.payload.is_empty() {
            // RFC 9260 6.2: DATA without data ends it.
            return self.abort(context, CauseCode::NoUserData, &data.tsn.to_be_bytes());
        }
        let payload = part(&datagram.bytes, data.payload, raw.offset().saturating_add(16), share);
        match self.inbound.data(context.config, data, payload, &mut self.events) {
            Ok(Taken::NoStream) => {
                let [high, low] = data.stream.to_be_bytes();
                self.report(path, CauseCode::InvalidStreamIdentifier, &[high, low, 0, 0]);
            }
            Ok(Taken::New | Taken::Duplicate | Taken::Dropped) => {}
            Err(violation) => self.abort(context, CauseCode::ProtocolViolation, violation.0.as_bytes()),
        }
    }

    /// Takes ERROR.
    fn error(&mut self, context: &mut Context<'_>, causes: &Causes<'_>) {
        for raw in causes.clone().map_while(Result::ok).take(8) {
            if let Ok(Cause::StaleCookie(staleness)) = raw.parse() {
                self.stale_cookie(context, staleness);
            } else if self.is_up() && self.events.len() < 1024 {
                self.events.push_back(Event::PeerError(raw.code().into()));
            }
        }
    }

    /// Whether an AUTH chunk is right; where it is not, nothing after it is looked at (RFC 4895 6.3).
    fn authenticate(
        &mut self,
        auth: &crate::sctp::Auth<'_>,
        raw: &RawChunk<'_>,
        datagram: &Datagram,
        path: u8,
    ) -> bool {
        let Some(own) = self.auth.as_deref() else { return false };
        // Only the null key is known.
        if auth.shared_key != 0 {
            return false;
        }
        let padded = usize::from(raw.length()).next_multiple_of(4);
        let rest = bytes::after(&datagram.bytes, raw.offset().saturating_add(padded));
        match own.verify(auth.hmac_id, raw.bytes(), auth.hmac, rest) {
            Some(right) => right,
            None => {
                self.report(path, CauseCode::UnsupportedHmac, &auth.hmac_id.to_be_bytes());
                false
            }
        }
    }
}

/// Whether most of a packet is payload: then messages may keep it alive.
fn shares(packet: &Packet<'_>) -> bool {
    let length = packet.bytes().len();
    let data = packet.chunks().map_while(Result::ok).filter(|chunk| chunk.kind() == ChunkType::Data);
    let payload: usize = data.map(|chunk| chunk.value().len().saturating_sub(12)).sum();
    payload.saturating_mul(2) >= length
}

fn first_cause(causes: &Causes<'_>) -> CauseCode {
    let first = causes.clone().next().and_then(Result::ok);
    first.map_or(CauseCode::Unknown(0), |cause| cause.code())
}
