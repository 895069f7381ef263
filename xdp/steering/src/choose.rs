use crate::{Address, Exhausted, Packet, Placement, Rare, Reason, Round, Service, Step, Tables, Work};

/// Mixes a word into a hash: the multiply-xorshift rounds of MurmurHash3's finaliser.
#[inline(always)]
#[must_use]
pub const fn mix(hash: u32, word: u32) -> u32 {
    let mut h = hash.rotate_left(5) ^ word;
    h ^= h >> 16;
    h = h.wrapping_mul(0x85eb_ca6b);
    h ^= h >> 13;
    h = h.wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// Mixes an address into a hash, word by word: networks that are numbered alike in two words must not cancel out.
#[inline(always)]
pub(crate) const fn mix_address(hash: u32, address: &Address) -> u32 {
    let [a, b, c, d] = address.0;
    mix(mix(mix(mix(hash, a), b), c), d)
}

/// Most endpoints of a pool.
pub const MOST: u32 = 1024;

/// What tells a new session from others, hashed.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    /// All of it.
    pub(crate) whole: u32,
    /// The client's address alone.
    pub(crate) client: u32,
}

/// How far the search for the endpoint with the fewest sessions has come.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Search {
    /// The slot that the next round looks at.
    at: u32,
    /// First slot behind the service's block.
    end: u32,
    /// The best endpoint so far.
    target: u32,
    /// How many sessions it would have with this one; 0 where none is found yet.
    sessions: u32,
    /// Its weight.
    weight: u32,
}

/// The endpoint that the service's placement gives a new session: an index in `TARGETS`; `None` where none takes one.
#[inline(always)]
pub(crate) fn choose<P: Packet, T: Tables>(
    packet: &mut P,
    tables: &T,
    work: &mut Work,
    service: &Service,
    session: Session,
) -> Option<u32> {
    if service.placement == Placement::LeastSessions as u8 {
        let end = service.maglev.wrapping_add(service.slots);
        work.search = Search { at: service.maglev, end, ..Search::default() };
        packet.repeat(MOST, Round::Least, tables, work);
        return (work.search.sessions != 0).then_some(work.search.target);
    }
    let number = if service.placement == Placement::RoundRobin as u8 && service.slots != 0 {
        tables.turn(service.id)
    } else if service.placement == Placement::SourceAffinity as u8 {
        session.client
    } else {
        session.whole
    };
    tables.maglev(service.maglev.wrapping_add(number.checked_rem(service.slots)?))
}

/// An endpoint for a packet that begins no session: the same for the same hash, and nobody's turn is taken for it.
#[inline(always)]
pub(crate) fn likely<T: Tables>(tables: &T, service: &Service, session: Session) -> Option<u32> {
    let number = if service.placement == Placement::SourceAffinity as u8 { session.client } else { session.whole };
    let slot = number.checked_rem(service.slots)?;
    // A block of pairs begins each with its target.
    let slot = if service.placement == Placement::LeastSessions as u8 { slot & !1 } else { slot };
    tables.maglev(service.maglev.wrapping_add(slot))
}

/// Looks at one endpoint: a pair of target and weight in the arena. Fewer sessions for the weight win, this one
/// counted in; of equals the first.
#[inline(always)]
pub(crate) fn least<T: Tables>(tables: &T, work: &mut Work) -> bool {
    let search = &mut work.search;
    if search.at >= search.end {
        return false;
    }
    let (Some(target), Some(weight)) = (tables.maglev(search.at), tables.maglev(search.at.wrapping_add(1))) else {
        return false;
    };
    search.at = search.at.wrapping_add(2);
    let sessions = tables.sessions(target).saturating_add(1);
    if search.sessions == 0 || sessions as u64 * (search.weight as u64) < search.sessions as u64 * weight as u64 {
        search.target = target;
        search.sessions = sessions;
        search.weight = weight;
    }
    true
}

/// What becomes of a new session that no endpoint takes.
#[inline(always)]
pub(crate) const fn exhausted(service: &Service) -> Step {
    if service.exhausted == Exhausted::Reject as u8 {
        Step::rare(Rare::Reject)
    } else {
        Step::drop(Reason::NoEndpoint)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::HashSet;
    use std::net::{IpAddr, Ipv6Addr};

    use super::mix_address;
    use crate::Address;

    /// Paths and hosts numbered alike, as plans do: fd00:1:1::2, fd00:2:2::2.
    #[test]
    fn planned_networks_hash_apart() {
        let numbers = 1..=16_u16;
        let addresses = numbers.clone().flat_map(|path| {
            numbers.clone().map(move |host| IpAddr::from(Ipv6Addr::new(0xfd00, path, host, 0, 0, 0, 0, 2)))
        });
        let hashes: HashSet<u32> = addresses.map(|address| mix_address(0, &Address::from(address))).collect();
        assert_eq!(hashes.len(), 256);
    }
}
