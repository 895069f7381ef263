//! Load and overload of others and of this SCP: what producers say is obeyed, what there is to say is said (TS 29.500 6.3, 6.4.3).

mod aged;
mod reports;
mod told;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use http::HeaderMap;
use tower::{Layer, Service};

use crate::api_root::ApiRoot;
use crate::before::Way;
use crate::call::{Call, Reply};
use crate::failure::{Failure, Fault, Sent, Upstream};
use crate::names;
use crate::producer::{Hop, Target};
use crate::tally::Event;

use reports::{From, Whose};
pub use reports::{Reported, Role};
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
        let way = call.target.as_ref().map(Asked::of);
        Way::On(Relieved { inner: self.inner.call(call), way, reported: self.reported.clone() })
    }
}

/// A call whose answer is heard.
#[derive(Debug)]
pub struct Relieved<F> {
    inner: F,
    way: Option<Asked>,
    reported: Reported,
}

/// Who is asked.
#[derive(Debug)]
struct Asked {
    hop: Hop,
    /// The next hop.
    next: ApiRoot,
    /// Whom that is to ask, where it is told.
    onward: Option<ApiRoot>,
}

impl Asked {
    fn of(target: &Target) -> Self {
        Self { hop: target.hop, next: target.api_root.clone(), onward: target.onward.clone() }
    }

    /// Who says what is in a response.
    fn says(&self, headers: &HeaderMap) -> From<'_> {
        let between = self.hop != Hop::Producer;
        let place = if between { self.onward.as_ref() } else { Some(&self.next) };
        // Who is between may have chosen another.
        let place = place.filter(|place| {
            let answered = headers.get(names::TARGET_API_ROOT).filter(|_| between);
            answered.is_none_or(|it| ApiRoot::read(it.as_bytes()).is_ok_and(|it| it.same(place)))
        });
        From { place, between: between.then_some((self.hop, &self.next)) }
    }
}

impl<F> Future for Relieved<F>
where
    F: Future<Output = Result<Reply, Failure>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let reply = ready!(Pin::new(&mut self.inner).poll(task));
        if let (Ok(reply), Some(way)) = (&reply, &self.way) {
            self.reported.hear(reply.headers(), || way.says(reply.headers()));
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
        let away = || if self.reported.is_quiet() { None } else { self.turned_away(call, target) };
        let seconds = match target.overloaded {
            true => self.reported.seconds_left(&place(call, target)),
            false => away()?,
        };
        let fault = Fault::Overloaded(seconds.max(1));
        let (api_root, producer) = (target.root().clone(), target.producer.clone());
        Some(Upstream { api_root, fault, sent: Sent::Nothing, producer })
    }

    /// For how long somebody who is on the way does not want it, nor some of those that follow.
    fn turned_away(&self, call: &Call, target: &Target) -> Option<u32> {
        let between = || {
            let next = (target.hop != Hop::Producer).then(|| Whose::Between(target.api_root.clone()))?;
            self.reported.turned_away(&next)
        };
        // Of several, selection has gone past those that are overloaded already.
        let place = || (!target.chosen).then(|| self.reported.turned_away(&place(call, target))).flatten();
        let callback = || {
            let path = target.path.as_ref().or(call.request.uri().path_and_query());
            let path = path.filter(|_| call.context.callback)?.path();
            self.reported.turned_away(&Whose::callback(target.root(), path))
        };
        between().or_else(place).or_else(callback)
    }
}

/// Who is overloaded where it is known only by its address.
fn place(call: &Call, target: &Target) -> Whose {
    Whose::Place(target.root().clone(), Role::of(call.context.callback))
}
