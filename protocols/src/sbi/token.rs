//! Characters of tokens, identities and JSON Web Tokens.

use alloc::vec::Vec;

use super::Error;
use super::cursor::Cursor;

/// Whether text is a token (RFC 9110 5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// A character of a token.
pub(super) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A decimal digit.
pub(super) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// A character of a URI (RFC 3986 2), percent signs and brackets among them.
pub(super) fn is_uri(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// A character of a path (RFC 3986 3.3), slashes and percent signs among them.
pub(super) fn is_path(byte: u8) -> bool {
    is_uri(byte) && !b"?#[]".contains(&byte)
}

/// Takes the identity of an NF instance, a UUID (TS 29.571 5.3.2).
pub(super) fn instance<'a>(cursor: &mut Cursor<'a>, name: &'static str) -> Result<&'a str, Error> {
    let offset = cursor.offset();
    let text = cursor.token(name)?;
    if is_uuid(text) { Ok(text) } else { Err(cursor.parameter(name, offset)) }
}

/// Takes a URI: something with a scheme.
pub(super) fn uri<'a>(
    cursor: &Cursor<'a>,
    text: &'a str,
    name: &'static str,
    offset: usize,
) -> Result<&'a str, Error> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let named = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if named && text.bytes().all(is_uri) { Ok(text) } else { Err(cursor.parameter(name, offset)) }
}

fn is_uuid(text: &str) -> bool {
    let mut lengths = [8, 4, 4, 4, 12].into_iter();
    let group =
        |part: &str| lengths.next() == Some(part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.len() == 36 && text.split('-').all(group)
}

/// A JSON Web Token in its compact form (RFC 7519, RFC 7515 7.1). Its signature is not checked here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Jwt<'a> {
    /// All of it.
    pub text: &'a str,
}

impl<'a> Jwt<'a> {
    /// The claims, JSON, decoded; none where the middle part is not base64url.
    pub fn claims(&self) -> Option<Vec<u8>> {
        base64url(self.text.split('.').nth(1)?)
    }

    /// Takes a token of three parts.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let (offset, rest) = (cursor.offset(), cursor.rest());
        for dot in [true, true, false] {
            cursor.some("part of a JSON Web Token", |byte| sextet(byte).is_some())?;
            if dot && !cursor.eat(b'.') {
                return Err(cursor.expected("dot of a JSON Web Token", cursor.offset()));
            }
        }
        Ok(Self { text: rest.get(..cursor.offset() - offset).unwrap_or_default() })
    }
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        bits = bits << 6 | u32::from(sextet(byte)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held).to_be_bytes()[3]);
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0 && held < 6).then_some(decoded)
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_as_rfc_4648_has_it() {
        for (encoded, decoded) in
            [("", &b""[..]), ("Zg", b"f"), ("Zm8", b"fo"), ("Zm9v", b"foo"), ("Zm9vYg", b"foob")]
        {
            assert_eq!(base64url(encoded).as_deref(), Some(decoded), "{encoded}");
        }
        assert_eq!(base64url("-_8"), Some([0xfb, 0xff].into()));
        for wrong in ["Z", "Zh", "Zm9", "Zg=="] {
            assert_eq!(base64url(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn identities_of_instances() {
        assert!(is_uuid("54804518-4191-46b3-955c-ac631f953ed8"));
        for wrong in ["54804518-4191-46b3-955c-ac631f953ed", "54804518-4191-46b3-955cac631f953ed8-", "g"] {
            assert!(!is_uuid(wrong), "{wrong}");
        }
    }
}
