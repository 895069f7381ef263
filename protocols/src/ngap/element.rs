//! Information elements: identifier, criticality, value (TS 38.413 9.4.8).

use super::aper::Aper;
use super::{ElementType, Error};

/// What a receiver does with what it does not know (TS 38.413 10.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criticality {
    /// It refuses the message.
    Reject,
    /// It passes over it.
    Ignore,
    /// It passes over it, and says so.
    Notify,
}

impl Criticality {
    pub(super) fn read(aper: &mut Aper<'_>) -> Result<Self, Error> {
        let offset = aper.offset();
        match aper.bits(2)? {
            0 => Ok(Self::Reject),
            1 => Ok(Self::Ignore),
            2 => Ok(Self::Notify),
            _ => Err(Error::Criticality { offset }),
        }
    }
}

/// The two identifiers of a UE on an association, as far as a message has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UeIds {
    /// AMF UE NGAP ID: the AMF's, 40 bits.
    pub amf: Option<u64>,
    /// RAN UE NGAP ID: the gNB's.
    pub ran: Option<u32>,
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
    NasPdu(&'a [u8]),
    /// An element that is not looked into here.
    Other(RawElement<'a>),
}

/// An element whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawElement<'a> {
    kind: ElementType,
    criticality: Criticality,
    offset: usize,
    value_offset: usize,
    value: &'a [u8],
}

impl<'a> RawElement<'a> {
    /// Identifier of the element.
    pub fn kind(&self) -> ElementType {
        self.kind
    }

    /// What a receiver does that does not know it.
    pub fn criticality(&self) -> Criticality {
        self.criticality
    }

    /// Where in the message the element begins, with its identifier.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The octets of its value.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The element as a typed view.
    ///
    /// # Errors
    ///
    /// [`Error::Cut`], [`Error::Range`], [`Error::Newer`], and [`Error::Fragmented`] of a NAS PDU.
    pub fn parse(&self) -> Result<Element<'a>, Error> {
        let mut aper = Aper::new(self.value, self.value_offset);
        Ok(match self.kind {
            ElementType::AmfUeNgapId | ElementType::SourceAmfUeNgapId | ElementType::NewAmfUeNgapId => {
                Element::AmfUeNgapId(self.amf_id(&mut aper)?)
            }
            ElementType::RanUeNgapId => Element::RanUeNgapId(self.ran_id(&mut aper)?),
            ElementType::UeNgapIds => Element::UeIds(self.both(&mut aper)?),
            ElementType::FiveGSTmsi => {
                preamble(&mut aper)?;
                let (set, pointer) = (aper.bits(10)?, pointer(&mut aper)?);
                Element::FiveGSTmsi(FiveGSTmsi { set, pointer, tmsi: array(&mut aper)? })
            }
            ElementType::Guami => {
                preamble(&mut aper)?;
                let (plmn, [region]) = (array(&mut aper)?, array(&mut aper)?);
                Element::Guami(Guami { plmn, region, set: aper.bits(10)?, pointer: pointer(&mut aper)? })
            }
            ElementType::AmfSetId => Element::AmfSetId(aper.bits(10)?),
            ElementType::NasPdu => Element::NasPdu(aper.open()?.rest().1),
            _ => Element::Other(*self),
        })
    }

    fn both(&self, aper: &mut Aper<'_>) -> Result<UeIds, Error> {
        match aper.bits(2)? {
            0 => {
                preamble(aper)?;
                Ok(UeIds { amf: Some(self.amf_id(aper)?), ran: Some(self.ran_id(aper)?) })
            }
            1 => Ok(UeIds { amf: Some(self.amf_id(aper)?), ran: None }),
            _ => Err(Error::Newer { kind: self.kind, offset: self.offset }),
        }
    }

    /// 0 to 2^40 - 1: one to five octets.
    fn amf_id(&self, aper: &mut Aper<'_>) -> Result<u64, Error> {
        let number = aper.number(3)?;
        if number >> 40 == 0 { Ok(number) } else { Err(Error::Range { kind: self.kind, offset: self.offset }) }
    }

    /// 0 to 2^32 - 1: one to four octets.
    fn ran_id(&self, aper: &mut Aper<'_>) -> Result<u32, Error> {
        u32::try_from(aper.number(2)?).map_err(|_| Error::Range { kind: self.kind, offset: self.offset })
    }
}

/// The bits before a sequence with one optional field: whether extensions follow, and whether the field does. Both come behind
/// what is read here.
fn preamble(aper: &mut Aper<'_>) -> Result<(), Error> {
    aper.bits(2).map(drop)
}

fn pointer(aper: &mut Aper<'_>) -> Result<u8, Error> {
    aper.bits(6).map(|bits| u8::try_from(bits).unwrap_or(u8::MAX))
}

fn array<const N: usize>(aper: &mut Aper<'_>) -> Result<[u8; N], Error> {
    let offset = aper.offset();
    aper.octets(N)?.first_chunk().copied().ok_or(Error::Cut { offset })
}

/// Elements one after another. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    offset: usize,
    left: u16,
}

impl<'a> Elements<'a> {
    pub(super) fn new(rest: &'a [u8], offset: usize, count: u16) -> Self {
        Self { rest, offset, left: count }
    }

    fn read(&mut self) -> Result<RawElement<'a>, Error> {
        let mut aper = Aper::new(self.rest, self.offset);
        let kind = ElementType::from(aper.u16()?);
        let criticality = Criticality::read(&mut aper)?;
        let (value_offset, value) = aper.open()?.rest();
        let offset = self.offset;
        (self.offset, self.rest) = aper.rest();
        Ok(RawElement { kind, criticality, offset, value_offset, value })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<RawElement<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let element = self.read();
        if element.is_err() {
            self.left = 0;
        }
        Some(element)
    }
}
