//! The attacks of RFC 5062 that a sender of packets can try who does not see the peer's.

use std::net::IpAddr;

use bytes::BufMut;
use pinion_protocols::sctp::endpoint::{Config, Event};
use pinion_protocols::sctp::write::{address, parameter};
use pinion_protocols::sctp::{ChunkType, ParameterType};

use crate::puppet::{Puppet, Seen, TAG, TSN, WINDOW, cause, cookie_of, init_value, kinds, puppet};

const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 66));
const STRANGERS_TAG: u32 = 0x0666_0666;

/// An INIT of the stranger, who says that he is at the puppet's address too; the answer.
fn claim(peer: &mut Puppet) -> Vec<Seen> {
    let value = init_value(STRANGERS_TAG, WINDOW, (10, 10), 1, |out| address(out, puppet(0)));
    peer.give_from(STRANGER, 0, |packet| {
        packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
    });
    peer.look()
}

fn echo(peer: &mut Puppet, source: IpAddr, init_ack: &Seen) -> Vec<Seen> {
    let (tag, cookie) = (init_ack.u32(0), cookie_of(init_ack));
    peer.give_from(source, tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
    });
    peer.look()
}

#[test]
fn rfc5062_2_who_camps_on_an_address_does_not_keep_its_owner_out() {
    let mut peer = Puppet::new(Config { heartbeat_interval: None, ..Config::default() });
    let answer = claim(&mut peer);
    echo(&mut peer, STRANGER, &answer[0]);
    let camper = peer.association();
    assert!(matches!(peer.take_events()[..], [Event::Established { .. }]));
    assert_eq!(peer.endpoint.paths(camper).len(), 2);
    // The owner comes, from the same port.
    peer.init(TAG, 1, |_| {});
    let init_ack = peer.look();
    assert_eq!(kinds(&init_ack), [ChunkType::InitAck]);
    (peer.tag, peer.tsn) = (init_ack[0].u32(0), init_ack[0].u32(12));
    assert_eq!(kinds(&echo(&mut peer, puppet(0), &init_ack[0]))[0], ChunkType::CookieAck);
    let events = peer.take_events();
    assert!(
        matches!(events[..], [Event::AddressDeleted(_), Event::Established { accepted: true, .. }]),
        "{events:?}"
    );
    assert_eq!(peer.endpoint.paths(camper).iter().map(|path| path.remote).collect::<Vec<_>>(), [STRANGER]);
    assert_eq!(peer.endpoint.associations().count(), 2);
    peer.data(0, 0, 0, 3, b"the owner's");
    assert_eq!(peer.take_messages(), ["the owner's"]);
}

#[test]
fn rfc5062_3_init_that_names_an_address_of_an_association_is_aborted() {
    let mut peer = Puppet::established(Config::default(), 1);
    let answer = claim(&mut peer);
    assert_eq!((kinds(&answer), cause(&answer[0])), (vec![ChunkType::Abort], 11));
    assert_eq!((answer[0].tag, answer[0].destination), (STRANGERS_TAG, STRANGER));
    peer.data(0, 0, 0, 3, b"still mine");
    assert_eq!(peer.take_messages(), ["still mine"]);
    assert_eq!(peer.endpoint.associations().count(), 1);
}

#[test]
fn rfc5062_4_without_the_tag_nothing_is_believed() {
    let mut peer = Puppet::established(Config::default(), 1);
    let tag = peer.tag;
    for guess in 1..200_u32 {
        for kind in [ChunkType::Abort, ChunkType::ShutdownComplete, ChunkType::Shutdown, ChunkType::ShutdownAck] {
            peer.give_from(puppet(0), tag.wrapping_add(guess), |packet| {
                packet.chunk(kind, 0, |out| out.put_u32(TSN));
            });
        }
    }
    assert_eq!((peer.look(), peer.take_events()), (vec![], vec![]));
    assert_eq!(peer.endpoint.counters().wrong_tag, 199 * 4);
}

#[test]
fn rfc5062_6_what_an_init_makes_others_get_is_bounded() {
    let mut peer = Puppet::new(Config::default());
    peer.init(TAG, 1, |out| {
        for number in 0..3000 {
            parameter(out, ParameterType::Unknown(0xc123), |out| out.put_u32(number));
        }
    });
    let bytes: usize =
        std::iter::from_fn(|| peer.endpoint.poll_transmit(peer.now)).map(|transmit| transmit.bytes.len()).sum();
    assert!(bytes < 1200, "{bytes}");
}

#[test]
fn rfc5062_7_where_messages_go_is_not_changed_by_a_packet_from_elsewhere() {
    let mut peer = Puppet::established(Config::default(), 1);
    let tag = peer.tag;
    peer.give_from(STRANGER, tag, |packet| {
        packet.chunk(ChunkType::Heartbeat, 0, |out| out.put_slice(&[0, 1, 0, 8, 1, 2, 3, 4]));
    });
    // Out of the blue, for all that the endpoint knows.
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].flags, seen[0].tag), (vec![ChunkType::Abort], 1, tag));
    peer.send(1, 10);
    assert_eq!(peer.look()[0].destination, puppet(0));
}

#[test]
fn rfc5062_8_acknowledgements_that_lie_get_no_more_than_the_buffer() {
    let config = Config { send_buffer: 20_000, heartbeat_interval: None, ..Config::default() };
    let mut peer = Puppet::established(config, 1);
    let id = peer.association();
    let (mut sent, mut bytes) = (0_u32, 0);
    for _ in 0..50 {
        while peer.endpoint.buffered(id) < 15_000 {
            peer.send(1, 1000);
        }
        for chunk in peer.look().iter().filter(|chunk| chunk.kind == ChunkType::Data) {
            sent += 1;
            bytes += chunk.value.len();
        }
        // The same news over and over: it opens nothing.
        for _ in 0..20 {
            peer.sack(sent, &[], u32::MAX);
            assert_eq!(kinds(&peer.look()).iter().filter(|kind| **kind != ChunkType::Data).count(), 0);
        }
    }
    assert!(bytes > 0 && peer.endpoint.paths(id)[0].window <= 25_000);
}
