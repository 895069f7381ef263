//! UDP and TCP by kernel sockets, through XDP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use pinion_steering::{FlowKind, Reason, State};
use testbeds::checksums::Judge;
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::peers::{Echoes, tcp, udp};
use testbeds::scenario::{Captures, Scenario, Service, probe};
use testbeds::topology::{Plan, Topology};

const WAIT: Duration = Duration::from_secs(5);
/// Flows of each client.
const FLOWS: u16 = 10;
/// Messages of each flow.
const MESSAGES: u64 = 5;
const PLAN: Plan =
    Plan { clients: 3, endpoints: 3, paths: 1, families: testbeds::topology::Families::Both, mtu: 1500 };
const SESSIONS: usize = 3 * FLOWS as usize;

#[test]
fn udp_over_ipv4() {
    udp(false);
}

#[test]
fn udp_over_ipv6() {
    udp(true);
}

#[test]
fn tcp_over_ipv4() {
    tcp(false);
}

#[test]
fn tcp_over_ipv6() {
    tcp(true);
}

fn udp(v6: bool) {
    need!(probe());
    let service = Service::udp(v6);
    let topology = Topology::build(&PLAN).unwrap();
    let mut scenario = Scenario::start(&topology, &[service.spec(&topology)]).unwrap();
    let mut captures = Captures::start(&topology).unwrap();
    let servers = topology
        .endpoints
        .iter()
        .map(|host| udp::Server::start(&host.namespace, &host.name, &service.sockets(host)).unwrap());
    let servers: Vec<_> = servers.collect();
    let mut clients = Vec::new();
    for host in &topology.clients {
        for port in 5000..5000 + FLOWS {
            let local = SocketAddr::new(host.addresses(v6)[0], port);
            clients.push(udp::Client::bind(&host.namespace, local).unwrap());
        }
    }

    let first = round(&mut clients, |client| client.exchange(service.socket(), MESSAGES, 200, WAIT).unwrap());
    spread(&first);
    let sent = MESSAGES * SESSIONS as u64;
    let served: u64 = servers.iter().map(udp::Server::messages).sum();
    assert_eq!(served, sent);
    went_through_xdp(&scenario, 2 * sent);
    // A pin for each direction of each flow.
    assert_eq!(scenario.pins_in(FlowKind::Tuple, State::Established).unwrap(), 2 * SESSIONS);

    // One endpoint gets no new flows any more: its own stay with it.
    let mut fewer = service.spec(&topology);
    let gone = fewer.endpoints.remove(0).name;
    scenario.apply(&[fewer]).unwrap();
    let second = round(&mut clients, |client| client.exchange(service.socket(), MESSAGES, 200, WAIT).unwrap());
    assert_eq!(owners(&first), owners(&second));
    let host = &topology.clients[0];
    for port in 6000..6000 + FLOWS {
        let local = SocketAddr::new(host.addresses(v6)[0], port);
        let mut client = udp::Client::bind(&host.namespace, local).unwrap();
        let echoes = client.exchange(service.socket(), 1, 200, WAIT).unwrap();
        assert!(echoes.whole() && !echoes.identities.contains_key(&gone), "{echoes:?}");
    }
    assert!(captures.finish().unwrap() > 4 * sent);
    let judge = need!(Judge::find());
    assert_eq!(captures.wrong_checksums(&judge, &topology).unwrap(), []);
    // There was something to judge.
    let back = judge.count(&captures.file(&topology.clients[0], 1), "udp.srcport == 7000 && udp.checksum != 0");
    assert_eq!(back.unwrap() as u64, 2 * MESSAGES * u64::from(FLOWS) + u64::from(FLOWS));
}

fn tcp(v6: bool) {
    need!(probe());
    let service = Service::tcp(v6);
    let topology = Topology::build(&PLAN).unwrap();
    let scenario = Scenario::start(&topology, &[service.spec(&topology)]).unwrap();
    let mut captures = Captures::start(&topology).unwrap();
    let servers = topology
        .endpoints
        .iter()
        .map(|host| tcp::Server::start(&host.namespace, &host.name, &service.sockets(host)).unwrap());
    let _servers: Vec<_> = servers.collect();
    let mut clients = Vec::new();
    for host in &topology.clients {
        for _ in 0..FLOWS {
            clients.push(tcp::Client::connect(&host.namespace, service.socket(), WAIT).unwrap());
        }
    }
    // As long as several segments.
    let echoes = round(&mut clients, |client| client.exchange(MESSAGES, 5000, WAIT).unwrap());
    spread(&echoes);
    went_through_xdp(&scenario, 2 * (2 + 4 * MESSAGES) * SESSIONS as u64);
    assert_eq!(scenario.pins_in(FlowKind::Tuple, State::Established).unwrap(), 2 * SESSIONS);
    drop(clients);
    wait_for(WAIT, || scenario.pins_in(FlowKind::Tuple, State::Closing).unwrap() == 2 * SESSIONS);

    captures.finish().unwrap();
    let judge = need!(Judge::find());
    assert_eq!(captures.wrong_checksums(&judge, &topology).unwrap(), []);
    let file = captures.file(&topology.clients[0], 1);
    assert!(judge.count(&file, "tcp.srcport == 7000 && tcp.len > 1000").unwrap() > 0);
    assert_eq!(judge.count(&file, "tcp.flags.reset == 1 || tcp.analysis.lost_segment").unwrap(), 0);
}

/// Exchanges on every flow: each is answered whole, by one endpoint alone.
fn round<C>(clients: &mut [C], mut exchange: impl FnMut(&mut C) -> Echoes) -> Vec<Echoes> {
    let mut all = Vec::new();
    for client in clients {
        let echoes = exchange(client);
        assert!(echoes.whole() && echoes.only_identity().is_some(), "{echoes:?}");
        all.push(echoes);
    }
    all
}

fn owners(flows: &[Echoes]) -> Vec<&str> {
    flows.iter().filter_map(Echoes::only_identity).collect()
}

/// Every endpoint has some of the flows.
fn spread(flows: &[Echoes]) {
    let each = owners(flows).into_iter().fold(BTreeMap::new(), |mut each: BTreeMap<_, u32>, owner| {
        *each.entry(owner).or_default() += 1;
        each
    });
    let names: BTreeSet<_> = each.keys().copied().collect();
    assert_eq!(names, BTreeSet::from(["endpoint1", "endpoint2", "endpoint3"]), "{each:?}");
}

/// At least `packets` were steered, by far the most of them without the kernel's stack: that one carries only
/// what comes before a neighbour's link address is known.
fn went_through_xdp(scenario: &Scenario, packets: u64) {
    let count = |reason| scenario.count(reason).unwrap();
    let unresolved = count(Reason::Unresolved);
    let (placed, pinned, replied) = (count(Reason::Placed), count(Reason::Pinned), count(Reason::Replied));
    let counted = scenario.counted().unwrap();
    assert!(unresolved <= 6 * 2, "{counted:?}");
    assert!(placed <= SESSIONS as u64 && placed + unresolved >= SESSIONS as u64, "{counted:?}");
    assert!(placed + pinned + replied + unresolved >= packets, "{counted:?}");
    assert!(pinned.abs_diff(replied) <= packets / 2, "{counted:?}");
}
