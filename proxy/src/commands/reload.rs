//! `pinion reload`: has the daemon read its configuration again.

use std::process::ExitCode;

use super::ask::columns::printable;
use super::ask::{self, Error, Format, How, json};
use crate::control::Reloaded;

const EXAMPLES: &str = "\
Examples:
  pinion check /etc/pinion/pinion.yaml && pinion reload
      Looks for mistakes first. A configuration with mistakes changes nothing either way.

JSON: an object with services (how many are in force) and changes (an array of lines).

Exit codes: 0 done; 1 the daemon does not answer; 2 bad usage, or the new configuration is refused.";

/// Put the configuration in force again, whole or not at all
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let reloaded = client.reload().await?;
        match args.how.format {
            Format::Json => ask::print_json(&json::Reload::from(&reloaded)),
            Format::Table => ask::print(&text(&reloaded)),
        }
    })
}

fn text(reloaded: &Reloaded) -> String {
    let services = match reloaded.services {
        // With none there is an SCP.
        0 => "the configuration is in force".to_owned(),
        1 => "1 service is in force".to_owned(),
        count => format!("{count} services are in force"),
    };
    if reloaded.changes.is_empty() {
        return format!("{services}; nothing changed\n");
    }
    let changes = reloaded.changes.iter().map(|change| format!("  {}\n", printable(change)));
    format!("{services}; what changed:\n{}", changes.collect::<String>())
}
