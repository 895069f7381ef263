/// An IP address of either family, in 16 bytes of network order; IPv4 as `::ffff:a.b.c.d` (RFC 4291 2.5.5.2).
///
/// The words are kept as they lie in memory, so that comparing, hashing and checksumming need no byte swap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct Address(pub [u32; 4]);

/// The third word of an IPv4-mapped address.
const MAPPED: u32 = u32::from_ne_bytes([0, 0, 0xff, 0xff]);

impl Address {
    /// An IPv4 address from its four octets.
    #[inline(always)]
    #[must_use]
    pub const fn v4(octets: [u8; 4]) -> Self {
        Self([0, 0, MAPPED, u32::from_ne_bytes(octets)])
    }

    /// An IPv6 address from its sixteen octets.
    #[inline(always)]
    #[must_use]
    pub const fn v6(o: [u8; 16]) -> Self {
        Self([
            u32::from_ne_bytes([o[0], o[1], o[2], o[3]]),
            u32::from_ne_bytes([o[4], o[5], o[6], o[7]]),
            u32::from_ne_bytes([o[8], o[9], o[10], o[11]]),
            u32::from_ne_bytes([o[12], o[13], o[14], o[15]]),
        ])
    }

    /// Whether it is an IPv4 address.
    #[inline(always)]
    #[must_use]
    pub const fn is_v4(&self) -> bool {
        self.0[0] == 0 && self.0[1] == 0 && self.0[2] == MAPPED
    }

    /// The four octets of an IPv4 address; of an IPv6 address, its last four.
    #[inline(always)]
    #[must_use]
    pub const fn low(&self) -> [u8; 4] {
        self.0[3].to_ne_bytes()
    }

    /// All sixteen octets.
    #[inline(always)]
    #[must_use]
    pub const fn octets(&self) -> [u8; 16] {
        let [a, b, c, d] = self.0;
        let (a, b, c, d) = (a.to_ne_bytes(), b.to_ne_bytes(), c.to_ne_bytes(), d.to_ne_bytes());
        [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3], d[0], d[1], d[2], d[3]]
    }

    /// Whether another one begins with the same bits, so many of the sixteen octets' 128; of an IPv4 prefix these are 96
    /// and its length.
    #[inline(always)]
    #[must_use]
    pub const fn holds(&self, bits: u8, other: &Self) -> bool {
        const fn mask(bits: u8, before: u8) -> u32 {
            let bits = bits.saturating_sub(before) as u32;
            let bits = if bits > 32 { 32 } else { bits };
            if bits == 0 { 0 } else { (u32::MAX << (32 - bits)).to_be() }
        }
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        (a ^ e) & mask(bits, 0) | (b ^ f) & mask(bits, 32) | (c ^ g) & mask(bits, 64) | (d ^ h) & mask(bits, 96)
            == 0
    }

    /// The sum of its 16-bit lanes, for Internet checksums.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn sum(&self) -> u64 {
        self.0[0] as u64 + self.0[1] as u64 + self.0[2] as u64 + self.0[3] as u64
    }

    /// Whether nothing may answer to it: multicast, broadcast, unspecified.
    #[inline(always)]
    #[must_use]
    pub const fn is_unicast(&self) -> bool {
        let first = self.0[0].to_ne_bytes()[0];
        if self.is_v4() {
            let low = self.low();
            low[0] != 0 && low[0] < 224
        } else {
            first != 0xff && (self.0[0] | self.0[1] | self.0[2] | self.0[3]) != 0
        }
    }
}

impl From<core::net::IpAddr> for Address {
    fn from(address: core::net::IpAddr) -> Self {
        match address {
            core::net::IpAddr::V4(v4) => Self::v4(v4.octets()),
            core::net::IpAddr::V6(v6) => Self::v6(v6.octets()),
        }
    }
}

impl From<Address> for core::net::IpAddr {
    fn from(address: Address) -> Self {
        if address.is_v4() { Self::from(address.low()) } else { Self::from(address.octets()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;
    use core::net::IpAddr;

    #[test]
    fn keeps_both_families() {
        for text in ["192.0.2.7", "2001:db8::7", "::", "0.0.0.0"] {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(IpAddr::from(Address::from(ip)), ip);
        }
    }

    #[test]
    fn knows_unicast() {
        let unicast = |text: &str| Address::from(text.parse::<IpAddr>().unwrap()).is_unicast();
        assert!(unicast("198.51.100.1") && unicast("2001:db8::1") && unicast("fe80::1"));
        for other in ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::"] {
            assert!(!unicast(other), "{other}");
        }
    }
}
