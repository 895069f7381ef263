//! More of how an association begins, and who is whose: RFC 9260 5.1 to 5.4.

use std::net::IpAddr;
use std::time::Duration;

use bytes::BufMut;
use pinion_protocols::sctp::endpoint::{Config, Endpoint, Event, Message, Time, memory};
use pinion_protocols::sctp::write::{self, parameter};
use pinion_protocols::sctp::{ChunkType, ParameterType};

use crate::puppet::{Puppet, TAG, TSN, WINDOW, but_heartbeats, cause, cookie_of, host, init_value, kinds, puppet};

const SECOND: Duration = Duration::from_secs(1);
/// The tag of a puppet that began again.
const OTHER_TAG: u32 = 0x0202_0202;

/// An endpoint that has sent COOKIE ECHO to the puppet.
fn echoing() -> Puppet {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    let init = peer.look();
    (peer.tag, peer.tsn) = (init[0].u32(0), init[0].u32(12));
    peer.init_ack(b"cookie");
    assert_eq!(kinds(&peer.look()), [ChunkType::CookieEcho]);
    peer
}

fn remotes(peer: &Puppet) -> Vec<IpAddr> {
    peer.endpoint.paths(peer.association()).iter().map(|path| path.remote).collect()
}

/// The addresses of an association whose INIT had those parameters.
fn addresses_after(networks: u8, more: impl FnOnce(&mut bytes::BytesMut)) -> Vec<IpAddr> {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, networks, more);
    let cookie = peer.take_init_ack();
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    remotes(&peer)
}

#[test]
fn rfc9260_5_1_2_the_source_is_an_address_and_so_is_each_that_is_listed() {
    assert_eq!(addresses_after(1, |_| {}), [puppet(0)]);
    assert_eq!(addresses_after(3, |_| {}), [puppet(0), puppet(1), puppet(2)]);
    let not_to_be_used: [IpAddr; 4] =
        [[224, 0, 0, 5].into(), [0, 0, 0, 0].into(), [255; 4].into(), "ff02::1".parse().unwrap()];
    let listed = addresses_after(1, |out| {
        not_to_be_used.iter().for_each(|&address| write::address(out, address));
        write::address(out, puppet(0));
        write::address(out, puppet(4));
        write::address(out, puppet(4));
    });
    assert_eq!(listed, [puppet(0), puppet(4)]);
}

#[test]
fn rfc9260_5_1_2_addresses_of_a_family_that_is_not_had_are_left_out_in_silence() {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 1, |out| {
        // It speaks IPv6 only, it says, and asks over IPv4: both count then.
        parameter(out, ParameterType::SupportedAddressTypes, |out| out.put_u16(6));
        write::address(out, "2001:db8::1".parse().unwrap());
    });
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::InitAck]);
    (peer.tag, peer.tsn) = (seen[0].u32(0), seen[0].u32(12));
    let cookie = cookie_of(&seen[0]);
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    assert_eq!(kinds(&peer.look()), [ChunkType::CookieAck]);
    assert_eq!(remotes(&peer), [puppet(0)]);
}

#[test]
fn rfc9260_5_1_1_messages_on_streams_that_the_peer_does_not_have_are_reported() {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    let id = peer.association();
    for stream in [9, 4] {
        let message = Message { context: stream.into(), ..Message::new(stream, 0, "x".into()) };
        peer.endpoint.send(peer.now, id, message).unwrap();
    }
    peer.tag = peer.look()[0].u32(0);
    let value = init_value(TAG, WINDOW, (10, 5), 1, |out| {
        parameter(out, ParameterType::StateCookie, |out| out.put_slice(b"cookie"));
    });
    peer.give(|packet| {
        packet.chunk(ChunkType::InitAck, 0, |out| out.put_slice(&value));
    });
    assert_eq!(peer.take_events(), [Event::SendFailed { context: 9, stream: 9, sent: false }]);
    peer.look();
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieAck, 0, |_| {});
    });
    assert_eq!(peer.look().iter().map(|chunk| chunk.u16(4)).collect::<Vec<_>>(), [4]);
    assert!(matches!(peer.take_events()[..], [Event::Established { outbound_streams: 5, .. }]));
}

#[test]
fn rfc9260_5_1_1_65535_streams_each_way() {
    let config = Config { outbound_streams: u16::MAX, ..Config::default() };
    let mut client = Endpoint::new(config.clone(), [1; 32]);
    let mut server = Endpoint::new(config, [2; 32]);
    server.listen(2, &[host(0)]);
    let id = client.connect(Time::ZERO, (&[puppet(0)], 1), (&[host(0)], 2)).unwrap();
    memory::exchange(&mut client, &mut server, Time::ZERO);
    for stream in [0, 1, 40_000, u16::MAX - 1] {
        client.send(Time::ZERO, id, Message::new(stream, 0, "x".into())).unwrap();
    }
    assert!(client.send(Time::ZERO, id, Message::new(u16::MAX, 0, "x".into())).is_err());
    memory::exchange(&mut client, &mut server, Time::ZERO);
    let streams: Vec<_> = std::iter::from_fn(|| server.poll_event())
        .filter_map(|(_, event)| match event {
            Event::Message(message) => Some(message.stream),
            _ => None,
        })
        .collect();
    assert_eq!(streams, [0, 1, 40_000, u16::MAX - 1]);
}

#[test]
fn rfc9260_5_2_1_init_while_waiting_is_answered_where_the_caller_asked_and_nowhere_else() {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    let init = peer.look();
    (peer.tag, peer.tsn) = (init[0].u32(0), init[0].u32(12));
    let value = init_value(TAG, WINDOW, (10, 10), 2, |_| {});
    peer.give_from(puppet(1), 0, |packet| {
        packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
    });
    let seen = peer.look();
    assert_eq!(
        (kinds(&seen), seen[0].destination, seen[0].u32(0)),
        (vec![ChunkType::InitAck], puppet(0), peer.tag)
    );
    let (tag, cookie) = (peer.tag, cookie_of(&seen[0]));
    peer.give_from(puppet(1), tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    assert!(matches!(peer.take_events()[..], [Event::Established { accepted: false, .. }]));
    // Only where the cookie went is the peer known to be (5.4).
    let confirmed: Vec<_> =
        peer.endpoint.paths(peer.association()).iter().map(|path| (path.remote, path.confirmed)).collect();
    assert_eq!(confirmed, [(puppet(0), true), (puppet(1), false)]);
}

#[test]
fn rfc9260_5_2_1_init_in_cookie_echoed_is_answered_with_the_own_tag_and_tsn() {
    let mut peer = echoing();
    peer.init(OTHER_TAG, 1, |_| {});
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].tag), (vec![ChunkType::InitAck], OTHER_TAG));
    assert_eq!((seen[0].u32(0), seen[0].u32(12)), (peer.tag, peer.tsn));
    // T1-cookie goes on.
    let again = peer.wait(SECOND * 2);
    assert_eq!(again[0].1.kind, ChunkType::CookieEcho);
}

#[test]
fn rfc9260_5_2_1_init_in_cookie_echoed_with_a_new_address_is_aborted_and_changes_nothing() {
    let mut peer = echoing();
    peer.init(OTHER_TAG, 2, |_| {});
    let seen = peer.look();
    assert_eq!((kinds(&seen), cause(&seen[0]), seen[0].tag), (vec![ChunkType::Abort], 11, OTHER_TAG));
    // The cause holds the addresses that are new (3.3.10.11).
    assert_eq!(seen[0].value[4..], [0, 5, 0, 8, 10, 1, 0, 1]);
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieAck, 0, |_| {});
    });
    assert!(matches!(peer.take_events()[..], [Event::Established { .. }]));
}

#[test]
fn rfc9260_5_2_4_b_the_peers_new_tag_is_taken() {
    let mut peer = echoing();
    peer.init(OTHER_TAG, 1, |_| {});
    let cookie = cookie_of(&peer.look()[0]);
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].tag), (vec![ChunkType::CookieAck], OTHER_TAG));
    assert!(matches!(peer.take_events()[..], [Event::Established { accepted: false, .. }]));
    assert_eq!(but_heartbeats(&peer.wait(SECOND * 20)), []);
    peer.send(1, 10);
    assert_eq!(peer.look()[0].tag, OTHER_TAG);
}

#[test]
fn rfc9260_5_2_5_cookie_ack_before_there_is_a_cookie_changes_nothing() {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    peer.tag = peer.look()[0].u32(0);
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieAck, 0, |_| {});
    });
    assert_eq!((peer.look(), peer.take_events()), (vec![], vec![]));
    assert_eq!(kinds(&[peer.wait(SECOND * 2)[0].1.clone()]), [ChunkType::Init]);
}

#[test]
fn rfc9260_5_2_3_init_ack_in_cookie_echoed_changes_nothing() {
    let mut peer = echoing();
    peer.init_ack(b"another");
    assert_eq!(peer.look(), []);
    let again = peer.wait(SECOND * 2);
    assert_eq!(again[0].1.value, b"cookie");
}

#[test]
fn rfc9260_5_4_what_was_never_confirmed_says_nothing_of_the_peer() {
    let config = Config { association_max_retransmissions: 2, heartbeat_interval: None, ..Config::default() };
    let mut peer = Puppet::new(config);
    peer.init(TAG, 3, |_| {});
    let cookie = peer.take_init_ack();
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    assert_eq!(kinds(&peer.look())[0], ChunkType::CookieAck);
    let seen = peer.wait(SECOND * 1000);
    assert!(seen.iter().all(|(_, chunk)| chunk.kind == ChunkType::Heartbeat && chunk.destination != puppet(0)));
    assert!(!peer.take_events().contains(&Event::Lost));
    peer.data(0, 0, 0, 3 | 8, b"still here");
    assert_eq!(peer.take_messages(), ["still here"]);
    assert_eq!(peer.look()[0].u32(0), TSN);
}

#[test]
fn rfc9260_5_4_each_question_has_a_nonce_of_its_own() {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 2, |_| {});
    let cookie = peer.take_init_ack();
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    let mut seen = peer.look();
    seen.extend(peer.wait(SECOND * 10).into_iter().map(|(_, chunk)| chunk));
    seen.retain(|chunk| chunk.kind == ChunkType::Heartbeat);
    let nonces: std::collections::BTreeSet<_> = seen.iter().map(|chunk| chunk.value.clone()).collect();
    assert!(nonces.len() == seen.len() && seen.len() > 2, "{seen:?}");
    // 64 bits at least (5.4).
    assert!(nonces.iter().all(|nonce| nonce.len() >= 4 + 8));
    // An answer to a question that is no longer open confirms nothing.
    peer.answer_heartbeat(&seen[0]);
    assert!(!peer.endpoint.paths(peer.association())[1].confirmed);
}
