//! Messages that are given up (RFC 3758, RFC 7496), addresses that come and go (RFC 5061), chunks that
//! are authenticated (RFC 4895), streams that are not reset (RFC 6525).

use std::net::IpAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use pinion_protocols::sctp::endpoint::{
    AssociationId, Config, Datagram, Endpoint, Event, Message, Reliability, Time, Transmit, memory,
};
use pinion_protocols::sctp::write::parameter;
use pinion_protocols::sctp::{ChunkType, Packet, ParameterType};

use crate::puppet::{Puppet, Seen, TSN, WINDOW, but_heartbeats, host, kinds, puppet};

const SECOND: Duration = Duration::from_secs(1);

fn partial() -> Puppet {
    Puppet::established_with(Config { heartbeat_interval: None, ..Config::default() }, 1, |out| {
        parameter(out, ParameterType::ForwardTsnSupported, |_| {});
    })
}

fn send(peer: &mut Puppet, context: u32, reliability: Reliability, length: usize) {
    let payload = Bytes::from(vec![1; length]);
    let message = Message { reliability, context, ..Message::new(3, 60, payload) };
    peer.endpoint.send(peer.now, peer.association(), message).unwrap();
}

fn forwards(seen: &[(Duration, Seen)]) -> Vec<&Seen> {
    seen.iter().map(|(_, chunk)| chunk).filter(|chunk| chunk.kind == ChunkType::ForwardTsn).collect()
}

#[test]
fn rfc3758_3_5_what_is_too_old_is_given_up_and_the_peer_is_told() {
    let mut peer = partial();
    send(&mut peer, 7, Reliability::Lifetime(SECOND / 2), 10);
    assert_eq!(kinds(&peer.look()), [ChunkType::Data]);
    let seen = peer.wait(Duration::from_millis(1100));
    let forward = forwards(&seen)[0];
    // The new cumulative TSN; stream 3 up to sequence number 0.
    assert_eq!((forward.u32(0), forward.u16(4), forward.u16(6)), (peer.tsn, 3, 0));
    assert!(peer.take_events().contains(&Event::SendFailed { context: 7, stream: 3, sent: true }));
    // It is said again until it is acknowledged.
    assert!(!forwards(&peer.wait(SECOND * 5)).is_empty());
    peer.sack(1, &[], WINDOW);
    assert_eq!(forwards(&peer.wait(SECOND * 100)).len(), 0);
    assert_eq!(peer.take_events(), [Event::Drained]);
}

#[test]
fn rfc3758_4_1_what_was_never_sent_is_given_up_without_a_tsn() {
    let mut peer = partial();
    peer.sack(0, &[], 0);
    send(&mut peer, 0, Reliability::Full, 10);
    send(&mut peer, 1, Reliability::Lifetime(SECOND / 2), 10);
    send(&mut peer, 2, Reliability::Full, 10);
    assert_eq!(peer.look().len(), 1);
    peer.now = peer.now.after(SECOND * 3 / 4);
    peer.sack(1, &[], WINDOW);
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].u32(0)), (vec![ChunkType::Data], peer.tsn.wrapping_add(1)));
    // Sequence numbers have no hole.
    assert_eq!(seen[0].u16(6), 1);
    assert_eq!(peer.take_events(), [Event::SendFailed { context: 1, stream: 3, sent: false }]);
}

#[test]
fn rfc3758_3_5_fragments_are_given_up_together() {
    let mut peer = partial();
    send(&mut peer, 1, Reliability::Lifetime(SECOND / 2), 12_000);
    send(&mut peer, 2, Reliability::Full, 10);
    let sent = peer.look().len() as u32;
    assert!(sent < 9);
    let seen = peer.wait(Duration::from_millis(1100));
    // The rest gets one TSN, for the peer to skip.
    assert_eq!(forwards(&seen)[0].u32(0), peer.tsn.wrapping_add(sent));
    peer.sack(sent + 1, &[], WINDOW);
    let seen: Vec<_> = seen.into_iter().map(|(_, chunk)| chunk).chain(peer.look()).collect();
    let next = seen.iter().find(|chunk| chunk.kind == ChunkType::Data).expect("the next message");
    assert_eq!((next.u32(0), next.u16(6), next.flags), (peer.tsn.wrapping_add(sent + 1), 1, 3));
}

#[test]
fn rfc7496_4_1_so_many_retransmissions_and_no_more() {
    for most in 0..3 {
        let mut peer = partial();
        send(&mut peer, 1, Reliability::Retransmissions(most), 10);
        peer.look();
        let seen = peer.wait(SECOND * 30);
        let again = seen.iter().filter(|(_, chunk)| chunk.kind == ChunkType::Data).count();
        assert_eq!(again, usize::from(most));
        assert!(!forwards(&seen).is_empty());
    }
}

#[test]
fn rfc3758_3_1_nothing_is_given_up_where_the_peer_cannot_be_told() {
    let mut peer = Puppet::established(Config { heartbeat_interval: None, ..Config::default() }, 1);
    send(&mut peer, 1, Reliability::Lifetime(SECOND / 2), 10);
    peer.look();
    let seen = peer.wait(SECOND * 10);
    assert!(forwards(&seen).is_empty());
    assert_eq!(seen.iter().filter(|(_, chunk)| chunk.kind == ChunkType::Data).count(), 3);
    assert_eq!(peer.take_events(), []);
}

#[test]
fn rfc3758_3_6_the_peer_gives_up() {
    let mut peer = partial();
    peer.data(2, 0, 1, 3, b"second");
    assert_eq!(peer.take_messages(), Vec::<Bytes>::new());
    peer.look();
    peer.give(|packet| {
        packet.chunk(ChunkType::ForwardTsn, 0, |out| {
            out.put_u32(TSN + 1);
            out.put_u16(0);
            out.put_u16(0);
        });
    });
    assert_eq!(peer.take_messages(), ["second"]);
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].u32(0)), (vec![ChunkType::Sack], TSN + 2));
    // An old one is answered too, and moves nothing (RFC 3758 3.6).
    peer.give(|packet| {
        packet.chunk(ChunkType::ForwardTsn, 0, |out| out.put_u32(TSN));
    });
    let seen = peer.look();
    assert_eq!((kinds(&seen), seen[0].u32(0)), (vec![ChunkType::Sack], TSN + 2));
}

#[test]
fn rfc6525_every_request_is_denied() {
    let mut peer = Puppet::established(Config::default(), 1);
    for (kind, length) in [
        (ParameterType::OutgoingReset, 12),
        (ParameterType::IncomingReset, 4),
        (ParameterType::TsnReset, 4),
        (ParameterType::AddOutgoing, 8),
        (ParameterType::AddIncoming, 8),
    ] {
        let mut out = BytesMut::new();
        parameter(&mut out, kind, |out| {
            out.put_u32(77);
            out.put_bytes(0, length - 4);
        });
        peer.give(|packet| {
            packet.chunk(ChunkType::ReConfig, 0, |chunk| chunk.put_slice(&out));
        });
        let seen = peer.look();
        assert_eq!(kinds(&seen), [ChunkType::ReConfig], "{kind:?}");
        // Re-configuration Response: the request's number, and 2, "Denied".
        assert_eq!((seen[0].u16(0), seen[0].u32(4), seen[0].u32(8)), (16, 77, 2), "{kind:?}");
    }
}

#[test]
fn rfc5061_4_1_asconf_without_auth_is_discarded() {
    let mut peer = Puppet::established(Config::default(), 1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Asconf, 0, |out| {
            out.put_u32(TSN);
            pinion_protocols::sctp::write::address(out, puppet(0));
            parameter(out, ParameterType::AddAddress, |out| {
                out.put_u32(1);
                pinion_protocols::sctp::write::address(out, puppet(1));
            });
        });
    });
    assert_eq!(but_heartbeats(&peer.wait(SECOND)), []);
    let id = peer.association();
    assert_eq!(peer.endpoint.paths(id).len(), 1);
    // And a peer without RFC 5061 is not asked either.
    assert!(!peer.endpoint.add_address(peer.now, id, host(1)));
}

/// Two endpoints that both know RFC 5061: the second one has an address in each of two networks.
struct Two {
    a: Endpoint,
    b: Endpoint,
    of_a: AssociationId,
    of_b: AssociationId,
    now: Time,
}

impl Two {
    fn new() -> Self {
        let mut a = Endpoint::new(Config::default(), [1; 32]);
        let mut b = Endpoint::new(Config::default(), [2; 32]);
        b.listen(38412, &[host(0), host(1)]);
        let now = Time::from_micros(1);
        let of_a = a.connect(now, (&[puppet(0)], 9000), (&[host(0)], 38412)).unwrap();
        memory::exchange(&mut a, &mut b, now);
        let of_b = b.associations().next().unwrap();
        let mut two = Self { a, b, of_a, of_b, now };
        two.go_on();
        two.events();
        two
    }

    /// Does what is due, and carries what is sent.
    fn go_on(&mut self) {
        self.now = self.now.after(Duration::from_millis(1));
        self.a.expire(self.now);
        self.b.expire(self.now);
        memory::exchange(&mut self.a, &mut self.b, self.now);
    }

    fn events(&mut self) -> (Vec<Event>, Vec<Event>) {
        let take = |endpoint: &mut Endpoint| {
            std::iter::from_fn(|| endpoint.poll_event()).map(|(_, event)| event).collect::<Vec<_>>()
        };
        (take(&mut self.a), take(&mut self.b))
    }

    fn remotes_of_b(&self) -> Vec<IpAddr> {
        self.b.paths(self.of_b).iter().map(|path| path.remote).collect()
    }

    /// What the first endpoint sends next, carried by hand.
    fn carry(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        let Transmit { source, destination, bytes, .. } = self.a.poll_transmit(self.now).expect("a packet");
        let mut bytes = bytes.to_vec();
        change(&mut bytes);
        let checksum = Packet::parse(&bytes).unwrap().computed_checksum();
        bytes[8..12].copy_from_slice(&checksum.to_be_bytes());
        self.b.receive(self.now, &Datagram { source, destination, bytes: bytes.into() });
    }
}

#[test]
fn rfc5061_4_2_1_an_address_is_added() {
    let mut two = Two::new();
    assert!(two.a.add_address(two.now, two.of_a, puppet(1)));
    two.go_on();
    let (of_a, of_b) = two.events();
    assert_eq!((&of_a[..], &of_b[0]), (&[Event::AddressAdded(puppet(1))][..], &Event::AddressAdded(puppet(1))));
    two.go_on();
    assert_eq!(two.remotes_of_b(), [puppet(0), puppet(1)]);
    // It was asked and has answered (RFC 5061 5.2 and RFC 9260 5.4).
    assert!(two.b.paths(two.of_b)[1].confirmed);
}

#[test]
fn rfc5061_4_2_2_an_address_is_deleted_but_not_the_last_one() {
    let mut two = Two::new();
    two.a.add_address(two.now, two.of_a, puppet(1));
    two.go_on();
    two.events();
    assert!(two.a.delete_address(two.now, two.of_a, puppet(0)));
    // RFC 5061 5.3.1: it is asked for from an address that stays.
    two.go_on();
    two.go_on();
    let (of_a, _) = two.events();
    assert!(of_a.contains(&Event::AddressDeleted(puppet(0))), "{of_a:?}");
    assert_eq!(two.remotes_of_b(), [puppet(1)]);
    two.a.delete_address(two.now, two.of_a, puppet(1));
    two.go_on();
    assert_eq!(two.events().0, [Event::AddressRefused(puppet(1))]);
    assert_eq!(two.remotes_of_b(), [puppet(1)]);
    // Messages still get through.
    two.a.send(two.now, two.of_a, Message::new(0, 0, "still here".into())).unwrap();
    two.go_on();
    assert!(two.events().1.iter().any(|event| matches!(event, Event::Message(_))));
}

#[test]
fn rfc5061_4_2_4_the_primary_path_is_asked_for() {
    let mut two = Two::new();
    two.a.add_address(two.now, two.of_a, puppet(1));
    two.go_on();
    two.go_on();
    assert!(two.a.ask_primary(two.now, two.of_a, puppet(1)));
    two.go_on();
    let paths = two.b.paths(two.of_b);
    assert!(paths.iter().any(|path| path.primary && path.remote == puppet(1)), "{paths:?}");
}

#[test]
fn rfc4895_6_3_a_changed_chunk_is_discarded() {
    let mut two = Two::new();
    two.a.add_address(two.now, two.of_a, puppet(1));
    two.carry(|bytes| {
        let packet = Packet::parse(bytes).unwrap();
        let kinds: Vec<_> = packet.chunks().map(|chunk| chunk.unwrap().kind()).collect();
        assert_eq!(kinds, [ChunkType::Auth, ChunkType::Asconf]);
        *bytes.last_mut().unwrap() ^= 1;
    });
    assert_eq!(two.remotes_of_b(), [puppet(0)]);
    // T4: it is asked again, and unchanged it counts.
    two.now = two.now.after(SECOND * 2);
    two.go_on();
    assert_eq!(two.remotes_of_b(), [puppet(0), puppet(1)]);
}

#[test]
fn rfc5061_5_2_a_repeated_request_is_answered_again_and_done_once() {
    let mut two = Two::new();
    two.a.add_address(two.now, two.of_a, puppet(1));
    two.carry(|_| {});
    // The answer is lost.
    while two.b.poll_transmit(two.now).is_some() {}
    two.now = two.now.after(SECOND * 2);
    two.go_on();
    let (of_a, of_b) = two.events();
    assert!(of_a.contains(&Event::AddressAdded(puppet(1))), "{of_a:?}");
    assert_eq!(of_b.iter().filter(|event| **event == Event::AddressAdded(puppet(1))).count(), 1);
}

#[test]
fn an_association_goes_on_elsewhere_with_its_keys_and_addresses() {
    let mut two = Two::new();
    two.a.add_address(two.now, two.of_a, puppet(1));
    let snapshot = two.a.export(two.now, two.of_a).unwrap();
    let bytes = postcard::to_allocvec(&snapshot).unwrap();
    two.a = Endpoint::new(Config::default(), [3; 32]);
    two.of_a = two.a.import(two.now, postcard::from_bytes(&bytes).unwrap()).unwrap();
    two.go_on();
    assert!(two.events().0.contains(&Event::AddressAdded(puppet(1))));
}
