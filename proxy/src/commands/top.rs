//! `pinion top`: a live screen.

mod draw;
mod live;
mod poll;
mod rates;
#[cfg(test)]
mod sample;
mod state;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::ask::{self, Daemon, Error, time};
use state::State;

const EXAMPLES: &str = "\
Examples:
  pinion top
      Services, endpoints, the SCP and whom it asks, and packets, once a second, until q.
  pinion top --once > screen.txt
      One screen as text, 100 by 30 characters where there is no terminal.

Keys: q quit; tab and shift-tab change the pane; arrows, page up and down, home and end move; d gives the chosen endpoint no new
sessions, or new ones again, after asking; s sorts endpoints.

Exit codes: 0 done; 1 the daemon does not answer, or the terminal fails; 2 bad usage, or no terminal.";

/// Watch services, endpoints, the SCP and packets live
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Time from one look to the next, 100ms to 1m
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    interval: Duration,

    /// Print one screen as text, with the rates of one interval
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    daemon: Daemon,
}

/// The size of a screen where there is no terminal.
const SIZE: (u16, u16) = (100, 30);

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    if args.once {
        return once(args);
    }
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Error::NoTerminal);
    }
    ask::runtime()?.block_on(live::run(args))?;
    Ok(ExitCode::SUCCESS)
}

/// Looks twice, and prints what it sees.
fn once(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.daemon, async |mut client| {
        let mut state = State::new(args.daemon.target().to_string());
        state.observe(poll::look(&mut client).await?, Duration::ZERO);
        let begun = tokio::time::Instant::now();
        tokio::time::sleep(args.interval).await;
        let snapshot = poll::look(&mut client).await?;
        state.observe(snapshot, begun.elapsed());
        let (width, height) =
            if io::stdout().is_terminal() { ratatui::crossterm::terminal::size().unwrap_or(SIZE) } else { SIZE };
        let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
        let Ok(_) = terminal.draw(|frame| draw::draw(&state, frame));
        ask::print(&text(terminal.backend().buffer()))
    })
}

/// A screen as text, without the room at the ends of its lines.
pub(crate) fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut text = String::new();
    for line in buffer.content.chunks(width) {
        let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = time::read(text).map_err(|error| error.to_string())?;
    if (Duration::from_millis(100)..=Duration::from_secs(60)).contains(&interval) {
        Ok(interval)
    } else {
        Err("give 100ms to 1m".to_owned())
    }
}
