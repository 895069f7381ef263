//! The checksums, by their definitions, over all bytes.

/// The Internet checksum (RFC 1071) of `parts`, of which only the last may have an odd length.
#[must_use]
pub fn internet(parts: &[&[u8]]) -> u16 {
    !sum(parts)
}

/// The one's complement sum of the 16-bit words of `parts`.
#[must_use]
pub fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            let high = pair.first().copied().unwrap_or(0);
            let low = pair.get(1).copied().unwrap_or(0);
            sum += u32::from(u16::from_be_bytes([high, low]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
    }
    sum as u16
}

/// CRC32c (RFC 9260 appendix A).
#[must_use]
pub fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        let index = ((crc ^ u32::from(*byte)) & 0xff) as usize;
        crc = (crc >> 8) ^ TABLE.get(index).copied().unwrap_or(0);
    }
    !crc
}

/// What a byte that is shifted out adds; the Castagnoli polynomial is 0x1edc6f41, bit-reversed 0x82f63b78.
static TABLE: [u32; 256] = table();

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which would refuse a wrong index")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{crc32c, internet};

    #[test]
    fn the_examples_of_rfc_3720_b_4() {
        assert_eq!(crc32c(&[&[0; 32]]), 0x8a91_36aa);
        assert_eq!(crc32c(&[&[0xff; 16], &[0xff; 16]]), 0x62a8_ab43);
    }

    #[test]
    fn the_example_of_rfc_1071_section_3() {
        assert_eq!(internet(&[&[0x00, 0x01, 0xf2, 0x03], &[0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(internet(&[&[0x00, 0x01, 0xf2]]), !0xf201);
    }
}
