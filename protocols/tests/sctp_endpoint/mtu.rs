//! How large packets may be: RFC 8899.

use std::net::IpAddr;
use std::time::Duration;

use bytes::BufMut;
use pinion_protocols::sctp::endpoint::{Config, Endpoint, Event, Time};
use pinion_protocols::sctp::{ChunkType, Packet};

use crate::puppet::{Puppet, WINDOW, host, puppet};

/// IP and common header.
const IP: usize = 20;

/// Lets time pass on a path that carries IP packets of so many bytes; how many packets were too large.
fn pass(peer: &mut Puppet, mtu: usize, duration: Duration) -> usize {
    let end = peer.now.after(duration);
    let mut swallowed = 0;
    loop {
        while let Some(transmit) = peer.endpoint.poll_transmit(peer.now) {
            if transmit.bytes.len() + IP > mtu && !transmit.fragment {
                swallowed += 1;
                continue;
            }
            let packet = Packet::parse(&transmit.bytes).unwrap();
            assert!(packet.checksum_matches());
            for chunk in packet.chunks().map(Result::unwrap) {
                let value = chunk.value().to_vec();
                match chunk.kind() {
                    ChunkType::Heartbeat => peer.give(|packet| {
                        packet.chunk(ChunkType::HeartbeatAck, 0, |out| out.put_slice(&value));
                    }),
                    ChunkType::Data => {
                        let tsn = u32::from_be_bytes(value[..4].try_into().unwrap());
                        peer.give(|packet| {
                            packet.sack(tsn, WINDOW, &[], &[]);
                        });
                    }
                    _ => {}
                }
            }
        }
        match peer.endpoint.deadline().filter(|&due| due <= end) {
            Some(due) => peer.now = due.max(peer.now),
            None => break,
        }
        peer.endpoint.expire(peer.now);
    }
    peer.now = end;
    swallowed
}

#[test]
fn rfc8899_6_2_the_search_finds_what_the_path_carries() {
    for carried in [1500, 1700, 4000, 8999, 9000] {
        let mut peer = Puppet::established(Config { largest_mtu: 9000, ..Config::default() }, 1);
        let id = peer.association();
        pass(&mut peer, carried, Duration::from_secs(120));
        let found = usize::from(peer.endpoint.paths(id)[0].mtu);
        assert!(found <= carried && found + 20 > carried, "{found} of {carried}");
        // A probe that is lost says nothing of the peer.
        assert_eq!(peer.take_events(), []);
        assert_eq!(pass(&mut peer, carried, Duration::from_secs(300)), 0);
    }
}

#[test]
fn rfc8899_4_3_a_path_that_swallows_large_packets_is_noticed() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    peer.send(3, 1400);
    assert!(pass(&mut peer, 1400, Duration::from_secs(30)) > 0);
    assert!(peer.take_events().contains(&Event::Drained));
    pass(&mut peer, 1400, Duration::from_secs(300));
    let found = usize::from(peer.endpoint.paths(id)[0].mtu);
    assert!((1380..=1400).contains(&found), "{found}");
    peer.send(3, 1400);
    assert_eq!(pass(&mut peer, 1400, Duration::from_secs(10)), 0);
    assert!(peer.take_events().contains(&Event::Drained));
}

#[test]
fn rfc8899_what_is_told_ends_the_search() {
    let mut peer = Puppet::established(Config { largest_mtu: 9000, ..Config::default() }, 1);
    let id = peer.association();
    assert!(peer.endpoint.set_mtu(peer.now, id, puppet(0), 1300));
    assert_eq!(pass(&mut peer, 1300, Duration::from_secs(100)), 0);
    assert_eq!(peer.endpoint.paths(id)[0].mtu, 1300);
}

// RFC 8200 5; of IPv4 it is the smallest that may be configured.
#[test]
fn no_path_carries_less_than_every_link_does() {
    let mut endpoint = Endpoint::new(Config::default(), [1; 32]);
    let v6 = |host| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, host]);
    for (local, remote, smallest) in [(host(0), puppet(0), 512), (v6(1), v6(2), 1280)] {
        let id = endpoint.connect(Time::ZERO, (&[local], 1), (&[remote], 1)).unwrap();
        assert!(endpoint.set_mtu(Time::ZERO, id, remote, 20));
        assert_eq!(endpoint.paths(id)[0].mtu, smallest);
    }
}

#[test]
fn rfc8899_3_lost_probes_are_not_held_against_the_path() {
    let config = Config { largest_mtu: 9000, heartbeat_interval: None, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    let id = peer.association();
    let before = peer.endpoint.paths(id);
    assert!(pass(&mut peer, 1500, Duration::from_secs(30)) > 3);
    assert_eq!((peer.endpoint.paths(id), peer.take_events()), (before, vec![]));
}

#[test]
fn rfc8899_6_2_1_a_probe_is_a_heartbeat_with_padding_of_the_size_that_is_tried() {
    let mut peer = Puppet::established(Config { largest_mtu: 9000, ..Config::default() }, 1);
    peer.endpoint.expire(peer.endpoint.deadline().unwrap());
    let probe = peer.endpoint.poll_transmit(peer.now).unwrap();
    let packet = Packet::parse(&probe.bytes).unwrap();
    let kinds: Vec<_> = packet.chunks().map(|chunk| chunk.unwrap().kind()).collect();
    assert_eq!((kinds, probe.bytes.len() + IP), (vec![ChunkType::Heartbeat, ChunkType::Pad], 9000));
    // IP must not cut it (RFC 8899 3).
    assert!(!probe.fragment);
}

#[test]
fn rfc6951_4_4_there_is_room_for_the_udp_header() {
    for (encapsulation, largest) in [(0, 1480), (8, 1472)] {
        let mut peer = Puppet::established(Config { encapsulation, ..Config::default() }, 1);
        peer.send(1, 5000);
        let sizes = std::iter::from_fn(|| peer.endpoint.poll_transmit(peer.now)).map(|packet| packet.bytes.len());
        assert_eq!(sizes.max(), Some(largest));
    }
}
