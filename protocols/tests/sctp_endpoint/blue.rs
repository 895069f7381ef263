//! Packets of no association, and with wrong tags: RFC 9260 8.4, 8.5.

use bytes::BufMut;
use pinion_protocols::sctp::endpoint::{Config, Datagram, Event};
use pinion_protocols::sctp::write::{self, DataHeader};
use pinion_protocols::sctp::{CauseCode, ChunkType};

use crate::puppet::{PORTS, Puppet, TAG, TSN, cookie_of, host, init_value, kinds, packet, puppet};

const SOME_TAG: u32 = 0x1234_5678;

fn data() -> DataHeader {
    DataHeader { flags: 3, tsn: TSN, stream: 0, sequence: 0, protocol: 0 }
}

#[test]
fn rfc9260_8_4_1_not_from_or_to_a_group() {
    let mut peer = Puppet::new(Config::default());
    let bytes = packet(PORTS.0, PORTS.1, SOME_TAG, |packet| {
        packet.data(&data(), b"x");
    });
    for (source, destination) in [
        ([224, 0, 0, 1].into(), host(0)),
        (puppet(0), [224, 0, 0, 1].into()),
        ([255, 255, 255, 255].into(), host(0)),
        ([0, 0, 0, 0].into(), host(0)),
        ("ff02::1".parse().unwrap(), host(0)),
    ] {
        peer.endpoint.receive(peer.now, &Datagram { source, destination, bytes: bytes.clone() });
        assert_eq!(peer.look(), []);
    }
}

#[test]
fn rfc9260_8_4_2_4_7_some_chunks_are_never_answered() {
    for kind in [ChunkType::Abort, ChunkType::ShutdownComplete, ChunkType::CookieAck] {
        let mut peer = Puppet::new(Config::default());
        peer.give_from(puppet(0), SOME_TAG, |packet| {
            packet.chunk(kind, 0, |_| {});
        });
        assert_eq!(peer.look(), [], "{kind:?}");
    }
    let mut peer = Puppet::new(Config::default());
    peer.give_from(puppet(0), SOME_TAG, |packet| {
        packet.chunk(ChunkType::Error, 0, |out| {
            write::cause(out, CauseCode::StaleCookie, |out| out.put_u32(5));
        });
    });
    assert_eq!(peer.look(), []);
    // A bad cookie too (8.4 4).
    peer.give_from(puppet(0), SOME_TAG, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&[1; 100]));
    });
    assert_eq!(peer.look(), []);
}

#[test]
fn rfc9260_8_4_5_shutdown_ack_is_answered_with_shutdown_complete() {
    let mut peer = Puppet::new(Config::default());
    peer.give_from(puppet(0), SOME_TAG, |packet| {
        packet.chunk(ChunkType::ShutdownAck, 0, |_| {});
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].flags, seen[0].tag), (vec![ChunkType::ShutdownComplete], 1, SOME_TAG));
}

#[test]
fn rfc9260_8_4_8_everything_else_is_answered_with_abort() {
    for kind in [ChunkType::Sack, ChunkType::Heartbeat, ChunkType::Shutdown, ChunkType::InitAck, ChunkType::Asconf]
    {
        let mut peer = Puppet::new(Config::default());
        peer.give_from(puppet(0), SOME_TAG, |packet| {
            packet.chunk(kind, 0, |out| out.put_slice(&[0; 16]));
        });
        let seen = peer.look();
        assert_eq!((kinds(&seen), seen[0].flags, seen[0].tag), (vec![ChunkType::Abort], 1, SOME_TAG), "{kind:?}");
    }
}

#[test]
fn rfc9260_8_4_answers_are_bounded() {
    let mut peer = Puppet::new(Config { max_replies: 10, ..Config::default() });
    for _ in 0..1000 {
        peer.give_from(puppet(0), SOME_TAG, |packet| {
            packet.data(&data(), b"x");
        });
        peer.init(TAG, 1, |_| {});
    }
    assert_eq!(peer.look().len(), 10);
}

#[test]
fn rfc9260_8_5_a_wrong_tag_is_discarded() {
    let mut peer = Puppet::established(Config::default(), 1);
    let tag = peer.tag;
    for wrong in [tag ^ 1, 0, TAG] {
        peer.give_from(puppet(0), wrong, |packet| {
            packet.data(&data(), b"x");
        });
        peer.give_from(puppet(0), wrong, |packet| {
            packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(0));
        });
    }
    assert_eq!((peer.look(), peer.take_events()), (vec![], vec![]));
    assert_eq!(peer.endpoint.counters().wrong_tag, 6);
}

#[test]
fn rfc9260_8_5_1_a_init_has_tag_zero() {
    let mut peer = Puppet::new(Config::default());
    let value = init_value(TAG, 10_000, (1, 1), 1, |_| {});
    peer.give_from(puppet(0), 5, |packet| {
        packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
    });
    assert_eq!(peer.look(), []);
}

#[test]
fn rfc9260_8_5_1_b_abort_needs_the_own_tag_or_the_peers_with_the_t_bit() {
    for (tag, flags, ends) in
        [(None, 0, true), (None, 1, false), (Some(TAG), 1, true), (Some(TAG), 0, false), (Some(77), 1, false)]
    {
        let mut peer = Puppet::established(Config::default(), 1);
        let tag = tag.unwrap_or(peer.tag);
        peer.give_from(puppet(0), tag, |packet| {
            packet.chunk(ChunkType::Abort, flags, |_| {});
        });
        let expected = if ends { vec![Event::Aborted { cause: 0, by_peer: true }] } else { vec![] };
        assert_eq!(peer.take_events(), expected, "{tag:#x} {flags}");
        // ABORT is not answered.
        assert_eq!(peer.look(), []);
    }
}

#[test]
fn rfc9260_8_5_1_c_shutdown_complete_needs_the_same_and_the_right_state() {
    for (tag, flags, ends) in [(None, 0, true), (None, 1, false), (Some(TAG), 1, true), (Some(TAG), 0, false)] {
        let mut peer = Puppet::established(Config::default(), 1);
        let tag = tag.unwrap_or(peer.tag);
        let complete = |peer: &mut Puppet| {
            peer.give_from(puppet(0), tag, |packet| {
                packet.chunk(ChunkType::ShutdownComplete, flags, |_| {});
            });
        };
        complete(&mut peer);
        assert_eq!(peer.take_events(), []);
        let cumulative = peer.tsn.wrapping_sub(1);
        peer.give(|packet| {
            packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
        });
        assert_eq!(kinds(&peer.look()), [ChunkType::ShutdownAck]);
        complete(&mut peer);
        let closed = peer.take_events().contains(&Event::Closed);
        assert_eq!(closed, ends, "{tag:#x} {flags}");
    }
}

/// The endpoint has sent INIT or, with the peer's cookie, COOKIE ECHO.
fn shaking_hands(echoed: bool) -> Puppet {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    peer.tag = peer.look()[0].u32(0);
    if echoed {
        peer.init_ack(b"cookie");
        peer.look();
    }
    peer
}

#[test]
fn rfc9260_8_5_1_e_shutdown_ack_before_the_handshake_is_over() {
    for echoed in [false, true] {
        let mut peer = shaking_hands(echoed);
        // Its tag is that of an association from before.
        peer.give_from(puppet(0), SOME_TAG, |packet| {
            packet.chunk(ChunkType::ShutdownAck, 0, |_| {});
        });
        let seen = peer.look();
        assert_eq!((kinds(&seen), seen[0].flags, seen[0].tag), (vec![ChunkType::ShutdownComplete], 1, SOME_TAG));
        assert_eq!(peer.endpoint.associations().count(), 1);
    }
}

/// Whether the endpoint takes a packet for the peer's.
fn is_the_peers(peer: &mut Puppet, tag: u32, kind: ChunkType, value: &[u8]) -> bool {
    let bytes = packet(PORTS.0, PORTS.1, tag, |packet| {
        packet.chunk(kind, 0, |out| out.put_slice(value));
    });
    peer.endpoint.receive(peer.now, &Datagram { source: puppet(0), destination: host(0), bytes })
}

#[test]
fn rfc6951_5_4_who_knows_neither_tag_nor_cookie_is_not_taken_for_the_peer() {
    let init = init_value(TAG, 10_000, (1, 1), 1, |_| {});
    let mut peer = Puppet::new(Config::default());
    assert!(!is_the_peers(&mut peer, SOME_TAG, ChunkType::Sack, &[0; 12]));
    assert!(!is_the_peers(&mut peer, SOME_TAG, ChunkType::CookieEcho, &[1; 100]));
    assert!(!is_the_peers(&mut peer, 0, ChunkType::Init, &init));
    let seen = peer.look();
    let (tag, cookie) = (seen.last().unwrap().u32(0), cookie_of(seen.last().unwrap()));
    assert!(!is_the_peers(&mut peer, tag ^ 1, ChunkType::CookieEcho, &cookie));
    assert!(is_the_peers(&mut peer, tag, ChunkType::CookieEcho, &cookie));
    for (tag, kind) in [(0, ChunkType::Init), (1, ChunkType::Init), (tag ^ 1, ChunkType::Sack)] {
        assert!(!is_the_peers(&mut peer, tag, kind, &init), "{tag:#x} {kind:?}");
    }
    assert!(is_the_peers(&mut peer, tag, ChunkType::Heartbeat, &[0, 1, 0, 8, 1, 2, 3, 4]));
}

#[test]
fn rfc6951_5_4_a_cookie_that_is_refused_is_nobodys() {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 1, |_| {});
    let cookie = peer.take_init_ack();
    let tag = peer.tag;
    peer.endpoint.unlisten(PORTS.1);
    assert!(!is_the_peers(&mut peer, tag, ChunkType::CookieEcho, &cookie));
    peer.endpoint.listen(PORTS.1, &[host(0)]);
    peer.now = peer.now.after(Config::default().cookie_life * 2);
    assert!(!is_the_peers(&mut peer, tag, ChunkType::CookieEcho, &cookie));
    assert_eq!(kinds(&peer.look()), [ChunkType::Error]);
}

#[test]
fn rfc6951_5_4_shutdown_ack_before_the_handshake_is_over_is_nobodys() {
    for echoed in [false, true] {
        let mut peer = shaking_hands(echoed);
        assert!(!is_the_peers(&mut peer, SOME_TAG, ChunkType::ShutdownAck, &[]));
    }
}

#[test]
fn an_address_that_the_association_does_not_have_is_out_of_the_blue() {
    let mut peer = Puppet::established(Config::default(), 1);
    let tag = peer.tag;
    peer.give_from([192, 0, 2, 99].into(), tag, |packet| {
        packet.data(&data(), b"x");
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].tag), (vec![ChunkType::Abort], tag));
    assert_eq!(peer.take_events(), []);
}
