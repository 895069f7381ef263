//! Flow descriptions: an `IPFilterRule` (RFC 6733 4.3.1), as far as policies use it (TS 29.212 5.4.2).

use std::net::IpAddr;

/// The packets of a service data flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    /// IP protocol; 0: any.
    pub(crate) protocol: u8,
    /// Whom the user speaks to.
    pub(crate) remote: Party,
    /// The user's side.
    pub(crate) user: Party,
}

/// One side of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Party {
    /// Its prefix, nothing set beyond the length; `None`: any address, or the user's own (`assigned`).
    pub(crate) prefix: Option<(IpAddr, u8)>,
    /// Ranges of ports, first and last each; empty: any.
    pub(crate) ports: Vec<[u16; 2]>,
}

/// Why a description is of no use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlowError {
    /// It is not of ASCII.
    Text,
    /// It ends too early.
    Ends,
    /// It does not begin with `permit out`: nothing else describes a flow (TS 29.212 5.4.2).
    Direction,
    /// `from` or `to` is not where it must be.
    Word,
    /// No protocol by number from 1 to 255, nor `ip`.
    Protocol,
    /// No address with a prefix; or a negated one.
    Address,
    /// An IPv6 prefix of all addresses, or of those that stand for IPv4.
    Unfit,
    /// Its sides are of two families.
    Families,
    /// No ports, or ranges that end before they begin.
    Ports,
    /// Ports of a protocol without any.
    Portless,
    /// Options, which flows do not have (TS 29.212 5.4.2).
    Options,
}

/// Protocols whose packets all have ports: TCP, UDP, SCTP.
const PORTED: [u8; 3] = [6, 17, 132];

impl Flow {
    /// That of a description, as it is in an SDF filter (TS 29.244 8.2.5).
    pub(crate) fn parse(description: &[u8]) -> Result<Self, FlowError> {
        let text = std::str::from_utf8(description).ok().filter(|text| text.is_ascii()).ok_or(FlowError::Text)?;
        let mut words = text.split_ascii_whitespace().peekable();
        let mut next = || words.next().ok_or(FlowError::Ends);
        if (next()?, next()?) != ("permit", "out") {
            return Err(FlowError::Direction);
        }
        let protocol = match next()? {
            "ip" => 0,
            number => number.parse().ok().filter(|number| *number != 0).ok_or(FlowError::Protocol)?,
        };
        let remote = party(&mut words, "from")?;
        let user = party(&mut words, "to")?;
        if words.next().is_some() {
            return Err(FlowError::Options);
        }
        if let (Some((one, _)), Some((other, _))) = (remote.prefix, user.prefix)
            && one.is_ipv4() != other.is_ipv4()
        {
            return Err(FlowError::Families);
        }
        let is_for_all = remote.ports.is_empty() && user.ports.is_empty();
        if !is_for_all && !PORTED.contains(&protocol) {
            return Err(FlowError::Portless);
        }
        Ok(Self { protocol, remote, user })
    }
}

fn party<'a>(
    words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    word: &str,
) -> Result<Party, FlowError> {
    if words.next().ok_or(FlowError::Ends)? != word {
        return Err(FlowError::Word);
    }
    let prefix = match words.next().ok_or(FlowError::Ends)? {
        "any" | "assigned" => None,
        text => Some(prefix(text)?),
    };
    let ports = match words.next_if(|next| next.starts_with(|first: char| first.is_ascii_digit())) {
        Some(text) => text.split(',').map(ports).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(Party { prefix, ports })
}

/// RFC 6733 4.3.1: what is set beyond the length is not looked at.
fn prefix(text: &str) -> Result<(IpAddr, u8), FlowError> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().map_err(|_| FlowError::Address)?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| FlowError::Address)?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(whole);
    if length > whole {
        return Err(FlowError::Address);
    }
    let address = cut(address, length);
    match address {
        IpAddr::V6(v6) if length == 0 || v6.to_ipv4_mapped().is_some() => Err(FlowError::Unfit),
        _ => Ok((address, length)),
    }
}

fn ports(text: &str) -> Result<[u16; 2], FlowError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok([first, last]),
        _ => Err(FlowError::Ports),
    }
}

/// An address with nothing set beyond the length.
pub(crate) fn cut(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let beyond = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & !beyond).into())
        }
        IpAddr::V6(v6) => {
            let beyond = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & !beyond).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(prefix: Option<(&str, u8)>, ports: &[[u16; 2]]) -> Party {
        let prefix = prefix.map(|(address, length)| (address.parse().unwrap(), length));
        Party { prefix, ports: ports.to_vec() }
    }

    #[test]
    fn flows_are_read() {
        let any = || side(None, &[]);
        for (text, protocol, remote, user) in [
            ("permit out ip from any to assigned", 0, any(), any()),
            ("permit out ip from any to any", 0, any(), any()),
            ("permit out 17 from 203.0.113.0/24 to assigned", 17, side(Some(("203.0.113.0", 24)), &[]), any()),
            ("permit out 17 from 203.0.113.9/24 to assigned", 17, side(Some(("203.0.113.0", 24)), &[]), any()),
            ("permit out 1 from 0.0.0.0/0 to assigned", 1, side(Some(("0.0.0.0", 0)), &[]), any()),
            (
                "permit out 6 from 198.51.100.7 80,8000-8080 to 10.45.0.7 1024-65535",
                6,
                side(Some(("198.51.100.7", 32)), &[[80, 80], [8000, 8080]]),
                side(Some(("10.45.0.7", 32)), &[[1024, 65535]]),
            ),
            (
                "permit  out 132 from 2001:db8:ed::/48 to 2001:db8:45:: 9",
                132,
                side(Some(("2001:db8:ed::", 48)), &[]),
                side(Some(("2001:db8:45::", 128)), &[[9, 9]]),
            ),
            ("permit out 17 from any 53 to any", 17, side(None, &[[53, 53]]), any()),
        ] {
            assert_eq!(Flow::parse(text.as_bytes()), Ok(Flow { protocol, remote, user }), "{text}");
        }
    }

    #[test]
    fn what_is_no_flow_is_none() {
        for (text, error) in [
            ("", FlowError::Ends),
            ("permit out ip from any", FlowError::Ends),
            ("deny out ip from any to any", FlowError::Direction),
            ("permit in ip from any to any", FlowError::Direction),
            ("permit out udp from any to any", FlowError::Protocol),
            ("permit out 0 from any to any", FlowError::Protocol),
            ("permit out 256 from any to any", FlowError::Protocol),
            ("permit out ip to any from any", FlowError::Word),
            ("permit out ip from !203.0.113.0/24 to any", FlowError::Address),
            ("permit out ip from 203.0.113.0/33 to any", FlowError::Address),
            ("permit out ip from edge to any", FlowError::Address),
            ("permit out ip from ::/0 to any", FlowError::Unfit),
            ("permit out ip from ::ffff:203.0.113.1 to any", FlowError::Unfit),
            ("permit out ip from 203.0.113.1 to 2001:db8::1", FlowError::Families),
            ("permit out 17 from any 9-8 to any", FlowError::Ports),
            ("permit out 17 from any 65536 to any", FlowError::Ports),
            ("permit out 17 from any 80, to any", FlowError::Ports),
            ("permit out ip from any 80 to any", FlowError::Portless),
            ("permit out 6 from any to any established", FlowError::Options),
            ("permit out ip from any t\u{f6} any", FlowError::Text),
        ] {
            assert_eq!(Flow::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    /// What is read is within its bounds, whatever it is read from.
    #[test]
    fn any_description_is_a_flow_or_none() {
        bolero::check!().for_each(|bytes: &[u8]| {
            for text in [
                bytes.to_vec(),
                [b"permit out 17 from ", bytes].concat(),
                [b"permit out ip from any to ", bytes].concat(),
            ] {
                let Ok(flow) = Flow::parse(&text) else { continue };
                for party in [&flow.remote, &flow.user] {
                    assert!(party.ports.iter().all(|[first, last]| first <= last));
                    assert!(party.prefix.is_none_or(|(address, length)| cut(address, length) == address));
                }
            }
        });
    }
}
