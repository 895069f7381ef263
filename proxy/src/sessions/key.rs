use pinion_steering::{Address, PinKey, mix};

/// Into how many parts the table is cut.
pub(super) const SHARDS: usize = 16;

/// A [`PinKey`] that has an order: what pages and cursors go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    address: Address,
    teid: u32,
}

impl Key {
    /// The shard that it is in.
    pub(super) fn shard(self) -> usize {
        let hash = self.address.0.iter().fold(self.teid, |hash, word| mix(hash, *word));
        hash as usize % SHARDS
    }
}

impl From<PinKey> for Key {
    fn from(key: PinKey) -> Self {
        Self { address: key.address, teid: key.teid }
    }
}

impl From<Key> for PinKey {
    fn from(key: Key) -> Self {
        Self { address: key.address, teid: key.teid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_keys_fill_all_shards_alike() {
        let mut counts = [0_u32; SHARDS];
        for teid in 0..16_000 {
            counts[Key { address: Address::v4([192, 0, 2, 1]), teid }.shard()] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
