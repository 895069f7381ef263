//! What goes in and comes out of an endpoint.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::sctp::CauseCode;

/// Names an association of one endpoint; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssociationId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// A received packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Address that it came from.
    pub source: IpAddr,
    /// Address that it came to.
    pub destination: IpAddr,
    /// From the SCTP common header on.
    pub bytes: Bytes,
}

/// A packet to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Address that it is to come from.
    pub source: IpAddr,
    /// Address that it goes to.
    pub destination: IpAddr,
    /// From the SCTP common header on, checksum included.
    pub bytes: Bytes,
    /// Larger than the path may carry whole: fragments of IP are wanted (RFC 9260 7.3).
    pub fragment: bool,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Stream identifier.
    pub stream: u16,
    /// Payload protocol identifier.
    pub protocol: u32,
    /// Delivered as soon as it is there, whatever came before it on its stream.
    pub unordered: bool,
    /// When it is given up.
    pub reliability: Reliability,
    /// A number of the caller's own, to know the message again in [`Event::SendFailed`].
    pub context: u32,
    /// What is sent; at least one byte.
    pub payload: Bytes,
}

impl Message {
    /// An ordered message that is never given up.
    pub fn new(stream: u16, protocol: u32, payload: Bytes) -> Self {
        Self { stream, protocol, unordered: false, reliability: Reliability::Full, context: 0, payload }
    }
}

/// When a message is given up (RFC 3758, RFC 7496). Without the peer's support, never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliability {
    /// Never.
    #[default]
    Full,
    /// When it is older than that (RFC 3758 4.1).
    Lifetime(Duration),
    /// When it would be sent again more often than that (RFC 7496 4.1).
    Retransmissions(u16),
}

/// A message that was received whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Stream identifier.
    pub stream: u16,
    /// Stream sequence number; without meaning where the message is unordered.
    pub sequence: u16,
    /// Payload protocol identifier.
    pub protocol: u32,
    /// Whether it may have overtaken others of its stream.
    pub unordered: bool,
    /// What was sent.
    pub payload: Bytes,
}

/// What happened to an association.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It is established: messages flow.
    Established {
        /// Whether the peer asked for it.
        accepted: bool,
        /// Streams to send on.
        outbound_streams: u16,
        /// Streams that the peer sends on.
        inbound_streams: u16,
    },
    /// A message came.
    Message(Received),
    /// There is room again after [`SendError::BufferFull`].
    Writable,
    /// Every message sent so far was acknowledged, or given up.
    Drained,
    /// A path came up, or came back.
    PathUp(IpAddr),
    /// A path timed out and is avoided (RFC 7829).
    PathPotentiallyFailed(IpAddr),
    /// A path is down (RFC 9260 8.2).
    PathDown(IpAddr),
    /// The peer added an address (RFC 5061), or one of the endpoint's own is in use now.
    AddressAdded(IpAddr),
    /// The peer deleted an address, or one of the endpoint's own is out of use now.
    AddressDeleted(IpAddr),
    /// The peer refused a change of addresses.
    AddressRefused(IpAddr),
    /// The peer began again: what it had not acknowledged is lost (RFC 9260 5.2.4.1).
    Restarted,
    /// A message was not acknowledged and will not be sent any more.
    SendFailed {
        /// As in [`Message::context`].
        context: u32,
        /// Stream identifier.
        stream: u16,
        /// Whether a part of it was sent, so that the peer may have it.
        sent: bool,
    },
    /// The peer reported an error that ends nothing (RFC 9260 3.3.10).
    PeerError(u16),
    /// The peer wants to end it: nothing can be sent any more (RFC 9260 9.2).
    PeerShutdown,
    /// It ended as agreed; the last event.
    Closed,
    /// It was aborted; the last event.
    Aborted {
        /// The first error cause, see [`CauseCode`]; 0 where there was none.
        cause: u16,
        /// Whether it was the peer.
        by_peer: bool,
    },
    /// The peer does not answer any more (RFC 9260 8.1), or never did; the last event.
    Lost,
}

impl Event {
    /// Whether nothing follows.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Closed | Self::Aborted { .. } | Self::Lost)
    }

    pub(super) fn aborted(cause: CauseCode, by_peer: bool) -> Self {
        Self::Aborted { cause: cause.into(), by_peer }
    }
}

/// Why no association was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// No own address was given.
    NoLocalAddress,
    /// No address of the peer is of a family that an own address has.
    NoRemoteAddress,
    /// A port is 0.
    Port,
    /// There is an association with that peer and these ports, or there are as many as allowed.
    Taken,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLocalAddress => "no local address",
            Self::NoRemoteAddress => "no remote address of a local family",
            Self::Port => "port 0",
            Self::Taken => "the association exists, or there are too many",
        })
    }
}

impl core::error::Error for ConnectError {}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// There is no such association, or it has ended.
    Unknown,
    /// It is being shut down.
    ShuttingDown,
    /// There is no such stream.
    Stream {
        /// Streams there are.
        streams: u16,
    },
    /// The message has no bytes (RFC 9260 6.2).
    Empty,
    /// The message is larger than `max_message`.
    TooLarge,
    /// As much waits as may wait; [`Event::Writable`] says when to try again.
    BufferFull,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no such association"),
            Self::ShuttingDown => f.write_str("the association is being shut down"),
            Self::Stream { streams } => write!(f, "no such stream: there are {streams}"),
            Self::Empty => f.write_str("the message is empty"),
            Self::TooLarge => f.write_str("the message is too large"),
            Self::BufferFull => f.write_str("the send buffer is full"),
        }
    }
}

impl core::error::Error for SendError {}
