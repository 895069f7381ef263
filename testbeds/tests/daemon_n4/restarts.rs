//! Daemons that are killed or end, and those after them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use testbeds::n4::{Smf, State};
use testbeds::need;
use testbeds::scenario::probe;

use super::bed::{Bed, Options, PATIENCE, SMFS, UPFS, all_of, front_end, plain};

/// Of each SMF.
const SESSIONS: usize = 100;
const WHILE: Duration = Duration::from_millis(300);

/// Users' packets flow all the time, and SMFs go on asking.
#[test]
fn nobody_notices_that_the_daemon_was_killed() {
    need!(probe());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let mut daemon = bed.start(&options);
    let seids = bed.establish_all(SESSIONS, |_| plain);
    let traffic = bed.traffic(&all_of(&seids));
    let done = AtomicBool::new(false);
    let (daemon, rounds) = thread::scope(|scope| {
        let asking: Vec<_> = (0..SMFS)
            .map(|number| {
                let (smf, seids, done) = (&bed.smfs[number], &seids[number], &done);
                scope.spawn(move || {
                    let mut rounds = 0;
                    while !done.load(Ordering::Acquire) {
                        let passing = smf.with(|smf, now| {
                            seids.iter().for_each(|seid| smf.query(*seid, now));
                            [0, 1, 2].map(|it| smf.establish(front_end(), &plain(it), now))
                        });
                        assert!(smf.until(PATIENCE, Smf::is_quiet), "SMF {number} waits for answers");
                        smf.with(|smf, now| passing.iter().for_each(|seid| smf.delete(*seid, now)));
                        assert!(smf.until(PATIENCE, Smf::is_quiet), "SMF {number} waits for answers");
                        rounds += 1;
                    }
                    rounds
                })
            })
            .collect();
        for round in 0..6 {
            sleep(WHILE);
            match round % 2 {
                0 => daemon.kill().unwrap(),
                _ => assert!(daemon.stop().unwrap()),
            }
            sleep(WHILE);
            daemon = bed.place.start(&bed.topology.balancer).unwrap();
            bed.wait_for_upfs("up", 0..UPFS);
        }
        sleep(WHILE);
        done.store(true, Ordering::Release);
        (daemon, asking.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>())
    });
    println!("{} packets, none lost; {rounds} rounds of requests", bed.whole(traffic));
    for smf in 0..SMFS {
        assert_eq!(bed.that_are(smf, State::Established), SESSIONS, "{}", daemon.tail());
        bed.smfs[smf].with(|smf, _| {
            assert_eq!((smf.counts().given_up, smf.associations()[&front_end()].restarts), (0, 0));
        });
    }
    assert_eq!(bed.at_upfs().iter().sum::<usize>(), SMFS * SESSIONS, "{}", daemon.tail());
    for (smf, seid) in all_of(&seids) {
        assert!(bed.send(smf, seid, 1).whole());
    }
    bed.all(&seids, Smf::confirm);
    bed.all(&seids, Smf::delete);
    assert_eq!(bed.at_upfs(), [0; UPFS + 1]);
    bed.flawless();
}
