//! Pinion's XDP program on every interface of a topology's balancer.
//!
//! Between the hosts nothing but XDP knows a service's address: where the program is not attached, or passes what it
//! should steer, the balancer's kernel has no route for it, and no test gets an answer.

mod captures;
mod pins;
mod services;

use pinion_loader::kernel::{Attached, Kernel, Mode, PROGRAM};
use pinion_loader::setup::{ServiceSpec, Setup};
use pinion_loader::{Bounds, Maps as _};
use pinion_steering::{Flow, FlowKey, FlowKind, Link, Reason, State};

use crate::failure::Failure;
use crate::missing::{self, Missing};
use crate::topology::{self, Topology};

pub use captures::Captures;
pub use pins::Pins;
pub use services::Service;

/// Tables for a handful of sessions: made and swept quickly.
pub const BOUNDS: Bounds = Bounds {
    flows: 4096,
    flows6: 4096,
    pins: 256,
    filters: 256,
    fragments: 1024,
    services: 256,
    sources: 128,
    targets: 512,
    maglev: 1 << 14,
};

/// Whether namespaces can be made and the XDP program loaded here.
///
/// # Errors
///
/// The first thing that is missing.
pub fn probe() -> Result<(), Missing> {
    missing::probe()?;
    let found = pinion_loader::kernel::probe().and_then(|probe| probe.require());
    found.map_err(|error| Missing::Xdp(error.to_string()))
}

/// A program that steers between the hosts of a topology until it is dropped.
pub struct Scenario {
    /// The program and its tables.
    pub kernel: Kernel,
    /// What was laid out where.
    pub setup: Setup,
    attached: Vec<Attached>,
    /// Programs at the hosts' ends. They pass everything, but without one a veth's end sleeps on what XDP sends
    /// back to where it came from (`XDP_TX`) until something else wakes it.
    _wakers: Vec<Attached>,
}

impl Scenario {
    /// Loads the program, attaches it in native mode to every interface of the balancer, and puts `services` in force.
    ///
    /// # Errors
    ///
    /// [`Failure::Steering`] where the kernel refuses one of it, native mode included.
    pub fn start(topology: &Topology, services: &[ServiceSpec]) -> Result<Self, Failure> {
        let wakers = wake(topology)?;
        Ok(Self { _wakers: wakers, ..Self::start_alone(topology, services)? })
    }

    /// As [`Scenario::start`], without programs at the hosts' ends.
    ///
    /// # Errors
    ///
    /// As [`Scenario::start`].
    pub fn start_alone(topology: &Topology, services: &[ServiceSpec]) -> Result<Self, Failure> {
        Self::start_bounded(topology, services, BOUNDS)
    }

    /// As [`Scenario::start_alone`], with tables of other sizes.
    ///
    /// # Errors
    ///
    /// As [`Scenario::start`].
    pub fn start_bounded(topology: &Topology, services: &[ServiceSpec], bounds: Bounds) -> Result<Self, Failure> {
        let mut kernel = Kernel::load(bounds)?;
        kernel.verify(PROGRAM)?;
        let wakers = Vec::new();
        let mut scenario = Self { kernel, setup: Setup::default(), attached: Vec::new(), _wakers: wakers };
        fill_links(&mut scenario.kernel, topology)?;
        scenario.apply(services)?;
        // An interface index means an interface of the namespace that the calling thread is in.
        let kernel = &mut scenario.kernel;
        scenario.attached = topology.balancer.run(|| {
            topology
                .links()
                .map(|link| kernel.attach(link.balancer.interface.index, Mode::Native))
                .collect::<Result<_, _>>()
        })??;
        Ok(scenario)
    }

    /// Puts other services in force. What is pinned stays where it is.
    ///
    /// # Errors
    ///
    /// [`Failure::Steering`].
    pub fn apply(&mut self, services: &[ServiceSpec]) -> Result<(), Failure> {
        Ok(self.setup.apply(&mut self.kernel, services)?)
    }

    /// Detaches the program from every interface; the tables stay readable.
    pub fn detach(&mut self) {
        self.attached.clear();
    }

    /// How many packets there were for a reason.
    ///
    /// # Errors
    ///
    /// [`Failure::Steering`].
    pub fn count(&self, reason: Reason) -> Result<u64, Failure> {
        Ok(self.kernel.counters()?.get(reason as usize).copied().unwrap_or_default())
    }

    /// Every reason that a packet was counted for, for messages.
    ///
    /// # Errors
    ///
    /// [`Failure::Steering`].
    pub fn counted(&self) -> Result<Vec<(&'static str, u64)>, Failure> {
        let counters = self.kernel.counters()?;
        let named = Reason::ALL.iter().map(|reason| reason.name()).zip(counters);
        Ok(named.filter(|(_, count)| *count > 0).collect())
    }

    /// Pins of one kind.
    ///
    /// # Errors
    ///
    /// [`Failure::Steering`].
    pub fn flows(&self, kind: FlowKind) -> Result<Vec<(FlowKey, Flow)>, Failure> {
        let all = self.kernel.flows()?;
        Ok(all.into_iter().filter(|(key, _)| key.kind() == kind).collect())
    }

    /// How many pins of one kind are in a state.
    ///
    /// # Errors
    ///
    /// [`Failure::Steering`].
    pub fn pins_in(&self, kind: FlowKind, state: State) -> Result<usize, Failure> {
        Ok(self.flows(kind)?.iter().filter(|(_, flow)| flow.state == state as u8).count())
    }

    /// The endpoint that a pin sends to, and the path that it counts from; none where it is a reply's pin.
    #[must_use]
    pub fn endpoint(&self, flow: &Flow) -> Option<&str> {
        self.setup.owner(flow.target)?.endpoint.as_deref()
    }
}

/// Puts a program without services at the hosts' end of every link.
///
/// # Errors
///
/// [`Failure::Steering`].
pub fn wake(topology: &Topology) -> Result<Vec<Attached>, Failure> {
    let mut idle = Kernel::load(BOUNDS)?;
    idle.verify(PROGRAM)?;
    let mut attached = Vec::new();
    for host in topology.hosts() {
        for link in &host.links {
            let index = link.host.interface.index;
            attached.push(host.namespace.run(|| idle.attach(index, Mode::Native))??);
        }
    }
    Ok(attached)
}

/// Tells the program of every interface of the balancer: with which link address it answers for services there.
///
/// # Errors
///
/// [`Failure::Steering`].
pub fn fill_links(kernel: &mut Kernel, topology: &Topology) -> Result<(), Failure> {
    for topology::Link { balancer, .. } in topology.links() {
        let index = balancer.interface.index;
        let address = balancer.interface.mac.map(|mac| mac.0).unwrap_or_default();
        kernel.put_link(index, &Link { lower: index, vlan: 0, address })?;
    }
    Ok(())
}
