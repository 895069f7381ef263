//! Where a UE is.

use super::{Plmn, Tai, TransportAddress, extensions, unread};
use crate::ap::{Alternative, Extensions, Reader, Value, Writer, Wrong};

/// User Location Information (TS 38.413 9.3.1.16).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UserLocation {
    /// In an E-UTRA cell.
    Eutra {
        /// PLMN of the cell's identity.
        plmn: Plmn,
        /// E-UTRA Cell Identity, 28 bits.
        cell: u32,
        /// TAI.
        tai: Tai,
        /// Age of Location: when it was, in seconds of NTP.
        time: Option<[u8; 4]>,
        /// Extensions: `PSCell` Information.
        extensions: Extensions,
    },
    /// In an NR cell.
    Nr {
        /// PLMN of the cell's identity.
        plmn: Plmn,
        /// NR Cell Identity, 36 bits.
        cell: u64,
        /// TAI.
        tai: Tai,
        /// Age of Location: when it was, in seconds of NTP.
        time: Option<[u8; 4]>,
        /// Extensions: `PSCell` Information, NID and others.
        extensions: Extensions,
    },
    /// Behind an N3IWF.
    N3iwf {
        /// IP address of the UE.
        address: TransportAddress,
        /// Its port.
        port: u16,
        /// Extensions: TAI.
        extensions: Extensions,
    },
    /// Behind what newer releases have.
    Other(Alternative),
}

impl UserLocation {
    /// TAI, of a cell.
    pub fn tai(&self) -> Option<Tai> {
        match self {
            Self::Eutra { tai, .. } | Self::Nr { tai, .. } => Some(*tai),
            Self::N3iwf { .. } | Self::Other(_) => None,
        }
    }
}

const EUTRA_CELL: usize = 28;
const NR_CELL: usize = 36;

/// What both sorts of cells have.
struct Place {
    plmn: Plmn,
    cell: u64,
    tai: Tai,
    time: Option<[u8; 4]>,
    extensions: Extensions,
}

fn place(reader: &mut Reader<'_>, bits: usize) -> Result<Place, Wrong> {
    let (added, present) = reader.sequence(2)?;
    let (more, parts) = reader.sequence(1)?;
    let plmn = Plmn::read(reader)?;
    reader.align();
    let cell = reader.bits(bits)?;
    unread(reader, more, parts & 1 != 0)?;
    let tai = Tai::read(reader)?;
    let time = if present & 2 != 0 { Some(reader.array()?) } else { None };
    Ok(Place { plmn, cell, tai, time, extensions: extensions(reader, added, present & 1 != 0)? })
}

impl Value for UserLocation {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        match reader.bits(2)? {
            0 => {
                let Place { plmn, cell, tai, time, extensions } = place(reader, EUTRA_CELL)?;
                let cell = u32::try_from(cell).unwrap_or(u32::MAX);
                Ok(Self::Eutra { plmn, cell, tai, time, extensions })
            }
            1 => {
                let Place { plmn, cell, tai, time, extensions } = place(reader, NR_CELL)?;
                Ok(Self::Nr { plmn, cell, tai, time, extensions })
            }
            2 => {
                let (added, present) = reader.sequence(1)?;
                let address = Value::read(reader)?;
                let port = reader.bits(16).map(|port| u16::try_from(port).unwrap_or(u16::MAX))?;
                Ok(Self::N3iwf { address, port, extensions: extensions(reader, added, present & 1 != 0)? })
            }
            _ => Alternative::read(reader).map(Self::Other),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let (alternative, bits, (plmn, cell, tai, time, extensions)) = match self {
            Self::Eutra { plmn, cell, tai, time, extensions } => {
                (0, EUTRA_CELL, (plmn, u64::from(*cell), tai, time, extensions))
            }
            Self::Nr { plmn, cell, tai, time, extensions } => (1, NR_CELL, (plmn, *cell, tai, time, extensions)),
            Self::N3iwf { address, port, extensions } => {
                writer.bits(2, 2);
                writer.sequence(1, (!extensions.is_empty()).into());
                Value::write(address, writer);
                writer.bits(16, (*port).into());
                return extensions.write(writer);
            }
            Self::Other(other) => {
                writer.bits(2, 3);
                return other.write(writer);
            }
        };
        writer.bits(2, alternative);
        writer.sequence(2, u8::from(time.is_some()) << 1 | u8::from(!extensions.is_empty()));
        writer.sequence(1, 0);
        plmn.write(writer);
        writer.align();
        writer.bits(bits, cell);
        tai.write(writer);
        time.iter().for_each(|time| writer.octets(time));
        extensions.write(writer);
    }
}
