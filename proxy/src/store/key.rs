use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use pinion_steering::PinKey;

use crate::sessions::Record;

/// What a value of a store is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A tunnel that is pinned.
    Tunnel(PinKey),
    /// A resource of the SBI that is pinned: authority and path.
    Resource(Arc<str>),
}

/// As a server knows it: `pin:ADDRESS/TEID`, the TEID in eight hexadecimal digits, or `sbi:AUTHORITY/PATH`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tunnel(PinKey { address, teid }) => write!(f, "pin:{}/{teid:08x}", IpAddr::from(*address)),
            Self::Resource(resource) => write!(f, "sbi:{resource}"),
        }
    }
}

impl Key {
    /// One that a server knows so.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Some(resource) = text.strip_prefix("sbi:") {
            return Some(Self::Resource(resource.into()));
        }
        let (address, teid) = text.strip_prefix("pin:")?.rsplit_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let teid = u32::from_str_radix(teid, 16).ok().filter(|_| teid.len() == 8)?;
        Some(Self::Tunnel(PinKey { address: address.into(), teid }))
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Tunnel(PinKey { address, teid }) => format!("TEID {teid:#010x} at {}", IpAddr::from(*address)),
            Self::Resource(resource) => format!("resource {resource}"),
        }
    }
}

impl From<PinKey> for Key {
    fn from(key: PinKey) -> Self {
        Self::Tunnel(key)
    }
}

/// What a key holds, until it is written.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A tunnel's pin.
    Tunnel(Record),
    /// A resource's, as it is stored.
    Resource(Bytes),
}

/// Who has pins of resources, as far as a store is concerned, which knows their values as bytes.
pub trait Resources: Send + Sync {
    /// Puts one in force that the store holds; `false`: what is known of it is as new.
    ///
    /// # Errors
    /// In words, why it cannot be used.
    fn restore(&self, resource: &Arc<str>, value: &[u8]) -> Result<bool, String>;

    /// Whether there is anybody who has any.
    fn wanted(&self) -> bool;

    /// Another node changed one. What is known here, where that is younger, which is to be told then.
    ///
    /// # Errors
    /// In words, why it cannot be used.
    fn heard(&self, of: &super::Heard) -> Result<Option<Bytes>, String>;

    /// All that the store holds was restored.
    fn restored(&self);

    /// Those from a number on, at the most so many, with their numbers.
    fn from(&self, number: u64, most: usize) -> Vec<(u64, Arc<str>, Bytes)>;

    /// Whether a resource is pinned.
    fn has(&self, resource: &str) -> bool;

    /// Whether this node wrote a value.
    fn is_ours(&self, value: &[u8]) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let address: IpAddr = address.parse().unwrap();
            let key = Key::Tunnel(PinKey { address: address.into(), teid: 0xa });
            assert_eq!(key.to_string(), format!("pin:{address}/0000000a"));
            assert_eq!(Key::read(&key.to_string()), Some(key));
        }
        let resource = Key::Resource("smf1.example:8080/nsmf-pdusession/v1/sm-contexts/1".into());
        assert_eq!(resource.to_string(), "sbi:smf1.example:8080/nsmf-pdusession/v1/sm-contexts/1");
        assert_eq!(Key::read(&resource.to_string()), Some(resource));
        for other in ["pin:192.0.2.1/a", "pin:192.0.2.1", "pin:h/0000000a", "sin:192.0.2.1/0000000a", "n4:n4"] {
            assert_eq!(Key::read(other), None, "{other}");
        }
    }
}
