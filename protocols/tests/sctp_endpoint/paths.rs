//! Several paths, and a peer that does not answer: RFC 9260 8.1 to 8.3, 6.4; RFC 7829.

use std::time::Duration;

use bytes::BufMut;
use pinion_protocols::sctp::ChunkType;
use pinion_protocols::sctp::endpoint::{Config, Event, Reach};

use crate::puppet::{Puppet, Seen, WINDOW, kinds, puppet};

const SECOND: Duration = Duration::from_secs(1);

fn heartbeats(seen: &[(Duration, Seen)], network: u8) -> Vec<Duration> {
    let those = seen.iter().filter(|(_, chunk)| chunk.kind == ChunkType::Heartbeat);
    those.filter(|(_, chunk)| chunk.destination == puppet(network)).map(|&(at, _)| at).collect()
}

#[test]
fn rfc9260_8_1_a_peer_that_never_answers_is_lost() {
    let config = Config { association_max_retransmissions: 4, heartbeat_interval: None, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    peer.send(1, 100);
    peer.look();
    let seen = peer.wait(SECOND * 300);
    // Sent again four times: at the fifth timeout it is over.
    let data = seen.iter().filter(|(_, chunk)| chunk.kind == ChunkType::Data);
    assert_eq!(data.count(), 4);
    let events = peer.take_events();
    assert!(
        matches!(events[events.len() - 2..], [Event::SendFailed { sent: true, .. }, Event::Lost]),
        "{events:?}"
    );
    assert_eq!(peer.endpoint.associations().count(), 0);
    assert_eq!(peer.endpoint.deadline(), None);
}

#[test]
fn rfc9260_8_1_an_answer_clears_the_count() {
    let config = Config { association_max_retransmissions: 2, heartbeat_interval: None, ..Config::default() };
    let mut peer = Puppet::established(Config { rto_max: SECOND * 1_000_000, ..config }, 1);
    for round in 0..10 {
        peer.send(1, 100);
        peer.look();
        // Two timeouts, then the answer.
        let id = peer.association();
        let rto = peer.endpoint.paths(id)[0].rto;
        peer.wait(rto * 3 + rto / 2);
        peer.sack(round + 1, &[], WINDOW);
    }
    assert!(!peer.take_events().contains(&Event::Lost));
}

#[test]
fn rfc9260_8_2_a_path_that_never_answers_is_down_and_the_other_one_is_used() {
    let mut peer = Puppet::established(Config { path_max_retransmissions: 2, ..Config::default() }, 2);
    let id = peer.association();
    let mut acknowledged = 0;
    for _ in 0..300 {
        if peer.endpoint.buffered(id) == 0 {
            peer.send(1, 10);
        }
        let mut seen: Vec<_> = peer.look();
        seen.extend(peer.wait(SECOND / 2).into_iter().map(|(_, chunk)| chunk));
        // Network 0 is cut.
        for chunk in seen.iter().filter(|chunk| chunk.destination == puppet(1)) {
            match chunk.kind {
                ChunkType::Data => {
                    acknowledged += 1;
                    let cumulative = chunk.u32(0);
                    let tag = peer.tag;
                    peer.give_from(puppet(1), tag, |packet| {
                        packet.sack(cumulative, WINDOW, &[], &[]);
                    });
                }
                ChunkType::Heartbeat => peer.answer_heartbeat(chunk),
                _ => {}
            }
        }
    }
    let events = peer.take_events();
    assert!(events.contains(&Event::PathDown(puppet(0))) && !events.contains(&Event::Lost), "{events:?}");
    assert!(acknowledged > 100, "{acknowledged}");
    assert_eq!(peer.endpoint.paths(id)[0].reach, Reach::Inactive);
    // It comes back, is the primary still, and is used again (RFC 9260 6.4).
    let probe = peer.wait(SECOND * 100).into_iter().map(|(_, chunk)| chunk);
    let mut probe = probe.filter(|chunk| chunk.kind == ChunkType::Heartbeat && chunk.destination == puppet(0));
    let probe = probe.next_back().expect("a path that is down is still asked");
    peer.answer_heartbeat(&probe);
    assert!(peer.take_events().contains(&Event::PathUp(puppet(0))));
    peer.send(1, 10);
    let data = peer.look().into_iter().find(|chunk| chunk.kind == ChunkType::Data);
    assert_eq!(data.expect("DATA").destination, puppet(0));
}

#[test]
fn rfc9260_8_3_a_heartbeat_is_answered_with_what_it_holds_to_where_it_came_from() {
    let mut peer = Puppet::established(Config::default(), 2);
    let value = [0, 1, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8];
    let tag = peer.tag;
    peer.give_from(puppet(1), tag, |packet| {
        packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&value));
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].destination), (vec![ChunkType::HeartbeatAck], puppet(1)));
    assert_eq!(seen[0].value, value);
}

#[test]
fn rfc9260_8_3_idle_paths_are_asked_now_and_then() {
    let mut peer = Puppet::established(Config::default(), 2);
    let mut times = [Vec::new(), Vec::new()];
    let begin = peer.now;
    while peer.now.since(begin) < SECOND * 1000 {
        let due = peer.endpoint.deadline().unwrap().since(peer.now);
        for (_, chunk) in peer.wait(due) {
            if chunk.kind == ChunkType::Heartbeat {
                times[usize::from(chunk.destination == puppet(1))].push(peer.now.since(begin));
                peer.answer_heartbeat(&chunk);
            }
        }
    }
    for times in times {
        // HB.interval is 30 s, RTO is 1 s, give or take half of it.
        assert!((31..=33).contains(&times.len()), "{}", times.len());
        for pair in times.windows(2) {
            let gap = pair[1].saturating_sub(pair[0]).as_millis();
            assert!((30_500..=31_500).contains(&gap), "{gap}");
        }
        // Jitter: not always the same.
        let gaps: std::collections::BTreeSet<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.len() > 5);
    }
}

#[test]
fn rfc9260_8_3_heartbeats_that_are_not_answered_count() {
    let config = Config { path_max_retransmissions: 2, association_max_retransmissions: 100, ..Config::default() };
    let mut peer = Puppet::established(config, 2);
    peer.wait(SECOND * 200);
    let events = peer.take_events();
    assert!(events.contains(&Event::PathDown(puppet(0))) && events.contains(&Event::PathDown(puppet(1))));
}

#[test]
fn rfc9260_8_3_a_heartbeat_ack_with_another_nonce_counts_for_nothing() {
    let config = Config { path_max_retransmissions: 2, association_max_retransmissions: 100, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    for _ in 0..200 {
        for (_, mut chunk) in peer.wait(SECOND) {
            *chunk.value.last_mut().unwrap() ^= 1;
            peer.answer_heartbeat(&chunk);
        }
    }
    assert!(peer.take_events().contains(&Event::PathDown(puppet(0))));
}

#[test]
fn rfc9260_8_3_no_heartbeats_where_none_are_wanted() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 2);
    assert_eq!(peer.wait(SECOND * 1000), []);
}

#[test]
fn rfc7829_3_2_a_timeout_makes_a_path_doubtful_and_it_is_asked_at_once() {
    let mut peer = Puppet::established(Config::default(), 2);
    let id = peer.association();
    peer.send(1, 100);
    peer.look();
    let seen = peer.wait(Duration::from_millis(1050));
    assert_eq!(peer.take_events(), [Event::PathPotentiallyFailed(puppet(0))]);
    assert_eq!(heartbeats(&seen, 0).len(), 1);
    assert_eq!(peer.endpoint.paths(id)[0].reach, Reach::PotentiallyFailed);
    // New DATA takes the other one.
    peer.send(1, 100);
    assert_eq!(peer.look()[0].destination, puppet(1));
    // An answer makes it active again.
    let probe = seen.iter().find(|(_, chunk)| chunk.kind == ChunkType::Heartbeat).unwrap();
    peer.answer_heartbeat(&probe.1);
    assert_eq!(peer.take_events(), [Event::PathUp(puppet(0))]);
    assert_eq!(peer.endpoint.paths(id)[0].reach, Reach::Active);
}

#[test]
fn rfc7829_3_2_a_doubtful_path_is_asked_once_an_rto() {
    let config = Config { path_max_retransmissions: 4, association_max_retransmissions: 100, ..Config::default() };
    let mut peer = Puppet::established(config, 2);
    peer.send(1, 100);
    peer.look();
    let seen = peer.wait(SECOND * 40);
    let times: Vec<_> = heartbeats(&seen, 0).iter().map(Duration::as_secs).collect();
    // T3 after 1 s; then with RTO 2, 4 s.
    assert_eq!(times[..3], [1, 3, 7]);
    assert!(peer.take_events().contains(&Event::PathDown(puppet(0))));
}

#[test]
fn rfc7829_doubtful_is_no_state_where_it_is_turned_off() {
    let mut peer = Puppet::established(Config { potentially_failed_after: u16::MAX, ..Config::default() }, 2);
    let id = peer.association();
    peer.send(1, 100);
    peer.look();
    peer.wait(Duration::from_millis(1050));
    assert_eq!(peer.endpoint.paths(id)[0].reach, Reach::Active);
    assert_eq!(peer.take_events(), []);
}

#[test]
fn rfc9260_6_4_the_primary_path_is_what_the_caller_says() {
    let mut peer = Puppet::established(Config::default(), 2);
    let id = peer.association();
    assert!(peer.endpoint.set_primary(id, puppet(1)));
    assert!(!peer.endpoint.set_primary(id, puppet(2)));
    peer.send(1, 100);
    assert_eq!(peer.look()[0].destination, puppet(1));
}

#[test]
fn rfc9260_6_4_a_sack_goes_where_the_data_came_from() {
    let mut peer = Puppet::established(Config::default(), 2);
    let header = pinion_protocols::sctp::write::DataHeader {
        flags: 3 | 8,
        tsn: crate::puppet::TSN,
        stream: 0,
        sequence: 0,
        protocol: 0,
    };
    let tag = peer.tag;
    peer.give_from(puppet(1), tag, |packet| {
        packet.data(&header, b"x");
    });
    assert_eq!(peer.look()[0].destination, puppet(1));
    // A duplicate: perhaps the SACK did not get through there.
    peer.give_from(puppet(1), tag, |packet| {
        packet.data(&header, b"x");
    });
    assert_eq!(peer.look()[0].destination, puppet(0));
}

#[test]
fn rfc7829_3_2_where_all_are_doubtful_the_one_with_the_fewest_timeouts_is_used() {
    let config = Config { heartbeat_interval: None, association_max_retransmissions: 100, ..Config::default() };
    let mut peer = Puppet::established(config, 2);
    let id = peer.association();
    peer.send(1, 100);
    peer.look();
    // Sent again on the second path, which swallows it too; then the first has timed out more often.
    let mut used = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let seen = peer.wait(SECOND);
        used.extend(
            seen.iter().filter(|(_, chunk)| chunk.kind == ChunkType::Data).map(|(_, chunk)| chunk.destination),
        );
    }
    assert_eq!(used.len(), 2);
    assert!(peer.endpoint.paths(id).iter().all(|path| path.reach != Reach::Active));
}

#[test]
fn rfc7829_3_2_a_doubtful_path_that_is_acknowledged_is_active_again() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 2);
    let id = peer.association();
    peer.endpoint.set_primary(id, puppet(1));
    peer.send(1, 100);
    peer.look();
    peer.wait(Duration::from_millis(1050));
    assert_eq!(peer.take_events(), [Event::PathPotentiallyFailed(puppet(1))]);
    // It was sent again on the first path; its acknowledgement clears that one alone.
    peer.sack(1, &[], WINDOW);
    assert_eq!(peer.endpoint.paths(id)[1].reach, Reach::PotentiallyFailed);
    let mut seen = peer.wait(SECOND * 3).into_iter().map(|(_, chunk)| chunk);
    let probe = seen.rfind(|chunk| chunk.kind == ChunkType::Heartbeat && chunk.destination == puppet(1));
    peer.answer_heartbeat(&probe.expect("a probe"));
    assert_eq!(peer.endpoint.paths(id)[1].reach, Reach::Active);
    peer.send(1, 100);
    assert_eq!(peer.look()[0].destination, puppet(1));
}
