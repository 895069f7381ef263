//! SCTP's checksum (RFC 9260 appendix A) corrected instead of computed.
//!
//! CRC32c is linear: a 4-byte word that changes from `old` to `new` with `behind` bytes from its beginning to
//! the end of the packet changes the checksum by `(old ^ new) * x^(8 * behind)`, a product in GF(2)[x] modulo
//! the Castagnoli polynomial. With the powers in a table that is one carry-less multiplication, whatever the
//! packet's length; and a packet that came with a wrong checksum leaves with a wrong one.

/// The polynomial, bit-reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `POWERS[k]` is `x^(32k)`, for packets of up to 9,212 bytes.
pub const POWERS: [u32; 2304] = powers();

#[allow(clippy::indexing_slicing, reason = "runs while compiling, within the bounds of its loop")]
const fn powers() -> [u32; 2304] {
    let mut powers = [0; 2304];
    // Bit-reversed: the top bit is x^0.
    let mut power = 0x8000_0000;
    let mut index = 0;
    while index < powers.len() {
        powers[index] = power;
        let mut bit = 0;
        while bit < 32 {
            power = times_x(power);
            bit += 1;
        }
        index += 1;
    }
    powers
}

#[inline(always)]
const fn times_x(value: u32) -> u32 {
    (value >> 1) ^ (POLYNOMIAL & (value & 1).wrapping_neg())
}

/// `BYTES[b]` is the residue of the byte `b` times `x^32`.
static BYTES: [u32; 256] = bytes();

#[allow(clippy::indexing_slicing, reason = "runs while compiling, within the bounds of its loop")]
const fn bytes() -> [u32; 256] {
    let mut bytes = [0; 256];
    let mut index = 0;
    while index < bytes.len() {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = times_x(value);
            bit += 1;
        }
        bytes[index] = value;
        index += 1;
    }
    bytes
}

/// The product of two residues, both bit-reversed.
#[inline(always)]
#[must_use]
pub fn multiply(a: u32, b: u32) -> u32 {
    // Bit-reversed, the 63 bits of the product lie one bit too low: the upper half is the residue's own.
    let product = carry_less(a, b) << 1;
    let mut low = product as u32;
    let mut byte = 0;
    while byte < 4 {
        low = (low >> 8) ^ BYTES.get((low & 0xff) as usize).copied().unwrap_or_default();
        byte += 1;
    }
    (product >> 32) as u32 ^ low
}

/// The product of two polynomials over GF(2), by integer multiplication: of every four bits one is taken, so that
/// what is carried, at most eight ones, does not reach the next.
#[inline(always)]
const fn carry_less(a: u32, b: u32) -> u64 {
    const HOLES: u64 = 0x1111_1111_1111_1111;
    let (a, b) = (a as u64, b as u64);
    let (a0, a1, a2, a3) = (a & HOLES, a & (HOLES << 1), a & (HOLES << 2), a & (HOLES << 3));
    let (b0, b1, b2, b3) = (b & HOLES, b & (HOLES << 1), b & (HOLES << 2), b & (HOLES << 3));
    let p0 = a0.wrapping_mul(b0) ^ a1.wrapping_mul(b3) ^ a2.wrapping_mul(b2) ^ a3.wrapping_mul(b1);
    let p1 = a0.wrapping_mul(b1) ^ a1.wrapping_mul(b0) ^ a2.wrapping_mul(b3) ^ a3.wrapping_mul(b2);
    let p2 = a0.wrapping_mul(b2) ^ a1.wrapping_mul(b1) ^ a2.wrapping_mul(b0) ^ a3.wrapping_mul(b3);
    let p3 = a0.wrapping_mul(b3) ^ a1.wrapping_mul(b2) ^ a2.wrapping_mul(b1) ^ a3.wrapping_mul(b0);
    (p0 & HOLES) | (p1 & (HOLES << 1)) | (p2 & (HOLES << 2)) | (p3 & (HOLES << 3))
}

/// What to XOR into the checksum field, read as a little-endian number, when the word `old` becomes `new`
/// (both as little-endian numbers) and `behind` bytes, a multiple of four, lie between the word's beginning
/// and the end of the packet. `None` where the packet is longer than the table reaches.
#[inline(always)]
pub(crate) fn correction<T: crate::Tables>(tables: &T, old: u32, new: u32, behind: usize) -> Option<u32> {
    let power = tables.power(behind / 4)?;
    Some(tables.multiply(old ^ new, power))
}

#[cfg(test)]
mod tests {
    use super::{POWERS, multiply};

    /// Bit by bit, as RFC 9260 appendix A defines it.
    fn crc32c(bytes: &[u8]) -> u32 {
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = super::times_x(crc);
            }
        }
        !crc
    }

    #[test]
    fn the_reference_is_right() {
        // RFC 3720 B.4: 32 bytes of zeros, of ones, and ascending.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&core::array::from_fn::<u8, 32, _>(|i| i as u8)), 0x46dd_794e);
    }

    #[test]
    fn correcting_is_computing() {
        bolero::check!().with_type::<([u8; 64], u8, u32)>().for_each(|(old, at, word)| {
            let at = usize::from(*at % 16) * 4;
            let mut new = *old;
            new[at..at + 4].copy_from_slice(&word.to_le_bytes());
            let before = u32::from_le_bytes([old[at], old[at + 1], old[at + 2], old[at + 3]]);
            let correction = multiply(before ^ word, POWERS[(64 - at) / 4]);
            assert_eq!(crc32c(old) ^ correction, crc32c(&new));
        });
    }
}
