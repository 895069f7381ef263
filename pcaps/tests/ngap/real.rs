//! NGAP of real gNBs and AMFs: what is interpreted is written as their encoders did, and messages with their own identifiers are as they were.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use bytes::BytesMut;
use pinion_pcaps::capture;
use pinion_pcaps::datagram::IpPacket;
use pinion_protocols::ip::protocol;
use pinion_protocols::nas;
use pinion_protocols::ngap::{self, InitialUeMessage, Message, NewIds, Procedure};
use pinion_protocols::sctp::{Chunk, Packet};

use super::vectors::rewritten;

/// Whole messages of NGAP in a frame.
fn messages(frame: &capture::Frame<'_>) -> Vec<Vec<u8>> {
    let ip = IpPacket::of(frame).filter(|ip| ip.protocol == protocol::SCTP && !ip.is_fragment);
    let Some(Ok(packet)) = ip.map(|ip| Packet::parse(ip.payload)) else { return Vec::new() };
    let chunks = packet.chunks().flatten();
    let data = chunks.filter_map(|chunk| match chunk.parse() {
        Ok(Chunk::Data(data)) => {
            let whole = data.flags.beginning() && data.flags.end() && data.protocol == ngap::PAYLOAD_PROTOCOL;
            whole.then(|| data.payload.to_vec())
        }
        _ => None,
    });
    data.collect()
}

#[test]
fn messages_of_real_nodes_are_read_and_written() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = capture::below(&room.join("../../shared/pcaps"));
    if files.is_empty() {
        let _ = writeln!(std::io::stderr(), "\nskipped: no captures in ../shared/pcaps");
        return;
    }
    let mut elements: BTreeMap<String, u32> = BTreeMap::new();
    let (mut initial, mut out) = (0, BytesMut::new());
    for file in files {
        let mut capture = capture::open(&file).unwrap();
        while let Ok(Some(frame)) = capture.next() {
            for bytes in messages(&frame) {
                let place = format!("{}, frame {}", file.display(), frame.number);
                let message = Message::parse(&bytes).unwrap_or_else(|error| panic!("{place}: {error}"));
                for raw in message.elements().map(Result::unwrap) {
                    if let Some(value) = rewritten(&raw) {
                        assert_eq!(value.as_deref(), Ok(raw.value().whole().unwrap()), "{place}: {}", raw.kind());
                        *elements.entry(raw.kind().to_string()).or_default() += 1;
                    }
                }
                let ids = message.ids().unwrap();
                out.clear();
                let ids = NewIds { amf: ids.amf, ran: ids.ran, ..NewIds::default() };
                message.with_ids(&ids, &mut out).unwrap();
                assert_eq!(out, bytes, "{place}");
                if message.procedure() == Procedure::InitialUeMessage {
                    let read = InitialUeMessage::read(&message).unwrap_or_else(|error| panic!("{place}: {error}"));
                    let nas = nas::Message::parse(read.nas.whole().unwrap()).unwrap();
                    assert!(nas.identity().unwrap().is_some(), "{place}");
                    initial += 1;
                }
            }
        }
    }
    println!("{initial} Initial UE Messages, {elements:?}");
    assert!(initial > 0 && elements.len() > 10, "{elements:?}");
}
