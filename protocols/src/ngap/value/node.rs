//! Which node of the radio access network.

use core::str::FromStr;

use super::{Plmn, unread};
use crate::ap::{Alternative, Reader, Unfit, Value, Writer, Wrong};
use crate::ngap::TextError;

/// Global RAN Node ID (TS 38.413 9.3.1.5): a gNB, whatever its associations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GlobalRanNodeId {
    /// A gNB.
    Gnb {
        /// PLMN identity.
        plmn: Plmn,
        /// gNB ID, the lowest of `bits`.
        id: u32,
        /// How many bits it has, 22 to 32.
        bits: u8,
    },
    /// An ng-eNB.
    NgEnb {
        /// PLMN identity.
        plmn: Plmn,
        /// ng-eNB ID.
        id: NgEnbId,
    },
    /// An N3IWF.
    N3iwf {
        /// PLMN identity.
        plmn: Plmn,
        /// N3IWF ID.
        id: u16,
    },
    /// A node of another sort: TNGF, TWIF, W-AGF.
    Other(Alternative),
}

/// ng-eNB ID (TS 38.413 9.3.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NgEnbId {
    /// Of a macro ng-eNB, 20 bits.
    Macro(u32),
    /// A short one, 18 bits.
    Short(u32),
    /// A long one, 21 bits.
    Long(u32),
}

/// The fewest and the most bits of a gNB ID.
const GNB_BITS: (u8, u8) = (22, 32);

impl Value for GlobalRanNodeId {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let choice = reader.bits(2)?;
        if choice == 3 {
            return Alternative::read(reader).map(Self::Other);
        }
        let (added, present) = reader.sequence(1)?;
        let plmn = Plmn::read(reader)?;
        let offset = reader.offset();
        let number = |bits| u32::try_from(bits).unwrap_or(u32::MAX);
        let node = match choice {
            0 => {
                if reader.bit()? {
                    return Err(Wrong::Newer { offset });
                }
                let bits = reader.small(4)?.saturating_add(GNB_BITS.0);
                if bits > GNB_BITS.1 {
                    return Err(Wrong::Range { offset });
                }
                reader.align();
                Self::Gnb { plmn, id: number(reader.bits(bits.into())?), bits }
            }
            1 => {
                let choice = reader.bits(2)?;
                reader.align();
                let id = match choice {
                    0 => NgEnbId::Macro(number(reader.bits(20)?)),
                    1 => NgEnbId::Short(number(reader.bits(18)?)),
                    2 => NgEnbId::Long(number(reader.bits(21)?)),
                    _ => return Err(Wrong::Newer { offset }),
                };
                Self::NgEnb { plmn, id }
            }
            _ => {
                if reader.bit()? {
                    return Err(Wrong::Newer { offset });
                }
                let id = u16::try_from(reader.bits(16)?).unwrap_or(u16::MAX);
                Self::N3iwf { plmn, id }
            }
        };
        unread(reader, added, present & 1 != 0)?;
        Ok(node)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let head = |writer: &mut Writer<'_>, choice, plmn: &Plmn| {
            writer.bits(2, choice);
            writer.sequence(1, 0);
            plmn.write(writer);
        };
        match self {
            Self::Gnb { plmn, id, bits } => {
                head(writer, 0, plmn);
                let (least, most) = GNB_BITS;
                let Some(length) = bits.checked_sub(least).filter(|_| *bits <= most) else {
                    return writer.fail(Unfit::Number { number: (*bits).into(), most: most.into() });
                };
                writer.bit(false);
                writer.bits(4, length.into());
                writer.align();
                writer.bits((*bits).into(), (*id).into());
            }
            Self::NgEnb { plmn, id } => {
                head(writer, 1, plmn);
                let (choice, bits, number) = match *id {
                    NgEnbId::Macro(number) => (0, 20, number),
                    NgEnbId::Short(number) => (1, 18, number),
                    NgEnbId::Long(number) => (2, 21, number),
                };
                writer.bits(2, choice);
                writer.align();
                writer.bits(bits, number.into());
            }
            Self::N3iwf { plmn, id } => {
                head(writer, 2, plmn);
                writer.bit(false);
                writer.bits(16, (*id).into());
            }
            Self::Other(other) => {
                writer.bits(2, 3);
                other.write(writer);
            }
        }
    }
}

/// As it is shown, but for nodes of other sorts: `001-01-gnb-000001/24`.
impl FromStr for GlobalRanNodeId {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let (country, rest) = text.split_once('-').ok_or(TextError::Parts)?;
        let (network, rest) = rest.split_once('-').ok_or(TextError::Parts)?;
        let (sort, number) = rest.rsplit_once('-').ok_or(TextError::Parts)?;
        let plmn = country.len().checked_add(network.len()).and_then(|length| text.get(..=length));
        let plmn: Plmn = plmn.ok_or(TextError::Plmn)?.parse()?;
        Ok(match sort {
            "gnb" => {
                let (id, bits) = number.split_once('/').ok_or(TextError::Parts)?;
                let (least, most) = GNB_BITS;
                let plain = bits.bytes().all(|digit| digit.is_ascii_digit());
                let bits = bits.parse().ok().filter(|bits| plain && (least..=most).contains(bits));
                let bits = bits.ok_or(TextError::Number { part: 4 })?;
                Self::Gnb { plmn, id: hexadecimal(id, bits)?, bits }
            }
            "ng-enb" => Self::NgEnb { plmn, id: NgEnbId::Macro(hexadecimal(number, 20)?) },
            "short-ng-enb" => Self::NgEnb { plmn, id: NgEnbId::Short(hexadecimal(number, 18)?) },
            "long-ng-enb" => Self::NgEnb { plmn, id: NgEnbId::Long(hexadecimal(number, 21)?) },
            "n3iwf" => {
                let id = hexadecimal(number, 16)?;
                Self::N3iwf { plmn, id: u16::try_from(id).map_err(|_| TextError::Number { part: 3 })? }
            }
            _ => return Err(TextError::Parts),
        })
    }
}

/// A number of at most so many bits.
fn hexadecimal(digits: &str, bits: u8) -> Result<u32, TextError> {
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| plain);
    number.filter(|number| u64::from(*number) >> bits == 0).ok_or(TextError::Number { part: 3 })
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString as _};

    use super::*;

    /// As it is in the text of the 3GPP: a gNB ID of 22 to 32 bits, others of 16, 18, 20 and 21.
    #[test]
    fn nodes_are_read_as_they_are_shown() {
        for text in [
            "001-01-gnb-000001/24",
            "310-410-gnb-3fffff/22",
            "001-01-gnb-ffffffff/32",
            "001-01-ng-enb-fffff",
            "001-01-short-ng-enb-3ffff",
            "001-01-long-ng-enb-1fffff",
            "001-01-n3iwf-ffff",
        ] {
            assert_eq!(text.parse::<GlobalRanNodeId>().map(|it| it.to_string()), Ok(text.into()));
        }
        let plmn = Plmn([0x00, 0xf1, 0x10]);
        assert_eq!("001-01-gnb-1F/22".parse(), Ok(GlobalRanNodeId::Gnb { plmn, id: 31, bits: 22 }));
        for (wrong, error) in [
            ("001-01-gnb-400000/22", TextError::Number { part: 3 }),
            ("001-01-gnb-+1/22", TextError::Number { part: 3 }),
            ("001-01-gnb-/22", TextError::Number { part: 3 }),
            ("001-01-gnb-1/21", TextError::Number { part: 4 }),
            ("001-01-gnb-1/33", TextError::Number { part: 4 }),
            ("001-01-gnb-1", TextError::Parts),
            ("001-01-ng-enb-100000", TextError::Number { part: 3 }),
            ("001-01-n3iwf-10000", TextError::Number { part: 3 }),
            ("001-01-enb-1", TextError::Parts),
            ("001-1-gnb-1/24", TextError::Plmn),
            ("00101-gnb-1/24", TextError::Parts),
            ("", TextError::Parts),
        ] {
            assert_eq!(wrong.parse::<GlobalRanNodeId>(), Err(error), "{wrong}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused() {
        bolero::check!().with_type::<String>().for_each(|text: &String| {
            if let Ok(node) = text.parse::<GlobalRanNodeId>() {
                assert_eq!(node.to_string().parse(), Ok(node));
            }
        });
    }
}
