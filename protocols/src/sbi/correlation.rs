//! 3gpp-Sbi-Correlation-Info (TS 29.500 5.2.3.3.4, 6.13).

use alloc::vec::Vec;
use core::fmt;

use super::Error;
use super::cursor::Cursor;
use super::listed::listed;
use super::named::named;
use super::token::is_tchar;

named! {
    /// What identifies a subscriber or a device.
    CorrelationKind {
        Imsi "imsi"
        Impi "impi"
        Suci "suci"
        Nai "nai"
        Gci "gci"
        Gli "gli"
        Impu "impu"
        Msisdn "msisdn"
        ExternalId "extid"
        Imeisv "imeisv"
        Imei "imei"
        Mac "mac"
        Eui "eui"
    }
}

/// An identity that messages are found again by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Correlation<'a> {
    /// Its kind.
    pub kind: CorrelationKind<'a>,
    /// The identity, percent-encoded where its characters need it.
    pub value: &'a str,
}

impl<'a> Correlation<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let kind = cursor.some("type of an identity", |byte| is_tchar(byte) && byte != b'-')?.into();
        cursor.literal("-")?;
        Ok(Self { kind, value: cursor.some("identity", |byte| is_tchar(byte) || byte == b'@')? })
    }
}

/// One identity or more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CorrelationInfo<'a>(pub Vec<Correlation<'a>>);

impl fmt::Display for Correlation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind, self.value)
    }
}

listed!(CorrelationInfo, CorrelationInfo, b';', "; ", Correlation::read);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sbi::{Header, Value as _};

    #[test]
    fn identities_of_several_kinds() {
        let text = b"imsi-345012123123123; msisdn-1234567890;new-a@b; mac-00-00-5E";
        let expected = [
            (CorrelationKind::Imsi, "345012123123123"),
            (CorrelationKind::Msisdn, "1234567890"),
            (CorrelationKind::Other("new"), "a@b"),
            (CorrelationKind::Mac, "00-00-5E"),
        ];
        let parsed = CorrelationInfo::parse(text).unwrap().0;
        assert_eq!(parsed.iter().map(|it| (it.kind, it.value)).collect::<Vec<_>>(), expected);
        let header = Header::CorrelationInfo;
        assert_eq!(CorrelationInfo::parse(b"imsi"), Err(Error::Expected { header, what: "-", offset: 4 }));
        assert_eq!(CorrelationInfo::parse(b"imsi-"), Err(Error::Expected { header, what: "identity", offset: 5 }));
    }
}
