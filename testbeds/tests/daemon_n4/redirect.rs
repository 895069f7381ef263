//! Mode `redirect`: the daemon places sessions, and SMFs and UPFs speak to each other directly then.

use testbeds::n4::{Smf, State};
use testbeds::need;
use testbeds::scenario::probe;

use super::bed::{Bed, FUNCTION, Options, PATIENCE, SMFS, address, front_end, plain};

/// Of each SMF.
const SESSIONS: usize = 90;

/// The number of the UPF that a session's F-SEID is at, as its SMF was told.
fn told(bed: &Bed, smf: usize, seid: u64) -> Option<usize> {
    let tunnel = bed.smfs[smf].with(|smf, _| smf.session(seid)?.uplink)?;
    bed.topology.endpoints.iter().position(|host| address(host) == tunnel.address)
}

#[test]
fn sessions_are_placed_and_upfs_come_and_go() {
    need!(probe());
    let options = Options { redirect: true, ..Options::default() };
    let bed = Bed::new(&options);
    let daemon = bed.start(&options);
    for smf in &bed.smfs {
        let node = smf.with(|smf, _| smf.associations()[&front_end()].node);
        assert_eq!(node, Some(FUNCTION));
    }
    let seids = bed.establish_all(SESSIONS, |_| plain);
    assert_eq!(bed.at_upfs().iter().sum::<usize>(), SMFS * SESSIONS);
    assert!(bed.at_upfs()[..3].iter().all(|share| *share > SESSIONS / 3), "{:?}", bed.at_upfs());
    for (smf, seids) in seids.iter().enumerate() {
        for seid in seids {
            assert_eq!(bed.owner(smf, *seid), told(&bed, smf, *seid));
        }
    }
    // What follows needs no balancer.
    drop(daemon);
    bed.all(&seids, Smf::query);
    bed.all(&seids, Smf::deactivate);
    let _daemon = bed.place.start(&bed.topology.balancer).unwrap();
    bed.wait_for_upfs("up", 0..3);
    // It goes on where it was: SMFs have their associations still.
    let fresh: Vec<_> = (0..SMFS).map(|smf| bed.establish(smf, 9, plain)).collect();
    assert_eq!(bed.that_are(0, State::Established), SESSIONS + 9);
    // A UPF that is gone gets no new ones.
    bed.upfs[0].upf.with(|upf, _| upf.kill());
    bed.wait_for_upfs("down", 0..1);
    let before = bed.at_upfs();
    let more = bed.establish(1, SESSIONS, plain);
    let after = bed.at_upfs();
    assert_eq!((after[0], after[1] + after[2]), (before[0], before[1] + before[2] + SESSIONS));
    // It is there again with nothing, and is given the associations first.
    bed.upfs[0].upf.with(|upf, _| upf.restart(0xe900_0000));
    bed.wait_for_upfs("up", 0..1);
    let upf = &bed.upfs[0].upf;
    assert!(upf.until(PATIENCE, |upf| upf.peers().count() == SMFS));
    let again = bed.establish(0, SESSIONS, plain);
    assert!(bed.at_upfs()[0] > 0);
    for (smf, seid) in
        [&fresh[1], &more].into_iter().flatten().map(|seid| (1, seid)).chain(again.iter().map(|seid| (0, seid)))
    {
        if bed.owner(smf, *seid).is_some() {
            bed.each(smf, &[*seid], Smf::delete);
        }
    }
    // Nobody took another for restarted but for the one that was.
    for smf in &bed.smfs {
        smf.with(|smf, _| assert!(smf.associations().values().all(|association| association.restarts == 0)));
    }
}
