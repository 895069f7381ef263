//! Sessions that outlive their UPF (TS 23.527 4.3): made again on another, and their clients notice nothing.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use pinion_n4::Settings;
use pinion_protocols::pfcp::{Cause, Element, ElementType, FTeid, MessageType};

use crate::smf::{CHOOSE, Smf, create_far, create_pdr, forward, header, pdr, remove_pdr, user_pdr};
use crate::stage::{HEARTBEAT, Host, N1, Said, Stage, T1, n3, name, settings, upf_address};
use crate::upf::Mood;

const USER: Ipv4Addr = Ipv4Addr::new(10, 45, 0, 2);

fn restoring(upfs: u8) -> (Stage, Smf) {
    Stage::set_up(Settings { restore: true, ..settings(upfs) })
}

/// A session of two uplink rules and one for a user's address; its SEID here, and the F-TEIDs of its rules.
fn made(stage: &mut Stage, smf: &mut Smf, seid: u64, user: Option<Ipv4Addr>) -> (u64, Vec<FTeid>) {
    smf.sequence += 1;
    let request = smf.establish(seid, |writer| {
        create_pdr(writer, 1, Some(CHOOSE));
        create_pdr(writer, 2, Some(CHOOSE));
        user_pdr(writer, 3, user);
        create_far(writer, 1);
    });
    let answer = stage.ask(smf, &request);
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    (answer.f_seid().unwrap().seid, answer.tunnels())
}

fn silence(stage: &mut Stage, upf: usize) {
    stage.upfs[upf].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + T1 * N1);
}

/// TS 23.527 4.3: TEIDs that clients know stay, and lead to the next UPF; it is asked to choose its own.
#[test]
fn clause_23_527_4_3_clients_notice_nothing() {
    let (mut stage, mut smf) = restoring(2);
    let (here, told) = made(&mut stage, &mut smf, 0x77, Some(USER));
    assert_eq!(stage.leads(told[0]), [(name(1), 0x100)]);
    silence(&mut stage, 0);
    assert_eq!((stage.leads(told[0]), stage.leads(told[1])), (vec![(name(2), 0x200)], vec![(name(2), 0x201)]));
    assert_eq!(stage.pins.len(), 2);
    let again = stage.upfs[1].heard(MessageType::SessionEstablishmentRequest)[0].clone();
    assert_eq!(again.message().seid(), Some(0));
    assert_eq!(again.tunnels(), [CHOOSE, CHOOSE]);
    // Its SMF is told nothing, and finds it as it was.
    assert!(stage.requests(smf.address, MessageType::SessionReportRequest).is_empty());
    smf.sequence += 1;
    let answer =
        stage.ask(&smf, &smf.modify(here, |writer| pdr(writer, ElementType::UpdatePdr, 1, Some(told[0]))));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::ACCEPTED), Some(0x77)));
    let heard = stage.upfs[1].heard(MessageType::SessionModificationRequest)[0];
    assert!(matches!(heard.tunnels()[0], FTeid::Given { teid: 0x200, .. }));
    assert_eq!(heard.message().seid(), Some(0x2000));
    assert_eq!(stage.front_end.counts().restored, 1);
    let sessions: Vec<_> = stage.front_end.upfs().map(|upf| upf.sessions).collect();
    assert_eq!(sessions, [0, 1]);
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.delete(here)).cause(), Some(Cause::ACCEPTED));
    assert!(stage.pins.is_empty() && stage.upfs[1].sessions.is_empty());
}

/// TS 29.244 7.5.4: modifications before the loss are in what the next UPF is asked for.
#[test]
fn clause_7_5_4_modifications_are_in_the_new_establishment() {
    let (mut stage, mut smf) = restoring(2);
    let (here, told) = made(&mut stage, &mut smf, 0x77, Some(USER));
    smf.sequence += 1;
    let header = header(0x6b, IpAddr::from([192, 0, 2, 200]).into());
    let request = smf.modify(here, |writer| {
        remove_pdr(writer, 2);
        create_pdr(writer, 4, Some(CHOOSE));
        // As SMFs do that name the F-TEID that they were told.
        pdr(writer, ElementType::UpdatePdr, 1, Some(told[0]));
        forward(writer, header);
    });
    let fourth = stage.ask(&smf, &request).tunnels()[0];
    silence(&mut stage, 0);
    let again = stage.upfs[1].heard(MessageType::SessionEstablishmentRequest)[0].clone();
    let message = again.message();
    let numbers: Vec<_> = message
        .elements()
        .filter_map(|element| {
            let children = element.unwrap().group().unwrap()?;
            Some(children.find(ElementType::PdrId).unwrap()?.parse().unwrap())
        })
        .collect();
    assert_eq!(numbers, [Element::PdrId(1), Element::PdrId(3), Element::PdrId(4)]);
    assert!(again.tunnels().iter().all(|tunnel| matches!(tunnel, FTeid::Choose { v4: true, v6: false, .. })));
    let far = message.elements().find(ElementType::CreateFar).unwrap().unwrap();
    let parameters = far.group().unwrap().unwrap().find(ElementType::ForwardingParameters).unwrap().unwrap();
    let made = parameters.group().unwrap().unwrap().find(ElementType::OuterHeaderCreation).unwrap().unwrap();
    assert_eq!(made.parse().unwrap(), Element::OuterHeaderCreation(header));
    assert_eq!(stage.leads(told[0]), [(name(2), 0x200)]);
    assert_eq!(stage.leads(fourth), [(name(2), 0x201)]);
    assert!(stage.leads(told[1]).is_empty());
}

/// TS 29.244 8.2.62: a user whose address the UPF chose would get another one: such a session is not made again.
#[test]
fn clause_8_2_62_addresses_that_the_upf_chose_are_lost_with_it() {
    let (mut stage, mut smf) = restoring(2);
    made(&mut stage, &mut smf, 1, None);
    silence(&mut stage, 0);
    assert!(stage.upfs[1].heard(MessageType::SessionEstablishmentRequest).is_empty());
    assert_eq!((stage.front_end.session_count(), stage.front_end.counts().lost), (0, 1));
    assert_eq!(stage.requests(smf.address, MessageType::SessionReportRequest).len(), 1);
    assert!(stage.pins.is_empty());
}

/// An SMF that asks meanwhile is answered when the session is there again: it sends its request again.
#[test]
fn clause_6_4_a_request_meanwhile_is_done_once_the_session_is_back() {
    let (mut stage, mut smf) = restoring(2);
    let (here, _) = made(&mut stage, &mut smf, 1, Some(USER));
    stage.upfs[1].mood = Mood::IsSilent;
    // It releases its association, and answers nobody any more.
    stage.upfs[0].mood = Mood::IsSilent;
    let node = stage.upfs[0].node();
    let release = stage.upfs[0].request(MessageType::AssociationReleaseRequest, None, |writer| {
        writer.add(&node);
    });
    stage.receive(upf_address(1), &release);
    smf.sequence += 1;
    let request = smf.modify(here, |_| {});
    stage.receive(smf.address, &request);
    assert!(stage.answers(smf.address).is_empty());
    stage.upfs[1].mood = Mood::Answers;
    stage.live(T1);
    assert_eq!(stage.ask(&smf, &request).cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.sessions()[0].upf.0, name(2));
}

/// With no UPF left a session waits for one, T1 x N1 at most: the same one that restarts will do.
#[test]
fn without_another_upf_it_waits_for_the_same_one() {
    let (mut stage, mut smf) = restoring(1);
    let (_, told) = made(&mut stage, &mut smf, 1, Some(USER));
    stage.upfs[0].restart();
    stage.live(HEARTBEAT + Duration::from_secs(1));
    assert_eq!(stage.upfs[0].sessions.len(), 1);
    assert_eq!(stage.leads(told[0]), [(name(1), 0x102)]);
    assert_eq!(stage.front_end.counts().restored, 1);
}

#[test]
fn without_any_upf_it_is_given_up_in_the_end() {
    let (mut stage, mut smf) = restoring(1);
    let (here, told) = made(&mut stage, &mut smf, 1, Some(USER));
    silence(&mut stage, 0);
    assert_eq!(stage.front_end.session_count(), 1);
    assert!(!stage.leads(told[0]).is_empty());
    stage.live(T1 * N1);
    assert_eq!((stage.front_end.session_count(), stage.front_end.counts().lost), (0, 1));
    assert!(stage.pins.is_empty());
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.modify(here, |_| {})).cause(), Some(Cause::SESSION_NOT_FOUND));
}

/// The next UPF may be lost as well, or refuse.
#[test]
fn a_second_loss_and_a_refusal() {
    let (mut stage, mut smf) = restoring(3);
    let (_, told) = made(&mut stage, &mut smf, 1, Some(USER));
    silence(&mut stage, 0);
    let second = stage.sessions()[0].upf.0.clone();
    assert_ne!(second, name(1));
    let number = if second == name(2) { 1 } else { 2 };
    silence(&mut stage, number);
    let third = if number == 1 { 3 } else { 2 };
    assert_eq!(stage.leads(told[0])[0].0, name(third));
    stage.upfs[0].mood = Mood::Says(Cause::NO_RESOURCES);
    stage.live(2 * HEARTBEAT);
    silence(&mut stage, usize::from(third) - 1);
    stage.live(2 * HEARTBEAT);
    assert_eq!(stage.front_end.session_count(), 0);
    assert!(stage.pins.is_empty());
}

/// Its SMF leaves while it is made again: it ends on the next UPF, and its tunnels do.
#[test]
fn an_smf_that_leaves_meanwhile() {
    let (mut stage, mut smf) = restoring(2);
    made(&mut stage, &mut smf, 1, Some(USER));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + T1 * (N1 - 1));
    stage.upfs[1].heard.clear();
    // The next UPF hears of it, and takes its time.
    let asked = loop {
        stage.upfs[1].mood = Mood::IsSilent;
        stage.pass(Duration::from_secs(1));
        if let Some(asked) = stage.upfs[1].heard(MessageType::SessionEstablishmentRequest).first() {
            break (*asked).clone();
        }
        stage.upfs[1].mood = Mood::Answers;
        stage.live(Duration::ZERO);
    };
    smf.sequence += 1;
    stage.ask(&smf, &smf.setup(8));
    assert_eq!(stage.pins.len(), 2);
    stage.upfs[1].mood = Mood::Answers;
    let answer = stage.upfs[1].hear(&asked).unwrap();
    stage.receive(upf_address(2), &answer);
    assert_eq!((stage.front_end.session_count(), stage.upfs[1].sessions.len()), (0, 0));
    assert!(stage.pins.is_empty());
}

/// Its tunnels cannot be moved: it is given up, on the next UPF too.
#[test]
fn a_session_whose_tunnels_cannot_move_is_lost() {
    let (mut stage, mut smf) = restoring(2);
    made(&mut stage, &mut smf, 1, Some(USER));
    stage.host = Host::Refuses;
    silence(&mut stage, 0);
    assert_eq!((stage.front_end.session_count(), stage.upfs[1].sessions.len()), (0, 0));
    assert_eq!(stage.front_end.counts().restored, 0);
    stage.host = Host::PutsIntoForce;
    stage.live(2 * T1);
    assert!(stage.pins.is_empty());
}

/// TS 29.244 8.2.3: another session may have taken the TEID that the next UPF chose; clients go on with theirs.
#[test]
fn clause_5_5_1_teids_collide_on_the_next_upf() {
    let (mut stage, mut smf) = restoring(2);
    for upf in &mut stage.upfs {
        upf.next_teid = 0xbeef;
    }
    let (_, first) = made(&mut stage, &mut smf, 1, Some(USER));
    let (_, second) = made(&mut stage, &mut smf, 2, Some(Ipv4Addr::new(10, 45, 0, 3)));
    let before = stage.leads(second[0]);
    silence(&mut stage, 0);
    assert_eq!(stage.leads(first[0]), [(name(2), 0xbef1)]);
    assert_eq!(stage.leads(second[0]), before);
    assert_eq!(stage.pins.len(), 4);
}

/// TS 29.244 8.2.3: tunnels that rules share go on being shared, others not, whatever their TEIDs look like.
#[test]
fn clause_8_2_3_what_was_shared_is_shared_again() {
    let (mut stage, mut smf) = restoring(2);
    smf.sequence += 1;
    let shared = FTeid::Choose { v4: true, v6: false, id: Some(0) };
    let request = smf.establish(1, |writer| {
        create_pdr(writer, 1, Some(shared));
        create_pdr(writer, 2, Some(shared));
        user_pdr(writer, 8, Some(USER));
    });
    let answer = stage.ask(&smf, &request);
    let here = answer.f_seid().unwrap().seid;
    // Another one whose last octets are alike.
    stage.upfs[0].next_teid = 0x7700;
    smf.sequence += 1;
    let third = stage.ask(&smf, &smf.modify(here, |writer| create_pdr(writer, 3, Some(CHOOSE)))).tunnels()[0];
    let first = answer.tunnels()[0];
    smf.sequence += 1;
    let named = smf.modify(here, |writer| {
        pdr(writer, ElementType::UpdatePdr, 1, Some(first));
        pdr(writer, ElementType::UpdatePdr, 2, Some(first));
        pdr(writer, ElementType::UpdatePdr, 3, Some(third));
    });
    assert_eq!(stage.ask(&smf, &named).cause(), Some(Cause::ACCEPTED));
    silence(&mut stage, 0);
    assert_eq!(stage.leads(first), [(name(2), 0x200)]);
    assert_eq!(stage.leads(third), [(name(2), 0x201)]);
    assert_eq!(stage.pins.len(), 2);
}

/// TS 29.244 5.5.1, 8.2.148: an SMF that makes a lost session again (RESTI) names the F-TEIDs that clients know, and gets
/// them, but for those that somebody else has by now.
#[test]
fn clause_5_5_1_an_smf_restores_a_session() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let (_, told) = made(&mut stage, &mut smf, 1, Some(USER));
    silence(&mut stage, 0);
    assert_eq!(stage.front_end.session_count(), 0);
    let again = |smf: &Smf, seid| {
        smf.establish(seid, |writer| {
            writer.element(ElementType::PfcpsereqFlags, |out| out.extend_from_slice(&[1]));
            create_pdr(writer, 1, Some(told[0]));
            create_pdr(writer, 2, Some(told[1]));
        })
    };
    smf.sequence += 1;
    let answer = stage.ask(&smf, &again(&smf, 2));
    assert_eq!((answer.cause(), answer.tunnels()), (Some(Cause::ACCEPTED), told.clone()));
    assert_eq!((stage.leads(told[0]), stage.leads(told[1])), (vec![(name(2), 0x200)], vec![(name(2), 0x201)]));
    smf.sequence += 1;
    let second = stage.ask(&smf, &again(&smf, 3));
    assert_eq!(second.cause(), Some(Cause::INVALID_F_TEID_ALLOCATION));
    assert_eq!(stage.leads(told[0]), [(name(2), 0x200)]);
}

/// TS 29.244 8.2.56, N9 that goes direct: when the session behind a tunnel moves to another UPF, the UPF whose packets go
/// there is told where it is now; the SMF knows it by what it was told.
#[test]
fn clause_8_2_56_an_outer_header_follows_its_tunnel() {
    let (mut stage, mut smf) = restoring(3);
    let (anchor, told) = made(&mut stage, &mut smf, 1, Some(USER));
    let (intermediate, _) = made(&mut stage, &mut smf, 2, Some(Ipv4Addr::new(10, 45, 0, 3)));
    let FTeid::Given { teid, addresses } = told[0] else { panic!("{told:?}") };
    smf.sequence += 1;
    stage.ask(&smf, &smf.modify(intermediate, |writer| forward(writer, header(teid, addresses))));
    let outer = |stage: &Stage, upf: usize| -> Vec<Vec<u8>> {
        let heard = stage.upfs[upf].heard(MessageType::SessionModificationRequest);
        heard.iter().map(|said| said.message().body().to_vec()).collect()
    };
    let update = |smf: &Smf, teid, upf| {
        let request =
            smf.modify(intermediate, |writer| forward(writer, header(teid, IpAddr::V4(n3(upf).0).into())));
        Said(request.into()).message().body().to_vec()
    };
    assert_eq!(outer(&stage, 1), [update(&smf, 0x100, 1)]);
    // With a third session the next place is that of the third UPF.
    made(&mut stage, &mut smf, 3, Some(Ipv4Addr::new(10, 45, 0, 4)));
    silence(&mut stage, 0);
    let (owner, theirs) = stage.leads(told[0])[0].clone();
    assert_eq!((owner, outer(&stage, 1)), (name(3), vec![update(&smf, 0x100, 1), update(&smf, theirs, 3)]));
    // It follows also after a restart of the balancer.
    stage.front_end =
        pinion_n4::FrontEnd::take_over(Settings { restore: true, ..settings(3) }, stage.kept.clone(), 9).unwrap();
    stage.settle();
    stage.upfs[0].mood = Mood::Answers;
    stage.live(2 * HEARTBEAT);
    let before = outer(&stage, 1).len();
    silence(&mut stage, 2);
    let (owner, theirs) = stage.leads(told[0])[0].clone();
    let number = if owner == name(1) { 1 } else { 2 };
    assert_eq!(stage.sessions().iter().find(|it| it.seid == anchor).unwrap().upf.0, owner);
    assert_eq!(outer(&stage, 1)[before..], [update(&smf, theirs, number)]);
}
