//! A front end that is configured no more, and again.

use serde_json::json;
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::scenario::probe;

use super::bed::{Bed, Options, PATIENCE, SMFS, UPFS, all_of, front_end, plain};

/// Of each SMF.
const SESSIONS: usize = 60;

/// TS 29.244 6.2.7.3, 6.2.8: nothing stays with peers, in the packet path and in files; and it can come back.
#[test]
fn a_front_end_that_is_removed_leaves_nothing_behind() {
    need!(probe());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let mut daemon = bed.start(&options);
    bed.establish_all(SESSIONS, |_| plain);
    let files = bed.place.file("state").join("n4").join("n4");
    let pins = |bed: &Bed| bed.place.ask(&["sessions", "--all"]).unwrap().as_array().unwrap().len();
    assert!(files.exists() && pins(&bed) >= SMFS * SESSIONS);

    bed.configure(&Options { n4: false, ..options });
    daemon.reload().unwrap();
    wait_for(PATIENCE, || !files.exists());
    assert!(bed.at_upfs().iter().all(|sessions| *sessions == 0), "{:?}", bed.at_upfs());
    assert_eq!(pins(&bed), 0);
    for smf in &bed.smfs {
        smf.with(|smf, _| assert!(smf.associations()[&front_end()].asked_release));
    }
    assert_eq!(bed.place.ask(&["sessions", "n4", "--all"]).unwrap(), json!([]));

    bed.configure(&options);
    daemon.reload().unwrap();
    bed.wait_for_upfs("up", 0..UPFS);
    bed.associate(&daemon);
    let seids = bed.establish_all(SESSIONS, |_| plain);
    for (smf, seid) in all_of(&seids) {
        assert!(bed.send(smf, seid, 1).whole());
    }
    assert!(files.exists());
    bed.flawless();
}
