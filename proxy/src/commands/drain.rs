//! `pinion drain`: gives an endpoint no new sessions.

use std::process::ExitCode;
use std::time::Duration;

use super::ask::columns::printable;
use super::ask::{self, Error, Format, How, json, time, words};
use crate::control::EndpointView;

const EXAMPLES: &str = "\
Examples:
  pinion drain amf-1
      New sessions go to others; those that amf-1 has stay until they end or, where the pool has a deadline, until then.
  pinion drain amf/amf-1 --deadline 5m
      Whatever is left in five minutes is ended.
  pinion drain amf-1 --undo
      amf-1 gets new sessions again.
  pinion drain 192.0.2.61:8000
      A producer of SBI, by its authority or NF instance: nothing that looks for somebody goes there while there is anybody
      else; what names it, as the URI of a resource does, still does.

JSON: the endpoint, an object with the keys that `pinion endpoints --help` lists.

Exit codes: 0 done; 1 the daemon does not answer, or there is no such endpoint; 2 bad usage.";

/// Give an endpoint no new sessions, and let those it has end
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The endpoint, with its pool where several pools have one of this name; of SBI: HOST:PORT, API root or NF instance
    #[arg(value_name = "NAME|POOL/NAME")]
    endpoint: String,

    /// End the sessions that are left after so long, such as 90s, 5m or 1h30m [default: the pool's]
    #[arg(long, value_name = "TIME", value_parser = time::read)]
    deadline: Option<Duration>,

    /// Give it new sessions again
    #[arg(long, conflicts_with = "deadline")]
    undo: bool,

    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let endpoint = if args.undo {
            client.undrain(&args.endpoint).await?
        } else {
            client.drain(&args.endpoint, args.deadline).await?
        };
        match args.how.format {
            Format::Json => ask::print_json(&json::Endpoint::from(&endpoint)),
            Format::Table => ask::print(&text(&endpoint, args.undo)),
        }
    })
}

fn text(endpoint: &EndpointView, undo: bool) -> String {
    let name = printable(&format!("{}/{}", endpoint.pool, endpoint.name));
    if undo {
        let state = words::endpoint_state(endpoint.state).0;
        return format!("{name} is {state}, with weight {}\n", endpoint.effective);
    }
    match (endpoint.sessions, endpoint.deadline) {
        (0, _) => format!("{name} gets no new sessions, and has none\n"),
        (sessions, Some(deadline)) => format!(
            "{name} gets no new sessions; the {sessions} that it has end by themselves, or in {}\n",
            time::shown(deadline)
        ),
        (sessions, None) => {
            format!("{name} gets no new sessions; the {sessions} that it has end by themselves\n")
        }
    }
}
