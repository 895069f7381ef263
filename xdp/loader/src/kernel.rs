//! The kernel's side: the BPF object loaded, its maps typed, its program run, attached and pinned.

mod attach;
mod batch;
mod copy;
mod device;
mod pinned;
mod plain;
mod probe;
mod takeover;
mod tick;

use std::collections::HashSet;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use aya::maps::{Array, HashMap, Map, MapData, PerCpuArray, PerCpuValues, RingBuf};
use aya::programs::{ProgramError, TestRun as _, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};
use pinion_steering::{
    Flow, FlowKey, Link, LongKey, NextHop, Pin, PinKey, Reason, Service, ServiceKey, ShortKey, ShortPinKey,
    Source, SourceKey, Target, Verdict,
};

use crate::engine::LEAST;
use crate::object::OBJECT;
use crate::{Bounds, Cursor, Engine, Event, LoadError, Maps, Paged, Ran};
use plain::Plain;

pub use attach::{Attached, Mode};
pub use pinned::PinFolder;
pub use probe::{CAPABILITIES, Capability, Probe, probe};
pub use takeover::{Inherited, Late};

type Hash<K, V> = HashMap<MapData, Plain<K>, Plain<V>>;

/// The entry point that is attached to interfaces.
pub const PROGRAM: &str = "pinion";

/// The BPF object in the kernel.
pub struct Kernel {
    ebpf: Ebpf,
    bounds: Bounds,
    flows: Hash<ShortKey, Flow>,
    flows6: Hash<LongKey, Flow>,
    pins: Hash<ShortPinKey, Pin>,
    pins6: Hash<PinKey, Pin>,
    services: Hash<ServiceKey, Service>,
    sources: Hash<SourceKey, Source>,
    links: Hash<u32, Link>,
    targets: Array<MapData, Plain<Target>>,
    active: Array<MapData, u32>,
    placed: Array<MapData, u64>,
    ended: Array<MapData, u64>,
    hops: PerCpuArray<MapData, Plain<NextHop>>,
    counters: PerCpuArray<MapData, u64>,
    replay: Array<MapData, u32>,
    events: RingBuf<MapData>,
    raw: Raw,
    /// Interfaces that are ends of veth pairs, as far as the program is attached to them.
    around: HashSet<u32>,
    tick: Duration,
    out: Vec<u8>,
}

/// The maps that are read or written many entries at once.
struct Raw {
    flows: OwnedFd,
    flows6: OwnedFd,
    pins: OwnedFd,
    pins6: OwnedFd,
    services: OwnedFd,
    maglev: OwnedFd,
}

/// How many events are read at once: a few more than fit into the ring.
const EVENTS: usize = 1024;

/// A program that returns the clock's tick.
const TICK: &str = "tick";

/// How the program was loaded.
#[derive(Clone, Copy, Debug)]
pub struct Verified {
    /// Instructions that the verifier walked.
    pub instructions: u32,
    /// How long loading took.
    pub took: Duration,
}

impl Kernel {
    /// Loads the object with maps of its own, which go when it goes.
    ///
    /// # Errors
    /// [`LoadError::Privilege`], [`LoadError::Kernel`], or what the kernel refused.
    pub fn load(bounds: Bounds) -> Result<Self, LoadError> {
        Self::load_as(bounds, false, None)
    }

    /// Loads the object for replays: clock, random numbers and next hops are imagined.
    ///
    /// # Errors
    /// As [`Kernel::load`].
    pub fn load_imagined(bounds: Bounds) -> Result<Self, LoadError> {
        Self::load_as(bounds, true, None)
    }

    /// Loads the object over the maps that are pinned in `folder`, which are made where they are not there yet.
    ///
    /// # Errors
    /// As [`Kernel::load`]; [`LoadError::Schema`] where a pinned map is not what this build needs.
    pub fn load_pinned(bounds: Bounds, folder: &PinFolder) -> Result<Self, LoadError> {
        folder.check(&bounds)?;
        Self::load_as(bounds, false, Some(folder.maps()))
    }

    fn load_as(bounds: Bounds, imagined: bool, pins: Option<&Path>) -> Result<Self, LoadError> {
        probe()?.require()?;
        let imagined = u32::from(imagined);
        let mut loader = EbpfLoader::new();
        loader.override_global("IMAGINED", &imagined, true);
        let shift = tick::shift();
        loader.override_global("TICK", &shift, true);
        for (name, entries) in bounded(&bounds) {
            loader.map_max_entries(name, entries);
        }
        if let Some(folder) = pins {
            for map in crate::schema::MAPS {
                loader.map_pin_path(map.name, folder.join(map.name));
            }
        }
        let mut ebpf = loader.load(OBJECT).map_err(|error| LoadError::Object(Box::new(error)))?;
        let raw = Raw {
            flows: descriptor(&ebpf, "FLOWS")?,
            flows6: descriptor(&ebpf, "FLOWS6")?,
            pins: descriptor(&ebpf, "PINS")?,
            pins6: descriptor(&ebpf, "PINS6")?,
            services: descriptor(&ebpf, "SERVICES")?,
            maglev: descriptor(&ebpf, "MAGLEV")?,
        };
        Ok(Self {
            bounds,
            raw,
            around: HashSet::new(),
            tick: tick::length(),
            flows: take(&mut ebpf, "FLOWS")?,
            flows6: take(&mut ebpf, "FLOWS6")?,
            pins: take(&mut ebpf, "PINS")?,
            pins6: take(&mut ebpf, "PINS6")?,
            services: take(&mut ebpf, "SERVICES")?,
            sources: take(&mut ebpf, "SOURCES")?,
            links: take(&mut ebpf, "LINKS")?,
            targets: take(&mut ebpf, "TARGETS")?,
            active: take(&mut ebpf, "ACTIVE")?,
            placed: take(&mut ebpf, "PLACED")?,
            ended: take(&mut ebpf, "ENDED")?,
            hops: take(&mut ebpf, "HOPS")?,
            counters: take(&mut ebpf, "COUNTERS")?,
            replay: take(&mut ebpf, "REPLAY")?,
            events: take(&mut ebpf, "EVENTS")?,
            out: vec![0; 1 << 17],
            ebpf,
        })
    }

    /// Has the verifier check a program; what it cost. Once for each program.
    ///
    /// # Errors
    /// [`LoadError::Program`] with the verifier's log.
    pub fn verify(&mut self, name: &'static str) -> Result<Verified, LoadError> {
        let program = self.program(name)?;
        let begin = Instant::now();
        program.load().map_err(|source| failed(name, "loading", source))?;
        let took = begin.elapsed();
        let info = program.info().map_err(|source| failed(name, "reading", source))?;
        Ok(Verified { instructions: info.verified_instruction_count().unwrap_or(0), took })
    }

    /// Runs a program `repeat` times on one frame, as if it came in on interface [`crate::INGRESS`]; what XDP
    /// returned, the frame as it left, and the mean time of a run.
    ///
    /// The frame is not restored between runs.
    ///
    /// # Errors
    /// [`LoadError::Run`] where the kernel refuses.
    pub fn test_run(
        &mut self,
        name: &'static str,
        frame: &[u8],
        repeat: u32,
    ) -> Result<(u32, &[u8], Duration), LoadError> {
        let mut out = std::mem::take(&mut self.out);
        let options =
            TestRunOptions { data_in: Some(frame), data_out: Some(&mut out), repeat, ..TestRunOptions::default() };
        let result = self.program(name)?.test_run(options);
        self.out = out;
        let result = result.map_err(|source| LoadError::Run { length: frame.len(), source: Box::new(source) })?;
        let length = result.data_size_out as usize;
        Ok((result.return_value, self.out.get(..length).unwrap_or_default(), result.duration))
    }

    /// The tick that the program's clock is at.
    ///
    /// # Errors
    /// [`LoadError::Run`] where the kernel refuses.
    pub fn tick(&mut self) -> Result<u32, LoadError> {
        match self.test_run(TICK, &[0; LEAST], 1) {
            Ok((tick, _, _)) => Ok(tick),
            Err(LoadError::Run { .. }) => {
                self.verify(TICK)?;
                Ok(self.test_run(TICK, &[0; LEAST], 1)?.0)
            }
            Err(error) => Err(error),
        }
    }

    fn program(&mut self, name: &'static str) -> Result<&mut Xdp, LoadError> {
        let program = self.ebpf.program_mut(name).ok_or(LoadError::Absent { what: "program", name })?;
        program.try_into().map_err(|source| failed(name, "reading", source))
    }
}

fn failed(program: &'static str, action: &'static str, source: ProgramError) -> LoadError {
    LoadError::Program { program, action, source: Box::new(source) }
}

/// The maps whose bounds are configured.
fn bounded(bounds: &Bounds) -> [(&'static str, u32); 10] {
    [
        ("FLOWS", bounds.flows),
        ("FLOWS6", bounds.flows6),
        ("PINS", bounds.pins),
        ("PINS6", bounds.pins),
        ("SERVICES", bounds.services),
        ("SOURCES", bounds.sources),
        ("TARGETS", bounds.targets),
        ("MAGLEV", bounds.maglev),
        ("PLACED", bounds.targets),
        ("ENDED", bounds.targets),
    ]
}

fn take<M: TryFrom<aya::maps::Map, Error = aya::maps::MapError>>(
    ebpf: &mut Ebpf,
    name: &'static str,
) -> Result<M, LoadError> {
    let map = ebpf.take_map(name).ok_or(LoadError::Absent { what: "map", name })?;
    M::try_from(map).map_err(|source| LoadError::Map { map: name, source: Box::new(source) })
}

/// A descriptor of a map's own.
fn descriptor(ebpf: &Ebpf, name: &'static str) -> Result<OwnedFd, LoadError> {
    let Some(Map::HashMap(map) | Map::Array(map)) = ebpf.map(name) else {
        return Err(LoadError::Absent { what: "map", name });
    };
    map.fd().as_fd().try_clone_to_owned().map_err(refused(name))
}

impl Engine for Kernel {
    fn run(&mut self, frame: &[u8]) -> Result<Ran, LoadError> {
        if frame.len() < LEAST {
            // The kernel runs no program on less than an Ethernet header; a driver never delivers such a frame.
            return Ok(Ran { verdict: Verdict::Drop, reason: Reason::EthernetTruncated, bytes: Vec::new() });
        }
        let (returned, bytes, _) = self.test_run(PROGRAM, frame, 1)?;
        // linux/bpf.h, enum xdp_action.
        let verdict = match returned {
            1 => Verdict::Drop,
            2 => Verdict::Pass,
            3 => Verdict::Transmit,
            4 => Verdict::Redirect,
            _ => return Err(LoadError::Aborted { length: frame.len() }),
        };
        let bytes = if verdict == Verdict::Drop { Vec::new() } else { bytes.to_vec() };
        let told = self.replay.get(&2, 0).map_err(wrong("REPLAY"))?;
        let reason = Reason::ALL.get(told as usize).copied().ok_or(LoadError::Aborted { length: frame.len() })?;
        Ok(Ran { verdict, reason, bytes })
    }

    fn imagine(&mut self, tick: u32, random: u32) -> Result<(), LoadError> {
        self.replay.set(0, tick, 0).map_err(wrong("REPLAY"))?;
        self.replay.set(1, random, 0).map_err(wrong("REPLAY"))
    }
}

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
        let mut from = None;
        loop {
            let page = batch::read(self.raw.services.as_fd(), from, 4096).map_err(refused("SERVICES"))?;
            all.extend(page.entries);
            from = page.next;
            if from.is_none() {
                return Ok(all);
            }
        }
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
        match found {
            Ok(Plain(pin)) => Ok(Some(pin)),
            Err(aya::maps::MapError::KeyNotFound) => Ok(None),
            Err(source) => Err(wrong("PINS")(source)),
        }
    }

    fn pins_page(&self, from: Cursor, most: usize) -> Result<Paged<(PinKey, Pin)>, LoadError> {
        let (table, from) = from.place();
        if table == SHORT {
            let page = batch::read(self.raw.pins.as_fd(), from, most).map_err(refused("PINS"))?;
            return Ok(short_page(page, ShortPinKey::into));
        }
        let page = batch::read(self.raw.pins6.as_fd(), from, most).map_err(refused("PINS6"))?;
        Ok(Paged { entries: page.entries, next: page.next.map(|at| Cursor::at(LONG, Some(at))) })
    }

    fn remove_pin(&mut self, key: &PinKey) -> Result<(), LoadError> {
        let removed = match key.short() {
            Some(key) => self.pins.remove(&Plain(key)),
            None => self.pins6.remove(&Plain(*key)),
        };
        gone(removed, "PINS").map(drop)
    }

    fn read_flow(&self, key: &FlowKey) -> Result<Option<Flow>, LoadError> {
        let found = match key {
            FlowKey::Short(key) => self.flows.get(&Plain(*key), 0),
            FlowKey::Long(key) => self.flows6.get(&Plain(*key), 0),
        };
        match found {
            Ok(Plain(flow)) => Ok(Some(flow)),
            Err(aya::maps::MapError::KeyNotFound) => Ok(None),
            Err(source) => Err(wrong("FLOWS")(source)),
        }
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
        let entries = page.entries.into_iter().map(|(key, flow)| (FlowKey::Long(key), flow)).collect();
        Ok(Paged { entries, next: page.next.map(|at| Cursor::at(LONG, Some(at))) })
    }

    fn put_flow(&mut self, key: &FlowKey, flow: &Flow) -> Result<(), LoadError> {
        match key {
            FlowKey::Short(key) => self.flows.insert(Plain(*key), Plain(*flow), 0),
            FlowKey::Long(key) => self.flows6.insert(Plain(*key), Plain(*flow), 0),
        }
        .map_err(wrong("FLOWS"))
    }

    fn remove_flow(&mut self, key: &FlowKey) -> Result<bool, LoadError> {
        let removed = match key {
            FlowKey::Short(key) => self.flows.remove(&Plain(*key)),
            FlowKey::Long(key) => self.flows6.remove(&Plain(*key)),
        };
        gone(removed, "FLOWS")
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
            .map_err(|source| wrong("HOPS")(aya::maps::MapError::IoError(source)))?;
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
}

/// The tables of which two make one: in a [`Cursor`], the one of short keys and the one of long keys.
const SHORT: u8 = 0;
const LONG: u8 = 1;

/// A page of the table of short keys; behind its last comes the first of long keys.
fn short_page<S, K, V>(page: batch::Page<S, V>, key: fn(S) -> K) -> Paged<(K, V)> {
    let entries = page.entries.into_iter().map(|(short, value)| (key(short), value)).collect();
    let next = page.next.map_or(Cursor::at(LONG, None), |at| Cursor::at(SHORT, Some(at)));
    Paged { entries, next: Some(next) }
}

/// Reads a record as the program writes it: length, reason, bytes.
fn event(record: &[u8]) -> Option<Event> {
    let length = u32::from_ne_bytes(*record.first_chunk()?);
    let reason = u32::from_ne_bytes(*record.get(4..)?.first_chunk()?);
    let bytes = record.get(8..)?;
    let held = bytes.len().min(length as usize);
    Some(Event { reason: *Reason::ALL.get(reason as usize)?, length, bytes: bytes.get(..held)?.to_vec() })
}

fn wrong(map: &'static str) -> impl Fn(aya::maps::MapError) -> LoadError {
    move |source| LoadError::Map { map, source: Box::new(source) }
}

fn refused(map: &'static str) -> impl Fn(std::io::Error) -> LoadError {
    move |source| wrong(map)(aya::maps::MapError::IoError(source))
}

/// What is not there need not be removed; whether it was.
fn gone(result: Result<(), aya::maps::MapError>, map: &'static str) -> Result<bool, LoadError> {
    match result {
        Ok(()) => Ok(true),
        Err(aya::maps::MapError::KeyNotFound) => Ok(false),
        Err(aya::maps::MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(2) => Ok(false),
        Err(source) => Err(wrong(map)(source)),
    }
}
