//! `--config auto` makes the core's traffic steered: most packets are neither passed nor dropped.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use pinion_pcaps::replay::Choice;
use pinion_steering::Verdict;

use crate::{auto, corpus, file, run};

const PROTOCOLS: [&str; 3] = ["udp", "sctp", "gtp"];

/// The frames that tshark finds a protocol in; `None` without tshark.
fn frames(path: &Path, protocol: &str) -> Option<BTreeSet<u64>> {
    let command = Command::new("tshark")
        .arg("-r")
        .arg(path)
        .args(["-Y", protocol, "-T", "fields", "-e", "frame.number"])
        .output()
        .ok()?;
    let text = String::from_utf8(command.stdout).unwrap();
    Some(text.lines().map(|line| line.parse().unwrap()).collect())
}

#[test]
fn at_least_half_of_the_shared_captures_packets_are_steered() {
    let mut totals = [(0, 0); PROTOCOLS.len()];
    println!("steered of {PROTOCOLS:?}");
    for path in corpus::shared() {
        let Some(sets) = PROTOCOLS.iter().map(|protocol| frames(&path, protocol)).collect::<Option<Vec<_>>>()
        else {
            let _ = writeln!(std::io::stderr(), "\nskipped: no tshark");
            return;
        };
        let mut steered = BTreeSet::new();
        let open = file(&path);
        run(&mut auto(Choice::User, &open).unwrap(), &open, |frame, step| {
            if matches!(step.verdict, Verdict::Transmit | Verdict::Redirect) {
                steered.insert(frame.number);
            }
        })
        .unwrap();
        for (set, (all, found)) in sets.iter().zip(&mut totals) {
            let count = set.intersection(&steered).count();
            print!("{count:>6}/{:<6}", set.len());
            *all += set.len();
            *found += count;
        }
        println!(" {}", path.file_name().unwrap().display());
    }
    println!("{totals:?}");
    for (protocol, (all, steered)) in PROTOCOLS.iter().zip(totals) {
        assert!(2 * steered >= all, "{protocol}: {steered} of {all}");
    }
}
