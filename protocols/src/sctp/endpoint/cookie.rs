//! The state cookie: everything that an endpoint needs to know of an association that it answered an
//! INIT for, kept by the peer (RFC 9260 5.1.3).

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::offer::Offer;
use super::time::Time;

/// What a cookie says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cookie {
    /// When it was made, on the endpoint's clock.
    pub(super) made: Time,
    pub(super) life: Duration,
    pub(super) local: IpAddr,
    pub(super) local_port: u16,
    pub(super) remote_port: u16,
    pub(super) local_tag: u32,
    pub(super) local_tsn: u32,
    /// Streams that were offered to the peer to be sent on.
    pub(super) outbound: u16,
    /// Names the association that there was when it was made; 0 where there was none.
    pub(super) tie: u64,
    pub(super) peer: Offer,
}

/// How long cookies are signed with one key (RFC 9260 5.1.3); longer than any cookie lives.
const KEY_LIFE: u64 = 3_600_000_000;

/// What cookies, tie-tags and random vectors are made with; nobody else knows it.
#[derive(Clone)]
pub(super) struct Secret([u8; 32]);

impl Secret {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// The cookie as the peer gets it: HMAC-SHA-256, then what it says.
    pub(super) fn seal(&self, cookie: &Cookie) -> Vec<u8> {
        let Ok(said) = postcard::to_allocvec(cookie) else { return Vec::new() };
        let mut sealed = self.key(key_number(cookie.made)).mac(b"cookie", &said).to_vec();
        sealed.extend_from_slice(&said);
        sealed
    }

    /// What a cookie says that this endpoint made, with its key of now or the one before.
    pub(super) fn open(&self, now: Time, sealed: &[u8]) -> Option<Cookie> {
        let (mac, said) = sealed.split_first_chunk::<32>()?;
        let number = key_number(now);
        let made = [number, number.wrapping_sub(1)].into_iter().any(|number| {
            let right = self.key(number).mac(b"cookie", said);
            right.iter().zip(mac).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
        });
        made.then(|| postcard::from_bytes(said).ok()).flatten()
    }

    fn key(&self, number: u64) -> Self {
        Self(self.mac(b"key", &number.to_be_bytes()))
    }

    /// A name for an association that tells nobody its tags (RFC 9260 5.2.2); not 0.
    pub(super) fn tie(&self, local_tag: u32, peer_tag: u32) -> u64 {
        let tags = u64::from(local_tag) << 32 | u64::from(peer_tag);
        let [a, b, c, d, e, f, g, h, ..] = self.mac(b"tie", &tags.to_be_bytes());
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) | 1
    }

    /// The random vector of the association with that tag (RFC 4895 3.1): the same in INIT and INIT ACK.
    pub(super) fn vector(&self, local_tag: u32) -> [u8; 32] {
        self.mac(b"random", &local_tag.to_be_bytes())
    }

    fn mac(&self, purpose: &[u8], bytes: &[u8]) -> [u8; 32] {
        let Ok(mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0) else { return [0; 32] };
        let mac = mac.chain_update(purpose).chain_update(bytes);
        mac.finalize().into_bytes().into()
    }
}

/// Which key is used at that moment.
fn key_number(at: Time) -> u64 {
    at.as_micros() / KEY_LIFE
}

impl Cookie {
    /// By how much it is too old.
    pub(super) fn staleness(&self, now: Time) -> Option<Duration> {
        let stale = now.since(self.made).saturating_sub(self.life);
        (!stale.is_zero()).then_some(stale)
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> Cookie {
        Cookie {
            made: Time::from_micros(5),
            life: Duration::from_secs(60),
            local: [192, 0, 2, 1].into(),
            local_port: 1,
            remote_port: 2,
            local_tag: 3,
            local_tsn: 4,
            outbound: 5,
            tie: 6,
            peer: Offer {
                tag: 7,
                window: 8,
                outbound: 9,
                inbound: 10,
                tsn: 11,
                addresses: [[192, 0, 2, 2].into()].into(),
                partial_reliability: true,
                asconf: false,
                auth: None,
            },
        }
    }

    #[test]
    fn rfc9260_5_1_5_a_cookie_is_only_opened_by_who_made_it_and_unchanged() {
        let secret = Secret::new([1; 32]);
        let sealed = secret.seal(&cookie());
        let now = cookie().made;
        assert_eq!(secret.open(now, &sealed), Some(cookie()));
        assert_eq!(Secret::new([2; 32]).open(now, &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(secret.open(now, &changed), None);
            assert_eq!(secret.open(now, &sealed[..at]), None);
        }
    }

    #[test]
    fn rfc9260_5_1_3_the_key_changes_and_the_one_before_is_good_for_a_while() {
        let secret = Secret::new([1; 32]);
        let sealed = secret.seal(&cookie());
        let hour = Duration::from_secs(3600);
        assert_eq!(secret.open(cookie().made.after(hour), &sealed), Some(cookie()));
        assert_eq!(secret.open(cookie().made.after(hour * 2), &sealed), None);
        let later = Cookie { made: cookie().made.after(hour), ..cookie() };
        assert_ne!(secret.seal(&later)[..32], secret.key(0).mac(b"cookie", &secret.seal(&later)[32..]));
    }

    #[test]
    fn rfc9260_5_1_5_a_cookie_gets_stale() {
        let made = cookie().made;
        assert_eq!(cookie().staleness(made.after(Duration::from_secs(60))), None);
        assert_eq!(cookie().staleness(made.after(Duration::from_secs(61))), Some(Duration::from_secs(1)));
    }
}
