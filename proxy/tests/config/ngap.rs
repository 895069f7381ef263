//! NGAP services: what their configuration means, and what is wrong with it.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use pinion::config::model::{AmfIds, Discover, Ngap, Protocol, Service, Spread, Transport};
use pinion::config::{Host, parse};
use pinion_n2::{Admission, Timers};
use pinion_protocols::ngap::value::{GlobalRanNodeId, NgEnbId, Plmn};

fn text(service: &str, ngap: &str) -> String {
    format!(
        "services: [{{name: n2, protocol: ngap, addresses: [192.0.2.1, 198.51.100.1]{service}, endpoints: [
{{name: a, addresses: [192.0.2.21, 198.51.100.21]}}, {{name: b, addresses: [192.0.2.22, 198.51.100.22]}}]{ngap}}}]"
    )
}

fn read(service: &str, ngap: &str) -> Service {
    let config = parse(text(service, ngap).as_bytes(), &Host::default()).unwrap().config;
    config.services.into_iter().next().unwrap()
}

/// The first mistake of a configuration.
fn mistake(service: &str, ngap: &str) -> String {
    format!("{:?}", parse(text(service, ngap).as_bytes(), &Host::default()).unwrap_err())
}

#[test]
fn what_is_left_out() {
    let n2 = read("", "");
    assert_eq!((n2.protocol, n2.port, n2.addresses.len()), (Protocol::Ngap, 38412, 2));
    let expected = Ngap {
        transport: Transport::Auto,
        interfaces: Vec::new(),
        amf_name: "n2".into(),
        amf_ids: AmfIds::PerAmf,
        reset_after: Some(Duration::ZERO),
        ues: 1_000_000,
        gnbs: 4096,
        associations: 8,
        messages: None,
        admission: Admission::default(),
        pws: Spread::First,
        ran_configuration: Spread::First,
        timers: Timers::default(),
        discover: None,
    };
    assert_eq!(n2.ngap, Some(expected));
}

#[test]
fn what_is_given() {
    let given = ", ngap: {transport: userspace, interfaces: [n2-a, n2-b], amf_name: core, amf_ids: set-unique,
        amf_loss: rebind, ues: 5000, gnbs: 7, associations: 2, messages: 300, rules: {pws: all},
        admission: {nodes: [001-01-gnb-2a/22, 310-410-ng-enb-0002a], plmns: [001-01, '310410'], tacs: [1, 0xabcdef],
            prefixes: [192.0.2.0/24, '2001:db8::/32']},
        timers: {answer: 1s, quarantine: 10m}, discover: amf.example.org}";
    let (test, real) = (Plmn([0x00, 0xf1, 0x10]), Plmn([0x13, 0x00, 0x14]));
    let expected = Ngap {
        transport: Transport::Userspace,
        interfaces: vec!["n2-a".into(), "n2-b".into()],
        amf_name: "core".into(),
        amf_ids: AmfIds::SetUnique,
        reset_after: None,
        ues: 5000,
        gnbs: 7,
        associations: 2,
        messages: NonZeroU32::new(300),
        admission: Admission {
            nodes: vec![
                GlobalRanNodeId::Gnb { plmn: test, id: 42, bits: 22 },
                GlobalRanNodeId::NgEnb { plmn: real, id: NgEnbId::Macro(42) },
            ],
            plmns: vec![test.0, real.0],
            tacs: vec![[0, 0, 1], [0xab, 0xcd, 0xef]],
            prefixes: vec![([192, 0, 2, 0].into(), 24), ("2001:db8::".parse().unwrap(), 32)],
        },
        pws: Spread::All,
        ran_configuration: Spread::First,
        timers: Timers {
            answer: Duration::from_secs(1),
            quarantine: Duration::from_secs(600),
            ..Timers::default()
        },
        discover: Some(Discover { name: "amf.example.org".into(), servers: vec![] }),
    };
    assert_eq!(read("", given).ngap, Some(expected));
    let reset = read("", ", ngap: {reset_after: 30s}").ngap.unwrap();
    assert_eq!(reset.reset_after, Some(Duration::from_secs(30)));
}

/// Where AMFs are found by name, none need be listed.
#[test]
fn amfs_that_are_found_by_name() {
    let text = "services: [{name: n2, protocol: ngap, addresses: [192.0.2.1], endpoints: [],
        ngap: {discover: {name: _n2._sctp.example.org., servers: ['192.0.2.53:53', '[2001:db8::53]:5353']}}}]";
    let config = parse(text.as_bytes(), &Host::default()).unwrap().config;
    let discover = config.services[0].ngap.as_ref().unwrap().discover.as_ref().unwrap();
    assert_eq!(discover.name, "_n2._sctp.example.org.");
    let servers: [SocketAddr; 2] = [([192, 0, 2, 53], 53).into(), "[2001:db8::53]:5353".parse().unwrap()];
    assert_eq!((&discover.servers[..], config.pools[0].endpoints.len()), (&servers[..], 0));
}

#[test]
fn what_is_wrong() {
    let cases = [
        ("", ", ngap: {amf_loss: rebind}", "give amf_ids set-unique too"),
        ("", ", ngap: {amf_ids: set-unique, amf_loss: rebind, reset_after: 5s}", "leave `reset_after` out"),
        ("", ", ngap: {reset_after: 2h}", "reset_after"),
        ("", ", ngap: {gnbs: 0}", "0 is no number of gNBs"),
        ("", ", ngap: {amf_ids: unique}", "unique is no way of AMF UE NGAP IDs; give set-unique or per-amf"),
        (", algorithm: maglev", "", "leave `algorithm` out"),
        (", all_down: drop", "", "NGAP ends at Pinion"),
        (", port: 38413", "", "NGAP is received at port 38412 (TS 38.412 7)"),
        ("", ", gtpc: {}", "this is ngap; leave it out"),
        ("", ", aware: ngap", "`aware` is for services of protocol sctp, and this is ngap; leave it out"),
    ];
    for (service, ngap, expected) in cases {
        let said = mistake(service, ngap);
        assert!(said.contains(expected), "{service}{ngap}: {said}");
    }
}
