//! 3gpp-Sbi-Discovery-*: factors that an SCP discovers and selects by (TS 29.500 5.2.3.2.7), which are query parameters of
//! discovery (TS 29.510 6.2.3.2.3.1).

use alloc::borrow::Cow;
use core::fmt;

use super::cursor::whole;
use super::{Error, Header, decode, json};

/// What names of discovery headers begin with; the parameter's name follows.
pub const DISCOVERY_PREFIX: &str = "3gpp-Sbi-Discovery-";

/// How a factor's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactorKind {
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A decimal number.
    Number,
    /// Words with commas between them.
    List,
    /// JSON.
    Json,
}

impl FactorKind {
    /// How the value of a parameter is written; text where it is none that is known.
    pub fn of(parameter: &str) -> Self {
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(parameter));
        if is(JSON) {
            Self::Json
        } else if is(LISTS) {
            Self::List
        } else if is(NUMBERS) {
            Self::Number
        } else if is(FLAGS) {
            Self::Flag
        } else {
            Self::Text
        }
    }
}

/// Parameters whose content is JSON.
const JSON: &[&str] = &[
    "target-plmn-list",
    "requester-plmn-list",
    "snssais",
    "requester-snssais",
    "plmn-specific-snssai-list",
    "requester-plmn-specific-snssai-list",
    "ipv4-index",
    "ipv6-index",
    "tai",
    "tai-list",
    "guami",
    "pgw-ip",
    "pfd-data",
    "chf-supported-plmn",
    "ext-preferred-locality",
    "complex-query",
    "atsss-capability",
    "client-type",
    "lmf-id",
    "an-node-type",
    "rat-type",
    "preferred-tai",
    "target-snpn",
    "requester-snpn-list",
    "af-ee-data",
    "w-agf-info",
    "tngf-info",
    "twif-info",
    "preferred-api-versions",
    "remote-plmn-id",
    "remote-snpn-id",
    "preferred-vendor-specific-features",
    "preferred-vendor-specific-nf-features",
    "ml-analytics-info-list",
    "mbs-session-id-list",
    "upf-n6-ip",
    "v2x-capability",
    "prose-capability",
    "exclude-nfservinst-list",
    "preferred-analytics-delays",
];

/// Parameters of which the value is several words.
const LISTS: &[&str] = &[
    "service-names",
    "nsi-list",
    "group-id-list",
    "dnai-list",
    "pdu-session-types",
    "event-id-list",
    "nwdaf-event-list",
    "required-features",
    "preferred-nf-instances",
    "exclude-nfinst-list",
    "exclude-nfserviceset-list",
];

const NUMBERS: &[&str] = &["limit", "max-payload-size", "max-payload-size-ext"];

const FLAGS: &[&str] = &["pgw-ind", "upf-iwk-eps-ind", "upf-ue-ip-addr-ind"];

/// One factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Factor<'a> {
    /// The query parameter's name, in the case that it came in.
    pub name: &'a str,
    /// Its value as it came.
    pub value: &'a str,
}

impl<'a> Factor<'a> {
    /// The query parameter that a header is about, where it is a discovery header.
    pub fn parameter(header: &str) -> Option<&str> {
        let (prefix, name) = header.split_at_checked(DISCOVERY_PREFIX.len())?;
        (prefix.eq_ignore_ascii_case(DISCOVERY_PREFIX) && super::is_token(name)).then_some(name)
    }

    /// Reads the value of a parameter. JSON is only looked at, not taken apart; other text is taken as it is.
    ///
    /// # Errors
    ///
    /// It is empty, or not written as the parameter's values are; where, counted from the value's first byte.
    pub fn parse(name: &'a str, value: &'a [u8]) -> Result<Self, Error> {
        let header = Header::Discovery;
        let start = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        whole(header, value, |cursor| {
            let value = cursor.run(|_| true).trim_end_matches([' ', '\t']);
            let factor = Self { name, value };
            let wrong = |name| Err(cursor.parameter(name, start));
            match factor.kind() {
                _ if value.is_empty() => Err(cursor.expected("value of a factor", start)),
                FactorKind::Json => match factor.json() {
                    None => wrong("percent-encoding"),
                    Some(text) => match json::fault(&text) {
                        None => Ok(factor),
                        // What was percent-encoded has no offset of its own.
                        Some(offset) => Err(Error::Json {
                            header,
                            offset: start + if matches!(text, Cow::Borrowed(_)) { offset } else { 0 },
                        }),
                    },
                },
                FactorKind::Number if !value.bytes().all(|byte| byte.is_ascii_digit()) => wrong("number"),
                FactorKind::Flag if !["true", "false"].contains(&value) => wrong("boolean"),
                FactorKind::List if value.split(',').any(|word| word.trim().is_empty()) => wrong("list"),
                FactorKind::Text | FactorKind::Number | FactorKind::Flag | FactorKind::List => Ok(factor),
            }
        })
    }

    /// How its value is written.
    pub fn kind(&self) -> FactorKind {
        FactorKind::of(self.name)
    }

    /// The words of a list, or the one value.
    pub fn words(&self) -> impl Iterator<Item = &'a str> {
        self.value.split(',').map(str::trim)
    }

    /// The value as JSON: decoded where its sender percent-encoded it, which headers of this kind are not (TS 29.500 5.2.3.2.7);
    /// none where that decodes to nothing.
    pub fn json(&self) -> Option<Cow<'a, str>> {
        if self.value.starts_with('%') { decode(self.value) } else { Some(Cow::Borrowed(self.value)) }
    }
}

/// The value alone, as the header has it.
impl fmt::Display for Factor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Table 5.2.3.2.7-1 of TS 29.500.
    #[test]
    fn examples_of_the_specification() {
        for (header, name, value) in [
            ("3gpp-Sbi-Discovery-target-nf-type", "target-nf-type", "AMF"),
            (
                "3gpp-sbi-discovery-snssais",
                "snssais",
                "[{\"sst\": 1, \"sd\": \"A08923\"}, {\"sst\": 1, \"sd\": \"0023F1\"}]",
            ),
            (
                "3GPP-SBI-DISCOVERY-target-nf-instance-id",
                "target-nf-instance-id",
                "e553cf50-f32b-4638-8a7e-0d416cc60952",
            ),
        ] {
            let found = Factor::parameter(header).unwrap();
            assert_eq!(Factor::parse(found, value.as_bytes()), Ok(Factor { name, value }));
        }
        assert_eq!(Factor::parameter("3gpp-sbi-discovery-"), None);
        assert_eq!(Factor::parameter("3gpp-sbi-binding"), None);
    }

    #[test]
    fn values_of_each_kind() {
        let list = Factor::parse("service-names", b" nudm-sdm, nudm-uecm ").unwrap();
        assert_eq!(list.words().collect::<Vec<_>>(), ["nudm-sdm", "nudm-uecm"]);
        let encoded = Factor::parse("tai", b"%7B%22tac%22%3A%22000001%22%7D").unwrap();
        assert_eq!(encoded.json().as_deref(), Some("{\"tac\":\"000001\"}"));
        assert_eq!(Factor::parse("limit", b"20").map(|factor| factor.kind()), Ok(FactorKind::Number));
        assert_eq!(Factor::parse("pgw-ind", b"true").map(|factor| factor.kind()), Ok(FactorKind::Flag));
        assert_eq!(Factor::parse("vendor-new", b"a, {").map(|factor| factor.kind()), Ok(FactorKind::Text));
    }

    #[test]
    fn what_is_wrong_says_where() {
        let header = Header::Discovery;
        for (name, value, error) in [
            ("target-nf-type", " ", Error::Expected { header, what: "value of a factor", offset: 1 }),
            ("snssais", " [{\"sst\": }]", Error::Json { header, offset: 10 }),
            ("snssais", "[1", Error::Json { header, offset: 1 }),
            ("guami", "%7B", Error::Json { header, offset: 0 }),
            ("guami", "%7", Error::Parameter { header, name: "percent-encoding", offset: 0 }),
            ("limit", "-1", Error::Parameter { header, name: "number", offset: 0 }),
            ("pgw-ind", "yes", Error::Parameter { header, name: "boolean", offset: 0 }),
            ("service-names", "a,,b", Error::Parameter { header, name: "list", offset: 0 }),
        ] {
            assert_eq!(Factor::parse(name, value.as_bytes()), Err(error), "{name}: {value}");
        }
    }
}
