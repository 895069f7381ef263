//! Values that outlive the process, as bytes.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a value is kept as.
#[must_use]
pub fn write(value: &impl Serialize) -> Bytes {
    // What is kept has no maps of unknown length and no custom errors, which are all that could fail.
    postcard::to_allocvec(value).unwrap_or_default().into()
}

/// The value that was kept so; none where the bytes are damaged, or of another one.
#[must_use]
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from 128 on go in groups of seven bits, the lowest first; what there may be is preceded by whether it is
    /// there (postcard's wire format).
    #[test]
    fn values_are_read_as_they_were_written() {
        let bytes = write(&(300_u32, Some("upf"), None::<u8>));
        assert_eq!(bytes, b"\xac\x02\x01\x03upf\x00"[..]);
        assert_eq!(read(&bytes), Some((300_u32, Some("upf"), None::<u8>)));
    }

    #[test]
    fn damaged_values_are_none() {
        assert_eq!(read::<(u32, &str)>(b"\xac\x02\x03up"), None);
        assert_eq!(read::<Option<u8>>(b"\x02\x00"), None);
    }
}
