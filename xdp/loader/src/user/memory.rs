use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use pinion_steering::{
    Ask, ERRORS_MOST, Filter, FilterKey, Flow, FlowKey, Fragment, FragmentKey, Heard, Insert, Link, NextHop,
    Packet, Pin, PinKey, Reason, Route, SERVICES_MOST, Service, ServiceKey, Source, SourceKey, TOLD_MOST, Tables,
    Target, hop,
};

use super::copies::Ring;
use crate::engine::INGRESS;
use crate::{Bounds, Copied, Event};

/// Every packet is looked up in several; keys are the network's, so the hasher is seeded at random.
pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The tables, in memory.
pub(super) struct Memory {
    pub(super) bounds: Bounds,
    pub(super) services: Map<ServiceKey, Service>,
    pub(super) sources: Map<SourceKey, Source>,
    pub(super) targets: Vec<Target>,
    pub(super) maglev: Vec<u32>,
    pub(super) links: Map<u32, Link>,
    pub(super) pins: Map<PinKey, Pin>,
    pub(super) pins6: Map<PinKey, Pin>,
    pub(super) filters: Map<FilterKey, Filter>,
    pub(super) active: u8,
    pub(super) placed: RefCell<Vec<u32>>,
    pub(super) ended: Vec<u32>,
    rounds: RefCell<Vec<u32>>,
    /// Errors of ICMP and GTP-U that were sent: in which tick, and how many.
    errors: Cell<(u32, u32)>,
    /// The same of refusals that user space was told of.
    told: Cell<(u32, u32)>,
    pub(super) flows: RefCell<Map<FlowKey, Flow>>,
    fragments: RefCell<Fragments>,
    pub(super) counters: RefCell<Vec<u64>>,
    pub(super) events: RefCell<Vec<Event>>,
    pub(super) copies: RefCell<Ring>,
    /// How many of the flows have long keys: they have a bound of their own.
    long: Cell<usize>,
    hops: RefCell<Vec<NextHop>>,
    tick: Cell<u32>,
    random: Cell<u32>,
}

/// Where first fragments went. The one that came first makes room: in the kernel it is one that nobody asked for lately,
/// which is nearly the same.
#[derive(Default)]
struct Fragments {
    entries: Map<FragmentKey, Fragment>,
    order: VecDeque<FragmentKey>,
}

impl Fragments {
    fn keep(&mut self, key: &FragmentKey, fragment: &Fragment, bound: usize) {
        if self.entries.insert(*key, *fragment).is_some() {
            return;
        }
        self.order.push_back(*key);
        if self.order.len() > bound
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

/// How much of a packet a copy for user space holds.
const SNAP: usize = 2048;

impl Memory {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            services: Map::default(),
            sources: Map::default(),
            targets: vec![Target::default(); bounds.targets as usize],
            maglev: vec![0; bounds.maglev as usize],
            links: Map::default(),
            pins: Map::default(),
            pins6: Map::default(),
            filters: Map::default(),
            active: 0,
            placed: RefCell::new(vec![0; bounds.targets as usize]),
            ended: vec![0; bounds.targets as usize],
            rounds: RefCell::new(vec![0; SERVICES_MOST as usize]),
            errors: Cell::default(),
            told: Cell::default(),
            flows: RefCell::new(Map::default()),
            fragments: RefCell::default(),
            counters: RefCell::new(vec![0; Reason::COUNT]),
            events: RefCell::new(Vec::new()),
            copies: RefCell::default(),
            long: Cell::new(0),
            hops: RefCell::new(vec![NextHop::default(); hop::SLOTS as usize]),
            tick: Cell::new(0),
            random: Cell::new(0),
        }
    }

    pub(super) fn imagine(&mut self, tick: u32, random: u32) {
        self.tick.set(tick);
        self.random.set(random);
    }

    /// Writes a flow from outside of a packet.
    pub(super) fn restore(&mut self, key: &FlowKey, flow: &Flow) -> bool {
        self.replace_flow(key, flow)
    }

    /// Takes a flow out; whether it was there.
    pub(super) fn forget(&self, key: &FlowKey) -> bool {
        let removed = self.flows.borrow_mut().remove(key).is_some();
        if removed {
            self.count_key(key, -1);
        }
        removed
    }

    fn count_key(&self, key: &FlowKey, by: isize) {
        if matches!(key, FlowKey::Long(_)) {
            self.long.set(self.long.get().saturating_add_signed(by));
        }
    }

    /// Whether one more key of this size fits.
    fn fits(&self, flows: &Map<FlowKey, Flow>, key: &FlowKey) -> bool {
        match key {
            FlowKey::Short(_) => flows.len() - self.long.get() < self.bounds.flows as usize,
            FlowKey::Long(_) => self.long.get() < self.bounds.flows6 as usize,
        }
    }
}

impl Tables for Memory {
    fn bank(&self) -> u8 {
        self.active
    }

    fn service(&self, key: &ServiceKey) -> Option<Service> {
        self.services.get(key).copied()
    }

    fn source(&self, key: &SourceKey) -> Option<Source> {
        self.sources.get(key).copied()
    }

    fn target(&self, index: u32) -> Option<Target> {
        self.targets.get(index as usize).copied()
    }

    fn maglev(&self, slot: u32) -> Option<u32> {
        self.maglev.get(slot as usize).copied()
    }

    fn turn(&self, service: u16) -> u32 {
        self.rounds.borrow_mut().get_mut(usize::from(service)).map_or(0, |turn| {
            let mine = *turn;
            *turn = turn.wrapping_add(1);
            mine
        })
    }

    fn sessions(&self, target: u32) -> u32 {
        let target = target as usize;
        let placed = self.placed.borrow().get(target).copied().unwrap_or(0);
        let ended = self.ended.get(target).copied().unwrap_or(0);
        (placed.wrapping_sub(ended) as i32).max(0).unsigned_abs()
    }

    fn count_sessions(&self, target: u32, by: i32) {
        if let Some(placed) = self.placed.borrow_mut().get_mut(target as usize) {
            *placed = placed.wrapping_add_signed(by);
        }
    }

    fn pin(&self, key: &PinKey) -> Option<Pin> {
        if key.address.is_v4() { self.pins.get(key).copied() } else { self.pins6.get(key).copied() }
    }

    fn filter(&self, key: &FilterKey) -> Option<Filter> {
        self.filters.get(key).copied()
    }

    fn flow(&self, key: &FlowKey) -> Option<Flow> {
        self.flows.borrow().get(key).copied()
    }

    fn insert_flow(&self, key: &FlowKey, flow: &Flow) -> Insert {
        let mut flows = self.flows.borrow_mut();
        if flows.contains_key(key) {
            return Insert::Exists;
        }
        if !self.fits(&flows, key) {
            return Insert::Full;
        }
        self.count_key(key, 1);
        flows.insert(*key, *flow);
        Insert::Done
    }

    fn replace_flow(&self, key: &FlowKey, flow: &Flow) -> bool {
        let mut flows = self.flows.borrow_mut();
        if let Some(known) = flows.get_mut(key) {
            *known = *flow;
            return true;
        }
        let fits = self.fits(&flows, key);
        if fits {
            self.count_key(key, 1);
            flows.insert(*key, *flow);
        }
        fits
    }

    fn remove_flow(&self, key: &FlowKey) {
        self.forget(key);
    }

    fn touch_flow(&self, key: &FlowKey, seen: u32, state: u8) {
        if let Some(flow) = self.flows.borrow_mut().get_mut(key) {
            flow.seen = seen;
            flow.state = state;
        }
    }

    fn tag_flow(&self, key: &FlowKey, seen: u32, state: u8, tag: u32) {
        if let Some(flow) = self.flows.borrow_mut().get_mut(key) {
            *flow = Flow { seen, state, tag, ..*flow };
        }
    }

    fn fragment(&self, key: &FragmentKey) -> Option<Fragment> {
        self.fragments.borrow().entries.get(key).copied()
    }

    fn keep_fragment(&self, key: &FragmentKey, fragment: &Fragment) {
        self.fragments.borrow_mut().keep(key, fragment, self.bounds.fragments as usize);
    }

    fn hop(&self, slot: u32) -> Option<NextHop> {
        self.hops.borrow().get(slot as usize).copied()
    }

    fn keep_hop(&self, slot: u32, hop: &NextHop) {
        if let Some(entry) = self.hops.borrow_mut().get_mut(slot as usize) {
            *entry = *hop;
        }
    }

    /// What is imagined depends on the packet.
    fn keeps_routes(&self) -> bool {
        false
    }

    fn route(&self, ask: &Ask, hop: &mut NextHop) -> Route {
        *hop = hop::imagined(ask, INGRESS);
        Route::Via
    }

    fn link(&self) -> Option<Link> {
        self.links.get(&INGRESS).copied()
    }

    fn ingress(&self) -> u32 {
        INGRESS
    }

    fn now(&self) -> u32 {
        self.tick.get()
    }

    fn random(&self) -> u32 {
        self.random.get()
    }

    fn punt<P: Packet>(&self, packet: &P, reason: Reason) {
        let held = packet.len().min(SNAP);
        let bytes = (0..held).filter_map(|at| packet.byte(at)).collect();
        self.events.borrow_mut().push(Event { reason, length: packet.whole() as u32, bytes });
    }

    fn overhear<P: Packet>(&self, packet: &P, at: u32, held: u32, heard: &Heard) {
        let bytes = (at..at.saturating_add(held)).filter_map(|at| packet.byte(at as usize)).collect();
        self.copies.borrow_mut().push(Copied { heard: *heard, bytes });
    }

    fn may_err(&self, now: u32) -> bool {
        before(&self.errors, now) < ERRORS_MOST
    }

    fn may_tell(&self, now: u32) -> bool {
        before(&self.told, now) < TOLD_MOST
    }

    fn count(&self, reason: Reason) {
        if let Some(counter) = self.counters.borrow_mut().get_mut(reason as usize) {
            *counter += 1;
        }
    }
}

/// How often it was asked for before in this tick.
fn before(asked: &Cell<(u32, u32)>, now: u32) -> u32 {
    let (tick, times) = asked.get();
    let times = if tick == now { times } else { 0 };
    asked.set((now, times.saturating_add(1)));
    times
}
