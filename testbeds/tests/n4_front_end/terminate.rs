//! In mode `terminate`: the front end is a UPF to SMFs, an SMF to UPFs.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;

use pinion_n4::{Mode, Placement, Settings, UserPlane};
use pinion_protocols::pfcp::Cause;
use testbeds::n4::{Machine as _, Smf, SmfConfig, State, Tunnel, Upf, UpfConfig, Uplink, Wire, Wish};
use testbeds::packets::gtpu::Gtpu;

use crate::stage::{self, Core, GNB, N4, name, packet};

const N3: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 100);

impl Core {
    fn terminating(wire: Wire, n1: u8, restore: bool) -> Self {
        Self::bundling(wire, n1, restore, None)
    }

    /// Peers put messages of sessions together in datagrams of this length.
    fn bundling(wire: Wire, n1: u8, restore: bool, bundle: Option<usize>) -> Self {
        let smf = |config| SmfConfig { bundle, ..config };
        let upf = |config| UpfConfig { bundle, ..config };
        Self::new(wire, n1, smf, upf, |upfs| Settings { restore, ..settings(upfs, n1) })
    }

    /// Sends a packet of a user to the tunnel that the SMF was told; the owner gets it, and its answer has the gNB's tunnel.
    fn user_reaches_its_upf(&mut self, smf: usize, seid: u64) -> usize {
        let session = self.smfs[smf].session(seid).unwrap();
        let (told, ue) = (session.uplink.unwrap(), session.ue.unwrap());
        let gnb = session.gnb.unwrap();
        assert_eq!(told.address, N3);
        let (endpoint, teid) = self.between.pin(told).unwrap();
        let owner = self.upfs.iter().position(|upf| name(upf) == endpoint).unwrap();
        let (up, down) = (packet(ue, N4), packet(N4, ue));
        let from = SocketAddr::new(GNB.into(), 2152);
        let upf = &mut self.upfs[owner];
        assert_eq!(upf.uplink(from, &Gtpu::data(teid, &up).bytes(), self.clock), Uplink::Inner(up));
        let back = upf.downlink(&down, self.clock).unwrap();
        assert_eq!((back.to, &back.bytes[4..8]), (from, &gnb.teid.to_be_bytes()[..]));
        owner
    }

    /// The same of so many sessions of some SMFs: the owner of each.
    fn users_reach_their_upfs(&mut self, smfs: Range<usize>, sessions: u64) -> Vec<usize> {
        let all = smfs.flat_map(|smf| (1..=sessions).map(move |seid| (smf, seid)));
        all.map(|(smf, seid)| self.user_reaches_its_upf(smf, seid)).collect()
    }
}

#[test]
fn ten_thousand_sessions_live_on_three_upfs() {
    whole_lives(Core::terminating(Wire::perfect(), 3, false), 5_000);
}

#[test]
fn sessions_outlive_a_bad_wire() {
    whole_lives(Core::terminating(Wire::bad(5, 5, 7), 10, false), 500);
}

#[test]
fn sessions_share_datagrams() {
    let core = Core::bundling(Wire::perfect(), 3, false, Some(1400));
    assert!(whole_lives(core, 500).smfs.iter().all(|smf| smf.counts().bundles > 0));
}

fn whole_lives(mut core: Core, sessions: u64) -> Core {
    core.establish(sessions, false);
    core.each(Smf::confirm);
    let mut owners = BTreeMap::new();
    for owner in core.users_reach_their_upfs(0..2, sessions) {
        *owners.entry(owner).or_insert(0) += 1;
    }
    let total = core.upfs.iter().map(|upf| upf.sessions().len()).sum::<usize>();
    assert_eq!((total as u64, owners.len(), core.between.pins() as u64), (2 * sessions, 3, 2 * sessions));
    for (owner, count) in owners {
        assert_eq!(core.upfs[owner].sessions().len(), count);
    }

    core.report_usage();
    core.each(Smf::query);
    core.each(Smf::deactivate);
    let now = core.clock;
    for upf in &mut core.upfs {
        for ue in upf.sessions().values().filter_map(|bearer| bearer.ue).collect::<Vec<_>>() {
            assert_eq!(upf.downlink(&packet(N4, ue), now), None);
        }
    }
    core.settle();
    core.each(Smf::delete);
    for session in core.smfs.iter().flat_map(|smf| smf.sessions().values()) {
        assert_eq!((session.state, session.usage), (State::Deleted, 2));
        assert_eq!((session.reports.usage, session.reports.downlink), (1, 1));
    }
    assert!(core.upfs.iter().all(|upf| upf.sessions().is_empty()));
    assert_eq!(core.between.pins(), 0);
    core.flawless();
    core
}

#[test]
fn a_dead_upf_harms_no_other() {
    let mut core = Core::terminating(Wire::perfect(), 3, false);
    core.establish(30, false);
    let (dead, survivors) =
        (core.upfs[0].sessions().len(), core.upfs[1].sessions().len() + core.upfs[2].sessions().len());
    core.upfs[0].kill();
    core.pass(60);
    core.each(Smf::query);
    let sessions = core.smfs.iter().flat_map(|smf| smf.sessions().values());
    let (alive, lost): (Vec<_>, Vec<_>) = sessions.partition(|session| session.state == State::Established);
    assert_eq!((alive.len(), lost.len(), core.between.pins()), (survivors, dead, survivors));
    assert!(lost.iter().all(|session| session.causes.last().unwrap().1 == Cause::SESSION_NOT_FOUND));
    for smf in 0..2 {
        for seid in 1..=30 {
            if core.smfs[smf].session(seid).unwrap().is_alive() {
                assert_ne!(core.user_reaches_its_upf(smf, seid), 0);
            }
        }
    }
    // New ones have a place.
    let to = core.between.socket();
    let fresh = core.smfs[0].establish(to, &Wish { ue: None, ..Wish::default() }, core.clock);
    core.settle();
    assert_eq!(core.smfs[0].session(fresh).unwrap().state, State::Established);
    core.flawless();
}

#[test]
fn sessions_of_a_dead_upf_move_and_gnbs_notice_nothing() {
    let mut core = Core::terminating(Wire::perfect(), 3, true);
    core.establish(30, true);
    core.each(Smf::confirm);
    core.upfs[0].kill();
    core.pass(60);
    assert_eq!(core.upfs[1].sessions().len() + core.upfs[2].sessions().len(), 60);
    assert!(!core.users_reach_their_upfs(0..2, 30).contains(&0));
    core.each(Smf::confirm);
    core.each(Smf::delete);
    assert!(
        core.smfs.iter().flat_map(|smf| smf.sessions().values()).all(|session| session.state == State::Deleted)
    );
    core.flawless();
}

#[test]
fn an_smf_that_chooses_teids_is_told_not_to() {
    let mut core = Core::terminating(Wire::perfect(), 3, false);
    let uplink = Some(Tunnel { teid: 0x77, address: N3 });
    let to = core.between.socket();
    let seid = core.smfs[0].establish(to, &Wish { uplink, ..Wish::default() }, core.clock);
    core.settle();
    let session = core.smfs[0].session(seid).unwrap();
    assert_eq!((session.state, session.causes[0].1), (State::Refused, Cause::INVALID_F_TEID_ALLOCATION));
    core.flawless();
}

#[test]
fn a_upf_that_leaves_with_grace_gets_no_new_sessions() {
    let mut core = Core::terminating(Wire::perfect(), 3, false);
    core.establish(6, false);
    let before = core.upfs[0].sessions().len();
    let now = core.clock;
    core.upfs[0].release_gracefully(10, now);
    core.settle();
    core.establish(30, false);
    assert_eq!((core.upfs[0].sessions().len(), before), (before, 4));
    core.flawless();
}

#[test]
fn a_restarted_smf_loses_its_own_sessions_alone() {
    for keep in [true, false] {
        let mut core = Core::terminating(Wire::perfect(), 3, false);
        core.establish(30, false);
        core.smfs[0].restart(0xe900_0000, keep, core.clock);
        core.settle();
        core.pass(10);
        let left = core.upfs.iter().map(|upf| upf.sessions().len()).sum::<usize>();
        assert_eq!((left, core.between.pins()), if keep { (60, 60) } else { (30, 30) });
        assert_eq!(core.smfs[0].associations()[&core.between.socket()].retained, keep);
        core.users_reach_their_upfs(1..2, 30);
        // The front end's own start is told to nobody as another.
        assert!(core.upfs.iter().all(|upf| upf.restarts_seen() == 0));
        core.flawless();
    }
}

#[test]
fn nobody_notices_that_the_daemon_was_killed() {
    // With the packet path's tables, and without them.
    for loses_pins in [false, true] {
        let mut core = Core::terminating(Wire::perfect(), 3, true);
        core.establish(30, true);
        let settings = Settings { restore: true, ..settings(&core.upfs, 3) };
        core.between = core.between.killed(settings.clone(), 8, loses_pins).unwrap();
        core.pass(40);
        core.each(Smf::query);
        core.users_reach_their_upfs(0..2, 30);
        // What was made before can still be made again on another UPF, by a daemon that was killed once more.
        core.between = core.between.killed(settings, 9, loses_pins).unwrap();
        core.upfs[2].kill();
        core.pass(60);
        assert!(!core.users_reach_their_upfs(0..2, 30).contains(&2));
        core.each(Smf::delete);
        assert_eq!((core.between.pins(), core.between.front_end().session_count()), (0, 0));
        assert!(core.upfs[..2].iter().all(|upf| upf.sessions().is_empty() && upf.restarts_seen() == 0));
        core.flawless();
    }
}

fn settings(upfs: &[Upf], n1: u8) -> Settings {
    let n3 = upfs.iter().map(|upf| (name(upf).into(), vec![upf.n3_address().into()]));
    let n3 = UserPlane { service: "n3".into(), addresses: vec![N3.into()], endpoints: n3.collect() };
    Settings { user_plane: vec![n3], ..stage::settings(upfs, n1, Mode::Terminate, Placement::LeastSessions) }
}
