//! Finds the association that a packet is for, and answers what is out of the blue (RFC 9260 8.4).

mod openings;

use super::Endpoint;
use super::association::{Context, State};
use super::message::{AssociationId, Datagram};
use super::offer::is_unicast;
use super::replies::Ends;
use super::shutdown::shutdown_complete;
use super::time::Time;
use crate::sctp::{Cause, Chunk, ChunkType, Packet, RawChunk};

impl Endpoint {
    /// Whether its tag was that of an association, or its cookie was taken.
    pub(super) fn receive_packet(&mut self, now: Time, datagram: &Datagram) -> bool {
        let Some((packet, first)) = readable(datagram) else {
            self.counters.malformed = self.counters.malformed.saturating_add(1);
            return false;
        };
        match first.kind() {
            ChunkType::Init => {
                // RFC 9260 6.10, 8.5.1 A: alone, with tag 0.
                if packet.verification_tag() == 0
                    && packet.chunks().nth(1).is_none()
                    && let Ok(Chunk::Init(init)) = first.parse()
                {
                    self.init(now, &packet, datagram, &init);
                }
                // Anybody may have sent it.
                false
            }
            ChunkType::CookieEcho => match first.parse() {
                Ok(Chunk::CookieEcho(cookie)) => self.cookie_echo(now, &packet, datagram, cookie),
                _ => false,
            },
            _ => self.other(now, &packet, datagram, &first),
        }
    }

    /// A packet of an association, whose tag was right then, or out of the blue.
    fn other(&mut self, now: Time, packet: &Packet<'_>, datagram: &Datagram, first: &RawChunk<'_>) -> bool {
        let Some((id, path)) = self.find(packet, datagram, first) else {
            self.counters.out_of_the_blue = self.counters.out_of_the_blue.saturating_add(1);
            self.out_of_the_blue(now, packet, datagram, first);
            return false;
        };
        let Some(slot) = self.slots.get(id) else { return false };
        let state = slot.association.state;
        if first.kind() == ChunkType::ShutdownAck && matches!(state, State::CookieWait | State::CookieEchoed) {
            // RFC 9260 8.5.1 E: of an association from before, whose end the peer did not see.
            self.out_of_the_blue(now, packet, datagram, first);
            return false;
        }
        if !slot.association.tag_is_right(packet.verification_tag(), first) {
            self.counters.wrong_tag = self.counters.wrong_tag.saturating_add(1);
            return false;
        }
        self.with(now, id, |association, context| association.packet(context, packet, datagram, path, 0));
        true
    }

    /// The association that a packet is for, and the path that it came on.
    fn find(&self, packet: &Packet<'_>, datagram: &Datagram, first: &RawChunk<'_>) -> Option<(AssociationId, u8)> {
        let (local_port, remote_port) = (packet.destination_port(), packet.source_port());
        if let Some(id) = self.slots.at(local_port, remote_port, datagram.source) {
            let path = self.slots.get(id)?.association.path_to(datagram.source)?;
            return Some((id, path));
        }
        // INIT ACK and ASCONF may come from an address that is not known yet (RFC 9260 5.1.2 C; RFC 5061 5.2 D).
        let asconf = || packet.chunks().take(2).flatten().any(|chunk| chunk.kind() == ChunkType::Asconf);
        if first.kind() != ChunkType::InitAck && !asconf() {
            return None;
        }
        let id = self.slots.tagged(packet.verification_tag())?;
        let association = &self.slots.get(id)?.association;
        let ports = association.local_port == local_port && association.remote_port == remote_port;
        ports.then(|| (id, association.best_path()))
    }

    /// RFC 9260 8.4.
    fn out_of_the_blue(&mut self, now: Time, packet: &Packet<'_>, datagram: &Datagram, first: &RawChunk<'_>) {
        let says_nothing = |chunk: &RawChunk<'_>| match chunk.kind() {
            ChunkType::Abort | ChunkType::ShutdownComplete | ChunkType::CookieAck => true,
            ChunkType::Error => is_stale_cookie(chunk),
            _ => false,
        };
        if packet.chunks().flatten().any(|chunk| says_nothing(&chunk)) {
            return;
        }
        let ends = answer_to(packet, datagram, packet.verification_tag());
        if first.kind() == ChunkType::ShutdownAck {
            let mut context =
                Context { now, config: &self.config, random: &mut self.random, replies: &mut self.replies };
            return shutdown_complete(&mut context, &ends, true);
        }
        self.replies.send(&ends, |packet| {
            packet.chunk(ChunkType::Abort, 1, |_| {});
        });
    }
}

/// A packet whose ends and checksum are right, and its first chunk.
fn readable(datagram: &Datagram) -> Option<(Packet<'_>, RawChunk<'_>)> {
    let packet = Packet::parse(&datagram.bytes).ok()?;
    let ports = packet.source_port() != 0 && packet.destination_port() != 0;
    // RFC 9260 8.4 1, 6.8.
    if !ports || !is_unicast(datagram.source) || !is_unicast(datagram.destination) || !packet.checksum_matches() {
        return None;
    }
    let first = packet.chunks().next()?.ok()?;
    Some((packet, first))
}

/// Back to where a packet came from.
fn answer_to(packet: &Packet<'_>, datagram: &Datagram, tag: u32) -> Ends {
    Ends {
        source: datagram.destination,
        destination: datagram.source,
        source_port: packet.destination_port(),
        destination_port: packet.source_port(),
        tag,
    }
}

fn is_stale_cookie(chunk: &RawChunk<'_>) -> bool {
    match chunk.parse() {
        Ok(Chunk::Error(mut causes)) => {
            causes.any(|raw| raw.is_ok_and(|raw| matches!(raw.parse(), Ok(Cause::StaleCookie(_)))))
        }
        _ => false,
    }
}
