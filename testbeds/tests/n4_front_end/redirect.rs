//! In mode `redirect`: the front end places sessions, and what follows passes by it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use pinion_n4::{Mode, Placement, Settings};
use pinion_protocols::pfcp::Cause;
use testbeds::n4::{Machine as _, Smf, SmfConfig, State, Upf, UpfConfig, Uplink, Wire};
use testbeds::packets::gtpu::Gtpu;

use crate::stage::{self, Core, GNB, N4, packet};

/// The Node ID that the UPFs share.
const FUNCTION: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);

impl Core {
    /// SMFs ask for heartbeats; the UPFs are one function.
    fn redirecting(wire: Wire, n1: u8) -> Self {
        let smf = |config| SmfConfig { heartbeat: Some(Duration::from_secs(5)), ..config };
        let upf = |config| UpfConfig { node: Some(FUNCTION), ..config };
        let core = Self::new(wire, n1, smf, upf, |upfs| settings(upfs, n1));
        for smf in &core.smfs {
            assert_eq!(smf.associations()[&core.between.socket()].node, Some(FUNCTION));
        }
        core
    }

    /// Messages of sessions that the front end took.
    fn requests(&self) -> u64 {
        self.between.front_end().counts().requests
    }

    /// A user's packet to the tunnel that the SMF was told, which is the UPF's own.
    fn user_reaches_the_upf_told(&mut self, smf: usize, seid: u64) -> usize {
        let session = self.smfs[smf].session(seid).unwrap();
        let (told, ue) = (session.uplink.unwrap(), session.ue.unwrap());
        let owner = self.upfs.iter().position(|upf| upf.n3_address() == told.address).unwrap();
        let up = packet(ue, N4);
        let from = SocketAddr::new(GNB.into(), 2152);
        let reached = self.upfs[owner].uplink(from, &Gtpu::data(told.teid, &up).bytes(), self.clock);
        assert_eq!(reached, Uplink::Inner(up));
        owner
    }

    fn all_flawless(&self) {
        self.flawless();
        for smf in &self.smfs {
            assert!(smf.associations().values().all(|association| association.restarts == 0));
        }
        assert!(self.upfs.iter().all(|upf| upf.restarts_seen() == 0));
    }
}

#[test]
fn sessions_are_placed_and_live_between_smf_and_upf() {
    for (wire, n1) in [(Wire::perfect(), 3), (Wire::bad(5, 5, 7), 10)] {
        let mut core = Core::redirecting(wire, n1);
        core.establish(300, false);
        assert_eq!(core.shares().iter().sum::<usize>(), 600);
        assert!(core.shares().iter().all(|share| *share >= 190), "{:?}", core.shares());
        for seid in 1..=300 {
            core.user_reaches_the_upf_told(0, seid);
            core.user_reaches_the_upf_told(1, seid);
        }
        core.report_usage();
        core.each(Smf::query);
        core.each(Smf::delete);
        for session in core.smfs.iter().flat_map(|smf| smf.sessions().values()) {
            assert_eq!((session.state, session.usage, session.reports.usage), (State::Deleted, 2, 1));
        }
        assert_eq!(core.shares(), [0, 0, 0]);
        core.all_flawless();
    }
}

#[test]
fn only_establishments_pass_by() {
    let mut core = Core::redirecting(Wire::perfect(), 3);
    core.establish(30, false);
    let (before, clock) = (core.requests(), core.clock);
    core.each(Smf::query);
    core.each(Smf::deactivate);
    core.each(Smf::delete);
    // Heartbeats are all that came since: each SMF's at 5 seconds.
    let beats = 2 * (core.clock - clock).as_secs().div_ceil(5) + 2;
    assert!(core.requests() - before <= beats, "{} of {beats}", core.requests() - before);
    assert_eq!(core.shares(), [0, 0, 0]);
    core.all_flawless();
}

#[test]
fn a_dead_upf_harms_no_other() {
    let mut core = Core::redirecting(Wire::perfect(), 3);
    core.establish(30, false);
    assert_eq!(core.shares(), [20, 20, 20]);
    core.upfs[0].kill();
    core.pass(60);
    core.establish(30, false);
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
    core.establish(30, false);
    assert!(core.shares()[0] == 20, "{:?}", core.shares());
    let lost = core.smfs.iter().flat_map(|smf| smf.sessions().values()).filter(|it| owner(it) == Some(dead));
    let unknown =
        |it: &&testbeds::n4::Session| it.causes.last().is_some_and(|it| it.1 == Cause::SESSION_NOT_FOUND);
    assert_eq!(lost.filter(unknown).count(), 20, "what was lost is found out from the UPF itself");
}

#[test]
fn a_restarted_smf_loses_its_own_sessions_alone() {
    for keep in [true, false] {
        let mut core = Core::redirecting(Wire::perfect(), 3);
        core.establish(30, false);
        core.smfs[0].restart(0xe900_0000, keep, core.clock);
        core.settle();
        core.pass(10);
        assert_eq!(core.shares(), if keep { [20, 20, 20] } else { [10, 10, 10] });
        assert_eq!(core.smfs[0].associations()[&core.between.socket()].retained, keep);
        for seid in 1..=30 {
            core.user_reaches_the_upf_told(1, seid);
        }
        core.each(Smf::query);
        core.establish(30, false);
        core.all_flawless();
    }
}

#[test]
fn nobody_notices_that_the_daemon_was_killed() {
    let mut core = Core::redirecting(Wire::perfect(), 3);
    core.establish(30, false);
    core.between = core.between.killed(settings(&core.upfs, 3), 8, true).unwrap();
    core.pass(60);
    core.each(Smf::query);
    core.establish(30, false);
    assert_eq!(core.shares(), [40, 40, 40]);
    core.each(Smf::delete);
    assert_eq!(core.shares(), [0, 0, 0]);
    core.all_flawless();
}

fn settings(upfs: &[Upf], n1: u8) -> Settings {
    stage::settings(upfs, n1, Mode::Redirect, Placement::RoundRobin)
}
