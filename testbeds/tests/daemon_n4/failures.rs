//! What happens to sessions when an UPF or an SMF does not go on.

use std::thread::sleep;
use std::time::Duration;

use pinion_protocols::pfcp::Cause;
use testbeds::n4::{Smf, State};
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::scenario::probe;

use super::bed::{Bed, Options, PATIENCE, SMFS, all_of, chosen, front_end, plain};

/// Of each SMF.
const SESSIONS: usize = 90;
const WHILE: Duration = Duration::from_millis(300);

#[test]
fn a_dead_upf_harms_no_other() {
    need!(probe());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let _daemon = bed.start(&options);
    let seids = bed.establish_all(SESSIONS, |_| plain);
    let (lost, safe): (Vec<_>, Vec<_>) =
        all_of(&seids).into_iter().partition(|(smf, seid)| bed.owner(*smf, *seid) == Some(0));
    assert!(!lost.is_empty() && !safe.is_empty());
    let traffic = bed.traffic(&safe);
    bed.upfs[0].upf.with(|upf, _| upf.kill());
    bed.wait_for_upfs("down", 0..1);
    bed.wait_for_upfs("up", 1..3);
    bed.all(&seids, Smf::query);
    for (smf, seid) in &lost {
        bed.smfs[*smf].with(|smf, _| {
            let session = smf.session(*seid).unwrap();
            assert_eq!(session.causes.last().unwrap().1, Cause::SESSION_NOT_FOUND);
            assert_eq!(session.state, State::Lost);
        });
    }
    // There is a place for new ones.
    let fresh = bed.establish(0, SESSIONS, plain);
    assert_eq!(bed.that_are(0, State::Established) + bed.that_are(1, State::Established), safe.len() + SESSIONS);
    println!("{} packets at the others, none lost", bed.whole(traffic));
    for (smf, seid) in safe.into_iter().chain(fresh.into_iter().map(|seid| (0, seid))) {
        assert_ne!(bed.owner(smf, seid), Some(0));
        assert!(bed.send(smf, seid, 1).whole());
        bed.each(smf, &[seid], Smf::delete);
    }
    assert_eq!(bed.at_upfs()[1..], [0; 3]);
    bed.flawless();
}

#[test]
fn sessions_of_a_dead_upf_move_and_gnbs_notice_nothing() {
    need!(probe());
    let options = Options { restore: true, ue_addresses: "n6", ..Options::default() };
    let mut bed = Bed::new(&options);
    let _daemon = bed.start(&options);
    let seids = bed.establish_all(SESSIONS, chosen);
    let all = all_of(&seids);
    let (moved, others): (Vec<_>, Vec<_>) =
        all.iter().copied().partition(|(smf, seid)| bed.owner(*smf, *seid) == Some(0));
    assert!(!moved.is_empty() && !others.is_empty());
    let before: Vec<_> = all.iter().map(|(smf, seid)| bed.user(*smf, *seid)).collect();
    let traffic = bed.traffic(&others);
    bed.upfs[0].upf.with(|upf, _| upf.kill());
    wait_for(PATIENCE, || bed.at_upfs()[1..].iter().sum::<usize>() == SMFS * SESSIONS);
    bed.all(&seids, Smf::query);
    println!("{} moved; {} packets of the others, none lost", moved.len(), bed.whole(traffic));
    for ((smf, seid), before) in all.iter().zip(before) {
        assert_eq!(bed.user(*smf, *seid).uplink, before.uplink);
        assert_ne!(bed.owner(*smf, *seid), Some(0));
        assert!(bed.send(*smf, *seid, 2).whole());
    }
    bed.all(&seids, Smf::delete);
    for smf in 0..SMFS {
        assert_eq!(bed.that_are(smf, State::Deleted), SESSIONS);
    }
    assert_eq!(bed.at_upfs()[1..], [0; 3]);
    bed.flawless();
}

#[test]
fn a_restarted_smf_loses_its_own_sessions_alone() {
    need!(probe());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let _daemon = bed.start(&options);
    for (start, keep) in (0xe900_0000..).zip([true, false]) {
        let seids = bed.establish_all(SESSIONS, |_| plain);
        let safe: Vec<_> = all_of(&seids).into_iter().filter(|(smf, _)| keep || *smf == 1).collect();
        let others = bed.that_are(1, State::Established);
        let traffic = bed.traffic(&safe);
        sleep(WHILE);
        bed.smfs[0].with(|smf, now| smf.restart(start, keep, now));
        let up = |smf: &Smf| smf.associations()[&front_end()].is_up();
        assert!(bed.smfs[0].until(PATIENCE, up));
        bed.smfs[0].with(|smf, _| assert_eq!(smf.associations()[&front_end()].retained, keep));
        let left = others + if keep { SESSIONS } else { 0 };
        wait_for(PATIENCE, || bed.at_upfs().iter().sum::<usize>() == left);
        sleep(WHILE);
        println!("retention {keep}: {} packets, none lost", bed.whole(traffic));
        for (smf, seid) in safe {
            assert!(bed.send(smf, seid, 1).whole());
        }
    }
    bed.flawless();
}
