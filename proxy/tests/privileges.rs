//! A process that really lacks capabilities, and what it is told.
#![cfg(test)]

use std::path::Path;
use std::process::Command;

use pinion::privileges::{CAPABILITIES, Facts, Needs, missing};
use pinion_networks::missing::skipped;

/// Not a test of its own: what a child with fewer capabilities finds out.
#[test]
#[ignore = "run by the other tests, with fewer capabilities"]
fn child() {
    let needs = Needs { steer: true, raw: true, pins: "/run/pinion/bpf".into(), files: 1 };
    for it in missing(&Facts::read(Path::new("/proc")).unwrap(), &needs) {
        println!("told: {it}");
    }
}

/// What a child is told that has these capabilities alone; `None`, and why is printed, where none can be made.
fn told(capabilities: &[&str]) -> Option<Vec<String>> {
    let set: String = capabilities.iter().map(|it| format!(",+{it}")).collect();
    let mut command = Command::new("setpriv");
    command.args([format!("--bounding-set=-all{set}"), format!("--inh-caps=-all{set}")]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]);
    let output = match command.output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            skipped(format_args!("setpriv: {}", String::from_utf8_lossy(&output.stderr).trim()));
            return None;
        }
        Err(error) => {
            skipped(format_args!("setpriv (util-linux): {error}"));
            return None;
        }
    };
    let out = String::from_utf8(output.stdout).unwrap();
    let lines = out.lines().filter_map(|line| line.split_once("told: ")).map(|(_, told)| told.to_owned());
    Some(lines.collect())
}

fn short(name: &str) -> String {
    name.trim_start_matches("CAP_").to_ascii_lowercase()
}

#[test]
fn each_capability_is_missed_by_name() {
    for lacking in CAPABILITIES {
        let rest: Vec<_> = CAPABILITIES.iter().filter(|it| **it != lacking).map(|it| short(it.name)).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let Some(told) = told(&rest) else { return };
        let named: Vec<_> = told.iter().filter(|it| it.starts_with("CAP_")).collect();
        assert!(named.len() == 1 && named[0].starts_with(&format!("{} is missing", lacking.name)), "{told:?}");
    }
}

#[test]
fn the_four_are_enough() {
    let four = CAPABILITIES.map(|it| short(it.name));
    let Some(told) = told(&four.each_ref().map(String::as_str)) else { return };
    assert!(told.iter().all(|it| !it.starts_with("CAP_")), "{told:?}");
}
