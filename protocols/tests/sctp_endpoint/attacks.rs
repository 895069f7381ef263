//! What a peer, or somebody who is none, may try: nothing panics, nothing grows without bound.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use pinion_protocols::sctp::endpoint::{Config, Datagram, Endpoint, Event};
use pinion_protocols::sctp::write::{DataHeader, PacketWriter};
use pinion_protocols::sctp::{CauseCode, ChunkType, GapBlock, Packet};

use crate::network::Dice;
use crate::puppet::{PORTS, Puppet, TAG, TSN, WINDOW, cause, host, kinds, packet, puppet};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn spoofed_inits_leave_nothing_behind() {
    let mut peer = Puppet::new(Config::default());
    for number in 0..10_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        let value = crate::puppet::init_value(number + 1, WINDOW, (10, 10), 1, |_| {});
        peer.give_from([10, a, b, c].into(), 0, |packet| {
            packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
        });
    }
    assert_eq!(peer.endpoint.associations().count(), 0);
    assert_eq!(peer.look().len(), usize::from(Config::default().max_replies));
}

#[test]
fn a_cookie_is_worth_one_association_however_often_it_comes() {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 1, |_| {});
    let cookie = peer.take_init_ack();
    for _ in 0..1000 {
        peer.give(|packet| {
            packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
        });
    }
    assert_eq!(peer.endpoint.associations().count(), 1);
    assert_eq!(peer.take_events().len(), 1);
    // One COOKIE ACK waits, not a thousand.
    assert_eq!(kinds(&peer.look()), [ChunkType::CookieAck]);
}

#[test]
fn a_stolen_cookie_is_of_no_use_from_another_address() {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 1, |_| {});
    let cookie = peer.take_init_ack();
    let tag = peer.tag;
    peer.give_from([203, 0, 113, 5].into(), tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    // All that it can do is to begin the association of the one it stole from.
    assert!(peer.look().iter().all(|chunk| chunk.destination == puppet(0)));
}

#[test]
fn there_are_as_many_associations_as_allowed() {
    let mut peer = Puppet::new(Config { max_associations: 3, ..Config::default() });
    for number in 1..=5_u8 {
        let value = crate::puppet::init_value(u32::from(number), WINDOW, (10, 10), 1, |_| {});
        let source = [10, 0, 0, 100 + number].into();
        peer.give_from(source, 0, |packet| {
            packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
        });
        let seen = peer.look();
        if number > 3 {
            assert_eq!((kinds(&seen), cause(&seen[0])), (vec![ChunkType::Abort], 4));
            continue;
        }
        let (tag, cookie) = (seen[0].u32(0), crate::puppet::cookie_of(&seen[0]));
        peer.give_from(source, tag, |packet| {
            packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
        });
        assert_eq!(kinds(&peer.look()), [ChunkType::CookieAck]);
    }
    assert_eq!(peer.endpoint.associations().count(), 3);
}

#[test]
fn addresses_of_another_association_stay_with_it() {
    let mut peer = Puppet::new(Config::default());
    // Somebody else says that it is at the puppet's address too, and takes his time.
    let thief = [10, 0, 0, 66].into();
    let value = crate::puppet::init_value(99, WINDOW, (10, 10), 1, |out| {
        pinion_protocols::sctp::write::address(out, puppet(0));
    });
    peer.give_from(thief, 0, |packet| {
        packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
    });
    let seen = peer.look();
    let (tag, cookie) = (seen[0].u32(0), crate::puppet::cookie_of(&seen[0]));
    peer.init(TAG, 1, |_| {});
    let own_cookie = peer.take_init_ack();
    peer.give(|packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&own_cookie));
    });
    peer.look();
    peer.give_from(thief, tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    peer.take_events();
    peer.data(0, 0, 0, 3, b"still mine");
    assert_eq!(peer.take_messages(), ["still mine"]);
}

#[test]
fn acknowledging_what_was_never_sent_is_aborted() {
    for (count, gaps) in [(5, vec![]), (0, vec![(2, 9)]), (u32::MAX / 4, vec![])] {
        let mut peer = Puppet::established(Config::default(), 1);
        peer.send(3, 1000);
        peer.look();
        peer.sack(count, &gaps, WINDOW);
        let seen = peer.look();
        assert_eq!((kinds(&seen), cause(&seen[0])), (vec![ChunkType::Abort], 13));
        let expected = Event::Aborted { cause: CauseCode::ProtocolViolation.into(), by_peer: false };
        assert_eq!(peer.take_events().last(), Some(&expected));
    }
}

#[test]
fn gap_blocks_that_overlap_or_go_back_are_let_go_by() {
    for gaps in [vec![(3, 2)], vec![(2, 3), (3, 4)], vec![(3, 3), (2, 2)], vec![(0, 0)]] {
        let mut peer = Puppet::established(Config { max_burst: 100, ..Config::default() }, 1);
        peer.send(4, 1000);
        peer.look();
        let id = peer.association();
        let before = peer.endpoint.paths(id);
        peer.sack(0, &gaps, WINDOW);
        assert_eq!(peer.endpoint.paths(id), before, "{gaps:?}");
    }
}

#[test]
fn the_largest_sack_there_is_costs_little() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(1000, 1);
    peer.look();
    let gaps: Vec<_> = (1..16_000).map(|at| GapBlock { start: at * 2, end: at * 2 }).collect();
    let cumulative = peer.tsn.wrapping_sub(1);
    for _ in 0..10 {
        peer.give(|packet| {
            packet.sack(cumulative, WINDOW, &gaps, &[]);
        });
    }
    assert_eq!(peer.take_events().last(), Some(&Event::Aborted { cause: 13, by_peer: false }));
}

#[test]
fn an_optimistic_peer_gets_no_more_than_the_send_buffer_at_once() {
    let mut peer = Puppet::established(Config { send_buffer: 50_000, ..Config::default() }, 1);
    let id = peer.association();
    let mut acknowledged = 0;
    for _ in 0..200 {
        while peer.endpoint.buffered(id) < 45_000 {
            peer.send(1, 1000);
        }
        acknowledged += peer.look().iter().filter(|chunk| chunk.kind == ChunkType::Data).count() as u32;
        peer.sack(acknowledged, &[], u32::MAX);
        assert!(peer.endpoint.paths(id)[0].window <= 60_000);
    }
}

#[test]
fn out_of_order_data_is_bounded_by_the_buffer_and_by_the_number_of_gaps() {
    let config = Config { receive_buffer: 10_000, max_message: 10_000, max_gaps: 50, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    for index in 1..200 {
        peer.data(index * 2, 0, (index * 2) as u16, 3, b"x");
    }
    let last = peer.look().last().unwrap().clone();
    assert_eq!((last.u32(0), last.u16(8)), (TSN - 1, 50));
    for index in 0..100 {
        peer.data(index * 2 + 1, 0, (index * 2 + 1) as u16, 3, &[0; 1000]);
    }
    // Filling gaps may overdraw the buffer, once.
    let id = peer.association();
    let snapshot = postcard::to_allocvec(&peer.endpoint.snapshot(peer.now, id).unwrap()).unwrap();
    assert!(snapshot.len() < 25_000, "{}", snapshot.len());
}

#[test]
fn heartbeats_and_unknown_chunks_fill_no_queue() {
    let mut peer = Puppet::established(Config::default(), 1);
    for number in 0..10_000_u32 {
        peer.give(|packet| {
            packet.chunk(ChunkType::Heartbeat, 0, |out| {
                out.put_u16(1);
                out.put_u16(8);
                out.put_u32(number);
            });
            packet.chunk(ChunkType::Unknown(0xfe), 0, |out| out.put_u32(number));
        });
    }
    assert!(peer.look().len() <= 64);
    // And errors make no flood of events.
    for _ in 0..10_000 {
        peer.give(|packet| {
            packet.chunk(ChunkType::Error, 0, |out| out.put_slice(&[0, 1, 0, 8, 0, 0, 0, 0]));
        });
    }
    assert!(peer.take_events().len() <= 1024);
}

#[test]
fn a_window_of_zero_holds_no_more_than_the_send_buffer() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 1);
    peer.sack(0, &[], 0);
    let id = peer.association();
    let message = || pinion_protocols::sctp::endpoint::Message::new(0, 0, Bytes::from_static(&[0; 1000]));
    let mut sent = 0;
    while peer.endpoint.send(peer.now, id, message()).is_ok() {
        sent += 1;
    }
    assert!(sent < 1100);
    peer.look();
    // With no answer at all, it is over some time.
    peer.wait(SECOND * 1000);
    assert_eq!(peer.take_events().last(), Some(&Event::Lost));
}

/// Chunks that mean something, with numbers near to those that count.
fn plausible(dice: &mut Dice, peer: &Puppet, packet: &mut PacketWriter<'_>) {
    let near = |dice: &mut Dice, number: u32| number.wrapping_add(dice.below(12) as u32).wrapping_sub(4);
    let bytes: Vec<u8> = (0..dice.below(40)).map(|_| dice.next() as u8).collect();
    match dice.below(12) {
        0..4 => {
            let header = DataHeader {
                flags: dice.below(16) as u8,
                tsn: near(dice, TSN),
                stream: dice.below(12) as u16,
                sequence: dice.below(4) as u16,
                protocol: 0,
            };
            packet.data(&header, &bytes);
        }
        4..6 => {
            let gaps: Vec<_> = (0..dice.below(3))
                .map(|_| GapBlock { start: dice.below(8) as u16, end: dice.below(8) as u16 })
                .collect();
            let cumulative = near(dice, peer.tsn);
            packet.sack(cumulative, dice.below(20_000) as u32, &gaps, &[]);
        }
        6 => {
            let cumulative = near(dice, TSN);
            packet.chunk(ChunkType::ForwardTsn, 0, |out| {
                out.put_u32(cumulative);
                out.put_slice(&bytes);
            });
        }
        7 => {
            let cumulative = near(dice, peer.tsn);
            packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
        }
        _ => {
            let kinds =
                [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x80, 0x81, 0x82, 0x84, 0xc0, 0xc1];
            let kind = kinds[dice.below(kinds.len() as u64) as usize];
            packet.chunk(ChunkType::from(kind), dice.below(4) as u8, |out| out.put_slice(&bytes));
        }
    }
}

/// Whatever comes, in whatever state, under right tags and wrong ones: the endpoint goes on, keeps to
/// its bounds, and what it sends can be read.
#[test]
fn anything_at_all_is_survived() {
    bolero::check!().with_type::<(u64, Vec<u8>)>().for_each(|(seed, raw)| {
        let mut dice = Dice(*seed);
        let config = Config { receive_buffer: 20_000, max_message: 10_000, max_gaps: 8, ..Config::default() };
        let mut peer = match dice.below(4) {
            0 => Puppet::new(config),
            1 => Puppet::connected(config),
            networks => Puppet::established(config, networks as u8 - 1),
        };
        if dice.permille(200) {
            peer.connect_again();
        }
        for step in 0..60 {
            let tag = [peer.tag, peer.tag, peer.tag, TAG, 0, dice.next() as u32][dice.below(6) as usize];
            let source = puppet(dice.below(2) as u8);
            let bytes = packet(PORTS.0, PORTS.1, tag, |packet| {
                for _ in 0..1 + dice.below(4) {
                    plausible(&mut dice, &peer, packet);
                }
                if step % 10 == 0 {
                    let kind = raw.first().copied().unwrap_or_default();
                    packet.chunk(ChunkType::from(kind), 0, |out| out.put_slice(raw));
                }
            });
            peer.endpoint.receive(peer.now, &Datagram { source, destination: host(0), bytes });
            let first = peer.endpoint.associations().next();
            if let Some(id) = first {
                let payload = Bytes::from(vec![1; 1 + dice.below(3000) as usize]);
                let message = pinion_protocols::sctp::endpoint::Message::new(0, 0, payload);
                let _refused = peer.endpoint.send(peer.now, id, message);
                match dice.below(60) {
                    0 => peer.endpoint.shutdown(peer.now, id),
                    1 => peer.endpoint.abort(peer.now, id, b"why not"),
                    _ => {}
                }
            }
            peer.wait(Duration::from_millis(dice.below(3000)));
            peer.look();
            if dice.permille(500) {
                peer.take_events();
            }
            assert!(peer.endpoint.associations().count() <= 2);
        }
        for id in peer.endpoint.associations().collect::<Vec<_>>() {
            let snapshot = postcard::to_allocvec(&peer.endpoint.snapshot(peer.now, id).unwrap()).unwrap();
            assert!(snapshot.len() < 20_000 * 3 + (1 << 20) + (64 << 10), "{}", snapshot.len());
        }
    });
}

/// Bytes that are no packet, with a checksum that says they are.
#[test]
fn any_bytes_are_survived() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let mut endpoint = Endpoint::new(Config::default(), [1; 32]);
        endpoint.listen(PORTS.1, &[host(0)]);
        let mut bytes = bytes.to_vec();
        if bytes.len() >= 12 {
            bytes[..4].copy_from_slice(&[0x23, 0x28, 0x96, 0x0c]);
            let checksum = Packet::parse(&bytes).unwrap().computed_checksum();
            bytes[8..12].copy_from_slice(&checksum.to_be_bytes());
        }
        let datagram = Datagram { source: puppet(0), destination: host(0), bytes: bytes.into() };
        endpoint.receive(pinion_protocols::sctp::endpoint::Time::ZERO, &datagram);
        while endpoint.poll_transmit(pinion_protocols::sctp::endpoint::Time::ZERO).is_some() {}
    });
}
