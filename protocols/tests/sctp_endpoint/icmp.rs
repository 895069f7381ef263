//! What the network says of packets: RFC 9260 10, RFC 8899 4.6.2.

use bytes::Bytes;
use pinion_protocols::sctp::endpoint::{Config, Event, NetworkError, Reason};
use pinion_protocols::sctp::{ChunkType, Packet};

use crate::puppet::{PORTS, Puppet, TAG, host, kinds, packet, puppet};

/// The beginning of a packet of the endpoint, as a router quotes it.
fn quoted(tag: u32) -> Bytes {
    packet(PORTS.1, PORTS.0, tag, |packet| {
        packet.chunk(ChunkType::Heartbeat, 0, |_| {});
    })
    .slice(..8)
}

fn give(peer: &mut Puppet, reason: Reason, quoted: &[u8]) -> bool {
    let error = NetworkError { source: host(0), destination: puppet(0), reason, quoted };
    peer.endpoint.network_error(peer.now, &error)
}

#[test]
fn rfc9260_10_icmp5_icmp6_what_no_association_sent_is_discarded() {
    let mut peer = Puppet::established(Config::default(), 1);
    for reason in [Reason::NoProtocol, Reason::TooLarge(600), Reason::Unreachable] {
        assert!(!give(&mut peer, reason, &quoted(TAG + 1)));
        let own = peer.tag;
        assert!(!give(&mut peer, reason, &quoted(own)));
        // Tag 0, and too short to show an INIT.
        assert!(!give(&mut peer, reason, &quoted(0)));
        assert!(!give(&mut peer, reason, &quoted(TAG)[..7]));
        let elsewhere = NetworkError { source: host(0), destination: puppet(7), reason, quoted: &quoted(TAG) };
        assert!(!peer.endpoint.network_error(peer.now, &elsewhere));
        let from_elsewhere = NetworkError { source: host(7), destination: puppet(0), ..elsewhere };
        assert!(!peer.endpoint.network_error(peer.now, &from_elsewhere));
    }
    let id = peer.association();
    assert_eq!((peer.look(), peer.take_events(), peer.endpoint.paths(id)[0].mtu), (vec![], vec![], 1500));
}

#[test]
fn rfc9260_10_icmp7_a_smaller_mtu_is_believed_within_bounds() {
    let mut peer = Puppet::established(Config::default(), 1);
    let id = peer.association();
    assert!(give(&mut peer, Reason::TooLarge(1300), &quoted(TAG)));
    assert_eq!(peer.endpoint.paths(id)[0].mtu, 1300);
    // RFC 8899 4.6.2: no larger one, and none that is too small to be true.
    assert!(!give(&mut peer, Reason::TooLarge(1400), &quoted(TAG)));
    assert!(give(&mut peer, Reason::TooLarge(20), &quoted(TAG)));
    assert_eq!(peer.endpoint.paths(id)[0].mtu, 512);
    peer.send(1, 1000);
    let sizes: Vec<_> = std::iter::from_fn(|| peer.endpoint.poll_transmit(peer.now))
        .map(|transmit| transmit.bytes.len())
        .collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|&size| size + 20 <= 512), "{sizes:?}");
}

#[test]
fn rfc9260_10_icmp8_protocol_unreachable_is_an_abort() {
    let mut peer = Puppet::established(Config::default(), 1);
    assert!(give(&mut peer, Reason::NoProtocol, &quoted(TAG)));
    assert_eq!(peer.take_events(), [Event::Aborted { cause: 0, by_peer: true }]);
    assert_eq!(peer.look(), []);
}

#[test]
fn rfc9260_10_icmp6_icmp8_an_init_is_known_by_its_initiate_tag() {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    let init = peer.endpoint.poll_transmit(peer.now).unwrap().bytes;
    assert_eq!(Packet::parse(&init).unwrap().verification_tag(), 0);
    let mut forged = init.to_vec();
    forged[19] ^= 1;
    assert!(!give(&mut peer, Reason::NoProtocol, &forged[..20]));
    assert!(!give(&mut peer, Reason::NoProtocol, &init[..16]));
    assert_eq!(peer.take_events(), []);
    assert!(give(&mut peer, Reason::NoProtocol, &init[..20]));
    assert_eq!(peer.take_events(), [Event::Aborted { cause: 0, by_peer: true }]);
}

#[test]
fn rfc9260_10_icmp8_a_late_word_of_the_init_ends_nothing() {
    let mut peer = Puppet::new(Config::default());
    peer.connect();
    let init = peer.endpoint.poll_transmit(peer.now).unwrap().bytes;
    peer.tag = Packet::parse(&init).unwrap().chunks().next().unwrap().unwrap().value()[..4]
        .iter()
        .fold(0, |tag, &byte| tag << 8 | u32::from(byte));
    peer.init_ack(b"cookie");
    assert_eq!(kinds(&peer.look()), [ChunkType::CookieEcho]);
    assert!(!give(&mut peer, Reason::NoProtocol, &init));
    assert_eq!(peer.take_events(), []);
}

#[test]
fn rfc9260_10_icmp9_an_unreachable_path_is_asked_at_once() {
    let mut peer = Puppet::established(Config::default(), 1);
    assert!(give(&mut peer, Reason::Unreachable, &quoted(TAG)));
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].destination), (vec![ChunkType::Heartbeat], puppet(0)));
    // However often it is said, one question is open.
    assert!(give(&mut peer, Reason::Unreachable, &quoted(TAG)));
    assert_eq!(peer.look(), []);
}
