//! Random numbers, injected.

use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

/// A source of numbers that a peer cannot guess from those it has seen: a keyed hash of a counter.
#[derive(Clone, Debug)]
pub struct Chance {
    key: [u64; 2],
    drawn: u64,
}

impl Chance {
    /// The same key, the same numbers.
    pub fn keyed(key: [u64; 2]) -> Self {
        Self { key, drawn: 0 }
    }

    /// A key from the operating system.
    pub fn from_system() -> Self {
        Self::keyed([0, 1].map(|half| RandomState::new().hash_one(half)))
    }

    /// The next number, any of 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        let mut hasher = DefaultHasher::new();
        for part in [self.key[0], self.drawn, self.key[1]] {
            hasher.write_u64(part);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_key_gives_its_own_numbers_again() {
        let draw = |key| {
            let mut chance = Chance::keyed(key);
            (0..1000).map(|_| chance.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draw([1, 2]), draw([1, 2]));
        assert_ne!(draw([1, 2]), draw([1, 3]));
        assert_eq!(draw([1, 2]).into_iter().collect::<HashSet<_>>().len(), 1000);
        assert_ne!(Chance::from_system().draw(), Chance::from_system().draw());
    }
}
