//! A daemon with a million pins: from the store into its session table and the kernel's, while packets flow; what it
//! answers then; and a hundred thousand flows that it ends.

use std::env;
use std::time::Duration;

use super::{BenchError, Report};
use crate::bystander::Seen;
use crate::daemon::{Crowd, Redis};
use crate::figures::millis;

const PINS: u32 = 1_000_000;
const FLOWS: u32 = 100_000;

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    let redis = Redis::find().map_err(|missing| BenchError::Missing(missing.to_string()))?;
    let ourselves = env::current_exe().map_err(|error| BenchError::Missing(error.to_string()))?;
    let daemon = ourselves.with_file_name("daemon");
    if !daemon.exists() {
        let what = format!("{} is not built: cargo build --release -p testbeds", daemon.display());
        return Err(BenchError::Missing(what));
    }
    let Crowd { quiet, inserted, maps, resident, first_page, nobody, all, expired } =
        Crowd::gather(&daemon, &redis, PINS, FLOWS)?;
    let seconds = |duration: Duration| duration.as_secs_f64();
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let lost = |seen: &Seen| (seen.echoes.sent - seen.echoes.echoed) as f64;
    let still = Some(millis(quiet.longest));
    report.row("restore/1000000-pins", "s", seconds(inserted.took), None, "at most 10");
    report.row("restore/lost", "packets", lost(&inserted), None, "0");
    report.row("restore/longest-wait", "ms", millis(inserted.longest), still, "");
    report.row("maps", "MiB", mebibytes(maps), None, "");
    report.row("daemon", "MiB", mebibytes(resident), None, "");
    report.row("sessions/first-page", "ms", millis(first_page), None, "at most 50");
    report.row("sessions/nobody", "ms", millis(nobody.0), None, "");
    report.row("sessions/all", "s", seconds(all.1), None, "");
    report.row("expire/100000-flows", "s", seconds(expired.took), None, "");
    report.row("expire/lost", "packets", lost(&expired), None, "0");
    report.row("expire/longest-wait", "ms", millis(expired.longest), still, "at most 5");
    Ok(())
}
