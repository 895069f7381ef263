//! How packets, chunks and parameters are written and read: RFC 9260 3.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use pinion_protocols::sctp::endpoint::{Config, Datagram, Event, Message};
use pinion_protocols::sctp::write::{self, DataHeader, parameter};
use pinion_protocols::sctp::{ChunkType, Packet, Parameter, ParameterType};

use crate::puppet::{
    PORTS, Puppet, TAG, TSN, WINDOW, cause, cookie_of, host, init_value, kinds, packet, parameters, puppet,
};

const SECOND: Duration = Duration::from_secs(1);

/// Gives a packet as it is, but for the checksum, which is made right.
fn give_bytes(peer: &mut Puppet, bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    let checksum = Packet::parse(&bytes).unwrap().computed_checksum();
    bytes[8..12].copy_from_slice(&checksum.to_be_bytes());
    let datagram = Datagram { source: puppet(0), destination: host(0), bytes: bytes.into() };
    peer.endpoint.receive(peer.now, &datagram);
}

fn header(after: u32) -> DataHeader {
    DataHeader { flags: 3, tsn: TSN + after, stream: 0, sequence: after as u16, protocol: 60 }
}

/// An endpoint that has asked, and the value of an INIT ACK that it gets.
fn asked(value: &BytesMut) -> Puppet {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    peer.tag = peer.look()[0].u32(0);
    peer.give(|packet| {
        packet.chunk(ChunkType::InitAck, 0, |out| out.put_slice(value));
    });
    peer
}

#[test]
fn rfc9260_3_2_padding_is_zero_and_does_not_count() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    peer.endpoint.send(peer.now, id, Message::new(0, 60, Bytes::from_static(&[0xff; 5]))).unwrap();
    let bytes = peer.endpoint.poll_transmit(peer.now).unwrap().bytes;
    assert_eq!((bytes.len(), &bytes[14..16]), (12 + 24, &[0, 21][..]));
    assert_eq!(bytes[12 + 16..], [0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0]);
}

#[test]
fn rfc9260_3_2_padding_of_the_peer_is_not_looked_at() {
    let mut peer = Puppet::established(Config::default(), 1);
    let mut bytes = packet(PORTS.0, PORTS.1, peer.tag, |packet| {
        packet.data(&header(0), b"abcde").data(&header(1), b"next");
    })
    .to_vec();
    bytes[12 + 21..12 + 24].fill(0xff);
    give_bytes(&mut peer, &bytes);
    assert_eq!(peer.take_messages(), ["abcde", "next"]);
}

#[test]
fn rfc9260_3_2_the_last_chunk_may_lack_its_padding() {
    let mut peer = Puppet::established(Config::default(), 1);
    let mut bytes = packet(PORTS.0, PORTS.1, peer.tag, |packet| {
        packet.data(&header(0), b"abcde");
    })
    .to_vec();
    bytes.truncate(12 + 21);
    give_bytes(&mut peer, &bytes);
    assert_eq!(peer.take_messages(), ["abcde"]);
}

#[test]
fn rfc9260_3_2_reserved_flags_are_sent_as_zero_and_not_looked_at() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(1, 10);
    assert_eq!(peer.look().len(), 1);
    let cumulative = peer.tsn;
    peer.give(|packet| {
        packet.chunk(ChunkType::Sack, 0xff, |out| {
            out.put_u32(cumulative);
            out.put_u32(WINDOW);
            out.put_u32(0);
        });
        packet.chunk(ChunkType::Heartbeat, 0xff, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, 4]));
        packet.data(&DataHeader { flags: 0xf0 | 8 | 3, ..header(0) }, b"x");
    });
    assert_eq!(peer.take_events().len(), 2);
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::HeartbeatAck, ChunkType::Sack]);
    assert!(seen.iter().all(|chunk| chunk.flags == 0));
}

#[test]
fn rfc9260_3_2_chunks_are_taken_in_order() {
    for (data_first, expected) in [(true, vec!["x"]), (false, vec![])] {
        let mut peer = Puppet::established(Config::default(), 1);
        let cumulative = peer.tsn.wrapping_sub(1);
        peer.give(|packet| {
            if data_first {
                packet.data(&header(0), b"x");
            }
            packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
            if !data_first {
                packet.data(&header(0), b"x");
            }
        });
        assert_eq!(peer.take_messages(), expected);
    }
}

#[test]
fn rfc9260_3_2_a_chunk_that_is_not_whole_is_dropped() {
    let mut peer = Puppet::established(Config::default(), 1);
    let mut bytes = packet(PORTS.0, PORTS.1, peer.tag, |packet| {
        packet.data(&header(0), b"whole!!!").data(&header(1), b"not whole at all");
    })
    .to_vec();
    bytes.truncate(bytes.len() - 8);
    give_bytes(&mut peer, &bytes);
    assert_eq!(peer.take_messages(), ["whole!!!"]);
    // Nor is one whose length is less than its header.
    bytes[12 + 24 + 2..12 + 24 + 4].copy_from_slice(&[0, 3]);
    give_bytes(&mut peer, &bytes);
    assert_eq!(peer.take_events(), []);
}

#[test]
fn rfc9260_3_2_1_a_parameter_that_is_not_whole_is_refused() {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 1, |out| {
        out.put_u16(0x8008);
        out.put_u16(200);
        out.put_u32(0);
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), cause(&seen[0]), seen[0].tag), (vec![ChunkType::Abort], 13, TAG));
}

#[test]
fn rfc9260_3_3_2_init_says_what_it_must() {
    let mut peer = Puppet::new(Config { receive_buffer: 1000, max_message: 100, ..Config::default() });
    peer.connect();
    let seen = peer.look();
    let init = &seen[0];
    assert_eq!((kinds(&seen), init.tag), (vec![ChunkType::Init], 0));
    assert_ne!(init.u32(0), 0);
    // The smallest window that may be offered; streams both ways.
    assert_eq!((init.u32(4), init.u16(8), init.u16(10)), (1500, 10, u16::MAX));
    let mut types = Vec::new();
    let mut addresses = 0;
    parameters(init, |parameter| match parameter {
        Parameter::SupportedAddressTypes(list) => types.extend(list),
        Parameter::Ipv4(_) => addresses += 1,
        _ => {}
    });
    assert_eq!((types, addresses), (vec![5], 2));
}

#[test]
fn rfc9260_3_3_2_ecn_is_not_announced_and_asked_for_in_vain() {
    // RFC 9260 reserves its parameter and chunks and says nothing of what they do.
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 1, |out| parameter(out, ParameterType::Ecn, |_| {}));
    let seen = peer.look();
    parameters(&seen[0], |parameter| assert!(!matches!(parameter, Parameter::Ecn | Parameter::Unrecognized(_))));
    let mut asking = Puppet::new(Config::default());
    asking.connect();
    parameters(&asking.look()[0], |parameter| assert_ne!(parameter, Parameter::Ecn));
}

#[test]
fn rfc9260_3_2_ecne_and_cwr_change_nothing() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    let before = peer.endpoint.paths(id);
    peer.give(|packet| {
        packet.chunk(ChunkType::Ecne, 0, |out| out.put_u32(TSN));
        packet.chunk(ChunkType::Cwr, 0, |out| out.put_u32(TSN));
    });
    assert_eq!((peer.look(), peer.take_events(), peer.endpoint.paths(id)), (vec![], vec![], before));
}

#[test]
fn rfc9260_3_3_2_1_3_a_cookie_lives_longer_where_it_is_asked_for_and_not_for_ever() {
    for (asked, waited, lives) in
        [(0, 61, false), (30_000, 80, true), (10_000_000, 119, true), (10_000_000, 121, false)]
    {
        let mut peer = Puppet::new(Config::default());
        peer.init(TAG, 1, |out| {
            if asked > 0 {
                parameter(out, ParameterType::CookiePreservative, |out| out.put_u32(asked));
            }
        });
        let cookie = peer.take_init_ack();
        peer.now = peer.now.after(SECOND * waited);
        peer.give(|packet| {
            packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
        });
        assert_eq!(peer.endpoint.associations().count() == 1, lives, "{asked} {waited}");
    }
}

#[test]
fn rfc9260_3_3_3_init_ack_with_tag_zero_ends_it() {
    let value = init_value(0, WINDOW, (10, 10), 1, |out| {
        parameter(out, ParameterType::StateCookie, |out| out.put_slice(b"cookie"));
    });
    let mut peer = asked(&value);
    assert_eq!(peer.look(), []);
    assert_eq!(peer.take_events(), [Event::Aborted { cause: 7, by_peer: false }]);
    assert_eq!(peer.endpoint.associations().count(), 0);
}

#[test]
fn rfc9260_3_3_3_init_ack_without_streams_or_with_a_small_window_ends_it() {
    for (window, streams) in [(WINDOW, (0, 10)), (WINDOW, (10, 0)), (1499, (10, 10))] {
        let value = init_value(TAG, window, streams, 1, |out| {
            parameter(out, ParameterType::StateCookie, |out| out.put_slice(b"cookie"));
        });
        let mut peer = asked(&value);
        let seen = peer.look();
        assert_eq!((kinds(&seen), cause(&seen[0]), seen[0].tag), (vec![ChunkType::Abort], 7, TAG));
        assert_eq!(peer.take_events(), [Event::Aborted { cause: 7, by_peer: false }]);
    }
}

#[test]
fn rfc9260_3_3_3_host_name_in_init_ack_ends_it() {
    let value = init_value(TAG, WINDOW, (10, 10), 1, |out| {
        parameter(out, ParameterType::StateCookie, |out| out.put_slice(b"cookie"));
        parameter(out, ParameterType::HostName, |out| out.put_slice(b"a.example\0"));
    });
    let mut peer = asked(&value);
    let seen = peer.look();
    assert_eq!((kinds(&seen), cause(&seen[0])), (vec![ChunkType::Abort], 5));
    // The cause holds the parameter (3.3.10.5).
    assert_eq!(seen[0].value[4..8], [0, 11, 0, 14]);
}

#[test]
fn rfc9260_3_3_3_a_large_init_ack_is_taken() {
    let cookie = vec![0xc0; 5000];
    let value = init_value(TAG, WINDOW, (10, 10), 1, |out| {
        parameter(out, ParameterType::StateCookie, |out| out.put_slice(&cookie));
    });
    let mut peer = asked(&value);
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::CookieEcho]);
    assert_eq!(seen[0].value, cookie);
}

#[test]
fn rfc9260_3_2_2_what_is_not_known_in_init_ack_is_reported_beside_cookie_echo() {
    let value = init_value(TAG, WINDOW, (10, 10), 1, |out| {
        parameter(out, ParameterType::Unknown(0xc0de), |out| out.put_u32(1));
        parameter(out, ParameterType::Unknown(0x80de), |out| out.put_u32(2));
        parameter(out, ParameterType::StateCookie, |out| out.put_slice(b"cookie"));
    });
    let mut peer = asked(&value);
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[1].packet), (vec![ChunkType::CookieEcho, ChunkType::Error], 0));
    assert_eq!(seen[1].value, [0, 8, 0, 12, 0xc0, 0xde, 0, 8, 0, 0, 0, 1]);
}

#[test]
fn rfc9260_3_3_7_a_malformed_abort_is_discarded() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Abort, 0, |out| out.put_slice(&[0, 12, 0, 200, 1, 2, 3, 4]));
    });
    assert_eq!((peer.look(), peer.take_events()), (vec![], vec![]));
    peer.give(|packet| {
        packet.chunk(ChunkType::Abort, 0, |_| {});
    });
    // And none is answered.
    assert_eq!(peer.look(), []);
    assert_eq!(peer.take_events(), [Event::Aborted { cause: 0, by_peer: true }]);
}

#[test]
fn rfc9260_3_3_10_6_a_chunk_that_is_not_known_is_reported_whole() {
    let mut peer = Puppet::established(Config::default(), 1);
    let value: Vec<u8> = (0..1000).map(|number| number as u8).collect();
    peer.give(|packet| {
        packet.chunk(ChunkType::Unknown(0xfe), 5, |out| out.put_slice(&value));
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].u16(0), seen[0].u16(2)), (vec![ChunkType::Error], 6, 1008));
    assert_eq!((&seen[0].value[4..8], &seen[0].value[8..]), (&[0xfe, 5, 3, 0xec][..], &value[..]));
}

#[test]
fn rfc9260_3_3_10_causes_of_errors_become_events() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Error, 0, |out| {
            write::cause(out, 1.into(), |out| out.put_u32(7 << 16));
            write::cause(out, 0x4242.into(), |_| {});
        });
    });
    assert_eq!(peer.take_events(), [Event::PeerError(1), Event::PeerError(0x4242)]);
}

#[test]
fn rfc9260_3_3_3_init_ack_is_the_answer_to_each_init_and_its_cookie_is_new() {
    let mut peer = Puppet::new(Config::default());
    let mut cookies = std::collections::BTreeSet::new();
    for _ in 0..3 {
        peer.init(TAG, 1, |_| {});
        cookies.insert(cookie_of(&peer.look()[0]));
    }
    assert_eq!(cookies.len(), 3);
}

#[test]
fn rfc9260_3_1_port_zero_is_discarded() {
    let value = init_value(TAG, WINDOW, (10, 10), 1, |_| {});
    for (from, to) in [(0, PORTS.1), (PORTS.0, 0)] {
        let mut peer = Puppet::new(Config::default());
        peer.endpoint.listen(0, &[host(0)]);
        let bytes = packet(from, to, 0, |packet| {
            packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
        });
        peer.endpoint.receive(peer.now, &Datagram { source: puppet(0), destination: host(0), bytes });
        assert_eq!(peer.endpoint.poll_transmit(peer.now), None);
        assert_eq!(peer.endpoint.counters().malformed, 1);
    }
}

#[test]
fn rfc9260_5_1_3_a_cookie_is_small() {
    // Largest where the peer has as many addresses as are used, and a key.
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 16, |_| {});
    let cookie = cookie_of(&peer.look()[0]);
    assert!(cookie.len() <= 32 + 16 * 5 + 50, "{}", cookie.len());
}
