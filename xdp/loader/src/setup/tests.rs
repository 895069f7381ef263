use std::fs;

use pinion_steering::{Exhausted, Pin, PinKey, Placement, Unknown};

use super::*;
use crate::Bounds;
use crate::sweep::Sweeper;
use crate::user::UserEngine;

const BOUNDS: Bounds = Bounds {
    flows: 64,
    flows6: 64,
    pins: 64,
    filters: 64,
    fragments: 64,
    services: 256,
    sources: 64,
    targets: 24,
    maglev: 1 << 12,
};

fn endpoint(last: u8) -> EndpointSpec {
    let addresses = vec![[10, 0, 0, last].into()];
    EndpointSpec { name: format!("e{last}"), addresses, port: 80, weight: 1, up: true }
}

fn service(last: u8, endpoints: &[u8]) -> ServiceSpec {
    ServiceSpec {
        name: format!("s{last}"),
        kind: Kind::Sctp,
        protocol: protocol::SCTP,
        port: 80,
        addresses: vec![[192, 0, 2, last].into()],
        unknown: Unknown::Drop,
        placement: Placement::Maglev,
        exhausted: Exhausted::Drop,
        endpoints: endpoints.iter().map(|last| endpoint(*last)).collect(),
        aware: false,
        exits: Vec::new(),
    }
}

/// The services that are in force, by number, with what their blocks hold.
fn in_force(engine: &UserEngine) -> Vec<(u16, Vec<u32>)> {
    let bank = engine.active().unwrap();
    let services = engine.services().unwrap();
    let mut all: Vec<(u16, Vec<u32>)> = services
        .iter()
        .filter(|(key, _)| key.bank == bank && key.port != 0)
        .map(|(_, service)| {
            let slots = service.maglev..service.maglev + service.slots;
            let mut held: Vec<u32> =
                slots.map(|slot| pinion_steering::Tables::maglev(engine.memory(), slot).unwrap()).collect();
            held.sort_unstable();
            held.dedup();
            (service.id, held)
        })
        .collect();
    all.sort_unstable();
    all
}

fn pass(engine: &mut UserEngine, sweeper: &mut Sweeper) -> Named {
    loop {
        if let Some(named) = sweeper.step(engine, 16).unwrap().pass {
            return named;
        }
    }
}

#[test]
fn a_second_life_numbers_as_the_first_one_did() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("layout.json");
    let mut engine = UserEngine::new(BOUNDS);
    let mut first = Setup::restore(&engine, &file).unwrap();
    first.apply(&mut engine, &[service(1, &[1, 2]), service(2, &[3])]).unwrap();
    first.apply(&mut engine, &[service(2, &[3, 4])]).unwrap();
    let before = in_force(&engine);

    let mut second = Setup::restore(&engine, &file).unwrap();
    assert_eq!(in_force(&engine), before);
    for (service, endpoint) in [("s1", "e1"), ("s1", "e2"), ("s2", "e3"), ("s2", "e4")] {
        assert_eq!(second.base(service, endpoint), first.base(service, endpoint));
        assert_eq!((second.id(service), second.own(service)), (first.id(service), first.own(service)));
    }
    let owner = second.owner(first.base("s2", "e4").unwrap()).unwrap();
    assert_eq!((owner.service.as_str(), owner.endpoint.as_deref()), ("s2", Some("e4")));
    // In another order, with one that is new.
    second.apply(&mut engine, &[service(3, &[5]), service(2, &[4]), service(1, &[2])]).unwrap();
    assert_eq!((second.id("s1"), second.id("s2"), second.id("s3")), (first.id("s1"), first.id("s2"), Some(2)));
    let base = |service, endpoint| first.base(service, endpoint).unwrap();
    let new = second.base("s3", "e5").unwrap();
    assert_eq!(in_force(&engine), [(0, vec![base("s1", "e2")]), (1, vec![base("s2", "e4")]), (2, vec![new])]);
}

/// A bank that is not in force may name what was taken back since.
#[test]
fn a_second_life_asks_for_nothing_of_the_bank_that_rests() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("layout.json");
    let mut engine = UserEngine::new(BOUNDS);
    let mut first = Setup::restore(&engine, &file).unwrap();
    first.apply(&mut engine, &[service(1, &[1]), service(2, &[2])]).unwrap();
    first.apply(&mut engine, &[service(1, &[1])]).unwrap();
    let mut sweeper = Sweeper::default();
    for _ in 0..2 {
        let named = pass(&mut engine, &mut sweeper);
        first.reclaim(&mut engine, &named).unwrap();
    }
    assert_eq!((first.own("s2"), first.base("s2", "e2")), (None, None));
    let mut second = Setup::restore(&engine, &file).unwrap();
    second.apply(&mut engine, &[service(3, &[3]), service(1, &[1])]).unwrap();
    let base = |service, endpoint| second.base(service, endpoint).unwrap();
    assert_eq!(in_force(&engine), [(0, vec![base("s1", "e1")]), (2, vec![base("s3", "e3")])]);
}

#[test]
fn a_file_that_contradicts_the_maps_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("layout.json");
    let mut engine = UserEngine::new(BOUNDS);
    Setup::restore(&engine, &file).unwrap().apply(&mut engine, &[service(1, &[1])]).unwrap();
    let refused = |engine: &UserEngine| Setup::restore(engine, &file).unwrap_err().to_string();
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replace("10.0.0.1", "10.0.0.9")).unwrap();
    assert!(
        refused(&engine)
            .contains("entry 1 of TARGETS is 10.0.0.9 port 80 of e1, and there it is 10.0.0.1 port 80")
    );
    fs::write(&file, good.replace("\"id\":0", "\"id\":7")).unwrap();
    assert!(refused(&engine).contains("no service with the number 0"));
    fs::write(&file, good.replace("\"version\":1", "\"version\":2")).unwrap();
    assert!(refused(&engine).contains("its version is 2, and this build knows 1"));
    fs::write(&file, good.replace("[\"10.0.0.1\"]", "[]")).unwrap();
    assert!(refused(&engine).contains("its owner 1 has no address"));
    fs::write(&file, &good[..good.len() / 2]).unwrap();
    assert!(refused(&engine).contains("EOF"));
    fs::remove_file(&file).unwrap();
    assert!(refused(&engine).contains("it is not there"));
    // Empty maps contradict nothing.
    fs::write(&file, good).unwrap();
    Setup::restore(&UserEngine::new(BOUNDS), &file).unwrap();
}

#[test]
fn numbers_rest_until_no_pin_names_them() {
    let mut engine = UserEngine::new(BOUNDS);
    let mut setup = Setup::default();
    setup.apply(&mut engine, &[service(1, &[1, 2])]).unwrap();
    let (first, second) = (setup.base("s1", "e1").unwrap(), setup.base("s1", "e2").unwrap());
    let key = PinKey::default();
    engine.put_pin(&key, &Pin { target: first, ..Pin::default() }).unwrap();
    setup.apply(&mut engine, &[service(1, &[])]).unwrap();
    let mut sweeper = Sweeper::default();
    let mut reclaim = |engine: &mut UserEngine, setup: &mut Setup| {
        let named = pass(engine, &mut sweeper);
        setup.reclaim(engine, &named).unwrap()
    };
    assert_eq!([reclaim(&mut engine, &mut setup), reclaim(&mut engine, &mut setup)], [0, 1]);
    assert_eq!((setup.base("s1", "e1"), setup.base("s1", "e2")), (Some(first), None));
    assert_eq!(engine.read_target(second).unwrap(), Target::default());
    engine.remove_pin(&key).unwrap();
    assert_eq!([reclaim(&mut engine, &mut setup), reclaim(&mut engine, &mut setup)], [0, 1]);
    // Who is configured again in time keeps its number.
    setup.apply(&mut engine, &[service(1, &[3])]).unwrap();
    let third = setup.base("s1", "e3");
    setup.apply(&mut engine, &[]).unwrap();
    assert_eq!(reclaim(&mut engine, &mut setup), 0);
    setup.apply(&mut engine, &[service(1, &[3])]).unwrap();
    assert_eq!([reclaim(&mut engine, &mut setup), reclaim(&mut engine, &mut setup)], [0, 0]);
    assert_eq!((setup.base("s1", "e3"), setup.id("s1")), (third, Some(0)));
}

#[test]
fn a_service_that_moves_does_not_take_its_sessions_along() {
    let mut engine = UserEngine::new(BOUNDS);
    let mut setup = Setup::default();
    setup.apply(&mut engine, &[service(1, &[1])]).unwrap();
    let before = setup.own("s1").unwrap();
    let moved = ServiceSpec { addresses: vec![[192, 0, 2, 77].into()], ..service(1, &[1]) };
    setup.apply(&mut engine, &[moved]).unwrap();
    assert_ne!(setup.own("s1"), Some(before));
    assert_eq!(engine.read_target(before).unwrap().address, Address::v4([192, 0, 2, 1]));
    assert_eq!(setup.id("s1"), Some(0));
}

#[test]
fn what_does_not_fit_leaves_the_old_in_force() {
    let mut engine = UserEngine::new(BOUNDS);
    let mut setup = Setup::default();
    setup.apply(&mut engine, &[service(1, &[1])]).unwrap();
    let before = in_force(&engine);
    let many: Vec<u8> = (1..=40).collect();
    let error = setup.apply(&mut engine, &[service(2, &many)]).unwrap_err().to_string();
    assert!(error.contains("service and endpoint addresses: 43 are needed and the bound is 24"), "{error}");
    assert_eq!(in_force(&engine), before);
    for _ in 0..3 {
        assert_eq!(setup.reclaim(&mut engine, &Named::default()).unwrap(), 0);
    }
}

#[test]
fn reloads_without_end_take_no_more_room() {
    let mut engine = UserEngine::new(BOUNDS);
    let mut setup = Setup::default();
    let mut sweeper = Sweeper::default();
    for round in 0..100_u8 {
        let pool = [1 + round % 5, 6 + round % 3, 10 + round % 2];
        setup.apply(&mut engine, &[service(1, &pool), service(2 + round % 7, &pool[..2])]).unwrap();
        for _ in 0..2 {
            let named = pass(&mut engine, &mut sweeper);
            setup.reclaim(&mut engine, &named).unwrap();
        }
        let held: Vec<u32> = pool.iter().map(|last| setup.base("s1", &format!("e{last}")).unwrap()).collect();
        let mut wanted = held.clone();
        wanted.sort_unstable();
        assert_eq!(in_force(&engine)[0], (setup.id("s1").unwrap(), wanted));
    }
}
