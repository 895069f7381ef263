//! What a configuration would run.

mod gtpc;
mod ngap;
mod pfcp;
mod sbi;

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use pinion_loader::Bounds;
use pinion_loader::schema::{MAPS, MapSpec};
use serde::Serialize;

use super::table::Table;
use crate::config::model::{Api, Aware, Config, Endpoint, Exit, Health, Pool, Protocol, Service};
use crate::config::{Host, Read, duration};
use crate::control::chosen_by;
use crate::privileges::Needs;

/// How many services, and how many pools, one screen lists.
const LISTED: usize = 16;

/// What a configuration would run, as `--format json` has it.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    file: String,
    /// Whether packets are steered in the kernel.
    packet_path: bool,
    /// The capabilities that the daemon needs.
    capabilities: Vec<&'static str>,
    interfaces: Vec<Interface>,
    api: String,
    metrics: Option<String>,
    store: String,
    on_exit: &'static str,
    services: Vec<ServiceRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sbi: Option<sbi::SbiRow>,
    pools: Vec<PoolRow>,
    tables: Vec<TableRow>,
    /// What the tables take, together.
    bytes: u64,
    warnings: Vec<Warning>,
}

#[derive(Debug, Serialize)]
struct Interface {
    name: String,
    attach: &'static str,
}

#[derive(Debug, Serialize)]
struct ServiceRow {
    name: String,
    protocol: &'static str,
    port: u16,
    addresses: Vec<IpAddr>,
    pool: String,
    endpoints: usize,
    algorithm: &'static str,
    /// `None`: it steers no packets.
    unknown: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aware: Option<&'static str>,
    all_down: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pfcp: Option<pfcp::PfcpRow>,
    gtpc: Option<gtpc::GtpcRow>,
    ngap: Option<ngap::NgapRow>,
}

#[derive(Debug, Serialize)]
struct PoolRow {
    name: String,
    endpoints: Vec<EndpointRow>,
    health: Option<String>,
    slow_start: String,
    drain: Option<String>,
}

#[derive(Debug, Serialize)]
struct EndpointRow {
    name: String,
    addresses: Vec<IpAddr>,
    port: Option<u16>,
    weight: u32,
    priority: u8,
}

#[derive(Debug, Serialize)]
struct TableRow {
    name: &'static str,
    entries: u32,
    /// What it takes in the kernel.
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Warning {
    line: u64,
    column: u64,
    what: String,
}

impl Summary {
    pub(super) fn new(file: &str, read: &Read, host: &Host) -> Self {
        let Config { interfaces, api, metrics, store, exit, pools, services, .. } = &read.config;
        let needs = Needs::of(&read.config, PathBuf::new(), host.sctp);
        let tables = if needs.steer { tables(&read.config) } else { Vec::new() };
        let interface = |i: &crate::config::model::Interface| Interface {
            name: i.name.clone(),
            attach: i.attach.as_written(),
        };
        let warnings = read.warnings.iter();
        Self {
            file: file.to_owned(),
            packet_path: needs.steer,
            capabilities: needs.capabilities().map(|it| it.name).collect(),
            interfaces: interfaces.iter().map(interface).collect(),
            api: described(api),
            metrics: metrics.map(|listen| format!("http://{listen}/metrics")),
            store: store.redis.as_deref().map_or_else(|| "memory".to_owned(), without_password),
            on_exit: exit.as_written(),
            services: services.iter().map(|service| ServiceRow::new(service, pools)).collect(),
            sbi: read.config.sbi.as_ref().map(sbi::SbiRow::new),
            pools: pools.iter().map(PoolRow::new).collect(),
            bytes: tables.iter().map(|table| table.bytes).sum(),
            tables,
            warnings: warnings
                .map(|w| Warning { line: w.line(), column: w.column(), what: w.what().to_owned() })
                .collect(),
        }
    }
}

impl ServiceRow {
    fn new(service: &Service, pools: &[Pool]) -> Self {
        let pool = pools.iter().find(|pool| pool.name == service.pool);
        let steers = service.is_steered();
        Self {
            name: service.name.clone(),
            protocol: service.protocol.as_written(),
            port: service.port,
            addresses: service.addresses.clone(),
            pool: service.pool.clone(),
            endpoints: pool.map_or(0, |pool| pool.endpoints.len()),
            algorithm: chosen_by(service.protocol, service.algorithm),
            unknown: steers.then(|| service.unknown.as_written()),
            aware: service.aware.map(Aware::as_written),
            all_down: steers.then(|| service.all_down.as_written()),
            pfcp: service.pfcp.as_ref().map(pfcp::PfcpRow::new),
            gtpc: service.gtpc.as_ref().map(gtpc::GtpcRow::new),
            ngap: service.ngap.as_ref().map(ngap::NgapRow::new),
        }
    }
}

impl PoolRow {
    fn new(pool: &Pool) -> Self {
        let row = |endpoint: &Endpoint| EndpointRow {
            name: endpoint.name.clone(),
            addresses: endpoint.addresses.clone(),
            port: endpoint.port,
            weight: endpoint.weight,
            priority: endpoint.priority,
        };
        Self {
            name: pool.name.clone(),
            endpoints: pool.endpoints.iter().map(row).collect(),
            health: pool.health.as_ref().map(probing),
            slow_start: duration(pool.slow_start),
            drain: pool.drain.map(duration),
        }
    }
}

fn probing(health: &Health) -> String {
    let port = health.port.map(|port| format!(" of port {port}")).unwrap_or_default();
    let (kind, interval, timeout) =
        (health.probe.as_written(), duration(health.interval), duration(health.timeout));
    let Health { rise, fall, .. } = health;
    format!("{kind}{port} each {interval}, within {timeout}, up after {rise}, down after {fall}")
}

fn described(api: &Api) -> String {
    match api {
        Api::Unix { path, mode } => format!("unix {} ({mode:04o})", path.display()),
        Api::Tls { listen, .. } => format!("mutual TLS at {listen}"),
    }
}

/// A URL that can be shown: without what is between `//` and `@`.
fn without_password(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => url.to_owned(),
    }
}

/// The bounded tables and what the kernel takes for each (kernel/bpf/hashtab.c, `htab_map_mem_usage`;
/// kernel/bpf/arraymap.c, `array_map_mem_usage`): 48 bytes before each hashed entry, 16 for each bucket, of which
/// there are as many as entries, rounded up to a power of two. `SERVICES`, `SOURCES`, `PINS6` and `FILTERS` take entries,
/// of 16 bytes more, as they are written; all others have them from the start.
fn tables(config: &Config) -> Vec<TableRow> {
    const HASH: u32 = 1;
    const LRU_HASH: u32 = 9;
    let Bounds { flows, flows6, pins, filters, fragments, services, sources, targets, maglev } = config.bounds;
    let own: usize = config.steered().map(|service| service.addresses.len()).sum();
    let by_source = config.services.iter().filter(|s| matches!(s.protocol, Protocol::Sctp | Protocol::Gtpu));
    let used: BTreeSet<&str> = by_source.map(|service| service.pool.as_str()).collect();
    let pools = config.pools.iter().filter(|pool| used.contains(pool.name.as_str()));
    let theirs: usize = pools.flat_map(|pool| &pool.endpoints).map(|endpoint| endpoint.addresses.len()).sum();
    let named = |name: &str| match name {
        "FLOWS" => Some(("flows", flows, None)),
        "FLOWS6" => Some(("flows6", flows6, None)),
        "PINS" => Some(("pins", pins, None)),
        // How many tunnels will have IPv6 addresses, or be led back from, nobody knows before.
        "PINS6" => Some(("pins6", pins, Some(0))),
        "FILTERS" => Some(("filters", filters, Some(0))),
        "FRAGMENTS" => Some(("fragments", fragments, None)),
        // By address and port, and by address alone, in two banks.
        "SERVICES" => Some(("services", services, Some(4 * own as u64))),
        "SOURCES" => Some(("sources", sources, Some(theirs as u64))),
        "TARGETS" => Some(("targets", targets, None)),
        "MAGLEV" => Some(("maglev", maglev, None)),
        _ => None,
    };
    let row = |map: &MapSpec| {
        let (name, entries, written) = named(map.name)?;
        let rounded = |size: u32| u64::from(size.next_multiple_of(8));
        let count = u64::from(entries);
        let bytes = if matches!(map.kind, HASH | LRU_HASH) {
            let entry = 48 + rounded(map.key) + rounded(map.value);
            16 * count.next_power_of_two() + written.map_or(entry * count, |written| (entry + 16) * written)
        } else {
            rounded(map.value) * count
        };
        Some(TableRow { name, entries, bytes })
    };
    MAPS.iter().filter_map(row).collect()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: usize = self.pools.iter().map(|pool| pool.endpoints.len()).sum();
        let services = counted(self.services.len(), "service");
        let (pools, endpoints) = (counted(self.pools.len(), "pool"), counted(endpoints, "endpoint"));
        let scp = if self.sbi.is_some() { ", an SCP" } else { "" };
        writeln!(f, "{} is right: {services}, {pools}, {endpoints}{scp}", self.file)?;

        let mut table = Table::new(["service", "protocol", "port", "addresses", "pool", "algorithm", "all down"]);
        for service in self.services.iter().take(LISTED) {
            table.row([
                service.name.clone(),
                service.protocol.to_owned(),
                service.port.to_string(),
                listed(&service.addresses),
                service.pool.clone(),
                service.algorithm.to_owned(),
                service.all_down.unwrap_or("refused").to_owned(),
            ]);
        }
        if !self.services.is_empty() {
            write!(f, "\n{table}")?;
        }
        more(f, self.services.len())?;
        pfcp::table(f, &self.services)?;
        gtpc::table(f, &self.services)?;
        ngap::table(f, &self.services)?;

        let mut table = Table::new(["pool", "endpoints", "health", "slow start", "drain"]);
        for pool in self.pools.iter().take(LISTED) {
            table.row([
                pool.name.clone(),
                pool.endpoints.len().to_string(),
                pool.health.clone().unwrap_or_else(|| "not probed".to_owned()),
                pool.slow_start.clone(),
                pool.drain.clone().unwrap_or_else(|| "no deadline".to_owned()),
            ]);
        }
        if !self.pools.is_empty() {
            write!(f, "\n{table}")?;
        }
        more(f, self.pools.len())?;
        if let Some(sbi) = &self.sbi {
            write!(f, "\n{sbi}")?;
        }

        if self.packet_path {
            let mut table = Table::new(["table", "entries", "memory"]);
            for row in &self.tables {
                table.row([row.name.to_owned(), row.entries.to_string(), mebibytes(row.bytes)]);
            }
            table.row(["together".to_owned(), String::new(), mebibytes(self.bytes)]);
            write!(f, "\n{table}")?;
        }

        let path = if self.packet_path { "XDP" } else { "none: Pinion itself speaks for every service" };
        writeln!(f, "\npacket path {path}")?;
        writeln!(f, "needs       {}", or_none(&self.capabilities))?;
        let interfaces: Vec<_> = self.interfaces.iter().map(|i| format!("{} ({})", i.name, i.attach)).collect();
        writeln!(f, "interfaces  {}", or_none(&interfaces))?;
        writeln!(f, "api         {}", self.api)?;
        writeln!(f, "metrics     {}", self.metrics.as_deref().unwrap_or("none"))?;
        writeln!(f, "store       {}", self.store)?;
        if self.packet_path {
            let exit = if self.on_exit == Exit::Keep.as_written() { "goes on forwarding" } else { "detaches" };
            writeln!(f, "on exit     {exit}")?;
        }
        Ok(())
    }
}

fn more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count.checked_sub(LISTED) {
        Some(more) if more > 0 => writeln!(f, "and {more} more; --format json has every one"),
        _ => Ok(()),
    }
}

/// "a, b", or "none".
fn or_none<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("redis://user:p@ss@192.0.2.1:6379/0", "redis://192.0.2.1:6379/0"),
            ("redis://:secret@192.0.2.1", "redis://192.0.2.1"),
            ("redis://192.0.2.1", "redis://192.0.2.1"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
