//! Entries of pinned maps copied to others of the same layout.

use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;

use aya::maps::MapData;
use pinion_steering::{
    Filter, FilterKey, Flow, LongKey, Pin, PinKey, Service, ServiceKey, ShortKey, ShortPinKey, Source, SourceKey,
    Target,
};

use super::batch::{self, pages};
use super::plain::Plain;
use super::{refused, wrong};
use crate::LoadError;

/// A map whose entries go to another one of the same name.
struct Pair {
    name: &'static str,
    from: MapData,
    to: MapData,
    /// How many entries fit.
    bound: u32,
}

/// Copies the entries of a map between folders of pins; how many it were.
pub(super) fn copy(name: &'static str, from: &Path, to: &Path) -> Result<usize, LoadError> {
    let pair = Pair::open(name, from, to)?;
    match name {
        "FLOWS" => pair.hash::<ShortKey, Flow>(|_| true),
        "FLOWS6" => pair.hash::<LongKey, Flow>(|_| true),
        "PINS" => pair.hash::<ShortPinKey, Pin>(|_| true),
        "PINS6" => pair.hash::<PinKey, Pin>(|_| true),
        "FILTERS" => pair.hash::<FilterKey, Filter>(|_| true),
        "SOURCES" => pair.hash::<SourceKey, Source>(|_| true),
        "SERVICES" => {
            // The other bank is in nobody's way, and written before it is put in force.
            let bank = bank(from)?;
            pair.hash::<ServiceKey, Service>(|key| u32::from(key.bank) == bank)
        }
        "TARGETS" => pair.array::<Target>(|_, target| *target != Target::default()),
        "MAGLEV" => {
            let used = slots(from)?;
            pair.array::<u32>(|slot, _| slot < used)
        }
        "ACTIVE" => pair.array::<u32>(|_, _| true),
        _ => Err(LoadError::Absent { what: "map to copy to", name }),
    }
}

/// Opens a pinned map.
pub(super) fn open(name: &'static str, folder: &Path) -> Result<MapData, LoadError> {
    MapData::from_pin(folder.join(name)).map_err(wrong(name))
}

impl Pair {
    fn open(name: &'static str, from: &Path, to: &Path) -> Result<Self, LoadError> {
        let (from, to) = (open(name, from)?, open(name, to)?);
        let bound = to.info().map_err(wrong(name))?.max_entries();
        Ok(Self { name, from, to, bound })
    }

    /// Copies the entries of a hash whose keys are `wanted`.
    fn hash<K: Copy + Default, V: Copy + Default>(&self, wanted: impl Fn(&K) -> bool) -> Result<usize, LoadError>
    where
        Plain<K>: aya::Pod,
        Plain<V>: aya::Pod,
    {
        let mut held = 0;
        let mut full = false;
        pages(self.name, self.from.fd().as_fd(), |mut page: Vec<(K, V)>| {
            page.retain(|(key, _)| wanted(key));
            held += page.len();
            // Those that do not fit are counted.
            full |= held > self.bound as usize;
            if full { Ok(()) } else { self.write(page) }
        })?;
        if full { Err(self.unfit(held)) } else { Ok(held) }
    }

    /// Copies the entries of an array that are `wanted`.
    fn array<V: Copy + Default>(&self, wanted: impl Fn(u32, &V) -> bool) -> Result<usize, LoadError>
    where
        Plain<V>: aya::Pod,
    {
        let (mut held, mut end) = (0, 0);
        pages::<u32, V>(self.name, self.from.fd().as_fd(), |mut page| {
            page.retain(|(index, value)| wanted(*index, value));
            held += page.len();
            end = page.last().map_or(end, |(index, _)| *index as usize + 1);
            if end > self.bound as usize { Ok(()) } else { self.write::<u32, V>(page) }
        })?;
        if end > self.bound as usize { Err(self.unfit(end)) } else { Ok(held) }
    }

    fn write<K: Copy, V: Copy>(&self, entries: Vec<(K, V)>) -> Result<(), LoadError>
    where
        Plain<K>: aya::Pod,
        Plain<V>: aya::Pod,
    {
        let (keys, values): (Vec<K>, Vec<V>) = entries.into_iter().unzip();
        let written = batch::write(self.to.fd().as_fd(), &keys, &values);
        written.map_err(|(_, error): (usize, io::Error)| refused(self.name)(error))
    }

    fn unfit(&self, held: usize) -> LoadError {
        LoadError::Unfit { map: self.name, bound: self.bound, held }
    }
}

/// The bank of `SERVICES` that is in force.
fn bank(folder: &Path) -> Result<u32, LoadError> {
    let mut active = 0;
    pages("ACTIVE", open("ACTIVE", folder)?.fd().as_fd(), |page: Vec<(u32, u32)>| {
        active = page.first().map_or(active, |(_, bank)| *bank);
        Ok(())
    })?;
    Ok(active)
}

/// Where the blocks of the services that are in force end in the arena.
fn slots(folder: &Path) -> Result<u32, LoadError> {
    let (bank, mut end) = (bank(folder)?, 0);
    pages("SERVICES", open("SERVICES", folder)?.fd().as_fd(), |page: Vec<(ServiceKey, Service)>| {
        let in_force = page.iter().filter(|(key, _)| u32::from(key.bank) == bank);
        end = in_force.map(|(_, service)| service.maglev.saturating_add(service.slots)).fold(end, u32::max);
        Ok(())
    })?;
    Ok(end)
}
