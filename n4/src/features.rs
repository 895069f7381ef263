//! What functions can do, said for several at once.

/// Bits of UP Function Features, as [`pinion_protocols::pfcp::Flags`] counts them (TS 29.244 8.2.25).
pub(crate) mod up {
    /// The UPF allocates F-TEIDs.
    pub(crate) const FTUP: usize = 4;
    /// Enhanced release of associations.
    pub(crate) const EPFAR: usize = 15;
    /// Associations of SMF sets.
    pub(crate) const SSET: usize = 19;
    /// Several messages in a datagram.
    pub(crate) const BUNDL: usize = 22;
    /// Several associations of an SMF set.
    pub(crate) const MPAS: usize = 24;
}

/// Bits of CP Function Features (TS 29.244 8.2.58).
pub(crate) mod cp {
    pub(super) const LOAD: usize = 0;
    pub(super) const OVRL: usize = 1;
    /// Enhanced release of associations.
    pub(crate) const EPFAR: usize = 2;
    pub(super) const SSET: usize = 3;
    pub(super) const BUNDL: usize = 4;
    pub(super) const MPAS: usize = 5;
}

/// What an SMF is told that its UPF can do: what all UPFs can, but for what would have to pass by the balancer; it
/// takes bundles apart itself.
pub(crate) fn of_upfs<'a>(upfs: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut features = all(upfs);
    set(&mut features, up::SSET, false);
    set(&mut features, up::MPAS, false);
    set(&mut features, up::BUNDL, true);
    features
}

/// What a UPF is told that its SMF can do: what all SMFs can, and what the balancer does in their stead.
pub(crate) fn of_smfs<'a>(smfs: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut features = all(smfs);
    for bit in [cp::LOAD, cp::OVRL, cp::BUNDL] {
        set(&mut features, bit, true);
    }
    set(&mut features, cp::SSET, false);
    set(&mut features, cp::MPAS, false);
    features
}

/// Whether a bit is set.
pub(crate) fn has(features: &[u8], bit: usize) -> bool {
    features.get(bit / 8).is_some_and(|octet| octet >> (bit % 8) & 1 != 0)
}

/// Whether CP features say that load is understood.
pub(crate) fn wants_load(features: &[u8]) -> bool {
    has(features, cp::LOAD)
}

/// Whether CP features say that overload is understood.
pub(crate) fn wants_overload(features: &[u8]) -> bool {
    has(features, cp::OVRL)
}

/// What all can.
pub(crate) fn all<'a>(mut each: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let first = each.next().unwrap_or_default().to_vec();
    each.fold(first, |mut all, one| {
        all.truncate(one.len());
        all.iter_mut().zip(one).for_each(|(all, one)| *all &= one);
        all
    })
}

fn set(features: &mut Vec<u8>, bit: usize, on: bool) {
    if on && features.len() <= bit / 8 {
        features.resize(bit / 8 + 1, 0);
    }
    if let Some(octet) = features.get_mut(bit / 8) {
        let mask = 1 << (bit % 8);
        *octet = if on { *octet | mask } else { *octet & !mask };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TS 29.244 8.2.25: FTUP is bit 5 of octet 5, EPFAR bit 8 of octet 6, SSET bit 4, BUNDL bit 7 of octet 7, MPAS bit 1
    /// of octet 8.
    #[test]
    fn smfs_are_told_what_all_upfs_can() {
        let rich: &[u8] = &[0x10, 0x80, 0x0c, 0x01];
        let poor: &[u8] = &[0x90, 0x00, 0x08];
        assert_eq!(of_upfs([rich, poor].into_iter()), [0x10, 0x00, 0x40]);
        assert_eq!(of_upfs([rich].into_iter()), [0x10, 0x80, 0x44, 0x00]);
        assert_eq!(of_upfs([].into_iter()), [0, 0, 0x40]);
        assert!(has(rich, up::FTUP) && has(rich, up::EPFAR) && !has(poor, up::EPFAR));
    }

    /// TS 29.244 8.2.58: LOAD, OVRL, EPFAR, SSET, BUNDL, MPAS are bits 1 to 6 of octet 5.
    #[test]
    fn upfs_are_told_what_all_smfs_can_and_what_the_balancer_does() {
        assert_eq!(of_smfs([].into_iter()), [0b01_0011]);
        assert_eq!(of_smfs([&[0xff, 1][..], &[0b1100]].into_iter()), [0b01_0111]);
    }
}
