//! Parameters (RFC 9260 3.2.1, 3.3).

mod kind;

pub use kind::ParameterType;

use core::net::{Ipv4Addr, Ipv6Addr};

use super::tlv::{Item, Items, Value};
use super::{Causes, Error, List, Numbers16};

/// A parameter as a typed view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter<'a> {
    /// What a HEARTBEAT carries, opaque to everyone but its sender (RFC 9260 3.3.5).
    HeartbeatInfo(&'a [u8]),
    /// An address of the sender (RFC 9260 3.3.2.1.1).
    Ipv4(Ipv4Addr),
    /// An address of the sender (RFC 9260 3.3.2.1.2).
    Ipv6(Ipv6Addr),
    /// State of the sender, opaque to everyone else (RFC 9260 3.3.3.1.1).
    StateCookie(&'a [u8]),
    /// A parameter that the peer did not know (RFC 9260 3.3.3.1.2).
    Unrecognized(Parameters<'a>),
    /// A longer life for the cookie is asked for, milliseconds (RFC 9260 3.3.2.1.3).
    CookiePreservative(u32),
    /// A name in place of addresses, not to be used any more (RFC 9260 3.3.2.1.4). Ends with a zero byte.
    HostName(&'a [u8]),
    /// Parameter types of the addresses that can be used (RFC 9260 3.3.2.1.5).
    SupportedAddressTypes(Numbers16<'a>),
    /// Numbers of a request of RFC 6525 4.1 to 4.3, 4.5 and 4.6.
    Reconfig(ReconfigRequest<'a>),
    /// Answer to such a request (RFC 6525 4.4).
    ReconfigResponse {
        /// Number of the request.
        response: u32,
        /// 0 nothing to do, 1 performed, 2 denied, 3 wrong stream, 4 already in progress, 5 bad number, 6 in progress.
        result: u32,
        /// Next TSN of the sender, and of the receiver, where all streams were reset.
        next_tsns: Option<(u32, u32)>,
    },
    /// Explicit congestion notification can be used (RFC 4960 appendix A; reserved in RFC 9260 3.2).
    Ecn,
    /// Packets with checksum 0 are accepted, given this error detection method (RFC 9653 4).
    ZeroChecksumAcceptable(u32),
    /// A random number, part of the key (RFC 4895 3.1).
    Random(&'a [u8]),
    /// Types of the chunks that must be authenticated (RFC 4895 3.2).
    ChunkList(&'a [u8]),
    /// HMAC identifiers, the preferred first (RFC 4895 3.3).
    HmacAlgorithms(Numbers16<'a>),
    /// Padding (RFC 4820 4).
    Padding(&'a [u8]),
    /// Types of the chunks of extensions that can be used (RFC 5061 4.2.7).
    SupportedExtensions(&'a [u8]),
    /// FORWARD-TSN can be used (RFC 3758 3.1).
    ForwardTsnSupported,
    /// The address in it is added (RFC 5061 4.2.1), deleted (4.2.2) or made primary (4.2.4).
    Address {
        /// Which of the three.
        kind: ParameterType,
        /// Ties an answer to it.
        correlation: u32,
        /// One address parameter.
        address: Parameters<'a>,
    },
    /// A request failed (RFC 5061 4.2.3).
    ErrorCauseIndication {
        /// That of the request.
        correlation: u32,
        /// Why.
        causes: Causes<'a>,
    },
    /// A request was done (RFC 5061 4.2.5).
    SuccessIndication(u32),
    /// What the upper layer wants to say about itself (RFC 5061 4.2.6).
    AdaptationLayer(u32),
    /// A parameter of a type that is not known here.
    Unknown(RawParameter<'a>),
}

/// A request to change streams (RFC 6525 4.1 to 4.3, 4.5, 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconfigRequest<'a> {
    /// Outgoing streams begin at sequence number 0 again.
    OutgoingReset {
        /// Number of this request.
        request: u32,
        /// Number of the request that it answers.
        response: u32,
        /// The last TSN that the sender assigned.
        last_tsn: u32,
        /// Which streams; none means all.
        streams: Numbers16<'a>,
    },
    /// The peer is asked to reset its outgoing streams.
    IncomingReset {
        /// Number of this request.
        request: u32,
        /// Which streams; none means all.
        streams: Numbers16<'a>,
    },
    /// Sequence numbers and TSNs of both sides begin again.
    TsnReset {
        /// Number of this request.
        request: u32,
    },
    /// More outgoing streams.
    AddOutgoing {
        /// Number of this request.
        request: u32,
        /// How many more.
        streams: u16,
        /// Reserved; 0.
        reserved: u16,
    },
    /// The peer is asked for more outgoing streams.
    AddIncoming {
        /// Number of this request.
        request: u32,
        /// How many more.
        streams: u16,
        /// Reserved; 0.
        reserved: u16,
    },
}

/// A parameter whose header is there and whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawParameter<'a>(Item<'a>);

impl<'a> RawParameter<'a> {
    /// Type of the parameter.
    pub fn kind(&self) -> ParameterType {
        ParameterType::from(self.0.kind)
    }

    /// The length field: header and value, not the padding; at least 4.
    pub fn length(&self) -> u16 {
        self.0.length
    }

    /// Where in the packet the parameter begins.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// Everything after the 4-byte header, without the padding.
    pub fn value(&self) -> &'a [u8] {
        self.0.value().bytes
    }

    /// The parameter as a typed view.
    ///
    /// # Errors
    ///
    /// [`Error::FieldCut`] and [`Error::FieldLong`] where the value has not the length of its type.
    pub fn parse(&self) -> Result<Parameter<'a>, Error> {
        let value = self.0.value();
        let kind = self.kind();
        Ok(match kind {
            ParameterType::HeartbeatInfo => Parameter::HeartbeatInfo(value.bytes),
            ParameterType::Ipv4 => {
                let address = value.array::<4>("IPv4 Address", 0)?;
                value.at_most("IPv4 Address", 4)?;
                Parameter::Ipv4(address.into())
            }
            ParameterType::Ipv6 => {
                let address = value.array::<16>("IPv6 Address", 0)?;
                value.at_most("IPv6 Address", 16)?;
                Parameter::Ipv6(address.into())
            }
            ParameterType::StateCookie => Parameter::StateCookie(value.bytes),
            ParameterType::Unrecognized => Parameter::Unrecognized(Parameters::new(value)),
            ParameterType::CookiePreservative => {
                Parameter::CookiePreservative(value.u32("Suggested Cookie Life-Span Increment", 0)?)
            }
            ParameterType::HostName => Parameter::HostName(value.bytes),
            ParameterType::SupportedAddressTypes => Parameter::SupportedAddressTypes(Numbers16(value.bytes)),
            ParameterType::OutgoingReset
            | ParameterType::IncomingReset
            | ParameterType::TsnReset
            | ParameterType::AddOutgoing
            | ParameterType::AddIncoming => Parameter::Reconfig(ReconfigRequest::parse(kind, value)?),
            ParameterType::ReconfigResponse => reconfig_response(value)?,
            ParameterType::Ecn => Parameter::Ecn,
            ParameterType::ZeroChecksumAcceptable => {
                Parameter::ZeroChecksumAcceptable(value.u32("Error Detection Method Identifier", 0)?)
            }
            ParameterType::Random => Parameter::Random(value.bytes),
            ParameterType::ChunkList => Parameter::ChunkList(value.bytes),
            ParameterType::HmacAlgorithms => Parameter::HmacAlgorithms(Numbers16(value.bytes)),
            ParameterType::Padding => Parameter::Padding(value.bytes),
            ParameterType::SupportedExtensions => Parameter::SupportedExtensions(value.bytes),
            ParameterType::ForwardTsnSupported => Parameter::ForwardTsnSupported,
            ParameterType::AddAddress | ParameterType::DeleteAddress | ParameterType::SetPrimaryAddress => {
                Parameter::Address {
                    kind,
                    correlation: value.u32("ASCONF-Request Correlation ID", 0)?,
                    address: Parameters::new(value.after(4)),
                }
            }
            ParameterType::ErrorCauseIndication => Parameter::ErrorCauseIndication {
                correlation: value.u32("ASCONF-Response Correlation ID", 0)?,
                causes: Causes::new(value.after(4)),
            },
            ParameterType::SuccessIndication => {
                Parameter::SuccessIndication(value.u32("ASCONF-Response Correlation ID", 0)?)
            }
            ParameterType::AdaptationLayer => Parameter::AdaptationLayer(value.u32("Adaptation Code Point", 0)?),
            ParameterType::Unknown(_) => Parameter::Unknown(*self),
        })
    }
}

impl<'a> ReconfigRequest<'a> {
    fn parse(kind: ParameterType, value: Value<'a>) -> Result<Self, Error> {
        let request = value.u32("Re-configuration Request Sequence Number", 0)?;
        let streams = |at| Numbers16(value.after(at).bytes);
        Ok(match kind {
            ParameterType::OutgoingReset => Self::OutgoingReset {
                request,
                response: value.u32("Re-configuration Response Sequence Number", 4)?,
                last_tsn: value.u32("Sender's Last Assigned TSN", 8)?,
                streams: streams(12),
            },
            ParameterType::IncomingReset => Self::IncomingReset { request, streams: streams(4) },
            ParameterType::AddOutgoing => Self::AddOutgoing {
                request,
                streams: value.u16("Number of new streams", 4)?,
                reserved: value.u16("Reserved", 6)?,
            },
            ParameterType::AddIncoming => Self::AddIncoming {
                request,
                streams: value.u16("Number of new streams", 4)?,
                reserved: value.u16("Reserved", 6)?,
            },
            _ => Self::TsnReset { request },
        })
    }
}

fn reconfig_response(value: Value<'_>) -> Result<Parameter<'_>, Error> {
    let next_tsns = match value.after(8).bytes {
        [] => None,
        _ => Some((value.u32("Sender's Next TSN", 8)?, value.u32("Receiver's Next TSN", 12)?)),
    };
    Ok(Parameter::ReconfigResponse {
        response: value.u32("Re-configuration Response Sequence Number", 0)?,
        result: value.u32("Result", 4)?,
        next_tsns,
    })
}

/// Parameters one after another. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    items: Items<'a>,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(value: Value<'a>) -> Self {
        Self { items: Items::new(List::Parameters, value) }
    }

    /// After [`Error::ItemCut`]: the parameter whose end is missing, with the bytes that are there.
    pub fn cut(&self) -> Option<RawParameter<'a>> {
        self.items.cut().map(RawParameter)
    }
}

impl PartialEq for Parameters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.items.rest() == other.items.rest()
    }
}

impl Eq for Parameters<'_> {}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<RawParameter<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.items.next().map(|item| item.map(RawParameter))
    }
}
