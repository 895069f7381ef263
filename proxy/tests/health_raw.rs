//! ICMP and SCTP probes, and ICMP errors on the way, in namespaces of the test's own.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "the helpers of a test may stop at the first surprise, as it may")]

#[path = "health/common.rs"]
mod common;
#[path = "health/namespace.rs"]
mod namespace;

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use pinion::config::model::Probe;
use pinion::health::probe::{Prober, Sockets};
use pinion::health::{Chance, Checker, Limits, Target};
use pinion_networks::missing::skipped;

use common::{answers, brief, probe, target, words};
use namespace::{Other, alone, shell};

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

/// How many sockets of a kind this namespace has, by the kernel's own table.
fn sockets(kind: &str) -> usize {
    fs::read_to_string(Path::new("/proc/thread-self/net").join(kind)).unwrap().lines().count() - 1
}

#[test]
fn a_raw_socket_echoes_where_ping_sockets_are_not_permitted() {
    alone(|| async {
        fs::write("/proc/sys/net/ipv4/ping_group_range", "1 0").unwrap();
        for address in ["127.0.0.1", "::1"] {
            let outcome = probe(target(at(address, 0), Probe::Icmp)).await;
            assert!(answers(&outcome), "{address}: {}", words(&outcome));
        }
    });
}

#[test]
fn a_ping_socket_echoes_where_it_is_permitted() {
    alone(|| async {
        fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647").unwrap();
        let prober = Sockets::new(SystemTime::now());
        for (address, raw, ping) in [("127.0.0.1", "raw", "icmp"), ("::1", "raw6", "icmp6")] {
            let before = sockets(raw);
            for draw in [1, 2] {
                let target = Arc::new(target(at(address, 0), Probe::Icmp));
                let outcome = prober.probe(target, [draw, draw]).await;
                assert!(answers(&outcome), "{address}: {}", words(&outcome));
            }
            assert_eq!((sockets(ping), sockets(raw)), (1, before));
        }
    });
}

#[test]
fn a_thousand_endpoints_share_a_raw_socket() {
    alone(|| async {
        fs::write("/proc/sys/net/ipv4/ping_group_range", "1 0").unwrap();
        let addresses = (0..1024_u32).map(|number| Ipv4Addr::from_bits(0x7f01_0000 + number));
        let targets = addresses.enumerate().map(|(number, address)| Target {
            endpoint: format!("endpoint-{number}").into(),
            ..target(SocketAddr::new(address.into(), 0), Probe::Icmp)
        });
        let prober = Sockets::new(SystemTime::now());
        let chance = Chance::from_system();
        let (checker, mut changes) = Checker::start(targets.collect(), prober, Limits::default(), chance);
        for _ in 0..1024 {
            let change = changes.recv().await.unwrap();
            assert!(change.up, "{change:?}");
        }
        assert_eq!(sockets("raw"), 1);
        assert!(checker.snapshot().await.iter().all(|status| status.view.round_trip.is_some()));
    });
}

#[test]
fn an_echo_comes_from_the_address_that_is_given() {
    for range in ["1 0", "0 2147483647"] {
        alone(move || async move {
            fs::write("/proc/sys/net/ipv4/ping_group_range", range).unwrap();
            let Ok(_other) = Other::reached() else {
                skipped("no second namespace can be made: install util-linux and iproute2");
                return;
            };
            shell(
                "ip address add 10.99.0.9/24 dev here
                ip address add 192.0.2.9/32 dev here
                ip address add fd98::9/128 dev here nodad",
            )
            .unwrap();
            for (to, from, answered) in [
                ("10.99.0.2", "10.99.0.9", true),
                ("10.99.0.2", "192.0.2.9", false),
                ("fd99::2", "fd99::1", true),
                ("fd99::2", "fd98::9", false),
            ] {
                let asked = Target { from: Some(from.parse().unwrap()), ..target(at(to, 0), Probe::Icmp) };
                let outcome = probe(if answered { asked } else { brief(asked) }).await;
                assert_eq!(answers(&outcome), answered, "{from} to {to}: {}", words(&outcome));
            }
        });
    }
}

#[test]
fn who_says_that_there_is_no_way_is_told() {
    for range in ["1 0", "0 2147483647"] {
        alone(move || async move {
            fs::write("/proc/sys/net/ipv4/ping_group_range", range).unwrap();
            let Ok(_other) = Other::reached() else {
                skipped("no second namespace can be made: install util-linux and iproute2");
                return;
            };
            let udp = Probe::Udp { payload: b"x".to_vec(), answer: false };
            for kind in [Probe::Icmp, Probe::Sctp, Probe::Gtpu, Probe::Tcp, udp] {
                for (to, expected) in [
                    ("198.51.100.7", "no way there (ICMP network unreachable from 10.99.0.2)"),
                    ("2001:db8::7", "no way there (ICMPv6 network unreachable from fd99::2)"),
                ] {
                    assert_eq!(words(&probe(target(at(to, 2152), kind.clone())).await), expected, "{kind:?}");
                }
            }
        });
    }
}

#[test]
fn a_host_without_sctp_refuses() {
    alone(|| async {
        let Ok(_other) = Other::reached() else {
            skipped("no second namespace can be made: install util-linux and iproute2");
            return;
        };
        for (to, without) in [
            ("10.99.0.2", "connection refused (ICMP protocol unreachable from 10.99.0.2)"),
            ("fd99::2", "connection refused (ICMPv6 unknown next header from fd99::2)"),
        ] {
            let said = words(&probe(target(at(to, 38412), Probe::Sctp)).await);
            // A kernel with SCTP answers by itself.
            assert!(said == without || said.starts_with("association refused (ABORT"), "{said}");
        }
    });
}

#[test]
fn an_echo_to_nowhere_waits_in_vain() {
    alone(|| async {
        let said = words(&probe(target(at("192.0.2.1", 0), Probe::Icmp)).await);
        assert_eq!(said, "no way there from this host (network unreachable)");
        let Ok(_other) = Other::reached() else {
            skipped("no second namespace can be made: install util-linux and iproute2");
            return;
        };
        shell("ip neighbour add 10.99.0.77 lladdr 02:00:00:00:00:77 dev here").unwrap();
        let said = words(&probe(brief(target(at("10.99.0.77", 0), Probe::Icmp))).await);
        assert_eq!(said, "no answer to ICMP echo within 300 ms");
    });
}

/// The SCTP endpoints that scapy plays.
struct Peer {
    lines: Lines<BufReader<ChildStdout>>,
    child: Child,
}

impl Peer {
    fn start(address: &str) -> Option<Self> {
        let Some(python) = python() else {
            skipped("no Python with scapy: set PINION_PYTHON, or make a venv in target/venv");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/health/sctp_peer.py");
        let mut command = Command::new(python);
        command.arg(script).arg(address).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut peer = Self { lines: BufReader::new(child.stdout.take().unwrap()).lines(), child };
        assert_eq!(peer.line(), "ready");
        Some(peer)
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> Option<PathBuf> {
    let named = std::env::var_os("PINION_PYTHON").map(PathBuf::from);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    named.into_iter().chain([made, "python3".into()]).find(|python| {
        let mut command = Command::new(python);
        let asked = command.args(["-c", "import scapy.layers.sctp"]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    })
}

#[test]
fn sctp_endpoints_accept_refuse_and_are_not_mistaken() {
    for address in ["127.0.0.1", "::1"] {
        alone(move || async move {
            let Some(mut peer) = Peer::start(address) else { return };
            for (port, expected) in [
                (38412, "answers SCTP INIT"),
                (38413, "association refused (ABORT, cause 4)"),
                (38414, "answers SCTP INIT"),
                (38415, "no answer to SCTP INIT within 300 ms"),
                (38416, "no answer to SCTP INIT within 300 ms"),
            ] {
                let asked = target(at(address, port), Probe::Sctp);
                let outcome = probe(if port > 38414 { brief(asked) } else { asked }).await;
                assert_eq!(words(&outcome), expected, "{address} port {port}");
                assert_eq!(peer.line(), format!("init {port} vtag 0 checksum right streams 10"));
                if answers(&outcome) {
                    assert_eq!(peer.line(), format!("abort {port} vtag 0x11223344 checksum right"));
                }
            }
        });
    }
}

#[test]
fn an_init_comes_from_the_address_that_is_given() {
    alone(|| async {
        let Some(mut peer) = Peer::start("127.0.0.1") else { return };
        let from: IpAddr = "127.0.0.7".parse().unwrap();
        let outcome = probe(Target { from: Some(from), ..target(at("127.0.0.1", 38412), Probe::Sctp) }).await;
        assert_eq!(words(&outcome), "answers SCTP INIT");
        assert_eq!(peer.line(), "init 38412 vtag 0 checksum right streams 10");
        assert_eq!(peer.line(), "abort 38412 vtag 0x11223344 checksum right");
    });
}
