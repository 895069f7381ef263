//! What user space does to the tables while packets use them: a million pins go in, a hundred thousand flows expire. A
//! client exchanges datagrams meanwhile, and says how long it ever waited for one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pinion_loader::sweep::Sweeper;
use pinion_loader::{Bounds, Maps as _};
use pinion_steering::{Address, Flow, FlowKey, Pin, PinKey, State, protocol};

use super::{BenchError, Report};
use crate::failure::Failure;
use crate::peers::udp;
use crate::scenario::{Scenario, Service, wake};
use crate::topology::{Plan, Topology};

const PINS: u32 = 1_000_000;
const FLOWS: u32 = 100_000;
/// How many pins are written at once.
const BATCH: u32 = 1000;
/// How many flows the sweeper looks at in one step, as the daemon has it.
const STEP: usize = 512;
/// How long it lets others have the processor between two steps, as the daemon does.
const PAUSE: Duration = Duration::from_millis(1);
/// Longer ago, in ticks, than any session may be silent.
const LONG_AGO: u32 = 100_000;
/// How long a client exchanges datagrams with nothing going on.
const QUIET: Duration = Duration::from_secs(2);
const WAIT: Duration = Duration::from_secs(1);

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    let topology = Topology::build(&Plan { clients: 1, endpoints: 1, ..Plan::default() })?;
    let _wakers = wake(&topology)?;
    let service = Service::udp(false);
    let bounds = Bounds { flows: 2 * FLOWS + 1000, pins: PINS, ..Bounds::default() };
    let mut scenario = Scenario::start_bounded(&topology, &[service.spec(&topology)], bounds)?;
    let _servers = topology
        .endpoints
        .iter()
        .map(|host| {
            let sockets: Vec<_> =
                host.addresses(false).iter().map(|it| SocketAddr::new(*it, service.endpoint_port)).collect();
            udp::Server::start(&host.namespace, &host.name, &sockets)
        })
        .collect::<Result<Vec<_>, _>>()?;

    let (quiet, ()) = beside(&topology, &service, || {
        thread::sleep(QUIET);
        Ok(())
    })?;
    let (gap, took) = beside(&topology, &service, || insert(&mut scenario))?;
    report.row("insert/1000000-pins", "s", took.as_secs_f64(), None, "at most 10");
    report.row("insert/longest-wait", "ms", millis(gap), Some(millis(quiet)), "");
    fill(&mut scenario)?;
    let (gap, took) = beside(&topology, &service, || expire(&mut scenario))?;
    report.row("expire/100000-flows", "s", took.as_secs_f64(), None, "");
    report.row("expire/longest-wait", "ms", millis(gap), Some(millis(quiet)), "at most 5 ms");
    Ok(())
}

/// Does `work` while a client exchanges datagrams; the longest that it waited for an answer.
fn beside<R>(
    topology: &Topology,
    service: &Service,
    work: impl FnOnce() -> Result<R, BenchError>,
) -> Result<(Duration, R), BenchError> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let traffic = scope.spawn(|| exchange(topology, service, &stop));
        let done = work();
        stop.store(true, Ordering::Release);
        let longest = traffic.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok((longest, done?))
    })
}

fn exchange(topology: &Topology, service: &Service, stop: &AtomicBool) -> Result<Duration, Failure> {
    let mut longest = Duration::ZERO;
    for host in &topology.clients {
        let address = host.addresses(false).first().copied().unwrap_or(Ipv4Addr::LOCALHOST.into());
        let mut client = udp::Client::bind(&host.namespace, SocketAddr::new(address, 0))?;
        // The first one waits for ARP.
        client.exchange(service.socket(), 1, 64, WAIT)?;
        while !stop.load(Ordering::Acquire) {
            let sent = Instant::now();
            client.exchange(service.socket(), 1, 64, WAIT)?;
            longest = longest.max(sent.elapsed());
        }
    }
    Ok(longest)
}

fn insert(scenario: &mut Scenario) -> Result<Duration, BenchError> {
    let begin = Instant::now();
    let address = Address::v4([192, 0, 2, 1]);
    for first in (1..=PINS).step_by(BATCH as usize) {
        let pins: Vec<_> = (first..first.saturating_add(BATCH))
            .map(|teid| (PinKey { address, teid }, Pin { target: 1, teid, service: 0, path: 0, reserved: 0 }))
            .collect();
        scenario.kernel.put_pins(&pins).map_err(|(_, error)| error)?;
    }
    Ok(begin.elapsed())
}

/// Sessions that nobody has used for long, both directions.
fn fill(scenario: &mut Scenario) -> Result<(), BenchError> {
    let seen = scenario.kernel.clock()?.wrapping_sub(LONG_AGO);
    let (service, endpoint) = (Address::v4([10, 1, 255, 1]), Address::v4([10, 1, 101, 2]));
    for number in 0..FLOWS {
        let [_, a, b, c] = number.to_be_bytes();
        let client = Address::v4([172, 16 + a, b, c]);
        let state = State::Established as u8;
        let flow = Flow { target: 1, seen, state, ..Flow::default() };
        let forward = FlowKey::tuple(service, 7000, client, 5000, protocol::UDP);
        let reply = FlowKey::tuple(client, 5000, endpoint, 7100, protocol::UDP);
        scenario.kernel.put_flow(&forward, &flow)?;
        scenario.kernel.put_flow(&reply, &Flow { target: 0, reply: 1, ..flow })?;
    }
    Ok(())
}

fn expire(scenario: &mut Scenario) -> Result<Duration, BenchError> {
    let begin = Instant::now();
    let mut sweeper = Sweeper::default();
    let mut ended = 0;
    while ended < FLOWS as usize && begin.elapsed() < Duration::from_secs(120) {
        ended += sweeper.step(&mut scenario.kernel, STEP)?.ended.len();
        thread::sleep(PAUSE);
    }
    Ok(begin.elapsed())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
