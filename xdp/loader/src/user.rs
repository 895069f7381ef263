//! The user-space engine: the steering crate over tables in memory.
//!
//! It needs no privilege and no kernel; replays, fuzzers and tables of cases run on it, and hosts without XDP.

mod bytes;
mod copies;
mod memory;
mod page;

use std::time::Duration;

use pinion_steering::{
    Filter, FilterKey, Flow, FlowKey, Link, NextHop, Pin, PinKey, Service, ServiceKey, Source, SourceKey,
    Tables as _, Target, Verdict, run,
};

use crate::{Bounds, COPIES_MOST, Copied, Copies, Cursor, Engine, Event, LoadError, Maps, Paged, Ran};
use bytes::Bytes;
use memory::Memory;

/// The user-space engine.
pub struct UserEngine {
    memory: Memory,
    frame: Bytes,
}

impl UserEngine {
    /// An engine with empty tables of these bounds.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { memory: Memory::new(bounds), frame: Bytes::default() }
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> &impl pinion_steering::Tables {
        &self.memory
    }

    /// Runs one frame in place: `frame` is what leaves. Nothing is allocated once the engine has seen
    /// a frame of that length.
    pub fn steer(&mut self, frame: &[u8]) -> (pinion_steering::Outcome, &[u8]) {
        self.frame.set(frame);
        let outcome = run(&mut self.frame, &self.memory);
        (outcome, self.frame.bytes())
    }
}

impl Engine for UserEngine {
    fn run(&mut self, frame: &[u8]) -> Result<Ran, LoadError> {
        let (outcome, bytes) = self.steer(frame);
        let bytes = if outcome.verdict == Verdict::Drop { Vec::new() } else { bytes.to_vec() };
        Ok(Ran { verdict: outcome.verdict, reason: outcome.reason, bytes })
    }

    fn imagine(&mut self, tick: u32, random: u32) -> Result<(), LoadError> {
        self.memory.imagine(tick, random);
        Ok(())
    }
}

impl Maps for UserEngine {
    fn bounds(&self) -> Bounds {
        self.memory.bounds
    }

    fn put_service(&mut self, key: &ServiceKey, service: &Service) -> Result<(), LoadError> {
        let bound = self.memory.bounds.services;
        bounded("SERVICES", &mut self.memory.services, bound, key, service)
    }

    fn put_services(&mut self, services: &[(ServiceKey, Service)]) -> Result<(), LoadError> {
        services.iter().try_for_each(|(key, service)| self.put_service(key, service))
    }

    fn services(&self) -> Result<Vec<(ServiceKey, Service)>, LoadError> {
        Ok(self.memory.services.iter().map(|(key, service)| (*key, *service)).collect())
    }

    fn remove_service(&mut self, key: &ServiceKey) -> Result<(), LoadError> {
        self.memory.services.remove(key);
        Ok(())
    }

    fn put_source(&mut self, key: &SourceKey, source: &Source) -> Result<(), LoadError> {
        let bound = self.memory.bounds.sources;
        bounded("SOURCES", &mut self.memory.sources, bound, key, source)
    }

    fn remove_source(&mut self, key: &SourceKey) -> Result<(), LoadError> {
        self.memory.sources.remove(key);
        Ok(())
    }

    fn put_target(&mut self, index: u32, target: &Target) -> Result<(), LoadError> {
        let bound = self.memory.bounds.targets;
        let entry =
            self.memory.targets.get_mut(index as usize).ok_or(LoadError::Bound { table: "TARGETS", bound })?;
        *entry = *target;
        Ok(())
    }

    fn read_target(&self, index: u32) -> Result<Target, LoadError> {
        let bound = self.memory.bounds.targets;
        self.memory.targets.get(index as usize).copied().ok_or(LoadError::Bound { table: "TARGETS", bound })
    }

    fn put_maglev(&mut self, base: u32, block: &[u32]) -> Result<(), LoadError> {
        let bound = self.memory.bounds.maglev;
        let end = (base as usize).saturating_add(block.len());
        let slots =
            self.memory.maglev.get_mut(base as usize..end).ok_or(LoadError::Bound { table: "MAGLEV", bound })?;
        slots.copy_from_slice(block);
        Ok(())
    }

    fn activate(&mut self, bank: u8) -> Result<(), LoadError> {
        self.memory.active = bank;
        Ok(())
    }

    fn active(&self) -> Result<u8, LoadError> {
        Ok(self.memory.active)
    }

    fn put_link(&mut self, ifindex: u32, link: &Link) -> Result<(), LoadError> {
        self.memory.links.insert(ifindex, *link);
        Ok(())
    }

    fn put_pin(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError> {
        let bound = self.memory.bounds.pins;
        match key.short() {
            Some(_) => bounded("PINS", &mut self.memory.pins, bound, key, pin),
            None => bounded("PINS6", &mut self.memory.pins6, bound, key, pin),
        }
    }

    fn put_pins(&mut self, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)> {
        for (done, (key, pin)) in pins.iter().enumerate() {
            self.put_pin(key, pin).map_err(|error| (done, error))?;
        }
        Ok(())
    }

    fn read_pin(&self, key: &PinKey) -> Result<Option<Pin>, LoadError> {
        Ok(self.memory.pin(key))
    }

    fn pins_page(&self, from: Cursor, most: usize) -> Result<Paged<(PinKey, Pin)>, LoadError> {
        let tunnels = self.memory.pins6.iter().filter(|(_, pin)| !pin.leads_back());
        Ok(page::page(self.memory.pins.iter().chain(tunnels), from, most, page::pin))
    }

    fn remove_pin(&mut self, key: &PinKey) -> Result<(), LoadError> {
        self.memory.pins.remove(key);
        self.memory.pins6.remove(key);
        Ok(())
    }

    fn put_filter(&mut self, key: &FilterKey, filter: &Filter) -> Result<(), LoadError> {
        let bound = self.memory.bounds.filters;
        bounded("FILTERS", &mut self.memory.filters, bound, key, filter)
    }

    fn read_filter(&self, key: &FilterKey) -> Result<Option<Filter>, LoadError> {
        Ok(self.memory.filters.get(key).copied())
    }

    fn remove_filter(&mut self, key: &FilterKey) -> Result<(), LoadError> {
        self.memory.filters.remove(key);
        Ok(())
    }

    fn read_flow(&self, key: &FlowKey) -> Result<Option<Flow>, LoadError> {
        Ok(self.memory.flows.borrow().get(key).copied())
    }

    fn flows(&self) -> Result<Vec<(FlowKey, Flow)>, LoadError> {
        Ok(self.memory.flows.borrow().iter().map(|(key, flow)| (*key, *flow)).collect())
    }

    fn flows_page(&self, from: Cursor, most: usize) -> Result<Paged<(FlowKey, Flow)>, LoadError> {
        Ok(page::page(self.memory.flows.borrow().iter(), from, most, page::flow))
    }

    fn put_flow(&mut self, key: &FlowKey, flow: &Flow) -> Result<(), LoadError> {
        if self.memory.restore(key, flow) {
            Ok(())
        } else {
            Err(LoadError::Bound { table: "FLOWS", bound: self.memory.bounds.flows })
        }
    }

    fn remove_flow(&mut self, key: &FlowKey) -> Result<bool, LoadError> {
        Ok(self.memory.forget(key))
    }

    fn sessions(&self, target: u32) -> Result<u32, LoadError> {
        Ok(pinion_steering::Tables::sessions(&self.memory, target))
    }

    fn end_sessions(&mut self, target: u32, by: i32) -> Result<(), LoadError> {
        let bound = self.memory.bounds.targets;
        let ended =
            self.memory.ended.get_mut(target as usize).ok_or(LoadError::Bound { table: "ENDED", bound })?;
        *ended = ended.wrapping_add_signed(by);
        Ok(())
    }

    fn put_hop(&mut self, slot: u32, hop: &NextHop) -> Result<(), LoadError> {
        self.memory.keep_hop(slot, hop);
        Ok(())
    }

    fn clock(&mut self) -> Result<u32, LoadError> {
        Ok(pinion_steering::Tables::now(&self.memory))
    }

    fn tick_length(&self) -> Duration {
        Duration::from_nanos(1 << 30)
    }

    fn counters(&self) -> Result<Vec<u64>, LoadError> {
        Ok(self.memory.counters.borrow().clone())
    }

    fn events(&mut self) -> Result<Vec<Event>, LoadError> {
        Ok(self.memory.events.take())
    }

    fn copies(&mut self) -> Result<Vec<Copied>, LoadError> {
        Ok(self.memory.copies.borrow_mut().take(COPIES_MOST))
    }

    fn copies_counted(&self) -> Result<Copies, LoadError> {
        Ok(self.memory.copies.borrow().counted)
    }
}

fn bounded<K: Copy + Eq + std::hash::Hash, V: Copy>(
    table: &'static str,
    entries: &mut memory::Map<K, V>,
    bound: u32,
    key: &K,
    value: &V,
) -> Result<(), LoadError> {
    if entries.len() >= bound as usize && !entries.contains_key(key) {
        return Err(LoadError::Bound { table, bound });
    }
    entries.insert(*key, *value);
    Ok(())
}
