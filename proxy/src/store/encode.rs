//! What the store holds of a pin.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | version: 1 |
//! | 1 | origin: 0 learned, 1 configured, 2 restored |
//! | 1 | the path that the key's address is on, and in the upper four bits what the pin is beside |
//! | 4 | the TEID as the endpoint knows it |
//! | 4 | when it ends, in seconds of Unix time; 0: never |
//! | 2 + n | the node that wrote it: length and UTF-8 |
//! | 2 + n | the service's name, likewise |
//! | 2 + n | the endpoint, `POOL/NAME`, likewise |
//!
//! Numbers are in network order. Endpoints are named, for their numbers differ from node to node.

use crate::sessions::{Moment, PinOrigin, Record};

/// The version that is written, and the only one that is read.
pub const VERSION: u8 = 1;

/// A pin as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Who made it.
    pub origin: PinOrigin,
    /// The path that the key's address is on.
    pub path: u8,
    /// What the pin is beside ([`pinion_steering::Pin::flags`]): its filters themselves are the node's own.
    pub flags: u8,
    /// The TEID as the endpoint knows it.
    pub teid: u32,
    /// When it ends by itself.
    pub ends: Option<Moment>,
    /// The node that wrote it.
    pub node: String,
    /// The service's name.
    pub service: String,
    /// The endpoint, as `POOL/NAME`.
    pub endpoint: String,
}

/// Why a value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Another version wrote it.
    #[error("it is of version {0}, and this build reads version {VERSION}: run the version that wrote it")]
    Version(u8),
    /// It ends within a field.
    #[error("it ends within {field}, at byte {at}")]
    Truncated {
        /// The field.
        field: &'static str,
        /// Where the field begins.
        at: usize,
    },
    /// An origin that this version does not know.
    #[error("{0} is no origin")]
    Origin(u8),
    /// A name that is no UTF-8.
    #[error("{field}, at byte {at}, is no UTF-8")]
    Name {
        /// The field.
        field: &'static str,
        /// Where the field begins.
        at: usize,
    },
    /// There is more than a value.
    #[error("{0} bytes follow it")]
    Trailing(usize),
}

impl Stored {
    /// What is stored of a record.
    #[must_use]
    pub fn new(record: &Record, node: &str) -> Self {
        Self {
            origin: record.origin,
            path: record.pin.path,
            flags: record.pin.flags,
            teid: record.pin.teid,
            ends: record.ends,
            node: node.to_owned(),
            service: record.place.service.to_string(),
            endpoint: record.place.endpoint.to_string(),
        }
    }

    /// Its bytes; `None` where a name is longer than 65,535 bytes.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(17 + self.node.len() + self.service.len() + self.endpoint.len());
        let origin = match self.origin {
            PinOrigin::Learned => 0,
            PinOrigin::Configured => 1,
            PinOrigin::Restored => 2,
        };
        bytes.extend([VERSION, origin, self.flags << 4 | self.path & 0x0f]);
        bytes.extend(self.teid.to_be_bytes());
        bytes.extend(self.ends.map_or(0, |end| end.0.max(1)).to_be_bytes());
        for name in [&self.node, &self.service, &self.endpoint] {
            bytes.extend(u16::try_from(name.len()).ok()?.to_be_bytes());
            bytes.extend(name.as_bytes());
        }
        Some(bytes)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`DecodeError`], one for each way in which it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader { bytes, at: 0 };
        match reader.number::<1>("version")? {
            [VERSION] => {}
            [other] => return Err(DecodeError::Version(other)),
        }
        let origin = match reader.number::<1>("origin")? {
            [0] => PinOrigin::Learned,
            [1] => PinOrigin::Configured,
            [2] => PinOrigin::Restored,
            [other] => return Err(DecodeError::Origin(other)),
        };
        let [beside] = reader.number("path")?;
        let (path, flags) = (beside & 0x0f, beside >> 4);
        let teid = u32::from_be_bytes(reader.number("TEID")?);
        let ends = match u32::from_be_bytes(reader.number("end")?) {
            0 => None,
            end => Some(Moment(end)),
        };
        let (node, service, endpoint) = (reader.name("node")?, reader.name("service")?, reader.name("endpoint")?);
        if reader.bytes.is_empty() {
            Ok(Self { origin, path, flags, teid, ends, node, service, endpoint })
        } else {
            Err(DecodeError::Trailing(reader.bytes.len()))
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or(DecodeError::Truncated { field, at: self.at })?;
        self.bytes = rest;
        self.at = self.at.saturating_add(length);
        Ok(taken)
    }

    fn number<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let at = self.at;
        self.take(N, field)?.first_chunk().copied().ok_or(DecodeError::Truncated { field, at })
    }

    fn name(&mut self, field: &'static str) -> Result<String, DecodeError> {
        let at = self.at;
        let length = u16::from_be_bytes(self.number(field)?);
        let bytes = self.take(usize::from(length), field)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DecodeError::Name { field, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Stored {
        Stored {
            origin: PinOrigin::Configured,
            path: 1,
            flags: 2,
            teid: 0x0102_0304,
            ends: Some(Moment(0x6000_0000)),
            node: "a".into(),
            service: "n3".into(),
            endpoint: "upfs/ü".into(),
        }
    }

    /// As the table above says: other nodes read what this one wrote.
    const BYTES: &[u8] = b"\x01\x01\x21\x01\x02\x03\x04\x60\x00\x00\x00\x00\x01a\x00\x02n3\x00\x07upfs/\xc3\xbc";

    #[test]
    fn is_laid_out_as_documented() {
        assert_eq!(sample().encode().unwrap(), BYTES);
        assert_eq!(Stored::decode(BYTES), Ok(sample()));
    }

    #[test]
    fn each_mistake_has_its_words() {
        let with = |at: usize, byte: u8| {
            let mut bytes = BYTES.to_vec();
            bytes[at] = byte;
            Stored::decode(&bytes).unwrap_err()
        };
        assert_eq!(with(0, 2), DecodeError::Version(2));
        assert!(with(0, 2).to_string().contains("version 2"));
        assert_eq!(with(1, 3), DecodeError::Origin(3));
        assert_eq!(with(13, 0xff), DecodeError::Name { field: "node", at: 11 });
        assert_eq!(Stored::decode(&[BYTES, b"!"].concat()), Err(DecodeError::Trailing(1)));
        assert_eq!(Stored::decode(b""), Err(DecodeError::Truncated { field: "version", at: 0 }));
        for length in 0..BYTES.len() {
            assert!(matches!(Stored::decode(&BYTES[..length]), Err(DecodeError::Truncated { .. })), "{length}");
        }
    }

    #[test]
    fn what_is_read_is_written_alike() {
        bolero::check!().for_each(|bytes: &[u8]| {
            if let Ok(stored) = Stored::decode(bytes) {
                assert_eq!(stored.encode().unwrap(), bytes);
            }
        });
    }

    #[test]
    fn what_is_too_long_is_not_written() {
        assert_eq!(Stored { node: "n".repeat(65_536), ..sample() }.encode(), None);
    }
}
