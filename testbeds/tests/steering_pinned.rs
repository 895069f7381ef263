//! A pinned program forwards without its process, and is replaced between two packets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aya::programs::links::{FdLink, PinnedLink};
use pinion_loader::Maps as _;
use pinion_loader::kernel::{Attached, Kernel, Mode, PROGRAM, PinFolder};
use pinion_loader::setup::Setup;
use pinion_steering::Reason;
use testbeds::namespace::Veth;
use testbeds::need;
use testbeds::peers::{Echoes, udp};
use testbeds::scenario::{BOUNDS, Pins, Service, fill_links, probe};
use testbeds::topology::{Plan, Topology};

const WAIT: Duration = Duration::from_secs(5);
/// How long an answer is waited for that must not come.
const SHORT: Duration = Duration::from_millis(300);
/// How often the program is replaced under traffic.
const LIVES: usize = 10;

/// A life of the daemon: its own kernel objects, the pinned maps.
fn load(pins: &Pins) -> Kernel {
    let mut kernel = Kernel::load_pinned(BOUNDS, &pins.folder).unwrap();
    kernel.verify(PROGRAM).unwrap();
    kernel
}

fn attach(kernel: &mut Kernel, folder: &PinFolder, topology: &Topology) -> Vec<Attached> {
    let attach = || {
        let interfaces = topology.links().map(|link| &link.balancer.interface);
        interfaces.map(|it| kernel.attach_pinned(folder, &it.name, it.index, Mode::Native).unwrap()).collect()
    };
    topology.balancer.run(attach).unwrap()
}

/// The kernel's numbers of the link pinned for an interface, and of its program.
fn numbers(pins: &Pins, interface: &str) -> (u32, u32) {
    let link = FdLink::from(PinnedLink::from_pin(pins.folder.link(interface)).unwrap());
    let info = link.info().unwrap();
    (info.id(), info.program_id())
}

fn served(topology: &Topology, service: &Service) -> Vec<udp::Server> {
    let servers = topology.endpoints.iter().map(|host| {
        let socket = SocketAddr::new(host.addresses(service.v6)[0], service.endpoint_port);
        udp::Server::start(&host.namespace, &host.name, &[socket]).unwrap()
    });
    servers.collect()
}

fn client(topology: &Topology, port: u16) -> udp::Client {
    let host = &topology.clients[0];
    udp::Client::bind(&host.namespace, SocketAddr::new(host.addresses(false)[0], port)).unwrap()
}

#[test]
fn a_pinned_program_outlives_its_process_and_is_replaced_without_loss() {
    need!(probe());
    let topology = Topology::build(&Plan::default()).unwrap();
    let service = Service::udp(false);
    let to = service.socket();
    let _servers = served(&topology, &service);
    let pins = Pins::mount().unwrap();

    let mut first = load(&pins);
    fill_links(&mut first, &topology).unwrap();
    Setup::default().apply(&mut first, &[service.spec(&topology)]).unwrap();
    let attached = attach(&mut first, &pins.folder, &topology);
    let mut flow = client(&topology, 5000);
    let before = flow.exchange(to, 5, 64, WAIT).unwrap();
    assert!(before.whole(), "{before:?}");
    drop((first, attached));

    // Nobody has the program or a map open any more; flows that are known and flows that are new are steered.
    let after = flow.exchange(to, 5, 64, WAIT).unwrap();
    assert!(after.whole() && after.identities.keys().eq(before.identities.keys()), "{after:?}");
    assert!(client(&topology, 5001).exchange(to, 1, 64, WAIT).unwrap().whole());

    let stop = AtomicBool::new(false);
    let mut echoes = Vec::new();
    let mut seen = Vec::new();
    thread::scope(|scope| {
        let traffic = scope.spawn(|| {
            let mut all = Vec::new();
            while !stop.load(Ordering::Acquire) {
                all.push(flow.exchange(to, 20, 64, WAIT).unwrap());
            }
            all
        });
        for _ in 0..LIVES {
            let mut next = load(&pins);
            // Adopted, not laid out: two flows, each with a pin in both directions.
            assert_eq!(next.flows().unwrap().len(), 4);
            drop(attach(&mut next, &pins.folder, &topology));
            seen.push(
                topology.links().map(|link| numbers(&pins, &link.balancer.interface.name)).collect::<Vec<_>>(),
            );
        }
        stop.store(true, Ordering::Release);
        echoes = traffic.join().unwrap();
    });
    assert!(echoes.len() >= LIVES / 2 && echoes.iter().all(Echoes::whole), "{echoes:?}");
    assert!(echoes.iter().all(|echoes| echoes.identities.keys().eq(before.identities.keys())));
    for pair in seen.windows(2) {
        for (old, new) in pair[0].iter().zip(&pair[1]) {
            assert_eq!(old.0, new.0, "another link");
            assert_ne!(old.1, new.1, "the same program");
        }
    }

    let mut last = load(&pins);
    let counters = last.counters().unwrap();
    let sent: u64 = echoes.iter().map(|echoes| echoes.sent).sum();
    // Every packet of every life is in the pinned counters.
    let pinned = counters[Reason::Pinned as usize] + counters[Reason::Unresolved as usize];
    assert!(pinned >= sent, "{pinned} of {sent}");
    for attached in attach(&mut last, &pins.folder, &topology) {
        attached.detach().unwrap();
    }
    for link in topology.links() {
        assert!(!pins.folder.link(&link.balancer.interface.name).exists());
    }
    assert_eq!(flow.exchange(to, 1, 64, SHORT).unwrap().missing, 1);
}

/// An interface is removed and made anew under its name: its pinned link is an empty shell.
#[test]
fn an_interface_made_anew_is_attached_anew() {
    need!(probe());
    let topology = Topology::build(&Plan { endpoints: 1, ..Plan::default() }).unwrap();
    let pins = Pins::mount().unwrap();
    let mut kernel = load(&pins);
    drop(attach(&mut kernel, &pins.folder, &topology));
    let name = &topology.clients[0].links[0].balancer.interface.name;
    let (old, _) = numbers(&pins, name);
    topology.balancer.remove(name).unwrap();
    let [made, _] = topology.balancer.link_to(&topology.clients[0].namespace, &Veth::named(name, "anew")).unwrap();
    let again = || kernel.attach_pinned(&pins.folder, name, made.index, Mode::Native);
    drop(topology.balancer.run(again).unwrap().unwrap());
    let (new, _) = numbers(&pins, name);
    assert_ne!(old, new);
}

/// A name is another interface's by now, as after a renaming: the pinned link is not the one to go on with.
#[test]
fn an_interface_under_anothers_name_is_attached_anew() {
    need!(probe());
    let topology = Topology::build(&Plan { endpoints: 1, ..Plan::default() }).unwrap();
    let pins = Pins::mount().unwrap();
    let mut kernel = load(&pins);
    let [first, other] =
        [&topology.clients[0], &topology.endpoints[0]].map(|host| &host.links[0].balancer.interface);
    let mut on = |index| {
        let attach = || kernel.attach_pinned(&pins.folder, &first.name, index, Mode::Native);
        drop(topology.balancer.run(attach).unwrap().unwrap());
        numbers(&pins, &first.name).0
    };
    let (before, again, moved) = (on(first.index), on(first.index), on(other.index));
    assert_eq!(before, again);
    assert_ne!(before, moved);
    // Nothing is left on the first one: it can be attached to, as soon as the kernel has let go of the link.
    let mut attach = || topology.balancer.run(|| kernel.attach(first.index, Mode::Native)).unwrap();
    let end = Instant::now() + WAIT;
    while attach().is_err() {
        assert!(Instant::now() < end, "the link is still on the first interface");
        thread::sleep(Duration::from_millis(10));
    }
}
