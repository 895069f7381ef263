//! Keeps this SCP known to the NRF, and its subscriptions alive: registration, heartbeats, renewals, and the end of it all
//! (TS 29.510 5.2.2.2 to 5.2.2.6).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::error::NrfError;
use super::link::Link;
use super::places::Places;
use super::registrar::Registrar;
use super::set::{Ask, NrfSet, Preferred};
use super::subscriber::Subscriber;
use super::subscriptions::Wanted;
use crate::api_root::ApiRoot;
use crate::prepared::Prepared;

/// What a keeper works with.
pub struct Keeper<L> {
    /// What the SCP goes by, as it changes.
    pub prepared: watch::Receiver<Arc<Prepared>>,
    /// How an NRF is reached.
    pub link: L,
    /// The NRF that answered last.
    pub preferred: Preferred,
    /// Of which types of NF changes are to be told.
    pub wanted: Wanted,
    /// Where these are told.
    pub places: Places,
    /// How loaded this SCP is, in percent.
    pub load: Arc<dyn Fn() -> u8 + Send + Sync>,
    /// The time of day.
    pub clock: fn() -> SystemTime,
    /// Draws what nobody can guess.
    pub secret: fn() -> u128,
}

/// What the NRF knows of this SCP, for who subscribes in its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it was registered.
    pub(super) registered: bool,
    /// How often the NRF forgot it, and what it was to tell with it.
    pub(super) forgotten: u64,
}

pub(super) const JSON: &str = "application/json";
pub(super) const PATCH: &str = "application/json-patch+json";

impl<L: Fn(&Arc<Prepared>) -> Link + Sync> Keeper<L> {
    /// Keeps all that up until `drain` says true, and then takes it down: within the time that draining may take, or not at
    /// all.
    pub async fn run(self, mut drain: watch::Receiver<bool>) {
        let (mut registrar, mut subscriber) = (Registrar::default(), Subscriber::default());
        let (tell, told) = watch::channel(Standing::default());
        // Neither waits for the other: an NRF that is slow to take a subscription goes on to hear that this SCP lives.
        let kept = async { tokio::join!(registrar.run(&self, &tell), subscriber.run(&self, told)) };
        tokio::select! {
            _ = drain.wait_for(|it| *it) => {}
            _ = kept => {}
        }
        let prepared = Arc::clone(&self.prepared.borrow());
        let set = self.set(&prepared);
        let registration = prepared.settings.nrf.as_ref().and_then(|it| it.registration.as_ref());
        // Whether a registration that was under way arrived, nobody knows.
        let own =
            registration.map(|it| Resource { roots: set.roots.clone(), path: Registrar::path(&it.instance) });
        let before = registrar.resource().filter(|it| own.as_ref().is_none_or(|own| it.is_another(own)));
        let all = own.into_iter().chain(before).chain(subscriber.resources());
        // No longer than requests that are under way may take.
        let within = prepared.settings.timeouts.drain;
        if timeout(within, forget(&set, all)).await.is_err() {
            tracing::warn!("cannot take leave of the NRF: it does not answer");
        }
    }

    pub(super) fn set(&self, prepared: &Arc<Prepared>) -> NrfSet {
        NrfSet::of(None, prepared, &self.preferred, (self.link)(prepared))
    }
}

/// What an NRF set has of this SCP's.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) roots: Vec<ApiRoot>,
    pub(super) path: String,
}

impl Resource {
    fn is_another(&self, than: &Self) -> bool {
        self.path != than.path || !self.roots.iter().any(|it| than.roots.contains(it))
    }
}

/// Has NRFs forget resources, all at once.
pub(super) async fn forget(set: &NrfSet, resources: impl Iterator<Item = Resource>) {
    let mut asked: JoinSet<()> = resources
        .map(|Resource { roots, path }| {
            let set = NrfSet { roots, ..set.clone() };
            async move {
                match set.ask(&Ask::new(Method::DELETE, path)).await {
                    Ok((_, reply)) if reply.status().is_success() || reply.status() == StatusCode::NOT_FOUND => {}
                    Ok((at, reply)) => {
                        tracing::warn!(nrf = %at, status = %reply.status(), "the NRF does not let go");
                    }
                    Err(error) => tracing::warn!(%error, "cannot take leave of the NRF"),
                }
            }
        })
        .collect();
    while asked.join_next().await.is_some() {}
}

/// When to try again what failed: later each time.
#[derive(Debug, Default)]
pub(super) struct Again {
    failures: u32,
    at: Option<Instant>,
}

impl Again {
    /// Another failure, of what is not to wait for longer than so long.
    pub(super) fn failed(&mut self, error: &NrfError, most: Duration) {
        let wait = after(Duration::from_secs(1 << self.failures.min(5)).min(most));
        *self = Self { failures: self.failures.saturating_add(1), at: Some(error.until().unwrap_or(wait)) };
    }

    /// Whether it is too early.
    pub(super) fn waits(&self) -> bool {
        self.at.is_some_and(|at| Instant::now() < at)
    }

    /// Then; none where nothing failed.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }
}

pub(super) fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}

/// Waits until then; for ever where there is no such time.
pub(super) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
