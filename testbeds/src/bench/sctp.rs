//! The project's SCTP beside usrsctp's `tsctp` over the same namespaces, in memory, and at rest.

mod idle;
mod memory;
mod ours;
mod tsctp;

use std::time::Duration;

use pinion_networks::namespace::{Namespace, Veth};

use super::{BenchError, Report};
use crate::figures::median;
use crate::sctp::usrsctp::Usrsctp;

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    // First: what others free would hide what it takes.
    idle::run(report)?;
    memory::run(report)?;
    over_namespaces(report)
}

/// Message sizes, and what is compared: messages, or bytes.
const SIZES: [(usize, &str, &str); 3] =
    [(100, "messages/s", "ratio >= 1"), (1_400, "bytes/s", "ratio >= 1"), (16_384, "bytes/s", "ratio >= 1")];
/// How long each of the two sends, and how often they take turns; the median counts.
const SENDING: Duration = Duration::from_secs(2);
const TURNS: usize = 3;

fn over_namespaces(report: &mut Report) -> Result<(), BenchError> {
    let usrsctp = Usrsctp::find().map_err(|missing| BenchError::Baseline(missing.to_string()))?;
    for (size, unit, goal) in SIZES {
        let mut figures = [Vec::new(), Vec::new()];
        for _ in 0..TURNS {
            let [ours, theirs] = &mut figures;
            theirs.push(tsctp::messages_a_second(&usrsctp, &Wire::new()?, size, SENDING)?);
            ours.push(ours::messages_a_second(&Wire::new()?, size, SENDING)?);
        }
        let [ours, theirs] = figures.map(median);
        let scale = if unit == "bytes/s" { size as f64 } else { 1.0 };
        report.row(&format!("tsctp/{size}"), unit, ours * scale, Some(theirs * scale), goal);
    }
    Ok(())
}

/// Two namespaces with one link between.
struct Wire {
    near: Namespace,
    far: Namespace,
}

/// Names of the link's ends.
const NEAR: &str = "near";
const FAR: &str = "far";
/// Last bytes of the addresses of both ends, and what comes before.
const ENDS: [u8; 2] = [1, 2];
const LENGTH: u8 = 24;

impl Wire {
    fn new() -> Result<Self, BenchError> {
        let (near, far) = (Namespace::new()?, Namespace::new()?);
        near.link_to(&far, &Veth::named(NEAR, FAR))?;
        Ok(Self { near, far })
    }
}

fn address(end: u8) -> std::net::IpAddr {
    [192, 0, 2, end].into()
}
