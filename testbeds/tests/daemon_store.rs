//! Tunnels that are configured, and the store that they are written behind to: what it does, and whether it is there
//! at all, costs no packet and moves no session.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use pinion_loader::kernel::Attached;
use serde_json::Value;
use tempfile::TempDir;
use testbeds::daemon::{Configuration, Daemon, Flow, Place, Redis, Served, Traffic};
use testbeds::missing::Missing;
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::peers::gtpu;
use testbeds::python::Python;
use testbeds::scenario::{Service, probe, wake};
use testbeds::topology::{Host, Plan, Topology};

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const PATIENCE: Duration = Duration::from_secs(20);
/// How long traffic flows after each change.
const WHILE: Duration = Duration::from_millis(400);

/// TEIDs that clients send to, the endpoints that get them, and the TEIDs that those know them by.
const TUNNELS: [(u32, &str, u32); 3] =
    [(0x1001, "endpoint3", 0x2001), (0x1002, "endpoint1", 0x2002), (0x1003, "endpoint2", 0x1003)];
/// What the endpoints answer by, counted from the TEID that they know.
const DOWN: u32 = 0x0010_0000;

/// Clients, endpoints, and what a store between them takes.
struct Bed {
    python: Python,
    redis: PathBuf,
    topology: Topology,
    folder: TempDir,
    _wakers: Vec<Attached>,
}

impl Bed {
    fn new() -> Result<Self, Missing> {
        probe()?;
        let (python, redis) = (Python::with_scapy()?, Redis::find()?);
        let topology = Topology::build(&Plan { clients: 3, endpoints: 3, ..Plan::default() }).unwrap();
        let _wakers = wake(&topology).unwrap();
        Ok(Self { python, redis, topology, folder: tempfile::tempdir().unwrap(), _wakers })
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// An empty store.
    fn redis(&self) -> Redis {
        Redis::start(&self.redis, &self.topology.balancer, &self.socket()).unwrap()
    }

    fn configure(&self, place: &Place, tunnels: &[(u32, &str, u32)]) {
        place.configure(&configuration(&self.topology, tunnels, Some(&self.socket()))).unwrap();
    }

    fn start(&self, place: &Place) -> Daemon {
        place.start(&self.topology.balancer).unwrap()
    }

    /// User planes that know all tunnels, whichever they get: a packet at the wrong one is answered, and seen.
    fn upfs(&self) -> Vec<gtpu::Upf> {
        let downlinks: BTreeMap<u32, u32> = TUNNELS.iter().map(|(.., theirs)| (*theirs, theirs + DOWN)).collect();
        let start = |host: &Host| {
            gtpu::Upf::start(&self.python, &host.namespace, &host.name, &host.addresses(false), 2152, &downlinks)
                .unwrap()
        };
        self.topology.endpoints.iter().map(start).collect()
    }

    /// A client for each tunnel.
    fn traffic(&self) -> Traffic {
        let (mut traffic, to) = (Traffic::default(), Service::gtpu(false).socket());
        for (host, (teid, endpoint, theirs)) in self.topology.clients.iter().zip(TUNNELS) {
            let local = SocketAddr::new(host.addresses(false)[0], 2152);
            let mut gnb = gtpu::Gnb::start(&self.python, &host.namespace, local).unwrap();
            let session = gtpu::Session {
                uplink: teid,
                downlink: theirs + DOWN,
                terminal: "10.60.0.1".parse().unwrap(),
                beyond: "192.0.2.1".parse().unwrap(),
                qfi: Some(9),
            };
            traffic.add(endpoint.to_owned(), move || gnb.send(to, &session, 5, 100, Duration::from_secs(5)));
        }
        traffic
    }
}

#[test]
fn neither_the_store_nor_the_daemon_is_needed_for_what_is_pinned() {
    let bed = need!(Bed::new());
    let mut redis = bed.redis();
    let place = Place::new(BINARY).unwrap();
    bed.configure(&place, &TUNNELS);
    let mut daemon = bed.start(&place);
    let expected = expected(&TUNNELS);
    assert_eq!(sessions(&place), expected, "{}", daemon.log());
    explained(&place);

    let _upfs = bed.upfs();
    let traffic = bed.traffic();
    wait_for(PATIENCE, || store(&place)["up"] == true);
    let stored = keys();
    wait_for(PATIENCE, || redis.keys("pinion:pin:*").unwrap() == stored);

    redis.pause().unwrap();
    wait_for(PATIENCE, || store(&place)["up"] == false);
    println!("paused: {}", store(&place));
    assert_ne!(store(&place)["why"], "");
    sleep(WHILE);
    redis.resume().unwrap();
    wait_for(PATIENCE, || store(&place)["up"] == true && store(&place)["lag_seconds"] == 0.0);
    println!("resumed: {}", store(&place));

    drop(redis);
    wait_for(PATIENCE, || store(&place)["up"] == false);
    println!("killed: {}", store(&place));
    // What is to be written waits meanwhile, and it is seen for how long.
    let fourth = (0x1004, "endpoint1", 0x1004);
    bed.configure(&place, &[&TUNNELS[..], &[fourth]].concat());
    daemon.reload().unwrap();
    assert_eq!(sessions(&place).len(), 4);
    wait_for(PATIENCE, || store(&place)["waiting"] == 1 && store(&place)["lag_seconds"].as_f64().unwrap() > 0.0);
    println!("killed, with a change: {}", store(&place));
    bed.configure(&place, &TUNNELS);
    daemon.reload().unwrap();
    assert_eq!(sessions(&place), expected);

    let redis = bed.redis();
    wait_for(PATIENCE, || redis.keys("pinion:pin:*").unwrap() == stored);
    wait_for(PATIENCE, || store(&place)["up"] == true && store(&place)["waiting"] == 0);
    println!("back, and was empty: {}", store(&place));

    drop(redis);
    daemon.kill().unwrap();
    sleep(WHILE);
    let daemon = bed.start(&place);
    assert_eq!(sessions(&place), expected, "{}", daemon.log());
    assert_eq!(store(&place)["up"], false);
    sleep(WHILE);
    assert!(origins(&place).iter().all(|origin| origin == "configured"), "{}", daemon.log());

    // Every flow's endpoint is the one that is configured, so that none has ever moved.
    whole(traffic, &daemon.log());

    // The file says nothing of tunnels any more: what the daemon before left in the kernel is all that there is.
    daemon.kill().unwrap();
    bed.configure(&place, &[]);
    let again = bed.traffic();
    let daemon = bed.start(&place);
    assert_eq!(sessions(&place), expected, "{}", daemon.log());
    assert!(origins(&place).iter().all(|origin| origin == "restored"), "{}", daemon.log());
    sleep(WHILE);
    whole(again, &daemon.log());
}

/// Another node has neither the kernel's maps nor the tunnels in its file: it knows from the store alone.
#[test]
fn another_node_has_the_pins_from_the_store_before_it_is_ready() {
    let bed = need!(Bed::new());
    let redis = bed.redis();
    let _upfs = bed.upfs();

    let first = Place::new(BINARY).unwrap();
    bed.configure(&first, &TUNNELS);
    let daemon = bed.start(&first);
    wait_for(PATIENCE, || redis.keys("pinion:pin:*").unwrap() == keys());
    let before = bed.traffic();
    sleep(WHILE);
    whole(before, &daemon.log());
    daemon.kill().unwrap();
    // With it go its maps, and the programs that steered by them.
    drop(first);

    let second = Place::new(BINARY).unwrap();
    bed.configure(&second, &[]);
    let daemon = bed.start(&second);
    assert_eq!(sessions(&second), expected(&TUNNELS), "{}", daemon.log());
    assert!(origins(&second).iter().all(|origin| origin == "restored"), "{}", daemon.log());
    // A list that is asked for is late to the moment of READY=1: the log knows the order.
    let log = daemon.log();
    let (restored, ready) = (log.find("3 pins restored").unwrap(), log.find("ready: ").unwrap());
    assert!(restored < ready, "{log}");
    let after = bed.traffic();
    sleep(WHILE);
    whole(after, &daemon.log());
    assert_eq!(redis.keys("pinion:pin:*").unwrap(), keys());
}

/// A reload pins what is new, moves what is changed and ends what is gone.
#[test]
fn tunnels_follow_the_file() {
    need!(probe());
    let topology = Topology::build(&Plan { clients: 1, endpoints: 3, ..Plan::default() }).unwrap();
    let place = Place::new(BINARY).unwrap();
    let configure = |tunnels: &[(u32, &str, u32)]| {
        place.configure(&configuration(&topology, tunnels, None)).unwrap();
    };
    configure(&TUNNELS);
    let mut daemon = place.start(&topology.balancer).unwrap();
    let changed = [TUNNELS[0], (0x1002, "endpoint3", 0x2002), (0x1004, "endpoint1", 0x1004)];
    configure(&changed);
    daemon.reload().unwrap();
    assert_eq!(sessions(&place), expected(&changed), "{}", daemon.log());
    // A file that is wrong changes nothing.
    configure(&[(0, "endpoint1", 1)]);
    daemon.reload().unwrap();
    assert_eq!(sessions(&place), expected(&changed), "{}", daemon.log());
    // Nor does what was pinned elsewhere by the file before outlive one that a new daemon reads.
    daemon.kill().unwrap();
    let moved = [(0x1001, "endpoint1", 7), changed[1], changed[2]];
    configure(&moved);
    let mut daemon = place.start(&topology.balancer).unwrap();
    assert_eq!(sessions(&place), expected(&moved), "{}", daemon.log());
    configure(&[]);
    daemon.reload().unwrap();
    assert_eq!(sessions(&place), BTreeMap::new(), "{}", daemon.log());
}

/// A service that knows tunnels alone: what no pin leads is dropped.
fn configuration(topology: &Topology, tunnels: &[(u32, &str, u32)], store: Option<&Path>) -> Configuration {
    let mut served = Served::by_all(Service::gtpu(false), topology);
    if !tunnels.is_empty() {
        served.more.push("tunnels:".to_owned());
    }
    for (teid, endpoint, theirs) in tunnels {
        let theirs = if teid == theirs { String::new() } else { format!(", endpoint_teid: {theirs}") };
        served.more.push(format!("  - {{ teid: {teid:#x}, endpoint: {endpoint}{theirs} }}"));
    }
    let mut configuration = Configuration::of(topology, vec![served]);
    if let Some(socket) = store {
        configuration.more = format!("store: '{}'\n", Redis::address(socket));
    }
    configuration
}

/// What is to be listed: TEID, the endpoint's TEID, where.
fn expected(tunnels: &[(u32, &str, u32)]) -> BTreeMap<u64, (u64, String)> {
    let one = |(teid, endpoint, theirs): &(u32, &str, u32)| {
        (u64::from(*teid), (u64::from(*theirs), format!("gtpu4/{endpoint}")))
    };
    tunnels.iter().map(one).collect()
}

/// What the store is to hold: a key for each tunnel.
fn keys() -> Vec<String> {
    let address = Service::gtpu(false).socket().ip();
    TUNNELS.iter().map(|(teid, ..)| format!("pinion:pin:{address}/{teid:08x}")).collect()
}

fn list(place: &Place) -> Vec<Value> {
    place.ask(&["sessions", "--all"]).unwrap().as_array().unwrap().clone()
}

fn sessions(place: &Place) -> BTreeMap<u64, (u64, String)> {
    let number = |session: &Value, key: &str| session[key].as_u64().unwrap();
    let of = |it: &Value| {
        let endpoint = it["endpoint"].as_str().unwrap().to_owned();
        (number(it, "teid"), (number(it, "endpoint_teid"), endpoint))
    };
    list(place).iter().map(of).collect()
}

fn origins(place: &Place) -> Vec<String> {
    list(place).iter().map(|it| it["origin"].as_str().unwrap().to_owned()).collect()
}

/// A tunnel says that the configuration pinned it.
fn explained(place: &Place) {
    let said = place.ask(&["explain", "teid:0x1001"]).unwrap().to_string();
    assert!(said.contains("the configuration") && said.contains("gtpu4/endpoint3"), "{said}");
}

fn store(place: &Place) -> Value {
    place.ask(&["stats"]).unwrap()["store"].clone()
}

/// Ends traffic: nothing was lost, and every flow's endpoint was the one that is configured, all the time.
fn whole(traffic: Traffic, log: &str) {
    let flows = traffic.finish().unwrap();
    assert_eq!(flows.len(), TUNNELS.len());
    for Flow { name, echoes } in &flows {
        println!("{name}: {} sent, {} echoed", echoes.sent, echoes.echoed);
        assert!(echoes.sent > 0 && echoes.whole(), "{name}: {echoes:?}\n{log}");
        assert_eq!(echoes.only_identity(), Some(name.as_str()), "{echoes:?}\n{log}");
    }
}
