//! `pinion demo`: a small core in which things break.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::demo::audience::Audience;
use crate::demo::audience::lines::Lines;
use crate::demo::audience::screen::Screen;
use crate::demo::error::DemoError;
use crate::demo::missing::missing_here;
use crate::demo::stage::Stage;
use crate::demo::stage::kernel::KernelStage;
use crate::demo::stage::user::UserStage;
use crate::demo::story;
use crate::demo::summary::Summary;
use crate::demo::theatre::Theatre;

const EXAMPLES: &str = "\
Examples:
  sudo pinion demo
      In network namespaces of its own, through the XDP programs; both are gone when it ends.
  pinion demo --engine user
      The same story simulated, through the user-space engine, and SBI on loopback: no privilege is needed.
  pinion demo --format json | jq .lost
      One object at the end; what happens is told on standard error.

The object says how many `sessions` (associations, tunnels, UEs, resources of SBI) there were, how many
`messages` (NGAP) and `packets` (GTP-U) gNBs and `requests` (SBI) AMFs sent, how many of all were `lost`,
and how many sessions `moved`. All of those `had_to_be_lost` and `had_to_move` with what was killed, or it
is not `as_it_should_be`. `associations`, `tunnels`, `ues` and `sbi` have the same of each kind. Of `sbi`,
a request had to be lost that changes something and was under way at the UDM that was killed: nobody may
send it again. `searches` are what the NRF was asked, `faults` what was lost, or done twice, without need.
A message about a UE is answered when
its AMF has it; how often UEs fell idle (`idled`), were `paged`, `switched` paths or were
`handed_over` is counted, and their `faults` are messages that went astray. An SMF made `learned`
of the sessions by PFCP; of those that moved, so many were `restored` on another UPF without it.
`engine` is what steered; `missing` says why that was not the kernel.

Exit codes: 0 nothing was lost or moved that did not have to be, and everything came back; 1 something
was, or it broke off; 2 bad usage.";

/// Watch a small core in which networks, daemon, AMF, UPF and UDM break
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// What steers
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    engine: Engine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table for people
    Table,
    /// One object
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// The kernel, where nothing is missing for it
    Auto,
    /// The XDP programs in the kernel
    Kernel,
    /// The user-space engine
    User,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, DemoError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(DemoError::system("threads"))?;
    let summary = runtime.block_on(play(args))?;
    let mut out = io::stdout().lock();
    let written = match args.format {
        Format::Table => summary.table(&mut out),
        Format::Json => {
            serde_json::to_writer(&mut out, &summary).map_err(io::Error::from).and_then(|()| writeln!(out))
        }
    };
    written.map_err(DemoError::system("write"))?;
    Ok(if summary.is_as_it_should_be() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn play(args: &Args) -> Result<Summary, DemoError> {
    // From now on a signal ends it in order, whatever is being built.
    let signals = Signals::listen()?;
    let watched = args.format == Format::Table && io::stdout().is_terminal() && io::stdin().is_terminal();
    let kernel = match args.engine {
        Engine::User => Err(Vec::new()),
        Engine::Auto | Engine::Kernel => kernel_stage(),
    };
    let missing = match kernel {
        Ok(stage) => return before(args.format, watched, stage, signals).await,
        Err(missing) if args.engine == Engine::Kernel => return Err(DemoError::Missing(missing.join("\n"))),
        Err(missing) => missing,
    };
    for line in &missing {
        eprintln!("pinion: {line}");
    }
    if !missing.is_empty() {
        eprintln!("pinion: until then, the same story simulated, through the user-space engine");
    }
    let summary = before(args.format, watched, UserStage::new(watched)?, signals).await;
    summary.map(|summary| summary.lacking(missing))
}

/// The stage in the kernel, or what is missing for it.
fn kernel_stage() -> Result<KernelStage, Vec<String>> {
    let missing = missing_here();
    if missing.is_empty() { KernelStage::new().map_err(|error| vec![error.to_string()]) } else { Err(missing) }
}

/// Plays before those who watch.
async fn before<S: Stage>(
    format: Format,
    watched: bool,
    stage: S,
    signals: Signals,
) -> Result<Summary, DemoError> {
    match format {
        Format::Table if watched => on(stage, Screen::open()?, signals).await,
        Format::Table => on(stage, Lines(io::stdout()), signals).await,
        Format::Json => on(stage, Lines(io::stderr()), signals).await,
    }
}

/// Plays on a stage until the end, or until a signal; either way what the stage made is gone then.
async fn on<S: Stage, A: Audience>(stage: S, audience: A, mut signals: Signals) -> Result<Summary, DemoError> {
    let mut theatre = Theatre::new(stage, audience);
    tokio::select! {
        summary = story::play(&mut theatre) => summary,
        () = signals.any() => Err(DemoError::Interrupted),
    }
}

/// The signals that end it.
struct Signals([Signal; 3]);

impl Signals {
    fn listen() -> Result<Self, DemoError> {
        let listen = |kind| signal(kind).map_err(DemoError::system("signals"));
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    async fn any(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
