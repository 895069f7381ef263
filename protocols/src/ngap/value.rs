//! Values of the elements that N2 interprets. Each is read and written: [`super::RawElement::read`], [`super::MessageWriter::add`].
//!
//! The extensions of an item of a list are kept as they came; those of the small values within (GUAMI, TAI, S-NSSAI), for which no release
//! has any, are passed over.

mod amf;
mod area;
mod cause;
mod choice;
mod identity;
mod list;
mod location;
mod node;
mod overload;
mod reset;
mod sequence;
mod slice;
#[cfg(test)]
mod tests;
mod tnl;

pub use amf::{
    AmfName, ExtendedAmfName, RelativeAmfCapacity, ServedGuami, ServedGuamiList, UnavailableGuami,
    UnavailableGuamiList,
};
pub use area::{Plmn, SupportedTa, SupportedTaList, Tai, TaiForPaging, TaiListForPaging};
pub use cause::{Cause, RrcEstablishmentCause, TimeToWait};
pub use identity::{
    AmfSetId, AmfUeNgapId, FiveGSTmsi, Guami, NgapMessage, RanUeNgapId, RoutingId, UeIds, UePagingIdentity,
};
pub use list::List;
pub use location::UserLocation;
pub use node::{GlobalRanNodeId, NgEnbId};
pub use overload::{OverloadAction, OverloadResponse, SliceOverload, SliceOverloadList, TrafficLoadReduction};
pub use reset::{ConnectionList, ResetType, UeConnection};
pub use slice::{
    AllowedNssai, AllowedSlice, BroadcastPlmn, PlmnSupport, PlmnSupportList, Slice, SliceSupport, SliceSupportList,
};
pub use tnl::{
    TnlAddress, TnlAssociation, TnlAssociationList, TnlFailure, TnlFailureList, TnlToAdd, TnlToAddList,
    TnlToUpdate, TnlToUpdateList, TnlUsage, TransportAddress,
};

pub use crate::ap::{CriticalityDiagnostics, NotUnderstood};
use crate::ap::{Extensions, Reader, Value, Writer, Wrong};

/// Passes over what a sequence has behind its fields: `extended`, extensions, and additions.
fn unread(reader: &mut Reader<'_>, added: bool, extended: bool) -> Result<(), Wrong> {
    Extensions::read(reader, extended)?;
    reader.additions(added)
}

/// The extensions of a sequence, behind which additions are passed over.
fn extensions(reader: &mut Reader<'_>, added: bool, extended: bool) -> Result<Extensions, Wrong> {
    let extensions = Extensions::read(reader, extended)?;
    reader.additions(added)?;
    Ok(extensions)
}

/// A number of 0 to 255.
impl Value for u8 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.octet()
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.octets(&[*self]);
    }
}

/// Three octets.
impl Value for [u8; 3] {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array()
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.octets(self);
    }
}

/// A field that is there or not.
fn optional<T: Value>(reader: &mut Reader<'_>, there: bool) -> Result<Option<T>, Wrong> {
    there.then(|| T::read(reader)).transpose()
}
