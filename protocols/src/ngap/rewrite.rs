//! Messages copied with other identifiers, wherever those hide, and with single elements changed: the rest stays byte for byte as it was.

use bytes::BytesMut;

use super::value::{AmfUeNgapId, NgapMessage, RanUeNgapId, ResetType, UeIds};
use super::{ElementType, Envelope, Error, Message, MessageWriter, RawElement};
use crate::ap::{Change, Criticality, Value};

/// Identifiers to put in the place of others; none: they stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NewIds {
    /// AMF-UE-NGAP-ID, and that of UE-NGAP-IDs.
    pub amf: Option<u64>,
    /// RAN-UE-NGAP-ID, that of UE-NGAP-IDs, and that of the message within Reroute NAS Request.
    pub ran: Option<u32>,
    /// `SourceAMF-UE-NGAP-ID` of Path Switch Request.
    pub source_amf: Option<u64>,
    /// `NewAMF-UE-NGAP-ID` of UE Context Modification Request.
    pub new_amf: Option<u64>,
}

impl Message<'_> {
    /// Appends the message with other identifiers. Those of a reset's list are not changed: see [`Message::with_reset`].
    ///
    /// # Errors
    ///
    /// Those of [`super::Elements`] and of elements with identifiers; [`Error::Unfit`]. Nothing is appended then.
    pub fn with_ids(&self, ids: &NewIds, out: &mut BytesMut) -> Result<(), Error> {
        self.renamed(ids, true, out)
    }

    /// A message within another is looked into where this is the `outermost`, and no further down.
    fn renamed(&self, ids: &NewIds, outermost: bool, out: &mut BytesMut) -> Result<(), Error> {
        self.spliced(out, |raw, writer| {
            Ok(match (raw.kind(), ids) {
                (ElementType::AmfUeNgapId, NewIds { amf: Some(id), .. })
                | (ElementType::SourceAmfUeNgapId, NewIds { source_amf: Some(id), .. })
                | (ElementType::NewAmfUeNgapId, NewIds { new_amf: Some(id), .. }) => {
                    writer.replace(raw, &AmfUeNgapId(*id))
                }
                (ElementType::RanUeNgapId, NewIds { ran: Some(id), .. }) => writer.replace(raw, &RanUeNgapId(*id)),
                (ElementType::UeNgapIds, NewIds { amf, ran, .. }) if amf.is_some() || ran.is_some() => {
                    let old = raw.read::<UeIds>()?;
                    let ran = old.ran.map(|old| ran.unwrap_or(old));
                    writer.replace(raw, &UeIds { amf: amf.or(old.amf), ran })
                }
                (ElementType::NgapMessage, NewIds { ran: Some(_), .. }) if outermost => {
                    let mut inner = BytesMut::new();
                    let ran = NewIds { ran: ids.ran, ..NewIds::default() };
                    within(raw, |message| message.renamed(&ran, false, &mut inner))?;
                    writer.replace(raw, &NgapMessage(inner.as_ref().into()))
                }
                _ => Change::Keep,
            })
        })
    }

    /// Appends an NG Reset with another type, or an acknowledgement of one with another list, which is left out where it is empty.
    ///
    /// # Errors
    ///
    /// Those of [`super::Elements`]; [`Error::Unfit`].
    pub fn with_reset(&self, reset: &ResetType, out: &mut BytesMut) -> Result<(), Error> {
        let list = match reset {
            ResetType::Part(list) if !list.0.is_empty() => Some(list),
            _ => None,
        };
        if self.elements().find(ElementType::ResetType)?.is_some() {
            return self.spliced(out, |raw, writer| {
                Ok(match raw.kind() {
                    ElementType::ResetType => writer.replace(raw, reset),
                    _ => Change::Keep,
                })
            });
        }
        let (kind, criticality) = (ElementType::UeConnectionList, Criticality::Ignore);
        self.with(kind, criticality, list.map(|list| list as &dyn Value), &[], out)
    }

    /// Appends the message with one element changed: in the place of the first of its type stands `value`, or nothing; where there was none
    /// it comes behind the last of those of a type in `after`, or first. The order of elements counts (TS 38.413 10.3.6).
    ///
    /// # Errors
    ///
    /// Those of [`super::Elements`]; [`Error::Unfit`].
    pub fn with(
        &self,
        kind: ElementType,
        criticality: Criticality,
        value: Option<&dyn Value>,
        after: &[ElementType],
        out: &mut BytesMut,
    ) -> Result<(), Error> {
        let place = self.elements().find(kind)?.map(|raw| raw.offset());
        let mut before = None;
        for raw in self.elements() {
            let raw = raw?;
            if after.contains(&raw.kind()) {
                before = Some(raw.offset());
            }
        }
        whole_or_nothing(out, |out| {
            let mut writer = MessageWriter::like(out, self);
            if let (None, None, Some(value)) = (place, before, value) {
                writer.add(kind, criticality, value);
            }
            writer.splice(self, |raw, writer| {
                if place == Some(raw.offset()) {
                    return Ok(match value {
                        Some(value) => writer.replace(raw, value),
                        None => Change::Done,
                    });
                }
                if let (None, true, Some(value)) = (place, before == Some(raw.offset()), value) {
                    writer.copy(raw).add(kind, criticality, value);
                    return Ok(Change::Done);
                }
                Ok(Change::Keep)
            })?;
            Ok(writer.finish()?)
        })
    }

    /// Appends the Initial UE Message that Reroute NAS Request has within, as it goes to another AMF: with the set that it names, and with
    /// what it says of slices (TS 38.413 8.6.5).
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where it has none, and those of the message within, whose offsets count from its own first octet.
    pub fn rerouted(&self, out: &mut BytesMut) -> Result<(), Error> {
        let kind = ElementType::NgapMessage;
        let raw = self.elements().find(kind)?.ok_or(Error::Missing { kind })?;
        let mut brought = [None; BROUGHT.len()];
        for (place, kind) in brought.iter_mut().zip(BROUGHT) {
            *place = self.elements().find(kind)?;
        }
        let append = |out: &mut BytesMut, message: &Message<'_>| {
            let mut writer = MessageWriter::like(out, message);
            let mut left = brought.into_iter().flatten().peekable();
            writer.splice(message, |raw, writer| {
                while let Some(new) = left.next_if(|new| order(new.kind()) <= order(raw.kind())) {
                    bring(writer, &new);
                }
                let known = brought.iter().flatten().any(|new| new.kind() == raw.kind());
                Ok(if known { Change::Done } else { Change::Keep })
            })?;
            left.for_each(|new| bring(&mut writer, &new));
            Ok(writer.finish()?)
        };
        within(&raw, |message| whole_or_nothing(out, |out| append(out, message)))
    }

    /// Appends the message as [`MessageWriter::splice`] copies it.
    ///
    /// # Errors
    ///
    /// Those of [`MessageWriter::splice`]; [`Error::Unfit`].
    pub fn spliced(
        &self,
        out: &mut BytesMut,
        change: impl FnMut(&RawElement<'_>, &mut MessageWriter<'_>) -> Result<Change, Error>,
    ) -> Result<(), Error> {
        whole_or_nothing(out, |out| {
            let mut writer = MessageWriter::like(out, self);
            writer.splice(self, change)?;
            Ok(writer.finish()?)
        })
    }
}

/// Takes away what was appended where it did not come to an end.
fn whole_or_nothing(
    out: &mut BytesMut,
    append: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
) -> Result<(), Error> {
    let start = out.len();
    append(out).inspect_err(|_| out.truncate(start))
}

/// What Reroute NAS Request brings to the message within, in the order of Initial UE Message (TS 38.413 9.2.5.1).
const BROUGHT: [ElementType; 4] = [
    ElementType::AmfSetId,
    ElementType::AllowedNssai,
    ElementType::AmfInformationReroute,
    ElementType::PartiallyAllowedNssai,
];

/// Where an element is in Initial UE Message.
fn order(kind: ElementType) -> u8 {
    match kind {
        ElementType::RanUeNgapId => 0,
        ElementType::NasPdu => 1,
        ElementType::UserLocationInformation => 2,
        ElementType::RrcEstablishmentCause => 3,
        ElementType::FiveGSTmsi => 4,
        ElementType::AmfSetId => 5,
        ElementType::UeContextRequest => 6,
        ElementType::AllowedNssai => 7,
        ElementType::AmfInformationReroute => 8,
        ElementType::PartiallyAllowedNssai => 10,
        _ => 9,
    }
}

/// Adds an element of one message to another, with the criticality that it has in Initial UE Message.
fn bring(writer: &mut MessageWriter<'_>, raw: &RawElement<'_>) {
    let criticality = match raw.kind() {
        ElementType::AllowedNssai => Criticality::Reject,
        _ => Criticality::Ignore,
    };
    let value = raw.value().joined();
    writer.element(raw.kind(), criticality, |writer| writer.octets(&value));
}

/// Does something with the message that an element is.
fn within(raw: &RawElement<'_>, then: impl FnOnce(&Message<'_>) -> Result<(), Error>) -> Result<(), Error> {
    let value = raw.value().joined();
    let octets = raw.with_value(&value).octets()?;
    let octets = octets.joined();
    let envelope = Envelope::parse(&octets)?;
    let joined = envelope.value().joined();
    then(&envelope.open(&joined)?)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::value::{Cause, TimeToWait};
    use super::*;

    /// Handover Cancel, by pycrate 0.8.1: identifiers 5 and 6, cause radio network, handover cancelled.
    const CANCEL: [u8; 25] = [
        0x00, 0x0a, 0x00, 0x15, 0x00, 0x00, 0x03, 0x00, 0x0a, 0x00, 0x02, 0x00, 0x05, 0x00, 0x55, 0x00, 0x02,
        0x00, 0x06, 0x00, 0x0f, 0x40, 0x02, 0x01, 0x40,
    ];

    fn with(kind: ElementType, value: Option<&dyn Value>, after: &[ElementType]) -> Vec<u8> {
        let mut out = BytesMut::new();
        Message::parse(&CANCEL).unwrap().with(kind, Criticality::Ignore, value, after, &mut out).unwrap();
        out.to_vec()
    }

    fn kinds(bytes: &[u8]) -> Vec<ElementType> {
        Message::parse(bytes).unwrap().elements().map(|raw| raw.unwrap().kind()).collect()
    }

    #[test]
    fn an_element_is_replaced_removed_or_added_in_its_place() {
        use ElementType::{AmfUeNgapId, Cause as CauseType, RanUeNgapId, TimeToWait as Wait};
        let replaced = with(CauseType, Some(&Cause::Misc(5)), &[]);
        assert_eq!(replaced[..19], [&[0x00, 0x0a, 0x00, 0x14], &CANCEL[4..19]].concat());
        assert_eq!(replaced[19..], [0x00, 0x0f, 0x40, 0x01, 0x8a]);
        let removed = with(CauseType, None, &[]);
        assert_eq!(removed, [&[0x00, 0x0a, 0x00, 0x0f, 0x00, 0x00, 0x02], &CANCEL[7..19]].concat());
        let wait: &dyn Value = &TimeToWait::OneSecond;
        assert_eq!(kinds(&with(Wait, Some(wait), &[AmfUeNgapId])), [AmfUeNgapId, Wait, RanUeNgapId, CauseType]);
        assert_eq!(kinds(&with(Wait, Some(wait), &[CauseType])), [AmfUeNgapId, RanUeNgapId, CauseType, Wait]);
        assert_eq!(kinds(&with(Wait, Some(wait), &[])), [Wait, AmfUeNgapId, RanUeNgapId, CauseType]);
        assert_eq!(with(Wait, None, &[]), CANCEL);
    }

    #[test]
    fn what_is_out_of_range_is_not_written() {
        let mut out = BytesMut::from(&b"before"[..]);
        let ids = NewIds { amf: Some(1 << 40), ..NewIds::default() };
        let error = Message::parse(&CANCEL).unwrap().with_ids(&ids, &mut out).unwrap_err();
        assert_eq!(error, Error::Unfit(super::super::Unfit::Number { number: 1 << 40, most: (1 << 40) - 1 }));
        assert_eq!(out[..], b"before"[..]);
    }

    /// Each message in the one around it, so deep that to follow it down would use up the stack.
    #[test]
    fn messages_within_messages_are_not_followed_down() {
        let mut message = CANCEL.to_vec();
        for _ in 0..2_000 {
            let mut out = BytesMut::new();
            let procedure = super::super::Procedure::RerouteNasRequest;
            let mut writer =
                MessageWriter::new(&mut out, super::super::Outcome::Initiating, procedure, Criticality::Reject);
            writer.add(ElementType::NgapMessage, Criticality::Reject, &NgapMessage(message.into()));
            writer.finish().unwrap();
            message = out.to_vec();
        }
        let (ids, mut out) = (NewIds { ran: Some(7), ..NewIds::default() }, BytesMut::new());
        let envelope = Envelope::parse(&message).unwrap();
        let joined = envelope.value().joined();
        envelope.open(&joined).unwrap().with_ids(&ids, &mut out).unwrap();
        assert!(out == message);
    }

    #[test]
    fn what_is_not_rerouted_says_so() {
        let error = Message::parse(&CANCEL).unwrap().rerouted(&mut BytesMut::new()).unwrap_err();
        assert_eq!(error, Error::Missing { kind: ElementType::NgapMessage });
    }
}
