//! Another attempt where the first came to nothing: bounded, budgeted, and only where it does no harm (TS 29.500 5.2.8).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use http::{HeaderValue, Method, Uri};
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::before::Answering;
use crate::call::{Call, Reply};
use crate::failure::{Failure, Fault, Upstream};
use crate::kept::Content;
use crate::names;
use crate::producer::Plan;
use crate::redirect::{self, Elsewhere};
use crate::settings::Retries;

/// How many retries there may be for the requests there are. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    state: Arc<Mutex<Tokens>>,
}

#[derive(Debug, Default)]
struct Tokens {
    /// In hundredths of a retry.
    earned: u64,
    spare: u64,
    filled: Option<Instant>,
}

impl Budget {
    /// A request earns part of a retry; what is not used does not pile up.
    fn earn(&self, retries: &Retries) {
        let mut tokens = self.lock();
        tokens.earned =
            tokens.earned.saturating_add(u64::from(retries.budget)).min(u64::from(retries.budget) * 100);
    }

    /// Takes a retry, where there is one.
    fn spend(&self, now: Instant, retries: &Retries) -> bool {
        let mut tokens = self.lock();
        let full = tokens.filled.is_none_or(|it| now.saturating_duration_since(it) >= Duration::from_secs(1));
        if full {
            tokens.spare = u64::from(retries.spare);
            tokens.filled = Some(now);
        }
        let tokens = &mut *tokens;
        for (left, price) in [(&mut tokens.earned, 100), (&mut tokens.spare, 1)] {
            if let Some(rest) = left.checked_sub(price) {
                *left = rest;
                return true;
            }
        }
        false
    }

    /// Gives a retry back that nobody was asked by.
    fn refund(&self) {
        let mut tokens = self.lock();
        tokens.spare = tokens.spare.saturating_add(1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts [`Retry`] around a service.
#[derive(Clone, Debug)]
pub struct RetryLayer {
    /// What retries there may be.
    pub budget: Budget,
}

/// Calls the service again where that is safe and there is somebody else to ask.
#[derive(Clone, Debug)]
pub struct Retry<S> {
    budget: Budget,
    inner: S,
    /// The service again, for other attempts: what is never used should cost little.
    others: Arc<S>,
}

impl<S: Clone> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { budget: self.budget.clone(), others: Arc::new(inner.clone()), inner }
    }
}

impl<S> Service<Call> for Retry<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + Sync + 'static,
    S::Future: Send + Unpin,
{
    type Response = Reply;
    type Error = Failure;
    type Future = Attempts<S>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        let settings = &call.context.arrival.prepared.settings;
        let retries = &settings.retries;
        if retries.attempts < 2 {
            return Attempts::First { inner: self.inner.call(call), again: None };
        }
        self.budget.earn(retries);
        let most = settings.limits.kept;
        let content = Content::new(std::mem::take(call.request.body_mut()), most);
        let inner = self.inner.call(call.again(content.read().unwrap_or_default()));
        let service = Arc::clone(&self.others);
        let again = Again { service, budget: self.budget.clone(), call, content, identity: None };
        Attempts::First { inner, again: Some(Box::new(again)) }
    }
}

/// The first attempt, and those after it.
pub enum Attempts<S: Service<Call>> {
    /// The first.
    First {
        /// Its answer.
        inner: S::Future,
        /// What is needed for others.
        again: Option<Box<Again<S>>>,
    },
    /// Others.
    Rest(Answering),
}

impl<S> Future for Attempts<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + Sync + 'static,
    S::Future: Send + Unpin,
{
    type Output = Result<Reply, Failure>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        if let Self::First { inner, again } = &mut *self {
            match (ready!(Pin::new(inner).poll(task)), again.take()) {
                (Err(Failure::Upstream(failed)), Some(again)) => {
                    *self = Self::Rest(Box::pin(rest(again, Err(failed))));
                }
                (Ok(reply), Some(again)) if reply.status().is_redirection() => {
                    *self = Self::Rest(Box::pin(rest(again, Ok(reply))));
                }
                (outcome, _) => return Poll::Ready(outcome),
            }
        }
        match &mut *self {
            Self::Rest(rest) => rest.as_mut().poll(task),
            Self::First { .. } => Poll::Pending,
        }
    }
}

/// Attempts after the first, as many as may be.
async fn rest<S>(mut again: Box<Again<S>>, first: Result<Reply, Upstream>) -> Result<Reply, Failure>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone,
{
    let mut outcome = first;
    let mut service = (*again.service).clone();
    let mut before: Option<Upstream> = None;
    for attempt in 1.. {
        let now = Instant::now();
        let retries = &again.call.context.arrival.prepared.settings.retries;
        if attempt >= retries.attempts || now >= again.call.context.deadline.at {
            break;
        }
        let next = match &outcome {
            Ok(reply) => again.elsewhere(reply),
            Err(failed) => {
                let may = safe(failed, again.call.request.method())
                    && (free(failed) || again.budget.spend(now, retries));
                may.then(|| again.next(failed, before.as_ref())).flatten()
            }
        };
        let Some(next) = next else { break };
        match service.call(next).await {
            Ok(reply) => outcome = Ok(reply),
            Err(Failure::Upstream(next)) => before = std::mem::replace(&mut outcome, Err(next)).err(),
            // Nobody else is left: what was answered, or went wrong, before is what there is to say.
            Err(Failure::Exhausted) => {
                if outcome.as_ref().is_err_and(|failed| !free(failed)) {
                    again.budget.refund();
                }
                break;
            }
            Err(failure) => return Err(failure),
        }
    }
    let mut reply = outcome?;
    if let Some(identity) = again.identity {
        reply.headers_mut().entry(names::PRODUCER_ID).or_insert(identity);
    }
    Ok(reply)
}

/// Whether another attempt may not do again what was done already (RFC 9110 9.2.2, RFC 9113 8.7).
fn safe(failed: &Upstream, method: &Method) -> bool {
    match failed.fault {
        Fault::Content(_) | Fault::Unsendable(_) | Fault::Busy => false,
        _ => failed.untouched() || method.is_idempotent(),
    }
}

/// Whether another attempt adds nothing to the load: nothing was sent to who asked to be spared.
fn free(failed: &Upstream) -> bool {
    matches!(failed.fault, Fault::Overloaded(_))
}

/// What is needed for another attempt.
pub struct Again<S> {
    service: Arc<S>,
    budget: Budget,
    call: Call,
    content: Content,
    /// Who is asked since a producer named somebody else.
    identity: Option<HeaderValue>,
}

impl<S> Again<S> {
    /// The next attempt; none where the content is gone.
    fn next(&mut self, failed: &Upstream, before: Option<&Upstream>) -> Option<Call> {
        // A connection that was being closed, or a stream too many, says nothing against who it was to. Once.
        let passing = matches!(failed.fault, Fault::GoAway | Fault::Refused)
            && before.is_none_or(|before| before.api_root != failed.api_root);
        if !passing {
            self.call.tried.push(failed.api_root.clone());
        }
        self.attempt()
    }

    /// The attempt that an answer leads to; none where the answer is to be had itself.
    fn elsewhere(&mut self, reply: &Reply) -> Option<Call> {
        let settings = &self.call.context.arrival.prepared.settings;
        let Elsewhere { target, path, identity } = redirect::elsewhere(reply, settings)?;
        self.call.plan = Plan::place(target);
        self.call.tried.clear();
        *self.call.request.uri_mut() = Uri::from(path);
        self.identity = identity;
        self.attempt()
    }

    fn attempt(&self) -> Option<Call> {
        self.content.read().map(|content| self.call.again(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_of_requests_and_a_few_a_second() {
        let budget = Budget::default();
        let retries = Retries { budget: 20, spare: 2, ..Retries::default() };
        for _ in 0..10 {
            budget.earn(&retries);
        }
        let now = Instant::now();
        let spent = |at| (0..10).filter(|_| budget.spend(at, &retries)).count();
        assert_eq!(spent(now), 2 + 2);
        assert_eq!(spent(now + Duration::from_millis(500)), 0);
        assert_eq!(spent(now + Duration::from_secs(1)), 2);
    }
}
