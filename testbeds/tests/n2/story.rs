//! What happens, whoever is between gNBs and AMFs.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use pinion_simulators::n2::World;
use serde_json::Value;
use testbeds::n2::{Field, Plan};
use testbeds::topology::{Families, Host, Plan as Places, Topology};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
pub(crate) const GNBS: usize = 4;
/// One of them comes later.
pub(crate) const AMFS: u8 = 4;
/// UEs that have something under way.
const BUSY: usize = 100;
/// Nobody waits longer for what comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// What is between two events lasts until so many messages came.
const LEAST: u64 = 1_000;

/// How an AMF dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Its peers are told: ABORT.
    Told,
    /// Nobody is told.
    Silent,
}

/// What is between gNBs and AMFs.
pub(crate) trait Balancer {
    /// Takes no initial messages to an AMF any more.
    fn drain(&mut self, amf: usize);
    /// Has one AMF more: the last.
    fn add(&mut self);
    /// What it says of its one N2 front end.
    fn stats(&mut self) -> Value;
    /// Its end, with what it has to say.
    fn finish(self) -> String;
}

/// How long, and how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) ues: u32,
    pub(crate) time: Duration,
}

impl Size {
    /// Full size, unless `PINION_N2_UES` and `PINION_N2_SECONDS` say otherwise.
    pub(crate) fn full() -> Self {
        let given = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
        Self {
            ues: given("PINION_N2_UES").unwrap_or(10_000),
            time: Duration::from_secs(given("PINION_N2_SECONDS").unwrap_or(60).into()),
        }
    }

    /// So much less of both.
    pub(crate) fn part(self, divisor: u32) -> Self {
        Self { ues: self.ues / divisor, time: self.time / divisor }
    }

    pub(crate) fn plan(self) -> Plan {
        Plan { gnbs: GNBS, kernels: 0, amfs: AMFS, ues: self.ues, seed: 7 }
    }
}

/// Places for everybody, and one more.
pub(crate) fn topology() -> Topology {
    let endpoints = usize::from(AMFS) + 1;
    Topology::build(&Places { clients: GNBS, endpoints, paths: 2, families: Families::V4, ..Places::default() })
        .unwrap()
}

/// A configuration with these AMFs; `ngap`: how it is spoken.
pub(crate) fn write_configuration(
    api: &Path,
    interfaces: &[String],
    amfs: &[(String, Vec<IpAddr>)],
    service: &[IpAddr],
    ngap: &str,
) -> String {
    let list = |addresses: &[IpAddr]| {
        let quoted: Vec<_> = addresses.iter().map(|address| format!("'{address}'")).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut yaml = format!("api: {{ unix: {} }}\n", api.display());
    if !interfaces.is_empty() {
        yaml += &format!("interfaces: [{}]\n", interfaces.join(", "));
    }
    yaml += "pools:\n  - name: amfs\n    endpoints:\n";
    for (name, addresses) in amfs {
        yaml += &format!("      - {{ name: {name}, addresses: {} }}\n", list(addresses));
    }
    let service = list(service);
    yaml + &format!(
        "services:
  - name: n2
    protocol: ngap
    addresses: {service}
    pool: amfs
    ngap: {ngap}
"
    )
}

/// An AMF drains, one comes, a path of `cut` is cut and mended, an AMF dies; UEs do what they do all the while.
pub(crate) fn play<B: Balancer>(
    field: &mut Field,
    topology: &Topology,
    mut balancer: B,
    (service, size, death): (&[IpAddr], Size, Death),
    cut: &[&Host],
) {
    field.connect(service).unwrap();
    until(field, |field| field.running.with(|world| world.radio().is_up()));
    let begun = Instant::now();
    field.running.keep_busy(BUSY);
    until(field, |field| field.running.with(|world| world.has_begun()));
    let registered = begun.elapsed();
    let begun = Instant::now();
    let part = size.time / 6;
    live(field, part);

    field.running.with(|world| world.drains(0));
    balancer.drain(0);
    field.running.with(World::drained);
    live(field, part);

    balancer.add();
    until(field, |field| field.running.with(|world| world.amfs()[usize::from(AMFS) - 1].is_up(GNBS)));
    live(field, part);

    cut.iter().for_each(|host| topology.cut(host, 1).unwrap());
    live(field, part);
    cut.iter().for_each(|host| topology.restore(host, 1).unwrap());
    live(field, part);

    let dying = &topology.endpoints[1];
    if death == Death::Silent {
        dying.links.iter().for_each(|link| topology.cut(dying, link.path).unwrap());
    }
    field.kill(1);
    until(field, |field| field.running.with(|world| !world.radio().losses().is_empty()));
    live(field, part);
    let lasted = begun.elapsed();

    field.running.keep_busy(0);
    until(field, |field| field.running.with(|world| world.radio().busy() == 0));
    // The last of it may be under way.
    until(field, |field| faults(field).is_empty());
    count(field, &mut balancer);
    field.running.with(World::rest);
    until(field, |field| field.running.with(|world| world.radio().busy() == 0));
    count(field, &mut balancer);
    // The last of it may be under way.
    until(field, |field| faults(field).is_empty());
    field.running.with(|world| {
        let (done, lost) = (world.radio().done(), world.radio().losses().len());
        println!(
            "{} UEs registered in {registered:?}; then, in {lasted:?}: {} messages, {done:?}; {lost} UEs of the AMF that died",
            size.ues,
            world.messages(),
        );
        assert!(done.len() >= 7, "{done:?}");
        assert_eq!((world.radio().connected(), world.amfs().iter().map(|amf| amf.violations().len()).sum()), (0, 0));
    });
    let stats = balancer.stats();
    for none in ["mismatches", "refused", "malformed", "other_protocol", "unexpected"] {
        assert_eq!(stats[none], 0, "{none}: {stats}");
    }
    println!("{stats}\n{}", balancer.finish());
}

/// Waits until it has as many UEs as gNBs have: some of those whose AMF died may be reset only now.
fn count<B: Balancer>(field: &Field, balancer: &mut B) {
    let (mut stats, mut connected) = (Value::Null, 0);
    let end = Instant::now() + PATIENCE;
    while stats["ues"] != connected {
        assert!(Instant::now() < end, "{connected} UEs have a connection: {stats}");
        stats = balancer.stats();
        connected = field.running.with(|world| world.radio().connected());
    }
}

/// UEs live for a while.
fn live(field: &Field, time: Duration) {
    let before = field.running.with(|world| world.messages());
    field.running.until(time, |_| false);
    until(field, |field| field.running.with(|world| world.messages()) >= before + LEAST);
}

#[track_caller]
fn until(field: &Field, mut so: impl FnMut(&Field) -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so(field) {
        if Instant::now() > end {
            let (busy, messages) = field.running.with(|world| (world.radio().busy(), world.messages()));
            panic!("{busy} UEs wait, {messages} messages came: {:?}", faults(field));
        }
        field.running.until(Duration::from_millis(20), |_| false);
    }
}

/// The first of what is wrong.
fn faults(field: &Field) -> Vec<String> {
    let mut faults = field.running.with(|world| world.faults());
    faults.truncate(20);
    faults
}
