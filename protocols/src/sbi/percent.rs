//! Percent-encoding of what tokens cannot carry (TS 29.500 5.2.3.1).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::token::is_tchar;

/// Shows text as a token: what a token cannot carry, and the percent sign, percent-encoded.
#[derive(Clone, Copy, Debug)]
pub struct Percent<'a>(pub &'a str);

impl fmt::Display for Percent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if is_tchar(byte) && byte != b'%' {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// Text without its percent-encoding; none where a percent sign is no encoding, or where it encodes no UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => nibble(bytes.next()?)? << 4 | nibble(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    /// The example of TS 29.500 5.2.3.1.
    #[test]
    fn the_example_of_the_specification() {
        let (plain, encoded) = (r#"{"sst":1,"sd":"A08923"}"#, "%7B%22sst%22%3A1%2C%22sd%22%3A%22A08923%22%7D");
        assert_eq!(Percent(plain).to_string(), encoded);
        assert_eq!(decode(encoded).as_deref(), Some(plain));
        for wrong in ["%", "%2", "%2g", "%ff"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn any_text_comes_back() {
        bolero::check!().with_type::<std::string::String>().for_each(|text| {
            let encoded = Percent(text).to_string();
            assert!(text.is_empty() || super::super::is_token(&encoded));
            assert_eq!(decode(&encoded).as_deref(), Some(text.as_str()));
        });
    }
}
