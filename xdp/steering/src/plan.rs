use crate::{Reason, Target};

/// Which end of the packet is rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Face {
    /// The destination: a request, towards its endpoint.
    #[default]
    Destination = 0,
    /// The source: a reply, towards its client.
    Source = 1,
}

/// What is to be done to a packet, decided but not yet done.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Plan {
    /// The address and port to rewrite to.
    pub to: Target,
    /// Index in `TARGETS` of `to`.
    pub index: u32,
    /// The TEID to rewrite to, where it differs.
    pub teid: u32,
    /// XORed into an SCTP checksum, for what was changed inside chunks.
    pub crc: u32,
    /// Which end is rewritten.
    pub face: Face,
    /// What is counted when it goes well.
    pub reason: Reason,
    /// Zero.
    pub reserved: [u8; 2],
    /// The clock tick at which it was decided, see [`crate::Tables::now`].
    pub now: u32,
    /// SCTP over IPv4: which address the packet came to, by `hop::came_to`; else 0.
    pub from: u32,
}

impl Plan {
    /// Rewrites one end to a target, and nothing else.
    #[inline(always)]
    pub(crate) fn set(&mut self, (index, to): (u32, Target), face: Face, reason: Reason, now: u32) {
        self.to = to;
        self.index = index;
        self.face = face;
        self.reason = reason;
        self.teid = 0;
        self.crc = 0;
        self.from = 0;
        self.now = now;
    }
}
