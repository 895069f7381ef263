//! What is no YAML, or YAML of another shape.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Case, POOLED, each, whole};
use pinion::config::{Host, parse, read};
use pinion_networks::missing::skipped;

pub(super) const CASES: &[Case] = &[
    (
        "port: 38412",
        "¶prot: 38412\n    port: 38412",
        &[
            "unknown key `prot`; did you mean `port`? a service has name, protocol, port, addresses, pool, endpoints, health, slow_start, drain, algorithm, unknown, aware, all_down, timeouts, tunnels, breakout, pfcp, gtpc and ngap",
        ],
    ),
    (
        "{flows: 200000}",
        "{¶colour: red}",
        &[
            "unknown key `colour`; bounds has flows, flows6, pins, filters, fragments, services, sources, targets and maglev",
        ],
    ),
    (
        "port: 38412",
        "port: 38412\n    ¶port: 38413",
        &["`port` is already given at line 23; leave one of them out"],
    ),
    (
        "store: memory",
        "store: memory\n¶metrics: 127.0.0.1:9091",
        &["`metrics` is already given at line 3; leave one of them out"],
    ),
    ("    port: 38412", "  ¶\tport: 38412", &["a tab; indent with spaces"]),
    (
        "store: memory",
        "store: ¶*there",
        &["an alias of an anchor that is not there; put `&NAME` before the value, above"],
    ),
    ("store: memory", "store: ¶!secret memory", &["the tag `!secret` has no meaning here; leave it out"]),
    ("pool: amfs", "¶pool:", &["no name; give up to 64 letters, digits, dots, dashes or underscores"]),
    ("{flows: 200000}", "{¶[a]: 1, flows: 1}", &["a list is no key; give a word"]),
    (
        "  - name: dns\n",
        "¶---\n  - name: dns\n",
        &["a second document begins; put everything in one, without `---`"],
    ),
    (
        "[n2-a, n2-b]",
        "¶{n2-a: n2-b}",
        &["a mapping is no list; give items that begin with `- `, or in brackets and separated by commas"],
    ),
    (
        "{established: 15m}",
        "¶[15m]",
        &["a list is no timeouts; give a mapping with opening, established, closing and closed"],
    ),
    (
        "{kind: sctp}",
        "¶sctp",
        &[
            "sctp is no health; give a mapping with kind, port, interval, timeout, rise, fall, jitter, payload, answer, path and authority",
        ],
    ),
    (
        "name: amf-1",
        "name: ¶[amf-1]",
        &["a list is no name; give up to 64 letters, digits, dots, dashes or underscores"],
    ),
];

#[test]
fn what_is_no_yaml_or_of_another_shape() {
    each(POOLED, CASES, &Host::default());
}

#[test]
fn what_is_wrong_as_a_whole() {
    whole(&[
        ("¶", &["nothing in it; begin with `services:`"]),
        ("¶# nothing\n\n", &["nothing in it; begin with `services:`"]),
        ("services: ¶[]", &["no service; give one at least"]),
        ("¶services:", &["no list; give items that begin with `- `, or in brackets and separated by commas"]),
        ("¶on_exit: keep", &["neither `services` nor `sbi`; give one of them, or both"]),
        (
            "¶- services",
            &[
                "a list is no configuration; give a mapping with interfaces, api, metrics, store, bounds, on_exit, pools, services and sbi",
            ],
        ),
        (
            "¶services",
            &[
                "services is no configuration; give a mapping with interfaces, api, metrics, store, bounds, on_exit, pools, services and sbi",
            ],
        ),
    ]);
}

#[test]
fn deep_nesting_is_refused() {
    let found = parse("[".repeat(100_000).as_bytes(), &Host::default()).unwrap_err();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].what(), "nested more than 32 deep; nothing here needs more than 6");
    let found = parse("- ".repeat(100_000).as_bytes(), &Host::default()).unwrap_err();
    assert_eq!(found[0].what(), "nested more than 32 deep; nothing here needs more than 6");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let said = |path: &std::path::Path| {
        let error = read(path, &Host::default()).unwrap_err().to_string();
        error.replace(&path.display().to_string(), "FILE")
    };
    let missing = folder.path().join("absent");
    assert_eq!(said(&missing), "FILE: cannot read: No such file or directory (os error 2); check the path");
    assert_eq!(said(folder.path()), "FILE: cannot read: Is a directory (os error 21); give a file in it");
    let latin1 = place("latin1", b"services:\n  - name: \xc3\xa9t\xe9\n");
    assert_eq!(said(&latin1), "FILE:2:13: byte 0xe9 is no UTF-8; save the file as UTF-8");
    assert_eq!(said(&place("empty", b"")), "FILE:1:1: nothing in it; begin with `services:`");
    let secret = place("secret", b"services: []");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read(&secret).is_ok() {
        skipped("an unreadable file, since this user reads every file");
    } else {
        let expected = "FILE: cannot read: Permission denied (os error 13); make it readable for this user";
        assert_eq!(said(&secret), expected);
    }
    let endless = std::path::Path::new("/dev/zero");
    assert_eq!(said(endless), "FILE: longer than 64 MiB; give a configuration file");
}
