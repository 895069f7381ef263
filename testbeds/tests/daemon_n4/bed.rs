//! Who takes part, and what every test does with them.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use pinion_loader::kernel::Attached;
use testbeds::daemon::{Daemon, Place, Traffic};
use testbeds::n4::{Gnb, Plane, Running, Smf, SmfConfig, State, Timing, Tunnel, Upf, UpfConfig, Wish};
use testbeds::patience::wait_for;
use testbeds::peers::Echoes;
use testbeds::peers::gtpu::Session;
use testbeds::scenario::wake;
use testbeds::topology::{Families, Host, Plan, Topology};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Where the daemon speaks PFCP: an address of the balancer's own.
pub(crate) const N4: Ipv4Addr = Ipv4Addr::new(10, 1, 255, 40);
/// What gNBs are told: an address that nobody has.
pub(crate) const N3: Ipv4Addr = Ipv4Addr::new(10, 1, 255, 41);
/// The Node ID of UPFs that are one.
pub(crate) const FUNCTION: Ipv4Addr = Ipv4Addr::new(10, 1, 255, 42);
const BEYOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 200);
pub(crate) const SMFS: usize = 2;
pub(crate) const GNBS: usize = 2;
pub(crate) const UPFS: usize = 3;
/// A packet that is not answered by then is lost.
const LOST: Duration = Duration::from_secs(2);
/// How many requests are under way at the most.
const WINDOW: usize = 64;
/// gNBs' TEIDs begin here.
const DOWNLINK: u32 = 0x8000_0000;

/// What is configured.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    /// How many UPFs.
    pub(crate) upfs: usize,
    /// Who takes care of users' addresses: `upf`, `n6`.
    pub(crate) ue_addresses: &'static str,
    pub(crate) restore: bool,
    /// Whether there is the front end itself.
    pub(crate) n4: bool,
    /// Whether N3 has a pool of its own.
    pub(crate) two_pools: bool,
    /// Whether sessions are only placed: the UPFs are one to SMFs, and gNBs see their own tunnels.
    pub(crate) redirect: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { upfs: UPFS, ue_addresses: "upf", restore: false, n4: true, two_pools: false, redirect: false }
    }
}

/// An UPF with its user plane.
pub(crate) struct Core {
    pub(crate) upf: Running<Upf>,
    _plane: Plane,
}

/// SMFs are the first clients, gNBs the others; there is one UPF more than is configured.
pub(crate) struct Bed {
    pub(crate) smfs: Vec<Running<Smf>>,
    pub(crate) gnbs: Vec<Gnb>,
    pub(crate) upfs: Vec<Core>,
    pub(crate) place: Place,
    pub(crate) topology: Topology,
    _wakers: Vec<Attached>,
}

impl Bed {
    pub(crate) fn new(options: &Options) -> Self {
        let plan = Plan { clients: SMFS + GNBS, endpoints: UPFS + 1, families: Families::V4, ..Plan::default() };
        let topology = Topology::build(&plan).unwrap();
        topology.balancer.own(N4.into()).unwrap();
        let _wakers = wake(&topology).unwrap();
        let (control, radio) = topology.clients.split_at(SMFS);
        let smfs = control.iter().map(smf).collect();
        let gnbs = gnbs(radio);
        let node = options.redirect.then_some(FUNCTION);
        let upfs = (1..).zip(&topology.endpoints).map(|(number, host)| core(number, host, node)).collect();
        let place = Place::new(BINARY).unwrap();
        let bed = Self { smfs, gnbs, upfs, place, topology, _wakers };
        bed.configure(options);
        bed
    }

    pub(crate) fn configure(&self, options: &Options) {
        self.configure_with(options, "");
    }

    /// With something more at the top.
    pub(crate) fn configure_with(&self, options: &Options, more: &str) {
        let interfaces = self.topology.links().map(|link| link.balancer.interface.name.as_str());
        let interfaces = interfaces.collect::<Vec<_>>().join(", ");
        let n3_pool = if options.two_pools { "users" } else { "upfs" };
        let mut yaml = format!("api: {{ unix: {} }}\ninterfaces: [{interfaces}]\n", self.place.api().display());
        yaml += more;
        yaml += "bounds: { pins: 30000, flows: 1000 }\npools:\n";
        for pool in ["upfs", "users"].into_iter().filter(|pool| *pool == "upfs" || options.two_pools) {
            let _ = writeln!(yaml, "  - name: {pool}\n    endpoints:");
            for host in &self.topology.endpoints[..options.upfs] {
                let _ = writeln!(yaml, "      - {{ name: {}, addresses: ['{}'] }}", host.name, address(host));
            }
        }
        let Options { ue_addresses, restore, .. } = options;
        let mode = if options.redirect { "mode: redirect" } else { "user_plane: [n3]" };
        yaml += "services:\n";
        if options.n4 {
            let _ = write!(
                yaml,
                "  - name: n4
    protocol: pfcp
    addresses: ['{N4}']
    pool: upfs
    pfcp:
      {mode}
      ue_addresses: {ue_addresses}
      restore: {restore}
      heartbeat: 1s
      t1: 500ms
      n1: 4
      sessions: 20000
      smfs: 16
"
            );
        }
        let _ = write!(
            yaml,
            "  - name: n3
    protocol: gtpu
    addresses: ['{N3}']
    pool: {n3_pool}
    unknown: drop
"
        );
        self.place.configure_as(&yaml).unwrap();
    }

    /// Starts the daemon, and waits for its associations and those of the SMFs.
    pub(crate) fn start(&self, options: &Options) -> Daemon {
        let daemon = self.place.start(&self.topology.balancer).unwrap();
        self.wait_for_upfs("up", 0..options.upfs);
        self.associate(&daemon);
        daemon
    }

    /// Has SMFs associate, and waits for that.
    pub(crate) fn associate(&self, daemon: &Daemon) {
        for smf in &self.smfs {
            smf.with(|smf, now| smf.associate(front_end(), now));
            assert!(smf.until(PATIENCE, |smf| smf.associations()[&front_end()].is_up()), "{}", daemon.tail());
        }
    }

    pub(crate) fn wait_for_upfs(&self, state: &str, which: Range<usize>) {
        wait_for(PATIENCE, || {
            which
                .clone()
                .all(|number| self.place.state("upfs", &self.topology.endpoints[number].name).unwrap() == state)
        });
    }

    /// Establishes and activates so many sessions of an SMF; users are at its gNB. Their SEIDs.
    pub(crate) fn establish(&self, smf: usize, sessions: usize, wish: impl Fn(usize) -> Wish) -> Vec<u64> {
        let numbers: Vec<usize> = (0..sessions).collect();
        let mut seids = Vec::new();
        for window in numbers.chunks(WINDOW) {
            seids.extend(self.smfs[smf].with(|smf, now| {
                window.iter().map(|number| smf.establish(front_end(), &wish(*number), now)).collect::<Vec<_>>()
            }));
            self.settle(smf);
        }
        self.each(smf, &seids, |machine, seid, now| machine.activate(seid, self.gnb(smf, seid), now));
        seids
    }

    /// Establishes and activates so many sessions of each SMF, as it wishes. Their SEIDs, SMF by SMF.
    pub(crate) fn establish_all<W: Fn(usize) -> Wish>(
        &self,
        sessions: usize,
        wish: impl Fn(usize) -> W,
    ) -> Vec<Vec<u64>> {
        (0..SMFS).map(|smf| self.establish(smf, sessions, wish(smf))).collect()
    }

    /// Asks something of sessions, and waits for all answers.
    pub(crate) fn each(&self, smf: usize, seids: &[u64], task: impl Fn(&mut Smf, u64, Duration)) {
        for window in seids.chunks(WINDOW) {
            self.smfs[smf].with(|smf, now| window.iter().for_each(|seid| task(smf, *seid, now)));
            self.settle(smf);
        }
    }

    /// Asks something of sessions of every SMF.
    pub(crate) fn all(&self, seids: &[Vec<u64>], task: impl Fn(&mut Smf, u64, Duration)) {
        for (smf, seids) in seids.iter().enumerate() {
            self.each(smf, seids, &task);
        }
    }

    fn settle(&self, smf: usize) {
        assert!(self.smfs[smf].until(PATIENCE, Smf::is_quiet), "SMF {smf} waits for answers");
    }

    /// The gNB's end of a session.
    pub(crate) fn gnb(&self, smf: usize, seid: u64) -> Tunnel {
        Tunnel { teid: downlink(smf, seid), address: address(&self.topology.clients[SMFS + smf % GNBS]) }
    }

    /// A session's user, as its gNB knows it.
    pub(crate) fn user(&self, smf: usize, seid: u64) -> Session {
        self.smfs[smf].with(|machine, _| user(machine, smf, seid))
    }

    /// Sends packets of a user, each answered by way of its UPF.
    pub(crate) fn send(&mut self, smf: usize, seid: u64, packets: u32) -> Echoes {
        let user = self.user(smf, seid);
        self.gnbs[smf % GNBS].send(n3(), &user, packets, 64, PATIENCE).unwrap()
    }

    /// Has users send packets all the time.
    pub(crate) fn traffic(&mut self, users: &[(usize, u64)]) -> Traffic {
        let mut traffic = Traffic::default();
        for (number, mut gnb) in std::mem::take(&mut self.gnbs).into_iter().enumerate() {
            let here = users.iter().filter(|(smf, _)| smf % GNBS == number);
            let users: Vec<Session> = here.map(|(smf, seid)| self.user(*smf, *seid)).collect();
            traffic.add(format!("gNB {number}"), move || {
                let mut echoes = Echoes::default();
                for user in &users {
                    echoes.add(gnb.send(n3(), user, 1, 64, LOST)?);
                }
                Ok(echoes)
            });
        }
        traffic
    }

    /// Ends it: how many packets there were, of which none was lost.
    pub(crate) fn whole(&mut self, traffic: Traffic) -> u64 {
        let flows = traffic.finish().unwrap();
        self.gnbs = gnbs(&self.topology.clients[SMFS..]);
        for flow in &flows {
            assert!(flow.echoes.whole(), "{}: {:?}", flow.name, flow.echoes);
        }
        flows.iter().map(|flow| flow.echoes.sent).sum()
    }

    /// The number of the UPF that a session's user is at.
    pub(crate) fn owner(&self, smf: usize, seid: u64) -> Option<usize> {
        let ue = self.smfs[smf].with(|smf, _| smf.session(seid)?.ue)?;
        self.upfs.iter().position(|core| core.upf.with(|upf, _| upf.is_alive() && upf.session_of(ue).is_some()))
    }

    /// How many sessions each UPF has.
    pub(crate) fn at_upfs(&self) -> Vec<usize> {
        self.upfs.iter().map(|core| core.upf.with(|upf, _| upf.sessions().len())).collect()
    }

    /// How many sessions of an SMF are in a state.
    pub(crate) fn that_are(&self, smf: usize, state: State) -> usize {
        self.smfs[smf].with(|smf, _| smf.sessions().values().filter(|session| session.state == state).count())
    }

    /// Nobody saw PFCP violated, and no UPF got a packet that was not its.
    pub(crate) fn flawless(&self) {
        for smf in &self.smfs {
            smf.with(|smf, _| assert_eq!(smf.violations(), []));
        }
        for core in &self.upfs {
            core.upf.with(|upf, _| {
                assert_eq!(upf.violations(), []);
                assert!(upf.unknown().is_empty() && upf.foreign().is_empty());
                assert_eq!(upf.restarts_seen(), 0);
            });
        }
    }
}

fn gnbs(hosts: &[Host]) -> Vec<Gnb> {
    let gnb = |host: &Host| {
        let local = SocketAddr::new(address(host).into(), 2152);
        Gnb::start(&host.namespace, local).unwrap()
    };
    hosts.iter().map(gnb).collect()
}

fn smf(host: &Host) -> Running<Smf> {
    let timing = Timing { t1: Duration::from_secs(1), n1: 20 };
    Running::start(&host.namespace, Smf::new(SmfConfig { timing, ..SmfConfig::at(address(host)) })).unwrap()
}

/// All UPFs count TEIDs and SEIDs alike.
pub(crate) fn core(number: u8, host: &Host, node: Option<Ipv4Addr>) -> Core {
    let pool = Some(([10, 100 + number, 0, 1].into(), 60_000));
    let timing = Timing { t1: Duration::from_secs(1), n1: 20 };
    let upf = Upf::new(UpfConfig { node, pool, timing, ..UpfConfig::at(address(host), address(host)) });
    let upf = Running::start(&host.namespace, upf).unwrap();
    let _plane = Plane::start(&host.namespace, &upf, &host.name).unwrap();
    Core { upf, _plane }
}

pub(crate) fn user(machine: &Smf, smf: usize, seid: u64) -> Session {
    let session = machine.session(seid).unwrap();
    let tunnel = session.uplink.unwrap();
    assert_eq!(tunnel.address, N3);
    Session {
        uplink: tunnel.teid,
        downlink: downlink(smf, seid),
        terminal: session.ue.unwrap().into(),
        beyond: BEYOND.into(),
        qfi: Some(9),
    }
}

fn downlink(smf: usize, seid: u64) -> u32 {
    DOWNLINK | (smf as u32) << 24 | seid as u32
}

pub(crate) fn front_end() -> SocketAddr {
    SocketAddr::new(N4.into(), 8805)
}

pub(crate) fn n3() -> SocketAddr {
    SocketAddr::new(N3.into(), 2152)
}

pub(crate) fn address(host: &Host) -> Ipv4Addr {
    match host.addresses(false)[0] {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => panic!("asked for IPv4"),
    }
}

/// A session whose UPF chooses the user's address.
pub(crate) fn plain(number: usize) -> Wish {
    Wish { ue: None, urr: true, endpoint: number.is_multiple_of(2), ..Wish::default() }
}

/// A session whose user's address the SMF chose.
pub(crate) fn chosen(smf: usize) -> impl Fn(usize) -> Wish {
    move |number| Wish {
        ue: Some(Ipv4Addr::new(10, 90 + smf as u8, (number >> 8) as u8, number as u8)),
        ..plain(number)
    }
}

pub(crate) fn all_of(seids: &[Vec<u64>]) -> Vec<(usize, u64)> {
    seids.iter().enumerate().flat_map(|(smf, seids)| seids.iter().map(move |seid| (smf, *seid))).collect()
}
