//! Which UEs a reset is for.

use super::{AmfUeNgapId, List, RanUeNgapId, UeIds, optional, unread};
use crate::ap::{Alternative, Reader, Value, Writer, Wrong};

/// UE-associated Logical NG-connection List (TS 38.413 9.2.6.11), of resets and their acknowledgements. Items may lack either identifier,
/// or both (8.7.4). Their extensions are passed over.
pub type ConnectionList = List<UeConnection, 65_536>;

/// An item of UE-associated Logical NG-connection List.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UeConnection(pub UeIds);

impl Value for UeConnection {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(3)?;
        let amf = optional::<AmfUeNgapId>(reader, present & 4 != 0)?.map(|id| id.0);
        let ran = optional::<RanUeNgapId>(reader, present & 2 != 0)?.map(|id| id.0);
        unread(reader, added, present & 1 != 0)?;
        Ok(Self(UeIds { amf, ran }))
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let UeIds { amf, ran } = self.0;
        writer.sequence(3, u8::from(amf.is_some()) << 2 | u8::from(ran.is_some()) << 1);
        amf.iter().for_each(|&id| AmfUeNgapId(id).write(writer));
        ran.iter().for_each(|&id| RanUeNgapId(id).write(writer));
    }
}

/// Reset Type (TS 38.413 9.2.6.11).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ResetType {
    /// All of the interface.
    All,
    /// Those UEs.
    Part(ConnectionList),
    /// Of a newer release.
    Other(Alternative),
}

impl Value for ResetType {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let offset = reader.offset();
        match reader.bits(2)? {
            0 => reader.enumerated(0, 1).map(|_| Self::All),
            1 => List::read(reader).map(Self::Part),
            2 => Alternative::read(reader).map(Self::Other),
            _ => Err(Wrong::Range { offset }),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::All => {
                writer.bits(2, 0);
                writer.enumerated(0, 1, 0);
            }
            Self::Part(connections) => {
                writer.bits(2, 1);
                connections.write(writer);
            }
            Self::Other(other) => {
                writer.bits(2, 2);
                other.write(writer);
            }
        }
    }
}
