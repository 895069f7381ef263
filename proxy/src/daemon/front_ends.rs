//! The front ends that the daemon itself speaks for, as configured.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use pinion_n4::Settings;

use super::state::Daemon;
use crate::config::model::Config;
use crate::n4::{self, Asked, BindError, Heard, Host, JournalError, Start};
use crate::pool::{Endpoint, Path, Pools};

/// Those that run, by the name of their service, and what each was told last.
pub(super) type FrontEnds = BTreeMap<String, (Arc<Host>, Settings)>;

/// What was heard last of UPFs, by pool and name.
pub(super) type HeardOf = HashMap<(String, String), Path>;

/// Why a front end does not run.
#[derive(Debug, thiserror::Error)]
pub enum FrontEndError {
    /// Its port.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// What it keeps.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Starts front ends: once pins are restored.
///
/// # Errors
/// As [`settle`].
pub(super) async fn begin(daemon: &Arc<Daemon>) -> Result<(), FrontEndError> {
    daemon.front_ends.lock().await.get_or_insert_default();
    settle(daemon).await
}

/// Starts, tells and ends front ends as configuration and operators say by now.
///
/// # Errors
/// [`FrontEndError`] of the first that cannot be started; those after it are tried all the same.
pub(super) async fn settle(daemon: &Arc<Daemon>) -> Result<(), FrontEndError> {
    let mut running = daemon.front_ends.lock().await;
    let Some(running) = running.as_mut() else { return Ok(()) };
    let wanted = wanted(daemon);
    running.retain(|name, (_, told)| {
        wanted.iter().any(|(wanted, settings)| wanted == name && settings.address == told.address)
    });
    let mut first = Ok(());
    for (name, settings) in wanted {
        if let Some(front_end) = running.get_mut(&name) {
            configure(front_end, settings).await;
            continue;
        }
        match start(daemon, &name, settings.clone()) {
            Ok(host) => drop(running.insert(name, (Arc::new(host), settings))),
            Err(error) if first.is_ok() => first = Err(error),
            Err(error) => tracing::error!("{error}"),
        }
    }
    first
}

/// Tells front ends that run what operators say by now.
pub(super) async fn tell(daemon: &Daemon) {
    let mut running = daemon.front_ends.lock().await;
    let Some(running) = running.as_mut() else { return };
    for (name, settings) in wanted(daemon) {
        if let Some(front_end) = running.get_mut(&name) {
            configure(front_end, settings).await;
        }
    }
}

async fn configure((host, told): &mut (Arc<Host>, Settings), settings: Settings) {
    if *told != settings && told.address == settings.address {
        // One that has ended was told nothing.
        if host.ask(Asked::Configure(Box::new(settings.clone()))).await {
            *told = settings;
        }
    }
}

fn wanted(daemon: &Daemon) -> Vec<(String, Settings)> {
    let state = daemon.state();
    let services = state.config.services.iter();
    let told = |service| n4::settings(&state.config, &state.pools, service);
    services.filter_map(|service| Some((service.name.clone(), told(service)?))).collect()
}

/// Those that run, by the name of their service.
pub(super) async fn running(daemon: &Daemon) -> Vec<(String, Arc<Host>)> {
    let running = daemon.front_ends.lock().await;
    running.iter().flatten().map(|(name, (host, _))| (name.clone(), Arc::clone(host))).collect()
}

fn start(daemon: &Arc<Daemon>, service: &str, settings: Settings) -> Result<Host, FrontEndError> {
    let now = SystemTime::now();
    let start = Start {
        service: service.to_owned(),
        socket: n4::bind(service, settings.address)?,
        settings,
        table: daemon.table.clone(),
        folder: daemon.folder.join("n4").join(service),
        seed: n4::seed(),
        now,
    };
    let (for_names, for_news) = (Arc::downgrade(daemon), Arc::downgrade(daemon));
    let names = move || for_names.upgrade().map(|daemon| Arc::clone(&daemon.state().names)).unwrap_or_default();
    Ok(Host::start(start, names, move |heard| hear(&for_news, &heard))?)
}

/// Takes down whether a UPF has an association: that is how it is.
fn hear(daemon: &Weak<Daemon>, heard: &Heard) {
    let Some((daemon, (pool, endpoint))) = daemon.upgrade().zip(heard.upf.split_once('/')) else { return };
    let now = daemon.now();
    let seen = Path { up: Some(heard.up), why: heard.why.to_owned(), round_trip: None, since: now };
    let mut state = daemon.state();
    let name = (pool.to_owned(), endpoint.to_owned());
    let same = state.heard.get(&name).filter(|before| before.up == seen.up);
    let since = same.map_or(now, |before| before.since);
    state.heard.insert(name, Path { since, ..seen.clone() });
    state.pools.path(pool, endpoint, 0, seen, now);
    drop(state);
    daemon.replan.notify_one();
}

/// Takes down again what was heard of UPFs: a new configuration forgets it of endpoints that are not probed, and it is
/// not said twice.
pub(super) fn recall(config: &Config, pools: &mut Pools, heard: &mut HeardOf) {
    let has_upfs =
        |pool: &str| config.services.iter().any(|service| service.pfcp.is_some() && service.pool == pool);
    heard.retain(|(pool, name), _| has_upfs(pool) && pools.of(pool).any(|it| it.config.name == *name));
    for ((pool, name), seen) in heard {
        let forgotten = |it: &Endpoint| it.config.name == *name && it.paths.iter().all(|path| path.up.is_none());
        if pools.of(pool).any(forgotten) {
            pools.path(pool, name, 0, seen.clone(), seen.since);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config;

    fn config(control: &str) -> Config {
        let text = format!(
            "pools: [{{name: upfs, endpoints: [{{name: a, addresses: [192.0.2.31]}}, {{name: b, addresses: [192.0.2.32]}}]}}]
services: [{{name: n4, {control}, addresses: [192.0.2.11], pool: upfs}}]"
        );
        config::parse(text.as_bytes(), &config::Host::default()).unwrap().config
    }

    #[test]
    fn a_reload_forgets_no_association() {
        const AT: fn(u64) -> Duration = Duration::from_secs;
        let n4 = config("protocol: pfcp, pfcp: {ue_addresses: n6}");
        let mut pools = Pools::default().configure(&n4, AT(0));
        let why = || "it does not answer".to_owned();
        let path = |up, since| Path { up: Some(up), why: why(), round_trip: None, since };
        let mut heard = HeardOf::new();
        for (name, up, at) in [("a", true, AT(5)), ("b", false, AT(7)), ("gone", true, AT(8))] {
            pools.path("upfs", name, 0, path(up, at), at);
            heard.insert(("upfs".into(), name.into()), path(up, at));
        }
        let shown = |pools: &Pools| -> Vec<_> {
            pools
                .of("upfs")
                .map(|it| (it.paths[0].up, it.paths[0].why.clone(), it.paths[0].since, it.since))
                .collect()
        };
        let before = shown(&pools);
        let mut pools = pools.configure(&n4, AT(60));
        recall(&n4, &mut pools, &mut heard);
        assert_eq!(shown(&pools), before);
        assert_eq!((before[0].0, before[1].0, heard.len()), (Some(true), Some(false), 2));

        let udp = config("protocol: udp, port: 5060");
        let mut pools = pools.configure(&udp, AT(90));
        recall(&udp, &mut pools, &mut heard);
        assert_eq!((shown(&pools)[1].0, heard.len()), (None, 0), "no longer UPFs");
    }
}
