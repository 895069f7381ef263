//! 3gpp-Sbi-Target-apiRoot (TS 29.500 5.2.3.2.4) and other apiRoots (TS 29.501 4.4.1).

use core::fmt;

use super::cursor::{Cursor, whole};
use super::token::is_path;
use super::{Error, Header, Value};

/// Scheme of an apiRoot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In cleartext, port 80.
    Http,
    /// Over TLS, port 443.
    Https,
}

impl Scheme {
    /// The port where an authority names none.
    pub const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// As URIs have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Scheme, authority and prefix that a target's URIs begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiRoot<'a> {
    /// Scheme.
    pub scheme: Scheme,
    /// Host, with a colon and a port where it names one.
    pub authority: &'a str,
    /// Path that goes before an API's name, with its first slash; empty where there is none.
    pub prefix: &'a str,
}

impl<'a> ApiRoot<'a> {
    /// The host, an IPv6 address in its brackets.
    pub fn host(&self) -> &'a str {
        self.split().0
    }

    /// The port, that of the scheme where the authority names none.
    pub fn port(&self) -> u16 {
        self.split().1.and_then(|port| port.parse().ok()).unwrap_or(self.scheme.port())
    }

    /// The prefix without the slash that ends it, so that a path can follow.
    pub fn path_prefix(&self) -> &'a str {
        self.prefix.strip_suffix('/').unwrap_or(self.prefix)
    }

    fn split(&self) -> (&'a str, Option<&'a str>) {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (self.authority, None),
        }
    }

    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let start = cursor.offset();
        let scheme = match cursor.some("http or https", |byte| byte.is_ascii_alphabetic())? {
            word if word.eq_ignore_ascii_case("http") => Scheme::Http,
            word if word.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => return Err(cursor.expected("http or https", start)),
        };
        cursor.literal("://")?;
        let (offset, rest) = (cursor.offset(), cursor.rest());
        if cursor.eat(b'[') {
            cursor.some("IPv6 address", |byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.')?;
            cursor.literal("]")?;
        } else {
            cursor.some("host", |byte| is_path(byte) && !b"/:@".contains(&byte))?;
        }
        // A colon with nothing behind it is the scheme's port (RFC 3986 3.2.3).
        if cursor.eat(b':') && cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            cursor.number("port", 5, u32::from(u16::MAX))?;
        }
        let authority = rest.get(..cursor.offset() - offset).unwrap_or_default();
        let start = cursor.offset();
        let prefix = cursor.run(is_path);
        // A path of this kind has something behind its first slash, or is that slash alone (RFC 3986 3.3).
        if !(prefix.is_empty() || prefix.starts_with('/')) || prefix.starts_with("//") {
            return Err(cursor.expected("path", start));
        }
        Ok(Self { scheme, authority, prefix })
    }
}

impl<'a> Value<'a> for ApiRoot<'a> {
    const HEADER: Header = Header::TargetApiRoot;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, Self::read)
    }
}

impl fmt::Display for ApiRoot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ApiRoot<'_>, Error> {
        ApiRoot::parse(text.as_bytes())
    }

    /// The example of TS 29.500 5.2.3.2.4, and other forms of an authority (RFC 3986 3.2).
    #[test]
    fn parts_of_an_api_root() {
        for (text, host, port, prefix) in [
            ("https://example.com/a/b/c", "example.com", 443, "/a/b/c"),
            ("http://192.0.2.1:8080", "192.0.2.1", 8080, ""),
            ("http://[2001:db8::1]:7777/x", "[2001:db8::1]", 7777, "/x"),
            ("https://[2001:db8::1]/", "[2001:db8::1]", 443, ""),
            ("HTTP://udm:/", "udm", 80, ""),
        ] {
            let root = parse(text).unwrap();
            assert_eq!((root.host(), root.port(), root.path_prefix()), (host, port, prefix), "{text}");
        }
    }

    #[test]
    fn what_is_no_api_root_says_where() {
        let header = Header::TargetApiRoot;
        let expected = |what, offset| Err(Error::Expected { header, what, offset });
        for (text, error) in [
            ("", expected("http or https", 0)),
            ("ftp://example.com", expected("http or https", 0)),
            ("https:/example.com", expected("://", 5)),
            ("https://", expected("host", 8)),
            ("https://[::1", expected("]", 12)),
            ("http://a:70000", Err(Error::Parameter { header, name: "port", offset: 9 })),
            ("http://user@a", expected("path", 11)),
            ("http://a//b", expected("path", 8)),
            ("http://a/b?c", Err(Error::Trailing { header, offset: 10 })),
            ("http://a/\u{1}", Err(Error::Character { header, offset: 9 })),
        ] {
            assert_eq!(parse(text), error, "{text}");
        }
    }
}
