//! What was done for whom: counted, and told to whoever writes it down.

mod counts;
mod services;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context as Task, Poll, ready};
use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use tokio::sync::mpsc;
use tower::{Layer, Service};
use tracing::Span;

use crate::api_root::ApiRoot;
use crate::call::{Arrival, Call, Reply};
use crate::cause::Cause;
use crate::context::Context;
use crate::names;
use crate::producer::Target;
use crate::trace::{self, Parent};

pub use counts::{BOUNDS, Counts};
pub use services::ServiceCounts;
use services::{Service as Served, Services};

/// What an SCP did. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    counts: counts::Atomic,
    services: Services,
    reader: RwLock<Option<mpsc::Sender<Entry>>>,
}

/// A request and what became of it, as its response begins.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The time of day when it came.
    pub at: SystemTime,
    /// Who sent it.
    pub client: SocketAddr,
    /// The names in its client's certificate.
    pub names: Arc<[String]>,
    /// Its method.
    pub method: Method,
    /// The authority that was asked.
    pub authority: Option<Authority>,
    /// Path and query.
    pub path: Option<PathAndQuery>,
    /// `User-Agent`.
    pub agent: Option<String>,
    /// 3gpp-Sbi-Correlation-Info.
    pub correlation: Option<String>,
    /// The span that its client is in, where it says so.
    pub trace: Option<Parent>,
    /// As `nudm-sdm`; `notification` for callbacks, `other` for what is neither.
    pub service: String,
    /// The status of its response; none: its client did not wait for one.
    pub status: Option<StatusCode>,
    /// Why, where the SCP itself answered.
    pub cause: Option<Cause>,
    /// Who answered.
    pub target: Option<ApiRoot>,
    /// The NF instance there, where this SCP looked it up.
    pub nf_instance: Option<String>,
    /// From its headers to those of its response.
    pub took: Duration,
}

impl Account {
    /// From now on each request is told that comes while [`crate::Prepared`] says so; what is not taken in time is counted ([`Counts::untold`]) and left out.
    pub fn tell(&self, reader: Option<mpsc::Sender<Entry>>) {
        *self.shared.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts.read()
    }

    /// The same of each service, in the order of their names.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceCounts> {
        self.shared.services.read()
    }

    /// A request that is malformed, and its answer.
    pub(crate) fn refused(&self, head: &Parts, arrival: &Arrival, reply: &Reply) {
        let asked = self.asked(&head.method, &head.uri, &head.headers, arrival);
        let served = self.served(&head.uri, arrival, head.headers.contains_key(names::CALLBACK));
        self.done(asked, &served, arrival, Some(reply));
    }

    /// What a request is counted by.
    fn served(&self, uri: &http::Uri, arrival: &Arrival, callback: bool) -> Arc<Served> {
        let prefix = &arrival.prepared.settings.identity.prefix;
        let path = uri.path();
        self.shared.services.of(path.strip_prefix(prefix.as_str()).unwrap_or(path), callback)
    }

    /// What is to be told of a request; nothing where nobody listens.
    fn asked(
        &self,
        method: &Method,
        uri: &http::Uri,
        headers: &HeaderMap,
        arrival: &Arrival,
    ) -> Option<Box<Entry>> {
        if !arrival.prepared.told {
            return None;
        }
        let text = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
        Some(Box::new(Entry {
            at: arrival.clock,
            client: arrival.peer.address,
            names: Arc::clone(&arrival.peer.names),
            method: method.clone(),
            authority: uri.authority().cloned(),
            path: crate::nrf::shown(uri, &arrival.prepared.settings),
            agent: text(header::USER_AGENT),
            correlation: text(names::CORRELATION_INFO),
            trace: Parent::of(headers),
            service: String::new(),
            status: None,
            cause: None,
            target: None,
            nf_instance: None,
            took: Duration::ZERO,
        }))
    }

    fn done(&self, asked: Option<Box<Entry>>, served: &Served, arrival: &Arrival, reply: Option<&Reply>) {
        let took = arrival.at.elapsed();
        let (status, cause) = (reply.map(Reply::status), reply.and_then(|it| it.extensions().get::<Cause>()));
        self.shared.counts.add(status, cause.copied(), took);
        if let Some(status) = status {
            served.add(status, cause.copied(), took);
        }
        let Some((mut entry, reader)) = asked.zip(self.reader()) else { return };
        let target = reply.and_then(|it| it.extensions().get::<Target>());
        (entry.status, entry.cause, entry.took) = (status, cause.copied(), took);
        served.name().clone_into(&mut entry.service);
        entry.target = target.map(|it| it.api_root.clone());
        entry.nf_instance = target.and_then(|it| it.producer.as_ref()).map(|it| it.nf_instance.clone());
        if reader.try_send(*entry).is_err() {
            self.shared.counts.untold();
        }
    }

    fn reader(&self) -> Option<mpsc::Sender<Entry>> {
        self.shared.reader.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Puts [`Accounted`] around a service.
#[derive(Clone, Debug)]
pub struct AccountLayer {
    /// Where it is written down.
    pub account: Account,
}

/// Writes down what a service does.
#[derive(Clone, Debug)]
pub struct Accounted<S> {
    account: Account,
    inner: S,
}

impl<S> Layer<S> for AccountLayer {
    type Service = Accounted<S>;

    fn layer(&self, inner: S) -> Accounted<S> {
        Accounted { account: self.account.clone(), inner }
    }
}

impl<S> Service<Call> for Accounted<S>
where
    S: Service<Call, Response = Reply, Error = Infallible>,
    S::Future: Unpin,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = Accounting<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        let (request, context) = (&mut call.request, Arc::clone(&call.context));
        let asked = self.account.asked(request.method(), request.uri(), request.headers(), &context.arrival);
        let served = self.account.served(request.uri(), &context.arrival, context.callback);
        let span = trace::begin(request, served.name(), &context.arrival.prepared);
        let open = Open { account: self.account.clone(), asked, served, span, context: Some(context) };
        Accounting { inner: self.inner.call(call), open }
    }
}

/// A response that is written down when it is there, or when nobody waits for it any more.
#[derive(Debug)]
pub struct Accounting<F> {
    inner: F,
    open: Open,
}

/// What is not written down yet.
#[derive(Debug)]
struct Open {
    account: Account,
    asked: Option<Box<Entry>>,
    served: Arc<Served>,
    span: Span,
    /// None once it is.
    context: Option<Arc<Context>>,
}

impl Open {
    fn close(&mut self, reply: Option<&Reply>) {
        if let Some(context) = self.context.take() {
            trace::end(&self.span, reply);
            self.account.done(self.asked.take(), &self.served, &context.arrival, reply);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close(None);
    }
}

impl<F> Future for Accounting<F>
where
    F: Future<Output = Result<Reply, Infallible>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Task<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut self.inner).poll(context));
        self.open.close(outcome.as_ref().ok());
        Poll::Ready(outcome)
    }
}
