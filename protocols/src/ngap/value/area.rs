//! Networks and tracking areas.

use super::sequence::{Field, sequences};
use super::{BroadcastPlmn, List, unread};
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

sequences! {
    /// An item of TAI List for Paging.
    TaiForPaging {
        /// TAI.
        tai: Tai,
        /// Extensions.
        extensions: Extensions,
    }
}

/// Supported TA List (TS 38.413 9.2.6.1).
pub type SupportedTaList = List<SupportedTa, 256>;

sequences! {
    /// An item of Supported TA List.
    SupportedTa {
        /// TAC.
        tac: [u8; 3],
        /// Broadcast PLMN List.
        plmns: List<BroadcastPlmn, 12>,
        /// Extensions: Configured TAC Indication, RAT Information.
        extensions: Extensions,
    }
}
