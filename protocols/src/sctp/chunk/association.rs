//! INIT and INIT ACK (RFC 9260 3.3.2, 3.3.3).

use crate::sctp::tlv::Value;
use crate::sctp::{Error, Parameters};

/// An INIT or INIT ACK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init<'a> {
    /// The tag that packets to the sender of this chunk carry; not 0 where the peer is sane.
    pub initiate_tag: u32,
    /// Advertised receiver window, bytes.
    pub a_rwnd: u32,
    /// Streams that the sender would send on.
    pub outbound_streams: u16,
    /// Streams that the sender can receive on.
    pub inbound_streams: u16,
    /// The first TSN that the sender uses.
    pub initial_tsn: u32,
    /// The parameters.
    pub parameters: Parameters<'a>,
}

impl<'a> Init<'a> {
    pub(super) fn parse(value: Value<'a>) -> Result<Self, Error> {
        Ok(Self {
            initiate_tag: value.u32("Initiate Tag", 0)?,
            a_rwnd: value.u32("Advertised Receiver Window Credit", 4)?,
            outbound_streams: value.u16("Number of Outbound Streams", 8)?,
            inbound_streams: value.u16("Number of Inbound Streams", 10)?,
            initial_tsn: value.u32("Initial TSN", 12)?,
            parameters: Parameters::new(value.after(16)),
        })
    }
}
