//! 3gpp-Sbi-Consumer-Info (TS 29.500 5.2.3.3.7).

use alloc::vec::Vec;
use core::fmt;

use super::cursor::Cursor;
use super::listed::{listed, separated};
use super::token::is_path;
use super::{ApiRoot, Encoding, Error, Pair};

/// What a consumer can do as the receiver of notifications of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerService<'a> {
    /// The service.
    pub service: &'a str,
    /// Major versions of its API, each at least 1.
    pub api_versions: Vec<u32>,
    /// Features, hexadecimal (TS 29.571 5.2.2).
    pub features: Option<&'a str>,
    /// Encodings.
    pub encodings: Option<Vec<Encoding<'a>>>,
    /// Path that callback URIs begin with.
    pub callback_uri_prefix: Option<&'a str>,
    /// Where callbacks go from within the PLMN.
    pub intra_plmn_root: Option<ApiRoot<'a>>,
    /// Where callbacks go from other PLMNs.
    pub inter_plmn_root: Option<ApiRoot<'a>>,
    /// Parameters that this release does not define.
    pub others: Vec<Pair<'a>>,
}

/// One service or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerInfo<'a>(pub Vec<ConsumerService<'a>>);

impl<'a> ConsumerService<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        cursor.literal("service=")?;
        let mut service = Self {
            service: cursor.token("service")?,
            api_versions: Vec::new(),
            features: None,
            encodings: None,
            callback_uri_prefix: None,
            intra_plmn_root: None,
            inter_plmn_root: None,
            others: Vec::new(),
        };
        let mut versions = None;
        while cursor.separator(b';') {
            let start = cursor.offset();
            let name = cursor.name()?;
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            if is("apiversion") {
                let value = self::versions(cursor)?;
                cursor.once(&mut versions, value, "apiversion", start)?;
            } else if is("supportedfeatures") {
                let value = cursor.run(|byte| byte.is_ascii_hexdigit());
                cursor.once(&mut service.features, value, "supportedfeatures", start)?;
            } else if is("acceptencoding") {
                let value = encodings(cursor)?;
                cursor.once(&mut service.encodings, value, "acceptencoding", start)?;
            } else if is("callback-uri-prefix") {
                let value = cursor.in_quotes(prefix)?;
                cursor.once(&mut service.callback_uri_prefix, value, "callback-uri-prefix", start)?;
            } else if is("intraPlmnCallbackRoot") {
                let value = cursor.in_quotes(ApiRoot::read)?;
                cursor.once(&mut service.intra_plmn_root, value, "intraPlmnCallbackRoot", start)?;
            } else if is("interPlmnCallbackRoot") {
                let value = cursor.in_quotes(ApiRoot::read)?;
                cursor.once(&mut service.inter_plmn_root, value, "interPlmnCallbackRoot", start)?;
            } else {
                service.others.push(Pair { name, value: cursor.value("value of a parameter")? });
            }
        }
        service.api_versions = versions.ok_or_else(|| cursor.missing("apiversion"))?;
        Ok(service)
    }
}

fn versions(cursor: &mut Cursor<'_>) -> Result<Vec<u32>, Error> {
    cursor.literal("(")?;
    let mut versions = Vec::new();
    loop {
        cursor.spaces();
        if cursor.eat(b')') {
            return Ok(versions);
        }
        let offset = cursor.offset();
        match cursor.number("apiversion", 9, 999_999_999)? {
            0 => return Err(cursor.parameter("apiversion", offset)),
            version => versions.push(version),
        }
    }
}

fn encodings<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<Encoding<'a>>, Error> {
    cursor.in_quotes(|cursor| match cursor.peek() {
        Some(b'"') => Ok(Vec::new()),
        _ => cursor.list(b',', Encoding::read),
    })
}

fn prefix<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Error> {
    let start = cursor.offset();
    let path = cursor.run(is_path);
    if path.starts_with('/') { Ok(path) } else { Err(cursor.expected("path", start)) }
}

impl fmt::Display for ConsumerService<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service={}; apiversion=(", self.service)?;
        separated(f, " ", &self.api_versions)?;
        f.write_str(")")?;
        if let Some(features) = self.features {
            write!(f, "; supportedfeatures={features}")?;
        }
        if let Some(encodings) = &self.encodings {
            f.write_str("; acceptencoding=\"")?;
            separated(f, ", ", encodings)?;
            f.write_str("\"")?;
        }
        if let Some(prefix) = self.callback_uri_prefix {
            write!(f, "; callback-uri-prefix=\"{prefix}\"")?;
        }
        let roots =
            [("intraPlmnCallbackRoot", self.intra_plmn_root), ("interPlmnCallbackRoot", self.inter_plmn_root)];
        for (name, root) in roots {
            if let Some(root) = root {
                write!(f, "; {name}=\"{root}\"")?;
            }
        }
        self.others.iter().try_for_each(|other| write!(f, "; {}={}", other.name, other.value))
    }
}

listed!(ConsumerInfo, ConsumerInfo, b',', ", ", ConsumerService::read);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sbi::{Header, Value as _};
    use std::string::ToString;

    #[test]
    fn everything_that_the_grammar_has() {
        let text = "service=nsmf-pdusession; apiversion=(1 2); supportedfeatures=01; acceptencoding=\"gzip;q=1, identity;q=0.500\"; callback-uri-prefix=\"/a/b\"; intraPlmnCallbackRoot=\"http://smf\"; interPlmnCallbackRoot=\"https://smf.example/x\", service=namf-comm; apiversion=()";
        let parsed = ConsumerInfo::parse(text.as_bytes()).unwrap();
        let (first, second) = (&parsed.0[0], &parsed.0[1]);
        assert_eq!(
            (first.service, &first.api_versions[..], first.features),
            ("nsmf-pdusession", &[1, 2][..], Some("01"))
        );
        assert_eq!(first.encodings.as_ref().map(|list| (list.len(), list[1].weight)), Some((2, Some(500))));
        assert_eq!(first.inter_plmn_root.map(|root| (root.authority, root.prefix)), Some(("smf.example", "/x")));
        assert_eq!((second.service, second.api_versions.len()), ("namf-comm", 0));
        assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn what_is_wrong_says_where() {
        let header = Header::ConsumerInfo;
        for (text, error) in [
            ("service=a", Error::Missing { header, name: "apiversion", offset: 9 }),
            ("service=a; apiversion=(0)", Error::Parameter { header, name: "apiversion", offset: 23 }),
            ("service=a; apiversion=(1", Error::Expected { header, what: "apiversion", offset: 24 }),
            (
                "service=a; apiversion=(1); callback-uri-prefix=\"a\"",
                Error::Expected { header, what: "path", offset: 48 },
            ),
        ] {
            assert_eq!(ConsumerInfo::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
