//! Filters of tunnels (TS 23.501 5.6.4.2), as operators ask for them.

use std::collections::BTreeSet;
use std::sync::Arc;

use pinion_steering::{FILTERS_MOST, Filter, PinKey};

use super::state::Daemon;
use crate::config::model::{Config, Protocol};
use crate::control::{ControlError, TunnelFilters};
use crate::sessions::{CommitError, Names, Record, Rule};

/// A tunnel at one address of its service.
struct Tunnel {
    key: PinKey,
    record: Record,
}

/// Shows the filters of a tunnel, or gives it others: it is that of a service, or of the only one that has such.
pub(super) async fn classify(
    daemon: &Daemon,
    service: Option<&str>,
    teid: u32,
    words: Option<&[String]>,
) -> Result<TunnelFilters, ControlError> {
    let (config, names) = {
        let state = daemon.state();
        (Arc::clone(&state.config), Arc::clone(&state.names))
    };
    let (service, tunnels) = find(daemon, &config, service, teid).await?;
    if let Some(words) = words {
        let rules = read(words)?;
        let filters = tunnels.iter().map(|tunnel| {
            let path = tunnel.record.pin.path;
            let filters: Result<_, _> = rules.iter().map(|rule| filter(rule, &service, path, &names)).collect();
            Ok((tunnel.key, filters?))
        });
        let filters: Result<Vec<_>, ControlError> = filters.collect();
        daemon.table.classify(filters?).await.map_err(|error| refused(&error))?;
        tracing::info!(service, teid, filters = rules.len(), "a tunnel has other filters");
    }
    let Some(first) = tunnels.first() else { return Err(ControlError::NoTunnel(teid)) };
    let filters = daemon.table.filters(&first.key).await.map_err(|error| refused(&error))?;
    Ok(TunnelFilters {
        endpoint: first.record.place.endpoint.to_string(),
        addresses: tunnels.iter().map(|tunnel| tunnel.key.address.into()).collect(),
        teid,
        filters: filters.iter().map(|filter| shown(filter, &names)).collect(),
        service,
    })
}

/// The filters of a session's tunnel, for those who ask why it is where it is.
pub(super) async fn of(daemon: &Daemon, key: &PinKey) -> Vec<String> {
    let names = Arc::clone(&daemon.state().names);
    let filters = daemon.table.filters(key).await.unwrap_or_default();
    filters.iter().map(|filter| shown(filter, &names)).collect()
}

/// The service that has a pinned tunnel of this TEID, and where.
async fn find(
    daemon: &Daemon,
    config: &Config,
    service: Option<&str>,
    teid: u32,
) -> Result<(String, Vec<Tunnel>), ControlError> {
    if let Some(name) = service
        && !config.services.iter().any(|it| it.name == name && it.protocol == Protocol::Gtpu)
    {
        return Err(ControlError::NoService(name.to_owned()));
    }
    let asked = config.services.iter().filter(|it| it.protocol == Protocol::Gtpu);
    let mut found: Vec<(String, Vec<Tunnel>)> = Vec::new();
    for it in asked.filter(|it| service.is_none_or(|name| it.name == name)) {
        let mut tunnels = Vec::new();
        for address in &it.addresses {
            let key = PinKey { address: (*address).into(), teid };
            tunnels.extend(daemon.table.get(&key).await.map(|record| Tunnel { key, record }));
        }
        if !tunnels.is_empty() {
            found.push((it.name.clone(), tunnels));
        }
    }
    match found.len() {
        0 => Err(ControlError::NoTunnel(teid)),
        1 => found.pop().ok_or(ControlError::NoTunnel(teid)),
        _ => Err(ControlError::Tunnels { teid, services: found.into_iter().map(|(name, _)| name).collect() }),
    }
}

fn read(words: &[String]) -> Result<Vec<Rule>, ControlError> {
    if words.len() > FILTERS_MOST as usize {
        let what = format!("{} filters; a tunnel has {FILTERS_MOST} at the most", words.len());
        return Err(ControlError::Filter(what));
    }
    let rule = |(number, words): (usize, &String)| {
        words.parse().map_err(|error| ControlError::Filter(format!("filter {number}: {error}")))
    };
    (1..).zip(words).map(rule).collect()
}

/// What the packet path is given for a filter of a tunnel on a path.
fn filter(rule: &Rule, service: &str, path: u8, names: &Names) -> Result<Filter, ControlError> {
    let via = &rule.via;
    let what = match (names.branch(service, via, path), rule.teid) {
        (Some((target, true)), None) | (Some((target, false)), Some(_)) => return Ok(rule.filter(target)),
        (Some((_, true)), Some(_)) => format!("packets leave their tunnels at {via}; leave `teid` out"),
        (Some((_, false)), None) => {
            format!("{via} gets packets in tunnels; say by which TEID it knows the user: `teid NUMBER`")
        }
        (None, _) => {
            let known: BTreeSet<&str> = names.branches(service).collect();
            let known: Vec<&str> = known.into_iter().take(8).collect();
            format!(
                "service {service} has no endpoint {via}, and breaks out to none; give one of {}, or name a pool in its \
                 `breakout`",
                known.join(", ")
            )
        }
    };
    Err(ControlError::Filter(format!("{rule}: {what}")))
}

/// A filter in words.
fn shown(filter: &Filter, names: &Names) -> String {
    let via = names.place(filter.target).map_or("?/?", |place| &place.endpoint);
    Rule::of(filter, via).to_string()
}

fn refused(error: &CommitError) -> ControlError {
    ControlError::Maps(error.to_string())
}
