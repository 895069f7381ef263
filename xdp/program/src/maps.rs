//! The maps. Bounds are defaults; the loader sets those of the configuration.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf};
use pinion_steering::{
    Filter, FilterKey, Flow, Fragment, FragmentKey, Heard, Link, LongKey, NextHop, Pin, PinKey, Reason,
    SERVICES_MOST, Service, ServiceKey, ShortKey, ShortPinKey, Source, SourceKey, Target, Work, hop,
};

/// Pins that XDP makes.
#[map]
pub static FLOWS: HashMap<ShortKey, Flow> = HashMap::with_max_entries(200_000, 0);
/// Pins that XDP makes for UDP and TCP over IPv6.
#[map]
pub static FLOWS6: HashMap<LongKey, Flow> = HashMap::with_max_entries(65_536, 0);
/// Pins that user space makes.
#[map]
pub static PINS: HashMap<ShortPinKey, Pin> = HashMap::with_max_entries(200_000, 0);
/// Pins that user space makes under IPv6 addresses; memory is taken as they are written.
#[map]
pub static PINS6: HashMap<PinKey, Pin> = HashMap::with_max_entries(200_000, 1);
/// Where first fragments went.
#[map]
pub static FRAGMENTS: LruHashMap<FragmentKey, Fragment> = LruHashMap::with_max_entries(16_384, 0);
/// Which users' packets go elsewhere than their tunnels; memory is taken as they are written.
#[map]
pub static FILTERS: HashMap<FilterKey, Filter> = HashMap::with_max_entries(16_384, 1);
/// What clients address, in two banks.
#[map]
pub static SERVICES: HashMap<ServiceKey, Service> = HashMap::with_max_entries(65_536, 1);
/// Which addresses are endpoints'.
#[map]
pub static SOURCES: HashMap<SourceKey, Source> = HashMap::with_max_entries(65_536, 1);
/// What packets are rewritten to.
#[map]
pub static TARGETS: Array<Target> = Array::with_max_entries(65_536, 0);
/// Maglev tables, side by side.
#[map]
pub static MAGLEV: Array<u32> = Array::with_max_entries(1 << 20, 0);
/// Whose turn it is, by a service's number.
#[map]
pub static ROUNDS: Array<u64> = Array::with_max_entries(SERVICES_MOST, 0);
/// Sessions that XDP placed, by an endpoint's index in `TARGETS` on path 0.
#[map]
pub static PLACED: Array<u64> = Array::with_max_entries(65_536, 0);
/// Of these, the sessions that user space ended.
#[map]
pub static ENDED: Array<u64> = Array::with_max_entries(65_536, 0);
/// Errors that were sent, in which tick, and how many; then the same of refusals that user space was told of.
#[map]
pub static ERRORS: Array<u64> = Array::with_max_entries(4, 0);
/// The bank of `SERVICES` that is in force.
#[map]
pub static ACTIVE: Array<u32> = Array::with_max_entries(1, 0);
/// Interfaces.
#[map]
pub static LINKS: HashMap<u32, Link> = HashMap::with_max_entries(256, 1);
/// Next hops, cached.
#[map]
pub static HOPS: PerCpuArray<NextHop> = PerCpuArray::with_max_entries(hop::SLOTS, 0);
/// Packets counted by reason.
#[map]
pub static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Reason::COUNT as u32, 0);
/// What a packet's phases hand to each other.
#[map]
pub static WORK: PerCpuArray<Work> = PerCpuArray::with_max_entries(1, 0);
/// Packets for user space.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(1 << 20, 0);
/// Packets of services that user space listens to; it asks for them in its own time.
#[map]
pub static COPIES: RingBuf = RingBuf::with_byte_size(1 << 20, 0);
/// How many of these there were, and how many more found no room.
#[map]
pub static COPIED: PerCpuArray<u64> = PerCpuArray::with_max_entries(2, 0);
/// Where a copy is put together.
#[map]
pub static COPY: PerCpuArray<Copied> = PerCpuArray::with_max_entries(1, 0);
/// What a replay imagines, its clock and random number; and what it asks: the last packet's reason.
#[map]
pub static REPLAY: Array<u32> = Array::with_max_entries(3, 0);

/// An entry of `COPIES`; it ends where the packet does.
#[repr(C)]
pub struct Copied {
    pub heard: Heard,
    pub bytes: [u8; Heard::MOST],
}
