//! Uplink classification (TS 23.501 5.6.4.2) with real packets: users' packets that leave their tunnel, go to another
//! UPF, or stay where they are.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use pinion_loader::setup::{EndpointSpec, ServiceSpec};
use pinion_loader::{Maps as _, filters};
use pinion_protocols::pfcp::{self, Cause, MessageType};
use pinion_steering::{Address, Filter, Pin, PinKey, Reason};
use serde_json::Value;
use testbeds::cases::places::{EDGE, EDGE6, USER, USER6};
use testbeds::checksums::Judge;
use testbeds::daemon::Place;
use testbeds::n4::{Breakout, Running, Smf, SmfConfig, State, Upf, UpfConfig, Wish};
use testbeds::need;
use testbeds::packets::gtpu::{CONTAINER, Gtpu, PORT};
use testbeds::packets::udp;
use testbeds::patience::wait_for;
use testbeds::scenario::{Captures, Scenario, Service, probe, wake};
use testbeds::topology::{Host, Plan, Topology};

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
/// How long what is sent may take, and what is started.
const PATIENCE: Duration = Duration::from_secs(10);

const USERS: [IpAddr; 2] = [USER, USER6];
const EDGES: [IpAddr; 2] = [EDGE, EDGE6];
/// Whom users speak to somewhere else.
const OTHERS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(203, 0, 113, 90)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xed, 0, 0, 0, 0, 0x90))];
/// Where PFCP is spoken.
const N4: Ipv4Addr = Ipv4Addr::new(10, 1, 255, 40);
/// The port at the edge whose packets another UPF gets.
const ELSEWHERE: u16 = 5060;
/// The TEID as clients know it, as its owner does, and as the other UPF knows the user.
const TEIDS: (u32, u32, u32) = (0x1001, 0x0102_0304, 0x0a0b_0c0d);

#[test]
fn packets_go_where_filters_say_over_ipv4() {
    classified(false);
}

#[test]
fn packets_go_where_filters_say_over_ipv6() {
    classified(true);
}

fn classified(v6: bool) {
    need!(probe());
    let topology = Topology::build(&Plan { endpoints: 3, ..Plan::default() }).unwrap();
    let [owner, other, edge] = topology.endpoints.as_slice() else { panic!("{topology:?}") };
    let service = Service::gtpu(v6);
    let mut spec = service.spec(&topology);
    spec.endpoints.truncate(2);
    let next_hop = edge.addresses(v6)[0];
    let exit =
        EndpointSpec { name: "mec/edge".into(), addresses: vec![next_hop], port: PORT, weight: 0, up: true };
    let mut scenario = Scenario::start(&topology, &[ServiceSpec { exits: vec![exit], ..spec }]).unwrap();
    teach(&mut scenario, &service, owner, other);
    // Without a prober nobody asks for the next hop's link address.
    let link = edge.link(1).unwrap();
    let mac = link.host.interface.mac.unwrap();
    topology.balancer.add_neighbour(&link.balancer.interface.name, next_hop, mac).unwrap();

    let mut captures = Captures::start(&topology).unwrap();
    let ends = Ends::new(&topology, &service);
    for family in 0..2 {
        let out = ends.send(family, EDGES, 53, b"out of the tunnel");
        assert_eq!(received(&ends.servers[family]), (b"out of the tunnel".to_vec(), out.user));
        let on = ends.send(family, EDGES, ELSEWHERE, b"to another UPF");
        assert_eq!(received(&ends.upfs[1]), (on.message(TEIDS.2), ends.gnb()));
        let stays = ends.send(family, OTHERS, 53, b"as ever");
        assert_eq!(received(&ends.upfs[0]), (stays.message(TEIDS.1), ends.gnb()));
    }
    let counts = [Reason::BrokenOut, Reason::Branched].map(|reason| scenario.count(reason).unwrap());
    assert_eq!(counts[0], 2, "{:?}", scenario.counted().unwrap());
    // The first one may have found its way by the kernel.
    assert!(matches!(counts[1], 1 | 2), "{:?}", scenario.counted().unwrap());

    captures.finish().unwrap();
    let judge = need!(Judge::find());
    assert_eq!(captures.wrong_checksums(&judge, &topology).unwrap(), []);
    let arrived = captures.file(edge, 1);
    assert_eq!(judge.count(&arrived, "gtp").unwrap(), 0);
    // One hop less than the user's packet had, in either family.
    assert_eq!(judge.count(&arrived, "udp.dstport == 53 && (ip.ttl == 63 || ipv6.hlim == 63)").unwrap(), 2);
    let sent_on = captures.file(other, 1);
    let container = "gtp.teid == 0x0a0b0c0d && gtp.ext_hdr.pdu_ses_con.qos_flow_id == 9";
    assert_eq!(judge.count(&sent_on, container).unwrap(), 2);
}

/// Filters come by the command line, outlive the daemon, and go.
#[test]
fn an_operator_says_where_packets_go() {
    need!(probe());
    let topology = Topology::build(&Plan { endpoints: 3, ..Plan::default() }).unwrap();
    let _wakers = wake(&topology).unwrap();
    let service = Service::gtpu(false);
    let place = Place::new(BINARY).unwrap();
    let yaml = configuration(&topology, &service, &place.api());
    place.configure_as(&yaml).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();
    wait_for(PATIENCE, || place.state("mec", "edge").unwrap() == "up");
    let ends = Ends::new(&topology, &service);
    let stays = |family, words: &[u8]| {
        let sent = ends.send(family, EDGES, 53, words);
        assert_eq!(received(&ends.upfs[0]), (sent.message(TEIDS.1), ends.gnb()));
    };
    let leaves = |family: usize| {
        let out = ends.send(family, EDGES, 53, b"out of the tunnel");
        assert_eq!(received(&ends.servers[family]), (b"out of the tunnel".to_vec(), out.user));
    };
    stays(0, b"before");
    let tunnel = ["sessions", "classify", "teid:0x1001"];
    let filters = [
        format!("udp from any to {}/32 {ELSEWHERE} via upfs/endpoint2 teid {:#x}", EDGES[0], TEIDS.2),
        format!("ip from 10.45.0.0/16 to {}/32 via mec/edge", EDGES[0]),
        format!("ip from any to {}/128 via mec/edge", EDGES[1]),
    ];
    let given: Vec<&str> = filters.iter().flat_map(|filter| ["--filter", filter]).collect();
    let answer = place.ask(&[&tunnel[..], &given].concat()).unwrap();
    assert_eq!((&answer["service"], &answer["endpoint"]), (&"gtpu4".into(), &"upfs/endpoint1".into()));
    assert_eq!(answer["filters"], Value::from(filters.to_vec()));
    [0, 1].into_iter().for_each(leaves);
    let on = ends.send(0, EDGES, ELSEWHERE, b"to another UPF");
    assert_eq!(received(&ends.upfs[1]), (on.message(TEIDS.2), ends.gnb()));
    let explained = place.ask(&["explain", "teid:0x1001"]).unwrap();
    let steps = explained[0]["steps"].to_string();
    assert!(filters.iter().all(|filter| steps.contains(filter.as_str())), "{steps}");

    for (wrong, words) in [
        ("ip from any to any via mec/nowhere", "service gtpu4 has no endpoint mec/nowhere"),
        ("ip from any to any via mec/edge teid 7", "packets leave their tunnels at mec/edge; leave `teid` out"),
        ("ip from any to any via upfs/endpoint2", "say by which TEID it knows the user"),
        ("ip from any", "filter 1: it ends where"),
    ] {
        let refused = place.command(&[&tunnel[..], &["--filter", wrong]].concat()).unwrap();
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && told.contains(words), "{told}");
    }
    daemon.stop().unwrap();
    leaves(0);
    let daemon = place.start(&topology.balancer).unwrap();
    assert_eq!(place.ask(&tunnel).unwrap(), answer);
    leaves(1);
    let none = place.ask(&[&tunnel[..], &["--none"]].concat()).unwrap();
    assert_eq!(none["filters"], Value::from(Vec::<String>::new()), "{}", daemon.tail());
    [0, 1].into_iter().for_each(|family| stays(family, b"after"));
}

/// Filters come from an SDF filter of an uplink PDR (TS 29.244 8.2.5), and go with the session.
#[test]
fn an_smf_says_where_packets_go() {
    need!(probe());
    let topology = Topology::build(&Plan { endpoints: 3, ..Plan::default() }).unwrap();
    topology.balancer.own(N4.into()).unwrap();
    let _wakers = wake(&topology).unwrap();
    let service = Service::gtpu(false);
    let place = Place::new(BINARY).unwrap();
    let yaml = configuration(&topology, &service, &place.api());
    let (owner, control) = (&topology.endpoints[0], &topology.clients[0]);
    let (IpAddr::V4(upf), IpAddr::V4(smf)) = (owner.addresses(false)[0], control.addresses(false)[0]) else {
        panic!("{topology:?}")
    };
    let n4 = format!(
        "  - name: n4
    protocol: pfcp
    addresses: ['{N4}']
    endpoints: [{{name: endpoint1, addresses: ['{upf}']}}]
    pfcp: {{user_plane: [{}], breakouts: [{{network_instance: mec, pool: mec, endpoint: edge}}]}}
",
        service.name
    );
    // What is configured is not N4's.
    let yaml: String =
        yaml.lines().filter(|line| !line.contains("tunnels:")).map(|line| format!("{line}\n")).collect();
    place.configure_as(&(yaml + &n4)).unwrap();
    let upf = UpfConfig { teids: (TEIDS.0, 1), ..UpfConfig::at(upf, upf) };
    let upf = Running::start(&owner.namespace, Upf::new(upf)).unwrap();
    let smf = Running::start(&control.namespace, Smf::new(SmfConfig::at(smf))).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();
    wait_for(PATIENCE, || place.state("mec", "edge").unwrap() == "up");
    wait_for(PATIENCE, || place.state("n4", "endpoint1").unwrap() == "up");
    let front_end = SocketAddr::new(N4.into(), pfcp::PORT);
    let answered = || assert!(smf.until(PATIENCE, Smf::is_quiet), "{}", daemon.tail());
    smf.with(|smf, now| smf.associate(front_end, now));
    answered();
    // A session whose user's packets to port 53 of the edge break out, and whose others do not: its SEID, how its tunnel
    // is named, and the filters that are learned.
    let establish = |ue: Ipv4Addr| {
        let breakout = Breakout {
            flow: format!("permit out 17 from {} 53 to assigned", EDGES[0]),
            network: "mec".to_owned(),
        };
        let wish = Wish { ue: Some(ue), breakout: Some(breakout), ..Wish::default() };
        let seid = smf.with(|smf, now| smf.establish(front_end, &wish, now));
        answered();
        let told = smf.with(|smf, _| smf.session(seid).unwrap().clone());
        assert_eq!(told.state, State::Established, "{told:?}");
        let learned = format!("udp from {ue}/32 to {}/32 53 via mec/edge", EDGES[0]);
        (seid, format!("teid:{:#x}", told.uplink.unwrap().teid), Value::from(vec![learned]))
    };
    let filters = |tunnel: &str| place.ask(&["sessions", "classify", tunnel]).unwrap()["filters"].take();

    let IpAddr::V4(user) = USERS[0] else { panic!("{USERS:?}") };
    let (seid, tunnel, learned) = establish(user);
    wait_for(PATIENCE, || filters(&tunnel) == learned);
    let ends = Ends::new(&topology, &service);
    let out = ends.send(0, EDGES, 53, b"out of the tunnel");
    assert_eq!(received(&ends.servers[0]), (b"out of the tunnel".to_vec(), out.user), "{}", daemon.tail());
    let stays = ends.send(0, OTHERS, 53, b"as ever");
    assert_eq!(received(&ends.upfs[0]), (stays.message(TEIDS.0), ends.gnb()));

    // What an operator says holds, whatever N4 says then.
    let by_hand = format!("ip from any to {}/32 via mec/edge", OTHERS[0]);
    place.ask(&["sessions", "classify", &tunnel, "--filter", &by_hand]).unwrap();
    smf.with(|smf, now| smf.withdraw(seid, now));
    answered();
    // What N4 says is put into force in its order: this comes after.
    let (_, next, learned) = establish(Ipv4Addr::new(10, 45, 0, 8));
    wait_for(PATIENCE, || filters(&next) == learned);
    assert_eq!(filters(&tunnel), Value::from(vec![by_hand]));
    smf.with(|smf, _| {
        let accepted = (MessageType::SessionModificationResponse, Cause::ACCEPTED);
        assert!(smf.session(seid).unwrap().causes.contains(&accepted), "{:?}", smf.session(seid));
        assert_eq!(smf.violations(), []);
    });
    upf.with(|upf, _| assert_eq!(upf.violations(), []));
}

/// Two UPFs, the edge, and a tunnel of the first.
fn configuration(topology: &Topology, service: &Service, api: &Path) -> String {
    let interfaces: Vec<_> = topology.links().map(|link| link.balancer.interface.name.as_str()).collect();
    let listed = |addresses: Vec<IpAddr>| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let [owner, other, edge] = topology.endpoints.as_slice() else { panic!("{topology:?}") };
    let endpoint =
        |host: &Host| format!("{{name: {}, addresses: [{}]}}", host.name, listed(host.addresses(false)));
    let paths = service.spec(topology).addresses;
    format!(
        "\
api: {{unix: {}}}
interfaces: [{}]
bounds: {{flows: 1024, flows6: 64, pins: 64, filters: 64, fragments: 64, maglev: 65536}}
pools:
  - name: upfs
    endpoints: [{}, {}]
  - name: mec
    endpoints: [{{name: edge, addresses: [{}]}}]
    health: {{kind: icmp, interval: 200ms, timeout: 200ms}}
services:
  - name: {}
    protocol: gtpu
    addresses: [{}]
    pool: upfs
    breakout: mec
    tunnels: [{{teid: {:#x}, endpoint: {}, endpoint_teid: {:#x}}}]
",
        api.display(),
        interfaces.join(", "),
        endpoint(owner),
        endpoint(other),
        edge.addresses(false)[0],
        service.name,
        listed(paths),
        TEIDS.0,
        owner.name,
        TEIDS.1
    )
}

/// Everybody who sends or receives.
struct Ends {
    service: SocketAddr,
    client: UdpSocket,
    upfs: [UdpSocket; 2],
    /// At the edge, of each family.
    servers: [UdpSocket; 2],
}

/// What a user sent.
struct Sent {
    user: SocketAddr,
    inner: Vec<u8>,
}

impl Ends {
    fn new(topology: &Topology, service: &Service) -> Self {
        let [owner, other, edge] = topology.endpoints.as_slice() else { panic!("{topology:?}") };
        for address in EDGES {
            edge.namespace.own(address).unwrap();
        }
        let at = |host: &Host, address: SocketAddr| {
            let bound = host.namespace.run(|| UdpSocket::bind(address)).unwrap().unwrap();
            bound.set_read_timeout(Some(PATIENCE)).unwrap();
            bound
        };
        let of = |host: &Host| at(host, SocketAddr::new(host.addresses(service.v6)[0], PORT));
        Self {
            service: service.socket(),
            client: of(&topology.clients[0]),
            upfs: [of(owner), of(other)],
            servers: EDGES.map(|address| at(edge, SocketAddr::new(address, 53))),
        }
    }

    fn gnb(&self) -> SocketAddr {
        self.client.local_addr().unwrap()
    }

    /// A user of a family sends into its tunnel.
    fn send(&self, family: usize, to: [IpAddr; 2], port: u16, words: &[u8]) -> Sent {
        let user = SocketAddr::new(USERS[family], 40_000);
        let inner = udp((user.ip(), user.port()), (to[family], port), words).bytes().split_off(14);
        let sent = Sent { user, inner };
        self.client.send_to(&sent.message(TEIDS.0), self.service).unwrap();
        sent
    }
}

impl Sent {
    /// It as it is in a tunnel.
    fn message(&self, teid: u32) -> Vec<u8> {
        let extensions = vec![(CONTAINER.0, CONTAINER.1.to_vec())];
        Gtpu { extensions, ..Gtpu::data(teid, &self.inner) }.bytes()
    }
}

/// A tunnel of the first endpoint, whose filters name the edge and the other one.
fn teach(scenario: &mut Scenario, service: &Service, owner: &Host, other: &Host) {
    let base = |endpoint: &str| scenario.setup.base(service.name, endpoint).unwrap();
    let key = PinKey { address: Address::from(service.socket().ip()), teid: TEIDS.0 };
    let number = scenario.setup.id(service.name).unwrap();
    let pin = Pin { target: base(&owner.name), teid: TEIDS.1, service: number, path: 0, flags: 0 };
    let (exit, other) = (base("mec/edge"), base(&other.name));
    let to = |edge: IpAddr, ports, target, teid| Filter {
        destination: Address::from(edge),
        destination_bits: 128,
        source_ports: Filter::ANY_PORT,
        destination_ports: ports,
        protocol: 17,
        target,
        teid,
        ..Filter::default()
    };
    let branches = EDGES.map(|edge| to(edge, [ELSEWHERE; 2], other, TEIDS.2));
    let exits = EDGES.map(|edge| to(edge, Filter::ANY_PORT, exit, 0));
    scenario.kernel.put_pin(&key, &pin).unwrap();
    filters::put(&mut scenario.kernel, &key, &pin, &[branches, exits].concat()).unwrap();
}

fn received(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2048];
    let (length, from) = socket.recv_from(&mut buffer).unwrap();
    (buffer[..length].to_vec(), from)
}
