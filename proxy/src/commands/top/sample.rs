//! A small core for tests of the screen.

use std::net::IpAddr;
use std::time::Duration;

use super::state::{Snapshot, State};
use crate::config::model::{Algorithm, Protocol};
use crate::control::{
    EndpointState, EndpointView, Heard, InterfaceView, PacketCount, PathView, SbiProducer, SbiState, SbiStats,
    ServiceView, Stats, StoreLevel, TableLevel, TrafficView,
};

/// A screen that has been told once.
pub(super) fn state() -> State {
    let mut state = State::new("/run/pinion/api.sock".into());
    state.observe(snapshot(), Duration::ZERO);
    state
}

/// A screen on which something moved, a second at a time.
pub(super) fn moving() -> State {
    let mut state = state();
    let mut snapshot = snapshot();
    for second in 1..=30 {
        for (count, step) in snapshot.stats.packets.iter_mut().zip([1500, 40, 700, 0]) {
            count.packets += step * (second * 7 % 11);
        }
        snapshot.stats.placed += 3;
        snapshot.stats.ended += second % 2;
        snapshot.endpoints[0].sessions += second % 3;
        state.observe(snapshot.clone(), Duration::from_secs(second));
    }
    state
}

/// An SCP.
pub(super) fn sbi() -> SbiStats {
    let producer = |number: u8, state| SbiProducer {
        api_root: format!("http://192.0.2.6{number}:8000"),
        nf_type: Some("UDM".into()),
        nf_instance: Some(format!("8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2{number}")),
        services: vec!["nudm-sdm".into()],
        state,
        resources: 617,
        connections: 2,
        answered: 70,
        failed: 3,
    };
    SbiStats {
        fqdn: "scp.example".into(),
        statuses: vec![(200, 70), (504, 2)],
        times: vec![10; 13],
        working: 6,
        resources: 1_234,
        retries: 5,
        producers: vec![
            producer(1, SbiState::Up),
            producer(2, SbiState::Avoided),
            SbiProducer { api_root: "https://nrf.example".into(), ..SbiProducer::default() },
        ],
        ..SbiStats::default()
    }
}

/// An SCP and nothing else, on which something moved.
pub(super) fn scp() -> State {
    let mut state = State::new("/run/pinion/api.sock".into());
    let mut snapshot = snapshot();
    snapshot.services.clear();
    snapshot.endpoints.clear();
    snapshot.stats.packets.clear();
    let mut stats = sbi();
    for second in 0..3 {
        snapshot.stats.sbi = Some(stats.clone());
        state.observe(snapshot.clone(), Duration::from_secs(second));
        for (status, step) in stats.statuses.iter_mut().zip([1_500, 3]) {
            status.1 += step;
        }
        stats.retries += 7;
        stats.times[1] += 1_490;
        stats.times[5] += 13;
        stats.producers[0].answered += 1_503;
        stats.producers[1].failed += 7;
    }
    state
}

pub(super) fn snapshot() -> Snapshot {
    let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
    let service = |name: &str, protocol, port, addresses: &[&str], pool: &str| ServiceView {
        name: name.into(),
        protocol,
        port,
        addresses: addresses.iter().map(|address| ip(address)).collect(),
        pool: pool.into(),
        algorithm: Algorithm::Maglev,
        serving: 2,
        endpoints: 3,
        sessions: 61,
    };
    let path = |address: &str, up| PathView {
        address: ip(address),
        up,
        why: String::new(),
        since: Duration::from_secs(90),
        round_trip: None,
    };
    let endpoint = |pool: &str, name: &str, state, why: &str, paths: Vec<PathView>, sessions| EndpointView {
        pool: pool.into(),
        name: name.into(),
        port: None,
        weight: 100,
        effective: 100,
        priority: 0,
        state,
        why: why.into(),
        since: Duration::from_secs(90),
        paths,
        sessions,
        deadline: None,
        traffic: TrafficView::default(),
        load: None,
    };
    let count = |verdict: &str, reason: &str, packets| PacketCount {
        reason: reason.into(),
        verdict: verdict.into(),
        packets,
    };
    let both = |one: &str, other: &str, up| vec![path(one, Some(true)), path(other, up)];
    let mut endpoints = vec![
        endpoint("amf", "amf-1", EndpointState::Up, "INIT ACK", both("10.0.0.1", "10.0.1.1", Some(false)), 40),
        endpoint("amf", "amf-2", EndpointState::Up, "slow start", both("10.0.0.2", "10.0.1.2", Some(true)), 20),
        endpoint("amf", "amf-3", EndpointState::Draining, "drained", both("10.0.0.3", "10.0.1.3", None), 1),
        endpoint("upf", "upf-1", EndpointState::Down, "no path", vec![path("10.0.0.4", Some(false))], 400),
    ];
    endpoints[1].effective = 25;
    endpoints[2].effective = 0;
    endpoints[2].deadline = Some(Duration::from_secs(270));
    Snapshot {
        services: vec![
            service("n2", Protocol::Sctp, 38412, &["192.0.2.10", "198.51.100.10"], "amf"),
            ServiceView {
                serving: 0,
                endpoints: 1,
                sessions: 400,
                ..service("n3", Protocol::Gtpu, 2152, &["2001:db8::10"], "upf")
            },
        ],
        endpoints,
        stats: Stats {
            version: "9.8.7".into(),
            uptime: Duration::from_secs(93_784),
            packets: vec![
                count("transmit", "pinned", 1_234_567),
                count("redirect", "placed", 345),
                count("drop", "no-endpoint", 12),
                count("drop", "too-short", 0),
            ],
            tables: vec![
                TableLevel { name: "flows".into(), used: 461, bound: 200_000 },
                TableLevel { name: "pins".into(), used: 190_000, bound: 200_000 },
            ],
            sessions: 461,
            placed: 800,
            ended: 339,
            store: StoreLevel {
                kind: "redis://store.example.org:6379".into(),
                up: true,
                why: String::new(),
                waiting: 17,
                lag: Duration::from_millis(250),
                written: 783,
                lost: 0,
            },
            interfaces: vec![InterfaceView { name: "eth1".into(), attached: "missing".into() }],
            front_ends: Vec::new(),
            gtpc: Vec::new(),
            n2: Vec::new(),
            heard: Heard::default(),
            sbi: None,
        },
    }
}
