//! Which endpoint a new session gets.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// Which endpoint a new session gets, of those that take it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// The one with the fewest sessions for its weight; one that says how loaded it is counts as so much fuller.
    #[default]
    LeastSessions,
    /// By consistent hashing of what the session is told from others by.
    Hash,
    /// One after the other, by weight.
    RoundRobin,
}

/// An endpoint that takes the session.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its number.
    pub number: u16,
    /// Its name, `POOL/NAME`: what hashing tells endpoints apart by.
    pub name: &'a str,
    /// Its share relative to others of its group; 0 gets none.
    pub weight: u32,
    /// Its group: the lowest number with an endpoint that takes sessions gets them.
    pub priority: u8,
    /// How many sessions it has.
    pub sessions: u32,
    /// Percent of its capacity that it says is in use.
    pub load: u8,
}

/// Chooses among candidates; none where none of them has a weight. `turn`: how many sessions were placed before; `key`: what hashing goes by.
#[must_use]
pub fn choose(placement: Placement, candidates: &[Candidate<'_>], turn: u64, key: u64) -> Option<u16> {
    let group = candidates.iter().filter(|it| it.weight > 0).map(|it| it.priority).min()?;
    let group = || candidates.iter().filter(move |it| it.weight > 0 && it.priority == group);
    let chosen = match placement {
        Placement::LeastSessions => group().min_by_key(|it| {
            let full = (u64::from(it.sessions) + 1) * (100 + u64::from(it.load.min(100)));
            full.saturating_mul(1 << 20) / u64::from(it.weight)
        }),
        Placement::Hash => group().max_by(|a, b| score(a, key).total_cmp(&score(b, key))),
        Placement::RoundRobin => {
            let total: u64 = group().map(|it| u64::from(it.weight)).sum();
            let mut left = turn.checked_rem(total)?;
            group().find(|it| match left.checked_sub(u64::from(it.weight)) {
                Some(less) => {
                    left = less;
                    false
                }
                None => true,
            })
        }
    };
    chosen.map(|it| it.number)
}

/// Weighted rendezvous hashing: when an endpoint goes, the sessions of the others stay where they are.
fn score(candidate: &Candidate<'_>, key: u64) -> f64 {
    let hash = FixedState::with_seed(0).hash_one((candidate.name, key));
    // In (0, 1): 52 bits of the hash, and a half.
    let even = ((hash >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    f64::from(candidate.weight) / -even.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn upf(number: u16, weight: u32, sessions: u32) -> Candidate<'static> {
        let name = ["upfs/a", "upfs/b", "upfs/c"][usize::from(number)];
        Candidate { number, name, weight, priority: 0, sessions, load: 0 }
    }

    fn placed(placement: Placement, upfs: &[Candidate<'_>]) -> HashMap<u16, u32> {
        let mut counts = HashMap::new();
        for turn in 0..6_000 {
            *counts.entry(choose(placement, upfs, turn, turn * 77).unwrap()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn the_emptiest_for_its_weight_gets_the_session() {
        let least = |upfs: &[Candidate<'_>]| choose(Placement::LeastSessions, upfs, 0, 0);
        assert_eq!(least(&[upf(0, 1, 10), upf(1, 1, 9)]), Some(1));
        assert_eq!(least(&[upf(0, 2, 10), upf(1, 1, 9)]), Some(0));
        let busy = Candidate { load: 90, ..upf(1, 1, 9) };
        assert_eq!(least(&[upf(0, 1, 10), busy]), Some(0));
        assert_eq!(least(&[upf(0, 0, 0)]), None);
        assert_eq!(least(&[]), None);
    }

    #[test]
    fn shares_are_as_the_weights() {
        for placement in [Placement::RoundRobin, Placement::Hash] {
            let counts = placed(placement, &[upf(0, 1, 0), upf(1, 2, 0), upf(2, 0, 0)]);
            assert!((1_900..=2_100).contains(&counts[&0]), "{placement:?} {counts:?}");
            assert_eq!(counts.get(&2), None);
        }
    }

    #[test]
    fn an_endpoint_that_goes_moves_no_other_sessions() {
        let upfs = [upf(0, 1, 0), upf(1, 1, 0), upf(2, 1, 0)];
        for key in 0..1_000 {
            let before = choose(Placement::Hash, &upfs, 0, key).unwrap();
            let after = choose(Placement::Hash, &upfs[..2], 0, key).unwrap();
            assert!(before == 2 || before == after, "{key}");
        }
    }

    #[test]
    fn the_first_group_that_has_an_endpoint_gets_the_session() {
        let second = Candidate { priority: 5, ..upf(0, 1, 0) };
        let choose = |upfs: &[Candidate<'_>]| super::choose(Placement::LeastSessions, upfs, 0, 0);
        assert_eq!(choose(&[second, upf(1, 1, 99)]), Some(1));
        assert_eq!(choose(&[second]), Some(0));
    }
}
