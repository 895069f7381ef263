//! Writes messages: the views' other direction.

use ::bytes::{BufMut, BytesMut};

use super::{Element, ElementType, MessageType, MessageWriter, Pfcp, SESSION_HEADER_LENGTH};
use crate::framed;

impl<'a> MessageWriter<'a> {
    /// Begins a message of a session, or of a node where there is no SEID, at the end of `out`. Of the sequence
    /// number the lower 24 bits count.
    pub fn new(out: &'a mut BytesMut, kind: MessageType, seid: Option<u64>, sequence: u32) -> Self {
        Self::begin(out, kind, seid, sequence)
    }

    /// Gives a session message a priority, 0 (highest) to 15 (TS 29.244 7.2.2.3).
    pub fn priority(&mut self, priority: u8) -> &mut Self {
        self.or(0, 2);
        self.or(SESSION_HEADER_LENGTH.saturating_sub(1), priority << 4)
    }
}

impl framed::Value<Pfcp> for Element<'_> {
    fn kind(&self) -> ElementType {
        Element::kind(self)
    }

    fn write(&self, out: &mut BytesMut) {
        Element::write(self, out);
    }
}

impl Element<'_> {
    /// Type of the element.
    pub fn kind(&self) -> ElementType {
        match self {
            Self::Group(kind, _) => *kind,
            Self::Cause(_) => ElementType::Cause,
            Self::SourceInterface(_) => ElementType::SourceInterface,
            Self::FTeid(_) => ElementType::FTeid,
            Self::NetworkInstance(_) => ElementType::NetworkInstance,
            Self::SdfFilter(_) => ElementType::SdfFilter,
            Self::Precedence(_) => ElementType::Precedence,
            Self::ReportType(_) => ElementType::ReportType,
            Self::OffendingElement(_) => ElementType::OffendingIe,
            Self::DestinationInterface(_) => ElementType::DestinationInterface,
            Self::UpFunctionFeatures(_) => ElementType::UpFunctionFeatures,
            Self::ApplyAction(_) => ElementType::ApplyAction,
            Self::SequenceNumber(_) => ElementType::SequenceNumber,
            Self::Metric(_) => ElementType::Metric,
            Self::Timer(_) => ElementType::Timer,
            Self::PdrId(_) => ElementType::PdrId,
            Self::FSeid(_) => ElementType::FSeid,
            Self::NodeId(_) => ElementType::NodeId,
            Self::UrrId(_) => ElementType::UrrId,
            Self::LinkedUrrId(_) => ElementType::LinkedUrrId,
            Self::FlowInformation(..) => ElementType::FlowInformation,
            Self::FailedRule(_) => ElementType::FailedRuleId,
            Self::AggregatedUrrId(_) => ElementType::AggregatedUrrId,
            Self::OuterHeaderCreation(_) => ElementType::OuterHeaderCreation,
            Self::BarId(_) => ElementType::BarId,
            Self::CpFunctionFeatures(_) => ElementType::CpFunctionFeatures,
            Self::UeIpAddress(_) => ElementType::UeIpAddress,
            Self::OuterHeaderRemoval(_) => ElementType::OuterHeaderRemoval,
            Self::RecoveryTimeStamp(_) => ElementType::RecoveryTimeStamp,
            Self::NodeReportType(_) => ElementType::NodeReportType,
            Self::RemotePeer(_) => ElementType::RemoteGtpUPeer,
            Self::FarId(_) => ElementType::FarId,
            Self::QerId(_) => ElementType::QerId,
            Self::GracefulReleasePeriod(_) => ElementType::GracefulReleasePeriod,
            Self::PdnType(_) => ElementType::PdnType,
            Self::UserPlaneResource(_) => ElementType::UserPlaneIpResourceInformation,
            Self::Qfi(_) => ElementType::Qfi,
            Self::TrafficEndpointId(_) => ElementType::TrafficEndpointId,
            Self::Dnn(_) => ElementType::ApnDnn,
            Self::AlternativeSmfAddress(_) => ElementType::AlternativeSmfIpAddress,
            Self::SmfSetId(_) => ElementType::SmfSetId,
            Self::CpEntityAddress(_) => ElementType::CpPfcpEntityIpAddress,
            Self::SNssai(_) => ElementType::SNssai,
            Self::Other(raw) => raw.kind(),
        }
    }

    /// Appends the value, without type and length. Spare bits and octets are 0 and absent; a group and what is
    /// not known is copied as it was.
    pub fn write(&self, out: &mut BytesMut) {
        match *self {
            Self::Group(_, ref elements) => out.put_slice(elements.bytes()),
            Self::Cause(cause) => out.put_u8(cause.into()),
            Self::FTeid(tunnel) => tunnel.write(out),
            Self::SdfFilter(filter) => filter.write(out),
            Self::OffendingElement(kind) => out.put_u16(kind.into()),
            Self::FailedRule(rule) => rule.write(out),
            Self::FlowInformation(direction, flow) => {
                out.put_u8(direction & 7);
                counted(out, flow);
            }
            Self::PdrId(number) => out.put_u16(number),
            Self::FSeid(session) => session.write(out),
            Self::NodeId(node) => node.write(out),
            Self::OuterHeaderCreation(header) => header.write(out),
            Self::UeIpAddress(address) => address.write(out),
            Self::OuterHeaderRemoval(header) => header.write(out),
            Self::RemotePeer(peer) => peer.write(out),
            Self::UserPlaneResource(resource) => resource.write(out),
            Self::SNssai(slice) => slice.write(out),
            Self::NetworkInstance(octets) | Self::Dnn(octets) => out.put_slice(octets),
            Self::SmfSetId(name) => {
                out.put_u8(0);
                out.put_slice(name);
            }
            Self::UpFunctionFeatures(flags) | Self::ApplyAction(flags) | Self::CpFunctionFeatures(flags) => {
                out.put_slice(flags.octets());
            }
            Self::AlternativeSmfAddress(addresses) | Self::CpEntityAddress(addresses) => {
                out.put_u8(addresses.flags(2, 1));
                addresses.write(out);
            }
            Self::SourceInterface(octet)
            | Self::ReportType(octet)
            | Self::DestinationInterface(octet)
            | Self::Metric(octet)
            | Self::Timer(octet)
            | Self::BarId(octet)
            | Self::NodeReportType(octet)
            | Self::GracefulReleasePeriod(octet)
            | Self::PdnType(octet)
            | Self::Qfi(octet)
            | Self::TrafficEndpointId(octet) => out.put_u8(octet),
            Self::Precedence(word)
            | Self::SequenceNumber(word)
            | Self::UrrId(word)
            | Self::LinkedUrrId(word)
            | Self::AggregatedUrrId(word)
            | Self::RecoveryTimeStamp(word)
            | Self::FarId(word)
            | Self::QerId(word) => out.put_u32(word),
            Self::Other(raw) => out.put_slice(raw.value()),
        }
    }
}

/// Appends bytes behind a length of 16 bits; what does not fit into it is left out.
pub(super) fn counted(out: &mut BytesMut, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.put_u16(length);
    out.put_slice(crate::bytes::at_most(bytes, usize::from(length)));
}
