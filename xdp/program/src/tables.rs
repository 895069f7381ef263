use core::intrinsics::AtomicOrdering;

use aya_ebpf::bindings::{BPF_ANY, BPF_NOEXIST, bpf_fib_lookup as FibLookup, xdp_md};
use aya_ebpf::helpers::generated::{bpf_fib_lookup, bpf_get_prandom_u32, bpf_jiffies64, bpf_xdp_load_bytes};
use pinion_steering::{
    Ask, ERRORS_MOST, Filter, FilterKey, Flow, FlowKey, Fragment, FragmentKey, Heard, Insert, Link, NextHop,
    Packet, Pin, PinKey, Reason, Route, Service, ServiceKey, Source, SourceKey, TOLD_MOST, Tables, Target, crc32c,
    hop,
};

use crate::access::opaque;
use crate::maps;

/// Set by the loader: 1 where clock, random numbers and next hops come from a replay.
#[unsafe(no_mangle)]
static IMAGINED: u32 = 0;

/// Set by the loader: a tick is two to this many jiffies, about a second.
#[unsafe(no_mangle)]
static TICK: u32 = 8;

/// The powers that checksums are corrected with, as the program's own read-only data.
static POWERS: [u32; crc32c::POWERS.len()] = crc32c::POWERS;

/// The kernel's maps and helpers.
pub struct Kernel {
    ctx: *mut xdp_md,
}

impl Kernel {
    #[inline(always)]
    pub fn new(ctx: *mut xdp_md) -> Self {
        Self { ctx }
    }

    /// Whether a replay runs this.
    #[inline(always)]
    pub fn imagined(&self) -> bool {
        // SAFETY: read-only data; volatile, because the loader writes it before the program is loaded.
        unsafe { core::ptr::read_volatile(&raw const IMAGINED) != 0 }
    }
}

impl Tables for Kernel {
    #[inline(always)]
    fn bank(&self) -> u8 {
        maps::ACTIVE.get(0).map_or(0, |bank| *bank as u8)
    }

    #[inline(always)]
    fn service(&self, key: &ServiceKey) -> Option<Service> {
        // SAFETY: copied out at once; user space replaces whole values.
        unsafe { maps::SERVICES.get(key) }.copied()
    }

    #[inline(always)]
    fn source(&self, key: &SourceKey) -> Option<Source> {
        // SAFETY: as above.
        unsafe { maps::SOURCES.get(key) }.copied()
    }

    #[inline(always)]
    fn target(&self, index: u32) -> Option<Target> {
        maps::TARGETS.get(index).copied()
    }

    #[inline(always)]
    fn maglev(&self, slot: u32) -> Option<u32> {
        maps::MAGLEV.get(slot).copied()
    }

    #[inline(always)]
    fn turn(&self, service: u16) -> u32 {
        maps::ROUNDS.get_ptr_mut(service as u32).map_or(0, |turn| add(turn, 1) as u32)
    }

    #[inline(always)]
    fn sessions(&self, target: u32) -> u32 {
        let placed = maps::PLACED.get(target).map_or(0, |placed| *placed);
        let ended = maps::ENDED.get(target).map_or(0, |ended| *ended);
        // A session that one CPU places may be ended before its count is seen here.
        let sessions = (placed as u32).wrapping_sub(ended as u32) as i32;
        if sessions < 0 { 0 } else { sessions as u32 }
    }

    #[inline(always)]
    fn count_sessions(&self, target: u32, by: i32) {
        if let Some(placed) = maps::PLACED.get_ptr_mut(target) {
            add(placed, by as u64);
        }
    }

    #[inline(always)]
    fn pin(&self, key: &PinKey) -> Option<Pin> {
        // SAFETY: as above.
        match key.short() {
            Some(key) => unsafe { maps::PINS.get(&key) }.copied(),
            None => unsafe { maps::PINS6.get(key) }.copied(),
        }
    }

    #[inline(always)]
    fn filter(&self, key: &FilterKey) -> Option<Filter> {
        // SAFETY: as above.
        unsafe { maps::FILTERS.get(key) }.copied()
    }

    #[inline(always)]
    fn flow(&self, key: &FlowKey) -> Option<Flow> {
        // SAFETY: as above; `touch_flow` writes words of it, which do not tear.
        match *key {
            FlowKey::Short(key) => unsafe { maps::FLOWS.get(&key) }.copied(),
            FlowKey::Long(key) => unsafe { maps::FLOWS6.get(&key) }.copied(),
        }
    }

    #[inline(always)]
    fn insert_flow(&self, key: &FlowKey, flow: &Flow) -> Insert {
        const EEXIST: i32 = -17;
        let done = match *key {
            FlowKey::Short(key) => maps::FLOWS.insert(&key, flow, u64::from(BPF_NOEXIST)),
            FlowKey::Long(key) => maps::FLOWS6.insert(&key, flow, u64::from(BPF_NOEXIST)),
        };
        match done {
            Ok(()) => Insert::Done,
            Err(error) if i32::from(error) == EEXIST => Insert::Exists,
            Err(_) => Insert::Full,
        }
    }

    #[inline(always)]
    fn replace_flow(&self, key: &FlowKey, flow: &Flow) -> bool {
        match *key {
            FlowKey::Short(key) => maps::FLOWS.insert(&key, flow, u64::from(BPF_ANY)),
            FlowKey::Long(key) => maps::FLOWS6.insert(&key, flow, u64::from(BPF_ANY)),
        }
        .is_ok()
    }

    #[inline(always)]
    fn remove_flow(&self, key: &FlowKey) {
        // An entry that is already gone is as good.
        let _ = match *key {
            FlowKey::Short(key) => maps::FLOWS.remove(&key),
            FlowKey::Long(key) => maps::FLOWS6.remove(&key),
        };
    }

    #[inline(always)]
    fn touch_flow(&self, key: &FlowKey, seen: u32, state: u8) {
        if let Some(flow) = find(key) {
            // SAFETY: a map value; single words, written whole.
            unsafe {
                (*flow).seen = seen;
                (*flow).state = state;
            }
        }
    }

    #[inline(always)]
    fn tag_flow(&self, key: &FlowKey, seen: u32, state: u8, tag: u32) {
        if let Some(flow) = find(key) {
            // SAFETY: as above. The tag comes first: who sees the state, another CPU, may ask for it.
            unsafe {
                (*flow).tag = tag;
                (*flow).seen = seen;
                (*flow).state = state;
            }
        }
    }

    #[inline(always)]
    fn fragment(&self, key: &FragmentKey) -> Option<Fragment> {
        // SAFETY: copied out at once. An entry that makes room meanwhile may be half another one's: a fragment that
        // goes astray, as any may.
        unsafe { maps::FRAGMENTS.get(key) }.copied()
    }

    #[inline(always)]
    fn keep_fragment(&self, key: &FragmentKey, fragment: &Fragment) {
        // Where there is no room the others are dropped, as if this one had not been seen.
        let _ = maps::FRAGMENTS.insert(key, fragment, u64::from(BPF_ANY));
    }

    #[inline(always)]
    fn hop(&self, slot: u32) -> Option<NextHop> {
        maps::HOPS.get(slot).copied()
    }

    #[inline(always)]
    fn keep_hop(&self, slot: u32, hop: &NextHop) {
        if let Some(entry) = maps::HOPS.get_ptr_mut(slot) {
            // SAFETY: this CPU's own entry.
            unsafe { *entry = *hop };
        }
    }

    #[inline(always)]
    fn route(&self, ask: &Ask, hop: &mut NextHop) -> Route {
        if self.imagined() {
            *hop = hop::imagined(ask, self.ingress());
            return Route::Via;
        }
        fib(self.ctx, ask, hop)
    }

    #[inline(always)]
    fn keeps_routes(&self) -> bool {
        // A replay's hops depend on the packet.
        !self.imagined()
    }

    #[inline(always)]
    fn link(&self) -> Option<Link> {
        // SAFETY: copied out at once.
        unsafe { maps::LINKS.get(&self.ingress()) }.copied()
    }

    #[inline(always)]
    fn ingress(&self) -> u32 {
        // SAFETY: the context is valid for the program's run.
        unsafe { (*self.ctx).ingress_ifindex }
    }

    #[inline(always)]
    fn now(&self) -> u32 {
        if self.imagined() {
            return maps::REPLAY.get(0).map_or(0, |tick| *tick);
        }
        // SAFETY: a helper call without arguments, which the kernel turns into a load; read-only data.
        unsafe { (bpf_jiffies64() >> (core::ptr::read_volatile(&raw const TICK) & 63)) as u32 }
    }

    #[inline(always)]
    fn random(&self) -> u32 {
        if self.imagined() {
            return maps::REPLAY.get(1).map_or(0, |random| *random);
        }
        // SAFETY: as above.
        unsafe { bpf_get_prandom_u32() }
    }

    #[inline(always)]
    fn punt<P: Packet>(&self, packet: &P, reason: Reason) {
        let Some(mut entry) = maps::EVENTS.reserve::<Event>(0) else {
            return;
        };
        let event = entry.as_mut_ptr();
        let length = packet.len();
        let held = opaque(if length < SNAP { length } else { SNAP });
        // SAFETY: the record is ours until it is submitted; the helper writes `held` bytes, at the most SNAP.
        let copied = unsafe {
            (*event).length = packet.whole() as u32;
            (*event).reason = reason as u32;
            // One register is checked and used, or the verifier does not follow.
            held != 0
                && held <= SNAP
                && bpf_xdp_load_bytes(self.ctx, 0, (&raw mut (*event).bytes).cast(), held as u32) == 0
        };
        if copied { entry.submit(0) } else { entry.discard(0) }
    }

    #[inline(always)]
    fn overhear<P: Packet>(&self, _packet: &P, at: u32, held: u32, heard: &Heard) {
        let Some(copy) = maps::COPY.get_ptr_mut(0) else {
            return;
        };
        let held = opaque(held as usize);
        // SAFETY: this CPU's own value; the helper writes `held` bytes, at the most as many as there is room for, and
        // the other one reads no more.
        let copied = unsafe {
            (*copy).heard = *heard;
            // One register is checked and used, or the verifier does not follow.
            held != 0
                && held <= Heard::MOST
                && bpf_xdp_load_bytes(self.ctx, at, (&raw mut (*copy).bytes).cast(), held as u32) == 0
                && maps::COPIES
                    .output::<[u8]>(core::slice::from_raw_parts(copy.cast(), size_of::<Heard>() + held), NO_WAKEUP)
                    .is_ok()
        };
        if let Some(counter) = maps::COPIED.get_ptr_mut(u32::from(!copied)) {
            // SAFETY: this CPU's own counter.
            unsafe { *counter += 1 };
        }
    }

    #[inline(always)]
    fn may_err(&self, now: u32) -> bool {
        may(0, now) < ERRORS_MOST as u64
    }

    #[inline(always)]
    fn may_tell(&self, now: u32) -> bool {
        may(2, now) < TOLD_MOST as u64
    }

    #[inline(always)]
    fn count(&self, reason: Reason) {
        if let Some(counter) = maps::COUNTERS.get_ptr_mut(reason as u32) {
            // SAFETY: this CPU's own counter.
            unsafe { *counter += 1 };
        }
        if self.imagined()
            && let Some(told) = maps::REPLAY.get_ptr_mut(2)
        {
            // SAFETY: a map value; one word, written whole.
            unsafe { *told = reason as u32 };
        }
    }

    #[inline(always)]
    fn multiply(&self, a: u32, b: u32) -> u32 {
        crate::multiply(a, b)
    }

    #[inline(always)]
    fn power(&self, index: usize) -> Option<u32> {
        // The number that is checked is the one that is used, or the verifier does not follow.
        let index = opaque(index);
        if index >= POWERS.len() {
            return None;
        }
        // SAFETY: within the table, as just checked.
        Some(unsafe { core::ptr::read_volatile((&raw const POWERS).cast::<u32>().add(index)) })
    }
}

/// How often it was asked for before in this tick, by where `ERRORS` counts it.
#[inline(always)]
fn may(at: u32, now: u32) -> u64 {
    let (Some(tick), Some(sent)) = (maps::ERRORS.get_ptr_mut(at), maps::ERRORS.get_ptr_mut(at + 1)) else {
        return u64::MAX;
    };
    // Two CPUs may both begin a tick: a few more, which is as good.
    // SAFETY: map values; single words, written whole.
    unsafe {
        if *tick != now as u64 {
            *tick = now as u64;
            *sent = 0;
        }
    }
    add(sent, 1)
}

/// Adds to an entry that all CPUs write; what it was before.
#[inline(always)]
fn add(entry: *mut u64, by: u64) -> u64 {
    // SAFETY: a map value, aligned. The target has the instruction, but `core` no type for it. With a weaker order
    // LLVM takes the one that returns nothing, and the result is `by`.
    unsafe { core::intrinsics::atomic_xadd::<u64, u64, { AtomicOrdering::SeqCst }>(entry, by) }
}

/// An entry of `FLOWS` or `FLOWS6`, in place.
#[inline(always)]
fn find(key: &FlowKey) -> Option<*mut Flow> {
    match *key {
        FlowKey::Short(key) => maps::FLOWS.get_ptr_mut(&key),
        FlowKey::Long(key) => maps::FLOWS6.get_ptr_mut(&key),
    }
}

/// linux/bpf.h, `BPF_RB_NO_WAKEUP`: nobody waits for copies.
const NO_WAKEUP: u64 = 1;

/// How much of a packet a copy for user space holds.
const SNAP: usize = 2048;

/// A packet for user space.
#[repr(C)]
struct Event {
    length: u32,
    reason: u32,
    bytes: [u8; SNAP],
}

/// Asks the kernel's FIB.
#[inline(always)]
fn fib(ctx: *mut xdp_md, ask: &Ask, hop: &mut NextHop) -> Route {
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    // SAFETY: plain old data, for which zero is valid.
    let mut params: FibLookup = unsafe { core::mem::zeroed() };
    // SAFETY: the context is valid; unions are written before the kernel reads them.
    let found = unsafe {
        params.ifindex = (*ctx).ingress_ifindex;
        params.l4_protocol = ask.protocol;
        params.__bindgen_anon_1.tot_len = ask.length;
        if ask.destination.is_v4() {
            params.family = AF_INET;
            params.__bindgen_anon_2.tos = ask.class;
            params.__bindgen_anon_3.ipv4_src = ask.source.0[3];
            params.__bindgen_anon_4.ipv4_dst = ask.destination.0[3];
        } else {
            params.family = AF_INET6;
            params.__bindgen_anon_3.ipv6_src = ask.source.0;
            params.__bindgen_anon_4.ipv6_dst = ask.destination.0;
        }
        bpf_fib_lookup(ctx.cast(), &raw mut params, size_of::<FibLookup>() as i32, 0)
    };
    // linux/bpf.h: BPF_FIB_LKUP_RET_*.
    match found {
        0 => {
            next_hop(&params, hop);
            Route::Via
        }
        1..=3 => Route::Nowhere,
        8 => Route::TooBig,
        _ => Route::Stack,
    }
}

#[inline(always)]
fn next_hop(params: &FibLookup, hop: &mut NextHop) {
    hop.ifindex = params.ifindex;
    hop.vlan = 0;
    // SAFETY: the loader's value, copied out at once.
    if let Some(link) = unsafe { maps::LINKS.get(&params.ifindex) } {
        hop.ifindex = link.lower;
        hop.vlan = link.vlan;
    }
    // SAFETY: the kernel wrote the MTU there.
    hop.mtu = unsafe { params.__bindgen_anon_1.mtu_result };
    hop.header = NextHop::link(params.dmac, params.smac);
}
