//! INIT and COOKIE ECHO where there is an association already: RFC 9260 5.2.

use bytes::BufMut;
use pinion_protocols::sctp::ChunkType;
use pinion_protocols::sctp::endpoint::{Config, Endpoint, Event, Message, Time, memory};

use crate::puppet::{Puppet, TAG, cause, cookie_of, host, kinds, puppet};

/// The tag of a puppet that began again.
const NEW_TAG: u32 = 0x0202_0202;

/// An INIT with that tag, and the tag and cookie of its answer.
fn init(peer: &mut Puppet, tag: u32) -> (u32, Vec<u8>) {
    peer.init(tag, 1, |_| {});
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].tag), (vec![ChunkType::InitAck], tag));
    (seen[0].u32(0), cookie_of(&seen[0]))
}

fn echo(peer: &mut Puppet, tag: u32, cookie: &[u8]) {
    peer.give_from(puppet(0), tag, |packet| {
        packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(cookie));
    });
}

#[test]
fn rfc9260_5_2_1_both_sides_begin_at_once_and_get_one_association() {
    let mut a = Endpoint::new(Config::default(), [1; 32]);
    let mut b = Endpoint::new(Config::default(), [2; 32]);
    let now = Time::ZERO;
    let of_a = a.connect(now, (&[host(0)], 5000), (&[puppet(0)], 6000)).unwrap();
    let of_b = b.connect(now, (&[puppet(0)], 6000), (&[host(0)], 5000)).unwrap();
    a.send(now, of_a, Message::new(0, 0, "from a".into())).unwrap();
    b.send(now, of_b, Message::new(0, 0, "from b".into())).unwrap();
    memory::exchange(&mut a, &mut b, now);
    for (endpoint, expected) in [(&mut a, "from b"), (&mut b, "from a")] {
        let events: Vec<_> = std::iter::from_fn(|| endpoint.poll_event()).map(|(_, event)| event).collect();
        let established = events.iter().filter(|event| matches!(event, Event::Established { .. })).count();
        assert_eq!(established, 1, "{events:?}");
        let arrived = |event: &Event| matches!(event, Event::Message(message) if message.payload == expected);
        assert_eq!(events.iter().filter(|event| arrived(event)).count(), 1, "{events:?}");
        assert_eq!(endpoint.associations().count(), 1);
    }
}

#[test]
fn rfc9260_5_2_1_init_while_waiting_is_answered_with_the_own_tag_and_tsn() {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    let sent = peer.look();
    peer.init(TAG, 1, |_| {});
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::InitAck]);
    assert_eq!((seen[0].u32(0), seen[0].u32(12)), (sent[0].u32(0), sent[0].u32(12)));
}

#[test]
fn rfc9260_5_2_2_init_disturbs_no_association() {
    let mut peer = Puppet::established(Config::default(), 1);
    let (tag, _) = init(&mut peer, NEW_TAG);
    assert_ne!(tag, peer.tag);
    peer.data(0, 0, 0, 3, b"still here");
    assert_eq!(peer.take_messages(), ["still here"]);
}

#[test]
fn rfc9260_5_2_2_init_with_a_new_address_is_aborted() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.init(NEW_TAG, 2, |_| {});
    let seen = peer.look();
    // Restart of an Association with New Addresses; it names the address.
    assert_eq!((kinds(&seen), cause(&seen[0]), seen[0].tag), (vec![ChunkType::Abort], 11, NEW_TAG));
    assert_eq!(seen[0].value[8..12], [10, 1, 0, 1]);
    peer.data(0, 0, 0, 3, b"still here");
    assert_eq!(peer.take_messages(), ["still here"]);
}

#[test]
fn rfc9260_5_2_4_a_the_peer_began_again() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.send(1, 10);
    assert_eq!(kinds(&peer.look()), [ChunkType::Data]);
    peer.data(0, 0, 0, 3, b"before");
    let (tag, cookie) = init(&mut peer, NEW_TAG);
    echo(&mut peer, tag, &cookie);
    let seen = peer.look();
    assert_eq!((seen[0].kind, seen[0].tag), (ChunkType::CookieAck, NEW_TAG));
    let events = peer.take_events();
    assert!(
        matches!(&events[..], [Event::Message(_), Event::SendFailed { sent: true, .. }, Event::Restarted]),
        "{events:?}"
    );
    assert_eq!(peer.endpoint.associations().count(), 1);
    // Sequence numbers begin again.
    peer.tag = tag;
    peer.data(0, 0, 0, 3, b"after");
    assert_eq!(peer.take_messages(), ["after"]);
}

#[test]
fn rfc9260_5_2_4_c_and_others_a_cookie_that_fits_nothing_is_discarded() {
    let mut peer = Puppet::new(Config::default());
    // Two cookies from before there was an association: no tie-tags in them.
    let (first_tag, first) = init(&mut peer, TAG);
    let (second_tag, second) = init(&mut peer, NEW_TAG);
    echo(&mut peer, first_tag, &first);
    assert_eq!(kinds(&peer.look())[0], ChunkType::CookieAck);
    peer.take_events();
    echo(&mut peer, second_tag, &second);
    assert_eq!(peer.look(), []);
    assert_eq!(peer.take_events(), []);
    assert_eq!(peer.endpoint.counters().bad_cookies, 1);
}

#[test]
fn rfc9260_5_2_4_d_a_repeated_cookie_is_acknowledged_again() {
    let mut peer = Puppet::new(Config::default());
    let (tag, cookie) = init(&mut peer, TAG);
    echo(&mut peer, tag, &cookie);
    peer.look();
    peer.take_events();
    echo(&mut peer, tag, &cookie);
    assert_eq!(kinds(&peer.look()), [ChunkType::CookieAck]);
    assert_eq!(peer.take_events(), []);
    assert_eq!(peer.endpoint.associations().count(), 1);
}

#[test]
fn rfc9260_5_2_4_d_even_a_stale_one() {
    let mut peer = Puppet::new(Config { heartbeat_interval: None, ..Config::default() });
    let (tag, cookie) = init(&mut peer, TAG);
    echo(&mut peer, tag, &cookie);
    peer.look();
    peer.wait(std::time::Duration::from_secs(100));
    echo(&mut peer, tag, &cookie);
    assert_eq!(kinds(&peer.look()), [ChunkType::CookieAck]);
}

#[test]
fn rfc9260_5_2_2_tie_tags_tell_no_tags() {
    let mut peer = Puppet::established(Config::default(), 1);
    let (_, cookie) = init(&mut peer, NEW_TAG);
    let holds = |tag: u32| {
        let (big, little) = (tag.to_be_bytes(), tag.to_le_bytes());
        cookie.windows(4).any(|window| window == big || window == little)
    };
    assert!(!holds(peer.tag) && !holds(TAG));
}

#[test]
fn rfc9260_9_2_init_after_shutdown_ack_is_answered_with_shutdown_ack() {
    let mut peer = Puppet::established(Config::default(), 1);
    let cumulative = peer.tsn.wrapping_sub(1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
    });
    assert_eq!(kinds(&peer.look()), [ChunkType::ShutdownAck]);
    peer.init(NEW_TAG, 1, |_| {});
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].tag), (vec![ChunkType::ShutdownAck], TAG));
}

#[test]
fn rfc9260_5_2_4_a_cookie_after_shutdown_ack_is_reported() {
    let mut peer = Puppet::established(Config::default(), 1);
    let (tag, cookie) = init(&mut peer, NEW_TAG);
    let cumulative = peer.tsn.wrapping_sub(1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
    });
    peer.look();
    echo(&mut peer, tag, &cookie);
    let seen = peer.look();
    assert_eq!(kinds(&seen), [ChunkType::ShutdownAck, ChunkType::Error]);
    assert_eq!(cause(&seen[1]), 10);
}
