//! The table of rules holds true: the tests that it names exist, and it names those that are named after
//! a rule.

use std::collections::BTreeSet;
use std::path::Path;

const TABLE: &str = include_str!("../../docs/sctp-rules.md");
/// How the last cell begins where no test can be named.
const REASONS: [&str; 3] = ["for the transport: ", "not testable: ", "not done: "];

/// Names of all tests under a folder or in a file.
fn tests_in(place: &Path, found: &mut BTreeSet<String>) {
    if place.is_dir() {
        std::fs::read_dir(place).unwrap().for_each(|entry| tests_in(&entry.unwrap().path(), found));
        return;
    }
    let text = std::fs::read_to_string(place).unwrap();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let name = (line == "#[test]").then(|| lines.next()).flatten();
        let name = name.and_then(|line| line.strip_prefix("fn ")?.split('(').next());
        found.extend(name.map(str::to_owned));
    }
}

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let rows = TABLE.lines().filter(|line| line.starts_with('|'));
    let rows = rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    rows.filter(|row| row.first().is_some_and(|cell| *cell != "Section" && !cell.starts_with("---")))
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_table_of_rules_holds_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    for place in ["tests", "src/sctp", "src/sctp.rs"] {
        tests_in(&root.join(place), &mut tests);
    }
    let mut named = BTreeSet::new();
    for row in rows() {
        assert_eq!(row.len(), 4, "{row:?}");
        let last = row[3];
        let names: Vec<_> = quoted(last).filter(|name| name.contains('_')).collect();
        if !REASONS.iter().any(|reason| last.starts_with(reason)) {
            assert!(!names.is_empty() && last.starts_with('`'), "no test and no reason: {row:?}");
        }
        for name in names {
            assert!(tests.contains(name) || name == "max_message", "there is no test {name}");
            named.insert(name.to_owned());
        }
    }
    let missing: Vec<_> = tests.iter().filter(|name| name.starts_with("rfc") && !named.contains(*name)).collect();
    assert!(missing.is_empty(), "not in the table: {missing:#?}");
    println!("{} rules, {} tests named", rows().count(), named.len());
}
