//! Lists that come page by page, printed as they come.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use super::super::ask::columns::{Cell, Columns, Side};
use super::super::ask::{self, Error, Format};
use super::super::progress::Progress;
use crate::api::AskError;
use crate::control::PageAsk;

/// How many sessions are asked for at once: enough for speed, few enough to keep little.
const PAGE: u64 = 1000;

/// How long nothing need be printed before it is said how far the command is.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much of a list is printed.
#[derive(Debug, clap::Args)]
pub(super) struct Portion {
    /// At the most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    /// All of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// What is listed.
pub(super) trait Listed {
    /// The headings of its columns.
    const HEADS: &'static [(&'static str, Side)];

    /// Its row.
    fn cells(&self) -> Vec<Cell>;

    /// Writes it as JSON, on one line.
    fn json(&self, out: impl Write) -> serde_json::Result<()>;
}

/// Prints a list. `ask` hands over a page, and where the next begins.
pub(super) async fn list<T: Listed>(
    portion: &Portion,
    format: Format,
    ask: impl AsyncFnMut(PageAsk) -> Result<(Vec<T>, Option<String>), AskError>,
) -> Result<(), Error> {
    let out = BufWriter::new(io::stdout().lock());
    match format {
        Format::Json => pages(portion, ask, Lines { out, any: false }).await,
        Format::Table => pages(portion, ask, Rows::new(out, T::HEADS, ask::coloured())).await,
    }
}

/// What takes sessions, a page at a time.
trait Sink<T> {
    fn page(&mut self, sessions: &[T]) -> io::Result<()>;

    /// After the last page; `more` where there are sessions that were not asked for.
    fn end(&mut self, more: bool) -> io::Result<()>;
}

async fn pages<T>(
    portion: &Portion,
    mut ask: impl AsyncFnMut(PageAsk) -> Result<(Vec<T>, Option<String>), AskError>,
    mut sink: impl Sink<T>,
) -> Result<(), Error> {
    let mut left = if portion.all { u64::MAX } else { portion.limit };
    let mut progress = Progress::on_terminal(Instant::now(), PATIENCE);
    // Sessions on the terminal show by themselves that it goes on.
    let seen = io::stdout().is_terminal();
    let (mut pages, mut listed) = (0_u64, 0_usize);
    let mut cursor = None;
    loop {
        let limit = u32::try_from(left.min(PAGE)).unwrap_or(u32::MAX);
        let (sessions, next) = ask(PageAsk { limit, cursor }).await.inspect_err(|_| progress.clear())?;
        left = left.saturating_sub(u64::try_from(sessions.len()).unwrap_or(u64::MAX));
        let ends = next.is_none() || left == 0;
        if ends || (seen && !sessions.is_empty()) {
            progress.clear();
        }
        sink.page(&sessions)?;
        if ends {
            return Ok(sink.end(next.is_some())?);
        }
        (pages, listed) = (pages.saturating_add(1), listed.saturating_add(sessions.len()));
        if !seen || sessions.is_empty() {
            let what = format_args!("{listed} sessions in {pages} pages so far, and there are more to look at");
            progress.tell(Instant::now(), what);
        }
        cursor = next;
    }
}

/// An array, each of its objects on a line.
struct Lines<W> {
    out: W,
    any: bool,
}

impl<T: Listed, W: Write> Sink<T> for Lines<W> {
    fn page(&mut self, sessions: &[T]) -> io::Result<()> {
        for session in sessions {
            self.out.write_all(if self.any { b",\n" } else { b"[\n" })?;
            self.any = true;
            session.json(&mut self.out)?;
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
    fn new(out: W, heads: &[(&'static str, Side)], coloured: bool) -> Self {
        Self { out, columns: Columns::new(heads, coloured), any: false }
    }
}

impl<T: Listed, W: Write> Sink<T> for Rows<W> {
    fn page(&mut self, sessions: &[T]) -> io::Result<()> {
        let rows: Vec<_> = sessions.iter().map(Listed::cells).collect();
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
