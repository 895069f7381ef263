//! Which UPF gets a session, and that everything after goes to it.

use std::net::Ipv4Addr;

use pinion_n4::{Serves, Settings, Upf};
use pinion_protocols::pfcp::{Cause, Element, ElementType, MessageType, SNssai};

use crate::smf::{CHOOSE, create_far, create_pdr, user_pdr};
use crate::stage::{Stage, settings, upf, upf_address};

fn serving(serves: [Serves; 2]) -> Settings {
    let upfs = (1..).zip(serves).map(|(number, serves)| Upf { serves, ..upf(number) }).collect();
    Settings { upfs, ..settings(2) }
}

/// An SMF that has a pool of addresses for each UPF: the user's address says which one it is.
#[test]
fn the_users_address_says_which_upf() {
    let pool = |third| Serves { ue_addresses: vec![([10, 45, third, 0].into(), 24)], ..Serves::default() };
    let (mut stage, mut smf) = Stage::set_up(serving([pool(1), pool(2)]));
    for (seid, third, cause) in
        [(1, 2, Cause::ACCEPTED), (2, 2, Cause::ACCEPTED), (3, 1, Cause::ACCEPTED), (4, 3, Cause::NO_RESOURCES)]
    {
        smf.sequence += 1;
        let request = smf.establish(seid, |writer| user_pdr(writer, 1, Some(Ipv4Addr::new(10, 45, third, 9))));
        assert_eq!(stage.ask(&smf, &request).cause(), Some(cause));
    }
    assert_eq!((stage.upfs[0].sessions.len(), stage.upfs[1].sessions.len()), (1, 2));
}

/// TS 29.244 8.2.117, 8.2.4, 8.2.175: data network, network instance and slice.
#[test]
fn what_a_upf_serves_says_so_too() {
    let first = Serves {
        dnns: vec!["internet".into()],
        slices: vec![(1, None)],
        network_instances: vec!["access".into()],
        ..Serves::default()
    };
    let second = Serves { dnns: vec!["ims".into()], ..Serves::default() };
    let (mut stage, mut smf) = Stage::set_up(serving([first, second]));
    let mut ask = |dnn: &[u8], sst, network: &[u8]| {
        smf.sequence += 1;
        let request = smf.establish(u64::from(smf.sequence), |writer| {
            writer.add(&Element::Dnn(dnn)).add(&Element::SNssai(SNssai { sst, sd: [0xff; 3] }));
            writer.nested(ElementType::CreatePdr, |writer| {
                writer.add(&Element::PdrId(1));
                writer.nested(ElementType::Pdi, |writer| {
                    writer.add(&Element::NetworkInstance(network)).add(&Element::FTeid(CHOOSE));
                });
            });
        });
        let answer = stage.ask(&smf, &request);
        answer.cause().map(|cause| (cause, stage.upfs.iter().map(|upf| upf.sessions.len()).collect::<Vec<_>>()))
    };
    assert_eq!(ask(b"\x08internet", 1, b"access"), Some((Cause::ACCEPTED, vec![1, 0])));
    assert_eq!(ask(b"\x03ims", 1, b"core"), Some((Cause::ACCEPTED, vec![1, 1])));
    assert_eq!(ask(b"\x08internet", 2, b"access"), Some((Cause::NO_RESOURCES, vec![1, 1])));
    assert_eq!(ask(b"\x08internet", 1, b"core"), Some((Cause::NO_RESOURCES, vec![1, 1])));
}

/// TS 29.244 5.6.2, 8.2.37: SEIDs are each UPF's and each SMF's own; two may use the same.
#[test]
fn clause_8_2_37_two_upfs_may_use_one_seid() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    for upf in &mut stage.upfs {
        upf.next_seid = 0x42;
    }
    let mut here = Vec::new();
    for _ in 0..2 {
        smf.sequence += 1;
        here.push(stage.ask(&smf, &smf.simple(0x42)).f_seid().unwrap().seid);
    }
    assert_ne!(here[0], here[1]);
    for (upf, seid) in here.into_iter().enumerate() {
        smf.sequence += 1;
        assert_eq!(stage.ask(&smf, &smf.delete(seid)).cause(), Some(Cause::ACCEPTED));
        assert!(stage.upfs[upf].sessions.is_empty());
    }
}

/// 10,000 sessions over three UPFs: what is asked and reported of each stays on its UPF.
#[test]
fn ten_thousand_sessions_each_on_its_upf() {
    const COUNT: u32 = 10_000;
    let (mut stage, mut smf) = Stage::set_up(settings(3));
    for upf in &mut stage.upfs {
        (upf.next_seid, upf.next_teid) = (1, 1);
    }
    let mut here = Vec::new();
    for seid in 1..=u64::from(COUNT) {
        smf.sequence += 1;
        here.push(stage.ask(&smf, &smf.simple(seid)).f_seid().unwrap().seid);
    }
    assert_eq!(stage.pins.len(), COUNT as usize);
    let shares: Vec<_> = stage.upfs.iter().map(|upf| upf.sessions.len()).collect();
    assert_eq!(shares, [3_334, 3_333, 3_333]);
    for (at, seid) in here.iter().enumerate() {
        let upf = at % 3;
        stage.upfs[upf].heard.clear();
        smf.sequence += 1;
        let answer = stage.ask(&smf, &smf.modify(*seid, |writer| create_far(writer, 2)));
        assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::ACCEPTED), Some(at as u64 + 1)));
        let theirs = stage.upfs[upf].heard[0].message().seid().unwrap();
        let to_upf = stage.upfs[upf].sessions[&theirs];
        let report = stage.upfs[upf].report(to_upf, 2);
        stage.receive(upf_address(u8::try_from(upf).unwrap() + 1), &report);
        let reports = stage.requests(smf.address, MessageType::SessionReportRequest);
        assert_eq!(reports[0].message().seid(), Some(at as u64 + 1));
    }
    for seid in here {
        smf.sequence += 1;
        assert_eq!(stage.ask(&smf, &smf.delete(seid)).cause(), Some(Cause::ACCEPTED));
    }
    assert_eq!((stage.front_end.session_count(), stage.sessions_at_upfs(), stage.pins.len()), (0, 0, 0));
}

/// TS 29.244 5.22: the front end is one UPF to each SMF: sets of SMFs end there, and their names do.
#[test]
fn clause_5_22_names_of_sets_are_not_passed_on() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    smf.sequence += 1;
    let request = smf.establish(1, |writer| {
        writer.element(ElementType::SmfSetId, |out| out.extend_from_slice(b"\0\x03set"));
        writer.add(&Element::AlternativeSmfAddress(smf.address.into()));
        create_pdr(writer, 1, Some(CHOOSE));
    });
    assert_eq!(stage.ask(&smf, &request).cause(), Some(Cause::ACCEPTED));
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0];
    assert_eq!(asked.value(ElementType::SmfSetId), None);
    assert_eq!(asked.value(ElementType::AlternativeSmfIpAddress), None);
}
