//! A frame to be sent: headers of its own, and a payload that may be shared.

use bytes::Bytes;

use super::ethernet::Mac;

/// Ethernet, IPv6 and its fragment header: the most that is in front of a payload.
const HEAD: usize = 14 + 40 + 8;

/// An Ethernet frame without check sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    head: [u8; HEAD],
    length: usize,
    payload: Bytes,
}

impl Frame {
    pub(super) fn new(destination: Mac, source: Mac, kind: u16, payload: Bytes) -> Self {
        let mut frame = Self { head: [0; HEAD], length: 0, payload };
        frame.put(&destination.0);
        frame.put(&source.0);
        frame.put(&kind.to_be_bytes());
        frame
    }

    /// Adds to the headers; what has no room there is never given.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(place) = self.head.get_mut(self.length..end) {
            place.copy_from_slice(bytes);
            self.length = end;
        }
    }

    /// Its two parts, one after the other.
    pub fn parts(&self) -> [&[u8]; 2] {
        [self.head.get(..self.length).unwrap_or_default(), &self.payload]
    }

    /// The whole, copied into one.
    pub fn to_bytes(&self) -> Bytes {
        self.parts().concat().into()
    }
}

/// A frame as it came from a link.
impl From<Bytes> for Frame {
    fn from(payload: Bytes) -> Self {
        Self { head: [0; HEAD], length: 0, payload }
    }
}
