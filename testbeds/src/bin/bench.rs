//! `cargo run --release -p testbeds --bin bench -- NAME [--json]`: measures, and prints ratios to a baseline of
//! the same run.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use testbeds::bench::{self, Report};

/// As in `pinion`, whose parts are measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure Pinion against a baseline in the same run.
#[derive(Parser)]
#[command(
    name = "bench",
    after_help = "Examples:\n  bench sctp           associations beside usrsctp's, in memory, at rest\n  bench steer          a table for people\n  bench decode         what it costs to find what messages are routed by\n  bench n2             the N2 front end in memory: messages, many AMFs, memory\n  bench n4             the N4 front end in memory: messages, memory, sessions made again\n  bench scp            the SCP beside nghttpx: requests a second, latency, memory\n  bench tables         what user space does to tables that packets use\n  bench crowd          a daemon with a million pins; build it first: cargo build --release -p testbeds\n  bench steer --json   one object a line: name, unit, value, baseline, ratio, goal"
)]
struct Arguments {
    /// What to measure.
    #[arg(value_parser = bench::NAMES)]
    name: String,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Be the SCP that `scp` measures, on this address.
    #[arg(long, hide = true, requires = "nrf")]
    worker: Option<SocketAddr>,
    /// The port of its NRF.
    #[arg(long, hide = true)]
    nrf: Option<u16>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let (Some(address), Some(nrf)) = (arguments.worker, arguments.nrf) {
        if let Err(error) = bench::scp::worker::run(address, nrf) {
            eprintln!("bench: {error}");
            return ExitCode::from(1);
        }
        return ExitCode::SUCCESS;
    }
    let mut report = Report::new(arguments.json);
    match bench::run(&arguments.name, &mut report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(1)
        }
    }
}
