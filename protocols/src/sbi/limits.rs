//! 3gpp-Sbi-Message-Priority, -Max-Rsp-Time and -Max-Forward-Hops (TS 29.500 5.2.3.2.2, 5.2.3.3.3, 5.2.3.2.14).

use core::fmt;

use super::cursor::whole;
use super::named::named;
use super::{Error, Header, Value};

/// Priority of a message (TS 29.500 6.8.4): from 0, the highest, to 31. It is ordered as a number, not by what goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessagePriority(u8);

impl MessagePriority {
    /// The lowest priority.
    pub const LOWEST: Self = Self(31);

    /// A priority; none above 31.
    pub fn new(priority: u8) -> Option<Self> {
        (priority <= Self::LOWEST.0).then_some(Self(priority))
    }

    /// From 0, the highest, to 31.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl<'a> Value<'a> for MessagePriority {
    const HEADER: Header = Header::MessagePriority;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            let offset = cursor.offset();
            let zero_first =
                cursor.rest().strip_prefix('0').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            let priority = cursor.number("priority", 2, 31)?;
            match u8::try_from(priority) {
                Ok(priority) if !zero_first => Ok(Self(priority)),
                _ => Err(cursor.parameter("priority", offset)),
            }
        })
    }
}

impl fmt::Display for MessagePriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How long a client waits for a response since it originated the request, in milliseconds (TS 29.500 6.11.2), at most 99,999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaxResponseTime(u32);

impl MaxResponseTime {
    /// The longest.
    pub const MOST: Self = Self(99_999);

    /// A time in milliseconds, the longest where it would be longer.
    pub fn new(milliseconds: u64) -> Self {
        u32::try_from(milliseconds).map_or(Self::MOST, |milliseconds| Self(milliseconds).min(Self::MOST))
    }

    /// In milliseconds.
    pub fn milliseconds(self) -> u32 {
        self.0
    }
}

impl<'a> Value<'a> for MaxResponseTime {
    const HEADER: Header = Header::MaxRspTime;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| cursor.number("time", 5, Self::MOST.0)).map(Self)
    }
}

impl fmt::Display for MaxResponseTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

named! {
    /// What counts as a hop.
    NodeType { Scp "scp" }
}

/// How many more nodes of a type may forward a request (TS 29.500 6.10.10.2): from 0 to 99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxForwardHops<'a> {
    /// How many more.
    pub hops: u8,
    /// Of which type.
    pub node_type: NodeType<'a>,
}

impl<'a> Value<'a> for MaxForwardHops<'a> {
    const HEADER: Header = Header::MaxForwardHops;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            let hops = u8::try_from(cursor.number("hops", 2, 99)?).unwrap_or(99);
            if !cursor.separator(b';') {
                return Err(cursor.missing("nodetype"));
            }
            cursor.literal("nodetype=")?;
            Ok(Self { hops, node_type: cursor.token("nodetype")?.into() })
        })
    }
}

impl fmt::Display for MaxForwardHops<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; nodetype={}", self.hops, self.node_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of TS 29.500 5.2.3.2.2 and 5.2.3.3.3, and the ends of each range.
    #[test]
    fn numbers_in_their_ranges() {
        let priority = |text: &str| MessagePriority::parse(text.as_bytes()).ok().map(MessagePriority::get);
        assert_eq!(["10", " 0 ", "31"].map(priority), [Some(10), Some(0), Some(31)]);
        assert_eq!(["32", "05", "-1", "", "1 2", "100"].map(priority), [None; 6]);
        let time = |text: &str| MaxResponseTime::parse(text.as_bytes()).ok().map(MaxResponseTime::milliseconds);
        assert_eq!(["10000", "0", "99999"].map(time), [Some(10_000), Some(0), Some(99_999)]);
        assert_eq!(["100000", "000001", "1.5", "-1"].map(time), [None; 4]);
        assert_eq!(MaxResponseTime::new(u64::MAX), MaxResponseTime::MOST);
    }

    #[test]
    fn hops_of_scps() {
        let header = Header::MaxForwardHops;
        for (text, parsed) in [
            ("10; nodetype=scp", Ok(MaxForwardHops { hops: 10, node_type: NodeType::Scp })),
            ("0;NODETYPE=SCP", Ok(MaxForwardHops { hops: 0, node_type: NodeType::Scp })),
            ("5; nodetype=sepp", Ok(MaxForwardHops { hops: 5, node_type: NodeType::Other("sepp") })),
            ("5", Err(Error::Missing { header, name: "nodetype", offset: 1 })),
            ("100; nodetype=scp", Err(Error::Parameter { header, name: "hops", offset: 0 })),
        ] {
            assert_eq!(MaxForwardHops::parse(text.as_bytes()), parsed, "{text}");
        }
    }
}
