use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::ask::refused;
use super::interfaces::Host;
use super::state::Daemon;
use crate::config;
use crate::config::model::{Config, Endpoint, Pool};
use crate::control::{ControlError, Reloaded};
use crate::health;

impl Daemon {
    /// Reads the configuration's file again and puts it in force, whole or not at all.
    ///
    /// # Errors
    /// [`ControlError::Config`] with every mistake, [`ControlError::Maps`]: the old one stays in force; where pins of
    /// tunnels or interfaces are refused alone, services and endpoints are the new ones, and a reload tries again.
    pub(super) async fn reload_file(&self) -> Result<Reloaded, ControlError> {
        let _one = self.reloading.lock().await;
        let here = config::Host::here().map_err(|error| ControlError::Config(error.to_string()))?;
        let read = config::read(&self.file, &here);
        let read = read.map_err(|error| ControlError::Config(error.to_string()))?;
        for warning in &read.warnings {
            tracing::warn!(file = %self.file.display(), "{warning}");
        }
        let written = Arc::new(read.config);
        let (new, old) = {
            let state = self.state();
            (state.discovered.added_to(&written), Arc::clone(&state.config))
        };
        if let Some(what) = fixed(&old, &new) {
            return Err(ControlError::Config(format!(
                "{}: {what} cannot change while the daemon runs; change it back, or restart the daemon",
                self.file.display()
            )));
        }
        if new.steers() && !self.path.quick(|path| path.steers()).await {
            let service = new.steered().next().map(|service| service.name.as_str()).unwrap_or_default();
            return Err(ControlError::Config(format!(
                "{}: service {service} needs the packet path, and this daemon began without one; restart it",
                self.file.display()
            )));
        }
        self.replace(new, written).await
    }

    /// Puts a configuration in force, which is one that is written and what was found for it; under the lock of those who do.
    ///
    /// # Errors
    /// As [`Daemon::reload_file`].
    pub(super) async fn replace(&self, new: Config, written: Arc<Config>) -> Result<Reloaded, ControlError> {
        let old = Arc::clone(&self.state().config);
        let host = Host::read().await.map_err(|error| ControlError::Config(error.to_string()))?;
        let sbi = self.ready_sbi(&new).await.map_err(|error| ControlError::Config(error.to_string()))?;
        let changes = changes(&old, &new);
        let (services, targets) = (new.services.len() as u32, health::targets(&new));
        let interfaces = new.interfaces.clone();
        self.configure(new).await.map_err(refused)?;
        self.state().written = written;
        self.tell_sbi(sbi).await;
        self.checker.update(targets).await;
        self.leave(&old);
        let pinned = self.pin_tunnels(Some(&old)).await;
        pinned.map_err(|error| ControlError::Maps(format!("the configured tunnels are not pinned: {error}")))?;
        let attached = self.path.long(move |path| path.attach(&interfaces, &host)).await.map_err(refused)?;
        for line in changes.iter().chain(&attached) {
            tracing::info!("{line}");
        }
        tracing::info!(services, "the configuration is in force");
        Ok(Reloaded { services, changes: changes.into_iter().chain(attached).collect() })
    }

    /// Notes which endpoints are configured no longer, and until when their sessions may stay.
    fn leave(&self, old: &Config) {
        let now = self.now();
        let mut state = self.state();
        let here: HashSet<String> = endpoints(&state.config).map(|(name, ..)| name).collect();
        state.leaving.retain(|name, _| !here.contains(name));
        for pool in &old.pools {
            let Some(deadline) = pool.drain else { continue };
            for endpoint in &pool.endpoints {
                let name = format!("{}/{}", pool.name, endpoint.name);
                if !here.contains(&name) {
                    state.leaving.entry(name).or_insert(now + deadline);
                }
            }
        }
    }
}

/// What is set once, when a daemon starts, and is not the same in `new`.
fn fixed(old: &Config, new: &Config) -> Option<&'static str> {
    [
        ("bounds", old.bounds != new.bounds),
        ("api", old.api != new.api),
        ("metrics", old.metrics != new.metrics),
        ("store", old.store != new.store),
    ]
    .into_iter()
    .find_map(|(what, changed)| changed.then_some(what))
}

/// What is added, changed and removed, a line each.
fn changes(old: &Config, new: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    let services = |config: &Config| -> HashMap<String, _> {
        config.services.iter().map(|service| (service.name.clone(), service.clone())).collect()
    };
    let pools = |config: &Config| -> HashMap<String, _> {
        let shape = |pool: &Pool| (pool.health.clone(), pool.slow_start, pool.drain);
        config.pools.iter().map(|pool| (pool.name.clone(), shape(pool))).collect()
    };
    let endpoints = |config: &Config| -> HashMap<String, _> {
        endpoints(config).map(|(name, endpoint)| (name, endpoint.clone())).collect()
    };
    differ(&mut lines, "service", &services(old), &services(new));
    differ(&mut lines, "pool", &pools(old), &pools(new));
    differ(&mut lines, "endpoint", &endpoints(old), &endpoints(new));
    let scp = |config: &Config| config.sbi.iter().map(|sbi| ("SCP".to_owned(), sbi.clone())).collect();
    differ(&mut lines, "sbi", &scp(old), &scp(new));
    lines
}

fn differ<T: PartialEq>(lines: &mut Vec<String>, what: &str, old: &HashMap<String, T>, new: &HashMap<String, T>) {
    let mut found: Vec<String> = Vec::new();
    for (name, value) in new {
        match old.get(name) {
            None => found.push(format!("{what} {name}: added")),
            Some(before) if before != value => found.push(format!("{what} {name}: changed")),
            Some(_) => {}
        }
    }
    found.extend(old.keys().filter(|name| !new.contains_key(*name)).map(|name| format!("{what} {name}: removed")));
    found.sort();
    lines.append(&mut found);
}

/// Every endpoint, as `POOL/NAME`.
fn endpoints(config: &Config) -> impl Iterator<Item = (String, &Endpoint)> {
    config.pools.iter().flat_map(|pool| {
        pool.endpoints.iter().map(move |endpoint| (format!("{}/{}", pool.name, endpoint.name), endpoint))
    })
}
