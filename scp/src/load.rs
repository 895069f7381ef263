//! Load and overload of others and of this SCP: what producers say is obeyed, what there is to say is said (TS 29.500 6.3, 6.4.3).

mod reports;
mod told;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use tower::{Layer, Service};

use crate::api_root::ApiRoot;
use crate::before::Way;
use crate::call::{Call, Reply};
use crate::failure::{Failure, Fault, Sent, Upstream};
use crate::tally::Event;

pub use reports::Reported;
pub use told::{Told, ToldLayer};

/// Puts [`Relief`] around a service.
#[derive(Clone, Debug)]
pub struct ReliefLayer {
    /// What producers said.
    pub reported: Reported,
}

/// Spares who says that it is overloaded, and hears what responses say.
#[derive(Clone, Debug)]
pub struct Relief<S> {
    reported: Reported,
    inner: S,
}

impl<S> Layer<S> for ReliefLayer {
    type Service = Relief<S>;

    fn layer(&self, inner: S) -> Relief<S> {
        Relief { reported: self.reported.clone(), inner }
    }
}

impl<S> Service<Call> for Relief<S>
where
    S: Service<Call, Response = Reply, Error = Failure>,
    S::Future: Unpin,
{
    type Response = Reply;
    type Error = Failure;
    type Future = Way<Relieved<S::Future>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        if let Some(spared) = self.spare(&call) {
            call.context.arrival.prepared.tally.one(Event::OverloadSpared);
            return Way::Ended(Some(spared.into()));
        }
        let root = call.target.as_ref().map(|it| it.api_root.clone());
        Way::On(Relieved { inner: self.inner.call(call), root, reported: self.reported.clone() })
    }
}

/// A call whose answer is heard.
#[derive(Debug)]
pub struct Relieved<F> {
    inner: F,
    /// Who is asked.
    root: Option<ApiRoot>,
    reported: Reported,
}

impl<F> Future for Relieved<F>
where
    F: Future<Output = Result<Reply, Failure>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let reply = ready!(Pin::new(&mut self.inner).poll(task));
        if let (Ok(reply), Some(root)) = (&reply, &self.root) {
            self.reported.hear(reply.headers(), root);
        }
        Poll::Ready(reply)
    }
}

impl<S> Relief<S> {
    /// Whether a request is one of those that are not to be sent.
    fn spare(&self, call: &Call) -> Option<Upstream> {
        let target = call.target.as_ref()?;
        let context = &call.context;
        // The most important are the last to go without an answer (6.4.2.1).
        if context.priority <= context.arrival.prepared.settings.overload.exempt {
            return None;
        }
        // Of several, selection has gone past those that are overloaded already.
        if !target.overloaded && (target.chosen || !self.reported.turned_away(&target.api_root)) {
            return None;
        }
        let seconds = self.reported.seconds_left(&target.api_root);
        let fault = Fault::Overloaded(seconds.max(1));
        let (api_root, producer) = (target.api_root.clone(), target.producer.clone());
        Some(Upstream { api_root, fault, sent: Sent::Nothing, producer })
    }
}
