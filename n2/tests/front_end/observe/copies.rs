//! Chunks that are lost, repeated, late, in pieces, and of no use.

use std::collections::BTreeSet;
use std::time::Duration;

use pinion_exchange::damage::Dice;
use pinion_n2::observe::{Bounds, Observer, Side};

use super::{Watch, data, three};
use crate::messages::{First, down, release_complete, up};

/// A message in so many pieces, the first of which has this number.
fn pieces(message: &[u8], first: u32, count: usize) -> Vec<Vec<u8>> {
    let size = message.len().div_ceil(count);
    let all: Vec<_> = message.chunks(size).collect();
    let flags = |at| u8::from(at == 0) << 1 | u8::from(at + 1 == all.len());
    let tsn = |at| first.wrapping_add(u32::try_from(at).unwrap());
    all.iter().enumerate().map(|(at, piece)| data(tsn(at), flags(at), piece)).collect()
}

#[test]
fn what_comes_twice_counts_once() {
    let mut watch = three();
    let (first, last) = (First::new(9).bytes(), release_complete(19, 9));
    watch.gnb(&first);
    let repeated = data(watch.tsn, 3, &first);
    watch.amf(&down(19, 9, b"")).gnb(&last);
    watch.observer.packet(&1, (), Side::Gnb, &repeated, watch.now);
    assert_eq!((watch.ues().len(), watch.counts().repeated), (3, 1));
    // The other direction has numbers of its own.
    let other = data(watch.tsn, 3, &down(19, 9, b""));
    watch.observer.packet(&1, (), Side::Amf, &other, watch.now);
    assert_eq!(watch.counts().repeated, 1);
}

#[test]
fn pieces_make_a_message_in_whatever_order() {
    let message = up(900, 5, &[0x5a; 20_000]);
    for seed in 0..50 {
        let mut dice = Dice::new(seed);
        let mut all = pieces(&message, u32::MAX - 3, 2 + dice.below(14));
        for at in (1..all.len()).rev() {
            // The first is the oldest that is taken.
            all.swap(at, 1 + dice.below(at));
        }
        let mut observer = Observer::<u8, ()>::new(Bounds::default());
        for (at, piece) in all.iter().enumerate() {
            assert_eq!(observer.ue_count(), 0, "seed {seed}: {at} of {}", all.len());
            observer.packet(&1, (), Side::Gnb, piece, Duration::ZERO);
        }
        assert_eq!(observer.ue_count(), 1, "seed {seed}");
        let counts = observer.counts();
        assert_eq!((counts.messages, counts.unjoined, counts.malformed), (1, 0, 0), "seed {seed}");
    }
}

#[test]
fn a_message_that_lacks_a_piece_is_given_up() {
    let mut watch = Watch::new(Bounds::default());
    watch.gnb(&First::new(1).bytes());
    let mut all = pieces(&up(900, 5, &[0x5a; 900]), watch.tsn.wrapping_add(1), 3);
    all.remove(1);
    for piece in &all {
        watch.observer.packet(&1, (), Side::Gnb, piece, watch.now);
    }
    watch.tsn = watch.tsn.wrapping_add(3);
    for _ in 0..1100 {
        watch.gnb(&up(11, 1, b""));
    }
    let last = pieces(&up(901, 6, b"six"), watch.tsn.wrapping_add(1), 2);
    last.iter().for_each(|piece| watch.observer.packet(&1, (), Side::Gnb, piece, watch.now));
    assert_eq!(watch.ues(), [(1, 1, Some(11)), (1, 6, Some(901))]);
    let counts = watch.counts();
    assert_eq!((counts.missing, counts.unjoined, counts.messages), (1, 2, 1102));
}

#[test]
fn pieces_are_bounded() {
    let bounds = Bounds { fragments: 5000, ..Bounds::default() };
    let mut observer = Observer::<u8, ()>::new(bounds);
    // Of two associations no message ever ends; then one has no room for all of a message, and then it has.
    for tsn in 0..40 {
        for association in [1, 2] {
            observer.packet(
                &association,
                (),
                Side::Gnb,
                &data(tsn, u8::from(tsn == 0) << 1, &[0; 400]),
                Duration::ZERO,
            );
        }
    }
    assert!(observer.counts().unjoined > 60, "{:?}", observer.counts());
    observer.end(&2);
    for piece in pieces(&up(900, 5, &[0; 4000]), 1000, 10) {
        observer.packet(&1, (), Side::Gnb, &piece, Duration::ZERO);
    }
    assert_eq!(observer.ue_count(), 1);
}

#[test]
fn numbers_that_leap_begin_anew() {
    let mut watch = three();
    watch.tsn = watch.tsn.wrapping_add(1 << 30);
    watch.gnb(&First::new(9).bytes());
    watch.tsn = watch.tsn.wrapping_sub(1 << 30);
    watch.gnb(&First::new(10).bytes());
    assert_eq!((watch.ues().len(), watch.counts().missing), (5, 0));
}

/// With some lost, some twice and some late, no UE is shown that never was, and what was heard last holds.
#[test]
fn what_is_shown_was_said() {
    bolero::check!().with_type::<(u64, Vec<(u8, u8)>)>().for_each(|(seed, acts)| {
        let mut dice = Dice::new(*seed);
        let mut watch = Watch::new(Bounds { ues: 6, ..Bounds::default() });
        let mut said = BTreeSet::new();
        let mut late: Vec<(Side, Vec<u8>)> = Vec::new();
        for (act, ran) in acts {
            let ran = u32::from(ran % 9);
            let amf = u64::from(ran) * 100 + u64::from(act / 64);
            let (from, message) = match act % 4 {
                0 => (Side::Gnb, First::new(ran).bytes()),
                1 => (Side::Amf, down(amf, ran, &[1; 30])),
                2 => (Side::Gnb, up(amf, ran, &[2; 30])),
                _ => (Side::Gnb, release_complete(amf, ran)),
            };
            said.insert((ran, (act % 4 != 0).then_some(amf)));
            said.insert((ran, None));
            watch.tsn = watch.tsn.wrapping_add(1);
            let all = if dice.below(3) == 0 {
                let all = pieces(&message, watch.tsn, 2);
                watch.tsn = watch.tsn.wrapping_add(1);
                all
            } else {
                vec![data(watch.tsn, 3, &message)]
            };
            for packet in all {
                match dice.below(8) {
                    0 => {}
                    1 => late.push((from, packet)),
                    2 => {
                        watch.observer.packet(&1, (), from, &packet, watch.now);
                        late.push((from, packet));
                    }
                    _ => watch.observer.packet(&1, (), from, &packet, watch.now),
                }
            }
            if late.len() > 3 {
                let (from, packet) = late.swap_remove(dice.below(late.len()));
                watch.observer.packet(&1, (), from, &packet, watch.now);
            }
            for (_, ran, amf) in watch.ues() {
                assert!(said.contains(&(ran, amf)), "{ran} {amf:?}");
            }
            assert!(watch.observer.ue_count() <= 6);
        }
        assert_eq!(watch.counts().malformed, 0);
    });
}

/// Whatever bytes come, it goes on, and keeps no more than it may.
#[test]
fn any_bytes_end() {
    bolero::check!().with_type::<Vec<(u8, u8, Vec<u8>)>>().for_each(|packets| {
        let bounds = Bounds { associations: 3, ues: 4, fragments: 300, ..Bounds::default() };
        let mut watch = Watch::new(bounds);
        for (association, how, bytes) in packets {
            let from = if how % 2 == 0 { Side::Gnb } else { Side::Amf };
            let packet = match how % 5 {
                0 => bytes.clone(),
                1 => data(u32::from(*how), how >> 6, bytes),
                2 => data(u32::from(*how) << 24, 3, bytes),
                _ => {
                    let mut message = First::new(u32::from(*association)).bytes().to_vec();
                    for pair in bytes.chunks_exact(2) {
                        let at = usize::from(pair[0]) % message.len();
                        message[at] ^= pair[1];
                    }
                    data(u32::from(*how), 3, &message)
                }
            };
            watch.observer.packet(association, (), from, &packet, watch.now);
            watch.now += Duration::from_secs(u64::from(*how));
            watch.observer.age(watch.now);
            assert!(watch.observer.ue_count() <= 4 && watch.observer.associations().count() <= 3);
            assert_eq!(watch.ues().len(), watch.observer.ue_count());
        }
    });
}
