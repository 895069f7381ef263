//! 3gpp-Sbi-Nrf-Uri and -Nrf-Uri-Callback (TS 29.500 5.2.3.2.12, 5.2.3.2.20).

use alloc::vec::Vec;
use core::fmt;

use super::cursor::{Cursor, whole};
use super::listed::separated;
use super::token::{is_tchar, uri};
use super::{Error, Header, Pair, Value};

/// URIs of an NRF's services.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NrfUri<'a> {
    /// Discovery (`nnrf-disc`).
    pub discovery: Option<&'a str>,
    /// Management (`nnrf-nfm`).
    pub management: Option<&'a str>,
    /// Access tokens (`nnrf-oauth2`).
    pub access_token: Option<&'a str>,
    /// Services that need an access token (`oauth2-requested-services`).
    pub protected: Vec<&'a str>,
    /// Parameters that this release does not define.
    pub others: Vec<Pair<'a>>,
}

/// URIs of an NRF's services, for callbacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NrfUriCallback<'a>(pub NrfUri<'a>);

impl<'a> NrfUri<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let mut uris = Self::default();
        let mut protected = None;
        loop {
            let start = cursor.offset();
            let name = cursor.name()?;
            let place = if name.eq_ignore_ascii_case("nnrf-disc") {
                Some((&mut uris.discovery, "nnrf-disc"))
            } else if name.eq_ignore_ascii_case("nnrf-nfm") {
                Some((&mut uris.management, "nnrf-nfm"))
            } else if name.eq_ignore_ascii_case("nnrf-oauth2") {
                Some((&mut uris.access_token, "nnrf-oauth2"))
            } else {
                None
            };
            if let Some((place, name)) = place {
                let offset = cursor.offset();
                let text = cursor.quoted("URI in quotes")?;
                let value = uri(cursor, text, name, offset)?;
                cursor.once(place, value, name, start)?;
            } else if name.eq_ignore_ascii_case("oauth2-requested-services") {
                let services =
                    cursor.list(b'&', |cursor| cursor.some("service", |byte| is_tchar(byte) && byte != b'&'))?;
                cursor.once(&mut protected, services, "oauth2-requested-services", start)?;
            } else {
                uris.others.push(Pair { name, value: cursor.value("value of a parameter")? });
            }
            if !cursor.separator(b';') {
                uris.protected = protected.unwrap_or_default();
                return Ok(uris);
            }
        }
    }
}

impl<'a> Value<'a> for NrfUri<'a> {
    const HEADER: Header = Header::NrfUri;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, Self::read)
    }
}

impl<'a> Value<'a> for NrfUriCallback<'a> {
    const HEADER: Header = Header::NrfUriCallback;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, NrfUri::read).map(Self)
    }
}

impl fmt::Display for NrfUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uris =
            [("nnrf-disc", self.discovery), ("nnrf-nfm", self.management), ("nnrf-oauth2", self.access_token)];
        let mut before = "";
        for (name, uri) in uris {
            if let Some(uri) = uri {
                write!(f, "{before}{name}: \"{uri}\"")?;
                before = "; ";
            }
        }
        if !self.protected.is_empty() {
            write!(f, "{before}oauth2-requested-services: ")?;
            separated(f, " & ", &self.protected)?;
            before = "; ";
        }
        for other in &self.others {
            write!(f, "{before}{}: {}", other.name, other.value)?;
            before = "; ";
        }
        Ok(())
    }
}

impl fmt::Display for NrfUriCallback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of TS 29.500 5.2.3.2.12, with services that need a token.
    #[test]
    fn the_example_of_the_specification() {
        let text = b"nnrf-disc: \"https://nrf1.operator.com/nnrf-disc/v1/\"; nnrf-nfm: \"https://nrf1.operator.com/nnrf-nfm/v1/\"; nnrf-oauth2: \"https://nrf1.operator.com//oauth2/\"; oauth2-requested-services: nnrf-disc & nnrf-nfm; new: \"a;b\"";
        let uris = NrfUri::parse(text).unwrap();
        assert_eq!(uris.discovery, Some("https://nrf1.operator.com/nnrf-disc/v1/"));
        assert_eq!(uris.management, Some("https://nrf1.operator.com/nnrf-nfm/v1/"));
        assert_eq!(uris.access_token, Some("https://nrf1.operator.com//oauth2/"));
        assert_eq!(uris.protected, ["nnrf-disc", "nnrf-nfm"]);
        assert_eq!(uris.others, [Pair { name: "new", value: "\"a;b\"" }]);
    }

    #[test]
    fn what_is_wrong_says_where() {
        let header = Header::NrfUri;
        for (text, error) in [
            ("nnrf-disc", Error::Expected { header, what: "=", offset: 9 }),
            ("nnrf-disc: http://a", Error::Expected { header, what: "URI in quotes", offset: 11 }),
            ("nnrf-disc: \"/a\"", Error::Parameter { header, name: "nnrf-disc", offset: 11 }),
            ("nnrf-disc: \"a:b", Error::Expected { header, what: "closing quote", offset: 15 }),
            ("nnrf-nfm: \"a:b\";nnrf-nfm: \"a:b\"", Error::Repeated { header, name: "nnrf-nfm", offset: 16 }),
        ] {
            assert_eq!(NrfUri::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
