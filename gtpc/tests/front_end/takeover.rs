//! A front end that goes on where another one ended.

use pinion_gtpc::{FrontEnd, Kept, TakeError, recovery_after};
use pinion_protocols::gtpv2::{Cause, MessageType};

use crate::stage::{RECOVERY, Stage, endpoint, settings};

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
    stage.front_end = FrontEnd::take_over(other, kept, 99).unwrap();
    stage.pass(std::time::Duration::ZERO);
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
    stage.front_end = FrontEnd::take_over(settings(1), stage.kept.clone(), 1).unwrap();
    stage.pass(std::time::Duration::ZERO);
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
    // Sessions of an endpoint that is gone are none.
    let mut other = settings(2);
    other.endpoints = vec![endpoint(9)];
    let front_end = FrontEnd::take_over(other, stage.kept.clone(), 1).unwrap();
    assert_eq!(front_end.session_count(), 0);
}
