//! `pinion`: the command line.

#![forbid(unsafe_code)]

mod commands;

use std::process::ExitCode;

use clap::Parser;

/// A load balancer for 4G and 5G cores
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Decode(commands::decode::Args),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Decode(args) => commands::decode::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("pinion: {error}");
        ExitCode::FAILURE
    })
}
