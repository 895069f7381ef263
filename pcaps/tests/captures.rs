//! The captures that the project keeps: that they are what the manifest says, and what their script makes.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use pinion_pcaps::capture;
use sha2::{Digest, Sha256};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

/// File, bytes, SHA-256 and frames of each line.
fn manifest() -> Vec<[String; 4]> {
    let text = fs::read_to_string(folder().join("MANIFEST.tsv")).unwrap();
    let lines = text.lines().skip(1);
    lines
        .map(|line| {
            let fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
            [0, 1, 2, 4].map(|column| fields[column].clone())
        })
        .collect()
}

#[test]
fn the_manifest_is_true() {
    for [name, bytes, sha256, frames] in manifest() {
        let path = folder().join(&name);
        let file = fs::read(&path).unwrap();
        let digest: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((file.len().to_string(), digest), (bytes, sha256), "{name}");
        assert!(file.len() < 60 << 10, "{name}");

        let mut reader = capture::open(&path).unwrap();
        let mut count = 0;
        while reader.next().unwrap().is_some() {
            count += 1;
        }
        assert_eq!(count.to_string(), frames, "{name}");
        assert!(reader.warnings().is_empty(), "{name}");
    }
}

#[test]
fn every_capture_is_in_the_manifest() {
    let names: BTreeSet<String> = manifest().into_iter().map(|[name, ..]| name).collect();
    let found = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let captures: BTreeSet<String> = found.filter(|name| name.contains(".pcap")).collect();
    assert_eq!(captures, names);
}

#[test]
fn the_script_makes_the_same_bytes() {
    let check = "import sys, importlib.metadata as installed\n\
                 for line in open(sys.argv[1]):\n    \
                     name, version = line.strip().split('==')\n    \
                     assert installed.version(name) == version";
    let requirements = folder().join("requirements.txt");
    let has_all = Command::new("python3").args(["-c", check]).arg(requirements).output();
    if !has_all.is_ok_and(|output| output.status.success()) {
        let _ = writeln!(std::io::stderr(), "\nskipped: no python3 with what captures/requirements.txt names");
        return;
    }
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures");
    fs::create_dir_all(&made).unwrap();
    let output = Command::new("python3").arg(folder().join("make.py")).arg(&made).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in manifest().into_iter().map(|[name, ..]| name).chain(["MANIFEST.tsv".to_owned()]) {
        assert!(fs::read(made.join(&name)).unwrap() == fs::read(folder().join(&name)).unwrap(), "{name}");
    }
}

#[test]
fn tshark_finds_no_fault_with_what_is_well_meant() {
    const FAULTS: &str =
        "_ws.malformed || sctp.checksum.status == 0 || ip.checksum.status == 0 || udp.checksum.status == 0";
    for name in ["n2.pcap", "n3.pcap", "mixed.pcapng"] {
        let output = Command::new("tshark")
            .args(["-o", "sctp.checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"])
            .args(["-Y", FAULTS, "-r"])
            .arg(folder().join(name))
            .output();
        let Ok(output) = output else {
            let _ = writeln!(std::io::stderr(), "\nskipped: no tshark");
            return;
        };
        assert!(output.status.success(), "{name}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{name}");
    }
}
