//! Chance for choices: fast, fair, and no secret.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of chance. Copies share it.
#[derive(Clone, Debug)]
pub struct Dice {
    state: Arc<AtomicU64>,
}

/// One that begins where nobody knows.
impl Default for Dice {
    fn default() -> Self {
        Self::new(RandomState::new().hash_one(0_u8))
    }
}

impl Dice {
    /// One that begins anywhere.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: Arc::new(AtomicU64::new(seed)) }
    }

    /// A number below `bound`, each as likely as another; 0 where there is none below.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        // SplitMix64: one addition for the state, and a mix of it that is a permutation.
        let state = self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let number = mixed ^ mixed >> 31;
        // The high half of the product is below the bound (Lemire), with no division.
        u64::try_from((u128::from(number) * u128::from(bound)) >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_as_likely() {
        let dice = Dice::new(7);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[usize::try_from(dice.below(10)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| (900..1_100).contains(count)), "{seen:?}");
        assert_eq!(dice.below(0), 0);
    }
}
