//! Sessions from beginning to end, and their users' packets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use testbeds::n4::{Smf, State, Upf};
use testbeds::need;
use testbeds::scenario::probe;

use super::bed::{Bed, Options, PATIENCE, SMFS, UPFS, all_of, plain};

/// Packets of each user, there and back.
const PACKETS: u32 = 3;

#[test]
fn sessions_are_made_used_reported_and_deleted() {
    need!(probe());
    for (sessions, two_pools) in [(5_000, false), (250, true)] {
        let options = Options { two_pools, ..Options::default() };
        let mut bed = Bed::new(&options);
        let daemon = bed.start(&options);
        whole_lives(&mut bed, sessions);
        assert!(daemon.stop().unwrap());
    }
}

/// So many sessions of each SMF.
fn whole_lives(bed: &mut Bed, sessions: usize) {
    let begun = Instant::now();
    let seids = bed.establish_all(sessions, |_| plain);
    let made = begun.elapsed();
    let mut tunnels = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (smf, seid) in all_of(&seids) {
        let owner = bed.owner(smf, seid).unwrap();
        let echoes = bed.send(smf, seid, PACKETS);
        assert!(echoes.whole(), "{smf} {seid}: {echoes:?}");
        assert_eq!(echoes.only_identity(), Some(bed.topology.endpoints[owner].name.as_str()));
        tunnels.insert(bed.user(smf, seid).uplink);
        *names.entry(owner).or_insert(0) += 1;
    }
    assert_eq!(tunnels.len(), SMFS * sessions);
    assert_eq!(names.len(), UPFS);
    for (owner, core) in bed.upfs.iter().enumerate() {
        core.upf.with(|upf, _| {
            assert_eq!(upf.sessions().len(), names.get(&owner).copied().unwrap_or_default());
            for bearer in upf.sessions().values() {
                assert_eq!((bearer.uplink.0, bearer.downlink.0), (PACKETS.into(), PACKETS.into()));
            }
        });
    }
    let used = begun.elapsed() - made;

    for core in &bed.upfs {
        let all: Vec<u64> = core.upf.with(|upf, _| upf.sessions().keys().copied().collect());
        for window in all.chunks(64) {
            core.upf.with(|upf, now| window.iter().for_each(|seid| upf.report_usage(*seid, now)));
            assert!(core.upf.until(PATIENCE, Upf::is_quiet));
        }
    }
    for task in [Smf::confirm, Smf::query, Smf::delete] {
        bed.all(&seids, task);
    }
    for smf in 0..SMFS {
        assert_eq!(bed.that_are(smf, State::Deleted), sessions);
        bed.smfs[smf].with(|smf, _| {
            assert!(smf.sessions().values().all(|it| (it.reports.usage, it.usage) == (1, 2)));
        });
    }
    assert_eq!(bed.at_upfs(), [0; UPFS + 1]);
    bed.flawless();
    println!("{} sessions: made {made:?}, used {used:?}, in all {:?}", SMFS * sessions, begun.elapsed());
}
