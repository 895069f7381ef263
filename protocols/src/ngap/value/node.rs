//! Which node of the radio access network.

use super::{Plmn, unread};
use crate::ap::{Alternative, Reader, Unfit, Value, Writer, Wrong};

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
