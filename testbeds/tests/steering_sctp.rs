//! Multi-homed SCTP between kernels, through XDP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use pinion_steering::{FlowKind, Reason, State};
use testbeds::checksums::Judge;
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::scenario::{Captures, Scenario, Service, probe};
use testbeds::sctp::{Association, Connect, Peer, Server, Stack};
use testbeds::topology::{Host, Plan, Topology};

const PATIENCE: Duration = Duration::from_secs(20);
/// Both clients use it.
const CLIENT_PORT: u16 = 9487;
const N2: &str = "n2";
/// No two such messages fit in one packet: so many messages are at least so many packets, whenever they are sent.
const UNBUNDLED: usize = 800;

#[test]
fn two_paths_over_ipv4() {
    two_paths(false);
}

#[test]
fn two_paths_over_ipv6() {
    two_paths(true);
}

fn two_paths(v6: bool) {
    need!(probe());
    let stack = need!(Stack::find());
    let topology = Topology::build(&Plan { clients: 2, endpoints: 2, paths: 2, ..Plan::default() }).unwrap();
    let service = Service::ngap(v6);
    let scenario = Scenario::start(&topology, &[service.spec(&topology)]).unwrap();
    let mut captures = Captures::start(&topology).unwrap();
    let mut amfs: Vec<_> = topology.endpoints.iter().map(|host| stack.start(host).unwrap()).collect();
    let mut gnbs: Vec<_> = topology.clients.iter().map(|host| stack.start(host).unwrap()).collect();
    for (amf, host) in amfs.iter_mut().zip(&topology.endpoints) {
        // Of both families: of an address that the service has none for, clients must not hear.
        let addresses = [host.addresses(v6), host.addresses(!v6)].concat();
        amf.serve(&Server { identity: host.name.clone(), addresses, port: service.endpoint_port, streams: 4 })
            .unwrap();
    }
    let services = service.addresses(2);

    for (number, (gnb, host)) in gnbs.iter_mut().zip(&topology.clients).enumerate() {
        let connect = Connect::ngap(N2, host.addresses(v6), CLIENT_PORT, services.clone(), service.port);
        let association = gnb.connect(&connect).unwrap();
        assert_eq!(association.state, Association::ESTABLISHED);
        assert_eq!(association.source_port, CLIENT_PORT);
        let heard: BTreeSet<_> = association.paths.keys().copied().collect();
        assert_eq!(
            heard,
            services.iter().copied().collect(),
            "an endpoint's own address leaked, or a path is missing"
        );
        let owner = on_each_path(gnb, &services);
        // Each association has a pin for each direction, whatever path is used, and its client one more.
        let established = |kind| scenario.pins_in(kind, State::Established).unwrap();
        assert_eq!(established(FlowKind::Association), 2 * (number + 1), "{:?}", scenario.counted().unwrap());
        assert_eq!(established(FlowKind::Peer), number + 1);
        let pins = scenario.flows(FlowKind::Association).unwrap();
        assert!(pins.iter().any(|(_, flow)| scenario.endpoint(flow) == Some(owner.as_str())), "{pins:?}");
    }
    assert_eq!(served(&mut amfs, &service), (2, 80));

    cut_and_restore(&topology, &topology.clients[0], 1, &mut gnbs[0], &services);
    let owner = gnbs[1].echo(N2, 1, 8, PATIENCE).unwrap().only_identity().unwrap().to_owned();
    let host = topology.endpoints.iter().find(|host| host.name == owner).unwrap();
    cut_and_restore(&topology, host, 1, &mut gnbs[1], &services);

    // The second client's kernel dies without a word; another in its place finds the same endpoint, and ends what
    // the first had there.
    drop(gnbs.pop());
    let host = &topology.clients[1];
    gnbs.push(stack.start(host).unwrap());
    gnbs[1].connect(&Connect::ngap(N2, host.addresses(v6), CLIENT_PORT, services.clone(), service.port)).unwrap();
    assert_eq!(on_each_path(&mut gnbs[1], &services), owner);
    assert_eq!(served(&mut amfs, &service).0, 2);
    assert_eq!(open(&scenario), 4);

    gnbs[0].close(N2).unwrap();
    wait_for(PATIENCE, || served(&mut amfs, &service).0 == 1);
    wait_for(PATIENCE, || open(&scenario) == 2);
    gnbs[1].abort(N2).unwrap();
    wait_for(PATIENCE, || served(&mut amfs, &service).0 == 0);
    wait_for(PATIENCE, || open(&scenario) == 0);
    for amf in &mut amfs {
        assert_eq!(amf.counters().unwrap()["SctpChecksumErrors"], 0);
    }
    let counted = scenario.counted().unwrap();
    for reason in [Reason::Placed, Reason::Pinned, Reason::Replied] {
        assert!(scenario.count(reason).unwrap() > 0, "{counted:?}");
    }
    // The kernel's stack forwards only while a neighbour's link address is unknown; a cut path makes it so anew.
    assert!(
        20 * scenario.count(Reason::Unresolved).unwrap() < scenario.count(Reason::Pinned).unwrap(),
        "{counted:?}"
    );

    drop((amfs, gnbs));
    captures.finish().unwrap();
    let judge = need!(Judge::find());
    assert_eq!(captures.wrong_checksums(&judge, &topology).unwrap(), []);
    // Neither packets nor their INIT ACKs tell clients of an endpoint's address; errors quote what XDP rewrote.
    let inside: Vec<_> = topology
        .endpoints
        .iter()
        .flat_map(|host| [host.addresses(false), host.addresses(true)].concat())
        .collect();
    let terms = inside.iter().map(|address| match address {
        IpAddr::V4(address) => format!("ip.addr == {address} || sctp.parameter_ipv4_address == {address}"),
        IpAddr::V6(address) => format!("ipv6.addr == {address} || sctp.parameter_ipv6_address == {address}"),
    });
    let leak = format!("sctp && !icmp && !icmpv6 && ({})", terms.collect::<Vec<_>>().join(" || "));
    for host in &topology.clients {
        for link in &host.links {
            let file = captures.file(host, link.path);
            for direction in ["dstport", "srcport"] {
                let data = format!("sctp.chunk_type == 0 && sctp.{direction} == {}", service.port);
                let found = judge.count(&file, &data).unwrap();
                assert!(found >= 10, "{} path {}, {data}: {found}", host.name, link.path);
            }
            assert_eq!(judge.count(&file, &leak).unwrap(), 0, "{} path {}: {leak}", host.name, link.path);
        }
    }
}

/// Sends to the service's address on each path in turn; the endpoint that has answered.
fn on_each_path(gnb: &mut Peer, services: &[IpAddr]) -> String {
    wait_for(PATIENCE, || gnb.association(N2).unwrap().paths_that_are("active").len() == services.len());
    let mut owners = BTreeSet::new();
    for address in services {
        gnb.set_primary(N2, *address).unwrap();
        let echoes = gnb.echo(N2, 20, UNBUNDLED, PATIENCE).unwrap();
        assert!(echoes.whole(), "{address}: {echoes:?}");
        owners.extend(echoes.identities.into_keys());
    }
    assert_eq!(owners.len(), 1, "{owners:?}");
    owners.pop_first().unwrap()
}

/// Cuts a host, which may be the client or its endpoint, from the path that data takes: the other path carries on.
fn cut_and_restore(topology: &Topology, host: &Host, path: usize, gnb: &mut Peer, services: &[IpAddr]) {
    let primary = services[path - 1];
    gnb.set_primary(N2, primary).unwrap();
    gnb.start_flow(N2, 100, Duration::from_millis(10)).unwrap();
    topology.cut(host, path).unwrap();
    wait_for(PATIENCE, || gnb.association(N2).unwrap().paths_that_are("inactive") == [primary]);
    topology.restore(host, path).unwrap();
    wait_for(PATIENCE, || gnb.association(N2).unwrap().paths_that_are("active").len() == services.len());
    let echoes = gnb.finish_flow(N2, PATIENCE).unwrap();
    assert!(echoes.whole() && echoes.sent > 50, "{echoes:?}");
}

/// Associations of all endpoints, and messages that they have answered.
fn served(amfs: &mut [Peer], service: &Service) -> (u32, u64) {
    let each = amfs.iter_mut().map(|amf| amf.served(service.endpoint_port).unwrap());
    each.fold((0, 0), |(associations, messages), one| (associations + one.associations, messages + one.messages))
}

/// Pins of associations that have not ended: two for each.
fn open(scenario: &Scenario) -> usize {
    let pins = scenario.flows(FlowKind::Association).unwrap();
    pins.iter().filter(|(_, flow)| flow.state != State::Closed as u8).count()
}
