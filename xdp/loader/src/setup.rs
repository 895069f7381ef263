//! From services and endpoints to entries of the tables.
//!
//! A new configuration is laid out in the bank that is not in force, and then that bank is put in force: a
//! packet sees the old one whole or the new one whole. Only what differs is written. What pins may name (`TARGETS`,
//! `SOURCES`, a service's number) never changes its meaning: what is configured no more rests until no pin names it
//! ([`Setup::reclaim`]). Which number means what is kept in a file beside the pinned maps, so that a process that
//! adopts them goes on as the last one left off ([`Setup::restore`]).

mod arena;
mod layout;
mod spec;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pinion_steering::{Address, BANKS, Kind, Service, ServiceKey, Source, SourceKey, Target, mix, protocol};

use crate::block::{block, most};
use crate::maglev::Member;
use crate::schema::Written;
use crate::sweep::Named;
use crate::{LoadError, Maps};
use arena::{Arena, Blocks, Recipe};
use layout::{Layout, OwnerKey, Record};
pub use spec::{EndpointSpec, ServiceSpec, SetupError, check};

/// Most services.
pub const MAX_SERVICES: usize = 4096;

/// Who an entry of `TARGETS` belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The service's name.
    pub service: String,
    /// The endpoint's name; `None` for the service's own addresses.
    pub endpoint: Option<String>,
    /// The path, from 0.
    pub path: usize,
}

/// Lays services out, and remembers what it laid out where.
#[derive(Debug, Default)]
pub struct Setup {
    layout: Layout,
    file: Option<PathBuf>,
    owners: Vec<Option<Owner>>,
    bases: HashMap<OwnerKey, u32>,
    named: HashMap<(String, Option<String>), u32>,
    /// What each bank holds; `None` where a write failed: it is read again.
    written: [Option<HashMap<ServiceKey, Service>>; BANKS],
    targets: HashMap<u32, Target>,
    sources: HashMap<SourceKey, Source>,
    blocks: Blocks,
    active: usize,
    begun: bool,
}

impl Setup {
    /// What `file` says of the maps that it was written for; nothing where there is no file.
    ///
    /// # Errors
    /// [`LoadError::Layout`] where it cannot be understood, [`LoadError::Pin`] where it cannot be read.
    pub fn written(file: &Path) -> Result<Written, LoadError> {
        Ok(Layout::read(file)?.map(Layout::written).unwrap_or_default())
    }

    /// Goes on over maps that another process may have filled: `file` says what it laid out where, and is written
    /// before each new configuration is in force.
    ///
    /// The old configuration stays in force until [`Setup::apply`] puts another there.
    ///
    /// # Errors
    /// [`LoadError::Layout`] where file and maps contradict each other: nothing was changed.
    pub fn restore(maps: &dyn Maps, file: &Path) -> Result<Self, LoadError> {
        let services = maps.services()?;
        let known = Layout::read(file)?;
        let first = maps.read_target(0)?;
        let empty = services.is_empty() && first == Target::default();
        let layout = match known {
            Some(layout) if !empty => layout,
            None if !empty => {
                let what =
                    "it is not there, and the pinned maps hold services: remove the folder of pins to start \
                            with empty tables, which ends every session"
                        .to_owned();
                return Err(LoadError::Layout { path: file.to_owned(), what });
            }
            _ => Layout::default(),
        };
        let bank = maps.active()?;
        let in_force: Vec<_> = services.iter().filter(|(key, _)| key.bank == bank).map(|(_, it)| *it).collect();
        layout.agrees(maps, &in_force, file)?;
        let mut setup = Self { file: Some(file.to_owned()), layout, begun: true, ..Self::default() };
        setup.active = usize::from(bank) % BANKS;
        setup.written = Self::banks(services);
        setup.index();
        if !empty && setup.layout.is_of_others() {
            setup.keep()?;
        }
        Ok(setup)
    }

    /// Lays `services` out and puts them in force.
    ///
    /// # Errors
    /// [`SetupError`] before anything was written where they contradict each other or do not fit;
    /// [`LoadError::Map`] where the kernel refuses a write: the old configuration stays in force.
    pub fn apply(&mut self, maps: &mut dyn Maps, services: &[ServiceSpec]) -> Result<(), LoadError> {
        check(services)?;
        self.fits(maps, services)?;
        if !std::mem::replace(&mut self.begun, true) {
            self.written = [Some(HashMap::new()), Some(HashMap::new())];
        }
        let bank = (self.active + 1) % BANKS;
        let before = self.layout.clone();
        self.layout.rest();
        let result = self.lay_out(maps, services, bank, &before);
        let Ok(blocks) = result else {
            self.layout.back_to(&before);
            self.index();
            if let Some(written) = self.written.get_mut(bank) {
                *written = None;
            }
            return result.map(|_| ());
        };
        self.blocks = blocks;
        self.active = bank;
        Ok(())
    }

    /// Takes back the numbers of what is configured no more, once nothing names them: `named` is what a whole pass of
    /// [`crate::sweep::Sweeper`] met. It takes two passes in a row.
    ///
    /// # Errors
    /// [`LoadError::Map`] or [`LoadError::Pin`] where a write is refused.
    pub fn reclaim(&mut self, maps: &mut dyn Maps, named: &Named) -> Result<usize, LoadError> {
        let gone = self.layout.forget(named);
        if gone.is_empty() {
            return Ok(0);
        }
        self.index();
        for (base, record) in &gone {
            let left = maps.sessions(*base)?;
            maps.end_sessions(*base, left as i32)?;
            for index in (*base..).take(record.addresses.len()) {
                maps.put_target(index, &Target::default())?;
                self.targets.remove(&index);
            }
        }
        let owns: std::collections::HashSet<u32> = self.layout.owners().map(|(base, _)| base).collect();
        let lost: Vec<SourceKey> =
            self.sources.iter().filter(|(_, source)| !owns.contains(&source.own)).map(|(key, _)| *key).collect();
        for key in lost {
            maps.remove_source(&key)?;
            self.sources.remove(&key);
        }
        self.keep()?;
        Ok(gone.len())
    }

    /// Who each entry of `TARGETS` belongs to, from the first on; `None` where one is free.
    pub fn owners(&self) -> impl Iterator<Item = Option<&Owner>> {
        self.owners.iter().map(Option::as_ref)
    }

    /// Who an entry of `TARGETS` belongs to.
    #[must_use]
    pub fn owner(&self, target: u32) -> Option<&Owner> {
        self.owners.get(target as usize)?.as_ref()
    }

    /// The index in `TARGETS` of an endpoint's first path, by its service's name and its own; of two that had the
    /// name, the one that is configured.
    #[must_use]
    pub fn base(&self, service: &str, endpoint: &str) -> Option<u32> {
        self.named.get(&(service.to_owned(), Some(endpoint.to_owned()))).copied()
    }

    /// The index in `TARGETS` of a service's own first path, by its name; of two, the one that is configured.
    #[must_use]
    pub fn own(&self, service: &str) -> Option<u32> {
        self.named.get(&(service.to_owned(), None)).copied()
    }

    /// A service's number.
    #[must_use]
    pub fn id(&self, service: &str) -> Option<u16> {
        self.layout.id(service)
    }

    /// A service's name, by number.
    #[must_use]
    pub fn name(&self, id: u16) -> Option<&str> {
        self.layout.name(id)
    }

    fn lay_out(
        &mut self,
        maps: &mut dyn Maps,
        services: &[ServiceSpec],
        bank: usize,
        before: &Layout,
    ) -> Result<Blocks, LoadError> {
        let mut entries = HashMap::new();
        let mut blocks = Blocks::new();
        let active = self.written.get(self.active).cloned().flatten();
        let active = active.map_or_else(|| Self::read(maps, self.active), Ok)?;
        let mut arena = Arena::of(active.values().map(|service| (service.maglev, service.slots)));
        let mut behind = 0;
        for spec in services {
            let (id, own) = self.number(maps, spec)?;
            let members = self.members(maps, spec, id, own)?;
            let recipe = Recipe { placement: spec.placement, members };
            let taken = match self.blocks.get(&id) {
                Some((known, taken)) if *known == recipe => *taken,
                _ => {
                    let slots = block(recipe.placement, &recipe.members);
                    let (length, bound) = (slots.len() as u32, maps.bounds().maglev);
                    let at = arena.take_after(behind, length, bound).ok_or(SetupError::Bound {
                        what: "slots of the arena, with those in force",
                        needed: slots.len(),
                        bound: bound as usize,
                    })?;
                    maps.put_maglev(at, &slots)?;
                    behind = at + length;
                    (at, length)
                }
            };
            blocks.insert(id, (recipe, taken));
            entries.extend(service_entries(spec, bank, id, own, taken));
        }
        self.index();
        self.write_bank(maps, bank, entries)?;
        if self.layout != *before {
            self.keep()?;
        }
        maps.activate(bank as u8)?;
        Ok(blocks)
    }

    /// Makes a bank hold exactly these entries.
    fn write_bank(
        &mut self,
        maps: &mut dyn Maps,
        bank: usize,
        entries: HashMap<ServiceKey, Service>,
    ) -> Result<(), LoadError> {
        let Some(written) = self.written.get_mut(bank) else { return Ok(()) };
        let held = written.take().map_or_else(|| Self::read(maps, bank), Ok)?;
        for key in held.keys().filter(|key| !entries.contains_key(key)) {
            maps.remove_service(key)?;
        }
        let new: Vec<(ServiceKey, Service)> = entries
            .iter()
            .filter(|(key, service)| held.get(key) != Some(service))
            .map(|(key, service)| (*key, *service))
            .collect();
        maps.put_services(&new)?;
        *written = Some(entries);
        Ok(())
    }

    /// What a bank holds.
    fn read(maps: &dyn Maps, bank: usize) -> Result<HashMap<ServiceKey, Service>, LoadError> {
        Ok(maps.services()?.into_iter().filter(|(key, _)| usize::from(key.bank) == bank).collect())
    }

    fn banks(services: Vec<(ServiceKey, Service)>) -> [Option<HashMap<ServiceKey, Service>>; BANKS] {
        let (first, second) = services.into_iter().partition(|(key, _)| key.bank == 0);
        [Some(first), Some(second)]
    }

    /// A service's number, and the index of its own addresses.
    fn number(&mut self, maps: &mut dyn Maps, spec: &ServiceSpec) -> Result<(u16, u32), LoadError> {
        let id = self.layout.number(&spec.name)?;
        let record = Record::new(&spec.name, None, &spec.addresses, spec.port);
        let own = self.targets(maps, record, true, spec.aware)?;
        Ok((id, own))
    }

    /// A service's endpoints, with their entries written.
    fn members(
        &mut self,
        maps: &mut dyn Maps,
        spec: &ServiceSpec,
        id: u16,
        own: u32,
    ) -> Result<Vec<Member>, LoadError> {
        let mut members = Vec::with_capacity(spec.endpoints.len());
        for endpoint in &spec.endpoints {
            let record = Record::new(&spec.name, Some(&endpoint.name), &endpoint.addresses, endpoint.port);
            let base = self.targets(maps, record, endpoint.up, spec.aware)?;
            for (path, key) in source_keys(spec, endpoint).enumerate() {
                let source = Source { own, service: id, path: path as u8, paths: spec.addresses.len() as u8 };
                if self.sources.get(&key) != Some(&source) {
                    maps.put_source(&key, &source)?;
                    self.sources.insert(key, source);
                }
            }
            let weight = if endpoint.up { endpoint.weight } else { 0 };
            members.push(Member { target: base, seed: seed(endpoint), weight });
        }
        for exit in &spec.exits {
            let record = Record::new(&spec.name, Some(&exit.name), &exit.addresses, exit.port);
            self.targets(maps, record, exit.up, false)?;
        }
        Ok(members)
    }

    /// Writes the entries of `TARGETS` of a service or an endpoint; one that is known keeps its place.
    fn targets(&mut self, maps: &mut dyn Maps, record: Record, up: bool, aware: bool) -> Result<u32, LoadError> {
        let key = record.key();
        let (addresses, port) = (record.addresses.clone(), record.port);
        let known = self.bases.get(&key).copied();
        let base = self.layout.place(known, record, maps.bounds().targets)?;
        self.bases.insert(key, base);
        for (index, address) in (base..).zip(&addresses) {
            let target = Target {
                address: Address::from(*address),
                port,
                paths: addresses.len() as u8,
                up: u8::from(up),
                owner: base,
                flags: if aware { Target::AWARE } else { 0 },
                reserved: 0,
            };
            if self.targets.get(&index) != Some(&target) {
                maps.put_target(index, &target)?;
                self.targets.insert(index, target);
            }
        }
        Ok(base)
    }

    /// Finds owners again by what others ask for.
    fn index(&mut self) {
        self.owners = self.layout.told();
        self.bases = self.layout.bases();
        self.named = self.layout.named();
    }

    /// Writes the layout to its file.
    fn keep(&mut self) -> Result<(), LoadError> {
        let Some(file) = &self.file else { return Ok(()) };
        self.layout.write(file)
    }

    /// Whether everything fits, asked before anything is written.
    fn fits(&self, maps: &dyn Maps, services: &[ServiceSpec]) -> Result<(), SetupError> {
        let bounds = maps.bounds();
        let addresses: usize = services.iter().map(|s| s.addresses.len()).sum();
        let sources = services.iter().filter(|s| s.kind != Kind::Flow).flat_map(|s| &s.endpoints);
        let sources: usize = sources.map(|e| e.addresses.len()).sum();
        let slots: usize = services.iter().map(|s| most(s.endpoints.len()) as usize).sum();
        let bound = |what, needed, bound: u32| {
            let bound = bound as usize;
            if needed > bound { Err(SetupError::Bound { what, needed, bound }) } else { Ok(()) }
        };
        bound("services", services.len(), MAX_SERVICES as u32)?;
        bound("service addresses", 2 * addresses, bounds.services / BANKS as u32)?;
        bound("endpoint addresses", sources, bounds.sources)?;
        let held: usize = self.layout.owners().map(|(_, record)| record.addresses.len()).sum();
        let targets = held + services.iter().map(|spec| self.unknown(spec)).sum::<usize>();
        bound("service and endpoint addresses", targets, bounds.targets)?;
        bound("slots of the arena", slots, bounds.maglev / BANKS as u32)
    }

    /// How many entries of `TARGETS` a service needs that it does not have yet.
    fn unknown(&self, spec: &ServiceSpec) -> usize {
        let endpoints =
            spec.endpoints.iter().chain(&spec.exits).map(|endpoint| (true, &endpoint.addresses, endpoint.port));
        std::iter::once((false, &spec.addresses, spec.port))
            .chain(endpoints)
            .filter(|(is_endpoint, addresses, port)| {
                !self.bases.contains_key(&(spec.name.clone(), *is_endpoint, (*addresses).clone(), *port))
            })
            .map(|(_, addresses, _)| addresses.len())
            .sum()
    }
}

/// The entries of `SERVICES` of a service: for each path its address and port, and the bare address.
fn service_entries(
    spec: &ServiceSpec,
    bank: usize,
    id: u16,
    own: u32,
    (maglev, slots): (u32, u32),
) -> impl Iterator<Item = (ServiceKey, Service)> {
    let paths = spec.addresses.len() as u8;
    (0..).zip(&spec.addresses).flat_map(move |(path, address)| {
        let service = Service {
            maglev,
            slots,
            own,
            id,
            kind: spec.kind as u8,
            path,
            paths,
            unknown: spec.unknown as u8,
            placement: spec.placement as u8,
            exhausted: spec.exhausted as u8,
        };
        let address = Address::from(*address);
        let key = ServiceKey { address, port: spec.port, protocol: spec.protocol, bank: bank as u8 };
        [(key, service), (ServiceKey { port: 0, protocol: 0, ..key }, service)]
    })
}

/// The keys that replies of an endpoint are looked up by; UDP and TCP flows need none.
fn source_keys<'a>(spec: &'a ServiceSpec, endpoint: &'a EndpointSpec) -> impl Iterator<Item = SourceKey> + 'a {
    let (port, protocol) = match spec.kind {
        Kind::Sctp => (endpoint.port, protocol::SCTP),
        Kind::Gtpu | Kind::Flow => (0, protocol::UDP),
    };
    let none = spec.kind == Kind::Flow;
    endpoint.addresses.iter().filter(move |_| !none).map(move |address| SourceKey {
        address: Address::from(*address),
        port,
        protocol,
        reserved: 0,
    })
}

/// A number that stays with an endpoint: of its addresses and port, not of its place in the list.
fn seed(endpoint: &EndpointSpec) -> u32 {
    endpoint
        .addresses
        .iter()
        .map(|address| Address::from(*address))
        .fold(u32::from(endpoint.port), |hash, address| address.0.iter().fold(hash, |hash, word| mix(hash, *word)))
}

#[cfg(test)]
mod tests;
