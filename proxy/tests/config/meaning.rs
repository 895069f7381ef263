//! What a configuration means: every key, and what is in the place of one that is left out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config;
use pinion::config::model::{
    Algorithm, AllDown, Api, Attach, Aware, Exit, Health, Interface, Probe, Protocol, Store, Timeouts, Tunnel,
    Unknown,
};
use pinion::config::specs;
use pinion_loader::Bounds;
use pinion_steering::{self as steering, Kind, protocol};

const LEAST: &str = "\
services:
  - name: amf
    protocol: sctp
    port: 38412
    addresses: [192.0.2.1, '2001:db8::1']
    unknown: punt
    aware: ngap
    endpoints:
      - name: amf-1
        addresses: [10.0.0.11, '2001:db8::11']
        weight: 3
      - name: amf-2
        addresses: [10.0.0.12, '2001:db8::12']
        port: 38413
  - name: upf
    protocol: gtpu
    addresses: [192.0.2.3]
    endpoints:
      - name: upf-1
        addresses: [10.0.0.21]
";

const WHOLE: &str = "\
interfaces:
  - n2-a
  - {name: n2-b, attach: generic}
  - {name: n3, attach: native}
api: {tls: {listen: '[::1]:7443', certificate: a.pem, key: /etc/b.pem, clients: c.pem}}
metrics: {listen: 192.0.2.10:9090, public: true}
store: {url: 'redis://192.0.2.11:6380/2', wait: true, backlog: 1000, prefix: 'site-a:'}
bounds: {flows: 1000, flows6: 2000, pins: 3000, filters: 500, fragments: 3500, services: 4000, sources: 5000, targets: 6000, maglev: 70000}
on_exit: detach
pools:
  - name: dns
    endpoints:
      - {name: one, addresses: [10.0.0.1], port: 5353, weight: 2, priority: 0}
      - {name: two, addresses: [10.0.0.2], weight: 0}
      - {name: three, addresses: [10.0.0.3], priority: 7}
    health: {kind: udp, port: 5354, interval: 2s, timeout: 1500ms, rise: 1, fall: 255, jitter: 0, payload: '0x00ff', answer: true}
    slow_start: 30s
    drain: 10m
  - name: web
    endpoints: &web
      - {name: one, addresses: [10.0.1.1]}
    health: {kind: http2, path: /healthz, authority: 'nrf.example:8000'}
services:
  - name: dns
    protocol: udp
    port: 53
    addresses: [192.0.2.53]
    pool: dns
    algorithm: round_robin
    all_down: reject
    timeouts: {opening: 1s, established: 2m, closing: 3h, closed: 168h}
  - {name: web, protocol: tcp, port: 80, addresses: [192.0.2.80], pool: web, algorithm: source_affinity, all_down: fail_open}
  - name: own
    protocol: tcp
    port: 8080
    addresses: [192.0.2.80]
    endpoints: *web
    health: {kind: tcp, interval: 100ms}
    algorithm: least_sessions
";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn what_is_left_out_has_a_default() {
    let config = config(LEAST);
    assert_eq!(config.interfaces, []);
    assert_eq!(config.api, Api::Unix { path: PathBuf::from("/run/pinion/api.sock"), mode: 0o660 });
    assert_eq!(config.metrics, None);
    let store = Store { redis: None, wait: false, backlog: 65_536, prefix: "pinion:".to_owned() };
    assert_eq!(config.store, store);
    assert_eq!(config.bounds, Bounds::default());
    assert_eq!(config.exit, Exit::Keep);
    let [amf, upf] = config.services.as_slice() else { panic!("{config:?}") };
    assert_eq!((amf.protocol, amf.port, amf.pool.as_str()), (Protocol::Sctp, 38_412, "amf"));
    assert_eq!((amf.algorithm, amf.unknown, amf.all_down), (Algorithm::Maglev, Unknown::Punt, AllDown::Drop));
    assert_eq!((amf.aware, upf.aware), (Some(Aware::Ngap), None));
    assert_eq!((upf.protocol, upf.port, upf.unknown), (Protocol::Gtpu, 2152, Unknown::Drop));
    let timeouts =
        Timeouts { opening: seconds(30), established: seconds(900), closing: seconds(30), closed: seconds(10) };
    assert_eq!((upf.timeouts, amf.timeouts), (timeouts, timeouts));
    let [pool, _] = config.pools.as_slice() else { panic!("{config:?}") };
    assert_eq!((pool.name.as_str(), &pool.health, pool.slow_start, pool.drain), ("amf", &None, seconds(0), None));
    let endpoints = pool.endpoints.iter().map(|e| (e.name.as_str(), e.port, e.weight, e.priority));
    assert_eq!(endpoints.collect::<Vec<_>>(), [("amf-1", None, 3, 0), ("amf-2", Some(38_413), 1, 0)]);
}

#[test]
fn everything_can_be_said() {
    let config = config(WHOLE);
    let interface = |name: &str, attach| Interface { name: name.to_owned(), attach };
    assert_eq!(
        config.interfaces,
        [interface("n2-a", Attach::Auto), interface("n2-b", Attach::Generic), interface("n3", Attach::Native)]
    );
    let listen: SocketAddr = "[::1]:7443".parse().unwrap();
    let (certificate, key, clients) = ("a.pem".into(), "/etc/b.pem".into(), "c.pem".into());
    assert_eq!(config.api, Api::Tls { listen, certificate, key, clients });
    assert_eq!(config.metrics, Some("192.0.2.10:9090".parse().unwrap()));
    let redis = Some("redis://192.0.2.11:6380/2".to_owned());
    assert_eq!(config.store, Store { redis, wait: true, backlog: 1000, prefix: "site-a:".to_owned() });
    let bounds = Bounds {
        flows: 1000,
        flows6: 2000,
        pins: 3000,
        filters: 500,
        fragments: 3500,
        services: 4000,
        sources: 5000,
        targets: 6000,
        maglev: 70_000,
    };
    assert_eq!((config.bounds, config.exit), (bounds, Exit::Detach));
    let [dns, web, own] = config.pools.as_slice() else { panic!("{config:?}") };
    let udp = Health {
        probe: Probe::Udp { payload: vec![0, 255], answer: true },
        port: Some(5354),
        interval: seconds(2),
        timeout: Duration::from_millis(1500),
        rise: 1,
        fall: 255,
        jitter: 0,
    };
    assert_eq!((&dns.health, dns.slow_start, dns.drain), (&Some(udp), seconds(30), Some(seconds(600))));
    let probe = Probe::Http2 { path: "/healthz".to_owned(), authority: Some("nrf.example:8000".to_owned()) };
    let (interval, timeout) = (seconds(1), Duration::from_millis(500));
    let http2 = Health { probe, port: None, interval, timeout, rise: 2, fall: 3, jitter: 10 };
    assert_eq!(web.health.as_ref(), Some(&http2));
    assert_eq!(own.health.as_ref().unwrap().timeout, Duration::from_millis(100));
    assert_eq!((own.name.as_str(), &own.endpoints), ("own", &web.endpoints));
    let dns = &config.services[0];
    let timeouts = Timeouts {
        opening: seconds(1),
        established: seconds(120),
        closing: seconds(10_800),
        closed: seconds(604_800),
    };
    assert_eq!((dns.algorithm, dns.all_down, dns.timeouts), (Algorithm::RoundRobin, AllDown::Reject, timeouts));
}

#[test]
fn tunnels_keep_their_teid_unless_told_otherwise() {
    let tunnels = "tunnels:\n      - {teid: 0x1001, endpoint: upf-1}\n      - {endpoint_teid: 0xFFFFFFFF, endpoint: upf-1, teid: 7}";
    let config =
        config(&LEAST.replace("addresses: [192.0.2.3]", &format!("addresses: [192.0.2.3]\n    {tunnels}")));
    let tunnel = |teid, endpoint_teid| Tunnel { teid, endpoint: "upf-1".to_owned(), endpoint_teid };
    assert_eq!(config.services[0].tunnels, []);
    assert_eq!(config.services[1].tunnels, [tunnel(4097, 4097), tunnel(7, u32::MAX)]);
}

#[test]
fn replay_runs_what_is_configured_with_every_endpoint_up() {
    let least = specs(&config(LEAST));
    let [amf, upf] = least.as_slice() else { panic!("{least:?}") };
    assert_eq!((amf.kind, amf.protocol, amf.port), (Kind::Sctp, protocol::SCTP, 38_412));
    assert_eq!((amf.aware, upf.aware), (true, false));
    assert_eq!((amf.unknown, amf.placement), (steering::Unknown::Punt, steering::Placement::Maglev));
    let endpoints = amf.endpoints.iter().map(|endpoint| (endpoint.port, endpoint.weight, endpoint.up));
    assert_eq!(endpoints.collect::<Vec<_>>(), [(38_412, 3, true), (38_413, 1, true)]);
    assert_eq!((upf.kind, upf.protocol, upf.port), (Kind::Gtpu, protocol::UDP, 2152));

    let whole = specs(&config(WHOLE));
    let [dns, web, own] = whole.as_slice() else { panic!("{whole:?}") };
    assert_eq!((dns.placement, dns.exhausted), (steering::Placement::RoundRobin, steering::Exhausted::Reject));
    // In turn whatever their weight, but for those without; and none of a later group.
    let endpoints = dns.endpoints.iter().map(|endpoint| (endpoint.port, endpoint.weight));
    assert_eq!(endpoints.collect::<Vec<_>>(), [(5353, 1), (53, 0), (53, 0)]);
    assert_eq!((web.placement, web.exhausted), (steering::Placement::SourceAffinity, steering::Exhausted::Drop));
    assert_eq!(own.placement, steering::Placement::LeastSessions);
}
