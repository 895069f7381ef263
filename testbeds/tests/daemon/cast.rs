//! Who takes part: peers of every protocol, and the services between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use testbeds::daemon::Served;
use testbeds::failure::Failure;
use testbeds::patience::wait_for;
use testbeds::peers::{Echoes, gtpu, tcp, udp};
use testbeds::python::Python;
use testbeds::scenario::Service;
use testbeds::sctp::{Connect, Peer, Server, Stack};
use testbeds::topology::{Host, Topology};

/// Clients and endpoints of UDP, TCP and GTP-U come first among a topology's, then those of SCTP: where a User-Mode
/// Linux speaks it, it has its host for itself.
pub(crate) const CLIENTS: usize = 3;
pub(crate) const ENDPOINTS: usize = 5;
pub(crate) const GNBS: usize = 2;
pub(crate) const AMFS: usize = 3;

/// A tunnel that is configured, and its endpoint; the others are placed by hashing.
pub(crate) const TUNNEL: (u32, &str) = (0x1001, "endpoint3");

const N2: &str = "n2";
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(2);

/// The four services.
pub(crate) fn services(
    topology: &Topology,
    udp: &Service,
    tcp: &Service,
    n3: &Service,
    n2: &Service,
) -> Vec<Served> {
    let [mut udp, mut tcp, mut n3, mut n2] =
        [*udp, *tcp, *n3, *n2].map(|service| Served::by_all(service, topology));
    for served in [&mut udp, &mut tcp, &mut n3] {
        served.endpoints.truncate(ENDPOINTS);
    }
    n2.endpoints.drain(..ENDPOINTS);
    let health = |kind: &str| format!("health: {{ kind: {kind}, interval: 200ms, timeout: 200ms }}");
    udp.pool.push(health("udp, payload: probe, answer: true"));
    tcp.pool.push(health("tcp"));
    n3.pool.push(health("gtpu"));
    n2.pool.push(health("sctp"));
    n3.more.extend(["unknown: hash".to_owned(), "tunnels:".to_owned()]);
    n3.more.push(format!("  - {{ teid: {:#x}, endpoint: {} }}", TUNNEL.0, TUNNEL.1));
    vec![udp, tcp, n3, n2]
}

pub(crate) fn without_the_fifth(mut served: Served) -> Served {
    served.endpoints.retain(|(name, ..)| *name != format!("endpoint{ENDPOINTS}"));
    served
}

/// A thousand services that nobody uses.
pub(crate) fn thousand(like: &Service) -> Vec<Served> {
    let service = |number: usize| {
        let name: &'static str = Box::leak(format!("spare-{number}").into_boxed_str());
        Served {
            service: Service { name, port: 10_000 + (number % 10) as u16, ..*like },
            addresses: vec![format!("203.0.113.{}", number / 10)],
            endpoints: vec![(
                format!("spare-{number}"),
                vec![format!("10.200.{}.{}", number / 200, number % 200 + 1)],
                1,
            )],
            more: Vec::new(),
            pool: Vec::new(),
        }
    };
    (0..1000).map(service).collect()
}

/// Servers of UDP and TCP on every endpoint.
pub(crate) struct Servers(Vec<Option<(udp::Server, tcp::Server)>>);

impl Servers {
    pub(crate) fn start(topology: &Topology, udp: &Service, tcp: &Service) -> Self {
        let start = |host: &Host| {
            let udp = udp::Server::start(&host.namespace, &host.name, &udp.sockets(host)).unwrap();
            Some((udp, tcp::Server::start(&host.namespace, &host.name, &tcp.sockets(host)).unwrap()))
        };
        Self(topology.endpoints[..ENDPOINTS].iter().map(start).collect())
    }

    pub(crate) fn kill(&mut self, number: usize) {
        self.0[number] = None;
    }
}

/// What a client does again and again.
type Exchange = Box<dyn FnMut() -> Result<Echoes, Failure> + Send>;

/// A tunnel of every client, and user planes at every endpoint.
pub(crate) fn tunnels(
    python: &Python,
    topology: &Topology,
    service: &Service,
) -> (Vec<Option<gtpu::Upf>>, Vec<(String, Exchange)>) {
    const DOWN: u32 = 0x1000;
    let teids: Vec<u32> = (TUNNEL.0..).take(CLIENTS).collect();
    let downlinks: BTreeMap<u32, u32> = teids.iter().map(|teid| (*teid, teid + DOWN)).collect();
    let upfs = topology.endpoints[..ENDPOINTS].iter().map(|host| {
        let (addresses, port) = (host.addresses(false), service.endpoint_port);
        Some(gtpu::Upf::start(python, &host.namespace, &host.name, &addresses, port, &downlinks).unwrap())
    });
    let gnbs = topology.clients.iter().zip(teids).map(|(host, teid)| {
        let local = SocketAddr::new(host.addresses(false)[0], service.port);
        let mut gnb = gtpu::Gnb::start(python, &host.namespace, local).unwrap();
        let to = service.socket();
        let session = gtpu::Session {
            uplink: teid,
            downlink: teid + DOWN,
            terminal: "10.60.0.1".parse().unwrap(),
            beyond: "192.0.2.1".parse().unwrap(),
            qfi: Some(9),
        };
        let exchange: Exchange = Box::new(move || gnb.send(to, &session, 5, 100, WAIT));
        (format!("{} gtpu {teid:#x}", host.name), exchange)
    });
    (upfs.collect(), gnbs.collect())
}

/// Multi-homed associations between gNBs and AMFs.
pub(crate) struct Associations<'a> {
    topology: &'a Topology,
    service: Service,
    amfs: Vec<Option<Peer>>,
    gnbs: Vec<Peer>,
}

impl<'a> Associations<'a> {
    /// Starts the peers, and does not wait for them.
    pub(crate) fn start(stack: &Stack, topology: &'a Topology, service: &Service) -> Self {
        let start = |host: &Host| stack.start(host).unwrap();
        Self {
            topology,
            service: *service,
            amfs: topology.endpoints[ENDPOINTS..].iter().map(|host| Some(start(host))).collect(),
            gnbs: topology.clients[CLIENTS..].iter().map(start).collect(),
        }
    }

    pub(crate) fn serve(&mut self) {
        for (amf, host) in self.amfs.iter_mut().flatten().zip(&self.topology.endpoints[ENDPOINTS..]) {
            let (identity, addresses) = (host.name.clone(), host.addresses(false));
            amf.serve(&Server { identity, addresses, port: self.service.endpoint_port, streams: 4 }).unwrap();
        }
    }

    /// Opens an association of every gNB, on which messages flow from then on.
    pub(crate) fn open(&mut self) {
        let services = self.service.addresses(2);
        for (gnb, host) in self.gnbs.iter_mut().zip(&self.topology.clients[CLIENTS..]) {
            let local = host.addresses(false);
            gnb.connect(&Connect::ngap(N2, local, 9487, services.clone(), self.service.port)).unwrap();
            gnb.start_flow(N2, 100, Duration::from_millis(10)).unwrap();
        }
    }

    /// Waits until the first gNB knows so many paths that are in a state.
    pub(crate) fn wait_for_paths(&mut self, state: &str, count: usize) {
        let gnb = &mut self.gnbs[0];
        wait_for(PATIENCE, || gnb.association(N2).unwrap().paths_that_are(state).len() == count);
    }

    /// Kills an AMF that has no session; its name.
    pub(crate) fn kill_an_idle_one(&mut self, sessions: &BTreeMap<String, String>) -> String {
        let hosts = self.topology.endpoints[ENDPOINTS..].iter().enumerate();
        let mut idle = hosts.filter(|(_, host)| !sessions.values().any(|endpoint| endpoint.ends_with(&host.name)));
        let (number, host) = idle.next().unwrap();
        self.amfs[number] = None;
        host.name.clone()
    }

    /// Ends the messages; what became of them.
    pub(crate) fn finish(&mut self) -> Vec<Echoes> {
        self.gnbs.iter_mut().map(|gnb| gnb.finish_flow(N2, PATIENCE).unwrap()).collect()
    }
}
