use crate::{Address, Service, Tables};

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

/// The endpoint that consistent hashing (Maglev) gives `hash`: an index in `TARGETS`; `None` where no endpoint is up.
#[inline(always)]
pub(crate) fn choose<T: Tables>(tables: &T, service: &Service, hash: u32) -> Option<u32> {
    let slot = hash.checked_rem(service.slots)?;
    tables.maglev(service.maglev.wrapping_add(slot))
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
