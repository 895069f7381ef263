//! `pinion check` and `pinion init` as a user meets them.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pinion_networks::missing::skipped;
use serde_json::Value;
use tempfile::TempDir;

const FRONTS: [&str; 8] = ["n2", "ngap", "n4", "n3", "gtpc", "diameter", "sbi", "all"];

fn pinion(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pinion")).args(args).current_dir(folder.path()).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn every_sample_is_right() {
    let folder = folder();
    for front in FRONTS {
        let file = format!("{front}.yaml");
        let written = pinion(&folder, &["init", "--for", front, &file]);
        assert_eq!((code(&written), out(&written)), (0, String::new()), "{}", err(&written));
        assert!(err(&written).contains(&format!("pinion check {file}")), "{}", err(&written));
        // Its interfaces and its certificates need not be here.
        let checked = pinion(&folder, &["check", "--elsewhere", &file]);
        assert_eq!((code(&checked), err(&checked)), (0, String::new()), "{front}");
        let shown = pinion(&folder, &["init", "--for", front, "-"]);
        assert_eq!(out(&shown), fs::read_to_string(folder.path().join(&file)).unwrap());
    }
}

#[test]
fn what_an_scp_would_ask_is_said() {
    let folder = folder();
    let sample = out(&pinion(&folder, &["init", "--for", "sbi", "-"]));
    let (before, rest) = sample.split_once("  nrf:\n").unwrap();
    let (_, after) = rest.split_once("  producers:").unwrap();
    for (file, text, lines) in [
        (
            "scp.yaml",
            sample.clone(),
            [
                "NRF         http://192.0.2.60:8000, http://192.0.2.70:8000, where it registers",
                "producers   1, found whatever the NRF knows",
            ],
        ),
        (
            "alone.yaml",
            format!("{before}  producers:{after}"),
            ["NRF         none: whom to ask is what clients name, and the producers here", "producers   1,"],
        ),
    ] {
        fs::write(folder.path().join(file), text).unwrap();
        let checked = out(&pinion(&folder, &["check", "--elsewhere", file]));
        assert!(lines.iter().all(|line| checked.contains(line)), "{checked}");
    }
}

/// What is commented out is right too, in the place of what it stands beside.
#[test]
fn what_samples_hold_in_comments_is_right() {
    let folder = folder();
    let sample = out(&pinion(&folder, &["init", "--for", "n2", "-"]));
    let (before, rest) = sample.split_once("api:\n").unwrap();
    let (api, rest) = rest.split_once("\n\n").unwrap();
    let commented = api.split_once("# api:\n").unwrap().1.replace("# ", "").replace("who may", "# who may");
    let tls = format!("{before}api:\n{}\n\n{rest}", commented.replace("\n#  ", "\n  ").replacen("#  ", "  ", 1));
    let other = tls
        .replace("metrics: 127.0.0.1:9090\n", "")
        .replace("# metrics:", "metrics:")
        .replace("store: memory\n", "")
        .replace("# store:", "store:");
    let pools = other.split_once("# pools:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let uncommented: String =
        pools.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap())).collect();
    let other = other.replace(&format!("# pools:\n{pools}"), &format!("pools:\n{uncommented}"));
    fs::write(folder.path().join("other.yaml"), &other).unwrap();
    let checked = pinion(&folder, &["check", "--elsewhere", "--format", "json", "other.yaml"]);
    assert_eq!(code(&checked), 0, "{}\n{other}", err(&checked));
    let summary: Value = serde_json::from_str(&out(&checked)).unwrap();
    assert_eq!(summary["api"], "mutual TLS at 192.0.2.2:7443");
    assert_eq!(summary["metrics"], "http://192.0.2.2:9090/metrics");
    assert_eq!(summary["store"], "redis://192.0.2.3:6379/0");
    assert_eq!(summary["pools"][0]["name"], "amfs");
}

#[test]
fn nothing_is_written_over_without_force() {
    let folder = folder();
    let file = folder.path().join("pinion.yaml");
    fs::write(&file, "mine, and longer than nothing").unwrap();
    let refused = pinion(&folder, &["init"]);
    assert_eq!(code(&refused), 2);
    assert_eq!(
        err(&refused),
        "pinion: pinion.yaml: is there already; give another name, or say --force to write over it\n"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine, and longer than nothing");
    assert_eq!(code(&pinion(&folder, &["init", "--force"])), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), out(&pinion(&folder, &["init", "-"])));
    let nowhere = pinion(&folder, &["init", "no/folder.yaml"]);
    assert_eq!(code(&nowhere), 1);
    assert!(
        err(&nowhere).contains("no/folder.yaml: cannot write: No such file or directory"),
        "{}",
        err(&nowhere)
    );
}

#[test]
fn mistakes_go_to_standard_error_a_line_each() {
    let folder = folder();
    fs::write(folder.path().join("bad.yaml"), "services:\n  - name: a\n    port: 0\n").unwrap();
    for format in ["table", "json"] {
        let checked = pinion(&folder, &["check", "--format", format, "bad.yaml"]);
        assert_eq!((code(&checked), out(&checked)), (2, String::new()));
        assert_eq!(
            err(&checked),
            "bad.yaml:2:5: a service without `addresses`; give items that begin with `- `, or in brackets and separated by commas\n\
             bad.yaml:2:5: a service without `protocol`; give udp, tcp, sctp, gtpu, pfcp, gtpv2-c or ngap\n\
             bad.yaml:2:5: a service without endpoints; name a `pool`, or list `endpoints`\n\
             bad.yaml:3:11: 0 is no port; give a number from 1 to 65535\n"
        );
    }
    let missing = pinion(&folder, &["check", "none.yaml"]);
    assert_eq!(code(&missing), 2);
    assert_eq!(
        err(&missing),
        "pinion: none.yaml: cannot read: No such file or directory (os error 2); check the path\n"
    );
    assert_eq!(code(&pinion(&folder, &["check"])), 2);
    assert_eq!(code(&pinion(&folder, &["check", "--schema", "bad.yaml"])), 2);
}

#[test]
fn this_host_is_asked() {
    let folder = folder();
    let text = "interfaces: [lo, no-such-one]\nservices:\n  - {name: a, protocol: udp, port: 1, addresses: [192.0.2.1], \
                endpoints: [{name: b, addresses: [10.0.0.1]}]}\n";
    fs::write(folder.path().join("a.yaml"), text).unwrap();
    let checked = pinion(&folder, &["check", "a.yaml"]);
    assert_eq!(code(&checked), 0, "{}", err(&checked));
    assert!(
        err(&checked).starts_with("a.yaml:1:18: warning: this host has no interface no-such-one; "),
        "{}",
        err(&checked)
    );
    let text = text.replace("10.0.0.1", "127.0.0.1");
    let column = text.lines().nth(2).unwrap().find("127.0.0.1").unwrap() + 1;
    fs::write(folder.path().join("b.yaml"), text).unwrap();
    let checked = pinion(&folder, &["check", "b.yaml"]);
    assert_eq!(code(&checked), 2);
    let expected = format!("b.yaml:3:{column}: 127.0.0.1 is an address of this host");
    assert!(err(&checked).starts_with(&expected), "{}", err(&checked));
    assert_eq!(code(&pinion(&folder, &["check", "--elsewhere", "b.yaml"])), 0);
}

#[test]
fn a_right_one_is_summed_up_on_one_screen() {
    let folder = folder();
    pinion(&folder, &["init"]);
    let table = out(&pinion(&folder, &["check", "pinion.yaml"]));
    assert!(table.starts_with("pinion.yaml is right: 7 services, 7 pools, 15 endpoints, an SCP\n"), "{table}");
    assert!(table.lines().count() <= 55 && table.lines().all(|line| line.len() <= 110), "{table}");
    let json = out(&pinion(&folder, &["check", "--format", "json", "pinion.yaml"]));
    let summary: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(summary["services"][0]["name"], "amf");
    assert_eq!(summary["services"][0]["endpoints"], 3);
    assert_eq!(summary["pools"][0]["endpoints"][2]["priority"], 1);
    let bytes: u64 =
        summary["tables"].as_array().unwrap().iter().map(|table| table["bytes"].as_u64().unwrap()).sum();
    assert_eq!(summary["bytes"], bytes);
    // What the default may take, all tables together.
    assert!((40 << 20..=64 << 20).contains(&bytes), "{bytes}");
}

#[test]
fn what_it_needs_of_the_host_is_said() {
    let folder = folder();
    let check = |text: &str| {
        fs::write(folder.path().join("a.yaml"), text).unwrap();
        let table = pinion(&folder, &["check", "--elsewhere", "a.yaml"]);
        let json = out(&pinion(&folder, &["check", "--elsewhere", "--format", "json", "a.yaml"]));
        let summary: Value = serde_json::from_str(&json).unwrap();
        let said = ["packet_path", "capabilities"].map(|key| summary[key].to_string());
        (out(&table), err(&table), said, summary["tables"].as_array().unwrap().len())
    };
    let spoken = "services: [{name: upf, protocol: pfcp, addresses: [192.0.2.1], endpoints: [{name: a, addresses: [10.0.0.1]}]}]\n";
    let (table, warned, said, tables) = check(spoken);
    assert!(table.contains("packet path none: ") && table.contains("needs       none\n"), "{table}");
    assert_eq!((warned.as_str(), said, tables), ("", ["false", "[]"].map(str::to_owned), 0));
    let (_, warned, ..) = check(&format!("interfaces: [eth0]\n{spoken}"));
    assert!(warned.starts_with("a.yaml:1:13: warning: ") && warned.contains("leave `interfaces` out"), "{warned}");
    let four = r#"["CAP_BPF","CAP_PERFMON","CAP_NET_ADMIN","CAP_NET_RAW"]"#;
    let (table, warned, said, tables) = check(&spoken.replace("pfcp", "gtpu"));
    assert!(table.contains("packet path XDP\n"), "{table}");
    assert_eq!((warned.as_str(), said, tables), ("", ["true", four].map(str::to_owned), 10));
}

#[test]
fn how_ngap_is_spoken_is_summed_up() {
    let folder = folder();
    let service =
        "{name: n2, protocol: ngap, addresses: [192.0.2.1], endpoints: [{name: a, addresses: [192.0.2.2]}]";
    for (more, lost, after) in [
        ("", "UEs reset at once", Some("0s")),
        (", ngap: {reset_after: 5s}", "UEs reset after 5s", Some("5s")),
        (", ngap: {amf_ids: set-unique, amf_loss: rebind}", "another of its set", None),
    ] {
        fs::write(folder.path().join("n2.yaml"), format!("services: [{service}{more}}}]\n")).unwrap();
        let shown = out(&pinion(&folder, &["check", "--elsewhere", "n2.yaml"]));
        assert!(shown.contains(lost), "{shown}");
        let json = pinion(&folder, &["check", "--elsewhere", "--format", "json", "n2.yaml"]);
        let summary: Value = serde_json::from_str(&out(&json)).unwrap();
        let service = &summary["services"][0];
        assert_eq!((&service["algorithm"], &service["ngap"]["transport"]), (&"rules".into(), &"auto".into()));
        assert_eq!(service["ngap"]["reset_after"].as_str(), after, "{summary}");
    }
}

#[test]
fn the_published_schema_is_the_programs() {
    let printed = out(&pinion(&folder(), &["check", "--schema"]));
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/pinion.schema.json");
    let hint = "write it anew: cargo run -p pinion -- check --schema > proxy/schema/pinion.schema.json";
    assert!(fs::read_to_string(published).unwrap_or_default() == printed, "{hint}");
}

/// The schema as others read it: by Python's jsonschema, over what PyYAML reads.
#[test]
fn every_sample_is_what_the_schema_says() {
    const PROGRAM: &str = "\
import sys, json, yaml, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for name in sys.argv[2:]:
    for error in validator.iter_errors(yaml.safe_load(open(name))):
        print(name, error.message)
";
    let python = std::env::var("PINION_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import yaml, jsonschema"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        skipped(format_args!("{python} has no yaml and jsonschema to hold the schema against"));
        return;
    }
    let folder = folder();
    let schema = folder.path().join("schema.json");
    fs::write(&schema, out(&pinion(&folder, &["check", "--schema"]))).unwrap();
    let sample = out(&pinion(&folder, &["init", "-"]));
    let files: Vec<_> = FRONTS.iter().map(|front| format!("{front}.yaml")).collect();
    for (front, file) in FRONTS.iter().zip(&files) {
        pinion(&folder, &["init", "--for", front, file]);
    }
    let validate = |files: &[String]| {
        let mut command = Command::new(&python);
        let output =
            command.args(["-c", PROGRAM]).arg(&schema).args(files).current_dir(folder.path()).output().unwrap();
        assert_eq!(code(&output), 0, "{}", err(&output));
        out(&output)
    };
    assert_eq!(validate(&files), "");
    // And what is no configuration is none to it either.
    for (from, to) in [
        ("port: 38412", "port: 70000"),
        ("port: 38412", "prot: 38412"),
        ("mode: '0660'", "mode: 0660"),
        ("protocol: sctp", "protocol: SCTP"),
        ("slow_start: 30s", "slow_start: 30"),
        ("store: memory", "store: disk"),
        ("    protocol: gtpu", "    unknown: hash"),
    ] {
        fs::write(folder.path().join("wrong.yaml"), sample.replacen(from, to, 1)).unwrap();
        assert_ne!(validate(&["wrong.yaml".to_owned()]), "", "{to}");
    }
}
