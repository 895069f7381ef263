//! What the tables hold, byte for byte as the kernel's maps hold it.
//!
//! Every type is `repr(C)` without padding, so that equal values are equal bytes: the kernel hashes and
//! compares keys as bytes. Numbers are in the machine's order, addresses in the network's.

mod heard;
mod session;

pub use heard::Heard;
pub use session::{
    FILTERS_MOST, Filter, FilterKey, Flow, FlowKey, FlowKind, Fragment, FragmentKey, LongKey, Parts, Pin, PinKey,
    ShortKey, ShortPinKey, State,
};
pub(crate) use session::{far_of, near_of};

use crate::Address;

/// IP protocol numbers that steering knows.
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// SCTP.
    pub const SCTP: u8 = 132;
}

/// Most paths of a multi-homed service.
pub const MAX_PATHS: usize = 4;

/// How many numbers for services there are: twice as many as there may be services, so that a number can rest.
pub const SERVICES_MOST: u32 = 8192;

/// How many errors of ICMP and GTP-U are sent in a tick: about as many as Linux sends of ICMP in a second.
pub const ERRORS_MOST: u32 = 1000;

/// How many copies of endpoints' refusals user space gets in a tick: enough for it to look, too few to keep it busy.
pub const TOLD_MOST: u32 = 64;

/// How many banks the configuration maps have; one is active.
pub const BANKS: usize = 2;

/// What a client addresses: the key of `SERVICES`.
///
/// Protocol 0 with port 0 stands for the bare address: it is what ARP, neighbour discovery and fragments look for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct ServiceKey {
    /// The service's address on one path.
    pub address: Address,
    /// Its port.
    pub port: u16,
    /// Its IP protocol.
    pub protocol: u8,
    /// The bank of the configuration that this entry belongs to.
    pub bank: u8,
}

/// How a service's packets are pinned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// By 5-tuple.
    #[default]
    Flow = 0,
    /// By TEID.
    Gtpu = 1,
    /// By verification tag.
    Sctp = 2,
}

/// What happens to a packet for a service that belongs to no session: a GTP-U tunnel that nobody taught
/// us, an SCTP packet out of the blue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Unknown {
    /// It is dropped.
    #[default]
    Drop = 0,
    /// It goes where consistent hashing says.
    Hash = 1,
    /// It is dropped, and user space gets a copy.
    Punt = 2,
    /// GTP-U: it is dropped, and the sender of a user packet is told by an Error Indication (TS 29.281 7.3.1). Of SCTP
    /// it is as [`Unknown::Drop`].
    Indicate = 3,
}

/// How a session's endpoint is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Placement {
    /// By consistent hashing of all that tells the session from others.
    #[default]
    Maglev = 0,
    /// By consistent hashing of the client's address alone: all sessions of a client go to one endpoint.
    SourceAffinity = 1,
    /// In turn, each as often as its weight says.
    RoundRobin = 2,
    /// Where there are the fewest sessions for its weight, of all endpoints.
    LeastSessions = 3,
}

/// What becomes of a new session where no endpoint takes one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Exhausted {
    /// Its packet is dropped.
    #[default]
    Drop = 0,
    /// Its client is told: by a TCP RST, an SCTP ABORT, or ICMP's port unreachable.
    Reject = 1,
}

/// A service as steering sees it: the value of `SERVICES`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Service {
    /// Where its block begins in the arena.
    pub maglev: u32,
    /// How long that block is; 0 where no endpoint takes sessions. What it holds depends on the placement: a Maglev
    /// table, whose length is a prime; whose turn it is, in order; or pairs of an endpoint and its weight.
    pub slots: u32,
    /// Index in `TARGETS` of its own address on path 0; the others follow.
    pub own: u32,
    /// Its number, constant for its life.
    pub id: u16,
    /// A [`Kind`], as a number.
    pub kind: u8,
    /// The path that the key's address is on.
    pub path: u8,
    /// How many paths it has, 1 to [`MAX_PATHS`].
    pub paths: u8,
    /// An [`Unknown`], as a number.
    pub unknown: u8,
    /// A [`Placement`], as a number.
    pub placement: u8,
    /// An [`Exhausted`], as a number.
    pub exhausted: u8,
}

/// An address and port to rewrite to: the value of `TARGETS`.
///
/// Endpoints and services alike have one for each path, side by side. An entry does not change while a pin may name it.
/// Aligned as [`NextHop`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Target {
    /// The address on this path.
    pub address: Address,
    /// The port.
    pub port: u16,
    /// How many paths its owner has, 1 to [`MAX_PATHS`].
    pub paths: u8,
    /// 1 while its owner is up or draining, 0 when it is down.
    pub up: u8,
    /// The owner's number, for display.
    pub owner: u32,
    /// What it is beside, by [`Target::AWARE`].
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
}

impl Target {
    /// User space gets a copy of what carries NGAP to it and from it; of SCTP alone. A service's own addresses and its
    /// endpoints' say the same.
    pub const AWARE: u32 = 1;

    /// Whether it is [`Target::AWARE`].
    #[inline(always)]
    #[must_use]
    pub const fn is_aware(&self) -> bool {
        self.flags & Self::AWARE != 0
    }
}

/// Where a reply comes from: the key of `SOURCES`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct SourceKey {
    /// An endpoint's address on one path.
    pub address: Address,
    /// Its port; 0 for GTP-U, whose senders choose their source port (TS 29.281 4.4.2).
    pub port: u16,
    /// Its IP protocol.
    pub protocol: u8,
    /// Zero.
    pub reserved: u8,
}

/// Who that is: the value of `SOURCES`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Source {
    /// Index in `TARGETS` of the service's address on path 0.
    pub own: u32,
    /// The service's number.
    pub service: u16,
    /// The path that the address is on.
    pub path: u8,
    /// How many paths the service has.
    pub paths: u8,
}

/// How to reach an address: an entry of the per-CPU next-hop cache.
///
/// Of a target it holds all that a request is rewritten to, so that one look-up finds target and next hop.
/// Aligned as the map aligns it, so that addresses are compared as two numbers and not as four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct NextHop {
    /// The address that this entry is for; all zero where the entry is empty.
    pub destination: Address,
    /// One more than the index in `TARGETS` of the target that this entry is for; 0 where it is for an address alone.
    pub target: u32,
    /// Clock tick at which the kernel was asked, see [`crate::Tables::now`].
    pub asked: u32,
    /// SCTP over IPv4: which address packets of this target come to, by `hop::came_to`; else 0.
    pub from: u32,
    /// The end of that address, as it lies in packets.
    pub own: u32,
    /// The interface to leave by, perhaps with [`Link::AROUND`].
    pub ifindex: u32,
    /// The target's port, as it lies in packets.
    pub port: u16,
    /// Zero.
    pub reserved: u16,
    /// Longest IP packet that the link carries, in bytes.
    pub mtu: u16,
    /// VLAN tag control information to leave with; 0 for none.
    pub vlan: u16,
    /// The next hop's link address, then the interface's, as an Ethernet header begins.
    pub header: [u32; 3],
}

impl NextHop {
    /// The beginning of an Ethernet header from its two addresses.
    #[inline(always)]
    #[must_use]
    pub const fn link(gateway: [u8; 6], source: [u8; 6]) -> [u32; 3] {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (gateway, source);
        [u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h]), u32::from_ne_bytes([i, j, k, l])]
    }
}

/// What the loader knows of an interface: the value of `LINKS`, by interface index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Link {
    /// The device to leave by: itself, or the lower device of a VLAN, bond or bridge. With [`Link::AROUND`] added,
    /// also what leaves by where it came from is sent by redirection.
    pub lower: u32,
    /// VLAN tag control information to push; 0 for none.
    pub vlan: u16,
    /// Its link address.
    pub address: [u8; 6],
}

impl Link {
    /// Added to an interface's index, which never is so great.
    pub const AROUND: u32 = 1 << 31;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_padding() {
        assert_eq!(size_of::<ServiceKey>(), 16 + 2 + 1 + 1);
        assert_eq!(size_of::<Service>(), 4 * 3 + 2 + 4 + 2);
        assert_eq!(size_of::<Target>(), 16 + 2 + 2 + 12);
        assert_eq!(size_of::<SourceKey>(), 20);
        assert_eq!(size_of::<Source>(), 8);
        assert_eq!(size_of::<ShortKey>(), 16);
        assert_eq!(size_of::<LongKey>(), 40);
        assert_eq!(size_of::<Flow>(), 24);
        assert_eq!(size_of::<PinKey>(), 20);
        assert_eq!(size_of::<FragmentKey>(), 36);
        assert_eq!(size_of::<Fragment>(), 12);
        assert_eq!(size_of::<ShortPinKey>(), 8);
        assert_eq!(size_of::<Pin>(), 12);
        assert_eq!(size_of::<NextHop>(), 16 + 16 + 8 + 4 + 12);
        assert_eq!(size_of::<Link>(), 12);
        assert_eq!(size_of::<Heard>(), 16 + 3 * 4 + 4 * 2 + 4);
    }
}
