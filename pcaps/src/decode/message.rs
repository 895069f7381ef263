//! Messages: field names and their values.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number, or 1 and 0 for a bit that is set or not.
    Number(u64),
    /// An address, a name, a text.
    Text(String),
    /// Of a field that a message has several times: each in the order of the message.
    List(Vec<Value>),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value {
    fn from(set: bool) -> Self {
        Self::Number(set.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{value}")?;
                }
                Ok(())
            }
        }
    }
}

/// One decoded message: fields in the order of their first appearance, and a summary for people.
///
/// As JSON it is one object; `Display` writes one line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    fields: Vec<(&'static str, Value)>,
    protocol: &'static str,
    summary: Vec<String>,
    errors: usize,
}

/// Parts of a summary that fit into a line.
const MOST_PARTS: usize = 8;

impl Message {
    pub(super) fn new(frame: u64, protocol: &'static str, source: IpAddr, destination: IpAddr) -> Self {
        let (from, to) = match source {
            IpAddr::V4(_) => ("ip.src", "ip.dst"),
            IpAddr::V6(_) => ("ipv6.src", "ipv6.dst"),
        };
        let mut message = Self { fields: Vec::with_capacity(24), protocol, summary: Vec::new(), errors: 0 };
        message.add("frame.number", frame);
        message.add(from, source.to_string());
        message.add(to, destination.to_string());
        message
    }

    /// The fields, in the order of their first appearance.
    #[must_use]
    pub fn fields(&self) -> &[(&'static str, Value)] {
        &self.fields
    }

    /// Value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let field = self.fields.iter().find(|(field, _)| *field == name);
        field.map(|(_, value)| value)
    }

    /// Every value of a field: one, those of a list, or none.
    #[must_use]
    pub fn all(&self, name: &str) -> &[Value] {
        match self.get(name) {
            Some(Value::List(list)) => list,
            Some(value) => std::slice::from_ref(value),
            None => &[],
        }
    }

    /// Protocol of the message, as people write it.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        self.protocol
    }

    /// Adds a value: a field that is there already becomes a list.
    pub(super) fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        let value = value.into();
        match self.fields.iter_mut().find(|(field, _)| *field == name) {
            None => self.fields.push((name, value)),
            Some((_, Value::List(list))) => list.push(value),
            Some((_, first)) => {
                let one = std::mem::replace(first, Value::Number(0));
                *first = Value::List(vec![one, value]);
            }
        }
    }

    /// Adds the address of each family that there is.
    pub(super) fn add_addresses(
        &mut self,
        v4: Option<Ipv4Addr>,
        v6: Option<Ipv6Addr>,
        (name_v4, name_v6): (&'static str, &'static str),
    ) {
        if let Some(address) = v4 {
            self.add(name_v4, address.to_string());
        }
        if let Some(address) = v6 {
            self.add(name_v6, address.to_string());
        }
    }

    /// Says that the message is not whole: the first that is wrong, with field and offset.
    pub(super) fn fail(&mut self, error: impl fmt::Display) {
        if self.errors == 0 {
            self.add("error", error.to_string());
        }
        self.errors = self.errors.saturating_add(1);
    }

    /// How much was wrong so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Adds a part to the line for people; after a few there are only dots.
    pub(super) fn summarize(&mut self, part: String) {
        match self.summary.len() {
            0..MOST_PARTS => self.summary.push(part),
            MOST_PARTS => self.summary.push("...".to_owned()),
            _ => {}
        }
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |names: [&str; 2]| {
            let value = names.iter().find_map(|name| self.get(name));
            value.map(Value::to_string).unwrap_or_default()
        };
        let port = |name| self.all(name).first().map(|port| format!(":{port}"));
        let source = text(["ip.src", "ipv6.src"]) + &port("sctp.srcport").unwrap_or_default();
        let destination = text(["ip.dst", "ipv6.dst"]) + &port("sctp.dstport").unwrap_or_default();
        let frame = text(["frame.number", ""]);
        write!(
            f,
            "{frame:>6}  {source:<21} > {destination:<21}  {:<4}  {}",
            self.protocol,
            self.summary.join(", ")
        )?;
        if let Some(error) = self.get("error") {
            write!(f, "  [{error}]")?;
        }
        Ok(())
    }
}

/// Labels of the DNS with dots between them (RFC 1035 3.1); the last one as far as it is there.
pub(super) fn labels(mut name: &[u8]) -> String {
    let mut labels = Vec::new();
    while let Some((&length, rest)) = name.split_first() {
        let (label, behind) = rest.split_at_checked(length.into()).unwrap_or((rest, &[]));
        labels.push(text(label));
        name = behind;
    }
    labels.join(".")
}

/// Names and rules are ASCII; what is not is shown as such.
pub(super) fn text(bytes: &[u8]) -> String {
    let shown = |&byte: &u8| if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER };
    bytes.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let source = "192.0.2.1".parse().unwrap();
        Message::new(7, "SCTP", source, "192.0.2.2".parse().unwrap())
    }

    #[test]
    fn a_repeated_field_becomes_a_list() {
        let mut message = message();
        message.add("sctp.chunk_type", 3_u8);
        assert_eq!(message.all("sctp.chunk_type"), [Value::Number(3)]);
        message.add("sctp.chunk_type", 0_u8);
        message.add("sctp.chunk_type", 1_u8);
        assert_eq!(
            serde_json::to_string(&message).unwrap(),
            r#"{"frame.number":7,"ip.src":"192.0.2.1","ip.dst":"192.0.2.2","sctp.chunk_type":[3,0,1]}"#
        );
    }

    #[test]
    fn people_get_one_line() {
        let mut message = message();
        message.add("sctp.srcport", 38412_u16);
        message.add("sctp.dstport", 38413_u16);
        message.summarize("DATA".to_owned());
        message.summarize("SACK".to_owned());
        message.fail("SCTP chunk at offset 12");
        message.fail("a later error");
        assert_eq!(
            message.to_string(),
            "     7  192.0.2.1:38412       > 192.0.2.2:38413        SCTP  DATA, SACK  [SCTP chunk at offset 12]"
        );
    }
}
