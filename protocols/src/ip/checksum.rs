/// The Internet checksum of parts, one after the other (RFC 1071); 0 where they have the right one already. Every part
/// but the last has an even length, and all together fit an IP packet.
#[must_use]
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        let (words, last) = part.as_chunks();
        for word in words {
            sum = sum.wrapping_add(u16::from_be_bytes(*word).into());
        }
        if let [last] = last {
            sum = sum.wrapping_add(u32::from(*last) << 8);
        }
    }
    while sum > 0xffff {
        sum = (sum >> 16).wrapping_add(sum & 0xffff);
    }
    !u16::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 1071 3: the sum of these is ddf2.
    #[test]
    fn rfc1071_3_the_checksum_is_the_complement_of_the_sum() {
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03], &[0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(checksum(&[&[0xff], &[]]), 0x00ff);
    }
}
