//! Many entries, in the kernel: pins in batches, pages of flows, sweeps.
//!
//! `PINION_MANY` says how many (20,000); how long it took is printed, as is what the maps take.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::HashSet;
use std::io::Write as _;
use std::time::{Duration, Instant};

use pinion_loader::kernel::Kernel;
use pinion_loader::setup::{EndpointSpec, ServiceSpec, Setup};
use pinion_loader::sweep::{Sweeper, Timeouts};
use pinion_loader::{Bounds, Cursor, LoadError, Maps, sessions};
use pinion_steering::{
    Address, Exhausted, Flow, FlowKey, Kind, Pin, PinKey, Placement, State, Target, Unknown, protocol,
};

fn many() -> u32 {
    std::env::var("PINION_MANY").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

/// None, and why is printed, where this machine lets nobody load BPF.
fn kernel(bounds: Bounds) -> Option<Kernel> {
    match Kernel::load(bounds) {
        Ok(kernel) => Some(kernel),
        Err(error @ (LoadError::Privilege { .. } | LoadError::Kernel { .. })) => {
            let _ = writeln!(std::io::stderr(), "\nskipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn pin(teid: u32) -> (PinKey, Pin) {
    (PinKey { address: Address::v4([192, 0, 2, 1]), teid }, Pin { teid: !teid, target: 1, ..Pin::default() })
}

#[test]
fn pins_go_in_by_batches_and_come_out_by_pages() {
    let many = many();
    let Some(mut kernel) = kernel(Bounds { pins: many, ..Bounds::default() }) else { return };
    let pins: Vec<(PinKey, Pin)> = (0..many).map(pin).collect();
    let begin = Instant::now();
    for batch in pins.chunks(10_000) {
        kernel.put_pins(batch).unwrap();
    }
    println!("{many} pins in {:?}", begin.elapsed());
    let begin = Instant::now();
    let first = kernel.pins_page(Cursor::default(), 100).unwrap();
    println!("a page of {} in {:?}", first.entries.len(), begin.elapsed());
    let begin = Instant::now();
    let mut seen = HashSet::new();
    let mut from = Some(Cursor::default());
    while let Some(cursor) = from {
        let page = kernel.pins_page(cursor, 4096).unwrap();
        assert!(page.entries.len() <= 4096);
        for (key, value) in page.entries {
            assert_eq!(value, pin(key.teid).1);
            assert!(seen.insert(key.teid), "{} twice", key.teid);
        }
        from = page.next.map(|next| Cursor::new(next.number()));
    }
    println!("all pages in {:?}", begin.elapsed());
    assert_eq!(seen.len() as u32, many);
    // One more does not fit, and what was written before it is counted.
    let refused = kernel.put_pins(&[pin(0), pin(many)]);
    assert!(matches!(refused, Err((1, LoadError::Map { map: "PINS", .. }))), "{refused:?}");
    assert_eq!(kernel.read_pin(&pin(many).0).unwrap(), None);
}

/// Both pins of a TCP flow of a client.
#[test]
fn pins_of_both_families_go_in_in_order_up_to_the_one_that_is_refused() {
    let Some(mut kernel) = kernel(Bounds { pins: 2, ..Bounds::default() }) else { return };
    let long = |teid| (PinKey { address: Address::v6([0x20; 16]), teid }, pin(teid).1);
    let pins = [long(1), pin(1), pin(2), pin(3), long(2)];
    let refused = kernel.put_pins(&pins);
    assert!(matches!(refused, Err((3, LoadError::Map { map: "PINS", .. }))), "{refused:?}");
    let there = pins.map(|(key, _)| kernel.read_pin(&key).unwrap().is_some());
    assert_eq!(there, [true, true, true, false, false]);
}

fn pair(number: u32, seen: u32) -> [(FlowKey, Flow); 2] {
    let [_, a, b, c] = number.to_be_bytes();
    let client = (Address::v4([10, a, b, c]), 40_000);
    let flow = Flow { target: 1, seen, service: 1, state: State::Established as u8, ..Flow::default() };
    let (own, endpoint) = (Address::v4([192, 0, 2, 1]), Address::v4([192, 0, 2, 2]));
    [
        (FlowKey::tuple(own, 80, client.0, client.1, protocol::TCP), flow),
        (FlowKey::tuple(client.0, client.1, endpoint, 80, protocol::TCP), Flow { target: 0, reply: 1, ..flow }),
    ]
}

#[test]
fn half_of_many_flows_expire() {
    let many = many();
    let Some(mut kernel) = kernel(Bounds { flows: 2 * many, ..Bounds::default() }) else { return };
    for (index, last) in [(0, 1), (1, 2)] {
        let address = Address::v4([192, 0, 2, last]);
        let target = Target { address, port: 80, paths: 1, up: 1, owner: index, flags: 0, reserved: 0 };
        kernel.put_target(index, &target).unwrap();
    }
    let now = kernel.clock().unwrap();
    println!("tick {now}, {:?} long", kernel.tick_length());
    let begin = Instant::now();
    for number in 0..many {
        let seen = if number % 2 == 0 { now.wrapping_sub(1000) } else { now };
        for (key, flow) in pair(number, seen) {
            assert!(sessions::restore(&mut kernel, &key, &flow).unwrap());
        }
    }
    println!("{many} flows restored one by one in {:?}", begin.elapsed());
    assert_eq!(kernel.sessions(1).unwrap(), many);
    let mut sweeper = Sweeper::new(Timeouts { tcp_established: Duration::from_secs(500), ..Timeouts::default() });
    let begin = Instant::now();
    let (mut steps, mut longest, mut ended) = (0, Duration::ZERO, 0);
    let named = loop {
        let step = Instant::now();
        let swept = sweeper.step(&mut kernel, 1024).unwrap();
        longest = longest.max(step.elapsed());
        steps += 1;
        ended += swept.ended.len() as u32;
        if let Some(named) = swept.pass {
            break named;
        }
    };
    println!("{ended} of {many} flows expired in {:?}, {steps} steps, the longest {longest:?}", begin.elapsed());
    assert_eq!(ended, many / 2);
    assert_eq!(kernel.sessions(1).unwrap(), many - many / 2);
    assert_eq!(kernel.flows().unwrap().len() as u32, 2 * (many - many / 2));
    assert!(named.targets.contains(&1) && named.services.contains(&1));
    for number in 0..many {
        let live = number % 2 != 0;
        for (key, _) in pair(number, 0) {
            assert_eq!(kernel.read_flow(&key).unwrap().is_some(), live, "{number}");
        }
    }
}

/// A service with eight endpoints.
fn service(number: u16) -> ServiceSpec {
    let [high, low] = number.to_be_bytes();
    let endpoint = |last| EndpointSpec {
        name: format!("e{last}"),
        addresses: vec![[10, high, low, last].into()],
        port: 80,
        weight: 1,
        up: true,
    };
    ServiceSpec {
        name: format!("s{number}"),
        kind: Kind::Flow,
        protocol: protocol::UDP,
        port: 80,
        addresses: vec![[192, 0, high, low].into()],
        unknown: Unknown::Drop,
        placement: Placement::Maglev,
        exhausted: Exhausted::Drop,
        endpoints: (1..=8).map(endpoint).collect(),
        aware: false,
        exits: Vec::new(),
    }
}

#[test]
fn as_many_services_as_may_be_are_laid_out_and_reloaded() {
    let count = if many() > 20_000 { 4096 } else { 200 };
    let bounds = Bounds { services: 1 << 15, maglev: 1 << 23, ..Bounds::default() };
    let Some(mut kernel) = kernel(bounds) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut setup = Setup::restore(&kernel, &folder.path().join("layout.json")).unwrap();
    let mut services: Vec<ServiceSpec> = (0..count).map(service).collect();
    for what in ["first", "again", "again"] {
        let begin = Instant::now();
        setup.apply(&mut kernel, &services).unwrap();
        println!("{count} services, {what}: {:?}", begin.elapsed());
    }
    for endpoint in services.iter_mut().take(10).filter_map(|service| service.endpoints.first_mut()) {
        endpoint.weight = 0;
    }
    let begin = Instant::now();
    setup.apply(&mut kernel, &services).unwrap();
    println!("{count} services, ten of them changed: {:?}", begin.elapsed());
    let bank = kernel.active().unwrap();
    let held = kernel.services().unwrap();
    assert_eq!(held.iter().filter(|(key, _)| key.bank == bank).count(), 2 * usize::from(count));
    let begin = Instant::now();
    let again = Setup::restore(&kernel, &folder.path().join("layout.json")).unwrap();
    println!("restored in {:?}", begin.elapsed());
    assert_eq!(again.base("s17", "e3"), setup.base("s17", "e3"));
}

#[test]
fn the_greatest_pool_is_laid_out() {
    let bounds = Bounds { maglev: 1 << 18, ..Bounds::default() };
    let Some(mut kernel) = kernel(bounds) else { return };
    for placement in
        [Placement::Maglev, Placement::SourceAffinity, Placement::RoundRobin, Placement::LeastSessions]
    {
        let endpoints = (0..1024_u16).map(|number| {
            let [high, low] = number.to_be_bytes();
            EndpointSpec {
                name: format!("e{number}"),
                addresses: vec![[10, 0, high, low].into()],
                port: 80,
                weight: 1 + u32::from(number),
                up: true,
            }
        });
        let service = ServiceSpec { placement, endpoints: endpoints.collect(), ..service(1) };
        let begin = Instant::now();
        Setup::default().apply(&mut kernel, std::slice::from_ref(&service)).unwrap();
        println!("a pool of 1,024, {placement:?}: {:?}", begin.elapsed());
        let more = [service.endpoints.clone(), vec![service.endpoints[0].clone()]].concat();
        let error =
            Setup::default().apply(&mut kernel, &[ServiceSpec { endpoints: more, ..service }]).unwrap_err();
        assert!(error.to_string().contains("endpoints of a service: 1025 are needed"), "{error}");
    }
}
