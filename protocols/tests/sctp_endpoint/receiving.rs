//! What becomes of DATA: RFC 9260 6.2, 6.5 to 6.10.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use pinion_protocols::sctp::endpoint::{Config, Datagram, Event};
use pinion_protocols::sctp::write::DataHeader;
use pinion_protocols::sctp::{CauseCode, ChunkType};

use crate::puppet::{PORTS, Puppet, TSN, but_heartbeats, cause, host, kinds, packet, puppet};

/// B and E.
const WHOLE: u8 = 3;

#[test]
fn rfc9260_6_2_every_second_packet_is_acknowledged_at_once() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, WHOLE, b"one");
    assert_eq!(peer.look(), []);
    peer.data(1, 0, 1, WHOLE, b"two");
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::Sack]);
    assert_eq!((seen[0].u32(0), seen[0].u32(8)), (TSN + 1, 0));
}

#[test]
fn rfc9260_6_2_a_single_packet_is_acknowledged_after_the_delay() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, WHOLE, b"one");
    assert_eq!(peer.look(), []);
    let seen = peer.wait(Duration::from_secs(1));
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].0, seen[0].1.kind), (Duration::from_millis(200), ChunkType::Sack));
}

#[test]
fn rfc9260_6_2_the_delay_is_half_a_second_at_most() {
    let mut peer = Puppet::established(Config { sack_delay: Duration::from_secs(10), ..Config::default() }, 1);
    peer.data(0, 0, 0, WHOLE, b"one");
    let seen = peer.wait(Duration::from_secs(1));
    assert_eq!((seen[0].0, seen[0].1.kind), (Duration::from_millis(500), ChunkType::Sack));
}

#[test]
fn rfc9260_6_2_the_i_bit_is_heeded() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, WHOLE | 8, b"now");
    assert_eq!(kinds(&peer.look()), [ChunkType::Sack]);
}

#[test]
fn rfc9260_6_2_a_sack_goes_with_data() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, WHOLE, b"one");
    peer.send(1, 10);
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::Sack, ChunkType::Data]);
    assert_eq!(seen[1].packet, 0);
}

#[test]
fn rfc9260_6_2_duplicates_are_acknowledged_at_once_and_reported() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, WHOLE, b"one");
    peer.data(0, 0, 0, WHOLE, b"one");
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::Sack]);
    assert_eq!((seen[0].u16(8), seen[0].u16(10), seen[0].u32(12)), (0, 1, TSN));
    assert_eq!(peer.take_messages(), ["one"]);
}

#[test]
fn rfc9260_6_2_no_user_data_is_aborted() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, WHOLE, b"");
    let seen = peer.look();
    assert_eq!((kinds(&seen), cause(&seen[0]), seen[0].u32(4)), (vec![ChunkType::Abort], 9, TSN));
    let code = u16::from(CauseCode::NoUserData);
    assert_eq!(peer.take_events(), [Event::Aborted { cause: code, by_peer: false }]);
}

#[test]
fn rfc9260_6_2_1_the_window_is_what_is_left_of_the_buffer() {
    let mut peer = Puppet::established(Config { receive_buffer: 10_000, ..Config::default() }, 1);
    peer.data(0, 0, 0, WHOLE, &[1; 1000]);
    peer.data(1, 0, 1, WHOLE, &[1; 1000]);
    let first = peer.look()[0].u32(4);
    assert!((7000..=8000).contains(&first), "{first}");
    assert_eq!(peer.take_messages().len(), 2);
    peer.data(2, 0, 2, WHOLE | 8, &[1; 1000]);
    let second = peer.look()[0].u32(4);
    assert!((8000..=9000).contains(&second), "{second}");
}

#[test]
fn rfc9260_6_2_a_window_that_opens_again_is_told() {
    let mut peer = Puppet::established(Config { receive_buffer: 5000, max_message: 5000, ..Config::default() }, 1);
    for index in 0..5 {
        peer.data(index, 0, index as u16, WHOLE, &[1; 1000]);
    }
    let closed = peer.look().last().unwrap().u32(4);
    assert_eq!(closed, 0);
    assert_eq!(peer.take_messages().len(), 5);
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::Sack]);
    assert_eq!(seen[0].u32(4), 5000);
}

#[test]
fn rfc9260_6_2_data_beyond_the_buffer_is_dropped_and_not_acknowledged() {
    let mut peer = Puppet::established(Config { receive_buffer: 5000, max_message: 5000, ..Config::default() }, 1);
    for index in 0..10 {
        peer.data(index, 0, index as u16, WHOLE, &[1; 1000]);
    }
    let last = peer.look().last().unwrap().clone();
    assert_eq!(last.u32(0), TSN + 4);
    assert_eq!(peer.take_messages().len(), 5);
    peer.data(5, 0, 5, WHOLE, &[1; 1000]);
    assert_eq!(peer.take_messages().len(), 1);
}

#[test]
fn rfc9260_6_5_a_stream_that_there_is_not_is_reported_and_acknowledged() {
    let mut peer = Puppet::established(Config { inbound_streams: 3, ..Config::default() }, 1);
    peer.data(0, 3, 0, WHOLE | 8, b"nowhere");
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::Error, ChunkType::Sack]);
    assert_eq!((cause(&seen[0]), seen[0].u16(4), seen[1].u32(0)), (1, 3, TSN));
    assert_eq!(peer.take_messages(), Vec::<Bytes>::new());
}

#[test]
fn rfc9260_6_5_sequence_numbers_wrap() {
    let mut peer = Puppet::established(Config::default(), 1);
    for index in 0..=65_536_u32 {
        peer.data(index, 0, index as u16, WHOLE, b"x");
        if index % 100 == 0 {
            peer.look();
            peer.take_events();
        }
    }
    peer.take_events();
    peer.data(65_538, 0, 2, WHOLE, b"third");
    assert_eq!(peer.take_messages(), Vec::<Bytes>::new());
    peer.data(65_537, 0, 1, WHOLE, b"second");
    assert_eq!(peer.take_messages(), ["second", "third"]);
}

#[test]
fn rfc9260_6_6_order_is_kept_on_a_stream_and_not_between_streams() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(1, 0, 1, WHOLE, b"second");
    peer.data(2, 1, 0, WHOLE, b"other stream");
    peer.data(3, 0, 0, WHOLE | 4, b"unordered");
    assert_eq!(peer.take_messages(), ["other stream", "unordered"]);
    peer.data(0, 0, 0, WHOLE, b"first");
    assert_eq!(peer.take_messages(), ["first", "second"]);
}

#[test]
fn rfc9260_6_7_gaps_are_reported_at_once() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, WHOLE, b"0");
    peer.data(2, 0, 2, WHOLE, b"2");
    peer.data(3, 0, 3, WHOLE, b"3");
    peer.data(6, 0, 6, WHOLE, b"6");
    let seen = peer.look();
    let last = seen.last().unwrap();
    assert_eq!((last.u32(0), last.u16(8), last.u16(10)), (TSN, 2, 0));
    let blocks: Vec<_> = (12..20).step_by(2).map(|at| last.u16(at)).collect();
    assert_eq!(blocks, [2, 3, 6, 6]);
}

#[test]
fn rfc9260_6_8_a_wrong_checksum_is_discarded() {
    let mut peer = Puppet::established(Config::default(), 1);
    let header = DataHeader { flags: WHOLE, tsn: TSN, stream: 0, sequence: 0, protocol: 0 };
    let good = packet(PORTS.0, PORTS.1, peer.tag, |packet| {
        packet.data(&header, b"x");
    });
    for at in 8..12 {
        let mut bad = good.to_vec();
        bad[at] ^= 0x10;
        let datagram = Datagram { source: puppet(0), destination: host(0), bytes: bad.into() };
        peer.endpoint.receive(peer.now, &datagram);
    }
    assert_eq!(peer.endpoint.counters().malformed, 4);
    assert_eq!(peer.take_events(), []);
    assert_eq!(but_heartbeats(&peer.wait(Duration::from_secs(1))), []);
}

#[test]
fn rfc9260_6_9_fragments_are_put_together() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, 2, b"one ");
    peer.data(2, 0, 0, 1, b"three");
    peer.data(1, 0, 0, 0, b"two ");
    assert_eq!(peer.take_messages(), ["one two three"]);
}

#[test]
fn rfc9260_6_10_init_beside_another_chunk_is_discarded() {
    let mut peer = Puppet::new(Config::default());
    let value = crate::puppet::init_value(1, 10_000, (1, 1), 1, |_| {});
    peer.give_from(puppet(0), 0, |packet| {
        packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
        packet.chunk(ChunkType::CookieAck, 0, |_| {});
    });
    assert_eq!(peer.look(), []);
}

#[test]
fn rfc9260_3_2_unrecognized_chunks_are_reported_and_skipped_as_their_type_says() {
    // (type, whether what comes after it counts, whether it is reported)
    for (kind, goes_on, reported) in
        [(0x3e, false, false), (0x7e, false, true), (0xbe, true, false), (0xfe, true, true)]
    {
        let mut peer = Puppet::established(Config::default(), 1);
        let header = DataHeader { flags: WHOLE, tsn: TSN, stream: 0, sequence: 0, protocol: 0 };
        peer.give(|packet| {
            packet.chunk(ChunkType::Unknown(kind), 0, |out| out.put_u32(0xabcd));
            packet.data(&header, b"after");
        });
        let errors: Vec<_> = peer.look().into_iter().filter(|chunk| chunk.kind == ChunkType::Error).collect();
        assert_eq!(errors.len(), usize::from(reported), "{kind:#x}");
        if reported {
            // Unrecognized Chunk Type, with the chunk.
            assert_eq!((cause(&errors[0]), errors[0].value[4]), (6, kind));
        }
        assert_eq!(peer.take_messages().len(), usize::from(goes_on), "{kind:#x}");
    }
}

#[test]
fn rfc9260_3_3_10_an_error_ends_nothing() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Error, 0, |out| {
            pinion_protocols::sctp::write::cause(out, CauseCode::InvalidStreamIdentifier, |out| out.put_u32(0));
        });
    });
    assert_eq!(peer.take_events(), [Event::PeerError(1)]);
    peer.data(0, 0, 0, WHOLE, b"x");
    assert_eq!(peer.take_messages(), ["x"]);
}

#[test]
fn a_message_larger_than_allowed_is_aborted() {
    let mut peer = Puppet::established(Config { max_message: 5000, ..Config::default() }, 1);
    for index in 0..10 {
        peer.data(index, 0, 0, if index == 0 { 2 } else { 0 }, &[1; 1000]);
    }
    let seen = peer.look();
    let abort = seen.iter().find(|chunk| chunk.kind == ChunkType::Abort).expect("an ABORT");
    assert_eq!(cause(abort), u16::from(CauseCode::ProtocolViolation));
}
