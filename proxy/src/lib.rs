//! The daemon and the command line `pinion`.
//!
//! [`config`] reads what an operator wrote, [`pool`] decides which endpoints get sessions, [`health`] finds out
//! which are up, [`traffic`] what sessions show of them, [`sessions`] keeps what is pinned, [`store`] writes it where
//! other nodes find it, [`announce`] tells neighbours, [`api`] is how others ask, and [`daemon`] puts them together; [`demo`] shows it at work.
//! [`commands`] has one module for each command.

#![forbid(unsafe_code)]

pub mod announce;
pub mod api;
mod commands;
pub mod config;
pub mod control;
pub mod daemon;
mod demo;
pub mod discover;
pub mod gtpc;
pub mod health;
pub mod logging;
pub mod metrics;
pub mod n2;
pub mod n4;
pub mod notify;
pub mod pool;
pub mod privileges;
pub mod sbi;
pub mod sessions;
pub mod spoken;
pub mod store;
pub mod traffic;

use std::fmt;
use std::process::ExitCode;

use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  pinion demo
      A small core in which networks, the daemon, an AMF and a UPF break.
  pinion run pinion.yaml
      Steers what the configuration says.
  pinion replay n2.pcap
      What the steering code makes of a capture.
  pinion decode n2.pcap
      What is in it.";

/// A load balancer for 4G and 5G cores
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Demo(commands::demo::Args),
    Init(commands::init::Args),
    Check(commands::check::Args),
    Run(commands::run::Args),
    Replay(commands::replay::Args),
    Decode(commands::decode::Args),
    Services(commands::services::Args),
    Endpoints(commands::endpoints::Args),
    Sessions(commands::sessions::Args),
    Stats(commands::stats::Args),
    Drain(commands::drain::Args),
    Weight(commands::weight::Args),
    Explain(commands::explain::Args),
    Reload(commands::reload::Args),
    Top(commands::top::Args),
}

/// The command line: reads the arguments of this process, and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Demo(args) => commands::demo::run(&args).unwrap_or_else(|error| fail(&error, ExitCode::FAILURE)),
        Command::Init(args) => commands::init::run(&args).unwrap_or_else(|error| fail(&error, error.code())),
        Command::Check(args) => commands::check::run(&args).unwrap_or_else(|error| fail(&error, error.code())),
        Command::Run(args) => commands::run::run(args).unwrap_or_else(|error| fail(&error, error.code())),
        Command::Replay(args) => commands::replay::run(&args).unwrap_or_else(|error| fail(&error, error.code())),
        Command::Decode(args) => {
            commands::decode::run(&args).unwrap_or_else(|error| fail(&error, ExitCode::FAILURE))
        }
        Command::Services(args) => asked(commands::services::run(&args)),
        Command::Endpoints(args) => asked(commands::endpoints::run(&args)),
        Command::Sessions(args) => asked(commands::sessions::run(&args)),
        Command::Stats(args) => asked(commands::stats::run(&args)),
        Command::Drain(args) => asked(commands::drain::run(&args)),
        Command::Weight(args) => asked(commands::weight::run(&args)),
        Command::Explain(args) => asked(commands::explain::run(&args)),
        Command::Reload(args) => asked(commands::reload::run(&args)),
        Command::Top(args) => asked(commands::top::run(&args)),
    }
}

fn asked(done: Result<ExitCode, commands::ask::Error>) -> ExitCode {
    done.unwrap_or_else(|error| {
        let code = error.code();
        fail(&error, code)
    })
}

fn fail(error: &impl fmt::Display, code: ExitCode) -> ExitCode {
    eprintln!("pinion: {error}");
    code
}
