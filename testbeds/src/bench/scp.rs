//! The SCP beside nghttpx as a plain HTTP/2 proxy: h2load as client, nghttpd as backend, one worker each, in turn, and no log of
//! requests; and a bare relay beside it, which tells what of the distance is the HTTP library's.
//!
//! Each proxy is a process of its own, so that what it takes of memory is its own too; ours is this program, started anew.

mod crowd;
mod load;
mod nrf;
mod process;
pub mod relay;
pub mod worker;

use std::time::Duration;

use super::{BenchError, Report};
use crate::figures::{median, resident};
use load::{Load, Model, Round};
use process::Process;

/// Rounds of each; what is told is the middle of them.
const ROUNDS: usize = 25;
/// Streams that are open at once when memory is measured.
const STREAMS: usize = 10_000;
/// Connections of one request each.
const SHORT: usize = 1_000_000;

/// Ports on loopback.
const BACKEND: u16 = 17_700;
const OURS: u16 = 17_701;
const THEIRS: u16 = 17_702;
const NRF: u16 = 17_703;
const HOLDING: u16 = 17_704;
const RELAY: u16 = 17_705;

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    for program in ["h2load", "nghttpx", "nghttpd"] {
        process::find(program)?;
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| BenchError::Missing(error.to_string()))?;
    let folder = || tempfile::tempdir().map_err(|error| BenchError::Missing(error.to_string()));
    let (content, files) = (folder()?, folder()?);
    load::content(content.path())?;
    let _backend = Process::backend(content.path(), BACKEND)?;
    let searches = runtime.block_on(nrf::start(NRF, BACKEND))?;
    let ours = Process::ours(OURS, NRF)?;
    let theirs = Process::theirs(THEIRS, BACKEND, files.path())?;
    let relay = Process::relay(RELAY, BACKEND)?;
    let plain = Load { port: OURS, model: Model::C, tls: false, content: 0 };
    for (name, load, goals) in [
        ("model-c", plain, ["at least 1.0", "at most 1.1"]),
        ("model-d", Load { model: Model::D, ..plain }, ["at least 0.9", "at most 1.1"]),
        ("tls", Load { tls: true, ..plain }, [""; 2]),
        ("content-1024", Load { content: 1_024, ..plain }, [""; 2]),
        ("bare-relay", Load { port: RELAY, ..plain }, [""; 2]),
    ] {
        let [mut our, mut their] = [Vec::new(), Vec::new()];
        let beside = Load { port: THEIRS, ..load };
        // The first of each is for caches and connections.
        load::round(load)?;
        load::round(beside)?;
        for _ in 0..ROUNDS {
            our.push(load::round(load)?);
            their.push(load::round(beside)?);
        }
        let [rate, theirs_rate] = [&our, &their].map(|it| middle(it, |round| round.rate));
        report.row(name, "requests/s", rate, Some(theirs_rate), goals[0]);
        let [p99, theirs_p99] = [&our, &their].map(|it| middle(it, |round| round.p99));
        report.row(&format!("{name}-p99"), "ms", p99, Some(theirs_p99), goals[1]);
    }
    report.row("nrf-searches", "requests", searches.count() as f64, None, "1");
    let _holding = runtime.block_on(crowd::hold(HOLDING))?;
    drop((ours, theirs, relay));
    let held = |process: &Process, port: u16| -> Result<f64, BenchError> {
        let resident =
            || resident(process.worker()).ok_or_else(|| BenchError::Missing("a proxy ended".to_owned()));
        let open = runtime.block_on(crowd::open(port, HOLDING, STREAMS))?;
        let taken = resident()?;
        drop(open);
        Ok(taken as f64 / f64::from(1 << 20))
    };
    let ours = Process::ours(OURS, NRF)?;
    let theirs = Process::theirs(THEIRS, HOLDING, files.path())?;
    report.row("streams-10000", "MiB", held(&ours, OURS)?, Some(held(&theirs, THEIRS)?), "at most 1.0");
    drop((ours, theirs));
    let ours = Process::ours(OURS, NRF)?;
    let grown = || resident(ours.worker()).map_or(f64::NAN, |it| it as f64 / f64::from(1 << 20));
    runtime.block_on(crowd::come_and_go(OURS, BACKEND, SHORT / 10))?;
    let warm = grown();
    runtime.block_on(crowd::come_and_go(OURS, BACKEND, SHORT))?;
    std::thread::sleep(Duration::from_millis(500));
    report.row("connections-1000000", "MiB", grown(), Some(warm), "at most 1.1");
    Ok(())
}

fn middle(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    median(rounds.iter().map(of).collect())
}
