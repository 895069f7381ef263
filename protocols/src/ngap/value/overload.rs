//! What an AMF with too much to do asks for.

use super::{List, SliceSupportList, cause::enumerations, extensions, optional};
use crate::ap::{Alternative, Extensions, Reader, Unfit, Value, Writer, Wrong};
use crate::numbered::numbered;

numbered! {
    /// Overload Action (TS 38.413 9.3.1.105).
    OverloadAction(u8) else "overload action" {
        0 RejectMobileOriginatedData "reject non-emergency mobile originated data"
        1 RejectSignalling "reject RRC connections for signalling"
        2 EmergencyAndMobileTerminated "permit emergency sessions and mobile terminated services only"
        3 HighPriorityAndMobileTerminated "permit high priority sessions and mobile terminated services only"
    }
}

enumerations! {
    OverloadAction 2 4
}

/// Overload Response (TS 38.413 9.3.1.104).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OverloadResponse {
    /// An action.
    Action(OverloadAction),
    /// Of a newer release.
    Other(Alternative),
}

impl Value for OverloadResponse {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        match reader.bit()? {
            false => OverloadAction::read(reader).map(Self::Action),
            true => Alternative::read(reader).map(Self::Other),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bit(matches!(self, Self::Other(_)));
        match self {
            Self::Action(action) => action.write(writer),
            Self::Other(other) => other.write(writer),
        }
    }
}

/// Traffic Load Reduction Indication: the share of the traffic that is to stay away, 1 to 99 percent (TS 38.413 9.3.1.106).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrafficLoadReduction(pub u8);

/// The largest share.
const MOST: u8 = 99;

impl Value for TrafficLoadReduction {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let offset = reader.offset();
        let percent = reader.small(7)?.saturating_add(1);
        if percent > MOST { Err(Wrong::Range { offset }) } else { Ok(Self(percent)) }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let Some(number) = self.0.checked_sub(1).filter(|_| self.0 <= MOST) else {
            return writer.fail(Unfit::Number { number: self.0.into(), most: MOST.into() });
        };
        writer.bits(7, number.into());
    }
}

/// Overload Start NSSAI List (TS 38.413 9.2.6.10).
pub type SliceOverloadList = List<SliceOverload, 1024>;

/// An item of Overload Start NSSAI List.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SliceOverload {
    /// The slices.
    pub slices: SliceSupportList,
    /// Slice Overload Response.
    pub response: Option<OverloadResponse>,
    /// Slice Traffic Load Reduction Indication.
    pub reduction: Option<TrafficLoadReduction>,
    /// Extensions.
    pub extensions: Extensions,
}

impl Value for SliceOverload {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(3)?;
        let slices = List::read(reader)?;
        let response = optional(reader, present & 4 != 0)?;
        let reduction = optional(reader, present & 2 != 0)?;
        Ok(Self { slices, response, reduction, extensions: extensions(reader, added, present & 1 != 0)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let present = u8::from(self.response.is_some()) << 2 | u8::from(self.reduction.is_some()) << 1;
        writer.sequence(3, present | u8::from(!self.extensions.is_empty()));
        self.slices.write(writer);
        self.response.iter().for_each(|response| response.write(writer));
        self.reduction.iter().for_each(|reduction| reduction.write(writer));
        self.extensions.write(writer);
    }
}
