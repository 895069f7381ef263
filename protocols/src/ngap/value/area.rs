//! Networks and tracking areas.

use super::{BroadcastPlmn, List, extensions, unread};
use crate::ap::{Extensions, Reader, Value, Writer, Wrong};

/// PLMN Identity, digits in half octets (TS 38.413 9.3.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plmn(pub [u8; 3]);

impl Value for Plmn {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array().map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.octets(&self.0);
    }
}

/// TAI (TS 38.413 9.3.3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tai {
    /// PLMN identity.
    pub plmn: Plmn,
    /// TAC.
    pub tac: [u8; 3],
}

impl Value for Tai {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(1)?;
        let tai = Self { plmn: Plmn::read(reader)?, tac: reader.array()? };
        unread(reader, added, present & 1 != 0)?;
        Ok(tai)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(1, 0);
        self.plmn.write(writer);
        writer.octets(&self.tac);
    }
}

/// TAI List for Paging (TS 38.413 9.2.4.1).
pub type TaiListForPaging = List<TaiForPaging, 16>;

/// An item of TAI List for Paging.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaiForPaging {
    /// TAI.
    pub tai: Tai,
    /// Extensions.
    pub extensions: Extensions,
}

impl Value for TaiForPaging {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(1)?;
        let tai = Tai::read(reader)?;
        Ok(Self { tai, extensions: extensions(reader, added, present & 1 != 0)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(1, (!self.extensions.is_empty()).into());
        self.tai.write(writer);
        self.extensions.write(writer);
    }
}

/// Supported TA List (TS 38.413 9.2.6.1).
pub type SupportedTaList = List<SupportedTa, 256>;

/// An item of Supported TA List.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SupportedTa {
    /// TAC.
    pub tac: [u8; 3],
    /// Broadcast PLMN List.
    pub plmns: List<BroadcastPlmn, 12>,
    /// Extensions: Configured TAC Indication, RAT Information.
    pub extensions: Extensions,
}

impl Value for SupportedTa {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(1)?;
        let (tac, plmns) = (reader.array()?, List::read(reader)?);
        Ok(Self { tac, plmns, extensions: extensions(reader, added, present & 1 != 0)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(1, (!self.extensions.is_empty()).into());
        writer.octets(&self.tac);
        self.plmns.write(writer);
        self.extensions.write(writer);
    }
}
