//! `pinion sessions`: what is pinned where, page by page.

mod classify;
mod gtpc;
mod n2;
mod n4;
mod pages;
mod sbi;

use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;

use self::pages::{Listed, Portion};
use super::ask::columns::{Cell, Side};
use super::ask::{self, Error, How, json, time, words};
use crate::control::{SessionFilter, SessionState, SessionView};

const EXAMPLES: &str = "\
Examples:
  pinion sessions
      The first 100.
  pinion sessions --service n2 --endpoint amf/amf-1 --state established --all
      All of one endpoint; they are printed as they come, however many there are.
  pinion sessions --client 192.0.2.7 --format json | jq -r '.[].key' | xargs -n1 pinion explain
      Why the sessions of a client are where they are.
  pinion sessions n4
      The sessions that SMFs have at UPFs, where Pinion speaks PFCP for them.
  pinion sessions gtpc
      The sessions that MMEs or SGWs have at SGWs or PGWs, where Pinion speaks GTPv2-C for them.
  pinion sessions n2
      The UEs of gNBs, and which AMFs have them.
  pinion sessions sbi
      The resources of the service-based interface that Pinion, as an SCP, keeps on their producers.
  pinion sessions classify teid:4096
      Which of a tunnel's users' packets go elsewhere (UL CL).

JSON: an array of objects, one a line, with service, endpoint (POOL/NAME), key (for `pinion explain`), state (opening, established,
closing, closed), origin (placed, learned, configured, restored), idle_seconds (null: not looked yet) and kind; with kind flow:
client_address, client_port, service_address, service_port; association: client_port, service_port, tag, client_tag; tunnel:
service_address (null: by hashing), teid, endpoint_teid. Where the command fails half-way the array stays open.

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// List sessions and where they are
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    of: Option<Of>,

    /// Only those of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Only those on this endpoint
    #[arg(long, value_name = "NAME|POOL/NAME")]
    endpoint: Option<String>,

    /// Only those from this client's address
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,

    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<State>,

    #[command(flatten)]
    portion: Portion,

    #[command(flatten)]
    how: How,
}

/// Sessions of another kind, and what else is to be done with some.
#[derive(Debug, clap::Subcommand)]
enum Of {
    N4(Box<n4::Args>),
    Gtpc(Box<gtpc::Args>),
    N2(Box<n2::Args>),
    Sbi(Box<sbi::Args>),
    Classify(Box<classify::Args>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum State {
    /// Being made
    Opening,
    /// Under way
    Established,
    /// Being ended
    Closing,
    /// Ended; late packets still find their way
    Closed,
}

impl From<State> for SessionState {
    fn from(state: State) -> Self {
        match state {
            State::Opening => Self::Opening,
            State::Established => Self::Established,
            State::Closing => Self::Closing,
            State::Closed => Self::Closed,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    match &args.of {
        Some(Of::N4(args)) => return n4::run(args),
        Some(Of::Gtpc(args)) => return gtpc::run(args),
        Some(Of::N2(args)) => return n2::run(args),
        Some(Of::Sbi(args)) => return sbi::run(args),
        Some(Of::Classify(args)) => return classify::run(args),
        None => {}
    }
    ask::ask(&args.how.daemon, async |mut client| {
        let filter = SessionFilter {
            service: args.service.clone(),
            endpoint: args.endpoint.clone(),
            client: args.client,
            state: args.state.map(Into::into),
        };
        let page = async |ask| client.sessions(&filter, &ask).await.map(|page| (page.sessions, page.next));
        pages::list(&args.portion, args.how.format, page).await
    })
}

impl Listed for SessionView {
    const HEADS: &'static [(&'static str, Side)] = &[
        ("SERVICE", Side::Left),
        ("ENDPOINT", Side::Left),
        ("KEY", Side::Left),
        ("STATE", Side::Left),
        ("ORIGIN", Side::Left),
        ("IDLE", Side::Right),
        ("", Side::Left),
    ];

    fn cells(&self) -> Vec<Cell> {
        let (state, look) = words::session_state(self.state);
        vec![
            Cell::new(&self.service),
            Cell::new(&self.endpoint),
            Cell::new(words::key(&self.key)),
            Cell::looking(state, look),
            Cell::new(words::origin(self.origin)),
            Cell::new(self.idle.map_or_else(|| "-".to_owned(), time::shown)),
            Cell::new(words::detail(&self.key)),
        ]
    }

    fn json(&self, out: impl Write) -> serde_json::Result<()> {
        serde_json::to_writer(out, &json::Session::from(self))
    }
}
