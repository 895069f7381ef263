//! A layer made of a function that looks at a call before it goes on, and may end it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use tower::{Layer, Service};

use crate::call::{Call, Reply};
use crate::failure::Failure;

/// What a boxed layer's future is.
pub type Answering = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

/// The layer of a function.
#[must_use]
pub const fn before<C>(check: C) -> BeforeLayer<C>
where
    C: Fn(&mut Call) -> Result<(), Failure>,
{
    BeforeLayer { check }
}

/// Puts [`Before`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct BeforeLayer<C> {
    check: C,
}

/// Calls a function before the service.
#[derive(Clone, Copy, Debug)]
pub struct Before<C, S> {
    check: C,
    inner: S,
}

impl<C: Clone, S> Layer<S> for BeforeLayer<C> {
    type Service = Before<C, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Before { check: self.check.clone(), inner }
    }
}

impl<C, S> Service<Call> for Before<C, S>
where
    C: Fn(&mut Call) -> Result<(), Failure>,
    S: Service<Call, Response = Reply, Error = Failure>,
    S::Future: Unpin,
{
    type Response = Reply;
    type Error = Failure;
    type Future = Way<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        Way::of((self.check)(&mut call).map(|()| self.inner.call(call)))
    }
}

/// The way of a call through a layer: on to the service within, round it, or no further.
pub enum Way<F> {
    /// It went on.
    On(F),
    /// There was more to do.
    Round(Answering),
    /// It did not go on. Taken when it was told.
    Ended(Option<Failure>),
}

impl<F> Way<F> {
    /// It went on, or did not.
    pub fn of(on: Result<F, Failure>) -> Self {
        match on {
            Ok(inner) => Self::On(inner),
            Err(failure) => Self::Ended(Some(failure)),
        }
    }
}

impl<F> Future for Way<F>
where
    F: Future<Output = Result<Reply, Failure>> + Unpin,
{
    type Output = Result<Reply, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Task<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::On(inner) => Pin::new(inner).poll(context),
            Self::Round(other) => other.as_mut().poll(context),
            Self::Ended(failure) => failure.take().map_or(Poll::Pending, |failure| Poll::Ready(Err(failure))),
        }
    }
}
