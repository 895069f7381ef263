//! What sessions are pinned by, and where to.

use crate::Address;

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
    /// The ports as they lie in the packet: source, then destination.
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
        Self::seen(near, far, pair(near_port, far_port), protocol)
    }

    /// As [`FlowKey::tuple`], of ports as they lie in a packet.
    #[inline(always)]
    pub(crate) const fn seen(near: Address, far: Address, ports: u32, protocol: u8) -> Self {
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
        Self::followed(tag, pair(near_port, far_port))
    }

    /// As [`FlowKey::association`], of ports as they lie in a packet.
    #[inline(always)]
    pub(crate) const fn followed(tag: u32, ports: u32) -> Self {
        Self::Short(ShortKey([tag.to_be(), ports, 0, mark::ASSOCIATION]))
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
                Parts::Tuple { near: (near, near_of(ports)), far: (far, far_of(ports)), protocol: protocol as u8 }
            }
            Self::Short(ShortKey([tag, ports, _, mark::ASSOCIATION])) => {
                Parts::Association { tag: u32::from_be(tag), near: near_of(ports), far: far_of(ports) }
            }
            Self::Short(ShortKey([digest, words, _, mark::PEER])) => {
                Parts::Peer { service: near_of(words), port: far_of(words), digest }
            }
            Self::Short(ShortKey([teid, service, _, mark::TUNNEL])) => {
                Parts::Tunnel { service: service as u16, teid }
            }
            Self::Short(ShortKey([near, far, ports, protocol])) => {
                let (near, far) = (Address::v4(near.to_ne_bytes()), Address::v4(far.to_ne_bytes()));
                Parts::Tuple { near: (near, near_of(ports)), far: (far, far_of(ports)), protocol: protocol as u8 }
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

/// Two ports as they lie in the packet that comes from the far one.
#[inline(always)]
const fn pair(near: u16, far: u16) -> u32 {
    let ([a, b], [c, d]) = (far.to_be_bytes(), near.to_be_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

pub(crate) const fn near_of(pair: u32) -> u16 {
    let [_, _, a, b] = pair.to_ne_bytes();
    u16::from_be_bytes([a, b])
}

pub(crate) const fn far_of(pair: u32) -> u16 {
    let [a, b, _, _] = pair.to_ne_bytes();
    u16::from_be_bytes([a, b])
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

/// A tunnel as the service's clients see it: the key of `PINS6`, and by [`PinKey::short`] of `PINS`. Also, by
/// [`PinKey::back`], what leads back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct PinKey {
    /// The service's address.
    pub address: Address,
    /// The TEID.
    pub teid: u32,
}

impl PinKey {
    /// The key of `PINS`, where the service's address is an IPv4 address: eight bytes cost less to hash than twenty.
    #[inline(always)]
    #[must_use]
    pub const fn short(&self) -> Option<ShortPinKey> {
        if self.address.is_v4() {
            Some(ShortPinKey { address: self.address.0[3], teid: self.teid.to_be() })
        } else {
            None
        }
    }

    /// What leads back from a tunnel's end behind the balancer or before it: the key in `PINS6` of an address and TEID as
    /// an Error Indication names them (TS 29.281 7.3.1).
    ///
    /// Under an endpoint's there is by what TEID clients know its tunnel; under a client's, which endpoint sends to it. The
    /// first word is complemented, so that no packet's destination is such a key: what begins so is neither an IPv4 nor
    /// an IPv6 unicast address that anybody has (RFC 4291 2.4).
    #[inline(always)]
    #[must_use]
    pub const fn back(end: Address, teid: u32) -> Self {
        let Address([first, second, third, last]) = end;
        Self { address: Address([!first, second, third, last]), teid }
    }
}

/// The key of `PINS`: both as they lie in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct ShortPinKey {
    /// The service's IPv4 address.
    pub address: u32,
    /// The TEID.
    pub teid: u32,
}

impl From<ShortPinKey> for PinKey {
    fn from(key: ShortPinKey) -> Self {
        Self { address: Address::v4(key.address.to_ne_bytes()), teid: u32::from_be(key.teid) }
    }
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
    /// What it is beside, by [`Pin::BACK`].
    pub flags: u8,
}

impl Pin {
    /// It is under a key of [`PinKey::back`].
    pub const BACK: u8 = 1;
    /// Filters are asked first ([`Filter`]).
    pub const CLASSIFIED: u8 = 2;
    /// Those of the second bank.
    pub const SECOND: u8 = 4;

    /// Whether it is no tunnel of a service's, but leads back.
    #[must_use]
    pub const fn leads_back(&self) -> bool {
        self.flags & Self::BACK != 0
    }
}

/// How many filters a tunnel has at the most.
pub const FILTERS_MOST: u32 = 16;

/// A filter of a tunnel: the key of `FILTERS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FilterKey {
    /// As of the tunnel's pin.
    pub address: Address,
    /// As of the tunnel's pin.
    pub teid: u32,
    /// Its place in the order, from 0; of the second bank from [`FILTERS_MOST`].
    pub at: u32,
}

impl FilterKey {
    /// The first of those that a pin asks, or of the bank that it does not ask.
    #[inline(always)]
    #[must_use]
    pub const fn first(key: &PinKey, second: bool) -> Self {
        Self { address: key.address, teid: key.teid, at: if second { FILTERS_MOST } else { 0 } }
    }
}

/// Which of a user's packets go elsewhere than their tunnel (TS 23.501 5.6.4.2), and where: the value of `FILTERS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Filter {
    /// Prefix of where they are from.
    pub source: Address,
    /// Prefix of where they are sent.
    pub destination: Address,
    /// First and last port that they are from.
    pub source_ports: [u16; 2],
    /// First and last port that they are sent to.
    pub destination_ports: [u16; 2],
    /// Index in `TARGETS` of where they go.
    pub target: u32,
    /// The TEID that they get there; 0: they leave their tunnel, and go there as they are.
    pub teid: u32,
    /// How many bits of the source count, of 128 ([`Address::holds`]).
    pub source_bits: u8,
    /// How many bits of the destination count.
    pub destination_bits: u8,
    /// IP protocol; 0: any.
    pub protocol: u8,
    /// Zero.
    pub reserved: u8,
}

impl Filter {
    /// All ports.
    pub const ANY_PORT: [u16; 2] = [0, u16::MAX];

    /// Whether it is for packets without ports too.
    #[inline(always)]
    #[must_use]
    pub const fn any_port(&self) -> bool {
        let ([a, b], [c, d]) = (self.source_ports, self.destination_ports);
        a == 0 && b == u16::MAX && c == 0 && d == u16::MAX
    }
}

/// The datagram that a fragment is of: the key of `FRAGMENTS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FragmentKey {
    /// Where it is from.
    pub source: Address,
    /// Where it is sent, before anything is rewritten.
    pub destination: Address,
    /// Its identification as it lies in the packet: 16 bits of IPv4, 32 of IPv6.
    pub identification: u32,
}

/// Where the first fragment of a datagram went: the value of `FRAGMENTS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Fragment {
    /// Index in `TARGETS` of the address that it was rewritten to.
    pub target: u32,
    /// Clock tick at which it was seen, see [`crate::Tables::now`].
    pub seen: u32,
    /// 1 where the source was rewritten, 0 where the destination was.
    pub reply: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_pin_key_is_as_a_packet_has_it() {
        let key = PinKey { address: Address::v4([192, 0, 2, 7]), teid: 0x0102_0304 };
        let short = key.short().unwrap();
        assert_eq!(short.address.to_ne_bytes(), [192, 0, 2, 7]);
        assert_eq!(short.teid.to_ne_bytes(), [1, 2, 3, 4]);
        assert_eq!(PinKey::from(short), key);
        assert_eq!(PinKey { address: Address::v6([0x20; 16]), teid: 1 }.short(), None);
    }

    #[test]
    fn what_leads_back_is_under_no_tunnels_key() {
        bolero::check!().with_type::<([u8; 16], bool)>().for_each(|(bytes, v6)| {
            let end =
                if *v6 { Address::v6(*bytes) } else { Address::v4([bytes[0], bytes[1], bytes[2], bytes[3]]) };
            let back = PinKey::back(end, 7);
            assert_eq!(back.short(), None);
            assert_eq!(PinKey::back(back.address, 7), PinKey { address: end, teid: 7 });
            // Global, unique local and link-local unicast (RFC 4291 2.4, RFC 4193 3.1), and IPv4.
            let used = |first: u8| matches!(first, 0x20..=0x3f | 0xfc..=0xfe);
            if !*v6 || used(bytes[0]) {
                assert!(!used(back.address.octets()[0]));
            }
        });
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
