//! What the daemon knows of N4, in a Redis that nodes share: a node that is lost with its files is followed by another.

use testbeds::daemon::{Place, Redis};
use testbeds::n4::{Smf, State};
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::scenario::probe;

use super::bed::{BINARY, Bed, Options, PATIENCE, SMFS, UPFS, all_of, front_end, plain};

/// Of each SMF.
const SESSIONS: usize = 60;
const KEY: &str = "pinion:n4:n4";

#[test]
fn another_node_goes_on_with_the_sessions() {
    need!(probe());
    let program = need!(Redis::find());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("redis.sock");
    let mut redis = Redis::start(&program, &bed.topology.balancer, &socket).unwrap();
    let store = format!("store: {{ url: '{}' }}\n", Redis::address(&socket));
    bed.configure_with(&options, &store);
    let daemon = bed.start(&options);
    let mut seids = bed.establish_all(SESSIONS, |_| plain);
    // While the store hangs, nobody waits for it.
    redis.pause().unwrap();
    for (smf, seids) in seids.iter_mut().enumerate() {
        seids.extend(bed.establish(smf, SESSIONS, plain));
        let ended = seids.split_off(2 * SESSIONS - 10);
        bed.each(smf, &ended, Smf::delete);
    }
    redis.resume().unwrap();
    // The front end itself, who writes, SMFs, UPFs, sessions.
    let fields = 2 + SMFS + UPFS + SMFS * (2 * SESSIONS - 10);
    wait_for(PATIENCE, || redis.fields(KEY).unwrap() == fields);
    daemon.kill().unwrap();
    bed.place = Place::new(BINARY).unwrap();
    bed.configure_with(&options, &store);
    let mut daemon = bed.place.start(&bed.topology.balancer).unwrap();
    bed.wait_for_upfs("up", 0..UPFS);
    bed.all(&seids, Smf::query);
    for smf in 0..SMFS {
        assert_eq!(bed.that_are(smf, State::Established), 2 * SESSIONS - 10, "{}", daemon.tail());
        let restarts = bed.smfs[smf].with(|smf, _| smf.associations()[&front_end()].restarts);
        assert_eq!(restarts, 0, "{}", daemon.tail());
    }
    for (smf, seid) in all_of(&seids) {
        assert!(bed.send(smf, seid, 1).whole());
    }
    // A store that begins anew is told all once more.
    drop(redis);
    let redis = Redis::start(&program, &bed.topology.balancer, &socket).unwrap();
    wait_for(PATIENCE, || redis.fields(KEY).unwrap() == fields);
    bed.all(&seids, Smf::delete);
    wait_for(PATIENCE, || redis.fields(KEY).unwrap() == 2 + SMFS + UPFS);
    assert_eq!(bed.at_upfs(), [0; UPFS + 1]);
    // Nor does the store keep anything of a front end that is configured no more.
    bed.configure_with(&Options { n4: false, ..options }, &store);
    daemon.reload().unwrap();
    wait_for(PATIENCE, || redis.fields(KEY).unwrap() == 0);
    bed.flawless();
}
