//! Addresses for sample endpoints: of ranges that no network routes, and none that the capture has.

use std::collections::HashSet;

use pinion_steering::{Address, MAX_PATHS};

/// 198.18.0.0/15, for benchmarks (RFC 2544); a quarter of it for each path.
const V4: u32 = 0xc612_0000;
const V4_BITS: u32 = 17;
const QUARTER_BITS: u32 = 15;

/// 2001:db8:ffff::/48, for documentation (RFC 3849); of it 16 bits for each path.
const V6: u128 = 0x2001_0db8_ffff << 80;
const V6_PATH: u32 = 64;
const V6_BITS: u32 = 16;

/// Whether an address may be given to a sample endpoint.
pub(super) fn is_sample(address: &Address) -> bool {
    if address.is_v4() {
        return u32::from_be_bytes(address.low()) >> V4_BITS == V4 >> V4_BITS;
    }
    let bits = u128::from_be_bytes(address.octets());
    (0..).take(MAX_PATHS).any(|path: u128| bits >> V6_BITS == (V6 | path << V6_PATH) >> V6_BITS)
}

/// Gives addresses out, each once.
#[derive(Debug)]
pub(super) struct Samples {
    taken: HashSet<Address>,
    /// The last number given out, for each family and path.
    last: [[u32; MAX_PATHS]; 2],
}

impl Samples {
    /// None of `taken` is given out.
    pub(super) fn new(taken: HashSet<Address>) -> Self {
        Self { taken, last: [[0; MAX_PATHS]; 2] }
    }

    /// The next address of a path, of a family; `None` where there are no more.
    pub(super) fn next(&mut self, path: usize, is_v4: bool) -> Option<Address> {
        let last = self.last.get_mut(usize::from(is_v4))?.get_mut(path)?;
        let bits = if is_v4 { QUARTER_BITS } else { V6_BITS };
        loop {
            *last = last.checked_add(1).filter(|number| number >> bits == 0)?;
            // No address that looks like a network's own, or a broadcast.
            if is_v4 && matches!(*last & 0xff, 0 | 0xff) {
                continue;
            }
            let path = u32::try_from(path).ok()?;
            let address = if is_v4 {
                Address::v4((V4 | path << QUARTER_BITS | *last).to_be_bytes())
            } else {
                Address::v6((V6 | u128::from(path) << V6_PATH | u128::from(*last)).to_be_bytes())
            };
            if !self.taken.contains(&address) {
                return Some(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn text(address: Option<Address>) -> String {
        address.map_or_else(String::new, |address| IpAddr::from(address).to_string())
    }

    #[test]
    fn each_path_has_its_own() {
        let mut samples = Samples::new(HashSet::new());
        assert_eq!(text(samples.next(0, true)), "198.18.0.1");
        assert_eq!(text(samples.next(0, true)), "198.18.0.2");
        assert_eq!(text(samples.next(3, true)), "198.19.128.1");
        assert_eq!(text(samples.next(1, false)), "2001:db8:ffff:1::1");
    }

    #[test]
    fn none_is_of_the_capture_and_there_is_an_end() {
        let taken = Address::v4([198, 18, 0, 1]);
        let mut samples = Samples::new(HashSet::from([taken]));
        let mut given = HashSet::new();
        while let Some(address) = samples.next(0, true) {
            assert!(is_sample(&address) && address != taken && given.insert(address));
        }
        assert_eq!(given.len(), 128 * 254 - 1);
    }

    #[test]
    fn knows_its_ranges() {
        let is = |text: &str| is_sample(&Address::from(text.parse::<IpAddr>().unwrap()));
        assert!(is("198.18.0.1") && is("198.19.255.254") && is("2001:db8:ffff:3::ffff"));
        for other in ["198.17.255.255", "198.20.0.0", "2001:db8:ffff:4::1", "2001:db8:ffff::1:0"] {
            assert!(!is(other), "{other}");
        }
    }
}
