//! Another attempt where the first came to nothing, or says nothing: bounded, budgeted, and only where it does no harm
//! (TS 29.500 5.2.8).

mod again;
mod budget;

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use tokio::time::Instant;
use tower::{Layer, Service};

use crate::before::Answering;
use crate::call::{Back, Call, Serve};
use crate::context::Context;
use crate::failure::Failure;
use crate::redirect::leads_on;
use crate::slow::Asked;
use crate::tally::Event;

use again::{Again, Came, rest};
pub use budget::Budget;

/// Puts [`Retry`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct RetryLayer;

/// Calls the service again where that is safe and there is somebody else to ask.
#[derive(Clone, Copy, Debug)]
pub struct Retry<S> {
    inner: S,
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner }
    }
}

impl<S> Service<Box<Call>> for Retry<S>
where
    S: Serve + Clone + Unpin + Send + 'static,
    S::Future: Send + Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Attempts<S>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Box<Call>) -> Self::Future {
        let settings = &call.prepared().settings;
        let retries = &settings.retries;
        if retries.attempts < 2 {
            return Attempts::First { inner: self.inner.call(call), others: None };
        }
        call.parts().budget.earn(call.context.arrival.at, retries);
        let most = settings.limits.kept;
        call.request.body_mut().keep(most);
        let others = Some((self.inner.clone(), Arc::clone(&call.context)));
        Attempts::First { inner: self.inner.call(call), others }
    }
}

/// The first attempt, and those after it.
pub enum Attempts<S: Service<Box<Call>>> {
    /// The first.
    First {
        /// The call that comes back.
        inner: S::Future,
        /// What is needed for others, where there may be any.
        others: Option<(S, Arc<Context>)>,
    },
    /// Others.
    Rest(Answering),
}

impl<S> Future for Attempts<S>
where
    S: Serve + Clone + Unpin + Send + 'static,
    S::Future: Send + Unpin,
{
    type Output = Back;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Back> {
        if let Self::First { inner, others } = &mut *self {
            let (template, came) = match Pin::new(inner).poll(task) {
                Poll::Ready(Ok(call)) => {
                    let more = match &call.answer {
                        Ok(reply) => leads_on(reply.status(), &call.prepared().settings),
                        Err(failure) => matches!(failure, Failure::Upstream(_)),
                    };
                    if !more || others.is_none() {
                        return Poll::Ready(Ok(call));
                    }
                    (call.again(call.begun), Came::Back(call))
                }
                Poll::Pending => {
                    let Some(template) = others.as_ref().and_then(|(_, context)| hurried(context)) else {
                        return Poll::Pending;
                    };
                    (template, Came::Slow)
                }
            };
            let first = std::mem::replace(&mut *self, Self::Rest(Box::pin(pending())));
            let Self::First { inner, others: Some((service, _)) } = first else { return Poll::Pending };
            let under_way = if matches!(came, Came::Slow) { vec![inner] } else { Vec::new() };
            *self = Self::Rest(Box::pin(rest(Again::new(service, template), under_way, came)));
        }
        match &mut *self {
            Self::Rest(rest) => rest.as_mut().poll(task),
            Self::First { .. } => Poll::Pending,
        }
    }
}

/// Takes another attempt at a call from the budget (TS 29.500 5.2.8), or counts that there was none.
pub(crate) fn pays(call: &Call) -> bool {
    let paid = call.parts().budget.spend(Instant::now(), &call.prepared().settings.retries);
    if !paid {
        call.prepared().tally.one(Event::RetryUnpaid);
    }
    paid
}

/// The call for somebody who is asked beside the first, where that says nothing.
fn hurried(context: &Arc<Context>) -> Option<Box<Call>> {
    if !context.slow.any() {
        return None;
    }
    let Asked { request, plan } = *context.slow.asked()?;
    Some(Call::of(request, plan, Arc::clone(context)))
}
