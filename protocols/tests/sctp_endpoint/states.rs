//! Any chunks at all, in every state that an association can be in.

use std::time::Duration;

use bytes::BufMut;
use pinion_protocols::sctp::ChunkType;
use pinion_protocols::sctp::endpoint::{Config, Message, Reliability};
use pinion_protocols::sctp::write::parameter;

use crate::puppet::{Puppet, TAG, WINDOW, kinds};
use crate::signer::Signer;

/// Bytes of messages that wait, either way, and so about what an association may cost.
const BUFFER: u32 = 20_000;
/// Chunks given in one run at most.
const MOST: usize = 8;

fn config() -> Config {
    Config {
        receive_buffer: BUFFER,
        send_buffer: BUFFER,
        max_message: BUFFER / 2,
        max_gaps: 16,
        max_associations: 2,
        ..Config::default()
    }
}

fn shutdown(peer: &mut Puppet) {
    let cumulative = peer.tsn.wrapping_sub(1);
    peer.give(|packet| {
        packet.chunk(ChunkType::Shutdown, 0, |out| out.put_u32(cumulative));
    });
}

/// An association in one of the states of RFC 9260 4, with messages on their way where it has some.
fn in_state(state: usize) -> Puppet {
    let mut peer = match state {
        0 => return Puppet::new(config()),
        1 | 2 => {
            let mut peer = Puppet::new(config());
            peer.connect();
            peer.tag = peer.look()[0].u32(0);
            if state == 2 {
                peer.init_ack(b"cookie");
                assert_eq!(kinds(&peer.look()), [ChunkType::CookieEcho]);
            }
            return peer;
        }
        3 => Puppet::connected(config()),
        4 => Signer::new([ChunkType::Data, ChunkType::Asconf]).peer,
        _ => Puppet::established_with(config(), 2, |out| {
            parameter(out, pinion_protocols::sctp::ParameterType::ForwardTsnSupported, |_| {});
        }),
    };
    let (id, now) = (peer.association(), peer.now);
    if state != 9 && state != 10 {
        for stream in 0..4 {
            let reliability = Reliability::Retransmissions(1);
            let message = Message { reliability, ..Message::new(stream, 0, vec![1; 2000].into()) };
            peer.endpoint.send(now, id, message).unwrap();
        }
        peer.data(1, 0, 1, 3, b"waits");
        peer.data(3, 1, 0, 2, b"begins");
        peer.look();
    }
    match state {
        6 => {
            peer.sack(1, &[(2, 2)], WINDOW);
            peer.wait(Duration::from_millis(1100));
        }
        7 => peer.endpoint.shutdown(now, id),
        8 | 10 => shutdown(&mut peer),
        9 => peer.endpoint.shutdown(now, id),
        _ => {}
    }
    peer.look();
    peer
}

#[test]
fn any_chunks_are_survived_in_every_state() {
    bolero::check!().with_type::<(u8, Vec<(u8, u8, Vec<u8>)>)>().for_each(|(choice, chunks)| {
        for state in 0..=10 {
            let mut peer = in_state(state);
            let tag = [peer.tag, TAG, 0][usize::from(choice % 8).saturating_sub(5)];
            for (kind, flags, value) in chunks.iter().take(MOST) {
                peer.give_from(crate::puppet::puppet(choice & 1), tag, |packet| {
                    packet.chunk(ChunkType::from(*kind), *flags, |out| out.put_slice(value));
                });
            }
            peer.give(|packet| {
                for (kind, flags, value) in chunks.iter().take(MOST) {
                    packet.chunk(ChunkType::from(kind % 20), *flags, |out| out.put_slice(value));
                }
            });
            let sent = peer.look().len() + peer.wait(Duration::from_secs(20)).len();
            assert!(sent < 1000, "{sent} chunks in answer to {chunks:?}");
            for id in peer.endpoint.associations().collect::<Vec<_>>() {
                let snapshot = postcard::to_allocvec(&peer.endpoint.snapshot(peer.now, id).unwrap()).unwrap();
                assert!(snapshot.len() < 5 * BUFFER as usize + (32 << 10), "{} bytes", snapshot.len());
            }
            assert!(peer.endpoint.associations().count() <= 2);
            peer.take_events();
        }
    });
}
