//! More of messages that are given up (RFC 3758), and what of extensions is announced (RFC 5061 4.2.7).

use std::time::Duration;

use bytes::BufMut;
use pinion_protocols::sctp::endpoint::{Config, Event, Message, Reliability};
use pinion_protocols::sctp::write::parameter;
use pinion_protocols::sctp::{ChunkType, Parameter, ParameterType};

use crate::puppet::{Puppet, Seen, TAG, TSN, WINDOW, kinds, parameters};

const SECOND: Duration = Duration::from_secs(1);

fn partial() -> Puppet {
    Puppet::established_with(Config { heartbeat_interval: None, ..Config::default() }, 1, |out| {
        parameter(out, ParameterType::ForwardTsnSupported, |_| {});
    })
}

/// Sends a message that lives for half a second.
fn send(peer: &mut Puppet, stream: u16, unordered: bool) {
    let reliability = Reliability::Lifetime(SECOND / 2);
    let message = Message { unordered, reliability, ..Message::new(stream, 0, "x".into()) };
    peer.endpoint.send(peer.now, peer.association(), message).unwrap();
}

/// The first FORWARD-TSN within two seconds: its cumulative TSN after the endpoint's first, and its streams.
fn forward(peer: &mut Puppet) -> (u32, Vec<(u16, u16)>) {
    let seen = peer.wait(SECOND * 2);
    let found: Option<&Seen> =
        seen.iter().map(|(_, chunk)| chunk).find(|chunk| chunk.kind == ChunkType::ForwardTsn);
    let chunk = found.expect("FORWARD-TSN");
    let streams = (4..chunk.value.len()).step_by(4).map(|at| (chunk.u16(at), chunk.u16(at + 2)));
    (chunk.u32(0).wrapping_sub(peer.tsn), streams.collect())
}

/// Extensions that INIT or INIT ACK lists, and whether FORWARD-TSN has its parameter.
fn announced(chunk: &Seen) -> (Vec<u8>, bool) {
    let (mut extensions, mut partial) = (Vec::new(), false);
    parameters(chunk, |parameter| match parameter {
        Parameter::SupportedExtensions(list) => extensions.extend_from_slice(list),
        Parameter::ForwardTsnSupported => partial = true,
        _ => {}
    });
    extensions.sort_unstable();
    (extensions, partial)
}

#[test]
fn rfc3758_3_1_rfc5061_4_2_7_rfc6525_5_1_extensions_are_announced_and_stream_reset_is_not() {
    for (on, expected) in [(true, vec![15, 0x80, 0xc0, 0xc1]), (false, vec![])] {
        let config = Config { partial_reliability: on, dynamic_addresses: on, ..Config::default() };
        let mut asked = Puppet::new(config.clone());
        asked.init(TAG, 1, |_| {});
        let mut asking = Puppet::new(config);
        asking.connect();
        for chunk in [&asked.look()[0], &asking.look()[0]] {
            assert_eq!(announced(chunk), (expected.clone(), on));
        }
    }
}

#[test]
fn rfc3758_3_2_each_stream_is_named_once_with_its_highest_number_and_unordered_messages_are_not() {
    let mut peer = partial();
    for (stream, unordered) in [(3, false), (5, false), (3, false), (7, true), (5, true)] {
        send(&mut peer, stream, unordered);
    }
    assert_eq!(peer.look().len(), 5);
    assert_eq!(forward(&mut peer), (4, vec![(3, 1), (5, 0)]));
}

#[test]
fn rfc3758_3_5_only_what_is_given_up_without_a_gap_is_skipped() {
    let mut peer = partial();
    send(&mut peer, 0, false);
    peer.endpoint.send(peer.now, peer.association(), Message::new(0, 0, "stays".into())).unwrap();
    send(&mut peer, 0, false);
    assert_eq!(peer.look().len(), 3);
    assert_eq!(forward(&mut peer), (0, vec![(0, 0)]));
    // What is between is acknowledged, and what is behind it is skipped too.
    peer.sack(2, &[], WINDOW);
    assert_eq!(kinds(&peer.look()), [ChunkType::ForwardTsn]);
}

#[test]
fn rfc3758_3_5_what_is_given_up_counts_no_more_as_outstanding() {
    let mut peer = partial();
    let id = peer.association();
    send(&mut peer, 0, false);
    peer.look();
    assert_eq!(peer.endpoint.paths(id)[0].outstanding, 1);
    peer.wait(SECOND * 2);
    assert_eq!(peer.endpoint.paths(id)[0].outstanding, 0);
    peer.sack(1, &[], WINDOW);
    assert_eq!(peer.take_events().last(), Some(&Event::Drained));
}

#[test]
fn rfc3758_3_6_a_stream_that_there_is_not_is_not_looked_at() {
    let mut peer = partial();
    peer.data(1, 4, 0, 3, b"waits for nothing");
    peer.take_events();
    peer.give(|packet| {
        packet.chunk(ChunkType::ForwardTsn, 0, |out| {
            out.put_u32(TSN);
            out.put_u16(4000);
            out.put_u16(3);
        });
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen).last(), seen.last().unwrap().u32(0)), (Some(&ChunkType::Sack), TSN + 1));
    assert_eq!(peer.take_events(), []);
}

#[test]
fn rfc3758_3_6_a_message_that_was_skipped_is_not_delivered_late() {
    let mut peer = partial();
    peer.data(0, 0, 0, 2, b"begins");
    peer.give(|packet| {
        packet.chunk(ChunkType::ForwardTsn, 0, |out| {
            out.put_u32(TSN + 1);
            out.put_u32(0);
        });
    });
    // The end comes after all: a duplicate.
    peer.data(1, 0, 0, 1, b"ends");
    peer.data(2, 0, 1, 3, b"next");
    assert_eq!(peer.take_messages(), ["next"]);
}
