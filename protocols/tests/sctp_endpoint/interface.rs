//! What the upper layer can ask for, and what it is told: RFC 9260 8.2, 8.3, 9, 11.

use std::time::Duration;

use bytes::BufMut;
use pinion_protocols::sctp::ChunkType;
use pinion_protocols::sctp::endpoint::{Config, ConnectError, Endpoint, Event, Message, SendError, Time};

use crate::puppet::{PORTS, Puppet, TAG, WINDOW, but_heartbeats, host, kinds, puppet};

const SECOND: Duration = Duration::from_secs(1);

fn quiet() -> Config {
    Config { heartbeat_interval: None, ..Config::default() }
}

#[test]
fn rfc9260_8_3_a_heartbeat_is_sent_when_it_is_asked_for() {
    let mut peer = Puppet::established(quiet(), 2);
    let id = peer.association();
    assert!(!peer.endpoint.probe(peer.now, id, puppet(7)));
    assert!(peer.endpoint.probe(peer.now, id, puppet(1)));
    assert!(peer.endpoint.probe(peer.now, id, puppet(1)));
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].destination), (vec![ChunkType::Heartbeat], puppet(1)));
    peer.wait(Duration::from_millis(70));
    peer.answer_heartbeat(&seen[0]);
    // Its answer is a measurement (8.3).
    let round_trip = peer.endpoint.paths(id)[1].round_trip.expect("a round trip");
    assert!(round_trip <= Duration::from_millis(70) && !round_trip.is_zero(), "{round_trip:?}");
}

#[test]
fn rfc9260_8_3_11_1_9_heartbeats_can_be_changed_for_one_path() {
    let mut peer = Puppet::established(quiet(), 2);
    let (id, now) = (peer.association(), peer.now);
    assert!(!peer.endpoint.set_heartbeat(now, id, puppet(7), None));
    assert!(peer.endpoint.set_heartbeat(now, id, puppet(1), Some(SECOND * 5)));
    let mut asked = Vec::new();
    while peer.now.since(now) < SECOND * 30 {
        for (_, chunk) in peer.wait(SECOND / 10) {
            asked.push(chunk.destination);
            peer.answer_heartbeat(&chunk);
        }
    }
    // Every 5 s and RTO, 1 s, give or take half of it; the other path is left alone.
    assert!((4..=6).contains(&asked.len()) && asked.iter().all(|to| *to == puppet(1)), "{asked:?}");
    assert!(peer.endpoint.set_heartbeat(peer.now, id, puppet(1), None));
    assert_eq!(peer.wait(SECOND * 100), []);
}

#[test]
fn rfc9260_8_3_a_heartbeat_in_cookie_echoed_is_answered() {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    peer.tag = peer.look()[0].u32(0);
    let value = [0, 1, 0, 8, 1, 2, 3, 4];
    let heartbeat = |peer: &mut Puppet| {
        peer.give(|packet| {
            packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&value));
        });
        peer.look()
    };
    assert_eq!(heartbeat(&mut peer), []);
    peer.init_ack(b"cookie");
    peer.look();
    let seen = heartbeat(&mut peer);
    assert_eq!((kinds(&seen), seen[0].tag), (vec![ChunkType::HeartbeatAck], TAG));
    assert_eq!(seen[0].value, value);
}

#[test]
fn rfc9260_8_3_a_large_heartbeat_is_answered_whole() {
    let mut peer = Puppet::established(Config::default(), 1);
    let mut value = vec![0, 1, 1400_u16.to_be_bytes()[0], 1400_u16.to_be_bytes()[1]];
    value.resize(1400, 0x5a);
    peer.give(|packet| {
        packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&value));
    });
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::HeartbeatAck]);
    assert_eq!(seen[0].value, value);
}

#[test]
fn rfc9260_8_1_8_2_an_answered_heartbeat_clears_both_counts() {
    let config = Config { association_max_retransmissions: 2, path_max_retransmissions: 2, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    for _ in 0..20 {
        // Two go unanswered, the third does not.
        let mut last = None;
        while last.is_none() || peer.endpoint.paths(peer.association())[0].rto < SECOND * 4 {
            let due = peer.endpoint.deadline().unwrap().since(peer.now);
            last = peer.wait(due).pop().or(last);
        }
        peer.answer_heartbeat(&last.unwrap().1);
        // The round trip is short: RTO is small again.
    }
    let events = peer.take_events();
    assert!(!events.contains(&Event::Lost) && !events.contains(&Event::PathDown(puppet(0))), "{events:?}");
}

#[test]
fn rfc9260_9_2_shutdown_before_the_handshake_is_over_is_discarded() {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    peer.tag = peer.look()[0].u32(0);
    for echoed in [false, true] {
        if echoed {
            peer.init_ack(b"cookie");
            assert_eq!(kinds(&peer.look()), [ChunkType::CookieEcho]);
        }
        peer.give(|packet| {
            packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(0));
        });
        assert_eq!((peer.look(), peer.take_events()), (vec![], vec![]));
    }
}

#[test]
fn rfc9260_9_2_shutdown_ack_in_established_is_discarded() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.give(|packet| {
        packet.chunk(ChunkType::ShutdownAck, 0, |_| {});
    });
    assert_eq!((peer.look(), peer.take_events()), (vec![], vec![]));
    assert_eq!(peer.endpoint.associations().count(), 1);
}

#[test]
fn rfc9260_9_2_nothing_new_is_taken_once_it_is_to_end() {
    for by_peer in [false, true] {
        let mut peer = Puppet::established(Config::default(), 1);
        let id = peer.association();
        peer.send(1, 10);
        peer.look();
        let cumulative = peer.tsn.wrapping_sub(1);
        if by_peer {
            peer.give(|packet| {
                packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
            });
        } else {
            peer.endpoint.shutdown(peer.now, id);
        }
        let message = Message::new(0, 0, "more".into());
        assert_eq!(peer.endpoint.send(peer.now, id, message), Err(SendError::ShuttingDown));
        // RFC 9260 9.2: the upper layer's own wish comes too late then.
        peer.endpoint.shutdown(peer.now, id);
        assert_eq!(peer.look(), []);
    }
}

#[test]
fn rfc9260_9_2_shutdown_acknowledges_what_it_says() {
    let mut peer = Puppet::established(quiet(), 1);
    peer.send(2, 10);
    peer.look();
    let cumulative = peer.tsn.wrapping_add(1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
    });
    assert_eq!(kinds(&peer.look()), [ChunkType::ShutdownAck]);
    assert_eq!(peer.take_events(), [Event::PeerShutdown, Event::Drained]);
}

#[test]
fn rfc9260_11_1_2_an_association_that_cannot_be_is_refused() {
    let mut endpoint = Endpoint::new(Config { max_associations: 1, ..Config::default() }, [1; 32]);
    let v6 = "2001:db8::1".parse().unwrap();
    let mut connect =
        |local: &[_], port, remote: &[_], to| endpoint.connect(Time::ZERO, (local, port), (remote, to));
    assert_eq!(connect(&[host(0)], 0, &[puppet(0)], 1), Err(ConnectError::Port));
    assert_eq!(connect(&[host(0)], 1, &[puppet(0)], 0), Err(ConnectError::Port));
    assert_eq!(connect(&[], 1, &[puppet(0)], 1), Err(ConnectError::NoLocalAddress));
    assert_eq!(connect(&[host(0)], 1, &[v6], 1), Err(ConnectError::NoRemoteAddress));
    assert!(connect(&[host(0)], 1, &[puppet(0)], 1).is_ok());
    assert_eq!(connect(&[host(0)], 1, &[puppet(0)], 1), Err(ConnectError::Taken));
    assert_eq!(connect(&[host(0)], 1, &[puppet(1)], 1), Err(ConnectError::Taken));
}

#[test]
fn rfc9260_11_1_what_ends_before_it_began_is_told_and_sends_nothing_more() {
    for aborts in [false, true] {
        let mut peer = Puppet::new(Config::default());
        peer.connect();
        let id = peer.association();
        assert_eq!(kinds(&peer.look()), [ChunkType::Init]);
        if aborts {
            peer.endpoint.abort(peer.now, id, b"no more");
        } else {
            peer.endpoint.shutdown(peer.now, id);
        }
        assert!(matches!(peer.take_events()[..], [Event::Closed | Event::Aborted { by_peer: false, .. }]));
        assert_eq!(peer.wait(SECOND * 100), []);
        assert_eq!((peer.look(), peer.endpoint.identity(id)), (vec![], None));
    }
}

#[test]
fn rfc9260_11_1_the_state_of_an_association_can_be_asked_for() {
    let mut peer = Puppet::established(quiet(), 2);
    let id = peer.association();
    assert_eq!(peer.endpoint.identity(id), Some(((PORTS.1, peer.tag), (PORTS.0, TAG))));
    peer.send(1, 100);
    peer.look();
    let paths = peer.endpoint.paths(id);
    assert_eq!((paths[0].primary, paths[1].primary, paths[0].confirmed), (true, false, true));
    assert_eq!((paths[0].outstanding, paths[0].window, paths[0].mtu), (100, 4404, 1500));
    assert_eq!((paths[0].local, paths[0].remote), (host(0), puppet(0)));
    assert!(peer.endpoint.buffered(id) >= 100);
    peer.sack(1, &[], WINDOW);
    assert_eq!(peer.endpoint.buffered(id), 0);
}

#[test]
fn rfc9260_11_1_what_was_sent_and_what_was_not_can_be_told_apart() {
    let mut peer = Puppet::established(quiet(), 1);
    let id = peer.association();
    for context in 0..8 {
        let message = Message { context, ..Message::new(0, 0, vec![1; 1400].into()) };
        peer.endpoint.send(peer.now, id, message).unwrap();
    }
    let sent = peer.look().len() as u32;
    peer.sack(1, &[], 0);
    peer.give(|packet| {
        packet.chunk(ChunkType::Abort, 0, |_| {});
    });
    let failed: Vec<_> = peer
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::SendFailed { context, sent, .. } => Some((context, sent)),
            _ => None,
        })
        .collect();
    assert_eq!(failed, (1..8).map(|context| (context, context < sent)).collect::<Vec<_>>());
}

#[test]
fn rfc9260_11_2_a_restart_is_told_and_what_was_not_acknowledged_with_it() {
    let mut peer = Puppet::established(quiet(), 1);
    peer.send(1, 10);
    peer.look();
    peer.init(TAG + 1, 1, |_| {});
    let seen = peer.look();
    let (tag, cookie) = (seen[0].u32(0), crate::puppet::cookie_of(&seen[0]));
    peer.give_from(puppet(0), tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    let events = peer.take_events();
    assert_eq!(events, [Event::SendFailed { context: 0, stream: 0, sent: true }, Event::Restarted]);
    assert_eq!(kinds(&peer.look()), [ChunkType::CookieAck]);
    assert_eq!(but_heartbeats(&peer.wait(SECOND)), []);
}
