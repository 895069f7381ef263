//! The typed face of the kernel's maps.

use std::os::fd::AsFd as _;
use std::time::Duration;

use aya::maps::{MapError, PerCpuValues};
use pinion_steering::{
    Filter, FilterKey, Flow, FlowKey, Heard, Link, NextHop, Pin, PinKey, Reason, Service, ServiceKey, ShortPinKey,
    Source, SourceKey, Target,
};

use super::batch::{self, pages};
use super::plain::{self, Plain};
use super::{Kernel, refused, wrong};
use crate::{Bounds, COPIES_MOST, Copied, Copies, Cursor, Event, LoadError, Maps, Paged};

/// How many events are read at once: a few more than fit into the ring.
const EVENTS: usize = 1024;

impl Maps for Kernel {
    fn bounds(&self) -> Bounds {
        self.bounds
    }

    fn put_service(&mut self, key: &ServiceKey, service: &Service) -> Result<(), LoadError> {
        self.services.insert(Plain(*key), Plain(*service), 0).map_err(wrong("SERVICES"))
    }

    fn put_services(&mut self, services: &[(ServiceKey, Service)]) -> Result<(), LoadError> {
        let (keys, values): (Vec<_>, Vec<_>) = services.iter().copied().unzip();
        batch::write(self.raw.services.as_fd(), &keys, &values).map_err(|(_, error)| refused("SERVICES")(error))
    }

    fn services(&self) -> Result<Vec<(ServiceKey, Service)>, LoadError> {
        let mut all = Vec::new();
        pages("SERVICES", self.raw.services.as_fd(), |page| {
            all.extend(page);
            Ok(())
        })?;
        Ok(all)
    }

    fn remove_service(&mut self, key: &ServiceKey) -> Result<(), LoadError> {
        gone(self.services.remove(&Plain(*key)), "SERVICES").map(drop)
    }

    fn put_source(&mut self, key: &SourceKey, source: &Source) -> Result<(), LoadError> {
        self.sources.insert(Plain(*key), Plain(*source), 0).map_err(wrong("SOURCES"))
    }

    fn remove_source(&mut self, key: &SourceKey) -> Result<(), LoadError> {
        gone(self.sources.remove(&Plain(*key)), "SOURCES").map(drop)
    }

    fn put_target(&mut self, index: u32, target: &Target) -> Result<(), LoadError> {
        self.targets.set(index, Plain(*target), 0).map_err(wrong("TARGETS"))
    }

    fn read_target(&self, index: u32) -> Result<Target, LoadError> {
        self.targets.get(&index, 0).map(|Plain(target)| target).map_err(wrong("TARGETS"))
    }

    fn put_maglev(&mut self, base: u32, block: &[u32]) -> Result<(), LoadError> {
        let slots: Vec<u32> = (base..).take(block.len()).collect();
        batch::write(self.raw.maglev.as_fd(), &slots, block).map_err(|(_, error)| refused("MAGLEV")(error))
    }

    fn activate(&mut self, bank: u8) -> Result<(), LoadError> {
        self.active.set(0, u32::from(bank), 0).map_err(wrong("ACTIVE"))?;
        batch::settle();
        Ok(())
    }

    fn active(&self) -> Result<u8, LoadError> {
        self.active.get(&0, 0).map(|bank| bank as u8).map_err(wrong("ACTIVE"))
    }

    fn put_link(&mut self, ifindex: u32, link: &Link) -> Result<(), LoadError> {
        let around = if self.around.contains(&ifindex) { Link::AROUND } else { 0 };
        let link = Link { lower: link.lower | around, ..*link };
        self.links.insert(Plain(ifindex), Plain(link), 0).map_err(wrong("LINKS"))
    }

    fn put_pin(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError> {
        match key.short() {
            Some(key) => self.pins.insert(Plain(key), Plain(*pin), 0).map_err(wrong("PINS")),
            None => self.pins6.insert(Plain(*key), Plain(*pin), 0).map_err(wrong("PINS6")),
        }
    }

    fn put_pins(&mut self, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)> {
        let mut before = 0;
        for run in pins.chunk_by(|(one, _), (next, _)| one.address.is_v4() == next.address.is_v4()) {
            let (keys, values): (Vec<_>, Vec<_>) = run.iter().copied().unzip();
            let short: Vec<_> = keys.iter().filter_map(PinKey::short).collect();
            let (written, map) = if short.is_empty() {
                (batch::write(self.raw.pins6.as_fd(), &keys, &values), "PINS6")
            } else {
                (batch::write(self.raw.pins.as_fd(), &short, &values), "PINS")
            };
            written.map_err(|(done, error)| (before + done, refused(map)(error)))?;
            before += run.len();
        }
        Ok(())
    }

    fn read_pin(&self, key: &PinKey) -> Result<Option<Pin>, LoadError> {
        let found = match key.short() {
            Some(key) => self.pins.get(&Plain(key), 0),
            None => self.pins6.get(&Plain(*key), 0),
        };
        there(found, pins(key))
    }

    fn pins_page(&self, from: Cursor, most: usize) -> Result<Paged<(PinKey, Pin)>, LoadError> {
        let (table, from) = from.place();
        if table == SHORT {
            let page = batch::read(self.raw.pins.as_fd(), from, most).map_err(refused("PINS"))?;
            return Ok(short_page(page, ShortPinKey::into));
        }
        let page = batch::read(self.raw.pins6.as_fd(), from, most).map_err(refused("PINS6"))?;
        let mut page: Paged<(PinKey, Pin)> = long_page(page, |key| key);
        page.entries.retain(|(_, pin)| !pin.leads_back());
        Ok(page)
    }

    fn remove_pin(&mut self, key: &PinKey) -> Result<(), LoadError> {
        let removed = match key.short() {
            Some(key) => self.pins.remove(&Plain(key)),
            None => self.pins6.remove(&Plain(*key)),
        };
        gone(removed, pins(key)).map(drop)
    }

    fn put_filter(&mut self, key: &FilterKey, filter: &Filter) -> Result<(), LoadError> {
        self.filters.insert(Plain(*key), Plain(*filter), 0).map_err(wrong("FILTERS"))
    }

    fn read_filter(&self, key: &FilterKey) -> Result<Option<Filter>, LoadError> {
        there(self.filters.get(&Plain(*key), 0), "FILTERS")
    }

    fn remove_filter(&mut self, key: &FilterKey) -> Result<(), LoadError> {
        gone(self.filters.remove(&Plain(*key)), "FILTERS").map(drop)
    }

    fn read_flow(&self, key: &FlowKey) -> Result<Option<Flow>, LoadError> {
        let found = match key {
            FlowKey::Short(key) => self.flows.get(&Plain(*key), 0),
            FlowKey::Long(key) => self.flows6.get(&Plain(*key), 0),
        };
        there(found, flows(key))
    }

    fn flows(&self) -> Result<Vec<(FlowKey, Flow)>, LoadError> {
        let short =
            self.flows.iter().map(|entry| entry.map(|(Plain(key), Plain(flow))| (FlowKey::Short(key), flow)));
        let long =
            self.flows6.iter().map(|entry| entry.map(|(Plain(key), Plain(flow))| (FlowKey::Long(key), flow)));
        short.chain(long).map(|entry| entry.map_err(wrong("FLOWS"))).collect()
    }

    fn flows_page(&self, from: Cursor, most: usize) -> Result<Paged<(FlowKey, Flow)>, LoadError> {
        let (table, from) = from.place();
        if table == SHORT {
            let page = batch::read(self.raw.flows.as_fd(), from, most).map_err(refused("FLOWS"))?;
            return Ok(short_page(page, FlowKey::Short));
        }
        let page = batch::read(self.raw.flows6.as_fd(), from, most).map_err(refused("FLOWS6"))?;
        Ok(long_page(page, FlowKey::Long))
    }

    fn put_flow(&mut self, key: &FlowKey, flow: &Flow) -> Result<(), LoadError> {
        match key {
            FlowKey::Short(key) => self.flows.insert(Plain(*key), Plain(*flow), 0),
            FlowKey::Long(key) => self.flows6.insert(Plain(*key), Plain(*flow), 0),
        }
        .map_err(wrong(flows(key)))
    }

    fn remove_flow(&mut self, key: &FlowKey) -> Result<bool, LoadError> {
        let removed = match key {
            FlowKey::Short(key) => self.flows.remove(&Plain(*key)),
            FlowKey::Long(key) => self.flows6.remove(&Plain(*key)),
        };
        gone(removed, flows(key))
    }

    fn sessions(&self, target: u32) -> Result<u32, LoadError> {
        let placed = self.placed.get(&target, 0).map_err(wrong("PLACED"))?;
        let ended = self.ended.get(&target, 0).map_err(wrong("ENDED"))?;
        Ok((placed.wrapping_sub(ended) as u32 as i32).max(0).unsigned_abs())
    }

    fn end_sessions(&mut self, target: u32, by: i32) -> Result<(), LoadError> {
        let ended = self.ended.get(&target, 0).map_err(wrong("ENDED"))?;
        self.ended.set(target, ended.wrapping_add_signed(i64::from(by)), 0).map_err(wrong("ENDED"))
    }

    fn put_hop(&mut self, slot: u32, hop: &NextHop) -> Result<(), LoadError> {
        let cpus = self.hops.get(&slot, 0).map_err(wrong("HOPS"))?.len();
        let values = PerCpuValues::try_from(vec![Plain(*hop); cpus])
            .map_err(|source| wrong("HOPS")(MapError::IoError(source)))?;
        self.hops.set(slot, values, 0).map_err(wrong("HOPS"))
    }

    fn clock(&mut self) -> Result<u32, LoadError> {
        self.tick()
    }

    fn tick_length(&self) -> Duration {
        self.tick
    }

    fn counters(&self) -> Result<Vec<u64>, LoadError> {
        self.counters
            .iter()
            .map(|values| values.map(|values| values.iter().sum()).map_err(wrong("COUNTERS")))
            .collect()
    }

    fn events(&mut self) -> Result<Vec<Event>, LoadError> {
        let mut events = Vec::new();
        // Who fills the ring as fast as it is read must not keep its reader for ever.
        while events.len() < EVENTS
            && let Some(item) = self.events.next()
        {
            events.extend(event(&item));
        }
        Ok(events)
    }

    fn copies(&mut self) -> Result<Vec<Copied>, LoadError> {
        let mut copies = Vec::new();
        while copies.len() < COPIES_MOST
            && let Some(item) = self.copies.next()
        {
            copies.extend(copy(&item));
        }
        Ok(copies)
    }

    fn copies_counted(&self) -> Result<Copies, LoadError> {
        let count = |index| self.copied.get(&index, 0).map_err(wrong("COPIED"));
        let (made, lost) = (count(0)?, count(1)?);
        Ok(Copies { made: made.iter().sum(), lost: lost.iter().sum() })
    }
}

/// The tables of which two make one: in a [`Cursor`], the one of short keys and the one of long keys.
const SHORT: u8 = 0;
const LONG: u8 = 1;

/// Which map holds a pin.
fn pins(key: &PinKey) -> &'static str {
    if key.address.is_v4() { "PINS" } else { "PINS6" }
}

/// Which map holds a flow.
fn flows(key: &FlowKey) -> &'static str {
    match key {
        FlowKey::Short(_) => "FLOWS",
        FlowKey::Long(_) => "FLOWS6",
    }
}

/// A page of the table of short keys; behind its last comes the first of long keys.
fn short_page<S, K, V>(page: batch::Page<S, V>, key: fn(S) -> K) -> Paged<(K, V)> {
    let entries = page.entries.into_iter().map(|(short, value)| (key(short), value)).collect();
    let next = page.next.map_or(Cursor::at(LONG, None), |at| Cursor::at(SHORT, Some(at)));
    Paged { entries, next: Some(next) }
}

/// A page of the table of long keys.
fn long_page<L, K, V>(page: batch::Page<L, V>, key: fn(L) -> K) -> Paged<(K, V)> {
    let entries = page.entries.into_iter().map(|(long, value)| (key(long), value)).collect();
    Paged { entries, next: page.next.map(|at| Cursor::at(LONG, Some(at))) }
}

/// Reads a record as the program writes it: length, reason, bytes.
fn event(record: &[u8]) -> Option<Event> {
    let length = u32::from_ne_bytes(*record.first_chunk()?);
    let reason = u32::from_ne_bytes(*record.get(4..)?.first_chunk()?);
    let bytes = record.get(8..)?;
    let held = bytes.len().min(length as usize);
    Some(Event { reason: *Reason::ALL.get(reason as usize)?, length, bytes: bytes.get(..held)?.to_vec() })
}

/// Reads an entry of `COPIES`: whose it is, then bytes.
fn copy(record: &[u8]) -> Option<Copied> {
    let Plain(heard) = plain::read::<Heard>(record)?;
    Some(Copied { heard, bytes: record.get(size_of::<Heard>()..)?.to_vec() })
}

/// A value, or none where there is none under the key.
fn there<V>(found: Result<Plain<V>, MapError>, map: &'static str) -> Result<Option<V>, LoadError> {
    match found {
        Ok(Plain(value)) => Ok(Some(value)),
        Err(MapError::KeyNotFound) => Ok(None),
        Err(source) => Err(wrong(map)(source)),
    }
}

/// What is not there need not be removed; whether it was.
fn gone(result: Result<(), MapError>, map: &'static str) -> Result<bool, LoadError> {
    match result {
        Ok(()) => Ok(true),
        Err(MapError::KeyNotFound) => Ok(false),
        Err(MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(2) => Ok(false),
        Err(source) => Err(wrong(map)(source)),
    }
}
