//! Chance, and messages that it damages: for tests of front ends, behind the feature `damage`.

use crate::random::Random;

/// What happens by chance, as a seed repeats it.
#[derive(Clone, Debug)]
pub struct Dice(Random);

impl Dice {
    /// What this seed repeats.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// A number below this one; 0 below 0.
    pub fn below(&mut self, most: usize) -> usize {
        self.0.word() as usize % most.max(1)
    }

    /// Changes, cuts, repeats or adds octets at one place or some.
    pub fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = at.saturating_add(self.below(12)).saturating_add(1).min(bytes.len());
            match (self.below(8), bytes.get_mut(at)) {
                (0..=2, Some(octet)) => *octet ^= 1 << self.below(8),
                (3, Some(octet)) => *octet = self.0.word().to_be_bytes()[0],
                (4, _) => bytes.truncate(at),
                (5, _) => drop(bytes.drain(at..end)),
                (6, _) => {
                    let again = bytes.get(at..end).unwrap_or_default().to_vec();
                    bytes.splice(at..at, again);
                }
                _ => bytes.insert(at, [0, 1, 0xff].get(self.below(3)).copied().unwrap_or_default()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Each kind of damage comes, to a message and to none.
    #[test]
    fn messages_are_damaged_in_many_ways() {
        let whole: Vec<u8> = (0..32).collect();
        let mut dice = Dice::new(1);
        let damaged = (0..1_000).map(|_| {
            let mut bytes = whole.clone();
            dice.damage(&mut bytes);
            bytes
        });
        let damaged: HashSet<Vec<u8>> = damaged.collect();
        assert!(damaged.len() > 900, "{}", damaged.len());
        for is in [usize::lt, usize::eq, usize::gt] {
            assert!(damaged.iter().any(|bytes| *bytes != whole && is(&bytes.len(), &whole.len())));
        }
        let mut nothing = Vec::new();
        assert!((0..100).any(|_| {
            dice.damage(&mut nothing);
            !nothing.is_empty()
        }));
    }
}
