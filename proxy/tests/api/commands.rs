//! The commands as a user meets them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use insta::{assert_snapshot, with_settings};
use serde_json::Value;

use crate::daemon::{Local, code, err, out, pinion, socket};
use crate::sample::Sample;

const RESOURCE: &str = "http://192.0.2.61:8000/nsmf-pdusession/v1/sm-contexts/1";

/// What a command prints, which must go well.
fn printed(args: &[&str]) -> String {
    let daemon = Local::start(Sample::default());
    let output = daemon.pinion(args);
    assert_eq!((code(&output), err(&output)), (0, String::new()), "{args:?}");
    out(&output)
}

#[test]
fn tables_are_for_people() {
    with_settings!({omit_expression => true}, {
        assert_snapshot!("services", printed(&["services"]));
        assert_snapshot!("endpoints", printed(&["endpoints"]));
        assert_snapshot!("sessions", printed(&["sessions"]));
        assert_snapshot!("stats", printed(&["stats"]));
        assert_snapshot!("drain", printed(&["drain", "amf-1", "--deadline", "1m30s"]));
        assert_snapshot!("undo", printed(&["drain", "amf/amf-3", "--undo"]));
        assert_snapshot!("weight", printed(&["weight", "amf-2", "50"]));
        assert_snapshot!("explain", printed(&["explain", "tag:305419896"]));
        assert_snapshot!("sessions_n4", printed(&["sessions", "n4"]));
        assert_snapshot!("sessions_gtpc", printed(&["sessions", "gtpc"]));
        assert_snapshot!("sessions_n2", printed(&["sessions", "n2"]));
        assert_snapshot!("explain_ue", printed(&["explain", "ue:102@001-01-gnb-000001/24"]));
        assert_snapshot!("explain_tmsi", printed(&["explain", "tmsi:1-2-0x01020304"]));
        assert_snapshot!("sessions_sbi", printed(&["sessions", "sbi"]));
        assert_snapshot!("explain_uri", printed(&["explain", RESOURCE]));
        assert_snapshot!("explain_teid", printed(&["explain", "teid:0xa0000001"]));
        assert_snapshot!("explain_seid", printed(&["explain", "seid:0x500000001"]));
        assert_snapshot!("classify", printed(&["sessions", "classify", "teid:0x1001"]));
        assert_snapshot!("classify_none", printed(&["sessions", "classify", "teid:4097", "--none"]));
        assert_snapshot!("explain_nothing", printed(&["explain", "nothing"]));
        assert_snapshot!("reload", printed(&["reload"]));
    });
}

#[test]
fn json_is_for_programs() {
    let json = |args: &[&str]| printed(&[args, &["--format", "json"]].concat());
    with_settings!({omit_expression => true}, {
        assert_snapshot!("services_json", json(&["services"]));
        assert_snapshot!("endpoints_json", json(&["endpoints", "--pool", "amf"]));
        assert_snapshot!("sessions_json", json(&["sessions"]));
        assert_snapshot!("sessions_n4_json", json(&["sessions", "n4"]));
        assert_snapshot!("sessions_gtpc_json", json(&["sessions", "gtpc"]));
        assert_snapshot!("sessions_n2_json", json(&["sessions", "n2"]));
        assert_snapshot!("explain_ue_json", json(&["explain", "ue:102@001-01-gnb-000001/24"]));
        assert_snapshot!("explain_tmsi_json", json(&["explain", "tmsi:1-2-0x01020304"]));
        assert_snapshot!("sessions_sbi_json", json(&["sessions", "sbi", "--all"]));
        assert_snapshot!("explain_uri_json", json(&["explain", RESOURCE]));
        assert_snapshot!("explain_teid_json", json(&["explain", "teid:0xa0000001"]));
        assert_snapshot!("explain_seid_json", json(&["explain", "seid:0x500000001"]));
        assert_snapshot!("classify_json", json(&["sessions", "classify", "teid:0x1001", "--filter", "one", "--filter", "two"]));
        assert_snapshot!("stats_json", json(&["stats"]));
        assert_snapshot!("drain_json", json(&["drain", "upf/amf-3"]));
        assert_snapshot!("weight_json", json(&["weight", "upf/amf-3", "0"]));
        assert_snapshot!("explain_json", json(&["explain", "tag:305419896"]));
        assert_snapshot!("reload_json", json(&["reload"]));
    });
}

/// All keys of a value, those of its parts included.
fn keys(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            found.push(key.clone());
            keys(value, found);
        }),
        Value::Array(array) => array.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn help_lists_every_key_of_the_json() {
    for args in [
        &["services"][..],
        &["endpoints"],
        &["sessions"],
        &["sessions", "n4"],
        &["sessions", "gtpc"],
        &["sessions", "n2"],
        &["stats"],
        &["reload"],
    ] {
        let value: Value = serde_json::from_str(&printed(&[args, &["--format", "json"]].concat())).unwrap();
        let mut found = Vec::new();
        keys(&value, &mut found);
        assert!(found.len() > 1);
        let help = printed(&[args, &["--help"]].concat());
        let words: Vec<_> = help.split(|char: char| !char.is_alphanumeric() && char != '_').collect();
        for key in found {
            assert!(words.contains(&key.as_str()), "{args:?}: {key} is missing in\n{help}");
        }
    }
}

#[test]
fn every_command_has_help_with_examples() {
    let commands = ["services", "endpoints", "sessions", "stats", "drain", "weight", "explain", "reload", "top"];
    let longer =
        [vec!["sessions", "n4"], vec!["sessions", "gtpc"], vec!["sessions", "n2"], vec!["sessions", "classify"]];
    for command in commands.map(|command| vec![command]).into_iter().chain(longer) {
        let help = printed(&[&command[..], &["--help"]].concat());
        for word in ["Examples:", "Exit codes:", "--api", "--certificate", "PINION_API"] {
            assert!(help.contains(word), "{command:?}: {word} is missing in\n{help}");
        }
    }
}

#[test]
fn a_change_stays() {
    let daemon = Local::start(Sample::default());
    let state = || -> Value {
        let output = daemon.pinion(&["endpoints", "--format", "json"]);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(code(&daemon.pinion(&["drain", "amf-1", "--deadline", "5m"])), 0);
    assert_eq!(state()[0]["state"], "draining");
    assert_eq!(state()[0]["deadline_seconds"], 300.0);
    assert_eq!(code(&daemon.pinion(&["drain", "amf-1", "--undo"])), 0);
    assert_eq!((&state()[0]["state"], &state()[0]["deadline_seconds"]), (&"up".into(), &Value::Null));
    assert_eq!(code(&daemon.pinion(&["weight", "amf-1", "7"])), 0);
    assert_eq!(state()[0]["weight"], 7);
}

#[test]
fn sessions_are_filtered() {
    let daemon = Local::start(Sample::with_sessions(1000));
    let count = |args: &[&str]| {
        let output = daemon.pinion(&[&["sessions", "--all", "--format", "json"], args].concat());
        assert_eq!((code(&output), err(&output)), (0, String::new()), "{args:?}");
        let sessions: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        sessions.len()
    };
    assert_eq!(count(&[]), 1000);
    assert_eq!(count(&["--service", "n2"]), 333);
    assert_eq!(count(&["--endpoint", "upf/amf-3"]), 333);
    assert_eq!(count(&["--state", "established"]), 250);
    assert_eq!(count(&["--client", "192.0.2.3"]), 2);
    assert_eq!(count(&["--service", "n2", "--client", "192.0.2.3"]), 0);
}

#[test]
fn n4_sessions_are_filtered() {
    let daemon = Local::start(Sample::with_sessions(1000));
    let count = |args: &[&str]| {
        let output = daemon.pinion(&[&["sessions", "n4", "--all", "--format", "json"], args].concat());
        assert_eq!((code(&output), err(&output)), (0, String::new()), "{args:?}");
        serde_json::from_slice::<Vec<Value>>(&output.stdout).unwrap().len()
    };
    assert_eq!(count(&[]), 1000);
    assert_eq!(count(&["--service", "upf-control"]), 1000);
    assert_eq!(count(&["--upf", "upf-2"]), 500);
    assert_eq!(count(&["--upf", "upf-control/upf-1", "--smf", "192.0.2.50"]), 500);
    assert_eq!(count(&["--upf", "upf-control/upf-1", "--smf", "2001:db8::50"]), 0);
}

#[test]
fn ues_are_filtered() {
    let daemon = Local::start(Sample::with_sessions(1000));
    let count = |args: &[&str]| {
        let output = daemon.pinion(&[&["sessions", "n2", "--all", "--format", "json"], args].concat());
        assert_eq!((code(&output), err(&output)), (0, String::new()), "{args:?}");
        serde_json::from_slice::<Vec<Value>>(&output.stdout).unwrap().len()
    };
    assert_eq!(count(&["--service", "n2-ue"]), 1000);
    assert_eq!(count(&["--endpoint", "amf-2"]), 500);
    assert_eq!(count(&["--endpoint", "amf/amf-1", "--gnb", "001-01-gnb-000001/24"]), 500);
    assert_eq!(count(&["--endpoint", "amf/amf-1", "--gnb", "001-01-gnb-000002/24"]), 0);
    assert_eq!(count(&["--mode", "association"]), 333);
}

#[test]
fn all_sessions_come_page_by_page() {
    let daemon = Local::start(Sample::with_sessions(25_000));
    let output = daemon.pinion(&["sessions", "n4", "--all"]);
    assert_eq!((code(&output), out(&output).lines().count()), (0, 25_001));
    let output = daemon.pinion(&["sessions", "n4", "--limit", "7"]);
    assert_eq!(out(&output).lines().count(), 9);
    assert!(out(&output).ends_with("there are more; --all lists every one\n"));
    let output = daemon.pinion(&["sessions", "--all"]);
    assert_eq!((code(&output), out(&output).lines().count()), (0, 25_001));
    let output = daemon.pinion(&["sessions", "--limit", "2500", "--format", "json"]);
    let sessions: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(sessions.len(), 2500);
    assert_eq!(out(&output).lines().count(), 2502, "one object a line");
    let output = daemon.pinion(&["sessions"]);
    assert_eq!(out(&output).lines().count(), 102);
    assert!(out(&output).ends_with("there are more; --all lists every one\n"));
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let daemon = Local::start(Sample::with_sessions(200_000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_pinion"))
        .args(["sessions", "--all", "--api", &format!("unix:{}", daemon.socket().display())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), err(&output)), (0, String::new()));
}

#[test]
fn refusals_are_in_the_daemons_words() {
    let daemon = Local::start(Sample::with_mistakes("pinion.yaml:3:5: wrong\npinion.yaml:9:1: worse".into()));
    for (args, expected, words) in [
        (&["drain", "amf-9"][..], 1, "there is no endpoint amf-9; `pinion endpoints` lists them"),
        (&["drain", "amf-3"], 2, "several pools have an endpoint amf-3: amf, upf; say POOL/amf-3"),
        (&["weight", "amf-9", "1"], 1, "there is no endpoint amf-9"),
        (&["endpoints", "--pool", "smf"], 1, "there is no pool smf; `pinion endpoints` lists them"),
        (&["sessions", "--service", "n9"], 1, "there is no service n9; `pinion services` lists them"),
        (&["sessions", "n4", "--service", "n2"], 1, "there is no PFCP service n2; `pinion services` lists them"),
        (
            &["sessions", "gtpc", "--service", "n2"],
            1,
            "there is no GTPv2-C service n2; `pinion services` lists them",
        ),
        (&["sessions", "n2", "--service", "n3"], 1, "there is no NGAP service n3; `pinion services` lists them"),
        (
            &["sessions", "classify", "teid:9"],
            1,
            "no tunnel with TEID 0x00000009 is pinned; `pinion sessions` lists them",
        ),
        (&["sessions", "classify", "teid:9", "--service", "n4"], 1, "there is no service n4"),
        (
            &["sessions", "classify", "teid:7"],
            2,
            "several services have a tunnel with TEID 0x00000007: n3, n9; say which",
        ),
        (&["sessions", "classify", "teid:7", "--service", "n3", "--filter", ""], 2, "filter: empty"),
        (&["explain", "what"], 2, "what is no key; give an address"),
        (&["explain", ""], 2, "key: empty"),
        (&["explain", &"9".repeat(257)], 2, "key: 257 bytes; 256 are the most"),
        (&["reload"], 2, "pinion.yaml:3:5: wrong\npinion.yaml:9:1: worse\n"),
    ] {
        let output = daemon.pinion(args);
        assert_eq!((code(&output), out(&output)), (expected, String::new()), "{args:?}: {}", err(&output));
        assert!(err(&output).starts_with(&format!("pinion: {words}")), "{args:?}: {}", err(&output));
    }
}

#[test]
fn a_long_list_of_mistakes_arrives() {
    let mistakes: Vec<_> = (1..=2000).map(|line| format!("pinion.yaml:{line}:1: \"{line}\" wrong")).collect();
    let daemon = Local::start(Sample::with_mistakes(mistakes.join("\n")));
    let output = daemon.pinion(&["reload"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).starts_with("pinion: pinion.yaml:1:1: \"1\" wrong\n"), "{}", err(&output));
    assert!(err(&output).ends_with("more; `pinion check CONFIG` lists every one\n"), "{}", err(&output));
}

#[test]
fn bad_usage_is_2() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket(&folder);
    for args in [
        &["sessions", "--state", "asleep"][..],
        &["sessions", "--limit", "0"],
        &["sessions", "--limit", "1", "--all"],
        &["sessions", "--client", "somebody"],
        &["sessions", "n5"],
        &["sessions", "--limit", "1", "n4"],
        &["sessions", "n4", "--limit", "0"],
        &["sessions", "n4", "--client", "192.0.2.1"],
        &["sessions", "n4", "--smf", "somebody"],
        &["sessions", "n2", "--mode", "some"],
        &["sessions", "classify"],
        &["sessions", "classify", "teid:0"],
        &["sessions", "classify", "tag:7"],
        &["sessions", "classify", "teid:7", "--none", "--filter", "ip from any to any via a/b"],
        &["drain"],
        &["drain", "amf-1", "--deadline", "soon"],
        &["drain", "amf-1", "--deadline", "400d"],
        &["drain", "amf-1", "--deadline", "5m", "--undo"],
        &["weight", "amf-1"],
        &["weight", "amf-1", "65536"],
        &["weight", "amf-1", "-1"],
        &["services", "--format", "xml"],
        &["services", "--api", "/run/pinion/api.sock"],
        &["services", "--api", "http://127.0.0.1:7443"],
        &["services", "--api", "https://127.0.0.1:7443"],
        &["explain"],
    ] {
        let output = pinion(&socket, args);
        assert_eq!((code(&output), out(&output)), (2, String::new()), "{args:?}: {}", err(&output));
    }
}

#[test]
fn no_daemon_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket(&folder);
    let expected = format!(
        "pinion: no daemon listens at {}; start one with `pinion run CONFIG`, or say with --api where one is\n",
        socket.display()
    );
    let output = pinion(&socket, &["services"]);
    assert_eq!((code(&output), err(&output)), (1, expected.clone()));
    // A socket whose daemon died.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let output = pinion(&socket, &["services"]);
    assert_eq!((code(&output), err(&output)), (1, expected));
}

#[test]
fn something_else_that_listens_is_no_daemon() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let socket = socket(&folder);
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let speaker = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail.example.org ESMTP\r\n").unwrap();
        let (stream, _) = listener.accept().unwrap();
        drop(stream);
    });
    let output = pinion(&socket, &["services"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("is no Pinion daemon; check --api"), "{}", err(&output));
    let output = pinion(&socket, &["services"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("closed the connection"), "{}", err(&output));
    speaker.join().unwrap();
}
