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

/// Mixes an address into a hash.
#[inline(always)]
pub(crate) const fn mix_address(hash: u32, address: &Address) -> u32 {
    let hash = mix(hash, address.0[0] ^ address.0[1].rotate_left(16));
    mix(mix(hash, address.0[2]), address.0[3])
}

/// The endpoint that consistent hashing (Maglev) gives `hash`: an index in `TARGETS`; `None` where no endpoint is up.
#[inline(always)]
pub(crate) fn choose<T: Tables>(tables: &T, service: &Service, hash: u32) -> Option<u32> {
    let slot = hash.checked_rem(service.slots)?;
    tables.maglev(service.maglev.wrapping_add(slot))
}
