//! `pinion run`: the daemon.

use std::env;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use pinion_loader::kernel::PinFolder;

use crate::daemon::{self, Options, RunError};
use crate::logging::{self, Logging, LoggingError};
use crate::metrics;
use crate::notify::{Notifier, NotifyError, watchdog};

const EXAMPLES: &str = "\
Examples:
  pinion run /etc/pinion/pinion.yaml
      Steers until it is told to end; SIGHUP, or `pinion reload`, has it read the file again.
  pinion run pinion.yaml --log-format json
      Logs an object a line.

It needs CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW, and a kernel from 6.1 on; where Pinion itself speaks for
every service, and nothing is steered, less or nothing of it: `pinion check` says what. When it ends, or is killed, what
it put into the kernel goes on steering; the next one takes it over. `on_exit: detach` in the file has it clean up instead.

Exit codes: 0 it was told to end; 1 it failed; 2 the configuration is refused.";

/// Steer, in the foreground
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The configuration's file
    #[arg(value_name = "CONFIG")]
    config: PathBuf,

    /// The bpffs that the packet path is pinned in; it is mounted where there is none
    #[arg(long, value_name = "FOLDER", default_value = PinFolder::DEFAULT)]
    pins: PathBuf,

    /// Where it keeps what outlives it: sessions, resources, the layout of the pinned tables; no other daemon may run there
    #[arg(long, value_name = "FOLDER", default_value = "/run/pinion/state")]
    state: PathBuf,

    #[command(flatten)]
    logging: logging::Args,
}

/// Why the daemon ended otherwise than it was told to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The supervisor's socket is named wrongly.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// Nothing can be logged.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// There are no threads.
    #[error("no threads can be started: {0}")]
    Runtime(io::Error),
    /// The daemon.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Error {
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Run(RunError::Config(_)) | Self::Notify(_) | Self::Logging(_) => ExitCode::from(2),
            Self::Run(_) | Self::Runtime(_) => ExitCode::FAILURE,
        }
    }
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Error> {
    let variable = |name: &str| env::var(name).ok();
    let supervisor = Notifier::new(env::var_os("NOTIFY_SOCKET").as_deref())?;
    let (usec, pid) = (variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"));
    let watchdog = watchdog(usec.as_deref(), pid.as_deref(), std::process::id())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let _runtime = runtime.enter();
    let mut registry = metrics::registry();
    let logging = args.logging.options(variable, io::stderr().is_terminal())?;
    let logging = Logging::start(logging, &mut registry)?;
    let options = Options {
        config: args.config,
        pins: args.pins,
        state: args.state,
        supervisor,
        watchdog,
        logging,
        registry,
    };
    runtime.block_on(daemon::run(options))?;
    Ok(ExitCode::SUCCESS)
}
