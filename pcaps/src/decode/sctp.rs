//! Fields of SCTP packets.

mod chunk;
mod parameter;

use pinion_protocols::sctp::{Chunks, HEADER_LENGTH, Packet};

use super::Message;
use super::network::{Ends, Walk};

/// Chunks, parameters and causes inside of others are followed so many levels down.
const DEEPEST: usize = 8;

/// The message of one packet.
pub(super) fn packet(walk: &mut Walk<'_>, ends: Ends, bytes: &[u8]) {
    let mut message = walk.message("SCTP", ends);
    // An ICMP error may quote no more than the first 8 bytes (RFC 792).
    if bytes.len() < HEADER_LENGTH {
        ports(&mut message, bytes);
    }
    fields(&mut message, bytes, DEEPEST);
    walk.keep(message);
}

fn ports(message: &mut Message, bytes: &[u8]) {
    if let [s0, s1, d0, d1, ..] = *bytes {
        message.add("sctp.srcport", u16::from_be_bytes([s0, s1]));
        message.add("sctp.dstport", u16::from_be_bytes([d0, d1]));
    }
}

/// Adds the fields of a packet, which may be one that a packet drop report quotes.
fn fields(message: &mut Message, bytes: &[u8], depth: usize) {
    let packet = match Packet::parse(bytes) {
        Ok(packet) => packet,
        Err(error) => return message.fail(error),
    };
    ports(message, bytes);
    message.add("sctp.verification_tag", packet.verification_tag());
    message.add("sctp.checksum", packet.checksum());
    chunks(message, packet.chunks(), depth);
}

/// Adds the fields of chunks, up to the first that is wrong.
fn chunks(message: &mut Message, mut chunks: Chunks<'_>, depth: usize) {
    for item in chunks.by_ref() {
        match item {
            Ok(item) => {
                chunk::fields(message, &item, depth);
                if message.get("error").is_some() {
                    return;
                }
            }
            Err(error) => message.fail(error),
        }
    }
    if let Some(cut) = chunks.cut() {
        chunk::fields(message, &cut, depth);
    }
}
