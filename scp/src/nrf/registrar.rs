//! This SCP's registration, and the heartbeats that keep it (TS 29.510 5.2.2.2, 5.2.2.3.2, 5.2.2.4).

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::error::NrfError;
use super::keeper::{Again, JSON, Keeper, PATCH, Resource, Standing, after, forget, until};
use super::link::Link;
use super::own;
use super::profile::{NfProfile, REGISTERED};
use super::set::{Ask, NrfSet};
use crate::api_root::ApiRoot;
use crate::prepared::Prepared;

/// Who keeps it.
#[derive(Debug, Default)]
pub(super) struct Registrar {
    registered: Option<Registered>,
    again: Again,
}

#[derive(Debug)]
struct Registered {
    /// What was told, but for the load.
    profile: NfProfile,
    /// The set of NRFs that it was told.
    roots: Vec<ApiRoot>,
    every: Duration,
    next: Instant,
    /// Whether the last heartbeat was refused.
    refused: bool,
}

/// What became of a heartbeat.
enum Beat {
    Taken,
    /// The NRF does not want it as it is: all of the profile may take its place (TS 29.510 5.2.2.3.1).
    Refused,
    /// The NRF does not know this SCP any more (TS 29.510 5.2.2.3.2).
    Unknown,
}

/// Between heartbeats where the NRF sets no time.
const HEARTBEAT: Duration = Duration::from_secs(10);

impl Registrar {
    /// Keeps it up for ever.
    pub(super) async fn run<L>(&mut self, keeper: &Keeper<L>, tell: &watch::Sender<Standing>)
    where
        L: Fn(&Arc<Prepared>) -> Link + Sync,
    {
        let mut current = keeper.prepared.clone();
        loop {
            let prepared = Arc::clone(&current.borrow_and_update());
            match self.work(keeper, &prepared, tell).await {
                Ok(()) => self.again = Again::default(),
                Err(error) => {
                    tracing::warn!(%error, "the NRF is not told of this SCP");
                    // An NRF that is back is to hear of this SCP before it takes it for dead.
                    let most = self.registered.as_ref().map_or(Duration::MAX, |it| it.every);
                    self.again.failed(&error, most);
                }
            }
            tell.send_if_modified(|it| {
                std::mem::replace(&mut it.registered, self.registered.is_some()) != self.registered.is_some()
            });
            let next = match (self.again.at(), self.registered.as_ref().map(|it| it.next)) {
                // What failed was not the heartbeat.
                (Some(again), Some(beat)) if beat > Instant::now() => Some(again.min(beat)),
                (again, beat) => again.or(beat),
            };
            tokio::select! {
                // What was told meanwhile may be what was missing.
                changed = current.changed() => if changed.is_err() { return },
                () = until(next) => {}
            }
        }
    }

    /// The registration that it knows of.
    pub(super) fn resource(&self) -> Option<Resource> {
        self.registered.as_ref().map(Registered::resource)
    }

    /// The resource of an NF instance.
    pub(super) fn path(instance: &str) -> String {
        format!("/nnrf-nfm/v1/nf-instances/{instance}")
    }

    /// Does what is due.
    async fn work<L>(
        &mut self,
        keeper: &Keeper<L>,
        prepared: &Arc<Prepared>,
        tell: &watch::Sender<Standing>,
    ) -> Result<(), NrfError>
    where
        L: Fn(&Arc<Prepared>) -> Link + Sync,
    {
        let set = keeper.set(prepared);
        let registration = prepared.settings.nrf.as_ref().and_then(|it| it.registration.as_ref());
        let Some(registration) = registration else {
            if let Some(old) = &self.registered {
                old.end(&set).await;
            }
            self.registered = None;
            return Ok(());
        };
        let profile = own::profile(&prepared.settings.identity, registration, 0);
        let load = (keeper.load)();
        match &mut self.registered {
            Some(known) if known.profile == profile && !known.elsewhere(&set) => {
                known.keep(&set, load, tell).await?;
            }
            known => match Registered::register(profile, load, &set).await {
                Ok(new) => {
                    // Somewhere it is known all the time.
                    let other = |old: &Registered| old.elsewhere(&set) || old.instance() != new.instance();
                    if let Some(old) = known.take().filter(other) {
                        old.end(&set).await;
                    }
                    self.registered = Some(new);
                }
                Err(error) => {
                    // It lives on as what it was.
                    if let Some(old) = known {
                        let old_set = NrfSet { roots: old.roots.clone(), ..set };
                        old.keep(&old_set, load, tell).await?;
                    }
                    return Err(error);
                }
            },
        }
        Ok(())
    }
}

impl Registered {
    async fn register(profile: NfProfile, load: u8, set: &NrfSet) -> Result<Self, NrfError> {
        let content = NfProfile { load: Some(load), ..profile.clone() };
        let content = serde_json::to_vec(&content).unwrap_or_default();
        let path = Registrar::path(&profile.nf_instance_id);
        let (nrf, reply) = set.ask(&Ask::with(Method::PUT, path, JSON, content)).await?;
        let (status, content) = (reply.status(), reply.into_body());
        if !status.is_success() {
            return Err(NrfError::Refused { nrf, status, content });
        }
        tracing::info!(%nrf, instance = profile.nf_instance_id, "registered with the NRF");
        let every = heartbeat(&content).unwrap_or(HEARTBEAT);
        Ok(Self { profile, roots: set.roots.clone(), every, next: after(every), refused: false })
    }

    fn instance(&self) -> &str {
        &self.profile.nf_instance_id
    }

    /// Whether none of a set was told.
    fn elsewhere(&self, set: &NrfSet) -> bool {
        !self.roots.iter().any(|it| set.roots.contains(it))
    }

    /// Sends a heartbeat where it is due, and all of the profile where the NRF does not take that.
    async fn keep(&mut self, set: &NrfSet, load: u8, tell: &watch::Sender<Standing>) -> Result<(), NrfError> {
        if Instant::now() < self.next {
            return Ok(());
        }
        let refused = match self.beat(set, load).await? {
            Beat::Taken => return Ok(()),
            Beat::Refused => true,
            Beat::Unknown => false,
        };
        *self = Self { refused, ..Self::register(self.profile.clone(), load, set).await? };
        if !refused {
            tell.send_modify(|it| it.forgotten = it.forgotten.wrapping_add(1));
        }
        Ok(())
    }

    /// Sends a heartbeat.
    async fn beat(&mut self, set: &NrfSet, load: u8) -> Result<Beat, NrfError> {
        let patch = json!([
            { "op": "replace", "path": "/nfStatus", "value": REGISTERED },
            { "op": "replace", "path": "/load", "value": load },
        ]);
        let ask = Ask::with(Method::PATCH, Registrar::path(self.instance()), PATCH, patch.to_string());
        let (nrf, reply) = set.ask(&ask).await?;
        let (status, content) = (reply.status(), reply.into_body());
        if status == StatusCode::NOT_FOUND {
            return Ok(Beat::Unknown);
        }
        if status.is_client_error() {
            if !self.refused {
                tracing::warn!(%nrf, %status, "the NRF takes no heartbeats: it is told of this SCP anew each time");
            }
            return Ok(Beat::Refused);
        }
        if !status.is_success() {
            return Err(NrfError::Refused { nrf, status, content });
        }
        self.every = heartbeat(&content).unwrap_or(self.every);
        self.next = after(self.every);
        self.refused = false;
        Ok(Beat::Taken)
    }

    /// Has those forget it that were told.
    async fn end(&self, set: &NrfSet) {
        forget(set, std::iter::once(self.resource())).await;
    }

    fn resource(&self) -> Resource {
        Resource { roots: self.roots.clone(), path: Registrar::path(self.instance()) }
    }
}

/// How often to send heartbeats, from a profile that the NRF sends back: a little more often than it asks.
fn heartbeat(content: &[u8]) -> Option<Duration> {
    let seconds = serde_json::from_slice::<NfProfile>(content).ok()?.heart_beat_timer?;
    Some(Duration::from_secs(u64::from(seconds.max(1))).mul_f32(0.9))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::*;
    use crate::nrf::fixture::{Script, keeper, prepared, root};
    use crate::nrf::{NrfSettings, Registration};

    /// An NRF that is back again hears of this SCP before it takes it for dead (TS 29.510 5.2.2.3.2).
    #[tokio::test(start_paused = true)]
    async fn n1_heartbeats_keep_their_pace_while_the_nrf_is_away() {
        let script = Script::new(|_, request| match *request.method() {
            Method::PUT => {
                let profile = json!({"nfInstanceId": "", "nfType": "SCP", "nfStatus": "", "heartBeatTimer": 10});
                Ok(Response::builder().status(201).body(Bytes::from(profile.to_string())).unwrap())
            }
            _ => Err("it is away".to_owned()),
        });
        let registration = Some(Registration { instance: "a".to_owned(), ..Registration::default() });
        let settings = NrfSettings { registration, ..NrfSettings::new(vec![root("http://a")]) };
        let prepared = prepared(settings);
        let keeper = keeper(&prepared, &script);
        let (tell, _) = watch::channel(Standing::default());
        let mut registrar = Registrar::default();
        let run = registrar.run(&keeper, &tell);
        assert!(tokio::time::timeout(Duration::from_secs(300), run).await.is_err());
        let beats = script.sent().iter().filter(|it| it.method() == Method::PATCH).count();
        assert!(beats >= 300 / 10, "{beats}");
    }

    /// What the NRF refuses is what this SCP would be, and not what it is (TS 29.510 5.2.2.3.2).
    #[tokio::test(start_paused = true)]
    async fn n1_heartbeats_go_on_while_another_profile_is_refused() {
        let script = Script::new(|_, request| {
            let other = String::from_utf8_lossy(request.body()).contains("elsewhere");
            let status = match *request.method() {
                Method::PUT if other => 400,
                Method::PUT => 201,
                _ => 204,
            };
            let profile = json!({"nfInstanceId": "", "nfType": "SCP", "nfStatus": "", "heartBeatTimer": 10});
            Ok(Response::builder().status(status).body(Bytes::from(profile.to_string())).unwrap())
        });
        let registration = Registration { instance: "a".to_owned(), ..Registration::default() };
        let other = Registration { domains: vec!["elsewhere".to_owned()], ..registration.clone() };
        let told = |registration| {
            let registration = Some(registration);
            prepared(NrfSettings { registration, ..NrfSettings::new(vec![root("http://a")]) })
        };
        let (prepared, other) = (told(registration), told(other));
        let keeper = keeper(&prepared, &script);
        let (tell, _) = watch::channel(Standing::default());
        let mut registrar = Registrar::default();
        let run = tokio::time::timeout(Duration::from_secs(310), registrar.run(&keeper, &tell));
        let reload = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            prepared.send_replace(Arc::clone(&other.borrow()));
        };
        assert!(tokio::join!(run, reload).0.is_err());
        let sent = script.sent();
        let of = |method: Method| sent.iter().filter(|it| it.method() == method).count();
        assert!((30..=40).contains(&of(Method::PATCH)), "{}", of(Method::PATCH));
        assert!((10..=80).contains(&of(Method::PUT)), "{}", of(Method::PUT));
    }
}
