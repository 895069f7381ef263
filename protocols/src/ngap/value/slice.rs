//! Slices.

use super::{List, Plmn, extensions, unread};
use crate::ap::{Extensions, Reader, Value, Writer, Wrong};

/// S-NSSAI (TS 38.413 9.3.1.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slice {
    /// Slice/Service Type.
    pub sst: u8,
    /// Slice Differentiator.
    pub sd: Option<[u8; 3]>,
}

impl Value for Slice {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(2)?;
        let sst = reader.small(8)?;
        let sd = if present & 2 != 0 { Some(reader.array()?) } else { None };
        unread(reader, added, present & 1 != 0)?;
        Ok(Self { sst, sd })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(2, u8::from(self.sd.is_some()) << 1);
        writer.bits(8, self.sst.into());
        self.sd.iter().for_each(|sd| writer.octets(sd));
    }
}

/// Slice Support List (TS 38.413 9.3.1.17).
pub type SliceSupportList = List<SliceSupport, 1024>;

/// Allowed NSSAI (TS 38.413 9.3.1.31).
pub type AllowedNssai = List<AllowedSlice, 8>;

/// Makes items that are a slice and its extensions.
macro_rules! slices {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            /// S-NSSAI.
            pub slice: Slice,
            /// Extensions.
            pub extensions: Extensions,
        }

        impl From<Slice> for $name {
            fn from(slice: Slice) -> Self {
                Self { slice, extensions: Extensions::default() }
            }
        }

        impl Value for $name {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
                let (added, present) = reader.sequence(1)?;
                let slice = Slice::read(reader)?;
                Ok(Self { slice, extensions: extensions(reader, added, present & 1 != 0)? })
            }

            fn write(&self, writer: &mut Writer<'_>) {
                writer.sequence(1, (!self.extensions.is_empty()).into());
                self.slice.write(writer);
                self.extensions.write(writer);
            }
        }
    )*};
}

slices! {
    /// An item of Slice Support List.
    SliceSupport
    /// An item of Allowed NSSAI.
    AllowedSlice
}

/// PLMN Support List (TS 38.413 9.2.6.2).
pub type PlmnSupportList = List<PlmnSupport, 12>;

/// Makes items that are a PLMN with its slices.
macro_rules! plmns {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            /// PLMN identity.
            pub plmn: Plmn,
            /// Slices of the PLMN.
            pub slices: SliceSupportList,
            /// Extensions: NPN Support, Extended Slice Support List, Onboarding Support and others.
            pub extensions: Extensions,
        }

        impl Value for $name {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
                let (added, present) = reader.sequence(1)?;
                let (plmn, slices) = (Plmn::read(reader)?, List::read(reader)?);
                Ok(Self { plmn, slices, extensions: extensions(reader, added, present & 1 != 0)? })
            }

            fn write(&self, writer: &mut Writer<'_>) {
                writer.sequence(1, (!self.extensions.is_empty()).into());
                self.plmn.write(writer);
                self.slices.write(writer);
                self.extensions.write(writer);
            }
        }
    )*};
}

plmns! {
    /// An item of PLMN Support List.
    PlmnSupport
    /// An item of Broadcast PLMN List.
    BroadcastPlmn
}
