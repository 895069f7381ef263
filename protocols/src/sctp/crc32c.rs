//! CRC32c, Castagnoli's polynomial, reflected (RFC 9260 appendix A).

use super::HEADER_LENGTH;

/// The CRC32c of `bytes`: all ones to begin with, all bits inverted at the end.
pub fn crc32c(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}

/// The CRC32c of a packet, its checksum field taken as zero; 0 where the header is not whole.
pub(super) fn of_packet(packet: &[u8]) -> u32 {
    let (Some([s0, s1, d0, d1, v0, v1, v2, v3]), Some(after)) =
        (packet.first_chunk(), packet.get(HEADER_LENGTH..))
    else {
        return 0;
    };
    let header = [*s0, *s1, *d0, *d1, *v0, *v1, *v2, *v3, 0, 0, 0, 0];
    ::crc32c::crc32c_append(crc32c(&header), after)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The polynomial, bits reversed.
    const POLYNOMIAL: u32 = 0x82f6_3b78;

    /// The check value of CRC-32/ISCSI in the catalogue of parametrised CRC algorithms, and the
    /// test vectors of RFC 3720 B.4.
    #[test]
    fn published_vectors() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let mut rising = [0; 32];
        for (byte, value) in rising.iter_mut().zip(0..) {
            *byte = value;
        }
        assert_eq!(crc32c(&rising), 0x46dd_794e);
    }

    /// It agrees with dividing one bit at a time.
    #[test]
    fn agrees_with_bitwise_division() {
        bolero::check!().for_each(|bytes| {
            let mut crc = !0_u32;
            for &byte in bytes {
                crc ^= u32::from(byte);
                for _ in 0..8 {
                    crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
                }
            }
            assert_eq!(crc32c(bytes), !crc);
        });
    }
}
