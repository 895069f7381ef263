//! Tunnels: what UPFs choose (TS 29.244 5.5), what clients are told instead, and where that leads.

use std::net::IpAddr;

use pinion_protocols::pfcp::{Addresses, Cause, Element, ElementType, FTeid, MessageType};

use crate::smf::{CHOOSE, Smf, create_far, create_pdr, forward, header, pdr, remove_pdr};
use crate::stage::{Said, Stage, n3, n3_here, name, settings};

/// An F-TEID of the UPF's own.
fn theirs(number: u8, teid: u32) -> FTeid {
    FTeid::Given { teid, addresses: Addresses { v4: Some(n3(number).0), v6: None } }
}

fn is_here(tunnel: FTeid) -> bool {
    matches!(tunnel, FTeid::Given { addresses: Addresses { v4: Some(v4), v6: None }, .. } if v4 == n3_here().0)
}

/// A session of one PDR: its SEID here, and the F-TEID that its SMF was told.
fn made(stage: &mut Stage, smf: &mut Smf, seid: u64) -> (u64, FTeid) {
    smf.sequence += 1;
    let answer = stage.ask(smf, &smf.simple(seid));
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    (answer.f_seid().unwrap().seid, answer.tunnels()[0])
}

/// What the UPFs heard of a modification last.
fn modification(stage: &Stage, upf: usize) -> Said {
    let heard = stage.upfs[upf].heard(MessageType::SessionModificationRequest);
    (*heard.last().unwrap()).clone()
}

/// TS 29.244 5.5.1: two UPFs may choose one TEID; clients of the one address are told two.
#[test]
fn clause_5_5_1_colliding_teids_are_translated() {
    let (mut stage, mut smf) = Stage::set_up(settings(3));
    for upf in &mut stage.upfs {
        upf.next_teid = 0xbeef;
    }
    let told: Vec<_> = (1..=3).map(|seid| made(&mut stage, &mut smf, seid).1).collect();
    assert!(told.iter().all(|tunnel| is_here(*tunnel)));
    let leads: Vec<_> = told.iter().flat_map(|tunnel| stage.leads(*tunnel)).collect();
    assert_eq!(leads, [1, 2, 3].map(|number| (name(number), 0xbeef)));
    assert_eq!(stage.pins.len(), 3);
}

/// TS 29.244 7.5.4.2: an Update PDR names the F-TEID that the SMF was told; the UPF hears the one that it chose.
#[test]
fn clause_7_5_4_2_an_update_is_translated_back() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    for upf in &mut stage.upfs {
        upf.next_teid = 0xbeef;
    }
    made(&mut stage, &mut smf, 1);
    let (here, told) = made(&mut stage, &mut smf, 2);
    assert_ne!(told, theirs(2, 0xbeef));
    smf.sequence += 1;
    let update = smf.modify(here, |writer| pdr(writer, ElementType::UpdatePdr, 1, Some(told)));
    assert_eq!(stage.ask(&smf, &update).cause(), Some(Cause::ACCEPTED));
    assert_eq!(modification(&stage, 1).tunnels(), [theirs(2, 0xbeef)]);
    assert_eq!(stage.leads(told), [(name(2), 0xbeef)]);
}

/// TS 29.244 7.5.3.5: traffic endpoints have F-TEIDs too.
#[test]
fn clause_7_5_3_5_created_traffic_endpoints() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    smf.sequence += 1;
    let request = smf.establish(1, |writer| {
        writer.nested(ElementType::CreateTrafficEndpoint, |writer| {
            writer.add(&Element::TrafficEndpointId(4)).add(&Element::FTeid(CHOOSE));
        });
    });
    let answer = stage.ask(&smf, &request);
    let told = answer.tunnels()[0];
    assert!(is_here(told));
    assert_eq!(stage.leads(told), [(name(1), 0x100)]);
    smf.sequence += 1;
    let remove = smf.modify(answer.f_seid().unwrap().seid, |writer| {
        writer.nested(ElementType::RemoveTrafficEndpoint, |writer| {
            writer.add(&Element::TrafficEndpointId(4));
        });
    });
    stage.ask(&smf, &remove);
    assert!(stage.pins.is_empty());
}

/// TS 29.244 5.24.2, 7.5.3.2: a PDR has a second F-TEID for redundant transmission, which is a tunnel of its own.
#[test]
fn clause_5_24_2_redundant_transmission() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    smf.sequence += 1;
    let request = smf.establish(1, |writer| {
        writer.nested(ElementType::CreatePdr, |writer| {
            writer.add(&Element::PdrId(1));
            writer.nested(ElementType::Pdi, |writer| {
                writer.add(&Element::SourceInterface(0)).add(&Element::FTeid(CHOOSE));
                writer.nested(ElementType::RedundantTransmissionDetectionParameters, |writer| {
                    writer.add(&Element::FTeid(CHOOSE));
                });
            });
        });
    });
    let answer = stage.ask(&smf, &request);
    let told = answer.tunnels();
    assert_eq!(told.len(), 2);
    assert_ne!(told[0], told[1]);
    assert_eq!(stage.leads(told[0]), [(name(1), 0x100)]);
    assert_eq!(stage.leads(told[1]), [(name(1), 0x101)]);
    smf.sequence += 1;
    stage.ask(&smf, &smf.modify(answer.f_seid().unwrap().seid, |writer| remove_pdr(writer, 1)));
    assert!(stage.pins.is_empty());
}

/// TS 29.244 8.2.3: PDRs of one CHOOSE ID share an F-TEID; it lasts as long as one of them.
#[test]
fn clause_8_2_3_a_shared_f_teid_ends_with_its_last_rule() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    smf.sequence += 1;
    let shared = FTeid::Choose { v4: true, v6: false, id: Some(9) };
    let request = smf.establish(1, |writer| {
        create_pdr(writer, 1, Some(shared));
        create_pdr(writer, 2, Some(shared));
    });
    let answer = stage.ask(&smf, &request);
    let here = answer.f_seid().unwrap().seid;
    let told = answer.tunnels();
    assert_eq!((told.len(), told[0]), (2, told[1]));
    assert_eq!(stage.pins.len(), 1);
    for (rule, left) in [(1, 1), (2, 0)] {
        smf.sequence += 1;
        stage.ask(&smf, &smf.modify(here, |writer| remove_pdr(writer, rule)));
        assert_eq!(stage.leads(told[0]).len(), left);
    }
}

/// TS 29.244 8.2.3: an F-TEID may have an address of each family; both are the front end's, and both lead to it.
#[test]
fn clause_8_2_3_f_teids_of_both_families() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    for upf in &mut stage.upfs {
        upf.next_teid = 0xbeef;
    }
    let both = FTeid::Choose { v4: true, v6: true, id: None };
    let mut ends = Vec::new();
    for (seid, number) in [(1, 1), (2, 2)] {
        smf.sequence += 1;
        let answer = stage.ask(&smf, &smf.establish(seid, |writer| create_pdr(writer, 1, Some(both))));
        let told = answer.tunnels()[0];
        let FTeid::Given { addresses, .. } = told else { panic!("{told:?}") };
        assert_eq!(addresses, Addresses { v4: Some(n3_here().0), v6: Some(n3_here().1) });
        assert_eq!(stage.leads(told), [(name(number), 0xbeef), (name(number), 0xbeef)]);
        ends.push((answer.f_seid().unwrap().seid, told));
    }
    assert_eq!(stage.pins.len(), 4);
    smf.sequence += 1;
    let (here, told) = ends[1];
    stage.ask(&smf, &smf.modify(here, |writer| pdr(writer, ElementType::UpdatePdr, 1, Some(told))));
    let addresses = Addresses { v4: Some(n3(2).0), v6: Some(n3(2).1) };
    assert_eq!(modification(&stage, 1).tunnels(), [FTeid::Given { teid: 0xbeef, addresses }]);
    smf.sequence += 1;
    stage.ask(&smf, &smf.delete(here));
    assert_eq!(stage.pins.len(), 2);
}

/// TS 29.244 8.2.56: an outer header names the peer's tunnel; it is the peer's also where it has a TEID of ours.
#[test]
fn clause_8_2_56_outer_headers_are_the_peers() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let (here, told) = made(&mut stage, &mut smf, 1);
    let FTeid::Given { teid, .. } = told else { panic!("{told:?}") };
    smf.sequence += 1;
    let request = smf.modify(here, |writer| {
        forward(writer, header(teid, IpAddr::from([192, 0, 2, 200]).into()));
        create_far(writer, 2);
    });
    stage.ask(&smf, &request);
    // Byte for byte, but for who speaks to whom.
    assert_eq!(modification(&stage, 0).message().body(), Said(request.into()).message().body());
}

/// TS 29.244 5.2.1, N9: a peer's tunnel that is that of another UPF here is named as that UPF knows it.
#[test]
fn clause_8_2_56_between_two_upfs_it_goes_direct() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    for upf in &mut stage.upfs {
        upf.next_teid = 0xbeef;
    }
    let (first, _) = made(&mut stage, &mut smf, 1);
    let (_, told) = made(&mut stage, &mut smf, 2);
    let FTeid::Given { teid, .. } = told else { panic!("{told:?}") };
    assert_ne!(teid, 0xbeef);
    smf.sequence += 1;
    stage.ask(&smf, &smf.modify(first, |writer| forward(writer, header(teid, IpAddr::V4(n3_here().0).into()))));
    let wanted = smf.modify(first, |writer| forward(writer, header(0xbeef, IpAddr::V4(n3(2).0).into())));
    assert_eq!(modification(&stage, 0).message().body(), Said(wanted.into()).message().body());
}

/// TS 29.244 5.5.1: with FTUP the UPF chooses; an SMF that does is refused with the cause for that.
#[test]
fn clause_5_5_1_teids_of_the_smf_are_refused() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    smf.sequence += 1;
    let own = FTeid::Given { teid: 5, addresses: IpAddr::V4(n3_here().0).into() };
    let answer = stage.ask(&smf, &smf.establish(1, |writer| create_pdr(writer, 1, Some(own))));
    assert_eq!(answer.cause(), Some(Cause::INVALID_F_TEID_ALLOCATION));
    assert_eq!(answer.message().seid(), Some(1));
    assert_eq!((stage.front_end.session_count(), stage.sessions_at_upfs()), (0, 0));
}

/// TS 29.244 5.5.1: or it is accepted, where that is wanted; each TEID once.
#[test]
fn clause_5_5_1_teids_of_the_smf_by_option() {
    let (mut stage, mut smf) = Stage::set_up(pinion_n4::Settings { smf_teids: true, ..settings(2) });
    let own = FTeid::Given { teid: 5, addresses: IpAddr::V4(n3_here().0).into() };
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.establish(1, |writer| create_pdr(writer, 1, Some(own))));
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0];
    assert_eq!(asked.tunnels(), [theirs(1, 5)]);
    assert_eq!(stage.leads(own), [(name(1), 5)]);
    smf.sequence += 1;
    let second = stage.ask(&smf, &smf.establish(2, |writer| create_pdr(writer, 1, Some(own))));
    assert_eq!(second.cause(), Some(Cause::INVALID_F_TEID_ALLOCATION));
    assert_eq!(stage.leads(own), [(name(1), 5)]);
    smf.sequence += 1;
    stage.ask(&smf, &smf.delete(answer.f_seid().unwrap().seid));
    assert!(stage.pins.is_empty());
}

/// A modification that adds a rule: its tunnel is learnt from the response.
#[test]
fn clause_7_5_5_1_a_modification_tells_of_tunnels() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let (here, first) = made(&mut stage, &mut smf, 1);
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.modify(here, |writer| create_pdr(writer, 2, Some(CHOOSE))));
    let second = answer.tunnels()[0];
    assert_ne!(first, second);
    assert_eq!(stage.leads(second), [(name(1), 0x101)]);
    let view = stage.sessions().remove(0);
    let known: Vec<_> = view.tunnels.iter().map(|tunnel| tunnel.upf_teid).collect();
    assert_eq!(known, [0x100, 0x101]);
}

/// TS 29.244 5.5.1: a tunnel at an address that no service stands for is told as it is.
#[test]
fn a_tunnel_behind_no_service_is_the_upfs_own() {
    let (mut stage, mut smf) = Stage::set_up(pinion_n4::Settings { user_plane: Vec::new(), ..settings(1) });
    let (_, told) = made(&mut stage, &mut smf, 1);
    assert_eq!(told, theirs(1, 0x100));
    assert!(stage.pins.is_empty());
}
