//! Sessions: placed, and then between SMF and UPF.

use std::net::IpAddr;
use std::time::Duration;

use pinion_n4::{Bounds, FrontEnd, Serves, Settings};
use pinion_protocols::pfcp::{Cause, Element, ElementType, FSeid, FTeid, Message, MessageType};

use super::{ask, from_upf, members, redirecting, set_up, setups, shares};
use crate::smf::{CHOOSE, Smf, create_pdr, user_pdr};
use crate::stage::{HEARTBEAT, HERE, N1, Said, Stage, T1, n3, upf_address};
use crate::takeover::check_kept;
use crate::upf::Mood;

/// A message as it is but for its number, which is in octets 13 to 15 (TS 29.244 7.2.2.3).
fn unnumbered(message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[12..15].fill(0);
    message
}

/// TS 29.244 6.3.2: request and response pass as they are; F-SEIDs are those of SMF and UPF.
#[test]
fn clause_6_3_2_an_establishment_passes_as_it_is() {
    let (mut stage, mut smf) = set_up(3);
    smf.sequence += 1;
    let mut request = smf.simple(5);
    // MP, and a priority of 6 (TS 29.244 7.2.2.3).
    request[0] |= 2;
    request[15] |= 6 << 4;
    let answer = stage.ask(&smf, &request);
    let heard = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0].clone();
    assert_eq!(unnumbered(&heard.0), unnumbered(&request));
    assert_ne!(heard.message().sequence(), 0);
    assert_eq!(answer.message().sequence(), smf.sequence);
    assert_eq!(answer.message().seid(), Some(5));
    assert_eq!(answer.f_seid(), Some(FSeid { seid: 0x1000, addresses: upf_address(1).into() }));
    assert_eq!(answer.tunnels(), [FTeid::Given { teid: 0x100, addresses: IpAddr::V4(n3(1).0).into() }]);
}

/// TS 29.244 6.3.3: what follows goes to the UPF's F-SEID, and needs nobody between.
#[test]
fn clause_6_3_3_a_modification_goes_direct() {
    let (mut stage, mut smf) = set_up(3);
    let mut owners = Vec::new();
    for seid in 1..=6 {
        let end = ask(&mut stage, &mut smf, |smf| smf.simple(seid)).f_seid().unwrap();
        let owner = stage.upfs.iter().position(|upf| end.addresses.contains(upf_address(upf.number))).unwrap();
        let modify = Said(smf.modify(end.seid, |writer| create_pdr(writer, 2, Some(CHOOSE))).into());
        let answer = Said(stage.upfs[owner].hear(&modify).unwrap().into());
        assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::ACCEPTED), Some(seid)));
        owners.push(owner);
    }
    assert_eq!(owners, [0, 1, 2, 0, 1, 2]);
}

/// TS 29.244 6.4: a request that comes again is asked once, and answered alike.
#[test]
fn clause_6_4_an_establishment_is_placed_once() {
    let (mut stage, mut smf) = set_up(3);
    smf.sequence += 1;
    let first = stage.ask(&smf, &smf.simple(1));
    assert_eq!(stage.ask(&smf, &smf.simple(1)), first);
    assert_eq!(shares(&stage), [1, 0, 0]);
    // A UPF that does not answer is asked again with the same bytes.
    stage.upfs[1].mood = Mood::IsSilent;
    smf.sequence += 1;
    stage.receive(smf.address, &smf.simple(2));
    stage.receive(smf.address, &smf.simple(2));
    stage.live(T1);
    let heard = stage.upfs[1].heard(MessageType::SessionEstablishmentRequest);
    assert_eq!((heard.len(), heard[0]), (2, heard[1]));
    stage.live(N1 * T1);
    assert!(stage.answers(smf.address).is_empty());
}

/// Sessions are placed by what their UPF takes.
#[test]
fn clause_6_3_2_placement_is_that_of_terminate() {
    let mut settings = redirecting(2);
    settings.upfs[0].serves = Serves { ue_addresses: vec![([10, 45, 0, 0].into(), 16)], ..Serves::default() };
    settings.upfs[1].serves = Serves { ue_addresses: vec![([10, 46, 0, 0].into(), 16)], ..Serves::default() };
    let mut stage = Stage::new(settings);
    stage.upfs.iter_mut().for_each(|upf| upf.node = super::SHARED);
    stage.pass(Duration::ZERO);
    let mut smf = Smf::new(1);
    stage.ask(&smf, &smf.setup(7));
    for (seid, second) in [(1, 46), (2, 46), (3, 45)] {
        let user = Some([10, second, 0, 9].into());
        ask(&mut stage, &mut smf, |smf| smf.establish(seid, |writer| user_pdr(writer, 1, user)));
    }
    assert_eq!(shares(&stage), [1, 2]);
    let nowhere = |smf: &Smf| smf.establish(4, |writer| user_pdr(writer, 1, Some([10, 9, 0, 1].into())));
    let answer = ask(&mut stage, &mut smf, nowhere);
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::NO_RESOURCES), Some(4)));
}

/// TS 29.244 7.5.3: what a UPF refuses, it refuses itself.
#[test]
fn clause_7_5_3_a_refusal_passes_as_it_is() {
    let (mut stage, mut smf) = set_up(1);
    stage.upfs[0].mood = Mood::Says(Cause::RULE_FAILURE);
    let answer = ask(&mut stage, &mut smf, |smf| smf.simple(3));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::RULE_FAILURE), Some(3)));
    assert_eq!(stage.front_end.session_count(), 0);
}

/// TS 29.244 6.2.6: a UPF that knows of no association is asked for one, and the session is another's.
#[test]
fn clause_6_2_6_a_upf_without_association_is_given_one() {
    let (mut stage, mut smf) = set_up(2);
    stage.upfs[0].mood = Mood::Says(Cause::NO_ASSOCIATION);
    let answer = ask(&mut stage, &mut smf, |smf| smf.simple(1));
    assert_eq!((answer.cause(), shares(&stage)), (Some(Cause::ACCEPTED), vec![0, 1]));
    assert_eq!((setups(&stage, 0), setups(&stage, 1)), (2, 1));
    // Where there is no other, the SMF is not told that it has none: it has one with the function.
    stage.upfs[1].mood = Mood::Says(Cause::NO_ASSOCIATION);
    let answer = ask(&mut stage, &mut smf, |smf| smf.simple(2));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::NO_RESOURCES), Some(2)));
}

/// TS 29.244 6.3.3, 6.3.4: an SMF that goes on sending to the function's address is relayed by the SEID.
#[test]
fn clause_6_3_3_what_comes_here_is_relayed_by_its_seid() {
    let (mut stage, mut smf) = set_up(2);
    let there = ask(&mut stage, &mut smf, |smf| smf.simple(5)).f_seid().unwrap().seid;
    smf.sequence += 1;
    let modify = smf.modify(there, |writer| create_pdr(writer, 2, Some(CHOOSE)));
    let answer = stage.ask(&smf, &modify);
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::ACCEPTED), Some(5)));
    let heard = stage.upfs[0].heard(MessageType::SessionModificationRequest)[0];
    assert_eq!(unnumbered(&heard.0), unnumbered(&modify));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.delete(there)).cause(), Some(Cause::ACCEPTED));
    assert_eq!((stage.sessions_at_upfs(), stage.front_end.session_count()), (0, 0));
    let answer = ask(&mut stage, &mut smf, |smf| smf.delete(there));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::SESSION_NOT_FOUND), Some(0)));
}

/// TS 29.244 5.6.2: a SEID is of an address. Where two UPFs chose the same for one SMF, this address is not enough.
#[test]
fn clause_5_6_2_a_seid_of_two_upfs_is_nobodys_here() {
    let (mut stage, mut smf) = set_up(2);
    stage.upfs[1].next_seid = stage.upfs[0].next_seid;
    let there = ask(&mut stage, &mut smf, |smf| smf.simple(1)).f_seid().unwrap().seid;
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(there, |_| {})).cause(), Some(Cause::ACCEPTED));
    let other = ask(&mut stage, &mut smf, |smf| smf.simple(2)).f_seid().unwrap();
    assert_eq!((other.seid, other.addresses), (there, upf_address(2).into()));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(there, |_| {})).cause(), Some(Cause::SESSION_NOT_FOUND));
    // Another SMF's is told apart by who asks.
    let mut second = Smf::new(2);
    ask(&mut stage, &mut second, |smf| smf.setup(3));
    stage.upfs[1].next_seid = stage.upfs[0].next_seid;
    let one = ask(&mut stage, &mut smf, |smf| smf.simple(3)).f_seid().unwrap().seid;
    let two = ask(&mut stage, &mut second, |smf| smf.simple(3)).f_seid().unwrap().seid;
    assert_eq!(one, two);
    assert_eq!(ask(&mut stage, &mut second, |smf| smf.delete(two)).cause(), Some(Cause::ACCEPTED));
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.delete(one)).cause(), Some(Cause::ACCEPTED));
}

/// That sessions end is not heard of: the oldest are known no more where there is no room.
#[test]
fn the_oldest_pin_goes_where_there_is_no_room() {
    let bounds = Bounds { sessions: 3, ..Bounds::default() };
    let mut stage = Stage::new(Settings { bounds, ..redirecting(1) });
    stage.upfs[0].node = super::SHARED;
    stage.pass(Duration::ZERO);
    let mut smf = Smf::new(1);
    stage.ask(&smf, &smf.setup(7));
    let there: Vec<u64> =
        (1..=5).map(|seid| ask(&mut stage, &mut smf, |smf| smf.simple(seid)).f_seid().unwrap().seid).collect();
    assert_eq!((stage.sessions_at_upfs(), stage.front_end.session_count()), (5, 3));
    let mut modified = |seid| ask(&mut stage, &mut smf, |smf| smf.modify(seid, |_| {})).cause();
    let causes: Vec<_> = there.into_iter().map(&mut modified).collect();
    let (gone, there) = (Some(Cause::SESSION_NOT_FOUND), Some(Cause::ACCEPTED));
    assert_eq!(causes, [gone, gone, there, there, there]);
}

/// TS 29.244 6.3.5: a report that comes here is relayed to the SMF's F-SEID, and its answer back.
#[test]
fn clause_6_3_5_a_report_that_comes_here_is_relayed() {
    let (mut stage, mut smf) = set_up(2);
    ask(&mut stage, &mut smf, |smf| smf.simple(5));
    let report = stage.upfs[0].request(MessageType::SessionReportRequest, Some(5), |writer| {
        writer.add(&Element::ReportType(2));
    });
    stage.receive(upf_address(1), &report);
    let asked = stage.requests(smf.address, MessageType::SessionReportRequest);
    assert_eq!((asked.len(), unnumbered(&asked[0].0)), (1, unnumbered(&report)));
    let answers = stage.upfs[0].heard(MessageType::SessionReportResponse);
    assert_eq!((answers.len(), answers[0].cause()), (1, Some(Cause::ACCEPTED)));
    assert_eq!(answers[0].message().sequence(), Message::parse(&report).unwrap().sequence());
    // Of another UPF's session, nobody is told.
    let foreign = stage.upfs[1].request(MessageType::SessionReportRequest, Some(5), |writer| {
        writer.add(&Element::ReportType(2));
    });
    stage.receive(upf_address(2), &foreign);
    let answers = stage.upfs[1].heard(MessageType::SessionReportResponse);
    assert_eq!(answers[0].cause(), Some(Cause::SESSION_NOT_FOUND));
    assert!(stage.requests(smf.address, MessageType::SessionReportRequest).is_empty());
}

/// TS 29.244 5.6.2: a SEID is of an address. What a UPF reports of one that two SMFs chose is neither's; nor is it said
/// that there is no such session, as it would end (6.3.5).
#[test]
fn clause_5_6_2_a_report_for_a_seid_of_two_smfs_is_nobodys_here() {
    let (mut stage, mut smf) = set_up(1);
    let mut other = Smf::new(2);
    ask(&mut stage, &mut other, |smf| smf.setup(3));
    ask(&mut stage, &mut smf, |smf| smf.simple(1));
    let there = ask(&mut stage, &mut other, |smf| smf.simple(1)).f_seid().unwrap().seid;
    let told = |stage: &mut Stage, smf: &Smf| stage.requests(smf.address, MessageType::SessionReportRequest).len();
    assert_eq!(from_upf(&mut stage, 0, |upf| upf.report(1, 2)).cause(), Some(Cause::REJECTED));
    assert_eq!((told(&mut stage, &smf), told(&mut stage, &other)), (0, 0));
    // That the first one's ended is not heard of, until it gives its SEID to another session.
    ask(&mut stage, &mut smf, |smf| smf.simple(1));
    assert_eq!(stage.front_end.session_count(), 2);
    ask(&mut stage, &mut other, |smf| smf.delete(there));
    assert_eq!(from_upf(&mut stage, 0, |upf| upf.report(1, 2)).cause(), Some(Cause::ACCEPTED));
    assert_eq!((told(&mut stage, &smf), told(&mut stage, &other)), (1, 0));
}

/// TS 29.244 5.18.2: PSDBU ends the session.
#[test]
fn clause_5_18_2_a_session_that_its_upf_ended_is_known_no_more() {
    let (mut stage, mut smf) = set_up(1);
    let there = ask(&mut stage, &mut smf, |smf| smf.simple(5)).f_seid().unwrap().seid;
    let report = stage.upfs[0].request(MessageType::SessionReportRequest, Some(5), |writer| {
        writer.add(&Element::ReportType(0x40));
        writer.element(ElementType::PfcpsrreqFlags, |out| out.extend_from_slice(&[1]));
    });
    stage.receive(upf_address(1), &report);
    stage.inbox.clear();
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(there, |_| {})).cause(), Some(Cause::SESSION_NOT_FOUND));
}

/// TS 29.244 7.5.4.1: an SMF of a set takes a session over with an end of its own.
#[test]
fn clause_7_5_4_1_a_session_may_get_another_end() {
    let (mut stage, mut smf) = set_up(1);
    let there = ask(&mut stage, &mut smf, |smf| smf.simple(5)).f_seid().unwrap().seid;
    let elsewhere = Smf::new(2);
    ask(&mut stage, &mut smf, |smf| {
        smf.modify(there, |writer| {
            writer.add(&elsewhere.f_seid(77));
        })
    });
    let report = stage.upfs[0].request(MessageType::SessionReportRequest, Some(77), |writer| {
        writer.add(&Element::ReportType(2));
    });
    stage.receive(upf_address(1), &report);
    assert_eq!(stage.requests(elsewhere.address, MessageType::SessionReportRequest).len(), 1);
    assert_eq!(stage.sessions()[0].smf, (elsewhere.address, 77));
}

/// What is known of sessions and associations outlives the process.
#[test]
fn a_restart_of_the_balancer_is_not_noticed() {
    let (mut stage, mut smf) = set_up(2);
    let there: Vec<u64> =
        (1..=4).map(|seid| ask(&mut stage, &mut smf, |smf| smf.simple(seid)).f_seid().unwrap().seid).collect();
    stage.front_end = FrontEnd::take_over(redirecting(2), stage.kept.clone(), 99).unwrap();
    stage.settle();
    stage.live(2 * HEARTBEAT);
    stage.inbox.clear();
    assert_eq!((setups(&stage, 0), setups(&stage, 1)), (1, 1));
    for seid in there {
        assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(seid, |_| {})).cause(), Some(Cause::ACCEPTED));
    }
    let answer = ask(&mut stage, &mut smf, |smf| smf.simple(5));
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    let other = crate::stage::settings(2);
    let refused = FrontEnd::<()>::take_over(other, stage.kept.clone(), 99);
    assert_eq!(refused.err(), Some(pinion_n4::TakeError::Mode));
}

/// An SMF that every UPF refused is known on: the next front end takes over all others' sessions nevertheless.
#[test]
fn a_refused_smf_does_not_hinder_a_restart() {
    let mut stage = members(2);
    stage.upfs.iter_mut().for_each(|upf| upf.node_cause = Cause::CONGESTION);
    let refused = Smf::new(1);
    assert_eq!(stage.ask(&refused, &refused.setup(7)).cause(), Some(Cause::CONGESTION));
    stage.upfs.iter_mut().for_each(|upf| upf.node_cause = Cause::ACCEPTED);
    let mut smf = Smf::new(2);
    assert_eq!(stage.ask(&smf, &smf.setup(7)).cause(), Some(Cause::ACCEPTED));
    let there = ask(&mut stage, &mut smf, |smf| smf.simple(1)).f_seid().unwrap().seid;
    check_kept(&stage);
    stage.front_end = FrontEnd::take_over(redirecting(2), stage.kept.clone(), 99).unwrap();
    stage.settle();
    assert_eq!(ask(&mut stage, &mut smf, |smf| smf.modify(there, |_| {})).cause(), Some(Cause::ACCEPTED));
}

/// Whatever comes, from whomever: it goes on.
#[test]
fn any_datagram_is_survived() {
    bolero::check!().with_type::<Vec<(bool, u8, Vec<u8>)>>().for_each(|datagrams| {
        let (mut stage, mut smf) = set_up(2);
        ask(&mut stage, &mut smf, |smf| smf.simple(1));
        let valid = [smf.simple(2), smf.setup_retaining(9), smf.modify(0x1000, |_| {}), smf.delete(0x1000)];
        for (upf, at, bytes) in datagrams {
            let from = if *upf { upf_address(1) } else { smf.address };
            stage.receive(from, bytes);
            // And what is nearly right.
            let mut nearly = valid[usize::from(*at) % valid.len()].clone();
            let at = usize::from(*at) % nearly.len();
            nearly.splice(at..at, bytes.iter().copied().take(8));
            stage.receive(from, &nearly);
        }
        stage.live(4 * T1);
        assert!(stage.inbox.iter().all(|(to, _)| to.ip() != HERE));
    });
}
