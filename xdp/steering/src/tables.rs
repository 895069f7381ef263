use crate::{
    Address, Filter, FilterKey, Flow, FlowKey, Fragment, FragmentKey, Heard, Link, NextHop, Packet, Pin, PinKey,
    Reason, Service, ServiceKey, Source, SourceKey, Target,
};

/// The tables and faculties that steering asks of its host.
///
/// Look-ups return small values. Everything takes `&self`: the kernel's maps are shared by all CPUs, and a
/// host that keeps them in memory brings its own interior mutability.
pub trait Tables {
    /// The configuration bank that is in force, read once a packet where it is needed.
    fn bank(&self) -> u8;
    /// `SERVICES`.
    fn service(&self, key: &ServiceKey) -> Option<Service>;
    /// `SOURCES`: whether an address is an endpoint's.
    fn source(&self, key: &SourceKey) -> Option<Source>;
    /// `TARGETS`.
    fn target(&self, index: u32) -> Option<Target>;
    /// The arena: mostly an index in `TARGETS`.
    fn maglev(&self, slot: u32) -> Option<u32>;
    /// Whose turn it is, by a service's number: one more with every call.
    fn turn(&self, service: u16) -> u32;
    /// How many sessions an endpoint has, by its index in `TARGETS` on path 0.
    fn sessions(&self, target: u32) -> u32;
    /// Adds to an endpoint's sessions, or takes from them.
    fn count_sessions(&self, target: u32, by: i32);
    /// `PINS` and `PINS6`: written by user space alone. By [`PinKey::back`], what leads back.
    fn pin(&self, key: &PinKey) -> Option<Pin>;

    /// `FILTERS`: written by user space alone.
    fn filter(&self, key: &FilterKey) -> Option<Filter>;

    /// `FLOWS`.
    fn flow(&self, key: &FlowKey) -> Option<Flow>;
    /// Inserts into `FLOWS` only if the key is absent.
    fn insert_flow(&self, key: &FlowKey, flow: &Flow) -> Insert;
    /// Overwrites, or inserts, an entry of `FLOWS`; `false` where the table is full.
    fn replace_flow(&self, key: &FlowKey, flow: &Flow) -> bool;
    /// Undoes an insertion.
    fn remove_flow(&self, key: &FlowKey);
    /// Sets when and in which state an entry was last seen, in place; nothing where it is gone.
    fn touch_flow(&self, key: &FlowKey, seen: u32, state: u8);

    /// As [`Tables::touch_flow`], and sets the other direction's tag.
    fn tag_flow(&self, key: &FlowKey, seen: u32, state: u8, tag: u32);

    /// `FRAGMENTS`: where the first fragment of a datagram went.
    fn fragment(&self, key: &FragmentKey) -> Option<Fragment>;
    /// Writes an entry of `FRAGMENTS`; the one that nobody asked for longest makes room.
    fn keep_fragment(&self, key: &FragmentKey, fragment: &Fragment);

    /// An entry of the per-CPU next-hop cache, by [`crate::hop::slot`] or [`crate::hop::target_slot`].
    fn hop(&self, slot: u32) -> Option<NextHop>;
    /// Writes an entry of the next-hop cache.
    fn keep_hop(&self, slot: u32, hop: &NextHop);
    /// Asks the host's routing for a next hop, which it writes where it answers [`Route::Via`].
    fn route(&self, ask: &Ask, hop: &mut NextHop) -> Route;
    /// Whether what routing answered holds for the next packet too.
    fn keeps_routes(&self) -> bool;
    /// `LINKS`: the interface that the packet came in on.
    fn link(&self) -> Option<Link>;
    /// The index of the interface that the packet came in on.
    fn ingress(&self) -> u32;

    /// A coarse monotonic clock, in ticks of about a second. Only differences mean something; it wraps.
    fn now(&self) -> u32;
    /// A random number.
    fn random(&self) -> u32;
    /// Gives user space a copy of the packet, and why.
    fn punt<P: Packet>(&self, packet: &P, reason: Reason);
    /// Gives user space a copy, by `COPIES`, of `held` bytes of an SCTP packet whose common header is at `at`; all are within
    /// [`crate::REACH`]. One that has no room there is lost, and that is counted.
    fn overhear<P: Packet>(&self, packet: &P, at: u32, held: u32, heard: &Heard);
    /// Whether one more error of ICMP (RFC 4443 2.4 f) or GTP-U may be sent in this tick.
    fn may_err(&self, now: u32) -> bool;
    /// Whether user space may get one more copy of a refusal in this tick.
    fn may_tell(&self, now: u32) -> bool;
    /// Counts one packet.
    fn count(&self, reason: Reason);

    /// Far call: [`crate::crc32c::multiply`].
    fn multiply(&self, a: u32, b: u32) -> u32 {
        crate::crc32c::multiply(a, b)
    }
    /// [`crate::crc32c::POWERS`] at `index`.
    fn power(&self, index: usize) -> Option<u32> {
        crate::crc32c::POWERS.get(index).copied()
    }
}

/// What became of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insert {
    /// It is in.
    Done,
    /// The key is taken.
    Exists,
    /// The table is full.
    Full,
}

/// A question to the host's routing.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Where the packet will be from.
    pub source: Address,
    /// Where it will go.
    pub destination: Address,
    /// Length of the IP packet in bytes.
    pub length: u16,
    /// IPv4 type of service or IPv6 traffic class.
    pub class: u8,
    /// IP protocol.
    pub protocol: u8,
    /// VLAN tag that the packet came with; 0 for none.
    pub vlan: u16,
}

/// The answer of the host's routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// That way.
    Via,
    /// The kernel's stack can find out: no neighbour entry yet, or a way that XDP cannot take.
    Stack,
    /// Longer than the link carries.
    TooBig,
    /// Nowhere: blackhole, unreachable, prohibited.
    Nowhere,
}
