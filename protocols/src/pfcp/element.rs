//! Information elements (TS 29.244 8.1.1): type, length, value, and groups of them.

use super::value::{
    Cause, FSeid, FTeid, Flags, NodeId, OuterHeaderCreation, OuterHeaderRemoval, RemotePeer, Rule, SNssai,
    SdfFilter, UeAddress, UserPlaneResource,
};
use super::{ElementType, Elements, Error, RawElement};
use crate::addresses::Addresses;
use crate::bytes;
use crate::reader::Reader;

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

impl<'a> RawElement<'a> {
    /// The number that IANA gave the vendor; none where the element is of TS 29.244.
    ///
    /// # Errors
    ///
    /// [`Error::EnterpriseCut`].
    pub fn enterprise(&self) -> Result<Option<u16>, Error> {
        if !self.kind().is_vendor_specific() {
            return Ok(None);
        }
        let number = bytes::u16_at(self.value(), 0);
        number.map(Some).ok_or(Error::EnterpriseCut { kind: self.kind(), offset: self.offset() })
    }

    /// The element as a typed view. Octets behind what is known of a value are ignored: later releases
    /// append (TS 29.244 5.7).
    ///
    /// # Errors
    ///
    /// [`Error::Value`] where the value is too short, [`Error::EnterpriseCut`], [`Error::Depth`].
    pub fn parse(&self) -> Result<Element<'a>, Error> {
        if let Some(elements) = self.group()? {
            return Ok(Element::Group(self.kind(), elements));
        }
        self.enterprise()?;
        self.view().ok_or_else(|| self.too_short())
    }

    fn view(&self) -> Option<Element<'a>> {
        let value = self.value();
        let octet = || bytes::u8_at(value, 0);
        let word = || bytes::u32_at(value, 0);
        let nibble = || octet().map(|octet| octet & 0x0f);
        Some(match self.kind() {
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
