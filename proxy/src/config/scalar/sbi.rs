//! What the service-based interface is configured with (TS 29.500, TS 29.510).

use std::borrow::Cow;

use http::Uri;
use pinion_protocols::sbi::is_uuid;
use pinion_scp::api_root::ApiRoot;
use pinion_scp::nrf::PlmnId;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{misread, number};
use crate::config::mistake::Wrong;
use crate::config::read::Read;
use crate::config::yaml::{Node, Value};

scalar! {
    /// A fully qualified domain name (TS 23.003 28).
    Fqdn(String): Text = "FQDN", "labels of letters, digits and dashes with dots between, such as scp.5gc.mnc001.mcc001.3gppnetwork.org",
    |text| is_fqdn(text).then(|| text.to_owned()),
    { "type": "string", "maxLength": 253, "pattern": "^[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?(\\.[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?)*$" }
}

scalar! {
    /// An NF instance: a UUID (TS 29.571 5.3.2, RFC 9562).
    NfInstance(String): Text = "NF instance", "a UUID, such as 8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b",
    |text| is_uuid(text).then(|| text.to_ascii_lowercase()),
    { "type": "string", "format": "uuid" }
}

scalar! {
    /// What comes before the paths of APIs (TS 29.501 4.4.1).
    ApiPrefix(String): Text = "prefix of paths", "one that begins with `/` and does not end with it, such as /scp",
    |text| {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\\".contains(&byte);
        let fits = text.len() > 1 && text.starts_with('/') && !text.ends_with('/') && !text.contains("//");
        (fits && text.bytes().all(plain)).then(|| text.to_owned())
    },
    { "type": "string", "pattern": "^(/[^/?#\\\\\\s]+)+$" }
}

scalar! {
    /// Scheme, authority and prefix that URIs begin with (TS 29.501 4.4.1).
    Root(ApiRoot): Text = "apiRoot", "one such as http://192.0.2.61:8000 or https://udm.example/prefix",
    |text| ApiRoot::parse(text).ok(),
    { "type": "string", "pattern": "^https?://[^/?#@\\s]+(/[^?#\\s]*)?$" }
}

scalar! {
    /// Where notifications go (TS 29.501 5.3.4): all of the URI.
    CallbackUri(String): Text = "callback URI", "one such as http://192.0.2.61:8000/callbacks/n1",
    |text| text.parse::<Uri>().ok().and_then(|uri| ApiRoot::of(&uri)).map(|_| text.to_owned()),
    { "type": "string", "pattern": "^https?://[^/?#@\\s]+/[^#\\s]*$" }
}

scalar! {
    /// A network: MCC and MNC (TS 23.003 2.2).
    Network(PlmnId): Text = "PLMN", "MCC and MNC with a dash between, in quotes, such as '001-01'",
    plmn, { "type": "string", "pattern": "^[0-9]{3}-[0-9]{2,3}$" }
}

scalar! {
    /// The name of a service (TS 29.510 6.1.6.3.11).
    ServiceName(String): Text = "name of a service", "one as APIs have it, such as nudm-sdm",
    |text| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
    },
    { "type": "string", "pattern": "^[a-z0-9_-]{1,64}$" }
}

scalar! {
    /// How many at a time.
    Many(u32): Number = "number", "one from 1 to 16777216",
    |text| number(text).filter(|count| (1..=1 << 24).contains(count)),
    { "type": "integer", "minimum": 1, "maximum": 16_777_216 }
}

scalar! {
    /// How many octets.
    Octets(u32): Number = "number of octets", "one from 1024 to 16777216",
    |text| number(text).filter(|count| (1 << 10..=1 << 24).contains(count)),
    { "type": "integer", "minimum": 1024, "maximum": 16_777_216 }
}

scalar! {
    /// How many SCPs a request may pass.
    Hops(u8): Number = "number of SCPs", "one from 0 to 99",
    |text| number(text).filter(|count| *count <= 99),
    { "type": "integer", "minimum": 0, "maximum": 99 }
}

scalar! {
    /// A status that says that something went wrong (RFC 9110 15.5, 15.6).
    Status(u16): Number = "status", "one from 400 to 599",
    |text| number(text).filter(|status| (400..=599).contains(status)),
    { "type": "integer", "minimum": 400, "maximum": 599 }
}

scalar! {
    /// A part of a whole.
    Percent(u8): Number = "number of percents", "one from 0 to 100",
    |text| number(text).filter(|percent| *percent <= 100),
    { "type": "integer", "minimum": 0, "maximum": 100 }
}

scalar! {
    /// The version of an API in its URIs (TS 29.501 4.3.1.1).
    ApiVersion(String): Text = "version of an API", "a `v` and a number, such as v2",
    |text| text.strip_prefix('v').and_then(number::<u16>).map(|_| text.to_owned()),
    { "type": "string", "pattern": "^v(0|[1-9][0-9]{0,4})$" }
}

scalar! {
    /// A type of NF (TS 29.510 6.1.6.3.3).
    NfType(String): Text = "NF type", "one as the NRF has it, such as UDM, SMF or 5G_EIR",
    |text| {
        let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        ((1..=32).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
    },
    { "type": "string", "pattern": "^[A-Z0-9_]{1,32}$" }
}

scalar! {
    /// A set of NFs, a domain of SCPs, a place.
    Label(String): Text = "identifier", "up to 255 printable characters without blanks",
    |text| {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| text.to_owned())
    },
    { "type": "string", "pattern": "^[!-~]{1,255}$" }
}

scalar! {
    /// Capacity, or priority where the lowest comes first (TS 29.510 6.1.6.2.2).
    Rank(u16): Number = "number", "one from 0 to 65535",
    number, { "type": "integer", "minimum": 0, "maximum": 65_535 }
}

scalar! {
    /// The priority of a message (TS 29.500 6.8.4).
    MessagePriority(u8): Number = "priority of messages", "a number from 0 to 31, where 0 is the highest",
    |text| number(text).filter(|priority| *priority <= 31),
    { "type": "integer", "minimum": 0, "maximum": 31 }
}

fn is_fqdn(text: &str) -> bool {
    let label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn plmn(text: &str) -> Option<PlmnId> {
    let (mcc, mnc) = text.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = mcc.len() == 3 && (2..=3).contains(&mnc.len()) && digits(mcc) && digits(mnc);
    fits.then(|| PlmnId { mcc: mcc.to_owned(), mnc: mnc.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_as_dns_has_them() {
        for right in ["scp", "scp1.5gc.mnc001.mcc001.3gppnetwork.org", "a-b.example"] {
            assert!(is_fqdn(right), "{right}");
        }
        for wrong in ["", ".", "a..b", "-a.example", "a-.example", "a_b.example", "a.example.", &"a".repeat(64)] {
            assert!(!is_fqdn(wrong), "{wrong}");
        }
    }

    #[test]
    fn networks_have_codes_of_two_or_three_digits() {
        let read = |text| plmn(text).map(|it| (it.mcc, it.mnc));
        assert_eq!(read("001-01"), Some(("001".into(), "01".into())));
        assert_eq!(read("310-410"), Some(("310".into(), "410".into())));
        for wrong in ["", "00101", "01-01", "001-1", "001-0001", "abc-01", "001-01-1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
