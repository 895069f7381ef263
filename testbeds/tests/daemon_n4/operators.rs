//! What operators ask for, and see.

use testbeds::need;
use testbeds::scenario::probe;

use super::bed::{Bed, Options, SMFS, UPFS, all_of, plain};

/// Of each SMF.
const SESSIONS: usize = 60;

#[test]
fn a_drained_upf_keeps_what_it_has_and_an_added_one_gets_its_share() {
    need!(probe());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let mut daemon = bed.start(&options);
    let seids: Vec<Vec<u64>> = (0..SMFS).map(|smf| bed.establish(smf, SESSIONS, plain)).collect();
    let before = bed.at_upfs();
    assert!(before[..UPFS].iter().all(|sessions| *sessions > 0));
    let traffic = bed.traffic(&all_of(&seids));

    bed.place.ask(&["drain", "upfs/endpoint1"]).unwrap();
    assert_eq!(bed.place.state("upfs", "endpoint1").unwrap(), "draining");
    bed.establish(0, SESSIONS, plain);
    let drained = bed.at_upfs();
    assert_eq!((drained[0], drained.iter().sum::<usize>()), (before[0], 3 * SESSIONS));

    let wider = Options { upfs: UPFS + 1, ..options };
    bed.configure(&wider);
    daemon.reload().unwrap();
    bed.wait_for_upfs("up", UPFS..UPFS + 1);
    let fresh = bed.establish(1, SESSIONS, plain);
    let after = bed.at_upfs();
    assert_eq!((after[0], after.iter().sum::<usize>()), (before[0], 4 * SESSIONS));
    assert!(after[UPFS] > 0, "{after:?}");
    println!("{before:?}, drained {drained:?}, with another {after:?}: {} packets, none lost", bed.whole(traffic));
    for seid in fresh {
        assert!(bed.send(1, seid, 1).whole());
    }
    bed.flawless();
}

#[test]
fn a_upf_without_an_association_is_down() {
    need!(probe());
    let options = Options::default();
    let bed = Bed::new(&options);
    bed.upfs[1].upf.with(|upf, _| upf.kill());
    let daemon = bed.place.start(&bed.topology.balancer).unwrap();
    bed.wait_for_upfs("up", 0..1);
    bed.wait_for_upfs("down", 1..2);
    bed.wait_for_upfs("up", 2..3);
    let shown = bed.place.endpoint("upfs", "endpoint2").unwrap();
    assert_eq!(shown["why"], "it does not answer to the wish for an association");
    bed.upfs[1].upf.with(|upf, _| upf.restart(0xe900_0000));
    bed.wait_for_upfs("up", 0..3);
    drop(daemon);
    bed.flawless();
}
