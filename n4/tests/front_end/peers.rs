//! Clients' ends of tunnels: their Error Indications (TS 29.281 7.3.1) are for the UPF that sends there.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pinion_n4::{FrontEnd, Settings};
use pinion_protocols::pfcp::Cause;

use crate::smf::{CHOOSE, Smf, create_far, create_pdr, forward, header};
use crate::stage::{HEARTBEAT, N1, Stage, T1, n3_here, name, settings};
use crate::upf::Mood;

/// Two gNBs' addresses.
const GNBS: [[u8; 4]; 2] = [[192, 0, 2, 200], [192, 0, 2, 201]];

type Led = Vec<((IpAddr, u32), Arc<str>)>;

fn led(stage: &Stage) -> Led {
    stage.leads.iter().map(|(end, endpoint)| (*end, Arc::clone(endpoint))).collect()
}

fn to(gnb: [u8; 4], teid: u32, upf: u8) -> Led {
    vec![((gnb.into(), teid), name(upf))]
}

/// A session whose downlink goes to a gNB; its SEID here.
fn made(stage: &mut Stage, smf: &mut Smf) -> u64 {
    smf.sequence += 1;
    let request = smf.establish(1, |writer| {
        create_pdr(writer, 1, Some(CHOOSE));
        create_far(writer, 1);
    });
    let here = stage.ask(smf, &request).f_seid().unwrap().seid;
    assert_eq!(led(stage), []);
    hand_over(stage, smf, here, GNBS[0], 7);
    here
}

fn hand_over(stage: &mut Stage, smf: &mut Smf, here: u64, gnb: [u8; 4], teid: u32) {
    smf.sequence += 1;
    let request = smf.modify(here, |writer| forward(writer, header(teid, IpAddr::from(gnb).into())));
    assert_eq!(stage.ask(smf, &request).cause(), Some(Cause::ACCEPTED));
}

#[test]
fn an_end_leads_to_the_upf_that_sends_there_as_long_as_it_does() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    let here = made(&mut stage, &mut smf);
    assert_eq!(led(&stage), to(GNBS[0], 7, 1));
    hand_over(&mut stage, &mut smf, here, GNBS[1], 8);
    assert_eq!(led(&stage), to(GNBS[1], 8, 1));
    // The next front end knows it too, and when it ends.
    stage.leads.clear();
    stage.front_end = FrontEnd::take_over(settings(2), stage.kept.clone(), 99).unwrap();
    stage.pass(Duration::ZERO);
    assert_eq!(led(&stage), to(GNBS[1], 8, 1));
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.delete(here)).cause(), Some(Cause::ACCEPTED));
    assert_eq!(led(&stage), []);
}

#[test]
fn an_end_leads_to_the_next_upf_where_that_is_made() {
    let (mut stage, mut smf) = Stage::set_up(Settings { restore: true, ..settings(2) });
    made(&mut stage, &mut smf);
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + T1 * N1);
    assert_eq!(stage.front_end.counts().restored, 1);
    assert_eq!(led(&stage), to(GNBS[0], 7, 2));
}

#[test]
fn what_is_refused_or_no_clients_leads_nowhere() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    let here = made(&mut stage, &mut smf);
    // A tunnel of the service's own, and one over a family that the session's clients do not use.
    let v6 = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 200]);
    for (address, teid) in [(n3_here().0.into(), 9), (v6, 9)] {
        smf.sequence += 1;
        stage.ask(&smf, &smf.modify(here, |writer| forward(writer, header(teid, address.into()))));
        assert_eq!(led(&stage), []);
    }
    hand_over(&mut stage, &mut smf, here, GNBS[0], 7);
    stage.upfs[0].mood = Mood::Says(Cause::NO_RESOURCES);
    smf.sequence += 1;
    let request = smf.modify(here, |writer| forward(writer, header(8, IpAddr::from(GNBS[1]).into())));
    assert_ne!(stage.ask(&smf, &request).cause(), Some(Cause::ACCEPTED));
    assert_eq!(led(&stage), to(GNBS[0], 7, 1));
}
