//! Damaged messages: nothing panics, and what is still read is written the same.

use bytes::BytesMut;
use pinion_protocols::ngap::value::ResetType;
use pinion_protocols::ngap::{Change, Envelope, NewIds};

use super::vectors::{rewritten, vectors};

/// xorshift64*.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % most.max(1)
    }
}

fn damage(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(3) {
        let at = chance.below(bytes.len());
        match chance.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, chance.next().to_be_bytes()[0]),
            2 => {
                let end = (at + chance.below(9)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => bytes.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= 1 << chance.below(8)),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|octet| *octet = chance.next().to_be_bytes()[0]),
        }
    }
}

/// `PINION_NGAP_MUTATIONS`: how many; 100,000 where it is not said.
#[test]
fn damaged_messages_end_in_errors_or_whole() {
    let count = std::env::var("PINION_NGAP_MUTATIONS").ok().and_then(|it| it.parse().ok()).unwrap_or(100_000_u64);
    let vectors = vectors();
    let mut chance = Chance(0x6e_6761_7031);
    let (mut whole, mut out) = (0_u64, BytesMut::new());
    for _ in 0..count {
        let mut bytes = vectors[chance.below(vectors.len())].bytes.clone();
        damage(&mut bytes, &mut chance);
        let Ok(envelope) = Envelope::parse(&bytes) else { continue };
        let joined = envelope.value().joined();
        let Ok(message) = envelope.open(&joined) else { continue };
        for raw in message.elements().flatten() {
            if let Err(error) = raw.parse() {
                assert!((raw.offset()..=bytes.len()).contains(&error.offset()), "{error}");
            }
            if let Some(Err(error)) = rewritten(&raw) {
                assert!((raw.offset()..=bytes.len()).contains(&error.offset()), "{error}");
            }
        }
        out.clear();
        if message.spliced(&mut out, |_, _| Ok(Change::Keep)).is_ok() {
            assert!(bytes.starts_with(&out));
            whole += 1;
        }
        out.clear();
        let ids = NewIds { amf: Some(chance.next() >> 24), ran: Some(7), ..NewIds::default() };
        if message.with_ids(&ids, &mut out).is_ok() {
            let envelope = Envelope::parse(&out).unwrap();
            let joined = envelope.value().joined();
            let changed = envelope.open(&joined).unwrap();
            let found = changed.ids().unwrap();
            assert!(found.amf.is_none() || found.amf == ids.amf);
            assert!(found.ran.is_none() || found.ran == ids.ran);
            let others = |message: &pinion_protocols::ngap::Message<'_>| -> Vec<Vec<u8>> {
                let elements = message.elements().map(Result::unwrap);
                elements
                    .filter(|raw| ![10, 42, 85, 114].contains(&u16::from(raw.kind())))
                    .map(|raw| raw.encoded().to_vec())
                    .collect()
            };
            assert_eq!(others(&changed), others(&message));
        } else {
            assert!(out.is_empty());
        }
        out.clear();
        if message.with_reset(&ResetType::All, &mut out).is_err() {
            assert!(out.is_empty());
        }
        out.clear();
        if message.rerouted(&mut out).is_err() {
            assert!(out.is_empty());
        }
    }
    assert!(whole > count / 10, "only {whole} were still whole");
}
