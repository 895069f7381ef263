//! Identities as text, for people and for keys: `001-01`, `001-01-2-3-4`, `3-4-0x01020304`, `001-01-gnb-000001/24`.

use core::fmt;
use core::str::FromStr;

use super::value::{GlobalRanNodeId, NgEnbId, Plmn};
use super::{FiveGSTmsi, Guami};

/// Why a text is no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// It has too few or too many parts, which dashes part.
    Parts,
    /// A part that is no number, or more than fits.
    Number {
        /// Which part, from 0.
        part: usize,
    },
    /// No mobile country code of three digits, or no network code of two or three.
    Plmn,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts => f.write_str("too few or too many parts"),
            Self::Number { part } => write!(f, "part {part} is no number that fits"),
            Self::Plmn => f.write_str("no PLMN of three digits, and two or three"),
        }
    }
}

impl core::error::Error for TextError {}

/// Mobile country code and network code, `001-01`.
impl fmt::Display for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{:x}{:x}{:x}-{:x}{:x}", a & 15, a >> 4, b & 15, c & 15, c >> 4)?;
        match b >> 4 {
            15 => Ok(()),
            third => write!(f, "{third:x}"),
        }
    }
}

impl FromStr for Plmn {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let digit = |digit: &u8| digit.checked_sub(b'0').filter(|digit| *digit < 10);
        let (country, network) = text.split_once('-').ok_or(TextError::Plmn)?;
        let (country, network) = (country.as_bytes(), network.as_bytes());
        let (&[a, b, c], &[d, e, ref rest @ ..]) = (country, network) else { return Err(TextError::Plmn) };
        let last = match rest {
            [] => Some(15),
            [last] => digit(last),
            _ => None,
        };
        let [a, b, c, d, e] = [a, b, c, d, e].map(|it| digit(&it));
        match (a, b, c, d, e, last) {
            (Some(a), Some(b), Some(c), Some(d), Some(e), Some(f)) => {
                Ok(Self([b << 4 | a, f << 4 | c, e << 4 | d]))
            }
            _ => Err(TextError::Plmn),
        }
    }
}

/// PLMN, AMF Region ID, AMF Set ID and AMF Pointer, `001-01-2-3-4`.
impl fmt::Display for Guami {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plmn, region, set, pointer } = self;
        write!(f, "{}-{region}-{set}-{pointer}", Plmn(*plmn))
    }
}

impl FromStr for Guami {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let mut parts = text.rsplitn(4, '-');
        let mut next = || parts.next().ok_or(TextError::Parts);
        let (pointer, set, region, plmn) = (next()?, next()?, next()?, next()?);
        Ok(Self {
            plmn: plmn.parse::<Plmn>()?.0,
            region: number(region, 2, u8::MAX.into())?,
            set: number(set, 3, SET)?,
            pointer: number(pointer, 4, POINTER)?,
        })
    }
}

/// AMF Set ID, AMF Pointer and 5G-TMSI, `3-4-0x01020304`.
impl fmt::Display for FiveGSTmsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, pointer, tmsi } = self;
        write!(f, "{set}-{pointer}-{:#010x}", u32::from_be_bytes(*tmsi))
    }
}

impl FromStr for FiveGSTmsi {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or(TextError::Parts);
        let (set, pointer, tmsi) = (next()?, next()?, next()?);
        let tmsi: u32 = number(tmsi, 2, u32::MAX)?;
        Ok(Self { set: number(set, 0, SET)?, pointer: number(pointer, 1, POINTER)?, tmsi: tmsi.to_be_bytes() })
    }
}

/// The greatest AMF Set ID, of 10 bits, and AMF Pointer, of 6.
const SET: u32 = 1023;
const POINTER: u32 = 63;

/// A part: a number in decimal, or in hexadecimal after `0x`.
fn number<T: TryFrom<u32>>(text: &str, part: usize, most: u32) -> Result<T, TextError> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, radix).ok().filter(|number| plain && *number <= most);
    number.and_then(|number| T::try_from(number).ok()).ok_or(TextError::Number { part })
}

/// PLMN, sort and number, `001-01-gnb-000001/24`: hexadecimal, with the bits that a gNB ID has.
impl fmt::Display for GlobalRanNodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gnb { plmn, id, bits } => {
                let width = usize::from(bits.div_ceil(4));
                write!(f, "{plmn}-gnb-{id:0width$x}/{bits}")
            }
            Self::NgEnb { plmn, id: NgEnbId::Macro(id) } => write!(f, "{plmn}-ng-enb-{id:05x}"),
            Self::NgEnb { plmn, id: NgEnbId::Short(id) } => write!(f, "{plmn}-short-ng-enb-{id:05x}"),
            Self::NgEnb { plmn, id: NgEnbId::Long(id) } => write!(f, "{plmn}-long-ng-enb-{id:06x}"),
            Self::N3iwf { plmn, id } => write!(f, "{plmn}-n3iwf-{id:04x}"),
            Self::Other(other) => {
                write!(f, "node-{}-", other.id)?;
                other.value.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString as _};

    use super::*;

    #[test]
    fn digits_are_where_ts_24_008_has_them() {
        // As Wireshark shows them: MCC 310, MNC 410; MCC 001, MNC 01.
        for (octets, text) in [([0x13, 0x00, 0x14], "310-410"), ([0x00, 0xf1, 0x10], "001-01")] {
            assert_eq!((Plmn(octets).to_string().as_str(), text.parse()), (text, Ok(Plmn(octets))));
        }
        for wrong in ["", "001", "00101", "01-01", "001-1", "001-0101", "00a-01", "001-+1"] {
            assert_eq!(wrong.parse::<Plmn>(), Err(TextError::Plmn), "{wrong}");
        }
    }

    #[test]
    fn identities_are_read_back() {
        let guami = Guami { plmn: [0x13, 0x00, 0x14], region: 2, set: 1023, pointer: 63 };
        assert_eq!((guami.to_string().as_str(), "310-410-2-1023-63".parse()), ("310-410-2-1023-63", Ok(guami)));
        let tmsi = FiveGSTmsi { set: 3, pointer: 4, tmsi: [0, 2, 3, 4] };
        assert_eq!((tmsi.to_string().as_str(), "0x3-4-131844".parse()), ("3-4-0x00020304", Ok(tmsi)));
        for (wrong, error) in [
            ("", TextError::Parts),
            ("310-1-2", TextError::Parts),
            ("310-410-2-1024-63", TextError::Number { part: 3 }),
            ("310-410-2-1-64", TextError::Number { part: 4 }),
            ("310-410-256-1-1", TextError::Number { part: 2 }),
            ("310-410-2--1-1", TextError::Plmn),
        ] {
            assert_eq!(wrong.parse::<Guami>(), Err(error), "{wrong}");
        }
        for (wrong, part) in
            [("1024-1-1", 0), ("1-64-1", 1), ("1-1-0x100000000", 2), ("1-1-1-1", 2), ("1-1-+1", 2)]
        {
            assert_eq!(wrong.parse::<FiveGSTmsi>(), Err(TextError::Number { part }), "{wrong}");
        }
    }

    #[test]
    fn nodes_are_told_apart() {
        let plmn = Plmn([0x00, 0xf1, 0x10]);
        let nodes = [
            (GlobalRanNodeId::Gnb { plmn, id: 1, bits: 24 }, "001-01-gnb-000001/24"),
            (GlobalRanNodeId::Gnb { plmn, id: 1, bits: 22 }, "001-01-gnb-000001/22"),
            (GlobalRanNodeId::NgEnb { plmn, id: NgEnbId::Macro(0xab) }, "001-01-ng-enb-000ab"),
            (GlobalRanNodeId::NgEnb { plmn, id: NgEnbId::Short(0xab) }, "001-01-short-ng-enb-000ab"),
            (GlobalRanNodeId::NgEnb { plmn, id: NgEnbId::Long(0xab) }, "001-01-long-ng-enb-0000ab"),
            (GlobalRanNodeId::N3iwf { plmn, id: 7 }, "001-01-n3iwf-0007"),
        ];
        for (node, text) in nodes {
            assert_eq!(node.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused() {
        bolero::check!().with_type::<String>().for_each(|text: &String| {
            if let Ok(guami) = text.parse::<Guami>() {
                assert_eq!(guami.to_string().parse(), Ok(guami));
            }
            if let Ok(tmsi) = text.parse::<FiveGSTmsi>() {
                assert_eq!(tmsi.to_string().parse(), Ok(tmsi));
            }
        });
    }
}
