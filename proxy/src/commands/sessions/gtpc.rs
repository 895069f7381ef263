//! `pinion sessions gtpc`: the sessions that MMEs or SGWs have at SGWs or PGWs, through Pinion.

use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;

use super::super::ask::columns::{Cell, Side};
use super::super::ask::{self, Error, How, json};
use super::pages::{self, Listed, Portion};
use crate::control::{GtpcFilter, GtpcSessionView};

const EXAMPLES: &str = "\
Examples:
  pinion sessions gtpc
      The first 100: whose they are, and which SGW or PGW has them.
  pinion sessions gtpc --endpoint sgw-1 --all --format json | jq -r '.[].key' | xargs -n1 pinion explain
      Why the sessions of an SGW are there.
  pinion sessions gtpc --subscriber 001010123456789
      Those of a user.

JSON: an array of objects, one a line, with service, key (for `pinion explain`), number (which counts them), interface (s11: S11 or
S4; s5: S5, S8, S2a or S2b), subscriber (IMSI or MEI; null: none was given), client_address, client_teid (the client's end),
teid_for_client (Pinion's, which the client knows), endpoint (POOL/NAME), endpoint_address, endpoint_teid (its end; null: it has not
accepted yet), teid_for_endpoint (Pinion's, which it knows) and bearers (default bearers of PDN connections; 0: tunnels for indirect
forwarding). Where the command fails half-way the array stays open.

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// List GTPv2-C sessions: their user, their client, their SGW or PGW
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only those of this GTPv2-C service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Only those on this SGW or PGW
    #[arg(long, value_name = "NAME|POOL/NAME")]
    endpoint: Option<String>,

    /// Only those of the client with this address
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,

    /// Only those of the user with this IMSI or MEI
    #[arg(long, value_name = "DIGITS")]
    subscriber: Option<String>,

    #[command(flatten)]
    portion: Portion,

    #[command(flatten)]
    how: How,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let filter = GtpcFilter {
            service: args.service.clone(),
            endpoint: args.endpoint.clone(),
            client: args.client,
            subscriber: args.subscriber.clone(),
        };
        let page = async |ask| client.gtpc_sessions(&filter, &ask).await.map(|page| (page.sessions, page.next));
        pages::list(&args.portion, args.how.format, page).await
    })
}

impl Listed for GtpcSessionView {
    const HEADS: &'static [(&'static str, Side)] = &[
        ("SERVICE", Side::Left),
        ("USER", Side::Left),
        ("CLIENT", Side::Left),
        ("ITS TEID", Side::Left),
        ("KNOWS", Side::Left),
        ("ENDPOINT", Side::Left),
        ("ITS TEID", Side::Left),
        ("KNOWS", Side::Left),
        ("BEARERS", Side::Left),
    ];

    fn cells(&self) -> Vec<Cell> {
        let Self { service, session } = self;
        let hex = |teid: u32| format!("{teid:#x}");
        let bearers: Vec<_> = session.bearers.iter().map(u8::to_string).collect();
        vec![
            Cell::new(service),
            Cell::new(session.subscriber.as_deref().unwrap_or("-")),
            Cell::new(session.client.0.to_string()),
            Cell::new(hex(session.client.1)),
            Cell::new(hex(session.client_teid)),
            Cell::new(&*session.endpoint),
            Cell::new(session.end.map_or_else(|| "-".to_owned(), |(_, teid)| hex(teid))),
            Cell::new(hex(session.endpoint_teid)),
            Cell::new(bearers.join(" ")),
        ]
    }

    fn json(&self, out: impl Write) -> serde_json::Result<()> {
        serde_json::to_writer(out, &json::GtpcSession::from(self))
    }
}
