//! What an AMF with too much to do asks for.

use super::choice::choices;
use super::sequence::{Field, sequences};
use super::{List, SliceSupportList, cause::enumerations};
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

choices! {
    /// Overload Response (TS 38.413 9.3.1.104).
    OverloadResponse {
        /// An action.
        Action(OverloadAction),
        /// Of a newer release.
        Other
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

sequences! {
    /// An item of Overload Start NSSAI List.
    SliceOverload {
        /// The slices.
        slices: SliceSupportList,
        /// Slice Overload Response.
        response: Option<OverloadResponse>,
        /// Slice Traffic Load Reduction Indication.
        reduction: Option<TrafficLoadReduction>,
        /// Extensions.
        extensions: Extensions,
    }
}
