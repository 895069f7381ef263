//! PGWs as endpoints: behind an SGW's S5/S8, and behind an ePDG's S2b.

use std::net::IpAddr;

use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType};

use crate::mme::imsi;
use crate::stage::{HERE, RECOVERY, Said, Stage, message, tunnel};

const SGW: u8 = 6;
const EPDG: u8 = 30;

/// Asks for the same user's bearer 5: whoever was asked, and what.
fn create(stage: &mut Stage, client: u8, teid: u32, from: IpAddr) -> (IpAddr, Said) {
    let request = message(MessageType::CreateSessionRequest, Some(0), teid, |writer| {
        writer.element(ElementType::Imsi, |out| out.extend_from_slice(&imsi(4)));
        writer.add(&tunnel(client, teid, from));
        writer.nested(ElementType::BearerContext, |writer| {
            writer.add(&Element::EpsBearerId(5));
            writer.add_instance(&tunnel(4, 0x78, from), 2);
        });
        writer.add(&Element::Recovery(9));
    });
    stage.receive(from, &request);
    let (to, asked) = stage.inbox.pop().unwrap();
    (to.ip(), asked)
}

/// The PGW accepts: what the client is told.
fn accept(stage: &mut Stage, (to, asked): &(IpAddr, Said), end: u8, teid: u32, from: IpAddr) -> Said {
    let ours = asked.tunnel(0).unwrap().teid;
    let answer = message(MessageType::CreateSessionResponse, Some(ours), asked.sequence(), |writer| {
        writer.add(&Element::Cause(Cause::Accepted, 0));
        writer.add_instance(&tunnel(end, teid, *to), 1);
        writer.nested(ElementType::BearerContext, |writer| {
            writer.add(&Element::EpsBearerId(5));
            writer.add_instance(&tunnel(5, 0x9a, *to), 2);
        });
    });
    stage.receive(*to, &answer);
    stage.sent_to(from).remove(0)
}

/// PGWs that answer by hand alone, and an SGW and an ePDG.
fn stage() -> (Stage, IpAddr, IpAddr) {
    let mut stage = Stage::new(2);
    stage.sgws.iter_mut().for_each(|it| it.silent = true);
    let (sgw, epdg) = (stage.mmes[0].address, stage.mmes[1].address);
    (stage, sgw, epdg)
}

/// S5/S8: a PGW's end is the second instance (TS 29.274 7.2.2), and each connection has a tunnel.
#[test]
fn pgws_are_behind_s5_alike() {
    let (mut stage, sgw, _) = stage();
    let asked = create(&mut stage, SGW, 0x77, sgw);
    let ours = asked.1.tunnel(0).unwrap();
    assert_eq!((ours.interface, ours.addresses, asked.1.teid()), (6, HERE.into(), Some(0)));
    assert_eq!(asked.1.value(ElementType::Recovery, 0), Some(vec![RECOVERY]));
    assert!(asked.1.value(ElementType::BearerContext, 0).unwrap().ends_with(&[0, 0, 0, 0x78, 198, 51, 100, 1]));
    let answer = accept(&mut stage, &asked, 7, 0x99, sgw);
    assert_eq!((answer.teid(), answer.sequence(), answer.cause()), (Some(0x77), 0x77, Some(Cause::Accepted)));
    let end = answer.tunnel(1).unwrap();
    assert_eq!((end.interface, end.addresses), (7, HERE.into()));
    assert_eq!(stage.sessions()[0].client_teid, end.teid);
}

/// TS 29.274 7.2.1: a PGW tells connections by user, bearer and interface; an ePDG numbers bearers itself.
#[test]
fn a_user_on_wifi_keeps_the_connection_over_lte() {
    let (mut stage, sgw, epdg) = stage();
    let over_lte = create(&mut stage, SGW, 0x77, sgw);
    accept(&mut stage, &over_lte, 7, 0x99, sgw);
    let on_wifi = create(&mut stage, EPDG, 0x88, epdg);
    // The PGW that has the user is asked: it may be a handover.
    assert_eq!(on_wifi.0, over_lte.0);
    accept(&mut stage, &on_wifi, 32, 0xaa, epdg);
    let clients = |stage: &Stage| stage.sessions().iter().map(|it| it.client.1).collect::<Vec<_>>();
    assert_eq!(clients(&stage), [0x77, 0x88]);
    // Made anew by the ePDG, only its own of before ends.
    let again = create(&mut stage, EPDG, 0x89, epdg);
    accept(&mut stage, &again, 32, 0xab, epdg);
    assert_eq!(clients(&stage), [0x77, 0x89]);
    // And when the ePDG begins anew the PGW is told, though the user has that bearer over LTE.
    stage.mmes[1].recovery = 10;
    stage.inbox.clear();
    let echo = message(MessageType::EchoRequest, None, 5, |writer| {
        writer.add(&Element::Recovery(10));
    });
    stage.receive(epdg, &echo);
    assert_eq!(clients(&stage), [0x77]);
    let told: Vec<_> = stage.sent_to(over_lte.0).iter().map(|it| (it.kind(), it.teid())).collect();
    assert_eq!(told, [(MessageType::DeleteSessionRequest, Some(0xab))]);
}
