//! Slices.

use super::sequence::{Field, sequences};
use super::{List, Plmn, unread};
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

sequences! {
    /// An item of Slice Support List.
    SliceSupport {
        /// S-NSSAI.
        slice: Slice,
        /// Extensions.
        extensions: Extensions,
    }

    /// An item of Allowed NSSAI.
    AllowedSlice {
        /// S-NSSAI.
        slice: Slice,
        /// Extensions.
        extensions: Extensions,
    }
}

impl From<Slice> for SliceSupport {
    fn from(slice: Slice) -> Self {
        Self { slice, extensions: Extensions::default() }
    }
}

impl From<Slice> for AllowedSlice {
    fn from(slice: Slice) -> Self {
        Self { slice, extensions: Extensions::default() }
    }
}

/// PLMN Support List (TS 38.413 9.2.6.2).
pub type PlmnSupportList = List<PlmnSupport, 12>;

sequences! {
    /// An item of PLMN Support List.
    PlmnSupport {
        /// PLMN identity.
        plmn: Plmn,
        /// Slices of the PLMN.
        slices: SliceSupportList,
        /// Extensions: NPN Support, Extended Slice Support List, Onboarding Support and others.
        extensions: Extensions,
    }

    /// An item of Broadcast PLMN List.
    BroadcastPlmn {
        /// PLMN identity.
        plmn: Plmn,
        /// Slices of the PLMN.
        slices: SliceSupportList,
        /// Extensions: NPN Support, Extended Slice Support List, Onboarding Support and others.
        extensions: Extensions,
    }
}
