//! SCTP of Pinion's own, on a host that forwards: gNBs in the networks of the service, an AMF behind other interfaces.

use std::fs;
use std::net::IpAddr;

use pinion::config;
use pinion::n2::{Carrier, Host, Start, Told};
use pinion_n2::{Amf, Settings};
use pinion_networks::missing::probe;
use pinion_networks::namespace::{Namespace, Veth};
use pinion_protocols::ngap::{Message, Outcome, PORT, Procedure, UeIds};
use pinion_simulators::n2::messages::{down, ng_setup};
use pinion_transport::link::{self, Interface, Link};
use pinion_transport::userspace::Userspace;
use pinion_transport::{Association, Config, Connect, Listen, Transport};
use tokio::runtime::{Handle, Runtime};
use tokio::time::timeout;

use crate::messages::{PATIENCE, ids, initial, next, send, set_up};

const SERVICE: [[u8; 4]; 2] = [[192, 0, 2, 1], [198, 51, 100, 1]];
const GNB: [[u8; 4]; 2] = [[192, 0, 2, 10], [198, 51, 100, 10]];
const AMF: [[u8; 4]; 2] = [[10, 0, 0, 11], [10, 1, 0, 11]];
/// The host itself.
const RAN_SIDE: [[u8; 4]; 2] = [[192, 0, 2, 254], [198, 51, 100, 254]];
const CORE_SIDE: [[u8; 4]; 2] = [[10, 0, 0, 1], [10, 1, 0, 1]];

const CONFIGURATION: &str = "services: [{name: n2, protocol: ngap, addresses: [192.0.2.1, 198.51.100.1],
    ngap: {transport: userspace}, endpoints: [{name: '0', addresses: [10.0.0.11, 10.1.0.11]}]}]";

fn addresses(of: [[u8; 4]; 2]) -> Vec<IpAddr> {
    of.map(IpAddr::from).to_vec()
}

/// A peer of its own: Ethernets `a` and `b` with an address each, and a router to everything else.
fn peer(namespace: &Namespace, handle: &Handle, own: [[u8; 4]; 2], routers: [[u8; 4]; 2]) -> Userspace {
    let open = || {
        let _inside = handle.enter();
        let places = own.into_iter().zip(routers).zip(["a", "b"]);
        let links = places.map(|((own, router), name)| {
            let interface = Interface::find(name).unwrap();
            let config = link::Config::new(interface.mac, vec![(own.into(), 24)]);
            Link::open(&interface, link::Config { gateways: vec![router.into()], ..config }).unwrap()
        });
        Userspace::start(links.collect(), &quick()).unwrap()
    };
    namespace.run(open).unwrap()
}

/// Notices within a second that a path is gone.
fn quick() -> Config {
    let milliseconds = std::time::Duration::from_millis;
    Config {
        rto_initial: milliseconds(100),
        rto_min: milliseconds(50),
        rto_max: milliseconds(200),
        path_max_retransmissions: 2,
        ..Config::default()
    }
}

/// How many packets a namespace's kernel sent on for others.
fn forwarded(namespace: &Namespace) -> u64 {
    let snmp = namespace.run(|| fs::read_to_string("/proc/thread-self/net/snmp").unwrap()).unwrap();
    let lines: Vec<Vec<&str>> =
        snmp.lines().filter(|line| line.starts_with("Ip:")).map(|line| line.split(' ').collect()).collect();
    let column = lines[0].iter().position(|name| *name == "ForwDatagrams").unwrap();
    lines[1][column].parse().unwrap()
}

#[test]
fn sctp_of_our_own_finds_peers_on_all_sides() {
    if let Err(missing) = probe() {
        println!("skipped: {missing}");
        return;
    }
    let [ran, here, core] = [(); 3].map(|()| Namespace::new().unwrap());
    for (path, name) in ["a", "b"].into_iter().enumerate() {
        let (n2, n2_core) = (format!("n2-{name}"), format!("core-{name}"));
        here.link_to(&ran, &Veth::named(&n2, name)).unwrap();
        here.link_to(&core, &Veth::named(&n2_core, name)).unwrap();
        here.add_address(&n2, RAN_SIDE[path].into(), 24).unwrap();
        here.add_address(&n2_core, CORE_SIDE[path].into(), 24).unwrap();
    }
    here.forward().unwrap();

    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle();
    let amfs = peer(&core, handle, AMF, CORE_SIDE);
    let gnbs = peer(&ran, handle, GNB, RAN_SIDE);
    let mut listener = {
        let _inside = handle.enter();
        amfs.listen(Listen::on(PORT)).unwrap()
    };
    let (host, told) = (start(&here, handle), forwarded(&here));
    runtime.block_on(async {
        let gnb = gnbs.connect(Connect::to(addresses(SERVICE), PORT)).unwrap();
        send(&gnb, 0, ng_setup(1)).await;
        let amf = set_up(&mut listener, 0).await;
        let answer = next(&gnb).await.1;
        let answer = Message::parse(&answer).unwrap();
        assert_eq!((answer.procedure(), answer.outcome()), (Procedure::NgSetup, Outcome::Successful));
        assert_eq!((gnb.paths().len(), amf.paths().len()), (2, 2));
        come(&gnb, &amf, 5).await;
        // The first path of both is cut.
        here.set_up("n2-a", false).unwrap();
        here.set_up("core-a", false).unwrap();
        come(&gnb, &amf, 6).await;
        assert_eq!(host.shown().await.counts.undeliverable, 0);
    });
    assert_eq!(forwarded(&here) - told, 0, "the kernel takes packets of ours for packets of others");
    assert_eq!(silences(&here), 2);
    runtime.block_on(async {
        drop(host);
        let gone = async {
            while silences(&here) > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, gone).await.unwrap();
    });
}

/// How many addresses a namespace's kernel drops packets to.
fn silences(namespace: &Namespace) -> usize {
    let routes = namespace.run(|| fs::read_to_string("/proc/thread-self/net/fib_trie").unwrap()).unwrap();
    routes.matches("/32 universe BLACKHOLE").count() / 2
}

fn start(here: &Namespace, handle: &Handle) -> Host {
    let config = config::parse(CONFIGURATION.as_bytes(), &config::Host::default()).unwrap().config;
    let carrier = Carrier::of(&config, &config.services[0]).unwrap();
    let told = Told {
        here: addresses(SERVICE),
        addresses: [("n2/0".into(), addresses(AMF))].into(),
        settings: Settings::new("pinion", vec![Amf::new("n2/0")]),
    };
    // Sockets, and what is asked of the kernel, belong to the thread's namespace.
    let opened = here.run(|| handle.block_on(carrier.open(addresses(AMF))));
    let (transport, quiet) = opened.unwrap().unwrap();
    let _inside = handle.enter();
    Host::start(Start { service: "n2".into(), transport, told, seed: 7 }, |_| {}).unwrap().quietly(quiet)
}

/// A UE registers.
async fn come(gnb: &Association, amf: &Association, ran: u32) {
    send(gnb, 3, initial(ran, 0)).await;
    let (stream, bytes) = next(amf).await;
    assert_eq!(ids(&bytes).ran, Some(ran));
    send(amf, stream, down(ran.into(), ran, &[])).await;
    assert_eq!(ids(&next(gnb).await.1), UeIds { amf: Some(ran.into()), ran: Some(ran) });
}
