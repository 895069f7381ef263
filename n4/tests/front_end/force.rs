//! What a message makes known is in force before the message is sent.

use pinion_protocols::pfcp::{Cause, FTeid};

use crate::smf::{CHOOSE, create_pdr, remove_pdr};
use crate::stage::{Host, Stage, T1, settings};

#[test]
fn an_answer_waits_for_its_tunnels() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    stage.host = Host::Waits;
    stage.receive(smf.address, &smf.simple(1));
    stage.live(T1);
    assert!(stage.answers(smf.address).is_empty());
    stage.install();
    assert_eq!(stage.answers(smf.address)[0].cause(), Some(Cause::ACCEPTED));
}

/// A second message that tells of a tunnel waits for it as the first did.
#[test]
fn a_tunnel_that_is_told_twice_is_in_force_before_either() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = stage.ask(&smf, &smf.simple(1)).f_seid().unwrap().seid;
    stage.host = Host::Waits;
    let shared = FTeid::Choose { v4: true, v6: false, id: Some(1) };
    for rule in [2, 3] {
        stage.upfs[0].next_teid = 0x777;
        smf.sequence += 1;
        stage.receive(smf.address, &smf.modify(here, |writer| create_pdr(writer, rule, Some(shared))));
    }
    assert!(stage.answers(smf.address).is_empty());
    assert_eq!(stage.batches.len(), 1);
    stage.install();
    let answers = stage.answers(smf.address);
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0].tunnels(), answers[1].tunnels());
}

/// A session whose tunnels cannot be put into force is none, at its UPF neither.
#[test]
fn a_refused_establishment_leaves_nothing() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    stage.host = Host::Refuses;
    let answer = stage.ask(&smf, &smf.simple(1));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::NO_RESOURCES), Some(1)));
    assert_eq!((stage.front_end.session_count(), stage.sessions_at_upfs()), (0, 0));
    assert!(stage.front_end.upfs().all(|upf| upf.sessions == 0));
}

/// A modification whose tunnels cannot be put into force: the new one leads nowhere and is not told, the others stay.
#[test]
fn a_refused_modification_leaves_the_others() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let answer = stage.ask(&smf, &smf.simple(1));
    let (here, first) = (answer.f_seid().unwrap().seid, answer.tunnels()[0]);
    stage.host = Host::Refuses;
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.modify(here, |writer| create_pdr(writer, 2, Some(CHOOSE))));
    assert_eq!(answer.cause(), Some(Cause::NO_RESOURCES));
    assert!(answer.tunnels().is_empty());
    stage.host = Host::PutsIntoForce;
    stage.live(2 * T1);
    assert_eq!(stage.leads(first).len(), 1);
    assert_eq!(stage.pins.len(), 1);
    assert_eq!(stage.sessions()[0].tunnels.len(), 1);
}

/// What was answered behind a batch, and may tell of its tunnels, is refused with it.
#[test]
fn what_builds_upon_a_refused_batch_is_refused_too() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = stage.ask(&smf, &smf.simple(1)).f_seid().unwrap().seid;
    stage.host = Host::Waits;
    for rule in [2, 3] {
        smf.sequence += 1;
        stage.receive(smf.address, &smf.modify(here, |writer| create_pdr(writer, rule, Some(CHOOSE))));
    }
    stage.refuse();
    stage.install();
    let answers = stage.answers(smf.address);
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| answer.cause() == Some(Cause::NO_RESOURCES)));
    stage.host = Host::PutsIntoForce;
    while !stage.batches.is_empty() {
        stage.install();
    }
    assert_eq!(stage.pins.len(), 1);
}

/// A tunnel whose end is refused is ended later, and its TEID is nobody's until then.
#[test]
fn a_refused_end_is_tried_again() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let answer = stage.ask(&smf, &smf.simple(1));
    let (here, first) = (answer.f_seid().unwrap().seid, answer.tunnels()[0]);
    stage.host = Host::Refuses;
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.delete(here)).cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.pins.len(), 1);
    stage.host = Host::PutsIntoForce;
    stage.upfs[0].next_teid = 0x100;
    smf.sequence += 1;
    let second = stage.ask(&smf, &smf.simple(2)).tunnels()[0];
    assert_ne!(first, second);
    stage.live(2 * T1);
    assert!(stage.leads(first).is_empty());
    assert_eq!(stage.leads(second).len(), 1);
}

/// A rule that goes while its tunnel's end is refused.
#[test]
fn a_refused_removal_ends_its_tunnel_later() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = stage.ask(&smf, &smf.simple(1)).f_seid().unwrap().seid;
    stage.host = Host::Refuses;
    smf.sequence += 1;
    stage.ask(&smf, &smf.modify(here, |writer| remove_pdr(writer, 1)));
    stage.host = Host::PutsIntoForce;
    stage.live(2 * T1);
    assert!(stage.pins.is_empty());
    assert!(stage.sessions()[0].tunnels.is_empty());
}
