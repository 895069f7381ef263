//! The daemon in the balancer's namespace, with SCTP of its own at addresses that nobody has.

use std::net::IpAddr;

use serde_json::Value;
use testbeds::daemon::{Daemon, Place};
use testbeds::n2::{Field, Plan};
use testbeds::need;
use testbeds::scenario::{probe, wake};
use testbeds::sctp::{Connect, Stack};
use testbeds::topology::{self, Host, Topology};

use crate::story::{AMFS, BINARY, Balancer, Death, PATIENCE, Size, play, topology, write_configuration};

struct Steering {
    place: Place,
    daemon: Daemon,
    service: Vec<IpAddr>,
    amfs: Vec<(String, Vec<IpAddr>)>,
    interfaces: Vec<String>,
}

impl Steering {
    fn start(topology: &Topology) -> Self {
        let place = Place::new(BINARY).unwrap();
        let service = [1, 2].map(|path| topology::service(path, 40, false)).to_vec();
        let endpoints = topology.endpoints.iter().take(AMFS.into());
        let amfs: Vec<_> = endpoints.map(|host| (host.name.clone(), host.addresses(false))).collect();
        let interfaces: Vec<_> = topology.links().map(|link| link.balancer.interface.name.clone()).collect();
        configure(&place, &service, &amfs[..amfs.len() - 1], &interfaces);
        let daemon = place.start(&topology.balancer).unwrap();
        Self { place, daemon, service, amfs, interfaces }
    }
}

impl Balancer for Steering {
    fn drain(&mut self, amf: usize) {
        self.place.ask(&["drain", &format!("amfs/{}", self.amfs[amf].0)]).unwrap();
    }

    fn add(&mut self) {
        configure(&self.place, &self.service, &self.amfs, &self.interfaces);
        self.daemon.reload().unwrap();
    }

    fn stats(&mut self) -> Value {
        self.place.ask(&["stats"]).unwrap()["n2"][0].take()
    }

    fn finish(self) -> String {
        let log = self.daemon.log();
        assert!(!log.contains("panicked"), "{log}");
        assert!(self.daemon.stop().unwrap());
        format!("{} lines of log", log.lines().count())
    }
}

fn configure(place: &Place, service: &[IpAddr], amfs: &[(String, Vec<IpAddr>)], interfaces: &[String]) {
    let ngap = format!("{{ transport: userspace, interfaces: [{}] }}", interfaces[..service.len()].join(", "));
    place.configure_as(&write_configuration(&place.api(), interfaces, amfs, service, &ngap)).unwrap();
}

/// Plays it at that size; gNBs are on a kernel's SCTP where there is one.
fn steer(size: Size, death: Death, kernels: Option<&Stack>) {
    let topology = topology();
    let _wakers = wake(&topology).unwrap();
    let few = if kernels.is_some() { 1 } else { 0 };
    let mut field = Field::new(&topology, Plan { kernels: few, ..size.plan() }).unwrap();
    let steering = Steering::start(&topology);
    let service = steering.service.clone();
    for (number, host) in topology.clients.iter().enumerate().take(few) {
        let mut peer = kernels.unwrap().start(host).unwrap();
        peer.ready().unwrap();
        let connect = Connect::ngap("n2", host.addresses(false), 9487, service.clone(), 38412);
        field.carry(number, peer, &Connect { streams: 32, timeout: PATIENCE.as_secs_f64(), ..connect }).unwrap();
    }
    // Everybody's first path.
    let all: Vec<&Host> = topology.hosts().collect();
    play(&mut field, &topology, steering, (&service, size, death), &all);
}

#[test]
fn userspace_sctp_loses_nothing_of_living_amfs() {
    need!(probe());
    steer(Size::full(), Death::Told, None);
}

#[test]
fn an_amf_that_dies_without_a_word_takes_its_own_ues_alone() {
    need!(probe());
    steer(Size::full().part(10), Death::Silent, None);
}

/// One gNB is on a kernel's SCTP; its system calls, of a User-Mode Linux, take long.
#[test]
fn a_gnb_on_a_kernels_sctp_loses_nothing_when_a_path_is_cut() {
    need!(probe());
    let stack = need!(Stack::find());
    steer(Size::full().part(10), Death::Told, Some(&stack));
}
