//! The daemon in the balancer's namespace, with SCTP of its own at addresses that nobody has.

use std::net::IpAddr;

use testbeds::daemon::{Daemon, Place};
use testbeds::n2::Field;
use testbeds::need;
use testbeds::scenario::{probe, wake};
use testbeds::topology::{self, Host, Topology};

use crate::story::{AMFS, BINARY, Balancer, Death, Size, play, topology, write_configuration};

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

    fn ues(&mut self) -> Option<usize> {
        None
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

/// Plays it at that size.
fn steer(size: Size, death: Death) {
    let topology = topology();
    let _wakers = wake(&topology).unwrap();
    let mut field = Field::new(&topology, size.plan()).unwrap();
    let steering = Steering::start(&topology);
    let service = steering.service.clone();
    // Everybody's first path.
    let all: Vec<&Host> = topology.hosts().collect();
    play(&mut field, &topology, steering, (&service, size, death), &all);
}

#[test]
fn userspace_sctp_loses_nothing_of_living_amfs() {
    need!(probe());
    steer(Size::full(), Death::Told);
}

#[test]
fn an_amf_that_dies_without_a_word_takes_its_own_ues_alone() {
    need!(probe());
    steer(Size::full().part(10), Death::Silent);
}
