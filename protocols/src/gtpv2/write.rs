//! Writes messages: the views' other direction.

use ::bytes::{BufMut, BytesMut};

use super::{Cause, Element, ElementType, FTeid, Gtpv2, MessageType, MessageWriter, PdnAddress};
use crate::framed;

/// Bytes of a header with a TEID.
const HEADER: usize = 12;

impl<'a> MessageWriter<'a> {
    /// Begins a message at the end of `out`, of a path where there is no TEID (TS 29.274 5.5.2). Of the sequence number the
    /// lower 24 bits count.
    pub fn new(out: &'a mut BytesMut, kind: MessageType, teid: Option<u32>, sequence: u32) -> Self {
        Self::begin(out, kind, teid.map(u64::from), sequence)
    }

    /// Gives a message with a TEID a priority, 0 (highest) to 15 (TS 29.274 5.4).
    pub fn priority(&mut self, priority: u8) -> &mut Self {
        self.or(0, 4);
        self.or(HEADER.saturating_sub(1), priority << 4)
    }

    /// Adds an element of an instance, 0 to 15.
    pub fn add_instance(&mut self, element: &Element<'_>, instance: u8) -> &mut Self {
        self.add_numbered(element, instance)
    }

    /// Adds a group of an instance whose elements `elements` writes.
    pub fn nested_instance(
        &mut self,
        kind: ElementType,
        instance: u8,
        elements: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.numbered(kind, instance, elements)
    }

    /// Adds the cause of a node's own that an element is missing or wrong: which one, and its instance (TS 29.274 8.4).
    pub fn cause_about(&mut self, cause: Cause, kind: ElementType, instance: u8) -> &mut Self {
        self.element(ElementType::Cause, |out| {
            out.put_slice(&[cause.into(), 0, kind.into(), 0, 0, instance & 0x0f]);
        })
    }
}

impl framed::Value<Gtpv2> for Element<'_> {
    fn kind(&self) -> ElementType {
        match self {
            Self::Group(kind, _) => *kind,
            Self::Imsi(_) => ElementType::Imsi,
            Self::Cause(..) => ElementType::Cause,
            Self::Recovery(_) => ElementType::Recovery,
            Self::Apn(_) => ElementType::Apn,
            Self::EpsBearerId(_) => ElementType::EpsBearerId,
            Self::PdnAddress(_) => ElementType::PdnAddress,
            Self::RatType(_) => ElementType::RatType,
            Self::FTeid(_) => ElementType::FTeid,
            Self::PdnType(_) => ElementType::PdnType,
            Self::Other(raw) => raw.kind(),
        }
    }

    /// Spare bits are 0; a group and what is not known is copied as it was.
    fn write(&self, out: &mut BytesMut) {
        match *self {
            Self::Group(_, ref elements) => out.put_slice(elements.bytes()),
            Self::Imsi(imsi) => out.put_slice(imsi.octets()),
            Self::Cause(cause, flags) => out.put_slice(&[cause.into(), flags]),
            Self::Apn(labels) => out.put_slice(labels),
            Self::Recovery(octet) | Self::EpsBearerId(octet) | Self::RatType(octet) | Self::PdnType(octet) => {
                out.put_u8(octet);
            }
            Self::PdnAddress(address) => address.write(out),
            Self::FTeid(tunnel) => tunnel.write(out),
            Self::Other(raw) => out.put_slice(raw.value()),
        }
    }
}

impl FTeid {
    fn write(self, out: &mut BytesMut) {
        out.put_u8(self.addresses.flags(0x80, 0x40) | self.interface & 0x3f);
        out.put_u32(self.teid);
        self.addresses.write(out);
    }
}

impl PdnAddress {
    fn write(self, out: &mut BytesMut) {
        out.put_u8(self.kind & 7);
        if let Some(prefix) = self.prefix {
            out.put_u8(prefix);
        }
        if let Some(v6) = self.addresses.v6 {
            out.put_slice(&v6.octets());
        }
        if let Some(v4) = self.addresses.v4 {
            out.put_slice(&v4.octets());
        }
    }
}
