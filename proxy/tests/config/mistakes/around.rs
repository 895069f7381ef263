//! What is around services: interfaces, API, metrics, store, tables, this host.

use std::fs;

use super::{Case, POOLED, each};
use crate::{mistakes, mistakes_here};
use pinion::config::{Host, parse, specs};
use pinion_loader::setup::Setup;
use pinion_loader::user::UserEngine;

pub(super) const CASES: &[Case] = &[
    ("[n2-a, n2-b]", "[n2-a, ¶n2-a]", &["interface n2-a is already at line 1; leave one of them out"]),
    (
        "[n2-a, n2-b]",
        "[n2-a, ¶a-very-long-name]",
        &["a-very-long-name is no name of an interface; give one that `ip link` shows, of at most 15 bytes"],
    ),
    (
        "[n2-a, n2-b]",
        "[¶{attach: native}, n2-b]",
        &["an interface without `name`; give one that `ip link` shows, of at most 15 bytes"],
    ),
    (
        "[n2-a, n2-b]",
        "[{name: n2-a, attach: ¶driver}]",
        &["driver is no way to attach; give auto, native or generic"],
    ),
    ("{unix: /run/pinion/api.sock}", "¶{}", &["neither `unix` nor `tls`; give one of them"]),
    (
        "{unix: /run/pinion/api.sock}",
        "{unix: ¶pinion.sock}",
        &["pinion.sock is no path of a unix socket; give one that begins with `/`, of at most 107 bytes"],
    ),
    (
        "{unix: /run/pinion/api.sock}",
        "{unix: /run/p.sock, mode: ¶0660}",
        &["0660 is no mode of a unix socket; give octal digits in quotes, from '0000' to '0777', such as '0660'"],
    ),
    (
        "{unix: /run/pinion/api.sock}",
        "{unix: /run/p.sock, mode: ¶'0888'}",
        &["0888 is no mode of a unix socket; give octal digits in quotes, from '0000' to '0777', such as '0660'"],
    ),
    (
        "{unix: /run/pinion/api.sock}",
        "{mode: ¶'1777'}",
        &["1777 is no mode of a unix socket; give octal digits in quotes, from '0000' to '0777', such as '0660'"],
    ),
    (
        "{unix: /run/pinion/api.sock}",
        "{unix: ¶/run/p.sock, mode: ¶'0660', tls: {listen: '127.0.0.1:7443', certificate: a, key: b, clients: c}}",
        &["`unix` beside `tls`; leave one of them out", "`mode` is for a unix socket; leave it out beside `tls`"],
    ),
    (
        "{unix: /run/pinion/api.sock}",
        "{tls: ¶{listen: '127.0.0.1:7443', certificate: a, key: b}}",
        &["tls without `clients`; give the path of a file"],
    ),
    (
        "{unix: /run/pinion/api.sock}",
        "{tls: {listen: ¶127.0.0.1, certificate: a, key: b, clients: ¶''}}",
        &[
            "127.0.0.1 is no address with a port; give both, such as 127.0.0.1:9090 or '[::1]:9090'",
            "'' is no path; give the path of a file",
        ],
    ),
    (
        "metrics: 127.0.0.1:9090",
        "metrics: ¶0.0.0.0:9090",
        &[
            "0.0.0.0:9090 is no loopback address, and /metrics asks nobody who they are; give 127.0.0.1:9090, or say that it is meant by `metrics: {listen: '0.0.0.0:9090', public: true}`",
        ],
    ),
    (
        "metrics: 127.0.0.1:9090",
        "metrics: {listen: ¶192.0.2.1:9090, public: false}",
        &[
            "192.0.2.1:9090 is no loopback address, and /metrics asks nobody who they are; give 127.0.0.1:9090, or say that it is meant by `metrics: {listen: '192.0.2.1:9090', public: true}`",
        ],
    ),
    (
        "metrics: 127.0.0.1:9090",
        "metrics: ¶9090",
        &["9090 is no address with a port; give both, such as 127.0.0.1:9090 or '[::1]:9090'"],
    ),
    (
        "metrics: 127.0.0.1:9090",
        "metrics: ¶127.0.0.1:0",
        &["127.0.0.1:0 is no address with a port; give both, such as 127.0.0.1:9090 or '[::1]:9090'"],
    ),
    (
        "metrics: 127.0.0.1:9090",
        "metrics: {listen: 127.0.0.1:9090, public: ¶maybe}",
        &["maybe is no yes or no; give true or false"],
    ),
    (
        "store: memory",
        "store: ¶disk",
        &["disk is no store; give memory, or a URL such as redis://192.0.2.10:6379/0; TLS (rediss) is not spoken"],
    ),
    (
        "store: memory",
        "store: ¶http://192.0.2.10",
        &[
            "http://192.0.2.10 is no store; give memory, or a URL such as redis://192.0.2.10:6379/0; TLS (rediss) is not spoken",
        ],
    ),
    (
        "store: memory",
        "store: ¶rediss://192.0.2.10",
        &[
            "rediss://192.0.2.10 is no store; give memory, or a URL such as redis://192.0.2.10:6379/0; TLS (rediss) is not spoken",
        ],
    ),
    (
        "store: memory",
        "store: ¶{wait: true}",
        &["store without `url`; give one such as redis://192.0.2.10:6379/0; TLS (rediss) is not spoken"],
    ),
    (
        "store: memory",
        "store: {url: ¶memory}",
        &["memory is no URL of a store; give one such as redis://192.0.2.10:6379/0; TLS (rediss) is not spoken"],
    ),
    (
        "store: memory",
        "store: {url: 'redis://192.0.2.10', backlog: ¶0, prefix: ¶'a b'}",
        &[
            "0 is no backlog; give a number of changes from 1 to 16777216",
            "a b is no prefix; give up to 64 printable characters without blanks",
        ],
    ),
    ("store: memory", "on_exit: ¶stop", &["stop is no way to end; give keep or detach"]),
    ("{flows: 200000}", "{flows: ¶0}", &["0 is no bound; give a number of entries from 1 to 67108864"]),
    (
        "{flows: 200000}",
        "{pins: ¶100000000}",
        &["100000000 is no bound; give a number of entries from 1 to 67108864"],
    ),
    ("{flows: 200000}", "{flows: ¶200k}", &["200k is no bound; give a number of entries from 1 to 67108864"]),
    (
        "{flows: 200000}",
        "{services: ¶15}",
        &[
            "table `services` holds 15 entries and what is configured needs 16; raise it by `bounds: {services: 16}` or more, or configure less",
        ],
    ),
    (
        "{flows: 200000}",
        "{sources: ¶4}",
        &[
            "table `sources` holds 4 entries and what is configured needs 5; raise it by `bounds: {sources: 5}` or more, or configure less",
        ],
    ),
    (
        "{flows: 200000}",
        "{targets: ¶9}",
        &[
            "table `targets` holds 9 entries and what is configured needs 10; raise it by `bounds: {targets: 10}` or more, or configure less",
        ],
    ),
    // The least primes of 100 slots for each endpoint are 101 and 211, twice over for reloads.
    (
        "{flows: 200000}",
        "{maglev: ¶825}",
        &[
            "table `maglev` holds 825 entries and what is configured needs 826; raise it by `bounds: {maglev: 826}` or more, or configure less",
        ],
    ),
];

#[test]
fn what_is_around_services() {
    each(POOLED, CASES, &Host::default());
}

/// The loader itself lays out what is just found to fit, and refuses one less.
#[test]
fn bounds_are_the_loaders() {
    let exact = POOLED.replace("{flows: 200000}", "{services: 16, sources: 5, targets: 10, maglev: 826}");
    let config = parse(exact.as_bytes(), &Host::default()).unwrap().config;
    Setup::default().apply(&mut UserEngine::new(config.bounds), &specs(&config)).unwrap();
    for field in [0, 1, 2, 3] {
        let mut bounds = config.bounds;
        match field {
            0 => bounds.services -= 1,
            1 => bounds.sources -= 1,
            2 => bounds.targets -= 1,
            _ => bounds.maglev -= 1,
        }
        let refused = Setup::default().apply(&mut UserEngine::new(bounds), &specs(&config));
        assert!(refused.is_err(), "{bounds:?}");
    }
}

#[test]
fn what_does_not_fit_by_default_is_named_at_the_services() {
    let mut text = "pools:\n  - name: p\n    endpoints:\n".to_owned();
    for n in 0..1024 {
        let address = std::net::Ipv4Addr::from(0x0a00_0001 + n);
        text += &format!("      - {{name: e{n}, addresses: [{address}]}}\n");
    }
    text += "services:\n";
    for port in 1..=17 {
        text += &format!("  - {{name: s{port}, protocol: sctp, port: {port}, addresses: [192.0.2.1], pool: p}}\n");
    }
    assert_eq!(
        mistakes(&text),
        [
            "1029:3: table `maglev` holds 1048576 entries and what is configured needs 3481838; raise it by `bounds: {maglev: 3481838}` or more, or configure less",
            "1029:3: table `sources` holds 16384 entries and what is configured needs 17408; raise it by `bounds: {sources: 17408}` or more, or configure less",
        ]
    );
}

#[test]
fn files_are_looked_for_where_they_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    fs::write(place("a.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    fs::write(place("empty.pem"), "").unwrap();
    let api = format!(
        "{{tls: {{listen: '127.0.0.1:7443', certificate: {}, key: {}, clients: {}}}}}",
        place("a.pem"),
        place("empty.pem"),
        place("none.pem")
    );
    let text = POOLED.replace("{unix: /run/pinion/api.sock}", &api);
    assert_eq!(mistakes(&text), [""; 0]);
    let found = mistakes_here(&text, &Host { files: true, ..Host::default() });
    let column = |name: &str| text.lines().nth(1).unwrap().find(&place(name)).unwrap() + 1;
    assert_eq!(
        found,
        [
            format!(
                "2:{}: the key {} is empty; give a PEM file that the daemon can read",
                column("empty.pem"),
                place("empty.pem")
            ),
            format!(
                "2:{}: the clients' authorities {} is not there; give a PEM file that the daemon can read",
                column("none.pem"),
                place("none.pem")
            ),
        ]
    );
}
