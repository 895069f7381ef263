//! `pinion sessions`: what is pinned where, page by page.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::ask::columns::{Cell, Columns, Side};
use super::ask::{self, Error, Format, How, json, time, words};
use super::progress::Progress;
use crate::api::Client;
use crate::control::{PageAsk, SessionFilter, SessionState, SessionView};

const EXAMPLES: &str = "\
Examples:
  pinion sessions
      The first 100.
  pinion sessions --service n2 --endpoint amf/amf-1 --state established --all
      All of one endpoint; they are printed as they come, however many there are.
  pinion sessions --client 192.0.2.7 --format json | jq -r '.[].key' | xargs -n1 pinion explain
      Why the sessions of a client are where they are.

JSON: an array of objects, one a line, with service, endpoint (POOL/NAME), key (for `pinion explain`), state (opening, established,
closing, closed), origin (placed, learned, configured, restored), idle_seconds (null: not looked yet) and kind; with kind flow:
client_address, client_port, service_address, service_port; association: client_port, service_port, tag, client_tag; tunnel:
service_address (null: by hashing), teid, endpoint_teid. Where the command fails half-way the array stays open.

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// How many sessions are asked for at once: enough for speed, few enough to keep little.
const PAGE: u64 = 1000;

/// How long nothing need be printed before it is said how far the command is.
const PATIENCE: Duration = Duration::from_secs(1);

/// List sessions and where they are
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
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

    /// At the most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    /// All of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    #[command(flatten)]
    how: How,
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
    ask::ask(&args.how.daemon, async |client| {
        let out = BufWriter::new(io::stdout().lock());
        match args.how.format {
            Format::Json => list(args, client, Lines { out, any: false }).await,
            Format::Table => list(args, client, Rows::new(out, ask::coloured())).await,
        }
    })
}

/// What takes sessions, a page at a time.
trait Sink {
    fn page(&mut self, sessions: &[SessionView]) -> io::Result<()>;

    /// After the last page; `more` where there are sessions that were not asked for.
    fn end(&mut self, more: bool) -> io::Result<()>;
}

async fn list(args: &Args, mut client: Client, mut sink: impl Sink) -> Result<(), Error> {
    let filter = SessionFilter {
        service: args.service.clone(),
        endpoint: args.endpoint.clone(),
        client: args.client,
        state: args.state.map(Into::into),
    };
    let mut left = if args.all { u64::MAX } else { args.limit };
    let mut progress = Progress::on_terminal(Instant::now(), PATIENCE);
    // Sessions on the terminal show by themselves that it goes on.
    let seen = io::stdout().is_terminal();
    let (mut pages, mut listed) = (0_u64, 0_usize);
    let mut cursor = None;
    loop {
        let limit = u32::try_from(left.min(PAGE)).unwrap_or(u32::MAX);
        let page = client.sessions(&filter, &PageAsk { limit, cursor }).await.inspect_err(|_| progress.clear())?;
        left = left.saturating_sub(u64::try_from(page.sessions.len()).unwrap_or(u64::MAX));
        let ends = page.next.is_none() || left == 0;
        if ends || (seen && !page.sessions.is_empty()) {
            progress.clear();
        }
        sink.page(&page.sessions)?;
        if ends {
            return Ok(sink.end(page.next.is_some())?);
        }
        (pages, listed) = (pages.saturating_add(1), listed.saturating_add(page.sessions.len()));
        if !seen || page.sessions.is_empty() {
            let what = format_args!("{listed} sessions in {pages} pages so far, and there are more to look at");
            progress.tell(Instant::now(), what);
        }
        cursor = page.next;
    }
}

/// An array, each of its objects on a line.
struct Lines<W> {
    out: W,
    any: bool,
}

impl<W: Write> Sink for Lines<W> {
    fn page(&mut self, sessions: &[SessionView]) -> io::Result<()> {
        for session in sessions {
            self.out.write_all(if self.any { b",\n" } else { b"[\n" })?;
            self.any = true;
            serde_json::to_writer(&mut self.out, &json::Session::from(session))?;
        }
        self.out.flush()
    }

    fn end(&mut self, _: bool) -> io::Result<()> {
        self.out.write_all(if self.any { b"\n]\n" } else { b"[]\n" })?;
        self.out.flush()
    }
}

struct Rows<W> {
    out: W,
    columns: Columns,
    any: bool,
}

impl<W: Write> Rows<W> {
    fn new(out: W, coloured: bool) -> Self {
        let heads = [
            ("SERVICE", Side::Left),
            ("ENDPOINT", Side::Left),
            ("KEY", Side::Left),
            ("STATE", Side::Left),
            ("ORIGIN", Side::Left),
            ("IDLE", Side::Right),
            ("", Side::Left),
        ];
        Self { out, columns: Columns::new(&heads, coloured), any: false }
    }
}

impl<W: Write> Sink for Rows<W> {
    fn page(&mut self, sessions: &[SessionView]) -> io::Result<()> {
        let rows: Vec<_> = sessions.iter().map(cells).collect();
        self.columns.fit(&rows);
        if !self.any && !rows.is_empty() {
            self.any = true;
            self.out.write_all(self.columns.head().as_bytes())?;
        }
        for row in &rows {
            self.out.write_all(self.columns.row(row).as_bytes())?;
        }
        self.out.flush()
    }

    fn end(&mut self, more: bool) -> io::Result<()> {
        if !self.any {
            self.out.write_all(b"no sessions\n")?;
        }
        if more {
            self.out.write_all(b"there are more; --all lists every one\n")?;
        }
        self.out.flush()
    }
}

pub(super) fn cells(session: &SessionView) -> Vec<Cell> {
    let (state, look) = words::session_state(session.state);
    vec![
        Cell::new(&session.service),
        Cell::new(&session.endpoint),
        Cell::new(words::key(&session.key)),
        Cell::looking(state, look),
        Cell::new(words::origin(session.origin)),
        Cell::new(session.idle.map_or_else(|| "-".to_owned(), time::shown)),
        Cell::new(words::detail(&session.key)),
    ]
}
