//! Ten thousand associations that do nothing but prove by heartbeats that they are there.

use std::net::IpAddr;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use pinion_transport::memory::Network;
use pinion_transport::{Config, Connect, Event, Listen, RequestError, Transport};

use crate::bench::{BenchError, Report};
use crate::figures::resident;

/// Associations, each with two paths.
const COUNT: u16 = 10_000;
const FIRST_PORT: u16 = 10_000;
const PORT: u16 = 38412;
/// How long they idle; heartbeats are due every 30 seconds on each path.
const IDLE: Duration = Duration::from_secs(60);
/// By then both paths of each are confirmed.
const SETTLING: Duration = Duration::from_secs(5);
/// Most bytes and most percent of a core that they may cost.
const BYTES: f64 = 4096.0;
const PERCENT: f64 = 5.0;

pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    let failed = |what: String| BenchError::Baseline(format!("idle associations: {what}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(error.to_string()))?;
    let (bytes, percent) = runtime.block_on(measure()).map_err(|error| failed(error.to_string()))?;
    report.row("idle", "bytes", bytes, Some(BYTES), "ratio <= 1");
    report.row("idle-cpu", "% of a core", percent, Some(PERCENT), "ratio <= 1");
    Ok(())
}

/// Bytes of one association at one end, and percent of a core for all of one end.
async fn measure() -> Result<(f64, f64), RequestError> {
    let addresses = |last: u8| -> [IpAddr; 2] { [[10, 0, 0, last].into(), [10, 1, 0, last].into()] };
    let config = Config { max_associations: COUNT.into(), ..Config::default() };
    let network = Network::default();
    let (client, server) = (network.join(&addresses(1), config.clone()), network.join(&addresses(2), config));
    let mut listener = server.listen(Listen::on(PORT))?;
    let before = resident("self").unwrap_or_default();
    let mut ends = Vec::with_capacity(2 * usize::from(COUNT));
    for number in 0..COUNT {
        let port = FIRST_PORT.saturating_add(number);
        let near = client.connect(Connect { port, ..Connect::to(addresses(2).to_vec(), PORT) })?;
        let far = listener.accept().await.ok_or(RequestError::Ended)?;
        for end in [near, far] {
            while !matches!(end.receive().await, None | Some(Event::Established { .. })) {}
            ends.push(end);
        }
    }
    tokio::time::sleep(SETTLING).await;
    let start = processor_time();
    tokio::time::sleep(IDLE).await;
    let used = processor_time().saturating_sub(start);
    let alive = ends.iter().filter(|end| end.paths().iter().all(|path| path.confirmed)).count();
    if alive < ends.len() {
        return Err(RequestError::Ended);
    }
    let bytes = resident("self").unwrap_or_default().saturating_sub(before) as f64 / ends.len() as f64;
    // Both ends work in this process.
    Ok((bytes, used.as_secs_f64() / IDLE.as_secs_f64() * 100.0 / 2.0))
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
