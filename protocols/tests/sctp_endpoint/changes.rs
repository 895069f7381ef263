//! What a peer may ask for that authenticates itself, and what not: RFC 4895, RFC 5061.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use pinion_protocols::sctp::endpoint::{Config, Event, Message};
use pinion_protocols::sctp::write::{address, cause as write_cause, parameter};
use pinion_protocols::sctp::{ChunkType, ParameterType};

use crate::puppet::{Puppet, Seen, TSN, WINDOW, cause, kinds, puppet};
use crate::signer::{SHA256, Signer};

const SECOND: Duration = Duration::from_secs(1);
/// What peers want authenticated that know RFC 5061 (4.2.7).
const USUAL: [ChunkType; 2] = [ChunkType::Asconf, ChunkType::AsconfAck];
const ANY: [u8; 4] = [0; 4];

fn request(out: &mut BytesMut, kind: ParameterType, correlation: u32, target: IpAddr) {
    parameter(out, kind, |out| {
        out.put_u32(correlation);
        address(out, target);
    });
}

/// The answers in an ASCONF ACK: type, correlation, code of the cause.
fn answers(seen: &[Seen]) -> Vec<(u16, u32, u16)> {
    let ack = seen.iter().find(|chunk| chunk.kind == ChunkType::AsconfAck).expect("an answer");
    let mut at = 4;
    let mut answers = Vec::new();
    while at < ack.value.len() {
        let length = usize::from(ack.u16(at + 2));
        let code = if length > 8 { ack.u16(at + 8) } else { 0 };
        answers.push((ack.u16(at), ack.u32(at + 4), code));
        at += length.next_multiple_of(4);
    }
    answers
}

fn remotes(signer: &Signer) -> Vec<IpAddr> {
    signer.peer.endpoint.paths(signer.peer.association()).iter().map(|path| path.remote).collect()
}

const DONE: u16 = 0xc005;
const FAILED: u16 = 0xc003;

#[test]
fn rfc5061_5_2_every_request_is_answered_in_order() {
    let mut signer = Signer::new(USUAL);
    let seen = signer.ask(0, |out| {
        request(out, ParameterType::AddAddress, 7, puppet(1));
        request(out, ParameterType::DeleteAddress, 8, puppet(5));
        request(out, ParameterType::SetPrimaryAddress, 9, puppet(1));
    });
    assert_eq!(kinds(&seen)[..2], [ChunkType::Auth, ChunkType::AsconfAck]);
    assert_eq!(seen[1].u32(0), TSN);
    assert_eq!(answers(&seen), [(DONE, 7, 0), (FAILED, 8, 5), (DONE, 9, 0)]);
    assert_eq!(remotes(&signer), [puppet(0), puppet(1)]);
}

#[test]
fn rfc5061_4_3_a_refusal_holds_what_it_refuses() {
    let mut signer = Signer::new(USUAL);
    let seen = signer.ask(0, |out| request(out, ParameterType::DeleteAddress, 3, puppet(0)));
    // Delete the source address: 0xa2.
    assert_eq!(answers(&seen), [(FAILED, 3, 0xa2)]);
    let ack = &seen[1].value;
    assert_eq!(ack[16..], [0xc0, 2, 0, 16, 0, 0, 0, 3, 0, 5, 0, 8, 10, 0, 0, 1]);
}

#[test]
fn rfc5061_4_3_what_is_not_known_is_refused_and_the_rest_is_done() {
    let mut signer = Signer::new(USUAL);
    let seen = signer.ask(0, |out| {
        parameter(out, ParameterType::Unknown(0xc0aa), |out| out.put_u32(1));
        request(out, ParameterType::AddAddress, 2, puppet(1));
    });
    assert_eq!(answers(&seen), [(FAILED, 1, 8), (DONE, 2, 0)]);
}

#[test]
fn rfc5061_4_2_1_4_2_2_the_wildcard_is_the_packets_own_address() {
    let mut signer = Signer::new(USUAL);
    let seen = signer.ask(0, |out| {
        request(out, ParameterType::AddAddress, 1, puppet(1));
        request(out, ParameterType::AddAddress, 2, puppet(2));
        request(out, ParameterType::AddAddress, 3, ANY.into());
    });
    assert_eq!(answers(&seen), [(DONE, 1, 0), (DONE, 2, 0), (DONE, 3, 0)]);
    assert_eq!(remotes(&signer).len(), 3);
    // All but the one that it is asked from.
    let seen = signer.ask(1, |out| request(out, ParameterType::DeleteAddress, 4, ANY.into()));
    assert_eq!(answers(&seen), [(DONE, 4, 0)]);
    assert_eq!(remotes(&signer), [puppet(0)]);
}

#[test]
fn rfc5061_5_2_a_request_from_an_address_that_is_not_known_is_heard_and_leaves_an_address() {
    let mut signer = Signer::new(USUAL);
    let seen = signer.ask_from(puppet(9), 0, |out| request(out, ParameterType::DeleteAddress, 1, ANY.into()));
    assert_eq!(answers(&seen), [(FAILED, 1, 5)]);
    assert_eq!(remotes(&signer), [puppet(0)]);
    // A peer that moved says where it is now (RFC 5061 5.2 D).
    let seen = signer.ask_from(puppet(9), 1, |out| {
        request(out, ParameterType::AddAddress, 2, ANY.into());
        request(out, ParameterType::DeleteAddress, 3, puppet(0));
    });
    assert_eq!(answers(&seen), [(DONE, 2, 0), (DONE, 3, 0)]);
    assert_eq!(remotes(&signer), [puppet(9)]);
}

#[test]
fn rfc5061_5_2_d_an_address_that_no_endpoint_can_have_is_refused() {
    let mut signer = Signer::new(USUAL);
    let seen = signer.ask(0, |out| request(out, ParameterType::AddAddress, 1, [224, 0, 0, 1].into()));
    assert_eq!(answers(&seen), [(FAILED, 1, 5)]);
    // And more than there may be (RFC 5061 4.3.2).
    let seen = signer.ask(1, |out| {
        (1..30).for_each(|network| request(out, ParameterType::AddAddress, network.into(), puppet(network)));
    });
    assert_eq!(answers(&seen).iter().filter(|answer| answer.2 == 0xa1).count(), 14);
    assert_eq!(remotes(&signer).len(), 16);
}

#[test]
fn rfc5061_5_2_e_only_the_next_serial_number_counts() {
    let mut signer = Signer::new(USUAL);
    for wrong in [1, 2, 1_000_000, u32::MAX - TSN] {
        assert_eq!(signer.ask(wrong, |out| request(out, ParameterType::AddAddress, 1, puppet(1))), []);
    }
    assert_eq!(remotes(&signer), [puppet(0)]);
    let first = signer.ask(0, |out| request(out, ParameterType::AddAddress, 1, puppet(1)));
    // The same number again: the same answer, whatever is asked.
    let again = signer.ask(0, |out| request(out, ParameterType::DeleteAddress, 1, puppet(1)));
    let ack = |seen: &[Seen]| seen.iter().find(|chunk| chunk.kind == ChunkType::AsconfAck).unwrap().value.clone();
    assert_eq!(ack(&first), ack(&again));
    assert_eq!(remotes(&signer), [puppet(0), puppet(1)]);
}

#[test]
fn rfc5061_5_1_one_request_at_a_time_and_the_same_again_until_it_is_answered() {
    let mut signer = Signer::new(USUAL);
    let id = signer.peer.association();
    let now = signer.peer.now;
    for network in [3, 4] {
        assert!(signer.peer.endpoint.add_address(now, id, [10, network, 0, 2].into()));
    }
    let first = signer.peer.look();
    assert_eq!(kinds(&first), [ChunkType::Auth, ChunkType::Asconf]);
    let again = signer.peer.wait(Duration::from_millis(1100));
    assert_eq!(again.last().unwrap().1.value, first[1].value);
    let serial = first[1].u32(0);
    signer.give(|packet| {
        packet.chunk(ChunkType::AsconfAck, 0, |out| out.put_u32(serial));
    });
    // Without a word against it, it is done (5.1 A8).
    assert!(signer.peer.take_events().contains(&Event::AddressAdded([10, 3, 0, 2].into())));
    let second = signer.peer.look();
    assert_eq!(second.last().unwrap().u32(0), serial.wrapping_add(1));
}

#[test]
fn rfc5061_5_1_a_request_that_is_never_answered_ends_it() {
    let mut signer = Signer::new(USUAL);
    let (id, now) = (signer.peer.association(), signer.peer.now);
    assert!(signer.peer.endpoint.add_address(now, id, [10, 3, 0, 2].into()));
    signer.peer.wait(SECOND * 2000);
    assert_eq!(signer.peer.take_events().last(), Some(&Event::Lost));
}

#[test]
fn rfc5061_5_1_an_answer_to_what_was_never_asked_is_aborted() {
    let mut signer = Signer::new(USUAL);
    let serial = signer.peer.tsn;
    // An old one is let go by.
    signer.give(|packet| {
        packet.chunk(ChunkType::AsconfAck, 0, |out| out.put_u32(serial.wrapping_sub(1)));
    });
    assert_eq!(signer.peer.look(), []);
    signer.give(|packet| {
        packet.chunk(ChunkType::AsconfAck, 0, |out| out.put_u32(serial));
    });
    let seen = signer.peer.look();
    assert_eq!((kinds(&seen), cause(&seen[0])), (vec![ChunkType::Abort], 0xa3));
}

#[test]
fn rfc5061_5_3_a_new_own_address_is_no_source_until_it_is_answered() {
    let mut signer = Signer::new(USUAL);
    let (id, now) = (signer.peer.association(), signer.peer.now);
    assert!(signer.peer.endpoint.add_address(now, id, [10, 0, 0, 3].into()));
    signer.peer.send(1, 10);
    while let Some(transmit) = signer.peer.endpoint.poll_transmit(now) {
        assert_eq!(transmit.source, crate::puppet::host(0));
    }
}

#[test]
fn rfc5061_5_3_an_address_that_is_refused_is_told_and_not_used() {
    let mut signer = Signer::new(USUAL);
    let (id, now) = (signer.peer.association(), signer.peer.now);
    assert!(signer.peer.endpoint.add_address(now, id, [10, 0, 0, 3].into()));
    let serial = signer.peer.look()[1].u32(0);
    signer.give(|packet| {
        packet.chunk(ChunkType::AsconfAck, 0, |out| {
            out.put_u32(serial);
            parameter(out, ParameterType::ErrorCauseIndication, |out| {
                out.put_u32(serial);
                write_cause(out, 0xa4.into(), |_| {});
            });
        });
    });
    assert_eq!(signer.peer.take_events(), [Event::AddressRefused([10, 0, 0, 3].into())]);
}

#[test]
fn rfc5061_4_2_7_what_is_turned_off_is_not_announced_and_reported_as_unknown() {
    let config = Config { dynamic_addresses: false, partial_reliability: false, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    for (kind, reported) in
        [(ChunkType::Asconf, true), (ChunkType::AsconfAck, false), (ChunkType::ForwardTsn, true)]
    {
        peer.give(|packet| {
            packet.chunk(kind, 0, |out| out.put_u32(TSN));
            packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, 4]));
        });
        let expected =
            if reported { vec![ChunkType::Error, ChunkType::HeartbeatAck] } else { vec![ChunkType::HeartbeatAck] };
        assert_eq!(kinds(&peer.look()), expected, "{kind:?}");
    }
    // AUTH is 0x0f: what follows it is not looked at, and nobody is told (RFC 4895 4.1).
    peer.give(|packet| {
        packet.chunk(ChunkType::Auth, 0, |out| out.put_bytes(0, 36));
        packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, 4]));
    });
    assert_eq!(peer.look(), []);
}

#[test]
fn rfc4895_6_2_what_the_peer_wants_authenticated_is() {
    let mut signer = Signer::new([ChunkType::Data, ChunkType::Sack]);
    let (id, now) = (signer.peer.association(), signer.peer.now);
    for length in [10, 3000] {
        signer.peer.endpoint.send(now, id, Message::new(0, 0, Bytes::from(vec![1; length]))).unwrap();
    }
    let mut packets = 0;
    while let Some(transmit) = signer.peer.endpoint.poll_transmit(now) {
        assert!(signer.is_right(&transmit.bytes) && transmit.bytes.len() <= 1480);
        packets += 1;
    }
    assert!(packets >= 3, "{packets}");
    // SACK too, and nothing else.
    signer.peer.data(0, 0, 0, 3 | 8, b"x");
    let packet = signer.peer.endpoint.poll_transmit(now).unwrap().bytes;
    assert!(signer.is_right(&packet));
    signer.peer.give(|packet| {
        packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, 4]));
    });
    assert_eq!(kinds(&signer.peer.look()), [ChunkType::HeartbeatAck]);
}

#[test]
fn rfc4895_3_2_some_chunks_are_never_authenticated() {
    let mut signer = Signer::new([ChunkType::ShutdownComplete, ChunkType::InitAck]);
    signer.peer.init(99, 1, |_| {});
    assert_eq!(kinds(&signer.peer.look()), [ChunkType::InitAck]);
    let (id, now) = (signer.peer.association(), signer.peer.now);
    signer.peer.endpoint.shutdown(now, id);
    signer.peer.look();
    signer.peer.give(|packet| {
        packet.chunk(ChunkType::ShutdownAck, 0, |_| {});
    });
    assert_eq!(kinds(&signer.peer.look()), [ChunkType::ShutdownComplete]);
}

#[test]
fn rfc4895_6_3_an_algorithm_that_is_not_known_is_reported_and_nothing_behind_it_counts() {
    let mut signer = Signer::new(USUAL);
    signer.give_with(puppet(0), 2, |packet| {
        packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, 4]));
    });
    let seen = signer.peer.look();
    assert_eq!((kinds(&seen), seen[0].value.clone()), (vec![ChunkType::Error], vec![1, 5, 0, 6, 0, 2]));
    signer.give_with(puppet(0), SHA256, |packet| {
        packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, 4]));
    });
    assert_eq!(kinds(&signer.peer.look()), [ChunkType::HeartbeatAck]);
}

#[test]
fn rfc4895_6_2_an_abort_is_authenticated_where_the_peer_wants_it() {
    let mut signer = Signer::new([ChunkType::Abort, ChunkType::Asconf]);
    let (id, now) = (signer.peer.association(), signer.peer.now);
    signer.peer.sack(0, &[], WINDOW);
    signer.peer.endpoint.abort(now, id, b"enough");
    let packet = signer.peer.endpoint.poll_transmit(now).unwrap().bytes;
    assert!(signer.is_right(&packet));
}
