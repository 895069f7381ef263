//! `pinion weight`: changes an endpoint's share.

use std::process::ExitCode;

use super::ask::columns::printable;
use super::ask::{self, Error, Format, How, json};

const EXAMPLES: &str = "\
Examples:
  pinion weight amf-1 50
      amf-1 gets half of what an endpoint of weight 100 gets, until the next reload.
  pinion weight amf/amf-1 0
      No new sessions; `pinion drain` also ends those that stay too long.

JSON: the endpoint, an object with the keys that `pinion endpoints --help` lists.

Exit codes: 0 done; 1 the daemon does not answer, or there is no such endpoint; 2 bad usage.";

/// Change an endpoint's weight until the next reload
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The endpoint, with its pool where several pools have one of this name
    #[arg(value_name = "NAME|POOL/NAME")]
    endpoint: String,

    /// Its share relative to the others of its group, 0 to 65535
    #[arg(value_name = "N")]
    weight: u16,

    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let endpoint = client.set_weight(&args.endpoint, args.weight.into()).await?;
        match args.how.format {
            Format::Json => ask::print_json(&json::Endpoint::from(&endpoint)),
            Format::Table => ask::print(&format!(
                "{} has weight {}, and {} now\n",
                printable(&format!("{}/{}", endpoint.pool, endpoint.name)),
                endpoint.weight,
                endpoint.effective
            )),
        }
    })
}
