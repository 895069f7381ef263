//! What a configuration means for PFCP.

use std::time::Duration;

use crate::config;
use crate::mistakes::pfcp::N4;
use pinion::config::model::{Algorithm, Breakout, Pfcp, PfcpMode, Protocol, Serves, UeAddresses};
use pinion::config::specs;
use pinion::pool::Pools;

#[test]
fn what_is_left_out_of_pfcp_has_a_default() {
    let least = "services: [{name: n4, protocol: pfcp, addresses: ['2001:db8::10'], endpoints: [{name: a, addresses: ['2001:db8::11']}]}]";
    let config = config(least);
    let [n4] = config.services.as_slice() else { panic!("{config:?}") };
    assert_eq!((n4.protocol, n4.port, n4.algorithm), (Protocol::Pfcp, 8805, Algorithm::Maglev));
    let default = Pfcp {
        mode: PfcpMode::Terminate,
        user_plane: Vec::new(),
        breakouts: Vec::new(),
        ue_addresses: None,
        restore: false,
        smf_teids: false,
        heartbeat: Duration::from_secs(10),
        t1: Duration::from_secs(3),
        n1: 3,
        sessions: 1_000_000,
        smfs: 1024,
    };
    assert_eq!(n4.pfcp, Some(default));
    assert_eq!(config.pools[0].endpoints[0].serves, Serves::default());
}

#[test]
fn everything_can_be_said_of_pfcp() {
    let whole = N4.replace(
        "{user_plane: [n3], ue_addresses: pools}",
        "{mode: terminate, user_plane: [n3], breakouts: [{network_instance: n9, pool: upfs-n3, endpoint: upf-2}], ue_addresses: n6, restore: true, smf_teids: true, heartbeat: 1h, t1: 100ms, \
         n1: 20, sessions: 16777216, smfs: 65535}",
    );
    let config = config(&whole);
    let expected = Pfcp {
        mode: PfcpMode::Terminate,
        user_plane: vec!["n3".to_owned()],
        breakouts: vec![Breakout {
            network_instance: "n9".into(),
            pool: "upfs-n3".into(),
            endpoint: "upf-2".into(),
        }],
        ue_addresses: Some(UeAddresses::N6),
        restore: true,
        smf_teids: true,
        heartbeat: Duration::from_secs(3600),
        t1: Duration::from_millis(100),
        n1: 20,
        sessions: 16_777_216,
        smfs: 65_535,
    };
    let pfcp: Vec<_> = config.services.iter().map(|service| service.pfcp.clone()).collect();
    assert_eq!(pfcp, [None, Some(expected), None]);
    let [first, second] = config.pools[0].endpoints.as_slice() else { panic!("{config:?}") };
    let serves = Serves {
        dnns: vec!["internet".to_owned(), "ims".to_owned()],
        slices: vec![(1, None), (1, Some([0, 0, 0xab]))],
        network_instances: Vec::new(),
        ue_addresses: vec![([10, 45, 0, 0].into(), 17), ("2001:db8:1::".parse().unwrap(), 48)],
    };
    assert_eq!(first.serves, serves);
    assert_eq!(second.serves.network_instances, ["core"]);
}

/// One pool may have the UPFs of both planes, where each has one address.
#[test]
fn both_planes_may_share_a_pool() {
    let one = "\
pools: [{name: upfs, endpoints: [{name: a, addresses: [10.0.0.1]}, {name: b, addresses: [10.0.0.2]}]}]
services:
  - {name: n3, protocol: gtpu, addresses: [192.0.2.3], pool: upfs}
  - {name: n4, protocol: pfcp, addresses: [192.0.2.4], pool: upfs, pfcp: {user_plane: [n3], ue_addresses: upf}}
";
    assert_eq!(config(one).services[1].pfcp.as_ref().unwrap().user_plane, ["n3"]);
}

#[test]
fn the_packet_path_is_given_none_of_it() {
    let config = config(N4);
    assert_eq!(specs(&config).iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>(), ["n3", "dns"]);
    let (planned, _) = Pools::default().configure(&config, Duration::ZERO).plan(&config, Duration::ZERO);
    assert_eq!(planned.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>(), ["n3", "dns"]);
}

#[test]
fn sessions_may_only_be_placed() {
    let text =
        N4.replace("{user_plane: [n3], ue_addresses: pools}", "{mode: redirect, ue_addresses: upf, sessions: 9}");
    let config = config(&text);
    let n4 = config.services.iter().find(|service| service.name == "n4").unwrap();
    let pfcp = n4.pfcp.as_ref().unwrap();
    assert_eq!((pfcp.mode, pfcp.sessions, pfcp.restore), (PfcpMode::Redirect, 9, false));
    let settings =
        pinion::n4::settings(&config, &Pools::default().configure(&config, Duration::ZERO), n4).unwrap();
    assert_eq!((settings.mode, settings.user_plane), (pinion_n4::Mode::Redirect, Vec::new()));
}
