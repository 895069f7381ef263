//! The files that the daemon is deployed with say what the daemon says.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pinion::privileges::CAPABILITIES;
use pinion_networks::missing::skipped;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn file(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn needed() -> BTreeSet<String> {
    CAPABILITIES.iter().map(|it| it.name.to_owned()).collect()
}

#[test]
fn the_unit_gives_what_is_needed_and_no_more() {
    let unit = file("pinion.service");
    for key in ["AmbientCapabilities=", "CapabilityBoundingSet="] {
        let given = unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        assert_eq!(given.split(' ').map(str::to_owned).collect::<BTreeSet<_>>(), needed(), "{key}");
    }
}

#[test]
fn the_image_gives_what_is_needed_and_no_more() {
    let containerfile = file("Containerfile");
    let given = containerfile.lines().find_map(|line| line.split_once("setcap ")).unwrap().1;
    let given = given.split_once("=ep").unwrap().0.to_ascii_uppercase();
    assert_eq!(given.split(',').map(str::to_owned).collect::<BTreeSet<_>>(), needed());
    // It is built with the compiler that the project is built with.
    let toolchain = fs::read_to_string(folder().join("../../rust-toolchain.toml")).unwrap();
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    assert!(containerfile.contains(&format!("/rust:{channel}-")), "{channel}");
}

#[test]
fn the_page_explains_each_capability() {
    let page = file("README.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `CAP_"));
    let named: BTreeSet<_> = rows.map(|row| format!("CAP_{}", row.split_once('`').unwrap().0)).collect();
    assert_eq!(named, needed());
    let run: BTreeSet<_> = page.split("--cap-add ").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
    assert_eq!(run.into_iter().map(|it| format!("CAP_{it}")).collect::<BTreeSet<_>>(), needed());
}

/// The unit as systemd reads it, which looks for the program too.
#[test]
fn systemd_understands_the_unit() {
    let version = match Command::new("systemd-analyze").arg("--version").output() {
        Ok(output) => String::from_utf8(output.stdout).unwrap(),
        Err(error) => return skipped(format_args!("systemd-analyze: {error}")),
    };
    let version: u32 = version.split(' ').nth(1).unwrap().parse().unwrap();
    let room = tempfile::tempdir().unwrap();
    let unit = room.path().join("pinion.service");
    fs::write(&unit, file("pinion.service").replace("/usr/bin/pinion", "/bin/true")).unwrap();
    let drop_ins = room.path().join("pinion.service.d");
    fs::create_dir(&drop_ins).unwrap();
    if version < 253 {
        fs::copy(folder().join("systemd-252.conf"), drop_ins.join("systemd-252.conf")).unwrap();
    }
    let output = Command::new("systemd-analyze").arg("verify").arg(&unit).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let known = "Failed to parse service type, ignoring: notify-reload";
    let said: Vec<_> = said.lines().filter(|line| version >= 253 || !line.ends_with(known)).collect();
    // Others' units, which this one wants, are not ours to judge.
    let ours: Vec<_> = said.iter().filter(|line| line.contains("pinion")).collect();
    assert!(output.status.success() && ours.is_empty(), "{said:?}");
}

#[test]
fn systemd_understands_the_user() {
    let users = folder().join("pinion.sysusers");
    let output = match Command::new("systemd-sysusers").arg("--dry-run").arg(&users).output() {
        Ok(output) => output,
        Err(error) => return skipped(format_args!("systemd-sysusers: {error}")),
    };
    let said = String::from_utf8(output.stderr).unwrap();
    if said.contains("unrecognized option") {
        return skipped("this systemd-sysusers is older than 250");
    }
    assert!(output.status.success() && !said.contains("pinion.sysusers:"), "{said}");
    let unit = file("pinion.service");
    let user = unit.lines().find_map(|line| line.strip_prefix("User=")).unwrap();
    assert!(file("pinion.sysusers").contains(&format!("\nu {user} ")));
    assert!(file("Containerfile").contains(&format!("USER {user}\n")));
}
