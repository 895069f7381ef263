//! The front ends that the daemon itself speaks for, as configured.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use tokio::task::JoinSet;

use super::state::Daemon;
use crate::config::model::{Config, Service};
use crate::pool::{Endpoint, Path, Pools};
use crate::spoken::{self, BindError, Heard, JournalError};
use crate::store::StoreError;
use crate::{gtpc, n2, n4};

/// Those that run of a kind, by the name of their service, and what each was told last.
type Running<F> = BTreeMap<String, (Arc<F>, <F as FrontEnd>::Settings)>;

/// Those that run, and those that leave their peers.
#[derive(Debug, Default)]
pub(super) struct FrontEnds {
    n4: Running<n4::Host>,
    gtpc: Running<gtpc::Host>,
    n2: Running<n2::Host>,
    leaving: Leaving,
}

/// Where those are that leave their peers, by the names of their services.
type Leaving = BTreeMap<String, Vec<IpAddr>>;

/// What was heard last of endpoints, by pool and name.
pub(super) type HeardOf = HashMap<(String, String), Path>;

/// Why a front end does not run.
#[derive(Debug, thiserror::Error)]
pub enum FrontEndError {
    /// Its port.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// SCTP.
    #[error("service {0}: {1}")]
    Transport(String, std::io::Error),
    /// Its SCTP port.
    #[error(transparent)]
    N2(#[from] n2::StartError),
    /// What it keeps.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Where other nodes find it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A front end, as the daemon keeps it.
trait FrontEnd: Sized + Send + Sync + 'static {
    /// What it is told.
    type Settings: Clone + PartialEq;

    /// What the front end of a service is told; none where it has no such.
    fn settings(config: &Config, pools: &Pools, service: &Service) -> Option<Self::Settings>;

    /// Where it is; one that is elsewhere is another one.
    fn addresses(settings: &Self::Settings) -> &[IpAddr];

    /// Whether one that was told the one may be told the other, and stays.
    fn is_same(before: &Self::Settings, now: &Self::Settings) -> bool {
        Self::addresses(before) == Self::addresses(now)
    }

    /// Begins.
    async fn begin(daemon: &Arc<Daemon>, service: &str, settings: Self::Settings) -> Result<Self, FrontEndError>;

    /// Tells it other settings.
    async fn tell(&self, settings: Self::Settings);

    /// Has it end for good, as it is configured no more. Most say nothing to their peers, whose sessions stay.
    fn leave(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

impl FrontEnd for n4::Host {
    type Settings = pinion_n4::Settings;

    fn settings(config: &Config, pools: &Pools, service: &Service) -> Option<Self::Settings> {
        n4::settings(config, pools, service)
    }

    fn addresses(settings: &Self::Settings) -> &[IpAddr] {
        std::slice::from_ref(&settings.address)
    }

    async fn begin(daemon: &Arc<Daemon>, service: &str, settings: Self::Settings) -> Result<Self, FrontEndError> {
        let (seed, shared) = (spoken::seed(), daemon.state().config.store.clone());
        let store =
            |address: &String| n4::N4Store::new(address, &shared.prefix, service, seed, shared.backlog as usize);
        let start = n4::Start {
            service: service.to_owned(),
            socket: spoken::bind(service, settings.address, n4::PFCP)?,
            settings,
            table: daemon.table.clone(),
            folder: daemon.folder.join("n4").join(service),
            store: shared.redis.as_ref().map(store).transpose()?,
            seed,
            now: SystemTime::now(),
        };
        let (for_names, for_news) = (Arc::downgrade(daemon), Arc::downgrade(daemon));
        let names =
            move || for_names.upgrade().map(|daemon| Arc::clone(&daemon.state().names)).unwrap_or_default();
        Ok(Self::start(start, names, move |heard| hear(&for_news, &heard)).await?)
    }

    async fn tell(&self, settings: Self::Settings) {
        self.ask(n4::Asked::Configure(Box::new(settings))).await;
    }

    fn leave(&self) -> impl Future<Output = ()> + Send {
        Self::leave(self)
    }
}

impl FrontEnd for gtpc::Host {
    type Settings = pinion_gtpc::Settings;

    fn settings(_: &Config, pools: &Pools, service: &Service) -> Option<Self::Settings> {
        gtpc::settings(pools, service)
    }

    fn addresses(settings: &Self::Settings) -> &[IpAddr] {
        std::slice::from_ref(&settings.address)
    }

    async fn begin(daemon: &Arc<Daemon>, service: &str, settings: Self::Settings) -> Result<Self, FrontEndError> {
        let start = gtpc::Start {
            service: service.to_owned(),
            socket: spoken::bind(service, settings.address, gtpc::GTPV2_C)?,
            settings,
            folder: daemon.folder.join("gtpc").join(service),
            seed: spoken::seed(),
            now: SystemTime::now(),
        };
        let for_news = Arc::downgrade(daemon);
        Ok(Self::start(start, move |heard| hear(&for_news, &heard))?)
    }

    async fn tell(&self, settings: Self::Settings) {
        self.ask(gtpc::Asked::Configure(Box::new(settings))).await;
    }
}

impl FrontEnd for n2::Host {
    type Settings = (n2::Told, n2::Carrier);

    fn settings(config: &Config, pools: &Pools, service: &Service) -> Option<Self::Settings> {
        n2::settings(pools, service).zip(n2::Carrier::of(config, service))
    }

    fn addresses((told, _): &Self::Settings) -> &[IpAddr] {
        &told.here
    }

    fn is_same((_, before): &Self::Settings, (_, now): &Self::Settings) -> bool {
        before.is_same(now)
    }

    async fn begin(
        daemon: &Arc<Daemon>,
        service: &str,
        (told, carrier): Self::Settings,
    ) -> Result<Self, FrontEndError> {
        let peers = told.addresses.values().flatten().copied().collect();
        let opened = carrier.open(peers).await;
        let (transport, quiet) = opened.map_err(|error| FrontEndError::Transport(service.to_owned(), error))?;
        let start = n2::Start { service: service.to_owned(), transport, told, seed: spoken::seed() };
        let for_news = Arc::downgrade(daemon);
        Ok(Self::start(start, move |heard| hear(&for_news, &heard))?.quietly(quiet))
    }

    async fn tell(&self, (told, _): Self::Settings) {
        self.ask(n2::Asked::Configure(Box::new(told))).await;
    }

    fn leave(&self) -> impl Future<Output = ()> + Send {
        Self::leave(self)
    }
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
    let Some(FrontEnds { n4, gtpc, n2, leaving }) = running.as_mut() else { return Ok(()) };
    let (first, second) = (settle_all(daemon, n4, leaving).await, settle_all(daemon, gtpc, leaving).await);
    first.and(second).and(settle_all(daemon, n2, leaving).await)
}

async fn settle_all<F: FrontEnd>(
    daemon: &Arc<Daemon>,
    running: &mut Running<F>,
    leaving: &mut Leaving,
) -> Result<(), FrontEndError> {
    let wanted = wanted::<F>(daemon);
    let stays = |name: &String, told: &F::Settings| {
        wanted.iter().any(|(wanted, settings)| wanted == name && F::is_same(told, settings))
    };
    for (name, (host, told)) in running.extract_if(.., |name, (_, told)| !stays(name, told)) {
        tracing::info!(service = name, "a front end leaves its peers: it is configured no more");
        leaving.insert(name.clone(), F::addresses(&told).to_vec());
        tokio::spawn(leave(Arc::downgrade(daemon), name, host));
    }
    let mut first = Ok(());
    for (name, settings) in wanted {
        // Files, or the port, are another one's still; this is done again when that has left.
        let addresses = F::addresses(&settings);
        if leaving.contains_key(&name) || leaving.values().flatten().any(|address| addresses.contains(address)) {
            continue;
        }
        if let Some(front_end) = running.get_mut(&name) {
            configure(front_end, settings).await;
            continue;
        }
        match F::begin(daemon, &name, settings.clone()).await {
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
    let Some(FrontEnds { n4, gtpc, n2, .. }) = running.as_mut() else { return };
    tell_all(daemon, n4).await;
    tell_all(daemon, gtpc).await;
    tell_all(daemon, n2).await;
}

async fn tell_all<F: FrontEnd>(daemon: &Daemon, running: &mut Running<F>) {
    for (name, settings) in wanted::<F>(daemon) {
        if let Some(front_end) = running.get_mut(&name) {
            configure(front_end, settings).await;
        }
    }
}

async fn configure<F: FrontEnd>((host, told): &mut (Arc<F>, F::Settings), settings: F::Settings) {
    if *told != settings && F::is_same(told, &settings) {
        host.tell(settings.clone()).await;
        *told = settings;
    }
}

/// Has a front end leave its peers, which takes as long as these do to answer.
async fn leave<F: FrontEnd>(daemon: Weak<Daemon>, name: String, host: Arc<F>) {
    host.leave().await;
    drop(host);
    let Some(daemon) = daemon.upgrade() else { return };
    if let Some(front_ends) = daemon.front_ends.lock().await.as_mut() {
        front_ends.leaving.remove(&name);
    }
    daemon.replan.notify_one();
}

/// Ends those whose sessions do not outlive the daemon, and starts none any more.
pub(super) async fn end(daemon: &Daemon) {
    let Some(FrontEnds { n2, .. }) = daemon.front_ends.lock().await.take() else { return };
    let mut leaving = JoinSet::new();
    for (host, _) in n2.into_values() {
        leaving.spawn(async move { host.leave().await });
    }
    leaving.join_all().await;
}

fn wanted<F: FrontEnd>(daemon: &Daemon) -> Vec<(String, F::Settings)> {
    let state = daemon.state();
    let services = state.config.services.iter();
    let told = |service| F::settings(&state.config, &state.pools, service);
    services.filter_map(|service| Some((service.name.clone(), told(service)?))).collect()
}

/// Those of PFCP that run, by the name of their service.
pub(super) async fn running(daemon: &Daemon) -> Vec<(String, Arc<n4::Host>)> {
    daemon.front_ends.lock().await.as_ref().map(|it| hosts(&it.n4)).unwrap_or_default()
}

/// Those of GTPv2-C that run, by the name of their service.
pub(super) async fn running_gtpc(daemon: &Daemon) -> Vec<(String, Arc<gtpc::Host>)> {
    daemon.front_ends.lock().await.as_ref().map(|it| hosts(&it.gtpc)).unwrap_or_default()
}

/// Those of NGAP that run, by the name of their service.
pub(super) async fn running_n2(daemon: &Daemon) -> Vec<(String, Arc<n2::Host>)> {
    daemon.front_ends.lock().await.as_ref().map(|it| hosts(&it.n2)).unwrap_or_default()
}

fn hosts<F: FrontEnd>(running: &Running<F>) -> Vec<(String, Arc<F>)> {
    running.iter().map(|(name, (host, _))| (name.clone(), Arc::clone(host))).collect()
}

/// Takes down whether an endpoint is there: that is how it is.
fn hear(daemon: &Weak<Daemon>, heard: &Heard) {
    let Some((daemon, (pool, endpoint))) = daemon.upgrade().zip(heard.endpoint.split_once('/')) else { return };
    let now = daemon.now();
    let seen = Path { up: Some(heard.up), why: heard.why.to_owned(), round_trip: None, since: now };
    let mut state = daemon.state();
    // An association to an AMF may end for its gNB's sake; where it is probed, it is as the probes say.
    let is_ngap = state.config.services.iter().any(|service| service.pool == pool && service.ngap.is_some());
    if is_ngap && state.pools.of(pool).any(|it| it.config.name == endpoint && it.probed) {
        return;
    }
    let name = (pool.to_owned(), endpoint.to_owned());
    let same = state.heard.get(&name).filter(|before| before.up == seen.up);
    let since = same.map_or(now, |before| before.since);
    state.heard.insert(name, Path { since, ..seen.clone() });
    state.pools.path(pool, endpoint, 0, seen, now);
    drop(state);
    daemon.replan.notify_one();
}

/// Takes down again what was heard of endpoints: a new configuration forgets it of endpoints that are not probed, and it is
/// not said twice.
pub(super) fn recall(config: &Config, pools: &mut Pools, heard: &mut HeardOf) {
    let is_heard =
        |pool: &str| config.services.iter().any(|service| !service.is_steered() && service.pool == pool);
    heard.retain(|(pool, name), _| is_heard(pool) && pools.of(pool).any(|it| it.config.name == *name));
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
