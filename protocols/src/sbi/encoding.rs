//! 3gpp-Sbi-Notif-Accepted-Encoding (TS 29.500 5.2.3.3.6), and lists of encodings elsewhere.

use alloc::vec::Vec;
use core::fmt;

use super::Error;
use super::cursor::Cursor;
use super::listed::listed;

/// A content encoding that is accepted (RFC 9110 12.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encoding<'a> {
    /// Its name, `identity` or `*`.
    pub coding: &'a str,
    /// How much it is wanted, in thousandths; 1,000 is meant where there is none.
    pub weight: Option<u16>,
}

impl<'a> Encoding<'a> {
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let coding = cursor.token("encoding")?;
        let weight = if cursor.separator(b';') {
            cursor.literal("q=")?;
            Some(weight(cursor)?)
        } else {
            None
        };
        Ok(Self { coding, weight })
    }
}

fn weight(cursor: &mut Cursor<'_>) -> Result<u16, Error> {
    let offset = cursor.offset();
    let one = cursor.number("weight", 1, 1)? == 1;
    let mut thousandths = if one { 1_000 } else { 0 };
    if cursor.eat(b'.') {
        let digits = cursor.run(|byte| byte.is_ascii_digit());
        if digits.len() > 3 {
            return Err(cursor.parameter("weight", offset));
        }
        let places = [100, 10, 1];
        thousandths +=
            digits.bytes().zip(places).map(|(digit, place)| u16::from(digit - b'0') * place).sum::<u16>();
    }
    if thousandths > 1_000 { Err(cursor.parameter("weight", offset)) } else { Ok(thousandths) }
}

impl fmt::Display for Encoding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.coding)?;
        match self.weight {
            None => Ok(()),
            Some(1_000..) => f.write_str(";q=1"),
            Some(weight) => write!(f, ";q=0.{weight:03}"),
        }
    }
}

/// The encodings that a consumer accepts in notifications.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NotifAcceptedEncoding<'a>(pub Vec<Encoding<'a>>);

listed!(NotifAcceptedEncoding, NotifAcceptedEncoding, b',', ", ", Encoding::read);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sbi::{Header, Value as _};

    /// The forms of RFC 9110 12.5.3.
    #[test]
    fn encodings_with_weights() {
        let parsed = NotifAcceptedEncoding::parse(b"gzip;q=1.0, identity; q=0.5, *;q=0,br").unwrap().0;
        let weights: Vec<_> = parsed.iter().map(|it| (it.coding, it.weight)).collect();
        assert_eq!(weights, [("gzip", Some(1_000)), ("identity", Some(500)), ("*", Some(0)), ("br", None)]);
        let header = Header::NotifAcceptedEncoding;
        for text in ["gzip;q=1.5", "gzip;q=0.1234"] {
            let error = Error::Parameter { header, name: "weight", offset: 7 };
            assert_eq!(NotifAcceptedEncoding::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
