//! What a service's block in the arena holds, by its placement.

use pinion_steering::Placement;

use crate::maglev::{self, Member};

/// The block of a service; empty where no member has a weight.
pub(crate) fn block(placement: Placement, members: &[Member]) -> Vec<u32> {
    match placement {
        Placement::Maglev | Placement::SourceAffinity => maglev::table(members, maglev::length(members.len())),
        Placement::RoundRobin => turns(members),
        Placement::LeastSessions => {
            let taking = members.iter().filter(|member| member.weight > 0);
            taking.flat_map(|member| [member.target, member.weight]).collect()
        }
    }
}

/// The most slots that a block of so many members has, whatever the placement.
pub(crate) fn most(members: usize) -> u32 {
    maglev::length(members)
}

/// Whose turn it is, in order: each member as often as its weight says, as evenly spread as can be.
///
/// Where the weights' sum is more than [`most`], they are scaled down to it; each keeps a turn.
fn turns(members: &[Member]) -> Vec<u32> {
    let divisor = members.iter().fold(0, |divisor, member| greatest_common_divisor(divisor, member.weight)).max(1);
    let weight = |member: &Member| u64::from(member.weight / divisor);
    let total: u64 = members.iter().map(weight).sum();
    let most = u64::from(most(members.len()));
    // Room for the one turn that everybody keeps.
    let scaled = most.saturating_sub(members.len() as u64);
    // A member's turns are the middles of as many equal parts of the round as it has turns.
    let mut turns: Vec<(u64, u32)> = Vec::new();
    for member in members.iter().filter(|member| member.weight > 0) {
        let wanted = weight(member);
        let count = if total > most { (wanted * scaled / total).max(1) } else { wanted };
        turns.extend((0..count).map(|turn| (((2 * turn + 1) << 32) / count, member.target)));
    }
    turns.sort_by_key(|(at, _)| *at);
    turns.into_iter().map(|(_, target)| target).collect()
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(weights: &[u32]) -> Vec<Member> {
        (0..).zip(weights).map(|(target, weight)| Member { target, seed: target, weight: *weight }).collect()
    }

    #[test]
    fn turns_are_interleaved() {
        assert_eq!(turns(&members(&[1, 1, 1])), [0, 1, 2]);
        assert_eq!(turns(&members(&[4, 2, 0])), [0, 1, 0]);
        assert_eq!(turns(&members(&[5, 1])), [0, 0, 0, 1, 0, 0]);
        assert!(turns(&members(&[0, 0])).is_empty());
        assert!(turns(&[]).is_empty());
    }

    #[test]
    fn great_weights_are_scaled_and_nobody_is_forgotten() {
        let turns = turns(&members(&[u32::MAX, u32::MAX - 1, 1]));
        assert!(turns.len() <= most(3) as usize, "{}", turns.len());
        let count = |target| turns.iter().filter(|turn| **turn == target).count();
        assert_eq!(count(2), 1);
        assert!(count(0).abs_diff(count(1)) <= 1, "{} {}", count(0), count(1));
    }

    #[test]
    fn the_block_of_the_fewest_sessions_is_pairs() {
        assert_eq!(block(Placement::LeastSessions, &members(&[3, 0, 7])), [0, 3, 2, 7]);
    }

    #[test]
    fn a_turn_for_each_unit_of_weight() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|weights| {
            let weights: Vec<u32> = weights.iter().take(24).map(|weight| u32::from(weight % 9)).collect();
            let turns = turns(&members(&weights));
            let divisor = weights.iter().fold(0, |a, b| greatest_common_divisor(a, *b)).max(1);
            for (target, weight) in (0..).zip(&weights) {
                let count = turns.iter().filter(|turn| **turn == target).count();
                assert_eq!(count as u32, weight / divisor);
            }
        });
    }
}
