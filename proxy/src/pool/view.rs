use std::time::Duration;

use super::{Endpoint, Sessions, plan};
use crate::config::model::{AllDown, Pool};
use crate::control::{EndpointState, EndpointView, PathView, TrafficView};

/// How the endpoints of a pool are.
pub(super) fn endpoints<'a>(
    pool: &'a Pool,
    endpoints: &'a [Endpoint],
    sessions: &'a dyn Sessions,
    now: Duration,
) -> impl Iterator<Item = EndpointView> + 'a {
    let serving = plan::serving(endpoints, AllDown::Drop);
    endpoints.iter().zip(serving).map(move |(endpoint, serving)| {
        let count = sessions.of(&pool.name, &endpoint.config.name);
        let (state, since) = state(endpoint, count);
        let tenths = endpoint.tenths(pool.slow_start, now);
        // What is left of a small weight in slow start is shown as at least one.
        let part = (endpoint.weight.saturating_mul(tenths) / 10).max(u32::from(endpoint.weight > 0));
        EndpointView {
            pool: pool.name.clone(),
            name: endpoint.config.name.clone(),
            port: endpoint.config.port,
            weight: endpoint.weight,
            effective: if serving { part } else { 0 },
            priority: endpoint.config.priority,
            state,
            why: why(endpoint, state, serving, tenths),
            since: now.saturating_sub(since),
            paths: paths(endpoint, now),
            sessions: count,
            traffic: TrafficView::default(),
            load: None,
            deadline: endpoint.draining.and_then(|it| it.until).map(|until| until.saturating_sub(now)),
        }
    })
}

fn state(endpoint: &Endpoint, sessions: u64) -> (EndpointState, Duration) {
    match (endpoint.draining, endpoint.up()) {
        (Some(draining), _) if sessions == 0 => (EndpointState::Drained, draining.since),
        (Some(draining), _) => (EndpointState::Draining, draining.since),
        (None, Some(true)) => (EndpointState::Up, endpoint.since),
        (None, Some(false)) => (EndpointState::Down, endpoint.since),
        (None, None) => (EndpointState::Unknown, endpoint.since),
    }
}

fn why(endpoint: &Endpoint, state: EndpointState, serving: bool, tenths: u32) -> String {
    let down: Vec<&str> =
        endpoint.paths.iter().filter(|path| path.up == Some(false)).map(|path| path.why.as_str()).collect();
    match state {
        EndpointState::Drained => "drained: no session is left".to_owned(),
        EndpointState::Draining => "asked to drain".to_owned(),
        EndpointState::Down => down.join("; "),
        EndpointState::Unknown if !endpoint.probed => "not probed: its pool has no health check".to_owned(),
        EndpointState::Unknown => "not answered yet".to_owned(),
        EndpointState::Up if endpoint.weight == 0 => "weight 0: no new sessions".to_owned(),
        EndpointState::Up if !serving => "in reserve: an endpoint of a group before it serves".to_owned(),
        EndpointState::Up if tenths < 10 => format!("slow start: {tenths}0 % of its weight"),
        EndpointState::Up if !down.is_empty() => {
            format!("{} of {} paths down: {}", down.len(), endpoint.paths.len(), down.join("; "))
        }
        EndpointState::Up => "answers".to_owned(),
    }
}

fn paths(endpoint: &Endpoint, now: Duration) -> Vec<PathView> {
    let paths = endpoint.config.addresses.iter().zip(&endpoint.paths);
    paths
        .map(|(address, path)| PathView {
            address: *address,
            up: path.up,
            why: path.why.clone(),
            since: now.saturating_sub(path.since),
            round_trip: path.round_trip,
        })
        .collect()
}
