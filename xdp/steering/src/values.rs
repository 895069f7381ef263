//! What the tables hold, byte for byte as the kernel's maps hold it.
//!
//! Every type is `repr(C)` without padding, so that equal values are equal bytes: the kernel hashes and
//! compares keys as bytes. Numbers are in the machine's order, addresses in the network's.

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

/// How many ICMP errors are sent in a tick: about as many as Linux sends in a second.
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
    /// Zero.
    pub reserved: [u32; 2],
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

/// The key of a pin that XDP made.
///
/// Sixteen bytes are enough for all but IPv6 5-tuples, and hashing the key is much of what a packet costs: so
/// there are two maps. Which one a key belongs to is known where it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FlowKey {
    /// A key of `FLOWS`.
    Short(ShortKey),
    /// A key of `FLOWS6`.
    Long(LongKey),
}

/// The key of `FLOWS`: what the words mean depends on the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct ShortKey(pub [u32; 4]);

/// The key of `FLOWS6`: a UDP or TCP flow over IPv6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct LongKey {
    /// Where the packet is sent.
    pub near: Address,
    /// Where it is from.
    pub far: Address,
    /// Destination port, then source port.
    pub ports: u32,
    /// IP protocol.
    pub protocol: u32,
}

/// The last word of a short key that is no 5-tuple; in a 5-tuple it is the IP protocol, below 256.
mod mark {
    pub(super) const ASSOCIATION: u32 = 0x101;
    pub(super) const PEER: u32 = 0x102;
    pub(super) const TUNNEL: u32 = 0x103;
}

impl FlowKey {
    /// A UDP or TCP flow as its packets show it.
    #[inline(always)]
    #[must_use]
    pub const fn tuple(near: Address, near_port: u16, far: Address, far_port: u16, protocol: u8) -> Self {
        let ports = pair(near_port, far_port);
        if near.is_v4() {
            Self::Short(ShortKey([near.0[3], far.0[3], ports, protocol as u32]))
        } else {
            Self::Long(LongKey { near, far, ports, protocol: protocol as u32 })
        }
    }

    /// An SCTP association in one direction: by the verification tag and ports that its packets carry, on
    /// whatever path. Towards the service the tag is the server's, towards the client the client's.
    #[inline(always)]
    #[must_use]
    pub const fn association(tag: u32, near_port: u16, far_port: u16) -> Self {
        Self::Short(ShortKey([tag, pair(near_port, far_port), 0, mark::ASSOCIATION]))
    }

    /// The client of an association, by [`crate::sctp::digest`] of its addresses: what a restart or a
    /// retransmitted INIT is placed by.
    #[inline(always)]
    #[must_use]
    pub const fn peer(service: u16, client_port: u16, digest: u32) -> Self {
        Self::Short(ShortKey([digest, pair(service, client_port), 0, mark::PEER]))
    }

    /// A GTP-U tunnel that was placed by hashing.
    #[inline(always)]
    #[must_use]
    pub const fn tunnel(service: u16, teid: u32) -> Self {
        Self::Short(ShortKey([teid, service as u32, 0, mark::TUNNEL]))
    }

    /// Whether a pin under this key stands for a session of its endpoint: of the keys that a session has, one does.
    ///
    /// A UDP or TCP flow's forward key, a tunnel's, and of an SCTP association its client's.
    #[must_use]
    pub const fn is_session(&self, flow: &Flow) -> bool {
        match self.kind() {
            FlowKind::Tuple => flow.reply == 0,
            FlowKind::Peer | FlowKind::Tunnel => true,
            FlowKind::Association => false,
        }
    }

    /// What it was made of.
    #[must_use]
    pub const fn parts(&self) -> Parts {
        match *self {
            Self::Long(LongKey { near, far, ports, protocol }) => {
                Parts::Tuple { near: (near, high(ports)), far: (far, low(ports)), protocol: protocol as u8 }
            }
            Self::Short(ShortKey([tag, ports, _, mark::ASSOCIATION])) => {
                Parts::Association { tag, near: high(ports), far: low(ports) }
            }
            Self::Short(ShortKey([digest, words, _, mark::PEER])) => {
                Parts::Peer { service: high(words), port: low(words), digest }
            }
            Self::Short(ShortKey([teid, service, _, mark::TUNNEL])) => {
                Parts::Tunnel { service: service as u16, teid }
            }
            Self::Short(ShortKey([near, far, ports, protocol])) => {
                let (near, far) = (Address::v4(near.to_ne_bytes()), Address::v4(far.to_ne_bytes()));
                Parts::Tuple { near: (near, high(ports)), far: (far, low(ports)), protocol: protocol as u8 }
            }
        }
    }

    /// Which constructor made it.
    #[must_use]
    pub const fn kind(&self) -> FlowKind {
        match self {
            Self::Short(ShortKey([_, _, _, mark::ASSOCIATION])) => FlowKind::Association,
            Self::Short(ShortKey([_, _, _, mark::PEER])) => FlowKind::Peer,
            Self::Short(ShortKey([_, _, _, mark::TUNNEL])) => FlowKind::Tunnel,
            Self::Short(_) | Self::Long(_) => FlowKind::Tuple,
        }
    }
}

#[inline(always)]
const fn pair(high: u16, low: u16) -> u32 {
    (high as u32) << 16 | low as u32
}

const fn high(pair: u32) -> u16 {
    (pair >> 16) as u16
}

const fn low(pair: u32) -> u16 {
    pair as u16
}

/// What a [`FlowKey`] was made of, by its constructor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// [`FlowKey::tuple`].
    Tuple {
        /// Where the packets are sent: address and port.
        near: (Address, u16),
        /// Where they are from.
        far: (Address, u16),
        /// IP protocol.
        protocol: u8,
    },
    /// [`FlowKey::association`].
    Association {
        /// The verification tag.
        tag: u32,
        /// The port that the packets are sent to.
        near: u16,
        /// The port that they are from.
        far: u16,
    },
    /// [`FlowKey::peer`].
    Peer {
        /// The service's number.
        service: u16,
        /// The client's port.
        port: u16,
        /// The digest of its addresses.
        digest: u32,
    },
    /// [`FlowKey::tunnel`].
    Tunnel {
        /// The service's number.
        service: u16,
        /// The TEID.
        teid: u32,
    },
}

/// What a [`FlowKey`] is the key of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FlowKind {
    /// A UDP or TCP flow, in one direction.
    Tuple,
    /// An SCTP association, in one direction.
    Association,
    /// The client of SCTP associations.
    Peer,
    /// A GTP-U tunnel.
    Tunnel,
}

/// How far a session has come; its timeout depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// One direction seen. SCTP: INIT seen.
    #[default]
    Opening = 0,
    /// SCTP: INIT ACK seen.
    Acked = 1,
    /// SCTP: COOKIE ECHO seen.
    Echoed = 2,
    /// Under way. UDP flows and tunnels always are.
    Established = 3,
    /// A FIN, or an SCTP SHUTDOWN.
    Closing = 4,
    /// A RST, an ABORT or a SHUTDOWN COMPLETE. Late packets still find their way until the pin is swept.
    Closed = 5,
}

/// A pin that XDP made: the value of `FLOWS` and `FLOWS6`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Flow {
    /// Index in `TARGETS` of what packets under this key are rewritten to, on path 0.
    pub target: u32,
    /// Clock tick at which the last packet was seen, see [`crate::Tables::now`].
    pub seen: u32,
    /// SCTP: the verification tag of the other direction.
    pub tag: u32,
    /// SCTP: digest of the client's addresses, see [`FlowKey::peer`].
    pub peer: u32,
    /// The service's number.
    pub service: u16,
    /// A [`State`], as a number.
    pub state: u8,
    /// 1 for a reply's pin: it rewrites the source. 0 for a request's: it rewrites the destination.
    pub reply: u8,
    /// SCTP: index in `TARGETS` of the address that packets under this key come to (a reply: come from), on path 0.
    pub from: u32,
}

/// The key of `PINS`: a tunnel as the service's clients see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct PinKey {
    /// The service's address.
    pub address: Address,
    /// The TEID.
    pub teid: u32,
}

/// A pin that user space made: learned, configured or restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Pin {
    /// Index in `TARGETS` of the owner's address on path 0.
    pub target: u32,
    /// The TEID as the owner knows it.
    pub teid: u32,
    /// The service's number.
    pub service: u16,
    /// The path that the key's address is on.
    pub path: u8,
    /// Zero.
    pub reserved: u8,
}

/// How to reach an address: an entry of the per-CPU next-hop cache.
///
/// Aligned as the map aligns it, so that addresses are compared as two numbers and not as four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct NextHop {
    /// The address that this entry is for; all zero where the entry is empty.
    pub destination: Address,
    /// The interface to leave by.
    pub ifindex: u32,
    /// Clock tick at which the kernel was asked, see [`crate::Tables::now`].
    pub asked: u32,
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
        assert_eq!(size_of::<Pin>(), 12);
        assert_eq!(size_of::<NextHop>(), 16 + 8 + 4 + 12);
        assert_eq!(size_of::<Link>(), 12);
    }

    #[test]
    fn keys_of_different_kinds_never_meet() {
        let keys = [
            FlowKey::tuple(Address::v4([192, 0, 2, 1]), 1, Address::v4([192, 0, 2, 2]), 2, 17),
            FlowKey::association(17, 1, 2),
            FlowKey::peer(1, 2, 17),
            FlowKey::tunnel(1, 17),
        ];
        let kinds = keys.map(|key| key.kind());
        assert_eq!(kinds, [FlowKind::Tuple, FlowKind::Association, FlowKind::Peer, FlowKind::Tunnel]);
    }

    #[test]
    fn keys_tell_what_they_were_made_of() {
        bolero::check!().with_type::<([u32; 2], [u16; 2], [u8; 16], bool)>().for_each(
            |(words, ports, bytes, v6)| {
                let ([a, b], [p, q]) = (*words, *ports);
                let address =
                    if *v6 { Address::v6(*bytes) } else { Address::v4([bytes[0], bytes[1], bytes[2], bytes[3]]) };
                let keys = [
                    FlowKey::tuple(address, p, address, q, 6),
                    FlowKey::association(a, p, q),
                    FlowKey::peer(p, q, b),
                    FlowKey::tunnel(p, a),
                ];
                for key in keys {
                    let again = match key.parts() {
                        Parts::Tuple { near, far, protocol } => {
                            FlowKey::tuple(near.0, near.1, far.0, far.1, protocol)
                        }
                        Parts::Association { tag, near, far } => FlowKey::association(tag, near, far),
                        Parts::Peer { service, port, digest } => FlowKey::peer(service, port, digest),
                        Parts::Tunnel { service, teid } => FlowKey::tunnel(service, teid),
                    };
                    assert_eq!(again, key);
                }
            },
        );
    }
}
