//! The kernel's side: the BPF object loaded, its maps typed, its program run, attached and pinned.

mod attach;
mod batch;
mod copy;
mod device;
mod pinned;
mod plain;
mod probe;
mod tables;
mod takeover;
mod tick;

use std::collections::HashSet;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use aya::maps::{Array, HashMap, Map, MapData, PerCpuArray, RingBuf};
use aya::programs::{ProgramError, TestRun as _, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};
use pinion_steering::{
    Filter, FilterKey, Flow, Link, LongKey, NextHop, Pin, PinKey, Reason, Service, ServiceKey, ShortKey,
    ShortPinKey, Source, SourceKey, Target, Verdict,
};

use crate::engine::LEAST;
use crate::object::OBJECT;
use crate::{Bounds, Engine, LoadError, Ran};
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
    filters: Hash<FilterKey, Filter>,
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
    copies: RingBuf<MapData>,
    copied: PerCpuArray<MapData, u64>,
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
            filters: take(&mut ebpf, "FILTERS")?,
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
            copies: take(&mut ebpf, "COPIES")?,
            copied: take(&mut ebpf, "COPIED")?,
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
fn bounded(bounds: &Bounds) -> [(&'static str, u32); 12] {
    [
        ("FLOWS", bounds.flows),
        ("FLOWS6", bounds.flows6),
        ("PINS", bounds.pins),
        ("PINS6", bounds.pins),
        ("FILTERS", bounds.filters),
        ("FRAGMENTS", bounds.fragments),
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

fn wrong(map: &'static str) -> impl Fn(aya::maps::MapError) -> LoadError {
    move |source| LoadError::Map { map, source: Box::new(source) }
}

fn refused(map: &'static str) -> impl Fn(std::io::Error) -> LoadError {
    move |source| wrong(map)(aya::maps::MapError::IoError(source))
}
