//! 3gpp-Sbi-Access-Scope, -Other-Access-Scopes, -Access-Token, -Client-Credentials and -Source-NF-Client-Credentials
//! (TS 29.500 5.2.3.2.11, 5.2.3.2.16, 5.2.3.2.17, 5.2.3.3.14), and Authorization, which has the grammar of the access token.

use alloc::vec::Vec;
use core::fmt;

use super::cursor::{Cursor, whole};
use super::listed::separated;
use super::token::is_tchar;
use super::{Error, Header, Jwt, Value};

macro_rules! scopes {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name<'a>(pub Vec<&'a str>);

        impl<'a> Value<'a> for $name<'a> {
            const HEADER: Header = Header::$name;

            fn parse(value: &'a [u8]) -> Result<Self, Error> {
                whole(Self::HEADER, value, scopes).map(Self)
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                separated(f, " ", &self.0)
            }
        }
    };
}

scopes! {
    /// The scopes of a request (RFC 6749 3.3): names of services, or of resources and operations of them.
    AccessScope
}

scopes! {
    /// Further scopes of a request.
    OtherAccessScopes
}

fn scopes<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<&'a str>, Error> {
    let mut scopes = Vec::new();
    loop {
        scopes.push(cursor.some("scope", |byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')?);
        cursor.spaces();
        if cursor.peek().is_none() {
            return Ok(scopes);
        }
    }
}

/// Credentials (RFC 9110 11.4), as Authorization has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credentials<'a> {
    /// Scheme, such as `Bearer`.
    pub scheme: &'a str,
    /// What follows it: a token, or parameters as they came.
    pub parameters: &'a str,
}

impl<'a> Credentials<'a> {
    /// The bearer token (RFC 6750 2.1).
    pub fn bearer(&self) -> Option<&'a str> {
        (self.scheme.eq_ignore_ascii_case("Bearer") && is_token68(self.parameters)).then_some(self.parameters)
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let scheme = cursor.token("scheme of credentials")?;
        if cursor.peek().is_none() {
            return Ok(Self { scheme, parameters: "" });
        }
        cursor.some("space", |byte| byte == b' ')?;
        let (start, rest) = (cursor.offset(), cursor.rest());
        let length = rest.bytes().position(|byte| !is_token68_byte(byte)).unwrap_or(rest.len());
        if is_token68(rest.get(..length).unwrap_or_default().trim_end()) && rest.bytes().skip(length).all(is_space)
        {
            cursor.run(is_token68_byte);
        } else {
            while cursor.peek().is_some() {
                while cursor.separator(b',') {}
                cursor.some("parameter", is_tchar)?;
                cursor.spaces();
                cursor.literal("=")?;
                cursor.spaces();
                if cursor.peek() == Some(b'"') {
                    cursor.quoted("value")?
                } else {
                    cursor.token("value")?
                };
                if cursor.peek().is_some() && !cursor.separator(b',') {
                    break;
                }
            }
        }
        Ok(Self { scheme, parameters: rest.get(..cursor.offset() - start).unwrap_or_default() })
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_token68_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| is_token68_byte(byte) && byte != b'=')
}

impl<'a> Value<'a> for Credentials<'a> {
    const HEADER: Header = Header::Authorization;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, Self::read)
    }
}

impl fmt::Display for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme)?;
        if self.parameters.is_empty() { Ok(()) } else { write!(f, " {}", self.parameters) }
    }
}

/// A token that a consumer may use again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccessToken<'a>(pub Credentials<'a>);

impl<'a> Value<'a> for AccessToken<'a> {
    const HEADER: Header = Header::AccessToken;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, Credentials::read).map(Self)
    }
}

impl fmt::Display for AccessToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! assertion {
    ($(#[$meta:meta])* $name:ident $header:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<'a>(pub Jwt<'a>);

        impl<'a> Value<'a> for $name<'a> {
            const HEADER: Header = Header::$header;

            fn parse(value: &'a [u8]) -> Result<Self, Error> {
                whole(Self::HEADER, value, Jwt::read).map(Self)
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.text)
            }
        }
    };
}

assertion! {
    /// A consumer's assertion of who it is (TS 33.501 13.3.8).
    ClientCredentials ClientCredentials
}

assertion! {
    /// The assertion of the NF that a request is made for.
    SourceCredentials SourceNfClientCredentials
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of TS 29.500 5.2.3.2.16.
    #[test]
    fn scopes_of_the_specification() {
        let scope = AccessScope::parse(b"nhss-ims-uecm nhss-ims-uecm:authorize:invoke").unwrap();
        assert_eq!(scope.0, ["nhss-ims-uecm", "nhss-ims-uecm:authorize:invoke"]);
        let header = Header::AccessScope;
        assert_eq!(AccessScope::parse(b" "), Err(Error::Expected { header, what: "scope", offset: 1 }));
        assert_eq!(AccessScope::parse(b"a \"b"), Err(Error::Expected { header, what: "scope", offset: 2 }));
    }

    /// RFC 6750 2.1's example, and RFC 7616's parameters.
    #[test]
    fn credentials_with_a_token_or_parameters() {
        let bearer = Credentials::parse(b"Bearer mF_9.B5f-4.1JqM").unwrap();
        assert_eq!(bearer.bearer(), Some("mF_9.B5f-4.1JqM"));
        let digest = Credentials::parse(b"Digest username=\"Mufasa\", qop=auth").unwrap();
        assert_eq!((digest.scheme, digest.parameters), ("Digest", "username=\"Mufasa\", qop=auth"));
        assert_eq!(digest.bearer(), None);
        let header = Header::AccessToken;
        assert_eq!(AccessToken::parse(b"Bearer a b"), Err(Error::Expected { header, what: "=", offset: 9 }));
        assert_eq!(
            AccessToken::parse(b""),
            Err(Error::Expected { header, what: "scheme of credentials", offset: 0 })
        );
    }

    /// The example token of RFC 7519 3.1.
    #[test]
    fn assertions_have_three_parts() {
        let text = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let assertion = ClientCredentials::parse(text).unwrap();
        let claims = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
        assert_eq!(assertion.0.claims().as_deref(), Some(&claims[..]));
        let header = Header::ClientCredentials;
        let dot = Error::Expected { header, what: "dot of a JSON Web Token", offset: 3 };
        assert_eq!(ClientCredentials::parse(b"a.b"), Err(dot));
    }
}
