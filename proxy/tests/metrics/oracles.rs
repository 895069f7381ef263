//! Others who read a page: a strict reader of our own, Prometheus' Python client, and promtool.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pinion_networks::missing::skipped;

#[derive(Default)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) labels: BTreeSet<String>,
}

/// Reads a page in the text format; every family has help and type before its samples, and no series comes twice.
pub(crate) fn families(page: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut current = String::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            let family = Family { help: help.to_owned(), ..Family::default() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes twice");
            name.clone_into(&mut current);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(name == current && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
            families.get_mut(name).unwrap().kind = kind.to_owned();
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let parts = ["_bucket", "_sum", "_count"];
            let part = name.strip_prefix(&current).unwrap_or("none of it");
            let is_histogram = families.get(&current).is_some_and(|family| family.kind == "histogram");
            let fits = if is_histogram { parts.contains(&part) } else { part.is_empty() };
            assert!(fits && value.parse::<f64>().is_ok(), "{line}");
            assert!(seen.insert(series), "{series} comes twice");
            let names = labels.split("\",").filter_map(|label| label.split_once("=\""));
            let names = names.filter(|(label, _)| *label != "le");
            families.get_mut(&current).unwrap().labels.extend(names.map(|(label, _)| label.to_owned()));
        }
    }
    families
}

const READ: &str = "\
import sys
from prometheus_client.parser import text_string_to_metric_families as text
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
families = list(globals()[sys.argv[1]](sys.stdin.read()))
print(len(families), sum(len(family.samples) for family in families))
";

/// Has Prometheus' Python client read a page, where there is one.
pub(crate) fn read_by_prometheus_client(format: &str, page: &str) {
    let Some(python) = python() else {
        skipped("no Python with prometheus_client: set PINION_PYTHON, or make a venv in target/venv");
        return;
    };
    let output = run(Command::new(python).args(["-c", READ, format]), page);
    let samples = page.lines().filter(|line| !line.starts_with('#')).count();
    let families = page.lines().filter(|line| line.starts_with("# TYPE")).count();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(out.trim(), format!("{families} {samples}"), "{format}: {err}");
}

/// Has promtool check names, types and help, where there is one.
pub(crate) fn checked_by_promtool(page: &str) {
    if Command::new("promtool").arg("--version").output().is_err() {
        skipped("promtool is missing: install prometheus");
        return;
    }
    let output = run(Command::new("promtool").args(["check", "metrics"]), page);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

fn python() -> Option<PathBuf> {
    let named = std::env::var_os("PINION_PYTHON").map(PathBuf::from);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    named.into_iter().chain([made, "python3".into()]).find(|python| {
        let asked = Command::new(python).args(["-c", "import prometheus_client"]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    })
}

fn run(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
