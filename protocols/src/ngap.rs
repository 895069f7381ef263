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

mod element;
mod initial;
mod kinds;
mod rewrite;
#[cfg(test)]
mod tests;
mod text;
pub mod value;

pub use element::{Element, FiveGSTmsi, Guami, UeIds};
pub use initial::InitialUeMessage;
pub use kinds::{ElementType, Procedure};
pub use rewrite::NewIds;
pub use text::TextError;

use crate::ap;
pub use crate::ap::{Change, Criticality, Octets, Outcome, Unfit, Value, Wrong};

/// Payload protocol identifier of NGAP in SCTP (TS 38.412 7).
pub const PAYLOAD_PROTOCOL: u32 = 60;

/// SCTP port of an AMF (TS 38.412 7).
pub const PORT: u16 = 38412;

/// NGAP, as a parameter of [`crate::ap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ngap;

impl ap::Protocol for Ngap {
    const NAME: &'static str = "NGAP";
    const PRIVATE: u8 = 31;

    type Procedure = Procedure;
    type ElementType = ElementType;
}

/// Why bytes are not an NGAP message.
pub type Error = ap::Error<Ngap>;
/// A message whose procedure is known and whose length fits.
pub type Message<'a> = ap::Message<'a, Ngap>;
/// A message whose elements may be in fragments.
pub type Envelope<'a> = ap::Envelope<'a, Ngap>;
/// Appends one message to a buffer.
pub type MessageWriter<'a> = ap::MessageWriter<'a, Ngap>;
/// An element whose length fits.
pub type RawElement<'a> = ap::RawElement<'a, Ngap>;
/// Elements one after another.
pub type Elements<'a> = ap::Elements<'a, Ngap>;

impl Message<'_> {
    /// Whose the message is: the first of each of the two identifiers, wherever they stand. What is behind them is not looked at.
    ///
    /// # Errors
    ///
    /// Those of [`Elements`] and of [`RawElement::parse`].
    pub fn ids(&self) -> Result<UeIds, Error> {
        let mut ids = UeIds::default();
        for raw in self.elements() {
            let raw = raw?;
            let found = match raw.kind() {
                ElementType::AmfUeNgapId => UeIds { amf: Some(raw.read::<value::AmfUeNgapId>()?.0), ran: None },
                ElementType::RanUeNgapId => UeIds { amf: None, ran: Some(raw.read::<value::RanUeNgapId>()?.0) },
                ElementType::UeNgapIds => raw.read()?,
                _ => continue,
            };
            ids = UeIds { amf: ids.amf.or(found.amf), ran: ids.ran.or(found.ran) };
            if let UeIds { amf: Some(_), ran: Some(_) } = ids {
                break;
            }
        }
        Ok(ids)
    }
}
