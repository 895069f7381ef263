use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;

use pinion_steering::{Address, SERVICES_MOST, Service};
use serde::{Deserialize, Serialize};

use super::{Owner, SetupError};
use crate::sweep::Named;
use crate::{LoadError, Maps, schema};

/// Which numbers services have, and which entries of `TARGETS` are whose.
///
/// It must mean the same as long as a pin may name it: numbers of what is configured no more rest until no pin does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    version: u32,
    schema: String,
    /// What the maps of that schema are, for a build that makes others.
    #[serde(default)]
    maps: BTreeMap<String, String>,
    services: BTreeMap<String, Numbered>,
    /// By index in `TARGETS` of the first path.
    owners: BTreeMap<u32, Record>,
}

/// A service's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbered {
    id: u16,
    rest: Option<u8>,
}

/// A service's own addresses, or an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) service: String,
    pub(super) endpoint: Option<String>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) port: u16,
    /// Of one that is configured no more: how often it was asked in vain who names it.
    rest: Option<u8>,
}

/// What identifies an owner over reloads: service, whether it is an endpoint, addresses and port.
pub(super) type OwnerKey = (String, bool, Vec<IpAddr>, u16);

/// The format of the file.
const VERSION: u32 = 1;

/// How often a table must have been gone through without meeting a number before it is used again: the first time,
/// a pass may have begun before the number was taken out of the configuration.
const PASSES: u8 = 2;

impl Record {
    pub(super) fn new(service: &str, endpoint: Option<&str>, addresses: &[IpAddr], port: u16) -> Self {
        let (service, endpoint) = (service.to_owned(), endpoint.map(ToOwned::to_owned));
        Self { service, endpoint, addresses: addresses.to_vec(), port, rest: None }
    }

    pub(super) fn key(&self) -> OwnerKey {
        (self.service.clone(), self.endpoint.is_some(), self.addresses.clone(), self.port)
    }
}

impl Layout {
    /// Reads the file; `None` where there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, LoadError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LoadError::pin(path, "reading")(error)),
        };
        let wrong = |what: String| LoadError::Layout { path: path.to_owned(), what };
        let layout: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if let Some((base, _)) = layout.owners.iter().find(|(_, record)| record.addresses.is_empty()) {
            return Err(wrong(format!("its owner {base} has no address")));
        }
        if layout.version != VERSION {
            return Err(wrong(format!("its version is {}, and this build knows {VERSION}", layout.version)));
        }
        Ok(Some(layout))
    }

    /// What it says of the maps that it was written for.
    pub(super) fn written(self) -> schema::Written {
        schema::Written { schema: self.schema, maps: self.maps }
    }

    /// Whether it was written by a build with other maps than this one's, or by one that did not describe them.
    pub(super) fn is_of_others(&self) -> bool {
        self.schema != schema::hash() || self.maps != schema::descriptions()
    }

    /// Writes the file beside its place, and then there.
    pub(super) fn write(&mut self, path: &Path) -> Result<(), LoadError> {
        self.version = VERSION;
        self.schema = schema::hash();
        self.maps = schema::descriptions();
        let beside = path.with_extension("new");
        let text = serde_json::to_vec(self).map_err(|error| LoadError::pin(&beside, "writing")(error.into()))?;
        let mut file = fs::File::create(&beside).map_err(LoadError::pin(&beside, "making"))?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(LoadError::pin(&beside, "writing"))?;
        fs::rename(&beside, path).map_err(LoadError::pin(path, "replacing"))
    }

    /// Whether the maps hold what this says. Of the services those count that are in force: the other bank holds what
    /// was in force before, whose numbers may have been taken back since.
    pub(super) fn agrees(&self, maps: &dyn Maps, in_force: &[Service], path: &Path) -> Result<(), LoadError> {
        let wrong = |what| Err(LoadError::Layout { path: path.to_owned(), what });
        for (base, record) in &self.owners {
            for (index, address) in (*base..).zip(&record.addresses) {
                let target = maps.read_target(index)?;
                if (target.address, target.port, target.owner) != (Address::from(*address), record.port, *base) {
                    let found = IpAddr::from(target.address);
                    let whose = record.endpoint.as_ref().unwrap_or(&record.service);
                    return wrong(format!(
                        "it says that entry {index} of TARGETS is {address} port {} of {whose}, and there it is {found} port {}",
                        record.port, target.port
                    ));
                }
            }
        }
        let names: HashMap<u16, &str> =
            self.services.iter().map(|(name, numbered)| (numbered.id, name.as_str())).collect();
        for service in in_force {
            let name = names.get(&service.id).copied();
            let known = self.owners.get(&service.own).filter(|record| record.endpoint.is_none());
            if name.is_none() || known.map(|record| record.service.as_str()) != name {
                return wrong(format!("it has no service with the number {}, and SERVICES has one", service.id));
            }
        }
        Ok(())
    }

    /// A service's number.
    pub(super) fn id(&self, service: &str) -> Option<u16> {
        self.services.get(service).map(|numbered| numbered.id)
    }

    /// A service's name.
    pub(super) fn name(&self, id: u16) -> Option<&str> {
        self.services.iter().find(|(_, numbered)| numbered.id == id).map(|(name, _)| name.as_str())
    }

    /// Every owner, by its index in `TARGETS`.
    pub(super) fn owners(&self) -> impl Iterator<Item = (u32, &Record)> {
        self.owners.iter().map(|(base, record)| (*base, record))
    }

    /// Index by service's and endpoint's name; of several that have them, of the one that is configured.
    pub(super) fn named(&self) -> HashMap<(String, Option<String>), u32> {
        let resting = self.owners.iter().filter(|(_, record)| record.rest.is_some());
        let awake = self.owners.iter().filter(|(_, record)| record.rest.is_none());
        let name = |record: &Record| (record.service.clone(), record.endpoint.clone());
        resting.chain(awake).map(|(base, record)| (name(record), *base)).collect()
    }

    /// Index by key.
    pub(super) fn bases(&self) -> HashMap<OwnerKey, u32> {
        self.owners.iter().map(|(base, record)| (record.key(), *base)).collect()
    }

    /// Owners as others are told of them, by index in `TARGETS`.
    pub(super) fn told(&self) -> Vec<Option<Owner>> {
        let mut told = Vec::new();
        for (base, record) in &self.owners {
            let end = *base as usize + record.addresses.len();
            told.resize(end.max(told.len()), None);
            for path in 0..record.addresses.len() {
                if let Some(place) = told.get_mut(*base as usize + path) {
                    let (service, endpoint) = (record.service.clone(), record.endpoint.clone());
                    *place = Some(Owner { service, endpoint, path });
                }
            }
        }
        told
    }

    /// Lets everybody rest who is not configured; [`Layout::number`] and [`Layout::place`] wake them.
    pub(super) fn rest(&mut self) {
        for numbered in self.services.values_mut() {
            numbered.rest.get_or_insert(0);
        }
        for record in self.owners.values_mut() {
            record.rest.get_or_insert(0);
        }
    }

    /// Who was awake is awake again, and only they: what was given a number meanwhile rests.
    pub(super) fn back_to(&mut self, before: &Self) {
        self.rest();
        self.services.extend(before.services.clone());
        self.owners.extend(before.owners.clone());
    }

    /// The number of a service that is configured.
    pub(super) fn number(&mut self, service: &str) -> Result<u16, SetupError> {
        if let Some(numbered) = self.services.get_mut(service) {
            numbered.rest = None;
            return Ok(numbered.id);
        }
        let mut taken: Vec<u16> = self.services.values().map(|numbered| numbered.id).collect();
        taken.sort_unstable();
        let id =
            (0..).zip(&taken).find(|(free, taken)| free != *taken).map_or(taken.len() as u16, |(free, _)| free);
        if u32::from(id) >= SERVICES_MOST {
            let (needed, bound) = (taken.len() + 1, SERVICES_MOST as usize);
            return Err(SetupError::Bound { what: "services, with those whose pins remain", needed, bound });
        }
        self.services.insert(service.to_owned(), Numbered { id, rest: None });
        Ok(id)
    }

    /// The place of an owner that is configured: its own, or the first that is free.
    pub(super) fn place(&mut self, known: Option<u32>, record: Record, bound: u32) -> Result<u32, SetupError> {
        let paths = record.addresses.len() as u32;
        let end = |(base, record): (&u32, &Record)| base + record.addresses.len() as u32;
        let behind = self.owners.last_key_value().map_or(0, end);
        let base = match known {
            Some(base) => base,
            None if behind + paths <= bound => behind,
            None => {
                let mut begin = 0;
                for (base, record) in &self.owners {
                    if base - begin >= paths {
                        break;
                    }
                    begin = base + record.addresses.len() as u32;
                }
                begin
            }
        };
        if base + paths > bound {
            let (needed, bound) = ((base + paths) as usize, bound as usize);
            let what = "service and endpoint addresses, with those that pins still name";
            return Err(SetupError::Bound { what, needed, bound });
        }
        self.owners.insert(base, record);
        Ok(base)
    }

    /// Forgets who rests and is named by nothing; the owners that are gone.
    pub(super) fn forget(&mut self, named: &Named) -> Vec<(u32, Record)> {
        let over = |rest: &mut Option<u8>, named: bool| match rest {
            None => false,
            Some(passes) => {
                *passes = if named { 0 } else { passes.saturating_add(1) };
                *passes >= PASSES
            }
        };
        let gone = self.owners.extract_if(.., |base, record| over(&mut record.rest, named.targets.contains(base)));
        let gone: Vec<_> = gone.collect();
        let owned: Vec<&String> = self.owners.values().map(|record| &record.service).collect();
        let owned: std::collections::HashSet<&String> = owned.into_iter().collect();
        self.services.retain(|name, numbered| {
            !over(&mut numbered.rest, named.services.contains(&numbered.id) || owned.contains(name))
        });
        gone
    }
}
