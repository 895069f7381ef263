//! `pinion services`: what clients see, and how it is.

use std::net::IpAddr;
use std::process::ExitCode;

use super::ask::columns::{Cell, Look, Side, bar, table};
use super::ask::{self, Error, Format, How, json};
use crate::control::ServiceView;

const EXAMPLES: &str = "\
Examples:
  pinion services
      A line a service: where it is, how many of its endpoints get new sessions, how many sessions it has.
  pinion services --format json | jq '.[] | select(.serving == 0).name'
      The services that no endpoint serves.

JSON: an array of objects with name, protocol (udp, tcp, sctp, gtpu, pfcp, gtpv2-c, ngap), port, addresses (one a path), pool, algorithm
(maglev, round_robin, weighted, least_sessions, source_affinity; rules of ngap, as `pinion explain` shows them), serving (endpoints that get new sessions), endpoints, sessions.

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// List services and how they are
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let services = client.services().await?;
        match args.how.format {
            Format::Json => ask::print_json(&services.iter().map(json::Service::from).collect::<Vec<_>>()),
            Format::Table => ask::print(&text(&services, ask::coloured())),
        }
    })
}

fn text(services: &[ServiceView], coloured: bool) -> String {
    if services.is_empty() {
        return "no services: the configuration has none\n".to_owned();
    }
    let heads = [
        ("SERVICE", Side::Left),
        ("PROTOCOL", Side::Left),
        ("ADDRESSES", Side::Left),
        ("PORT", Side::Right),
        ("POOL", Side::Left),
        ("ALGORITHM", Side::Left),
        ("SERVING", Side::Right),
        ("SESSIONS", Side::Right),
        ("", Side::Left),
    ];
    let most = services.iter().map(|service| service.sessions).max().unwrap_or(0);
    let rows: Vec<_> = services
        .iter()
        .map(|service| {
            let addresses: Vec<_> = service.addresses.iter().map(IpAddr::to_string).collect();
            let look = match service.serving {
                0 => Look::Bad,
                serving if serving < service.endpoints => Look::Warning,
                _ => Look::Good,
            };
            vec![
                Cell::new(&service.name),
                Cell::new(service.protocol.as_written()),
                Cell::new(addresses.join(", ")),
                Cell::new(service.port.to_string()),
                Cell::new(&service.pool),
                Cell::new(service.choice()),
                Cell::looking(format!("{} of {}", service.serving, service.endpoints), look),
                Cell::new(service.sessions.to_string()),
                Cell::new(bar(service.sessions, most, 10)),
            ]
        })
        .collect();
    table(&heads, &rows, coloured)
}
