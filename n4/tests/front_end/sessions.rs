//! Sessions: node IDs, F-SEIDs and sequence numbers are the front end's own to either side.

use std::net::IpAddr;

use pinion_protocols::pfcp::{Addresses, Cause, Element, ElementType, FSeid, FTeid, MessageType, NodeId};

use crate::smf::{CHOOSE, Smf, create_far, create_pdr, message};
use crate::stage::{HERE, Said, Stage, n3_here, name, settings, upf_address};
use crate::upf::Mood;

/// TS 29.244 6.3.2, 7.2.2.4.2: the F-SEIDs of either side are the front end's, and the header has SEID 0 in the request
/// and the SMF's in the response.
#[test]
fn clause_6_3_2_a_session_is_made() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    let answer = stage.ask(&smf, &smf.simple(0x77));
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0].clone();
    let to_upf = asked.f_seid().unwrap();
    assert_eq!(asked.message().seid(), Some(0));
    assert_eq!(asked.message().routing().unwrap().node, Some(NodeId::Address(HERE)));
    assert_eq!(to_upf.addresses, HERE.into());
    assert_ne!(to_upf.seid, 0x77);

    assert_eq!(answer.kind(), MessageType::SessionEstablishmentResponse);
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    assert_eq!(answer.message().seid(), Some(0x77));
    assert_eq!(answer.message().sequence(), smf.sequence);
    assert_eq!(answer.message().routing().unwrap().node, Some(NodeId::Address(HERE)));
    assert_eq!(answer.f_seid().unwrap().addresses, HERE.into());
    let session = &stage.sessions()[0];
    assert_eq!(session.smf, (smf.address, 0x77));
    assert_eq!(session.upf, (name(1), 0x1000));

    let addresses = Addresses { v4: Some(n3_here().0), v6: None };
    let told = FTeid::Given { teid: 0x100, addresses };
    assert_eq!(answer.tunnels(), [told]);
    assert_eq!(stage.leads(told), [(name(1), 0x100)]);
}

/// TS 29.244 7.2.2.4: each side is spoken to with the SEID that it chose, and asked with numbers of the front end.
#[test]
fn clause_7_2_2_4_seids_and_numbers_are_translated_both_ways() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    smf.sequence = 0xff_fff0;
    let here = stage.ask(&smf, &smf.simple(0x77)).f_seid().unwrap().seid;
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.modify(here, |writer| create_far(writer, 2)));
    assert_eq!((answer.message().seid(), answer.message().sequence()), (Some(0x77), 0xff_fff1));
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    let asked = stage.upfs[0].heard(MessageType::SessionModificationRequest)[0];
    assert_eq!(asked.message().seid(), Some(0x1000));
    assert_ne!(asked.message().sequence(), 0xff_fff1);

    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.delete(here));
    assert_eq!(answer.kind(), MessageType::SessionDeletionResponse);
    assert_eq!((answer.message().seid(), answer.message().sequence()), (Some(0x77), 0xff_fff2));
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    assert_eq!((stage.sessions_at_upfs(), stage.front_end.session_count()), (0, 0));
    assert!(stage.pins.is_empty());
}

/// TS 29.244 7.2.2.4.2: the header has SEID 0 where the session context is not found.
#[test]
fn clause_7_2_2_4_2_an_unknown_session_is_answered_with_seid_0() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    for request in [smf.modify(0x1234, |_| {}), Smf { sequence: 99, ..smf.clone() }.delete(0x1234)] {
        let answer = stage.ask(&smf, &request);
        assert_eq!(answer.cause(), Some(Cause::SESSION_NOT_FOUND));
        assert_eq!(answer.message().seid(), Some(0));
    }
}

/// TS 29.244 7.2.2.4.2: so it is where the UPF has lost it; the session is none here either then.
#[test]
fn clause_7_2_2_4_2_a_session_that_its_upf_lost_ends() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = stage.ask(&smf, &smf.simple(0x77)).f_seid().unwrap().seid;
    stage.upfs[0].sessions.clear();
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.modify(here, |_| {}));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::SESSION_NOT_FOUND), Some(0)));
    assert_eq!(stage.front_end.session_count(), 0);
    assert!(stage.pins.is_empty());
}

/// TS 29.244 8.2.37: an F-SEID's address may be another than that which messages came from.
#[test]
fn clause_8_2_37_a_session_is_where_its_f_seid_says() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let elsewhere: IpAddr = [203, 0, 113, 5].into();
    stage.upfs[0].session_address = Some(elsewhere);
    let here = stage.ask(&smf, &smf.simple(0x77)).f_seid().unwrap().seid;
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.modify(here, |_| {})).cause(), Some(Cause::ACCEPTED));
    // And it reports from there.
    let to_upf = *stage.upfs[0].sessions.values().next().unwrap();
    let report = stage.upfs[0].report(to_upf, 1);
    stage.receive(elsewhere, &report);
    assert_eq!(stage.requests(smf.address, MessageType::SessionReportRequest).len(), 1);
}

/// TS 29.244 7.5.8, 7.5.9: a report goes to the session's SMF, and its answer back.
#[test]
fn clause_7_5_8_a_report_reaches_its_smf() {
    let (mut stage, smf) = Stage::set_up(settings(2));
    stage.ask(&smf, &smf.simple(0x77));
    let to_upf = *stage.upfs[0].sessions.values().next().unwrap();
    let report = stage.upfs[0].report(to_upf, 1);
    stage.receive(upf_address(1), &report);
    let asked = stage.requests(smf.address, MessageType::SessionReportRequest).remove(0);
    assert_eq!(asked.message().seid(), Some(0x77));
    assert_eq!(asked.value(ElementType::ReportType), Some(vec![1]));
    let heard = stage.upfs[0].heard(MessageType::SessionReportResponse);
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].message().seid(), Some(0x1000));
    assert_eq!(heard[0].cause(), Some(Cause::ACCEPTED));
    // Another UPF knows nothing of it.
    let foreign = stage.upfs[1].report(to_upf, 1);
    stage.receive(upf_address(2), &foreign);
    assert!(stage.requests(smf.address, MessageType::SessionReportRequest).is_empty());
    let heard = stage.upfs[1].heard(MessageType::SessionReportResponse);
    assert_eq!((heard[0].cause(), heard[0].message().seid()), (Some(Cause::SESSION_NOT_FOUND), Some(0)));
}

/// TS 29.244 7.5.4.1: the SMF's end may change.
#[test]
fn clause_7_5_4_1_another_f_seid_of_the_smf() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = stage.ask(&smf, &smf.simple(0x77)).f_seid().unwrap().seid;
    smf.sequence += 1;
    let moved = smf.modify(here, |writer| {
        writer.add(&smf.f_seid(0x78));
    });
    let answer = stage.ask(&smf, &moved);
    assert_eq!(answer.message().seid(), Some(0x78));
    // The UPF's peer is the same as before.
    let asked = stage.upfs[0].heard(MessageType::SessionModificationRequest)[0];
    assert_eq!(asked.f_seid(), None);
    assert_eq!(stage.sessions()[0].smf, (smf.address, 0x78));
}

/// TS 29.244 7.5.3.1: what a UPF refuses is refused with its cause, and is no session.
#[test]
fn clause_7_5_3_1_a_refusal_is_passed_on() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    stage.upfs[0].mood = Mood::Says(Cause::RULE_FAILURE);
    let answer = stage.ask(&smf, &smf.simple(0x77));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::RULE_FAILURE), Some(0x77)));
    assert_eq!(answer.message().routing().unwrap().node, Some(NodeId::Address(HERE)));
    assert_eq!(stage.front_end.session_count(), 0);
    assert!(stage.front_end.upfs().all(|upf| upf.sessions == 0));
}

/// TS 29.244 7.5.2.1: Node ID and F-SEID are mandatory.
#[test]
fn clause_7_5_2_1_what_is_missing_is_named() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    let kind = MessageType::SessionEstablishmentRequest;
    let without_node = smf.request(kind, Some(0), |writer| {
        writer.add(&smf.f_seid(1));
    });
    let answer = stage.ask(&smf, &without_node);
    assert_eq!(answer.cause(), Some(Cause::MANDATORY_MISSING));
    assert_eq!(answer.offending(), Some(ElementType::NodeId));
    let without_f_seid = smf.request(kind, Some(0), |writer| {
        writer.add(&smf.node());
    });
    let answer = stage.ask(&smf, &without_f_seid);
    assert_eq!(answer.cause(), Some(Cause::MANDATORY_MISSING));
    assert_eq!(answer.offending(), Some(ElementType::FSeid));
}

/// A UPF's answer without its F-SEID makes no session, here or there, and no state stays.
#[test]
fn an_answer_that_makes_no_sense_leaves_nothing() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.receive(smf.address, &smf.simple(0x77));
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0].clone();
    let answer =
        message(MessageType::SessionEstablishmentResponse, Some(1), asked.message().sequence(), |writer| {
            writer.add(&Element::Cause(Cause::ACCEPTED));
        });
    stage.receive(upf_address(1), &answer);
    assert_eq!(stage.answers(smf.address)[0].cause(), Some(Cause::SYSTEM_FAILURE));
    assert_eq!(stage.front_end.session_count(), 0);
}

/// A deletion whose answer makes no sense can be asked for again.
#[test]
fn a_session_whose_end_was_misunderstood_can_be_ended() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = stage.ask(&smf, &smf.simple(0x77)).f_seid().unwrap().seid;
    stage.upfs[0].mood = Mood::IsSilent;
    smf.sequence += 1;
    stage.receive(smf.address, &smf.delete(here));
    let asked = stage.upfs[0].heard(MessageType::SessionDeletionRequest)[0].clone();
    let cut = message(MessageType::SessionDeletionResponse, Some(1), asked.message().sequence(), |writer| {
        writer.element(ElementType::Cause, |_| {});
    });
    stage.receive(upf_address(1), &cut);
    assert_eq!(stage.answers(smf.address)[0].cause(), Some(Cause::SYSTEM_FAILURE));
    stage.upfs[0].mood = Mood::Answers;
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.delete(here)).cause(), Some(Cause::ACCEPTED));
}

/// TS 29.244 7.4.4.7: a UPF that speaks no version of ours gets no session; its SMF is told so in the response's own type.
#[test]
fn clause_7_4_4_7_a_upf_of_another_version() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.receive(smf.address, &smf.simple(0x77));
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0].clone();
    let answer = message(MessageType::VersionNotSupportedResponse, None, asked.message().sequence(), |_| {});
    stage.receive(upf_address(1), &answer);
    let answers = stage.answers(smf.address);
    assert_eq!(answers[0].kind(), MessageType::SessionEstablishmentResponse);
    assert_eq!(answers[0].cause(), Some(Cause::SYSTEM_FAILURE));
    assert_eq!(stage.front_end.session_count(), 0);
}

/// TS 29.244 8.2.37: an F-SEID of both families is reached by that of the front end's own family.
#[test]
fn clause_8_2_37_an_f_seid_of_both_families() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    let request = smf.request(MessageType::SessionEstablishmentRequest, Some(0), |writer| {
        let IpAddr::V4(v4) = smf.address else { return };
        let addresses = Addresses { v4: Some(v4), v6: Some([0x2001, 0xdb8, 0, 0, 0, 0, 9, 9].into()) };
        writer.add(&smf.node()).add(&Element::FSeid(FSeid { seid: 3, addresses }));
        create_pdr(writer, 1, Some(CHOOSE));
    });
    assert_eq!(stage.ask(&smf, &request).cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.sessions()[0].smf, (smf.address, 3));
}

/// TS 29.244 7.2.2.3: the priority of a message is that of what is made of it, in both directions.
#[test]
fn clause_7_2_2_3_priorities_pass() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    // MP is bit 2 of the first octet, and the priority is in the upper half of the last one.
    let prior = |mut message: Vec<u8>, priority: u8| {
        message[0] |= 2;
        message[15] |= priority << 4;
        message
    };
    let priority = |said: &Said| said.message().priority();
    stage.slow = true;
    let mut seid = 0;
    for (kind, priorities) in [
        (MessageType::SessionEstablishmentRequest, (Some(3), Some(4))),
        (MessageType::SessionModificationRequest, (Some(0), Some(15))),
        (MessageType::SessionModificationRequest, (None, None)),
        (MessageType::SessionDeletionRequest, (Some(7), Some(1))),
    ] {
        smf.sequence += 1;
        let request = match kind {
            MessageType::SessionEstablishmentRequest => smf.simple(9),
            MessageType::SessionModificationRequest => smf.modify(seid, |_| {}),
            _ => smf.delete(seid),
        };
        let request = if let Some(of) = priorities.0 { prior(request, of) } else { request };
        stage.receive(smf.address, &request);
        assert_eq!(priority(stage.upfs[0].heard(kind).last().unwrap()), priorities.0, "{kind}");
        let (_, answer) = stage.post.last_mut().unwrap();
        if let Some(of) = priorities.1 {
            *answer = prior(answer.clone(), of);
        }
        stage.deliver(0);
        let answers = stage.answers(smf.address);
        assert_eq!(priority(&answers[0]), priorities.1, "{kind}");
        seid = answers[0].f_seid().map_or(seid, |end| end.seid);
    }
}
