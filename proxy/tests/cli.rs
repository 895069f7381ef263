//! The command line as a user meets it.
#![cfg(test)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pinion_networks::missing::skipped;
use serde_json::Value;
use tempfile::TempDir;

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/captures").join(name)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn pinion(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pinion")).args(args).output().unwrap()
}

fn replay(capture: &Path, args: &[&str]) -> Output {
    let mut all = vec!["replay", capture.to_str().unwrap()];
    all.extend(args);
    pinion(&all)
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

fn objects(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn json_is_one_object_a_packet_and_a_summary() {
    let output = replay(&capture("n2.pcap"), &["--format", "json"]);
    assert_eq!((code(&output), err(&output)), (0, String::new()));
    let objects = objects(&output);
    assert_eq!(objects.len(), 78 + 1);
    let keys = ["endpoint", "frame", "pin", "reason", "service", "sha256", "time", "verdict"];
    let verdicts = ["pass", "drop", "transmit", "redirect"];
    for (number, object) in (1..).zip(&objects[..78]) {
        let mut found: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, keys);
        assert_eq!(object["frame"], number);
        assert!(verdicts.contains(&object["verdict"].as_str().unwrap()));
        assert_eq!(object["sha256"].is_null(), object["verdict"] == "drop");
    }
    assert_eq!(objects[0]["time"].as_f64().unwrap().trunc(), 1_760_000_000.0);
    assert_eq!(objects[78]["summary"]["packets"], 78);
}

#[test]
fn several_captures_are_named() {
    let (n2, n3) = (capture("n2.pcap"), capture("n3.pcap"));
    let (n2, n3) = (n2.to_str().unwrap(), n3.to_str().unwrap());
    let output = pinion(&["replay", "--format", "json", n2, n3]);
    let objects = objects(&output);
    assert_eq!((&objects[0]["file"], &objects[78]["file"]), (&n2.into(), &n3.into()));
    let summary = &objects[78 + 48]["summary"];
    assert_eq!((&summary["captures"], &summary["packets"]), (&2.into(), &126.into()));

    let table = out(&pinion(&["replay", n2, n3]));
    assert!(table.starts_with(&format!("{n2}:\n")) && table.contains(&format!("\n{n3}:\n")));
    assert!(table.contains("126 packets of 2 captures"), "{table}");
}

#[test]
fn a_table_lists_what_it_is_asked_to_and_is_plain_in_a_pipe() {
    for (args, rows, more) in [
        (&[][..], 20, "and 58 more; --packets all lists every one"),
        (&["--packets", "0"], 0, "and 78 more"),
        (&["--packets", "all"], 78, ""),
    ] {
        let table = out(&replay(&capture("n2.pcap"), args));
        let listed = table.lines().take_while(|line| line.starts_with(' ')).count();
        assert_eq!(listed, rows);
        assert!(table.contains(more) && !table.contains('\x1b'), "{table}");
    }
}

#[test]
fn what_leaves_can_be_written() {
    let folder = folder();
    let written = folder.path().join("out.pcapng");
    let output = replay(&capture("n2.pcap"), &["--format", "json", "--write", written.to_str().unwrap()]);
    let left = objects(&output).iter().filter(|object| object["sha256"].is_string()).count();
    let mut reader = pinion_pcaps::capture::open(&written).unwrap();
    let mut frames = 0;
    while reader.next().unwrap().is_some() {
        frames += 1;
    }
    assert_eq!((frames, code(&output)), (left, 0));

    let output = replay(&written, &["--write", written.to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("would overwrite a capture that is replayed"), "{}", err(&output));
    let output = replay(&written, &["--write", "/nowhere/out.pcapng"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("/nowhere/out.pcapng: "), "{}", err(&output));
}

#[test]
fn a_capture_that_cannot_be_read_is_named_with_a_remedy() {
    let folder = folder();
    let place = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let whole = fs::read(capture("n2.pcap")).unwrap();
    let cases = [
        (folder.path().join("absent"), "cannot open: No such file or directory", "check the path"),
        (folder.path().to_owned(), "directory", "check that it is a file"),
        (place("empty", b""), "empty file", "give a pcap or pcapng file"),
        (place("text", b"hello, world"), "not a capture: begins with 68 65 6c 6c", "give a pcap or pcapng file"),
        (place("header", &whole[..10]), "ends inside its header: 10 of 24 bytes", "give a pcap or pcapng file"),
    ];
    for (path, what, remedy) in cases {
        let output = replay(&path, &["--format", "json"]);
        let complaint = err(&output);
        assert_eq!(code(&output), 1, "{complaint}");
        assert!(complaint.starts_with(&format!("pinion: {}: ", path.display())), "{complaint}");
        assert!(complaint.contains(what) && complaint.contains(remedy), "{complaint}");
        assert_eq!(complaint.lines().count(), 1);
    }
    // The others are replayed all the same.
    let good = capture("n2.pcap");
    let output = pinion(&["replay", "--format", "json", "/nowhere", good.to_str().unwrap()]);
    assert_eq!((code(&output), objects(&output).len()), (1, 79));
}

#[test]
fn a_capture_that_lacks_something_is_replayed_with_a_warning() {
    let folder = folder();
    let whole = fs::read(capture("n2.pcap")).unwrap();
    let cut = folder.path().join("cut.pcap");
    fs::write(&cut, &whole[..whole.len() - 5]).unwrap();
    let output = replay(&cut, &["--format", "json"]);
    assert_eq!((code(&output), objects(&output).len()), (0, 78));
    assert!(err(&output).contains("the file ends inside the record of frame 78"), "{}", err(&output));
    let summary = objects(&output).pop().unwrap();
    assert!(summary["summary"]["warnings"][0].as_str().unwrap().contains("frame 78"));

    // Link type 252: what Wireshark exports.
    let unknown = folder.path().join("unknown.pcap");
    let mut bytes = whole;
    bytes[20] = 252;
    fs::write(&unknown, bytes).unwrap();
    let output = replay(&unknown, &["--format", "json"]);
    assert_eq!((code(&output), objects(&output).len()), (0, 79));
    assert!(err(&output).contains("78 frames of an unknown link type (the first: 252)"), "{}", err(&output));
    assert_eq!(objects(&output)[78]["summary"]["skipped"], 78);
}

#[test]
fn bad_usage_is_2() {
    let n2 = capture("n2.pcap");
    for args in [&["--engine", "both2"][..], &["--packets", "some"], &["--seed", "-1"], &["--nonsense"]] {
        assert_eq!(code(&replay(&n2, args)), 2, "{args:?}");
    }
    assert_eq!(code(&pinion(&["replay"])), 2);
    let help = out(&pinion(&["replay", "--help"]));
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
    assert!(out(&pinion(&["--help"])).contains("Examples:"));
    assert_eq!(out(&pinion(&["--version"])), concat!("pinion ", env!("CARGO_PKG_VERSION"), "\n"));
}

const UPF: &str = "\
services:
  - name: upf
    protocol: gtpu
    addresses: [192.0.2.3]
    unknown: hash
    endpoints:
      - name: upf-1
        addresses: [10.0.0.21]
      - name: upf-2
        addresses: [10.0.0.22]
";

#[test]
fn services_can_be_configured() {
    let folder = folder();
    let config = folder.path().join("pinion.yaml");
    fs::write(&config, UPF).unwrap();
    let config = config.to_str().unwrap();
    let output = replay(&capture("n3.pcap"), &["--format", "json", "--config", config]);
    assert_eq!((code(&output), err(&output)), (0, String::new()));
    let summary = &objects(&output)[48]["summary"];
    assert_eq!(summary["services"][0]["name"], "upf");
    assert_eq!(summary["services"][0]["endpoints"][1]["addresses"][0], "10.0.0.22");
    assert!(summary["reasons"]["placed"].as_u64().unwrap() > 1);
}

#[test]
fn a_bad_configuration_is_2_with_the_place() {
    let folder = folder();
    let config = folder.path().join("pinion.yaml");
    let config = config.to_str().unwrap();
    for (text, expected) in [
        (UPF.replace("gtpu", "gtp"), "3:15: gtp is no protocol; give udp, tcp, sctp, gtpu, pfcp, gtpv2-c or ngap"),
        (UPF.replace("[10.0.0.22]", "[10.0.0.22, 10.0.0.23]"), "10:20: 2 addresses where the service has 1 path;"),
        (UPF.replace("unknown", "unknwon"), "5:5: unknown key `unknwon`; did you mean `unknown`?"),
        ("# nothing\n".to_owned(), "1:1: nothing in it; begin with `services:`"),
        ("services: [".to_owned(), "1:11: unclosed bracket"),
    ] {
        fs::write(config, text).unwrap();
        let output = replay(&capture("n3.pcap"), &["--config", config]);
        assert_eq!((code(&output), out(&output)), (2, String::new()));
        let expected = format!("pinion: {config}:{expected}");
        assert!(err(&output).starts_with(&expected), "{}", err(&output));
    }
    let output = replay(&capture("n3.pcap"), &["--config", "/nowhere.yaml"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("/nowhere.yaml: cannot read"), "{}", err(&output));
}

#[test]
fn a_pipe_is_no_capture_for_auto_and_one_for_a_configuration() {
    let folder = folder();
    let config = folder.path().join("pinion.yaml");
    fs::write(&config, UPF).unwrap();
    let piped = |args: &[&str]| {
        let file = fs::File::open(capture("n3.pcap")).unwrap();
        let mut cat = Command::new("cat").stdin(file).stdout(Stdio::piped()).spawn().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_pinion"))
            .args(["replay", "--format", "json", "-"])
            .args(args)
            .stdin(cat.stdout.take().unwrap())
            .output()
            .unwrap();
        cat.wait().unwrap();
        output
    };
    let output = piped(&[]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("cannot be read twice, which --config auto must"), "{}", err(&output));
    let output = piped(&["--config", config.to_str().unwrap()]);
    assert_eq!((code(&output), objects(&output).len()), (0, 49));
}

#[test]
fn a_dash_is_standard_input() {
    let file = fs::File::open(capture("n3.pcap")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_pinion"))
        .args(["decode", "--format", "json", "-"])
        .stdin(file)
        .output()
        .unwrap();
    assert_eq!((code(&output), err(&output)), (0, String::new()));
    assert_eq!(out(&output), out(&pinion(&["decode", "--format", "json", capture("n3.pcap").to_str().unwrap()])));
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let hostile = capture("hostile.pcap");
    let mut args = vec!["replay", "--format", "json"];
    args.extend(std::iter::repeat_n(hostile.to_str().unwrap(), 20));
    let mut child = Command::new(env!("CARGO_BIN_EXE_pinion"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), err(&output)), (0, String::new()));
}

/// Runs the command as a user without any capability; `None`, with a word, where that cannot be arranged.
fn unprivileged(args: &[&str]) -> Option<Output> {
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (program, file) = (folder.path().join("pinion"), folder.path().join("n2.pcap"));
    fs::copy(env!("CARGO_BIN_EXE_pinion"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(capture("n2.pcap"), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all"];
    let mut command = Command::new("setpriv");
    command.args(nobody).arg("--inh-caps=-all").arg("--").arg(&program).arg("replay").arg(&file).args(args);
    let output = command.output().ok().filter(|output| !err(output).contains("setpriv:"));
    if output.is_none() {
        skipped("no setpriv, or no root to give up");
    }
    output
}

#[test]
fn without_privileges_the_kernels_engine_is_refused_in_words_and_the_other_runs() {
    let Some(output) = unprivileged(&["--engine", "kernel"]) else {
        return;
    };
    assert_eq!((code(&output), out(&output)), (1, String::new()));
    let complaint = err(&output);
    for word in ["pinion: ", "CAP_BPF", "sudo", "--engine user"] {
        assert!(complaint.contains(word), "{complaint}");
    }
    let Some(output) = unprivileged(&["--engine", "user"]) else {
        return;
    };
    assert_eq!((code(&output), err(&output)), (0, String::new()));
}
