//! Which of those that a plan names is asked.

use std::task::{Context as Task, Poll};

use tower::{Layer, Service};

use crate::before::Passed;
use crate::call::{Call, Reply};
use crate::failure::Failure;
use crate::producer::Step;

/// Puts [`Selection`] around a service.
#[derive(Clone, Copy, Debug, Default)]
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

impl<S> Service<Call> for Selection<S>
where
    S: Service<Call, Response = Reply, Error = Failure>,
    S::Future: Unpin,
{
    type Response = Reply;
    type Error = Failure;
    type Future = Passed<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        let tried = &call.tried;
        let target = call.plan.steps.iter().find_map(|step| match step {
            Step::Place(target) if !tried.contains(&target.api_root) => Some((**target).clone()),
            Step::Place(_) | Step::Find(_) => None,
        });
        match target {
            Some(target) => {
                call.target = Some(target);
                Passed::On(self.inner.call(call))
            }
            None => Passed::Ended(Some(Failure::Exhausted)),
        }
    }
}
