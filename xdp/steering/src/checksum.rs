//! Internet checksums, incrementally (RFC 1624).
//!
//! Sums are taken over words as they lie in memory: the one's complement sum does not mind the byte order
//! as long as all agree.

/// How a sum changes when words are replaced: `!old + new`, summed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Delta(u64);

impl Delta {
    /// Replaces words whose sum is `old` (of `words` 32-bit words) by words whose sum is `new`.
    #[inline(always)]
    pub(crate) const fn words(self, words: u32, old: u64, new: u64) -> Self {
        // The complement of each word, summed, is words * 0xffff_ffff - old.
        Self(self.0 + (words as u64 * 0xffff_ffff - old) + new)
    }

    /// Replaces one 32-bit word.
    #[inline(always)]
    pub(crate) const fn word(self, old: u32, new: u32) -> Self {
        Self(self.0 + !old as u64 + new as u64)
    }

    /// Replaces a 16-bit number.
    #[inline(always)]
    pub(crate) const fn number(self, old: u16, new: u16) -> Self {
        Self(self.0 + (!old).to_be() as u64 + new.to_be() as u64)
    }

    /// Replaces a 16-bit number, as it lies in the packet.
    #[inline(always)]
    pub(crate) const fn lane(self, old: [u8; 2], new: [u8; 2]) -> Self {
        Self(self.0 + !u16::from_ne_bytes(old) as u64 + u16::from_ne_bytes(new) as u64)
    }

    /// Takes one from a time to live that is not zero: the high byte of its 16-bit number.
    #[inline(always)]
    pub(crate) const fn one_hop(self) -> Self {
        Self(self.0 + !u16::from_ne_bytes([1, 0]) as u64)
    }

    /// The same of what lies one byte further: every byte is the other half of its lane.
    #[inline(always)]
    pub(crate) const fn moved(self) -> Self {
        Self(fold(self.0).swap_bytes() as u64)
    }

    /// The change by both.
    #[inline(always)]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The checksum that `check` (as it lies in the packet) becomes.
    #[inline(always)]
    pub(crate) const fn apply(self, check: [u8; 2]) -> [u8; 2] {
        let old = !u16::from_ne_bytes(check);
        (!fold(self.0 + old as u64)).to_ne_bytes()
    }

    /// As [`Delta::apply`] of a UDP checksum that is not zero: what would become zero becomes its other form, all ones
    /// (RFC 768). Taken from a multiple of 65,535 the sum is its own complement, and a sum above zero folds to one.
    #[inline(always)]
    pub(crate) const fn apply_udp(self, check: [u8; 2]) -> [u8; 2] {
        const MULTIPLE: u64 = 0xffff << 22;
        fold(u16::from_ne_bytes(check) as u64 + (MULTIPLE - self.0)).to_ne_bytes()
    }
}

/// Folds a sum of lanes, below 2^40, to 16 bits.
#[inline(always)]
pub(crate) const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    // Now at most one above 16 bits, and then nothing below that it could carry over again.
    (sum + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::{Delta, fold};

    fn whole(bytes: &[u8]) -> [u8; 2] {
        let sum = bytes.chunks(2).map(|pair| u64::from(u16::from_ne_bytes([pair[0], pair[1]]))).sum();
        (!fold(sum)).to_ne_bytes()
    }

    #[test]
    fn the_example_of_rfc_1624_section_4() {
        // A field of 0x5555 becomes 0x3285; the checksum 0xdd2f becomes 0x0000.
        assert_eq!(Delta::default().number(0x5555, 0x3285).apply([0xdd, 0x2f]), [0, 0]);
    }

    #[test]
    fn a_udp_checksum_is_never_zero() {
        // RFC 1624's example again: its 0x0000 means none in UDP.
        assert_eq!(Delta::default().number(0x5555, 0x3285).apply_udp([0xdd, 0x2f]), [0xff, 0xff]);
        bolero::check!().with_type::<([u8; 2], [u32; 4])>().for_each(|(check, [a, b, c, d])| {
            let delta = Delta::default().word(*a, *b).words(1, u64::from(*c), u64::from(*d));
            if *check != [0, 0] {
                let want = delta.apply(*check);
                assert_eq!(delta.apply_udp(*check), if want == [0, 0] { [0xff, 0xff] } else { want });
            }
        });
    }

    #[test]
    fn agrees_with_the_whole_sum() {
        bolero::check!().with_type::<([u8; 12], [u8; 4], u16)>().for_each(|(old, word, number)| {
            let mut new = *old;
            new[4..8].copy_from_slice(word);
            new[10..].copy_from_slice(&number.to_be_bytes());
            let lane = |bytes: &[u8; 12]| u64::from(u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]));
            let delta = Delta::default()
                .words(1, lane(old), lane(&new))
                .number(u16::from_be_bytes([old[10], old[11]]), *number);
            let (got, want) = (delta.apply(whole(old)), whole(&new));
            // Zero has two forms in one's complement; a sum of nothing but zeros shows the other.
            assert!(got == want || (new == [0; 12]), "{got:?} {want:?}");
        });
    }

    #[test]
    fn agrees_where_a_word_is_at_an_odd_place() {
        bolero::check!().with_type::<([u8; 12], [u8; 4])>().for_each(|(old, word)| {
            let mut new = *old;
            new[3..7].copy_from_slice(word);
            let lane = |bytes: &[u8; 12]| u32::from_ne_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]);
            let delta = Delta::default().word(lane(old), lane(&new)).moved();
            let (got, want) = (Delta::default().and(delta).apply(whole(old)), whole(&new));
            assert!(got == want || (new == [0; 12]), "{got:?} {want:?}");
        });
    }
}
