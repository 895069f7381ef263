//! `pinion check`: whether a configuration is right, and what it would run.

mod summary;
mod table;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{self, ConfigError, Host};
use summary::Summary;

const EXAMPLES: &str = "\
Examples:
  pinion check pinion.yaml
      What it would run; or every mistake in it, as FILE:LINE:COLUMN: what; what would be right.
  pinion check --format json pinion.yaml | jq '.tables[] | select(.bytes > 1000000)'
      Which tables take more than a megabyte.
  pinion check --schema > pinion.schema.json
      The JSON Schema of configurations, for editors.

Exit codes: 0 right; 1 the output cannot be written; 2 bad usage, or a configuration that is wrong.";

/// Check a configuration, and show what it would run
///
/// Says every mistake at once. Whether its interfaces, addresses and files are there is asked of this host: where the configuration is
/// for another one, say --elsewhere.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The configuration
    #[arg(value_name = "CONFIG", required_unless_present = "schema")]
    config: Option<PathBuf>,

    /// How to print what it would run
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// The configuration is for another host: do not look for its interfaces, addresses and files on this one
    #[arg(long)]
    elsewhere: bool,

    /// Print the JSON Schema of configurations instead
    #[arg(long, conflicts_with_all = ["config", "format", "elsewhere"])]
    schema: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One screen, for people
    Table,
    /// One JSON object
    Json,
}

/// Why the command could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(ConfigError),
    /// This host does not say what it has.
    #[error("cannot list this host's interfaces: {0}; say --elsewhere to check without them")]
    Host(io::Error),
    /// The output cannot be written.
    #[error("cannot write the output: {0}; make room where it goes, or send it elsewhere")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit code that it ends the command with.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(2),
            Self::Host(_) | Self::Output(_) => ExitCode::FAILURE,
        }
    }
}

/// Checks a configuration. Its mistakes go to standard error, a line each that begins with the file's name.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let text = match &args.config {
        None => json(&config::schema()),
        Some(path) => {
            let host = if args.elsewhere { Host::default() } else { Host::here().map_err(Error::Host)? };
            let read = match config::read(path, &host) {
                Ok(read) => read,
                Err(error @ ConfigError::Wrong { .. }) => {
                    eprintln!("{error}");
                    return Ok(ExitCode::from(2));
                }
                Err(error) => return Err(Error::Config(error)),
            };
            let file = path.display().to_string();
            for warning in &read.warnings {
                eprintln!("{file}:{}:{}: warning: {}", warning.line(), warning.column(), warning.what());
            }
            let summary = Summary::new(&file, &read, &host);
            match args.format {
                Format::Json => json(&summary),
                Format::Table => summary.to_string(),
            }
        }
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        done => Ok(done.map(|()| ExitCode::SUCCESS)?),
    }
}

/// A value as JSON for people to read. Ours have no keys but strings, so that it cannot fail.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).map(|text| text + "\n").unwrap_or_default()
}
