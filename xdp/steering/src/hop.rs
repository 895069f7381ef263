//! Next hops: cached for each CPU, asked again when an entry is a tick old.
//!
//! The cache is direct-mapped by destination address; for requests also by the target's index, with the target itself,
//! which one look-up then finds with its next hop: while an entry holds, a tick, an index means the same target. A FIB
//! look-up costs more than everything else that is done to a packet; an entry that another destination displaced
//! costs one.

use crate::choose::mix_address;
use crate::{Address, Ask, Face, Facts, MAX_PATHS, NextHop, Plan, Route, Tables};

/// Entries of the cache, for each CPU; a power of two.
pub const SLOTS: u32 = 4096;

/// The cache entry that belongs to an address.
#[inline(always)]
#[must_use]
pub const fn slot(destination: &Address) -> u32 {
    // Addresses of one network differ in their last word; one multiplication spreads it well enough.
    let word = destination.0[3] ^ destination.0[2] ^ destination.0[1].rotate_left(7) ^ destination.0[0];
    word.wrapping_mul(0x9e37_79b1) >> (u32::BITS - SLOTS.trailing_zeros())
}

/// The cache entry that belongs to a target as well, by its index in `TARGETS`.
#[inline(always)]
#[must_use]
pub const fn target_slot(index: u32) -> u32 {
    index & (SLOTS - 1)
}

/// How to reach `destination`, if it was asked in this tick and is in `slot`.
#[inline(always)]
pub(crate) fn cached<T: Tables>(tables: &T, now: u32, slot: u32, destination: &Address) -> Option<NextHop> {
    tables.hop(slot).filter(|hop| hop.destination == *destination && hop.asked == now)
}

/// How to reach the target at `index`, and what to rewrite to, if it was asked in this tick.
#[inline(always)]
pub(crate) fn of_target<T: Tables>(tables: &T, now: u32, index: u32) -> Option<NextHop> {
    tables.hop(target_slot(index)).filter(|hop| hop.target == index.wrapping_add(1) && hop.asked == now)
}

/// What [`NextHop::from`] says: the path, and the owner of its addresses by its index in `TARGETS`; not 0.
#[inline(always)]
pub(crate) const fn came_to(from: u32, path: u32) -> u32 {
    from.wrapping_add(1).wrapping_mul(MAX_PATHS as u32).wrapping_add(path)
}

/// Keeps the next hop of a request by its target too.
#[inline(always)]
fn keep_target<T: Tables>(tables: &T, facts: &Facts, plan: &Plan, hop: &mut NextHop) {
    if plan.face == Face::Destination {
        hop.target = plan.index.wrapping_add(1);
        hop.port = plan.to.port.to_be();
        hop.from = plan.from;
        hop.own = facts.destination.0[3];
        tables.keep_hop(target_slot(plan.index), hop);
    }
}

/// How to reach `ask.destination`, written to `hop`: from the cache, or by asking. It is then in both its entries.
#[inline(always)]
pub(crate) fn find<T: Tables>(tables: &T, facts: &Facts, plan: &Plan, ask: &Ask, hop: &mut NextHop) -> Route {
    if let Some(known) = cached(tables, plan.now, slot(&ask.destination), &ask.destination) {
        *hop = known;
        keep_target(tables, facts, plan, hop);
        return if ask.length <= hop.mtu { Route::Via } else { Route::TooBig };
    }
    let route = tables.route(ask, hop);
    if route == Route::Via && tables.keeps_routes() {
        hop.destination = ask.destination;
        hop.asked = plan.now;
        hop.target = 0;
        tables.keep_hop(slot(&ask.destination), hop);
        keep_target(tables, facts, plan, hop);
    }
    route
}

/// The next hop of hosts that have no network: in replays every address is reached through the interface
/// that the packet came in on, by link addresses derived from the address, with the VLAN tag that it came with.
#[must_use]
#[inline(always)]
pub const fn imagined(ask: &Ask, ifindex: u32) -> NextHop {
    let hash = mix_address(0, &ask.destination).to_be_bytes();
    NextHop {
        destination: ask.destination,
        target: 0,
        asked: 0,
        from: 0,
        own: 0,
        ifindex,
        port: 0,
        reserved: 0,
        mtu: u16::MAX,
        vlan: ask.vlan,
        header: NextHop::link([2, 0, hash[0], hash[1], hash[2], hash[3]], [2, 0, 0, 0, 0, 1]),
    }
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, slot};
    use crate::Address;

    #[test]
    fn a_network_of_neighbours_spreads() {
        let mut used = [false; SLOTS as usize];
        for host in 0..=255 {
            used[slot(&Address::v4([10, 0, 0, host])) as usize] = true;
        }
        assert!(used.iter().filter(|used| **used).count() > 240);
    }

    #[test]
    fn never_leaves_the_cache() {
        bolero::check!().with_type::<[u32; 4]>().for_each(|words| assert!(slot(&Address(*words)) < SLOTS));
    }
}
