//! Initial UE Message (TS 38.413 9.2.5.1), by which a UE's AMF is chosen.

use super::value::{AllowedNssai, AmfSetId, RanUeNgapId, RrcEstablishmentCause, UserLocation};
use super::{ElementType, Error, FiveGSTmsi, Message};
use crate::ap::Octets;

/// An Initial UE Message, as far as it is interpreted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialUeMessage<'a> {
    /// RAN UE NGAP ID.
    pub ran: u32,
    /// NAS PDU.
    pub nas: Octets<'a>,
    /// User Location Information.
    pub location: UserLocation,
    /// RRC Establishment Cause.
    pub cause: RrcEstablishmentCause,
    /// 5G-S-TMSI.
    pub tmsi: Option<FiveGSTmsi>,
    /// AMF Set ID: it was rerouted to an AMF of this set.
    pub set: Option<u16>,
    /// Whether a UE context is requested.
    pub context_requested: bool,
    /// Allowed NSSAI, of a rerouted one.
    pub allowed: Option<AllowedNssai>,
}

impl<'a> InitialUeMessage<'a> {
    /// Reads it in one go; of repeated elements the first counts.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and those of [`super::Elements`] and [`super::RawElement::read`].
    pub fn read(message: &Message<'a>) -> Result<Self, Error> {
        let (mut ran, mut nas, mut location, mut cause) = (None, None, None, None);
        let (mut tmsi, mut set, mut context_requested, mut allowed) = (None, None, false, None);
        for raw in message.elements() {
            let raw = raw?;
            match raw.kind() {
                ElementType::RanUeNgapId if ran.is_none() => ran = Some(raw.read::<RanUeNgapId>()?.0),
                ElementType::NasPdu if nas.is_none() => nas = Some(raw.octets()?),
                ElementType::UserLocationInformation if location.is_none() => location = Some(raw.read()?),
                ElementType::RrcEstablishmentCause if cause.is_none() => cause = Some(raw.read()?),
                ElementType::FiveGSTmsi if tmsi.is_none() => tmsi = Some(raw.read()?),
                ElementType::AmfSetId if set.is_none() => set = Some(raw.read::<AmfSetId>()?.0),
                ElementType::UeContextRequest => context_requested = true,
                ElementType::AllowedNssai if allowed.is_none() => allowed = Some(raw.read()?),
                _ => {}
            }
        }
        let missing = |kind| Error::Missing { kind };
        Ok(Self {
            ran: ran.ok_or(missing(ElementType::RanUeNgapId))?,
            nas: nas.ok_or(missing(ElementType::NasPdu))?,
            location: location.ok_or(missing(ElementType::UserLocationInformation))?,
            cause: cause.ok_or(missing(ElementType::RrcEstablishmentCause))?,
            tmsi,
            set,
            context_requested,
            allowed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::{Plmn, Slice, Tai};
    use super::*;
    use crate::ap::Extensions;

    /// By pycrate 0.8.1, of the values below.
    const MESSAGE: [u8; 84] = [
        0x00, 0x0f, 0x40, 0x50, 0x00, 0x00, 0x08, 0x00, 0x55, 0x00, 0x03, 0x40, 0x01, 0x2c, 0x00, 0x26, 0x00,
        0x0e, 0x0d, 0x7e, 0x00, 0x4c, 0x02, 0x00, 0x07, 0xf4, 0x55, 0x6a, 0xc0, 0xff, 0xee, 0x01, 0x00, 0x79,
        0x00, 0x0f, 0x40, 0x00, 0xf1, 0x10, 0x00, 0x00, 0x00, 0x11, 0x10, 0x00, 0xf1, 0x10, 0x00, 0x00, 0x01,
        0x00, 0x5a, 0x40, 0x01, 0x20, 0x00, 0x1a, 0x00, 0x07, 0x15, 0x5a, 0x80, 0xc0, 0xff, 0xee, 0x01, 0x00,
        0x03, 0x40, 0x02, 0xaa, 0x80, 0x00, 0x70, 0x40, 0x01, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01,
    ];

    #[test]
    fn each_element_is_read() {
        let message = InitialUeMessage::read(&Message::parse(&MESSAGE).unwrap()).unwrap();
        let plmn = Plmn([0x00, 0xf1, 0x10]);
        let (tai, extensions) = (Tai { plmn, tac: [0, 0, 1] }, Extensions::default());
        assert_eq!(message.location, UserLocation::Nr { plmn, cell: 0x111, tai, time: None, extensions });
        assert_eq!((message.ran, message.cause), (300, RrcEstablishmentCause::MoData));
        assert_eq!(message.nas.whole(), Some(&b"\x7e\x00\x4c\x02\x00\x07\xf4\x55\x6a\xc0\xff\xee\x01"[..]));
        let tmsi = FiveGSTmsi { set: 0x155, pointer: 0x2a, tmsi: [0xc0, 0xff, 0xee, 0x01] };
        assert_eq!((message.tmsi, message.set, message.context_requested), (Some(tmsi), Some(0x2aa), true));
        let slices = message.allowed.unwrap().0;
        assert_eq!(slices, [Slice { sst: 1, sd: None }.into()]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let kind = ElementType::UserLocationInformation;
        let mut out = bytes::BytesMut::new();
        let message = Message::parse(&MESSAGE).unwrap();
        message.with(kind, crate::ap::Criticality::Reject, None, &[], &mut out).unwrap();
        let error = InitialUeMessage::read(&Message::parse(&out).unwrap()).unwrap_err();
        assert_eq!(error, Error::Missing { kind });
    }
}
