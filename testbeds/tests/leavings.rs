//! A topology leaves nothing behind, and two do not meet.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::time::Duration;

use testbeds::missing::probe;
use testbeds::namespace::{Namespace, Process, Veth, tied};
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::peers::udp;
use testbeds::sctp::Stack;
use testbeds::topology::{Plan, Topology};

const WAIT: Duration = Duration::from_secs(20);

/// A namespace that notices when others are gone: the kernel removes a veth
/// whose other end's namespace has ended, and no earlier.
struct Witness(Namespace);

impl Witness {
    fn watching(topology: &Topology) -> Self {
        let witness = Self(Namespace::new().unwrap());
        let namespaces = topology.hosts().map(|host| &host.namespace).chain([&topology.balancer]);
        for (number, namespace) in namespaces.enumerate() {
            let veth = Veth::named("witness", &format!("watch{number}"));
            namespace.link_to(&witness.0, &veth).unwrap();
        }
        witness
    }

    fn alive(&self) -> usize {
        self.0.interfaces().unwrap().iter().filter(|it| it.name.starts_with("watch")).count()
    }
}

/// Whether the namespace that tests run in has anything of a topology: its
/// interfaces, or a mount of its files.
fn outside_is_clean() -> bool {
    let interfaces = fs::read_to_string("/proc/thread-self/net/dev").unwrap();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let ours = ["path1", "client1-p1", "endpoint1-p1"];
    !ours.iter().any(|name| interfaces.contains(name)) && !mounts.contains("testbeds")
}

/// Processes whose environment carries this mark: a child has its parent's.
fn marked(mark: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let environments = processes.filter_map(|process| fs::read(process.path().join("environ")).ok());
    environments.filter(|it| it.windows(mark.len()).any(|part| part == mark.as_bytes())).count()
}

fn start_sleeper(namespace: &Namespace, mark: &str) -> Process {
    let mut command = Command::new("sh");
    // The shell's own child belongs to its group.
    command.args(["-c", "sleep 300 & sleep 300"]).env("TESTBEDS_MARK", mark).stdout(Stdio::null());
    namespace.spawn(command).unwrap()
}

#[test]
fn a_dropped_topology_is_gone() {
    need!(probe());
    let topology = Topology::build(&Plan { paths: 2, ..Plan::default() }).unwrap();
    let witness = Witness::watching(&topology);
    let mark = format!("dropped-{}", std::process::id());
    let sleeper = start_sleeper(&topology.clients[0].namespace, &mark);
    wait_for(WAIT, || marked(&mark) == 3);
    assert_eq!(witness.alive(), 4);
    assert!(outside_is_clean());
    drop(sleeper);
    wait_for(WAIT, || marked(&mark) == 0);
    drop(topology);
    wait_for(WAIT, || witness.alive() == 0);
    assert!(outside_is_clean());
}

#[test]
fn a_panic_leaves_nothing_either() {
    need!(probe());
    let mark = format!("panicked-{}", std::process::id());
    let mut witness = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let topology = Topology::build(&Plan::default()).unwrap();
        witness = Some(Witness::watching(&topology));
        let _sleeper = start_sleeper(&topology.endpoints[1].namespace, &mark);
        topology.balancer.run(|| panic!("inside the namespace")).unwrap();
    }));
    let panic = panicked.unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"inside the namespace"));
    wait_for(WAIT, || witness.as_ref().unwrap().alive() == 0);
    assert_eq!(marked(&mark), 0);
    assert!(outside_is_clean());
}

#[test]
fn an_sctp_peer_leaves_nothing() {
    need!(probe());
    let stack = need!(Stack::find());
    let topology = Topology::build(&Plan { endpoints: 1, ..Plan::default() }).unwrap();
    let witness = Witness::watching(&topology);
    // One that has started, and one that is still starting.
    let mut ready = stack.start(&topology.clients[0]).unwrap();
    ready.ready().unwrap();
    let starting = stack.start(&topology.endpoints[0]).unwrap();
    drop((ready, starting, topology));
    // A process left in one of them would keep it.
    wait_for(WAIT, || witness.alive() == 0);
}

#[test]
fn a_tied_command_dies_with_who_started_it() {
    need!(probe());
    let namespace = Namespace::new().unwrap();
    let mut command = tied("sh");
    command.args(["-c", "exit 7"]);
    assert_eq!(namespace.spawn(command).unwrap().wait().unwrap().code(), Some(7));
    let mut command = tied("sleep");
    command.arg("300");
    let mut sleeper = namespace.spawn(command).unwrap();
    // It would end at once if its parent were a thread that has ended.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(sleeper.ended().unwrap(), None);
}

#[test]
fn two_topologies_have_the_same_names_and_do_not_meet() {
    need!(probe());
    let both = [(); 2].map(|()| Topology::build(&Plan::default()).unwrap());
    let links = both.each_ref().map(|one| one.links().cloned().collect::<Vec<_>>());
    assert_eq!(links[0], links[1]);
    let address = both[0].endpoints[0].addresses(false)[0];
    assert_eq!(address, both[1].endpoints[0].addresses(false)[0]);
    let socket = SocketAddr::new(address, 7000);
    let servers = both
        .iter()
        .zip(["first", "second"])
        .map(|(one, identity)| udp::Server::start(&one.endpoints[0].namespace, identity, &[socket]).unwrap());
    let _servers: Vec<_> = servers.collect();
    for (one, identity) in both.iter().zip(["first", "second"]) {
        let local = "0.0.0.0:5000".parse().unwrap();
        let mut flow = udp::Client::bind(&one.clients[0].namespace, local).unwrap();
        let echoes = flow.exchange(socket, 3, 32, WAIT).unwrap();
        assert_eq!(echoes.only_identity(), Some(identity));
    }
}

#[test]
fn a_plan_beyond_its_bounds_is_refused() {
    for plan in [
        Plan { paths: 0, ..Plan::default() },
        Plan { paths: 9, ..Plan::default() },
        Plan { clients: 101, ..Plan::default() },
    ] {
        assert!(Topology::build(&plan).is_err());
    }
}
