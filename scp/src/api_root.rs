//! `{apiRoot}` of a URI: scheme, authority and a prefix that a deployment puts before paths (TS 29.501 4.4.1).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use pinion_protocols::sbi::{self, Value as _};

use crate::pools::Slot;

/// How the first hop is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// `http`: HTTP/2 with prior knowledge.
    Clear,
    /// `https`: TLS.
    Tls,
}

impl Transport {
    /// The scheme's name.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Clear => "http",
            Self::Tls => "https",
        }
    }

    /// The scheme, as URIs have it.
    #[must_use]
    pub fn uri_scheme(self) -> Scheme {
        match self {
            Self::Clear => Scheme::HTTP,
            Self::Tls => Scheme::HTTPS,
        }
    }

    /// The port where an authority names none.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Clear => 80,
            Self::Tls => 443,
        }
    }

    /// The port of an authority, named or the scheme's (RFC 9110 4.2.3).
    #[must_use]
    pub fn port_of(self, authority: &Authority) -> u16 {
        authority.port_u16().unwrap_or(self.default_port())
    }

    /// Whether two authorities are of the same place: a port that is the scheme's may be named or not, and letters of a host may
    /// be of either case.
    #[must_use]
    pub fn leads_alike(self, one: &Authority, other: &Authority) -> bool {
        // The text first, then ports: hosts are compared letter by letter, and this is done for each request.
        one.as_str() == other.as_str()
            || (self.port_of(one) == self.port_of(other) && one.host().eq_ignore_ascii_case(other.host()))
    }
}

/// The root of an API: `https://example.com:8443/a/b/c`. Copies share what they hold.
#[derive(Clone)]
pub struct ApiRoot {
    parts: Arc<Parts>,
}

/// The parts of an API root.
pub struct Parts {
    /// How it is spoken to.
    pub transport: Transport,
    /// Host and port.
    pub authority: Authority,
    /// `/a/b/c`, or empty; never with a slash at its end.
    prefix: Box<str>,
    /// All of it, where a header may have it.
    text: Option<HeaderValue>,
    /// Its pool, once somebody asked for it: whoever has a copy finds it here.
    pub(crate) pool: Slot,
}

/// Why a text is no API root.
#[derive(Debug, thiserror::Error)]
pub enum ApiRootError {
    /// It is not of that form.
    #[error(transparent)]
    Form(#[from] sbi::Error),
    /// The authority is none that a URI can have.
    #[error("the authority: {0}")]
    Authority(InvalidUri),
    /// The prefix is no path.
    #[error("the prefix: {0}")]
    Prefix(InvalidUri),
}

impl ApiRoot {
    /// One without a prefix.
    #[must_use]
    pub fn new(transport: Transport, authority: Authority) -> Self {
        Self::with(transport, authority, "")
    }

    fn with(transport: Transport, authority: Authority, prefix: &str) -> Self {
        let text = HeaderValue::try_from(format!("{}://{authority}{prefix}", transport.scheme())).ok();
        Self {
            parts: Arc::new(Parts { transport, authority, prefix: prefix.into(), text, pool: Slot::default() }),
        }
    }

    /// Reads `scheme://authority[/prefix]`.
    ///
    /// # Errors
    /// Where it is anything else.
    pub fn read(text: &[u8]) -> Result<Self, ApiRootError> {
        let root = sbi::ApiRoot::parse(text)?;
        let transport = match root.scheme {
            sbi::Scheme::Http => Transport::Clear,
            sbi::Scheme::Https => Transport::Tls,
        };
        let authority = root.authority.parse().map_err(ApiRootError::Authority)?;
        let prefix = root.path_prefix();
        if !prefix.is_empty() {
            prefix.parse::<PathAndQuery>().map_err(ApiRootError::Prefix)?;
        }
        Ok(Self::with(transport, authority, prefix))
    }

    /// As [`ApiRoot::read`].
    ///
    /// # Errors
    /// As [`ApiRoot::read`].
    pub fn parse(text: &str) -> Result<Self, ApiRootError> {
        Self::read(text.as_bytes())
    }

    /// The root of an absolute URI, without a prefix; none where it is relative, of another scheme or names a user, which
    /// obscures the host (RFC 9110 4.2.4).
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        let transport = match uri.scheme_str()? {
            "http" => Transport::Clear,
            "https" => Transport::Tls,
            _ => return None,
        };
        let authority = uri.authority().filter(|it| !it.as_str().contains('@'))?;
        Some(Self::new(transport, authority.clone()))
    }

    /// The prefix, beginning with a slash, or empty.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.parts.prefix
    }

    /// As 3gpp-Sbi-Target-apiRoot has it; none where that cannot be.
    #[must_use]
    pub fn header(&self) -> Option<&HeaderValue> {
        self.parts.text.as_ref()
    }

    /// The host, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host)
    }

    /// The port, named or the scheme's.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.transport.port_of(&self.authority)
    }

    /// Whether both mean the same place, prefix and all: a port that is the scheme's may be named or not.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.transport == other.transport
            && self.transport.leads_alike(&self.authority, &other.authority)
            && self.prefix() == other.prefix()
    }
}

impl Deref for ApiRoot {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Letters of an authority may be of either case.
impl PartialEq for ApiRoot {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.parts, &other.parts) || self.parts.compared() == other.parts.compared()
    }
}

impl Eq for ApiRoot {}

impl Hash for ApiRoot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts.compared().hash(state);
    }
}

impl Parts {
    fn compared(&self) -> (Transport, &Authority, &str) {
        (self.transport, &self.authority, &self.prefix)
    }
}

impl fmt::Display for ApiRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.transport.scheme(), self.authority, self.prefix())
    }
}

impl fmt::Debug for ApiRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_api_root_are_read() {
        let root = ApiRoot::parse("https://example.com:8443/a/b/c/").unwrap();
        assert_eq!((root.transport, root.host(), root.port()), (Transport::Tls, "example.com", 8443));
        assert_eq!(root.prefix(), "/a/b/c");
        assert_eq!(root.to_string(), "https://example.com:8443/a/b/c");
        let root = ApiRoot::parse(" http://[2001:db8::1] ").unwrap();
        assert_eq!((root.host(), root.port(), root.prefix()), ("2001:db8::1", 80, ""));
    }

    #[test]
    fn what_is_no_api_root_is_refused() {
        for wrong in ["example.com", "ftp://example.com", "http://", "http://a b", "http://me@a", "http://a/b?c=d"]
        {
            assert!(ApiRoot::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_uri_with_a_user_has_none() {
        let of = |text: &'static str| ApiRoot::of(&Uri::from_static(text)).map(|it| it.to_string());
        assert_eq!(of("http://a/b").as_deref(), Some("http://a"));
        assert_eq!(of("http://me@a/b"), None);
    }

    #[test]
    fn letters_of_an_authority_may_be_of_either_case() {
        let [a, b, c] = ["http://A.example/x", "http://a.example/x", "http://a.example/X"]
            .map(|it| ApiRoot::parse(it).unwrap());
        assert!(a == b && a == a.clone() && b != c);
        assert_eq!(a.header().unwrap(), "http://A.example/x");
    }

    #[test]
    fn a_port_that_is_the_schemes_may_be_left_out() {
        let [a, b, c] = ["http://A.example/x", "http://a.example:80/x", "http://a.example"]
            .map(|it| ApiRoot::parse(it).unwrap());
        assert!(a.same(&b));
        assert!(!a.same(&c));
    }
}
