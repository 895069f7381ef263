//! What a configuration means for GTPv2-C.

use std::time::Duration;

use crate::config;
use crate::mistakes::gtpc::S11;
use pinion::config::model::{Algorithm, Gtpc, Protocol};
use pinion::config::specs;
use pinion::pool::Pools;

#[test]
fn what_is_left_out_of_gtpc_has_a_default() {
    let config = config(&S11.replace("    gtpc: {echo: 30s, t3: 5s}\n", ""));
    let [s11, _] = config.services.as_slice() else { panic!("{config:?}") };
    assert_eq!((s11.protocol, s11.port, s11.algorithm), (Protocol::Gtpc, 2123, Algorithm::Maglev));
    let default = Gtpc {
        echo: Duration::from_secs(60),
        t3: Duration::from_secs(3),
        n3: 3,
        sessions: 1_000_000,
        clients: 1024,
    };
    assert_eq!(s11.gtpc, Some(default));
}

#[test]
fn everything_can_be_said_of_gtpc() {
    let whole =
        S11.replace("{echo: 30s, t3: 5s}", "{echo: 1h, t3: 100ms, n3: 20, sessions: 16777216, clients: 65535}");
    let config = config(&whole);
    let expected = Gtpc {
        echo: Duration::from_secs(3600),
        t3: Duration::from_millis(100),
        n3: 20,
        sessions: 16_777_216,
        clients: 65_535,
    };
    let gtpc: Vec<_> = config.services.iter().map(|service| service.gtpc.clone()).collect();
    assert_eq!(gtpc, [Some(expected), None]);
}

#[test]
fn the_front_end_is_told_what_is_configured() {
    let config = config(S11);
    assert_eq!(specs(&config).len(), 1, "the packet path is given none of it");
    let pools = Pools::default().configure(&config, Duration::ZERO);
    let told = pinion::gtpc::settings(&pools, &config.services[0]).unwrap();
    assert_eq!(told.address, std::net::IpAddr::from([192, 0, 2, 10]));
    let endpoints: Vec<_> = told.endpoints.iter().map(|it| (&*it.name, it.weight, it.priority)).collect();
    assert_eq!(endpoints, [("sgws/sgw-1", 3, 0), ("sgws/sgw-2", 1, 5)]);
    assert_eq!((told.timers.echo, told.timers.t3), (Duration::from_secs(30), Duration::from_secs(5)));
    assert_eq!(pinion::gtpc::settings(&pools, &config.services[1]), None);
}
