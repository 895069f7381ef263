//! A [`World`] of gNBs and AMFs over the project's SCTP, in network namespaces: gNBs are in the clients' places, AMFs in
//! the endpoints'.

mod carrier;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pinion_protocols::ngap::PORT;
use pinion_simulators::n2::{AmfConfig, Place, Running, World};
use pinion_transport::userspace::Userspace;
use pinion_transport::{Config, Connect, Event, Listen, RequestError, Transport as _};
use tokio::runtime::Runtime;

use carrier::Carrier;

use crate::failure::Failure;
use crate::sctp::userspace::take_over;
use crate::sctp::{self, Peer};
use crate::topology::{Host, Topology};

/// How many there are of what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// gNBs: the first clients.
    pub gnbs: usize,
    /// How many of them, the first, are on a kernel's SCTP: see [`Field::carry`].
    pub kernels: usize,
    /// AMFs: the first endpoints.
    pub amfs: u8,
    /// UEs.
    pub ues: u32,
    /// What is random comes from here.
    pub seed: u64,
}

/// A world whose gNBs and AMFs are in hosts' places.
#[derive(Debug)]
pub struct Field {
    /// The world.
    pub running: Running,
    /// What carries gNBs on a kernel's SCTP.
    carriers: Vec<Carrier>,
    kernels: usize,
    // Dropped before the runtime that drives them.
    gnbs: Vec<Userspace>,
    amfs: Vec<Option<Userspace>>,
    runtime: Arc<Runtime>,
}

impl Field {
    /// Takes the places over; AMFs, all of one set, accept associations from now on.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], [`Failure::Socket`].
    pub fn new(topology: &Topology, plan: Plan) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = Arc::new(runtime.map_err(|source| Failure::Socket { what: "runtime of peers", source })?);
        let configs = (0..plan.amfs).map(AmfConfig::new).collect();
        let world = World::new(plan.gnbs, plan.ues, configs, plan.seed);
        let mut running = Running::new(world, runtime.handle().clone());
        let place = |host: &Host| take_over(host, runtime.handle(), &config());
        let gnbs =
            topology.clients.iter().take(plan.gnbs).skip(plan.kernels).map(place).collect::<Result<_, _>>()?;
        let mut amfs = Vec::new();
        for (number, host) in topology.endpoints.iter().take(plan.amfs.into()).enumerate() {
            let transport = place(host)?;
            let _inside = runtime.enter();
            running.amf(number, transport.listen(Listen::on(PORT)).map_err(refused)?);
            amfs.push(Some(transport));
        }
        Ok(Self { running, carriers: Vec::new(), kernels: plan.kernels, gnbs, amfs, runtime })
    }

    /// The runtime that drives it.
    #[must_use]
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Every gNB on the project's SCTP asks what is at some addresses to be set up.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn connect(&self, service: &[IpAddr]) -> Result<(), Failure> {
        let _inside = self.runtime.enter();
        for (number, gnb) in self.gnbs.iter().enumerate() {
            let association = gnb.connect(Connect::to(service.to_vec(), PORT)).map_err(refused)?;
            self.running.gnb(number.saturating_add(self.kernels), association);
        }
        Ok(())
    }

    /// A gNB on a kernel's SCTP asks to be set up, from now until this is dropped.
    ///
    /// # Errors
    ///
    /// As [`Peer::carry`].
    pub fn carry(&mut self, gnb: usize, mut peer: Peer, connect: &sctp::Connect) -> Result<(), Failure> {
        let [_, streams] = peer.carry(connect)?.streams;
        let outside = self.running.outside(Place::Gnb(gnb));
        outside.came(Event::Established { accepted: false, outbound_streams: streams, inbound_streams: streams });
        self.carriers.push(Carrier::start(peer, connect.name.clone(), outside));
        Ok(())
    }

    /// An AMF dies. Where its host has been cut off nobody is told; else its peers get an ABORT.
    pub fn kill(&mut self, amf: usize) {
        self.running.kill(amf);
        if let Some(amf) = self.amfs.get_mut(amf) {
            *amf = None;
        }
    }
}

/// Timers that notice a dead path within seconds; associations that outlast a busy machine.
fn config() -> Config {
    Config {
        rto_initial: Duration::from_millis(500),
        rto_min: Duration::from_millis(200),
        rto_max: Duration::from_secs(1),
        heartbeat_interval: Some(Duration::from_secs(1)),
        path_max_retransmissions: 2,
        association_max_retransmissions: 200,
        max_init_retransmissions: 60,
        outbound_streams: 64,
        ..Config::default()
    }
}

fn refused(error: RequestError) -> Failure {
    Failure::Socket { what: "association", source: std::io::Error::other(error) }
}
