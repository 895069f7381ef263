//! What sessions of PFCP are told apart by, and how many there may be.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{misread, number};
use crate::config::mistake::Wrong;
use crate::config::read::Read;
use crate::config::yaml::{Node, Value};

scalar! {
    /// A data network name (TS 23.003 9.1).
    Dnn(String): Text = "data network name", "letters, digits and dashes, with dots between labels, such as internet",
    |text| {
        let label = |label: &str| {
            let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            (1..=63).contains(&label.len()) && plain
        };
        (text.len() <= 100 && text.split('.').all(label)).then(|| text.to_owned())
    },
    { "type": "string", "maxLength": 100, "pattern": "^[0-9A-Za-z-]{1,63}(\\.[0-9A-Za-z-]{1,63})*$" }
}

scalar! {
    /// A network instance (TS 29.244 8.2.4).
    Instance(String): Text = "network instance", "up to 100 printable characters without blanks, such as access",
    |text| {
        let fits = (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| text.to_owned())
    },
    { "type": "string", "pattern": "^[!-~]{1,100}$" }
}

scalar! {
    /// A slice: its type, and its differentiator (TS 23.003 28.4.2).
    Slice((u8, Option<[u8; 3]>)): Text = "slice",
    "a type from 0 to 255, or a type and six hex digits, in quotes, such as '1' or '1-0000ab'",
    slice, { "type": "string", "pattern": "^(0|[1-9][0-9]{0,2})(-[0-9A-Fa-f]{6})?$" }
}

scalar! {
    /// A prefix of users' addresses.
    UePrefix((IpAddr, u8)): Text = "prefix of users' addresses",
    "an address and a length with no bit set beyond it, such as 10.45.0.0/16 or 2001:db8:1::/48",
    prefix, { "type": "string", "pattern": "^[0-9A-Fa-f:.]+/(0|[1-9][0-9]{0,2})$" }
}

scalar! {
    /// How often a request is sent.
    Tries(u8): Number = "number of tries", "a number from 1 to 20",
    |text| number(text).filter(|count| (1..=20).contains(count)),
    { "type": "integer", "minimum": 1, "maximum": 20 }
}

scalar! {
    /// How many sessions.
    Sessions(u32): Number = "number of sessions", "a number from 1 to 16777216",
    |text| number(text).filter(|count| (1..=1 << 24).contains(count)),
    { "type": "integer", "minimum": 1, "maximum": 16_777_216 }
}

scalar! {
    /// How many SMFs.
    Smfs(u16): Number = "number of SMFs", "a number from 1 to 65535",
    |text| number(text).filter(|count| *count != 0),
    { "type": "integer", "minimum": 1, "maximum": 65_535 }
}

fn slice(text: &str) -> Option<(u8, Option<[u8; 3]>)> {
    let Some((sst, digits)) = text.split_once('-') else {
        return Some((number(text)?, None));
    };
    let plain = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let [_, sd @ ..] = u32::from_str_radix(digits, 16).ok().filter(|_| plain)?.to_be_bytes();
    Some((number(sst)?, Some(sd)))
}

/// `ADDRESS/LENGTH`, with nothing set beyond the length.
pub(crate) fn prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let (address, length): (IpAddr, u8) = (address.parse().ok()?, number(length)?);
    let whole = if address.is_ipv4() { 32 } else { 128 };
    (length <= whole && cut(address, length) == address).then_some((address, length))
}

/// An address with nothing set beyond a length.
pub(in crate::config) fn cut(address: IpAddr, length: u8) -> IpAddr {
    let beyond = |whole: u32| whole.saturating_sub(length.into());
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(beyond(32)).unwrap_or(0)).into(),
        IpAddr::V6(v6) => {
            Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(beyond(128)).unwrap_or(0)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_have_a_type_and_a_differentiator() {
        for (text, value) in [
            ("0", (0, None)),
            ("255", (255, None)),
            ("1-0000ab", (1, Some([0, 0, 0xab]))),
            ("128-FFffFE", (128, Some([255, 255, 254]))),
        ] {
            assert_eq!(slice(text), Some(value), "{text}");
        }
        for text in ["", "256", "-1", "01", "1-", "1-ab", "1-0000abc", "1-+000ab", "1-0000ag", "-0000ab"] {
            assert_eq!(slice(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_is_set_beyond_a_prefix() {
        for text in ["10.45.0.0/17", "10.45.128.0/17", "0.0.0.0/0", "10.0.0.1/32", "2001:db8:1::/48", "::/0"] {
            let (address, length) = prefix(text).unwrap();
            assert_eq!(format!("{address}/{length}"), text);
        }
        assert_eq!(prefix("2001:db8::1/128"), Some(("2001:db8::1".parse().unwrap(), 128)));
        for text in ["10.45.64.0/17", "10.0.0.1/31", "10.0.0.0/33", "2001:db8:1::/47", "::/129", "10.0.0.0", "/8"]
        {
            assert_eq!(prefix(text), None, "{text}");
        }
    }
}
