//! Fields of SCTP packets.

mod chunk;
mod parameter;

use std::borrow::Cow;

use pinion_protocols as protocols;
use pinion_protocols::diameter::PAYLOAD_PROTOCOL as DIAMETER;
use pinion_protocols::ngap::PAYLOAD_PROTOCOL as NGAP;
use pinion_protocols::s1ap::PAYLOAD_PROTOCOL as S1AP;
use pinion_protocols::sctp::{Chunk, Chunks, HEADER_LENGTH, Packet};

use super::network::{Ends, Walk};
use super::pieces::{Direction, Piece};
use super::{Message, diameter, ngap, s1ap};

/// Chunks, parameters and causes inside of others are followed so many levels down.
const DEEPEST: usize = 8;

/// The message of one packet.
pub(super) fn packet(walk: &mut Walk<'_>, ends: Ends, bytes: &[u8]) {
    let mut message = walk.message("SCTP", ends);
    // An ICMP error may quote no more than the first 8 bytes (RFC 792).
    if bytes.len() < HEADER_LENGTH {
        ports(&mut message, bytes);
    }
    fields(&mut message, bytes, !walk.is_cut(), DEEPEST);
    walk.keep(message);
    user_messages(walk, ends, bytes);
}

/// What the DATA and I-DATA chunks carry: whole messages, and those that a piece completes.
fn user_messages(walk: &mut Walk<'_>, ends: Ends, bytes: &[u8]) {
    let Ok(packet) = Packet::parse(bytes) else {
        return;
    };
    let (source, destination) = (packet.source_port(), packet.destination_port());
    let direction = Direction { tag: packet.verification_tag(), source, destination };
    let show = |protocol| shown(protocol, [source, destination]);
    for chunk in packet.chunks().flatten() {
        let piece = match chunk.parse() {
            Ok(Chunk::Data(data)) => Piece::from(data),
            Ok(Chunk::IData(data)) => Piece::from(data),
            _ => continue,
        };
        // What is not to be shown is not kept either, as far as a piece says what it is of.
        if piece.protocol.is_some_and(|protocol| show(protocol).is_none()) {
            continue;
        }
        let message = match piece.whole() {
            Some((protocol, payload)) => Some((protocol, Cow::Borrowed(payload))),
            None => walk.piece(direction, &piece).map(|(protocol, whole)| (protocol, Cow::Owned(whole))),
        };
        if let Some((protocol, bytes)) = message
            && let Some(show) = show(protocol)
        {
            show(walk, ends, &bytes);
        }
    }
}

/// What shows user messages of a protocol. Some senders say by the port alone what it is.
fn shown(protocol: u32, ports: [u16; 2]) -> Option<fn(&mut Walk<'_>, Ends, &[u8])> {
    Some(match protocol {
        NGAP => ngap::message,
        S1AP => s1ap::message,
        DIAMETER => diameter::message,
        1..=MOST_ASSIGNED => return None,
        _ if ports.contains(&protocols::ngap::PORT) => ngap::message,
        _ if ports.contains(&protocols::s1ap::PORT) => s1ap::message,
        _ if ports.contains(&protocols::diameter::PORT) => diameter::message,
        _ => return None,
    })
}

/// Up to here numbers are other protocols', or may become so. Beyond are those of senders that get the byte order wrong: what they send
/// is told by the port.
const MOST_ASSIGNED: u32 = 0xff;

fn ports(message: &mut Message, bytes: &[u8]) {
    if let [s0, s1, d0, d1, ..] = *bytes {
        message.add("sctp.srcport", u16::from_be_bytes([s0, s1]));
        message.add("sctp.dstport", u16::from_be_bytes([d0, d1]));
    }
}

/// Adds the fields of a packet, which may be one that a packet drop report quotes. `captured` where all of it is there.
fn fields(message: &mut Message, bytes: &[u8], captured: bool, depth: usize) {
    let packet = match Packet::parse(bytes) {
        Ok(packet) => packet,
        Err(error) => return message.fail(error),
    };
    ports(message, bytes);
    message.add("sctp.verification_tag", packet.verification_tag());
    message.add("sctp.checksum", packet.checksum());
    chunks(message, packet.chunks(), captured, depth);
}

/// Adds the fields of chunks. Where it goes wrong is Wireshark's way: DATA or INIT too short for its fixed fields is passed over; what is
/// wrong inside of a chunk, or between them, ends the packet; a chunk whose end was not captured is named, and none of its fields is.
fn chunks(message: &mut Message, mut chunks: Chunks<'_>, captured: bool, depth: usize) {
    for item in chunks.by_ref() {
        match item {
            Ok(item) if chunk::fields(message, &item, depth) => {}
            Ok(_) => return,
            Err(error) => message.fail(error),
        }
    }
    // Of a length of 1 to 3 Wireshark shows the chunk's header, of 0 nothing.
    if let [kind, flags, 0, length @ 1..=3, ..] = *chunks.rest() {
        message.add("sctp.chunk_type", kind);
        message.add("sctp.chunk_flags", flags);
        message.add("sctp.chunk_length", length);
    }
    match chunks.cut() {
        Some(cut) if captured => {
            chunk::fields(message, &cut, depth);
        }
        Some(cut) => message.summarize(chunk::name(cut.kind())),
        None => {}
    }
}
