//! What messages are routed by, as a view.

use super::value::{AmfSetId, AmfUeNgapId, RanUeNgapId};
use super::{ElementType, Error, RawElement};
use crate::ap::Octets;

pub use super::value::{FiveGSTmsi, Guami, UeIds};

/// An element as a typed view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element<'a> {
    /// AMF-UE-NGAP-ID, source and new ones too: at most 2^40 - 1 (TS 38.413 9.3.3.1).
    AmfUeNgapId(u64),
    /// RAN-UE-NGAP-ID (TS 38.413 9.3.3.2).
    RanUeNgapId(u32),
    /// UE-NGAP-IDs: both, or the AMF's.
    UeIds(UeIds),
    /// FiveG-S-TMSI.
    FiveGSTmsi(FiveGSTmsi),
    /// GUAMI.
    Guami(Guami),
    /// `AMFSetID`, 10 bits.
    AmfSetId(u16),
    /// NAS-PDU (TS 24.501).
    NasPdu(Octets<'a>),
    /// An element that is not looked into here; see [`RawElement::read`].
    Other(RawElement<'a>),
}

impl<'a> RawElement<'a> {
    /// The element as a typed view.
    ///
    /// # Errors
    ///
    /// [`Error::Element`].
    pub fn parse(&self) -> Result<Element<'a>, Error> {
        Ok(match self.kind() {
            ElementType::AmfUeNgapId | ElementType::SourceAmfUeNgapId | ElementType::NewAmfUeNgapId => {
                Element::AmfUeNgapId(self.read::<AmfUeNgapId>()?.0)
            }
            ElementType::RanUeNgapId => Element::RanUeNgapId(self.read::<RanUeNgapId>()?.0),
            ElementType::UeNgapIds => Element::UeIds(self.read()?),
            ElementType::FiveGSTmsi => Element::FiveGSTmsi(self.read()?),
            ElementType::Guami => Element::Guami(self.read()?),
            ElementType::AmfSetId => Element::AmfSetId(self.read::<AmfSetId>()?.0),
            ElementType::NasPdu => Element::NasPdu(self.octets()?),
            _ => Element::Other(*self),
        })
    }
}
