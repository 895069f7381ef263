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
    /// Be the SCP that `scp` measures, on this address, or the bare relay.
    #[arg(long, hide = true, requires = "behind")]
    worker: Option<SocketAddr>,
    /// The port of the SCP's NRF.
    #[arg(long, hide = true, group = "behind")]
    nrf: Option<u16>,
    /// The port of the relay's backend.
    #[arg(long, hide = true, group = "behind")]
    backend: Option<u16>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match (arguments.worker, arguments.nrf, arguments.backend) {
        (Some(address), Some(nrf), _) => bench::scp::worker::run(address, nrf).map_err(|error| error.to_string()),
        (Some(address), _, Some(backend)) => {
            bench::scp::relay::run(address, backend).map_err(|error| error.to_string())
        }
        _ => bench::run(&arguments.name, &mut Report::new(arguments.json)).map_err(|error| error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(1)
        }
    }
}
