//! Serial number arithmetic (RFC 1982) for TSNs and stream sequence numbers (RFC 9260 1.6).

/// Whether TSN `a` comes before `b`.
pub(super) fn before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

/// Whether TSN `a` is `b` or comes before it.
pub(super) fn at_most(a: u32, b: u32) -> bool {
    a == b || before(a, b)
}

/// Whether stream sequence number `a` comes before `b`.
pub(super) fn before16(a: u16, b: u16) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap() {
        assert!(before(u32::MAX, 0) && !before(0, u32::MAX) && !before(3, 3));
        assert!(at_most(3, 3) && at_most(3, 4) && !at_most(4, 3));
        assert!(before16(u16::MAX, 2) && !before16(2, u16::MAX));
    }
}
