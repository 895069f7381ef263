//! The daemon under traffic: what it is told, what it finds out, and what it survives. The clients count what is lost
//! and who answers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use testbeds::daemon::{Configuration, Flow, Place, Served, Traffic};
use testbeds::need;
use testbeds::peers::{gtpu, tcp, udp};
use testbeds::python::Python;
use testbeds::scenario::{Service, probe, wake};
use testbeds::sctp::{Connect, Peer, Server, Stack};
use testbeds::topology::{Families, Plan, Topology};

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const PATIENCE: Duration = Duration::from_secs(20);
/// How long traffic flows after each change.
const WHILE: Duration = Duration::from_millis(400);
const N2: &str = "n2";

/// Servers of every protocol on every endpoint.
struct Servers {
    udp: Vec<Option<udp::Server>>,
    _tcp: Vec<tcp::Server>,
}

impl Servers {
    fn start(topology: &Topology, udp: &Service, tcp: &Service) -> Self {
        let sockets = |host: &testbeds::topology::Host, service: &Service| -> Vec<_> {
            host.addresses(false).iter().map(|it| SocketAddr::new(*it, service.endpoint_port)).collect()
        };
        let each = topology.endpoints.iter();
        Self {
            udp: each
                .clone()
                .map(|host| Some(udp::Server::start(&host.namespace, &host.name, &sockets(host, udp)).unwrap()))
                .collect(),
            _tcp: each
                .map(|host| tcp::Server::start(&host.namespace, &host.name, &sockets(host, tcp)).unwrap())
                .collect(),
        }
    }
}

/// Nothing that an operator does, and no death of the daemon, costs a packet or moves a session.
#[test]
fn nothing_is_lost_and_nothing_moves_that_need_not() {
    need!(probe());
    let python = need!(gtpu::find());
    let topology = Topology::build(&Plan { clients: 3, endpoints: 5, ..Plan::default() }).unwrap();
    let _wakers = wake(&topology).unwrap();
    let (udp, tcp, gtpu) =
        (Service::udp(false), Service { number: 4, ..Service::tcp(false) }, Service::gtpu(false));
    let _servers = Servers::start(&topology, &udp, &tcp);
    let place = Place::new(BINARY).unwrap();
    let all = |service| Served::by_all(service, &topology);
    let mut four = [all(udp), all(tcp), all(gtpu)];
    four[2].more.push("unknown: hash".to_owned());
    let five = four.clone();
    for served in &mut four {
        served.endpoints.pop();
    }
    place.configure(&Configuration::of(&topology, four.to_vec())).unwrap();
    let mut daemon = place.start(&topology.balancer).unwrap();

    let mut traffic = Traffic::default();
    traffic.udp(&topology, &udp, 5000, 4).unwrap();
    traffic.tcp(&topology, &tcp, 3).unwrap();
    let _upfs = tunnels(&python, &mut traffic, &topology, &gtpu);
    sleep(WHILE);
    let before = sessions(&place);

    place.ask(&["drain", "udp4/endpoint1"]).unwrap();
    place.ask(&["drain", "tcp4/endpoint2"]).unwrap();
    sleep(WHILE);
    let drained = state(&place, "udp4", "endpoint1");
    assert!(["draining", "drained"].contains(&drained.as_str()), "{drained}");
    place.ask(&["weight", "udp4/endpoint3", "7"]).unwrap();
    sleep(WHILE);
    place.ask(&["drain", "udp4/endpoint1", "--undo"]).unwrap();
    sleep(WHILE);

    // The fifth endpoint, and a thousand services more.
    let mut many = five.to_vec();
    many.extend(thousand(&udp));
    place.configure(&Configuration::of(&topology, many)).unwrap();
    daemon.reload().unwrap();
    assert_eq!(place.ask(&["services"]).unwrap().as_array().unwrap().len(), 1003, "{}", daemon.log());
    sleep(WHILE);
    place.configure(&Configuration::of(&topology, five.to_vec())).unwrap();
    daemon.reload().unwrap();
    sleep(WHILE);

    daemon.kill().unwrap();
    sleep(WHILE);
    let daemon = place.start(&topology.balancer).unwrap();
    sleep(WHILE);
    assert!(daemon.stop().unwrap());
    sleep(WHILE);
    let daemon = place.start(&topology.balancer).unwrap();
    sleep(WHILE);
    let after = sessions(&place);

    let flows = traffic.finish().unwrap();
    assert_eq!(flows.len(), 3 * (4 + 3 + 1));
    for Flow { name, echoes } in &flows {
        assert!(echoes.whole() && echoes.only_identity().is_some(), "{name}: {echoes:?}\n{}", daemon.log());
    }
    // What the daemon says is what the clients saw.
    assert_eq!(before, after);
    assert_eq!(before.len(), 3 * (4 + 3 + 1));
}

/// When an endpoint dies, its sessions go elsewhere, and nobody else's do.
#[test]
fn a_dead_endpoint_costs_its_own_sessions_alone() {
    need!(probe());
    let topology = Topology::build(&Plan { clients: 3, endpoints: 5, ..Plan::default() }).unwrap();
    let _wakers = wake(&topology).unwrap();
    let (udp, tcp) = (Service::udp(false), Service { number: 4, ..Service::tcp(false) });
    let mut servers = Servers::start(&topology, &udp, &tcp);
    let place = Place::new(BINARY).unwrap();
    let mut served = Served::by_all(udp, &topology);
    served
        .pool
        .push("health: { kind: udp, payload: probe, answer: true, interval: 100ms, timeout: 100ms }".to_owned());
    place.configure(&Configuration::of(&topology, vec![served])).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();
    wait_for(|| (1..=5).all(|number| state(&place, "udp4", &format!("endpoint{number}")) == "up"));

    let mut traffic = Traffic::default();
    traffic.udp(&topology, &udp, 5000, 6).unwrap();
    sleep(WHILE);
    let before = sessions(&place);
    let dead = before.values().next().unwrap().clone();
    let number = topology.endpoints.iter().position(|host| dead.ends_with(&host.name)).unwrap();
    servers.udp[number] = None;
    wait_for(|| state(&place, "udp4", &topology.endpoints[number].name) == "down");
    // A client that waits for an answer sends again only when it has given up.
    wait_for(|| sessions(&place).len() == before.len());
    let after = sessions(&place);
    for (session, endpoint) in &before {
        let now = &after[session];
        if *endpoint == dead {
            assert_ne!(*now, dead, "{session} did not move\n{}", daemon.log());
        } else {
            assert_eq!(now, endpoint, "{session} moved\n{}", daemon.log());
        }
    }
    for Flow { name, echoes } in traffic.finish().unwrap() {
        let had_to = echoes.identities.contains_key(topology.endpoints[number].name.as_str());
        assert!(had_to || (echoes.whole() && echoes.only_identity().is_some()), "{name}: {echoes:?}");
        assert!(!had_to || echoes.identities.len() == 2, "{name}: {echoes:?}");
    }
    // It comes back: nothing moves to it that is elsewhere.
    let host = &topology.endpoints[number];
    let sockets: Vec<_> =
        host.addresses(false).iter().map(|address| SocketAddr::new(*address, udp.endpoint_port)).collect();
    servers.udp[number] = Some(udp::Server::start(&host.namespace, &host.name, &sockets).unwrap());
    wait_for(|| state(&place, "udp4", &host.name) == "up");
    assert_eq!(sessions(&place), after);
}

/// Multi-homed associations outlive the daemon, its configuration and a path.
#[test]
fn associations_outlive_daemons_and_paths() {
    need!(probe());
    let stack = need!(Stack::find());
    let plan = Plan { clients: 2, endpoints: 3, paths: 2, families: Families::V4, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let _wakers = wake(&topology).unwrap();
    let service = Service::ngap(false);
    let mut amfs: Vec<Peer> = topology.endpoints.iter().map(|host| stack.start(host).unwrap()).collect();
    let mut gnbs: Vec<Peer> = topology.clients.iter().map(|host| stack.start(host).unwrap()).collect();
    for (amf, host) in amfs.iter_mut().zip(&topology.endpoints) {
        let (identity, addresses) = (host.name.clone(), host.addresses(false));
        amf.serve(&Server { identity, addresses, port: service.endpoint_port, streams: 4 }).unwrap();
    }
    let place = Place::new(BINARY).unwrap();
    let mut served = Served::by_all(service, &topology);
    served.pool.push("health: { kind: sctp, interval: 200ms, timeout: 200ms }".to_owned());
    place.configure(&Configuration::of(&topology, vec![served.clone()])).unwrap();
    let mut daemon = place.start(&topology.balancer).unwrap();
    wait_for(|| (1..=3).all(|number| state(&place, "ngap4", &format!("endpoint{number}")) == "up"));

    let services = service.addresses(2);
    for (gnb, host) in gnbs.iter_mut().zip(&topology.clients) {
        gnb.connect(&Connect::ngap(N2, host.addresses(false), 9487, services.clone(), service.port)).unwrap();
        gnb.start_flow(N2, 100, Duration::from_millis(10)).unwrap();
    }
    sleep(WHILE);
    let before = sessions(&place);
    assert_eq!(before.len(), 2);
    let owner = before.values().next().unwrap().clone();
    place.ask(&["drain", &owner]).unwrap();
    sleep(WHILE);
    place
        .configure(&Configuration::of(&topology, vec![served, Served::by_all(Service::udp(false), &topology)]))
        .unwrap();
    daemon.reload().unwrap();
    sleep(WHILE);
    daemon.kill().unwrap();
    // A path of a client goes while no daemon is there.
    topology.cut(&topology.clients[0], 1).unwrap();
    wait_for(|| gnbs[0].association(N2).unwrap().paths_that_are("inactive").len() == 1);
    let daemon = place.start(&topology.balancer).unwrap();
    topology.restore(&topology.clients[0], 1).unwrap();
    wait_for(|| gnbs[0].association(N2).unwrap().paths_that_are("active").len() == 2);
    // A path of an endpoint goes: the endpoint is up, the path is not.
    let host = topology.endpoints.iter().find(|host| owner.ends_with(&host.name)).unwrap();
    topology.cut(host, 2).unwrap();
    wait_for(|| paths(&place, "ngap4", &host.name) == [Some(true), Some(false)]);
    assert_ne!(state(&place, "ngap4", &host.name), "down");
    topology.restore(host, 2).unwrap();
    wait_for(|| paths(&place, "ngap4", &host.name) == [Some(true), Some(true)]);
    assert_eq!(sessions(&place), before, "{}", daemon.log());
    for gnb in &mut gnbs {
        let echoes = gnb.finish_flow(N2, PATIENCE).unwrap();
        assert!(echoes.whole() && echoes.only_identity().is_some(), "{echoes:?}\n{}", daemon.log());
    }
}

/// A tunnel of every client, placed by hashing, and user planes at every endpoint.
fn tunnels(python: &Python, traffic: &mut Traffic, topology: &Topology, service: &Service) -> Vec<gtpu::Upf> {
    let teids: Vec<u32> = (0..topology.clients.len() as u32).map(|number| 0x1001 + number).collect();
    let downlinks: BTreeMap<u32, u32> = teids.iter().map(|teid| (*teid, teid + 0x1000)).collect();
    let upfs = topology.endpoints.iter().map(|host| {
        let (addresses, port) = (host.addresses(false), service.endpoint_port);
        gtpu::Upf::start(python, &host.namespace, &host.name, &addresses, port, &downlinks).unwrap()
    });
    let upfs = upfs.collect();
    for (host, teid) in topology.clients.iter().zip(teids) {
        let local = SocketAddr::new(host.addresses(false)[0], service.port);
        let mut gnb = gtpu::Gnb::start(python, &host.namespace, local).unwrap();
        let to = service.socket();
        let session = gtpu::Session {
            uplink: teid,
            downlink: teid + 0x1000,
            terminal: "10.60.0.1".parse().unwrap(),
            beyond: "192.0.2.1".parse().unwrap(),
            qfi: Some(9),
        };
        let exchange = move || gnb.send(to, &session, 5, 100, Duration::from_secs(5));
        traffic.add(format!("{} gtpu {teid:#x}", host.name), exchange);
    }
    upfs
}

/// A thousand services that nobody uses.
fn thousand(like: &Service) -> Vec<Served> {
    let service = |number: usize| {
        let name: &'static str = Box::leak(format!("spare-{number}").into_boxed_str());
        Served {
            service: Service { name, ..*like },
            addresses: vec![format!("203.0.113.{}", number / 10)],
            endpoints: vec![(
                format!("spare-{number}"),
                vec![format!("10.200.{}.{}", number / 200, number % 200 + 1)],
                1,
            )],
            more: Vec::new(),
            pool: Vec::new(),
        }
    };
    let mut all: Vec<Served> = (0..1000).map(service).collect();
    for (number, served) in all.iter_mut().enumerate() {
        served.service.port = 10_000 + (number % 10) as u16;
    }
    all
}

/// Where every session is, by its key.
fn sessions(place: &Place) -> BTreeMap<String, String> {
    let list = place.ask(&["sessions", "--all"]).unwrap();
    let text = |session: &Value, key: &str| session[key].as_str().unwrap().to_owned();
    let sessions = list.as_array().unwrap().iter();
    sessions.map(|it| (format!("{} {}", text(it, "service"), text(it, "key")), text(it, "endpoint"))).collect()
}

fn endpoint(place: &Place, pool: &str, name: &str) -> Value {
    let list = place.ask(&["endpoints"]).unwrap();
    let mut found = list.as_array().unwrap().iter().filter(|it| it["pool"] == pool && it["name"] == name);
    found.next().unwrap().clone()
}

fn state(place: &Place, pool: &str, name: &str) -> String {
    endpoint(place, pool, name)["state"].as_str().unwrap().to_owned()
}

fn paths(place: &Place, pool: &str, name: &str) -> Vec<Option<bool>> {
    endpoint(place, pool, name)["paths"].as_array().unwrap().iter().map(|path| path["up"].as_bool()).collect()
}

fn wait_for(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "it did not happen within {PATIENCE:?}");
        sleep(Duration::from_millis(50));
    }
}
