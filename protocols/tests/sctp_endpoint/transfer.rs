//! More of how DATA travels: RFC 9260 6 and 7.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use pinion_protocols::sctp::ChunkType;
use pinion_protocols::sctp::endpoint::{Config, Event, Message};
use pinion_protocols::sctp::write::DataHeader;

use crate::puppet::{Puppet, Seen, TAG, TSN, WINDOW, but_heartbeats, cause, kinds, puppet};

const SECOND: Duration = Duration::from_secs(1);

fn quiet() -> Config {
    Config { heartbeat_interval: None, ..Config::default() }
}

/// TSNs of DATA, counted from the endpoint's first.
fn tsns(peer: &Puppet, seen: &[Seen]) -> Vec<u32> {
    let data = seen.iter().filter(|chunk| chunk.kind == ChunkType::Data);
    data.map(|chunk| chunk.u32(0).wrapping_sub(peer.tsn)).collect()
}

fn header(after: u32, sequence: u16, flags: u8) -> DataHeader {
    DataHeader { flags, tsn: TSN + after, stream: 0, sequence, protocol: 60 }
}

/// Acknowledges from another address than the first one.
fn sack_from(peer: &mut Puppet, network: u8, count: u32) {
    let (tag, cumulative) = (peer.tag, peer.tsn.wrapping_add(count).wrapping_sub(1));
    peer.give_from(puppet(network), tag, |packet| {
        packet.sack(cumulative, WINDOW, &[], &[]);
    });
}

#[test]
fn rfc9260_6_sack_counts_in_its_states_only() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    peer.endpoint.shutdown(peer.now, id);
    assert_eq!(kinds(&peer.look()), [ChunkType::Shutdown]);
    // Elsewhere it would be a violation; here it is not looked at.
    peer.sack(7, &[], WINDOW);
    assert_eq!((peer.look(), peer.take_events()), (vec![], vec![]));
}

#[test]
fn rfc9260_6_data_after_the_peers_shutdown_is_discarded() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(1, 10);
    peer.look();
    let cumulative = peer.tsn.wrapping_sub(1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
    });
    assert_eq!(peer.take_events(), [Event::PeerShutdown]);
    peer.data(0, 0, 0, 3 | 8, b"too late");
    assert_eq!((peer.look(), peer.take_events()), (vec![], vec![]));
}

#[test]
fn rfc9260_6_tsns_go_up_by_one() {
    let mut peer = Puppet::established(Config { max_burst: 100, ..Config::default() }, 1);
    peer.send(30, 1000);
    let mut all = Vec::new();
    while all.len() < 30 {
        let seen = peer.look();
        all.extend(tsns(&peer, &seen));
        peer.sack(all.len() as u32, &[], WINDOW);
    }
    assert_eq!(all, (0..30).collect::<Vec<_>>());
}

#[test]
fn rfc9260_6_1_no_message_is_cut_to_fit_a_small_window() {
    let mut peer = Puppet::established(quiet(), 1);
    peer.send(1, 100);
    peer.look();
    peer.sack(0, &[], 150);
    peer.send(1, 100);
    // 50 bytes are left beside what is outstanding.
    assert_eq!(peer.look(), []);
    peer.sack(1, &[], 60);
    // Beyond the window one chunk may go alone, whole (6.1 A).
    let seen = peer.look();
    assert_eq!(seen.iter().map(|chunk| chunk.value.len() - 12).collect::<Vec<_>>(), [100]);
}

#[test]
fn rfc9260_6_2_one_packet_has_one_sack() {
    let mut peer = Puppet::established(Config { sack_frequency: 1, ..Config::default() }, 1);
    peer.give(|packet| {
        packet.data(&header(0, 0, 3), b"a").data(&header(1, 1, 3), b"b").data(&header(2, 2, 3), b"c");
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].u32(0)), (vec![ChunkType::Sack], TSN + 2));
}

#[test]
fn rfc9260_6_2_duplicates_are_reported_once() {
    let mut peer = Puppet::established(Config::default(), 1);
    for _ in 0..3 {
        peer.data(0, 0, 0, 3, b"x");
    }
    let seen = peer.look();
    assert_eq!((seen[0].u16(8), seen[0].u16(10)), (0, 2));
    peer.data(1, 0, 1, 3 | 8, b"y");
    assert_eq!(peer.look()[0].u16(10), 0);
}

#[test]
fn rfc9260_6_2_1_what_is_outstanding_counts_against_the_peers_window() {
    let mut peer = Puppet::established(Config { max_burst: 100, ..quiet() }, 1);
    peer.sack(0, &[], 2500);
    peer.send(6, 1000);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [0, 1]);
    // One of two is acknowledged, and the window is still as large: one more fits beside the other.
    peer.sack(1, &[], 2500);
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [2]);
}

#[test]
fn rfc9260_6_3_1_c4_each_round_trip_is_measured() {
    let mut peer = Puppet::established(Config { rto_min: SECOND / 100, ..quiet() }, 1);
    let id = peer.association();
    let mut measured = std::collections::BTreeSet::new();
    for round in 0..4_u32 {
        peer.send(1, 100);
        peer.look();
        peer.wait(Duration::from_millis(5 + u64::from(round) * 5));
        peer.sack(round + 1, &[], WINDOW);
        measured.insert(peer.endpoint.paths(id)[0].round_trip);
    }
    assert_eq!(measured.len(), 4);
}

#[test]
fn rfc9260_6_3_3_a_new_measurement_brings_the_rto_back() {
    let mut peer = Puppet::established(quiet(), 1);
    let id = peer.association();
    peer.send(1, 100);
    peer.look();
    peer.wait(Duration::from_millis(3500));
    assert_eq!(peer.endpoint.paths(id)[0].rto, SECOND * 4);
    peer.sack(1, &[], WINDOW);
    // What was sent again is not measured, and RTO stays as it is.
    assert_eq!(peer.endpoint.paths(id)[0].rto, SECOND * 4);
    peer.send(1, 100);
    peer.look();
    peer.wait(Duration::from_millis(10));
    peer.sack(2, &[], WINDOW);
    assert_eq!(peer.endpoint.paths(id)[0].rto, SECOND);
}

#[test]
fn rfc9260_6_4_answers_go_where_the_question_came_from() {
    let mut peer = Puppet::established(Config::default(), 2);
    let tag = peer.tag;
    for network in [1, 0] {
        peer.give_from(puppet(network), tag, |packet| {
            packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, network]));
            packet.chunk(ChunkType::Unknown(0xfe), 0, |out| out.put_u32(network.into()));
            packet.chunk(ChunkType::ReConfig, 0, |out| {
                out.put_slice(&[0, 15, 0, 8]);
                out.put_u32(network.into());
            });
        });
        let seen = peer.look();
        assert_eq!(kinds(&seen), [ChunkType::HeartbeatAck, ChunkType::Error, ChunkType::ReConfig]);
        assert!(seen.iter().all(|chunk| chunk.destination == puppet(network)));
    }
}

#[test]
fn rfc9260_6_4_cookie_ack_goes_where_the_cookie_came_from() {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 2, |_| {});
    let cookie = peer.take_init_ack();
    let tag = peer.tag;
    peer.give_from(puppet(1), tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    let seen = peer.look();
    let ack = seen.iter().find(|chunk| chunk.kind == ChunkType::CookieAck).unwrap();
    assert_eq!(ack.destination, puppet(1));
}

#[test]
fn rfc9260_6_6_unordered_messages_say_so_in_each_fragment_and_use_no_sequence_number() {
    let mut peer = Puppet::established(Config { mtu: 1280, largest_mtu: 1280, ..Config::default() }, 1);
    let id = peer.association();
    for (unordered, length) in [(false, 10), (true, 2000), (false, 10)] {
        let message = Message { unordered, ..Message::new(2, 60, Bytes::from(vec![1; length])) };
        peer.endpoint.send(peer.now, id, message).unwrap();
    }
    let seen = peer.look();
    let flags: Vec<_> = seen.iter().map(|chunk| chunk.flags).collect();
    assert_eq!(flags, [3, 4 | 2, 4 | 1, 3]);
    assert_eq!((seen[0].u16(6), seen[3].u16(6)), (0, 1));
}

#[test]
fn rfc9260_6_6_unordered_messages_do_not_wait() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(2, 0, 9, 3 | 4, b"unordered");
    peer.data(1, 0, 1, 3, b"second");
    assert_eq!(peer.take_messages(), ["unordered"]);
    peer.data(0, 0, 0, 3, b"first");
    assert_eq!(peer.take_messages(), ["first", "second"]);
}

#[test]
fn rfc9260_6_9_fragments_that_do_not_fit_together_are_aborted() {
    // Two beginnings; another stream, sequence number, order in the middle.
    let strange =
        [header(1, 0, 2), DataHeader { stream: 1, ..header(1, 0, 1) }, header(1, 5, 1), header(1, 0, 1 | 4)];
    for second in strange {
        let mut peer = Puppet::established(Config::default(), 1);
        peer.give(|packet| {
            packet.data(&header(0, 0, 2), b"begins").data(&second, b"?");
        });
        let seen = peer.look();
        assert_eq!((kinds(&seen), cause(&seen[0])), (vec![ChunkType::Abort], 13), "{second:?}");
    }
}

#[test]
fn rfc9260_6_9_fragments_follow_each_other_and_nothing_comes_between() {
    let mut peer = Puppet::established(Config { max_burst: 100, ..Config::default() }, 1);
    peer.send(2, 4000);
    let mut seen = peer.look();
    peer.sack(seen.len() as u32, &[], WINDOW);
    seen.extend(peer.look());
    assert_eq!(tsns(&peer, &seen), (0..seen.len() as u32).collect::<Vec<_>>());
    let mut places: Vec<_> = seen.iter().map(|chunk| (chunk.u16(6), chunk.flags)).collect();
    // However many there are in the middle.
    places.dedup();
    assert_eq!(places, [(0, 2), (0, 0), (0, 1), (1, 2), (1, 0), (1, 1)]);
}

#[test]
fn rfc9260_6_10_control_chunks_come_before_data_and_cookie_ack_before_all() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.data(0, 0, 0, 3, b"x");
    peer.give(|packet| {
        packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, 4]));
    });
    peer.send(2, 10);
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::HeartbeatAck, ChunkType::Sack, ChunkType::Data, ChunkType::Data]);
    assert!(seen.iter().all(|chunk| chunk.packet == 0));
}

#[test]
fn rfc9260_6_10_no_packet_is_larger_than_the_path() {
    let mut peer = Puppet::established(Config { max_burst: 100, ..Config::default() }, 1);
    for length in [1, 1400, 1452, 1453, 3000, 77, 20_000] {
        peer.send(3, length);
    }
    let mut acknowledged = 0;
    loop {
        let sizes: Vec<_> = std::iter::from_fn(|| peer.endpoint.poll_transmit(peer.now))
            .map(|transmit| {
                let packet = pinion_protocols::sctp::Packet::parse(&transmit.bytes).unwrap();
                acknowledged += packet.chunks().flatten().filter(|chunk| chunk.kind() == ChunkType::Data).count();
                transmit.bytes.len()
            })
            .collect();
        if sizes.is_empty() {
            break;
        }
        assert!(sizes.iter().all(|&size| size <= 1480), "{sizes:?}");
        peer.sack(acknowledged as u32, &[], WINDOW);
    }
    assert_eq!(peer.take_events(), [Event::Drained]);
}

#[test]
fn rfc9260_7_2_each_path_has_a_window_of_its_own() {
    let mut peer = Puppet::established(quiet(), 2);
    let id = peer.association();
    peer.send(3, 1000);
    peer.look();
    // What is lost on the first path is sent again on the second one.
    let seen = but_heartbeats(&peer.wait(Duration::from_millis(1100)));
    assert!(seen.iter().all(|(_, chunk)| chunk.destination == puppet(1)));
    let paths = peer.endpoint.paths(id);
    assert_eq!((paths[0].window, paths[1].window), (1468, 4404));
    assert_eq!((paths[0].rto, paths[1].rto), (SECOND * 2, SECOND));
    sack_from(&mut peer, 1, 3);
    assert_eq!(peer.take_events().last(), Some(&Event::Drained));
}

#[test]
fn rfc9260_7_2_4_t3_begins_anew_where_the_first_is_sent_again() {
    let mut peer = Puppet::established(Config { max_burst: 100, ..quiet() }, 1);
    peer.send(4, 1000);
    peer.look();
    peer.wait(Duration::from_millis(900));
    for last in 2..=4 {
        peer.sack(0, &[(2, last)], WINDOW);
    }
    let seen = peer.look();
    assert_eq!(tsns(&peer, &seen), [0]);
    // T3 would have expired 100 ms later, had it not begun anew.
    assert_eq!(peer.wait(Duration::from_millis(900)), []);
}

#[test]
fn rfc9260_7_2_4_recovery_ends_where_all_that_was_outstanding_is_acknowledged() {
    let mut peer = Puppet::established(Config { max_burst: 100, ..quiet() }, 1);
    let id = peer.association();
    peer.send(30, 1000);
    peer.look();
    peer.sack(4, &[], WINDOW);
    let sent = 4 + peer.look().len() as u32;
    let before = peer.endpoint.paths(id)[0].window;
    for last in 2..=4 {
        peer.sack(4, &[(2, last)], WINDOW);
    }
    let shrunk = peer.endpoint.paths(id)[0].window;
    assert!(shrunk < before || before <= 4 * 1468, "{before} {shrunk}");
    peer.look();
    // In recovery the window does not grow; after it, it does.
    peer.sack(sent - 1, &[], WINDOW);
    assert_eq!(peer.endpoint.paths(id)[0].window, shrunk);
    peer.look();
    peer.sack(sent, &[], WINDOW);
    let more = peer.look().len() as u32;
    peer.sack(sent + more.max(1), &[], WINDOW);
    assert!(peer.endpoint.paths(id)[0].window >= shrunk);
}
