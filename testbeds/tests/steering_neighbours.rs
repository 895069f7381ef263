//! Service addresses that are on the clients' own link: XDP answers for them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::net::SocketAddr;
use std::time::Duration;

use pinion_steering::Reason;
use testbeds::checksums::Judge;
use testbeds::need;
use testbeds::peers::udp;
use testbeds::scenario::{Captures, Scenario, Service, probe};
use testbeds::topology::{Plan, Topology};

const WAIT: Duration = Duration::from_secs(5);

#[test]
fn arp_and_neighbour_discovery_are_answered() {
    need!(probe());
    let topology = Topology::build(&Plan { endpoints: 1, ..Plan::default() }).unwrap();
    let services = [false, true].map(Service::udp);
    let specs = services.map(|service| service.spec(&topology));
    let scenario = Scenario::start(&topology, &specs).unwrap();
    let mut captures = Captures::start(&topology).unwrap();
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    for service in services {
        let address = service.socket().ip();
        let length = if service.v6 { 128 } else { 32 };
        // Nearer than the route by the balancer: the client asks the link for the address itself.
        client.namespace.add_route(address, length, "path1", None).unwrap();
        let listening = [SocketAddr::new(endpoint.addresses(service.v6)[0], service.endpoint_port)];
        let _server = udp::Server::start(&endpoint.namespace, "it", &listening).unwrap();
        let local = SocketAddr::new(client.addresses(service.v6)[0], 5000);
        let mut flow = udp::Client::bind(&client.namespace, local).unwrap();
        let echoes = flow.exchange(service.socket(), 3, 100, WAIT).unwrap();
        assert!(echoes.whole(), "{echoes:?}");
    }
    assert!(scenario.count(Reason::ArpAnswered).unwrap() >= 1);
    assert!(scenario.count(Reason::NeighbourAnswered).unwrap() >= 1);

    captures.finish().unwrap();
    let judge = need!(Judge::find());
    assert_eq!(captures.wrong_checksums(&judge, &topology).unwrap(), []);
    let mac = client.links[0].balancer.interface.mac.unwrap();
    let file = captures.file(client, 1);
    let [v4, v6] = services.map(|service| service.socket().ip());
    for filter in [
        format!("arp.opcode == 2 && arp.src.proto_ipv4 == {v4} && arp.src.hw_mac == {mac} && eth.src == {mac}"),
        format!(
            "icmpv6.type == 136 && icmpv6.nd.na.target_address == {v6} && icmpv6.opt.linkaddr == {mac} \
             && icmpv6.nd.na.flag.s == 1 && ipv6.src == {v6} && ipv6.hlim == 255"
        ),
    ] {
        assert!(judge.count(&file, &filter).unwrap() >= 1, "{filter}");
    }
}

/// Ends of veth pairs where no program runs: the driver would leave lying what XDP sends back the way it came.
#[test]
fn answers_reach_those_who_run_no_program() {
    need!(probe());
    let topology = Topology::build(&Plan { endpoints: 1, ..Plan::default() }).unwrap();
    let service = Service::udp(false);
    let scenario = Scenario::start_alone(&topology, &[service.spec(&topology)]).unwrap();
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    client.namespace.add_route(service.socket().ip(), 32, "path1", None).unwrap();
    let listening = [SocketAddr::new(endpoint.addresses(false)[0], service.endpoint_port)];
    let _server = udp::Server::start(&endpoint.namespace, "it", &listening).unwrap();
    let local = SocketAddr::new(client.addresses(false)[0], 5000);
    let mut flow = udp::Client::bind(&client.namespace, local).unwrap();
    let echoes = flow.exchange(service.socket(), 3, 100, WAIT).unwrap();
    assert!(echoes.whole(), "{echoes:?}");
    assert_eq!(scenario.count(Reason::ArpAnswered).unwrap(), 1);
}
