//! Maglev tables: consistent hashing with even shares (Eisenbud et al., NSDI 2016, section 3.4), weighted.

use pinion_steering::mix;

/// An endpoint of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What the table's slots will hold: the endpoint's index in `TARGETS`.
    pub target: u32,
    /// A number that stays with the endpoint over reloads; its place in the table depends on it alone.
    pub seed: u32,
    /// Its share relative to the others; 0 takes no part.
    pub weight: u32,
}

/// The length of a table: the least prime of at least a hundred slots for each member.
#[must_use]
pub fn length(members: usize) -> u32 {
    let least = u32::try_from(members.max(1)).unwrap_or(u32::MAX / 200).saturating_mul(100);
    (least..).find(|number| is_prime(*number)).unwrap_or(least)
}

/// Fills a table of `length` slots (a prime). Empty where no member has a weight.
///
/// In every round a member takes the next free slot of its own permutation; a member with the greatest weight
/// takes one in each round, one with half of it in every second.
#[must_use]
pub fn table(members: &[Member], length: u32) -> Vec<u32> {
    let greatest = members.iter().map(|member| member.weight).max().unwrap_or(0);
    if greatest == 0 || length < 2 {
        return Vec::new();
    }
    // The order of members must not matter: slots are contended for in the order of their seeds.
    let mut order: Vec<Walk> =
        members.iter().filter(|member| member.weight > 0).map(|m| Walk::new(m, length)).collect();
    order.sort_by_key(|walk| (walk.member.seed, walk.member.target));
    let mut slots: Vec<Option<u32>> = vec![None; length as usize];
    let mut free = length;
    while free > 0 {
        for walk in &mut order {
            walk.credit = walk.credit.saturating_add(walk.member.weight);
            if walk.credit < greatest || free == 0 {
                continue;
            }
            walk.credit -= greatest;
            if walk.take(&mut slots, length) {
                free -= 1;
            }
        }
    }
    slots.into_iter().flatten().collect()
}

/// A member on its way through its permutation of the slots.
struct Walk {
    member: Member,
    at: u32,
    skip: u32,
    credit: u32,
}

impl Walk {
    fn new(member: &Member, length: u32) -> Self {
        let at = mix(0x6d61_676c, member.seed) % length;
        let skip = mix(0x736b_6970, member.seed) % (length - 1) + 1;
        Self { member: *member, at, skip, credit: 0 }
    }

    /// Takes the next free slot; `false` where none is left, after a whole round.
    fn take(&mut self, slots: &mut [Option<u32>], length: u32) -> bool {
        for _ in 0..length {
            let at = self.at as usize;
            self.at = ((u64::from(self.at) + u64::from(self.skip)) % u64::from(length)) as u32;
            if let Some(slot @ None) = slots.get_mut(at) {
                *slot = Some(self.member.target);
                return true;
            }
        }
        false
    }
}

fn is_prime(number: u32) -> bool {
    number >= 2 && (2..).take_while(|d| d * d <= number).all(|d| !number.is_multiple_of(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(count: u32) -> Vec<Member> {
        (0..count).map(|n| Member { target: n, seed: 7 * n + 1, weight: 1 }).collect()
    }

    fn share(table: &[u32], target: u32) -> f64 {
        table.iter().filter(|slot| **slot == target).count() as f64 / table.len() as f64
    }

    #[test]
    fn lengths_are_primes_of_a_hundred_for_each() {
        assert_eq!([length(0), length(1), length(3), length(1024)], [101, 101, 307, 102_407]);
    }

    #[test]
    fn shares_follow_weights() {
        let mut members = members(4);
        members[2].weight = 3;
        let table = table(&members, length(4));
        assert_eq!(table.len(), length(4) as usize);
        assert!((share(&table, 2) - 0.5).abs() < 0.01, "{}", share(&table, 2));
        assert!((share(&table, 0) - 1.0 / 6.0).abs() < 0.01);
    }

    #[test]
    fn losing_one_of_ten_moves_few_others() {
        let all = members(10);
        let before = table(&all, 10_007);
        let after = table(&all[..9], 10_007);
        let moved = before.iter().zip(&after).filter(|(b, a)| **b != 9 && b != a).count();
        // The paper's figure 12 shows a few per cent at this ratio of slots to members.
        assert!(moved < 500, "{moved} of 9,000 slots moved without need");
    }

    #[test]
    fn order_does_not_matter_and_none_is_empty() {
        let mut members = members(5);
        let before = table(&members, 503);
        members.reverse();
        assert_eq!(table(&members, 503), before);
        assert!(table(&[], 101).is_empty());
        assert!(table(&[Member { target: 1, seed: 1, weight: 0 }], 101).is_empty());
    }

    #[test]
    fn every_slot_is_taken_by_a_member() {
        bolero::check!().with_type::<Vec<(u8, u8)>>().for_each(|weights| {
            let members: Vec<Member> = weights
                .iter()
                .take(16)
                .enumerate()
                .map(|(n, (seed, weight))| Member {
                    target: n as u32,
                    seed: u32::from(*seed),
                    weight: u32::from(*weight % 8),
                })
                .collect();
            let table = table(&members, length(members.len()));
            let any = members.iter().any(|member| member.weight > 0);
            assert_eq!(table.len(), if any { length(members.len()) as usize } else { 0 });
            assert!(table.iter().all(|slot| members[*slot as usize].weight > 0));
        });
    }
}
