//! What user space does to the tables while packets use them: a million pins go in, a hundred thousand flows expire. A
//! client exchanges datagrams meanwhile, and says how long it ever waited for one.

use std::thread;
use std::time::{Duration, Instant};

use pinion_loader::sweep::Sweeper;
use pinion_loader::{Bounds, Maps as _};
use pinion_steering::{Address, Pin, PinKey};

use super::{BenchError, Report};
use crate::bystander::{Bystanders, Seen, put_silent_sessions};
use crate::figures::millis;
use crate::scenario::{Scenario, Service};
use crate::topology::{Plan, Topology};

const PINS: u32 = 1_000_000;
const FLOWS: u32 = 100_000;
/// How many pins are written at once.
const BATCH: u32 = 1000;
/// How many flows the sweeper looks at in one step, as the daemon has it.
const STEP: usize = 512;
/// How long it lets others have the processor between two steps, as the daemon does.
const PAUSE: Duration = Duration::from_millis(1);

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    let topology = Topology::build(&Plan { clients: 1, endpoints: 1, ..Plan::default() })?;
    let service = Service::udp(false);
    let mut bystanders = Bystanders::of(&topology, &service)?;
    let bounds = Bounds { flows: 2 * FLOWS + 1000, pins: PINS, ..Bounds::default() };
    let mut scenario = Scenario::start_bounded(&topology, &[service.spec(&topology)], bounds)?;

    let still = Some(millis(bystanders.quiet()?.longest));
    let Seen { took, longest, .. } = bystanders.during(|| insert(&mut scenario))?;
    report.row("insert/1000000-pins", "s", took.as_secs_f64(), None, "at most 10");
    report.row("insert/longest-wait", "ms", millis(longest), still, "");
    put_silent_sessions(&mut scenario.kernel, FLOWS)?;
    let Seen { took, longest, .. } = bystanders.during(|| expire(&mut scenario))?;
    report.row("expire/100000-flows", "s", took.as_secs_f64(), None, "");
    report.row("expire/longest-wait", "ms", millis(longest), still, "at most 5 ms");
    Ok(())
}

fn insert(scenario: &mut Scenario) -> Result<(), BenchError> {
    let address = Address::v4([192, 0, 2, 1]);
    for first in (1..=PINS).step_by(BATCH as usize) {
        let pins: Vec<_> = (first..first.saturating_add(BATCH))
            .map(|teid| (PinKey { address, teid }, Pin { target: 1, teid, service: 0, path: 0, flags: 0 }))
            .collect();
        scenario.kernel.put_pins(&pins).map_err(|(_, error)| error)?;
    }
    Ok(())
}

fn expire(scenario: &mut Scenario) -> Result<(), BenchError> {
    let begin = Instant::now();
    let mut sweeper = Sweeper::default();
    let mut ended = 0;
    while ended < FLOWS as usize && begin.elapsed() < Duration::from_secs(120) {
        ended += sweeper.step(&mut scenario.kernel, STEP)?.ended.len();
        thread::sleep(PAUSE);
    }
    Ok(())
}
