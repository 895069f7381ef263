//! Two endpoints in one thread with nothing between: codec, checksums and bookkeeping of both.

use std::time::Instant;

use pinion_protocols::sctp::endpoint::memory::Stream;
use pinion_protocols::sctp::endpoint::{Config, Endpoint};

use crate::bench::{BenchError, Report};

/// Message sizes, and how many go in one round.
const SIZES: [(usize, u64); 3] = [(100, 400_000), (1_400, 100_000), (16_384, 20_000)];
/// Rounds; the best counts, as whatever disturbs takes time and never gives any.
const ROUNDS: usize = 5;
const GOAL: f64 = 1_000_000.0;

pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    for (size, count) in SIZES {
        let [client, server] = [[1; 32], [2; 32]].map(|seed| Endpoint::new(Config::default(), seed));
        let broken = |what: String| BenchError::Baseline(format!("two endpoints in memory: {what}"));
        let mut stream =
            Stream::new(client, server, size).ok_or_else(|| broken("they do not come together".to_owned()))?;
        let mut best = 0.0_f64;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let received = stream.run(count).map_err(|error| broken(error.to_string()))?;
            best = best.max(received as f64 / start.elapsed().as_secs_f64());
        }
        let (baseline, goal) = if size == 100 { (Some(GOAL), "ratio >= 1") } else { (None, "-") };
        report.row(&format!("memory/{size}"), "messages/s", best, baseline, goal);
    }
    Ok(())
}
