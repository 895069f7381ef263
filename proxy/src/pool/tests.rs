#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use pinion_loader::Bounds;

use super::*;
use crate::config::model::{self, Algorithm, AllDown, Api, Exit, Protocol, Service, Store, Timeouts, Unknown};
use crate::control::EndpointState;

const AT: fn(u64) -> Duration = Duration::from_secs;

/// Three endpoints of weight 2, 3 and 4 on two paths; the third is of a later group.
fn config() -> Config {
    let endpoint = |at: u8, weight, priority| model::Endpoint {
        name: format!("amf-{at}"),
        addresses: vec![[10, 0, 0, at].into(), [10, 1, 0, at].into()],
        port: None,
        weight,
        priority,
        serves: model::Serves::default(),
    };
    Config {
        interfaces: Vec::new(),
        api: Api::Unix { path: "/run/pinion/api.sock".into(), mode: 0o660 },
        metrics: None,
        store: Store { redis: None, wait: false, backlog: 1, prefix: String::new() },
        bounds: Bounds::default(),
        exit: Exit::Keep,
        pools: vec![Pool {
            name: "amfs".to_owned(),
            endpoints: vec![endpoint(1, 2, 0), endpoint(2, 3, 0), endpoint(3, 4, 1)],
            health: Some(model::Health {
                probe: model::Probe::Sctp,
                port: None,
                interval: AT(1),
                timeout: AT(1),
                rise: 1,
                fall: 1,
                jitter: 0,
            }),
            slow_start: AT(100),
            drain: Some(AT(60)),
        }],
        sbi: None,
        services: vec![Service {
            name: "n2".to_owned(),
            protocol: Protocol::Sctp,
            port: 38_412,
            addresses: vec![[192, 0, 2, 1].into(), [198, 51, 100, 1].into()],
            pool: "amfs".to_owned(),
            algorithm: Algorithm::Maglev,
            unknown: Unknown::Drop,
            aware: None,
            all_down: AllDown::Drop,
            timeouts: Timeouts { opening: AT(1), established: AT(1), closing: AT(1), closed: AT(1) },
            tunnels: Vec::new(),
            breakout: None,
            pfcp: None,
            gtpc: None,
            ngap: None,
        }],
    }
}

fn weights(pools: &Pools, config: &Config, now: u64) -> Vec<u32> {
    pools.plan(config, AT(now)).0[0].endpoints.iter().map(|endpoint| endpoint.weight).collect()
}

fn ups(pools: &Pools, config: &Config) -> Vec<bool> {
    pools.plan(config, AT(0)).0[0].endpoints.iter().map(|endpoint| endpoint.up).collect()
}

/// Both paths of an endpoint are found up or down.
fn find(pools: &mut Pools, endpoint: &str, up: bool, now: u64) -> [bool; 2] {
    [0, 1].map(|path| {
        let seen = Path { up: Some(up), why: "seen".to_owned(), ..Path::default() };
        pools.path("amfs", endpoint, path, seen, AT(now))
    })
}

struct Count(u64);

impl Sessions for Count {
    fn of(&self, _: &str, _: &str) -> u64 {
        self.0
    }
}

#[test]
fn what_nobody_has_probed_yet_serves_in_the_first_group() {
    let config = config();
    let pools = Pools::default().configure(&config, AT(0));
    assert_eq!(weights(&pools, &config, 0), [2, 3, 0]);
    assert_eq!(ups(&pools, &config), [true, true, true]);
}

#[test]
fn a_path_that_is_down_is_not_an_endpoint_that_is_down() {
    let config = config();
    let mut pools = Pools::default().configure(&config, AT(0));
    assert_eq!(find(&mut pools, "amf-1", true, 1), [true, false]);
    let seen = Path { up: Some(false), why: "no answer".to_owned(), ..Path::default() };
    assert!(!pools.path("amfs", "amf-1", 1, seen.clone(), AT(2)));
    assert_eq!(weights(&pools, &config, 2), [2, 3, 0]);
    let view = pools.view("amf-1", &Count(7), AT(5)).unwrap();
    assert_eq!((view.state, view.sessions, view.since), (EndpointState::Up, 7, AT(4)));
    assert_eq!(view.why, "1 of 2 paths down: no answer");
    assert_eq!(view.paths[1].since, AT(3));
    // The other path too.
    assert!(pools.path("amfs", "amf-1", 0, seen, AT(6)));
    assert_eq!(weights(&pools, &config, 6), [0, 3, 0]);
    assert_eq!(ups(&pools, &config), [false, true, true]);
}

#[test]
fn the_next_group_serves_when_the_first_is_down_and_not_longer() {
    let mut config = config();
    config.pools[0].slow_start = Duration::ZERO;
    let mut pools = Pools::default().configure(&config, AT(0));
    find(&mut pools, "amf-1", false, 1);
    find(&mut pools, "amf-2", false, 1);
    assert_eq!(weights(&pools, &config, 1), [0, 0, 4]);
    find(&mut pools, "amf-2", true, 2);
    assert_eq!(weights(&pools, &config, 2), [0, 3, 0]);
}

#[test]
fn all_down_is_as_chosen() {
    let mut config = config();
    let mut pools = Pools::default().configure(&config, AT(0));
    for endpoint in ["amf-1", "amf-2", "amf-3"] {
        find(&mut pools, endpoint, false, 1);
    }
    assert_eq!(weights(&pools, &config, 1), [0, 0, 0]);
    assert_eq!(pools.plan(&config, AT(1)).0[0].exhausted, pinion_steering::Exhausted::Drop);
    config.services[0].all_down = AllDown::Reject;
    assert_eq!(pools.plan(&config, AT(1)).0[0].exhausted, pinion_steering::Exhausted::Reject);
    config.services[0].all_down = AllDown::FailOpen;
    assert_eq!(weights(&pools, &config, 1), [2, 3, 0]);
    assert_eq!(ups(&pools, &config), [true, true, false]);
    // Who is drained gets nothing even then.
    pools.drain("amf-1", None, AT(1)).unwrap();
    pools.drain("amf-2", None, AT(1)).unwrap();
    assert_eq!(weights(&pools, &config, 1), [0, 0, 4]);
}

#[test]
fn slow_start_goes_up_in_tenths() {
    let config = config();
    let mut pools = Pools::default().configure(&config, AT(0));
    find(&mut pools, "amf-1", false, 1);
    find(&mut pools, "amf-1", true, 1000);
    // A hundred seconds: a tenth of its weight at once, one more each ten seconds. The other has ten tenths.
    assert_eq!(weights(&pools, &config, 1000), [2, 30, 0]);
    assert_eq!(pools.plan(&config, AT(1000)).1, Some(AT(1010)));
    assert_eq!(weights(&pools, &config, 1010), [4, 30, 0]);
    assert_eq!(weights(&pools, &config, 1089), [18, 30, 0]);
    assert_eq!(weights(&pools, &config, 1090), [2, 3, 0]);
    assert_eq!(pools.plan(&config, AT(1090)).1, None);
    assert_eq!(pools.view("amf-1", &Count(0), AT(1010)).unwrap().why, "slow start: 20 % of its weight");
}

#[test]
fn a_first_answer_is_no_slow_start() {
    let config = config();
    let mut pools = Pools::default().configure(&config, AT(0));
    find(&mut pools, "amf-1", true, 1);
    assert_eq!(weights(&pools, &config, 1), [2, 3, 0]);
}

#[test]
fn who_drains_keeps_its_sessions_until_the_deadline() {
    let config = config();
    let mut pools = Pools::default().configure(&config, AT(0));
    pools.drain("amfs/amf-2", None, AT(10)).unwrap();
    assert_eq!(weights(&pools, &config, 10), [2, 0, 0]);
    assert_eq!(ups(&pools, &config), [true, true, true]);
    assert_eq!(pools.plan(&config, AT(10)).1, Some(AT(70)));
    let view = pools.view("amf-2", &Count(3), AT(20)).unwrap();
    assert_eq!((view.state, view.deadline), (EndpointState::Draining, Some(AT(50))));
    assert_eq!(pools.view("amf-2", &Count(0), AT(20)).unwrap().state, EndpointState::Drained);
    assert_eq!(pools.overdue(AT(69)), []);
    assert_eq!(pools.overdue(AT(70)), [("amfs".to_owned(), "amf-2".to_owned())]);
    // A deadline of one's own, from when it is given.
    pools.drain("amf-2", Some(AT(5)), AT(20)).unwrap();
    assert_eq!(pools.overdue(AT(25)), [("amfs".to_owned(), "amf-2".to_owned())]);
    pools.undrain("amf-2", AT(30)).unwrap();
    assert_eq!(weights(&pools, &config, 30), [20, 3, 0]);
    assert_eq!(pools.overdue(AT(1000)), []);
}

#[test]
fn a_reload_keeps_what_is_known_of_endpoints_that_stay() {
    let mut config = config();
    let mut pools = Pools::default().configure(&config, AT(0));
    find(&mut pools, "amf-1", false, 1);
    pools.drain("amf-2", None, AT(1)).unwrap();
    pools.set_weight("amf-1", 9).unwrap();
    config.pools[0].endpoints[2].addresses[0] = [10, 9, 9, 9].into();
    find(&mut pools, "amf-3", false, 1);
    let pools = pools.configure(&config, AT(2));
    let state = |name| pools.view(name, &Count(1), AT(2)).unwrap().state;
    assert_eq!(
        ["amf-1", "amf-2", "amf-3"].map(state),
        [EndpointState::Down, EndpointState::Draining, EndpointState::Unknown]
    );
    assert_eq!(pools.view("amf-1", &Count(1), AT(2)).unwrap().weight, 2);
}

#[test]
fn names_that_are_not_there_or_not_enough_are_said() {
    let mut config = config();
    config.pools.push(Pool { name: "others".to_owned(), ..config.pools[0].clone() });
    let mut pools = Pools::default().configure(&config, AT(0));
    let said = |error: ControlError| error.to_string();
    assert_eq!(
        said(pools.drain("amf-1", None, AT(0)).unwrap_err()),
        "several pools have an endpoint amf-1: amfs, others; say POOL/amf-1"
    );
    assert_eq!(
        said(pools.undrain("amf-9", AT(0)).unwrap_err()),
        "there is no endpoint amf-9; `pinion endpoints` lists them"
    );
    assert_eq!(
        said(pools.set_weight("amfs/amf-1", 70_000).unwrap_err()),
        "70000 is no weight; give a number from 0 to 65535"
    );
    assert!(pools.set_weight("others/amf-1", 7).is_ok());
    assert_eq!(pools.resolve("others/amf-1").unwrap(), ("others", "amf-1"));
    assert_eq!(
        said(pools.views(Some("x"), &Count(0), AT(0)).unwrap_err()),
        "there is no pool x; `pinion endpoints` lists them"
    );
}

#[test]
fn round_robin_knows_no_weight_and_weighted_does() {
    let mut config = config();
    let pools = Pools::default().configure(&config, AT(0));
    config.services[0].algorithm = Algorithm::RoundRobin;
    assert_eq!(weights(&pools, &config, 0), [1, 1, 0]);
    config.services[0].algorithm = Algorithm::Weighted;
    assert_eq!(weights(&pools, &config, 0), [2, 3, 0]);
}

/// Whatever happens in whatever order: someone serves as long as someone may, and nobody who may not.
#[test]
fn whatever_happens_only_those_serve_who_may() {
    bolero::check!().with_type::<Vec<(u8, u8, u16)>>().for_each(|events| {
        let config = config();
        let mut pools = Pools::default().configure(&config, AT(0));
        let mut now = 0;
        for (what, who, passed) in events {
            now += u64::from(*passed);
            let name = format!("amf-{}", 1 + who % 3);
            match what % 5 {
                0 => drop(find(&mut pools, &name, true, now)),
                1 => drop(find(&mut pools, &name, false, now)),
                2 => pools.drain(&name, None, AT(now)).unwrap(),
                3 => pools.undrain(&name, AT(now)).unwrap(),
                _ => pools.set_weight(&name, u32::from(who / 3)).unwrap(),
            }
            let weights = weights(&pools, &config, now);
            let endpoints = &pools.pools[0].endpoints;
            for (weight, endpoint) in weights.iter().zip(endpoints) {
                assert!(*weight == 0 || endpoint.eligible());
            }
            assert_eq!(weights.iter().any(|weight| *weight > 0), endpoints.iter().any(Endpoint::eligible));
        }
    });
}
