//! When DATA leaves, first and again: RFC 9260 6.1, 6.3, 6.4.1, 6.9, 7.2.

use std::time::Duration;

use bytes::Bytes;
use pinion_protocols::sctp::ChunkType;
use pinion_protocols::sctp::endpoint::{Config, Event, Message, SendError};

use crate::puppet::{Puppet, Seen, WINDOW, but_heartbeats, kinds, puppet};

const SECOND: Duration = Duration::from_secs(1);

/// TSNs of DATA, counted from the endpoint's first.
fn tsns(peer: &Puppet, seen: &[Seen]) -> Vec<u32> {
    let data = seen.iter().filter(|chunk| chunk.kind == ChunkType::Data);
    data.map(|chunk| chunk.u32(0).wrapping_sub(peer.tsn)).collect()
}

#[test]
fn rfc9260_6_1_a_beyond_a_closed_window_one_chunk_probes() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.sack(0, &[], 0);
    peer.send(3, 100);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [0]);
    peer.sack(1, &[], 0);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [1]);
    // It opens.
    peer.sack(2, &[], WINDOW);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [2]);
}

#[test]
fn rfc9260_6_1_a_a_peer_that_keeps_its_window_closed_is_not_lost() {
    let config = Config { association_max_retransmissions: 3, path_max_retransmissions: 2, ..Config::default() };
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..config }, 1);
    peer.sack(0, &[], 0);
    peer.send(1, 100);
    peer.look();
    let mut probes = 0;
    for _ in 0..200 {
        let seen = peer.wait(SECOND);
        for _ in seen.iter().filter(|(_, chunk)| chunk.kind == ChunkType::Data) {
            probes += 1;
            peer.sack(0, &[], 0);
        }
    }
    assert!((5..20).contains(&probes), "{probes}");
    assert_eq!(peer.take_events(), []);
    // Probes get rarer, and go on.
    peer.sack(1, &[], WINDOW);
    assert_eq!(peer.take_events(), [Event::Drained]);
}

#[test]
fn rfc9260_6_1_b_no_more_than_the_congestion_window_is_outstanding() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(20, 1400);
    let seen = peer.look();
    // 4,404 bytes (RFC 9260 7.2.1): it may be overshot by less than a chunk (6.1 B).
    assert_eq!(tsns(&peer, &seen), [0, 1, 2, 3]);
    // Slow start: two chunks are acknowledged, and the window grows by one.
    peer.sack(2, &[], WINDOW);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [4, 5, 6]);
}

#[test]
fn rfc9260_6_1_c_what_is_lost_leaves_before_what_is_new() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(1, 100);
    peer.look();
    let id = peer.association();
    peer.now = peer.endpoint.deadline().unwrap();
    peer.endpoint.expire(peer.now);
    peer.endpoint.send(peer.now, id, Message::new(1, 60, "new".into())).unwrap();
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [0, 1]);
}

#[test]
fn rfc9260_6_1_d_a_burst_is_bounded() {
    let config = Config { max_burst: 2, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    peer.send(200, 1400);
    peer.look();
    for round in 1..10 {
        peer.sack(round * 2, &[], WINDOW);
        let seen = peer.look();
        let packets = seen.iter().map(|chunk| chunk.packet).max().map_or(0, |last| last + 1);
        assert!(packets <= 2, "{packets}");
    }
}

#[test]
fn rfc9260_6_2_1_an_old_sack_changes_nothing() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(3, 100);
    peer.look();
    peer.sack(2, &[], WINDOW);
    let id = peer.association();
    let before = peer.endpoint.paths(id);
    peer.sack(1, &[(2, 2)], 0);
    assert_eq!(peer.endpoint.paths(id), before);
    peer.send(1, 100);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [3]);
}

#[test]
fn rfc9260_6_2_1_what_is_no_longer_acknowledged_is_sent_again() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(3, 1000);
    peer.look();
    peer.sack(0, &[(2, 3)], WINDOW);
    peer.sack(0, &[(2, 2)], WINDOW);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [2]);
}

#[test]
fn rfc9260_6_3_1_c5_what_was_sent_twice_is_not_measured() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 1);
    let id = peer.association();
    peer.send(1, 100);
    peer.look();
    peer.wait(Duration::from_millis(1500));
    let before = peer.endpoint.paths(id)[0].round_trip;
    peer.sack(1, &[], WINDOW);
    assert_eq!(peer.endpoint.paths(id)[0].round_trip, before);
    peer.send(1, 100);
    peer.look();
    peer.wait(Duration::from_millis(20));
    peer.sack(2, &[], WINDOW);
    assert_ne!(peer.endpoint.paths(id)[0].round_trip, before);
}

#[test]
fn rfc9260_6_3_2_t3_runs_while_something_is_outstanding() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 1);
    peer.send(2, 100);
    peer.look();
    peer.wait(Duration::from_millis(100));
    // R3: the earliest is acknowledged, and T3 begins anew.
    peer.sack(1, &[], WINDOW);
    assert_eq!(peer.wait(Duration::from_millis(950)), []);
    let seen = peer.wait(Duration::from_millis(100));
    assert_eq!(seen.iter().map(|(_, chunk)| chunk.u32(0)).collect::<Vec<_>>(), [peer.tsn.wrapping_add(1)]);
    // R2: all is acknowledged, and it stops.
    peer.sack(2, &[], WINDOW);
    assert_eq!(peer.wait(SECOND * 100), []);
}

#[test]
fn rfc9260_6_3_3_a_timeout_sends_one_packet_again() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 1);
    peer.send(4, 1000);
    assert_eq!(peer.look().len(), 4);
    let seen = peer.wait(Duration::from_millis(1100));
    let seen: Vec<_> = seen.into_iter().map(|(_, chunk)| chunk).collect();
    assert_eq!(tsns(&peer, &seen), [0]);
    // RTO doubled.
    assert_eq!(peer.wait(Duration::from_millis(1800)), []);
    assert_eq!(peer.wait(Duration::from_millis(300)).len(), 1);
}

#[test]
fn rfc9260_6_4_1_a_timeout_sends_again_on_another_path() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 2);
    peer.send(1, 100);
    assert_eq!(peer.look()[0].destination, puppet(0));
    let seen = but_heartbeats(&peer.wait(Duration::from_millis(1100)));
    assert_eq!(seen[0].1.destination, puppet(1));
}

#[test]
fn rfc9260_6_9_a_large_message_is_cut_into_fragments() {
    let mut peer = Puppet::established(Config { mtu: 1280, largest_mtu: 1280, ..Config::default() }, 1);
    peer.send(1, 3000);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [0, 1, 2]);
    let flags: Vec<_> = seen.iter().map(|chunk| chunk.flags).collect();
    assert_eq!(flags, [2, 0, 1]);
    assert!(seen.iter().all(|chunk| chunk.u16(4) == 0 && chunk.u16(6) == 0 && chunk.u32(8) == 60));
    let lengths: Vec<_> = seen.iter().map(|chunk| chunk.value.len() - 12).collect();
    // 1,280 - 20 - 12 - 16.
    assert_eq!((lengths[0], lengths[1], lengths.iter().sum::<usize>()), (1232, 1232, 3000));
}

#[test]
fn rfc9260_6_10_small_messages_share_a_packet() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(12, 100);
    let seen = peer.look();
    assert_eq!(seen.iter().map(|chunk| chunk.packet).collect::<Vec<_>>(), [0; 12]);
}

#[test]
fn rfc9260_6_1_nagle_waits_for_a_full_packet() {
    let mut peer = Puppet::established(Config { nagle: true, ..Config::default() }, 1);
    peer.send(1, 100);
    assert_eq!(peer.look().len(), 1);
    peer.send(1, 100);
    assert_eq!(peer.look(), []);
    peer.send(12, 100);
    assert!(peer.look().len() >= 12);
}

#[test]
fn rfc9260_7_2_4_the_third_report_sends_again_at_once() {
    let mut peer = Puppet::established(Config { max_burst: 100, ..Config::default() }, 1);
    peer.send(8, 1000);
    let first = peer.look();
    assert_eq!(tsns(&peer, &first).len(), 5);
    peer.sack(0, &[(2, 2)], WINDOW);
    peer.sack(0, &[(2, 3)], WINDOW);
    let seen = peer.look();
    assert!(!tsns(&peer, &seen).contains(&0));
    peer.sack(0, &[(2, 4)], WINDOW);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen)[0], 0);
    // Only once: then T3 has it.
    peer.sack(0, &[(2, 5)], WINDOW);
    let seen = peer.look();
    assert!(!tsns(&peer, &seen).contains(&0));
    let id = peer.association();
    assert_eq!(peer.endpoint.paths(id)[0].window, 4 * 1468);
}

#[test]
fn rfc9260_7_2_4_reports_that_acknowledge_nothing_new_do_not_count() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(4, 1000);
    peer.look();
    for _ in 0..10 {
        peer.sack(0, &[(2, 2)], WINDOW);
    }
    let seen = peer.look();
    assert!(!tsns(&peer, &seen).contains(&0));
}

#[test]
fn rfc9260_7_2_3_a_timeout_shrinks_the_window_to_one_chunk() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(4, 1000);
    peer.look();
    peer.wait(Duration::from_millis(1100));
    let id = peer.association();
    assert_eq!(peer.endpoint.paths(id)[0].window, 1468);
}

#[test]
fn rfc9260_7_3_what_no_longer_fits_is_fragmented_by_ip() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    peer.send(1, 1400);
    assert!(!peer.endpoint.poll_transmit(peer.now).unwrap().fragment);
    assert!(peer.endpoint.set_mtu(peer.now, id, puppet(0), 1000));
    peer.now = peer.now.after(SECOND * 2);
    peer.endpoint.expire(peer.now);
    let again = peer.endpoint.poll_transmit(peer.now).unwrap();
    assert!(again.fragment && again.bytes.len() > 1400);
    peer.sack(1, &[], WINDOW);
    peer.send(1, 1400);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [1, 2]);
}

#[test]
fn sending_is_refused_where_it_cannot_be() {
    let mut peer = Puppet::established(Config { send_buffer: 5000, max_message: 4000, ..Config::default() }, 1);
    let id = peer.association();
    let mut send = |stream, length| {
        let message = Message::new(stream, 0, Bytes::from(vec![0; length]));
        peer.endpoint.send(peer.now, id, message)
    };
    assert_eq!(send(10, 1), Err(SendError::Stream { streams: 10 }));
    assert_eq!(send(0, 0), Err(SendError::Empty));
    assert_eq!(send(0, 4001), Err(SendError::TooLarge));
    assert_eq!(send(0, 4000), Ok(()));
    assert_eq!(send(0, 1000), Err(SendError::BufferFull));
    peer.look();
    peer.sack(3, &[], WINDOW);
    assert_eq!(peer.take_events(), [Event::Writable, Event::Drained]);
    assert_eq!(kinds(&peer.look()), []);
}
