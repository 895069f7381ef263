//! 3gpp-Sbi-Callback (TS 29.500 5.2.3.2.3).

use core::fmt;

use super::cursor::whole;
use super::{Error, Header, Value};

/// That a message is a callback, such as a notification, and of which type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Callback<'a> {
    /// Type, one of those of annex B, such as `Nnrf_NFManagement_NFStatusNotify`.
    pub kind: &'a str,
    /// Major version of the notification's API; 1 is meant where there is none.
    pub api_version: Option<u32>,
}

impl<'a> Value<'a> for Callback<'a> {
    const HEADER: Header = Header::Callback;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            let of_type = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            let kind = cursor.some("type of a callback", of_type)?;
            let mut api_version = None;
            while cursor.separator(b';') {
                let offset = cursor.offset();
                cursor.literal("apiversion=")?;
                let version = cursor.number("apiversion", 9, 999_999_999)?;
                cursor.once(&mut api_version, version, "apiversion", offset)?;
            }
            Ok(Self { kind, api_version })
        })
    }
}

impl fmt::Display for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        self.api_version.map_or(Ok(()), |version| write!(f, "; apiversion={version}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples 1 and 2 of TS 29.500 5.2.3.2.3.
    #[test]
    fn examples_of_the_specification() {
        for (text, kind, api_version) in [
            ("Nnrf_NFManagement_NFStatusNotify", "Nnrf_NFManagement_NFStatusNotify", None),
            ("Nudm_SDM_Notification; apiversion=2", "Nudm_SDM_Notification", Some(2)),
        ] {
            assert_eq!(Callback::parse(text.as_bytes()), Ok(Callback { kind, api_version }));
        }
    }

    #[test]
    fn what_is_no_callback_says_where() {
        let header = Header::Callback;
        for (text, error) in [
            ("", Error::Expected { header, what: "type of a callback", offset: 0 }),
            ("N; version=1", Error::Expected { header, what: "apiversion=", offset: 3 }),
            ("N; apiversion=", Error::Expected { header, what: "apiversion", offset: 14 }),
            ("N;apiversion=1;apiversion=1", Error::Repeated { header, name: "apiversion", offset: 15 }),
            ("N, N", Error::Trailing { header, offset: 1 }),
        ] {
            assert_eq!(Callback::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
