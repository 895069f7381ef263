//! Services that are configured: the capture is taken as it is.

use std::path::Path;

use pinion_loader::setup::{EndpointSpec, ServiceSpec};
use pinion_pcaps::replay::{Choice, Replay, Summary};
use pinion_steering::{Exhausted, Kind, Placement, Reason, Unknown, protocol};

use crate::{file, run};

fn upf(unknown: Unknown) -> ServiceSpec {
    let endpoint = |last: u8| EndpointSpec {
        name: format!("upf-{last}"),
        addresses: vec![[10, 0, 0, last].into()],
        port: 2152,
        weight: 1,
        up: true,
    };
    ServiceSpec {
        name: "upf".to_owned(),
        kind: Kind::Gtpu,
        protocol: protocol::UDP,
        port: 2152,
        addresses: vec![[192, 0, 2, 3].into()],
        unknown,
        placement: Placement::Maglev,
        exhausted: Exhausted::Drop,
        endpoints: vec![endpoint(1), endpoint(2)],
        aware: false,
        exits: Vec::new(),
    }
}

fn n3(unknown: Unknown) -> Summary {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/n3.pcap");
    let mut replay = Replay::configured(Choice::User, &[upf(unknown)], 0).unwrap();
    run(&mut replay, &file(&path), |_, step| {
        // Downlink packets have the service's own address, which is no endpoint's.
        assert_ne!(step.reason, Reason::Replied);
    })
    .unwrap()
}

#[test]
fn the_services_policy_decides_on_unknown_tunnels() {
    let [dropped, hashed, punted] = [Unknown::Drop, Unknown::Hash, Unknown::Punt].map(n3);
    let unknown = dropped.reasons["unknown_tunnel"];
    assert!(unknown > 10);
    assert_eq!(dropped.events, 0);
    assert_eq!((punted.reasons["unknown_tunnel"], punted.events), (unknown, unknown));
    assert_eq!(hashed.reasons["placed"] + hashed.reasons["pinned"], unknown);
    assert_eq!(hashed.flows["tunnel"], hashed.reasons["placed"]);
    let share: Vec<_> = hashed.services[0].endpoints.iter().map(|endpoint| endpoint.packets).collect();
    assert_eq!(share.iter().sum::<u64>(), unknown, "{share:?}");
}

#[test]
fn services_that_contradict_each_other_are_refused() {
    let twice = [upf(Unknown::Drop), ServiceSpec { name: "other".to_owned(), ..upf(Unknown::Drop) }];
    let Err(error) = Replay::configured(Choice::User, &twice, 0) else { panic!("laid out") };
    assert!(error.to_string().contains("already the address of service upf"), "{error}");
}
