//! The stage in the kernel: network namespaces, XDP on every interface of the one in the middle, and the daemon as a
//! process of its own. Everything is gone when it is dropped, and all but a folder of small files when this process is
//! killed.

mod place;

use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use nix::sys::signal::Signal;
use pinion_networks::Supervised;
use pinion_networks::namespace::{Namespace, Veth, tied};
use pinion_networks::topology::{Families, Host, Plan, Topology};
use pinion_protocols::sctp::endpoint::Time;
use pinion_transport::link::{Frame, Interface, PacketSocket};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Arrived, Seen, Stage};
use crate::api::{AskError, Client, Target};
use crate::demo::cast::{self, Member, Network};
use crate::demo::configuration;
use crate::demo::error::DemoError;
use crate::demo::sbi::cast as sbi;
use crate::demo::sbi::ground::Ground;
use place::Place;

/// How often the daemon is asked how endpoints are.
const LOOK: Duration = Duration::from_millis(100);

/// The stage.
pub(crate) struct KernelStage {
    began: Instant,
    wires: Vec<Wire>,
    daemon: Option<Daemon>,
    // Unmounted before the namespace that its programs are attached in goes.
    place: Place,
    topology: Topology,
    /// Where functions of SBI are.
    core: Arc<Namespace>,
}

/// A player's end of a link.
struct Wire {
    node: usize,
    network: Network,
    socket: PacketSocket,
    waiting: VecDeque<Frame>,
}

/// The daemon, and who asks it.
struct Daemon {
    program: Supervised,
    ready: bool,
    seen: watch::Receiver<Vec<Seen>>,
    asking: JoinHandle<()>,
}

impl KernelStage {
    /// Builds the networks.
    ///
    /// # Errors
    /// What the kernel refuses; nothing is left then.
    pub(crate) fn new() -> Result<Self, DemoError> {
        let place = Place::new()?;
        let plan = Plan {
            clients: cast::GNBS.into(),
            endpoints: cast::members().filter_map(Member::endpoint).count(),
            paths: Network::ALL.len(),
            families: Families::V4,
            ..Plan::default()
        };
        let topology = Topology::build(&plan)?;
        // The daemon itself speaks here.
        topology.balancer.add_address("lo", cast::pfcp_service(), 32)?;
        let core = join_core(&topology.balancer)?;
        let mut wires = Vec::new();
        for (node, (member, host)) in cast::members().zip(topology.hosts()).enumerate() {
            // The players are the hosts: their kernels must not answer for them.
            host.unsettle()?;
            for network in member.networks() {
                let socket = open(host, *network)?;
                wires.push(Wire { node, network: *network, socket, waiting: VecDeque::new() });
            }
        }
        Ok(Self { began: Instant::now(), wires, daemon: None, place, topology, core: Arc::new(core) })
    }
}

/// Joins functions of SBI to the balancer, all on one link: nothing is steered there.
fn join_core(balancer: &Namespace) -> Result<Namespace, DemoError> {
    let core = Namespace::new()?;
    balancer.link_to(&core, &Veth::named("sbi", "sbi"))?;
    balancer.add_address("sbi", sbi::SCP.ip(), sbi::PREFIX)?;
    for function in sbi::functions() {
        core.add_address("sbi", function.place().ip(), sbi::PREFIX)?;
    }
    Ok(core)
}

/// Opens a host's interface on a network.
fn open(host: &Host, network: Network) -> Result<PacketSocket, DemoError> {
    let name = &host.link(network.path().into())?.host.interface.name;
    let runtime = Handle::current();
    let opened = host.namespace.run(|| {
        let _runtime = runtime.enter();
        PacketSocket::open(&Interface::find(name)?)
    })?;
    opened.map_err(DemoError::system("packet socket"))
}

impl Stage for KernelStage {
    const ENGINE: &'static str = "kernel";

    fn now(&self) -> Time {
        Time::ZERO.after(self.began.elapsed())
    }

    fn send(&mut self, node: usize, network: Network, frame: Frame) {
        let wire = self.wires.iter_mut().find(|wire| wire.node == node && wire.network == network);
        if let Some(wire) = wire {
            wire.waiting.push_back(frame);
        }
    }

    async fn receive(&mut self, until: Time, arrived: &mut Vec<Arrived>) -> Result<(), DemoError> {
        let mut end = pin!(sleep_until(self.began + until.since(Time::ZERO)));
        let wires = &mut self.wires;
        poll_fn(|context| {
            for Wire { node, network, socket, waiting } in wires.iter_mut() {
                // What has no room now is sent the next time.
                let _ = socket.poll_send(context, || waiting.pop_front());
                let mut take = |frame: &[u8]| {
                    arrived.push(Arrived { node: *node, network: *network, frame: Bytes::copy_from_slice(frame) });
                };
                // An interface that goes down says so once, and comes back.
                while socket.poll_receive(context, &mut take).is_ready() {}
            }
            if arrived.is_empty() { end.as_mut().poll(context) } else { Poll::Ready(()) }
        })
        .await;
        Ok(())
    }

    fn cut(&mut self, network: Network, cut: bool) -> Result<(), DemoError> {
        for gnb in &self.topology.clients {
            let path = network.path().into();
            if cut { self.topology.cut(gnb, path)? } else { self.topology.restore(gnb, path)? }
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), DemoError> {
        let yaml = configuration::yaml(Some(&self.place.api()));
        std::fs::write(self.place.configuration(), yaml).map_err(DemoError::system("configuration"))?;
        let binary = std::env::current_exe().map_err(DemoError::system("the name of this program"))?;
        let mut command = tied(binary);
        command.arg("run").arg(self.place.configuration());
        command.arg("--pins").arg(self.place.pins()).arg("--state").arg(self.place.state());
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        let program = Supervised::start(&self.topology.balancer, command, self.place.folder())?;
        let (tell, seen) = watch::channel(Vec::new());
        let asking = tokio::spawn(ask(self.place.api(), tell));
        self.daemon = Some(Daemon { program, ready: false, seen, asking });
        Ok(())
    }

    fn kill(&mut self) -> Result<(), DemoError> {
        let Some(mut daemon) = self.daemon.take() else { return Ok(()) };
        let killed = daemon.program.signal(Signal::SIGKILL).and_then(|()| daemon.program.wait());
        killed.map(drop).map_err(DemoError::system("kill the daemon"))
    }

    fn ready(&mut self) -> Result<bool, DemoError> {
        let Some(daemon) = &mut self.daemon else { return Ok(false) };
        daemon.ready |= daemon.program.has_told("READY=1")?;
        Ok(daemon.ready)
    }

    fn ground(&mut self) -> Ground {
        Ground::Network(Arc::clone(&self.core))
    }

    fn scp(&mut self, _nrf: SocketAddr) -> Result<SocketAddr, DemoError> {
        // The daemon's configuration says so from the beginning.
        Ok(sbi::SCP)
    }

    fn endpoints(&self) -> Vec<Seen> {
        self.daemon.as_ref().map(|daemon| daemon.seen.borrow().clone()).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

/// Asks the daemon again and again how endpoints are.
async fn ask(api: impl AsRef<Path>, tell: watch::Sender<Vec<Seen>>) {
    let target = Target::Unix(api.as_ref().to_owned());
    let mut client = None;
    loop {
        match look(&target, &mut client).await {
            Ok(seen) => drop(tell.send_replace(seen)),
            // Not there yet, or no longer.
            Err(_) => client = None,
        }
        sleep(LOOK).await;
    }
}

async fn look(target: &Target, client: &mut Option<Client>) -> Result<Vec<Seen>, AskError> {
    let client = match client {
        Some(client) => client,
        none => none.insert(Client::connect(target, None).await?),
    };
    Ok(client.endpoints(None).await?.into_iter().map(Seen::from).collect())
}
