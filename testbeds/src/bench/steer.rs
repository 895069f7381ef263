//! What steering a packet costs, by BPF_PROG_TEST_RUN, net of an empty program, beside the hand-written balancer.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use pinion_loader::kernel::{Kernel, PROGRAM};
use pinion_loader::setup::{EndpointSpec, ServiceSpec, Setup};
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, Engine as _, INGRESS, Maps};
use pinion_steering::{
    Address, Exhausted, Flow, FlowKey, Kind, NextHop, Pin, PinKey, Placement, State, Unknown, hop, protocol,
};

use super::baseline::Baseline;
use super::frames::{self, CLIENT, CLIENT_PORT, SERVICE, SERVICE_PORT};
use super::{BenchError, Report};
use crate::figures::{median, millis};
use crate::namespace::{Mac, Namespace, Veth};

/// Frame sizes that must cost the same.
const SIZES: [usize; 4] = [64, 256, 700, 1400];
/// How many sessions the tables hold.
const SESSIONS: u32 = 50_000;
/// Runs in one measurement: a run takes one of the time to live.
const REPEAT: u32 = 250;
/// How many measurements a row takes; their median is the row.
const ROUNDS: usize = 400;
/// How many runs the rows of single runs take.
const SINGLE_RUNS: u32 = 20_000;
/// XDP_TX.
const TRANSMIT: u32 = 3;
/// XDP_REDIRECT.
const REDIRECT: u32 = 4;

const STEADY: &str = "at most 1.3, flat within 10 %";
const TAG: u32 = 0x0102_0304;
/// The tag that the client chose.
const CLIENT_TAG: u32 = 0x0a0b_0c0d;
const TEIDS: [u32; 2] = [0x1000_0001, 0x2000_0001];
const SCTP_PORT: u16 = 38_412;
const OTHER_PORT: u16 = 38_413;
/// Of a service that is listened to.
const AWARE_PORT: u16 = 38_415;

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    let begin = Instant::now();
    let mut kernel = Kernel::load(Bounds::default())?;
    let made = begin.elapsed();
    let verified = kernel.verify(PROGRAM)?;
    report.row("verifier/pinion", "instructions", f64::from(verified.instructions), None, "at most 100,000");
    report.row("load/pinion", "ms", millis(made + verified.took), None, "at most 1,000");

    let baseline = Baseline::load(SESSIONS)?;
    let mut setup = Setup::default();
    setup.apply(&mut kernel, &services())?;
    sessions(&mut kernel, &setup)?;

    let udp = setup.base("udp", "one").unwrap_or_default();
    let mut bench = Bench { kernel, baseline, udp };
    let empty = bench.median(|bench| {
        Ok(bench.baseline.run("empty", &frames::udp(1, 2, &[], 64), REPEAT)?.1.as_nanos() as f64)
    })?;
    report.row("empty", "ns", empty, None, "");
    let mut udp = Vec::new();
    for size in SIZES {
        let frame = frames::udp(CLIENT_PORT, SERVICE_PORT, &[], size);
        let (own, base) = bench.pair(&format!("udp/{size}"), &frame, &frame)?;
        udp.push(base - empty);
        report.row(&format!("baseline/{size}"), "ns", base - empty, None, "");
        report.row(&format!("udp/{size}"), "ns", own - empty, Some(base - empty), STEADY);
    }
    for size in SIZES {
        bench.steady(report, &format!("gtpu/{size}"), &frames::gtpu(TEIDS[0], size), size, empty, STEADY)?;
    }
    for size in SIZES {
        let frame = frames::sctp([CLIENT, SERVICE], [CLIENT_PORT, SCTP_PORT], TAG, &frames::data(size), 0);
        bench.steady(report, &format!("sctp-data/{size}"), &frame, size, empty, STEADY)?;
    }
    for size in SIZES {
        let frame = frames::sctp([CLIENT, SERVICE], [CLIENT_PORT, OTHER_PORT], TAG, &frames::data(size), 0);
        let goal = "at most sctp-data + 50 ns";
        bench.steady(report, &format!("sctp-ports/{size}"), &frame, size, empty, goal)?;
    }
    for size in SIZES {
        let frame = frames::sctp([CLIENT, SERVICE], [CLIENT_PORT, AWARE_PORT], TAG, &frames::data(size), 0);
        bench.steady(report, &format!("sctp-aware/{size}"), &frame, size, empty, "sctp-data and a copy")?;
    }
    let addresses: Vec<[u8; 4]> = (0..4).map(path).collect();
    let chunk = frames::init_ack(TAG.wrapping_sub(1), &addresses);
    let frame = frames::sctp([SERVICE, CLIENT], [SCTP_PORT, CLIENT_PORT], CLIENT_TAG, &chunk, 0);
    bench.steady(report, "init-ack", &frame, 256, empty, "at most 500 ns")?;
    bench.cold(report)?;
    bench.fib(report)?;
    user(report)
}

/// The address of a path: of service and endpoint alike, so that a packet comes out as it went in.
fn path(index: u8) -> [u8; 4] {
    let [a, b, c, d] = SERVICE;
    [a, b, c, d + index]
}

fn services() -> Vec<ServiceSpec> {
    let service = |name: &str, kind, protocol, port, to, paths: u8| {
        let addresses: Vec<IpAddr> = (0..paths).map(|index| Ipv4Addr::from(path(index)).into()).collect();
        ServiceSpec {
            name: name.to_owned(),
            kind,
            protocol,
            port,
            addresses: addresses.clone(),
            unknown: Unknown::Hash,
            placement: Placement::Maglev,
            exhausted: Exhausted::Drop,
            endpoints: vec![EndpointSpec { name: "one".to_owned(), addresses, port: to, weight: 1, up: true }],
            aware: false,
            exits: Vec::new(),
        }
    };
    vec![
        service("udp", Kind::Flow, protocol::UDP, SERVICE_PORT, SERVICE_PORT, 1),
        service("gtpu", Kind::Gtpu, protocol::UDP, 2152, 2152, 1),
        service("sctp", Kind::Sctp, protocol::SCTP, SCTP_PORT, SCTP_PORT, 4),
        // Its packets come out as those of `back`, and those as its own.
        service("there", Kind::Sctp, protocol::SCTP, OTHER_PORT, OTHER_PORT + 1, 1),
        service("back", Kind::Sctp, protocol::SCTP, OTHER_PORT + 1, OTHER_PORT, 1),
        ServiceSpec { aware: true, ..service("aware", Kind::Sctp, protocol::SCTP, AWARE_PORT, AWARE_PORT, 4) },
    ]
}

/// Fills the tables: the measured sessions, and many others beside them.
fn sessions(maps: &mut dyn Maps, setup: &Setup) -> Result<(), BenchError> {
    let base = |service: &str| setup.base(service, "one").unwrap_or_default();
    let id = |service: &str| setup.id(service).unwrap_or_default();
    let (client, service) = (Address::v4(CLIENT), Address::v4(SERVICE));
    let flow = |name: &str| Flow {
        target: base(name),
        from: setup.own(name).unwrap_or_default(),
        service: id(name),
        state: State::Established as u8,
        ..Flow::default()
    };
    for extra in 0..SESSIONS {
        let port = CLIENT_PORT.wrapping_add(extra as u16);
        let near = SERVICE_PORT.wrapping_add((extra >> 16) as u16);
        maps.put_flow(&FlowKey::tuple(service, near, client, port, protocol::UDP), &flow("udp"))?;
        let pin = |teid: u32| Pin { target: base("gtpu"), teid, service: id("gtpu"), ..Pin::default() };
        let [there, back] = TEIDS.map(|teid| teid.wrapping_add(extra));
        maps.put_pin(&PinKey { address: service, teid: there }, &pin(back))?;
        maps.put_pin(&PinKey { address: service, teid: back }, &pin(there))?;
        maps.put_flow(&FlowKey::association(TAG.wrapping_add(extra), SCTP_PORT, CLIENT_PORT), &flow("sctp"))?;
    }
    for (name, port) in [("there", OTHER_PORT), ("back", OTHER_PORT + 1), ("aware", AWARE_PORT)] {
        maps.put_flow(&FlowKey::association(TAG, port, CLIENT_PORT), &flow(name))?;
    }
    // What an INIT left behind for its INIT ACK.
    let forward = flow("sctp");
    let back =
        Flow { target: forward.from, from: forward.target, reply: 1, state: State::Opening as u8, ..forward };
    maps.put_flow(&FlowKey::association(CLIENT_TAG, CLIENT_PORT, SCTP_PORT), &back)?;
    Ok(())
}

struct Bench {
    kernel: Kernel,
    baseline: Baseline,
    /// Index of the UDP service's endpoint among what packets are rewritten to.
    udp: u32,
}

impl Bench {
    /// A row of a steady packet, beside the baseline's on a UDP packet of the same size.
    fn steady(
        &mut self,
        report: &mut Report,
        name: &str,
        frame: &[u8],
        size: usize,
        empty: f64,
        goal: &'static str,
    ) -> Result<(), BenchError> {
        let plain = frames::udp(CLIENT_PORT, SERVICE_PORT, &[], size);
        let (own, base) = self.pair(name, frame, &plain)?;
        report.row(name, "ns", own - empty, Some(base - empty), goal);
        Ok(())
    }

    /// Medians of Pinion on one frame and the baseline on another, measured in turn, each after a run that is not
    /// measured: else the first packets wait for what the other one, and the calls between, displaced in the processor.
    fn pair(&mut self, row: &str, frame: &[u8], plain: &[u8]) -> Result<(f64, f64), BenchError> {
        let (mut own, mut base) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let took = self.warm_run(row, frame)?;
            own.push(took.as_nanos() as f64);
            self.baseline.run("baseline", plain, REPEAT)?;
            let (returned, took) = self.baseline.run("baseline", plain, REPEAT)?;
            went(row, returned, TRANSMIT)?;
            base.push(took.as_nanos() as f64);
        }
        Ok((median(own), median(base)))
    }

    /// One measurement with the next hops cached, and none of them asked anew because the clock ticked meanwhile.
    fn warm_run(&mut self, row: &str, frame: &[u8]) -> Result<Duration, BenchError> {
        loop {
            let before = self.warm()?;
            // There is room for what both runs may leave.
            self.kernel.copies()?;
            self.kernel.test_run(PROGRAM, frame, REPEAT)?;
            let (returned, _, took) = self.kernel.test_run(PROGRAM, frame, REPEAT)?;
            if self.kernel.tick()? == before {
                went(row, returned, TRANSMIT)?;
                return Ok(took);
            }
        }
    }

    fn median(&mut self, mut one: impl FnMut(&mut Self) -> Result<f64, BenchError>) -> Result<f64, BenchError> {
        let mut figures = Vec::new();
        for _ in 0..ROUNDS {
            figures.push(one(self)?);
        }
        Ok(median(figures))
    }

    /// Caches the next hops that the frames need: back out of the interface that they came in on. Returns the tick.
    fn warm(&mut self) -> Result<u32, BenchError> {
        let asked = self.kernel.tick()?;
        for address in (0..4).map(path).chain([CLIENT]) {
            let destination = Address::v4(address);
            let hop = NextHop {
                destination,
                ifindex: INGRESS,
                asked,
                mtu: 9000,
                vlan: 0,
                header: NextHop::link([2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1]),
                ..NextHop::default()
            };
            self.kernel.put_hop(hop::slot(&destination), &hop)?;
        }
        Ok(asked)
    }

    /// What a single run of the empty program takes: it includes the kernel's own timing.
    fn empty_once(&mut self) -> Result<f64, BenchError> {
        let frame = frames::udp(1, 2, &[], 64);
        let mut figures = Vec::new();
        for _ in 0..SINGLE_RUNS {
            figures.push(self.baseline.run("empty", &frame, 1)?.1.as_nanos() as f64);
        }
        Ok(median(figures))
    }

    /// Each packet once, of another session each time: keys and packets out of the caches.
    fn cold(&mut self, report: &mut Report) -> Result<(), BenchError> {
        let empty = self.empty_once()?;
        let (mut own, mut base) = (Vec::new(), Vec::new());
        for round in 0..SINGLE_RUNS {
            if round % 64 == 0 {
                self.warm()?;
            }
            let extra = round.wrapping_mul(2_654_435_761) % SESSIONS;
            let port = CLIENT_PORT.wrapping_add(extra as u16);
            let near = SERVICE_PORT.wrapping_add((extra >> 16) as u16);
            let frame = frames::udp(port, near, &[], 64);
            own.push(self.kernel.test_run(PROGRAM, &frame, 1)?.2.as_nanos() as f64);
            base.push(self.baseline.run("baseline", &frame, 1)?.1.as_nanos() as f64);
        }
        report.row("udp-cold/64", "ns", median(own) - empty, Some(median(base) - empty), "");
        Ok(())
    }

    /// Each packet has its next hop asked of the kernel, in a namespace where there is one.
    fn fib(&mut self, report: &mut Report) -> Result<(), BenchError> {
        let (balancer, endpoint) = (Namespace::new()?, Namespace::new()?);
        let [here, there] = balancer.link_to(&endpoint, &Veth::named("here", "there"))?;
        let [a, b, c, _] = SERVICE;
        balancer.add_address(&here.name, IpAddr::from([a, b, c, 254]), 24)?;
        balancer.add_neighbour(&here.name, IpAddr::from(SERVICE), there.mac.unwrap_or(Mac([2, 0, 0, 0, 0, 2])))?;
        balancer.forward()?;
        let frame = frames::udp(CLIENT_PORT, SERVICE_PORT, &[], 64);
        let (own, base, empty) = balancer.run(|| self.asked(&frame))??;
        report.row("udp-fib/64", "ns", own - empty, Some(base - empty), "");
        Ok(())
    }

    /// Medians of single runs without a cached next hop, of the baseline and of the empty program.
    fn asked(&mut self, frame: &[u8]) -> Result<(f64, f64, f64), BenchError> {
        let empty = self.empty_once()?;
        let slots = [hop::slot(&Address::v4(SERVICE)), hop::target_slot(self.udp)];
        let (mut own, mut base) = (Vec::new(), Vec::new());
        for _ in 0..SINGLE_RUNS {
            for slot in slots {
                self.kernel.put_hop(slot, &NextHop::default())?;
            }
            let (returned, _, took) = self.kernel.test_run(PROGRAM, frame, 1)?;
            went("udp-fib/64", returned, REDIRECT)?;
            own.push(took.as_nanos() as f64);
            base.push(self.baseline.run("baseline", frame, 1)?.1.as_nanos() as f64);
        }
        Ok((median(own), median(base), empty))
    }
}

/// Whether a packet went the way that was to be measured.
fn went(row: &str, found: u32, wanted: u32) -> Result<(), BenchError> {
    if found == wanted { Ok(()) } else { Err(BenchError::Astray { row: row.to_owned(), found, wanted }) }
}

/// The user-space engine on a mix of the same packets.
fn user(report: &mut Report) -> Result<(), BenchError> {
    const PACKETS: u32 = 3_000_000;
    let mut engine = UserEngine::new(Bounds::default());
    let mut setup = Setup::default();
    setup.apply(&mut engine, &services())?;
    sessions(&mut engine, &setup)?;
    engine.imagine(1, 1)?;
    let mix = [
        frames::udp(CLIENT_PORT, SERVICE_PORT, &[], 64),
        frames::gtpu(TEIDS[0], 700),
        frames::sctp([CLIENT, SERVICE], [CLIENT_PORT, SCTP_PORT], TAG, &frames::data(256), 0),
    ];
    let begin = Instant::now();
    for frame in mix.iter().cycle().take(PACKETS as usize) {
        engine.steer(frame);
    }
    let rate = f64::from(PACKETS) / begin.elapsed().as_secs_f64();
    report.row("user-engine", "packets/s", rate, None, "at least 1,000,000");
    Ok(())
}
