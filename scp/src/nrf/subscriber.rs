//! This SCP's subscriptions to changes of NF instances, each on its own (TS 29.510 5.2.2.5, 5.2.2.6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Method, header};
use pinion_protocols::sbi::Timestamp;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::NOTIFY_PATH;
use super::error::NrfError;
use super::keeper::{Again, JSON, Keeper, PATCH, Resource, Standing, after, forget, until};
use super::link::Link;
use super::places::Places;
use super::set::{Ask, NrfSet};
use super::settings::NrfSettings;
use super::subscriptions::SubscriptionData;
use crate::api_root::ApiRoot;
use crate::clock;
use crate::prepared::Prepared;

/// Who keeps them.
#[derive(Debug, Default)]
pub(super) struct Subscriber {
    /// By the type of NF.
    kept: BTreeMap<String, Kept>,
    /// What [`Standing::forgotten`] was when they were made.
    forgotten: u64,
    /// Which NRFs were asked for them, and where these are to tell.
    of: Option<Of>,
    /// Those of before, until they are ended.
    left: Vec<Resource>,
}

/// Whom subscriptions are with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Of {
    roots: Vec<ApiRoot>,
    notify: ApiRoot,
}

#[derive(Debug, Default)]
struct Kept {
    subscribed: Option<Subscribed>,
    again: Again,
}

/// A subscription, or that the NRF takes none.
#[derive(Clone, Debug)]
struct Subscribed {
    /// None where it takes none.
    id: Option<String>,
    renew: Option<Instant>,
}

/// What is asked for.
struct Order {
    nf_type: String,
    known: Option<Subscribed>,
    /// Where changes are told, but for the place.
    at: String,
    places: Places,
    /// NF instance of the subscriber.
    instance: Option<String>,
    /// For how long.
    lasts: Duration,
    clock: fn() -> SystemTime,
    secret: fn() -> u128,
}

/// How long an NRF that takes no subscription is not asked again: what is wrong may be put right there.
const REFUSED: Duration = Duration::from_mins(10);

impl Subscriber {
    /// Keeps them up for ever.
    pub(super) async fn run<L>(&mut self, keeper: &Keeper<L>, mut standing: watch::Receiver<Standing>)
    where
        L: Fn(&Arc<Prepared>) -> Link + Sync,
    {
        let mut current = keeper.prepared.clone();
        loop {
            let prepared = Arc::clone(&current.borrow_and_update());
            let known = *standing.borrow_and_update();
            let asking = self.work(keeper, &prepared, known).await;
            // Who may not ask does not wait for when he should: that does not pass.
            let due = if asking { self.kept.values().filter_map(Kept::due).min() } else { None };
            tokio::select! {
                changed = current.changed() => if changed.is_err() { return },
                changed = standing.changed() => if changed.is_err() { return },
                () = keeper.wanted.changed() => {}
                () = until(due) => {}
            }
        }
    }

    /// The resources that they are, or were.
    pub(super) fn resources(&self) -> impl Iterator<Item = Resource> {
        self.kept.values().filter_map(|it| self.resource(it)).chain(self.left.iter().cloned())
    }

    fn resource(&self, of: &Kept) -> Option<Resource> {
        let path = path(of.subscribed.as_ref()?.id.as_deref()?);
        Some(Resource { roots: self.of.as_ref()?.roots.clone(), path })
    }

    /// Does what is due; whether there may be subscriptions.
    async fn work<L>(&mut self, keeper: &Keeper<L>, prepared: &Arc<Prepared>, standing: Standing) -> bool
    where
        L: Fn(&Arc<Prepared>) -> Link + Sync,
    {
        let set = keeper.set(prepared);
        let notified = prepared.settings.nrf.as_ref().and_then(|nrf| Some((nrf, nrf.notify.as_ref()?)));
        let of = notified.map(|(_, notify)| Of { roots: set.roots.clone(), notify: notify.clone() });
        if self.of != of {
            self.left = self.resources().collect();
            self.of = of;
            self.kept.clear();
        }
        if self.forgotten != standing.forgotten {
            self.forgotten = standing.forgotten;
            self.kept.clear();
        }
        let wanted = keeper.wanted.types();
        for (nf_type, kept) in self.kept.extract_if(.., |nf_type, _| !wanted.contains(nf_type)).collect::<Vec<_>>()
        {
            self.left.extend(self.resource(&kept));
            keeper.places.end(&nf_type);
        }
        let asking = notified.filter(|(nrf, _)| nrf.registration.is_none() || standing.registered);
        if let Some((nrf, notify)) = asking {
            self.ask(keeper, wanted, &set, nrf, notify).await;
        }
        // Somebody tells of changes all the time.
        forget(&set, self.left.iter().cloned()).await;
        self.left.clear();
        asking.is_some()
    }

    /// Asks for those that are due, for each as if there were no other.
    async fn ask<L>(
        &mut self,
        keeper: &Keeper<L>,
        wanted: BTreeSet<String>,
        set: &NrfSet,
        nrf: &NrfSettings,
        notify: &ApiRoot,
    ) {
        let mut asked = JoinSet::new();
        for nf_type in wanted {
            let kept = self.kept.entry(nf_type.clone()).or_default();
            if !kept.holds() {
                let order = Order {
                    nf_type,
                    known: kept.subscribed.clone(),
                    at: format!("{notify}{NOTIFY_PATH}"),
                    places: keeper.places.clone(),
                    instance: nrf.registration.as_ref().map(|it| it.instance.clone()),
                    lasts: nrf.subscription,
                    clock: keeper.clock,
                    secret: keeper.secret,
                };
                asked.spawn(order.ask(set.clone()));
            }
        }
        while let Some(done) = asked.join_next().await {
            let Ok((nf_type, outcome)) = done else { continue };
            let kept = self.kept.entry(nf_type).or_default();
            match outcome {
                Ok(subscribed) => *kept = Kept { subscribed: Some(subscribed), again: Again::default() },
                Err(error) => {
                    tracing::warn!(%error, "the NRF is not asked to tell of changes");
                    kept.again.failed(&error, Duration::MAX);
                }
            }
        }
    }
}

impl Kept {
    /// When there is something to do for it next.
    fn due(&self) -> Option<Instant> {
        self.again.at().or(self.subscribed.as_ref().and_then(|it| it.renew))
    }

    /// Whether it needs nothing now.
    fn holds(&self) -> bool {
        let ends = self.subscribed.as_ref().map(|it| it.renew);
        self.again.waits() || ends.is_some_and(|renew| renew.is_none_or(|renew| Instant::now() < renew))
    }
}

impl Order {
    /// Has it, by the type of NF.
    async fn ask(self, set: NrfSet) -> (String, Result<Subscribed, NrfError>) {
        let outcome = self.renewed_or_new(&set).await;
        (self.nf_type, outcome)
    }

    async fn renewed_or_new(&self, set: &NrfSet) -> Result<Subscribed, NrfError> {
        let until = (self.clock)().checked_add(self.lasts).unwrap_or(UNIX_EPOCH);
        let validity = clock::timestamp(until).rfc3339().to_string();
        if let Some(id) = self.known.as_ref().and_then(|it| it.id.as_deref())
            && let Some(renewed) = self.renew(set, id, &validity).await?
        {
            return Ok(renewed);
        }
        self.subscribe(set, validity).await
    }

    /// Renews it; none where the NRF does not know it any more.
    async fn renew(&self, set: &NrfSet, id: &str, validity: &str) -> Result<Option<Subscribed>, NrfError> {
        let patch = json!([{ "op": "replace", "path": "/validityTime", "value": validity }]).to_string();
        let (_, reply) = set.ask(&Ask::with(Method::PATCH, path(id), PATCH, patch)).await?;
        if !reply.status().is_success() {
            return Ok(None);
        }
        // 204 grants what was asked for; 200 says what is granted instead.
        let granted: Option<SubscriptionData> = serde_json::from_slice(reply.body()).ok();
        let granted = granted.and_then(|it| it.validity_time);
        let renew = self.renewal(granted.as_deref().unwrap_or(validity));
        Ok(Some(Subscribed { id: Some(id.to_owned()), renew }))
    }

    async fn subscribe(&self, set: &NrfSet, validity: String) -> Result<Subscribed, NrfError> {
        let Self { nf_type, instance, places, .. } = self;
        let place = places.give(nf_type, self.secret);
        let wanted = SubscriptionData {
            nf_status_notification_uri: format!("{}/{place}", self.at),
            subscr_cond: Some(json!({ "nfType": nf_type })),
            validity_time: Some(validity),
            req_nf_type: Some("SCP".to_owned()),
            req_nf_instance_id: instance.clone(),
            ..SubscriptionData::default()
        };
        let content = serde_json::to_vec(&wanted).unwrap_or_default();
        let ask = Ask::with(Method::POST, "/nnrf-nfm/v1/subscriptions".to_owned(), JSON, content);
        let (at, reply) = set.ask(&ask).await?;
        let (head, content) = reply.into_parts();
        let granted: Option<SubscriptionData> = serde_json::from_slice(&content).ok();
        let named = granted.as_ref().and_then(|it| it.subscription_id.clone());
        let id = named.or_else(|| last_segment(&head.headers)).filter(|_| head.status.is_success());
        if let Some(id) = &id {
            places.taken(nf_type);
            let renew = granted.and_then(|it| it.validity_time).and_then(|time| self.renewal(&time));
            tracing::info!(nrf = %at, nf_type, id, "subscribed to changes");
            return Ok(Subscribed { id: Some(id.clone()), renew });
        }
        // Not again at once: the NRF does not want it.
        tracing::warn!(nrf = %at, nf_type, status = %head.status, "the NRF takes no subscription");
        Ok(Subscribed { id: None, renew: Some(after(self.lasts.min(REFUSED))) })
    }

    /// When to renew what ends at a time of day: when a fifth of what is left is left.
    fn renewal(&self, ends: &str) -> Option<Instant> {
        let ends = clock::time(Timestamp::from_rfc3339(ends)?)?;
        let left = ends.duration_since((self.clock)()).unwrap_or_default();
        Some(after(left.mul_f32(0.8).max(Duration::from_secs(1))))
    }
}

/// The resource of a subscription.
fn path(id: &str) -> String {
    format!("/nnrf-nfm/v1/subscriptions/{id}")
}

fn last_segment(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    location.trim_end_matches('/').rsplit('/').next().filter(|it| !it.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::*;
    use crate::nrf::Registration;
    use crate::nrf::fixture::{Script, keeper, prepared, root};

    /// What an NRF refuses may be put right there the next minute.
    #[tokio::test(start_paused = true)]
    async fn n1_a_subscription_that_is_refused_is_asked_for_again_before_long() {
        let script = Script::new(|_, _| Ok(Response::builder().status(403).body(Bytes::new()).unwrap()));
        let notify = Some(root("http://scp.example"));
        let settings = NrfSettings { notify, ..NrfSettings::new(vec![root("http://a")]) };
        let prepared = prepared(settings);
        let keeper = keeper(&prepared, &script);
        keeper.wanted.want("UDM");
        let (_tell, standing) = watch::channel(Standing::default());
        let mut subscriber = Subscriber::default();
        let run = subscriber.run(&keeper, standing);
        assert!(tokio::time::timeout(Duration::from_hours(1), run).await.is_err());
        let asked = script.sent().iter().filter(|it| it.method() == Method::POST).count();
        assert!((3..=60).contains(&asked), "{asked}");
    }

    /// Who is told to register first, and cannot, waits for that and not for the time that has passed meanwhile.
    #[tokio::test(start_paused = true)]
    async fn n1_a_subscription_that_is_due_waits_for_a_registration_that_the_nrf_refuses() {
        let script = Script::new(|_, _| Ok(Response::builder().status(403).body(Bytes::new()).unwrap()));
        let notify = Some(root("http://scp.example"));
        let settings = NrfSettings { notify, ..NrfSettings::new(vec![root("http://a")]) };
        let registration = Some(Registration { instance: "a".to_owned(), ..Registration::default() });
        let registered = prepared(NrfSettings { registration, ..settings.clone() });
        let prepared = prepared(settings);
        let keeper = keeper(&prepared, &script);
        keeper.wanted.want("UDM");
        let (_tell, standing) = watch::channel(Standing::default());
        let mut subscriber = Subscriber::default();
        let run = tokio::time::timeout(Duration::from_hours(1), subscriber.run(&keeper, standing));
        let reload = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            prepared.send_replace(Arc::clone(&registered.borrow()));
            script.sent().len()
        };
        let (ended, asked) = tokio::join!(run, reload);
        assert!(ended.is_err());
        assert_eq!(script.sent().len(), asked);
    }
}
