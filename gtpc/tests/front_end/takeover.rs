//! A front end that goes on where another one ended.

use pinion_gtpc::{FrontEnd, Kept, Output, Settings, TakeError, recovery_after};
use pinion_protocols::gtpv2::{Cause, MessageType};

use crate::stage::{ECHO, RECOVERY, Stage, endpoint, settings};

#[test]
fn peers_notice_nothing_of_a_restart() {
    let mut stage = Stage::new(3);
    for user in 0..100 {
        stage.attach(user as usize % 2, user);
    }
    let from = stage.mmes[0].address;
    let delete = stage.mmes[0].delete(0, 5);
    stage.ask(from, &delete);
    let (before, kept) = (stage.sessions(), stage.kept.clone());
    assert_eq!(before.len(), 99);
    assert_eq!(stage.front_end.kept(None).collect::<std::collections::BTreeMap<_, _>>(), kept);
    // Endpoints are in another order by now.
    let mut other = settings(3);
    other.endpoints.reverse();
    again(&mut stage, other);
    assert_eq!((stage.sessions(), stage.front_end.recovery()), (before, RECOVERY));
    for user in 1..100 {
        let mme = user as usize % 2;
        let from = stage.mmes[mme].address;
        let modify = stage.mmes[mme].modify(user, |_| {});
        assert_eq!(stage.ask(from, &modify).cause(), Some(Cause::Accepted));
        let sgw = stage.sgw_of(user);
        let request = stage.sgws[sgw].create_bearer(user);
        assert_eq!(stage.ask(stage.sgws[sgw].address, &request).cause(), Some(Cause::Accepted));
    }
    // A user that comes anew is told from those of before.
    let answer = stage.attach(0, 500);
    assert_eq!(answer.kind(), MessageType::CreateSessionResponse);
    assert_eq!(stage.sessions().len(), 100);
}

#[test]
fn no_number_is_used_twice() {
    let mut stage = Stage::new(1);
    stage.attach(0, 1);
    let used: Vec<u32> = stage.sgws[0].heard.iter().map(crate::stage::Said::sequence).collect();
    again(&mut stage, settings(1));
    stage.sgws[0].heard.clear();
    let modify = stage.mmes[0].modify(1, |_| {});
    let from = stage.mmes[0].address;
    stage.ask(from, &modify);
    assert!(!used.contains(&stage.sgws[0].heard[0].sequence()));
}

#[test]
fn what_cannot_be_taken_over_is_said() {
    let mut stage = Stage::new(2);
    stage.attach(0, 1);
    let take = |kept| FrontEnd::take_over(settings(2), kept, 1).map(|it| it.session_count());
    assert_eq!(take(stage.kept.clone()), Ok(1));
    assert_eq!(take(std::collections::BTreeMap::new()), Err(TakeError::Nothing));
    let mut elsewhere = settings(2);
    elsewhere.address = [192, 0, 2, 200].into();
    let error = FrontEnd::take_over(elsewhere, stage.kept.clone(), 1).unwrap_err();
    assert_eq!(error, TakeError::Address(crate::stage::HERE));
    let mut damaged = stage.kept.clone();
    let (of, value) = damaged.pop_last().unwrap();
    damaged.insert(of, value.slice(..value.len() - 1));
    assert_eq!(take(damaged), Err(TakeError::Value(of)));
    assert_eq!(recovery_after(&stage.kept[&Kept::FrontEnd]), Some(RECOVERY + 1));
}

#[test]
fn sessions_outlive_their_endpoint_in_the_configuration() {
    let mut stage = Stage::new(2);
    for user in 0..20 {
        stage.attach(0, user);
    }
    let (before, left) = (stage.sessions(), stage.sgws[0].users.len());
    assert!(left > 0);
    let mut other = settings(2);
    other.endpoints.remove(0);
    again(&mut stage, other.clone());
    assert_eq!((stage.sessions(), stage.front_end.endpoints().count()), (before.clone(), 1));
    for user in 0..20 {
        let from = stage.mmes[0].address;
        let modify = stage.mmes[0].modify(user, |_| {});
        assert_eq!(stage.ask(from, &modify).cause(), Some(Cause::Accepted));
        let sgw = stage.sgw_of(user);
        let request = stage.sgws[sgw].create_bearer(user);
        assert_eq!(stage.ask(stage.sgws[sgw].address, &request).cause(), Some(Cause::Accepted));
    }
    for user in 20..60 {
        stage.attach(0, user);
    }
    assert_eq!(stage.sgws[0].users.len(), left);
    // It began anew before it comes back, which is noticed.
    again(&mut stage, other);
    stage.sgws[0].recovery += 1;
    stage.sgws[0].users.clear();
    stage.front_end.configure(settings(2));
    stage.live(2 * ECHO);
    assert_eq!((stage.front_end.session_count(), stage.front_end.endpoints().count()), (60 - left, 2));
}

/// The process may end while what it says is being kept.
#[test]
fn a_takeover_can_be_taken_over_at_any_point() {
    let mut stage = Stage::new(3);
    for user in 0..30 {
        stage.attach(0, user);
    }
    let (before, mut kept) = (stage.sessions(), stage.kept.clone());
    let mut other = settings(4);
    other.endpoints.reverse();
    other.endpoints.remove(1);
    let mut front_end = FrontEnd::take_over(other.clone(), kept.clone(), 5).unwrap();
    while let Some(output) = front_end.output() {
        if let Output::Keep { of, value } = output {
            match value {
                Some(value) => drop(kept.insert(of, value)),
                None => drop(kept.remove(&of)),
            }
            let after = FrontEnd::take_over(other.clone(), kept.clone(), 6).unwrap();
            assert_eq!(after.sessions(None).collect::<Vec<_>>(), before);
        }
    }
}

#[test]
fn of_endpoints_that_are_gone_only_those_with_sessions_are_remembered() {
    let mut stage = Stage::new(1);
    stage.attach(0, 1);
    let before = stage.sessions();
    let mut sizes = std::collections::BTreeSet::new();
    for number in 2..9 {
        let mut other = settings(1);
        other.endpoints = vec![endpoint(number)];
        again(&mut stage, other);
        assert_eq!(stage.sessions(), before);
        sizes.insert(stage.kept[&Kept::Peers].len());
    }
    assert_eq!(sizes.len(), 1);
}

/// The front end ends, and another one goes on.
fn again(stage: &mut Stage, settings: Settings) {
    stage.front_end = FrontEnd::take_over(settings, stage.kept.clone(), 7).unwrap();
    stage.pass(std::time::Duration::ZERO);
}
