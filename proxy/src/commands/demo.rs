//! `pinion demo`: a small core in which things break.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::demo::audience::Audience;
use crate::demo::audience::lines::Lines;
use crate::demo::audience::screen::Screen;
use crate::demo::error::DemoError;
use crate::demo::stage::Stage;
use crate::demo::stage::user::UserStage;
use crate::demo::story;
use crate::demo::summary::Summary;
use crate::demo::theatre::Theatre;

const EXAMPLES: &str = "\
Examples:
  pinion demo
      What happens is simulated, and goes through the user-space engine: no privilege is needed.
  pinion demo --format json | jq .lost
      One object at the end; what happens is told on standard error.

Exit codes: 0 nothing was lost or moved that did not have to be; 1 something was, or it broke off; 2 bad usage.";

/// Watch a small core in which networks, daemon, AMF and UPF break
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table for people
    Table,
    /// One object
    Json,
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
    let watched = args.format == Format::Table && io::stdout().is_terminal() && io::stdin().is_terminal();
    let stage = UserStage::new(watched)?;
    match args.format {
        Format::Table if watched => on(stage, Screen::open()?).await,
        Format::Table => on(stage, Lines(io::stdout())).await,
        Format::Json => on(stage, Lines(io::stderr())).await,
    }
}

/// Plays on a stage until the end, or until a signal; either way what the stage made is gone then.
async fn on<S: Stage, A: Audience>(stage: S, audience: A) -> Result<Summary, DemoError> {
    let listen = |kind| signal(kind).map_err(DemoError::system("signals"));
    let mut signals =
        [listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?];
    let [interrupt, terminate, hangup] = &mut signals;
    let mut theatre = Theatre::new(stage, audience);
    tokio::select! {
        summary = story::play(&mut theatre) => summary,
        _ = interrupt.recv() => Err(DemoError::Interrupted),
        _ = terminate.recv() => Err(DemoError::Interrupted),
        _ = hangup.recv() => Err(DemoError::Interrupted),
    }
}
