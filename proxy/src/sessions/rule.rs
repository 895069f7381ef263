//! Filters of a tunnel in words (TS 23.501 5.6.4.2).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use pinion_steering::{Address, Filter, protocol};

use crate::config;

/// A filter of a tunnel: which of its users' packets go elsewhere, and where. In words:
/// `PROTOCOL from PREFIX [PORTS] to PREFIX [PORTS] via POOL/NAME [teid NUMBER]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// IP protocol; 0: any.
    pub protocol: u8,
    /// Where packets are from.
    pub from: Side,
    /// Where they are sent.
    pub to: Side,
    /// The endpoint that they go to, `POOL/NAME`.
    pub via: String,
    /// The TEID that it knows their user by; `None`: they leave their tunnel.
    pub teid: Option<u32>,
}

/// One end of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its prefix; `None`: any address.
    pub prefix: Option<(IpAddr, u8)>,
    /// First and last port.
    pub ports: [u16; 2],
}

/// Why words are no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A word is missing.
    #[error("it ends where {0} is expected; give {GRAMMAR}")]
    Ends(&'static str),
    /// A word is another than it must be.
    #[error("`{found}` where {wanted} is expected; give {GRAMMAR}")]
    Word {
        /// What is there.
        found: String,
        /// What must be there.
        wanted: &'static str,
    },
    /// No protocol.
    #[error("`{0}` is no protocol; give ip for any, udp, tcp, sctp, icmp, icmpv6 or a number from 1 to 255")]
    Protocol(String),
    /// No prefix.
    #[error(
        "`{0}` is no prefix; give any, an address, or ADDRESS/LENGTH with nothing set beyond the length, as 203.0.113.0/24 \
         or 2001:db8::/32"
    )]
    Prefix(String),
    /// A prefix of IPv4 to one of IPv6, or the other way.
    #[error("its prefixes are of two families; give both of one, or any")]
    Families,
    /// No ports.
    #[error("`{0}` is no port or range of ports; give 53, or 5000-5999")]
    Ports(String),
    /// Ports of a protocol without any.
    #[error("ports, and not all packets of the protocol have some; give udp, tcp or sctp, or leave the ports out")]
    Portless,
    /// No endpoint.
    #[error("`{0}` is no endpoint with its pool; give POOL/NAME")]
    Via(String),
    /// No TEID.
    #[error("`{0}` is no TEID; give a number from 1 to 4294967295, decimal or after 0x")]
    Teid(String),
}

const GRAMMAR: &str = "PROTOCOL from PREFIX [PORTS] to PREFIX [PORTS] via POOL/NAME [teid NUMBER]";

const NAMED: [(&str, u8); 6] = [
    ("ip", 0),
    ("udp", protocol::UDP),
    ("tcp", protocol::TCP),
    ("sctp", protocol::SCTP),
    ("icmp", protocol::ICMP),
    ("icmpv6", protocol::ICMPV6),
];

impl Side {
    /// Any address, any port.
    pub const ANY: Self = Self { prefix: None, ports: Filter::ANY_PORT };

    fn bits(&self) -> (Address, u8) {
        match self.prefix {
            None => (Address::default(), 0),
            Some((address, length)) => {
                (address.into(), length.saturating_add(if address.is_ipv4() { 96 } else { 0 }))
            }
        }
    }

    fn of(address: Address, bits: u8, ports: [u16; 2]) -> Self {
        let prefix = (bits > 0).then(|| {
            let address = IpAddr::from(address);
            (address, if address.is_ipv4() { bits.saturating_sub(96) } else { bits })
        });
        Self { prefix, ports }
    }
}

impl Rule {
    /// As the packet path has it: `target` is where its endpoint is in `TARGETS`.
    #[must_use]
    pub fn filter(&self, target: u32) -> Filter {
        let ((source, source_bits), (destination, destination_bits)) = (self.from.bits(), self.to.bits());
        Filter {
            source,
            destination,
            source_ports: self.from.ports,
            destination_ports: self.to.ports,
            target,
            teid: self.teid.unwrap_or(0),
            source_bits,
            destination_bits,
            protocol: self.protocol,
            reserved: 0,
        }
    }

    /// What the packet path has, to this endpoint.
    #[must_use]
    pub fn of(filter: &Filter, via: &str) -> Self {
        Self {
            protocol: filter.protocol,
            from: Side::of(filter.source, filter.source_bits, filter.source_ports),
            to: Side::of(filter.destination, filter.destination_bits, filter.destination_ports),
            via: via.to_owned(),
            teid: (filter.teid != 0).then_some(filter.teid),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMED.iter().find(|(_, number)| *number == self.protocol) {
            Some((name, _)) => f.write_str(name)?,
            None => write!(f, "{}", self.protocol)?,
        }
        write!(f, " from {} to {} via {}", self.from, self.to, self.via)?;
        self.teid.map_or(Ok(()), |teid| write!(f, " teid {teid:#x}"))
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            None => f.write_str("any")?,
            Some((address, length)) => write!(f, "{address}/{length}")?,
        }
        match self.ports {
            Filter::ANY_PORT => Ok(()),
            [first, last] if first == last => write!(f, " {first}"),
            [first, last] => write!(f, " {first}-{last}"),
        }
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut words = text.split_whitespace().peekable();
        let protocol = number(words.next().ok_or(RuleError::Ends("a protocol"))?)?;
        expect(&mut words, "from", "`from`")?;
        let from = side(&mut words, "to")?;
        expect(&mut words, "to", "`to` or ports")?;
        let to = side(&mut words, "via")?;
        expect(&mut words, "via", "`via` or ports")?;
        let via = words.next().ok_or(RuleError::Ends("an endpoint"))?;
        if !via.split_once('/').is_some_and(|(pool, name)| !pool.is_empty() && !name.is_empty()) {
            return Err(RuleError::Via(via.to_owned()));
        }
        let teid = match words.next() {
            None => None,
            Some("teid") => Some(teid(words.next().ok_or(RuleError::Ends("a TEID"))?)?),
            Some(found) => return Err(RuleError::Word { found: found.to_owned(), wanted: "`teid`, or nothing," }),
        };
        if let Some(found) = words.next() {
            return Err(RuleError::Word { found: found.to_owned(), wanted: "nothing more" });
        }
        if let (Some((one, _)), Some((other, _))) = (from.prefix, to.prefix)
            && one.is_ipv4() != other.is_ipv4()
        {
            return Err(RuleError::Families);
        }
        let ported = [from.ports, to.ports] != [Filter::ANY_PORT; 2];
        if ported && !matches!(protocol, protocol::UDP | protocol::TCP | protocol::SCTP) {
            return Err(RuleError::Portless);
        }
        Ok(Self { protocol, from, to, via: via.to_owned(), teid })
    }
}

fn expect<'a>(
    words: &mut impl Iterator<Item = &'a str>,
    word: &str,
    wanted: &'static str,
) -> Result<(), RuleError> {
    match words.next() {
        Some(found) if found == word => Ok(()),
        Some(found) => Err(RuleError::Word { found: found.to_owned(), wanted }),
        None => Err(RuleError::Ends(wanted)),
    }
}

/// A prefix, and ports where something else than the word follows.
fn side<'a>(
    words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    word: &str,
) -> Result<Side, RuleError> {
    let prefix = prefix(words.next().ok_or(RuleError::Ends("a prefix"))?)?;
    let ports = match words.next_if(|next| *next != word && next.starts_with(|first: char| first.is_ascii_digit()))
    {
        Some(text) => ports(text)?,
        None => Filter::ANY_PORT,
    };
    Ok(Side { prefix, ports })
}

fn number(text: &str) -> Result<u8, RuleError> {
    let named = NAMED.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
    let number = || text.parse().ok().filter(|number| *number != 0);
    named.or_else(number).ok_or_else(|| RuleError::Protocol(text.to_owned()))
}

fn prefix(text: &str) -> Result<Option<(IpAddr, u8)>, RuleError> {
    if text == "any" {
        return Ok(None);
    }
    let whole = |address: IpAddr| (address, if address.is_ipv4() { 32 } else { 128 });
    let found = text.parse().map(whole).ok().or_else(|| config::prefix(text));
    // Not what IPv4 is kept as, nor what would be all of it.
    let wrong = |(address, length): &(IpAddr, u8)| match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(v6) => *length == 0 || v6.to_ipv4_mapped().is_some(),
    };
    found.filter(|prefix| !wrong(prefix)).map(Some).ok_or_else(|| RuleError::Prefix(text.to_owned()))
}

fn ports(text: &str) -> Result<[u16; 2], RuleError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok([first, last]),
        _ => Err(RuleError::Ports(text.to_owned())),
    }
}

fn teid(text: &str) -> Result<u32, RuleError> {
    super::number(text).filter(|teid| *teid != 0).ok_or_else(|| RuleError::Teid(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_said_again() {
        for text in [
            "ip from any to 203.0.113.0/24 via mec/edge-1",
            "udp from any to 2001:db8:ed::/48 5000-5999 via upfs/upf-2 teid 0x1a2b",
            "tcp from 10.45.0.0/16 to any 443 via mec/edge-1",
            "sctp from 10.45.0.7/32 2905 to 203.0.113.80/32 38412 via a/b",
            "47 from any to 0.0.0.0/0 via a/b",
            "icmpv6 from 2001:db8:45::/48 to any via a/b",
        ] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            assert_eq!(Rule::of(&rule.filter(9), &rule.via), rule);
            assert_eq!(rule.filter(9).target, 9);
        }
        let short: Rule = "udp  from 10.45.0.7 to any 53 via a/b teid 7".parse().unwrap();
        assert_eq!(short.to_string(), "udp from 10.45.0.7/32 to any 53 via a/b teid 0x7");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, what) in [
            ("", "it ends where a protocol is expected"),
            ("ip to any", "`to` where `from` is expected"),
            ("ip from any", "it ends where `to` or ports is expected"),
            ("ip from any to any", "it ends where `via` or ports is expected"),
            ("ip from any to any via", "it ends where an endpoint is expected"),
            ("ip from any to any via edge", "`edge` is no endpoint"),
            ("ip from any to any via a/b teid", "it ends where a TEID is expected"),
            ("ip from any to any via a/b teid 0", "`0` is no TEID"),
            ("ip from any to any via a/b or c", "`or` where `teid`, or nothing, is expected"),
            ("ip from any to any via a/b teid 1 2", "`2` where nothing more is expected"),
            ("gre from any to any via a/b", "`gre` is no protocol"),
            ("256 from any to any via a/b", "`256` is no protocol"),
            ("ip from here to any via a/b", "`here` is no prefix"),
            ("ip from 10.0.0.0/33 to any via a/b", "`10.0.0.0/33` is no prefix"),
            ("ip from ::ffff:10.0.0.1 to any via a/b", "`::ffff:10.0.0.1` is no prefix"),
            ("ip from 10.0.0.1/8 to any via a/b", "`10.0.0.1/8` is no prefix"),
            ("ip from ::/0 to any via a/b", "`::/0` is no prefix"),
            ("ip from 10.0.0.1 to ::1 via a/b", "its prefixes are of two families"),
            ("udp from any 9-1 to any via a/b", "`9-1` is no port"),
            ("udp from any 70000 to any via a/b", "`70000` is no port"),
            ("ip from any to any 53 via a/b", "ports, and not all packets"),
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.starts_with(what), "{text}: {error}");
        }
    }

    #[test]
    fn never_stops() {
        bolero::check!().with_type::<String>().for_each(|text| {
            if let Ok(rule) = text.parse::<Rule>() {
                assert_eq!(rule.to_string().parse(), Ok(rule));
            }
        });
    }
}
