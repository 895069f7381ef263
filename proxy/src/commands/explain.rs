//! `pinion explain`: why a session is where it is.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::ask::columns::printable;
use super::ask::{self, Error, Format, How, json, words};
use crate::control::Explanation;

const EXAMPLES: &str = "\
Examples:
  pinion explain 192.0.2.7
      The sessions from a client's address, and why each is on its endpoint.
  pinion explain '[2001:db8::7]:2152'
      Those from an address and port.
  pinion explain tag:305419896
      The SCTP association whose packets carry this verification tag.
  pinion explain teid:4096
      The GTP-U tunnel that clients know by this TEID.

JSON: an array of objects with session (an object with the keys that `pinion sessions --help` lists) and steps (an array of lines).

Exit codes: 0 done, also where no session has this key; 1 the daemon does not answer; 2 bad usage.";

/// Say why a session is on its endpoint
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// ADDRESS, ADDRESS:PORT, tag:NUMBER or teid:NUMBER
    #[arg(value_name = "KEY")]
    of: String,

    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let explanations = client.explain(&args.of).await?;
        match args.how.format {
            Format::Json => ask::print_json(&explanations.iter().map(json::Explained::from).collect::<Vec<_>>()),
            Format::Table => ask::print(&text(&args.of, &explanations)),
        }
    })
}

fn text(key: &str, explanations: &[Explanation]) -> String {
    if explanations.is_empty() {
        return format!("no session has the key {}\n", printable(key));
    }
    let mut text = String::new();
    for Explanation { session, steps } in explanations {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} {} is on {}, for service {}",
            words::key(&session.key),
            words::detail(&session.key),
            printable(&session.endpoint),
            printable(&session.service)
        );
        for (number, step) in (1..).zip(steps) {
            let _ = writeln!(text, "  {number}. {}", printable(step));
        }
    }
    text
}
