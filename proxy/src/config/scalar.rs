//! Numbers, durations, addresses and texts, each refused in words where it is none.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::mistake::Wrong;
use super::read::Read;
use super::yaml::{Node, Value, shortened};

/// A kind of value: how it is read, and its schema. `read` gets the text of the YAML type that is named.
macro_rules! scalar {
    (
        $(#[doc = $about:literal])*
        $name:ident($inner:ty): $kind:ident = $noun:literal, $right:literal, $read:expr, $schema:tt
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(in crate::config) struct $name(pub(in crate::config) $inner);

        impl Read for $name {
            const NOUN: &'static str = $noun;
            const RIGHT: &'static str = $right;

            fn read(node: &Node, wrong: &mut Wrong) -> Option<Self> {
                let read: fn(&str) -> Option<$inner> = $read;
                let value = match &node.value {
                    Value::$kind(text) => read(text),
                    _ => None,
                };
                value.map(Self).or_else(|| misread(node, stringify!($kind), $noun, $right, wrong))
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

pub(super) mod gtpc;
pub(super) mod ngap;
pub(crate) mod pfcp;
pub(super) mod sbi;

/// Says that a value is none of its kind, and whether it is but for its quotes.
fn misread<T>(node: &Node, kind: &str, noun: &str, right: &str, wrong: &mut Wrong) -> Option<T> {
    let found = node.describe();
    let what = match (&node.value, kind) {
        (Value::Null, _) => format!("no {noun}; give {right}"),
        (Value::Text(_), "Number") if number::<u64>(&found).is_some() => {
            format!("{found} in quotes is no {noun}; give {right}, without quotes")
        }
        (Value::Number(_) | Value::Bool(_), "Text") if noun == "name" => {
            format!("{found} is no {noun} without quotes; write '{found}'")
        }
        _ => format!("{found} is no {noun}; give {right}"),
    };
    wrong.mistake(node.at, what);
    None
}

/// Decimal digits alone: a leading zero means octal to some readers of YAML.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

scalar! {
    /// A name: it is shown, and written `POOL/NAME` on the command line.
    Name(String): Text = "name", "up to 64 letters, digits, dots, dashes or underscores",
    |text| {
        let fits = (1..=64).contains(&text.chars().count());
        let shown = text.chars().all(|c| !c.is_control() && c != '/') && text.trim() == text;
        (fits && shown).then(|| text.to_owned())
    },
    { "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^/\\s]([^/]*[^/\\s])?$" }
}

scalar! {
    /// A port.
    Port(u16): Number = "port", "a number from 1 to 65535",
    |text| number(text).filter(|port| *port != 0),
    { "type": "integer", "minimum": 1, "maximum": 65535 }
}

scalar! {
    /// An endpoint's share.
    Weight(u16): Number = "weight", "a number from 0 to 65535",
    number, { "type": "integer", "minimum": 0, "maximum": 65535 }
}

scalar! {
    /// An endpoint's group.
    Priority(u8): Number = "priority", "a number from 0 to 255, where 0 comes first",
    number, { "type": "integer", "minimum": 0, "maximum": 255 }
}

scalar! {
    /// How many probes in a row.
    InARow(u8): Number = "count of probes in a row", "a number from 1 to 255",
    |text| number(text).filter(|count| *count != 0),
    { "type": "integer", "minimum": 1, "maximum": 255 }
}

scalar! {
    /// A part of the interval between probes, in percent.
    Jitter(u8): Number = "jitter", "percents of the interval, from 0 to 50",
    |text| number(text).filter(|percent| *percent <= 50),
    { "type": "integer", "minimum": 0, "maximum": 50 }
}

scalar! {
    /// How many entries a table holds.
    Entries(u32): Number = "bound", "a number of entries from 1 to 67108864",
    |text| number(text).filter(|count| (1..=1 << 26).contains(count)),
    { "type": "integer", "minimum": 1, "maximum": 67_108_864 }
}

scalar! {
    /// How many changes may wait for the store.
    Backlog(u32): Number = "backlog", "a number of changes from 1 to 16777216",
    |text| number(text).filter(|count| (1..=1 << 24).contains(count)),
    { "type": "integer", "minimum": 1, "maximum": 16_777_216 }
}

scalar! {
    /// An IP address.
    Ip(IpAddr): Text = "IP address", "one, such as 192.0.2.1 or 2001:db8::1",
    |text| text.parse().ok(),
    { "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }
}

scalar! {
    /// A tunnel's endpoint identifier; 0 is kept for signalling (TS 29.281 5.1).
    Teid(u32): Number = "TEID", "a number from 1 to 4294967295, or from 0x1 to 0xffffffff",
    teid, { "type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32 }
}

scalar! {
    /// An address and a port to listen at.
    Listen(SocketAddr): Text = "address with a port", "both, such as 127.0.0.1:9090 or '[::1]:9090'",
    |text| text.parse().ok().filter(|address: &SocketAddr| address.port() != 0),
    { "type": "string", "pattern": "^([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[1-9][0-9]{0,4}$" }
}

scalar! {
    /// A time, in milliseconds, seconds, minutes or hours.
    Span(Duration): Text = "duration", "a number and its unit, such as 500ms, 10s, 5m or 2h",
    duration, { "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" }
}

scalar! {
    /// A file.
    Path(PathBuf): Text = "path", "the path of a file",
    |text| (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text)),
    { "type": "string", "minLength": 1 }
}

scalar! {
    /// A unix socket. Linux keeps its path in 108 bytes, the last of them zero (unix(7)).
    Socket(PathBuf): Text = "path of a unix socket", "one that begins with `/`, of at most 107 bytes",
    |text| {
        let fits = text.starts_with('/') && !text.ends_with('/') && text.len() <= 107 && !text.contains('\0');
        fits.then(|| PathBuf::from(text))
    },
    { "type": "string", "pattern": "^/.*[^/]$", "maxLength": 107 }
}

scalar! {
    /// Permissions of a file. Without quotes, readers of YAML do not agree whether they are octal.
    Mode(u32): Text = "mode of a unix socket", "octal digits in quotes, from '0000' to '0777', such as '0660'",
    |text| {
        let octal = (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let mode = if octal { u32::from_str_radix(text, 8).ok() } else { None };
        mode.filter(|mode| *mode <= 0o777)
    },
    { "type": "string", "pattern": "^0?[0-7]{3}$" }
}

scalar! {
    /// The name of an interface. Linux keeps it in 16 bytes, the last of them zero (netdevice(7)).
    InterfaceName(String): Text = "name of an interface", "one that `ip link` shows, of at most 15 bytes",
    |text| {
        let fits = (1..=15).contains(&text.len()) && text != "." && text != "..";
        let known = text.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '/' && c != ':');
        (fits && known).then(|| text.to_owned())
    },
    { "type": "string", "pattern": "^[^\\s/:]{1,15}$" }
}

scalar! {
    /// Where pins are written behind, in short.
    StoreWord(Option<String>): Text = "store", "memory, or a URL such as redis://192.0.2.10:6379/0; TLS (rediss) is not spoken",
    |text| if text == "memory" { Some(None) } else { url(text).map(Some) },
    { "type": "string", "pattern": "^(memory|(redis|valkey|redis\\+unix|valkey\\+unix|unix)://.+)$" }
}

scalar! {
    /// A Redis or Valkey server.
    StoreUrl(String): Text = "URL of a store", "one such as redis://192.0.2.10:6379/0; TLS (rediss) is not spoken",
    url, { "type": "string", "pattern": "^(redis|valkey|redis\\+unix|valkey\\+unix|unix)://.+$" }
}

scalar! {
    /// What keys in the store begin with.
    Prefix(String): Text = "prefix", "up to 64 printable characters without blanks",
    |text| (text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned()),
    { "type": "string", "maxLength": 64, "pattern": "^[!-~]*$" }
}

scalar! {
    /// What a UDP probe sends.
    Payload(Vec<u8>): Text = "payload", "up to 1,200 bytes, as text or as hex digits after 0x, in quotes",
    |text| {
        let bytes = match text.strip_prefix("0x") {
            Some(digits) => hex(digits)?,
            None => text.as_bytes().to_vec(),
        };
        (bytes.len() <= 1200).then_some(bytes)
    },
    { "type": "string", "maxLength": 2402 }
}

scalar! {
    /// What an HTTP/2 probe asks for.
    UrlPath(String): Text = "path to ask for", "one that begins with `/`, such as /healthz",
    |text| (text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned()),
    { "type": "string", "pattern": "^/[!-~]*$" }
}

scalar! {
    /// The `:authority` of an HTTP/2 probe.
    Authority(String): Text = "authority", "a host and, if need be, a port, such as nrf.example:8000",
    |text| {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"/@?#\\".contains(&byte);
        (!text.is_empty() && text.bytes().all(plain)).then(|| text.to_owned())
    },
    { "type": "string", "pattern": "^[!-~]+$" }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Truth(pub(super) bool);

impl Read for Truth {
    const NOUN: &'static str = "yes or no";
    const RIGHT: &'static str = "true or false";

    fn read(node: &Node, wrong: &mut Wrong) -> Option<Self> {
        match &node.value {
            Value::Bool(value) => Some(Self(*value)),
            _ => Self::refuse(node, wrong),
        }
    }
}

impl JsonSchema for Truth {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Truth".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

fn teid(text: &str) -> Option<u32> {
    hexadecimal(text).filter(|teid| *teid != 0)
}

/// Decimal digits, or hexadecimal ones after `0x`.
fn hexadecimal(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => number(text),
    }
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(unit)?;
    let count: u64 = count.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(count)),
        "s" => Some(Duration::from_secs(count)),
        "m" => count.checked_mul(60).map(Duration::from_secs),
        "h" => count.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

/// A duration as it is written: in the greatest unit that it is whole in.
pub(crate) fn written(span: Duration) -> String {
    let millis = span.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
        _ => format!("{millis}ms"),
    }
}

/// What the store's client can open.
fn url(text: &str) -> Option<String> {
    use redis::IntoConnectionInfo as _;
    text.into_connection_info().is_ok().then(|| text.to_owned())
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

/// A text in a message, or a place for it where it was wrong.
pub(super) fn shown(name: Option<&Name>) -> String {
    name.map_or_else(|| "?".to_owned(), |name| shortened(&name.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000), ("0s", 0)] {
            let read = duration(text).unwrap();
            assert_eq!(read, Duration::from_millis(millis));
            assert_eq!(written(read), text);
        }
        for text in ["", "s", "10", "1.5s", "-1s", "10 s", "1d", "99999999999999999999s", "18446744073709551615h"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn teids_are_decimal_or_hexadecimal() {
        for (text, value) in [("1", 1), ("4097", 4097), ("0x1001", 0x1001), ("0xFFFFffff", u32::MAX)] {
            assert_eq!(teid(text), Some(value));
        }
        for text in ["", "0", "0x", "0x0", "010", "-1", "0x+1", "0x1_0", "4294967296", "0x100000000", "1001h"] {
            assert_eq!(teid(text), None, "{text}");
        }
    }

    #[test]
    fn hex_is_whole_bytes() {
        assert_eq!(hex("80fF"), Some(vec![0x80, 0xff]));
        assert_eq!((hex("8"), hex("zz"), hex("+1")), (None, None, None));
    }
}
