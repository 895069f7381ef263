//! `pinion endpoints`: who serves, and how it is.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use super::ask::columns::{Cell, Side, bar, table};
use super::ask::{self, Error, Format, How, json, time, words};
use crate::control::{EndpointState, EndpointView, PathView};

const EXAMPLES: &str = "\
Examples:
  pinion endpoints
      A line an endpoint: its state and since when, its paths, its weight, its sessions, and why it is so.
  pinion endpoints --pool amf --format json | jq '.[] | select(.state == \"down\") | {name, why}'
      What is down, and why.

JSON: an array of objects with pool, name, port (null: the service's), state (unknown, up, down, draining, drained), why,
since_seconds, weight, effective_weight (less in slow start, 0 without new sessions), priority, sessions, load_percent (of
a UPF behind PFCP that says it; else null), deadline_seconds (while it drains), refused (object: sessions that traffic showed it to refuse, by rst, abort and unreachable), unanswered
(sessions that wait for a reply, where none is seen at all), notice (what of that is worth a look), paths: objects with address, up (null: not probed), why, since_seconds, round_trip_seconds.

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// List endpoints and how they are
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only those of this pool
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,

    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let endpoints = client.endpoints(args.pool.as_deref()).await?;
        match args.how.format {
            Format::Json => ask::print_json(&endpoints.iter().map(json::Endpoint::from).collect::<Vec<_>>()),
            Format::Table => ask::print(&text(&endpoints, ask::coloured())),
        }
    })
}

fn text(endpoints: &[EndpointView], coloured: bool) -> String {
    if endpoints.is_empty() {
        return "no endpoints: the configuration has none\n".to_owned();
    }
    let heads = [
        ("POOL", Side::Left),
        ("ENDPOINT", Side::Left),
        ("STATE", Side::Left),
        ("SINCE", Side::Right),
        ("WEIGHT", Side::Right),
        ("GROUP", Side::Right),
        ("PATHS", Side::Left),
        ("SESSIONS", Side::Right),
        ("", Side::Left),
        ("WHY", Side::Left),
    ];
    let most = endpoints.iter().map(|endpoint| endpoint.sessions).max().unwrap_or(0);
    let rows: Vec<_> = endpoints
        .iter()
        .map(|endpoint| {
            let (state, look) = words::endpoint_state(endpoint.state);
            let paths: Vec<_> = endpoint.paths.iter().map(|path| path_text(path, endpoint.port)).collect();
            vec![
                Cell::new(&endpoint.pool),
                Cell::new(&endpoint.name),
                Cell::looking(state, look),
                Cell::new(time::shown(endpoint.since)),
                Cell::new(weight(endpoint)),
                Cell::new(endpoint.priority.to_string()),
                Cell::new(paths.join(", ")),
                Cell::new(endpoint.sessions.to_string()),
                Cell::new(bar(endpoint.sessions, most, 10)),
                Cell::new(why(endpoint)),
            ]
        })
        .collect();
    table(&heads, &rows, coloured)
}

/// An endpoint's weight, and what is left of it now.
pub(super) fn weight(endpoint: &EndpointView) -> String {
    if endpoint.effective == endpoint.weight {
        endpoint.weight.to_string()
    } else {
        format!("{} of {}", endpoint.effective, endpoint.weight)
    }
}

/// How loaded a UPF says that it is.
pub(super) fn load(endpoint: &EndpointView) -> Option<String> {
    endpoint.load.map(|load| format!("load {load} %"))
}

/// How long the sessions of an endpoint that drains may go on; of one that has none left there is nothing to be told.
pub(super) fn deadline(endpoint: &EndpointView) -> Option<Duration> {
    endpoint.deadline.filter(|_| endpoint.state != EndpointState::Drained)
}

fn path_text(path: &PathView, port: Option<u16>) -> String {
    let address = match port {
        Some(port) => SocketAddr::new(path.address, port).to_string(),
        None => path.address.to_string(),
    };
    match (path.up, path.round_trip) {
        (Some(true), Some(round_trip)) => format!("{address} up {}", time::shown(round_trip)),
        (Some(true), None) => format!("{address} up"),
        (Some(false), _) => format!("{address} down"),
        (None, _) => address,
    }
}

/// Why an endpoint is as it is, what its paths that are down say, and how long it may drain.
fn why(endpoint: &EndpointView) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !endpoint.why.is_empty() {
        parts.push(endpoint.why.clone());
    }
    parts.extend(load(endpoint));
    if let Some(deadline) = deadline(endpoint) {
        parts.push(format!("sessions end in {}", time::shown(deadline)));
    }
    let said = |path: &PathView| path.why.is_empty() || path.why == endpoint.why;
    let down = endpoint.paths.iter().filter(|path| path.up == Some(false) && !said(path));
    parts.extend(down.map(|path| format!("{}: {}", path.address, path.why)));
    if !endpoint.traffic.notice.is_empty() {
        parts.push(endpoint.traffic.notice.clone());
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::TrafficView;

    fn down(paths: &[(u8, &str)]) -> EndpointView {
        let path = |&(last, why): &(u8, &str)| PathView {
            address: [192, 0, 2, last].into(),
            up: Some(false),
            why: why.to_owned(),
            since: Duration::ZERO,
            round_trip: None,
        };
        EndpointView {
            pool: "n4".to_owned(),
            name: "upf-1".to_owned(),
            port: None,
            weight: 1,
            effective: 0,
            priority: 0,
            state: EndpointState::Down,
            why: "it released its association".to_owned(),
            since: Duration::ZERO,
            paths: paths.iter().map(path).collect(),
            sessions: 0,
            deadline: None,
            traffic: TrafficView::default(),
            load: None,
        }
    }

    #[test]
    fn what_a_path_says_is_not_said_twice() {
        assert_eq!(why(&down(&[(1, "it released its association")])), "it released its association");
        let two = down(&[(1, ""), (2, "no answer")]);
        assert_eq!(why(&two), "it released its association; 192.0.2.2: no answer");
    }

    #[test]
    fn sessions_that_are_not_there_do_not_end() {
        let mut endpoint = down(&[]);
        endpoint.deadline = Some(Duration::from_secs(300));
        endpoint.state = EndpointState::Draining;
        assert_eq!(why(&endpoint), "it released its association; sessions end in 5m");
        endpoint.state = EndpointState::Drained;
        assert_eq!(why(&endpoint), "it released its association");
    }
}
