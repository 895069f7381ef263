//! Which sessions the UPFs of a pfcp service take.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;

use super::super::pools::Gathered;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::{self, Protocol, UeAddresses};
use crate::config::read::{Field, List};
use crate::config::scalar::pfcp::cut;
use crate::config::scalar::shown;
use crate::config::written::{Endpoint, Pfcp, Serves, Service};

/// Endpoints that no pfcp service has.
pub(super) fn misplaced(pool: &Gathered<'_>, users: &[&Service], wrong: &mut Wrong) {
    let other = |service: &&Service| service.protocol.value.is_some_and(|protocol| protocol != Protocol::Pfcp);
    if users.is_empty() || !users.iter().all(other) {
        return;
    }
    for at in pool.endpoints.values().filter_map(|endpoint| endpoint.pfcp.at) {
        let what =
            format!("`pfcp` is for UPFs behind a pfcp service, and {} is behind none; leave it out", pool.shown());
        wrong.mistake(at, what);
    }
}

/// Whether every user's address has its UPF where sessions are placed by it.
pub(super) fn check(pool: &Gathered<'_>, users: &[&Service], wrong: &mut Wrong) {
    let placed = |pfcp: &&Pfcp| pfcp.ue_addresses.value == Some(UeAddresses::Pools);
    let mut placing = users.iter().filter_map(|service| service.pfcp.value.as_ref()).filter(placed).peekable();
    if placing.peek().is_none() {
        return;
    }
    let mut prefixes = Prefixes::default();
    for (at, endpoint) in pool.endpoints.each() {
        let serves = &endpoint.pfcp;
        // What is wrong there is a mistake already.
        let said = serves.value.as_ref().map_or(serves.is_given(), |serves| serves.ue_addresses.is_given());
        if !said {
            let name = shown(endpoint.name.value.as_ref());
            let what = format!(
                "UPF {name} has no `ue_addresses`, and sessions are placed by them; give it `pfcp: {{ue_addresses: \
                 [...]}}` with the prefixes that SMFs allocate from for it"
            );
            wrong.mistake(endpoint.name.at.unwrap_or(at), what);
        }
        for (at, prefix) in serves.value.iter().flat_map(|serves| serves.ue_addresses.each()) {
            prefixes.add(Prefix { at, address: prefix.0.0, length: prefix.0.1, endpoint });
        }
    }
    prefixes.overlapping(wrong);
    if placing.any(|pfcp| pfcp.restore.value.as_ref().is_some_and(|restore| restore.0)) {
        prefixes.alone(wrong);
    }
}

/// A prefix of users' addresses.
#[derive(Clone, Copy)]
struct Prefix<'a> {
    at: Place,
    address: IpAddr,
    length: u8,
    endpoint: &'a Endpoint,
}

impl Prefix<'_> {
    fn is_of(&self, other: &Self) -> bool {
        std::ptr::eq(self.endpoint, other.endpoint)
    }

    fn priority(&self) -> u8 {
        self.endpoint.priority.value.as_ref().map_or(0, |priority| priority.0)
    }

    fn name(&self) -> String {
        shown(self.endpoint.name.value.as_ref())
    }
}

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// The prefixes of a pool, in the order of the file.
#[derive(Default)]
struct Prefixes<'a> {
    all: Vec<Prefix<'a>>,
    /// Those of each address and length, of every endpoint the first.
    by_value: HashMap<(IpAddr, u8), Vec<Prefix<'a>>>,
    lengths: BTreeSet<u8>,
}

impl<'a> Prefixes<'a> {
    fn add(&mut self, prefix: Prefix<'a>) {
        let alike = self.by_value.entry((prefix.address, prefix.length)).or_default();
        // The prefixes of an endpoint come one after the other.
        if !alike.last().is_some_and(|last| last.is_of(&prefix)) {
            alike.push(prefix);
        }
        self.lengths.insert(prefix.length);
        self.all.push(prefix);
    }

    /// Those of other endpoints that have every address of this one.
    fn wider(&self, prefix: &Prefix<'a>) -> impl Iterator<Item = &Prefix<'a>> {
        let prefix = *prefix;
        let values =
            self.lengths.range(..=prefix.length).map(move |length| (cut(prefix.address, *length), *length));
        let others = values.filter_map(|value| self.by_value.get(&value)).flatten();
        others.filter(move |other| !other.is_of(&prefix))
    }

    /// Two UPFs of one group cannot both be where an address leads; one of a later group stands in for the first.
    fn overlapping(&self, wrong: &mut Wrong) {
        for prefix in &self.all {
            let clashes = |other: &&Prefix<'a>| {
                // Of two that are the same, the second is in the way.
                other.priority() == prefix.priority() && (other.length < prefix.length || other.at < prefix.at)
            };
            if let Some(other) = self.wider(prefix).find(clashes) {
                let what = format!(
                    "{prefix} overlaps with {other} of UPF {}; give each UPF of a priority prefixes of its own",
                    other.name()
                );
                wrong.mistake(prefix.at, what);
            }
        }
    }

    /// What nobody takes over is not restored.
    fn alone(&self, wrong: &mut Wrong) {
        for prefix in &self.all {
            if self.wider(prefix).next().is_none() {
                let what = format!(
                    "no UPF but {} has {prefix}, so that its sessions are restored nowhere; give the prefix to one of \
                     another priority besides",
                    prefix.name()
                );
                wrong.warning(prefix.at, what);
            }
        }
    }
}

/// What is said of an endpoint's sessions means, and what is wrong with it by itself.
pub(in crate::config::check) fn model(endpoint: &Endpoint, wrong: &mut Wrong) -> model::Serves {
    let Some(serves) = &endpoint.pfcp.value else { return model::Serves::default() };
    none("dnns", &serves.dnns, wrong);
    none("slices", &serves.slices, wrong);
    none("network_instances", &serves.network_instances, wrong);
    none("ue_addresses", &serves.ue_addresses, wrong);
    let Serves { dnns, slices, network_instances, ue_addresses } = serves;
    model::Serves {
        dnns: dnns.values().map(|name| name.0.clone()).collect(),
        slices: slices.values().map(|slice| slice.0).collect(),
        network_instances: network_instances.values().map(|name| name.0.clone()).collect(),
        ue_addresses: ue_addresses.values().map(|prefix| prefix.0).collect(),
    }
}

/// An empty list is not the contrary of all.
fn none<T>(name: &str, list: &Field<List<T>>, wrong: &mut Wrong) {
    if let Some((at, list)) = list.given()
        && list.0.is_empty()
    {
        wrong.mistake(at, format!("no {name}; give those that the UPF takes, or leave `{name}` out to take all"));
    }
}
