//! From services and endpoints to entries of the tables.
//!
//! A new configuration is laid out in the bank that is not in force, and then that bank is put in force: a
//! packet sees the old one whole or the new one whole. What pins may name (`TARGETS`, `SOURCES`) is never
//! rewritten: an endpoint that is known keeps its entries, a new one gets new ones.

use std::collections::HashMap;
use std::net::IpAddr;

use pinion_steering::{
    Address, BANKS, Exhausted, Kind, MAX_PATHS, Placement, Service, ServiceKey, Source, SourceKey, Target,
    Unknown, mix, protocol,
};

use crate::block::{block, most};
use crate::maglev::Member;
use crate::{LoadError, Maps};

/// A service as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its name.
    pub name: String,
    /// How its packets are pinned.
    pub kind: Kind,
    /// IP protocol: UDP, TCP or SCTP.
    pub protocol: u8,
    /// Its port.
    pub port: u16,
    /// Its address on each path, one to four.
    pub addresses: Vec<IpAddr>,
    /// What happens to packets that belong to no session.
    pub unknown: Unknown,
    /// How the endpoint of a new session is chosen.
    pub placement: Placement,
    /// What becomes of a new session where no endpoint takes one. To let all take some again ("fail open"), hand
    /// them in as up.
    pub exhausted: Exhausted,
    /// Its endpoints.
    pub endpoints: Vec<EndpointSpec>,
}

/// An endpoint as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSpec {
    /// Its name.
    pub name: String,
    /// Its address on each path, as many as the service has.
    pub addresses: Vec<IpAddr>,
    /// Its port.
    pub port: u16,
    /// Its share relative to the others. With 0 it drains: it keeps its sessions, and gets no new ones.
    pub weight: u32,
    /// Whether it is up. One that is down gets no new sessions; those that it has keep going there, but for SCTP's
    /// INIT, which is placed anew.
    pub up: bool,
}

/// Why services cannot be laid out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// No address, or more than four.
    #[error("service {service}: has {found} addresses; give one for each path, at the most {MAX_PATHS}")]
    Paths {
        /// The service.
        service: String,
        /// How many addresses it has.
        found: usize,
    },
    /// An endpoint has not one address for each path of its service.
    #[error(
        "service {service}: endpoint {endpoint} has {found} addresses and the service has {needed} paths; give one for each path"
    )]
    EndpointPaths {
        /// The service.
        service: String,
        /// The endpoint.
        endpoint: String,
        /// How many addresses it has.
        found: usize,
        /// How many paths the service has.
        needed: usize,
    },
    /// An endpoint's address on a path is of the other family than the service's.
    #[error(
        "service {service}: endpoint {endpoint} has {address} on path {path}, where the service has an address of the other family"
    )]
    Family {
        /// The service.
        service: String,
        /// The endpoint.
        endpoint: String,
        /// The path, from 0.
        path: usize,
        /// The endpoint's address.
        address: IpAddr,
    },
    /// Two services have one address, protocol and port.
    #[error("service {service}: {address} port {port} is already the address of service {other}")]
    Duplicate {
        /// The service.
        service: String,
        /// The service that has it.
        other: String,
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// More than fit in a table.
    #[error("{what}: {needed} are needed and the bound is {bound}: raise the bound, or configure less")]
    Bound {
        /// What there are too many of.
        what: &'static str,
        /// How many are needed.
        needed: usize,
        /// How many fit.
        bound: usize,
    },
}

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

/// What identifies an owner over reloads: service, and for an endpoint its addresses and port.
type OwnerKey = (String, Option<(Vec<IpAddr>, u16)>);

/// Lays services out, and remembers what it laid out where.
#[derive(Debug, Default)]
pub struct Setup {
    owners: Vec<Owner>,
    bases: HashMap<OwnerKey, u32>,
    ids: HashMap<String, u16>,
    written: [Vec<ServiceKey>; BANKS],
    active: usize,
}

impl Setup {
    /// Lays `services` out and puts them in force.
    ///
    /// # Errors
    /// [`SetupError`] before anything was written where they contradict each other or do not fit;
    /// [`LoadError::Map`] where the kernel refuses a write: the old configuration stays in force.
    pub fn apply(&mut self, maps: &mut dyn Maps, services: &[ServiceSpec]) -> Result<(), LoadError> {
        check(services)?;
        self.fits(maps, services)?;
        let bank = (self.active + 1) % BANKS;
        for key in self.written.get_mut(bank).map(std::mem::take).unwrap_or_default() {
            maps.remove_service(&key)?;
        }
        let half = maps.bounds().maglev / BANKS as u32;
        let mut maglev = half * bank as u32;
        for spec in services {
            self.service(maps, spec, bank, &mut maglev)?;
        }
        maps.activate(bank as u8)?;
        self.active = bank;
        Ok(())
    }

    /// Who an entry of `TARGETS` belongs to.
    #[must_use]
    pub fn owner(&self, target: u32) -> Option<&Owner> {
        self.owners.get(target as usize)
    }

    /// The index in `TARGETS` of an endpoint's first path, by its service's name and its own.
    #[must_use]
    pub fn base(&self, service: &str, endpoint: &str) -> Option<u32> {
        let at = self.owners.iter().position(|owner| {
            owner.path == 0 && owner.service == service && owner.endpoint.as_deref() == Some(endpoint)
        })?;
        u32::try_from(at).ok()
    }

    /// The index in `TARGETS` of a service's own first path, by its name.
    #[must_use]
    pub fn own(&self, service: &str) -> Option<u32> {
        self.bases.get(&(service.to_owned(), None)).copied()
    }

    /// A service's number.
    #[must_use]
    pub fn id(&self, service: &str) -> Option<u16> {
        self.ids.get(service).copied()
    }

    /// A service's name, by number.
    #[must_use]
    pub fn name(&self, id: u16) -> Option<&str> {
        self.ids.iter().find(|(_, known)| **known == id).map(|(name, _)| name.as_str())
    }

    fn service(
        &mut self,
        maps: &mut dyn Maps,
        spec: &ServiceSpec,
        bank: usize,
        maglev: &mut u32,
    ) -> Result<(), LoadError> {
        let paths = spec.addresses.len();
        let next = self.ids.len() as u16;
        let id = *self.ids.entry(spec.name.clone()).or_insert(next);
        let own = self.targets(maps, spec, None)?;
        let mut members = Vec::with_capacity(spec.endpoints.len());
        for endpoint in &spec.endpoints {
            let base = self.targets(maps, spec, Some(endpoint))?;
            self.sources(maps, spec, endpoint, id, own)?;
            let weight = if endpoint.up { endpoint.weight } else { 0 };
            members.push(Member { target: base, seed: seed(endpoint), weight });
        }
        let table = block(spec.placement, &members);
        maps.put_maglev(*maglev, &table)?;
        for (path, address) in spec.addresses.iter().enumerate() {
            let service = Service {
                maglev: *maglev,
                slots: table.len() as u32,
                own,
                id,
                kind: spec.kind as u8,
                path: path as u8,
                paths: paths as u8,
                unknown: spec.unknown as u8,
                placement: spec.placement as u8,
                exhausted: spec.exhausted as u8,
            };
            let address = Address::from(*address);
            let key = ServiceKey { address, port: spec.port, protocol: spec.protocol, bank: bank as u8 };
            for key in [key, ServiceKey { port: 0, protocol: 0, ..key }] {
                maps.put_service(&key, &service)?;
                if let Some(written) = self.written.get_mut(bank) {
                    written.push(key);
                }
            }
        }
        *maglev += table.len() as u32;
        Ok(())
    }

    /// Writes the entries of `TARGETS` of a service or an endpoint; one that is known keeps its place.
    fn targets(
        &mut self,
        maps: &mut dyn Maps,
        spec: &ServiceSpec,
        endpoint: Option<&EndpointSpec>,
    ) -> Result<u32, LoadError> {
        let (addresses, port, up) =
            endpoint.map_or((&spec.addresses, spec.port, true), |e| (&e.addresses, e.port, e.up));
        let key = (spec.name.clone(), endpoint.map(|e| (e.addresses.clone(), e.port)));
        let base = *self.bases.entry(key).or_insert(self.owners.len() as u32);
        for (path, address) in addresses.iter().enumerate() {
            let index = base + path as u32;
            let owner = Owner { service: spec.name.clone(), endpoint: endpoint.map(|e| e.name.clone()), path };
            match self.owners.get_mut(index as usize) {
                Some(known) => *known = owner,
                None => self.owners.push(owner),
            }
            let target = Target {
                address: Address::from(*address),
                port,
                paths: addresses.len() as u8,
                up: u8::from(up),
                owner: base,
                reserved: [0; 2],
            };
            maps.put_target(index, &target)?;
        }
        Ok(base)
    }

    /// Writes where replies of an endpoint come from, for the kinds that look it up.
    fn sources(
        &mut self,
        maps: &mut dyn Maps,
        spec: &ServiceSpec,
        endpoint: &EndpointSpec,
        id: u16,
        own: u32,
    ) -> Result<(), LoadError> {
        for (path, key) in source_keys(spec, endpoint).enumerate() {
            let source = Source { own, service: id, path: path as u8, paths: spec.addresses.len() as u8 };
            maps.put_source(&key, &source)?;
        }
        Ok(())
    }

    /// How many entries of `TARGETS` a service needs that it does not have yet.
    fn unknown(&self, spec: &ServiceSpec) -> usize {
        let endpoints = spec.endpoints.iter().map(|e| (Some((e.addresses.clone(), e.port)), e.addresses.len()));
        std::iter::once((None, spec.addresses.len()))
            .chain(endpoints)
            .filter(|(owner, _)| !self.bases.contains_key(&(spec.name.clone(), owner.clone())))
            .map(|(_, addresses)| addresses)
            .sum()
    }

    /// Whether everything fits, asked before anything is written.
    fn fits(&self, maps: &dyn Maps, services: &[ServiceSpec]) -> Result<(), SetupError> {
        let bounds = maps.bounds();
        let addresses: usize = services.iter().map(|s| s.addresses.len()).sum();
        let endpoints: usize = services.iter().flat_map(|s| &s.endpoints).map(|e| e.addresses.len()).sum();
        let slots: usize = services.iter().map(|s| most(s.endpoints.len()) as usize).sum();
        let bound = |what, needed, bound: u32| {
            let bound = bound as usize;
            if needed > bound { Err(SetupError::Bound { what, needed, bound }) } else { Ok(()) }
        };
        bound("service addresses", 2 * addresses, bounds.services / BANKS as u32)?;
        bound("endpoint addresses", endpoints, bounds.sources)?;
        let targets = self.owners.len() + services.iter().map(|spec| self.unknown(spec)).sum::<usize>();
        bound("service and endpoint addresses", targets, bounds.targets)?;
        bound("services", services.len(), u32::from(u16::MAX))?;
        bound("Maglev slots", slots, bounds.maglev / BANKS as u32)
    }
}

/// Whether services contradict each other; [`Setup::apply`] asks it too.
///
/// # Errors
/// The first [`SetupError`] that it finds.
pub fn check(services: &[ServiceSpec]) -> Result<(), SetupError> {
    let mut taken: HashMap<(IpAddr, u8, u16), &str> = HashMap::new();
    for spec in services {
        let service = || spec.name.clone();
        let paths = spec.addresses.len();
        if paths == 0 || paths > MAX_PATHS {
            return Err(SetupError::Paths { service: service(), found: paths });
        }
        for address in &spec.addresses {
            if let Some(other) = taken.insert((*address, spec.protocol, spec.port), &spec.name) {
                let (address, port) = (*address, spec.port);
                return Err(SetupError::Duplicate { service: service(), other: other.to_owned(), address, port });
            }
        }
        for endpoint in &spec.endpoints {
            if endpoint.addresses.len() != paths {
                return Err(SetupError::EndpointPaths {
                    service: service(),
                    endpoint: endpoint.name.clone(),
                    found: endpoint.addresses.len(),
                    needed: paths,
                });
            }
            for (path, (own, theirs)) in spec.addresses.iter().zip(&endpoint.addresses).enumerate() {
                if own.is_ipv4() != theirs.is_ipv4() {
                    return Err(SetupError::Family {
                        service: service(),
                        endpoint: endpoint.name.clone(),
                        path,
                        address: *theirs,
                    });
                }
            }
        }
    }
    Ok(())
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
