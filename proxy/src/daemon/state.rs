use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pinion_loader::LoadError;
use pinion_loader::setup::ServiceSpec;
use tokio::sync::Notify;

use super::discovery::Discovered;
use super::front_ends::{self, FrontEnds, HeardOf};
use super::packet_path::PacketPath;
use crate::config::model::Config;
use crate::health::Checker;
use crate::n2::Aware;
use crate::pool::Pools;
use crate::sbi;
use crate::sessions::{Names, Owner, Table};
use crate::store::Behind;
use crate::traffic::Ledger;

/// What runs: shared by the tasks of the daemon and by those who ask it.
pub(super) struct Daemon {
    /// The configuration's file.
    pub(super) file: PathBuf,
    /// When it began: all its times count from here.
    began: Instant,
    /// The folder for what outlives it.
    pub(super) folder: PathBuf,
    /// The packet path.
    pub(super) path: Owner<PacketPath>,
    /// What is pinned from user space.
    pub(super) table: Table,
    /// Where that is written behind.
    pub(super) store: Behind,
    /// Who probes.
    pub(super) checker: Checker,
    /// Says that what was planned may be so no longer.
    pub(super) replan: Notify,
    /// The front ends that run; `None` until pins are restored.
    pub(super) front_ends: tokio::sync::Mutex<Option<FrontEnds>>,
    /// The SCP, where one runs.
    pub(super) sbi: tokio::sync::Mutex<Option<sbi::Host>>,
    /// Resources that it pins.
    pub(super) resources: sbi::Resources,
    /// Held while a plan is made and put in force, so that an older never follows a newer.
    planning: tokio::sync::Mutex<()>,
    /// Held while a configuration is read and put in force.
    pub(super) reloading: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    aware: Mutex<Aware>,
}

/// What changes while it runs.
pub(super) struct State {
    /// What is configured, with what was found by name.
    pub(super) config: Arc<Config>,
    /// What is written in the configuration's file.
    pub(super) written: Arc<Config>,
    /// What was found by name.
    pub(super) discovered: Discovered,
    /// The pools.
    pub(super) pools: Pools,
    /// What the numbers in the tables stand for.
    pub(super) names: Arc<Names>,
    /// What traffic showed of the endpoints.
    pub(super) ledger: Ledger,
    /// Endpoints that are configured no longer, as `POOL/NAME`, and until when their sessions may stay.
    pub(super) leaving: HashMap<String, Duration>,
    /// What front ends said of UPFs.
    pub(super) heard: HeardOf,
}

impl Daemon {
    pub(super) fn new(
        (file, folder): (PathBuf, PathBuf),
        began: Instant,
        path: Owner<PacketPath>,
        table: Table,
        (store, node): (Behind, String),
        checker: Checker,
        state: State,
    ) -> Self {
        Self {
            file,
            began,
            folder,
            path,
            table,
            resources: sbi::Resources::new(store.clone(), node),
            store,
            checker,
            replan: Notify::new(),
            front_ends: tokio::sync::Mutex::default(),
            sbi: tokio::sync::Mutex::default(),
            planning: tokio::sync::Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
            state: Mutex::new(state),
            aware: Mutex::default(),
        }
    }

    /// How long it has run.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// What changes; not to be held while something is waited for.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was heard of services that are listened to; not to be held while something is waited for.
    pub(super) fn aware(&self) -> MutexGuard<'_, Aware> {
        self.aware.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts in force what the pools say now; when that changes by time alone.
    pub(super) async fn plan(&self) -> Result<Option<Duration>, LoadError> {
        let _one = self.planning.lock().await;
        let now = self.now();
        let (config, (specs, next), names) = {
            let state = self.state();
            (Arc::clone(&state.config), state.pools.plan(&state.config, now), Arc::clone(&state.names))
        };
        if let Some(names) = self.put_in_force(config, specs, names, false).await? {
            self.state().names = names;
        }
        Ok(next)
    }

    /// Replaces configuration and pools by new ones, once the packet path has what they say.
    pub(super) async fn configure(&self, config: Config) -> Result<(), LoadError> {
        let _one = self.planning.lock().await;
        let (config, now) = (Arc::new(config), self.now());
        let (pools, names) = {
            let state = self.state();
            (state.pools.clone(), Arc::clone(&state.names))
        };
        let (specs, _) = pools.configure(&config, now).plan(&config, now);
        let names = self.put_in_force(Arc::clone(&config), specs, names, true).await?;
        let mut state = self.state();
        // Made anew from the pools as they are by now: what was found meanwhile is not lost.
        state.pools = std::mem::take(&mut state.pools).configure(&config, now);
        let State { pools, heard, .. } = &mut *state;
        front_ends::recall(&config, pools, heard);
        state.ledger.keep(&config);
        state.config = config;
        if let Some(names) = names {
            state.names = names;
        }
        drop(state);
        self.replan.notify_one();
        Ok(())
    }

    /// Applies what is planned. `renamed`: pools may have other names, which the packet path knows nothing of.
    async fn put_in_force(
        &self,
        config: Arc<Config>,
        specs: Vec<ServiceSpec>,
        before: Arc<Names>,
        renamed: bool,
    ) -> Result<Option<Arc<Names>>, LoadError> {
        let apply = move |path: &mut PacketPath| {
            let changed = path.apply(specs)?;
            path.set_timeouts(&config);
            Ok((changed || renamed).then(|| Arc::new(names(path, &config, Some(&before)))))
        };
        self.path.long(apply).await
    }
}

/// What the numbers in the tables stand for.
pub(super) fn names(path: &PacketPath, config: &Config, before: Option<&Names>) -> Names {
    let pools: HashMap<&str, &str> =
        config.services.iter().map(|service| (service.name.as_str(), service.pool.as_str())).collect();
    Names::new(&path.setup, path.specs(), |service| pools.get(service).copied(), before)
}
