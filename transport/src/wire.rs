//! What carries an endpoint's packets.

use std::net::IpAddr;
use std::task::{Context, Poll};

use bytes::Bytes;
use pinion_protocols::sctp::endpoint::{Datagram, Reason, Transmit};

use crate::Time;

/// A packet did not get through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Where it came from.
    pub(crate) source: IpAddr,
    /// Where it was to go.
    pub(crate) destination: IpAddr,
    pub(crate) reason: Reason,
    /// Its beginning, from the SCTP common header on.
    pub(crate) quoted: Bytes,
}

/// Packets of one endpoint, out and in.
pub(crate) trait Wire: Send + 'static {
    /// Adds packets that have come; pending where there are none. They are few enough to be taken at once.
    fn poll_receive(&mut self, context: &mut Context<'_>, now: Time, into: &mut Vec<Datagram>) -> Poll<()>;

    /// What the network says of packets that were sent, if it came with the last batch.
    fn complaint(&mut self) -> Option<Complaint> {
        None
    }

    /// The packet of that number in the last batch can only be the peer's, as the endpoint says.
    fn valid(&mut self, _number: usize) {}

    /// Takes a packet to be sent.
    fn send(&mut self, now: Time, transmit: Transmit);

    /// Sends what was taken; pending where there is no room, and then nothing more is to be given.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// When [`Wire::expire`] is to be called, at the latest.
    fn deadline(&self) -> Option<Time> {
        None
    }

    /// Does what is due.
    fn expire(&mut self, _now: Time) {}
}
