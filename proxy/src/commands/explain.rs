//! `pinion explain`: why a session is where it is.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::ask::columns::printable;
use super::ask::{self, Error, Format, How, json, words};
use crate::control::{Explained, Explanation, GtpcSessionView};

const EXAMPLES: &str = "\
Examples:
  pinion explain 192.0.2.7
      The sessions from a client's address, and why each is on its endpoint.
  pinion explain '[2001:db8::7]:2152'
      Those from an address and port.
  pinion explain tag:305419896
      The SCTP association whose packets carry this verification tag.
  pinion explain teid:4096
      The GTP-U tunnel that clients know by this TEID, and the N4 session that it is of; or the GTPv2-C session, by a TEID of its
      control tunnels.
  pinion explain seid:0x500000003
      The N4 session that Pinion, its SMF or its UPF knows by this SEID, and why it is at its UPF.

JSON: an array of objects with session (an object with the keys that `pinion sessions --help` lists; null for a SEID), n4_session
(an object with the keys that `pinion sessions n4 --help` lists; null for all but a SEID), gtpc_session (as `pinion sessions gtpc
--help` has it; null for all but a TEID of GTPv2-C) and steps (an array of lines).

Exit codes: 0 done, also where no session has this key; 1 the daemon does not answer; 2 bad usage.";

/// Say why a session is on its endpoint
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// ADDRESS, ADDRESS:PORT, tag:NUMBER, teid:NUMBER or seid:NUMBER
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
        let (key, endpoint, service) = match session {
            Explained::Session(it) => {
                (format!("{} {}", words::key(&it.key), words::detail(&it.key)), &*it.endpoint, &*it.service)
            }
            Explained::N4(it) => {
                (format!("{} of the SMF at {}", words::seid(it.seid), it.smf), &*it.upf, &*it.service)
            }
            Explained::Gtpc(GtpcSessionView { service, session }) => (
                format!("teid:{:#x} of the client at {}", session.client_teid, session.client.0),
                &*session.endpoint,
                &**service,
            ),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key} is on {}, for service {}", printable(endpoint), printable(service));
        for (number, step) in (1..).zip(steps) {
            let _ = writeln!(text, "  {number}. {}", printable(step));
        }
    }
    text
}
