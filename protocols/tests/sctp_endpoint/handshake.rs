//! How an association begins: RFC 9260 3.3.2, 5.1, 5.2, 5.3, 5.4.

use std::time::Duration;

use bytes::BufMut;
use pinion_protocols::sctp::endpoint::{Config, Event};
use pinion_protocols::sctp::write::{self, DataHeader, parameter};
use pinion_protocols::sctp::{ChunkType, Parameter, ParameterType};

use crate::puppet::{
    PORTS, Puppet, Seen, TAG, TSN, WINDOW, but_heartbeats, cause, cookie_of, host, init_value, kinds, packet,
    parameters, puppet,
};

const SECOND: Duration = Duration::from_secs(1);

fn echo(puppet: &mut Puppet, tag: u32, cookie: &[u8]) {
    puppet.give_from(crate::puppet::puppet(0), tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(cookie));
    });
}

#[test]
fn rfc9260_5_1_init_is_answered_and_nothing_is_kept() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 1, |_| {});
    let seen = puppet.look();
    assert_eq!(kinds(&seen), [ChunkType::InitAck]);
    assert_eq!((seen[0].tag, seen[0].destination), (TAG, crate::puppet::puppet(0)));
    assert_ne!(seen[0].u32(0), 0);
    assert_eq!(puppet.endpoint.associations().count(), 0);
    assert_eq!(puppet.endpoint.deadline(), None);
}

#[test]
fn rfc9260_5_1_init_ack_lists_every_own_address_and_a_cookie() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 1, |_| {});
    let mut addresses: Vec<std::net::IpAddr> = Vec::new();
    parameters(&puppet.look()[0], |parameter| {
        if let Parameter::Ipv4(address) = parameter {
            addresses.push(address.into());
        }
    });
    assert_eq!(addresses, [host(0), host(1)]);
}

#[test]
fn rfc9260_3_3_2_init_with_tag_zero_is_discarded() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(0, 1, |_| {});
    assert_eq!(puppet.look(), []);
}

#[test]
fn rfc9260_3_3_2_init_without_streams_or_with_a_small_window_is_aborted() {
    for (window, streams) in [(WINDOW, (0, 10)), (WINDOW, (10, 0)), (1499, (10, 10))] {
        let mut puppet = Puppet::new(Config::default());
        let value = init_value(TAG, window, streams, 1, |_| {});
        puppet.give_from(crate::puppet::puppet(0), 0, |packet| {
            packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
        });
        let seen = puppet.look();
        assert_eq!(kinds(&seen), [ChunkType::Abort]);
        // Cause 7, Invalid Mandatory Parameter; RFC 9260 8.5.1 B: the tag is the INIT's.
        assert_eq!((cause(&seen[0]), seen[0].tag, seen[0].flags), (7, TAG, 0));
    }
}

#[test]
fn rfc9260_3_3_2_1_4_host_name_is_refused() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 1, |out| parameter(out, ParameterType::HostName, |out| out.put_slice(b"amf\0")));
    let seen = puppet.look();
    assert_eq!((kinds(&seen), cause(&seen[0])), (vec![ChunkType::Abort], 5));
}

#[test]
fn rfc9260_3_2_1_unrecognized_parameters_are_reported_and_skipped_as_their_type_says() {
    // (type, whether what comes after it counts, whether it is reported)
    let cases = [(0x3fff, false, false), (0x7fff, false, true), (0xbfff, true, false), (0xffff, true, true)];
    for (kind, goes_on, reported) in cases {
        let mut puppet = Puppet::new(Config::default());
        puppet.init(TAG, 1, |out| {
            parameter(out, ParameterType::from(kind), |out| out.put_u32(1));
            write::address(out, crate::puppet::puppet(1));
        });
        let seen = puppet.look();
        let mut found = false;
        parameters(&seen[0], |parameter| found |= matches!(parameter, Parameter::Unrecognized(_)));
        assert_eq!(found, reported, "{kind:#x}");
        let cookie = cookie_of(&seen[0]);
        echo(&mut puppet, seen[0].u32(0), &cookie);
        let id = puppet.association();
        assert_eq!(puppet.endpoint.paths(id).len(), 1 + usize::from(goes_on), "{kind:#x}");
    }
}

#[test]
fn rfc9260_5_1_1_streams_are_as_many_as_both_can_take() {
    let mut puppet = Puppet::new(Config { outbound_streams: 20, inbound_streams: 5, ..Config::default() });
    puppet.init(TAG, 1, |_| {});
    let cookie = puppet.take_init_ack();
    let tag = puppet.tag;
    echo(&mut puppet, tag, &cookie);
    let expected = Event::Established { accepted: true, outbound_streams: 10, inbound_streams: 5 };
    assert_eq!(puppet.take_events(), [expected]);
}

#[test]
fn rfc9260_5_1_5_a_cookie_that_was_changed_is_discarded() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 1, |_| {});
    let mut cookie = puppet.take_init_ack();
    *cookie.last_mut().unwrap() ^= 1;
    let tag = puppet.tag;
    echo(&mut puppet, tag, &cookie);
    assert_eq!(puppet.look(), []);
    assert_eq!(puppet.endpoint.associations().count(), 0);
    assert_eq!(puppet.endpoint.counters().bad_cookies, 1);
}

#[test]
fn rfc9260_5_1_5_a_cookie_under_another_tag_or_port_is_discarded() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 1, |_| {});
    let cookie = puppet.take_init_ack();
    let tag = puppet.tag;
    echo(&mut puppet, tag ^ 1, &cookie);
    let bytes = packet(PORTS.0 + 1, PORTS.1, puppet.tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    let (source, destination) = (crate::puppet::puppet(0), host(0));
    let datagram = pinion_protocols::sctp::endpoint::Datagram { source, destination, bytes };
    puppet.endpoint.receive(puppet.now, &datagram);
    assert_eq!(puppet.look(), []);
    assert_eq!(puppet.endpoint.associations().count(), 0);
}

#[test]
fn rfc9260_5_1_5_a_stale_cookie_is_reported_with_its_staleness() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 1, |_| {});
    let cookie = puppet.take_init_ack();
    puppet.wait(SECOND * 61);
    let tag = puppet.tag;
    echo(&mut puppet, tag, &cookie);
    let seen = puppet.look();
    assert_eq!((kinds(&seen), cause(&seen[0]), seen[0].tag), (vec![ChunkType::Error], 3, TAG));
    assert_eq!(seen[0].u32(4), 1_000_000);
    assert_eq!(puppet.endpoint.associations().count(), 0);
}

#[test]
fn rfc9260_5_1_data_beside_cookie_echo_is_taken() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 1, |_| {});
    let cookie = puppet.take_init_ack();
    let header = DataHeader { flags: 3, tsn: TSN, stream: 0, sequence: 0, protocol: 60 };
    puppet.give(|packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
        packet.data(&header, b"early");
    });
    assert_eq!(puppet.take_messages(), ["early"]);
    // RFC 9260 6.10: COOKIE ACK comes before the SACK.
    assert_eq!(kinds(&puppet.look())[0], ChunkType::CookieAck);
}

#[test]
fn rfc9260_4_init_is_repeated_and_given_up() {
    let mut puppet = Puppet::new(Config { max_init_retransmissions: 3, ..Config::default() });
    puppet.connect();
    assert_eq!(kinds(&puppet.look()), [ChunkType::Init]);
    let seen = puppet.wait(SECOND * 100);
    let times: Vec<_> = seen.iter().map(|(at, _)| at.as_secs()).collect();
    // RTO.Initial is 1 s, and doubles.
    assert_eq!(times, [1, 3, 7]);
    assert_eq!(puppet.take_events(), [Event::Lost]);
    assert_eq!(puppet.endpoint.associations().count(), 0);
}

#[test]
fn rfc9260_4_cookie_echo_is_repeated_and_given_up() {
    let mut puppet = Puppet::new(Config { max_init_retransmissions: 2, ..Config::default() });
    puppet.connect();
    puppet.tag = puppet.look()[0].u32(0);
    puppet.init_ack(b"cookie");
    let echoes = puppet.look();
    assert_eq!((kinds(&echoes), echoes[0].tag), (vec![ChunkType::CookieEcho], TAG));
    assert_eq!(echoes[0].value, b"cookie");
    let seen = puppet.wait(SECOND * 100);
    assert!(seen.iter().all(|(_, chunk)| chunk.kind == ChunkType::CookieEcho && chunk.value == b"cookie"));
    assert_eq!(seen.len(), 2);
    assert_eq!(puppet.take_events(), [Event::Lost]);
}

#[test]
fn rfc9260_5_1_init_ack_without_cookie_is_aborted() {
    let mut puppet = Puppet::new(Config::default());
    puppet.connect();
    puppet.tag = puppet.look()[0].u32(0);
    let value = init_value(TAG, WINDOW, (10, 10), 1, |_| {});
    puppet.give(|packet| {
        packet.chunk(ChunkType::InitAck, 0, |out| out.put_slice(&value));
    });
    let seen = puppet.look();
    // Missing Mandatory Parameter: one, type 7.
    assert_eq!((kinds(&seen), cause(&seen[0])), (vec![ChunkType::Abort], 2));
    assert_eq!((seen[0].u32(4), seen[0].u16(8)), (1, 7));
}

#[test]
fn rfc9260_5_1_2_init_ack_may_come_from_another_address() {
    let mut puppet = Puppet::new(Config::default());
    puppet.connect();
    puppet.tag = puppet.look()[0].u32(0);
    let value = init_value(TAG, WINDOW, (10, 10), 2, |out| {
        parameter(out, ParameterType::StateCookie, |out| out.put_slice(b"cookie"));
    });
    puppet.give_from(crate::puppet::puppet(1), puppet.tag, |packet| {
        packet.chunk(ChunkType::InitAck, 0, |out| out.put_slice(&value));
    });
    assert_eq!(kinds(&puppet.look()), [ChunkType::CookieEcho]);
    let id = puppet.association();
    assert_eq!(puppet.endpoint.paths(id).len(), 2);
}

#[test]
fn rfc9260_5_1_what_was_sent_early_leaves_after_the_handshake() {
    let mut puppet = Puppet::new(Config::default());
    puppet.connect();
    puppet.send(1, 10);
    puppet.tag = puppet.look()[0].u32(0);
    puppet.init_ack(b"cookie");
    assert_eq!(kinds(&puppet.look()), [ChunkType::CookieEcho]);
    puppet.give(|packet| {
        packet.chunk(ChunkType::CookieAck, 0, |_| {});
    });
    assert_eq!(kinds(&puppet.look()), [ChunkType::Data]);
}

#[test]
fn rfc9260_5_2_3_an_unexpected_init_ack_changes_nothing() {
    let mut puppet = Puppet::connected(Config::default());
    puppet.init_ack(b"other cookie");
    assert_eq!(puppet.look(), []);
    assert_eq!(puppet.take_events(), []);
}

#[test]
fn rfc9260_5_2_5_an_unexpected_cookie_ack_changes_nothing() {
    let mut puppet = Puppet::connected(Config::default());
    puppet.give(|packet| {
        packet.chunk(ChunkType::CookieAck, 0, |_| {});
    });
    assert_eq!(puppet.look(), []);
    assert_eq!(puppet.take_events(), []);
}

#[test]
fn rfc9260_5_2_6_a_stale_cookie_is_asked_for_again_with_a_longer_life() {
    let mut puppet = Puppet::new(Config::default());
    puppet.connect();
    puppet.tag = puppet.look()[0].u32(0);
    puppet.init_ack(b"cookie");
    puppet.look();
    puppet.wait(Duration::from_millis(40));
    puppet.give(|packet| {
        packet.chunk(ChunkType::Error, 0, |out| {
            write::cause(out, pinion_protocols::sctp::CauseCode::StaleCookie, |out| out.put_u32(3_000_000));
        });
    });
    let seen = puppet.look();
    assert_eq!(kinds(&seen), [ChunkType::Init]);
    let mut asked = 0;
    parameters(&seen[0], |parameter| {
        if let Parameter::CookiePreservative(more) = parameter {
            asked = more;
        }
    });
    // The round trip that was measured, and a second at most beyond it.
    assert_eq!(asked, 1040);
}

#[test]
fn rfc9260_5_3_1_tags_and_tsns_differ_from_association_to_association() {
    let mut puppet = Puppet::new(Config::default());
    let mut numbers = std::collections::BTreeSet::new();
    for _ in 0..100 {
        puppet.init(TAG, 1, |_| {});
        let seen = puppet.look();
        numbers.insert(seen[0].u32(0));
        numbers.insert(seen[0].u32(12));
    }
    assert_eq!(numbers.len(), 200);
}

#[test]
fn rfc9260_5_4_an_address_is_not_used_until_it_is_confirmed() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 2, |_| {});
    let cookie = puppet.take_init_ack();
    let tag = puppet.tag;
    echo(&mut puppet, tag, &cookie);
    let seen = puppet.look();
    let probe: &Seen = seen.iter().find(|chunk| chunk.kind == ChunkType::Heartbeat).expect("a probe");
    assert_eq!(probe.destination, crate::puppet::puppet(1));
    // RFC 9260 5.4: a nonce that was never sent confirms nothing.
    let mut forged = probe.clone();
    *forged.value.last_mut().unwrap() ^= 1;
    puppet.answer_heartbeat(&forged);
    let id = puppet.association();
    assert!(!puppet.endpoint.paths(id)[1].confirmed);
    puppet.endpoint.set_primary(id, crate::puppet::puppet(1));
    puppet.send(1, 10);
    let data = puppet.look();
    assert_eq!(data[0].destination, crate::puppet::puppet(0));
    puppet.answer_heartbeat(probe);
    assert!(puppet.endpoint.paths(id)[1].confirmed);
    puppet.send(1, 10);
    assert_eq!(puppet.look()[0].destination, crate::puppet::puppet(1));
}

#[test]
fn rfc9260_5_4_addresses_that_a_peer_names_are_probed_one_by_one() {
    let mut puppet = Puppet::new(Config::default());
    puppet.init(TAG, 5, |_| {});
    let cookie = puppet.take_init_ack();
    let tag = puppet.tag;
    echo(&mut puppet, tag, &cookie);
    let first = puppet.look().into_iter().filter(|chunk| chunk.kind == ChunkType::Heartbeat).count();
    assert_eq!(first, 1);
    let seen = puppet.wait(Duration::from_millis(3500));
    for second in 1..=3 {
        let new: Vec<_> = seen.iter().filter(|(at, _)| at.as_secs() == second).collect();
        assert!(new.iter().any(|(_, chunk)| chunk.destination == crate::puppet::puppet(second as u8 + 1)));
    }
}

#[test]
fn rfc9260_6_data_before_the_handshake_is_over_is_discarded() {
    let mut puppet = Puppet::new(Config::default());
    puppet.connect();
    puppet.tag = puppet.look()[0].u32(0);
    puppet.data(0, 0, 0, 3, b"too early");
    puppet.init_ack(b"cookie");
    puppet.look();
    puppet.data(0, 0, 0, 3, b"too early");
    assert_eq!(puppet.take_messages(), Vec::<bytes::Bytes>::new());
    assert_eq!(but_heartbeats(&puppet.wait(Duration::from_millis(300))), []);
}

#[test]
fn rfc9260_5_1_nobody_listens() {
    let mut silent = Puppet::new(Config::default());
    silent.endpoint.unlisten(PORTS.1);
    silent.init(TAG, 1, |_| {});
    let seen = silent.look();
    assert_eq!((kinds(&seen), seen[0].tag, seen[0].flags), (vec![ChunkType::Abort], TAG, 0));
    assert_eq!(seen[0].destination, puppet(0));
}
