//! CRC32c, Castagnoli's polynomial, reflected (RFC 9260 appendix A).

use super::HEADER_LENGTH;

/// The polynomial, bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `TABLES[k][b]` is what byte `b` does to the remainder when `k` zero bytes follow it.
static TABLES: [[u32; 256]; 8] = tables();

/// The CRC32c of `bytes`: all ones to begin with, all bits inverted at the end.
pub fn crc32c(bytes: &[u8]) -> u32 {
    !update(!0, bytes)
}

/// The CRC32c of a packet, its checksum field taken as zero; 0 where the header is not whole.
pub(super) fn of_packet(packet: &[u8]) -> u32 {
    let (Some(before), Some(after)) = (packet.get(..8), packet.get(HEADER_LENGTH..)) else {
        return 0;
    };
    !update(update(update(!0, before), &[0; 4]), after)
}

fn update(mut crc: u32, bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in words {
        let [w, x, y, z] = (crc ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
        crc =
            step(7, w) ^ step(6, x) ^ step(5, y) ^ step(4, z) ^ step(3, e) ^ step(2, f) ^ step(1, g) ^ step(0, h);
    }
    for &byte in rest {
        let [low, ..] = crc.to_le_bytes();
        crc = (crc >> 8) ^ step(0, low ^ byte);
    }
    crc
}

fn step(table: usize, byte: u8) -> u32 {
    TABLES.get(table).and_then(|table| table.get(usize::from(byte))).copied().unwrap_or_default()
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler: an index out of range is a build error")]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let previous = tables[table - 1][byte];
            tables[table][byte] = (previous >> 8) ^ tables[0][(previous & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Eight bytes at a time and one bit at a time agree.
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
