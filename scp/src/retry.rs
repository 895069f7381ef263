//! Another attempt where the first came to nothing, or says nothing: bounded, budgeted, and only where it does no harm
//! (TS 29.500 5.2.8).

mod again;
mod budget;

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use tower::{Layer, Service};

use crate::before::Answering;
use crate::call::{Call, Reply};
use crate::failure::Failure;
use crate::kept::Content;

use again::{Again, Came, rest};
pub use budget::Budget;

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
        self.budget.earn(call.context.arrival.at, retries);
        let most = settings.limits.kept;
        let content = Content::new(std::mem::take(call.request.content_mut()), most);
        let inner = self.inner.call(call.again(content.read().unwrap_or_default()));
        let service = Arc::clone(&self.others);
        let again = Again::new(service, self.budget.clone(), call, content);
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
            let came = match Pin::new(inner).poll(task) {
                Poll::Ready(Err(Failure::Upstream(failed))) => Came::Answer(Err(failed.into())),
                Poll::Ready(Ok(reply)) if reply.status().is_redirection() => Came::Answer(Ok(reply)),
                Poll::Ready(outcome) => return Poll::Ready(outcome),
                Poll::Pending if again.as_ref().is_some_and(|again| again.may_hurry()) => Came::Slow,
                Poll::Pending => return Poll::Pending,
            };
            match std::mem::replace(&mut *self, Self::Rest(Box::pin(pending()))) {
                Self::First { inner, again: Some(again) } => {
                    let under_way = if matches!(came, Came::Slow) { vec![inner] } else { Vec::new() };
                    *self = Self::Rest(Box::pin(rest(again, under_way, came)));
                }
                Self::First { again: None, .. } | Self::Rest(_) => return Poll::Ready(came.alone()),
            }
        }
        match &mut *self {
            Self::Rest(rest) => rest.as_mut().poll(task),
            Self::First { .. } => Poll::Pending,
        }
    }
}
