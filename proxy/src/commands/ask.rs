//! What the commands that ask a daemon share: which daemon, how to print, and how they fail.

pub(crate) mod columns;
pub(super) mod json;
pub(crate) mod time;
pub(super) mod words;

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::api::{AskError, Client, Credentials, Target};

/// Which daemon is asked, and as whom.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Which daemon")]
pub(crate) struct Daemon {
    /// Where it listens; https:// needs the three options below
    #[arg(
        long,
        env = "PINION_API",
        hide_env_values = true,
        value_name = "unix:PATH|https://HOST:PORT",
        default_value = "unix:/run/pinion/api.sock"
    )]
    api: Target,

    /// This client's certificate chain, PEM
    #[arg(long, env = "PINION_CERTIFICATE", hide_env_values = true, value_name = "FILE")]
    certificate: Option<PathBuf>,

    /// The private key of --certificate, PEM
    #[arg(long, env = "PINION_KEY", hide_env_values = true, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The authority that signed the daemon's certificate, PEM
    #[arg(long, env = "PINION_AUTHORITY", hide_env_values = true, value_name = "FILE")]
    authority: Option<PathBuf>,
}

impl Daemon {
    pub(super) fn target(&self) -> &Target {
        &self.api
    }

    pub(super) async fn connect(&self) -> Result<Client, AskError> {
        let credentials = match (&self.certificate, &self.key, &self.authority) {
            (Some(certificate), Some(key), Some(authority)) => Some(Credentials {
                certificate: certificate.clone(),
                key: key.clone(),
                authority: authority.clone(),
            }),
            _ => None,
        };
        Client::connect(&self.api, credentials.as_ref()).await
    }
}

/// Whom to ask, and how to print the answer.
#[derive(Debug, clap::Args)]
pub(crate) struct How {
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) daemon: Daemon,
}

/// How to print an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// For programs; the keys are listed below
    Json,
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The daemon does not answer, or refuses.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The output cannot be written.
    #[error("cannot write the output: {0}; make room where it goes, or send it elsewhere")]
    Output(#[from] io::Error),
    /// The system refuses what every network program needs.
    #[error("cannot begin: {0}; raise the limits of this user")]
    Runtime(io::Error),
    /// A live screen needs a terminal.
    #[error("standard input and output are no terminal; use `pinion top --once` for one screen as text")]
    NoTerminal,
}

impl Error {
    /// The exit code that it ends the command with.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Ask(error) if error.is_usage() => ExitCode::from(2),
            Self::NoTerminal => ExitCode::from(2),
            Self::Ask(_) | Self::Output(_) | Self::Runtime(_) => ExitCode::FAILURE,
        }
    }
}

/// Connects, and asks. A reader of the output that has seen enough ends the command, and that is no failure.
pub(super) fn ask<Asked: Future<Output = Result<(), Error>>>(
    daemon: &Daemon,
    question: impl FnOnce(Client) -> Asked,
) -> Result<ExitCode, Error> {
    let asked = runtime()?.block_on(async { question(daemon.connect().await?).await });
    match asked {
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        asked => asked.map(|()| ExitCode::SUCCESS),
    }
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)
}

/// Whether standard output takes colours.
pub(super) fn coloured() -> bool {
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !declined
}

/// Prints text to standard output.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a value as indented JSON to standard output.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    text.push('\n');
    print(&text)
}
