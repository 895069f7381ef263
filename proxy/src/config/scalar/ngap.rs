//! Which gNBs are served, and how many there may be of what.

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU32;

use pinion_protocols::ngap::value::{self, GlobalRanNodeId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{hexadecimal, misread, number, pfcp::prefix};
use crate::config::mistake::Wrong;
use crate::config::read::Read;
use crate::config::yaml::{Node, Value};

scalar! {
    /// How many gNBs.
    Gnbs(u16): Number = "number of gNBs", "a number from 1 to 65535",
    |text| number(text).filter(|count| *count != 0),
    { "type": "integer", "minimum": 1, "maximum": 65_535 }
}

scalar! {
    /// How many associations of a gNB.
    Associations(u16): Number = "number of associations", "a number from 1 to 64",
    |text| number(text).filter(|count| (1..=64).contains(count)),
    { "type": "integer", "minimum": 1, "maximum": 64 }
}

scalar! {
    /// How many messages in a second.
    Messages(NonZeroU32): Number = "number of messages", "a number from 1 to 1000000",
    |text| number(text).filter(|count| *count <= 1_000_000).and_then(NonZeroU32::new),
    { "type": "integer", "minimum": 1, "maximum": 1_000_000 }
}

scalar! {
    /// A Global RAN Node ID (TS 38.413 9.3.1.5).
    RanNode(GlobalRanNodeId): Text = "Global RAN Node ID",
    "one as it is shown, such as 001-01-gnb-00002a/24 (hexadecimal, then its bits), 001-01-ng-enb-0002a or 001-01-n3iwf-002a",
    |text| text.parse().ok(),
    {
        "type": "string",
        "pattern": "^[0-9]{3}-[0-9]{2,3}-(gnb-[0-9A-Fa-f]{1,8}/(2[2-9]|3[0-2])|((short-|long-)?ng-enb|n3iwf)-[0-9A-Fa-f]{1,6})$"
    }
}

scalar! {
    /// A PLMN: mobile country code and network code.
    Plmn(value::Plmn): Text = "PLMN", "country and network code, such as 001-01, or '00101' in quotes",
    plmn, { "type": "string", "pattern": "^[0-9]{3}-?[0-9]{2,3}$" }
}

scalar! {
    /// A tracking area code (TS 23.003 19.4.2.3).
    Tac([u8; 3]): Number = "tracking area code", "a number from 0 to 16777215, or from 0x0 to 0xffffff",
    |text| {
        let [over, tac @ ..] = hexadecimal(text)?.to_be_bytes();
        (over == 0).then_some(tac)
    },
    { "type": "integer", "minimum": 0, "maximum": 16_777_215 }
}

scalar! {
    /// A prefix of gNBs' addresses.
    GnbPrefix((IpAddr, u8)): Text = "prefix of gNBs' addresses",
    "an address and a length with no bit set beyond it, such as 10.45.0.0/16 or 2001:db8:1::/48",
    prefix, { "type": "string", "pattern": "^[0-9A-Fa-f:.]+/(0|[1-9][0-9]{0,2})$" }
}

scalar! {
    /// A name in DNS (RFC 1035 2.3.1), with underscores as in SRV records (RFC 2782).
    DomainName(String): Text = "domain name",
    "labels of letters, digits, dashes and underscores with dots between, such as amf.example.org",
    |text| {
        let label = |label: &str| {
            let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            (1..=63).contains(&label.len()) && plain
        };
        let bare = text.strip_suffix('.').unwrap_or(text);
        (bare.len() <= 253 && bare.split('.').all(label) && text.parse::<IpAddr>().is_err()).then(|| text.to_owned())
    },
    { "type": "string", "maxLength": 254, "pattern": "^[0-9A-Za-z_-]{1,63}(\\.[0-9A-Za-z_-]{1,63})*\\.?$" }
}

fn plmn(text: &str) -> Option<value::Plmn> {
    match text.split_at_checked(3) {
        Some((country, network)) if !text.contains('-') => format!("{country}-{network}").parse().ok(),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plmns_are_written_in_two_ways() {
        for (text, octets) in [
            ("001-01", [0x00, 0xf1, 0x10]),
            ("00101", [0x00, 0xf1, 0x10]),
            ("310-410", [0x13, 0x00, 0x14]),
            ("310410", [0x13, 0x00, 0x14]),
        ] {
            assert_eq!(plmn(text), Some(value::Plmn(octets)), "{text}");
        }
        for text in
            ["", "001", "0010", "001-1", "0010101", "001-0101", "0-0101", "00-101", "00a01", "001 01", "é0101"]
        {
            assert_eq!(plmn(text), None, "{text}");
        }
    }
}
