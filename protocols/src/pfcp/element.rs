//! Information elements (TS 29.244 8.1.1): type, length, value, and groups of them.

use super::value::{
    Cause, FSeid, FTeid, Flags, NodeId, OuterHeaderCreation, OuterHeaderRemoval, RemotePeer, Rule, SNssai,
    SdfFilter, UeAddress, UserPlaneResource,
};
use super::{ElementType, Error};
use crate::addresses::Addresses;
use crate::bytes;
use crate::reader::Reader;

/// Bytes of type and length (TS 29.244 8.1.1).
const HEADER: usize = 4;

/// Groups within groups: no message of TS 29.244 has more than four.
const DEEPEST: u8 = 8;

/// An information element as a typed view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element<'a> {
    /// Any group.
    Group(ElementType, Elements<'a>),
    /// 19: whether and why not (TS 29.244 8.2.1).
    Cause(Cause),
    /// 20: where packets come from, 0 to 15 (TS 29.244 8.2.2).
    SourceInterface(u8),
    /// 21 (TS 29.244 8.2.3).
    FTeid(FTeid),
    /// 22: a name, plain or as labels of the DNS; which it is is not said (TS 29.244 8.2.4).
    NetworkInstance(&'a [u8]),
    /// 23 (TS 29.244 8.2.5).
    SdfFilter(SdfFilter<'a>),
    /// 29: rules of lower numbers are tried first (TS 29.244 8.2.11).
    Precedence(u32),
    /// 39: what a report is about, one bit each (TS 29.244 8.2.21).
    ReportType(u8),
    /// 40: the type that was missing or wrong (TS 29.244 8.2.22).
    OffendingElement(ElementType),
    /// 42: where packets go, 0 to 15 (TS 29.244 8.2.24).
    DestinationInterface(u8),
    /// 43 (TS 29.244 8.2.25).
    UpFunctionFeatures(Flags<'a>),
    /// 44 (TS 29.244 8.2.26).
    ApplyAction(Flags<'a>),
    /// 52: of load and overload control (TS 29.244 8.2.33).
    SequenceNumber(u32),
    /// 53: percent (TS 29.244 8.2.34).
    Metric(u8),
    /// 55: unit in the upper three bits, value in the lower five (TS 29.244 8.2.35).
    Timer(u8),
    /// 56 (TS 29.244 8.2.36).
    PdrId(u16),
    /// 57 (TS 29.244 8.2.37).
    FSeid(FSeid),
    /// 60 (TS 29.244 8.2.38).
    NodeId(NodeId<'a>),
    /// 81 (TS 29.244 8.2.54).
    UrrId(u32),
    /// 82 (TS 29.244 8.2.55).
    LinkedUrrId(u32),
    /// 84 (TS 29.244 8.2.56).
    OuterHeaderCreation(OuterHeaderCreation),
    /// 88 (TS 29.244 8.2.57).
    BarId(u8),
    /// 89 (TS 29.244 8.2.58).
    CpFunctionFeatures(Flags<'a>),
    /// 92: who sent the packets that it is about, and an `IPFilterRule` of RFC 6733 4.3.1 (TS 29.244 8.2.61).
    FlowInformation(u8, &'a [u8]),
    /// 93 (TS 29.244 8.2.62).
    UeIpAddress(UeAddress),
    /// 95 (TS 29.244 8.2.64).
    OuterHeaderRemoval(OuterHeaderRemoval),
    /// 96: seconds since 1900 at which the sender started (TS 29.244 8.2.65).
    RecoveryTimeStamp(u32),
    /// 101: what a node report is about, one bit each (TS 29.244 8.2.69).
    NodeReportType(u8),
    /// 103 (TS 29.244 8.2.70).
    RemotePeer(RemotePeer<'a>),
    /// 108 (TS 29.244 8.2.74).
    FarId(u32),
    /// 109 (TS 29.244 8.2.75).
    QerId(u32),
    /// 112: unit in the upper three bits, value in the lower five (TS 29.244 8.2.78).
    GracefulReleasePeriod(u8),
    /// 113: 1 IPv4, 2 IPv6, 3 both, 4 not IP, 5 Ethernet (TS 29.244 8.2.79).
    PdnType(u8),
    /// 116, of Release 15 (TS 29.244 V15 8.2.82).
    UserPlaneResource(UserPlaneResource<'a>),
    /// 114 (TS 29.244 8.2.80).
    FailedRule(Rule),
    /// 120 (TS 29.244 8.2.86).
    AggregatedUrrId(u32),
    /// 124: 0 to 63 (TS 29.244 8.2.89).
    Qfi(u8),
    /// 131 (TS 29.244 8.2.92).
    TrafficEndpointId(u8),
    /// 159: labels of the DNS (TS 29.244 8.2.117).
    Dnn(&'a [u8]),
    /// 178 (TS 29.244 8.2.141).
    AlternativeSmfAddress(Addresses),
    /// 180: a domain name, as labels (TS 29.244 8.2.143).
    SmfSetId(&'a [u8]),
    /// 185 (TS 29.244 8.2.147).
    CpEntityAddress(Addresses),
    /// 257 (TS 29.244 8.2.175).
    SNssai(SNssai),
    /// An element that is not looked into here, vendors' own among them.
    Other(RawElement<'a>),
}

/// An element whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawElement<'a> {
    kind: ElementType,
    offset: usize,
    depth: u8,
    value: &'a [u8],
}

impl<'a> RawElement<'a> {
    /// Type of the element.
    pub fn kind(&self) -> ElementType {
        self.kind
    }

    /// Where in the datagram the element begins, with its type.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Where in the datagram its value begins.
    pub fn value_offset(&self) -> usize {
        self.offset.saturating_add(HEADER)
    }

    /// The value, without type and length; of a vendor's own with the enterprise number.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The number that IANA gave the vendor; none where the element is of TS 29.244.
    ///
    /// # Errors
    ///
    /// [`Error::EnterpriseCut`].
    pub fn enterprise(&self) -> Result<Option<u16>, Error> {
        if !self.kind.is_vendor_specific() {
            return Ok(None);
        }
        let number = bytes::u16_at(self.value, 0);
        number.map(Some).ok_or(Error::EnterpriseCut { kind: self.kind, offset: self.offset })
    }

    /// The elements of a group; none where it is not one.
    ///
    /// # Errors
    ///
    /// [`Error::Depth`].
    pub fn group(&self) -> Result<Option<Elements<'a>>, Error> {
        if !self.kind.is_group() {
            return Ok(None);
        }
        if self.depth >= DEEPEST {
            return Err(Error::Depth { kind: self.kind, offset: self.offset });
        }
        Ok(Some(Elements::new(self.value_offset(), self.value, self.depth.saturating_add(1))))
    }

    /// The element as a typed view. Octets behind what is known of a value are ignored: later releases
    /// append (TS 29.244 5.7).
    ///
    /// # Errors
    ///
    /// [`Error::Value`] where the value is too short, [`Error::EnterpriseCut`], [`Error::Depth`].
    pub fn parse(&self) -> Result<Element<'a>, Error> {
        if let Some(elements) = self.group()? {
            return Ok(Element::Group(self.kind, elements));
        }
        self.enterprise()?;
        let length = u16::try_from(self.value.len()).unwrap_or(u16::MAX);
        self.view().ok_or(Error::Value { kind: self.kind, offset: self.offset, length })
    }

    fn view(&self) -> Option<Element<'a>> {
        let value = self.value;
        let octet = || bytes::u8_at(value, 0);
        let word = || bytes::u32_at(value, 0);
        let nibble = || octet().map(|octet| octet & 0x0f);
        Some(match self.kind {
            ElementType::Cause => Element::Cause(Cause::from(octet()?)),
            ElementType::SourceInterface => Element::SourceInterface(nibble()?),
            ElementType::FTeid => Element::FTeid(FTeid::parse(value)?),
            ElementType::NetworkInstance => Element::NetworkInstance(value),
            ElementType::SdfFilter => Element::SdfFilter(SdfFilter::parse(value)?),
            ElementType::Precedence => Element::Precedence(word()?),
            ElementType::ReportType => Element::ReportType(octet()?),
            ElementType::OffendingIe => Element::OffendingElement(bytes::u16_at(value, 0)?.into()),
            ElementType::DestinationInterface => Element::DestinationInterface(nibble()?),
            ElementType::UpFunctionFeatures => Element::UpFunctionFeatures(Flags::parse(value)?),
            ElementType::ApplyAction => Element::ApplyAction(Flags::parse(value)?),
            ElementType::SequenceNumber => Element::SequenceNumber(word()?),
            ElementType::Metric => Element::Metric(octet()?),
            ElementType::Timer => Element::Timer(octet()?),
            ElementType::PdrId => Element::PdrId(bytes::u16_at(value, 0)?),
            ElementType::FSeid => Element::FSeid(FSeid::parse(value)?),
            ElementType::NodeId => Element::NodeId(NodeId::parse(value)?),
            ElementType::UrrId => Element::UrrId(word()?),
            ElementType::LinkedUrrId => Element::LinkedUrrId(word()?),
            ElementType::FlowInformation => {
                let mut reader = Reader::new(value);
                Element::FlowInformation(reader.octet()? & 7, reader.counted()?)
            }
            ElementType::FailedRuleId => Element::FailedRule(Rule::parse(value)?),
            ElementType::AggregatedUrrId => Element::AggregatedUrrId(word()?),
            ElementType::OuterHeaderCreation => Element::OuterHeaderCreation(OuterHeaderCreation::parse(value)?),
            ElementType::BarId => Element::BarId(octet()?),
            ElementType::CpFunctionFeatures => Element::CpFunctionFeatures(Flags::parse(value)?),
            ElementType::UeIpAddress => Element::UeIpAddress(UeAddress::parse(value)?),
            ElementType::OuterHeaderRemoval => Element::OuterHeaderRemoval(OuterHeaderRemoval::parse(value)?),
            ElementType::RecoveryTimeStamp => Element::RecoveryTimeStamp(word()?),
            ElementType::NodeReportType => Element::NodeReportType(octet()?),
            ElementType::RemoteGtpUPeer => Element::RemotePeer(RemotePeer::parse(value)?),
            ElementType::FarId => Element::FarId(word()?),
            ElementType::QerId => Element::QerId(word()?),
            ElementType::GracefulReleasePeriod => Element::GracefulReleasePeriod(octet()?),
            ElementType::PdnType => Element::PdnType(octet()? & 0x07),
            ElementType::UserPlaneIpResourceInformation => {
                Element::UserPlaneResource(UserPlaneResource::parse(value)?)
            }
            ElementType::Qfi => Element::Qfi(octet()? & 0x3f),
            ElementType::TrafficEndpointId => Element::TrafficEndpointId(octet()?),
            ElementType::ApnDnn => Element::Dnn(value),
            ElementType::AlternativeSmfIpAddress => Element::AlternativeSmfAddress(Addresses::parse(value)?),
            ElementType::SmfSetId => Element::SmfSetId(value.get(1..)?),
            ElementType::CpPfcpEntityIpAddress => Element::CpEntityAddress(Addresses::parse(value)?),
            ElementType::SNssai => Element::SNssai(SNssai::parse(value)?),
            _ => Element::Other(*self),
        })
    }
}

/// Elements one after another, groups unopened. Ends after the first error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elements<'a> {
    offset: usize,
    rest: &'a [u8],
    depth: u8,
}

impl<'a> Elements<'a> {
    pub(super) fn new(offset: usize, rest: &'a [u8], depth: u8) -> Self {
        Self { offset, rest, depth }
    }

    /// The bytes of those that were not taken yet.
    pub fn bytes(&self) -> &'a [u8] {
        self.rest
    }

    /// The first element of a type.
    ///
    /// # Errors
    ///
    /// That of the first element that is cut before it.
    pub fn find(mut self, kind: ElementType) -> Result<Option<RawElement<'a>>, Error> {
        self.find_map(|element| match element {
            Ok(element) if element.kind != kind => None,
            found => Some(found),
        })
        .transpose()
    }

    fn split(&self) -> Result<RawElement<'a>, Error> {
        let (offset, have) = (self.offset, self.rest.len());
        let Some([k0, k1, l0, l1]) = bytes::array_at(self.rest, 0) else {
            return Err(Error::ElementCut { kind: None, offset, need: HEADER, have });
        };
        let kind = ElementType::from(u16::from_be_bytes([k0, k1]));
        let need = usize::from(u16::from_be_bytes([l0, l1])).saturating_add(HEADER);
        let value =
            self.rest.get(HEADER..need).ok_or(Error::ElementCut { kind: Some(kind), offset, need, have })?;
        Ok(RawElement { kind, offset, depth: self.depth, value })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<RawElement<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let element = self.split();
        match &element {
            Ok(element) => {
                let length = element.value.len().saturating_add(HEADER);
                self.offset = self.offset.saturating_add(length);
                self.rest = bytes::after(self.rest, length);
            }
            Err(_) => self.rest = &[],
        }
        Some(element)
    }
}
