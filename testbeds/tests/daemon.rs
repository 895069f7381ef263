//! The daemon under traffic: what it is told, what it finds out, and what it survives.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::net::SocketAddr;
use std::time::Duration;

use testbeds::daemon::{Configuration, Place, Served};
use testbeds::need;
use testbeds::peers::udp;
use testbeds::scenario::{Service, probe, wake};
use testbeds::topology::{Plan, Topology};

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const WAIT: Duration = Duration::from_secs(5);

#[test]
fn a_daemon_steers_is_killed_and_is_followed_by_another() {
    need!(probe());
    let topology = Topology::build(&Plan { endpoints: 3, ..Plan::default() }).unwrap();
    let _wakers = wake(&topology).unwrap();
    let service = Service::udp(false);
    let servers: Vec<_> = topology
        .endpoints
        .iter()
        .map(|host| {
            let socket = SocketAddr::new(host.addresses(false)[0], service.endpoint_port);
            udp::Server::start(&host.namespace, &host.name, &[socket]).unwrap()
        })
        .collect();
    let place = Place::new(BINARY).unwrap();
    place.configure(&Configuration::of(&topology, vec![Served::by_all(service, &topology)])).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();
    let host = &topology.clients[0];
    let mut client = udp::Client::bind(&host.namespace, SocketAddr::new(host.addresses(false)[0], 5000)).unwrap();
    let before = client.exchange(service.socket(), 5, 64, WAIT).unwrap();
    assert!(before.whole(), "{before:?} {}", daemon.log());
    println!("{}", place.ask(&["services"]).unwrap());
    println!("{}", place.ask(&["endpoints"]).unwrap());
    println!("{}", place.ask(&["sessions"]).unwrap());
    daemon.kill().unwrap();
    let after = client.exchange(service.socket(), 5, 64, WAIT).unwrap();
    assert!(after.whole());
    let daemon = place.start(&topology.balancer).unwrap();
    let again = client.exchange(service.socket(), 5, 64, WAIT).unwrap();
    assert!(again.whole());
    assert_eq!(again.only_identity(), before.only_identity());
    println!("{}", place.ask(&["sessions"]).unwrap());
    println!("{}", daemon.log());
    assert!(daemon.stop().unwrap());
    drop(servers);
}
