//! UPFs that are lost, without restoring their sessions, and SMFs that begin anew (TS 23.527, TS 29.244 5.18, 19A).

use pinion_n4::{Bounds, Settings};
use pinion_protocols::pfcp::{Cause, ElementType, MessageType};

use crate::smf::{EPFAR, Smf};
use crate::stage::{HEARTBEAT, N1, Stage, T1, settings, upf_address};
use crate::takeover::check_kept;
use crate::upf::Mood;

/// Sessions of an SMF, SEIDs from 1 on; their SEIDs here.
pub(crate) fn many(stage: &mut Stage, smf: &mut Smf, count: u64) -> Vec<u64> {
    let make = |seid| {
        smf.sequence += 1;
        let answer = stage.ask(smf, &smf.simple(seid));
        assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
        answer.f_seid().unwrap().seid
    };
    (1..=count).map(make).collect()
}

/// TS 23.527 4.3.1: after a UPF's restart the next request is told that there is no such session; others are unharmed.
#[test]
fn clause_23_527_4_3_sessions_of_a_upf_that_restarts_are_not_found() {
    let (mut stage, smf) = Stage::set_up(settings(2));
    let mut smf = Smf { features: 0, ..smf };
    smf.sequence += 1;
    stage.ask(&smf, &smf.setup(7));
    let here = many(&mut stage, &mut smf, 4);
    stage.upfs[0].restart();
    stage.live(HEARTBEAT);
    let causes: Vec<_> = here
        .iter()
        .map(|seid| {
            smf.sequence += 1;
            let answer = stage.ask(&smf, &smf.modify(*seid, |_| {}));
            (answer.cause().unwrap(), answer.message().seid().unwrap())
        })
        .collect();
    let lost = (Cause::SESSION_NOT_FOUND, 0);
    assert_eq!(causes, [lost, (Cause::ACCEPTED, 2), lost, (Cause::ACCEPTED, 4)]);
    assert_eq!((stage.front_end.counts().lost, stage.pins.len()), (2, 2));
    assert!(stage.requests(smf.address, MessageType::SessionReportRequest).is_empty());
    // The UPF is there again, and takes sessions.
    stage.live(T1);
    assert!(stage.front_end.upfs().all(|upf| upf.up));
}

/// TS 29.244 5.18.2, 8.2.111: with EPFAR on both sides the SMF is told (UISR, PSDBU), once for each session.
#[test]
fn clause_5_18_2_with_epfar_the_smf_is_told() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    assert_ne!(smf.features & EPFAR, 0);
    many(&mut stage, &mut smf, 4);
    for upf in &mut stage.upfs {
        // All of them, so that no UPF is left to tell of features.
        upf.mood = Mood::IsSilent;
    }
    stage.live(HEARTBEAT + T1 * N1 + T1 * N1);
    let reports = stage.requests(smf.address, MessageType::SessionReportRequest);
    let mut seids: Vec<_> = reports.iter().map(|said| said.message().seid().unwrap()).collect();
    seids.sort_unstable();
    assert_eq!(seids, [1, 2, 3, 4]);
    for report in &reports {
        assert_eq!(report.value(ElementType::ReportType), Some(vec![0x40]));
        assert_eq!(report.value(ElementType::PfcpsrreqFlags), Some(vec![1]));
    }
    assert!(stage.pins.is_empty());
}

/// TS 29.244 5.18: a UPF without EPFAR: neither has the UPF that SMFs know.
#[test]
fn clause_5_18_2_without_epfar_of_all_upfs_nobody_is_told() {
    let mut stage = Stage::new(settings(2));
    stage.upfs[1].features = vec![0x10, 0, 0x40];
    stage.pass(T1);
    let mut smf = Smf::new(1);
    stage.ask(&smf, &smf.setup(7));
    many(&mut stage, &mut smf, 2);
    stage.upfs[0].restart();
    stage.live(HEARTBEAT);
    assert_eq!(stage.front_end.counts().lost, 1);
    assert!(stage.requests(smf.address, MessageType::SessionReportRequest).is_empty());
}

/// TS 29.244 5.18.2: a UPF that deletes a session itself says so, and it is none here either.
#[test]
fn clause_5_18_2_a_upf_deletes_a_session() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    many(&mut stage, &mut smf, 2);
    let to_upf = *stage.upfs[0].sessions.values().next().unwrap();
    let report = stage.upfs[0].request(MessageType::SessionReportRequest, Some(to_upf), |writer| {
        writer.element(ElementType::ReportType, |out| out.extend_from_slice(&[0x40]));
        writer.element(ElementType::PfcpsrreqFlags, |out| out.extend_from_slice(&[1]));
    });
    stage.receive(upf_address(1), &report);
    assert_eq!(stage.requests(smf.address, MessageType::SessionReportRequest).len(), 1);
    assert_eq!((stage.front_end.session_count(), stage.pins.len()), (1, 1));
}

/// TS 29.244 6.2.6: a UPF that knows of no association any more has begun anew: what is asked of it is asked again.
#[test]
fn clause_6_2_6_a_upf_that_knows_of_no_association() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = many(&mut stage, &mut smf, 1)[0];
    stage.upfs[0].mood = Mood::Says(Cause::NO_ASSOCIATION);
    smf.sequence += 1;
    let request = smf.modify(here, |_| {});
    stage.receive(smf.address, &request);
    assert!(stage.answers(smf.address).is_empty());
    assert_eq!(stage.front_end.counts().upf_losses, 1);
    stage.upfs[0].restart();
    stage.upfs[0].mood = Mood::Answers;
    stage.live(2 * HEARTBEAT);
    assert_eq!(stage.ask(&smf, &request).cause(), Some(Cause::SESSION_NOT_FOUND));
    assert!(stage.front_end.upfs().all(|upf| upf.up));
}

/// TS 23.527 4.2: an SMF's new stamp in a heartbeat ends exactly its sessions, on each UPF.
#[test]
fn clause_23_527_4_2_an_smf_that_restarts_by_heartbeat() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let mut other = Smf::new(2);
    stage.ask(&other, &other.setup(7));
    many(&mut stage, &mut smf, 4);
    many(&mut stage, &mut other, 4);
    stage.ask(&smf, &smf.heartbeat(7));
    assert_eq!(stage.front_end.session_count(), 8);
    // One that its answer does not bear out changes nothing: it was long on its way, or a stranger's.
    smf.sequence += 1;
    stage.ask(&smf, &smf.heartbeat(6));
    assert_eq!(stage.front_end.session_count(), 8);
    stage.live(T1);
    stage.smf_stamp = 8;
    smf.sequence += 1;
    stage.ask(&smf, &smf.heartbeat(8));
    assert_eq!(stage.front_end.session_count(), 4);
    assert!(stage.sessions().iter().all(|session| session.smf.0 == other.address));
    assert_eq!(stage.upfs.iter().map(|upf| upf.sessions.len()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(stage.front_end.counts().forsaken, 4);
    // It has no association any more either.
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.simple(9)).cause(), Some(Cause::NO_ASSOCIATION));
}

/// Sessions that end with their SMF end no more at once than may be, and all in the end.
#[test]
fn an_smfs_sessions_end_a_few_at_once() {
    let bounds = Bounds { chores: 4, ..Bounds::default() };
    let (mut stage, mut smf) = Stage::set_up(Settings { bounds, ..settings(1) });
    let here = many(&mut stage, &mut smf, 20);
    stage.upfs[0].mood = Mood::IsSilent;
    smf.sequence += 1;
    stage.ask(&smf, &smf.setup(8));
    let mut answered = 0;
    loop {
        let asked: Vec<_> =
            stage.upfs[0].heard(MessageType::SessionDeletionRequest).into_iter().cloned().collect();
        assert!(asked.len() - answered <= 4);
        let Some(next) = asked.get(answered) else { break };
        // Those that are not asked for yet are none for their SMF already.
        smf.sequence += 1;
        let answer = stage.ask(&smf, &smf.modify(*here.last().unwrap(), |_| {}));
        assert_eq!(answer.cause(), Some(Cause::SESSION_NOT_FOUND));
        stage.upfs[0].mood = Mood::Answers;
        let answer = stage.upfs[0].hear(next).unwrap();
        stage.upfs[0].heard.pop();
        stage.upfs[0].mood = Mood::IsSilent;
        stage.receive(upf_address(1), &answer);
        answered += 1;
    }
    assert_eq!((answered, stage.sessions_at_upfs(), stage.front_end.session_count()), (20, 0, 0));
    assert!(stage.pins.is_empty());
}

/// Nor are more than so many begun before others get their turn, where no UPF is asked either: those of one that is lost.
#[test]
fn an_smfs_sessions_end_a_few_in_a_turn() {
    let bounds = Bounds { chores: 4, ..Bounds::default() };
    let (mut stage, mut smf) = Stage::set_up(Settings { bounds, restore: true, ..settings(1) });
    many(&mut stage, &mut smf, 20);
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + T1 * N1);
    smf.sequence += 1;
    let release = smf.request(MessageType::AssociationReleaseRequest, None, |writer| {
        writer.add(&smf.node());
    });
    assert_eq!(stage.ask(&smf, &release).cause(), Some(Cause::ACCEPTED));
    let mut left = vec![stage.front_end.session_count()];
    while stage.front_end.session_count() > 0 {
        assert!(stage.front_end.next() <= stage.now);
        smf.sequence += 1;
        stage.ask(&smf, &smf.heartbeat(7));
        left.push(stage.front_end.session_count());
    }
    assert!(left.len() >= 4 && left.windows(2).all(|it| it[0] - it[1] <= 4), "{left:?}");
    assert!(stage.front_end.next() > stage.now);
    assert!(stage.pins.is_empty());
}

/// What is kept of sessions is not written anew to end them.
#[test]
fn an_smfs_sessions_end_without_a_word_for_each() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    many(&mut stage, &mut smf, 20);
    stage.upfs[0].mood = Mood::IsSilent;
    stage.said = 0;
    smf.sequence += 1;
    stage.ask(&smf, &smf.setup(8));
    assert_eq!(stage.said, 0);
    check_kept(&stage);
}

/// An SMF that restarts while its session is being made: it is ended once it is there.
#[test]
fn a_session_in_the_making_ends_too() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.receive(smf.address, &smf.simple(1));
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0].clone();
    smf.sequence += 1;
    stage.ask(&smf, &smf.setup(8));
    stage.upfs[0].mood = Mood::Answers;
    let answer = stage.upfs[0].hear(&asked).unwrap();
    stage.receive(upf_address(1), &answer);
    assert!(stage.answers(smf.address).is_empty());
    assert_eq!((stage.sessions_at_upfs(), stage.front_end.session_count()), (0, 0));
    assert!(stage.pins.is_empty());
}

/// A report of a session that the SMF does not know: the UPF is told that, with SEID 0, and the session ends.
#[test]
fn clause_7_2_2_4_2_a_session_that_its_smf_lost_ends() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    many(&mut stage, &mut smf, 1);
    stage.smfs_answer = false;
    let to_upf = *stage.upfs[0].sessions.values().next().unwrap();
    let report = stage.upfs[0].report(to_upf, 1);
    stage.receive(upf_address(1), &report);
    let asked = stage.requests(smf.address, MessageType::SessionReportRequest).remove(0);
    let number = asked.message().sequence();
    let answer = crate::smf::message(MessageType::SessionReportResponse, Some(0), number, |writer| {
        writer.add(&pinion_protocols::pfcp::Element::Cause(Cause::SESSION_NOT_FOUND));
    });
    stage.receive(smf.address, &answer);
    let told = stage.upfs[0].heard(MessageType::SessionReportResponse)[0].clone();
    assert_eq!((told.cause(), told.message().seid()), (Some(Cause::SESSION_NOT_FOUND), Some(0)));
    assert_eq!((stage.front_end.session_count(), stage.sessions_at_upfs()), (0, 0));
}
