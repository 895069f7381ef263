//! A daemon's life under traffic of every protocol at once: what it is told, what it finds out, what it survives. The
//! clients count what is lost and who answers: nothing is, and nothing moves but what has to.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

#[path = "daemon/cast.rs"]
mod cast;

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::loaded_programs;
use serde_json::Value;
use testbeds::daemon::{Build, Configuration, Daemon, Flow, Place, Redis, Served, Traffic};
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::python::Python;
use testbeds::scenario::{Service, probe, wake};
use testbeds::sctp::Stack;
use testbeds::topology::{Families, Plan, Topology};

use cast::{AMFS, Associations, CLIENTS, ENDPOINTS, GNBS, PATIENCE, Servers, TUNNEL, tunnels};

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
/// How long traffic flows after each event.
const WHILE: Duration = Duration::from_millis(400);
/// Flows of each client.
const UDP: u16 = 4;
const TCP: u16 = 3;

/// The place where it happens.
struct Scene<'a> {
    topology: &'a Topology,
    place: &'a Place,
    begin: Instant,
}

impl Scene<'_> {
    /// Says what happens, and lets traffic flow after the event before.
    fn then(&self, event: &str) {
        sleep(WHILE);
        println!("{:5.1} s  {event}", self.begin.elapsed().as_secs_f64());
    }

    fn ask(&self, arguments: &[&str]) -> Value {
        self.place.ask(arguments).unwrap()
    }

    fn state(&self, pool: &str, name: &str) -> String {
        self.place.state(pool, name).unwrap()
    }

    fn sessions(&self) -> BTreeMap<String, String> {
        self.place.sessions().unwrap()
    }

    fn start(&self) -> Daemon {
        self.place.start(&self.topology.balancer).unwrap()
    }

    fn configure(&self, services: &[Served], more: &str) {
        let configuration = Configuration::of(self.topology, services.to_vec());
        self.place.configure(&Configuration { more: more.to_owned(), ..configuration }).unwrap();
    }

    /// What identifies the instructions of the program that the clients' packets meet.
    fn program(&self) -> u64 {
        let interface = &self.topology.clients[0].links[0].balancer.interface.name;
        let link = FdLink::from(PinnedLink::from_pin(self.place.pins().folder.link(interface)).unwrap());
        let id = link.info().unwrap().program_id();
        loaded_programs().flatten().find(|program| program.id() == id).unwrap().tag()
    }
}

#[test]
fn nothing_is_lost_and_nothing_moves_that_need_not() {
    need!(probe());
    let python = need!(Python::with_scapy());
    let stack = need!(Stack::find());
    let server = need!(Redis::find());
    let begin = Instant::now();
    let (clients, endpoints) = (CLIENTS + GNBS, ENDPOINTS + AMFS);
    let plan = Plan { clients, endpoints, paths: 2, families: Families::V4, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let _wakers = wake(&topology).unwrap();
    let (udp, tcp, n3, n2) = (
        Service::udp(false),
        Service { number: 4, ..Service::tcp(false) },
        Service::gtpu(false),
        Service::ngap(false),
    );
    let mut associations = Associations::start(&stack, &topology, &n2);
    let mut servers = Servers::start(&topology, &udp, &tcp);
    let (mut upfs, mut gnbs) = tunnels(&python, &topology, &n3);
    associations.serve();

    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("redis.sock");
    let redis = || Redis::start(&server, &topology.balancer, &socket).unwrap();
    let mut stored = Some(redis());
    let store = format!("store: '{}'\n", Redis::address(&socket));
    let place = Place::new(BINARY).unwrap();
    let scene = Scene { topology: &topology, place: &place, begin };
    let five = cast::services(&topology, &udp, &tcp, &n3, &n2);
    let four: Vec<Served> = five.iter().cloned().map(cast::without_the_fifth).collect();

    scene.configure(&four, &store);
    let mut daemon = place.start_build(Build::Program, &topology.balancer).unwrap();
    scene.then("a daemon of another build starts");
    let older = scene.program();
    let ups = [("udp4", "endpoint4"), ("tcp4", "endpoint4"), ("gtpu4", "endpoint4"), ("ngap4", "endpoint8")];
    ups.iter().for_each(|(pool, name)| wait_for(PATIENCE, || scene.state(pool, name) == "up"));

    let mut traffic = Traffic::default();
    traffic.udp(&topology.clients[..CLIENTS], &udp, 5000, UDP).unwrap();
    traffic.tcp(&topology.clients[..CLIENTS], &tcp, TCP).unwrap();
    for (name, gnb) in gnbs.drain(..) {
        traffic.add(name, gnb);
    }
    associations.open();
    scene.then("UDP, TCP, GTP-U and multi-homed SCTP flow");
    let flows = CLIENTS * usize::from(UDP + TCP + 1);
    let before = scene.sessions();
    assert_eq!(before.len(), flows + GNBS, "{before:?}");
    let owner = before.iter().find(|(session, _)| session.starts_with("ngap4")).unwrap().1.clone();
    let amf = topology.endpoints.iter().position(|host| owner.ends_with(&host.name)).unwrap();

    for endpoint in ["udp4/endpoint1", "tcp4/endpoint2", owner.as_str()] {
        scene.then(&format!("{endpoint} drains"));
        scene.ask(&["drain", endpoint]);
    }
    scene.then("endpoint3 gets another weight");
    scene.ask(&["weight", "udp4/endpoint3", "7"]);
    scene.then("endpoint1 is drained no more");
    assert!(["draining", "drained"].contains(&scene.state("udp4", "endpoint1").as_str()));
    scene.ask(&["drain", "udp4/endpoint1", "--undo"]);

    scene.then("a fifth endpoint comes, and a thousand services");
    scene.configure(&[five.clone(), cast::thousand(&udp)].concat(), &store);
    daemon.reload().unwrap();
    assert_eq!(scene.ask(&["services"]).as_array().unwrap().len(), 1004, "{}", daemon.tail());
    scene.then("the thousand go");
    scene.configure(&five, &store);
    daemon.reload().unwrap();

    scene.then("an endpoint loses a path");
    let paths = || {
        let endpoint = place.endpoint("ngap4", &topology.endpoints[amf].name).unwrap();
        endpoint["paths"].as_array().unwrap().iter().map(|path| path["up"].as_bool()).collect::<Vec<_>>()
    };
    topology.cut(&topology.endpoints[amf], 2).unwrap();
    wait_for(PATIENCE, || paths() == [Some(true), Some(false)]);
    assert_ne!(scene.state("ngap4", &topology.endpoints[amf].name), "down");
    topology.restore(&topology.endpoints[amf], 2).unwrap();
    wait_for(PATIENCE, || paths() == [Some(true), Some(true)]);

    scene.then("Redis is killed");
    let is_up = || scene.ask(&["stats"])["store"]["up"].as_bool();
    wait_for(PATIENCE, || is_up() == Some(true));
    stored.take();
    wait_for(PATIENCE, || is_up() == Some(false));

    scene.then("the daemon is killed");
    daemon.kill().unwrap();
    scene.then("a client loses a path");
    topology.cut(&topology.clients[CLIENTS], 1).unwrap();
    associations.wait_for_paths("inactive", 1);
    scene.then("the daemon is back, and so is the path");
    let daemon = place.start_build(Build::Program, &topology.balancer).unwrap();
    topology.restore(&topology.clients[CLIENTS], 1).unwrap();
    associations.wait_for_paths("active", 2);
    assert_eq!(scene.program(), older);
    assert_eq!(scene.sessions(), before, "{}", daemon.tail());
    scene.then("it is upgraded");
    assert!(daemon.stop().unwrap());
    let daemon = scene.start();
    assert_ne!(scene.program(), older, "{}", daemon.tail());
    scene.then("Redis is back, and empty");
    stored = Some(redis());
    wait_for(PATIENCE, || is_up() == Some(true));
    wait_for(PATIENCE, || stored.as_ref().is_some_and(|redis| !redis.keys("pinion:pin:*").unwrap().is_empty()));

    scene.then("the daemon is stopped, and started with other bounds");
    let bounds = "bounds: { flows: 3000, flows6: 100, pins: 10, services: 5000, targets: 8000, sources: 100 }\n";
    assert!(daemon.stop().unwrap());
    scene.configure(&five, &format!("{store}{bounds}"));
    let daemon = scene.start();
    let log = daemon.log();
    for table in ["FLOWS", "PINS", "TARGETS", "SERVICES"] {
        assert!(
            log.contains(&format!(
                "a table of the daemon before is made anew, its entries are copied table=\"{table}\""
            )),
            "{log}"
        );
    }
    scene.then("all sessions are where they were");
    let after = scene.sessions();
    assert_eq!(after, before, "{}", daemon.tail());

    // The one with the most flows, but for the one whose tunnel is configured.
    let load = |name: &String| after.values().filter(|endpoint| endpoint.ends_with(name.as_str())).count();
    let candidates = topology.endpoints[..ENDPOINTS].iter().map(|host| host.name.clone());
    let dead = candidates.filter(|name| name != TUNNEL.1).max_by_key(load).unwrap();
    let number = topology.endpoints.iter().position(|host| host.name == dead).unwrap();
    scene.then(&format!("{dead} dies, with its {} sessions; so does an AMF that has none", load(&dead)));
    servers.kill(number);
    upfs[number] = None;
    let idle = associations.kill_an_idle_one(&after);
    for pool in ["udp4", "tcp4", "gtpu4"] {
        wait_for(PATIENCE, || scene.state(pool, &dead) == "down");
    }
    wait_for(PATIENCE, || scene.state("ngap4", &idle) == "down");
    scene.then("they are known to be down");
    let movable = |session: &str| !session.starts_with("tcp4");
    wait_for(PATIENCE, || {
        scene.sessions().keys().filter(|session| movable(session)).eq(after.keys().filter(|it| movable(it)))
    });
    let last = scene.sessions();
    for (session, endpoint) in after.iter().filter(|(session, _)| movable(session)) {
        let had_to = endpoint.ends_with(&dead);
        assert_eq!(
            last[session] != *endpoint,
            had_to,
            "{session}: {endpoint}, {}\n{}",
            last[session],
            daemon.log()
        );
    }

    scene.then("the clients are asked");
    let (mut lost, mut moved, mut messages) = (0, 0, 0);
    for Flow { name, echoes } in traffic.finish().unwrap() {
        messages += echoes.sent;
        if echoes.identities.contains_key(&dead) {
            moved += 1;
            assert_eq!(echoes.identities.len(), if name.contains("tcp") { 1 } else { 2 }, "{name}: {echoes:?}");
        } else {
            lost += echoes.missing;
            assert!(echoes.whole() && echoes.only_identity().is_some(), "{name}: {echoes:?}\n{}", daemon.tail());
        }
    }
    for echoes in associations.finish() {
        messages += echoes.sent;
        lost += echoes.missing;
        assert!(echoes.whole() && echoes.only_identity().is_some(), "{echoes:?}\n{}", daemon.tail());
    }
    assert_eq!(moved, load(&dead));
    println!("{} sessions, {messages} messages, {lost} lost, {moved} moved, all of {dead}", before.len());
}
