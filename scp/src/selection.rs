//! Which of those that a plan names is asked, and the client told whom this SCP chose (TS 29.500 6.10.3.2, 6.10.3.4, 6.10.5).

mod dice;
mod drained;
mod eligible;
mod pick;
mod ready;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};

use http::HeaderMap;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};

use crate::before::Way;
use crate::binding::of_subscription;
use crate::call::{Call, Serve};
use crate::cause::Cause;
use crate::deadline;
use crate::discovery::{Asking, Factors, Former, Found, Listener, parameter};
use crate::failure::Failure;
use crate::load::Role;
use crate::names;
use crate::nrf::Wire;
use crate::pools::Standing;
use crate::problem::Problem;
use crate::producer::{Producer, Query, Step, Target};

pub use dice::Dice;
pub use drained::Drained;
use pick::{Knowledge, Picked};
pub(crate) use ready::Ready;

/// Puts [`Selection`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct SelectionLayer;

/// Chooses the target of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Selection<S> {
    inner: S,
}

impl<S> Layer<S> for SelectionLayer {
    type Service = Selection<S>;

    fn layer(&self, inner: S) -> Selection<S> {
        Selection { inner }
    }
}

impl<S> Service<Box<Call>> for Selection<S>
where
    S: Serve + Clone + Send + 'static,
    S::Future: Send + Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Way<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Box<Call>) -> Self::Future {
        // A place that was not tried yet needs no search.
        if let Some(Step::Place(target)) = call.steps().first()
            && !call.tried.contains(&target.api_root)
            && target.producer.is_none()
        {
            call.target = Some((**target).clone());
            return Way::On(self.inner.call(call));
        }
        // As a rule what there is to know is known already, and chosen at once. Where it is not, a search set out.
        let known = pin!(next(&call)).poll(&mut Task::from_waker(Waker::noop()));
        match known {
            Poll::Ready(Ok(target)) => {
                call.target = Some(target);
                Way::On(self.inner.call(call))
            }
            Poll::Ready(Err(failure)) => Way::ended(call, failure),
            Poll::Pending => {
                let mut inner = self.inner.clone();
                Way::Round(Box::pin(async move {
                    match next(&call).await {
                        Ok(target) => call.target = Some(target),
                        Err(failure) => return Ok(call.with(Err(failure))),
                    }
                    call.begun = Instant::now();
                    inner.call(call).await
                }))
            }
        }
    }
}

/// Tells the client who answered, where this SCP chose it.
pub fn tell(call: &mut Call) {
    if let (Ok(reply), Some(Target { producer: Some(producer), chosen: true, .. })) =
        (&mut call.answer, &call.target)
    {
        name(reply.headers_mut(), producer, call.told);
    }
}

/// The first of the plan's steps that leads to somebody who was not tried.
async fn next(call: &Call) -> Result<Target, Failure> {
    if call.steps().is_empty() {
        return Err(Problem::new(Cause::TargetNfNotReachable).detail(NOBODY).into());
    }
    let mut failure = None;
    for step in call.steps() {
        let query = match step {
            Step::Place(target) if !call.tried.contains(&target.api_root) => return Ok((**target).clone()),
            Step::Place(_) => continue,
            Step::Anybody => match ready::pick(call) {
                Some(picked) => return Ok(Target::from(picked)),
                None => &Query::ANYBODY,
            },
            Step::Find(query) => query,
        };
        match find(call, query).await {
            Ok(Some(picked)) => return Ok(Target::from(picked)),
            Ok(None) => {}
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    // Why there was nobody to begin with says more than that there is nobody else.
    Err(failure.filter(|_| call.tried.is_empty()).unwrap_or(Failure::Exhausted))
}

async fn find(call: &Call, query: &Query) -> Result<Option<Picked>, Failure> {
    let (found, factors) = search(call, &query.factors).await?;
    let former = call.parts().directory.former();
    let mut having = match &query.set_of {
        Some(of) => holders(&found, former, |it| it.api_root.same(of), || former.at(of)),
        None => Vec::new(),
    };
    let (mut picked, why) = match choose(call, &found, &factors, query, &having) {
        Ok(picked) => (picked, None),
        Err(why) => (None, Some(why)),
    };
    if let (None, Some(named)) = (&picked, factors.get(parameter::INSTANCE)) {
        // What was named is one NF instance; those that have its resources are the others of its sets (6.10.5.1 note 4). A
        // binding names its sets itself.
        if query.set_of.is_none() && factors.is_callback() && query.factors.is_empty() {
            let is_named = |it: &Producer| it.nf_instance.eq_ignore_ascii_case(named);
            having = holders(&found, former, is_named, || former.of(named));
        }
        for set in having.iter().flat_map(|it| it.nf_sets.iter().cloned()).collect::<BTreeSet<_>>() {
            let (others, factors) = search(call, &[(parameter::SET, set)]).await?;
            picked = choose(call, &others, &factors, &Query::default(), &[]).unwrap_or_default();
            if picked.is_some() {
                break;
            }
        }
    }
    if let (None, Some(notification), Some(_)) =
        (&picked, factors.notification(), factors.get(parameter::INSTANCE))
    {
        let bound = found.listeners.iter().filter(|it| it.takes(notification));
        for query in bound.filter_map(Listener::binding).flat_map(of_subscription) {
            let (others, factors) = search(call, &query.factors).await?;
            picked = choose(call, &others, &factors, &query, &[]).unwrap_or_default();
            if picked.is_some() {
                break;
            }
        }
    }
    match why {
        Some(why) if picked.is_none() => Err(why),
        Some(_) | None => Ok(picked),
    }
}

async fn search(call: &Call, more: &[(&'static str, String)]) -> Result<(Arc<Found>, Arc<Factors>), Failure> {
    let (prepared, parts) = (call.prepared(), call.parts());
    let factors = Factors::of(call, more)?;
    let link = || Wire::link(&parts.pools, prepared);
    let asking = Asking { prepared, link: &link };
    match timeout_at(call.context.deadline.at, parts.directory.find(&factors, asking)).await {
        Ok(found) => Ok((found.map_err(|error| error.failure(factors.is_untyped()))?, factors)),
        Err(_) if call.context.deadline.asked => Err(deadline::late()),
        Err(_) => Err(Problem::new(Cause::TargetNfNotReachable).detail("the NRF does not answer").into()),
    }
}

fn choose(
    call: &Call,
    found: &Found,
    factors: &Factors,
    query: &Query,
    holders: &[Arc<Producer>],
) -> Result<Option<Picked>, Failure> {
    let selection = call.context.selection.then(|| call.headers());
    let eligible = eligible::eligible(found, factors, query, holders, selection)?;
    let locality = factors.get("preferred-locality").or(call.prepared().settings.discovery.locality.as_deref());
    Ok(choose_among(call, eligible.into_iter(), locality))
}

fn choose_among<'a>(
    call: &Call,
    all: impl Iterator<Item = &'a Arc<Producer>>,
    locality: Option<&str>,
) -> Option<Picked> {
    let (settings, parts) = (&call.prepared().settings, call.parts());
    let role = Role::of(call.context.callback);
    let chance = || *call.context.chance.get_or_init(|| parts.dice.below(u64::MAX));
    let knowledge = Knowledge {
        locality,
        bad: &|producer| {
            if parts.drained.any(Some(&producer.nf_instance), &producer.api_root)
                || parts.reported.rests(producer, role, chance)
            {
                return true;
            }
            let holder = producer.holder(settings.identities.producers);
            // Who was failed once is not the one to find out whether another is well again.
            let tries = call.tried.is_empty();
            parts.pools.standing(&producer.api_root, &holder, call.begun, tries, &settings.retries)
                == Standing::Bad
        },
        reports: Some(&(&parts.reported, role)),
        chance: &chance,
    };
    let untried = all.filter(|it| !call.tried.contains(&it.api_root)).collect();
    pick::pick(untried, &knowledge, &parts.dice)
}

impl From<Picked> for Target {
    fn from(Picked { producer, overloaded }: Picked) -> Self {
        Self { overloaded, ..Self::chosen(producer) }
    }
}

/// What a request lacks that is for nobody.
const NOBODY: &str = "the request names nobody: it needs 3gpp-Sbi-Target-apiRoot, 3gpp-Sbi-Routing-Binding or 3gpp-Sbi-Discovery-target-nf-type";

/// Those who are meant, who have the resources that are asked for: as they were found, or as they were before they went.
fn holders(
    found: &Found,
    former: &Former,
    meant: impl Fn(&Producer) -> bool,
    before: impl Fn() -> Vec<Arc<Producer>>,
) -> Vec<Arc<Producer>> {
    let now: Vec<_> = found.producers().filter(|it| meant(it)).cloned().collect();
    if now.is_empty() {
        return before();
    }
    former.keep(&now);
    now
}

/// 3gpp-Sbi-Producer-Id, where nobody said it yet (6.10.3.4). An NRF that is configured has no NF instance that is known.
fn name(headers: &mut HeaderMap, producer: &Producer, told: bool) {
    if producer.nf_instance.is_empty() || told && names::has(headers, &names::PRODUCER_ID) {
        return;
    }
    if let Some(id) = producer.id() {
        headers.insert(names::PRODUCER_ID, id.clone());
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn producer() -> Producer {
        let mut producer = pick::fixture::producer("http://a", 0, 0);
        producer.nf_instance = "54804518-4191-46b3-955c-ac631f953ed8".to_owned();
        producer
    }

    #[test]
    fn d7_the_producer_is_told_with_what_is_known_of_it() {
        let mut headers = HeaderMap::new();
        name(&mut headers, &producer(), true);
        assert_eq!(headers[names::PRODUCER_ID], "nfinst=54804518-4191-46b3-955c-ac631f953ed8");
        let mut headers = HeaderMap::new();
        let more = Producer {
            service_instance: Some("a/1".to_owned()),
            nf_sets: vec!["set1.udmset.5gc.mnc012.mcc345".to_owned()],
            service_sets: vec!["b".to_owned()],
            ..producer()
        };
        name(&mut headers, &more, false);
        assert_eq!(
            headers[names::PRODUCER_ID],
            "nfinst=54804518-4191-46b3-955c-ac631f953ed8; nfservinst=a%2F1; nfset=set1.udmset.5gc.mnc012.mcc345; nfserviceset=b"
        );
    }

    #[test]
    fn d7_what_another_said_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(names::PRODUCER_ID, HeaderValue::from_static("nfinst=other"));
        name(&mut headers, &producer(), true);
        assert_eq!(headers[names::PRODUCER_ID], "nfinst=other");
    }
}
