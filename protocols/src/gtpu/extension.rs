//! Extension headers (TS 29.281 5.2).

use super::{Error, HEADER_LENGTH, OPTIONAL_LENGTH};
use crate::bytes;

/// Type of an extension header (TS 29.281 figure 5.2.1-3, TS 29.060 figure 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExtensionType {
    /// 0: no more extension headers.
    None,
    /// 1: MBMS support indication (TS 29.060).
    MbmsSupport,
    /// 2: MS info change reporting support indication (TS 29.060).
    MsInfoChange,
    /// 3: long PDCP PDU number, when a receiver must understand it.
    LongPdcpPduNumber,
    /// 0x20: service class indicator.
    ServiceClass,
    /// 0x40: UDP port that a G-PDU came from.
    UdpPort,
    /// 0x81: RAN container (TS 36.425).
    RanContainer,
    /// 0x82: long PDCP PDU number.
    LongPdcpPduNumberSpare,
    /// 0x83: Xw RAN container (TS 36.464).
    XwRanContainer,
    /// 0x84: NR RAN container (TS 38.425).
    NrRanContainer,
    /// 0x85: PDU session container (TS 38.415).
    PduSession,
    /// 0xc0: PDCP PDU number.
    PdcpPduNumber,
    /// 0xc1: suspend request (TS 29.060).
    SuspendRequest,
    /// 0xc2: suspend response (TS 29.060).
    SuspendResponse,
    /// Any other.
    Unknown(u8),
}

/// Who must understand an extension header, and what becomes of it where it is not understood: the
/// two highest bits of its type say it (TS 29.281 figure 5.2.1-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comprehension {
    /// 00: nobody; a node on the way hands it on.
    Optional,
    /// 01: nobody; a node on the way takes it out.
    OptionalHopByHop,
    /// 10: the endpoint; a node on the way hands it on.
    Endpoint,
    /// 11: the endpoint and every node on the way.
    Everyone,
}

impl ExtensionType {
    /// Who must understand an extension header of this type.
    pub fn comprehension(self) -> Comprehension {
        match u8::from(self) >> 6 {
            0b00 => Comprehension::Optional,
            0b01 => Comprehension::OptionalHopByHop,
            0b10 => Comprehension::Endpoint,
            _ => Comprehension::Everyone,
        }
    }
}

impl From<u8> for ExtensionType {
    fn from(kind: u8) -> Self {
        match kind {
            0x00 => Self::None,
            0x01 => Self::MbmsSupport,
            0x02 => Self::MsInfoChange,
            0x03 => Self::LongPdcpPduNumber,
            0x20 => Self::ServiceClass,
            0x40 => Self::UdpPort,
            0x81 => Self::RanContainer,
            0x82 => Self::LongPdcpPduNumberSpare,
            0x83 => Self::XwRanContainer,
            0x84 => Self::NrRanContainer,
            0x85 => Self::PduSession,
            0xc0 => Self::PdcpPduNumber,
            0xc1 => Self::SuspendRequest,
            0xc2 => Self::SuspendResponse,
            other => Self::Unknown(other),
        }
    }
}

impl From<ExtensionType> for u8 {
    fn from(kind: ExtensionType) -> Self {
        match kind {
            ExtensionType::None => 0x00,
            ExtensionType::MbmsSupport => 0x01,
            ExtensionType::MsInfoChange => 0x02,
            ExtensionType::LongPdcpPduNumber => 0x03,
            ExtensionType::ServiceClass => 0x20,
            ExtensionType::UdpPort => 0x40,
            ExtensionType::RanContainer => 0x81,
            ExtensionType::LongPdcpPduNumberSpare => 0x82,
            ExtensionType::XwRanContainer => 0x83,
            ExtensionType::NrRanContainer => 0x84,
            ExtensionType::PduSession => 0x85,
            ExtensionType::PdcpPduNumber => 0xc0,
            ExtensionType::SuspendRequest => 0xc1,
            ExtensionType::SuspendResponse => 0xc2,
            ExtensionType::Unknown(other) => other,
        }
    }
}

/// The content of an extension header as a typed view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension<'a> {
    /// Class of service in the service class indicator (TS 29.281 5.2.2.3).
    ServiceClass(u8),
    /// UDP port that the G-PDU which is complained of came from (TS 29.281 5.2.2.1).
    UdpPort(u16),
    /// PDCP sequence number (TS 29.281 5.2.2.2).
    PdcpPduNumber(u16),
    /// 18-bit PDCP sequence number (TS 29.281 5.2.2.2A).
    LongPdcpPduNumber(u32),
    /// PDU session container (TS 29.281 5.2.2.7).
    PduSession(PduSessionContainer<'a>),
    /// A container of the RAN that nobody else reads (TS 29.281 5.2.2.4 to 5.2.2.6).
    Container(&'a [u8]),
    /// Anything else, its content as it is.
    Other(&'a [u8]),
}

/// User plane frame of a PDU session (TS 38.415 5.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PduSessionContainer<'a> {
    /// The container, from its PDU type octet on.
    octets: &'a [u8],
    kind: u8,
    second: u8,
}

impl<'a> PduSessionContainer<'a> {
    /// PDU type: 0 downlink, 1 uplink.
    pub fn pdu_type(&self) -> u8 {
        self.kind >> 4
    }

    /// QoS flow identifier, 0 to 63; there for PDU types 0 and 1.
    pub fn qos_flow(&self) -> Option<u8> {
        (self.pdu_type() <= 1).then_some(self.second & 0x3f)
    }

    /// RQI: reflective QoS is to be applied. Downlink only.
    pub fn reflective_qos(&self) -> Option<bool> {
        (self.pdu_type() == 0).then_some(self.second & 0x40 != 0)
    }

    /// PPP: a paging policy indicator follows. Downlink only.
    pub fn paging_policy_present(&self) -> Option<bool> {
        (self.pdu_type() == 0).then_some(self.second & 0x80 != 0)
    }

    /// Paging policy indicator, 0 to 7.
    pub fn paging_policy(&self) -> Option<u8> {
        let there = self.paging_policy_present()?;
        let octet = bytes::u8_at(self.octets, 2)?;
        there.then_some(octet >> 5)
    }

    /// The container as it is.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }
}

/// An extension header whose length fits; its content is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawExtension<'a> {
    kind: ExtensionType,
    offset: usize,
    content: &'a [u8],
    next: ExtensionType,
}

impl<'a> RawExtension<'a> {
    /// Type, as the field before the extension header names it.
    pub fn kind(&self) -> ExtensionType {
        self.kind
    }

    /// Type of the next extension header, the last octet of this one.
    pub fn next_kind(&self) -> ExtensionType {
        self.next
    }

    /// Where in the message the extension header begins, with its length octet.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What is between the length and the next type; at least 2 bytes.
    pub fn content(&self) -> &'a [u8] {
        self.content
    }

    /// The content as a typed view.
    ///
    /// # Errors
    ///
    /// [`Error::ExtensionContent`] where the content is too short.
    pub fn parse(&self) -> Result<Extension<'a>, Error> {
        let short = Error::ExtensionContent { kind: self.kind.into(), offset: self.offset };
        let content = self.content;
        let parsed = match self.kind {
            ExtensionType::ServiceClass => bytes::u8_at(content, 0).map(Extension::ServiceClass),
            ExtensionType::UdpPort => bytes::u16_at(content, 0).map(Extension::UdpPort),
            ExtensionType::PdcpPduNumber => bytes::u16_at(content, 0).map(Extension::PdcpPduNumber),
            ExtensionType::LongPdcpPduNumber | ExtensionType::LongPdcpPduNumberSpare => {
                // TS 29.281 5.2.2.2A: two units of four octets, the number in the low 18 bits.
                let number = if content.len() < 6 { None } else { bytes::u24_at(content, 0) };
                number.map(|number| Extension::LongPdcpPduNumber(number & 0x3_ffff))
            }
            ExtensionType::PduSession => bytes::array_at(content, 0).map(|[kind, second]| {
                Extension::PduSession(PduSessionContainer { octets: content, kind, second })
            }),
            ExtensionType::RanContainer | ExtensionType::XwRanContainer | ExtensionType::NrRanContainer => {
                Some(Extension::Container(content))
            }
            ExtensionType::None
            | ExtensionType::MbmsSupport
            | ExtensionType::MsInfoChange
            | ExtensionType::SuspendRequest
            | ExtensionType::SuspendResponse
            | ExtensionType::Unknown(_) => Some(Extension::Other(content)),
        };
        parsed.ok_or(short)
    }
}

/// Extension headers one after another. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    next: ExtensionType,
    offset: usize,
    rest: &'a [u8],
    failed: bool,
}

impl<'a> Extensions<'a> {
    /// `rest` begins with the optional fields of the header.
    pub(super) fn new(next: ExtensionType, rest: &'a [u8]) -> Self {
        Self {
            next,
            offset: HEADER_LENGTH + OPTIONAL_LENGTH,
            rest: bytes::after(rest, OPTIONAL_LENGTH),
            failed: false,
        }
    }

    /// What follows the extension headers that were read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn split(&self) -> Result<(RawExtension<'a>, usize), Error> {
        let (kind, offset, have) = (self.next, self.offset, self.rest.len());
        let code = u8::from(kind);
        let units = bytes::u8_at(self.rest, 0).ok_or(Error::ExtensionCut { kind: code, offset, need: 4, have })?;
        if units == 0 {
            return Err(Error::ExtensionLength { kind: code, offset });
        }
        // The length counts units of four octets (TS 29.281 5.2.1).
        let need = usize::from(units).saturating_mul(4);
        match self.rest.get(..need) {
            Some([_, content @ .., next]) => {
                Ok((RawExtension { kind, offset, content, next: (*next).into() }, need))
            }
            _ => Err(Error::ExtensionCut { kind: code, offset, need, have }),
        }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<RawExtension<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.next == ExtensionType::None {
            return None;
        }
        match self.split() {
            Ok((extension, length)) => {
                self.next = extension.next;
                self.offset = self.offset.saturating_add(length);
                self.rest = bytes::after(self.rest, length);
                Some(Ok(extension))
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for kind in 0..=u8::MAX {
            assert_eq!(u8::from(ExtensionType::from(kind)), kind);
        }
    }
}
