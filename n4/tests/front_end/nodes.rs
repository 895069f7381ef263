//! What concerns a node and not a session: features, load, reports of nodes, packet flow descriptions, release, reload.

use std::time::Duration;

use pinion_n4::{Bounds, Settings};
use pinion_protocols::pfcp::{Cause, Element, ElementType, MessageType, MessageWriter, NodeId};

use crate::loss::many;
use crate::smf::{EPFAR, LOAD, Smf};
use crate::stage::{HEARTBEAT, HERE, N1, Stage, T1, name, settings, upf, upf_address};
use crate::upf::Mood;

/// TS 29.244 8.2.25: an SMF is told what all UPFs can, of what does not end here; 6.5: bundles end here.
#[test]
fn clause_8_2_25_smfs_are_told_what_all_upfs_can() {
    let mut stage = Stage::new(settings(2));
    // FTUP, PFDM; EPFAR; SSET, UEIP, BUNDL; MPAS. And FTUP, HEEU; EPFAR; UEIP.
    stage.upfs[0].features = vec![0x30, 0x80, 0x4c, 0x01];
    stage.upfs[1].features = vec![0x50, 0x80, 0x04];
    stage.pass(Duration::ZERO);
    let smf = Smf::new(1);
    let answer = stage.ask(&smf, &smf.setup(7));
    assert_eq!(answer.value(ElementType::UpFunctionFeatures), Some(vec![0x10, 0x80, 0x44]));
}

/// TS 29.244 6.2.7: a change goes out, once, to those who were told otherwise.
#[test]
fn clause_6_2_7_smfs_hear_of_changes() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    stage.upfs[0].restart();
    stage.upfs[0].features = vec![0x10, 0, 0x40];
    stage.live(2 * HEARTBEAT);
    let updates = stage.requests(smf.address, MessageType::AssociationUpdateRequest);
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].value(ElementType::UpFunctionFeatures), Some(vec![0x10, 0, 0x40]));
    assert_eq!(updates[0].message().routing().unwrap().node, Some(NodeId::Address(HERE)));
    // The poorer UPF is gone: the others can more.
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + T1 * N1);
    let updates = stage.requests(smf.address, MessageType::AssociationUpdateRequest);
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].value(ElementType::UpFunctionFeatures), Some(vec![0x10, 0x80, 0x44]));
    many(&mut stage, &mut smf, 1);
}

/// TS 29.244 8.2.58: UPFs are told what all SMFs can, and what the front end does in their stead: LOAD, OVRL, BUNDL.
#[test]
fn clause_8_2_58_upfs_hear_of_changes() {
    let (mut stage, _) = Stage::set_up(settings(1));
    let told = |stage: &Stage| {
        let updates = stage.upfs[0].heard(MessageType::AssociationUpdateRequest);
        updates.iter().map(|said| said.value(ElementType::CpFunctionFeatures).unwrap()[0]).collect::<Vec<_>>()
    };
    let setup = stage.upfs[0].heard(MessageType::AssociationSetupRequest)[0];
    assert_eq!(setup.value(ElementType::CpFunctionFeatures), Some(vec![0b1_0011]));
    // The first SMF has EPFAR, the second has not.
    assert_eq!(told(&stage), [0b1_0111]);
    let mut other = Smf { features: LOAD, ..Smf::new(2) };
    stage.ask(&other, &other.setup(7));
    assert_eq!(told(&stage), [0b1_0111, 0b1_0011]);
    other.sequence += 1;
    let update = other.request(MessageType::AssociationUpdateRequest, None, |writer| {
        writer.add(&other.node());
        writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&[EPFAR]));
    });
    assert_eq!(stage.ask(&other, &update).cause(), Some(Cause::ACCEPTED));
    assert_eq!(told(&stage), [0b1_0111, 0b1_0011, 0b1_0111]);
}

pub(crate) fn says(writer: &mut MessageWriter<'_>, kind: ElementType, number: u32, metric: u8) {
    writer.nested(kind, |writer| {
        writer.add(&Element::SequenceNumber(number)).add(&Element::Metric(metric));
        if kind == ElementType::OverloadControlInformation {
            // Ten seconds: five times two.
            writer.add(&Element::Timer(5));
        }
    });
}

pub(crate) fn told(said: &crate::stage::Said, kind: ElementType) -> Option<(u32, u8)> {
    let group = said.message().elements().find(kind).unwrap()?.group().unwrap()?;
    let number = group.clone().find(ElementType::SequenceNumber).unwrap()?.parse().unwrap();
    let metric = group.clone().find(ElementType::Metric).unwrap()?.parse().unwrap();
    match (number, metric) {
        (Element::SequenceNumber(number), Element::Metric(metric)) => Some((number, metric)),
        _ => None,
    }
}

/// TS 29.244 6.2.3.3: SMFs are told the load of all UPFs together, with a number of the front end's, if they have LOAD.
#[test]
fn clause_6_2_3_load_is_told_of_all_together() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let mut other = Smf { features: 0, ..Smf::new(2) };
    stage.ask(&other, &other.setup(7));
    stage.upfs[0].adds = Some(|writer| says(writer, ElementType::LoadControlInformation, 900, 80));
    stage.upfs[1].adds = Some(|writer| says(writer, ElementType::LoadControlInformation, 4, 20));
    let load = ElementType::LoadControlInformation;
    smf.sequence += 1;
    let first = told(&stage.ask(&smf, &smf.simple(1)), load).unwrap();
    smf.sequence += 1;
    let second = told(&stage.ask(&smf, &smf.simple(2)), load).unwrap();
    assert_eq!((first.1, second.1), (40, 50));
    assert!(second.0 > first.0);
    smf.sequence += 1;
    // Nothing new: the number stays (6.2.3.3.2).
    assert_eq!(told(&stage.ask(&smf, &smf.simple(3)), load), Some(second));
    other.sequence += 1;
    assert_eq!(told(&stage.ask(&other, &other.simple(4)), load), None);
}

/// TS 29.244 6.2.4: an overloaded UPF is spared, by as much as it asks for, while the period lasts.
#[test]
fn clause_6_2_4_an_overloaded_upf_is_spared() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    stage.upfs[0].adds = Some(|writer| says(writer, ElementType::OverloadControlInformation, 1, 100));
    many(&mut stage, &mut smf, 1);
    assert_eq!(stage.upfs[0].sessions.len(), 1);
    many(&mut stage, &mut smf, 5);
    assert_eq!((stage.upfs[0].sessions.len(), stage.upfs[1].sessions.len()), (1, 5));
    stage.upfs[0].adds = None;
    stage.live(Duration::from_secs(10));
    many(&mut stage, &mut smf, 4);
    assert_eq!((stage.upfs[0].sessions.len(), stage.upfs[1].sessions.len()), (3, 7));
}

/// TS 29.244 6.2.4.3: SMFs are told of overload where every UPF is overloaded; while one is not, it takes what comes.
#[test]
fn clause_6_2_4_3_overload_of_all_is_told() {
    let overload = ElementType::OverloadControlInformation;
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    smf.features |= 2;
    smf.sequence += 1;
    stage.ask(&smf, &smf.setup_retaining(7));
    stage.upfs[0].adds = Some(|writer| says(writer, ElementType::OverloadControlInformation, 1, 100));
    smf.sequence += 1;
    assert_eq!(told(&stage.ask(&smf, &smf.simple(1)), overload), None);
    stage.upfs[1].adds = Some(|writer| says(writer, ElementType::OverloadControlInformation, 77, 30));
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.simple(2));
    let (number, metric) = told(&answer, overload).unwrap();
    // The least of both: what the one cannot take the other can.
    assert_eq!(metric, 30);
    let group = answer.message().elements().find(overload).unwrap().unwrap().group().unwrap().unwrap();
    let timer = group.clone().find(ElementType::Timer).unwrap().unwrap().parse().unwrap();
    assert_eq!(timer, Element::Timer(5));
    stage.upfs[1].adds = Some(|writer| says(writer, ElementType::OverloadControlInformation, 78, 10));
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.modify(answer.f_seid().unwrap().seid, |_| {}));
    let (next, metric) = told(&answer, overload).unwrap();
    assert_eq!(metric, 10);
    assert!(next > number);
}

/// TS 29.244 6.2.10: what a UPF reports of its node is for the SMFs that have sessions there, and for no other.
#[test]
fn clause_6_2_10_node_reports_reach_those_concerned() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let mut other = Smf::new(2);
    let idle = Smf::new(3);
    stage.ask(&other, &other.setup(7));
    stage.ask(&idle, &idle.setup(7));
    many(&mut stage, &mut smf, 1);
    many(&mut stage, &mut other, 1);
    let node = stage.upfs[1].node();
    let report = stage.upfs[1].request(MessageType::NodeReportRequest, None, |writer| {
        writer.add(&node).add(&Element::NodeReportType(1));
        writer.nested(ElementType::UserPlanePathFailureReport, |writer| {
            writer.element(ElementType::RemoteGtpUPeer, |out| out.extend_from_slice(&[2, 192, 0, 2, 200]));
        });
    });
    stage.receive(upf_address(2), &report);
    assert_eq!(stage.upfs[1].heard(MessageType::NodeReportResponse)[0].cause(), Some(Cause::ACCEPTED));
    let kind = MessageType::NodeReportRequest;
    let reports = stage.requests(other.address, kind);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].message().routing().unwrap().node, Some(NodeId::Address(HERE)));
    assert_eq!(reports[0].value(ElementType::NodeReportType), Some(vec![1]));
    assert!(reports[0].value(ElementType::UserPlanePathFailureReport).is_some());
    assert!(stage.requests(smf.address, kind).is_empty() && stage.requests(idle.address, kind).is_empty());
}

/// Packet flow descriptions of an application.
pub(crate) fn pfds(smf: &mut Smf, application: &[u8]) -> Vec<u8> {
    smf.sequence += 1;
    smf.request(MessageType::PfdManagementRequest, None, |writer| {
        writer.nested(ElementType::ApplicationIdPfds, |writer| {
            writer.element(ElementType::ApplicationId, |out| out.extend_from_slice(application));
        });
    })
}

pub(crate) fn bodies<'a>(said: impl IntoIterator<Item = &'a crate::stage::Said>) -> Vec<Vec<u8>> {
    said.into_iter().map(|said| said.message().body().to_vec()).collect()
}

/// TS 29.244 6.2.5: packet flow descriptions go to all UPFs, also to those that come later.
#[test]
fn clause_6_2_5_pfds_go_to_all_upfs() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let request = pfds(&mut smf, b"video");
    assert_eq!(stage.ask(&smf, &request).cause(), Some(Cause::ACCEPTED));
    let body = |upf: &crate::upf::ScriptedUpf| bodies(upf.heard(MessageType::PfdManagementRequest));
    let sent = bodies([&crate::stage::Said(request.into())]);
    assert_eq!((body(&stage.upfs[0]), body(&stage.upfs[1])), (sent.clone(), sent.clone()));
    stage.upfs.push(crate::upf::ScriptedUpf::new(3));
    stage.front_end.configure(settings(3));
    stage.live(HEARTBEAT);
    assert_eq!(body(&stage.upfs[2]), sent);
    // A stranger's are nobody's, whomever it says that it is.
    let stranger = Smf::new(9);
    for (sequence, node) in [(1, None), (2, Some(smf.node()))] {
        let request =
            Smf { sequence, ..stranger.clone() }.request(MessageType::PfdManagementRequest, None, |writer| {
                if let Some(node) = node {
                    writer.add(&node);
                }
            });
        assert_eq!(stage.ask(&stranger, &request).cause(), Some(Cause::NO_ASSOCIATION));
    }
}

/// TS 29.244 5.18, 6.2.7: a UPF that asks for its release gets no new sessions, keeps those it has, and is released when
/// the last one ends.
#[test]
fn clause_5_18_a_upf_asks_for_its_release() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let here = many(&mut stage, &mut smf, 2);
    let node = stage.upfs[0].node();
    let update = stage.upfs[0].request(MessageType::AssociationUpdateRequest, None, |writer| {
        writer.add(&node);
        writer.element(ElementType::AssociationReleaseReq, |out| out.extend_from_slice(&[1]));
        writer.add(&Element::GracefulReleasePeriod(0x25));
    });
    stage.receive(upf_address(1), &update);
    assert_eq!(stage.upfs[0].heard(MessageType::AssociationUpdateResponse)[0].cause(), Some(Cause::ACCEPTED));
    many(&mut stage, &mut smf, 3);
    assert_eq!((stage.upfs[0].sessions.len(), stage.upfs[1].sessions.len()), (1, 4));
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.modify(here[0], |_| {})).cause(), Some(Cause::ACCEPTED));
    stage.live(HEARTBEAT);
    assert!(stage.upfs[0].heard(MessageType::AssociationReleaseRequest).is_empty());
    smf.sequence += 1;
    stage.ask(&smf, &smf.delete(here[0]));
    stage.live(Duration::from_secs(1));
    assert_eq!(stage.upfs[0].heard(MessageType::AssociationReleaseRequest).len(), 1);
    assert_eq!(stage.events.last(), Some(&(name(1), false)));
}

/// TS 29.244 6.2.8: a UPF that releases is gone, and its sessions are.
#[test]
fn clause_6_2_8_a_upf_releases() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    many(&mut stage, &mut smf, 2);
    let node = stage.upfs[0].node();
    let release = stage.upfs[0].request(MessageType::AssociationReleaseRequest, None, |writer| {
        writer.add(&node);
    });
    stage.upfs[0].sessions.clear();
    stage.receive(upf_address(1), &release);
    assert_eq!(stage.upfs[0].heard(MessageType::AssociationReleaseResponse)[0].cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.front_end.session_count(), 1);
    assert_eq!(stage.events.last(), Some(&(name(1), false)));
    many(&mut stage, &mut smf, 2);
    assert_eq!((stage.upfs[0].sessions.len(), stage.upfs[1].sessions.len()), (0, 3));
}

/// A UPF that is configured no more gets no new sessions, and keeps those that it has until they end.
#[test]
fn a_upf_that_is_configured_no_more_keeps_its_sessions() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let here = many(&mut stage, &mut smf, 2);
    let mut fewer = settings(2);
    fewer.upfs.remove(0);
    stage.front_end.configure(fewer);
    many(&mut stage, &mut smf, 2);
    assert_eq!((stage.upfs[0].sessions.len(), stage.upfs[1].sessions.len()), (1, 3));
    stage.live(2 * HEARTBEAT);
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.modify(here[0], |_| {})).cause(), Some(Cause::ACCEPTED));
    let pins = stage.pins.len();
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.delete(here[0])).cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.pins.len(), pins - 1);
    // Then its association ends, and its place is another's.
    stage.live(2 * HEARTBEAT);
    assert_eq!(stage.upfs[0].heard(MessageType::AssociationReleaseRequest).len(), 1);
    let mut others = settings(3);
    others.upfs.remove(0);
    stage.upfs.push(crate::upf::ScriptedUpf::new(3));
    stage.front_end.configure(others);
    stage.live(2 * HEARTBEAT);
    let names: Vec<_> = stage.front_end.upfs().map(|upf| (upf.name, upf.up)).collect();
    assert_eq!(names, [(name(3), true), (name(2), true)]);
}

/// A UPF that is drained likewise, and the other way round.
#[test]
fn a_drained_upf_gets_no_new_sessions() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let mut drained = settings(2);
    drained.upfs[1] = pinion_n4::Upf { drained: true, ..upf(2) };
    stage.front_end.configure(drained);
    many(&mut stage, &mut smf, 3);
    assert_eq!((stage.upfs[0].sessions.len(), stage.upfs[1].sessions.len()), (3, 0));
    stage.front_end.configure(settings(2));
    many(&mut stage, &mut smf, 2);
    assert_eq!(stage.upfs[1].sessions.len(), 1);
}

/// There are no more sessions than may be, and room is made by those that end.
#[test]
fn sessions_are_bounded() {
    let bounds = Bounds { sessions: 2, ..Bounds::default() };
    let (mut stage, mut smf) = Stage::set_up(Settings { bounds, ..settings(1) });
    let here = many(&mut stage, &mut smf, 2);
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.simple(3));
    assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::NO_RESOURCES), Some(3)));
    smf.sequence += 1;
    stage.ask(&smf, &smf.delete(here[0]));
    many(&mut stage, &mut smf, 1);
}

/// Nor more SMFs; one that released makes room.
#[test]
fn smfs_are_bounded() {
    let bounds = Bounds { smfs: 2, ..Bounds::default() };
    let (mut stage, mut smf) = Stage::set_up(Settings { bounds, ..settings(1) });
    let others = [Smf::new(2), Smf::new(3)];
    assert_eq!(stage.ask(&others[0], &others[0].setup(7)).cause(), Some(Cause::ACCEPTED));
    assert_eq!(stage.ask(&others[1], &others[1].setup(7)).cause(), Some(Cause::NO_RESOURCES));
    many(&mut stage, &mut smf, 1);
    smf.sequence += 1;
    stage.ask(&smf, &smf.release());
    let third = Smf { sequence: 2, ..others[1].clone() };
    assert_eq!(stage.ask(&third, &third.setup(7)).cause(), Some(Cause::ACCEPTED));
}

/// Nor more answers that are remembered: with room for one, and even for none, all goes on.
#[test]
fn answers_are_bounded() {
    for answers in [0, 1] {
        let bounds = Bounds { answers, ..Bounds::default() };
        let (mut stage, mut smf) = Stage::set_up(Settings { bounds, ..settings(1) });
        let first = smf.simple(1);
        let before = stage.ask(&smf, &first);
        assert_eq!(stage.ask(&smf, &first), before);
        smf.sequence += 1;
        stage.ask(&smf, &smf.simple(2));
        // Forgotten, and so a request like any other.
        assert_ne!(stage.ask(&smf, &first), before);
    }
}

/// TS 29.244 7.4: what only an SMF or only a UPF may ask for is refused from the other.
#[test]
fn clause_7_4_requests_in_the_wrong_direction_are_refused() {
    let (mut stage, smf) = Stage::set_up(settings(1));
    let request = smf.request(MessageType::NodeReportRequest, None, |_| {});
    let answer = stage.ask(&smf, &request);
    assert_eq!((answer.kind(), answer.cause()), {
        (MessageType::NodeReportResponse, Some(Cause::SERVICE_NOT_SUPPORTED))
    });
}
