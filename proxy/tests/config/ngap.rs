//! NGAP services: what their configuration means, and what is wrong with it.

use std::time::Duration;

use pinion::config::model::{AmfIds, Ngap, Protocol, Service, Transport};
use pinion::config::{Host, parse};

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
    };
    assert_eq!(n2.ngap, Some(expected));
}

#[test]
fn what_is_given() {
    let given = ", ngap: {transport: userspace, interfaces: [n2-a, n2-b], amf_name: core, amf_ids: set-unique,
        amf_loss: rebind, ues: 5000, gnbs: 7}";
    let expected = Ngap {
        transport: Transport::Userspace,
        interfaces: vec!["n2-a".into(), "n2-b".into()],
        amf_name: "core".into(),
        amf_ids: AmfIds::SetUnique,
        reset_after: None,
        ues: 5000,
        gnbs: 7,
    };
    assert_eq!(read("", given).ngap, Some(expected));
    let reset = read("", ", ngap: {reset_after: 30s}").ngap.unwrap();
    assert_eq!(reset.reset_after, Some(Duration::from_secs(30)));
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
