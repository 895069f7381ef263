//! S1AP, the control of S1 (TS 36.413), in aligned PER (X.691): a view of what messages are, and whose.
//!
//! ```
//! use pinion_protocols::s1ap::{Message, Procedure};
//!
//! let bytes = [0x00, 0x0d, 0x40, 0x0f, 0, 0, 2, 0, 0, 0, 2, 0, 7, 0, 8, 0, 2, 0, 1];
//! let message = Message::parse(&bytes)?;
//! assert_eq!(message.procedure(), Procedure::UplinkNasTransport);
//! let ids = message.ids()?;
//! assert_eq!((ids.mme, ids.enb), (Some(7), Some(1)));
//! # Ok::<(), pinion_protocols::s1ap::Error>(())
//! ```

mod kinds;

pub use kinds::{ElementType, Procedure};

use crate::ap::{self, Reader, Wrong};
pub use crate::ap::{Criticality, Outcome};

/// Payload protocol identifier of S1AP in SCTP (TS 36.412 7).
pub const PAYLOAD_PROTOCOL: u32 = 18;

/// SCTP port of an MME (TS 36.412 7).
pub const PORT: u16 = 36412;

/// S1AP, as a parameter of [`crate::ap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct S1ap;

impl ap::Protocol for S1ap {
    const NAME: &'static str = "S1AP";
    const PRIVATE: u8 = 39;

    type Procedure = Procedure;
    type ElementType = ElementType;
}

/// Why bytes are not an S1AP message.
pub type Error = ap::Error<S1ap>;
/// A message whose procedure is known and whose length fits.
pub type Message<'a> = ap::Message<'a, S1ap>;
/// A message whose elements may be in fragments.
pub type Envelope<'a> = ap::Envelope<'a, S1ap>;
/// An element whose length fits.
pub type RawElement<'a> = ap::RawElement<'a, S1ap>;
/// Elements one after another.
pub type Elements<'a> = ap::Elements<'a, S1ap>;

/// The two identifiers of a UE on an association, as far as there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UeIds {
    /// MME UE S1AP ID (TS 36.413 9.2.3.3).
    pub mme: Option<u32>,
    /// eNB UE S1AP ID, 24 bits (TS 36.413 9.2.3.4).
    pub enb: Option<u32>,
}

impl<'a> Message<'a> {
    /// Whose the message is: the first of each of the two identifiers, wherever they stand; a reset's list is left out, and what is
    /// behind them not looked at.
    ///
    /// # Errors
    ///
    /// Those of [`Elements`] and of [`RawElement::ids`].
    pub fn ids(&self) -> Result<UeIds, Error> {
        let mut ids = UeIds::default();
        for raw in self.elements() {
            let raw = raw?;
            if matches!(raw.kind(), ElementType::SourceMmeUeS1apId | ElementType::OtherMmeUeS1apId) {
                continue;
            }
            let found = raw.ids()?;
            ids = UeIds { mme: ids.mme.or(found.mme), enb: ids.enb.or(found.enb) };
            if let UeIds { mme: Some(_), enb: Some(_) } = ids {
                break;
            }
        }
        Ok(ids)
    }
}

impl<'a> RawElement<'a> {
    /// The identifiers that the element is, or has within; none of another.
    ///
    /// # Errors
    ///
    /// [`Error::Element`].
    pub fn ids(&self) -> Result<UeIds, Error> {
        let read: fn(&mut Reader<'_>) -> Result<UeIds, Wrong> = match self.kind() {
            ElementType::MmeUeS1apId | ElementType::SourceMmeUeS1apId | ElementType::OtherMmeUeS1apId => {
                |reader| Ok(UeIds { mme: Some(mme_id(reader)?), enb: None })
            }
            ElementType::EnbUeS1apId => |reader| Ok(UeIds { mme: None, enb: Some(enb_id(reader)?) }),
            ElementType::UeS1apIds => ue_ids,
            ElementType::UeConnection => connection,
            _ => return Ok(UeIds::default()),
        };
        self.read_with(read)
    }

    /// The connections that a reset or its acknowledgement lists, each an element of its own; none of another element.
    ///
    /// # Errors
    ///
    /// [`Error::Element`].
    pub fn connections(&self) -> Result<Option<Elements<'a>>, Error> {
        let kind = self.kind();
        if !matches!(kind, ElementType::ResetType | ElementType::UeConnectionList) {
            return Ok(None);
        }
        self.read_with(|reader| {
            // A reset of the whole interface has no list, nor does what a newer release may have instead.
            if kind == ElementType::ResetType && reader.bits(2)? != 1 {
                return Ok(None);
            }
            let count = reader.count(MOST_CONNECTIONS)?;
            let (offset, rest) = reader.rest();
            Ok(Some(Elements::new(rest, offset, u32::try_from(count).unwrap_or(0))))
        })
    }
}

/// Connections that a list has at most (TS 36.413 9.1.8.1).
const MOST_CONNECTIONS: usize = 256;

/// The largest identifiers.
const MOST_MME: u64 = 0xffff_ffff;
const MOST_ENB: u64 = 0xff_ffff;

fn mme_id(reader: &mut Reader<'_>) -> Result<u32, Wrong> {
    reader.number(2, MOST_MME).map(|id| u32::try_from(id).unwrap_or(u32::MAX))
}

fn enb_id(reader: &mut Reader<'_>) -> Result<u32, Wrong> {
    reader.number(2, MOST_ENB).map(|id| u32::try_from(id).unwrap_or(u32::MAX))
}

/// UE S1AP IDs: both, or the MME's (TS 36.413 9.2.3.18).
fn ue_ids(reader: &mut Reader<'_>) -> Result<UeIds, Wrong> {
    let offset = reader.offset();
    match reader.bits(2)? {
        0 => {
            reader.sequence(1)?;
            Ok(UeIds { mme: Some(mme_id(reader)?), enb: Some(enb_id(reader)?) })
        }
        1 => Ok(UeIds { mme: Some(mme_id(reader)?), enb: None }),
        _ => Err(Wrong::Newer { offset }),
    }
}

/// UE-associated logical S1-connection Item (TS 36.413 9.1.8.1).
fn connection(reader: &mut Reader<'_>) -> Result<UeIds, Wrong> {
    let (_, present) = reader.sequence(3)?;
    let mme = (present & 4 != 0).then(|| mme_id(reader)).transpose()?;
    let enb = (present & 2 != 0).then(|| enb_id(reader)).transpose()?;
    Ok(UeIds { mme, enb })
}
