//! What ends sessions, and what is no good PFCP.

use std::net::IpAddr;
use std::time::Duration;

use bytes::BytesMut;
use pinion_protocols::pfcp::{Cause, Element, ElementType, FTeid, MessageType, MessageWriter};
use testbeds::n4::{Machine as _, Smf, SmfConfig, State, Tunnel, Uplink, Violation, Wire, Wish};
use testbeds::packets::gtpu::Gtpu;

use super::common::{BEYOND, NOW, flawless, gnb, packet, pair, radio, session, smf_config, upf_config};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_restarted_smf_finds_its_sessions_only_where_it_kept_them() {
    for keep in [true, false] {
        let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
        let mut wire = Wire::perfect();
        let seid = session(&mut smf, &mut upf, &mut wire, &Wish::default());
        smf.restart(0xe900_0000, keep, NOW);
        wire.run(&mut [&mut smf, &mut upf], NOW);
        assert_eq!(upf.sessions().len(), usize::from(keep));
        assert_eq!(smf.associations()[&upf.socket()].retained, keep);
        assert_eq!(smf.session(seid).unwrap().state == State::Established, keep);
        assert_eq!(upf.restarts_seen(), 1);
        flawless(&smf, &upf);
    }
}

#[test]
fn a_restarted_upf_knows_nobody() {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let mut wire = Wire::perfect();
    let [lost, told] =
        [(); 2].map(|()| session(&mut smf, &mut upf, &mut wire, &Wish { ue: None, ..Wish::default() }));
    let tunnel = smf.session(lost).unwrap().uplink.unwrap();
    upf.kill();
    smf.heartbeat(upf.socket(), NOW);
    wire.run_until(&mut [&mut smf, &mut upf], NOW, 10 * SECOND, SECOND);
    assert_eq!(smf.associations()[&upf.socket()].silent, 1);

    upf.restart(0xe900_0000);
    smf.delete(lost, 10 * SECOND);
    wire.run(&mut [&mut smf, &mut upf], 10 * SECOND);
    let last = smf.session(lost).unwrap().causes.last().copied();
    assert_eq!(last, Some((MessageType::SessionDeletionResponse, Cause::SESSION_NOT_FOUND)));
    let refused = smf.establish(upf.socket(), &Wish::default(), 10 * SECOND);
    wire.run(&mut [&mut smf, &mut upf], 10 * SECOND);
    assert_eq!(smf.session(refused).unwrap().causes[0].1, Cause::NO_ASSOCIATION);
    assert_eq!(upf.counts().not_found, 1);

    let message = Gtpu::data(tunnel.teid, &packet([10, 60, 0, 1].into(), BEYOND)).bytes();
    let Uplink::Answer(answer) = upf.uplink(radio(), &message, NOW) else { panic!("no Error Indication") };
    assert_eq!(answer.bytes, Gtpu::error_indication(tunnel.teid, tunnel.address.octets()).bytes());

    smf.heartbeat(upf.socket(), 10 * SECOND);
    wire.run(&mut [&mut smf, &mut upf], 10 * SECOND);
    assert_eq!(smf.session(told).unwrap().state, State::Lost);
    flawless(&smf, &upf);
}

#[test]
fn an_association_ends_by_grace() {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let mut wire = Wire::perfect();
    session(&mut smf, &mut upf, &mut wire, &Wish::default());
    upf.report_path_failure([203, 0, 113, 1].into(), NOW);
    upf.heartbeat(NOW);
    upf.release_gracefully(5, NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    let association = &smf.associations()[&upf.socket()];
    assert_eq!((association.asked_release, association.node_reports), (true, 1));
    smf.release(upf.socket(), NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    assert_eq!((upf.sessions().len(), upf.peers().count(), smf.associations().len()), (0, 0, 0));
    // The other side may begin too.
    upf.associate(smf.socket(), NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    session(&mut smf, &mut upf, &mut wire, &Wish::default());
    smf.delete_set(upf.socket(), NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    assert!(upf.sessions().is_empty());
    flawless(&smf, &upf);
}

#[test]
fn an_upf_gives_sessions_up_and_says_so() {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let mut wire = Wire::perfect();
    let seid = session(&mut smf, &mut upf, &mut wire, &Wish { urr: true, ..Wish::default() });
    upf.give_up(smf.session(seid).unwrap().up.unwrap().seid, NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    assert_eq!((smf.session(seid).unwrap().state, upf.sessions().len()), (State::Lost, 0));
    flawless(&smf, &upf);
}

#[test]
fn a_tunnel_that_an_smf_chose_is_taken_or_refused() {
    let uplink = Some(Tunnel { teid: 0x77, address: [198, 51, 100, 9].into() });
    let wish = Wish { uplink, ..Wish::default() };
    for takes_teids in [true, false] {
        let mut config = upf_config(9);
        config.takes_teids = takes_teids;
        let (mut smf, mut upf) = pair(smf_config(1), config);
        let [first, second] = [(); 2].map(|()| smf.establish(upf.socket(), &wish, NOW));
        Wire::perfect().run(&mut [&mut smf, &mut upf], NOW);
        let cause = |seid| smf.session(seid).unwrap().causes[0].1;
        let taken = if takes_teids { Cause::ACCEPTED } else { Cause::INVALID_F_TEID_ALLOCATION };
        // A tunnel has one owner.
        assert_eq!((cause(first), cause(second)), (taken, Cause::INVALID_F_TEID_ALLOCATION));
        flawless(&smf, &upf);
    }
}

#[test]
fn upfs_give_the_same_teids_where_they_are_told_to() {
    let teids = [8, 9].map(|number| {
        let mut config = upf_config(number);
        config.teids = (0x1000, 0x10);
        let (mut smf, mut upf) = pair(smf_config(1), config);
        let wish = Wish { ue: None, ..Wish::default() };
        [(); 3].map(|()| {
            let seid = session(&mut smf, &mut upf, &mut Wire::perfect(), &wish);
            smf.session(seid).unwrap().uplink.unwrap().teid
        })
    });
    assert_eq!(teids, [[0x1000, 0x1010, 0x1020]; 2]);
}

/// What an UPF gave to a session that it then refuses is there for the next.
#[test]
fn a_refusal_keeps_nothing() {
    let mut config = upf_config(9);
    config.pool = None;
    let (mut smf, mut upf) = pair(smf_config(1), config);
    let refused = smf.establish(upf.socket(), &Wish { ue: None, ..Wish::default() }, NOW);
    let uplink = Some(Tunnel { teid: 1, address: [198, 51, 100, 9].into() });
    let taken = smf.establish(upf.socket(), &Wish { uplink, ..Wish::default() }, NOW);
    Wire::perfect().run(&mut [&mut smf, &mut upf], NOW);
    let cause = |seid| smf.session(seid).unwrap().causes[0].1;
    assert_eq!((cause(refused), cause(taken)), (Cause::ALL_DYNAMIC_ADDRESSES_OCCUPIED, Cause::ACCEPTED));
    flawless(&smf, &upf);
}

#[test]
fn what_a_session_had_is_free_after_it() {
    let mut config = upf_config(9);
    config.pool = Some(([10, 9, 0, 1].into(), 1));
    let (mut smf, mut upf) = pair(smf_config(1), config);
    let uplink = Some(Tunnel { teid: 0x77, address: [198, 51, 100, 9].into() });
    for _ in 0..3 {
        let seid =
            session(&mut smf, &mut upf, &mut Wire::perfect(), &Wish { ue: None, uplink, ..Wish::default() });
        smf.delete(seid, NOW);
        Wire::perfect().run(&mut [&mut smf, &mut upf], NOW);
    }
    flawless(&smf, &upf);
}

#[test]
fn an_association_set_up_anew_has_no_sessions() {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let mut wire = Wire::perfect();
    let seid = session(&mut smf, &mut upf, &mut wire, &Wish::default());
    smf.associate(upf.socket(), NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    assert_eq!((smf.session(seid).unwrap().state, upf.sessions().len()), (State::Lost, 0));
    flawless(&smf, &upf);
}

#[test]
fn another_users_packets_do_not_pass() {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let seid = session(&mut smf, &mut upf, &mut Wire::perfect(), &Wish::default());
    let teid = smf.session(seid).unwrap().uplink.unwrap().teid;
    let message = Gtpu::data(teid, &packet([10, 60, 0, 99].into(), BEYOND)).bytes();
    assert_eq!(upf.uplink(radio(), &message, NOW), Uplink::Nothing);
    assert_eq!(upf.foreign().get(&teid), Some(&1));
}

#[test]
fn a_gnb_that_disowns_a_tunnel_is_reported() {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let mut wire = Wire::perfect();
    let seid = session(&mut smf, &mut upf, &mut wire, &Wish::default());
    let Tunnel { teid, address } = gnb(seid as u32);
    upf.uplink(radio(), &Gtpu::error_indication(teid, address.octets()).bytes(), NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    assert_eq!(smf.session(seid).unwrap().reports.error, 1);
    flawless(&smf, &upf);
}

/// What stands between them might do any of this.
#[test]
fn violations_are_seen() {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let mut wire = Wire::perfect().logged();
    let seid = session(&mut smf, &mut upf, &mut wire, &Wish::default());
    let from = upf.socket();
    let answer = wire.log().iter().rfind(|datagram| datagram.from == from).unwrap().clone();
    let (kind, sequence) = (MessageType::SessionModificationResponse, sequence_of(&answer.bytes));

    // The same again is none, another is; from elsewhere it answers nothing.
    smf.receive(from, &answer.bytes, NOW);
    assert_eq!((smf.violations(), smf.counts().doubled), (&[][..], 1));
    let mut other = answer.bytes.clone();
    *other.last_mut().unwrap() = 64;
    smf.receive(from, &other, NOW);
    let elsewhere = "192.0.2.77:8805".parse().unwrap();
    smf.receive(elsewhere, &answer.bytes, NOW);
    smf.receive(from, b"\x40", NOW);
    // A report about a session that never was.
    smf.receive(from, &message(MessageType::SessionReportRequest, 0xdead, 1), NOW);
    // A response while the request waits elsewhere, of a wrong type, with a wrong SEID.
    smf.deactivate(seid, NOW);
    let asked = smf.take().pop().unwrap();
    let waits = sequence_of(&asked.bytes);
    smf.receive(elsewhere, &message(kind, seid, waits), NOW);
    smf.receive(from, &message(MessageType::SessionDeletionResponse, seid, waits), NOW);
    smf.receive(from, &message(kind, 0xbeef, waits), NOW);
    let seen = smf.violations();
    assert_eq!(seen[0], Violation::Differing { from, kind, sequence });
    assert_eq!(seen[1], Violation::Unasked { from: elsewhere, kind, sequence });
    assert!(matches!(seen[2], Violation::Undecodable { .. }));
    let report = MessageType::SessionReportRequest;
    assert_eq!(seen[3], Violation::WrongSeid { from, kind: report, seid: 0xdead });
    assert_eq!(seen[4], Violation::Elsewhere { from: elsewhere, asked: from, kind });
    let asked = MessageType::SessionModificationRequest;
    let wrong = MessageType::SessionDeletionResponse;
    assert_eq!(seen[5], Violation::Mistaken { from, asked, kind: wrong });
    assert_eq!(seen[6], Violation::WrongSeid { from, kind, seid: 0xbeef });
    assert_eq!(seen.len(), 7);

    // An UPF's view: a SEID that it never gave, a number that means two requests, an F-SEID given twice.
    let from = smf.socket();
    let deletion = MessageType::SessionDeletionRequest;
    upf.receive(from, &message(deletion, 0xdead, 0x77), NOW);
    upf.receive(from, &message(deletion, 0xdead, 0x77), NOW);
    upf.receive(from, &message(MessageType::SessionModificationRequest, 1, 0x77), NOW);
    let mut twin = Smf::new(SmfConfig { seed: 2, ..smf_config(1) });
    twin.associate(upf.socket(), NOW);
    twin.establish(upf.socket(), &Wish::default(), NOW);
    let established = twin.take().pop().unwrap();
    upf.receive(from, &established.bytes, NOW);
    // Somebody wrote another TEID into the session that is now there.
    upf.receive(from, &renamed(2, 0x99, 0xdead), NOW);
    let kind = MessageType::SessionModificationRequest;
    let expected = [
        Violation::WrongSeid { from, kind: deletion, seid: 0xdead },
        Violation::SequenceReused { from, kind, sequence: 0x77 },
        Violation::SeidReused { from, seid: 1 },
        Violation::WrongRule { from, kind, element: ElementType::FTeid, rule: 1 },
    ];
    assert_eq!((upf.violations(), upf.counts().repeated), (&expected[..], 1));
}

fn message(kind: MessageType, seid: u64, sequence: u32) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, Some(seid), sequence);
    writer.add(&Element::Cause(Cause::ACCEPTED));
    writer.finish().unwrap();
    out.to_vec()
}

/// An update of rule 1 that has the UPF's tunnel be `teid`.
fn renamed(seid: u64, sequence: u32, teid: u32) -> Vec<u8> {
    let mut out = BytesMut::new();
    let kind = MessageType::SessionModificationRequest;
    let mut writer = MessageWriter::new(&mut out, kind, Some(seid), sequence);
    let addresses = IpAddr::from([198, 51, 100, 9]).into();
    writer.nested(ElementType::UpdatePdr, |writer| {
        writer.add(&Element::PdrId(1));
        writer.nested(ElementType::Pdi, |writer| {
            writer.add(&Element::SourceInterface(0)).add(&Element::FTeid(FTeid::Given { teid, addresses }));
        });
    });
    writer.finish().unwrap();
    out.to_vec()
}

fn sequence_of(message: &[u8]) -> u32 {
    u32::from_be_bytes([0, message[12], message[13], message[14]])
}
