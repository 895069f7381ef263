//! Numbers that nobody can guess who does not know the seed.

use sha2::{Digest, Sha256};

/// SHA-256 of the seed and a counter, eight 32-bit numbers at a time.
#[derive(Clone, Debug)]
pub(super) struct Random {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Random {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0, block: [0; 32], used: 32 }
    }

    pub(super) fn u32(&mut self) -> u32 {
        if self.used >= self.block.len() {
            self.refill();
        }
        let number = crate::bytes::u32_at(&self.block, self.used).unwrap_or_default();
        self.used = self.used.saturating_add(4);
        number
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from(self.u32()) << 32 | u64::from(self.u32())
    }

    /// A verification tag: anything but 0 (RFC 9260 5.3.1).
    pub(super) fn tag(&mut self) -> u32 {
        loop {
            let tag = self.u32();
            if tag != 0 {
                return tag;
            }
        }
    }

    /// Evenly among `0..limit`, near enough; 0 where the limit is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.u64().checked_rem(limit).unwrap_or_default()
    }

    fn refill(&mut self) {
        let mut hash = Sha256::new();
        hash.update(b"pinion random");
        hash.update(self.seed);
        hash.update(self.counter.to_be_bytes());
        self.block = hash.finalize().into();
        self.counter = self.counter.wrapping_add(1);
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_it_all() {
        let numbers = |seed| {
            core::array::from_fn::<u32, 20, _>(|_| 0).map({
                let mut random = Random::new([seed; 32]);
                move |_| random.u32()
            })
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        assert_ne!(numbers(1)[..8], numbers(1)[8..16]);
    }
}
