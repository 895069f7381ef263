//! SMFs that stand in for one another (TS 29.244 5.22): others that an SMF names are asked in its stead.

use std::net::IpAddr;

use pinion_protocols::pfcp::{Cause, Element, ElementType, FSeid, MessageType, MessageWriter};

use crate::loss::many;
use crate::smf::{Smf, message};
use crate::stage::{HEARTBEAT, N1, Said, Stage, T1, settings, upf_address};

const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 150));

/// One session, of an SMF that has said who stands in for it.
fn prepared() -> (Stage, Smf, u64) {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = many(&mut stage, &mut smf, 1)[0];
    smf.sequence += 1;
    let update = smf.request(MessageType::AssociationUpdateRequest, None, |writer| {
        writer.add(&smf.node()).add(&Element::AlternativeSmfAddress(OTHER.into()));
    });
    assert_eq!(stage.ask(&smf, &update).cause(), Some(Cause::ACCEPTED));
    (stage, smf, here)
}

fn report(stage: &mut Stage) {
    let to_upf = *stage.upfs[0].sessions.values().next().unwrap();
    let report = stage.upfs[0].report(to_upf, 1);
    stage.receive(upf_address(1), &report);
}

fn reply(stage: &mut Stage, from: IpAddr, asked: &Said, body: impl FnOnce(&mut MessageWriter<'_>)) {
    let number = asked.message().sequence();
    let answer = message(MessageType::SessionReportResponse, asked.message().seid(), number, body);
    stage.receive(from, &answer);
}

/// TS 29.244 5.22.3, 7.5.8.1, 7.5.9.1: a report that the SMF cannot take goes to another one, with SEID 0 and the F-SEID
/// that the session had; it answers with its own where it takes the session over.
#[test]
fn clause_5_22_3_another_smf_takes_over() {
    let (mut stage, smf, here) = prepared();
    stage.smfs_answer = false;
    stage.live(HEARTBEAT + T1 * N1);
    report(&mut stage);
    assert!(stage.requests(smf.address, MessageType::SessionReportRequest).is_empty());
    let asked = stage.requests(OTHER, MessageType::SessionReportRequest).remove(0);
    assert_eq!(asked.message().seid(), Some(0));
    assert_eq!(asked.f_seid(), Some(FSeid { seid: 1, addresses: smf.address.into() }));
    reply(&mut stage, OTHER, &asked, |writer| {
        writer.add(&Element::Cause(Cause::ACCEPTED));
        writer.add(&Element::FSeid(FSeid { seid: 0x99, addresses: OTHER.into() }));
    });
    let told = stage.upfs[0].heard(MessageType::SessionReportResponse)[0];
    assert_eq!((told.cause(), told.f_seid()), (Some(Cause::ACCEPTED), None));
    assert_eq!(stage.sessions()[0].smf, (OTHER, 0x99));
    // And asks for changes of it.
    let other = Smf { address: OTHER, ..Smf::new(1) };
    let answer = stage.ask(&other, &other.modify(here, |_| {}));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::ACCEPTED), Some(0x99)));
}

/// An SMF that answers again is asked itself.
#[test]
fn clause_5_22_3_only_while_it_is_away() {
    let (mut stage, smf, _) = prepared();
    stage.smfs_answer = false;
    stage.live(HEARTBEAT + T1 * N1);
    stage.smfs_answer = true;
    stage.live(2 * HEARTBEAT);
    report(&mut stage);
    assert_eq!(stage.requests(smf.address, MessageType::SessionReportRequest).len(), 1);
    assert!(stage.requests(OTHER, MessageType::SessionReportRequest).is_empty());
}

/// TS 29.244 7.5.9.1: an SMF may name another one to be asked; the UPF hears of nobody.
#[test]
fn clause_7_5_9_1_a_report_is_redirected() {
    let (mut stage, smf, _) = prepared();
    stage.smfs_answer = false;
    report(&mut stage);
    let first = stage.requests(smf.address, MessageType::SessionReportRequest).remove(0);
    reply(&mut stage, smf.address, &first, |writer| {
        writer
            .add(&Element::Cause(Cause::REDIRECTION_REQUESTED))
            .add(&Element::AlternativeSmfAddress(OTHER.into()));
    });
    assert!(stage.upfs[0].heard(MessageType::SessionReportResponse).is_empty());
    let second = stage.requests(OTHER, MessageType::SessionReportRequest).remove(0);
    assert_eq!(second.message().seid(), Some(0));
    reply(&mut stage, OTHER, &second, |writer| {
        writer.add(&Element::Cause(Cause::ACCEPTED));
    });
    let told = stage.upfs[0].heard(MessageType::SessionReportResponse)[0];
    assert_eq!(told.cause(), Some(Cause::ACCEPTED));
    assert_eq!(told.value(ElementType::AlternativeSmfIpAddress), None);
}

/// Who redirects to itself for ever is not followed for ever.
#[test]
fn clause_7_5_9_1_redirections_end() {
    let (mut stage, smf, _) = prepared();
    stage.smfs_answer = false;
    report(&mut stage);
    for _ in 0..10 {
        let Some(asked) = stage.requests(smf.address, MessageType::SessionReportRequest).pop() else { break };
        reply(&mut stage, smf.address, &asked, |writer| {
            writer.add(&Element::Cause(Cause::REDIRECTION_REQUESTED));
            writer.add(&Element::AlternativeSmfAddress(smf.address.into()));
        });
    }
    let told = stage.upfs[0].heard(MessageType::SessionReportResponse);
    assert_eq!(told[0].cause(), Some(Cause::REDIRECTION_REQUESTED));
}

/// A session is its SMF's: who else asks for it is told that there is none.
#[test]
fn a_session_is_its_smfs_alone() {
    let (mut stage, _, here) = prepared();
    let stranger = Smf::new(9);
    stage.ask(&stranger, &stranger.setup(7));
    for request in [stranger.modify(here, |_| {}), Smf { sequence: 77, ..stranger.clone() }.delete(here)] {
        assert_eq!(stage.ask(&stranger, &request).cause(), Some(Cause::SESSION_NOT_FOUND));
    }
    assert_eq!(stage.front_end.session_count(), 1);
    // Nor is an association another's to end.
    let release = stranger.request(MessageType::AssociationReleaseRequest, None, |writer| {
        writer.add(&Smf::new(1).node());
    });
    let release = {
        let mut it = release;
        it[6] = 88;
        it
    };
    assert_eq!(stage.ask(&stranger, &release).cause(), Some(Cause::NO_ASSOCIATION));
    assert_eq!(stage.front_end.session_count(), 1);
}

/// An FQ-CSID: a node with an IPv4 address, and its connection sets (TS 29.244 8.2.45).
fn connection_sets(writer: &mut MessageWriter<'_>, last: u8, sets: &[u16]) {
    writer.element(ElementType::FqCsid, |out| {
        out.extend_from_slice(&[u8::try_from(sets.len()).unwrap(), 192, 0, 2, last]);
        for set in sets {
            out.extend_from_slice(&set.to_be_bytes());
        }
        // The sender is an SMF (PGW-C).
        out.extend_from_slice(&[2]);
    });
}

/// Sessions 1 to 3 of connection sets 1 to 3, all of group `g`; not 4.
fn marked() -> (Stage, Smf, Vec<u64>) {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let mut here = Vec::new();
    for number in 1..=4_u16 {
        smf.sequence += 1;
        let request = smf.establish(number.into(), |writer| {
            if number < 4 {
                connection_sets(writer, 101, &[number]);
                writer.element(ElementType::GroupId, |out| out.extend_from_slice(b"g"));
            }
            crate::smf::create_pdr(writer, 1, Some(crate::smf::CHOOSE));
        });
        here.push(stage.ask(&smf, &request).f_seid().unwrap().seid);
    }
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0];
    assert_eq!((asked.value(ElementType::FqCsid), asked.value(ElementType::GroupId)), (None, None));
    smf.sequence += 1;
    (stage, smf, here)
}

/// TS 29.244 7.4.6.1: an SMF that lost connection sets: exactly their sessions end.
#[test]
fn clause_7_4_6_1_a_set_of_sessions_is_deleted() {
    let (mut stage, smf, _) = marked();
    let request = smf.request(MessageType::SessionSetDeletionRequest, None, |writer| {
        writer.add(&smf.node());
        connection_sets(writer, 101, &[1, 3]);
    });
    let answer = stage.ask(&smf, &request);
    assert_eq!((answer.kind(), answer.cause()), {
        (MessageType::SessionSetDeletionResponse, Some(Cause::ACCEPTED))
    });
    let left: Vec<_> = stage.sessions().iter().map(|session| session.smf.1).collect();
    assert_eq!((left, stage.sessions_at_upfs(), stage.pins.len()), (vec![2, 4], 2, 2));
    // The same numbers of another node are other sets.
    let again = Smf { sequence: 99, ..smf.clone() };
    let request = again.request(MessageType::SessionSetDeletionRequest, None, |writer| {
        writer.add(&smf.node());
        connection_sets(writer, 102, &[2]);
    });
    assert_eq!(stage.ask(&smf, &request).cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.front_end.session_count(), 2);
}

/// TS 29.244 7.4.6.1: a UPF that lost one: as after any loss.
#[test]
fn clause_7_4_6_1_a_upf_loses_a_set_of_sessions() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    stage.upfs[0].adds = Some(|writer| connection_sets(writer, 11, &[5]));
    many(&mut stage, &mut smf, 2);
    stage.upfs[0].adds = None;
    many(&mut stage, &mut smf, 1);
    let node = stage.upfs[0].node();
    let request = stage.upfs[0].request(MessageType::SessionSetDeletionRequest, None, |writer| {
        writer.add(&node);
        connection_sets(writer, 11, &[5]);
    });
    stage.receive(upf_address(1), &request);
    let heard = stage.upfs[0].heard(MessageType::SessionSetDeletionResponse);
    assert_eq!(heard[0].cause(), Some(Cause::ACCEPTED));
    assert_eq!((stage.front_end.session_count(), stage.front_end.counts().lost), (1, 2));
}

/// TS 29.244 7.4.7.1: reports of a group, of a connection set, or of those at an address go to another SMF.
#[test]
fn clause_7_4_7_1_reports_of_a_set_go_to_another_smf() {
    for select in 0..3 {
        let (mut stage, smf, here) = marked();
        let request = smf.request(MessageType::SessionSetModificationRequest, None, |writer| {
            writer.add(&smf.node());
            writer.nested(ElementType::SessionChangeInfo, |writer| {
                match select {
                    0 => connection_sets(writer, 101, &[1]),
                    1 => drop(writer.element(ElementType::GroupId, |out| out.extend_from_slice(b"g"))),
                    // Version 4, in the second bit.
                    _ => drop(writer.element(ElementType::CpIpAddress, |out| {
                        out.extend_from_slice(&[2, 192, 0, 2, 101]);
                    })),
                }
                writer.add(&Element::AlternativeSmfAddress(OTHER.into()));
            });
        });
        let answer = stage.ask(&smf, &request);
        assert_eq!((answer.kind(), answer.cause()), {
            (MessageType::SessionSetModificationResponse, Some(Cause::ACCEPTED))
        });
        report(&mut stage);
        let asked = stage.requests(OTHER, MessageType::SessionReportRequest).remove(0);
        assert_eq!(asked.message().seid(), Some(0));
        assert_eq!(asked.f_seid(), Some(FSeid { seid: 1, addresses: smf.address.into() }));
        // The last session is marked with nothing.
        let to_upf = *stage.upfs[0].sessions.values().last().unwrap();
        let last = stage.upfs[0].report(to_upf, 1);
        stage.receive(upf_address(1), &last);
        let others = stage.requests(OTHER, MessageType::SessionReportRequest).len();
        assert_eq!(others, usize::from(select == 2));
        let other = Smf { address: OTHER, ..Smf::new(1) };
        assert_eq!(stage.ask(&other, &other.modify(here[0], |_| {})).cause(), Some(Cause::ACCEPTED));
    }
}
