//! What carries an endpoint's packets.

use std::task::{Context, Poll};

use pinion_protocols::sctp::endpoint::{Datagram, Transmit};

use crate::Time;

/// Packets of one endpoint, out and in.
pub(crate) trait Wire: Send + 'static {
    /// Adds packets that have come; pending where there are none. They are few enough to be taken at once.
    fn poll_receive(&mut self, context: &mut Context<'_>, now: Time, into: &mut Vec<Datagram>) -> Poll<()>;

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
