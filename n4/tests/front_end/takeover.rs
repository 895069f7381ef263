//! What outlives the front end: the next one goes on where it ended.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use pinion_n4::{Bounds, FrontEnd, Kept, Settings, TakeError};
use pinion_protocols::pfcp::{Cause, Element, ElementType, FTeid, MessageType, MessageWriter};

use crate::loss::many;
use crate::nodes::{bodies, pfds, says, told};
use crate::smf::{CHOOSE, Smf, create_far, create_pdr, pdr, remove_pdr, user_pdr};
use crate::stage::{HEARTBEAT, N1, STAMP, Said, Stage, T1, name, settings};
use crate::upf::{Mood, ScriptedUpf};

/// The values that were said come to what it knows.
pub(crate) fn check_kept(stage: &Stage) {
    let known: BTreeMap<_, _> = stage.front_end.kept(None).collect();
    for (of, value) in &known {
        assert_eq!(stage.kept.get(of), Some(value), "{of:?}");
    }
    assert_eq!(stage.kept.len(), known.len());
}

/// The next front end, with what was kept; the host has lost no pins.
fn next(stage: &mut Stage, settings: Settings) {
    check_kept(stage);
    let kept = stage.kept.clone();
    stage.front_end = FrontEnd::take_over(settings, kept, 99).unwrap();
    stage.pass(std::time::Duration::ZERO);
}

/// TS 29.244 19A, 6.2.2: peers notice nothing: the stamp, SEIDs and TEIDs mean what they meant.
#[test]
fn clause_19a_the_next_one_goes_on() {
    let with = || Settings { restore: true, ..settings(2) };
    let (mut stage, mut smf) = Stage::set_up(with());
    for upf in &mut stage.upfs {
        upf.next_teid = 0xbeef;
    }
    let mut made = Vec::new();
    for seid in 1..=2 {
        smf.sequence += 1;
        let request = smf.establish(seid, |writer| {
            create_pdr(writer, 1, Some(CHOOSE));
            create_pdr(writer, 2, Some(FTeid::Choose { v4: true, v6: true, id: Some(1) }));
            user_pdr(writer, 3, Some(Ipv4Addr::new(10, 45, 0, 2)));
            create_far(writer, 1);
        });
        let answer = stage.ask(&smf, &request);
        made.push((answer.f_seid().unwrap().seid, answer.tunnels()));
    }
    let before = (stage.sessions(), stage.pins.clone());
    next(&mut stage, with());
    assert_eq!((stage.sessions(), stage.pins.clone()), before);
    smf.sequence += 1;
    let beat = stage.ask(&smf, &smf.heartbeat(7));
    assert_eq!(beat.value(ElementType::RecoveryTimeStamp), Some(STAMP.to_be_bytes().to_vec()));
    // An update is translated back, a removal ends its tunnel, and a new rule gets a TEID that is free.
    let (here, told) = made[1].clone();
    smf.sequence += 1;
    stage.ask(&smf, &smf.modify(here, |writer| pdr(writer, ElementType::UpdatePdr, 1, Some(told[0]))));
    let heard = (*stage.upfs[1].heard(MessageType::SessionModificationRequest).last().unwrap()).clone();
    assert!(matches!(heard.tunnels()[0], FTeid::Given { teid: 0xbeef, .. }));
    smf.sequence += 1;
    let answer = stage.ask(
        &smf,
        &smf.modify(here, |writer| {
            remove_pdr(writer, 2);
            create_pdr(writer, 4, Some(CHOOSE));
        }),
    );
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    assert!(stage.leads(told[1]).is_empty());
    assert_eq!(stage.leads(answer.tunnels()[0]), [(name(2), 0xbef1)]);
    // And its sessions outlive a UPF.
    stage.upfs[1].mood = Mood::IsSilent;
    stage.live(2 * HEARTBEAT + T1 * N1);
    assert_eq!(stage.leads(told[0])[0].0, name(1));
    assert_eq!(stage.front_end.counts().restored, 1);
    check_kept(&stage);
}

/// One tunnel that cannot be put into force any more takes its own session along, and no other: that one ends on its UPF, and its
/// SMF is told.
#[test]
fn one_bad_tunnel_loses_one_session() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    many(&mut stage, &mut smf, 5);
    let before = (stage.sessions(), stage.pins.clone());
    let bad = before.0[2].tunnels[0].at[0];
    stage.impossible = Some(bad);
    // The host's pins are gone as well.
    stage.pins.clear();
    next(&mut stage, settings(2));
    let (mut sessions, mut pins) = before;
    let lost = sessions.remove(2);
    pins.remove(&bad);
    assert_eq!((stage.sessions(), &stage.pins), (sessions, &pins));
    assert_eq!((stage.sessions_at_upfs(), stage.front_end.counts().lost), (4, 1));
    let told = stage.requests(smf.address, MessageType::SessionReportRequest);
    assert_eq!(told.iter().map(|said| said.message().seid()).collect::<Vec<_>>(), [Some(lost.smf.1)]);
    check_kept(&stage);
}

/// TS 29.244 6.2.3.3.2, 6.2.4.3.2: of two the one with the higher number holds: numbers go on after a restart, and where nothing is
/// new they stay.
#[test]
fn clause_6_2_3_3_2_numbers_of_load_and_overload_go_on() {
    let kinds = [ElementType::LoadControlInformation, ElementType::OverloadControlInformation];
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    smf.features |= 2;
    smf.sequence += 1;
    stage.ask(&smf, &smf.setup(7));
    let mut ask = |stage: &mut Stage, adds| {
        stage.upfs[0].adds = Some(adds);
        smf.sequence += 1;
        let answer = stage.ask(&smf, &smf.simple(smf.sequence.into()));
        kinds.map(|kind| told(&answer, kind))
    };
    for adds in [
        |writer: &mut MessageWriter<'_>| says(writer, ElementType::LoadControlInformation, 1, 80),
        |writer: &mut MessageWriter<'_>| says(writer, ElementType::LoadControlInformation, 2, 70),
        |writer: &mut MessageWriter<'_>| says(writer, ElementType::OverloadControlInformation, 1, 30),
    ] {
        ask(&mut stage, adds);
    }
    let [load, overload] = ask(&mut stage, |writer| says(writer, ElementType::OverloadControlInformation, 2, 40));
    next(&mut stage, settings(1));
    assert_eq!(ask(&mut stage, |_| {}), [load, None]);
    let [after, _] = ask(&mut stage, |writer| says(writer, ElementType::LoadControlInformation, 3, 60));
    let [_, over] = ask(&mut stage, |writer| says(writer, ElementType::OverloadControlInformation, 3, 20));
    assert_eq!((after.unwrap().1, over.unwrap().1), (60, 20));
    assert!(after.unwrap().0 > load.unwrap().0 && over.unwrap().0 > overload.unwrap().0, "{after:?} {over:?}");
    check_kept(&stage);
}

/// TS 29.244 6.2.5: a UPF that comes after a restart gets the packet flow descriptions too, in the order in which they hold; no more
/// than are remembered.
#[test]
fn clause_6_2_5_pfds_are_kept() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let applications: Vec<[u8; 1]> = (1..=66).map(|number| [number]).collect();
    for application in applications.iter().chain([&[5]]) {
        let request = pfds(&mut smf, application);
        assert_eq!(stage.ask(&smf, &request).cause(), Some(Cause::ACCEPTED));
    }
    let kind = MessageType::PfdManagementRequest;
    let sent = bodies(stage.upfs[0].heard(kind));
    stage.upfs[0].heard.clear();
    next(&mut stage, settings(1));
    stage.upfs.push(ScriptedUpf::new(2));
    stage.front_end.configure(settings(2));
    stage.live(HEARTBEAT);
    // The two oldest are forgotten, and the fifth came again last.
    let wanted = [&sent[2..4], &sent[5..]].concat();
    assert_eq!(bodies(stage.upfs[1].heard(kind)), wanted);
    // Who is there already has them.
    assert!(stage.upfs[0].heard(kind).is_empty());
}

/// What another version kept is told from what is damaged. Before layouts had numbers a value began with the family of an address.
#[test]
fn another_versions_layout_is_called_so() {
    let (stage, _) = Stage::set_up(settings(1));
    let take_over = |change: fn(&mut Vec<u8>)| {
        let mut kept = stage.kept.clone();
        let mut value = kept[&Kept::FrontEnd].to_vec();
        change(&mut value);
        kept.insert(Kept::FrontEnd, value.into());
        FrontEnd::<()>::take_over(settings(1), kept, 99).map(drop).unwrap_err()
    };
    let before = take_over(|value| *value = [&[0, 192, 0, 2, 1][..], &[7; 8]].concat());
    assert_eq!(before, TakeError::Layout(0));
    assert!(before.to_string().contains("an older version (0;"), "{before}");
    let after = take_over(|value| value[0] = 0x7e);
    assert_eq!(after, TakeError::Layout(0x7e));
    assert!(after.to_string().contains("a newer version (126;"), "{after}");
    assert_eq!(take_over(|value| value.truncate(3)), TakeError::Value(Kept::FrontEnd));
}

/// Places of peers that left are others' after a restart too.
#[test]
fn places_of_peers_are_kept() {
    let bounds = Bounds { smfs: 1, ..Bounds::default() };
    let with = |upfs| Settings { bounds, ..settings(upfs) };
    let (mut stage, mut smf) = Stage::set_up(with(1));
    many(&mut stage, &mut smf, 1);
    smf.sequence += 1;
    stage.ask(&smf, &smf.release());
    let mut other = Smf::new(2);
    assert_eq!(stage.ask(&other, &other.setup(7)).cause(), Some(Cause::ACCEPTED));
    let here = many(&mut stage, &mut other, 1)[0];
    next(&mut stage, with(1));
    other.sequence += 1;
    assert_eq!(stage.ask(&other, &other.modify(here, |_| {})).cause(), Some(Cause::ACCEPTED));
}

/// Sessions that were to end with their SMF end with the next front end.
#[test]
fn what_was_to_end_ends() {
    let bounds = Bounds { chores: 1, ..Bounds::default() };
    let with = || Settings { bounds, ..settings(1) };
    let (mut stage, mut smf) = Stage::set_up(with());
    many(&mut stage, &mut smf, 5);
    stage.upfs[0].mood = Mood::IsSilent;
    stage.smf_stamp = 8;
    smf.sequence += 1;
    stage.ask(&smf, &smf.heartbeat(8));
    assert_eq!(stage.sessions_at_upfs(), 5);
    stage.upfs[0].mood = Mood::Answers;
    next(&mut stage, with());
    stage.live(HEARTBEAT);
    // The one that was asked for when the front end ended may be left.
    assert!(stage.sessions_at_upfs() <= 1);
    assert_eq!((stage.front_end.session_count(), stage.pins.len()), (0, 0));
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.setup_retaining(8));
    assert_eq!((answer.cause(), answer.value(ElementType::PfcpasrspFlags)), (Some(Cause::ACCEPTED), None));
}

/// So do those that end while others of the SMF stay (TS 29.244 7.4.4.1), and that were not begun with yet; those stay then too, as
/// those do that came after.
#[test]
fn what_was_to_end_ends_and_no_other() {
    let bounds = Bounds { chores: 1, ..Bounds::default() };
    let with = || Settings { bounds, ..settings(1) };
    let (mut stage, mut smf) = Stage::set_up(with());
    for (seid, elsewhere) in (1..=6).zip([true, false].into_iter().cycle()) {
        smf.sequence += 1;
        let mut request = smf.simple(seid);
        if elsewhere {
            let at = Smf { address: [203, 0, 113, 7].into(), ..smf.clone() };
            request = smf.request(MessageType::SessionEstablishmentRequest, Some(0), |writer| {
                writer.add(&smf.node()).add(&at.f_seid(seid));
                create_pdr(writer, 1, Some(CHOOSE));
            });
        }
        stage.ask(&smf, &request);
    }
    stage.upfs[0].is_deaf_to = Some(MessageType::SessionDeletionRequest);
    stage.smf_stamp = 8;
    smf.sequence += 1;
    let setup = smf.setup_with(8, |writer| {
        writer.nested(ElementType::SessionRetentionInformation, |writer| {
            writer.add(&Element::CpEntityAddress(std::net::IpAddr::from([203, 0, 113, 7]).into()));
        });
    });
    stage.ask(&smf, &setup);
    smf.sequence += 1;
    stage.ask(&smf, &smf.simple(7));
    stage.live(T1);
    stage.upfs[0].is_deaf_to = None;
    next(&mut stage, with());
    stage.live(HEARTBEAT);
    let left: Vec<_> = stage.sessions().iter().map(|session| session.smf.1).collect();
    assert_eq!(left, [1, 3, 5, 7]);
    // The one that was asked for when the front end ended may be left.
    assert!((4..=5).contains(&stage.sessions_at_upfs()));
}

/// TS 29.244 6.4: what a UPF was asked when the front end ended it is asked again, in the same words, and its answer goes
/// to the SMF, once.
#[test]
fn clause_6_4_a_wish_outlives_the_front_end() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    let request = smf.establish(1, |writer| create_pdr(writer, 1, Some(CHOOSE)));
    stage.slow = true;
    stage.receive(smf.address, &request);
    stage.post.clear();
    next(&mut stage, settings(1));
    stage.receive(smf.address, &request);
    while !stage.post.is_empty() {
        stage.deliver(0);
    }
    let heard = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest);
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].0, heard[1].0);
    let answers = stage.answers(smf.address);
    assert_eq!(answers.iter().map(Said::cause).collect::<Vec<_>>(), [Some(Cause::ACCEPTED)]);
    assert_eq!(stage.leads(answers[0].tunnels()[0])[0].0, name(1));
    assert_eq!(stage.front_end.session_count(), 1);
    check_kept(&stage);
}

/// An SMF that asks again for a session that is there was not answered: it gets another one, and that one ends.
#[test]
fn an_answer_that_was_lost_leaves_no_session_behind() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    let request = smf.establish(1, |writer| create_pdr(writer, 1, Some(CHOOSE)));
    stage.ask(&smf, &request);
    next(&mut stage, settings(1));
    let answer = stage.ask(&smf, &request);
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    assert_eq!((stage.sessions_at_upfs(), stage.front_end.session_count(), stage.pins.len()), (1, 1, 1));
    assert_eq!(stage.leads(answer.tunnels()[0])[0].0, name(1));
    check_kept(&stage);
}
