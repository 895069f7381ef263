//! The front end's host in this process, in a host's place between the others.

use std::net::IpAddr;
use std::sync::Arc;

use pinion::n2::{Asked, Host, Start, Told};
use pinion_n2::{Amf, Settings};
use pinion_transport::Config;
use testbeds::n2::Field;
use testbeds::need;
use testbeds::scenario::probe;
use testbeds::sctp::userspace::take_over;
use testbeds::topology::Topology;
use tokio::runtime::Runtime;

use crate::story::{AMFS, Balancer, Death, Size, play, topology};

struct Inside {
    host: Host,
    told: Told,
    amfs: Vec<(Arc<str>, Vec<IpAddr>)>,
    runtime: Arc<Runtime>,
}

impl Inside {
    fn new(topology: &Topology, field: &Field) -> Self {
        let runtime = Arc::clone(field.runtime());
        let place = &topology.endpoints[usize::from(AMFS)];
        let transport = take_over(place, runtime.handle(), &Config::default()).unwrap();
        let hosts = topology.endpoints.iter().take(AMFS.into()).enumerate();
        let amfs: Vec<_> = hosts.map(|(number, host)| (name(number), host.addresses(false))).collect();
        let first = &amfs[..amfs.len() - 1];
        let told = Told {
            here: place.addresses(false),
            addresses: first.iter().cloned().collect(),
            settings: Settings::new("pinion", first.iter().map(|(name, _)| Amf::new(Arc::clone(name))).collect()),
        };
        let start = Start { service: "n2".into(), transport: Box::new(transport), told: told.clone(), seed: 7 };
        let _inside = runtime.enter();
        let host = Host::start(start, |_| {}).unwrap();
        drop(_inside);
        Self { host, told, amfs, runtime }
    }

    fn tell(&self) {
        assert!(self.runtime.block_on(self.host.ask(Asked::Configure(Box::new(self.told.clone())))));
        // The next answer comes when that is in force.
        self.runtime.block_on(self.host.shown());
    }
}

impl Balancer for Inside {
    fn drain(&mut self, amf: usize) {
        self.told.settings.amfs[amf].drained = true;
        self.tell();
    }

    fn add(&mut self) {
        let (name, addresses) = self.amfs.last().unwrap().clone();
        self.told.addresses.insert(Arc::clone(&name), addresses);
        self.told.settings.amfs.push(Amf::new(name));
        self.tell();
    }

    fn ues(&mut self) -> Option<usize> {
        Some(self.runtime.block_on(self.host.shown()).ues)
    }

    fn finish(self) -> String {
        let counts = self.runtime.block_on(self.host.shown()).counts;
        assert_eq!((counts.malformed, counts.other_protocol, counts.unexpected, counts.refused), (0, 0, 0, 0));
        format!("{counts:?}")
    }
}

fn name(amf: usize) -> Arc<str> {
    format!("amfs/{amf}").into()
}

#[test]
fn nothing_of_living_amfs_is_lost() {
    need!(probe());
    let topology = topology();
    let size = Size::full().part(10);
    let mut field = Field::new(&topology, size.plan()).unwrap();
    let inside = Inside::new(&topology, &field);
    let place = &topology.endpoints[usize::from(AMFS)];
    play(&mut field, &topology, inside, (&place.addresses(false), size, Death::Told), &[place]);
}
