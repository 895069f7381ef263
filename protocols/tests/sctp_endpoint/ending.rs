//! How an association ends: RFC 9260 9.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use pinion_protocols::sctp::ChunkType;
use pinion_protocols::sctp::endpoint::{Config, Event, Message, SendError};

use crate::puppet::{Puppet, TAG, WINDOW, but_heartbeats, cause, kinds};

const SECOND: Duration = Duration::from_secs(1);

fn shutdown(peer: &mut Puppet, acknowledged: u32) {
    let cumulative = peer.tsn.wrapping_add(acknowledged).wrapping_sub(1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
    });
}

#[test]
fn rfc9260_9_1_abort_says_why_and_ends_it() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    peer.send(1, 10);
    peer.endpoint.abort(peer.now, id, b"enough");
    let seen = peer.look();
    assert_eq!((kinds(&seen), cause(&seen[0]), seen[0].tag), (vec![ChunkType::Abort], 12, TAG));
    assert_eq!(seen[0].value[4..10], *b"enough");
    let events = peer.take_events();
    let expected =
        [Event::SendFailed { context: 0, stream: 0, sent: false }, Event::Aborted { cause: 12, by_peer: false }];
    assert_eq!(events, expected);
    assert_eq!(peer.wait(SECOND * 1000), []);
    assert_eq!(peer.endpoint.associations().count(), 0);
}

#[test]
fn rfc9260_9_2_shutdown_waits_until_all_is_acknowledged() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    peer.send(1, 10);
    peer.look();
    peer.endpoint.shutdown(peer.now, id);
    assert_eq!(peer.look(), []);
    let late = Message::new(0, 0, Bytes::from_static(b"late"));
    assert_eq!(peer.endpoint.send(peer.now, id, late), Err(SendError::ShuttingDown));
    peer.sack(1, &[], WINDOW);
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].u32(0)), (vec![ChunkType::Shutdown], crate::puppet::TSN - 1));
    peer.give(|packet| {
        packet.chunk(ChunkType::ShutdownAck, 0, |_| {});
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].flags, seen[0].tag), (vec![ChunkType::ShutdownComplete], 0, TAG));
    assert_eq!(peer.take_events(), [Event::Drained, Event::Closed]);
}

#[test]
fn rfc9260_9_2_what_waits_is_still_sent_after_the_peers_shutdown() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(2, 1400);
    assert_eq!(peer.look().len(), 2);
    shutdown(&mut peer, 1);
    assert_eq!(peer.take_events(), [Event::PeerShutdown]);
    assert_eq!(peer.look(), []);
    let id = peer.association();
    let late = Message::new(0, 0, Bytes::from_static(b"late"));
    assert_eq!(peer.endpoint.send(peer.now, id, late), Err(SendError::ShuttingDown));
    // SHUTDOWN acknowledges as SACK does.
    shutdown(&mut peer, 2);
    assert_eq!(kinds(&peer.look()), [ChunkType::ShutdownAck]);
    peer.give(|packet| {
        packet.chunk(ChunkType::ShutdownComplete, 0, |_| {});
    });
    assert_eq!(peer.take_events(), [Event::Drained, Event::Closed]);
}

#[test]
fn rfc9260_9_2_shutdown_is_repeated_and_given_up() {
    let config = Config { association_max_retransmissions: 3, heartbeat_interval: None, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    let id = peer.association();
    peer.endpoint.shutdown(peer.now, id);
    assert_eq!(kinds(&peer.look()), [ChunkType::Shutdown]);
    let seen = peer.wait(SECOND * 100);
    let times: Vec<_> = seen.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [1, 3, 7]);
    assert_eq!(peer.take_events().last(), Some(&Event::Lost));
}

#[test]
fn rfc9260_9_2_shutdown_ack_is_repeated() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 1);
    shutdown(&mut peer, 0);
    peer.look();
    let seen = peer.wait(Duration::from_millis(3500));
    let kinds: Vec<_> = seen.iter().map(|(_, chunk)| chunk.kind).collect();
    assert_eq!(kinds, [ChunkType::ShutdownAck; 2]);
}

#[test]
fn rfc9260_9_2_data_after_shutdown_is_answered_with_both() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    peer.endpoint.shutdown(peer.now, id);
    peer.look();
    peer.data(0, 0, 0, 3, b"on its way");
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::Shutdown, ChunkType::Sack]);
    assert_eq!(seen[0].u32(0), crate::puppet::TSN);
    assert_eq!(peer.take_messages(), ["on its way"]);
}

#[test]
fn rfc9260_9_2_both_sides_at_once() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    peer.endpoint.shutdown(peer.now, id);
    assert_eq!(kinds(&peer.look()), [ChunkType::Shutdown]);
    shutdown(&mut peer, 0);
    assert_eq!(kinds(&peer.look()), [ChunkType::ShutdownAck]);
    peer.give(|packet| {
        packet.chunk(ChunkType::ShutdownAck, 0, |_| {});
    });
    assert_eq!(kinds(&peer.look()), [ChunkType::ShutdownComplete]);
    assert_eq!(peer.take_events(), [Event::Closed]);
}

#[test]
fn rfc9260_9_2_a_peer_that_never_stops_sending_is_aborted_by_the_guard() {
    let config = Config { shutdown_guard: 1, rto_max: SECOND * 20, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    let id = peer.association();
    peer.endpoint.shutdown(peer.now, id);
    let mut aborted = None;
    for second in 0..60 {
        peer.data(second, 0, second as u16, 3, b"still");
        let mut seen = peer.look();
        seen.extend(peer.wait(SECOND).into_iter().map(|(_, chunk)| chunk));
        if seen.iter().any(|chunk| chunk.kind == ChunkType::Abort) {
            aborted = Some(second);
            break;
        }
    }
    // T5 is five times RTO.Max by default; here it is once.
    assert_eq!(aborted, Some(19));
}

#[test]
fn rfc9260_8_3_no_heartbeats_after_shutdown() {
    let config = Config { heartbeat_interval: Some(SECOND), ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    shutdown(&mut peer, 0);
    peer.look();
    let seen = peer.wait(SECOND * 20);
    assert_eq!(but_heartbeats(&seen).len(), seen.len());
}
