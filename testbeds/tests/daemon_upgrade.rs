//! Daemons that take over from others: of another schema, of another layout, with bounds that do or do not fit.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use pinion_loader::schema::hash;
use testbeds::daemon::{Build, Configuration, Daemon, Flow, Place, Served, Traffic};
use testbeds::need;
use testbeds::peers::{Echoes, udp};
use testbeds::scenario::{Service, probe, wake};
use testbeds::topology::{Plan, Topology};

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const WHILE: Duration = Duration::from_millis(300);
const CLIENTS: usize = 3;
const EACH: u16 = 10;
/// Entries of `FLOWS` of all clients: there and back.
const ENTRIES: u16 = 2 * CLIENTS as u16 * EACH;

/// Clients and servers of a UDP service, and a place for its daemons.
struct Bed {
    topology: Topology,
    service: Service,
    place: Place,
    _servers: Vec<udp::Server>,
    _wakers: Vec<pinion_loader::kernel::Attached>,
}

impl Bed {
    fn new() -> Self {
        let topology = Topology::build(&Plan { clients: CLIENTS, endpoints: 3, ..Plan::default() }).unwrap();
        let service = Service::udp(false);
        let start = |host: &testbeds::topology::Host| {
            let socket = SocketAddr::new(host.addresses(false)[0], service.endpoint_port);
            udp::Server::start(&host.namespace, &host.name, &[socket]).unwrap()
        };
        let _servers = topology.endpoints.iter().map(start).collect();
        let _wakers = wake(&topology).unwrap();
        Self { topology, service, place: Place::new(BINARY).unwrap(), _servers, _wakers }
    }

    fn configure(&self, bounds: &str) {
        let services = vec![Served::by_all(self.service, &self.topology)];
        let configuration = Configuration::of(&self.topology, services);
        let more = format!("bounds: {{ {bounds} }}\n");
        self.place.configure(&Configuration { more, ..configuration }).unwrap();
    }

    fn traffic(&self) -> Traffic {
        let mut traffic = Traffic::default();
        traffic.udp(&self.topology.clients, &self.service, 5000, EACH).unwrap();
        sleep(WHILE);
        traffic
    }

    /// Flows that each begin at some moment from now on, as `beginners`.
    fn beginners(&self, traffic: &mut Traffic) {
        let host = &self.topology.clients[0];
        let (address, to) = (host.addresses(false)[0], self.service.socket());
        let bind = |port| udp::Client::bind(&host.namespace, SocketAddr::new(address, port)).unwrap();
        let mut fresh: Vec<_> = (20_000..20_400).map(bind).collect();
        traffic.add("beginners".to_owned(), move || {
            let echoes = fresh.pop().map(|mut client| client.exchange(to, 3, 64, Duration::from_millis(500)));
            echoes.unwrap_or_else(|| Ok(Echoes::default()))
        });
    }

    /// Where the sessions are that were there from the start.
    fn sessions(&self) -> BTreeMap<String, String> {
        let sessions = self.place.sessions().unwrap().into_iter();
        sessions.filter(|(session, _)| !session.contains(":20")).collect()
    }

    fn start(&self) -> Daemon {
        self.place.start(&self.topology.balancer).unwrap()
    }

    fn start_build(&self, build: Build) -> Daemon {
        self.place.start_build(build, &self.topology.balancer).unwrap()
    }

    /// Why a daemon does not start.
    fn refused(&self) -> String {
        self.place.start(&self.topology.balancer).unwrap_err().to_string()
    }
}

/// Ends traffic, of which nothing was lost and nothing moved.
fn whole(traffic: Traffic, log: &str) {
    let flows = traffic.finish().unwrap();
    assert!(flows.len() >= CLIENTS * usize::from(EACH));
    for Flow { name, echoes } in flows {
        if name == "beginners" {
            // One that begins while links are given the program one by one may miss its answers that long.
            let lost = echoes.missing + echoes.wrong;
            println!("{} messages of flows that began meanwhile, {lost} unanswered", echoes.sent);
            continue;
        }
        assert!(
            echoes.sent > 0 && echoes.whole() && echoes.only_identity().is_some(),
            "{name}: {echoes:?}\n{log}"
        );
    }
}

#[test]
fn other_bounds_cost_no_packet_and_move_no_flow() {
    need!(probe());
    let bed = Bed::new();
    bed.configure("flows: 2000, targets: 100, services: 100, maglev: 20000");
    let mut daemon = bed.start();
    let mut traffic = bed.traffic();
    let before = bed.sessions();
    assert_eq!(before.len(), CLIENTS * usize::from(EACH));
    bed.beginners(&mut traffic);
    for (bounds, copied) in [
        ("flows: 4000, targets: 100, services: 100, maglev: 20000", "FLOWS"),
        ("flows: 4000, targets: 50, services: 100, maglev: 20000", "TARGETS"),
        ("flows: 3000, targets: 200, services: 300, maglev: 30000", "SERVICES"),
    ] {
        daemon.kill().unwrap();
        bed.configure(bounds);
        daemon = bed.start();
        assert!(daemon.tail().contains(&format!("table=\"{copied}\"")), "{}", daemon.tail());
        assert_eq!(bed.sessions(), before, "{}", daemon.tail());
        sleep(WHILE);
    }
    whole(traffic, &daemon.tail());
    let counted = bed.place.ask(&["stats"]).unwrap()["sessions"].as_u64().unwrap();
    assert_eq!(counted, bed.place.sessions().unwrap().len() as u64);
}

#[test]
fn bounds_that_do_not_fit_are_refused_before_anything_changes() {
    need!(probe());
    let bed = Bed::new();
    bed.configure("flows: 1000");
    let daemon = bed.start();
    let traffic = bed.traffic();
    let before = bed.sessions();
    assert!(daemon.stop().unwrap());
    bed.configure(&format!("flows: {}", ENTRIES - 1));
    let refusal = bed.refused();
    let words = format!("FLOWS needs {ENTRIES} entries for what is in it, and bounds.flows is {}", ENTRIES - 1);
    assert!(refusal.contains(&words), "{refusal}");
    sleep(WHILE);
    bed.configure(&format!("flows: {ENTRIES}"));
    let daemon = bed.start();
    assert_eq!(bed.sessions(), before, "{}", daemon.tail());
    sleep(WHILE);
    whole(traffic, &daemon.tail());
}

#[test]
fn another_schema_is_taken_over() {
    need!(probe());
    let bed = Bed::new();
    bed.configure("flows: 1000");
    let daemon = bed.start_build(Build::Counters);
    let folders = || fs::read_dir(bed.place.pins().root()).unwrap().map(|entry| entry.unwrap().file_name());
    let other = folders().find(|name| name.len() == hash().len() && *name != *hash()).unwrap();
    let traffic = bed.traffic();
    let before = bed.sessions();
    assert!(daemon.stop().unwrap());
    sleep(WHILE);
    let daemon = bed.start();
    assert_eq!(bed.sessions(), before, "{}", daemon.tail());
    assert!(folders().any(|name| *name == *hash()) && folders().all(|name| name != other), "{}", daemon.tail());
    sleep(WHILE);
    // And back.
    daemon.kill().unwrap();
    let daemon = bed.start_build(Build::Counters);
    assert_eq!(bed.sessions(), before, "{}", daemon.tail());
    assert!(folders().any(|name| name == other), "{}", daemon.tail());
    whole(traffic, &daemon.tail());
}

#[test]
fn another_layout_is_refused_with_what_to_type() {
    need!(probe());
    let bed = Bed::new();
    bed.configure("flows: 1000");
    let daemon = bed.start_build(Build::Flows);
    let traffic = bed.traffic();
    assert!(daemon.stop().unwrap());
    let refusal = bed.refused();
    assert!(refusal.contains("/FLOWS is ") && refusal.contains("Flow.SEEN at "), "{refusal}");
    let typed = refusal.split_once("type `rm -r ").and_then(|(_, rest)| rest.split_once('`')).unwrap().0;
    assert!(Path::new(typed).starts_with(bed.place.pins().root()), "{refusal}");
    // Who runs the build of before loses nothing.
    sleep(WHILE);
    let daemon = bed.start_build(Build::Flows);
    whole(traffic, &daemon.tail());
    daemon.kill().unwrap();
    fs::remove_dir_all(typed).unwrap();
    let daemon = bed.start();
    assert_eq!(bed.sessions().len(), 0, "{}", daemon.tail());
    whole(bed.traffic(), &daemon.tail());
}
