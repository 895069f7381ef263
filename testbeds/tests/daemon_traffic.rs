//! What traffic alone shows the daemon: endpoints that refuse, and endpoints whose replies nobody sees.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::thread::sleep;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use testbeds::daemon::{Configuration, Place, Served};
use testbeds::need;
use testbeds::packets::sctp::init;
use testbeds::packets::{Frame, sctp};
use testbeds::patience::wait_for;
use testbeds::peers::{tcp, udp};
use testbeds::scenario::{Service, probe, wake};
use testbeds::topology::{Families, Plan, Topology};

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const PATIENCE: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_millis(500);

/// A RST for a SYN has its endpoint probed long before the next probe is due; who answers the probe stays up.
#[test]
fn a_refused_connection_is_looked_into() {
    need!(probe());
    let topology = Topology::build(&Plan { clients: 1, endpoints: 2, ..Plan::default() }).unwrap();
    let _wakers = wake(&topology).unwrap();
    let service = Service::tcp(false);
    let mut servers: Vec<_> = topology
        .endpoints
        .iter()
        .map(|host| Some(tcp::Server::start(&host.namespace, &host.name, &service.sockets(host)).unwrap()))
        .collect();
    let place = Place::new(BINARY).unwrap();
    let mut served = Served::by_all(service, &topology);
    served.pool.push("health: { kind: tcp, interval: 60s, timeout: 1s, rise: 1, fall: 2 }".to_owned());
    place.configure(&Configuration::of(&topology, vec![served])).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();
    wait_for(PATIENCE, || {
        (1..=2).all(|number| place.state(service.name, &format!("endpoint{number}")).unwrap() == "up")
    });

    // One that is taken by nobody: a server that ends takes its connections with it.
    servers[0] = None;
    let client = &topology.clients[0];
    wait_for(PATIENCE, || {
        let _ = client.namespace.run(|| TcpStream::connect_timeout(&service.socket(), WAIT)).unwrap();
        place.endpoint(service.name, "endpoint1").unwrap()["state"] == "down"
    });
    let refused = place.endpoint(service.name, "endpoint1").unwrap();
    assert!(refused["refused"]["rst"].as_u64().unwrap() > 0, "{refused}");
    assert!(refused["notice"].as_str().unwrap().contains("refused by RST"), "{refused}");
    assert!(daemon.log().contains("an endpoint refuses sessions"), "{}", daemon.log());
    let other = place.endpoint(service.name, "endpoint2").unwrap();
    assert_eq!(
        (&other["state"], &other["refused"]["rst"], &other["notice"]),
        (&"up".into(), &0.into(), &"".into())
    );

    // Connections that end by a RST after they were there are no refusals.
    for _ in 0..20 {
        let stream = client.namespace.run(|| TcpStream::connect_timeout(&service.socket(), PATIENCE)).unwrap();
        socket2::SockRef::from(&stream.unwrap()).set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop(servers);
    sleep(WAIT);
    assert_eq!(place.endpoint(service.name, "endpoint2").unwrap()["refused"]["rst"], 0);
}

/// ICMP says that nobody takes datagrams and associations.
#[test]
fn unreachables_are_counted() {
    need!(probe());
    let plan = Plan { clients: 1, endpoints: 1, families: Families::Both, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let _wakers = wake(&topology).unwrap();
    let services = [Service::udp(false), Service::udp(true), Service::ngap(false)];
    let place = Place::new(BINARY).unwrap();
    let served = services.map(|service| Served::by_all(service, &topology)).to_vec();
    place.configure(&Configuration::of(&topology, served)).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();
    let host = &topology.clients[0];
    for service in &services[..2] {
        let local = SocketAddr::new(host.addresses(service.v6)[0], 0);
        let socket = host.namespace.run(|| UdpSocket::bind(local)).unwrap().unwrap();
        wait_for(PATIENCE, || {
            // What came for the datagram before is told here.
            let _ = socket.send_to(b"anybody?", service.socket());
            told(&place, service, "unreachable") > 0
        });
    }
    let amf = &services[2];
    let from = host.addresses(false)[0];
    let raw =
        host.namespace.run(|| Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(132)))).unwrap().unwrap();
    wait_for(PATIENCE, || {
        let first: Frame = sctp((from, 9487), (amf.socket().ip(), amf.port), 0, &[init(0xc11e_0001, &[])]);
        let frame = first.bytes();
        raw.send_to(&frame[34..], &SocketAddr::new(amf.socket().ip(), 0).into()).unwrap();
        // A host that speaks SCTP aborts; one that does not says so by ICMP.
        told(&place, amf, "unreachable") + told(&place, amf, "abort") > 0
    });
    let log = daemon.log();
    assert!(log.contains("an endpoint refuses sessions"), "{log}");
}

/// Requests are pinned and nothing comes back: that is said, and taken back once it does.
#[test]
fn an_endpoint_whose_replies_nobody_sees_is_told_of() {
    need!(probe());
    let topology = Topology::build(&Plan { clients: 1, endpoints: 1, ..Plan::default() }).unwrap();
    let _wakers = wake(&topology).unwrap();
    let service = Service::udp(false);
    let (server, client) = (&topology.endpoints[0], &topology.clients[0]);
    let mute = server.namespace.run(|| UdpSocket::bind(service.sockets(server)[0])).unwrap().unwrap();
    let place = Place::new(BINARY).unwrap();
    place.configure(&Configuration::of(&topology, vec![Served::by_all(service, &topology)])).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();
    let local = SocketAddr::new(client.addresses(false)[0], 0);
    let socket = client.namespace.run(|| UdpSocket::bind(local)).unwrap().unwrap();
    wait_for(PATIENCE, || {
        socket.send_to(b"anybody?", service.socket()).unwrap();
        place.endpoint(service.name, "endpoint1").unwrap()["unanswered"] == 1
    });
    let silent = place.endpoint(service.name, "endpoint1").unwrap();
    assert!(
        silent["notice"].as_str().unwrap().starts_with("no reply is seen (sessions that wait for one: 1)"),
        "{silent}"
    );
    assert!(daemon.log().contains("no reply is seen"), "{}", daemon.log());
    drop(mute);
    let _server = udp::Server::start(&server.namespace, &server.name, &service.sockets(server)).unwrap();
    wait_for(PATIENCE, || {
        socket.send_to(&[7; 64], service.socket()).unwrap();
        place.endpoint(service.name, "endpoint1").unwrap()["unanswered"] == 0
    });
    assert_eq!(place.endpoint(service.name, "endpoint1").unwrap()["notice"], "");
}

/// How often an endpoint of the service refused in a way.
fn told(place: &Place, service: &Service, signal: &str) -> u64 {
    let list = place.ask(&["endpoints", "--pool", service.name]).unwrap();
    let counts = list.as_array().unwrap().iter().map(|it| it["refused"][signal].as_u64().unwrap());
    counts.sum()
}
