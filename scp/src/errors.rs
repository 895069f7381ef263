//! The outermost layer: a failure becomes an answer of this SCP, an error of another is relayed as such (TS 29.500 6.10.8).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use http::{HeaderValue, header};
use tower::{Layer, Service};

use crate::body::BodyError;
use crate::call::{Call, Reply};
use crate::cause::Cause;
use crate::context::Context;
use crate::failure::{Failure, Fault, Upstream};
use crate::prepared::Prepared;
use crate::problem::Problem;
use crate::{advice, names, peers, redirection};

/// Puts [`Errors`] around a service.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorsLayer;

/// Answers whatever fails inside.
#[derive(Clone, Copy, Debug)]
pub struct Errors<S> {
    inner: S,
}

impl<S> Layer<S> for ErrorsLayer {
    type Service = Errors<S>;

    fn layer(&self, inner: S) -> Errors<S> {
        Errors { inner }
    }
}

impl<S> Service<Call> for Errors<S>
where
    S: Service<Call, Response = Reply, Error = Failure>,
    S::Future: Unpin,
{
    type Response = Reply;
    type Error = std::convert::Infallible;
    type Future = Answered<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let context = Arc::clone(&call.context);
        Answered { inner: self.inner.call(call), context }
    }
}

/// A response, come what may.
#[derive(Debug)]
pub struct Answered<F> {
    inner: F,
    context: Arc<Context>,
}

impl<F> Future for Answered<F>
where
    F: Future<Output = Result<Reply, Failure>> + Unpin,
{
    type Output = Result<Reply, std::convert::Infallible>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.inner).poll(task).map(|outcome| {
            let prepared = &self.context.arrival.prepared;
            Ok(match outcome {
                Ok(mut reply) => {
                    if reply.status().is_client_error() || reply.status().is_server_error() {
                        reply.headers_mut().append(header::VIA, prepared.tag.clone());
                    }
                    reply
                }
                Err(failure) => {
                    let mut reply = answer(failure, prepared);
                    peers::own(reply.headers_mut(), &self.context);
                    reply
                }
            })
        })
    }
}

/// The answer to a call that failed.
#[must_use]
pub fn answer(failure: Failure, prepared: &Prepared) -> Reply {
    let mut producer = None;
    let mut problem = match failure {
        Failure::Redirected(redirected) => return redirection::reply(&redirected, &prepared.tag),
        Failure::Problem(problem) => *problem,
        Failure::Upstream(upstream) => {
            let problem = of_upstream(&upstream);
            producer = upstream.producer;
            problem
        }
        Failure::Exhausted => {
            Problem::new(Cause::TargetNfNotReachable).detail("nobody who could answer is reachable")
        }
    };
    let statuses = &prepared.settings.statuses;
    problem.status = problem.status.or(match problem.cause {
        Cause::MsgLoopDetected => Some(statuses.looped),
        Cause::MaxScpHopsReached => Some(statuses.hops),
        _ => None,
    });
    let server: &HeaderValue = &prepared.tag;
    let mut reply = problem.reply(server);
    reply.extensions_mut().insert(problem.cause);
    if prepared.settings.retries.final_answers
        && matches!(reply.status().as_u16(), 429 | 503 | 504)
        && let Some(info) = advice::no_retry(producer.as_deref())
    {
        reply.headers_mut().insert(names::RESPONSE_INFO, info);
    }
    reply
}

fn of_upstream(upstream: &Upstream) -> Problem {
    let cause = match &upstream.fault {
        Fault::Overloaded(seconds) => {
            return Problem::new(Cause::NfCongestion).detail(upstream.to_string()).retry_after(*seconds);
        }
        Fault::Content(BodyError::TooLong(_)) => Cause::PayloadTooLarge,
        Fault::Own => Cause::MsgLoopDetected,
        Fault::Content(_) | Fault::Unsendable(_) => Cause::InvalidMsgFormat,
        _ => Cause::TargetNfNotReachable,
    };
    Problem::new(cause).detail(upstream.to_string())
}
