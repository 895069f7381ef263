//! NGAP, the control of N2 (TS 38.413), in aligned PER (X.691): a view of what messages are routed by.
//!
//! A message is a procedure and a list of information elements, each an identifier, a criticality and octets of its own; only
//! those that say whose a message is are looked into. What is not known here, of newer releases too, is passed over.
//!
//! ```
//! use pinion_protocols::ngap::{Message, Outcome, Procedure};
//!
//! let bytes = [0x00, 0x2e, 0x40, 0x0f, 0, 0, 2, 0, 10, 0, 2, 0, 7, 0, 85, 0, 2, 0, 1];
//! let message = Message::parse(&bytes)?;
//! assert_eq!((message.procedure(), message.outcome()), (Procedure::UplinkNasTransport, Outcome::Initiating));
//! let ids = message.ids()?;
//! assert_eq!((ids.amf, ids.ran), (Some(7), Some(1)));
//! # Ok::<(), pinion_protocols::ngap::Error>(())
//! ```

mod aper;
mod element;
mod error;
mod kinds;
#[cfg(test)]
mod tests;

pub use element::{Criticality, Element, Elements, FiveGSTmsi, Guami, RawElement, UeIds};
pub use error::Error;
pub use kinds::{ElementType, Procedure};

use aper::Aper;

/// Payload protocol identifier of NGAP in SCTP (TS 38.412 7).
pub const PAYLOAD_PROTOCOL: u32 = 60;

/// SCTP port of an AMF (TS 38.412 7).
pub const PORT: u16 = 38412;

/// Which part of a procedure a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It begins the procedure.
    Initiating,
    /// It answers: done.
    Successful,
    /// It answers: not done.
    Unsuccessful,
}

/// A message whose procedure is known and whose length fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    outcome: Outcome,
    procedure: Procedure,
    criticality: Criticality,
    count: u16,
    /// The elements, and where they begin.
    offset: usize,
    elements: &'a [u8],
}

impl<'a> Message<'a> {
    /// Parses a user message of SCTP. Octets behind the message are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Cut`], [`Error::Choice`], [`Error::Criticality`], [`Error::Fragmented`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut aper = Aper::new(bytes, 0);
        let outcome = match aper.bits(3)? {
            0 => Outcome::Initiating,
            1 => Outcome::Successful,
            2 => Outcome::Unsuccessful,
            choice => return Err(Error::Choice { offset: 0, choice: u8::try_from(choice).unwrap_or(u8::MAX) }),
        };
        let procedure = Procedure::from(aper.octet()?);
        let criticality = Criticality::read(&mut aper)?;
        let mut value = aper.open()?;
        // An extension marker; additions that it announces come behind the elements.
        value.bits(1)?;
        let count = value.u16()?;
        let (offset, elements) = value.rest();
        Ok(Self { outcome, procedure, criticality, count, offset, elements })
    }

    /// Which part of the procedure it is.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The procedure.
    pub fn procedure(&self) -> Procedure {
        self.procedure
    }

    /// What a receiver does that does not know the procedure.
    pub fn criticality(&self) -> Criticality {
        self.criticality
    }

    /// The elements, in the order of the message.
    pub fn elements(&self) -> Elements<'a> {
        Elements::new(self.elements, self.offset, self.count)
    }

    /// Whose the message is: the first of each of the two identifiers, wherever they stand.
    ///
    /// # Errors
    ///
    /// Those of [`Elements`] and of [`RawElement::parse`].
    pub fn ids(&self) -> Result<UeIds, Error> {
        let mut ids = UeIds::default();
        for raw in self.elements() {
            let raw = raw?;
            if !matches!(raw.kind(), ElementType::AmfUeNgapId | ElementType::RanUeNgapId | ElementType::UeNgapIds)
            {
                continue;
            }
            let found = match raw.parse()? {
                Element::AmfUeNgapId(amf) => UeIds { amf: Some(amf), ran: None },
                Element::RanUeNgapId(ran) => UeIds { amf: None, ran: Some(ran) },
                Element::UeIds(found) => found,
                _ => continue,
            };
            ids = UeIds { amf: ids.amf.or(found.amf), ran: ids.ran.or(found.ran) };
        }
        Ok(ids)
    }
}
