//! Pinion's N4 front end in mode `redirect` between simulated SMFs and UPFs, in memory: it places sessions, and what
//! follows passes by it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use pinion_n4::{Bounds, Mode, Placement, Serves, Settings, Timers};
use pinion_protocols::pfcp::Cause;
use testbeds::n4::{Between, Machine, Smf, SmfConfig, State, Tunnel, Upf, UpfConfig, Uplink, Wire, Wish};
use testbeds::packets::gtpu::Gtpu;
use testbeds::packets::ip::Ip;
use testbeds::packets::transport::{Payload, Udp};

const N4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
/// The Node ID that the UPFs share.
const FUNCTION: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);
const GNB: Tunnel = Tunnel { teid: 0x77, address: Ipv4Addr::new(203, 0, 113, 1) };
const STEP: Duration = Duration::from_millis(500);

/// Two SMFs that ask for heartbeats, the front end, three UPFs that are one function.
struct Core {
    smfs: Vec<Smf>,
    between: Between,
    upfs: Vec<Upf>,
    wire: Wire,
    clock: Duration,
}

impl Core {
    fn new(wire: Wire, n1: u8) -> Self {
        let timing = testbeds::n4::Timing { n1: n1.into(), ..testbeds::n4::Timing::default() };
        let upf = |number: u8| {
            let config = UpfConfig::at([192, 0, 2, number].into(), [198, 51, 100, number].into());
            let pool = Some(([10, number, 0, 1].into(), 60_000));
            Upf::new(UpfConfig { node: Some(FUNCTION), pool, timing, ..config })
        };
        let smf = |number: u8| {
            let heartbeat = Some(Duration::from_secs(5));
            Smf::new(SmfConfig { timing, heartbeat, ..SmfConfig::at([192, 0, 2, number].into()) })
        };
        let upfs: Vec<Upf> = [11, 12, 13].map(upf).into();
        let between = Between::new(settings(&upfs, n1));
        let mut core = Self { smfs: [1, 2].map(smf).into(), between, upfs, wire, clock: Duration::ZERO };
        core.pass(5);
        for smf in &mut core.smfs {
            smf.associate(core.between.socket(), core.clock);
        }
        core.settle();
        for smf in &core.smfs {
            let association = &smf.associations()[&core.between.socket()];
            assert!(association.is_up() && association.node == Some(FUNCTION));
        }
        core
    }

    /// Half seconds pass.
    fn pass(&mut self, steps: u32) {
        let until = self.clock + STEP * steps;
        let mut machines: Vec<&mut dyn Machine> = vec![&mut self.between];
        machines.extend(self.smfs.iter_mut().map(|smf| smf as &mut dyn Machine));
        machines.extend(self.upfs.iter_mut().map(|upf| upf as &mut dyn Machine));
        self.wire.run_until(&mut machines, self.clock, until, STEP);
        self.clock = until + STEP;
    }

    /// Until nobody waits.
    fn settle(&mut self) {
        self.pass(1);
        while !self.smfs.iter().all(Smf::is_quiet) || !self.upfs.iter().all(Upf::is_quiet) {
            self.pass(1);
        }
    }

    /// Does something with each session of each SMF.
    fn each(&mut self, mut task: impl FnMut(&mut Smf, u64, Duration)) {
        for smf in &mut self.smfs {
            for seid in smf.sessions().keys().copied().collect::<Vec<_>>() {
                task(smf, seid, self.clock);
            }
        }
        self.settle();
    }

    fn establish(&mut self, sessions: u32) {
        let to = self.between.socket();
        for smf in &mut self.smfs {
            for _ in 0..sessions {
                smf.establish(to, &Wish { ue: None, urr: true, ..Wish::default() }, self.clock);
            }
        }
        self.settle();
        self.each(|smf, seid, now| smf.activate(seid, GNB, now));
    }

    fn shares(&self) -> Vec<usize> {
        self.upfs.iter().map(|upf| upf.sessions().len()).collect()
    }

    /// Messages of sessions that the front end took.
    fn requests(&self) -> u64 {
        self.between.front_end().counts().requests
    }

    /// A user's packet to the tunnel that the SMF was told, which is the UPF's own.
    fn user_reaches_its_upf(&mut self, smf: usize, seid: u64) -> usize {
        let session = self.smfs[smf].session(seid).unwrap();
        let (told, ue) = (session.uplink.unwrap(), session.ue.unwrap());
        let owner = self.upfs.iter().position(|upf| upf.n3_address() == told.address).unwrap();
        let up = Ip::new(ue.into(), N4.into(), Payload::Udp(Udp::default())).bytes();
        let from = SocketAddr::new(GNB.address.into(), 2152);
        let reached = self.upfs[owner].uplink(from, &Gtpu::data(told.teid, &up).bytes(), self.clock);
        assert_eq!(reached, Uplink::Inner(up));
        owner
    }

    fn flawless(&self) {
        for smf in &self.smfs {
            assert_eq!(smf.violations(), []);
            assert!(smf.associations().values().all(|association| association.restarts == 0));
        }
        for upf in &self.upfs {
            assert_eq!(upf.violations(), []);
            assert_eq!(upf.restarts_seen(), 0);
        }
    }
}

#[test]
fn sessions_are_placed_and_live_between_smf_and_upf() {
    for (wire, n1) in [(Wire::perfect(), 3), (Wire::bad(5, 5, 7), 10)] {
        let mut core = Core::new(wire, n1);
        core.establish(300);
        assert_eq!(core.shares().iter().sum::<usize>(), 600);
        assert!(core.shares().iter().all(|share| *share >= 190), "{:?}", core.shares());
        for seid in 1..=300 {
            core.user_reaches_its_upf(0, seid);
            core.user_reaches_its_upf(1, seid);
        }
        for upf in &mut core.upfs {
            for seid in upf.sessions().keys().copied().collect::<Vec<_>>() {
                upf.report_usage(seid, core.clock);
            }
        }
        core.settle();
        core.each(Smf::query);
        core.each(Smf::delete);
        for session in core.smfs.iter().flat_map(|smf| smf.sessions().values()) {
            assert_eq!((session.state, session.usage, session.reports.usage), (State::Deleted, 2, 1));
        }
        assert_eq!(core.shares(), [0, 0, 0]);
        core.flawless();
    }
}

#[test]
fn only_establishments_pass_by() {
    let mut core = Core::new(Wire::perfect(), 3);
    core.establish(30);
    let (before, clock) = (core.requests(), core.clock);
    core.each(Smf::query);
    core.each(Smf::deactivate);
    core.each(Smf::delete);
    // Heartbeats are all that came since: each SMF's at 5 seconds.
    let beats = 2 * (core.clock - clock).as_secs().div_ceil(5) + 2;
    assert!(core.requests() - before <= beats, "{} of {beats}", core.requests() - before);
    assert_eq!(core.shares(), [0, 0, 0]);
    core.flawless();
}

#[test]
fn a_dead_upf_harms_no_other() {
    let mut core = Core::new(Wire::perfect(), 3);
    core.establish(30);
    assert_eq!(core.shares(), [20, 20, 20]);
    core.upfs[0].kill();
    core.pass(60);
    core.establish(30);
    assert_eq!(core.shares(), [20, 50, 50]);
    let owner = |session: &testbeds::n4::Session| session.uplink.map(|uplink| uplink.address);
    let dead = core.upfs[0].n3_address();
    for smf in &core.smfs {
        let others = smf.sessions().values().filter(|session| owner(session) != Some(dead));
        assert!(others.clone().count() == 50 && others.clone().all(|session| session.state == State::Established));
    }
    // It is there again, and knows nothing: associations are there before sessions.
    core.upfs[0].restart(0xe900_0000);
    core.pass(60);
    assert_eq!(core.upfs[0].peers().collect::<Vec<_>>(), [Ipv4Addr::new(192, 0, 2, 1), [192, 0, 2, 2].into()]);
    core.establish(30);
    assert!(core.shares()[0] == 20, "{:?}", core.shares());
    let lost = core.smfs.iter().flat_map(|smf| smf.sessions().values()).filter(|it| owner(it) == Some(dead));
    let unknown =
        |it: &&testbeds::n4::Session| it.causes.last().is_some_and(|it| it.1 == Cause::SESSION_NOT_FOUND);
    assert_eq!(lost.filter(unknown).count(), 20, "what was lost is found out from the UPF itself");
}

#[test]
fn a_restarted_smf_loses_its_own_sessions_alone() {
    for keep in [true, false] {
        let mut core = Core::new(Wire::perfect(), 3);
        core.establish(30);
        core.smfs[0].restart(0xe900_0000, keep, core.clock);
        core.settle();
        core.pass(10);
        assert_eq!(core.shares(), if keep { [20, 20, 20] } else { [10, 10, 10] });
        assert_eq!(core.smfs[0].associations()[&core.between.socket()].retained, keep);
        for seid in 1..=30 {
            core.user_reaches_its_upf(1, seid);
        }
        core.each(Smf::query);
        core.establish(30);
        core.flawless();
    }
}

#[test]
fn nobody_notices_that_the_daemon_was_killed() {
    let mut core = Core::new(Wire::perfect(), 3);
    core.establish(30);
    core.between = core.between.killed(settings(&core.upfs, 3), 8, true).unwrap();
    core.pass(60);
    core.each(Smf::query);
    core.establish(30);
    assert_eq!(core.shares(), [40, 40, 40]);
    core.each(Smf::delete);
    assert_eq!(core.shares(), [0, 0, 0]);
    core.flawless();
}

fn settings(upfs: &[Upf], n1: u8) -> Settings {
    let of = |upf: &Upf| pinion_n4::Upf {
        name: format!("upfs/{}", upf.n3_address()).into(),
        address: upf.socket().ip(),
        weight: 1,
        priority: 0,
        drained: false,
        serves: Serves::default(),
    };
    Settings {
        address: IpAddr::V4(N4),
        upfs: upfs.iter().map(of).collect(),
        user_plane: Vec::new(),
        placement: Placement::RoundRobin,
        restore: false,
        smf_teids: false,
        mode: Mode::Redirect,
        timers: Timers { t1: 2 * STEP, n1, ..Timers::default() },
        bounds: Bounds::default(),
    }
}
