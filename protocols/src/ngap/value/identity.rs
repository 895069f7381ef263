//! Who UEs and AMFs are.

use alloc::boxed::Box;

use super::choice::choices;
use super::unread;
use crate::ap::{Alternative, Reader, Value, Writer, Wrong};

/// The largest AMF-UE-NGAP-ID: 2^40 - 1.
const MOST_AMF: u64 = 0xff_ffff_ffff;
/// The largest RAN-UE-NGAP-ID.
const MOST_RAN: u64 = 0xffff_ffff;

/// AMF UE NGAP ID, of the source and new ones too: at most 2^40 - 1 (TS 38.413 9.3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AmfUeNgapId(pub u64);

impl Value for AmfUeNgapId {
    /// One to five octets.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.number(3, MOST_AMF).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.number(3, MOST_AMF, self.0);
    }
}

/// RAN UE NGAP ID (TS 38.413 9.3.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RanUeNgapId(pub u32);

impl Value for RanUeNgapId {
    /// One to four octets.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.number(2, MOST_RAN).map(|number| Self(u32::try_from(number).unwrap_or(u32::MAX)))
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.number(2, MOST_RAN, self.0.into());
    }
}

/// The two identifiers of a UE on an association, as far as there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UeIds {
    /// AMF UE NGAP ID: the AMF's, 40 bits.
    pub amf: Option<u64>,
    /// RAN UE NGAP ID: the gNB's.
    pub ran: Option<u32>,
}

/// As UE NGAP IDs has them (TS 38.413 9.3.3.27): both, or the AMF's.
impl Value for UeIds {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let offset = reader.offset();
        match reader.bits(2)? {
            0 => {
                let (added, present) = reader.sequence(1)?;
                let amf = Some(AmfUeNgapId::read(reader)?.0);
                let ran = Some(RanUeNgapId::read(reader)?.0);
                unread(reader, added, present & 1 != 0)?;
                Ok(Self { amf, ran })
            }
            1 => Ok(Self { amf: Some(AmfUeNgapId::read(reader)?.0), ran: None }),
            2 => Err(Wrong::Newer { offset }),
            _ => Err(Wrong::Range { offset }),
        }
    }

    /// Without the AMF's it is written with 0.
    fn write(&self, writer: &mut Writer<'_>) {
        let amf = AmfUeNgapId(self.amf.unwrap_or(0));
        match self.ran {
            Some(ran) => {
                writer.bits(2, 0);
                writer.sequence(1, 0);
                amf.write(writer);
                RanUeNgapId(ran).write(writer);
            }
            None => {
                writer.bits(2, 1);
                amf.write(writer);
            }
        }
    }
}

/// 5G-S-TMSI: who a UE is within its AMF region (TS 38.413 9.3.3.20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FiveGSTmsi {
    /// AMF Set ID, 10 bits.
    pub set: u16,
    /// AMF Pointer, 6 bits.
    pub pointer: u8,
    /// 5G-TMSI.
    pub tmsi: [u8; 4],
}

impl Value for FiveGSTmsi {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(1)?;
        let tmsi = Self { set: set(reader)?, pointer: reader.small(6)?, tmsi: reader.array()? };
        unread(reader, added, present & 1 != 0)?;
        Ok(tmsi)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(1, 0);
        writer.bits(10, self.set.into());
        writer.bits(6, self.pointer.into());
        writer.octets(&self.tmsi);
    }
}

/// Which AMF (TS 38.413 9.3.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guami {
    /// PLMN identity, digits in half octets.
    pub plmn: [u8; 3],
    /// AMF Region ID.
    pub region: u8,
    /// AMF Set ID, 10 bits.
    pub set: u16,
    /// AMF Pointer, 6 bits.
    pub pointer: u8,
}

impl Value for Guami {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(1)?;
        let plmn = reader.array()?;
        let guami = Self { plmn, region: reader.small(8)?, set: set(reader)?, pointer: reader.small(6)? };
        unread(reader, added, present & 1 != 0)?;
        Ok(guami)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(1, 0);
        writer.octets(&self.plmn);
        writer.bits(8, self.region.into());
        writer.bits(10, self.set.into());
        writer.bits(6, self.pointer.into());
    }
}

fn set(reader: &mut Reader<'_>) -> Result<u16, Wrong> {
    reader.bits(10).map(|bits| u16::try_from(bits).unwrap_or(u16::MAX))
}

/// AMF Set ID, 10 bits (TS 38.413 9.3.3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AmfSetId(pub u16);

impl Value for AmfSetId {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        set(reader).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bits(10, self.0.into());
    }
}

/// Makes types of octets behind a length.
macro_rules! octets {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub Box<[u8]>);

        impl Value for $name {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
                Ok(Self(reader.counted()?.joined().into()))
            }

            fn write(&self, writer: &mut Writer<'_>) {
                writer.counted(&self.0);
            }
        }
    )*};
}

octets! {
    /// Routing ID: the LMF of `NRPPa` messages (TS 38.413 9.3.3.13).
    RoutingId
    /// A whole message, as Reroute NAS Request has it (TS 38.413 9.2.5.6).
    NgapMessage
}

choices! {
    /// Whom a paging is for (TS 38.413 9.3.3.18).
    UePagingIdentity {
        /// 5G-S-TMSI.
        FiveGSTmsi(FiveGSTmsi),
        /// Of a newer release.
        Other
    }
}
