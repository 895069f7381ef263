//! Layers made of functions: one that looks at a call before it goes on, and may end it, and one that looks at it when it comes
//! back.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use tower::{Layer, Service};

use crate::call::{Back, Call, Serve};
use crate::failure::Failure;

/// What a boxed layer's future is.
pub type Answering = Pin<Box<dyn Future<Output = Back> + Send>>;

/// The layer of a function that a call passes on its way in.
#[must_use]
pub const fn before<C>(check: C) -> BeforeLayer<C>
where
    C: Fn(&mut Call) -> Result<(), Failure>,
{
    BeforeLayer { check }
}

/// The layer of a function that a call passes on its way back.
#[must_use]
pub const fn after<C>(look: C) -> AfterLayer<C>
where
    C: Fn(&mut Call),
{
    AfterLayer { look }
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

/// Puts [`After`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct AfterLayer<C> {
    look: C,
}

/// Calls a function after the service.
#[derive(Clone, Copy, Debug)]
pub struct After<C, S> {
    look: C,
    inner: S,
}

/// What [`After`] waits for.
#[derive(Clone, Copy, Debug)]
pub struct Afterwards<C, F> {
    look: C,
    inner: F,
}

impl<C: Clone, S> Layer<S> for BeforeLayer<C> {
    type Service = Before<C, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Before { check: self.check.clone(), inner }
    }
}

impl<C: Clone, S> Layer<S> for AfterLayer<C> {
    type Service = After<C, S>;

    fn layer(&self, inner: S) -> Self::Service {
        After { look: self.look.clone(), inner }
    }
}

impl<C, S> Service<Box<Call>> for Before<C, S>
where
    C: Fn(&mut Call) -> Result<(), Failure>,
    S: Serve,
    S::Future: Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Way<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Box<Call>) -> Self::Future {
        match (self.check)(&mut call) {
            Ok(()) => Way::On(self.inner.call(call)),
            Err(failure) => Way::ended(call, failure),
        }
    }
}

impl<C, S> Service<Box<Call>> for After<C, S>
where
    C: Fn(&mut Call) + Clone + Unpin,
    S: Serve,
    S::Future: Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Afterwards<C, S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Box<Call>) -> Self::Future {
        Afterwards { look: self.look.clone(), inner: self.inner.call(call) }
    }
}

impl<C, F> Future for Afterwards<C, F>
where
    C: Fn(&mut Call) + Unpin,
    F: Future<Output = Back> + Unpin,
{
    type Output = Back;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Back> {
        let Ok(mut call) = ready!(Pin::new(&mut self.inner).poll(task));
        (self.look)(&mut call);
        Poll::Ready(Ok(call))
    }
}

/// The way of a call through a layer: on to the service within, round it, or no further.
pub enum Way<F> {
    /// It went on.
    On(F),
    /// There was more to do.
    Round(Answering),
    /// It did not go on. Taken when it was told.
    Ended(Option<Box<Call>>),
}

impl<F> Way<F> {
    /// It goes no further.
    pub fn ended(call: Box<Call>, failure: Failure) -> Self {
        Self::Ended(Some(call.with(Err(failure))))
    }
}

impl<F> Future for Way<F>
where
    F: Future<Output = Back> + Unpin,
{
    type Output = Back;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Back> {
        match &mut *self {
            Self::On(inner) => Pin::new(inner).poll(task),
            Self::Round(other) => other.as_mut().poll(task),
            Self::Ended(call) => call.take().map_or(Poll::Pending, |call| Poll::Ready(Ok(call))),
        }
    }
}
