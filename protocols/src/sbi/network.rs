//! 3gpp-Sbi-Originating-Network-Id and -Interplmn-Purpose (TS 29.500 5.2.3.2.15, 5.2.3.3.11).

use core::fmt;

use super::cursor::{Cursor, whole};
use super::named::named;
use super::{Error, Header, Value};

named! {
    /// What put the network's identity into a message.
    SourceKind { Scp "SCP" Sepp "SEPP" }
}

/// The network that a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OriginatingNetworkId<'a> {
    /// Mobile country code, three digits.
    pub mcc: &'a str,
    /// Mobile network code, two or three digits.
    pub mnc: &'a str,
    /// Network identifier of a stand-alone non-public network, 11 hexadecimal digits.
    pub nid: Option<&'a str>,
    /// What put it there, and its name.
    pub source: Option<(SourceKind<'a>, &'a str)>,
}

impl<'a> Value<'a> for OriginatingNetworkId<'a> {
    const HEADER: Header = Header::OriginatingNetworkId;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            let mcc = digits(cursor, "country code", &[3])?;
            cursor.literal("-")?;
            let mnc = digits(cursor, "network code", &[2, 3])?;
            let nid = if cursor.eat(b'-') {
                let offset = cursor.offset();
                let nid = cursor.some("network identifier", |byte| byte.is_ascii_hexdigit())?;
                if nid.len() != 11 {
                    return Err(cursor.parameter("network identifier", offset));
                }
                Some(nid)
            } else {
                None
            };
            let source = if cursor.separator(b';') {
                cursor.literal("src:")?;
                cursor.spaces();
                let kind = cursor.some("SCP or SEPP", |byte| byte.is_ascii_alphanumeric())?.into();
                cursor.literal("-")?;
                Some((kind, cursor.some("name", |byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))?))
            } else {
                None
            };
            Ok(Self { mcc, mnc, nid, source })
        })
    }
}

fn digits<'a>(cursor: &mut Cursor<'a>, name: &'static str, lengths: &[usize]) -> Result<&'a str, Error> {
    let offset = cursor.offset();
    let digits = cursor.some(name, |byte| byte.is_ascii_digit())?;
    if lengths.contains(&digits.len()) { Ok(digits) } else { Err(cursor.parameter(name, offset)) }
}

impl fmt::Display for OriginatingNetworkId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.mcc, self.mnc)?;
        if let Some(nid) = self.nid {
            write!(f, "-{nid}")?;
        }
        self.source.map_or(Ok(()), |(kind, name)| write!(f, "; src: {kind}-{name}"))
    }
}

named! {
    /// Why a message goes to another network (TS 29.573 6.1.5.3.9).
    Purpose {
        Roaming "ROAMING"
        InterPlmnMobility "INTER_PLMN_MOBILITY"
        SmsInterconnect "SMS_INTERCONNECT"
        RoamingTest "ROAMING_TEST"
        InterPlmnMobilityTest "INTER_PLMN_MOBILITY_TEST"
        SmsInterconnectTest "SMS_INTERCONNECT_TEST"
        SnpnInterconnect "SNPN_INTERCONNECT"
        SnpnInterconnectTest "SNPN_INTERCONNECT_TEST"
        DisasterRoaming "DISASTER_ROAMING"
        DisasterRoamingTest "DISASTER_ROAMING_TEST"
    }
}

/// Why a message goes to another network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InterplmnPurpose<'a> {
    /// Why.
    pub purpose: Purpose<'a>,
    /// What else there is to say.
    pub additional: Option<&'a str>,
}

impl<'a> Value<'a> for InterplmnPurpose<'a> {
    const HEADER: Header = Header::InterplmnPurpose;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            let purpose = cursor.token("purpose")?.into();
            let additional =
                if cursor.separator(b':') { Some(cursor.token("additional information")?) } else { None };
            Ok(Self { purpose, additional })
        })
    }
}

impl fmt::Display for InterplmnPurpose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.purpose.fmt(f)?;
        self.additional.map_or(Ok(()), |additional| write!(f, ": {additional}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_who_says_so() {
        let text = b"123-45; src: SEPP-sepp.5gc.mnc045.mcc123.3gppnetwork.org";
        let expected = OriginatingNetworkId {
            mcc: "123",
            mnc: "45",
            nid: None,
            source: Some((SourceKind::Sepp, "sepp.5gc.mnc045.mcc123.3gppnetwork.org")),
        };
        assert_eq!(OriginatingNetworkId::parse(text), Ok(expected));
        let own = OriginatingNetworkId { mcc: "001", mnc: "001", nid: Some("000007ed9d5"), source: None };
        assert_eq!(OriginatingNetworkId::parse(b"001-001-000007ed9d5"), Ok(own));
        let header = Header::OriginatingNetworkId;
        for (text, name, offset) in
            [("12-45", "country code", 0), ("123-4567", "network code", 4), ("123-45-67", "network identifier", 7)]
        {
            let error = Error::Parameter { header, name, offset };
            assert_eq!(OriginatingNetworkId::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn purposes() {
        let purpose = InterplmnPurpose { purpose: Purpose::Roaming, additional: Some("abc") };
        assert_eq!(InterplmnPurpose::parse(b"ROAMING: abc"), Ok(purpose));
        let purpose = InterplmnPurpose { purpose: Purpose::Other("DATA_ANALYTICS_EXCHANGE"), additional: None };
        assert_eq!(InterplmnPurpose::parse(b"DATA_ANALYTICS_EXCHANGE"), Ok(purpose));
    }
}
