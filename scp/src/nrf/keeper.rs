//! Keeps this SCP known to the NRF, and its subscriptions alive: registration, heartbeats, renewals, and the end of it all
//! (TS 29.510 5.2.2.2 to 5.2.2.6).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Method, StatusCode, header};
use pinion_protocols::sbi::Timestamp;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::NOTIFY_PATH;
use super::error::NrfError;
use super::link::Link;
use super::own::profile;
use super::profile::NfProfile;
use super::set::{Ask, NrfSet, Preferred};
use super::settings::{NrfSettings, Registration};
use super::subscriptions::{SubscriptionData, Wanted};
use crate::clock;
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
    /// How loaded this SCP is, in percent.
    pub load: Arc<dyn Fn() -> u8 + Send + Sync>,
    /// The time of day.
    pub clock: fn() -> SystemTime,
}

/// What the NRF knows.
#[derive(Debug, Default)]
struct Kept {
    /// The registration, where there is one.
    registered: Option<Registered>,
    /// Subscriptions by the type of NF.
    subscriptions: BTreeMap<String, Subscribed>,
    /// How often in a row the NRF did not answer.
    failures: u32,
    /// When to try again what failed.
    again: Option<Instant>,
}

#[derive(Debug)]
struct Registered {
    registration: Registration,
    every: Duration,
    next: Instant,
}

#[derive(Debug)]
struct Subscribed {
    id: String,
    renew: Option<Instant>,
}

/// Between heartbeats where the NRF sets no time.
const HEARTBEAT: Duration = Duration::from_secs(10);

const JSON: &str = "application/json";
const PATCH: &str = "application/json-patch+json";

impl<L: Fn(&Arc<Prepared>) -> Link> Keeper<L> {
    /// Keeps all that up until `drain` says true, and then takes it down.
    pub async fn run(mut self, mut drain: watch::Receiver<bool>) {
        let mut kept = Kept::default();
        loop {
            let prepared = Arc::clone(&self.prepared.borrow_and_update());
            match &prepared.settings.nrf {
                Some(nrf) => {
                    let worked = self.work(&prepared, nrf, &mut kept).await;
                    kept.judge(worked, Instant::now());
                }
                None => kept = Kept::default(),
            }
            let until = kept.next();
            tokio::select! {
                _ = drain.wait_for(|it| *it) => break,
                changed = self.prepared.changed() => if changed.is_err() { break },
                () = self.wanted.changed() => {}
                () = sleep_until(until) => {}
            }
        }
        let prepared = Arc::clone(&self.prepared.borrow());
        if prepared.settings.nrf.is_some() {
            self.leave(&prepared, kept).await;
        }
    }

    fn set(&self, prepared: &Arc<Prepared>) -> NrfSet {
        NrfSet::of(None, prepared, &self.preferred, (self.link)(prepared))
    }

    /// Does all that is due.
    async fn work(&self, prepared: &Arc<Prepared>, nrf: &NrfSettings, kept: &mut Kept) -> Result<(), NrfError> {
        let set = self.set(prepared);
        let now = Instant::now();
        if kept.again.is_some_and(|again| now < again) {
            return Ok(());
        }
        match &nrf.registration {
            None => kept.registered = None,
            Some(registration) => match &mut kept.registered {
                Some(registered) if registered.registration == *registration => {
                    if registered.next <= now && !beat(&set, registered, (self.load)()).await? {
                        // What it was to tell it has forgotten, too.
                        kept.subscriptions.clear();
                        kept.registered = Some(self.register(prepared, registration, &set).await?);
                    }
                }
                _ => kept.registered = Some(self.register(prepared, registration, &set).await?),
            },
        }
        if let Some(notify) = &nrf.notify {
            for nf_type in self.wanted.types() {
                let uri = format!("{notify}{NOTIFY_PATH}/{nf_type}");
                self.subscribe(&set, nrf, &uri, nf_type, kept).await?;
            }
        }
        Ok(())
    }

    async fn register(
        &self,
        prepared: &Arc<Prepared>,
        registration: &Registration,
        set: &NrfSet,
    ) -> Result<Registered, NrfError> {
        let own = profile(&prepared.settings.identity, registration, (self.load)());
        let content = serde_json::to_vec(&own).unwrap_or_default();
        let path = format!("/nnrf-nfm/v1/nf-instances/{}", registration.instance);
        let (nrf, reply) = set.ask(&Ask::with(Method::PUT, path, JSON, content)).await?;
        let (status, content) = (reply.status(), reply.into_body());
        if !status.is_success() {
            return Err(NrfError::Refused { nrf, status, content });
        }
        tracing::info!(%nrf, instance = registration.instance, "registered with the NRF");
        let every = heartbeat(&content).unwrap_or(HEARTBEAT);
        Ok(Registered { registration: registration.clone(), every, next: after(every) })
    }

    /// Subscribes to a type of NF, or renews the subscription that there is.
    async fn subscribe(
        &self,
        set: &NrfSet,
        nrf: &NrfSettings,
        uri: &str,
        nf_type: String,
        kept: &mut Kept,
    ) -> Result<(), NrfError> {
        let until = (self.clock)().checked_add(nrf.subscription).unwrap_or(UNIX_EPOCH);
        let validity = clock::timestamp(until).rfc3339().to_string();
        match kept.subscriptions.get(&nf_type) {
            Some(Subscribed { renew, .. }) if renew.is_none_or(|renew| Instant::now() < renew) => return Ok(()),
            Some(Subscribed { id, .. }) if !id.is_empty() => {
                let path = format!("/nnrf-nfm/v1/subscriptions/{id}");
                let patch = json!([{ "op": "replace", "path": "/validityTime", "value": validity }]).to_string();
                let (_, reply) = set.ask(&Ask::with(Method::PATCH, path, PATCH, patch)).await?;
                if reply.status().is_success() {
                    let id = id.clone();
                    // 204 grants what was asked for; 200 says what is granted instead.
                    let granted: Option<SubscriptionData> = serde_json::from_slice(reply.body()).ok();
                    let granted = granted.and_then(|it| it.validity_time).unwrap_or(validity);
                    kept.subscriptions.insert(nf_type, Subscribed { id, renew: self.renewal(&granted) });
                    return Ok(());
                }
                kept.subscriptions.remove(&nf_type);
            }
            Some(_) | None => {}
        }
        let wanted = SubscriptionData {
            nf_status_notification_uri: uri.to_owned(),
            subscr_cond: Some(json!({ "nfType": nf_type })),
            validity_time: Some(validity),
            req_nf_type: Some("SCP".to_owned()),
            req_nf_instance_id: nrf.registration.as_ref().map(|it| it.instance.clone()),
            ..SubscriptionData::default()
        };
        let content = serde_json::to_vec(&wanted).unwrap_or_default();
        let ask = Ask::with(Method::POST, "/nnrf-nfm/v1/subscriptions".to_owned(), JSON, content);
        let (at, reply) = set.ask(&ask).await?;
        let (head, content) = reply.into_parts();
        let granted: Option<SubscriptionData> = serde_json::from_slice(&content).ok();
        let named = granted.as_ref().and_then(|it| it.subscription_id.clone());
        match named.or_else(|| last_segment(&head.headers)).filter(|_| head.status.is_success()) {
            Some(id) => {
                let renew = granted.and_then(|it| it.validity_time).and_then(|time| self.renewal(&time));
                tracing::info!(nrf = %at, nf_type, id, "subscribed to changes");
                kept.subscriptions.insert(nf_type, Subscribed { id, renew });
            }
            None => {
                // Not again before a renewal would be due: the NRF does not want it.
                tracing::warn!(nrf = %at, nf_type, status = %head.status, "the NRF takes no subscription");
                let renew = Some(after(nrf.subscription));
                kept.subscriptions.insert(nf_type, Subscribed { id: String::new(), renew });
            }
        }
        Ok(())
    }

    /// When to renew what ends at a time of day: when a fifth of what is left is left.
    fn renewal(&self, ends: &str) -> Option<Instant> {
        let ends = clock::time(Timestamp::from_rfc3339(ends)?)?;
        let left = ends.duration_since((self.clock)()).unwrap_or_default();
        Some(after(left.mul_f32(0.8).max(Duration::from_secs(1))))
    }

    async fn leave(&self, prepared: &Arc<Prepared>, kept: Kept) {
        let set = self.set(prepared);
        let subscriptions = kept.subscriptions.into_values().filter(|it| !it.id.is_empty());
        let paths = subscriptions.map(|it| format!("/nnrf-nfm/v1/subscriptions/{}", it.id));
        let own = kept.registered.map(|it| format!("/nnrf-nfm/v1/nf-instances/{}", it.registration.instance));
        for path in own.into_iter().chain(paths) {
            match set.ask(&Ask::new(Method::DELETE, path)).await {
                Ok((_, reply)) if reply.status().is_success() => {}
                Ok((at, reply)) => tracing::warn!(nrf = %at, status = %reply.status(), "the NRF does not let go"),
                Err(error) => tracing::warn!(%error, "cannot take leave of the NRF"),
            }
        }
    }
}

impl Kept {
    /// Sets when to try again what failed, later each time.
    fn judge(&mut self, worked: Result<(), NrfError>, now: Instant) {
        match worked {
            Ok(()) if self.again.is_some_and(|again| now < again) => {}
            Ok(()) => (self.failures, self.again) = (0, None),
            Err(error) => {
                tracing::warn!(%error, "the NRF is not told of this SCP");
                let wait = Duration::from_secs(1 << self.failures.min(5));
                (self.failures, self.again) = (self.failures.saturating_add(1), Some(after(wait)));
            }
        }
    }

    /// When something is due.
    fn next(&self) -> Instant {
        let beat = self.registered.as_ref().map(|it| it.next);
        let renewals = self.subscriptions.values().filter_map(|it| it.renew);
        let first = beat.into_iter().chain(renewals).min();
        let due = first.unwrap_or_else(|| after(Duration::from_hours(1)));
        self.again.unwrap_or(due)
    }
}

/// Sends a heartbeat; false where the NRF does not know this SCP any more.
async fn beat(set: &NrfSet, registered: &mut Registered, load: u8) -> Result<bool, NrfError> {
    let path = format!("/nnrf-nfm/v1/nf-instances/{}", registered.registration.instance);
    let patch = json!([
        { "op": "replace", "path": "/nfStatus", "value": super::profile::REGISTERED },
        { "op": "replace", "path": "/load", "value": load },
    ]);
    let (nrf, reply) = set.ask(&Ask::with(Method::PATCH, path, PATCH, patch.to_string())).await?;
    let (status, content) = (reply.status(), reply.into_body());
    if status == StatusCode::NOT_FOUND {
        return Ok(false);
    }
    if !status.is_success() {
        return Err(NrfError::Refused { nrf, status, content });
    }
    registered.every = heartbeat(&content).unwrap_or(registered.every);
    registered.next = after(registered.every);
    Ok(true)
}

/// How often to send heartbeats, from a profile that the NRF sends back: a little more often than it asks.
fn heartbeat(content: &[u8]) -> Option<Duration> {
    let seconds = serde_json::from_slice::<NfProfile>(content).ok()?.heart_beat_timer?;
    Some(Duration::from_secs(u64::from(seconds.max(1))).mul_f32(0.9))
}

fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}

fn last_segment(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    location.trim_end_matches('/').rsplit('/').next().filter(|it| !it.is_empty()).map(str::to_owned)
}
